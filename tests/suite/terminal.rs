//! What a person meets on a terminal: questions, and the answers that are none.

use crate::sandbox::{FIRST_LINE, Sandbox, event, files_below, program, run};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// The end of a file, and an interrupt, as the keyboard sends them.
const CTRL_D: &str = "\u{4}";
const CTRL_C: &str = "\u{3}";

/// A program on a pseudo-terminal, which `script` makes.
struct Terminal {
    script: Child,
    keyboard: ChildStdin,
    screen: ChildStdout,
    shown: Vec<u8>,
}

impl Terminal {
    /// Runs `headwater`; none where there is no `script`.
    fn run(cwd: &Path, args: &str) -> Option<Self> {
        Self::run_with(cwd, args, &[])
    }

    fn run_with(cwd: &Path, args: &str, variables: &[(&str, &str)]) -> Option<Self> {
        if run(program("sh", Path::new("/")).args(["-c", "script --version"])).code != Some(0) {
            return None;
        }
        let command = format!("exec '{}' {args}", env!("CARGO_BIN_EXE_headwater"));
        let mut script = program("script", cwd);
        script.args(["-qec", &command, "/dev/null"]).env("TERM", "dumb").envs(variables.iter().copied());
        let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (keyboard, screen) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        Some(Self { script, keyboard, screen, shown: Vec::new() })
    }

    /// Waits until a question is shown that was not yet; `false` if the program ends instead.
    fn asks(&mut self) -> bool {
        let before = self.questions();
        let mut byte = [0];
        while self.questions() == before {
            match self.screen.read(&mut byte) {
                Ok(1) => self.shown.extend(byte),
                _ => return false,
            }
        }
        true
    }

    fn questions(&self) -> usize {
        let shown = String::from_utf8_lossy(&self.shown);
        shown.matches("[Y/n] ").count() + shown.matches("[y/N] ").count()
    }

    fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).and_then(|()| self.keyboard.flush()).unwrap();
    }

    /// The exit status, as a shell gives it, and all that was shown.
    fn ends(mut self) -> (Option<i32>, String) {
        // The keyboard stays until then: `script` types Ctrl+D when its own input ends.
        let _closed = self.screen.read_to_end(&mut self.shown);
        let code = self.script.wait().unwrap().code();
        (code, String::from_utf8_lossy(&self.shown).into_owned())
    }
}

/// A long wait is shown while it lasts, a short one not at all.
#[test]
fn long_waits_show_progress() {
    let (repo, server) = (Sandbox::repo(), crate::hub::Server::start());
    let api = server.api();
    let variables =
        [("TERM", "xterm"), ("GITHUB_TOKEN", "alice-token"), ("GITHUB_API_URL", &*api), ("GITHUB_REPOSITORY", "o/r")];
    let shown = || {
        let args = "ledger allocate --kind occ --event e --issue 5";
        Terminal::run_with(&repo.root, args, &variables).map(Terminal::ends)
    };
    let Some(first) = shown() else { return };
    assert_eq!(first, (Some(0), "#1\r\n".to_owned()));
    let slow = vec![("Retry-After", "1".to_owned())];
    server.state().get_faults = [crate::hub::Fault::Status(429, slow, "slow down")].into();
    let (code, shown) = shown().unwrap();
    assert!(code == Some(0) && shown.contains("o/r#5 asks to wait (slow down): 1 s"), "{shown}");
}

#[test]
fn synth_asks_before_it_writes() {
    let sandbox = Sandbox::plain();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "a", "now: x"));
    let view = sandbox.dir.join("current.md");
    for (keys, code, writes) in [
        ("n\n", 0, false),
        ("no\n", 0, false),
        ("what?\n", 0, false),
        (CTRL_D, 0, false),
        (CTRL_C, 130, false),
        ("y\n", 0, true),
        ("\n", 0, true),
        (" YES \n", 0, true),
    ] {
        let _old = std::fs::remove_file(&view);
        let Some(mut terminal) = Terminal::run(&sandbox.root, "--dir .") else { return };
        assert!(terminal.asks());
        assert!(!view.exists(), "{keys:?}");
        terminal.types(keys);
        let (ended, shown) = terminal.ends();
        assert_eq!((ended, view.exists()), (Some(code), writes), "{keys:?}:\n{shown}");
        assert!(shown.contains("1 event from 1 agent") && shown.contains("write "), "{shown}");
        assert_eq!(shown.contains("nothing was written"), code == 0 && !writes, "{keys:?}:\n{shown}");
    }
    // With nothing to do there is nothing to ask.
    let mut terminal = Terminal::run(&sandbox.root, "--dir .").unwrap();
    assert!(!terminal.asks());
    assert_eq!(terminal.ends().0, Some(0));
    assert!(std::fs::read_to_string(view).unwrap().starts_with(FIRST_LINE));
}

#[test]
fn init_changes_nothing_without_a_yes() {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join("code.txt"), "one\n").unwrap();
    sandbox.commit("first");
    let before = files_below(&sandbox.root);
    for (keys, stop, code) in
        [(CTRL_D, "", 0), (CTRL_C, "", 130), ("y\n", CTRL_C, 130), ("y\n", CTRL_D, 0), ("y\n", "n\n", 0)]
    {
        let Some(mut terminal) = Terminal::run(&sandbox.root, "init") else { return };
        while terminal.asks() {
            let last = String::from_utf8_lossy(&terminal.shown).contains("Make ");
            terminal.types(if last && !stop.is_empty() { stop } else { keys });
        }
        let (ended, shown) = terminal.ends();
        assert_eq!(ended, Some(code), "{keys:?} {stop:?}:\n{shown}");
        assert_eq!(files_below(&sandbox.root), before, "{keys:?} {stop:?}");
        assert_eq!(shown.contains("nothing was changed"), code == 0, "{keys:?} {stop:?}:\n{shown}");
    }
    let mut terminal = Terminal::run(&sandbox.root, "init").unwrap();
    while terminal.asks() {
        terminal.types("y\n");
    }
    let (ended, shown) = terminal.ends();
    assert_eq!(ended, Some(0), "{shown}");
    assert!(shown.contains("set up") && sandbox.root.join(".codex/hooks.json").exists(), "{shown}");
}

/// A person who calls the hook gets a banner, and is no session.
#[test]
fn a_person_calls_session_start() {
    let sandbox = Sandbox::repo();
    sandbox.put("events/a.md", event("2026-01-10T13:00:00Z", "toast", "goal: stand\nnow: x"));
    sandbox.commit("first");
    let Some(terminal) = Terminal::run(&sandbox.root, "hook session-start") else { return };
    let (ended, shown) = terminal.ends();
    assert_eq!(ended, Some(0));
    assert!(shown.starts_with("━━━ SESSION START ━━━\r\nMerged from 1 event of 1 agent:\r\n   • toast"), "{shown}");
    assert!(!shown.contains("hookSpecificOutput"), "{shown}");
    assert_eq!(std::fs::read_dir(sandbox.root.join(".git/headwater/sessions")).map_or(0, Iterator::count), 0);
}
