//! The rules of the feed where somebody breaks them: by the command, and by posts that another program wrote.

use crate::feed::{LATER, append, codes, feed, filing, lines, post, repo};

/// A repair lets one post have the item again, and not everybody who comes after it.
#[test]
fn a_proof_is_spent_once() {
    let repo = repo();
    let again = |seat: &str, subject: &str| {
        append(&repo.root, seat, "actionable", &["--item", "CMB-0001", "--subject", subject])
    };
    append(&repo.root, "a", "actionable", &["--reserve", "CMB"]).exits(0);
    append(&repo.root, "a", "repair", &["--item", "CMB-0001"]).exits(0);
    again("b", "of b").exits(0);
    again("b", "of b").exits(0).says("posted before");
    again("c", "of c").exits(1).says("spent").says("--reserve");
    append(&repo.root, "a", "repair", &["--item", "CMB-0001"]).exits(0);
    again("c", "of c").exits(0);
    // What another clone wrote without having seen that is work of its own, and drifts.
    let shown = feed(&repo.root, &["show", "CMB-0001", "--format", "json"]).exits(0).json();
    let posts = shown["items"][0]["posts"].as_array().unwrap();
    let repair = posts.iter().rfind(|post| post["kind"] == "repair").unwrap()["post"].as_str().unwrap();
    post(&repo.root, "2099-04-16T20:00:00Z", "d", &(filing("CMB-0001", "of d") + &format!("post-proof: {repair}\n")));
    let queue = feed(&repo.root, &["queue"]).exits(0).stdout;
    assert!(queue.contains("of c") && queue.contains("COLLISION with a") && queue.contains("of d"), "{queue}");
    assert!(codes(&repo.root, LATER).contains(&"duplicate-item CMB-0001".to_owned()));
    assert_eq!(lines(&repo.root, &[]).len(), 2);
}
