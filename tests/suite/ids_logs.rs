//! The logs of ids as they are found: shared, busy, lost, damaged, out of reach.

use crate::ids::{TASKS, clone, id, put, repo, reserve};
use crate::sandbox::{git, headwater, program, run};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

#[test]
fn every_layout_has_one_log() {
    let repo = repo();
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
    std::fs::create_dir_all(linked.join("deep/er")).unwrap();
    assert_eq!(reserve(&linked.join("deep/er"), &["SEC"]), ["SEC-20"]);
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-21"]);
    // What a sibling has not committed counts.
    put(&linked, "TASKS.md", "| SEC-31 |\n");
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-32"]);

    // A bare repository's worktrees.
    let (bare, tree, other) = (repo.beside("bare.git"), repo.beside("tree"), repo.beside("other"));
    repo.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    git(&bare, &["worktree", "add", "-q", tree.to_str().unwrap(), "-b", "one"]);
    git(&bare, &["worktree", "add", "-q", other.to_str().unwrap(), "-b", "two"]);
    id(&tree, &["init"]).exits(0);
    assert_eq!(
        (reserve(&tree, &["DEV"]), reserve(&other, &["DEV"])),
        (vec!["DEV-1".to_owned()], vec!["DEV-2".to_owned()])
    );
    assert!(bare.join("headwater/ids.sqlite3").is_file());

    // A git folder that lies elsewhere.
    let (away, apart) = (repo.beside("away"), repo.beside("apart.git"));
    git(&repo.root, &["clone", "-q", "--separate-git-dir", apart.to_str().unwrap(), ".", away.to_str().unwrap()]);
    id(&away, &["init"]).exits(0);
    assert_eq!(reserve(&away, &["SEC"]), ["SEC-20"]);
    assert!(apart.join("headwater/ids.sqlite3").is_file());

    // No git at all: beside the configuration.
    let plain = repo.beside("plain");
    put(&plain, ".headwater.yaml", "ids: {SEC: {}}\n");
    std::fs::create_dir_all(plain.join("deep")).unwrap();
    id(&plain.join("deep"), &["init"]).exits(0);
    assert_eq!(reserve(&plain.join("deep"), &["SEC"]), ["SEC-1"]);
    assert!(plain.join(".headwater/ids.sqlite3").is_file());
}

#[test]
fn all_copies_gone_is_refused_until_init_which_reads_everything() {
    let repo = repo();
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-20"]);
    // A branch that nobody has checked out mentions a higher one.
    repo.git(&["checkout", "-q", "-b", "feat"]);
    put(&repo.root, "TASKS.md", &TASKS.replace("SEC-19", "SEC-50"));
    repo.commit("fifty");
    repo.git(&["checkout", "-q", "main"]);
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-51"]);
    let own = repo.root.join(".git/headwater");
    std::fs::remove_dir_all(&own).unwrap();
    id(&repo.root, &["reserve", "SEC"]).exits(2).says("headwater id init");
    assert!(!own.exists());
    id(&repo.root, &["init"]).exits(0);
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-51"]);
}

#[test]
fn two_clones_and_a_remote_that_goes_away() {
    let repo = repo();
    let (a, b) = (clone(&repo, "a"), clone(&repo, "b"));
    id(&repo.root, &["reserve", "CMB"]).exits(0);
    // A fresh clone needs no `init`: the remote has the log.
    assert_eq!(reserve(&a, &["CMB"]), ["CMB-0002"]);
    assert_eq!(reserve(&b, &["CMB", "2"]), ["CMB-0003", "CMB-0004"]);
    let (remote, gone) = (repo.beside("remote.git"), repo.beside("gone.git"));
    std::fs::rename(&remote, &gone).unwrap();
    let offline = id(&a, &["reserve", "CMB", "--event", "e"]).exits(0).says("provisional");
    assert_eq!((&offline.json()["ids"][0], &offline.json()["provisional"]), (&"CMB-0003".into(), &true.into()));
    assert_eq!(reserve(&b, &["CMB"]), ["CMB-0005"]);
    let listed = id(&a, &["list", "CMB"]).exits(0).stdout;
    assert!(listed.contains("CMB-0003  CONFIRM-PENDING"), "{listed}");
    id(&a, &["sync"]).exits(2).says("cannot be reached");
    std::fs::rename(&gone, &remote).unwrap();
    assert_eq!(id(&b, &["sync"]).exits(0).stdout, "CONFIRMED: CMB-0005\n");
    // Somebody else has the number by now: an amendment, and the old id leads to the new one.
    assert_eq!(id(&a, &["confirm", "CMB-0003"]).exits(0).stdout, "AMENDMENT: CMB-0003 is CMB-0006 now\n");
    let repeated = id(&a, &["reserve", "CMB", "--event", "e"]).exits(0);
    assert_eq!(
        (&repeated.json()["ids"][0], &repeated.json()["provisional"]),
        (&"CMB-0006".into(), &serde_json::Value::Null)
    );
    assert!(id(&a, &["show", "CMB-0006"]).exits(0).stdout.contains("also known as CMB-0003"));
    assert!(id(&a, &["show", "CMB-0003"]).exits(0).stdout.contains("AMENDMENT: CMB-0006 for CMB-0003"));
    assert_eq!(reserve(&b, &["CMB"]), ["CMB-0007"]);
    assert!(id(&b, &["list", "--format", "json"]).exits(0).json()["ids"][2]["state"] == "CONFIRMED");
}

#[test]
fn without_the_remote_an_id_is_provisional_and_the_remedy_is_said() {
    let repo = repo();
    id(&repo.root, &["reserve", "CMB"]).exits(0).says("`git remote add origin URL`").says("provisional");
    let told = run(&mut headwater(&repo.root, &["doctor"])).exits(1).stdout;
    assert!(told.contains("CMB-0001 CONFIRM-PENDING\n    run `headwater id sync`"), "{told}");
}

/// The reply of a push is cut off before and after the remote has taken it.
#[cfg(unix)]
#[test]
fn a_cut_reply_is_no_answer() {
    let repo = repo();
    let a = clone(&repo, "a");
    id(&a, &["init"]).exits(0);
    assert_eq!(reserve(&a, &["CMB"]), ["CMB-0001"]);
    let script = |path: PathBuf, text: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        let path = put(path.parent().unwrap(), path.file_name().unwrap().to_str().unwrap(), text);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let cut = script(repo.beside("cut.sh"), "#!/bin/sh\nexit 1\n");
    git(&a, &["config", "remote.origin.receivepack", cut.to_str().unwrap()]);
    id(&a, &["reserve", "CMB"]).exits(2).says("does not take");
    git(&a, &["config", "--unset", "remote.origin.receivepack"]);
    // The report alone is lost: the remote's reference tells that it was taken.
    let hook = script(repo.beside("remote.git").join("hooks/post-receive"), "#!/bin/sh\nkill -9 $PPID\n");
    assert_eq!(reserve(&a, &["CMB"]), ["CMB-0002"]);
    std::fs::remove_file(hook).unwrap();
    assert_eq!(reserve(&a, &["CMB"]), ["CMB-0003"]);
    let chain = git(&repo.beside("remote.git"), &["log", "--format=%s", "refs/headwater/ids/CMB"]);
    assert_eq!(chain.matches("CMB-0002").count(), 1, "{chain}");
}

fn start(cwd: &Path, args: &[&str]) -> Child {
    headwater(cwd, &["id", "reserve", "--format", "plain"])
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn all_ids(children: Vec<Child>) -> Vec<String> {
    let mut ids = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        ids.extend(String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned));
    }
    ids
}

#[test]
fn many_processes_in_several_worktrees() {
    let repo = repo();
    let linked = repo.beside("linked");
    repo.git(&["worktree", "add", "-q", linked.to_str().unwrap()]);
    let children: Vec<Child> =
        (0..24).map(|n| start(if n % 2 == 0 { &repo.root } else { &linked }, &["DEV", "5", "--wait", "60"])).collect();
    let ids = all_ids(children);
    let expected: BTreeSet<String> = (1..=120).map(|n| format!("DEV-{n}")).collect();
    assert_eq!(ids.len(), 120);
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn several_clones_at_once() {
    let repo = repo();
    let clones: Vec<PathBuf> = (0..3).map(|n| clone(&repo, &format!("clone{n}"))).collect();
    id(&repo.root, &["init"]).exits(0);
    let children =
        clones.iter().flat_map(|clone| [(); 2].map(|()| start(clone, &["CMB", "2", "--wait", "60"]))).collect();
    let ids = all_ids(children);
    let expected: BTreeSet<String> = (1..=12).map(|n| format!("CMB-{n:04}")).collect();
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn the_busy_log_names_who_is_at_it() {
    let repo = repo();
    let database = repo.root.join(".git/headwater/ids.sqlite3");
    // Another program that holds the write lock until its standard input ends.
    let mut sqlite = program("sqlite3", &repo.root);
    let Ok(mut child) = sqlite.arg(&database).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
        return;
    };
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"BEGIN IMMEDIATE;\n.print held\n").unwrap();
    let mut said = [0; 5];
    child.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
    let busy = id(&repo.root, &["reserve", "SEC", "--wait", "0"]).exits(2).says("is busy");
    if cfg!(target_os = "linux") {
        assert!(busy.stderr.contains(&format!("process {} (sqlite3", child.id())), "{}", busy.stderr);
    }
    drop(stdin);
    child.wait().unwrap();
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-20"]);
}

/// Counts what is asked of the remote by a `git` in front of the real one.
#[cfg(unix)]
#[test]
fn an_uncontended_reservation_is_one_fetch_and_one_push() {
    use std::os::unix::fs::PermissionsExt as _;
    let repo = repo();
    let a = clone(&repo, "a");
    id(&a, &["init"]).exits(0);
    let real = run(program("sh", &a).args(["-c", "command -v git"])).exits(0).stdout;
    let log = repo.beside("calls");
    let script = format!("#!/bin/sh\necho \"$*\" >> {}\nexec {} \"$@\"\n", log.display(), real.trim());
    let wrapper = put(repo.root.parent().unwrap(), "bin/git", &script);
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", wrapper.parent().unwrap().display(), std::env::var("PATH").unwrap());
    run(headwater(&a, &["id", "reserve", "CMB", "9"]).env("PATH", path)).exits(0);
    let calls = std::fs::read_to_string(log).unwrap();
    let count = |word: &str| calls.lines().filter(|line| line.split(' ').any(|part| part == word)).count();
    assert_eq!((count("fetch"), count("push"), count("ls-remote")), (1, 1, 0), "{calls}");
}

/// A log that something else has started knows nothing of a namespace that it has lost.
#[test]
fn a_lost_log_is_refused_whatever_starts_another() {
    let repo = repo();
    clone(&repo, "one");
    id(&repo.root, &["init"]).exits(0);
    assert_eq!(reserve(&repo.root, &["DEV", "5"]).last().unwrap(), "DEV-5");
    let lose = || {
        for name in ["ids.sqlite3", "ids.sqlite3-wal", "ids.sqlite3-shm", "ids.journal"] {
            let _may_be_missing = std::fs::remove_file(repo.root.join(".git/headwater").join(name));
        }
    };
    lose();
    id(&repo.root, &["reserve", "DEV"]).exits(2).says("id init");
    // The remote has the log of this namespace, so it starts a new one here; of the other it knows nothing.
    id(&repo.root, &["reserve", "CMB"]).exits(0);
    id(&repo.root, &["reserve", "DEV"]).exits(2).says("id init");
    id(&repo.root, &["list", "DEV"]).exits(2).says("id init");
    assert!(id(&repo.root, &["list"]).exits(0).says("DEV: there is no log").stdout.contains("CMB-0001"));
    lose();
    std::fs::write(repo.root.join(".git/headwater/ids.journal"), "\n").unwrap();
    id(&repo.root, &["reserve", "DEV"]).exits(2).says("id init");
    lose();
    let counters = put(&repo.root, "c.json", "{\"counters\": {\"SEC\": 30}}");
    id(&repo.root, &["import", counters.to_str().unwrap()]).exits(0);
    id(&repo.root, &["reserve", "DEV"]).exits(2).says("id init");
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-31"]);
    id(&repo.root, &["init"]).exits(0);
    id(&repo.root, &["reserve", "DEV"]).exits(0);
}

/// Two clones remember what the remote lost, a third one started anew.
#[test]
fn a_remote_that_lost_its_log_is_named_and_gets_it_again() {
    let repo = repo();
    let (a, b) = (clone(&repo, "a"), clone(&repo, "b"));
    id(&a, &["init"]).exits(0);
    assert_eq!(
        [&a, &b, &a].map(|clone| reserve(clone, &["CMB"]).remove(0)),
        ["CMB-0001", "CMB-0002", "CMB-0003"].map(str::to_owned)
    );
    git(&repo.beside("remote.git"), &["update-ref", "-d", "refs/headwater/ids/CMB"]);
    let c = clone(&repo, "c");
    id(&c, &["init"]).exits(0);
    assert_eq!(reserve(&c, &["CMB"]), ["CMB-0001"]);
    let said = id(&a, &["check", "CMB"]).exits(1).says("`refs/headwater/ids/CMB` on `origin` lacks 4 entries");
    assert!(
        said.stdout.contains("id-collision: CMB-0001 ") && said.stdout.contains("headwater id sync"),
        "{}",
        said.stdout
    );
    // Every time, and never a number that was seen there.
    for next in ["CMB-0004", "CMB-0005"] {
        let ended = id(&a, &["reserve", "CMB", "--format", "plain"]).exits(0).says("lacks 4 entries").says("id sync");
        assert_eq!(ended.stdout.trim(), next);
    }
    let found = run(&mut headwater(&a, &["doctor"])).exits(1).stdout;
    assert!(found.contains("was rewritten") && found.contains("CMB-0001"), "{found}");
    let synced = id(&a, &["sync"]).exits(0).says("CMB-0001 was reserved twice");
    assert_eq!(synced.stdout, "CONFIRMED: CMB-0002\nCONFIRMED: CMB-0003\nAMENDMENT: CMB-0001 is CMB-0006 now\n");
    let quiet = id(&a, &["sync"]).exits(0);
    assert!(!quiet.stderr.contains("warning"), "{}", quiet.stderr);
    id(&b, &["sync"]).exits(0).says("no id waits");
    for clone in [&a, &b, &c] {
        id(clone, &["check", "CMB"]).exits(0);
    }
    assert!(id(&a, &["show", "CMB-0006"]).exits(0).stdout.contains("also known as CMB-0001"));
    assert_eq!(
        (reserve(&c, &["CMB"]), reserve(&b, &["CMB"])),
        (vec!["CMB-0007".to_owned()], vec!["CMB-0008".to_owned()])
    );
    // A remote that lost it and has no other gets it back as it was.
    git(&repo.beside("remote.git"), &["update-ref", "-d", "refs/headwater/ids/CMB"]);
    id(&b, &["sync"]).exits(0).says("is not on `origin`");
    assert_eq!(reserve(&clone(&repo, "d"), &["CMB"]), ["CMB-0009"]);
}

/// What one clone published of another's is the other's as soon as it has read the log.
#[test]
fn who_was_published_by_another_clone_knows_by_its_nonce() {
    let repo = repo();
    let (a, b) = (clone(&repo, "a"), clone(&repo, "b"));
    put(&b, "TASKS.md", "| SEC-1 |\nsee CMB-0001-b-task\n");
    id(&b, &["init"]).exits(0);
    let mine = ["CMB", "--slug", "b-task", "--event", "e"];
    assert_eq!((reserve(&b, &mine), reserve(&a, &["CMB"])), (vec!["CMB-0001".to_owned()], vec!["CMB-0002".to_owned()]));
    git(&repo.beside("remote.git"), &["update-ref", "-d", "refs/headwater/ids/CMB"]);
    let c = clone(&repo, "c");
    id(&c, &["init"]).exits(0);
    assert_eq!(reserve(&c, &["CMB"]), ["CMB-0001"]);
    let at =
        id(&b, &["list", "--format", "json"]).exits(0).json()["ids"][0]["reserved_at"].as_str().unwrap().to_owned();
    // Nobody knows of a way to give up what another clone has now.
    id(&b, &["release", "CMB-0001"]).exits(2).says("c reserved it elsewhere").says("id sync");
    let synced = id(&a, &["sync"]).exits(0).says(&format!("had lost the reservation by b at {at} when"));
    assert_eq!(synced.stdout, "CONFIRMED: CMB-0002\nAMENDMENT: CMB-0001 is CMB-0003 now\n");
    id(&b, &["release", "CMB-0001"]).exits(2).says("was amended to `CMB-0003`");
    assert_eq!(reserve(&b, &mine), ["CMB-0003"]);
    let listed = id(&b, &["list", "CMB"]).exits(0).stdout;
    assert_eq!(
        (listed.matches("CMB-0001  CONFIRMED").count(), listed.matches("CMB-0001  AMENDMENT -> CMB-0003").count()),
        (1, 1),
        "{listed}"
    );
    assert!(id(&b, &["show", "CMB-0001"]).exits(0).stdout.contains("CMB-0001  AMENDMENT -> CMB-0003  b\n"));
    let found = id(&b, &["check", "CMB"]).exits(0).stdout;
    assert!(found.contains("id-amended-cited: CMB-0001 "), "{found}");
    assert_eq!(id(&b, &["sync"]).exits(0).stdout, "AMENDMENT: CMB-0001 is CMB-0003 now\n");
    id(&b, &["sync"]).exits(0).says("no id waits");
    // What one's own reservation is now can be given up, also by another clone; then the key is spent.
    id(&a, &["release", "CMB-0003"]).exits(0).says("CMB-0003 was reserved by b at ");
    id(&b, &["sync"]).exits(0);
    id(&b, &[&["reserve"], &mine[..]].concat()).exits(2).says("given up since");
    assert!(id(&c, &["list", "CMB"]).exits(0).stdout.contains("CMB-0001  CONFIRMED"));
}

/// Both clones took the same number for the same event while the remote was away.
#[test]
fn one_event_with_one_number_on_two_clones_is_one_reservation() {
    let repo = repo();
    let (a, b) = (clone(&repo, "a"), clone(&repo, "b"));
    id(&a, &["init"]).exits(0);
    assert_eq!(
        (reserve(&a, &["CMB"]), reserve(&b, &["CMB"])),
        (vec!["CMB-0001".to_owned()], vec!["CMB-0002".to_owned()])
    );
    id(&a, &["next", "CMB"]).exits(0);
    let (remote, gone) = (repo.beside("remote.git"), repo.beside("gone.git"));
    std::fs::rename(&remote, &gone).unwrap();
    for clone in [&a, &b] {
        assert_eq!(reserve(clone, &["CMB", "--event", "q"]), ["CMB-0003"]);
    }
    // Of two, one is given up before the other is published: both stay in the list.
    assert_eq!(reserve(&a, &["CMB", "2"]), ["CMB-0004", "CMB-0005"]);
    id(&a, &["release", "CMB-0004"]).exits(0);
    assert_eq!(reserve(&b, &["CMB"]), ["CMB-0004"]);
    std::fs::rename(&gone, &remote).unwrap();
    assert_eq!(id(&b, &["sync"]).exits(0).stdout, "CONFIRMED: CMB-0003\nCONFIRMED: CMB-0004\n");
    assert_eq!(id(&a, &["sync"]).exits(0).stdout, "CONFIRMED: CMB-0003\nCONFIRMED: CMB-0005\n");
    let rows = |word: &str| {
        let listed = id(&a, &["list", "CMB"]).exits(0).stdout;
        listed
            .lines()
            .filter(|line| line.starts_with(word))
            .map(|line| line.rsplit("  ").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (rows("CMB-0003  CONFIRMED"), rows("CMB-0004  CONFIRMED"), rows("CMB-0004  RELEASED")),
        (vec!["b".to_owned()], vec!["b".to_owned()], vec!["a".to_owned()])
    );
    let shown = id(&a, &["show", "CMB-0004"]).exits(0).stdout;
    let place = |part: &str| shown.find(part).unwrap_or_else(|| panic!("{part}: {shown}"));
    let order = [
        place("CMB-0004  RELEASED  a"),
        place("released: CMB-0004  a"),
        place("CMB-0004  CONFIRMED  b"),
        place("reserved: CMB-0004  b"),
    ];
    assert!(order.is_sorted() && shown.matches("released:").count() == 1, "{shown}");
    id(&a, &["confirm", "CMB-0004"]).exits(2).says("was released");
    assert_eq!(id(&a, &["confirm", "CMB-0002"]).exits(0).says("was reserved by b at ").stdout, "CONFIRMED: CMB-0002\n");
    for clone in [&a, &b] {
        id(clone, &["check", "CMB"]).exits(0);
        assert_eq!(id(clone, &["reserve", "CMB", "--event", "q"]).exits(0).json()["ids"][0], "CMB-0003");
    }
    id(&a, &["release", "CMB-0003"]).exits(0);
    assert_eq!((rows("CMB-0003  RELEASED"), rows("CMB-0003  CONFIRMED")), (vec!["b".to_owned()], vec![]));
    for clone in [&a, &b] {
        id(clone, &["sync"]).exits(0);
        id(clone, &["reserve", "CMB", "--event", "q"]).exits(2).says("given up since");
    }
}

/// What the remote never had is not said to have been lost by it.
#[test]
fn another_reference_has_lost_nothing() {
    let repo = repo();
    let a = clone(&repo, "a");
    id(&a, &["init"]).exits(0);
    reserve(&a, &["CMB"]);
    let config = std::fs::read_to_string(a.join(".headwater.yaml")).unwrap();
    let moved = config.replace("log: git", "log: git, ref: refs/heads/headwater-ids-cmb");
    put(&a, ".headwater.yaml", &moved);
    let said = id(&a, &["sync"]).exits(0).says("`ref:` or `remote:` named another one before").stderr;
    assert!(!said.contains("no longer") && !said.contains("lost"), "{said}");
    // A log that was this clone's alone.
    put(&a, ".headwater.yaml", &config.replace("DEV: {}", "DEV: {log: local}"));
    id(&a, &["init"]).exits(0);
    reserve(&a, &["DEV"]);
    let shared = config.replace("DEV: {}", "DEV: {log: git}");
    let b = clone(&repo, "b");
    put(&b, ".headwater.yaml", &shared);
    id(&b, &["init"]).exits(0);
    assert_eq!(reserve(&b, &["DEV"]), ["DEV-1"]);
    put(&a, ".headwater.yaml", &shared);
    id(&a, &["sync"]).exits(0).says("DEV-1 was reserved twice: `origin` did not have the reservation by a at ");
}

/// A database alone may be an old copy: only `init` may go on from it, above everything that is known.
#[test]
fn a_log_without_its_journal_gives_nothing_until_init() {
    let repo = repo();
    let own = repo.root.join(".git/headwater");
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-20"]);
    let old = std::fs::read(own.join("ids.sqlite3")).unwrap();
    assert_eq!(reserve(&repo.root, &["SEC", "2"]), ["SEC-21", "SEC-22"]);
    put(&repo.root, "TASKS.md", &format!("{TASKS}| SEC-22 | Written down | open |\n"));
    std::fs::write(own.join("ids.sqlite3"), old).unwrap();
    std::fs::remove_file(own.join("ids.journal")).unwrap();
    for command in [&["reserve", "SEC"][..], &["next", "SEC"], &["reserve", "CMB"], &["release", "SEC-20"]] {
        id(&repo.root, command).exits(2).says("ids.journal` is missing").says("headwater id init");
    }
    let listed = id(&repo.root, &["list", "SEC"]).exits(0).says("may be out of date");
    assert!(listed.stdout.contains("SEC-20") && listed.stderr.matches("may be out of date").count() == 1);
    let found = run(&mut headwater(&repo.root, &["doctor"])).exits(1).stdout;
    assert!(found.contains("ids.journal` is missing"), "{found}");
    id(&repo.root, &["init"]).exits(0).says("ids.sqlite3.aside-1");
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-23"]);
    let journal = std::fs::read_to_string(own.join("ids.journal")).unwrap();
    assert!(journal.contains("SEC-20"));
    // Two reservations of one number, as two copies that were used apart and joined have them, are named.
    id(&repo.root, &["check", "SEC", "--no-fetch"]).exits(0);
    let second = journal.lines().last().unwrap().replace("\"nonce\":\"", "\"nonce\":\"another-");
    std::fs::write(own.join("ids.journal"), journal + &second + "\n").unwrap();
    let found = id(&repo.root, &["check", "SEC", "--no-fetch"]).exits(1).stdout;
    assert!(found.contains("id-collision: SEC-23 was reserved twice") && found.contains("id renumber"), "{found}");
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-24"]);
}

#[test]
fn a_damaged_log_is_an_error_until_init_which_keeps_it() {
    let repo = repo();
    let own = repo.root.join(".git/headwater");
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-20"]);
    let damaged = "no database, and nothing that anybody could read as one";
    std::fs::write(own.join("ids.sqlite3"), damaged).unwrap();
    for command in [&["reserve", "SEC"][..], &["list"]] {
        id(&repo.root, command).exits(2).says("headwater id init");
    }
    let found = run(&mut headwater(&repo.root, &["doctor"])).exits(1).stdout;
    assert!(found.contains("headwater id init"), "{found}");
    id(&repo.root, &["init"]).exits(0).says("ids.sqlite3.aside-1");
    assert_eq!(std::fs::read_to_string(own.join("ids.sqlite3.aside-1")).unwrap(), damaged);
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-21"]);
}

/// What one id costs does not grow with the reservation that it came with.
#[cfg(target_os = "linux")]
/// Adds a line to a namespace's log on the remote, as some other program might.
fn publish(clone: &Path, reference: &str, line: &str) {
    let tree = git(clone, &["mktree", "--missing", "-z"]);
    let commit = git(clone, &["commit-tree", tree.trim(), "-m", &format!("floor\n\n{line}")]);
    git(clone, &["push", "-q", "--force", "origin", &format!("{}:{reference}", commit.trim())]);
}

#[test]
fn a_number_that_leaves_none_is_refused_and_stops_nothing_else() {
    let repo = repo();
    let a = clone(&repo, "a");
    let counters = put(&a, "c.json", "{\"counters\": {\"CMB\": 40, \"DEV\": 40, \"SEC\": 9223372036854775807}}");
    id(&a, &["init"]).exits(0);
    id(&a, &["import", counters.to_str().unwrap()]).exits(2).says("is 999999999998");
    assert_eq!((reserve(&a, &["SEC"]), reserve(&a, &["DEV"])), (vec!["SEC-20".into()], vec!["DEV-1".into()]));
    put(&a, "TASKS.md", &format!("{TASKS}| SEC-999999999999 | x | open |\n"));
    id(&a, &["init", "--allow-jump"]).exits(2).says("is 999999999998");
    put(&a, "TASKS.md", TASKS);
    // A log that has one all the same: nobody follows it.
    let floor = r#"{"namespace":"CMB","kind":"floor","numbers":[18446744073709551615],"at":"2026-01-01T00:00:00Z","nonce":"f"}"#;
    publish(&a, "refs/headwater/ids/CMB", floor);
    let fresh = clone(&repo, "b");
    id(&fresh, &["reserve", "CMB", "--allow-jump"]).exits(2).says("no higher numbers are left");
    let next = id(&fresh, &["next", "CMB"]).exits(0).says("CMB-18446744073709551615");
    assert_eq!(next.stdout, "CMB-0001\n");
    for command in [&["list"][..], &["check"], &["sync"]] {
        id(&fresh, command).exits(0);
    }
    // A line that cannot be read is skipped.
    publish(&a, "refs/headwater/ids/CMB", "{damaged");
    let listed = id(&a, &["list"]).exits(0);
    assert!(listed.stdout.contains("SEC-20"), "{}", listed.stdout);
    put(&a, "TASKS.md", &format!("{TASKS}| SEC-50 | x | open |\n"));
    let checked = id(&a, &["check"]).exits(0);
    assert!(checked.stdout.contains("id-unreserved: SEC-50"), "{}", checked.stdout);
    assert_eq!(reserve(&a, &["SEC"]), ["SEC-51"]);
}

/// A namespace that takes the form of another one's ids, as after a change of its name, gives none of them again.
#[test]
fn a_namespace_that_is_renamed_goes_on() {
    let repo = repo();
    let (a, b) = (clone(&repo, "a"), clone(&repo, "b"));
    for clone in [&a, &b] {
        put(clone, ".headwater.yaml", "ids: {SEC: {log: git}, LOC: {}, DAY: {format: 'D-{date}{n}'}}\n");
    }
    id(&a, &["init"]).exits(0);
    assert_eq!(reserve(&a, &["SEC", "2"]), ["SEC-1", "SEC-2"]);
    assert_eq!((reserve(&a, &["LOC"]), reserve(&a, &["DAY"]).len()), (vec!["LOC-1".to_owned()], 1));
    let renamed =
        "ids: {TASK: {log: git, format: 'SEC-{n}'}, LOX: {format: 'LOC-{n}'}, YAD: {format: 'D-{date}{n}'}}\n";
    for clone in [&a, &b] {
        put(clone, ".headwater.yaml", renamed);
    }
    // A clone that never saw the other log.
    id(&b, &["init"]).exits(0);
    assert_eq!(id(&b, &["next", "TASK"]).exits(0).stdout, "SEC-3\n");
    assert_eq!(reserve(&b, &["TASK"]), ["SEC-3"]);
    assert!(id(&b, &["show", "SEC-2"]).exits(0).stdout.contains("CONFIRMED"));
    let init = id(&a, &["init"]).exits(0).stdout;
    assert!(init.contains("LOX      → 1") && init.contains("TASK     → 3") && init.contains("YAD      → 1"), "{init}");
    assert_eq!((reserve(&a, &["TASK"]), reserve(&a, &["LOX"])), (vec!["SEC-4".to_owned()], vec!["LOC-2".to_owned()]));
    // Both names at once, as in work trees of different branches.
    let log = "ids: {LOC: {}}\n";
    let linked = repo.beside("linked");
    git(&a, &["worktree", "add", "-q", linked.to_str().unwrap()]);
    put(&linked, ".headwater.yaml", log);
    assert_eq!(
        (reserve(&linked, &["LOC"]), reserve(&a, &["LOX"])),
        (vec!["LOC-3".to_owned()], vec!["LOC-4".to_owned()])
    );
    assert_eq!(reserve(&linked, &["LOC", "2"]), ["LOC-5", "LOC-6"]);
    // Two namespaces that can give the same id are no configuration.
    put(&a, ".headwater.yaml", "ids:\n  LOC: {}\n  LOX: {format: 'LOC-{n:04}'}\n");
    id(&a, &["list"]).exits(2).says("cannot be told from those of `LOC`");
}

/// Copies of a log have another name than the log: a mirror of a clone cannot move it back.
#[test]
fn a_mirror_of_a_clone_does_not_move_the_log() {
    let repo = repo();
    let (a, b) = (clone(&repo, "a"), clone(&repo, "b"));
    id(&a, &["init"]).exits(0);
    assert_eq!((reserve(&a, &["CMB"]), reserve(&b, &["CMB"])), (vec!["CMB-0001".into()], vec!["CMB-0002".into()]));
    let log = "refs/headwater/ids/CMB";
    assert_eq!(git(&a, &["for-each-ref", "refs/headwater/ids/"]), "");
    git(&a, &["push", "-q", "--mirror", "origin"]);
    assert_eq!(git(&repo.beside("remote.git"), &["for-each-ref", log]), "");
    // It is gone there, which every clone that saw it says, and `sync` in any of them mends.
    id(&b, &["sync"]).exits(0).says("is not on `origin`");
    assert_eq!((reserve(&a, &["CMB"]), reserve(&b, &["CMB"])), (vec!["CMB-0003".into()], vec!["CMB-0004".into()]));
    // The copy of an older version, under the log's name, is taken over.
    git(&b, &["update-ref", log, "refs/headwater/seen/CMB"]);
    git(&b, &["update-ref", "-d", "refs/headwater/seen/CMB"]);
    git(&repo.beside("remote.git"), &["update-ref", "-d", log]);
    assert!(id(&b, &["list"]).exits(0).stdout.contains("CMB-0004"));
    assert_eq!(id(&b, &["reserve", "CMB", "--format", "plain"]).exits(0).says("is not on").stdout, "CMB-0005\n");
    assert_eq!(git(&b, &["for-each-ref", "refs/headwater/ids/"]), "");
}

/// Database and journal agree with each other, and are old.
#[test]
fn an_old_copy_of_the_whole_folder_gives_nothing_until_init() {
    let repo = repo();
    let (own, old) = (repo.root.join(".git/headwater"), repo.beside("old"));
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-20"]);
    crate::sandbox::copy(&own, &old);
    assert_eq!(reserve(&repo.root, &["SEC", "2"]), ["SEC-21", "SEC-22"]);
    put(&repo.root, "TASKS.md", &format!("{TASKS}| SEC-22 | Written down | open |\n"));
    for database in [true, false] {
        std::fs::remove_dir_all(&own).unwrap();
        crate::sandbox::copy(&old, &own);
        if !database {
            std::fs::remove_file(own.join("ids.sqlite3")).unwrap();
        }
        id(&repo.root, &["reserve", "SEC"]).exits(2).says("is older than what was reserved here").says("id init");
        let listed = id(&repo.root, &["list"]).exits(if database { 0 } else { 2 });
        listed.says("is older than what was reserved here");
    }
    id(&repo.root, &["init"]).exits(0);
    assert_eq!(reserve(&repo.root, &["SEC"]), ["SEC-23"]);
    // Another clone's folder in the place of its own.
    let a = clone(&repo, "a");
    id(&a, &["init"]).exits(0);
    std::fs::remove_dir_all(a.join(".git/headwater")).unwrap();
    crate::sandbox::copy(&own, &a.join(".git/headwater"));
    id(&a, &["reserve", "SEC"]).exits(2).says("or of another clone");
    id(&a, &["init"]).exits(0);
    assert_eq!(reserve(&a, &["SEC", "2"]), ["SEC-24", "SEC-25"]);
}
