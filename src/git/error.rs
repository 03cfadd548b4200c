//! What can go wrong between this program and git.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use super::Oid;
use crate::event::text::is_unsafe_to_show;

/// A question to git, or to its files, that has no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GitError {
    /// A file of git's own could not be read.
    #[error("cannot read `{}`; check that it exists and may be read", shown_path(path))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file in the repository's own folder `headwater/` could not be written.
    #[error("cannot write `{}`; check the permissions and the free space of the git folder", shown_path(path))]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A `.git` file leads nowhere, as after a checkout was moved by hand.
    #[error("`{}` {fault}; run `git worktree repair` in the main checkout, or check out again", shown_path(path))]
    BrokenLink {
        /// The `.git` file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The git program is not installed.
    #[error("the `git` program was not found; install git 2.30 or later and put it on the PATH")]
    NoProgram {
        /// What the system said.
        source: io::Error,
    },
    /// The git program could not be started or talked to.
    #[error(
        "cannot run `git {command}` in `{}`; check that the folder exists and processes may start",
        shown_path(directory)
    )]
    Process {
        /// The arguments, as they may be shown.
        command: String,
        /// Where it was to run.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The git program took too long.
    #[error("`git {command}` {}{}; run it by hand to see what it waits for",
        if limit.is_zero() { NOT_STARTED.to_owned() } else { format!("did not end within {} ms", limit.as_millis()) },
        if *left_running { " and was left running because it may hold a lock" } else { "" })]
    TimedOut {
        /// The arguments, as they may be shown.
        command: String,
        /// How long it was given.
        limit: Duration,
        /// Whether it still runs: a process that may hold a lock of the user's is never killed.
        left_running: bool,
    },
    /// The git program refused.
    #[error("`git {command}` failed ({}): {}; run it in `{}` to see more",
        code.map_or_else(|| "ended by a signal".to_owned(), |code| format!("exit status {code}")),
        if stderr.is_empty() { "it did not say why" } else { stderr }, shown_path(directory))]
    Failed {
        /// The arguments, as they may be shown.
        command: String,
        /// Where it ran.
        directory: PathBuf,
        /// Its exit status; `None` when a signal ended it.
        code: Option<i32>,
        /// The first lines of its complaint, as they may be shown.
        stderr: String,
    },
    /// The git program answered something that this version does not understand.
    #[error(
        "`git {command}` answered `{answer}`, which is not understood; check `git --version` (2.30 or later is needed)"
    )]
    Unexpected {
        /// The arguments, as they may be shown.
        command: String,
        /// The part of the answer, as it may be shown.
        answer: String,
    },
    /// A text cannot be the name of a revision.
    #[error("`{}` cannot name a revision; give a branch, a tag or a commit id", shown(rev, 80))]
    RefusedRevision {
        /// The text.
        rev: String,
    },
    /// No commit has this name here.
    #[error("no commit is called `{}` here; check the name, or run `git fetch` first", shown(rev, 80))]
    UnknownRevision {
        /// The name.
        rev: String,
    },
    /// This clone was cut off before the commit that is needed.
    #[error(
        "this clone is shallow: where {} left its base is cut off, so nothing can be compared; run `git fetch --unshallow` (in CI: `fetch-depth: 0`)",
        shown(what, 200)
    )]
    Shallow {
        /// What was to be compared.
        what: String,
    },
    /// An object that must be in this clone is not.
    #[error("the object {oid} is not in this clone; run `git fetch`, and `git fsck` if that does not help")]
    MissingObject {
        /// The object.
        oid: Oid,
    },
}

/// What is said of a process for which no time was left.
pub const NOT_STARTED: &str = "was not started: no time was left";

/// Makes a text fit to be shown in one line: what is invisible or controls a terminal becomes its
/// code, and what is longer than `most` characters is cut.
pub(super) fn shown(text: &str, most: usize) -> String {
    let mut line = String::new();
    for (at, character) in text.trim().chars().enumerate() {
        if at == most {
            line.push('…');
            break;
        }
        if is_unsafe_to_show(character) || matches!(character, '\u{2028}' | '\u{2029}') {
            line.extend(character.escape_unicode());
        } else {
            line.push(character);
        }
    }
    line
}

/// Makes the first lines of a program's complaint fit to be shown in one line.
pub(super) fn complaint(stderr: &[u8]) -> String {
    const LINES: usize = 4;
    let text = String::from_utf8_lossy(stderr);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES);
    lines.map(|line| shown(line, 300)).collect::<Vec<_>>().join("; ")
}

fn shown_path(path: &Path) -> String {
    shown(&path.to_string_lossy(), 1000)
}
