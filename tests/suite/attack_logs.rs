//! Numbers and log lines of strangers: reported, never followed, never in the way.

use crate::ids::{TASKS, clone, id, put, repo, reserve};
use crate::sandbox::{Sandbox, git, headwater, run};
use std::path::Path;

const HIGH: &str = "SEC-999999999996";

/// A branch that nobody merged, with this in a file.
fn branch(repo: &Sandbox, name: &str, file: &str, text: &str) {
    repo.git(&["checkout", "-q", "-b", name]);
    put(&repo.root, file, text);
    repo.git(&["add", "-A"]);
    repo.git(&["-c", "user.name=Mallory", "commit", "-q", "--author", "Mallory <m@example.org>", "-m", name]);
    repo.git(&["checkout", "-q", "main"]);
}

#[test]
fn a_jump_on_a_branch_is_reported_and_followed_once_only_if_that_is_allowed() {
    let repo = repo();
    branch(&repo, "evil", "TASKS.md", &format!("{TASKS}| {HIGH} | x |\n| SEC-999999999997 | x |\n"));
    assert_eq!(id(&repo.root, &["next", "SEC"]).exits(0).says("--allow-jump").stdout, "SEC-20\n");
    let one = id(&repo.root, &["reserve", "SEC"]).exits(0).says(HIGH);
    let one = one.says("`TASKS.md` on `evil`, by Mallory").says("more than 10000 above SEC-19");
    assert_eq!(one.json()["ids"][0], "SEC-20");
    id(&repo.root, &["init"]).exits(0).says("headwater id reserve SEC --allow-jump");
    assert_eq!(reserve(&repo.root, &["SEC", "2"]), ["SEC-21", "SEC-22"]);
    let counters = put(&repo.root, "c.json", "{\"counters\": {\"SEC\": 999999999000}}");
    id(&repo.root, &["import", counters.to_str().unwrap()]).exits(2).says("--allow-jump");
    // What is printed works; the log contains it then.
    assert_eq!(reserve(&repo.root, &["SEC", "--allow-jump"]), ["SEC-999999999998"]);
    let next = id(&repo.root, &["next", "SEC"]).exits(0);
    assert_eq!((next.stdout.as_str(), next.stderr.as_str()), ("SEC-999999999999\n", ""));
}

#[test]
fn a_file_named_by_a_time_is_no_floor_wherever_it_is() {
    let repo = repo();
    branch(&repo, "evil", "docs/adr/202601101200-x.md", "x");
    let said = id(&repo.root, &["reserve", "ADR"]).exits(0).says("`docs/adr/202601101200-x.md` in ").says("Mallory");
    assert_eq!(said.json()["ids"][0], "ADR-0001");
    // Also in this worktree, and where there is no log yet.
    repo.git(&["checkout", "-q", "evil"]);
    std::fs::remove_dir_all(repo.root.join(".git/headwater")).unwrap();
    let init = id(&repo.root, &["init"]).exits(0).says("`docs/adr/202601101200-x.md` here");
    assert!(init.stdout.contains("ADR      → 0\n"), "{}", init.stdout);
    assert_eq!(reserve(&repo.root, &["ADR"]), ["ADR-0001"]);
    // A jump that the count reaches is passed over.
    put(&repo.root, "docs/adr/10005-y.md", "x");
    put(&repo.root, "docs/adr/10001-y.md", "x");
    assert_eq!(reserve(&repo.root, &["ADR", "3"]), ["ADR-10002", "ADR-10003", "ADR-10004"]);
    assert_eq!(reserve(&repo.root, &["ADR"]), ["ADR-10006"]);
}

#[test]
fn a_number_of_a_pull_request_is_passed_over_and_no_floor() {
    let repo = repo();
    branch(&repo, "request", "TASKS.md", &format!("{TASKS}| SEC-21 | x |\n"));
    branch(&repo, "files", "docs/adr/0002-x.md", "x");
    for (number, name) in [("7", "request"), ("8", "files")] {
        repo.git(&["update-ref", &format!("refs/headwater/pull/{number}"), name]);
        repo.git(&["branch", "-q", "-D", name]);
    }
    assert_eq!(reserve(&repo.root, &["SEC", "2"]), ["SEC-20", "SEC-22"]);
    assert_eq!(reserve(&repo.root, &["ADR", "2"]), ["ADR-0001", "ADR-0003"]);
}

#[test]
fn a_jump_is_judged_by_its_own_day() {
    let repo = repo();
    put(&repo.root, ".headwater.yaml", "ids: {FLT: {format: 'FLT-{date}{n:02}', sources: [TASKS.md]}}\n");
    let at = id(&repo.root, &["init"]).exits(0);
    assert_eq!(at.stderr, "");
    let first = reserve(&repo.root, &["FLT"]).remove(0);
    let day = &first[4..12];
    // A high number of another day is none of this one.
    put(&repo.root, "TASKS.md", &format!("FLT-20200101999999\nFLT-{day}777777\n"));
    let said = id(&repo.root, &["reserve", "FLT"]).exits(0).says(&format!("FLT-{day}777777"));
    assert_eq!(said.json()["ids"][0], format!("FLT-{day}02"));
    assert!(!said.stderr.contains("FLT-20200101999999"), "{}", said.stderr);
}

/// Puts messages on a namespace's log on the remote, one commit each, after what is there.
fn publish(clone: &Path, reference: &str, messages: &[&str]) {
    let there = git(clone, &["ls-remote", "origin", reference]);
    let mut tip = there.split_whitespace().next().unwrap_or_default().to_owned();
    if !tip.is_empty() {
        git(clone, &["fetch", "-q", "origin", &format!("+{reference}:refs/attack")]);
    }
    let tree = git(clone, &["mktree", "--missing", "-z"]);
    for message in messages {
        let mut args = vec!["commit-tree", tree.trim(), "-m", message];
        if !tip.is_empty() {
            args.extend(["-p", tip.as_str()]);
        }
        tip = git(clone, &args);
    }
    git(clone, &["push", "-q", "--force", "origin", &format!("{tip}:{reference}")]);
}

const LOG: &str = "refs/headwater/ids/CMB";

fn line(kind: &str, number: u64, at: &str) -> String {
    format!(
        r#"{{"namespace":"CMB","kind":"{kind}","numbers":[{number}],"ids":["CMB-{number:04}"],"agent":"mallory","at":"{at}","nonce":"m-{number}"}}"#
    )
}

#[test]
fn a_jump_in_the_shared_log_is_used_up_and_no_floor_for_any_clone() {
    let repo = repo();
    let (a, b) = (clone(&repo, "a"), clone(&repo, "b"));
    assert_eq!(reserve(&repo.root, &["CMB"]), ["CMB-0001"]);
    publish(&a, LOG, &[&format!("x\n\n{}", line("reserve", 999_999_999_996, "2026-01-01T00:00:00.000Z"))]);
    for clone in [&a, &b] {
        id(clone, &["next", "CMB"]).exits(0).says("CMB-999999999996 (the log, by mallory");
    }
    assert_eq!((reserve(&a, &["CMB"]), reserve(&b, &["CMB"])), (vec!["CMB-0002".into()], vec!["CMB-0003".into()]));
    // Followed once by one clone, it is followed by all.
    assert_eq!(reserve(&a, &["CMB", "--allow-jump"]), ["CMB-999999999997"]);
    assert_eq!(reserve(&b, &["CMB"]), ["CMB-999999999998"]);
}

/// What only this clone's log knows is a floor while the remote answers, too.
#[test]
fn a_log_of_this_clone_is_a_floor_while_the_remote_answers() {
    let repo = repo();
    let a = clone(&repo, "a");
    assert_eq!(reserve(&repo.root, &["CMB"]), ["CMB-0001"]);
    id(&a, &["sync"]).exits(0);
    git(&a, &["remote", "set-url", "origin", "/nonexistent"]);
    assert_eq!(reserve(&a, &["CMB", "3"]), ["CMB-0002", "CMB-0003", "CMB-0004"]);
    git(&a, &["remote", "set-url", "origin", repo.beside("remote.git").to_str().unwrap()]);
    assert_eq!(reserve(&a, &["CMB"]), ["CMB-0005"]);
}

#[test]
fn a_jump_in_the_collision_ledger_is_reported_and_not_followed() {
    let repo = repo();
    let ledger = |args: &[&str]| run(headwater(&repo.root, &["ledger", "allocate", "--log", "local"]).args(args));
    ledger(&["--kind", "occ", "--event", "a"]).exits(0);
    ledger(&["--kind", "occ", "--event", "b", "--ids", "#999999999998"]).exits(0);
    let next = ledger(&["--kind", "occ", "--event", "c"]).exits(0).says("#999999999998").says("--allow-jump");
    assert_eq!(next.stdout, "#2\n");
    assert_eq!(ledger(&["--kind", "occ", "--event", "d", "--allow-jump"]).exits(0).stdout, "#999999999999\n");
}

const AT: &str = "2026-01-01T00:00:00.000Z";

/// Entries that no version, or only a newer one, understands, and the number that each uses up.
fn strange() -> Vec<(String, &'static str)> {
    vec![
        (line("reserve", 2, "yesterday"), "CMB-0003"),
        (line("lease", 2, AT), "CMB-0003"),
        (line("reserve", 2, AT).replace("\"numbers\":[2]", "\"numbers\":[2,3]"), "CMB-0004"),
        (line("reserve", 2, AT).replace("\"m-2\"", "7"), "CMB-0003"),
        ("{\"namespace\":\"CMB\",\"kind\":\"reserve\",\"numbers\":[2],\"ids\":[\"CM".to_owned(), "CMB-0003"),
        ("{nonsense about CMB-0002".to_owned(), "CMB-0003"),
        (line("reserve", 2, "x\u{1b}[2J"), "CMB-0003"),
        ("{damaged".to_owned(), "CMB-0002"),
        (format!("{{\"kind\":\"reserve\",\"deep\":{}", "[".repeat(100_000)), "CMB-0002"),
        (line("lease", 999_999_999_990, AT), "CMB-0002"),
    ]
}

#[test]
fn an_entry_that_is_not_understood_is_skipped_and_its_number_used_up() {
    for (entry, next) in strange() {
        let repo = repo();
        let (a, b) = (clone(&repo, "a"), clone(&repo, "b"));
        reserve(&repo.root, &["CMB"]);
        publish(&a, LOG, &[&format!("x\n\n{entry}")]);
        let said = id(&a, &["reserve", "CMB"]).exits(0).says("does not understand").says("headwater id sync");
        assert_eq!(said.json()["ids"][0], next, "{entry:.200}");
        assert!(!said.stderr.contains('\u{1b}'));
        for command in [&["list", "CMB"][..], &["next", "CMB"], &["check", "CMB"]] {
            id(&b, command).exits(0);
        }
        let found = run(&mut headwater(&b, &["doctor"]));
        assert!(found.stdout.contains("does not understand"), "{}", found.stdout);
        // The printed remedy works, for every clone.
        id(&b, &["sync"]).exits(0);
        for clone in [&a, &b] {
            let silent = id(clone, &["next", "CMB"]).exits(0);
            assert!(!silent.stderr.contains("does not understand"), "{}", silent.stderr);
        }
        assert_eq!(reserve(&b, &["CMB"]).len(), 1);
    }
}

#[test]
fn a_log_works_again_when_the_remote_is_repaired() {
    for rewritten in [false, true] {
        let repo = repo();
        let a = clone(&repo, "a");
        reserve(&repo.root, &["CMB"]);
        let good = git(&repo.beside("remote.git"), &["rev-parse", LOG]);
        publish(&a, LOG, &[&format!("x\n\n{}", line("lease", 2, AT))]);
        id(&a, &["list"]).exits(0);
        assert_eq!(reserve(&a, &["CMB"]), ["CMB-0003"]);
        git(&repo.beside("remote.git"), &["update-ref", LOG, &good]);
        if rewritten {
            publish(&a, LOG, &[&format!("x\n\n{}", line("reserve", 5, AT))]);
        }
        id(&a, &["sync"]).exits(0);
        let next = if rewritten { "CMB-0006" } else { "CMB-0004" };
        assert_eq!(reserve(&a, &["CMB"]), [next]);
        let silent = id(&a, &["next", "CMB"]).exits(0);
        assert_eq!(silent.stderr, "", "{rewritten}");
    }
}

#[test]
fn a_huge_entry_does_not_stop_its_log() {
    let repo = repo();
    let a = clone(&repo, "a");
    reserve(&repo.root, &["CMB"]);
    let tip = git(&repo.beside("remote.git"), &["rev-parse", LOG]);
    let bare = repo.beside("remote.git");
    let tree = git(&bare, &["mktree", "--missing", "-z"]);
    let file = put(&a, "huge", &format!("x\n\n{{\"note\":\"{}\"}}", "x".repeat(70 << 20)));
    let huge = git(&bare, &["commit-tree", &tree, "-p", &tip, "-F", file.to_str().unwrap()]);
    git(&bare, &["update-ref", LOG, &huge]);
    let said = id(&a, &["reserve", "CMB"]).exits(0).says("it is too large");
    assert_eq!(said.json()["ids"][0], "CMB-0002");
}

#[test]
fn a_line_of_the_journal_that_cannot_be_read_stops_nothing_and_init_mends_it() {
    for damage in [
        &b"{\"namespace\":\"SEC\",\"kind\":\"lease\",\"numbers\":[21],\"nonce\":\"z\"}\n"[..],
        b"\xff\xfe \"namespace\":\"SEC\",\"numbers\":[21]\n",
    ] {
        let repo = repo();
        assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-20"]);
        let own = repo.root.join(".git/headwater");
        let mut journal = std::fs::read(own.join("ids.journal")).unwrap();
        journal.extend(damage);
        std::fs::write(own.join("ids.journal"), &journal).unwrap();
        let said = id(&repo.root, &["reserve", "SEC"]).exits(0).says("headwater id init");
        assert_eq!(said.json()["ids"][0], "SEC-22");
        // Also when all of it has to be read again.
        std::fs::remove_file(own.join("ids.sqlite3")).unwrap();
        assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-23"]);
        let found = run(&mut headwater(&repo.root, &["doctor"])).exits(1).stdout;
        assert!(found.contains("does not understand") && found.contains("headwater id init"), "{found}");
        id(&repo.root, &["init"]).exits(0);
        assert!(own.join("ids.journal.aside-1").exists());
        assert!(!run(&mut headwater(&repo.root, &["doctor"])).stdout.contains("does not understand"));
        let silent = id(&repo.root, &["reserve", "SEC"]).exits(0);
        assert_eq!((silent.json()["ids"][0].as_str(), silent.stderr.as_str()), (Some("SEC-24"), ""));
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_in_the_place_of_the_log_never_hangs_and_init_mends_it() {
    for name in ["ids.sqlite3", "ids.journal", "ids.sqlite3-wal", "ids.fetch.lock"] {
        for kind in ["fifo", "folder", "link"] {
            let repo = repo();
            assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-20"]);
            put(&repo.root, "TASKS.md", &format!("{TASKS}| SEC-20 | x |\n"));
            let own = repo.root.join(".git/headwater");
            let (path, kept) = (own.join(name), own.join("kept"));
            let _may_be_missing = std::fs::rename(&path, &kept);
            match kind {
                "fifo" => assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success()),
                "folder" => std::fs::create_dir(&path).unwrap(),
                _ => std::os::unix::fs::symlink("/etc/hostname", &path).unwrap(),
            }
            id(&repo.root, &["reserve", "SEC"]).exits(2).says("is no regular file").says("headwater id init");
            id(&repo.root, &["list"]).exits(2);
            let found = run(&mut headwater(&repo.root, &["doctor"])).exits(1).stdout;
            assert!(found.contains("is no regular file"), "{found}");
            id(&repo.root, &["init"]).exits(0);
            assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-21"], "{name} {kind}");
        }
    }
    let repo = repo();
    let mark = repo.root.join(".git/headwater-ids.mark");
    let _may_be_missing = std::fs::remove_file(&mark);
    assert!(std::process::Command::new("mkfifo").arg(&mark).status().unwrap().success());
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-20"]);
}

#[cfg(feature = "github")]
#[test]
fn comments_of_strangers_use_ids_up_and_lift_nothing() {
    let repo = Sandbox::repo();
    std::fs::write(repo.root.join(".headwater.yaml"), "github: {issue: 5}\n").unwrap();
    repo.commit("start");
    let server = crate::hub::Server::start();
    let ledger = |args: &[&str]| {
        let mut command = headwater(&repo.root, &["ledger"]);
        let api = server.api();
        command.envs([("GITHUB_TOKEN", "alice-token"), ("GITHUB_API_URL", &api), ("GITHUB_REPOSITORY", "o/r")]);
        command.env("HEADWATER_GITHUB", "o/r#5");
        run(command.args(args))
    };
    let next = |event: &str| ledger(&["allocate", "--kind", "occ", "--event", event]).exits(0);
    assert_eq!(next("a").stdout, "#1\n");
    let add = |block: &str| server.state().add("mallory", &format!("```yaml alloc\n{block}\n```\n"));
    add("kind: occ\nids: [\"#999999999999\"]\nevent: x\njump: true");
    let said = next("b").says("#999999999999 (published by mallory").says("--allow-jump");
    assert_eq!(said.stdout, "#2\n");
    add("kind: lease\nids: [\"#3\"]\nevent: y");
    assert_eq!(next("c").stdout, "#4\n");
    ledger(&["rebuild"]).says("unknown kind `lease`").says("are spent");
    // The journal of what was seen: a line that cannot be read is learnt again, and no directory or pipe stops it.
    let folder = repo.root.join(".git/headwater/github");
    let named = |name: &std::path::PathBuf| name.extension().is_some_and(|end| end == "jsonl");
    let paths = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let journal = paths.into_iter().find(named).unwrap();
    let lines = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, lines.replacen("{\"comment\"", "{damaged", 1)).unwrap();
    ledger(&["verify"]).says("could not be read").says("aside-1");
    let verified = ledger(&["verify"]);
    assert!(!verified.stderr.contains("could not be read") && !verified.stderr.contains("since it was seen"));
    std::fs::remove_file(&journal).unwrap();
    std::fs::create_dir(&journal).unwrap();
    assert_eq!(next("d").stdout, "#5\n");
}
