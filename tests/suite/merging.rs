//! Branches that both changed the ledger, merged by real git with the real merge driver and hooks.

use crate::sandbox::{Ended, FIRST_LINE, Sandbox, event, git, headwater, program, run, run_with_input};
use std::path::Path;

const VIEW: &str = "thoughts/shared/handoffs/current.md";
const BIN: &str = env!("CARGO_BIN_EXE_headwater");

/// A repository on `main` with one event and its view, and no merge driver.
fn plain_repo() -> Sandbox {
    let sandbox = Sandbox::repo();
    sandbox.put("events/README.md", "# Events\n");
    sandbox.put("events/start.md", event("2026-01-01T00:00:00Z", "start", "now: start\ngoal: g"));
    write(&sandbox.root, ".gitignore", ".synth.lock\n");
    write(&sandbox.root, ".gitattributes", &format!("{VIEW} merge=headwater\n"));
    sandbox.synth();
    sandbox.commit("start");
    sandbox
}

/// The same with the merge driver in its configuration.
fn repo() -> Sandbox {
    let sandbox = plain_repo();
    let driver = format!("\"{BIN}\" merge-driver %O %A %B %P %S %X %Y");
    sandbox.git(&["config", "merge.headwater.driver", &driver]);
    sandbox
}

fn write(top: &Path, name: &str, text: &str) {
    let path = top.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Writes an event of this name.
fn put_event(top: &Path, name: &str) {
    let day = 10 + name.bytes().map(u32::from).sum::<u32>() % 10;
    let text = event(&format!("2026-01-{day}T00:00:00Z"), name, &format!("now: {name}\nthis_session: [did {name}]"));
    write(top, &format!("thoughts/shared/handoffs/events/{name}.md"), &text);
}

fn synth(top: &Path, args: &[&str]) -> Ended {
    run(&mut headwater(top, &[&["synth", "--no-confirm"], args].concat())).exits(0)
}

fn commit(top: &Path, message: &str) -> String {
    synth(top, &[]);
    git(top, &["add", "-A"]);
    git(top, &["commit", "-q", "--allow-empty", "-m", message]);
    git(top, &["rev-parse", "HEAD"])
}

/// Goes to a new branch and commits one event with its view there.
fn branch(sandbox: &Sandbox, name: &str, from: &str) {
    sandbox.git(&["checkout", "-q", "-B", name, from]);
    put_event(&sandbox.root, name);
    commit(&sandbox.root, name);
}

/// `a` and `b`, which both changed the view.
fn two_branches() -> Sandbox {
    let sandbox = repo();
    branch(&sandbox, "a", "main");
    branch(&sandbox, "b", "main");
    sandbox
}

/// A commit's view is what its events give, and there are so many.
#[track_caller]
fn fresh(top: &Path, rev: &str, events: usize) {
    run(&mut headwater(top, &["synth", "--check", "--rev", rev])).exits(0).says(&format!("fresh: {events} event"));
}

/// Runs git as a user does.
fn try_git(top: &Path, args: &[&str]) -> Ended {
    run(program("git", top).args(args))
}

#[test]
fn every_way_of_merging() {
    let sandbox = two_branches();
    let root = &sandbox.root;
    for way in [
        &["merge", "-q", "--no-edit", "b"][..],
        &["merge", "-q", "--no-edit", "--no-ff", "-X", "theirs", "b"],
        &["pull", "-q", "--no-rebase", "--no-edit", ".", "b"],
        &["pull", "-q", "--rebase", ".", "b"],
        &["rebase", "-q", "b"],
        &["rebase", "-q", "--rebase-merges", "b"],
        &["rebase", "-q", "--onto", "b", "main"],
        &["cherry-pick", "b"],
    ] {
        sandbox.git(&["checkout", "-q", "-B", "t", "a"]);
        sandbox.git(way);
        fresh(root, "HEAD", 3);
        assert_eq!(sandbox.git(&["status", "--porcelain"]), "", "{way:?}");
        synth(root, &["--check"]);
    }
    sandbox.git(&["checkout", "-q", "-B", "t", "a"]);
    sandbox.git(&["merge", "-q", "--squash", "b"]);
    sandbox.git(&["commit", "-q", "-m", "squashed"]);
    fresh(root, "HEAD", 3);
    let tree = sandbox.git(&["merge-tree", "--write-tree", "a", "b"]);
    let merged = sandbox.git(&["commit-tree", "-p", "a", "-p", "b", "-m", "merged", &tree]);
    fresh(root, &merged, 3);
    sandbox.git(&["revert", "--no-edit", "HEAD"]);
    fresh(root, "HEAD", 2);
}

/// As a server does it, with no work tree at all.
#[test]
fn a_merge_in_a_bare_repository() {
    let sandbox = two_branches();
    let bare = sandbox.beside("bare.git");
    sandbox.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    git(&bare, &["config", "merge.headwater.driver", &sandbox.git(&["config", "merge.headwater.driver"])]);
    let tree = git(&bare, &["--attr-source=a", "merge-tree", "--write-tree", "a", "b"]);
    let merged = git(&bare, &["commit-tree", "-p", "a", "-p", "b", "-m", "merged", &tree]);
    git(&bare, &["update-ref", "refs/heads/merged", &merged]);
    sandbox.git(&["fetch", "-q", bare.to_str().unwrap(), "merged"]);
    fresh(&sandbox.root, "FETCH_HEAD", 3);
}

#[test]
fn worktrees_pull_from_a_remote() {
    let sandbox = repo();
    let remote = sandbox.beside("remote.git");
    sandbox.git(&["clone", "-q", "--bare", ".", remote.to_str().unwrap()]);
    sandbox.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    for (name, args) in [("one", &["--rebase"][..]), ("two", &["--rebase"]), ("three ü", &["--no-rebase", "--no-edit"])]
    {
        let tree = sandbox.beside(name);
        sandbox.git(&["worktree", "add", "-q", "--detach", tree.to_str().unwrap(), "main"]);
        for number in 1..=2 {
            put_event(&tree, &format!("{}{number}", &name[..2]));
            commit(&tree, name);
        }
        git(&tree, &[&["pull", "-q"], args, &["origin", "main"]].concat());
        fresh(
            &tree,
            "HEAD",
            if name == "one" {
                3
            } else if name == "two" {
                5
            } else {
                7
            },
        );
        for back in ["HEAD", "HEAD^"] {
            run(&mut headwater(&tree, &["synth", "--check", "--rev", back])).exits(0);
        }
        git(&tree, &["push", "-q", "origin", "HEAD:main"]);
    }
}

#[test]
fn three_branches_in_all_orders() {
    let sandbox = two_branches();
    branch(&sandbox, "c", "main");
    let mut views = Vec::new();
    for order in [["a", "b", "c"], ["a", "c", "b"], ["b", "a", "c"], ["b", "c", "a"], ["c", "a", "b"], ["c", "b", "a"]]
    {
        sandbox.git(&["checkout", "-q", "--detach", order[0]]);
        sandbox.git(&["merge", "-q", "--no-edit", order[1]]);
        sandbox.git(&["rebase", "-q", order[2]]);
        fresh(&sandbox.root, "HEAD", 4);
        sandbox.git(&["checkout", "-q", "--detach", order[0]]);
        sandbox.git(&["merge", "-q", "--no-edit", order[1]]);
        sandbox.git(&["merge", "-q", "--no-edit", order[2]]);
        fresh(&sandbox.root, "HEAD", 4);
        views.push(sandbox.git(&["rev-parse", &format!("HEAD:{VIEW}")]));
    }
    views.dedup();
    assert_eq!(views.len(), 1);
}

/// git's octopus strategy knows no merge drivers: it refuses, and nothing is changed.
#[test]
fn an_octopus_is_refused_and_one_after_the_other_works() {
    let sandbox = two_branches();
    branch(&sandbox, "c", "main");
    sandbox.git(&["checkout", "-q", "-B", "t", "a"]);
    assert_ne!(try_git(&sandbox.root, &["merge", "-q", "--no-edit", "b", "c"]).code, Some(0));
    sandbox.git(&["reset", "-q", "--hard"]);
    fresh(&sandbox.root, "HEAD", 2);
    for name in ["b", "c"] {
        sandbox.git(&["merge", "-q", "--no-edit", name]);
    }
    fresh(&sandbox.root, "HEAD", 4);
}

#[test]
fn criss_cross_merges() {
    let sandbox = two_branches();
    // An event that goes on one side after the first crossing must not come back.
    for round in ["1", "2"] {
        let (x, y) = (format!("x{round}"), format!("y{round}"));
        let (a, b) = if round == "1" { ("a", "b") } else { ("x1", "y1") };
        sandbox.git(&["checkout", "-q", "-B", &x, a]);
        sandbox.git(&["merge", "-q", "--no-edit", b]);
        sandbox.git(&["checkout", "-q", "-B", &y, b]);
        sandbox.git(&["merge", "-q", "--no-edit", a]);
        for name in [&x, &y] {
            sandbox.git(&["checkout", "-q", name]);
            put_event(&sandbox.root, &format!("new-{name}"));
            if name == "x2" {
                std::fs::remove_file(sandbox.dir.join("events/a.md")).unwrap();
            }
            commit(&sandbox.root, name);
        }
    }
    sandbox.git(&["checkout", "-q", "x2"]);
    assert!(sandbox.git(&["merge-base", "--all", "x2", "y2"]).lines().count() == 2);
    sandbox.git(&["merge", "-q", "--no-edit", "y2"]);
    fresh(&sandbox.root, "HEAD", 6);
}

#[test]
fn unrelated_histories_and_root_commits() {
    let sandbox = repo();
    sandbox.git(&["checkout", "-q", "--orphan", "other"]);
    std::fs::remove_file(sandbox.dir.join("events/start.md")).unwrap();
    put_event(&sandbox.root, "other");
    commit(&sandbox.root, "another root");
    branch(&sandbox, "a", "main");
    sandbox.git(&["merge", "-q", "--no-edit", "--allow-unrelated-histories", "other"]);
    fresh(&sandbox.root, "HEAD", 3);
    sandbox.git(&["checkout", "-q", "-B", "t", "a^"]);
    sandbox.git(&["cherry-pick", "other"]);
    fresh(&sandbox.root, "HEAD", 3);
}

/// Archives by hand, so that branches can differ in what they archive.
fn archive(top: &Path, name: &str) {
    let ledger = top.join("thoughts/shared/handoffs");
    let text = std::fs::read_to_string(ledger.join(format!("events/{name}.md"))).unwrap();
    let day = text.split("ts: ").nth(1).unwrap()[..10].to_owned();
    std::fs::remove_file(ledger.join(format!("events/{name}.md"))).unwrap();
    write(&ledger, &format!("archive/{day}/{name}.md"), &text);
}

#[test]
fn branches_that_archived_apart() {
    let sandbox = repo();
    for name in ["p", "q", "r"] {
        put_event(&sandbox.root, name);
    }
    sandbox.put("events/bad.md", "no event\n");
    sandbox.commit("more");
    commit(&sandbox.root, "more");
    for (name, archived) in [("a", &["p", "q"][..]), ("b", &["q", "r"])] {
        sandbox.git(&["checkout", "-q", "-B", name, "main"]);
        for event in archived {
            archive(&sandbox.root, event);
        }
        put_event(&sandbox.root, name);
        commit(&sandbox.root, name);
    }
    for (ours, theirs) in [("a", "b"), ("b", "a")] {
        for way in [&["merge", "-q", "--no-edit"][..], &["rebase", "-q"], &["cherry-pick"]] {
            sandbox.git(&["checkout", "-q", "-B", "t", ours]);
            sandbox.git(&[way, &[theirs]].concat());
            fresh(&sandbox.root, "HEAD", 6);
        }
    }
}

#[test]
fn packed_on_main_and_new_on_a_branch() {
    let sandbox = repo();
    sandbox.git(&["checkout", "-q", "-B", "work", "main"]);
    put_event(&sandbox.root, "work");
    sandbox.put("events/bad.md", "no event\n");
    commit(&sandbox.root, "work");
    sandbox.git(&["checkout", "-q", "main"]);
    put_event(&sandbox.root, "main");
    let pack = ["archive", "--older-than", "0h", "--pack-older-than", "0h", "--force"];
    sandbox.run(&pack).exits(0);
    commit(&sandbox.root, "packed");
    assert!(sandbox.git(&["ls-files"]).contains("/pack-"));
    for way in [&["merge", "-q", "--no-edit", "work"][..], &["rebase", "-q", "work"]] {
        sandbox.git(&["checkout", "-q", "-B", "t", "main"]);
        sandbox.git(way);
        fresh(&sandbox.root, "HEAD", 3);
    }
}

/// Append-only or not: an event that was removed, changed, or moved and changed comes out as in git's tree.
#[test]
fn events_that_were_removed_or_changed() {
    let sandbox = repo();
    for name in ["p", "q", "r"] {
        put_event(&sandbox.root, name);
    }
    commit(&sandbox.root, "more");
    sandbox.git(&["checkout", "-q", "-B", "a", "main"]);
    std::fs::remove_file(sandbox.dir.join("events/p.md")).unwrap();
    archive(&sandbox.root, "q");
    commit(&sandbox.root, "a");
    sandbox.git(&["checkout", "-q", "-B", "b", "main"]);
    for name in ["q", "r"] {
        let path = sandbox.dir.join(format!("events/{name}.md"));
        let text = std::fs::read_to_string(&path).unwrap().replace("now: ", "now: corrected ");
        std::fs::write(path, text).unwrap();
    }
    commit(&sandbox.root, "b");
    for (ours, theirs) in [("a", "b"), ("b", "a")] {
        sandbox.git(&["checkout", "-q", "-B", "t", ours]);
        sandbox.git(&["merge", "-q", "--no-edit", theirs]);
        fresh(&sandbox.root, "HEAD", 3);
    }
}

#[test]
fn the_configuration_of_the_merge_counts() {
    let sandbox = repo();
    let config = |text: &str| write(&sandbox.root, ".headwater.yaml", text);
    let sections = |title: &str| format!("# 1\n# 2\n# 3\n# 4\nsections:\n- {{name: now, title: {title}}}\n");
    config(&sections("Now"));
    commit(&sandbox.root, "configured");
    branch(&sandbox, "a", "main");
    sandbox.git(&["checkout", "-q", "-B", "b", "main"]);
    put_event(&sandbox.root, "b");
    config(&sections("Present"));
    commit(&sandbox.root, "b");
    sandbox.git(&["checkout", "-q", "-B", "c", "a"]);
    config(&sections("Now").replace("# 1", "view: branch"));
    commit(&sandbox.root, "c");
    for (ours, theirs) in [("a", "b"), ("b", "a"), ("c", "b"), ("b", "c")] {
        sandbox.git(&["checkout", "-q", "-B", "t", ours]);
        sandbox.git(&["merge", "-q", "--no-edit", theirs]);
        fresh(&sandbox.root, "HEAD", 3);
        assert!(sandbox.view().contains("**Present:**"), "{ours} {theirs}");
    }
}

#[test]
fn ledgers_at_other_places() {
    let sandbox = repo();
    write(&sandbox.root, ".headwater.yaml", "ledger: [a b/ü, other]\n");
    write(&sandbox.root, ".gitattributes", "current.md merge=headwater\n");
    for ledger in ["a b/ü", "other"] {
        write(&sandbox.root, &format!("{ledger}/events/README.md"), "# Events\n");
    }
    commit(&sandbox.root, "two ledgers");
    for name in ["x", "y"] {
        sandbox.git(&["checkout", "-q", "-B", name, "main"]);
        for ledger in ["a b/ü", "other"] {
            let text = event("2026-01-10T00:00:00Z", name, &format!("now: {name}"));
            write(&sandbox.root, &format!("{ledger}/events/{name}.md"), &text);
        }
        commit(&sandbox.root, name);
    }
    sandbox.git(&["merge", "-q", "--no-edit", "x"]);
    fresh(&sandbox.root, "HEAD", 2);
}

/// Where git does not say which commits it merges, ours stays and the next run mends it.
#[test]
fn a_stash_and_other_merges_without_commits() {
    let sandbox = two_branches();
    sandbox.git(&["checkout", "-q", "-B", "t", "a"]);
    put_event(&sandbox.root, "stashed");
    synth(&sandbox.root, &[]);
    sandbox.git(&["stash", "-q", "-u"]);
    sandbox.git(&["checkout", "-q", "b"]);
    let view = sandbox.view();
    let popped = try_git(&sandbox.root, &["stash", "pop", "-q"]).exits(0).says("stays ours for now");
    assert!(popped.stderr.contains("run `headwater`"), "{}", popped.stderr);
    assert_eq!(sandbox.view(), view);
    assert!(sandbox.synth().contains("did stashed"));

    sandbox.git(&["checkout", "-q", "-f", "-B", "t", "a"]);
    sandbox.git(&["rebase", "-q", "--apply", "b"]);
    assert!(sandbox.synth().contains("did a ("), "{}", sandbox.view());
}

/// Calls the driver as git does, on these three texts; gives what it says and the result.
fn drive(sandbox: &Sandbox, texts: [&str; 3], path: &str, labels: &[&str]) -> (Ended, String) {
    for (name, text) in ["O", "A", "B"].into_iter().zip(texts) {
        std::fs::write(sandbox.root.join(name), text).unwrap();
    }
    let ended = run(&mut headwater(&sandbox.root, &[&["merge-driver", "O", "A", "B", path], labels].concat()));
    (ended, std::fs::read_to_string(sandbox.root.join("A")).unwrap())
}

#[test]
fn labels_that_mislead_change_nothing() {
    let sandbox = two_branches();
    let text = |rev: &str| sandbox.git(&["show", &format!("{rev}:{VIEW}")]) + "\n";
    let (main, a, b) = (text("main"), text("a"), text("b"));
    let texts = [main.as_str(), &a, &b];
    let (ended, merged) = drive(&sandbox, texts, VIEW, &["main", "a", "b"]);
    ended.exits(0);
    assert!(merged.contains("did a (") && merged.contains("did b ("));
    for labels in [
        &["main", "a", "main"][..],
        &["a", "a", "b"],
        &["main", "b", "a"],
        &["main", "a", "nowhere"],
        &["main", "a", "--help"],
        &["", "", ""],
        &["%S", "%X", "%Y"],
        &[],
        &["Stash base", "Updated upstream", "Stashed changes"],
    ] {
        let (ended, result) = drive(&sandbox, texts, VIEW, labels);
        ended.exits(0).says("stays ours for now");
        assert_eq!(result, a, "{labels:?}");
    }
}

#[test]
fn what_is_no_view_is_merged_as_text() {
    let sandbox = two_branches();
    let (ended, merged) =
        drive(&sandbox, ["1\n2\n3\n4\n5\n", "0\n2\n3\n4\n5\n", "1\n2\n3\n4\n6\n"], "x.md", &["S", "X", "Y"]);
    ended.exits(0);
    assert_eq!(merged, "0\n2\n3\n4\n6\n");
    let (ended, merged) = drive(&sandbox, ["1\n", "2\n", "3\n"], VIEW, &["main", "a", "b"]);
    ended.exits(1);
    assert_eq!(merged, "<<<<<<< a\n2\n=======\n3\n>>>>>>> b\n");
    let text = |rev: &str| sandbox.git(&["show", &format!("{rev}:{VIEW}")]) + "\n";
    let mine = text("b") + "my own words\n";
    let (ended, merged) = drive(&sandbox, [&text("main"), &text("a"), &mine], VIEW, &["main", "a", "b"]);
    ended.exits(0).says("stays ours for now");
    assert_eq!(merged, text("a"));
    // A view by its first line, but not this configuration's: its lines are somebody's.
    for name in ["a", "b"] {
        sandbox.git(&["checkout", "-q", name]);
        write(&sandbox.root, "copy.md", &format!("{FIRST_LINE}{name}\n"));
        commit(&sandbox.root, "a copy");
    }
    let texts = ["", &text_at(&sandbox, "a:copy.md"), &text_at(&sandbox, "b:copy.md")];
    let (ended, merged) = drive(&sandbox, texts, "copy.md", &["main", "a", "b"]);
    ended.exits(1);
    assert!(merged.contains("<<<<<<< a\na\n"), "{merged}");
    let (ended, merged) = drive(&sandbox, texts, "copy.md", &["Stash base", "Updated upstream", "Stashed changes"]);
    ended.exits(1);
    assert!(merged.contains("<<<<<<< Updated upstream\na\n"), "{merged}");
}

fn text_at(sandbox: &Sandbox, what: &str) -> String {
    sandbox.git(&["show", what]) + "\n"
}

/// Without the driver in a clone's configuration.
#[test]
fn a_conflict_is_mended_in_one_run() {
    let sandbox = plain_repo();
    branch(&sandbox, "a", "main");
    branch(&sandbox, "b", "main");
    assert_eq!(try_git(&sandbox.root, &["merge", "-q", "--no-edit", "a"]).code, Some(1));
    assert!(sandbox.view().contains("<<<<<<< "));
    sandbox.run(&["--no-confirm"]).exits(0).says(&format!("git add {VIEW}"));
    sandbox.run(&["synth", "--check"]).exits(0);
    assert!(sandbox.git(&["ls-files", "-u"]).contains(VIEW), "the index is the user's");
    sandbox.git(&["add", VIEW]);
    let said = sandbox.run(&["--no-confirm"]).exits(0);
    assert!(!said.stderr.contains("git add"), "{}", said.stderr);
    sandbox.git(&["commit", "-q", "--no-edit"]);
    fresh(&sandbox.root, "HEAD", 3);
}

/// A queue that lands three worktrees one after the other, with the view brought up to date before each.
#[test]
fn a_merge_queue() {
    for with_driver in [true, false] {
        let sandbox = if with_driver { repo() } else { plain_repo() };
        let trees = ["one", "two", "three"].map(|name| {
            let tree = sandbox.beside(name);
            sandbox.git(&["worktree", "add", "-q", "-b", name, tree.to_str().unwrap(), "main"]);
            put_event(&tree, name);
            write(&tree, &format!("{name}.txt"), "work\n");
            git(&tree, &["add", "--", &format!("{name}.txt")]);
            git(&tree, &["commit", "-q", "-m", name]);
            tree
        });
        for (name, tree) in ["one", "two", "three"].into_iter().zip(&trees) {
            let synthesize =
                || run(program(env!("CARGO_BIN_EXE_cc-synthesize"), tree).args(["--no-confirm", "--commit"]));
            if with_driver {
                synthesize().exits(0).says("committed");
                sandbox.git(&["merge", "-q", "--no-ff", "--no-edit", name]);
            } else {
                // Without it: first what has landed, then the view.
                git(tree, &["merge", "-q", "--no-edit", "main"]);
                synthesize().exits(0);
                sandbox.git(&["merge", "-q", "--ff-only", name]);
            }
            run(&mut headwater(&sandbox.root, &["synth", "--check", "--rev", "HEAD"])).exits(0);
            run(&mut headwater(&sandbox.root, &["synth", "--check", "--rev", "HEAD", "--base", "HEAD^"])).exits(0);
        }
        fresh(&sandbox.root, "main", 4);
        assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    }
}

/// What a server makes of a pull request: a merge without a work tree, a driver or attributes.
#[track_caller]
fn hosted_merge(remote: &Path, name: &str) {
    let tree = git(remote, &["merge-tree", "--write-tree", "main", name]);
    let merged = git(remote, &["commit-tree", "-p", "main", "-p", name, "-m", name, &tree]);
    git(remote, &["update-ref", "refs/heads/main", &merged]);
}

#[test]
fn a_hosted_queue() {
    for view in ["default-branch", "untracked"] {
        let sandbox = plain_repo();
        write(&sandbox.root, ".headwater.yaml", &format!("view: {view}\n"));
        if view == "untracked" {
            write(&sandbox.root, ".gitignore", &format!(".synth.lock\n{VIEW}\n"));
            sandbox.git(&["rm", "-q", "--cached", VIEW]);
        }
        sandbox.commit("configured");
        let remote = sandbox.beside("remote.git");
        sandbox.git(&["clone", "-q", "--bare", ".", remote.to_str().unwrap()]);
        sandbox.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
        sandbox.git(&["fetch", "-q", "origin"]);
        sandbox.git(&["remote", "set-head", "origin", "main"]);
        for name in ["one", "two", "three"] {
            sandbox.git(&["checkout", "-q", "-b", name, "main"]);
            put_event(&sandbox.root, name);
            synth(&sandbox.root, &["--commit"]);
            sandbox.git(&["push", "-q", "origin", name]);
            sandbox.run(&["synth", "--check", "--rev", "HEAD", "--base", "origin/main"]).exits(0);
        }
        let clone = sandbox.beside("clone");
        sandbox.git(&["clone", "-q", remote.to_str().unwrap(), clone.to_str().unwrap()]);
        for (number, name) in (2..).zip(["one", "two", "three"]) {
            hosted_merge(&remote, name);
            git(&clone, &["fetch", "-q", "origin"]);
            git(&clone, &["reset", "-q", "--hard", "origin/main"]);
            synth(&clone, &["--commit"]);
            git(&clone, &["push", "-q", "origin", "HEAD:main"]);
            if view == "default-branch" {
                fresh(&clone, "origin/main", number);
            }
        }
        assert_eq!(git(&clone, &["ls-files", VIEW]).is_empty(), view == "untracked");
        let shown = synth(&clone, &["--output", "-"]).stdout;
        assert!(shown.contains("event_count: 4"), "{shown}");
    }
}

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
