//! `headwater feed` and what stands behind its posts: whose numbers they are, and where posts are kept.

use crate::feed::{LATER, append, clone, codes, feed, filing, lines, post, repo, worktree};
use crate::sandbox::{git, headwater, run};
use std::collections::BTreeSet;

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

/// The log says who reserved a number: its nonce can be copied by everybody, and an instant can be any.
#[test]
fn nobody_files_on_the_number_of_another_seat() {
    let repo = repo();
    let other = clone(&repo, "other");
    run(&mut headwater(&repo.root, &["id", "init"])).exits(0);
    append(&repo.root, "a", "actionable", &["--reserve", "GIT", "--subject", "A real {{ITEM_ID}}"]).exits(0);
    run(&mut headwater(&other, &["id", "sync"])).exits(0);
    let hijack = ["--item", "GIT-1", "--subject", "hijacked"];
    append(&other, "b", "actionable", &hijack)
        .exits(1)
        .says("GIT-1 was reserved by a")
        .says("--agent a")
        .says("--reserve GIT");
    append(&other, "b", "actionable", &["--item", "OPS-1"]).exits(0);
    append(&other, "b", "amend", &["--item", "OPS-1", "--to", "GIT-1"]).exits(1).says("GIT-1 was reserved by a");

    // The same without the tool: the nonce copied, two hours before, in a clone that has no post of the owner.
    let log = run(&mut headwater(&other, &["id", "show", "GIT-1", "--format", "json"])).exits(0).json();
    let nonce = log["history"][0]["nonce"].as_str().unwrap().to_owned();
    let forged = filing("GIT-1", "hijacked") + &format!("post-reserved: {nonce}\n");
    post(&repo.root, "2026-01-01T00:00:00Z", "b", &forged);
    let found = feed(&repo.root, &["drift", "--format", "json", "--now", "2026-01-01T00:00:01Z"]).exits(1).json();
    let found = found["findings"].as_array().unwrap();
    assert_eq!((found.len(), &found[0]["code"]), (1, &"reserved-by-another".into()), "{found:?}");
    assert!(found[0]["places"][0].as_str().unwrap().ends_with("_b.md"), "{found:?}");
    assert!(found[0]["detail"].as_str().unwrap().contains("the log gave it to a, and b took it"), "{found:?}");
    assert!(found[0]["remedy"].as_str().unwrap().contains(" --reserve GIT "), "{found:?}");

    // In one clone, and whoever reserves for others says for whom.
    assert_eq!(
        run(&mut headwater(&repo.root, &["id", "reserve", "CMB", "--agent", "one", "--format", "plain"]))
            .exits(0)
            .stdout,
        "CMB-0001\n"
    );
    append(&repo.root, "two", "actionable", &["--item", "CMB-0001"]).exits(1).says("reserved by one, and not by two");
    append(&repo.root, "one", "actionable", &["--item", "CMB-0001"]).exits(0);
}

/// A number that is in the shared log, and that this clone has not seen there.
#[test]
fn a_named_number_is_looked_for_in_the_shared_log() {
    let repo = repo();
    run(&mut headwater(&repo.root, &["id", "init"])).exits(0);
    let other = clone(&repo, "other");
    run(&mut headwater(&repo.root, &["id", "init"])).exits(0);
    run(&mut headwater(&other, &["id", "sync"])).exits(0);
    run(&mut headwater(&repo.root, &["id", "reserve", "GIT", "--agent", "b"])).exits(0);
    let file =
        |more: &[&str]| append(&other, "b", "actionable", &[&["--item", "GIT-1", "--subject", "x"], more].concat());
    file(&["--no-fetch"]).exits(1).says("leave `--no-fetch` out");
    let (remote, away) = (repo.beside("remote.git"), repo.beside("away.git"));
    std::fs::rename(&remote, &away).unwrap();
    file(&[]).exits(1).says("the log of GIT was not asked about GIT-1").says("try again when it answers");
    std::fs::rename(&away, &remote).unwrap();
    assert_eq!(file(&[]).exits(0).stdout, "GIT-1\n");
    append(&other, "b", "actionable", &["--item", "GIT-2"]).exits(1).says("was never reserved");
}

/// Whoever does what drift says has nothing that drifts.
#[test]
fn remedies_work_as_they_are_printed() {
    let repo = repo();
    append(&repo.root, "a", "actionable", &["--reserve", "CMB", "--subject", "mine"]).exits(0);
    let stamp = |number: u32| format!("2026-04-16T20:00:0{number}Z");
    for (number, seat, fields) in [
        // One post on a's number with a nonce of nowhere, one without any; two on a number of no log's.
        (1, "b", filing("CMB-0001", "b") + "post-reserved: 0011\n"),
        (2, "c", filing("CMB-0001", "c")),
        (3, "d", filing("CMB-0041", "d")),
        (4, "e", filing("CMB-0041", "e")),
        // Three without a log, of which two must move; and one number that waits, with a nonce that says nothing.
        (5, "f", filing("OPS-0001", "f")),
        (6, "g", filing("OPS-0001", "g")),
        (7, "h", filing("ops-1", "h")),
        (8, "i", filing("OPS-0007", "i") + "post-confirm: pending\npost-reserved: 0022\n"),
        (9, "j", filing("CMB-0050", "j") + "post-confirm: pending\npost-reserved: 0033\n"),
    ] {
        post(&repo.root, &stamp(number), seat, &fields);
    }
    let mut seen = BTreeSet::new();
    let late = "2099-01-01T00:00:00Z";
    for _ in 0..4 {
        let found = feed(&repo.root, &["drift", "--format", "json", "--now", late]).json();
        let mut done = BTreeSet::new();
        for finding in found["findings"].as_array().unwrap() {
            seen.insert(finding["code"].as_str().unwrap().to_owned());
            // One post can be at fault twice, and one remedy settle both.
            if !done.insert(finding["posts"][0].to_string()) {
                continue;
            }
            for remedy in finding["remedy"].as_str().unwrap().split("; or ").take(1) {
                assert!(!remedy.contains("NAMESPACE") && !remedy.contains("NEW"), "{remedy}");
                let words: Vec<&str> =
                    remedy.split(' ').skip(1).map(|word| if word == "…" { "x" } else { word }).collect();
                let ended = run(&mut headwater(&repo.root, &words));
                assert_eq!(ended.code, Some(0), "{remedy}: {}", ended.stderr);
            }
        }
    }
    assert_eq!(codes(&repo.root, late), [""; 0]);
    let codes = ["duplicate-item", "item-not-reserved", "reserved-by-another", "stale-view", "unconfirmed"];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), codes);
    // One of them only amends, as the other half of a remedy.
    post(&repo.root, "2026-04-16T20:01:00Z", "k", &filing("CMB-0090", "k"));
    let said = feed(&repo.root, &["drift", "--now", late]).exits(1).stdout;
    let amend = said.split("; or headwater ").nth(1).unwrap().lines().next().unwrap().replace('…', "x");
    run(&mut headwater(&repo.root, &amend.split(' ').collect::<Vec<_>>())).exits(0);
    assert_eq!(self::codes(&repo.root, late), [""; 0]);
}

/// A pull request's page has the files of this work tree only.
#[test]
fn annotations_name_files_that_are_there() {
    let repo = repo();
    let other = worktree(&repo, "other");
    post(&other, "2026-04-16T20:00:00Z", "a", &filing("OPS-1", "x"));
    let annotated = || feed(&repo.root, &["drift", "--github", "--now", LATER]).exits(1).stdout;
    let told = |place: &str| {
        let text = annotated();
        assert!(text.starts_with("::error title=item-not-reserved::") && text.contains(place), "{text}");
    };
    told(other.to_str().unwrap());
    git(&other, &["add", "-A"]);
    git(&other, &["commit", "-qm", "posts"]);
    repo.git(&["worktree", "remove", other.to_str().unwrap()]);
    told("::other:thoughts/shared/handoffs/events/");
    repo.git(&["merge", "-q", "other"]);
    let file = "thoughts/shared/handoffs/events/2026-04-16T20-00-00Z_a.md";
    assert!(annotated().starts_with(&format!("::error file={file},line=1,title=item")), "{}", annotated());
    post(&repo.root, "2026-04-16T20:05:00Z", "e", "post-kind: hello\n");
    assert!(annotated().contains("T20-05-00Z_e.md,line=5,title=bad-post"), "{}", annotated());
}
