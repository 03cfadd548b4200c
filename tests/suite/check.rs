//! `headwater synth --check`: reads only, judges every byte, and says what to do.

use crate::sandbox::{Ended, FIRST_LINE, Sandbox, event, files_below, git, headwater, program, run, sha256};

const A: &str = "events/a.md";
const B: &str = "events/b.md";

fn text(agent: &str, now: &str) -> String {
    event("2026-01-10T13:00:00Z", agent, &format!("now: {now}"))
}

/// A repository with two events and their view on `main`, and the branch `work` checked out.
fn on_a_branch() -> Sandbox {
    let sandbox = Sandbox::repo();
    sandbox.put("events/README.md", "# Events\n");
    sandbox.put(A, text("a", "one"));
    sandbox.put(B, text("b", "two"));
    sandbox.synth();
    std::fs::write(sandbox.root.join(".gitignore"), ".synth.lock\n").unwrap();
    sandbox.commit("start");
    sandbox.git(&["checkout", "-q", "-b", "work"]);
    sandbox
}

fn check(sandbox: &Sandbox, args: &[&str]) -> Ended {
    sandbox.run(&[&["synth", "--check"], args].concat())
}

#[test]
fn the_three_exit_codes() {
    let sandbox = Sandbox::plain();
    sandbox.put(A, text("a", "one"));
    check(&sandbox, &[]).exits(1).says("stale");
    sandbox.synth();
    check(&sandbox, &[]).exits(0).says("fresh");
    sandbox.put(B, "bad\n");
    sandbox.synth();
    check(&sandbox, &[]).exits(0);
    check(&sandbox, &["--strict"]).exits(1).says("no-frontmatter");
    std::fs::remove_dir_all(sandbox.dir.join("events")).unwrap();
    check(&sandbox, &[]).exits(2).says("events");
    check(&sandbox, &["--output", "-"]).exits(2);
    check(&sandbox, &["--rev", "HEAD"]).exits(2).says("git");
}

#[test]
fn the_diff_is_unified() {
    let sandbox = Sandbox::plain();
    sandbox.put(A, text("a", "one"));
    sandbox.synth();
    sandbox.put(B, text("b", "two"));
    let diff = check(&sandbox, &[]).exits(1).stdout;
    let lines: Vec<&str> = diff.lines().collect();
    assert!(lines[0].starts_with("--- ") && lines[1].starts_with("+++ ") && lines[2].starts_with("@@ -"), "{diff}");
    for line in [
        "-**Now:** one (a, 2026-01-10)",
        "+**Now:** two (b, 2026-01-10)",
        "-  event_count: 1",
        "+  event_count: 2",
        " ## Ledger",
    ] {
        assert!(lines.contains(&line), "{line} in\n{diff}");
    }
}

#[test]
fn every_byte_counts() {
    let sandbox = Sandbox::plain();
    sandbox.put(A, text("a", "one"));
    let view = sandbox.synth();
    for stale in
        [view.trim_end().to_owned(), view.clone() + "\n", view.replace('\n', "\r\n"), view.replace("one", "One")]
    {
        sandbox.put("current.md", &stale);
        check(&sandbox, &[]).exits(1);
        assert_eq!(sandbox.view(), stale);
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = on_a_branch();
    std::fs::remove_file(sandbox.dir.join(".synth.lock")).unwrap();
    let mode = |mode: u32| std::fs::set_permissions(&sandbox.dir, PermissionsExt::from_mode(mode)).unwrap();
    let before = files_below(&sandbox.root);
    mode(0o555);
    let codes = [&[][..], &["--rev", "HEAD"], &["--base", "main"]].map(|args| check(&sandbox, args).code);
    mode(0o755);
    assert_eq!(codes, [Some(0); 3]);
    assert_eq!(files_below(&sandbox.root), before);
}

#[test]
fn a_commit_is_checked_by_itself() {
    let sandbox = on_a_branch();
    sandbox.put("events/new.md", text("c", "three"));
    std::fs::write(sandbox.root.join(".headwater.yaml"), "sections: [{name: now, title: Present}]\n").unwrap();
    check(&sandbox, &[]).exits(1);
    check(&sandbox, &["--rev", "HEAD"]).exits(0);
    let stale = sandbox.commit("an event without its view");
    sandbox.synth();
    check(&sandbox, &[]).exits(0);
    let ended = check(&sandbox, &["--rev", &stale]).exits(1);
    assert!(ended.stdout.contains("+**Present:** three (c, 2026-01-10)"), "{}", ended.stdout);
    check(&sandbox, &["--rev", "HEAD~1"]).exits(0);
    check(&sandbox, &["--rev", "nowhere"]).exits(2).says("nowhere");
    check(&sandbox, &["--rev", "--help"]).exits(2);
}

#[test]
fn archives_and_bad_files_of_a_commit() {
    let sandbox = on_a_branch();
    sandbox.put("events/bad.md", "x\n");
    sandbox.put("events/old.md", event("2020-01-01T00:00:00Z", "old", "goal: g"));
    sandbox.put("events/older.md", event("2019-01-01T00:00:00Z", "older", "this_session: [w]"));
    sandbox.run(&["archive", "--older-than", "1h", "--pack-older-than", "330w", "--force"]).exits(0);
    sandbox.synth();
    sandbox.commit("all kinds of files");
    let kept = sandbox.git(&["ls-files"]);
    assert!(kept.contains("archive/2020-01-01/") && kept.contains("/pack-"), "{kept}");
    std::fs::remove_dir_all(&sandbox.dir).unwrap();
    check(&sandbox, &["--rev", "HEAD"]).exits(0).says("bad.md:1:1: no-frontmatter");
}

#[test]
fn an_event_that_is_gone_or_changed() {
    let sandbox = on_a_branch();
    let id = sha256(&text("a", "one"));
    check(&sandbox, &["--base", "main"]).exits(0);

    std::fs::remove_file(sandbox.dir.join(A)).unwrap();
    sandbox.synth();
    let ended = check(&sandbox, &["--base", "main"]).exits(1);
    assert!(
        ended.stdout.contains("a.md") && ended.stdout.contains("is gone") && ended.stdout.contains(&id[..12]),
        "{}",
        ended.stdout
    );
    check(&sandbox, &["--base", "main", "--allow-missing", &id[..12]]).exits(0);
    check(&sandbox, &["--base", "main", "--allow-missing", &id]).exits(0);
    check(&sandbox, &["--base", "main", "--allow-missing", &sha256("other")[..12]]).exits(1);
    check(&sandbox, &["--base", "main", "--allow-missing", "abc"]).exits(2).says("--allow-missing");
    sandbox.commit("gone");
    check(&sandbox, &["--rev", "HEAD", "--base", "main"]).exits(1);

    sandbox.put(A, text("a", "other words"));
    sandbox.synth();
    let ended = check(&sandbox, &["--base", "main"]).exits(1);
    assert!(ended.stdout.contains("a.md") && ended.stdout.contains("was changed"), "{}", ended.stdout);

    sandbox.put(A, text("a", "one") + "\n\n");
    sandbox.synth();
    check(&sandbox, &["--base", "main"]).exits(0);
}

#[test]
fn an_event_that_only_moved_is_there() {
    let sandbox = on_a_branch();
    sandbox.run(&["archive", "--older-than", "0h", "--pack-older-than", "0h", "--force"]).exits(0);
    assert!(!sandbox.dir.join(A).exists());
    check(&sandbox, &["--base", "main"]).exits(0);
    sandbox.commit("packed");
    check(&sandbox, &["--rev", "HEAD", "--base", "main"]).exits(0);
}

#[test]
fn a_branch_that_is_merely_behind() {
    let sandbox = on_a_branch();
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.put("events/later.md", text("later", "three"));
    sandbox.synth();
    sandbox.commit("main goes on");
    sandbox.git(&["checkout", "-q", "work"]);
    assert!(!sandbox.dir.join("events/later.md").exists());
    check(&sandbox, &["--base", "main"]).exits(0);
    check(&sandbox, &["--rev", "HEAD", "--base", "main"]).exits(0);
}

#[test]
fn a_shallow_clone_cannot_tell() {
    let sandbox = on_a_branch();
    sandbox.commit("work goes on");
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.commit("main goes on");
    let (clone, url) = (sandbox.beside("clone"), format!("file://{}", sandbox.root.display()));
    git(&sandbox.root, &["clone", "-q", "--depth", "1", "-b", "work", &url, clone.to_str().unwrap()]);
    git(&clone, &["fetch", "-q", "--depth", "1", "origin", "main:refs/remotes/origin/main"]);
    let check = || run(&mut headwater(&clone, &["synth", "--check", "--base", "origin/main"]));
    check().exits(2).says("git fetch --unshallow");
    git(&clone, &["fetch", "-q", "--unshallow", "origin", "main:refs/remotes/origin/main", "work"]);
    check().exits(0);
}

#[test]
fn a_sparse_checkout_is_completed_from_the_index() {
    let sandbox = on_a_branch();
    sandbox.put("events/old.md", event("2020-01-01T00:00:00Z", "old", "goal: g"));
    sandbox.run(&["archive", "--older-than", "330w"]).exits(0);
    let view = sandbox.synth();
    sandbox.commit("archived");
    for patterns in [
        &["/*", "!/thoughts/shared/handoffs/archive/"][..],
        &["/*", "!/thoughts/shared/handoffs/events/a.md"],
        &["/*", "!/thoughts/shared/handoffs/current.md"],
    ] {
        sandbox.git(&[&["sparse-checkout", "set", "--no-cone"], patterns].concat());
        check(&sandbox, &[]).exits(0);
        check(&sandbox, &["--base", "main"]).exits(0);
        assert_eq!(sandbox.fresh(), view, "{patterns:?}");
    }
    sandbox.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/thoughts/shared/handoffs/archive/"]);
    assert_eq!(sandbox.synth(), view);
}

#[test]
fn a_sparse_checkout_that_hides_the_whole_ledger() {
    let sandbox = on_a_branch();
    sandbox.git(&["sparse-checkout", "set", "nothing"]);
    assert!(!sandbox.dir.join("events").exists());
    check(&sandbox, &[]).exits(0);
}

#[test]
fn a_view_that_is_not_tracked() {
    let sandbox = on_a_branch();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "view: untracked\n").unwrap();
    std::fs::remove_file(sandbox.dir.join("current.md")).unwrap();
    check(&sandbox, &[]).exits(0).says("not committed here");
    sandbox.commit("without a view");
    check(&sandbox, &["--rev", "HEAD"]).exits(0).says("not committed here");
    std::fs::remove_file(sandbox.dir.join(A)).unwrap();
    check(&sandbox, &["--base", "main"]).exits(1);
}

#[test]
fn a_view_of_the_default_branch() {
    let sandbox = on_a_branch();
    sandbox.git(&["config", "init.defaultBranch", "main"]);
    std::fs::write(sandbox.root.join(".headwater.yaml"), "view: default-branch\n").unwrap();
    sandbox.put("events/new.md", text("c", "three"));
    check(&sandbox, &[]).exits(0).says("not committed here");
    sandbox.commit("an event without its view");
    check(&sandbox, &["--rev", "HEAD"]).exits(0);
    sandbox.git(&["checkout", "-q", "main"]);
    sandbox.git(&["merge", "-q", "--no-edit", "work"]);
    check(&sandbox, &[]).exits(1);
    check(&sandbox, &["--rev", "HEAD"]).exits(1);
    sandbox.synth();
    check(&sandbox, &[]).exits(0);
}

#[test]
fn a_report_for_programs() {
    let sandbox = on_a_branch();
    sandbox.put("events/new.md", text("c", "\"\\e[2J\\u202e\""));
    sandbox.put("events/bad.md", "x\n");
    let report = check(&sandbox, &["--format", "json"]).exits(1).json();
    assert_eq!((&report["schema"], &report["fresh"]), (&"headwater.check/1".into(), &false.into()));
    assert!(report["diff"].as_str().unwrap().contains(r"\u{1b}[2J\u{202e}"), "{report}");
    assert_eq!(report["unreadable"][0]["code"], "no-frontmatter");
}

#[test]
fn a_check_starts_without_a_home_or_a_name() {
    let sandbox = on_a_branch();
    let mut command = program(env!("CARGO_BIN_EXE_headwater"), &sandbox.root);
    for variable in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "HOME"] {
        command.env_remove(variable);
    }
    run(command.args(["synth", "--check", "--rev", "HEAD"])).exits(0);
}

#[test]
fn a_guard_that_a_branch_cannot_switch_off() {
    let deleted = on_a_branch();
    deleted.git(&["rm", "-rq", "thoughts"]);
    deleted.commit("everything is gone");
    check(&deleted, &["--rev", "HEAD", "--base", "main"]).exits(1);

    let reconfigured = on_a_branch();
    std::fs::write(reconfigured.root.join(".headwater.yaml"), "sections:\n- {name: now, merge: map}\n").unwrap();
    std::fs::remove_file(reconfigured.dir.join(A)).unwrap();
    reconfigured.synth();
    reconfigured.commit("an event is gone, and `now` is a map");
    assert!(check(&reconfigured, &["--base", "main"]).exits(1).stdout.contains("is gone"));
    check(&reconfigured, &["--rev", "HEAD", "--base", "main"]).exits(1);

    let moved = on_a_branch();
    std::fs::rename(moved.root.join("thoughts"), moved.root.join("led")).unwrap();
    std::fs::write(moved.root.join(".headwater.yaml"), "ledger: led/shared/handoffs\n").unwrap();
    moved.commit("the ledger moves");
    check(&moved, &["--base", "main"]).exits(0);
    moved.git(&["rm", "-q", "led/shared/handoffs/events/a.md"]);
    moved.commit("and loses an event");
    check(&moved, &["--rev", "HEAD", "--base", "main"]).exits(1);
}

#[test]
fn a_commit_is_judged_by_its_own_configuration() {
    let sandbox = on_a_branch();
    std::fs::rename(sandbox.dir.clone(), sandbox.root.join("led")).unwrap();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "ledger: led\n").unwrap();
    let view = std::fs::read_to_string(sandbox.root.join("led/current.md")).unwrap();
    std::fs::write(sandbox.root.join("led/current.md"), view.replace("two", "three")).unwrap();
    sandbox.commit("moved, and stale");
    sandbox.git(&["checkout", "-q", "main"]);
    std::fs::write(sandbox.root.join(".headwater.yaml"), "bad: [").unwrap();
    check(&sandbox, &["--rev", "work"]).exits(1).says("led/current.md is stale");
    check(&sandbox, &["--rev", "main"]).exits(0);
    check(&sandbox, &[]).exits(2);
}

#[test]
fn an_unknown_default_branch_is_no_answer() {
    let sandbox = on_a_branch();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "view: default-branch\n").unwrap();
    sandbox.put("current.md", FIRST_LINE);
    sandbox.commit("stale");
    sandbox.git(&["branch", "-m", "main", "one"]);
    check(&sandbox, &[]).exits(2).says("git remote set-head origin -a");
    check(&sandbox, &["--rev", "HEAD"]).exits(2).says("git remote set-head origin -a");
}

#[test]
fn a_folder_under_an_events_name() {
    let sandbox = on_a_branch();
    sandbox.put("events/foo.md/deep/bar.txt", "x\n");
    sandbox.put("events/foo.md/bar.txt", "x\n");
    assert!(sandbox.synth().contains("foo.md"));
    sandbox.commit("a folder");
    check(&sandbox, &[]).exits(0);
    check(&sandbox, &["--rev", "HEAD"]).exits(0);
}

#[test]
fn a_sparse_checkout_with_the_archive_alone() {
    let sandbox = on_a_branch();
    sandbox.run(&["archive", "--older-than", "1d"]).exits(0);
    sandbox.put("events/c.md", event("2026-01-12T01:00:00Z", "c", "now: three"));
    sandbox.synth();
    sandbox.commit("archived");
    sandbox.git(&["sparse-checkout", "set", "thoughts/shared/handoffs/archive"]);
    check(&sandbox, &[]).exits(0).says("3 events");
}

#[test]
fn one_ledger_of_a_list_that_cannot_be_read() {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "ledger: [none, thoughts/shared/handoffs]\n").unwrap();
    sandbox.put(A, text("a", "one"));
    sandbox.run(&["synth", "--no-confirm"]).exits(2).says("none");
    assert!(sandbox.view().contains("one"));
    sandbox.put("current.md", FIRST_LINE);
    check(&sandbox, &[]).exits(2).says("is stale");
    sandbox.run(&["synth", "--output", "both.md"]).exits(2).says("several ledgers");
}
