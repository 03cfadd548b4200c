//! Branches that both changed the ledger, merged by real git with the real merge driver and hooks.

use crate::sandbox::{Ended, FIRST_LINE, Sandbox, event, git, headwater, program, run};
use std::path::Path;

pub(crate) const VIEW: &str = "thoughts/shared/handoffs/current.md";
pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_headwater");

/// A repository on `main` with one event and its view, and no merge driver.
pub(crate) fn plain_repo() -> Sandbox {
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
pub(crate) fn repo() -> Sandbox {
    let sandbox = plain_repo();
    let driver = format!("\"{BIN}\" merge-driver %O %A %B %P %S %X %Y");
    sandbox.git(&["config", "merge.headwater.driver", &driver]);
    sandbox
}

pub(crate) fn write(top: &Path, name: &str, text: &str) {
    let path = top.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Writes an event of this name.
pub(crate) fn put_event(top: &Path, name: &str) {
    let day = 10 + name.bytes().map(u32::from).sum::<u32>() % 10;
    let text = event(&format!("2026-01-{day}T00:00:00Z"), name, &format!("now: {name}\nthis_session: [did {name}]"));
    write(top, &format!("thoughts/shared/handoffs/events/{name}.md"), &text);
}

pub(crate) fn synth(top: &Path, args: &[&str]) -> Ended {
    run(&mut headwater(top, &[&["synth", "--no-confirm"], args].concat())).exits(0)
}

pub(crate) fn commit(top: &Path, message: &str) -> String {
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
pub(crate) fn try_git(top: &Path, args: &[&str]) -> Ended {
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
    assert!(sandbox.synth().contains("did a\n"), "{}", sandbox.view());
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
    assert!(merged.contains("did a\n") && merged.contains("did b\n"));
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
