//! What each occasion does to the view and to git, by default and as the configuration has it.

use crate::agent::{Agent, LEDGER, events};
use crate::sandbox::{Ended, Sandbox};

/// A repository with this configuration, one event and its view, all committed, and without a merge driver.
fn repo(config: &str) -> Sandbox {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), config).unwrap();
    let view = if config.contains("untracked") { format!("{LEDGER}/current.md\n") } else { String::new() };
    std::fs::write(sandbox.root.join(".gitignore"), format!(".synth.lock\n{view}")).unwrap();
    sandbox.put("events/README.md", "# Events\n");
    sandbox.put("events/start.md", crate::sandbox::event("2026-01-10T13:00:00Z", "start", "now: begun"));
    sandbox.synth();
    sandbox.commit("start");
    sandbox
}

fn record(sandbox: &Sandbox, args: &[&str]) -> Ended {
    sandbox.run(&[&["record"], args].concat()).exits(0)
}

/// How many commits there are since the first, and what is not committed: `e` an event, `v` the view.
fn state(sandbox: &Sandbox) -> (usize, String) {
    let commits = sandbox.git(&["rev-list", "--count", "HEAD"]).parse::<usize>().unwrap() - 1;
    let status = sandbox.git(&["status", "--porcelain", "--untracked-files=all"]);
    let left = status.lines().map(|line| match line.split_at(3) {
        ("?? ", name) if name.contains("/events/") => "e",
        (" M ", name) if name.ends_with("/current.md") => "v",
        _ => "?",
    });
    (commits, left.collect())
}

fn is(sandbox: &Sandbox, commits: usize, left: &str) {
    assert_eq!(state(sandbox), (commits, left.to_owned()), "{}", sandbox.git(&["status", "--porcelain"]));
}

#[test]
fn a_record_leaves_the_view_and_a_handoff_commits_both() {
    let sandbox = repo("");
    std::fs::write(sandbox.root.join("staged"), "").unwrap();
    record(&sandbox, &["--now", "first"]);
    is(&sandbox, 0, "?e");
    sandbox.git(&["add", "staged"]);
    record(&sandbox, &["--type", "handoff", "--now", "second"]).says("committed 3 files");
    is(&sandbox, 1, "?");
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "A  staged");
    sandbox.run(&["synth", "--check", "--rev", "HEAD"]).exits(0).says("fresh: 3 events");
    // Where the view is changed already, a record keeps it up to date.
    std::fs::write(sandbox.dir.join("current.md"), sandbox.view() + "\n").unwrap();
    record(&sandbox, &["--now", "third"]);
    is(&sandbox, 1, "?ve");
    sandbox.run(&["synth", "--check"]).exits(0);
}

#[test]
fn checkpoints_are_committed_every_half_hour() {
    let sandbox = repo("");
    record(&sandbox, &["--checkpoint", "1=begun"]).says("committed 2 files");
    is(&sandbox, 1, "");
    let view = sandbox.view();
    record(&sandbox, &["--checkpoint", "2=begun"]).says("not committed: the last commit is only");
    is(&sandbox, 1, "e");
    assert_eq!(sandbox.view(), view);
    record(&sandbox, &["--type", "checkpoint", "--now", "at three"]).says("not committed");
    is(&sandbox, 1, "ee");
    // Half an hour later.
    let then = format!("{} +0000", sandbox.git(&["log", "-1", "--format=%ct"]).parse::<u64>().unwrap() - 1_801);
    let mut amend = crate::sandbox::program("git", &sandbox.root);
    amend.env("GIT_COMMITTER_DATE", then).args(["commit", "-q", "--amend", "--no-edit"]);
    crate::sandbox::run(&mut amend).exits(0);
    record(&sandbox, &["--checkpoint", "4=begun"]).says("committed 4 files");
    is(&sandbox, 2, "");
    sandbox.run(&["synth", "--check", "--rev", "HEAD"]).exits(0);
}

#[test]
fn a_compaction_is_a_checkpoint() {
    let sandbox = repo("");
    let agent = Agent::new("s", &sandbox.root);
    agent.start();
    for (file, left) in [("a", ""), ("b", "e"), ("c", "ee")] {
        agent.commit(file);
        let ended = agent.hook("pre-compact", ", \"trigger\": \"auto\"");
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
        assert_eq!(state(&sandbox).1, left);
    }
    // Nothing new, nothing told.
    agent.hook("pre-compact", ", \"trigger\": \"manual\"");
    assert_eq!(events(&sandbox.root).len(), 4);
    agent.end();
    is(&sandbox, 5, "");
    assert_eq!(events(&sandbox.root).len(), 4);
    sandbox.run(&["synth", "--check", "--rev", "HEAD"]).exits(0);
}

#[test]
fn the_configuration_says_otherwise() {
    let all = |view: &str, commit: &str| {
        let names = ["session-start", "event", "session-end", "handoff", "checkpoint"];
        let lines = names.map(|name| format!("  {name}: {{view: {view}, commit: {commit}}}\n"));
        repo(&format!("triggers:\n{}", lines.concat()))
    };
    let session = |sandbox: &Sandbox| {
        let agent = Agent::new("s", &sandbox.root);
        agent.start();
        agent.commit("a.txt");
        agent.end();
    };

    let never = all("never", "never");
    record(&never, &["--type", "handoff", "--now", "x"]);
    record(&never, &["--checkpoint", "1=x"]);
    session(&never);
    is(&never, 1, "eee");

    let written = all("always", "never");
    record(&written, &["--now", "x"]);
    is(&written, 0, "ve");
    written.run(&["synth", "--check"]).exits(0);
    session(&written);
    is(&written, 1, "vee");
    written.run(&["synth", "--check"]).exits(0);

    let committed = all("safe", "always");
    record(&committed, &["--now", "x"]);
    is(&committed, 1, "");
    std::fs::write(
        committed.dir.join("events/by-hand.md"),
        crate::sandbox::event("2026-01-10T14:00:00Z", "b", "now: y"),
    )
    .unwrap();
    Agent::new("s", &committed.root).start();
    is(&committed, 2, "");
    committed.run(&["synth", "--check", "--rev", "HEAD"]).exits(0);

    // An event without its view: for those who want it so.
    let events_alone = all("never", "always");
    record(&events_alone, &["--now", "x"]);
    is(&events_alone, 1, "");
    events_alone.run(&["synth", "--check", "--rev", "HEAD"]).exits(1);
}

#[test]
fn a_view_of_the_default_branch_or_of_none() {
    let session = |sandbox: &Sandbox, file: &str| {
        let agent = Agent::new(file, &sandbox.root);
        agent.start();
        agent.commit(file);
        agent.end();
        sandbox
            .git(&["show", "--format=", "--name-only", "HEAD"])
            .lines()
            .map(|name| name.contains("/events/"))
            .collect()
    };
    let events_alone = vec![true];
    let sandbox = repo("view: default-branch\n");
    sandbox.git(&["checkout", "-q", "-b", "work"]);
    let view = sandbox.view();
    let changed: Vec<bool> = session(&sandbox, "a.txt");
    assert_eq!((changed, sandbox.view()), (events_alone.clone(), view));
    record(&sandbox, &["--type", "handoff", "--now", "x"]);
    is(&sandbox, 3, "");
    sandbox.run(&["synth", "--check", "--rev", "HEAD", "--base", "main"]).exits(0);
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--no-edit", "work"]);
    assert_eq!(session(&sandbox, "b.txt").len(), 2);
    is(&sandbox, 5, "");
    sandbox.run(&["synth", "--check", "--rev", "HEAD"]).exits(0).says("fresh: 4 events");

    let sandbox = repo("view: untracked\n");
    assert_eq!(session(&sandbox, "a.txt"), events_alone);
    is(&sandbox, 2, "");
    assert!(sandbox.view().contains("Add a.txt"));
    assert_eq!(sandbox.git(&["ls-files", "--", LEDGER]).lines().count(), 3);
}

/// More than a pipe takes at once.
#[test]
fn a_commit_of_many_events() {
    let sandbox = repo("");
    for number in 0..400 {
        let text = crate::sandbox::event("2026-01-10T14:00:00Z", "many", &format!("this_session: [did {number}]"));
        sandbox.put(&format!("events/2026-01-10T14-00-00Z_many-{number}.md"), text);
    }
    record(&sandbox, &["--type", "handoff", "--now", "x"]).says("committed 402 files");
    is(&sandbox, 1, "");
    sandbox.run(&["synth", "--check", "--rev", "HEAD"]).exits(0).says("fresh: 402 events");
}
