//! `headwater feed` and what stands behind its posts: whose numbers they are, and where posts are kept.

use crate::feed::{LATER, append, codes, feed, lines, repo, worktree};
use crate::sandbox::{headwater, run};

/// A claim that was printed stays won when its work tree is gone before anybody committed it.
#[test]
fn a_claim_outlives_its_work_tree() {
    let repo = repo();
    let other = worktree(&repo, "other");
    append(&repo.root, "a", "actionable", &["--reserve", "CMB", "--subject", "x"]).exits(0);
    append(&other, "b", "claim", &["--item", "CMB-0001"]).exits(0);
    let shown = |args: &[&str]| feed(&repo.root, args).exits(0).stdout;
    let posts = |text: &str| text.matches("CLAIMED").count();
    assert_eq!(posts(&shown(&["tail", "--no-follow"])), 1, "the event and its copy are one");
    repo.git(&["worktree", "remove", "--force", other.to_str().unwrap()]);
    assert_eq!(lines(&repo.root, &[]), ["CMB-0001 CLAIMED b"]);
    append(&repo.root, "a", "claim", &["--item", "CMB-0001"]).exits(1).says("b claimed it first");
    assert_eq!(posts(&shown(&["tail", "--no-follow"])), 1);
    assert!(shown(&["show", "CMB-0001"]).contains("CLAIMED by b"));
    run(&mut headwater(&repo.root, &["doctor", "--restore"])).says("restored");
    assert_eq!(codes(&repo.root, LATER), [""; 0]);
    assert_eq!(lines(&repo.root, &[]), ["CMB-0001 CLAIMED b"]);
}
