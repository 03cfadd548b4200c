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
    format!(
        "{{\"session_id\": \"s\", \"cwd\": {:?}, \"hook_event_name\": {event:?}, \"source\": \"startup\"}}",
        sandbox.root
    )
}

const HOOKS: [(&str, &str); 4] = [
    ("session-start", "SessionStart"),
    ("session-end", "SessionEnd"),
    ("pre-compact", "PreCompact"),
    ("stop", "Stop"),
];

/// The real git, which the script of a fake one may call.
fn real_git() -> String {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join("git")).find(|git| git.is_file()).unwrap().to_str().unwrap().to_owned()
}

/// Without the deadline these hooks would never end.
#[test]
fn hook_with_a_git_that_hangs_answers_and_ends() {
    for script in [
        "mkfifo \"$0.$$\"; exec cat \"$0.$$\"".to_owned(),
        "trap '' TERM INT HUP; mkfifo \"$0.$$\"; while :; do cat \"$0.$$\"; done".to_owned(),
    ] {
        let sandbox = repo();
        sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "decisions: {db: sqlite}"));
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
