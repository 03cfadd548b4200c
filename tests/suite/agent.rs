//! A coding agent, as its hooks show it: a process, a session, a folder to work in.

use crate::sandbox::{Ended, Sandbox, git, headwater, program, run_with_input};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Where ledgers are.
pub(crate) const LEDGER: &str = "thoughts/shared/handoffs";

/// A process that stands for an agent.
#[derive(Debug)]
pub(crate) struct Agent {
    process: Child,
    session: String,
    pub(crate) cwd: PathBuf,
    transcript: String,
    environment: Vec<(String, String)>,
}

impl Agent {
    pub(crate) fn new(session: &str, cwd: &Path) -> Self {
        let process = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
        let (session, transcript) = (session.to_owned(), String::new());
        Self { process, session, cwd: cwd.to_owned(), transcript, environment: Vec::new() }
    }

    /// Its conversation is kept in this file.
    pub(crate) fn with_transcript(mut self, file: &Path) -> Self {
        file.to_str().unwrap().clone_into(&mut self.transcript);
        self
    }

    /// Its hooks run with this variable.
    pub(crate) fn with_variable(mut self, name: &str, value: &Path) -> Self {
        self.environment.push((name.to_owned(), value.to_str().unwrap().to_owned()));
        self
    }

    /// What Claude Code says when it calls a hook.
    pub(crate) fn input(&self, event: &str, more: &str) -> String {
        let transcript = &self.transcript;
        let (session, cwd) = (&self.session, self.cwd.to_str().unwrap());
        format!(
            "{{\"session_id\": {session:?}, \"transcript_path\": {transcript:?}, \"cwd\": {cwd:?}, \"hook_event_name\": \"{event}\"{more}}}"
        )
    }

    /// Runs a command that stands for a hook with this standard input.
    pub(crate) fn call(&self, mut command: Command, input: &str) -> Ended {
        command.env("HEADWATER_SESSION_PID", self.process.id().to_string());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        run_with_input(&mut command, input).exits(0)
    }

    /// Calls a hook as Claude Code does.
    pub(crate) fn hook(&self, name: &str, more: &str) -> Ended {
        let event = match name {
            "session-start" => "SessionStart",
            "session-end" => "SessionEnd",
            "pre-compact" => "PreCompact",
            _ => "Stop",
        };
        self.call(headwater(Path::new("/"), &["hook", name]), &self.input(event, more))
    }

    pub(crate) fn start(&self) -> String {
        let ended = self.hook("session-start", ", \"source\": \"startup\"");
        assert_eq!(ended.stderr, "");
        context(&ended)
    }

    pub(crate) fn end(&self) {
        let ended = self.hook("session-end", ", \"reason\": \"logout\"");
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    }

    pub(crate) fn commit(&self, file: &str) {
        std::fs::write(self.cwd.join(file), file).unwrap();
        git(&self.cwd, &["add", file]);
        git(&self.cwd, &["commit", "-q", "-m", &format!("Add {file}")]);
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// What a session start tells the agent.
pub(crate) fn context(ended: &Ended) -> String {
    ended.json()["hookSpecificOutput"]["additionalContext"].as_str().unwrap().to_owned()
}

/// The texts of the events of a work tree, in the order of their names.
pub(crate) fn events(work_tree: &Path) -> Vec<String> {
    let files = crate::sandbox::files_below(&work_tree.join(LEDGER).join("events"));
    files
        .into_iter()
        .filter(|(name, _)| name != "README.md")
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .collect()
}

/// A program that finds the built `headwater` on its path, as the installed commands and hooks do.
pub(crate) fn installed(name: &str, cwd: &Path) -> Command {
    let mut command = program(name, cwd);
    let bin = Path::new(env!("CARGO_BIN_EXE_headwater")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(bin).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command
}

/// A repository with a ledger and a first commit, where the lock is ignored.
pub(crate) fn repo() -> Sandbox {
    let sandbox = Sandbox::repo();
    std::fs::write(sandbox.root.join(".gitignore"), ".synth.lock\n").unwrap();
    sandbox.put("events/README.md", "# Events\n");
    sandbox.commit("start");
    sandbox
}

/// A linked work tree on a branch of its name.
pub(crate) fn linked(sandbox: &Sandbox, name: &str) -> PathBuf {
    sandbox.git(&["worktree", "add", "-q", &format!("../{name}"), "-b", name]);
    sandbox.beside(name)
}
