//! The rules of the feed where somebody breaks them: by the command, and by posts that another program wrote.

use crate::feed::{EVENTS, LATER, append, clone, codes, feed, filing, lines, post, repo, worktree};
use crate::sandbox::headwater;

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
    assert!(codes(&repo.root, LATER).contains(&"reserved-by-another CMB-0001".to_owned()));
    assert_eq!(lines(&repo.root, &[]).len(), 2);
}

/// What the remedies of a reader's findings say, run as they are; then nothing is left.
fn obey(cwd: &std::path::Path, code: &str) {
    let found = feed(cwd, &["drift", "--format", "json"]).exits(1).json();
    let remedies = found["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code);
    let mut count = 0;
    for finding in remedies {
        let remedy = finding["remedy"].as_str().unwrap();
        let command =
            remedy.split('`').find(|part| part.contains("--kind repair --of ")).unwrap_or_else(|| panic!("{remedy}"));
        let words: Vec<&str> =
            command.split_whitespace().skip(1).map(|word| if word == "…" { "void" } else { word }).collect();
        crate::sandbox::run(&mut headwater(cwd, &words)).exits(0);
        count += 1;
    }
    assert!(count > 0, "no {code}: {found}");
}

/// Posts that nobody can place are named, and a post that says they are void settles them.
#[test]
fn stray_posts_are_found_and_settled() {
    let repo = repo();
    let other = worktree(&repo, "other");
    post(&repo.root, "2026-04-16T20:00:00Z", "x", "post-kind: claim\npost-item: CMB-77\npost-subject: x\n");
    post(&repo.root, "2026-04-16T20:01:00Z", "x", "post-kind: note\npost-item: CMB-78\npost-subject: x\n");
    post(&repo.root, "2026-04-16T20:02:00Z", "x", "post-kind: hello\n");
    assert_eq!(codes(&repo.root, LATER), ["unknown-item CMB-77", "unknown-item CMB-78", "bad-post -"]);
    obey(&repo.root, "unknown-item");
    obey(&other, "bad-post");
    for tree in [&repo.root, &other] {
        feed(tree, &["drift"]).exits(0).says("the feed is clean");
    }
    // Only what did nothing can be void.
    append(&repo.root, "a", "actionable", &["--reserve", "CMB"]).exits(0);
    let shown = feed(&repo.root, &["show", "CMB-0001", "--format", "json"]).exits(0).json();
    let id = shown["items"][0]["posts"][0]["post"].as_str().unwrap();
    append(&other, "b", "repair", &["--of", id]).exits(1).says("took effect");
    append(&other, "b", "repair", &[]).exits(2).says("--of");
    append(&other, "b", "claim", &["--of", id]).exits(2).says("which item");
}

/// Every post that `append` writes names the actionable post that it is about: where that cannot be seen, it is said.
#[test]
fn a_claim_of_an_item_that_cannot_be_seen() {
    let repo = repo();
    let other = clone(&repo, "other");
    append(&repo.root, "a", "actionable", &["--reserve", "CMB"]).exits(0);
    repo.commit("filed");
    repo.git(&["push", "-q", "origin", "HEAD:filed"]);
    append(&repo.root, "b", "claim", &["--item", "CMB-0001"]).exits(0);
    for (name, text) in crate::sandbox::files_below(&repo.root.join(EVENTS)) {
        if name.ends_with("_b.md") {
            std::fs::create_dir_all(other.join(EVENTS)).unwrap();
            std::fs::write(other.join(EVENTS).join(name), text).unwrap();
        }
    }
    assert_eq!(codes(&other, LATER), ["unknown-item CMB-0001"]);
    let said = feed(&other, &["drift"]).exits(1).stdout;
    let fetch = said.find("headwater feed drift --fetch").unwrap();
    assert!(said.contains("cannot be seen here") && fetch < said.find("--kind repair --of").unwrap(), "{said}");
    // It is there to be fetched, and no false alarm is left.
    let found = feed(&other, &["drift", "--fetch", "--format", "json"]).json();
    assert!(!found["findings"].to_string().contains("unknown-item"), "{found}");
}

/// A post from far ahead pulls no other post there, but for what has to come after it, and that is said.
#[test]
fn far_ahead_is_not_followed() {
    let repo = repo();
    append(&repo.root, "a", "actionable", &["--reserve", "CMB"]).exits(0);
    let note = "post-kind: note\npost-item: CMB-0001\npost-subject: x\n";
    post(&repo.root, "2099-04-16T20:00:00Z", "x", note);
    let ts = |kind: &str, more: &[&str]| {
        let args =
            [&["feed", "append", "--agent", "a", "--subject", "x", "--format", "json", "--kind", kind], more].concat();
        let ended = crate::sandbox::run(&mut headwater(&repo.root, &args)).exits(0);
        (ended.json()["ts"].as_str().unwrap().starts_with("2099"), ended.stderr.contains("more than 24 h ahead"))
    };
    assert_eq!(ts("note", &["--item", "CMB-0001"]), (false, false));
    post(&repo.root, "2099-04-16T20:00:01Z", "x", "post-kind: claim\npost-item: CMB-0001\npost-subject: x\n");
    assert_eq!(lines(&repo.root, &[]), ["CMB-0001 CLAIMED x"]);
    // Nothing keeps it warm for ever.
    let found = codes(&repo.root, "2027-04-16T20:00:00Z");
    assert_eq!(found, ["claim-cold CMB-0001", "future-post CMB-0001", "future-post CMB-0001"]);
    assert_eq!(ts("repair", &["--item", "CMB-0001"]), (true, true));
    assert_eq!(lines(&repo.root, &[]), ["CMB-0001 AWAITING_CLAIM -"]);
    // Void they are passed over, and what comes after them is dated as ever.
    obey(&repo.root, "future-post");
    feed(&repo.root, &["drift"]).exits(0).says("the feed is clean");
    let shown = feed(&repo.root, &["show", "CMB-0001"]).exits(0).stdout;
    assert!(shown.contains("(void)"), "{shown}");
    assert_eq!(ts("claim", &["--item", "CMB-0001"]), (false, false));
    assert_eq!(lines(&repo.root, &[]), ["CMB-0001 CLAIMED a"]);
}

/// The same key, or the same deed, with something else is refused; only equal posts are repetitions.
#[test]
fn other_words_are_no_repetition() {
    let repo = repo();
    let keyed = |seat: &str, subject: &str| {
        append(&repo.root, seat, "actionable", &["--reserve", "CMB", "--event", "k1", "--subject", subject])
    };
    assert_eq!(keyed("a", "{{ITEM_ID}}: x").exits(0).stdout, "CMB-0001\n");
    assert_eq!(keyed("a", "{{ITEM_ID}}: x").exits(0).says("posted before").stdout, "CMB-0001\n");
    keyed("a", "other words").exits(1).says("--event");
    keyed("b", "{{ITEM_ID}}: x").exits(1).says("--event");
    let said = |kind: &str, subject: &str| append(&repo.root, "a", kind, &["--item", "CMB-0001", "--subject", subject]);
    said("claim", "mine").exits(0);
    said("claim", "mine").exits(0).says("posted before");
    said("claim", "still mine").exits(1).says("in other words");
    said("done", "fin").exits(0);
    append(&repo.root, "c", "note", &["--item", "CMB-0001", "--event", "n", "--subject", "late"]).exits(0);
    append(&repo.root, "c", "note", &["--item", "CMB-0001", "--event", "n", "--subject", "late"])
        .exits(0)
        .says("before");
    append(&repo.root, "c", "note", &["--item", "CMB-0001", "--event", "n", "--subject", "later"]).exits(1);
    said("done", "other words").exits(1).says("in other words");
    let args = [
        "feed",
        "append",
        "--agent",
        "a",
        "--kind",
        "done",
        "--item",
        "CMB-0001",
        "--subject",
        "fin",
        "--format",
        "json",
    ];
    let again = crate::sandbox::run(&mut headwater(&repo.root, &args)).exits(0).json();
    assert_eq!((&again["kind"], &again["repeated"]), (&"done".into(), &true.into()), "{again}");
    keyed("a", "{{ITEM_ID}}: x").exits(0).says("DONE");
    keyed("a", "other words").exits(1).says("--event");
    // What another clone wrote under the same key is work of its own, and drifts.
    post(&repo.root, "2099-04-16T20:00:00Z", "d", &(filing("CMB-0001", "of d") + "post-key: k1\n"));
    assert!(codes(&repo.root, LATER).contains(&"duplicate-item CMB-0001".to_owned()));
}

/// What is refused reserves nothing.
#[test]
fn a_refused_post_spends_no_number() {
    let repo = repo();
    let amend =
        |more: &[&str]| append(&repo.root, "a", "amend", &[&["--item", "CMB-0001", "--reserve", "CMB"], more].concat());
    let ids = || crate::sandbox::run(&mut headwater(&repo.root, &["id", "list", "--format", "json"])).exits(0).stdout;
    append(&repo.root, "a", "actionable", &["--reserve", "CMB"]).exits(0);
    assert_eq!(amend(&["--event", "m"]).exits(0).stdout, "CMB-0002\n");
    assert_eq!(amend(&["--event", "m"]).exits(0).says("posted before").stdout, "CMB-0002\n");
    let before = ids();
    amend(&[]).exits(1).says("amended to CMB-0002");
    amend(&["--event", "m", "--subject", "other"]).exits(1);
    append(&repo.root, "a", "amend", &["--item", "CMB-0009", "--reserve", "CMB"]).exits(1).says("nobody filed");
    let long = "x".repeat(2_000_000);
    let body = repo.root.join("body");
    std::fs::write(&body, long).unwrap();
    let mut command = headwater(
        &repo.root,
        &["feed", "append", "--kind", "actionable", "--reserve", "CMB", "--subject", "x", "--body", "-"],
    );
    command.stdin(std::fs::File::open(&body).unwrap());
    crate::sandbox::run(&mut command).exits(2);
    assert_eq!(ids(), before);
}
