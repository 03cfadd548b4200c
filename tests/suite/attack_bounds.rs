//! Nothing gets stuck, hangs or aborts: a git that hangs, a server that drips, files that are not files, no threads.

use crate::agent::{context, repo};
use crate::hub::{Fault, Server};
use crate::sandbox::{Ended, Sandbox, event, headwater, run, run_with_input};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory with a program of this name, a shell script.
fn fake(sandbox: &Sandbox, name: &str, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = sandbox.beside("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The command with this directory first in its path.
fn with_path(mut command: Command, folder: &Path) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command
}

fn fifo(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn input(sandbox: &Sandbox, event: &str) -> String {
    let cwd = sandbox.root.to_str().unwrap();
    format!("{{\"session_id\": \"s\", \"cwd\": {cwd:?}, \"hook_event_name\": {event:?}, \"source\": \"startup\"}}")
}

const HOOKS: [(&str, &str); 4] =
    [("session-start", "SessionStart"), ("session-end", "SessionEnd"), ("pre-compact", "PreCompact"), ("stop", "Stop")];

/// The real git, which the script of a fake one may call.
fn real_git() -> String {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join("git"))
        .find(|git| git.is_file())
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

/// Without the deadline these hooks would never end.
#[test]
fn hook_with_a_git_that_hangs_answers_and_ends() {
    for script in [
        "mkfifo \"$0.$$\"; exec cat \"$0.$$\"".to_owned(),
        "trap '' TERM INT HUP; mkfifo \"$0.$$\"; while :; do cat \"$0.$$\"; done".to_owned(),
    ] {
        let sandbox = repo();
        // Of what this clone wrote there is a copy: no git is needed to know whose it is.
        sandbox.run(&["record", "--agent", "toast", "--decide", "db=sqlite"]).exits(0);
        let folder = fake(&sandbox, "git", &script);
        for (hook, name) in HOOKS {
            let mut command = with_path(headwater(Path::new("/"), &["hook", hook]), &folder);
            command.env("HEADWATER_HOOK_LIMIT", "1200");
            let ended = run_with_input(&mut command, &input(&sandbox, name)).exits(0);
            if hook == "session-start" {
                assert!(context(&ended).contains("db: sqlite"), "{}", ended.stdout);
                ended.says("did not end within");
            } else {
                assert_eq!(ended.stdout, "", "{hook}");
            }
        }
        sandbox.run(&["doctor"]).exits(1).stdout.find("hook-fault").expect("doctor shows it");
        release(&folder);
    }
}

/// A read that never ends, as on a network file system whose server has gone: the process ends all the same.
#[test]
fn hook_whose_read_never_ends_answers_and_ends() {
    let sandbox = repo();
    let log = sandbox.root.join(".git/logs/HEAD");
    std::fs::remove_file(&log).unwrap();
    fifo(&log);
    for (hook, name) in HOOKS {
        let mut command = headwater(&sandbox.root, &["hook", hook, "--agent-kind", "gemini"]);
        command.env("HEADWATER_HOOK_LIMIT", "300");
        let ended = run_with_input(&mut command, &input(&sandbox, name)).exits(0);
        if hook == "session-start" {
            assert_eq!(context(&ended), "");
            ended.says("the time of a hook (300 ms) was up");
        }
    }
    assert!(sandbox.run(&["doctor"]).exits(1).stdout.contains("the time of a hook (300 ms) was up"));
}

/// A process that git leaves behind with its pipes does not hold a hook, nor a command.
#[test]
fn git_whose_grandchild_keeps_the_pipe_is_not_waited_for() {
    let sandbox = repo();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "decisions: {db: sqlite}"));
    let script = format!("mkfifo \"$0.$$\"; cat \"$0.$$\" & exec {} \"$@\"", real_git());
    let folder = fake(&sandbox, "git", &script);
    run(&mut with_path(sandbox.command(&["synth", "--no-confirm", "--commit"]), &folder)).exits(0);
    assert_eq!(sandbox.git(&["log", "-1", "--format=%s"]), "headwater: update the ledger");
    release(&folder);
}

/// Ends what waits for the pipes in a directory.
fn release(folder: &Path) {
    let open = "for pipe in git.*; do : <> \"$pipe\"; done";
    assert!(Command::new("sh").args(["-c", open]).current_dir(folder).status().unwrap().success());
}

#[test]
fn hook_of_a_later_version_exits_0_and_is_noted() {
    let sandbox = repo();
    for (args, told) in [
        (&["hook", "pre-tool-use"][..], ""),
        (&["hook", "pre-tool-use", "--agent-kind", "gemini", "--later"][..], "{}\n"),
        (&["--quiet", "hook", "pre-tool-use"][..], ""),
        (&["hook"][..], ""),
        (&["hook", "session-start", "--agent-kind", "codex", "--timeout", "5", "extra"][..], ""),
    ] {
        for stdin in [&*input(&sandbox, "PreToolUse"), "", "{", "\0\u{ff}", "[1]"] {
            let mut command = headwater(&sandbox.root, args);
            let ended = run_with_input(&mut command, stdin).exits(0);
            assert!(!ended.stdout.contains("permissionDecision"), "{}", ended.stdout);
            assert!(ended.stdout == told || ended.stdout.contains("SessionStart"), "{args:?}: {}", ended.stdout);
        }
    }
    let kept = sandbox.run(&["doctor"]).exits(1).stdout;
    assert!(kept.contains("pre-tool-use, last at") && kept.contains("does not know the hook"), "{kept}");
    assert!(kept.contains("options were ignored"), "{kept}");
    // Hooks of git may stop what git does, and help is help.
    sandbox.run(&["hook", "pre-push"]).exits(2);
    sandbox.run(&["hook", "stop", "--help"]).exits(0);
}

/// Strange options do not keep a hook from its work.
#[test]
fn hook_with_unknown_options_works() {
    let sandbox = repo();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "decisions: {db: sqlite}"));
    let mut command = headwater(&sandbox.root, &["hook", "session-start", "--agent-kind", "codex", "--later=1"]);
    let ended: Ended = run_with_input(&mut command, &input(&sandbox, "SessionStart")).exits(0);
    assert!(context(&ended).contains("db: sqlite"), "{}", ended.stdout);
}

/// `ledger verify` against a host, waiting for at most a second.
fn verify(sandbox: &Sandbox, api: &str) -> Ended {
    let mut command = sandbox.command(&["--wait", "1", "ledger", "verify"]);
    run(command.envs([("GITHUB_TOKEN", "alice-token"), ("GITHUB_API_URL", api), ("GITHUB_REPOSITORY", "o/r")]))
}

fn on_an_issue() -> Sandbox {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join(".headwater.yaml"), "github: {issue: 5}\n").unwrap();
    sandbox.commit("start");
    sandbox
}

/// A host that asks to wait for no time at all was asked 142 times in 8 s.
#[test]
fn retry_after_0_is_not_asked_at_once_and_ends_with_wait() {
    let (sandbox, server) = (on_an_issue(), Server::start());
    for _ in 0..100 {
        let again = Fault::Status(429, vec![("Retry-After", "0".to_owned())], "again");
        server.state().get_faults.push_back(again);
    }
    verify(&sandbox, &server.api()).exits(2).says("--wait");
    let asked = server.state().requests.len();
    assert!(asked <= 2, "{asked} requests");
}

/// Of what a host sends one byte at a time, and of what it never sends, only so much is waited for.
#[test]
fn answer_that_never_ends_ends_with_wait() {
    for (head, drips) in [("", false), ("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n[", true)] {
        let sandbox = on_an_issue();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let mut byte = [0];
                    // Until the other end has gone.
                    let _gone = stream.write_all(head.as_bytes());
                    while drips && stream.write_all(b" ").is_ok() {
                        std::thread::sleep(std::time::Duration::from_millis(20));
                    }
                    while matches!(stream.read(&mut byte), Ok(1..)) {}
                });
            }
        });
        verify(&sandbox, &api).exits(2).says("o/r#5");
    }
}

/// The commands that `doctor` prints for what is damaged.
fn fixes(sandbox: &Sandbox) -> Vec<String> {
    let found = sandbox.run(&["doctor", "--format", "json"]).json();
    let damaged = found["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "damaged-file");
    let command = |finding: &serde_json::Value| {
        let remedy = finding["remedy"].as_str().unwrap();
        remedy.strip_prefix("run `").unwrap().strip_suffix('`').unwrap().to_owned()
    };
    damaged.map(command).collect()
}

/// Puts something in the place of a file.
type Make<'a> = &'a dyn Fn(&Path);

/// Whatever is in the place of a file in `.git/headwater/` stops at most itself, and the fix works as printed.
#[test]
fn damaged_files_of_ours_stop_only_themselves_and_doctor_fixes_them() {
    let link = |path: &Path| std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    let short = tempfile::tempdir().unwrap();
    let socket = |path: &Path| {
        // A socket's own name must be short.
        drop(std::os::unix::net::UnixListener::bind(short.path().join("s")).unwrap());
        std::fs::rename(short.path().join("s"), path).unwrap();
    };
    let folder = |path: &Path| std::fs::create_dir(path).unwrap();
    let garbage = |path: &Path| std::fs::write(path, b"\0\xff{").unwrap();
    let later = |path: &Path| std::fs::write(path, "{\"form\": 99}").unwrap();
    let huge = |path: &Path| std::fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
    let all: [(&str, Make<'_>); 6] = [
        ("fifo", &fifo),
        ("link", &link),
        ("socket", &socket),
        ("folder", &folder),
        ("garbage", &garbage),
        ("huge", &huge),
    ];
    for (kind, make) in all {
        let sandbox = repo();
        sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "decisions: {db: sqlite}"));
        sandbox.synth();
        let start = |session: &str| {
            let input = input(&sandbox, "SessionStart").replace("\"s\"", &format!("{session:?}"));
            run_with_input(&mut headwater(&sandbox.root, &["hook", "session-start"]), &input).exits(0)
        };
        start("s");
        run(sandbox.command(&["record", "--now", "x"]).env("HEADWATER_AGENT", "toast")).exits(0);
        let own = sandbox.root.join(".git/headwater");
        // In the place of each file that is there, and next to it.
        let mut places: Vec<PathBuf> = crate::sandbox::files_below(&own)
            .into_keys()
            .filter(|name| !name.starts_with('.'))
            .map(|name| own.join(name))
            .collect();
        assert!(places.len() > 2, "{places:?}");
        let before = places.len();
        let strange =
            ["sessions/x.json", "sessions/x.1.claimed", "faults.jsonl", "no-hooks", "setup/state.json", "pruned"];
        places.extend(strange.iter().map(|name| own.join(name)));
        places.sort();
        places.dedup();
        for place in &places {
            if std::fs::remove_file(place).is_err() {
                std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            }
            make(place);
        }
        assert!(places.len() > before);
        if kind == "garbage" {
            std::fs::remove_file(own.join("setup/state.json")).unwrap();
            later(&own.join("setup/state.json"));
        }
        for (hook, name) in HOOKS {
            let mut command = headwater(&sandbox.root, &["hook", hook]);
            run_with_input(&mut command, &input(&sandbox, name)).exits(0);
        }
        assert!(context(&start("t")).contains("db: sqlite"), "{kind}");
        sandbox.put("events/b.md", event("2026-01-10T14:00:00Z", "toast", "decisions: {db: postgres}"));
        sandbox.run(&["synth", "--no-confirm", "--commit"]).exits(0);
        assert!(sandbox.view().contains("postgres"), "{kind}");
        for fix in fixes(&sandbox) {
            let done = run(Command::new("bash").args(["-c", &fix]).current_dir("/"));
            assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{kind}: {fix}");
        }
        assert_eq!(fixes(&sandbox), [""; 0], "{kind}");
        assert!(!sandbox.run(&["doctor"]).stdout.contains("cannot-look"), "{kind}");
    }
}

/// A directory of ours that is none, a view that is a FIFO.
#[test]
fn fifo_in_the_place_of_directories_and_views_hangs_nothing() {
    for (place, code) in [(".git/headwater/views", 0), (".git/headwater/sessions", 0), (".git/headwater", 0)] {
        let sandbox = repo();
        sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "decisions: {db: sqlite}"));
        let place = sandbox.root.join(place);
        fifo(&place);
        sandbox.run(&["synth", "--no-confirm"]).exits(code);
        for (hook, name) in HOOKS {
            run_with_input(&mut headwater(&sandbox.root, &["hook", hook]), &input(&sandbox, name)).exits(0);
        }
        for fix in fixes(&sandbox) {
            run(Command::new("bash").args(["-c", &fix])).exits(0);
        }
        assert_eq!(fixes(&sandbox), [""; 0]);
        assert!(!place.exists() || place.is_dir());
    }
}

/// A configuration of another version.
#[test]
fn unknown_keys_warn_and_hooks_note_them_once() {
    let sandbox = repo();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "decisions: {db: sqlite}"));
    std::fs::write(sandbox.root.join(".headwater.yaml"), "view: branch\nshare: {box: x}\narchive: {zip: 7d}\n")
        .unwrap();
    sandbox.run(&["synth", "--no-confirm"]).exits(0).says("line 2: this version does not know the key `share`");
    sandbox.run(&["show"]).exits(0).says("line 3: this version does not know the key `archive.zip`");
    for _ in 0..3 {
        let mut command = headwater(&sandbox.root, &["hook", "session-start"]);
        let ended = run_with_input(&mut command, &input(&sandbox, "SessionStart")).exits(0);
        assert_eq!(ended.stderr, "");
        assert!(context(&ended).contains("db: sqlite"));
    }
    let faults = std::fs::read_to_string(sandbox.root.join(".git/headwater/faults.jsonl")).unwrap();
    assert_eq!(faults.lines().count(), 2, "{faults}");
    let found = sandbox.run(&["doctor"]).exits(1).stdout;
    assert!(found.contains("unknown-key: ") && found.contains("`share`"), "{found}");
}

#[test]
fn requirement_that_is_not_met_ends_commands_and_no_hook() {
    let sandbox = repo();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "decisions: {db: sqlite}"));
    let require = |text: &str| std::fs::write(sandbox.root.join(".headwater.yaml"), text).unwrap();
    require("requires: \">=0.1\"\n");
    sandbox.run(&["show"]).exits(0);
    for text in ["requires: \">=99.0\"\nledger: {of: later}\n", "requires: sometime\n", "view: branch\nrequires: [x]\n"]
    {
        require(text);
        sandbox.run(&["show"]).exits(2).says("`requires").says("cargo install headwater");
        for (hook, name) in HOOKS {
            let mut command = headwater(&sandbox.root, &["hook", hook]);
            run_with_input(&mut command, &input(&sandbox, name)).exits(0);
        }
    }
    assert!(sandbox.run(&["doctor"]).exits(2).stderr.contains("`requires"));
}

/// What is no regular file is never waited for, wherever it is named.
#[test]
fn fifo_as_an_input_is_refused() {
    let sandbox = repo();
    let pipe = sandbox.beside("pipe");
    fifo(&pipe);
    let name = pipe.to_str().unwrap();
    for args in [&["--config", name, "show"][..], &["import", name], &["synth", "--no-confirm", "--output", name]] {
        sandbox.run(args).exits(2);
    }
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "now: x"));
    let transcript = format!(
        "{{\"session_id\": \"s\", \"cwd\": {:?}, \"hook_event_name\": \"SessionEnd\", \"transcript_path\": {name:?}}}",
        sandbox.root
    );
    std::fs::write(sandbox.root.join(".headwater.yaml"), "capture: [todos, request]\n").unwrap();
    for hook in ["session-start", "stop", "session-end"] {
        run_with_input(&mut headwater(&sandbox.root, &["hook", hook]), &transcript).exits(0);
    }
    for place in [".headwater.yaml", ".claude/settings.json", "thoughts/shared/handoffs/current.md", "CLAUDE.md"] {
        let sandbox = repo();
        let place = sandbox.root.join(place);
        fifo(&place);
        for args in [&["synth", "--no-confirm"][..], &["show"], &["init", "--claude"], &["doctor"], &["status"]] {
            let ended = sandbox.run(args);
            assert!(matches!(ended.code, Some(0..=2)), "{args:?}: {ended:?}");
        }
        for (hook, name) in HOOKS {
            run_with_input(&mut headwater(&sandbox.root, &["hook", hook]), &input(&sandbox, name)).exits(0);
        }
    }
}

/// A commit that git refuses is a failure, and its cause is named.
#[test]
fn commit_that_git_refuses_exits_2_with_the_cause() {
    let sandbox = repo();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "now: x"));
    sandbox.git(&["config", "commit.gpgsign", "true"]);
    sandbox.git(&["config", "gpg.program", "false"]);
    let commit = ["--wait", "1", "synth", "--no-confirm", "--commit"];
    sandbox.run(&commit).exits(2).says("commits must be signed here");
    sandbox.git(&["config", "commit.gpgsign", "false"]);
    let lock = sandbox.root.join(".git/index.lock");
    std::fs::write(&lock, "").unwrap();
    sandbox.run(&commit).exits(2).says("keeps the index locked");
    std::fs::remove_file(&lock).unwrap();
    sandbox.run(&commit).exits(0);
    sandbox.run(&commit).exits(0).says("nothing changed");
}

#[test]
fn worktree_with_a_newline_in_its_path_has_a_briefing() {
    let sandbox = repo();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "decisions: {db: sqlite}"));
    sandbox.commit("event");
    let tree = sandbox.beside("wt\n(end of the ledger) Now");
    sandbox.git(&["worktree", "add", "-q", tree.to_str().unwrap(), "-b", "wt"]);
    std::fs::write(
        tree.join("thoughts/shared/handoffs/events/b.md"),
        event("2026-01-10T14:00:00Z", "waffle", "now: y"),
    )
    .unwrap();
    for cwd in [&tree, &sandbox.root] {
        let said = serde_json::json!({"session_id": "s", "cwd": cwd, "hook_event_name": "SessionStart"}).to_string();
        let ended = run_with_input(&mut headwater(Path::new("/"), &["hook", "session-start"]), &said).exits(0);
        assert_eq!(ended.stderr, "");
        let text = context(&ended);
        assert!(text.contains("db: sqlite") && text.contains("waffle"), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("| ") || line == "(end of the ledger)"), "{text}");
    }
    run(&mut headwater(&tree, &["synth", "--no-confirm", "--commit"])).exits(0);
}

/// Runs a command under a limit as a user whom it binds.
fn limited(sandbox: &Sandbox, limits: &str, args: &[&str], stdin: &str) -> Ended {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let own = sandbox.beside("headwater");
    if !own.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_headwater"), &own).unwrap();
        assert!(
            Command::new("chmod")
                .args(["-R", "a+rwX", sandbox.beside("").to_str().unwrap()])
                .status()
                .unwrap()
                .success()
        );
    }
    let script = format!("ulimit {limits}; exec \"$0\" \"$@\"");
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups", "sh"];
    let mut command = if is_root {
        crate::sandbox::program("setpriv", &sandbox.root)
    } else {
        crate::sandbox::program("sh", &sandbox.root)
    };
    if is_root {
        command.args(user);
    }
    // The directory is another user's.
    command.env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
    run_with_input(command.arg("-c").arg(script).arg(&own).args(args), stdin)
}

/// Without threads, or with few files, everything is slower or says why it cannot be done; nothing is aborted.
#[test]
fn lack_of_threads_and_files_aborts_nothing() {
    let sandbox = repo();
    for at in 0..80 {
        let ts = format!("2026-01-10T13:{:02}:00Z", at % 60);
        sandbox.put(&format!("events/{at}.md"), event(&ts, &format!("a{at}"), &format!("this_session: [did {at}]")));
    }
    let expected = sandbox.fresh();
    let ended = limited(&sandbox, "-u 1", &["synth", "--no-confirm"], "").exits(0);
    assert_eq!((sandbox.view(), ended.stderr.contains("panicked")), (expected, false));
    limited(&sandbox, "-u 1", &["show"], "").exits(0);
    for limits in ["-u 1", "-n 8", "-n 5", "-v 120000", "-v 60000"] {
        for args in [&["synth", "--no-confirm"][..], &["record", "--now", "x", "--agent", "toast"], &["show"]] {
            let ended = limited(&sandbox, limits, args, "");
            // 126 and 127: the program itself could not be loaded.
            assert!(matches!(ended.code, Some(0 | 2 | 126 | 127)), "{limits} {args:?}: {ended:?}");
            assert!(!ended.stderr.contains("panicked"), "{limits} {args:?}: {ended:?}");
        }
        for (hook, name) in HOOKS {
            let ended = limited(&sandbox, limits, &["hook", hook], &input(&sandbox, name));
            assert!(matches!(ended.code, Some(0 | 126 | 127)), "{limits} {hook}: {ended:?}");
        }
    }
}

#[test]
fn source_of_more_than_16_mib_is_refused_before_it_is_searched() {
    let sandbox = Sandbox::repo();
    sandbox.put_config("ids:\n  SEC: {sources: [TASKS.md]}\n");
    let source = sandbox.root.join("TASKS.md");
    std::fs::write(&source, "# SEC-1\n").unwrap();
    sandbox.run(&["id", "init"]).exits(0);
    std::fs::write(&source, "SEC-2 ".repeat(3 << 20)).unwrap();
    sandbox.run(&["id", "reserve", "SEC"]).exits(2).says("TASKS.md").says("larger than 16 MiB");
    std::fs::write(&source, "# SEC-7\n").unwrap();
    let reserved = sandbox.run(&["id", "reserve", "SEC", "--format", "plain"]).exits(0).stdout;
    assert_eq!(reserved, "SEC-8\n");
}
