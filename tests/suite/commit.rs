//! `synth --commit`: the ledger's files and nothing else, beside whatever the user is doing.

use crate::sandbox::{Ended, Sandbox, event, git, headwater, program, run};
use std::path::Path;

/// A repository with a first commit and an event that is not committed.
fn repo() -> Sandbox {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join(".gitignore"), ".synth.lock\n").unwrap();
    std::fs::write(sandbox.root.join("code.txt"), "one\n").unwrap();
    sandbox.put("events/README.md", "# Events\n");
    sandbox.commit("start");
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "a", "now: one"));
    sandbox
}

fn commit(cwd: &Path, more: &[&str]) -> Ended {
    run(&mut headwater(cwd, &[&["synth", "--no-confirm", "--commit"], more].concat())).exits(0)
}

/// The paths that a commit changes.
fn changed(cwd: &Path, rev: &str) -> Vec<String> {
    let shown = git(cwd, &["show", "--format=", "--name-only", "--no-renames", rev]);
    shown.lines().map(ToOwned::to_owned).collect()
}

const BOTH: [&str; 2] = ["thoughts/shared/handoffs/current.md", "thoughts/shared/handoffs/events/a.md"];

#[test]
fn only_the_ledger_is_committed() {
    let sandbox = repo();
    std::fs::write(sandbox.root.join("code.txt"), "two\n").unwrap();
    std::fs::write(sandbox.root.join("other.txt"), "new\n").unwrap();
    sandbox.git(&["add", "code.txt", "other.txt"]);
    std::fs::write(sandbox.root.join("code.txt"), "three\n").unwrap();
    sandbox.put("events/notes.txt", "no event\n");
    sandbox.put("mine.md", "no part of the ledger\n");
    sandbox.put("archive/notes/x.md", "no day\n");
    commit(&sandbox.root, &[]).says("committed 2 files");
    assert_eq!(changed(&sandbox.root, "HEAD"), BOTH);
    assert_eq!(sandbox.git(&["show", "HEAD:code.txt"]), "one");
    assert_eq!(sandbox.git(&["diff", "--cached", "--name-only"]), "code.txt\nother.txt");
    assert_eq!(sandbox.git(&["show", ":code.txt"]), "two");
    assert_eq!(sandbox.git(&["diff", "--name-only"]), "code.txt");
    assert!(sandbox.git(&["log", "-1", "--format=%s"]).starts_with("headwater:"));
    commit(&sandbox.root, &[]).says("not committed: nothing changed");
    assert_eq!(sandbox.git(&["rev-list", "--count", "HEAD"]), "2");
}

#[test]
fn archived_files_are_committed_as_moved() {
    let sandbox = repo();
    commit(&sandbox.root, &[]);
    sandbox.put("events/old.md", event("2020-01-10T13:00:00Z", "old", "goal: g"));
    commit(&sandbox.root, &[]);
    commit(&sandbox.root, &["--archive"]);
    assert!(!sandbox.git(&["ls-files"]).contains("events/old.md"));
    assert!(sandbox.git(&["ls-files"]).contains("archive/2020-01-10/old.md"));
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
}

#[test]
fn the_view_is_left_out_where_it_is_not_tracked() {
    let sandbox = repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "view: untracked\n").unwrap();
    commit(&sandbox.root, &[]);
    assert_eq!(changed(&sandbox.root, "HEAD"), BOTH[1..]);
}

#[cfg(unix)]
#[test]
fn no_hook_runs() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = repo();
    let ran = sandbox.beside("ran");
    for hook in ["pre-commit", "commit-msg", "prepare-commit-msg", "post-commit", "post-index-change"] {
        let path = sandbox.root.join(".git/hooks").join(hook);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\necho {hook} >> '{}'\nexit 1\n", ran.display())).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let failed = run(program("git", &sandbox.root).args(["commit", "--allow-empty", "-m", "x"]));
    assert!(failed.code == Some(1) && ran.exists(), "the hooks do not work here: {failed:?}");
    std::fs::remove_file(&ran).unwrap();
    commit(&sandbox.root, &[]);
    assert_eq!(changed(&sandbox.root, "HEAD"), BOTH);
    assert!(!ran.exists(), "{}", std::fs::read_to_string(&ran).unwrap());
}

#[test]
fn a_user_in_the_middle_of_something_is_left_alone() {
    for (command, word) in
        [(&["rebase", "main"][..], "rebase"), (&["merge", "main"], "merge"), (&["cherry-pick", "main"], "cherry")]
    {
        let sandbox = repo();
        let event = sandbox.dir.join("events/a.md");
        std::fs::rename(&event, sandbox.beside("a.md")).unwrap();
        sandbox.git(&["checkout", "-q", "-b", "side"]);
        std::fs::write(sandbox.root.join("code.txt"), "side\n").unwrap();
        sandbox.commit("side");
        sandbox.git(&["checkout", "-q", "main"]);
        std::fs::write(sandbox.root.join("code.txt"), "main\n").unwrap();
        sandbox.commit("main");
        sandbox.git(&["checkout", "-q", "side"]);
        let conflict = run(program("git", &sandbox.root).args(command));
        assert_ne!(conflict.code, Some(0), "{conflict:?}");
        std::fs::rename(sandbox.beside("a.md"), &event).unwrap();
        let before = (sandbox.git(&["rev-parse", "HEAD"]), sandbox.git(&["ls-files", "--stage"]));
        commit(&sandbox.root, &[]).says("not committed: ").says(word).says("under way");
        assert_eq!((sandbox.git(&["rev-parse", "HEAD"]), sandbox.git(&["ls-files", "--stage"])), before);
        assert!(sandbox.view().contains("**Now:** one (a, 2026-01-10)"));
    }
}

#[test]
fn commits_can_be_throttled() {
    let sandbox = repo();
    commit(&sandbox.root, &["--throttle", "30m"]).says("committed 2 files");
    sandbox.put("events/b.md", event("2026-01-11T13:00:00Z", "b", "now: two"));
    commit(&sandbox.root, &["--throttle", "30m"]).says("not committed: the last commit is only");
    assert_eq!(sandbox.git(&["rev-list", "--count", "HEAD"]), "2");
    assert!(sandbox.view().contains("**Now:** two (b, 2026-01-11)"));
    commit(&sandbox.root, &[]).says("committed 2 files");
    sandbox.run(&["synth", "--commit", "--throttle", "often"]).exits(2).says("--throttle");
    sandbox.run(&["synth", "--throttle", "30m"]).exits(2).says("--commit");
}

#[test]
fn a_linked_work_tree_commits_to_its_own_branch() {
    let sandbox = repo();
    let main = sandbox.git(&["rev-parse", "main"]);
    sandbox.git(&["worktree", "add", "-q", "../linked", "-b", "feature"]);
    let linked = sandbox.beside("linked");
    let written = run(&mut headwater(&linked, &["record", "--now", "x"])).exits(0).stdout;
    commit(&linked, &[]);
    let files = changed(&linked, "feature");
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(written.contains(files[1].rsplit('/').next().unwrap()), "{files:?} {written}");
    assert_eq!(sandbox.git(&["rev-parse", "main"]), main);
    assert_eq!(git(&linked, &["status", "--porcelain"]), "");
}

#[test]
fn a_detached_head_and_a_first_commit() {
    let sandbox = repo();
    let main = sandbox.git(&["rev-parse", "main"]);
    sandbox.git(&["checkout", "-q", "--detach"]);
    commit(&sandbox.root, &[]);
    assert_eq!(changed(&sandbox.root, "HEAD"), BOTH);
    assert_eq!([sandbox.git(&["rev-parse", "main"]), sandbox.git(&["rev-parse", "HEAD~1"])], [main.clone(), main]);

    let sandbox = Sandbox::repo();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "a", "now: one"));
    std::fs::write(sandbox.root.join("code.txt"), "one\n").unwrap();
    commit(&sandbox.root, &[]);
    assert!(sandbox.git(&["ls-files"]).contains(BOTH[1]) && !sandbox.git(&["ls-files"]).contains("code.txt"));
}

#[test]
fn outside_git_there_is_nothing_to_commit_to() {
    let sandbox = Sandbox::plain();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "a", "now: one"));
    sandbox.run(&["synth", "--no-confirm", "--commit"]).exits(2).says("git work tree");
}

#[test]
fn commits_from_several_work_trees_at_once() {
    let sandbox = repo();
    commit(&sandbox.root, &[]);
    std::thread::scope(|scope| {
        for number in 0..6 {
            let sandbox = &sandbox;
            scope.spawn(move || {
                let agent = format!("agent{number}");
                sandbox.run(&["record", "--agent", &agent, "--now", "x"]).exits(0);
                commit(&sandbox.root, &["--wait", "120"]);
            });
        }
    });
    commit(&sandbox.root, &[]);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    assert_eq!(sandbox.git(&["ls-files"]).matches("_agent").count(), 6);
    sandbox.git(&["fsck", "--strict"]);
}
