//! `headwater feed`: posts of many seats, one queue for every reader of the same events.

pub(crate) use crate::ids::clone;
use crate::sandbox::{Ended, Sandbox, event, git, headwater, run};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

const CONFIG: &str = "ids:\n  CMB: {format: \"CMB-{n:04}\"}\n  GIT: {log: git}\n";
pub(crate) const EVENTS: &str = "thoughts/shared/handoffs/events";

pub(crate) fn feed(cwd: &Path, args: &[&str]) -> Ended {
    run(headwater(cwd, &["feed"]).args(args))
}

pub(crate) fn append(cwd: &Path, seat: &str, kind: &str, more: &[&str]) -> Ended {
    let mut command = headwater(cwd, &["feed", "append", "--format", "plain", "--agent", seat, "--kind", kind]);
    if !more.contains(&"--subject") {
        command.args(["--subject", kind]);
    }
    run(command.args(more))
}

/// A repository with namespaces of ids and a log.
pub(crate) fn repo() -> Sandbox {
    let repo = Sandbox::repo();
    std::fs::write(repo.root.join(".headwater.yaml"), CONFIG).unwrap();
    repo.put("events/README.md", "x\n");
    repo.commit("start");
    run(&mut headwater(&repo.root, &["id", "init"])).exits(0);
    repo
}

pub(crate) fn worktree(repo: &Sandbox, name: &str) -> PathBuf {
    let path = repo.beside(name);
    repo.git(&["worktree", "add", "-q", path.to_str().unwrap()]);
    path
}

/// What a reader sees: the queue without what names the reader or the clock.
pub(crate) fn queue(cwd: &Path) -> serde_json::Value {
    let ended = feed(cwd, &["queue", "--all", "--format", "json", "--now", "2026-05-01T00:00:00Z"]).exits(0);
    ended.json()["items"].clone()
}

/// The lines of the queue as `item state owner`.
pub(crate) fn lines(cwd: &Path, args: &[&str]) -> Vec<String> {
    let ended = feed(cwd, &[&["queue", "--now", "2026-05-01T00:00:00Z"], args].concat()).exits(0);
    let words = |line: &str| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    ended.stdout.lines().map(words).collect()
}

pub(crate) fn codes(cwd: &Path, now: &str) -> Vec<String> {
    let ended = feed(cwd, &["drift", "--format", "json", "--now", now]);
    let json = ended.json();
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(ended.code, Some(i32::from(!findings.is_empty())), "{json}");
    let text = |finding: &serde_json::Value| {
        assert!(!finding["remedy"].as_str().unwrap().is_empty() && !finding["places"][0].as_str().unwrap().is_empty());
        format!("{} {}", finding["code"].as_str().unwrap(), finding["item"].as_str().unwrap_or("-"))
    };
    findings.iter().map(text).collect()
}

/// A post as another program, or another machine, left it.
pub(crate) fn post(cwd: &Path, ts: &str, seat: &str, fields: &str) {
    let text = format!("---\nts: {ts}\nagent: {seat}\ntype: post\n{fields}---\n\n## A post\n\n> text\n");
    let name = format!("{}_{seat}.md", ts.replace(':', "-"));
    let folder = cwd.join(EVENTS);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), text).unwrap();
}

pub(crate) fn filing(item: &str, subject: &str) -> String {
    format!("post-kind: actionable\npost-item: {item}\npost-subject: {subject}\nparents: []\n")
}

pub(crate) const LATER: &str = "2026-04-16T23:00:00Z";

#[test]
fn an_item_from_its_number_to_its_end() {
    let repo = repo();
    let other = worktree(&repo, "other");
    let body = "see {{ITEM_ID}}\nnow: not a section\n## Goal\n- no item";
    let new =
        append(&repo.root, "a", "actionable", &["--reserve", "CMB", "--subject", "{{ITEM_ID}}: cards", "--body", body]);
    assert_eq!(new.exits(0).stdout, "CMB-0001\n");
    assert_eq!(lines(&other, &[]), ["CMB-0001 AWAITING_CLAIM -"], "a sibling sees it at once");
    append(&other, "b", "done", &["--item", "CMB-0001"]).exits(1).says("nobody has claimed it");
    append(&other, "b", "claim", &["--item", "cmb-1"]).exits(0);
    append(&repo.root, "a", "claim", &["--item", "CMB-0001"]).exits(1).says("b claimed it first");
    append(&repo.root, "a", "done", &["--item", "CMB-0001"]).exits(1).says("b claimed it first");
    append(&repo.root, "a", "release", &["--item", "CMB-0001"]).exits(1);
    append(&repo.root, "a", "actionable", &["--item", "CMB-0001"]).exits(1).says("the item exists");
    append(&other, "b", "release", &["--item", "CMB-0001"]).exits(0);
    append(&repo.root, "c", "actionable", &["--item", "CMB-0001", "--subject", "again"]).exits(0);
    append(&repo.root, "c", "claim", &["--item", "CMB-0001"]).exits(0);
    append(&repo.root, "c", "done", &["--item", "CMB-0001"]).exits(0);
    assert_eq!(lines(&other, &[]), [""; 0]);
    assert_eq!(lines(&other, &["--state", "done", "--owner", "c", "--prefix", "cmb"]), ["CMB-0001 DONE c"]);
    append(&other, "b", "claim", &["--item", "CMB-0001"]).exits(1).says("c finished it");
    append(&other, "b", "repair", &["--item", "CMB-0001"]).exits(0);
    assert_eq!(lines(&repo.root, &[]), ["CMB-0001 AWAITING_CLAIM -"]);
    let shown = feed(&repo.root, &["show", "cmb-0001"]).exits(0).stdout;
    for mark in ["AWAITING_CLAIM", "CLAIMED", "RELEASED", "DONE", "STATE-REPAIR", "see CMB-0001", "again"] {
        assert!(shown.contains(mark), "{mark}: {shown}");
    }
    feed(&repo.root, &["show", "CMB-0002"]).exits(2).says("nobody filed `CMB-0002`");
    assert_eq!(codes(&repo.root, "2026-04-01T00:00:00Z"), [""; 0]);
    // The view counts the events, and shows nothing of them.
    let view = repo.synth();
    assert!(view.contains("## Ledger\n\n---\n_synthesized:\n  event_count: 4\n"), "{view}");
}

#[test]
fn what_cannot_be_said() {
    let repo = repo();
    for (kind, more, why) in [
        ("actionable", &[][..], "needs a number"),
        ("actionable", &["--reserve", "XXX"], "unknown namespace `XXX`"),
        ("actionable", &["--item", "CMB 1"], "is no id"),
        ("claim", &[], "which item"),
        ("claim", &["--item", "A-1", "--reserve", "CMB"], "--reserve is for"),
        ("amend", &["--item", "A-1"], "needs a new id"),
        ("note", &["--subject", " "], "--subject"),
        ("claim", &["--item", "A-1", "--of", "abc"], "12 or more digits"),
    ] {
        append(&repo.root, "a", kind, more).exits(2).says(why);
    }
    append(&repo.root, "a", "actionable", &["--item", "CMB-0007"]).exits(1).says("--reserve CMB");
    append(&repo.root, "a", "actionable", &["--item", "cmb-7"]).exits(1).says("`CMB-{n:04}`");
    append(&repo.root, "a", "claim", &["--item", "A-1"]).exits(1).says("nobody filed this item");
    assert_eq!(feed(&repo.root, &["queue"]).exits(0).stdout, "");
    // What nobody reserved with headwater is spent all the same.
    post(&repo.root, "2026-04-16T20:00:00Z", "x", &filing("CMB-0041", "by hand"));
    assert_eq!(append(&repo.root, "a", "actionable", &["--reserve", "CMB"]).exits(0).stdout, "CMB-0042\n");
    run(&mut headwater(&repo.root, &["id", "reserve", "CMB"])).exits(0);
    append(&repo.root, "repo", "actionable", &["--item", "CMB-0043"]).exits(0);
    assert_eq!(codes(&repo.root, LATER), ["item-not-reserved CMB-0041"]);
    let outside = Sandbox::plain();
    outside.run(&["feed", "append", "--kind", "note", "--subject", "hello"]).exits(0);
    outside.run(&["feed", "tail", "--no-follow"]).exits(0);
}

#[test]
fn a_retry_that_posts_twice() {
    let repo = repo();
    let other = worktree(&repo, "other");
    let keyed = ["--reserve", "CMB", "--event", "review-7", "--subject", "x"];
    for tree in [&repo.root, &other, &repo.root] {
        assert_eq!(append(tree, "a", "actionable", &keyed).exits(0).stdout, "CMB-0001\n");
    }
    append(&repo.root, "a", "claim", &["--item", "CMB-0001"]).exits(0);
    append(&other, "a", "claim", &["--item", "CMB-0001"]).exits(0).says("posted before");
    let posts = |sandbox: &Path| feed(sandbox, &["queue", "--format", "json"]).exits(0).json()["posts"].clone();
    assert_eq!(posts(&repo.root), 2);
    // A retry that nobody could see: the same words of the same seat twice, in two clones.
    for (ts, tree) in [("2026-04-16T20:00:00Z", &repo.root), ("2026-04-16T20:00:01Z", &other)] {
        post(tree, ts, "codex", &filing("OPS-0001", "once"));
    }
    assert_eq!(posts(&repo.root), 4);
    assert_eq!(lines(&repo.root, &["--prefix", "OPS"]), ["OPS-0001 AWAITING_CLAIM -"]);
    assert!(!codes(&repo.root, LATER).contains(&"duplicate-item OPS-0001".to_owned()));
}

#[test]
fn collision_cmb_0036_of_two_cron_seats() {
    let repo = repo();
    let other = worktree(&repo, "other");
    post(&repo.root, "2026-04-15T03:51:00Z", "CAMBER-01", &filing("CMB-0036", "\"CMB-0036: one\""));
    post(&other, "2026-04-15T03:57:00Z", "ORA-01", &filing("CMB-0036", "\"CMB-0036: two\""));
    let found = codes(&repo.root, "2026-04-15T04:00:00Z");
    assert_eq!(found, ["duplicate-item CMB-0036", "item-not-reserved CMB-0036"]);
    assert_eq!(codes(&other, "2026-04-15T04:00:00Z"), found);
    // Who read second amends, and the log gives a number above both.
    let amended = append(&other, "ORA-01", "amend", &["--item", "CMB-0036", "--reserve", "CMB"]);
    assert_eq!(amended.exits(0).stdout, "CMB-0037\n");
    append(&repo.root, "CAMBER-01", "confirm", &["--item", "CMB-0036"]).exits(0);
    assert_eq!(codes(&repo.root, LATER), [""; 0]);
    assert_eq!(lines(&repo.root, &[]), ["CMB-0036 AWAITING_CLAIM -", "CMB-0037 AWAITING_CLAIM -"]);
    let shown = feed(&repo.root, &["show", "CMB-0036"]).exits(0).stdout;
    assert!(shown.contains("CMB-0037  AWAITING_CLAIM  CMB-0037: two\n"), "{shown}");
    assert!(shown.contains("once CMB-0036") && shown.contains("CMB-0036 is now CMB-0037"), "{shown}");
}

#[test]
fn collision_cmb_0105_where_the_first_seat_gave_way() {
    let repo = repo();
    let other = worktree(&repo, "other");
    let (first, second) = ("CLAUDE-CLI-CAMBER-12", "CLAUDE-CLI-CAMBER-02");
    post(&repo.root, "2026-04-16T20:04:22Z", first, &filing("CMB-0105", "Redline card grouping"));
    post(&other, "2026-04-16T20:24:06Z", second, &filing("CMB-0105", "Redline audio playback"));
    // Neither filing hides the other from the queue.
    assert_eq!(lines(&repo.root, &[]).len(), 2);
    assert_eq!(lines(&repo.root, &["--state", "collision"]), ["CMB-0105 AWAITING_CLAIM -"]);
    append(&repo.root, first, "amend", &["--item", "CMB-0105", "--reserve", "CMB"]).exits(0);
    append(&other, second, "confirm", &["--item", "CMB-0105"]).exits(0);
    assert_eq!(codes(&repo.root, LATER), [""; 0]);
    let items = queue(&other);
    let owners: BTreeMap<_, _> =
        items.as_array().unwrap().iter().map(|item| (item["item"].as_str().unwrap(), &item["filed_by"])).collect();
    assert_eq!(owners, BTreeMap::from([("CMB-0105", &second.into()), ("CMB-0106", &first.into())]));
}

#[test]
fn collision_cmb_0122_with_a_seat_on_another_surface() {
    let repo = repo();
    let codex = clone(&repo, "codex");
    post(&repo.root, "2026-04-16T22:17:16Z", "CLAUDE-CLI-CAMBER-12", &filing("CMB-0122", "Receipts ingest"));
    repo.commit("posts");
    repo.git(&["push", "-q", "origin", "HEAD:main"]);
    // The other seat knows nothing of it, takes the number for its own work and finishes that.
    post(&codex, "2026-04-16T22:30:00Z", "codex", &filing("CMB-0122", "Matcher determinism"));
    post(&codex, "2026-04-16T22:31:00Z", "codex", "post-kind: claim\npost-item: CMB-0122\npost-subject: x\n");
    post(&codex, "2026-04-16T22:40:00Z", "codex", "post-kind: done\npost-item: CMB-0122\npost-subject: x\n");
    git(&codex, &["checkout", "-q", "-b", "codex/cmb-0122-matcher-determinism"]);
    git(&codex, &["add", "-A"]);
    git(&codex, &["commit", "-qm", "posts"]);
    git(&codex, &["push", "-q", "origin", "HEAD"]);
    let blind = codes(&repo.root, LATER);
    assert_eq!(blind, ["item-not-reserved CMB-0122"]);
    feed(&repo.root, &["drift", "--fetch"]).exits(1);
    // Seen on its branch, without any merge.
    let found = codes(&repo.root, LATER);
    assert!(found.contains(&"duplicate-item CMB-0122".to_owned()), "{found:?}");
    let amend = ["--item", "CMB-0122", "--reserve", "CMB"];
    assert_eq!(append(&repo.root, "CLAUDE-CLI-CAMBER-12", "amend", &amend).exits(0).stdout, "CMB-0123\n");
    let follow = append(&repo.root, "CLAUDE-CLI-CAMBER-12", "actionable", &["--reserve", "CMB"]);
    assert_eq!(follow.exits(0).stdout, "CMB-0124\n");
    append(&repo.root, "CLAUDE-CLI-CAMBER-12", "confirm", &["--item", "CMB-0122"]).exits(0);
    assert_eq!(codes(&repo.root, LATER), [""; 0]);
}

/// Protocol B: a number from no log is provisional until all posts were looked at again.
#[test]
fn provisional_numbers_are_confirmed_or_amended() {
    let repo = repo();
    let other = clone(&repo, "other");
    for (tree, seat) in [(&repo.root, "a"), (&other, "b")] {
        append(tree, seat, "actionable", &["--item", "OPS-0001", "--subject", seat]).exits(0).says("provisional");
    }
    assert_eq!(lines(&repo.root, &["--state", "pending"]), ["OPS-0001 AWAITING_CLAIM -"]);
    assert_eq!(codes(&repo.root, "2026-04-16T20:00:00Z"), [""; 0]);
    assert_eq!(codes(&repo.root, "2027-04-16T20:00:00Z"), ["unconfirmed OPS-0001"]);
    repo.commit("a");
    repo.git(&["push", "-q", "origin", "HEAD:main"]);
    append(&repo.root, "a", "confirm", &["--item", "OPS-0001"]).exits(0);
    // `confirm` fetches, sees the earlier post and refuses.
    append(&other, "b", "confirm", &["--item", "OPS-0001"]).exits(1).says("another item's");
    append(&other, "b", "amend", &["--item", "OPS-0001", "--to", "OPS-0002"]).exits(0);
    append(&other, "b", "confirm", &["--item", "OPS-0002"]).exits(0);
    assert_eq!(lines(&other, &["--prefix", "OPS"]), ["OPS-0001 AWAITING_CLAIM -", "OPS-0002 AWAITING_CLAIM -"]);

    // The same with a log that cannot be reached for a while.
    run(&mut headwater(&repo.root, &["id", "init"])).exits(0);
    let remote = repo.beside("remote.git");
    let away = repo.beside("away.git");
    std::fs::rename(&remote, &away).unwrap();
    let new = append(&repo.root, "a", "actionable", &["--reserve", "GIT", "--subject", "offline"]).exits(0);
    assert_eq!(new.stdout, "GIT-1\n");
    assert!(new.stderr.contains("CONFIRM-PENDING"), "{}", new.stderr);
    std::fs::rename(&away, &remote).unwrap();
    // A fresh clone takes the shared log up by itself.
    assert!(!other.join(".git/headwater/ids.sqlite3").exists());
    assert_eq!(append(&other, "b", "actionable", &["--reserve", "GIT"]).exits(0).stdout, "GIT-1\n");
    let confirm =
        append(&repo.root, "a", "confirm", &["--item", "GIT-1"]).exits(0).says("AMENDMENT: GIT-1 is GIT-2 now");
    assert_eq!(confirm.stdout, "GIT-2\n");
    assert_eq!(lines(&repo.root, &["--prefix", "GIT"]), ["GIT-2 AWAITING_CLAIM -"]);
}

#[test]
fn what_drifts() {
    let repo = repo();
    post(&repo.root, "2026-04-16T20:00:00Z", "a", &filing("OPS-1", "x"));
    post(&repo.root, "2026-04-16T20:01:00Z", "b", "post-kind: claim\npost-item: OPS-1\npost-subject: x\n");
    post(&repo.root, "2026-04-16T20:02:00Z", "c", "post-kind: claim\npost-item: OPS-1\npost-subject: x\n");
    post(&repo.root, "2026-04-16T20:03:00Z", "c", "post-kind: done\npost-item: OPS-9\npost-subject: x\n");
    post(&repo.root, "2026-04-16T20:04:00Z", "d", &filing("OPS-2", "y"));
    post(&repo.root, "2026-04-16T20:05:00Z", "e", "post-kind: hello\n");
    repo.put("events/other.md", event("2026-04-16T20:06:00Z", "e", "now: no post"));
    let expected = [
        "item-not-reserved OPS-1",
        "claim-lost OPS-1",
        "item-not-reserved OPS-2",
        "stale-view OPS-2",
        "unknown-item OPS-9",
        "bad-post -",
    ];
    assert_eq!(codes(&repo.root, "2026-04-17T20:01:00Z"), expected);
    assert!(codes(&repo.root, "2026-04-17T20:01:01Z").contains(&"claim-cold OPS-1".to_owned()));
    let text = feed(&repo.root, &["queue-drift-check", "--now", LATER]).exits(1).says("6 findings");
    assert!(text.stdout.contains("_e.md:5:"), "{}", text.stdout);
    let two = format!("ledger: [{}, docs/other]\n", EVENTS.trim_end_matches("/events"));
    std::fs::write(repo.root.join(".headwater.yaml"), two).unwrap();
    std::fs::create_dir_all(repo.root.join("docs/other/events")).unwrap();
    feed(&repo.root, &["drift", "--now", LATER]).exits(1).says("6 findings").says("the feed is clean");
    std::fs::write(repo.root.join(".headwater.yaml"), "feed: {cold: 48h}\n").unwrap();
    assert!(!codes(&repo.root, "2026-04-17T20:01:01Z").contains(&"claim-cold OPS-1".to_owned()));
    feed(&repo.root, &["queue", "--now", "yesterday"]).exits(2).says("no instant");
}

/// A post can say anything of its reservation: the log is asked.
#[test]
fn a_forged_reservation_is_found() {
    let repo = repo();
    append(&repo.root, "a", "actionable", &["--reserve", "CMB"]).exits(0);
    run(&mut headwater(&repo.root, &["id", "reserve", "CMB"])).exits(0);
    assert_eq!(codes(&repo.root, LATER), [""; 0]);
    let forged = |item: &str| filing(item, item) + "post-reserved: 00112233445566778899aabbccddeeff\n";
    for item in ["CMB-0002", "CMB-0041", "OPS-1"] {
        post(&repo.root, "2026-04-16T20:00:00Z", item, &forged(item));
    }
    // A forger who is earlier than the owner, and before the owner in the queue.
    post(&repo.root, "2026-04-16T20:00:00Z", "x", &forged("CMB-0001"));
    let expected = [
        "reserved-by-another CMB-0001",
        "reserved-by-another CMB-0002",
        "item-not-reserved CMB-0041",
        "stale-view CMB-0041",
        "item-not-reserved OPS-1",
    ];
    assert_eq!(codes(&repo.root, "2026-04-16T20:00:01Z"), expected);
    let said = feed(&repo.root, &["drift"]).exits(1).stdout;
    assert!(said.contains("the log gave it to a, and x took it"), "{said}");
    for item in ["CMB-0002", "CMB-0041"] {
        post(
            &repo.root,
            "2026-04-16T20:00:02Z",
            item,
            &format!("post-kind: confirm\npost-item: {item}\npost-subject: x\n"),
        );
    }
    let left = codes(&repo.root, "2026-04-16T20:00:03Z");
    assert!(left.contains(&expected[1].to_owned()) && !left.contains(&expected[2].to_owned()), "{left:?}");
}

/// Another clone has not seen the shared log yet: it is asked, and where it cannot be, that is said.
#[test]
fn drift_asks_the_shared_log_or_says_that_it_could_not() {
    let repo = repo();
    let other = clone(&repo, "other");
    run(&mut headwater(&repo.root, &["id", "init"])).exits(0);
    append(&repo.root, "a", "actionable", &["--reserve", "GIT"]).exits(0);
    for (name, text) in crate::sandbox::files_below(&repo.root.join(EVENTS)) {
        std::fs::create_dir_all(other.join(EVENTS)).unwrap();
        std::fs::write(other.join(EVENTS).join(name), text).unwrap();
    }
    let (remote, away) = (repo.beside("remote.git"), repo.beside("away.git"));
    std::fs::rename(&remote, &away).unwrap();
    let blind =
        feed(&other, &["drift", "--format", "json"]).exits(0).says("GIT-1 came from the log of GIT is not known");
    assert_eq!(blind.json()["unchecked"][0]["items"][0], "GIT-1");
    feed(&other, &["drift"]).exits(0).says("nothing else is wrong");
    std::fs::rename(&away, &remote).unwrap();
    let seen = feed(&other, &["drift"]).exits(0).says("the feed is clean");
    assert!(!seen.stderr.contains("warning"), "{}", seen.stderr);
    // What was seen once never changes, and needs nobody's answer.
    std::fs::rename(&remote, &away).unwrap();
    feed(&other, &["drift"]).exits(0).says("the feed is clean");
}

/// A small generator, so that a failing seed can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Seats in three work trees of one clone and in another clone post at random, with clocks that are wrong;
/// then everybody has everybody's events, in different files and places, and one queue.
#[test]
fn random_interleavings_end_with_one_answer() {
    let more = std::env::var("HEADWATER_INTERLEAVINGS").ok().and_then(|count| count.parse().ok());
    for seed in 1..=more.unwrap_or(3u64) {
        let mut random = Random(seed);
        let repo = repo();
        let trees = [repo.root.clone(), worktree(&repo, "w1"), worktree(&repo, "w2"), clone(&repo, "far")];
        let kinds = ["claim", "done", "release", "repair", "note", "confirm", "amend"];
        for step in 0..28 {
            let tree = &trees[random.below(4)];
            let seat = format!("seat{}", random.below(3));
            let item = format!("OPS-{}", 1 + random.below(3));
            let kind = kinds[random.below(7)];
            match random.below(4) {
                // Another machine's post, dated anywhere, often at the same instant.
                0 => {
                    let ts = format!("20{}-04-16T20:00:0{}Z", [26, 26, 29][random.below(3)], random.below(2));
                    let to = if kind == "amend" { "post-to: OPS-2\n" } else { "" };
                    post(tree, &ts, &seat, &format!("post-kind: {kind}\npost-item: {item}\npost-subject: x\n{to}"));
                }
                1 => drop(append(tree, &seat, "actionable", &["--item", &item, "--subject", &step.to_string()])),
                _ => {
                    let more = if kind == "amend" { &["--to", "OPS-2"][..] } else { &[] };
                    drop(append(tree, &seat, kind, &[&["--item", &item, "--no-fetch"], more].concat()));
                }
            }
        }
        // The clone of work trees has one answer already.
        let near: Vec<_> = trees[..3].iter().map(|tree| queue(tree)).collect();
        assert!(near.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}");
        // Everything is copied to everybody, under other names, some of it archived.
        let mut all = BTreeSet::new();
        for tree in &trees {
            all.extend(crate::sandbox::files_below(&tree.join(EVENTS)).into_values());
        }
        for (place, tree) in trees.iter().enumerate() {
            for (number, text) in all.iter().enumerate().filter(|(_, text)| text.starts_with(b"---")) {
                let folder = if (number + place) % 3 == 0 { "../archive/2026-04-16" } else { "." };
                let folder = tree.join(EVENTS).join(folder);
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(folder.join(format!("{place}-{number}.md")), text).unwrap();
            }
        }
        let answers: Vec<_> = trees.iter().map(|tree| (queue(tree), codes(tree, LATER))).collect();
        assert!(!answers[0].0.as_array().unwrap().is_empty());
        for answer in &answers {
            assert_eq!(answer, &answers[0], "seed {seed}");
        }
    }
}

/// Many seats of one clone claim one item at the same time: one has it, and the others are told.
#[test]
fn claims_at_once() {
    let repo = repo();
    let trees = [repo.root.clone(), worktree(&repo, "w1"), worktree(&repo, "w2")];
    append(&repo.root, "a", "actionable", &["--reserve", "CMB"]).exits(0);
    let claim = |number: usize| {
        let args = ["feed", "append", "--kind", "claim", "--item", "CMB-0001", "--subject", "x", "--wait", "120"];
        let mut command = headwater(&trees[number % 3], &args);
        command.args(["--agent", &format!("seat{number}")]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let children: Vec<Child> = (0..12).map(claim).collect();
    let ends: Vec<Option<i32>> = children.into_iter().map(|mut child| child.wait().unwrap().code()).collect();
    assert_eq!(ends.iter().filter(|code| **code == Some(0)).count(), 1, "{ends:?}");
    assert!(ends.iter().all(|code| matches!(code, Some(0 | 1))), "{ends:?}");
    let winner = ends.iter().position(|code| *code == Some(0)).unwrap();
    assert_eq!(lines(&repo.root, &[]), [format!("CMB-0001 CLAIMED seat{winner}")]);
    assert_eq!(codes(&repo.root, LATER), [""; 0]);
}

#[test]
fn a_tail_follows_and_ends_with_its_reader() {
    let repo = repo();
    let other = worktree(&repo, "other");
    append(&repo.root, "a", "note", &["--subject", "first"]).exits(0);
    let mut child = headwater(&repo.root, &["feed", "tail"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("first"));
    // A post of a sibling arrives without a poll.
    append(&other, "b", "note", &["--subject", "second"]).exits(0);
    assert!(lines.next().unwrap().unwrap().contains("second"));
    drop(lines);
    assert_eq!(child.wait().unwrap().code(), Some(0), "nobody reads any more");
    let json = feed(&other, &["tail", "--no-follow", "-n", "1", "--format", "json"]).exits(0);
    assert_eq!(json.json()["subject"], "second");
}
