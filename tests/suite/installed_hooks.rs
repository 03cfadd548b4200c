//! The blocks that `headwater init` puts into git's hooks, beside what stands there.

use crate::init::{codes, put, put_script, repo, run_git, stub, text, with_path};
use crate::sandbox::{files_below, git, program, run, run_with_input};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A hook in the manner of git-lfs: it needs its arguments and all of its standard input.
const READS: &str = "#!/bin/sh
printf '%s|' \"$@\" > \"$OUT\"
while read -r local_ref local_oid remote_ref remote_oid; do
    printf '%s>%s|' \"$local_ref\" \"$remote_ref\" >> \"$OUT\"
done
exit 0
";

#[test]
fn a_push_runs_both_hooks_with_the_same_input() {
    let python = "#!/usr/bin/env python3\nimport sys, os\nopen(os.environ['OUT'], 'w').write('|'.join(sys.argv[1:]) + '|' + ''.join(f'{l.split()[0]}>{l.split()[2]}|' for l in sys.stdin))\n";
    let bare_sh = READS.strip_prefix("#!/bin/sh\n").unwrap();
    for hook in [READS, bare_sh, python] {
        let sandbox = repo();
        let remote = sandbox.beside("remote.git");
        git(&sandbox.root, &["init", "-q", "--bare", remote.to_str().unwrap()]);
        sandbox.git(&["branch", "other"]);
        put_script(&sandbox, ".git/hooks/pre-push", hook);
        sandbox.run(&["init", "--git"]).exits(0);
        let out = sandbox.beside("out");
        let push = |folder: Option<&Path>, branch: &str| {
            let _old = std::fs::remove_file(&out);
            let mut command = with_path(program("git", &sandbox.root), folder);
            let url = remote.to_str().unwrap();
            let ended = run(command.env("OUT", &out).args(["push", url, "main", "other", &format!("main:{branch}")]));
            (ended, std::fs::read_to_string(&out).unwrap_or_default())
        };
        let wanted = |branch: &str, first: bool| {
            let url = remote.display();
            let known = if first { "refs/heads/main>refs/heads/main|refs/heads/other>refs/heads/other|" } else { "" };
            format!("{url}|{url}|{known}refs/heads/main>refs/heads/{branch}|")
        };
        let (ended, seen) = push(None, "a");
        assert_eq!((ended.exits(0).code, seen), (Some(0), wanted("a", true)), "headwater is missing");
        let (ended, seen) = push(Some(&stub(&sandbox, 0)), "b");
        assert_eq!((ended.exits(0).code, seen), (Some(0), wanted("b", false)), "headwater is content");
        let log = std::fs::read_to_string(sandbox.beside("stub.log")).unwrap();
        assert!(log.starts_with(&format!("hook pre-push {0} {0}\nrefs/heads/main ", remote.display())), "{log}");
        assert!(log.ends_with("\n.\n") && log.contains(" refs/heads/b "), "{log}");
        let (ended, seen) = push(Some(&stub(&sandbox, 2)), "c");
        assert_eq!((ended.exits(0).code, seen), (Some(0), wanted("c", false)), "headwater is too old");
        let (ended, seen) = push(Some(&stub(&sandbox, 1)), "d");
        assert_eq!((ended.exits(1).code, seen), (Some(1), String::new()), "headwater says no");
        // Nothing to push is nothing to read.
        let (ended, seen) = push(Some(&stub(&sandbox, 0)), "c");
        assert_eq!(ended.exits(0).code, Some(0));
        assert!(seen.is_empty() || !seen.contains('>'), "{seen}");
    }
}

/// Git names the rewritten commits on standard input, to ours and to what stands there.
#[test]
fn a_rewrite_runs_both_hooks_with_the_same_input() {
    let python = "#!/usr/bin/env python3\nimport sys, os\nopen(os.environ['OUT'], 'w').write(sys.argv[1] + '\\n' + sys.stdin.read())\n";
    for hook in ["#!/bin/sh\n{ echo \"$1\"; cat; } > \"$OUT\"\n", python] {
        let sandbox = repo();
        put_script(&sandbox, ".git/hooks/post-rewrite", hook);
        sandbox.run(&["init", "--git"]).exits(0);
        let out = sandbox.beside("out");
        for folder in [None, Some(stub(&sandbox, 0)), Some(stub(&sandbox, 2))] {
            let old = sandbox.git(&["rev-parse", "HEAD"]);
            let mut amend = with_path(program("git", &sandbox.root), folder.as_deref());
            let message = format!("not {old}");
            run(amend.env("OUT", &out).args(["commit", "-q", "--amend", "--allow-empty", "-m", &message])).exits(0);
            let said = format!("amend\n{old} {}\n", sandbox.git(&["rev-parse", "HEAD"]));
            assert_eq!(std::fs::read_to_string(&out).unwrap(), said);
            if folder.is_some() {
                let log = std::fs::read_to_string(sandbox.beside("stub.log")).unwrap();
                assert!(log.ends_with(&format!("hook post-rewrite {said}.\n")), "{log}");
            }
        }
    }
}

/// An amended message changes nothing of the ledger, and nothing is said, though the view is stale.
#[test]
fn a_rewrite_that_leaves_the_ledger_alone_says_nothing() {
    let sandbox = repo();
    sandbox.run(&["init", "--git"]).exits(0);
    let bin = Path::new(env!("CARGO_BIN_EXE_headwater")).parent().unwrap();
    let amend = || run_git(&sandbox, Some(bin), &["commit", "-q", "--amend", "-m", "other words"]).exits(0).stderr;
    sandbox.put("events/a.md", crate::sandbox::event("2026-01-01T00:00:00Z", "toast", "now: one"));
    sandbox.commit("set up");
    assert_eq!(amend(), "");
    sandbox.put("events/b.md", crate::sandbox::event("2026-01-01T00:00:01Z", "toast", "now: two"));
    sandbox.git(&["add", "-A"]);
    assert!(amend().contains("after this rewrite"));
}

#[test]
fn a_hook_that_fails_still_fails() {
    for hook in ["#!/bin/bash -e\nexit 7\n", "#!/usr/bin/env python3\nraise SystemExit(7)\n"] {
        let sandbox = repo();
        put_script(&sandbox, ".git/hooks/post-checkout", hook);
        sandbox.run(&["init", "--git"]).exits(0);
        for folder in [None, Some(stub(&sandbox, 1))] {
            // Whatever the hook says, git says 1.
            run_git(&sandbox, folder.as_deref(), &["checkout", "-q", "-b", "x"]).exits(1);
            run_git(&sandbox, folder.as_deref(), &["checkout", "-q", "main"]).exits(1);
            let path = sandbox.root.join(".git/hooks/post-checkout");
            run(&mut with_path(program(path.to_str().unwrap(), &sandbox.root), folder.as_deref())).exits(7);
            sandbox.git(&["branch", "-q", "-D", "x"]);
        }
    }
    // A run that was stopped after it had moved the hook away is finished by the next.
    let sandbox = repo();
    let moved = ".git/hooks/post-checkout.before-headwater";
    put_script(&sandbox, moved, "#!/usr/bin/env python3\nraise SystemExit(7)\n");
    sandbox.run(&["init", "--git"]).exits(0);
    let hook = sandbox.root.join(".git/hooks/post-checkout");
    run(&mut with_path(program(hook.to_str().unwrap(), &sandbox.root), None)).exits(7);
    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert!(hook.exists() && !sandbox.root.join(moved).exists());
    // One that git does not run, because it may not be, stays asleep.
    let sandbox = repo();
    put(&sandbox, ".git/hooks/post-checkout", "#!/bin/sh\nexit 7\n");
    sandbox.run(&["init", "--git"]).exits(0);
    run_git(&sandbox, Some(&stub(&sandbox, 0)), &["checkout", "-q", "-b", "x"]).exits(0);
    assert!(std::fs::read_to_string(sandbox.beside("stub.log")).unwrap().starts_with("hook post-checkout "));
    sandbox.run(&["init", "--uninstall"]).exits(0);
    let mode = std::fs::metadata(sandbox.root.join(".git/hooks/post-checkout")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0);
}

/// The hook that the pre-commit framework generates, as far as it is a shell script.
#[test]
fn generated_and_linked_hooks_are_kept() {
    let sandbox = repo();
    let generated = "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n# ID: 138fd403232d2ddd5efb44317e38bf03\n\n# start templated\nARGS=(hook-impl --config=.pre-commit-config.yaml --hook-type=pre-push)\n# end templated\n\nHERE=\"$(cd \"$(dirname \"$0\")\" && pwd)\"\nARGS+=(--hook-dir \"$HERE\" -- \"$@\")\nprintf '%s|' \"${ARGS[@]}\" > \"$OUT\"\ncat >> \"$OUT\"\n";
    let hook = put_script(&sandbox, ".git/hooks/pre-push", generated);
    put_script(&sandbox, "tools/merged", "#!/bin/sh\necho \"$0 $@\" > \"$OUT\"\n");
    std::os::unix::fs::symlink("../../tools/merged", sandbox.root.join(".git/hooks/post-merge")).unwrap();
    sandbox.run(&["init", "--git"]).exits(0);

    let out = sandbox.beside("out");
    let refs = "refs/heads/x 1 refs/heads/y 2\n";
    let mut command = with_path(program(hook.to_str().unwrap(), &sandbox.root), Some(&stub(&sandbox, 0)));
    run_with_input(command.env("OUT", &out).args(["origin", "url"]), refs).exits(0);
    let seen = std::fs::read_to_string(&out).unwrap();
    assert!(seen.ends_with(&format!("|--|origin|url|{refs}")), "{seen}");

    let merged = sandbox.root.join(".git/hooks/post-merge");
    assert!(text(&sandbox, "tools/merged").starts_with("#!/bin/sh\necho"), "a linked script is somebody else's");
    run(with_path(program(merged.to_str().unwrap(), &sandbox.root), None).env("OUT", &out).arg("0")).exits(0);
    assert!(std::fs::read_to_string(&out).unwrap().ends_with("post-merge.before-headwater 0\n"));
    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert_eq!(std::fs::read_link(&merged).unwrap(), Path::new("../../tools/merged"));
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), generated);
}

#[test]
fn husky_runs_the_scripts_beside_its_own() {
    let sandbox = repo();
    let shim = "#!/usr/bin/env sh\nn=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n[ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\nexit $?\n";
    for hook in ["pre-push", "post-checkout"] {
        put_script(&sandbox, &format!(".husky/_/{hook}"), shim);
    }
    put(&sandbox, ".husky/post-checkout", "exit 5\n");
    sandbox.git(&["config", "core.hooksPath", ".husky/_"]);
    sandbox.run(&["init", "--git"]).exits(0);
    assert_eq!(text(&sandbox, ".husky/_/post-checkout"), shim);
    assert!(!sandbox.root.join(".git/hooks/post-checkout").exists());
    run_git(&sandbox, Some(&stub(&sandbox, 1)), &["checkout", "-q", "-b", "x"]).exits(1);
    assert!(std::fs::read_to_string(sandbox.beside("stub.log")).unwrap().starts_with("hook post-checkout "));
    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert_eq!(text(&sandbox, ".husky/post-checkout"), "exit 5\n");
    assert!(!sandbox.root.join(".husky/pre-push").exists());
}

#[test]
fn hooks_outside_the_repository_are_never_written_to() {
    let sandbox = repo();
    let outside = sandbox.beside("my hooks");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("pre-push"), "#!/bin/sh\n").unwrap();
    sandbox.git(&["config", "core.hooksPath", outside.to_str().unwrap()]);
    let before = files_below(&outside);
    let done = sandbox.run(&["init", "--git"]).exits(0);
    assert!(
        done.stdout.contains("never written to") && done.stdout.contains("headwater hook pre-push"),
        "{}",
        done.stdout
    );
    assert_eq!(files_below(&outside), before);
    let doctor = sandbox.run(&["doctor", "--format", "json"]).exits(1).json();
    assert!(codes(&doctor).contains(&"hooks-path-outside".to_owned()), "{doctor}");
    sandbox.run(&["init", "--uninstall"]).exits(0);
    assert_eq!(files_below(&outside), before);
}

/// What agents are told to run before a push, and what a stopped push says, is the one command that lets it through.
#[test]
fn a_push_in_the_middle_of_a_session() {
    let mend = "`headwater --no-confirm --commit`";
    for (config, is_stopped) in [("", true), ("view: default-branch\n", false)] {
        let sandbox = repo();
        put(&sandbox, ".headwater.yaml", config);
        sandbox.run(&["init", "--git", "--claude", "--codex"]).exits(0);
        for name in ["CLAUDE.md", "AGENTS.md"] {
            assert!(text(&sandbox, name).contains(&format!("Before a push, run {mend}.")), "{name}");
        }
        sandbox.commit("set up");
        let remote = sandbox.beside("remote.git");
        git(&sandbox.root, &["clone", "-q", "--bare", sandbox.root.to_str().unwrap(), remote.to_str().unwrap()]);
        sandbox.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
        sandbox.git(&["fetch", "-q"]);
        sandbox.git(&["remote", "set-head", "origin", "main"]);
        sandbox.git(&["checkout", "-q", "-b", "work"]);
        sandbox.run(&["record", "--decide", "db=SQLite"]).exits(0);
        sandbox.commit("work, and what was recorded");
        let bin = Path::new(env!("CARGO_BIN_EXE_headwater")).parent();
        let push = || run_git(&sandbox, bin, &["push", "-q", "origin", "work"]);
        if is_stopped {
            let stopped = push().exits(1).says("the push was stopped");
            let last = stopped.stderr.lines().find(|line| line.contains("the push was stopped")).unwrap();
            assert!(last.contains(mend), "{last}");
            sandbox.run(&mend.trim_matches('`').split(' ').skip(1).collect::<Vec<_>>()).exits(0);
        }
        assert_eq!(push().exits(0).stderr, "");
    }
}

/// All that is wrong with the feed is said before a push; only where the post at fault is of this work tree, it stops,
/// and for no claim that time alone made cold.
#[test]
fn a_push_is_stopped_by_what_drifts_here() {
    let sandbox = repo();
    put(&sandbox, ".headwater.yaml", "view: untracked\n");
    sandbox.run(&["init", "--git", "--pre-commit"]).exits(0);
    let post = |seat: &str, fields: &str| {
        let text =
            format!("---\nts: 2026-01-01T00:00:00Z\nagent: {seat}\ntype: post\n{fields}\n---\n\n## A post\n\n> x\n");
        sandbox.put(&format!("events/{seat}.md"), text);
    };
    sandbox.commit("set up");
    let sibling = sandbox.beside("sibling");
    sandbox.git(&["worktree", "add", "-q", sibling.to_str().unwrap()]);
    let push = || sandbox.run(&["hook", "pre-push", "origin"]);
    let entry = || {
        let config: serde_yaml::Value = serde_yaml::from_str(&text(&sandbox, ".pre-commit-config.yaml")).unwrap();
        let entry = config["repos"][0]["hooks"][0]["entry"].as_str().unwrap().to_owned();
        let bin = Path::new(env!("CARGO_BIN_EXE_headwater")).parent();
        run(with_path(program("sh", &sandbox.root), bin).args(["-c", &entry]))
    };
    post("a", "post-kind: actionable\npost-item: OPS-1\npost-subject: x");
    post("aa", "post-kind: confirm\npost-item: OPS-1\npost-subject: x");
    post("b", "post-kind: claim\npost-item: OPS-1\npost-subject: x");
    let told = push().exits(0).stdout;
    assert!(told.contains("claim-cold"), "{told}");

    let theirs = sibling.join("thoughts/shared/handoffs/events/c.md");
    post("c", "post-kind: actionable\npost-item: OPS-2\npost-subject: x");
    std::fs::rename(sandbox.root.join("thoughts/shared/handoffs/events/c.md"), &theirs).unwrap();
    let told = push().exits(0).stdout;
    assert!(told.contains("item-not-reserved"), "{told}");
    entry().exits(0);
    std::fs::rename(&theirs, sandbox.root.join("thoughts/shared/handoffs/events/c.md")).unwrap();
    push().exits(1).says("the push was stopped");
    entry().exits(1);

    // Where a number is taken twice, only who came second has to move.
    post("cc", "post-kind: confirm\npost-item: OPS-2\npost-subject: x");
    push().exits(0);
    post("d", "post-kind: actionable\npost-item: OPS-2\npost-subject: y");
    assert!(push().exits(1).stdout.contains("duplicate-item"));
    std::fs::rename(sandbox.root.join("thoughts/shared/handoffs/events/d.md"), &theirs).unwrap();
    let told = push().exits(0).stdout;
    assert!(told.contains("duplicate-item"), "{told}");
}
