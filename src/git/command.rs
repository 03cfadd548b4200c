//! Runs the git program with a clean environment.
#![expect(clippy::disallowed_methods, reason = "this is the one place that starts git")]

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::error::{complaint, shown};
use super::process::{Waited, converse};
use super::{GitError, Layout, Oid};
use crate::bounds::deadline;

/// How long a question may take if the caller does not say: enough for a cold disk.
const LIMIT: Duration = Duration::from_secs(60);

/// What tells git about a repository, or changes the meaning of its arguments.
///
/// The first fifteen are `git rev-parse --local-env-vars` of git 2.47 (`local_repo_env` in
/// `environment.c`), then one of older versions; without `GIT_CONFIG_COUNT` git reads no
/// `GIT_CONFIG_KEY_n` and `GIT_CONFIG_VALUE_n`. A hook runs with several of them set.
const REMOVED: [&str; 27] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_QUARANTINE_PATH",
    "GIT_ATTR_SOURCE",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_DIFF_OPTS",
    "GIT_EXTERNAL_DIFF",
    "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_DATE",
    "GIT_REFLOG_ACTION",
];

const SET: [(&str, &str); 4] =
    [("GIT_TERMINAL_PROMPT", "0"), ("LC_ALL", "C"), ("GIT_OPTIONAL_LOCKS", "0"), ("GIT_LITERAL_PATHSPECS", "1")];

/// What becomes of a process whose time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtLimit {
    /// It is ended. On Unix that is `SIGKILL`, after which git leaves its lock files behind.
    End,
    /// It is waited for half a minute more and then left alone: it may hold a lock of the user's.
    LetFinish,
}

/// One run of the git program, to be made by [`Git::run`] or [`Git::succeed`].
#[derive(Clone, Debug)]
pub struct Call {
    arguments: Vec<String>,
    stdin: Option<Vec<u8>>,
    variables: Vec<(&'static str, OsString)>,
    limit: Duration,
    at_limit: AtLimit,
    own_hooks_path: bool,
    most: usize,
}

impl Call {
    /// Describes `git` with these arguments, an empty standard input and a minute's time.
    #[must_use]
    pub fn new<A: Into<String>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        Self {
            arguments,
            stdin: None,
            variables: Vec::new(),
            limit: LIMIT,
            at_limit: AtLimit::End,
            own_hooks_path: false,
            most: usize::MAX,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Gives it a standard input.
    #[must_use]
    pub fn stdin(mut self, bytes: Vec<u8>) -> Self {
        self.stdin = Some(bytes);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Says how long it may take.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Says how much of its standard output is kept.
    #[must_use]
    pub fn most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// Says what becomes of it then.
    #[must_use]
    pub fn at_limit(mut self, at_limit: AtLimit) -> Self {
        self.at_limit = at_limit;
        self
    }

    /// Lets it see the user's `core.hooksPath`: for questions about it, which run no hook.
    #[must_use]
    pub(super) fn with_own_hooks_path(mut self) -> Self {
        self.own_hooks_path = true;
        self
    }

    fn shown(&self) -> String {
        shown(&self.arguments.join(" "), 200)
    }
}

/// What a run of the git program left behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The standard output, untouched.
    pub stdout: Vec<u8>,
    /// The first lines of the standard error, as one line that may be shown.
    pub stderr: String,
    command: String,
}

impl Output {
    /// Whether it ended with status 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// The standard output as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The standard output as the name of one object.
    ///
    /// # Errors
    /// [`GitError::Unexpected`] if it is something else.
    pub fn oid(&self) -> Result<Oid, GitError> {
        Oid::from_bytes(&self.stdout).ok_or_else(|| self.unexpected(&self.stdout))
    }

    /// Says that a part of the answer is not understood.
    pub(super) fn unexpected(&self, part: &[u8]) -> GitError {
        let answer = shown(&String::from_utf8_lossy(part), 200);
        GitError::Unexpected { command: self.command.clone(), answer }
    }
}

/// The git program, in one work tree.
#[derive(Clone, Debug)]
pub struct Git {
    layout: Layout,
}

impl Git {
    /// Will run the program in the work tree that `layout` describes.
    #[must_use]
    pub fn at(layout: &Layout) -> Self {
        Self { layout: layout.clone() }
    }

    /// The places of the work tree.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Runs the program and reports how it ended, whatever its exit status.
    ///
    /// # Errors
    /// [`GitError::NoProgram`], [`GitError::Process`] and [`GitError::TimedOut`].
    pub fn run(&self, call: Call) -> Result<Output, GitError> {
        let directory = &self.layout.found_in;
        if deadline::is_over() {
            return Err(GitError::TimedOut { command: call.shown(), limit: Duration::ZERO, left_running: false });
        }
        let fault = |source| GitError::Process { command: call.shown(), directory: directory.clone(), source };
        let child = self.command(&call).spawn().map_err(|source| {
            // The same fault is reported for a missing working directory.
            let no_program = source.kind() == ErrorKind::NotFound && directory.is_dir();
            if no_program { GitError::NoProgram { source } } else { fault(source) }
        })?;
        let (command, limit) = (call.shown(), deadline::within(call.limit));
        match converse(child, call.stdin, call.limit, call.at_limit, call.most) {
            Ok(Waited::Finished(done)) => {
                Ok(Output { code: done.status.code(), stderr: complaint(&done.stderr), stdout: done.stdout, command })
            }
            Ok(Waited::Late { left_running }) => Err(GitError::TimedOut { command, limit, left_running }),
            Err(source) => Err(GitError::Process { command, directory: directory.clone(), source }),
        }
    }

    /// Runs the program, which must succeed.
    ///
    /// # Errors
    /// As [`Git::run`], and [`GitError::Failed`] for an exit status other than 0.
    pub fn succeed(&self, call: Call) -> Result<Output, GitError> {
        let output = self.run(call)?;
        if output.success() { Ok(output) } else { Err(self.refused(output)) }
    }

    /// Turns a run that did not succeed into an error.
    pub(super) fn refused(&self, output: Output) -> GitError {
        let directory: PathBuf = self.layout.found_in.clone();
        GitError::Failed { command: output.command, directory, code: output.code, stderr: output.stderr }
    }

    fn command(&self, call: &Call) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.layout.found_in);
        for name in REMOVED {
            command.env_remove(name);
        }
        command.envs(SET).envs(call.variables.iter().map(|(name, value)| (name, value)));
        if !call.own_hooks_path {
            // Hooks such as `post-index-change` and `reference-transaction` would run for plumbing, too.
            let mut no_hooks = OsString::from("core.hooksPath=");
            no_hooks.push(self.layout.own_dir().join("no-hooks"));
            command.arg("-c").arg(no_hooks);
        }
        command.args(&call.arguments);
        command.stdin(if call.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if call.at_limit == AtLimit::LetFinish {
            apart(&mut command);
        }
        command
    }
}

/// Whoever ends our process group does not end a process that holds a lock of the user's.
#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn apart(_: &mut Command) {}
