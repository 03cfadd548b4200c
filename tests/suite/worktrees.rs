//! Sessions in every kind of work tree, in parallel, and what becomes of their branches; with real git, the
//! installed hooks and the merge driver.

use crate::agent::{Agent, LEDGER, context, events, installed};
use crate::sandbox::{Ended, Sandbox, files_below, git, run};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Runs git with `headwater` on its path; it must succeed.
#[track_caller]
fn git_with(cwd: &Path, args: &[&str]) -> String {
    let ended = run(installed("git", cwd).args(args));
    assert_eq!(ended.code, Some(0), "git {args:?}:\n{}{}", ended.stdout, ended.stderr);
    ended.stdout.trim_end().to_owned()
}

fn headwater(cwd: &Path, args: &[&str]) -> Ended {
    run(installed("headwater", cwd).args(args))
}

fn write(top: &Path, name: &str, text: &str) {
    let path = top.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Sets a checkout up for git and commits that.
fn set_up(top: &Path) {
    write(top, "code.txt", "one\n");
    headwater(top, &["init", "--git"]).exits(0);
    git_with(top, &["add", "-A"]);
    git_with(top, &["commit", "-q", "-m", "set up"]);
}

/// A checkout of `main` at a place of this name, in an ordinary repository that is set up.
fn ordinary(scratch: &Sandbox, name: &str) -> PathBuf {
    let top = scratch.beside(name);
    git(scratch.root.parent().unwrap(), &["init", "-q", name]);
    set_up(&top);
    top
}

fn bare(scratch: &Sandbox) -> PathBuf {
    let (seed, top) = (ordinary(scratch, "seed"), scratch.beside("of-bare"));
    let bare = scratch.beside("bare.git");
    git(&seed, &["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    git(&bare, &["worktree", "add", "-q", top.to_str().unwrap(), "main"]);
    headwater(&top, &["init", "--git"]).exits(0);
    top
}

fn submodule(scratch: &Sandbox) -> PathBuf {
    let library = ordinary(scratch, "library");
    let whole = ordinary(scratch, "whole");
    let add = ["-c", "protocol.file.allow=always", "submodule", "add", "-q", library.to_str().unwrap(), "part"];
    git(&whole, &add);
    git(&whole, &["commit", "-q", "-m", "with a part"]);
    let top = whole.join("part");
    headwater(&top, &["init", "--git"]).exits(0);
    top
}

fn separate(scratch: &Sandbox) -> PathBuf {
    let top = scratch.beside("separate");
    let store = scratch.beside("store");
    git(scratch.root.parent().unwrap(), &["init", "-q", "--separate-git-dir", store.to_str().unwrap(), "separate"]);
    set_up(&top);
    top
}

/// A linked worktree on a new branch of the same name.
fn linked(scratch: &Sandbox, top: &Path, place: &str, branch: &str) -> PathBuf {
    let tree = scratch.beside(place);
    git_with(top, &["worktree", "add", "-q", tree.to_str().unwrap(), "-b", branch]);
    tree
}

/// Another repository, with a ledger, something staged and something not.
fn decoy(scratch: &Sandbox) -> (PathBuf, BTreeMap<String, Vec<u8>>) {
    let top = ordinary(scratch, "decoy");
    headwater(&top, &["record", "--now", "elsewhere"]).exits(0);
    write(&top, "staged.txt", "staged\n");
    git(&top, &["add", "staged.txt"]);
    write(&top, "code.txt", "changed\n");
    git(&top, &["status"]);
    let files = files_below(&top);
    (top, files)
}

/// Three sessions at once: each starts, commits twice, and ends. Its hooks run as if git had called them for `decoy`.
fn three_sessions(trees: &[PathBuf], decoy: &Path) {
    std::thread::scope(|scope| {
        for tree in trees {
            scope.spawn(move || {
                let name = tree.file_name().unwrap().to_str().unwrap();
                let agent = Agent::new(name, tree)
                    .with_variable("GIT_DIR", &decoy.join(".git"))
                    .with_variable("GIT_INDEX_FILE", &decoy.join(".git/index"))
                    .with_variable("GIT_WORK_TREE", decoy);
                agent.start();
                agent.commit(&format!("{name}-1.txt"));
                agent.hook("stop", "");
                agent.commit(&format!("{name}-2.txt"));
                agent.end();
            });
        }
    });
}

/// The view of a commit is fresh and tells what each session committed.
#[track_caller]
fn tells(top: &Path, rev: &str, trees: &[PathBuf]) {
    headwater(top, &["synth", "--check", "--rev", rev]).exits(0);
    let view = git(top, &["show", &format!("{rev}:{LEDGER}/current.md")]);
    for tree in trees {
        let name = tree.file_name().unwrap().to_str().unwrap();
        for number in 1..=2 {
            let told = view.matches(&format!("\n  - Add {name}-{number}.txt\n")).count();
            assert_eq!(told, 1, "Add {name}-{number}.txt in\n{view}");
        }
    }
}

#[test]
fn sessions_in_every_kind_of_repository() {
    type Make = fn(&Sandbox) -> PathBuf;
    let kinds: [(&str, Make); 5] = [
        ("linked", |scratch| ordinary(scratch, "project")),
        ("bare", bare),
        ("submodule", submodule),
        ("separate", separate),
        ("odd", |scratch| ordinary(scratch, "ein Ort – „äöü“ 日本 'x'")),
    ];
    for (kind, make) in kinds {
        let scratch = Sandbox::plain();
        let top = make(&scratch);
        let odd = if kind == "odd" { "ü – " } else { "" };
        let trees: Vec<PathBuf> =
            ["a", "b"].map(|name| linked(&scratch, &top, &format!("{odd}{name}"), name)).into_iter().collect();
        let trees = [trees, vec![top.clone()]].concat();
        let (decoy, before) = decoy(&scratch);
        three_sessions(&trees, &decoy);
        for tree in &trees {
            assert_eq!(git(tree, &["status", "--porcelain"]), "", "{kind}");
            tells(tree, "HEAD", std::slice::from_ref(tree));
        }
        git_with(&top, &["merge", "-q", "--no-edit", "a"]);
        git_with(&top, &["merge", "-q", "--no-edit", "b"]);
        tells(&top, "HEAD", &trees);
        assert_eq!(files_below(&decoy), before, "{kind}");
        assert_eq!(git(&top, &["fsck", "--no-dangling", "--no-progress"]), "", "{kind}");
        // Whoever comes next in any of them hears of all.
        let next = Agent::new("next", &trees[0]);
        let heard = next.start();
        for tree in trees.get(1..).unwrap() {
            let name = tree.file_name().unwrap().to_str().unwrap();
            // The main work tree of a separate git directory is filed nowhere.
            assert!(kind == "separate" || heard.contains(&format!("{name}-2.txt")), "{kind} {name}:\n{heard}");
        }
    }
}

/// They see each other's commits.
#[test]
fn sessions_of_one_work_tree_that_end_at_once() {
    let scratch = Sandbox::plain();
    let top = ordinary(&scratch, "project");
    let agents: Vec<Agent> = (0..6).map(|number| Agent::new(&format!("s{number}"), &top)).collect();
    for agent in &agents {
        agent.start();
    }
    for (number, agent) in agents.iter().enumerate() {
        agent.commit(&format!("{number}.txt"));
    }
    std::thread::scope(|scope| {
        for agent in &agents {
            scope.spawn(|| agent.end());
        }
    });
    let told = events(&top).concat();
    for number in 0..agents.len() {
        assert_eq!(told.matches(&format!("  - |-\n    Add {number}.txt\n")).count(), 1, "{told}");
    }
    assert_eq!(git(&top, &["status", "--porcelain"]), "");
    headwater(&top, &["synth", "--check", "--rev", "HEAD"]).exits(0);
}

#[test]
fn branches_are_merged_and_rebased_in_every_order() {
    let scratch = Sandbox::plain();
    let top = ordinary(&scratch, "project");
    let trees = ["a", "b", "c"].map(|name| linked(&scratch, &top, name, name));
    let (decoy, before) = decoy(&scratch);
    three_sessions(&trees, &decoy);
    for [first, second, third] in
        [["a", "b", "c"], ["a", "c", "b"], ["b", "a", "c"], ["b", "c", "a"], ["c", "a", "b"], ["c", "b", "a"]]
    {
        for way in [&["merge", "-q", "--no-edit"][..], &["rebase", "-q"]] {
            git_with(&top, &["checkout", "-q", "-B", "t", first]);
            git_with(&top, &[way, &[second]].concat());
            git_with(&top, &[way, &[third]].concat());
            tells(&top, "HEAD", &trees);
            assert_eq!(git(&top, &["status", "--porcelain"]), "");
        }
    }
    assert_eq!(files_below(&decoy), before);
}

/// As git runs a hook of a linked worktree: with `GIT_DIR` and `GIT_INDEX_FILE` set.
#[test]
fn a_session_that_ends_in_a_hook_of_git() {
    let scratch = Sandbox::plain();
    let top = ordinary(&scratch, "project");
    let tree = linked(&scratch, &top, "a", "a");
    let agent = Agent::new("s", &tree);
    agent.start();
    let input = scratch.beside("input");
    std::fs::write(&input, agent.input("SessionEnd", "")).unwrap();
    let hook = top.join(".git/hooks/post-commit");
    let script = format!("#!/bin/sh\nenv > '{0}.env'\nexec headwater hook session-end < '{0}'\n", input.display());
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    write(&tree, "new.txt", "new\n");
    write(&tree, "later.txt", "later\n");
    git(&tree, &["add", "later.txt", "new.txt"]);
    // Only one of the two: git works on an index of its own then.
    git_with(&tree, &["commit", "-q", "-m", "Add new", "--", "new.txt"]);
    let env = std::fs::read_to_string(scratch.beside("input.env")).unwrap();
    assert!(env.contains("GIT_DIR=") && env.contains("GIT_INDEX_FILE="), "{env}");
    assert_eq!(git(&tree, &["status", "--porcelain"]), "A  later.txt");
    assert_eq!(git(&tree, &["log", "--format=%s", "main.."]), "headwater: update the ledger\nAdd new");
    let told = events(&tree);
    assert!(told.len() == 1 && told[0].contains("  - |-\n    Add new\n"), "{told:?}");
    headwater(&tree, &["synth", "--check", "--rev", "HEAD"]).exits(0);
    assert_eq!(git(&top, &["status", "--porcelain"]), "");
}

#[test]
fn a_session_on_a_detached_head() {
    let scratch = Sandbox::plain();
    let top = ordinary(&scratch, "project");
    git(&top, &["checkout", "-q", "--detach"]);
    let agent = Agent::new("s", &top);
    agent.start();
    agent.commit("a.txt");
    agent.end();
    let told = events(&top);
    assert!(told.len() == 1 && told[0].contains("  - |-\n    Add a.txt\n") && !told[0].contains("branch:"), "{told:?}");
    assert_eq!(git(&top, &["log", "--format=%s", "main.."]), "headwater: update the ledger\nAdd a.txt");
    assert_eq!(git(&top, &["status", "--porcelain"]), "");
    headwater(&top, &["synth", "--check", "--rev", "HEAD"]).exits(0);
}

#[test]
fn a_session_that_ends_during_a_rebase() {
    let scratch = Sandbox::plain();
    let top = ordinary(&scratch, "project");
    git(&top, &["checkout", "-q", "-b", "other"]);
    write(&top, "code.txt", "theirs\n");
    git(&top, &["commit", "-q", "-a", "-m", "theirs"]);
    git(&top, &["checkout", "-q", "main"]);
    let agent = Agent::new("s", &top);
    agent.start();
    write(&top, "code.txt", "ours\n");
    git(&top, &["commit", "-q", "-a", "-m", "Change the code"]);
    run(installed("git", &top).args(["rebase", "-q", "other"])).exits(1);
    let (head, view) = (git(&top, &["rev-parse", "HEAD"]), std::fs::read(top.join(LEDGER).join("current.md")).unwrap());
    agent.hook("session-end", "").says("a rebase is under way");
    assert_eq!(git(&top, &["rev-parse", "HEAD"]), head);
    assert_eq!(events(&top).len(), 1);
    // The view is not left behind changed, where it would stop the rebase.
    assert_eq!(std::fs::read(top.join(LEDGER).join("current.md")).unwrap(), view);
    write(&top, "code.txt", "both\n");
    git(&top, &["add", "code.txt"]);
    git_with(&top, &["rebase", "--continue"]);
    // What stayed uncommitted goes with the next session's end, though that one did nothing.
    let next = Agent::new("t", &top);
    next.start();
    next.end();
    headwater(&top, &["synth", "--check", "--rev", "HEAD"]).exits(0);
    assert_eq!(git(&top, &["status", "--porcelain"]), "");
    assert_eq!(git(&top, &["log", "--format=%s", "other.."]), "headwater: update the ledger\nChange the code");
}

/// Where no log of `HEAD` is kept, its commits are told all the same.
#[test]
fn a_session_where_git_keeps_no_log() {
    for settings in [&["-c", "core.logAllRefUpdates=false", "init", "-q"][..], &["init", "-q", "--ref-format=reftable"]]
    {
        let scratch = Sandbox::plain();
        let top = scratch.beside("project");
        let mut init = installed("git", scratch.root.parent().unwrap());
        if run(init.args(settings).arg("project")).code != Some(0) {
            // Before git 2.45 there are no reftables.
            continue;
        }
        git(&top, &["config", "core.logAllRefUpdates", "false"]);
        set_up(&top);
        let agent = Agent::new("s", &top);
        agent.start();
        agent.commit("a.txt");
        agent.hook("pre-compact", "");
        agent.commit("b.txt");
        agent.end();
        let mut told = events(&top);
        told.sort();
        let [first, second] = told.as_slice() else { panic!("{told:?}") };
        assert!(first.ends_with("this_session:\n  - |-\n    Add a.txt\n---\n"), "{first}");
        assert!(second.ends_with("this_session:\n  - |-\n    Add b.txt\n---\n"), "{second}");
        assert_eq!(git(&top, &["status", "--porcelain"]), "");
    }
}

/// An agent goes to another work tree, works there too, and ends where it is.
#[test]
fn a_session_that_works_in_two_work_trees() {
    let scratch = Sandbox::plain();
    let top = ordinary(&scratch, "project");
    let tree = linked(&scratch, &top, "a", "a");
    let mut agent = Agent::new("s", &top);
    agent.start();
    agent.commit("first.txt");
    agent.cwd.clone_from(&tree);
    agent.hook("stop", "");
    agent.commit("second.txt");
    agent.end();
    for (work_tree, file) in [(&top, "first.txt"), (&tree, "second.txt")] {
        let told = events(work_tree);
        assert!(told.len() == 1 && told[0].contains(&format!("  - |-\n    Add {file}\n")), "{told:?}");
        assert_eq!(git(work_tree, &["status", "--porcelain"]), "");
        headwater(work_tree, &["synth", "--check", "--rev", "HEAD"]).exits(0);
    }
}

#[test]
fn what_the_user_staged_stays_staged() {
    let scratch = Sandbox::plain();
    let top = ordinary(&scratch, "project");
    let agent = Agent::new("s", &top);
    agent.start();
    agent.commit("a.txt");
    write(&top, "staged.txt", "staged\n");
    write(&top, "code.txt", "staged too\n");
    git(&top, &["add", "-A"]);
    write(&top, "code.txt", "and changed again\n");
    agent.end();
    assert_eq!(git(&top, &["status", "--porcelain"]), "MM code.txt\nA  staged.txt");
    let committed = git(&top, &["show", "--format=", "--name-only", "HEAD"]);
    assert!(committed.lines().all(|name| name.starts_with(LEDGER)), "{committed}");
    headwater(&top, &["synth", "--check", "--rev", "HEAD"]).exits(0);
}

#[test]
fn an_ignored_ledger_is_written_and_not_committed() {
    let scratch = Sandbox::plain();
    let top = scratch.beside("project");
    git(scratch.root.parent().unwrap(), &["init", "-q", "project"]);
    write(&top, ".gitignore", "thoughts/\n");
    git(&top, &["add", "-A"]);
    git(&top, &["commit", "-q", "-m", "start"]);
    std::fs::create_dir_all(top.join(LEDGER).join("events")).unwrap();
    let agent = Agent::new("s", &top);
    agent.start();
    agent.commit("a.txt");
    agent.end();
    assert_eq!(events(&top).len(), 1);
    let view = std::fs::read_to_string(top.join(LEDGER).join("current.md")).unwrap();
    assert!(view.contains("Add a.txt"), "{view}");
    assert_eq!(git(&top, &["status", "--porcelain"]), "");
    assert_eq!(git(&top, &["log", "--format=%s"]), "Add a.txt\nstart");
}

/// Nothing can be remembered there; the ledger is handed over all the same, and nobody is stopped.
#[test]
fn a_common_directory_that_cannot_be_written() {
    let scratch = Sandbox::plain();
    let top = ordinary(&scratch, "project");
    headwater(&top, &["record", "--now", "at the start"]).exits(0);
    let own = top.join(".git/headwater");
    std::fs::remove_dir_all(&own).unwrap();
    // Root may write anywhere, but not below a file.
    std::fs::write(&own, "").unwrap();
    std::fs::set_permissions(top.join(".git"), std::fs::Permissions::from_mode(0o555)).unwrap();
    let agent = Agent::new("s", &top);
    let started = agent.hook("session-start", ", \"source\": \"startup\"").says(".git/headwater");
    assert!(context(&started).contains("at the start"), "{started:?}");
    assert_eq!(agent.hook("session-end", "").stdout, "");
    assert_eq!(agent.hook("stop", "").stdout, "");
    std::fs::set_permissions(top.join(".git"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The command that `init` put into the settings of Claude Code for an event.
fn installed_command(tree: &Path, event: &str) -> String {
    let text = std::fs::read_to_string(tree.join(".claude/settings.json")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&text).unwrap();
    settings["hooks"][event][0]["hooks"][0]["command"].as_str().unwrap().to_owned()
}

/// Calls a hook as Claude Code does: the command of its settings in a shell, the JSON on standard input.
fn call_installed(agent: &Agent, event: &str, more: &str) -> Ended {
    let mut shell = installed("sh", &agent.cwd);
    shell.args(["-c", &installed_command(&agent.cwd, event)]);
    let ended = agent.call(shell, &agent.input(event, more));
    assert_eq!(ended.stderr, "");
    ended
}

/// Nobody calls `headwater record`, and one session is killed.
#[cfg(target_os = "linux")]
#[test]
fn three_sessions_are_told_after_merging_though_one_was_killed() {
    let scratch = Sandbox::plain();
    let top = scratch.beside("project");
    git(scratch.root.parent().unwrap(), &["init", "-q", "project"]);
    headwater(&top, &["init", "--all"]).exits(0);
    git(&top, &["add", "-A"]);
    git_with(&top, &["commit", "-q", "-m", "Set up headwater"]);
    let trees = ["red", "green", "blue"].map(|name| linked(&scratch, &top, name, name));
    std::thread::scope(|scope| {
        for tree in &trees {
            scope.spawn(move || {
                let name = tree.file_name().unwrap().to_str().unwrap();
                let mut agent = Agent::new(&format!("session of {name}"), tree);
                call_installed(&agent, "SessionStart", ", \"source\": \"startup\"");
                agent.commit(&format!("{name}-1.txt"));
                call_installed(&agent, "Stop", ", \"stop_hook_active\": false");
                agent.commit(&format!("{name}-2.txt"));
                if name == "blue" {
                    write(tree, "half.txt", "half done\n");
                    agent.kill();
                } else {
                    call_installed(&agent, "SessionEnd", ", \"reason\": \"prompt_input_exit\"");
                }
            });
        }
    });
    assert_eq!(trees.clone().map(|tree| events(&tree).len()), [1, 1, 0]);
    // The next session, anywhere, tells what the killed one did, and hears of all three.
    let next = Agent::new("next", &top);
    let heard = context(&call_installed(&next, "SessionStart", ", \"source\": \"startup\""));
    for line in ["last commit on red: Add red-2.txt [red]", "Add green-2.txt [green]", "Add blue-2.txt [blue]"] {
        assert!(heard.contains(line), "no {line:?} in\n{heard}");
    }
    for name in ["red", "green", "blue"] {
        git_with(&top, &["merge", "-q", "--no-edit", name]);
    }
    tells(&top, "HEAD", &trees);
    let view = std::fs::read_to_string(top.join(LEDGER).join("current.md")).unwrap();
    assert!(view.contains("1 file left uncommitted on blue: half.txt\n"), "{view}");
    assert!(view.contains("event_count: 3"), "{view}");
    assert_eq!(git(&top, &["status", "--porcelain"]), "");
    assert_eq!(git(&trees[2], &["status", "--porcelain"]), "?? half.txt");
}
