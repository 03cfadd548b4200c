//! `headwater id`: reserved once, never given twice.

use crate::sandbox::{Ended, Sandbox, git, headwater, program, run, run_with_input};
use std::path::{Path, PathBuf};

pub(crate) const TASKS: &str = "# Tasks\n\n| ID | Task | Status |\n|---|---|---|\n| SEC-19 | Old | done |\n| ~~SEC-12~~ | Gone | done |\n| ✅ UX-66 | z | done |\n| UX-3a | z | done |\n";

const CONFIG: &str = "ids:
  SEC: {sources: [TASKS.md]}
  UX: {sources: TASKS.md}
  DEV: {}
  ADR: {format: \"ADR-{n:04}\", files: \"docs/adr/{n:04}-{slug}.md\"}
  CMB: {format: \"CMB-{n:04}\", log: git}
";

/// Writes a file and the folders above it.
pub(crate) fn put(root: &Path, name: &str, text: &str) -> PathBuf {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

pub(crate) fn id(cwd: &Path, args: &[&str]) -> Ended {
    run(headwater(cwd, &["id"]).args(args))
}

/// The ids that a reservation printed.
#[track_caller]
pub(crate) fn reserve(cwd: &Path, args: &[&str]) -> Vec<String> {
    let ended = id(cwd, &[&["reserve", "--format", "plain"], args].concat()).exits(0);
    ended.stdout.split_whitespace().map(str::to_owned).collect()
}

/// A repository with namespaces, a task list and a log.
pub(crate) fn repo() -> Sandbox {
    let repo = Sandbox::repo();
    put(&repo.root, ".headwater.yaml", CONFIG);
    put(&repo.root, "TASKS.md", TASKS);
    repo.commit("start");
    id(&repo.root, &["init"]).exits(0);
    repo
}

/// A clone of a bare remote, `name` beside the sandbox.
pub(crate) fn clone(repo: &Sandbox, name: &str) -> PathBuf {
    let remote = repo.beside("remote.git");
    if !remote.exists() {
        git(&repo.root, &["init", "-q", "--bare", remote.to_str().unwrap()]);
        repo.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
        repo.git(&["push", "-q", "origin", "HEAD:main"]);
    }
    let path = repo.beside(name);
    git(&repo.root, &["clone", "-q", "-b", "main", remote.to_str().unwrap(), path.to_str().unwrap()]);
    path
}

#[test]
fn the_task_ids_of_the_older_scripts() {
    let repo = Sandbox::repo();
    put(&repo.root, ".headwater.yaml", CONFIG);
    id(&repo.root, &["reserve", "SEC"]).exits(2).says("headwater id init");
    id(&repo.root, &["init"]).exits(2).says("`TASKS.md` of SEC is missing");
    put(&repo.root, "TASKS.md", TASKS);
    let init = id(&repo.root, &["init"]).exits(0);
    assert!(init.stdout.starts_with("✅ Initialized counters from 4 tasks:\n   ADR      → 0\n"), "{}", init.stdout);
    assert!(init.stdout.ends_with("   SEC      → 19\n   UX       → 66\n"), "{}", init.stdout);
    assert_eq!(id(&repo.root, &["next", "SEC"]).exits(0).stdout, "SEC-20\n");
    let one = id(&repo.root, &["reserve", "SEC"]).exits(0).stdout;
    let at = one.strip_prefix("{\"ids\":[\"SEC-20\"],\"reservedAt\":\"").unwrap();
    assert!(at.len() == "2026-02-19T18:00:00.000Z\"}\n".len() && at.ends_with("Z\"}\n"), "{one}");
    assert_eq!(reserve(&repo.root, &["UX", "5"]), ["UX-67", "UX-68", "UX-69", "UX-70", "UX-71"]);
    id(&repo.root, &["reserve", "FOO"]).exits(2).says("unknown namespace `FOO`; known are: ADR, CMB, DEV, SEC, UX");
    for count in ["0", "-1", "abc", "1000000000"] {
        id(&repo.root, &["reserve", "SEC", count]).exits(2);
    }
    // A source that is gone is no zero.
    std::fs::rename(repo.root.join("TASKS.md"), repo.root.join("T")).unwrap();
    id(&repo.root, &["reserve", "SEC"]).exits(2).says("is missing");
    put(&repo.root, "TASKS.md", "");
    id(&repo.root, &["reserve", "SEC"]).exits(2).says("is empty");
    put(&repo.root, "TASKS.md", "nothing left\n");
    put(&repo.root, "TASKS-ARCHIVE.md", "| SEC-40 | x |\n");
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-41"]);
    let counters = put(&repo.root, "counters.json", "{\"counters\": {\"SEC\": 7, \"UX\": 90}}");
    id(&repo.root, &["import", counters.to_str().unwrap()]).exits(0);
    assert_eq!(
        (reserve(&repo.root, &["SEC"]), reserve(&repo.root, &["UX"])),
        (vec!["SEC-42".to_owned()], vec!["UX-91".to_owned()])
    );
}

#[test]
fn an_event_makes_a_reservation_repeatable() {
    let repo = repo();
    let keyed = ["SEC", "2", "--event", "review-7", "--slug", "a", "--note", "b"];
    let first = reserve(&repo.root, &keyed);
    assert_eq!(first, ["SEC-20", "SEC-21"]);
    let again = id(&repo.root, &[&["reserve"], &keyed[..]].concat()).exits(0).says("by the same event");
    assert_eq!(again.json()["repeated"], true);
    assert_eq!(again.json()["ids"][1], "SEC-21");
    for other in [&["SEC", "3", "--event", "review-7"][..], &["SEC", "2", "--event", "review-7", "--slug", "c"]] {
        id(&repo.root, &[&["reserve"], other].concat()).exits(2).says("choose another `--event`");
    }
    assert_eq!(reserve(&repo.root, &["UX", "--event", "review-7"]), ["UX-67"]);
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-22"]);
    id(&repo.root, &["release", "SEC-20"]).exits(0);
    id(&repo.root, &[&["reserve"], &keyed[..]].concat()).exits(2).says("given up");
}

#[test]
fn numbers_in_file_names_are_seen_wherever_they_are() {
    let repo = repo();
    let next = |expected: &str| assert_eq!(id(&repo.root, &["next", "ADR"]).exits(0).stdout.trim(), expected);
    put(&repo.root, "docs/adr/0003-c.md", "x");
    next("ADR-0004");
    // On another branch, renamed there, and deleted again.
    repo.git(&["checkout", "-q", "-b", "side"]);
    put(&repo.root, "docs/adr/0010-a.md", "a\nb\nc\n");
    repo.commit("ten");
    repo.git(&["mv", "docs/adr/0010-a.md", "docs/adr/0012-a.md"]);
    repo.commit("renamed");
    repo.git(&["rm", "-q", "docs/adr/0012-a.md"]);
    repo.commit("gone");
    repo.git(&["checkout", "-q", "main"]);
    next("ADR-0013");
    // Born in a merge commit.
    repo.git(&["checkout", "-q", "-b", "third"]);
    repo.commit("something");
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
    put(&repo.root, "docs/adr/0020-m.md", "x");
    repo.commit("merge");
    repo.git(&["checkout", "-q", "main"]);
    next("ADR-0021");
    // Claimed by an older script; not yet committed in a sibling.
    put(&repo.root, ".git/adr-claims/0025", "slug 2026-05-19 branch");
    next("ADR-0026");
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
    put(&linked, "docs/adr/0030-w.md", "x");
    next("ADR-0031");
    // Pushed by somebody else, and not fetched here.
    let other = clone(&repo, "other");
    put(&other, "docs/adr/0040-o.md", "x");
    git(&other, &["checkout", "-q", "-b", "theirs"]);
    git(&other, &["add", "docs"]);
    git(&other, &["commit", "-q", "-m", "forty"]);
    git(&other, &["push", "-q", "origin", "theirs"]);
    let refs = || {
        let all = repo.git(&["for-each-ref"]);
        let own = |line: &&str| !line.contains("refs/headwater/");
        (all.lines().filter(own).map(str::to_owned).collect::<Vec<_>>(), repo.root.join(".git/FETCH_HEAD").exists())
    };
    let before = refs();
    assert_eq!(id(&repo.root, &["next", "ADR", "--no-fetch"]).exits(0).stdout, "ADR-0031\n");
    next("ADR-0041");
    assert_eq!(refs(), before);
    // An unreachable remote is said, and no reason to stop.
    std::fs::rename(repo.beside("remote.git"), repo.beside("gone.git")).unwrap();
    id(&repo.root, &["reserve", "ADR", "--slug", "x"]).exits(0).says("could not reach origin");
}

#[test]
fn a_file_is_made_with_its_number_and_taken_away_untouched_only() {
    let repo = repo();
    id(&repo.root, &["reserve", "ADR", "--create"]).exits(2).says("--slug");
    id(&repo.root, &["reserve", "SEC", "--create"]).exits(2).says("no `files:`");
    id(&repo.root, &["reserve", "ADR", "--create", "--slug", "../x"]).exits(2).says("no part of a file's name");
    let made = id(&repo.root, &["reserve", "ADR", "--create", "--slug", "fast-seek"]).exits(0);
    assert_eq!(
        (&made.json()["file"], &made.json()["ids"][0]),
        (&"docs/adr/0001-fast-seek.md".into(), &"ADR-0001".into())
    );
    let text = std::fs::read_to_string(repo.root.join("docs/adr/0001-fast-seek.md")).unwrap();
    assert!(text.starts_with("# ADR-0001: Fast seek\n"), "{text}");
    id(&repo.root, &["release", "ADR-0001"]).exits(0).says("was removed");
    assert!(!repo.root.join("docs/adr/0001-fast-seek.md").exists());
    id(&repo.root, &["reserve", "ADR", "--create", "--slug", "b"]).exits(0);
    let kept = put(&repo.root, "docs/adr/0002-b.md", "mine");
    id(&repo.root, &["release", "ADR-0002"]).exits(0).says("is left as it is");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "mine");
    // What was given up stays spent.
    assert_eq!(reserve(&repo.root, &["ADR"]), ["ADR-0003"]);
    let shown = id(&repo.root, &["show", "ADR-0001"]).exits(0).stdout;
    assert!(shown.contains("ADR-0001  RELEASED") && shown.contains("slug fast-seek"), "{shown}");
    id(&repo.root, &["show", "ADR-0009"]).exits(2).says("never reserved");
}

#[test]
fn the_id_stands_where_it_is_wanted() {
    let repo = repo();
    let echoed = id(&repo.root, &["with", "SEC", "--", "printf", "%s", "post {{ITEM_ID}} {{ITEM_ID}}"]).exits(0);
    assert_eq!(echoed.stdout, "post SEC-20 SEC-20");
    let template = put(&repo.root, "t.md", "# {{ITEM_ID}}\n");
    let filled = id(&repo.root, &["with", "SEC", "--event", "e", "--template", template.to_str().unwrap()]).exits(0);
    assert_eq!(filled.stdout, "# SEC-21\n");
    id(&repo.root, &["with", "SEC", "--", "printf", "x"]).exits(2).says("nothing was reserved");
    id(&repo.root, &["with", "SEC", "--", "false", "{{ITEM_ID}}"]).exits(2).says("SEC-22 stays reserved");
}

#[test]
fn the_inbox_takes_reserved_ids_only() {
    let repo = repo();
    assert_eq!(reserve(&repo.root, &["SEC", "3"]), ["SEC-20", "SEC-21", "SEC-22"]);
    let task = |id: &str| format!("{{\"id\": \"{id}\", \"title\": \"Fix {id}\"}}");
    let inbox = |ids: &[&str]| {
        let tasks: Vec<String> = ids.iter().map(|id| task(id)).collect();
        put(&repo.root, "inbox.json", &format!("{{\"tasks\": [{}], \"kept\": true}}\n", tasks.join(", ")))
    };
    let path = inbox(&["SEC-20", "SEC-25", "SEC-19", "FOO-1", "SEC-21"]);
    let ended = id(&repo.root, &["inbox", "inbox.json"]).exits(1);
    let ended = ended.says("Invalid task ID SEC-25: counter at SEC-22").says("headwater id reserve SEC");
    ended.says("SEC-19: already used").says("FOO-1: no namespace");
    let rows = "| SEC-20 | Fix SEC-20 | ready |\n| SEC-21 | Fix SEC-21 | ready |\n";
    let list = std::fs::read_to_string(repo.root.join("TASKS.md")).unwrap();
    assert_eq!(list, format!("{TASKS}{rows}"));
    let left = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        left,
        format!("{{\"tasks\": [{}, {}, {}], \"kept\": true}}\n", task("SEC-25"), task("SEC-19"), task("FOO-1"))
    );
    // A run that ended between the two files is finished by the next one.
    inbox(&["SEC-20", "SEC-22"]);
    let ended = id(&repo.root, &["inbox", "inbox.json", "--into", "TASKS.md"]).exits(0);
    assert_eq!(ended.stdout, "1 added: SEC-22; 1 there already; 0 refused\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"tasks\": [], \"kept\": true}\n");
    put(&repo.root, "inbox.json", "[]");
    id(&repo.root, &["inbox", "inbox.json"]).exits(2).says("expected `{\"tasks\"");
}

/// Commits one numbered file on a branch of its own that starts at `from`.
fn branch_with(repo: &Sandbox, branch: &str, from: &str, name: &str) {
    repo.git(&["checkout", "-q", "-b", branch, from]);
    put(&repo.root, &format!("docs/adr/{name}"), &format!("# {name}\n"));
    repo.commit(name);
    repo.git(&["checkout", "-q", "main"]);
}

#[test]
fn a_number_used_twice_fails_the_check_and_one_file_on_many_branches_does_not() {
    let repo = repo();
    put(&repo.root, "docs/adr/0001-first.md", "# ADR-0001\n");
    repo.commit("first");
    let check = |args: &[&str]| id(&repo.root, &[&["check", "ADR", "--no-fetch"], args].concat());
    branch_with(&repo, "a", "main", "0607-seek.md");
    repo.git(&["branch", "same", "a"]);
    // Renamed on the way: one after the other, no collision.
    repo.git(&["checkout", "-q", "-b", "later", "a"]);
    repo.git(&["mv", "docs/adr/0607-seek.md", "docs/adr/0607-fast-seek.md"]);
    repo.commit("slug");
    repo.git(&["checkout", "-q", "main"]);
    assert!(!check(&[]).exits(0).stdout.contains("id-collision"));
    // A stale branch has an older name that the base gave up since.
    repo.git(&["branch", "stale", "main"]);
    repo.git(&["mv", "docs/adr/0001-first.md", "docs/adr/0001-renamed.md"]);
    repo.commit("renamed");
    assert!(!check(&[]).exits(0).stdout.contains("id-collision"));
    branch_with(&repo, "b", "main", "0607-other.md");
    let said = check(&[]).exits(1).stdout;
    assert!(said.contains("id-collision: ADR-0607 is used for ") && said.contains("`other`"), "{said}");
    assert!(
        said.contains("docs/adr/0607-fast-seek.md in later") && said.contains("headwater id renumber ADR-0607"),
        "{said}"
    );
    let json = check(&["--format", "json"]).exits(1).json();
    assert_eq!(
        (&json["findings"][0]["code"], &json["findings"][0]["id"]),
        (&"id-collision".into(), &"ADR-0607".into())
    );
    let github = check(&["--github"]).exits(1).stdout;
    assert!(github.starts_with("::error file=docs/adr/0607-"), "{github}");
    check(&["--base", "nowhere"]).exits(2).says("nowhere");
    // Two rows of one list.
    put(&repo.root, "TASKS.md", &format!("{TASKS}| SEC-19 | Another | open |\n"));
    let said = id(&repo.root, &["check", "SEC", "--no-fetch"]).exits(1).stdout;
    assert!(said.contains("SEC-19 is used for `Another` and `Old`"), "{said}");
    // What a shallow clone cannot see is no success.
    let (shallow, url) = (repo.beside("shallow"), format!("file://{}", repo.root.display()));
    repo.git(&["clone", "-q", "--depth", "1", "--no-single-branch", &url, shallow.to_str().unwrap()]);
    id(&shallow, &["check", "ADR", "--no-fetch"]).exits(2).says("shallow");
    git(&shallow, &["remote", "set-url", "origin", "/nowhere"]);
    id(&shallow, &["check", "ADR"]).exits(2).says("cannot see the branches");
}

#[test]
fn used_but_not_reserved_and_amended_but_cited() {
    let repo = repo();
    let tasks = format!("{TASKS}| SEC-20 | New | open |\n");
    put(&repo.root, "TASKS.md", &tasks);
    let said = id(&repo.root, &["check", "--no-fetch"]).exits(0).stdout;
    assert!(said.starts_with("TASKS.md: id-unreserved: SEC-20 is used and was never reserved"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    // That a reference uses it too, and that the next one is above it, reserves nothing.
    repo.commit("twenty");
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-21"]);
    assert_eq!(id(&repo.root, &["check", "--no-fetch"]).exits(0).stdout, said);
    // What is used cannot be seen where nothing says where to look.
    assert_eq!(reserve(&repo.root, &["DEV"]), ["DEV-1"]);
    let unused = id(&repo.root, &["check", "--no-fetch", "--unused-after", "0h", "DEV", "SEC"]).exits(0).stdout;
    assert!(unused.contains("id-unused: SEC-21") && !unused.contains("DEV"), "{unused}");
}

#[test]
fn the_loser_of_a_collision_gets_a_new_number_with_its_links() {
    let repo = repo();
    branch_with(&repo, "a", "main", "0607-seek.md");
    repo.git(&["merge", "-q", "--ff-only", "a"]);
    put(&repo.root, "docs/adr/0607-other.md", "# ADR-0607: Other\n\nUnlike [ADR-0607](0607-seek.md).\n");
    std::fs::write(repo.root.join("docs/latin.md"), b"caf\xe9: [ADR-0607](adr/0607-other.md)\n").unwrap();
    let index = "- [ADR-0607](adr/0607-seek.md)\n- [ADR-0607](adr/0607-other.md), ADR-0607\n";
    put(&repo.root, "docs/index.md", index);
    id(&repo.root, &["renumber", "ADR-0607"]).exits(2).says("choose with `--slug`: other, seek");
    let shown = id(&repo.root, &["renumber", "ADR-0607", "--slug", "other"]).exits(0).stdout;
    let expected = "docs/adr/0607-other.md -> docs/adr/0608-other.md
  docs/adr/0607-other.md: 1 place
  docs/index.md: 2 places
left as they are, since they may mean what keeps the number:
  docs/adr/0607-other.md:3:Unlike [ADR-0607](0607-seek.md).
  docs/index.md:1:- [ADR-0607](adr/0607-seek.md)
  docs/index.md:2:- [ADR-0608](adr/0608-other.md), ADR-0607
  docs/latin.md: not UTF-8
nothing was changed; `--apply` does it
";
    assert_eq!(shown, expected);
    assert_eq!(std::fs::read_to_string(repo.root.join("docs/index.md")).unwrap(), index);
    put(&repo.root, "docs/wrong.md", "0601-other\n");
    id(&repo.root, &["renumber", "ADR-0607", "--slug", "other", "--apply"])
        .exits(2)
        .says("docs/wrong.md:1: 0601-other");
    std::fs::remove_file(repo.root.join("docs/wrong.md")).unwrap();
    let done = id(&repo.root, &["renumber", "ADR-0607", "--slug", "other", "--apply"]).exits(0).stdout;
    assert!(done.ends_with("AMENDMENT: ADR-0607 is ADR-0608 now\n"), "{done}");
    assert!(!repo.root.join("docs/adr/0607-other.md").exists());
    let moved = std::fs::read_to_string(repo.root.join("docs/adr/0608-other.md")).unwrap();
    assert_eq!(moved, "# ADR-0608: Other\n\nUnlike [ADR-0607](0607-seek.md).\n");
    let rewritten = std::fs::read_to_string(repo.root.join("docs/index.md")).unwrap();
    assert_eq!(rewritten, "- [ADR-0607](adr/0607-seek.md)\n- [ADR-0608](adr/0608-other.md), ADR-0607\n");
    assert!(id(&repo.root, &["show", "ADR-0608"]).exits(0).stdout.contains("also known as ADR-0607"));
    id(&repo.root, &["check", "ADR", "--no-fetch"]).exits(0);
}

#[test]
fn sessions_settle_what_was_reserved_without_the_remote() {
    let repo = repo();
    let clones = [clone(&repo, "one"), clone(&repo, "two")];
    let remote = repo.beside("remote.git");
    let away = repo.beside("away.git");
    for clone in &clones {
        id(clone, &["init"]).exits(0);
    }
    std::fs::rename(&remote, &away).unwrap();
    for clone in &clones {
        assert!(id(clone, &["reserve", "CMB"]).exits(0).stdout.contains("\"provisional\":true"));
    }
    std::fs::rename(&away, &remote).unwrap();
    // Whoever starts or ends a session first has the number.
    let hook = |clone: &Path, name: &str, event: &str| {
        let input = format!(
            "{{\"session_id\": \"s\", \"cwd\": {:?}, \"hook_event_name\": {event:?}}}",
            clone.to_str().unwrap()
        );
        let mut command = headwater(Path::new("/"), &["hook", name, "--agent-kind", "codex"]);
        run_with_input(&mut command, &input).exits(0).stdout
    };
    let started = hook(&clones[0], "session-start", "SessionStart");
    assert!(started.contains("Ids: CMB-0001 is confirmed"), "{started}");
    hook(&clones[1], "session-end", "SessionEnd");
    let list = id(&clones[1], &["list", "CMB"]).exits(0).stdout;
    assert!(list.contains("CMB-0002") && !list.contains("CONFIRM-PENDING"), "{list}");
}

#[test]
fn a_push_with_a_number_that_is_used_twice_is_stopped() {
    let repo = repo();
    put(&repo.root, "docs/adr/0001-one.md", "# One\n");
    repo.commit("one");
    let push = || {
        let line = format!("refs/heads/main {} refs/heads/main {}\n", repo.git(&["rev-parse", "HEAD"]), "0".repeat(40));
        run_with_input(&mut headwater(&repo.root, &["hook", "pre-push", "origin", "."]), &line)
    };
    push().exits(0);
    put(&repo.root, "docs/adr/0001-other.md", "# Other\n");
    repo.commit("other");
    let stopped = push().exits(1);
    assert!(stopped.stdout.contains("id-collision"), "{}{}", stopped.stdout, stopped.stderr);
    // What two others have to settle is said, and stops nobody else.
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    for name in ["a", "b"] {
        repo.git(&["checkout", "-q", "-b", name, "main"]);
        put(&repo.root, &format!("docs/adr/0002-{name}.md"), &format!("# {name}\n"));
        repo.commit(name);
    }
    repo.git(&["checkout", "-q", "main"]);
    let told = push().exits(0).stdout;
    assert!(told.contains("id-collision"), "{told}");
    repo.git(&["checkout", "-q", "b"]);
    push().exits(1);
}

#[test]
fn the_loser_of_an_id_cannot_release_the_winners() {
    let repo = repo();
    let (a, b) = (clone(&repo, "a"), clone(&repo, "b"));
    for clone in [&a, &b] {
        id(clone, &["init"]).exits(0);
    }
    let (remote, gone) = (repo.beside("remote.git"), repo.beside("gone.git"));
    std::fs::rename(&remote, &gone).unwrap();
    assert_eq!(reserve(&a, &["CMB"]), ["CMB-0001"]);
    std::fs::rename(&gone, &remote).unwrap();
    assert_eq!(reserve(&b, &["CMB"]), ["CMB-0001"]);
    id(&a, &["sync"]).exits(0);
    id(&a, &["release", "CMB-0001"]).exits(2).says("CMB-0002");
    assert!(id(&b, &["list", "CMB"]).exits(0).stdout.contains("CMB-0001  CONFIRMED"));
}

#[test]
fn a_check_without_its_source_is_none() {
    let repo = repo();
    id(&repo.root, &["check", "SEC", "--no-fetch"]).exits(0);
    std::fs::remove_file(repo.root.join("TASKS.md")).unwrap();
    id(&repo.root, &["check", "SEC", "--no-fetch"]).exits(2).says("TASKS.md");
}

#[test]
fn a_new_file_begins_as_its_kind_does() {
    let repo = Sandbox::repo();
    put(&repo.root, ".headwater.yaml", "ids: {M: {files: \"db/{n:03}_{slug}.sql\"}, P: {files: \"p/{n}.toml\"}}\n");
    id(&repo.root, &["init"]).exits(0);
    id(&repo.root, &["reserve", "M", "--slug", "users", "--create"]).exits(0);
    id(&repo.root, &["reserve", "P", "--create"]).exits(0);
    let text = |name: &str| std::fs::read_to_string(repo.root.join(name)).unwrap();
    assert_eq!((text("db/001_users.sql"), text("p/1.toml")), ("-- M-1: Users\n".to_owned(), String::new()));
    id(&repo.root, &["release", "P-1"]).exits(0).says("`p/1.toml` was removed");
    let counters = put(&repo.root, "c.json", "{\"M\": 7}");
    let taken = id(&repo.root, &["import", counters.to_str().unwrap(), "--format", "json"]).exits(0).json();
    assert_eq!(taken["counters"]["M"], 7);
}

#[test]
fn a_large_batch_fits_into_little_memory() {
    let repo = repo();
    assert_eq!(reserve(&repo.root, &["DEV", "5000"]).len(), 5000);
    for args in [&["list", "DEV"][..], &["show", "DEV-4"], &["check", "DEV", "--no-fetch"], &["confirm", "DEV-5"]] {
        let command = headwater(&repo.root, &["id"]);
        let mut limited = program("sh", &repo.root);
        limited.args(["-c", "ulimit -v 600000; exec \"$@\"", "sh"]).arg(command.get_program()).arg("id").args(args);
        run(&mut limited).exits(0);
    }
}

/// A shared log is taken up when it is first asked: nothing is wrong with a clone that has not asked yet.
#[test]
fn a_clone_of_shared_logs_alone_lacks_nothing() {
    let repo = Sandbox::repo();
    let doctor = |config: &str| {
        put(&repo.root, ".headwater.yaml", config);
        run(&mut headwater(&repo.root, &["doctor"])).exits(1).stdout
    };
    assert!(!doctor("ids: {CMB: {log: git}}\n").contains("no log of ids"));
    assert!(doctor("ids: {CMB: {log: git}, SEC: {}}\n").contains("no log of ids"));
}
