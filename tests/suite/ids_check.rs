//! `headwater id check`: what it must name, and what it must leave alone.

use crate::sandbox::{Ended, Sandbox, git, headwater, run};
use std::path::{Path, PathBuf};

const CONFIG: &str = "ids:
  ADR: {format: \"ADR-{n:04}\", files: \"docs/adr/{n:04}-{slug}.md\"}
  SEC: {sources: [TASKS.md]}
";

const TASKS: &str = "| ID | Task |\n|---|---|\n| SEC-1 | Old |\n";

/// A text that is like no other one's.
fn text(title: &str) -> String {
    (1..9).fold(String::new(), |text, n| text + &format!("{title} says {title} {n} times.\n"))
}

fn adr(top: &Path, number: u64, slug: &str) -> PathBuf {
    let path = top.join(format!("docs/adr/{number:04}-{slug}.md"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text(slug)).unwrap();
    path
}

fn check(cwd: &Path, args: &[&str]) -> Ended {
    run(headwater(cwd, &["id", "check"]).args(args))
}

/// The check names these as one number's, and nothing else as a collision.
#[track_caller]
fn collides(cwd: &Path, args: &[&str], expected: &str) {
    let said = check(cwd, args).exits(1).stdout;
    let collisions: Vec<&str> = said.lines().filter(|line| line.contains(": id-collision: ")).collect();
    assert!(collisions.len() == 1 && collisions[0].contains(expected), "no {expected:?} in:\n{said}");
}

#[track_caller]
fn is_clean(cwd: &Path, args: &[&str]) {
    let said = check(cwd, args).exits(0).stdout;
    assert!(!said.contains("collision"), "{said}");
}

/// A repository with one file, and a worktree beside it.
fn repo() -> (Sandbox, PathBuf) {
    let repo = Sandbox::repo();
    std::fs::write(repo.root.join(".headwater.yaml"), CONFIG).unwrap();
    std::fs::write(repo.root.join("TASKS.md"), TASKS).unwrap();
    adr(&repo.root, 1, "first");
    repo.commit("start");
    run(&mut headwater(&repo.root, &["id", "init"])).exits(0);
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    (repo, linked)
}

/// A bare remote of the repository, and its name in `origin`.
fn remote(repo: &Sandbox) -> PathBuf {
    let bare = repo.beside("remote.git");
    repo.git(&["init", "-q", "--bare", bare.to_str().unwrap()]);
    repo.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
    repo.git(&["push", "-q", "origin", "main"]);
    bare
}

#[test]
fn files_that_are_not_committed_collide_wherever_they_lie() {
    let (repo, linked) = repo();
    // Two worktrees on one commit.
    let (mine, theirs) = (adr(&repo.root, 6, "mine"), adr(&linked, 6, "theirs"));
    for top in [&repo.root, &linked] {
        collides(top, &["--no-fetch"], "ADR-0006 is used for `mine` and `theirs`");
    }
    // The same file in both is one.
    std::fs::remove_file(theirs).unwrap();
    let same = adr(&linked, 6, "mine");
    is_clean(&repo.root, &["--no-fetch"]);
    std::fs::remove_file(same).unwrap();
    // A sibling whose commit is an older one.
    repo.commit("mine");
    let late = adr(&linked, 6, "late");
    collides(&linked, &["--no-fetch"], "`late` and `mine`");
    collides(&repo.root, &["--no-fetch"], "`late` and `mine`");
    std::fs::remove_file(late).unwrap();
    // A file that HEAD has, under another name in the work tree: the same thing.
    std::fs::rename(mine, repo.root.join("docs/adr/0006-better.md")).unwrap();
    is_clean(&repo.root, &["--no-fetch"]);
    is_clean(&linked, &["--no-fetch"]);
}

#[test]
fn a_file_that_is_not_committed_collides_with_the_remotes_newer_commit() {
    let (repo, linked) = repo();
    remote(&repo);
    adr(&linked, 6, "pushed");
    git(&linked, &["add", "-A"]);
    git(&linked, &["commit", "-q", "-m", "six"]);
    git(&linked, &["push", "-q", "origin", "HEAD:main"]);
    repo.git(&["worktree", "remove", linked.to_str().unwrap()]);
    repo.git(&["branch", "-q", "-D", "side"]);
    adr(&repo.root, 6, "own");
    collides(&repo.root, &[], "`own` and `pushed`");
}

#[test]
fn a_number_that_is_given_to_an_unrelated_file_is_no_renaming() {
    let (repo, linked) = repo();
    // The slug changes, and with it some of the text.
    git(&linked, &["mv", "docs/adr/0001-first.md", "docs/adr/0001-better.md"]);
    std::fs::write(linked.join("docs/adr/0001-better.md"), text("first") + "More.\n").unwrap();
    git(&linked, &["commit", "-q", "-a", "-m", "renamed"]);
    is_clean(&repo.root, &["--no-fetch"]);
    // Step by step nothing of the text stays.
    std::fs::write(linked.join("docs/adr/0001-better.md"), text("better")).unwrap();
    git(&linked, &["commit", "-q", "-a", "-m", "rewritten"]);
    is_clean(&repo.root, &["--no-fetch"]);
    // Another branch throws it away and takes its number.
    repo.git(&["checkout", "-q", "-b", "reuse"]);
    repo.git(&["rm", "-q", "docs/adr/0001-first.md"]);
    adr(&repo.root, 1, "unrelated");
    repo.commit("reused");
    collides(&repo.root, &["--no-fetch", "--base", "main"], "`unrelated`");
    collides(&linked, &["--no-fetch"], "`unrelated`");
    // A tag of the time before is no use of today.
    repo.git(&["tag", "v1", "main"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["branch", "-q", "-D", "reuse"]);
    repo.git(&["merge", "-q", "side"]);
    is_clean(&repo.root, &["--no-fetch"]);
}

#[test]
fn what_settles_a_collision_is_clean() {
    let (repo, linked) = repo();
    // A branch that was pushed gives its number up.
    adr(&linked, 6, "late");
    git(&linked, &["add", "-A"]);
    git(&linked, &["commit", "-q", "-m", "six"]);
    repo.git(&["branch", "pushed", "side"]);
    adr(&repo.root, 6, "early");
    repo.commit("six");
    collides(&linked, &["--no-fetch", "--base", "main"], "`early` and `late`");
    git(&linked, &["mv", "docs/adr/0006-late.md", "docs/adr/0007-late.md"]);
    git(&linked, &["commit", "-q", "-m", "seven"]);
    is_clean(&linked, &["--no-fetch", "--base", "main"]);
    is_clean(&repo.root, &["--no-fetch"]);
    // Its older state is named where it is checked out.
    git(&linked, &["checkout", "-q", "pushed"]);
    collides(&linked, &["--no-fetch", "--base", "main"], "`early` and `late`");
    git(&linked, &["checkout", "-q", "side"]);
    // The base has both, and a branch that gives one of them another number.
    adr(&repo.root, 6, "second");
    repo.commit("twice");
    collides(&repo.root, &["--no-fetch"], "`early` and `second`");
    collides(&linked, &["--no-fetch", "--base", "main"], "`early` and `second`");
    git(&linked, &["merge", "-q", "main"]);
    git(&linked, &["mv", "docs/adr/0006-second.md", "docs/adr/0008-second.md"]);
    git(&linked, &["commit", "-q", "-m", "eight"]);
    is_clean(&linked, &["--no-fetch", "--base", "main"]);
    collides(&repo.root, &["--no-fetch"], "`early` and `second`");
}

#[test]
fn rows_that_were_edited_are_the_same_rows() {
    let (repo, linked) = repo();
    let put = |top: &Path, rows: &str| std::fs::write(top.join("TASKS.md"), format!("{TASKS}{rows}")).unwrap();
    put(&linked, "| SEC-2 | New |\n");
    git(&linked, &["commit", "-q", "-a", "-m", "two"]);
    repo.git(&["branch", "pushed", "side"]);
    put(&linked, "| SEC-2 | New and better |\n");
    is_clean(&linked, &["SEC", "--no-fetch"]);
    git(&linked, &["commit", "-q", "-a", "-m", "better"]);
    is_clean(&repo.root, &["SEC", "--no-fetch"]);
    std::fs::write(repo.root.join("TASKS.md"), TASKS.replace("Old", "Older")).unwrap();
    is_clean(&repo.root, &["SEC", "--no-fetch"]);
    put(&repo.root, "| SEC-2 | Another |\n");
    let said = check(&repo.root, &["SEC", "--no-fetch"]).exits(1).stdout;
    assert!(
        said.contains("SEC-2 is used for `Another` and `New and better`") && said.contains("id reserve SEC"),
        "{said}"
    );
}

#[test]
fn pull_requests_are_looked_at_while_they_are_open() {
    let (repo, linked) = repo();
    let bare = remote(&repo);
    adr(&linked, 6, "theirs");
    git(&linked, &["add", "-A"]);
    git(&linked, &["commit", "-q", "-m", "six"]);
    let theirs = git(&linked, &["rev-parse", "HEAD"]);
    let show = |reference: &str| git(&linked, &["push", "-q", "origin", &format!("HEAD:{reference}")]);
    let hide = |reference: &str| git(&bare, &["update-ref", "-d", reference]);
    show("refs/heads/feature/x");
    repo.git(&["worktree", "remove", linked.to_str().unwrap()]);
    repo.git(&["branch", "-q", "-D", "side"]);
    repo.git(&["update-ref", "-d", "refs/remotes/origin/feature/x"]);
    adr(&repo.root, 6, "own");
    collides(&repo.root, &[], "0006-theirs.md in feature/x");
    // The branch is gone, and another one has the name of its folder.
    hide("refs/heads/feature/x");
    git(&bare, &["update-ref", "refs/heads/feature", "refs/heads/main"]);
    is_clean(&repo.root, &[]);
    // What was seen once stays spent all the same.
    assert_eq!(run(&mut headwater(&repo.root, &["id", "next", "ADR"])).exits(0).stdout, "ADR-0007\n");
    for (kind, name) in [("refs/pull/7", "pull/7"), ("refs/merge-requests/8", "merge-requests/8")] {
        let reference = |what: &str| format!("{kind}/{what}");
        git(&bare, &["update-ref", &reference("head"), &theirs]);
        git(&bare, &["update-ref", &reference("merge"), &theirs]);
        collides(&repo.root, &[], &format!("0006-theirs.md in {name}"));
        // Others are open, this one is closed.
        hide(&reference("merge"));
        let other = kind.replace(|c: char| c.is_ascii_digit(), "9");
        for what in ["head", "merge"] {
            git(&bare, &["update-ref", &format!("{other}/{what}"), "refs/heads/main"]);
        }
        is_clean(&repo.root, &[]);
        // A host that does not show which ones are open.
        for what in ["head", "merge"] {
            hide(&format!("{other}/{what}"));
        }
        let said = check(&repo.root, &[]).exits(0).stdout;
        assert!(said.contains("id-maybe-collision: ADR-0006 is used for `own` and `theirs`"), "{said}");
        assert!(check(&repo.root, &["--github"]).exits(0).stdout.contains("::warning file=docs/adr/0006-own.md"));
        hide(&reference("head"));
        is_clean(&repo.root, &[]);
    }
}

/// A checkout as CI makes it: no branch, no default branch, all of the history.
#[test]
fn the_merge_commit_of_a_pull_request() {
    let (repo, linked) = repo();
    let bare = remote(&repo);
    adr(&linked, 6, "pulled");
    git(&linked, &["mv", "docs/adr/0001-first.md", "docs/adr/0001-better.md"]);
    git(&linked, &["add", "-A"]);
    git(&linked, &["commit", "-q", "-m", "six"]);
    git(&linked, &["push", "-q", "origin", "HEAD:refs/pull/3/head", "HEAD:feature"]);
    let merged = repo.git(&["merge-tree", "--write-tree", "main", "side"]);
    let commit = repo.git(&["commit-tree", &merged, "-p", "main", "-p", "side", "-m", "merge"]);
    repo.git(&["push", "-q", "origin", &format!("{commit}:refs/pull/3/merge")]);
    let ci = repo.beside("ci");
    git(&repo.root, &["init", "-q", ci.to_str().unwrap()]);
    git(&ci, &["remote", "add", "origin", bare.to_str().unwrap()]);
    let branches = "+refs/heads/*:refs/remotes/origin/*";
    git(&ci, &["fetch", "-q", "--no-tags", "origin", branches, "+refs/pull/3/merge:refs/remotes/pull/3/merge"]);
    git(&ci, &["checkout", "-q", "--detach", "refs/remotes/pull/3/merge"]);
    is_clean(&ci, &[]);
    is_clean(&ci, &["--base", "origin/main", "--github"]);
    // Meanwhile the number was taken on the base.
    adr(&repo.root, 6, "main");
    repo.commit("main");
    repo.git(&["push", "-q", "origin", "main"]);
    collides(&ci, &[], "`main` and `pulled`");
    let said = check(&ci, &["--github"]).exits(1).stdout;
    assert!(said.starts_with("::error file=docs/adr/0006-pulled.md,line=1,title=id-collision::ADR-0006 "), "{said}");
    check(&ci, &["--base", "origin/none"]).exits(2);
    git(&ci, &["remote", "set-url", "origin", "/nowhere"]);
    check(&ci, &[]).exits(2).says("cannot see the branches of `origin`");
    let shallow = repo.beside("shallow");
    let url = format!("file://{}", bare.display());
    git(&repo.root, &["clone", "-q", "--depth", "1", "--no-single-branch", &url, shallow.to_str().unwrap()]);
    let said = check(&shallow, &["--no-fetch"]).exits(2).says("this clone is shallow");
    said.says("fetch-depth: 0");
}

/// A file's heading and a text that is like no other's.
fn titled(top: &Path, name: &str, title: &str) {
    std::fs::write(top.join("docs/adr").join(name), format!("# ADR-0002: {title}\n\n{}", text(title))).unwrap();
}

#[test]
fn what_lies_beside_a_numbered_file_belongs_to_it() {
    let (repo, linked) = repo();
    adr(&repo.root, 2, "two");
    repo.commit("two");
    let adrs = repo.root.join("docs/adr");
    for name in ["0002-two.png", "0002-two.md~", "0002-two.md.orig", "0002-two.draft.md", "0002-other.svg"] {
        std::fs::write(adrs.join(name), "x").unwrap();
    }
    std::fs::create_dir(adrs.join("0002-two")).unwrap();
    std::fs::write(adrs.join("0002-two/picture.png"), "x").unwrap();
    is_clean(&repo.root, &["ADR", "--no-fetch"]);
    repo.commit("neighbours");
    is_clean(&linked, &["ADR", "--no-fetch"]);
    // Their number stays taken all the same.
    std::fs::write(adrs.join("0009-gone.md.stub"), "x").unwrap();
    assert_eq!(run(&mut headwater(&repo.root, &["id", "next", "ADR"])).exits(0).stdout, "ADR-0010\n");
    // Names that are nearly numbered ones are said, and so is nothing that has another ending.
    for name in ["0002_under.md", "0002.md", "0002.png", "0003.md"] {
        std::fs::write(adrs.join(name), "x").unwrap();
    }
    let said = check(&repo.root, &["ADR", "--no-fetch"]).exits(0).stdout;
    let odd: Vec<&str> = said.lines().filter(|line| line.contains("id-odd-name")).collect();
    assert!(
        odd.len() == 2
            && odd[0].starts_with("docs/adr/0002.md: id-odd-name: ADR-0002 is the number of docs/adr/0002-two.md")
            && odd[1].starts_with("docs/adr/0002_under.md: "),
        "{said}"
    );
    // Another slug, or another width, is another thing.
    std::fs::write(adrs.join("2-second.md"), "x").unwrap();
    collides(&repo.root, &["ADR", "--no-fetch"], "`second` and `two`");
}

#[test]
fn one_name_with_two_titles() {
    let (repo, linked) = repo();
    titled(&linked, "0002-cache.md", "Redis cache");
    git(&linked, &["add", "-A"]);
    git(&linked, &["commit", "-q", "-m", "redis"]);
    // The same file, edited and with another title later on: in a work tree, on its branch, on one that stands
    // on it, and where it was picked.
    repo.git(&["branch", "older", "side"]);
    titled(&linked, "0002-cache.md", "Redis Cluster");
    is_clean(&linked, &["--no-fetch", "--base", "main"]);
    git(&linked, &["commit", "-q", "-a", "-m", "cluster"]);
    repo.git(&["checkout", "-q", "-b", "stacked", "older"]);
    titled(&repo.root, "0002-cache.md", "Redis at home");
    repo.commit("home");
    repo.git(&["checkout", "-q", "-b", "picked", "main"]);
    repo.git(&["commit", "-q", "--allow-empty", "-m", "another parent"]);
    repo.git(&["cherry-pick", "older"]);
    titled(&repo.root, "0002-cache.md", "Redis, picked");
    repo.commit("picked");
    is_clean(&repo.root, &["--no-fetch", "--base", "main"]);
    repo.git(&["branch", "-q", "-D", "stacked"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["branch", "-q", "-D", "picked"]);
    // The same name, made for something else: as a draft, on a branch, and on the base.
    titled(&repo.root, "0002-cache.md", "CDN edge");
    collides(&repo.root, &["--no-fetch"], "is used for `CDN edge` and `Redis Cluster`: docs/adr/0002-cache.md in ");
    repo.git(&["checkout", "-q", "-b", "cdn"]);
    repo.commit("cdn");
    collides(&repo.root, &["--no-fetch", "--base", "main"], "`CDN edge` and `Redis Cluster`");
    collides(&linked, &["--no-fetch", "--base", "main"], "`CDN edge` and `Redis Cluster`");
    repo.git(&["branch", "-f", "main", "cdn"]);
    collides(&linked, &["--no-fetch", "--base", "main"], "`CDN edge` and `Redis Cluster`");
    // One title is one thing, whatever else is in the file.
    repo.git(&["branch", "-q", "-D", "older"]);
    titled(&repo.root, "0002-cache.md", "Redis Cluster");
    repo.commit("the same title");
    repo.git(&["branch", "-q", "-f", "main", "cdn"]);
    is_clean(&linked, &["--no-fetch", "--base", "main"]);
}

/// Both begin as the text that `reserve --create` makes.
#[test]
fn one_template_with_two_titles() {
    let (repo, linked) = repo();
    for (top, branch, title) in [(&repo.root, "cdn", "CDN edge"), (&linked, "redis", "Redis cache")] {
        git(top, &["checkout", "-q", "-b", branch]);
        titled(top, "0002-cache.md", "Cache");
        git(top, &["add", "-A"]);
        git(top, &["commit", "-q", "-m", &format!("{branch}: template")]);
        titled(top, "0002-cache.md", title);
        git(top, &["commit", "-q", "-a", "-m", title]);
    }
    collides(&linked, &["--no-fetch", "--base", "main"], "`CDN edge` and `Redis cache`");
    // A commit that was amended on a branch, and what the remote has of it.
    repo.git(&["branch", "-q", "-D", "-f", "side"]);
    repo.git(&["update-ref", "refs/remotes/origin/redis", "main"]);
    git(&linked, &["reset", "-q", "--soft", "main"]);
    git(&linked, &["commit", "-q", "-m", "redis"]);
    repo.git(&["update-ref", "refs/remotes/origin/redis", "redis"]);
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["branch", "-q", "-D", "cdn"]);
    titled(&linked, "0002-cache.md", "Redis Cluster");
    git(&linked, &["commit", "-q", "-a", "--amend", "-m", "amended"]);
    is_clean(&linked, &["--no-fetch", "--base", "main"]);
}

#[cfg(unix)]
#[test]
fn a_push_is_judged_by_its_commits() {
    let (repo, linked) = repo();
    let bin = env!("CARGO_BIN_EXE_headwater");
    remote(&repo);
    crate::init::put_script(&repo, ".git/hooks/pre-push", format!("#!/bin/sh\nexec '{bin}' hook pre-push \"$@\"\n"));
    let push = |args: &[&str]| run(crate::sandbox::program("git", &repo.root).args(["push", "-q"]).args(args));
    for (branch, slug) in [("fa", "one"), ("fb", "two")] {
        git(&linked, &["checkout", "-q", "-b", branch, "main"]);
        adr(&linked, 2, slug);
        git(&linked, &["add", "-A"]);
        git(&linked, &["commit", "-q", "-m", slug]);
    }
    push(&["origin", "fa:fa", "--no-verify"]).exits(0);
    // Another branch than the one that is checked out.
    let stopped = push(&["origin", "fb"]).exits(1);
    assert!((stopped.stdout + &stopped.stderr).contains("ADR-0002 is used for `one` and `two`"));
    // What no push brings stops none: the work tree's own branch, its drafts, and a sibling's.
    repo.git(&["checkout", "-q", "--detach", "fb"]);
    push(&["origin", "main:other"]).exits(0);
    repo.git(&["tag", "v1", "main"]);
    push(&["origin", "v1"]).exits(0);
    adr(&repo.root, 1, "draft");
    push(&["origin", "main:third"]).exits(0);
    push(&["origin", "--delete", "other"]).exits(0);
    // What is not committed settles nothing.
    std::fs::rename(repo.root.join("docs/adr/0002-two.md"), repo.root.join("docs/adr/0003-two.md")).unwrap();
    push(&["origin", "fb"]).exits(1);
    // The branch that is replaced counts no more, nor where nobody says what is pushed.
    let amended = |name: &str| {
        repo.git(&["checkout", "-q", "-f", "-B", "fa", "main"]);
        adr(&repo.root, 2, name);
        repo.commit(name);
    };
    repo.git(&["clean", "-q", "-f", "docs"]);
    repo.git(&["fetch", "-q", "origin"]);
    git(&linked, &["checkout", "-q", "--detach", "main"]);
    repo.git(&["branch", "-q", "-D", "fb"]);
    amended("amended");
    push(&["-f", "origin", "fa"]).exits(0);
    let before = repo.git(&["rev-parse", "fa"]);
    amended("again");
    let unsaid = || run(&mut headwater(&repo.root, &["hook", "pre-push", "origin"]));
    unsaid().exits(0);
    repo.git(&["update-ref", "refs/remotes/origin/other", &before]);
    unsaid().exits(1);
}

#[test]
fn a_renumbering_is_settled_before_it_is_committed() {
    let (repo, linked) = repo();
    for (top, slug) in [(&linked, "one"), (&repo.root, "two")] {
        adr(top, 2, slug);
        git(top, &["add", "-A"]);
        git(top, &["commit", "-q", "-m", slug]);
    }
    repo.git(&["checkout", "-q", "-b", "fb"]);
    repo.git(&["branch", "-q", "-f", "main", "HEAD~1"]);
    collides(&repo.root, &["--no-fetch", "--base", "main"], "`one` and `two`");
    run(&mut headwater(&repo.root, &["id", "renumber", "ADR-0002", "--apply"])).exits(0);
    is_clean(&repo.root, &["--no-fetch", "--base", "main"]);
    // An id that was given up, and stays where it was.
    run(&mut headwater(&repo.root, &["id", "reserve", "ADR", "--slug", "up", "--create"])).exits(0);
    std::fs::write(repo.root.join("docs/adr/0004-up.md"), "# Mine\n").unwrap();
    run(&mut headwater(&repo.root, &["id", "release", "ADR-0004"])).exits(0);
    let said = check(&repo.root, &["ADR", "--no-fetch", "--base", "main"]).exits(0).stdout;
    assert!(said.contains("docs/adr/0004-up.md: id-released-used: ADR-0004 was released"), "{said}");
}

#[test]
fn a_shallow_clone_that_cannot_see_where_it_left_the_base() {
    let (repo, linked) = repo();
    let bare = remote(&repo);
    for n in [2, 3] {
        adr(&linked, n, "mine");
        git(&linked, &["add", "-A"]);
        git(&linked, &["commit", "-q", "-m", "mine"]);
    }
    git(&linked, &["push", "-q", "origin", "side"]);
    let url = format!("file://{}", bare.display());
    for (depth, code) in [("1", 2), ("3", 0)] {
        let clone = repo.beside(depth);
        let args = ["clone", "-q", "--depth", depth, "--no-single-branch", "-b", "side", &url, clone.to_str().unwrap()];
        git(&repo.root, &args);
        check(&clone, &["--no-fetch", "--base", "origin/main"]).exits(code);
    }
}

/// Two clones of a bare remote that keeps the log of a namespace with files and rows.
fn clones() -> (Sandbox, [PathBuf; 2], impl Fn(bool)) {
    let (repo, linked) = repo();
    let config = "ids:\n  ADR: {format: \"ADR-{n:04}\", files: \"docs/adr/{n:04}-{slug}.md\", log: git}\n  T: {log: git, sources: [TASKS.md]}\n";
    std::fs::write(repo.root.join(".headwater.yaml"), config).unwrap();
    repo.commit("shared");
    repo.git(&["worktree", "remove", linked.to_str().unwrap()]);
    let bare = remote(&repo);
    let clones = ["a", "b"].map(|name| repo.beside(name));
    for clone in &clones {
        git(&repo.root, &["clone", "-q", "-b", "main", bare.to_str().unwrap(), clone.to_str().unwrap()]);
        run(&mut headwater(clone, &["id", "init"])).exits(0);
    }
    let away = repo.beside("away.git");
    let online = move |online: bool| {
        let (from, to) = if online { (&away, &bare) } else { (&bare, &away) };
        std::fs::rename(from, to).unwrap();
    };
    (repo, clones, online)
}

fn id(cwd: &Path, args: &[&str]) -> Ended {
    run(headwater(cwd, &["id"]).args(args))
}

#[test]
fn the_file_of_a_claim_that_lost_is_named_and_gets_the_number_that_is_known() {
    let (_repo, [a, b], online) = clones();
    online(false);
    id(&a, &["reserve", "ADR", "--slug", "seek", "--create"]).exits(0);
    id(&b, &["reserve", "ADR", "--slug", "other", "--create"]).exits(0);
    online(true);
    id(&a, &["sync"]).exits(0);
    // Somebody takes further numbers meanwhile.
    id(&a, &["reserve", "ADR", "2"]).exits(0);
    assert_eq!(id(&b, &["sync"]).exits(0).stdout, "AMENDMENT: ADR-0002 is ADR-0005 now\n");
    id(&a, &["reserve", "ADR", "2"]).exits(0);
    // Citations of the winner's id are none of the loser's.
    std::fs::write(b.join("notes.md"), "ADR-0002 and ADR-0002-seek\n0002-other, 0002-others\n").unwrap();
    let cited = |clone: &Path| -> Vec<String> {
        let said = check(clone, &["ADR"]).exits(0).stdout;
        said.lines().filter(|line| line.contains("id-amended-cited")).map(str::to_owned).collect()
    };
    let remedy = "run `headwater id renumber ADR-0002 --slug other --apply`";
    let said = "id-amended-cited: ADR-0002 was amended to ADR-0005 and is still cited";
    assert_eq!(
        cited(&b),
        [format!("docs/adr/0002-other.md: {said}; {remedy}"), format!("notes.md:2: {said}; {remedy}")]
    );
    assert_eq!(cited(&a), [""; 0]);
    // What is shown is what is done.
    let shown = id(&b, &["renumber", "ADR-0002", "--slug", "other"]).exits(0).stdout;
    assert!(shown.starts_with("docs/adr/0002-other.md -> docs/adr/0005-other.md\n"), "{shown}");
    let done = id(&b, &["renumber", "ADR-0002", "--slug", "other", "--apply"]).exits(0).stdout;
    assert!(done.ends_with("AMENDMENT: ADR-0002 is ADR-0005 now\n") && done.starts_with(shown.lines().next().unwrap()));
    assert_eq!(cited(&b), [""; 0]);
    assert_eq!(id(&b, &["next", "ADR"]).exits(0).stdout, "ADR-0008\n");
}

#[test]
fn a_row_that_was_amended_needs_no_other_id() {
    let (_repo, [a, b], online) = clones();
    online(false);
    for (clone, title) in [(&a, "Theirs"), (&b, "Mine")] {
        id(clone, &["reserve", "T", "--note", title]).exits(0);
        std::fs::write(clone.join("TASKS.md"), format!("{TASKS}| T-1 | {title} |\n")).unwrap();
    }
    online(true);
    id(&a, &["sync"]).exits(0);
    git(&a, &["commit", "-q", "-a", "-m", "theirs"]);
    git(&a, &["push", "-q", "origin", "main"]);
    assert_eq!(id(&b, &["sync"]).exits(0).stdout, "AMENDMENT: T-1 is T-2 now\n");
    collides(&b, &["T"], "; T-1 was amended to T-2: write that in the row `Mine`");
}

#[test]
fn one_event_on_two_clones_without_the_remote() {
    let (_repo, [a, b], online) = clones();
    online(false);
    let review = ["reserve", "T", "2", "--event", "review", "--format", "plain"];
    assert_eq!(id(&a, &review).exits(0).stdout, "T-1 T-2\n");
    id(&b, &["reserve", "T"]).exits(0);
    assert_eq!(id(&b, &review).exits(0).stdout, "T-2 T-3\n");
    // The same key for something else.
    id(&a, &["reserve", "T", "--event", "k", "--note", "one"]).exits(0);
    id(&b, &["reserve", "T", "--event", "k", "--note", "two"]).exits(0);
    online(true);
    assert_eq!(id(&a, &["sync"]).exits(0).stdout, "CONFIRMED: T-1\nCONFIRMED: T-2\nCONFIRMED: T-3\n");
    let settled = id(&b, &["sync"]).exits(0).says("T-4 and T-3 were reserved by the same event `k`");
    assert!(settled.stdout.contains("AMENDMENT: T-2 is T-1 now\nAMENDMENT: T-3 is T-2 now\n"), "{}", settled.stdout);
    for clone in [&a, &b] {
        assert_eq!(id(clone, &review).exits(0).stdout, "T-1 T-2\n");
        let said = check(clone, &["T"]).exits(0).stdout;
        let events: Vec<&str> = said.lines().filter(|line| line.contains("id-event: T-4 ")).collect();
        assert!(events.len() == 1 && events[0].contains("and so was T-3 for something else"), "{said}");
    }
    id(&b, &["sync"]).exits(0).says("no id waits");
    id(&b, &["release", "T-4"]).exits(0);
    assert!(!check(&b, &["T"]).exits(0).stdout.contains("id-event"));
}
