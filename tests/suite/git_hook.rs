//! `headwater hook pre-push`, `post-merge`, `post-rewrite`, `post-checkout`: what git is told of a commit's view.

use crate::merging::{BIN, VIEW, commit, plain_repo, put_event, repo, synth, try_git, write};
use crate::sandbox::{Ended, Sandbox, git, headwater, run, run_with_input};

/// What git gives a pre-push hook.
fn push_line(commit: &str, there: &str) -> String {
    format!("refs/heads/x {commit} refs/heads/x {there}\n")
}

fn pre_push(sandbox: &Sandbox, input: &str) -> Ended {
    run_with_input(&mut headwater(&sandbox.root, &["hook", "pre-push", "origin", "url"]), input)
}

#[test]
fn a_push_of_a_stale_view_is_stopped() {
    let sandbox = repo();
    let good = sandbox.git(&["rev-parse", "HEAD"]);
    put_event(&sandbox.root, "late");
    let stale = sandbox.commit("an event without its view");
    let last = commit(&sandbox.root, "with it");
    let zero = "0".repeat(40);
    pre_push(&sandbox, &push_line(&stale, &good)).exits(1).says("headwater --no-confirm --commit").says("is stale");
    pre_push(&sandbox, &(push_line(&stale, &zero) + &push_line(&last, &good))).exits(1);
    let quiet = pre_push(&sandbox, &push_line(&last, &good)).exits(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    pre_push(&sandbox, &push_line(&zero, &stale)).exits(0);
    pre_push(&sandbox, "nonsense\n").exits(0);
    pre_push(&sandbox, &push_line(&last, &"a".repeat(40))).exits(0);
    sandbox.git(&["tag", "-a", "-m", "t", "stale-tag", &stale]);
    pre_push(&sandbox, &push_line(&sandbox.git(&["rev-parse", "stale-tag"]), &zero)).exits(1);
    let blob = sandbox.git(&["rev-parse", &format!("HEAD:{VIEW}")]);
    pre_push(&sandbox, &push_line(&blob, &zero)).exits(0);

    std::fs::remove_file(sandbox.dir.join("events/late.md")).unwrap();
    let gone = commit(&sandbox.root, "gone");
    let said = pre_push(&sandbox, &push_line(&gone, &last)).exits(1);
    assert!(said.stdout.contains("is gone"), "{}", said.stdout);
    pre_push(&sandbox, &push_line(&gone, &good)).exits(0);
    // A new branch is held against what the remote's default branch is known to have.
    sandbox.git(&["update-ref", "refs/remotes/origin/main", &last]);
    sandbox.git(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]);
    pre_push(&sandbox, &push_line(&gone, &zero)).exits(1);

    write(&sandbox.root, ".headwater.yaml", "triggers: {pre-push: {check: false}}\n");
    put_event(&sandbox.root, "later");
    let unchecked = sandbox.commit("stale, and not checked");
    write(&sandbox.root, ".headwater.yaml", "");
    pre_push(&sandbox, &push_line(&unchecked, &last)).exits(0);
    write(&sandbox.root, ".headwater.yaml", "bad: [\n");
    let broken = sandbox.commit("broken");
    pre_push(&sandbox, &push_line(&broken, &last)).exits(0).says("cannot check");
    sandbox.git(&["checkout", "-q", "--orphan", "none"]);
    sandbox.git(&["rm", "-rqf", "."]);
    std::fs::remove_dir_all(sandbox.root.join("thoughts")).unwrap();
    let none = sandbox.commit("no ledger");
    let quiet = pre_push(&sandbox, &push_line(&none, &zero)).exits(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

/// The hooks as git calls them, in a linked worktree too.
#[cfg(unix)]
#[test]
fn hooks_that_say_when_the_view_is_stale() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = plain_repo();
    for hook in ["pre-push", "post-merge", "post-rewrite", "post-checkout"] {
        let path = sandbox.root.join(".git/hooks").join(hook);
        std::fs::write(&path, format!("#!/bin/sh\nexec '{BIN}' hook {hook} \"$@\"\n")).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let tree = sandbox.beside("tree");
    sandbox.git(&["worktree", "add", "-q", "-b", "work", tree.to_str().unwrap()]);
    let try_in_tree = |args: &[&str]| try_git(&tree, args).exits(0);
    put_event(&sandbox.root, "a");
    let stale = sandbox.commit("stale");
    let advice = |ended: Ended, what: &str| {
        drop(ended.says(&format!("after this {what}")).says("headwater --no-confirm --commit"));
    };
    let silent = |ended: Ended| assert!(!ended.stderr.contains("headwater"), "{}", ended.stderr);
    silent(try_in_tree(&["commit", "-q", "--allow-empty", "-m", "own"]));
    advice(try_in_tree(&["merge", "-q", "--no-edit", "main"]), "merge");
    silent(try_in_tree(&["checkout", "-q", "-b", "same"]));
    silent(try_in_tree(&["checkout", "-q", "HEAD~1"]));
    advice(try_in_tree(&["checkout", "-q", "work"]), "checkout");
    silent(try_in_tree(&["checkout", "-q", "HEAD", "--", "."]));
    silent(try_in_tree(&["reset", "-q", "--hard", "HEAD~1"]));
    advice(try_in_tree(&["rebase", "-q", "main"]), "rewrite");
    silent(try_in_tree(&["commit", "-q", "--amend", "--no-edit", "--allow-empty"]));
    put_event(&tree, "amended");
    git(&tree, &["add", "-A"]);
    advice(try_in_tree(&["commit", "-q", "--amend", "--no-edit"]), "rewrite");
    let remote = sandbox.beside("remote.git");
    sandbox.git(&["init", "-q", "--bare", remote.to_str().unwrap()]);
    let pushed = try_git(&tree, &["push", "-q", remote.to_str().unwrap(), "work"]);
    assert_ne!(pushed.code, Some(0));
    assert!(pushed.stderr.contains("the push was stopped"), "{}", pushed.stderr);
    synth(&tree, &["--commit"]);
    try_in_tree(&["push", "-q", remote.to_str().unwrap(), "work"]);
    assert_ne!(stale, git(&tree, &["rev-parse", "HEAD"]));
    std::fs::write(sandbox.root.join(".headwater.yaml"), "bad: [\n").unwrap();
    silent(try_git(&sandbox.root, &["checkout", "-q", "-b", "x"]).exits(0));
    run(&mut headwater(sandbox.root.parent().unwrap(), &["hook", "post-merge", "0"])).exits(0);
}
