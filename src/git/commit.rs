//! Commits the ledger's files, and nothing else, beside whatever the user is doing.

use std::fmt;
use std::time::Duration;

use super::commit_attempt::{Attempt, Deadline, Step};
use super::{Git, GitError, Oid, Operation};

/// What the subject of every commit of this program begins with.
pub const SUBJECT: &str = "headwater:";

/// How often a commit is put together anew because `HEAD` moved meanwhile.
const ATTEMPTS: u32 = 6;

/// What [`Git::commit_paths`] is to commit.
#[derive(Clone, Copy)]
pub struct CommitRequest<'a> {
    /// Folders and files from the top of the work tree, `/` between the parts: nothing else is looked at.
    pub prefixes: &'a [&'a str],
    /// Which paths at or below the prefixes belong to the ledger. Names that are not UTF-8 never do.
    pub owns: &'a dyn Fn(&str) -> bool,
    /// The message; [`SUBJECT`] is put in front if it does not begin with it.
    pub message: &'a str,
    /// How long after its last commit of these paths the program waits before the next one.
    pub throttle: Option<Duration>,
    /// How long all of it may take.
    pub limit: Duration,
    /// The time of the commit, in seconds since 1970 in UTC.
    pub now: i64,
}

impl fmt::Debug for CommitRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitRequest")
            .field("prefixes", &self.prefixes)
            .field("message", &self.message)
            .field("throttle", &self.throttle)
            .field("limit", &self.limit)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// How [`Git::commit_paths`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommitOutcome {
    /// There is a new commit, and `HEAD` names it.
    Committed {
        /// The commit.
        oid: Oid,
        /// How many files it adds, changes or removes.
        files: usize,
    },
    /// There is none; nothing was changed.
    Skipped(Reason),
}

/// Why no commit was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The user is in the middle of something.
    UnderWay(Operation),
    /// The files are as `HEAD` has them, or ignored.
    Unchanged,
    /// The last commit is too fresh.
    Throttled {
        /// Its age in seconds.
        age: u64,
    },
    /// One of the files is in conflict.
    Unmerged,
    /// The work tree was never checked out, so that all files look deleted.
    NotCheckedOut,
    /// Another process keeps the index locked.
    IndexLocked,
    /// `HEAD` kept moving.
    HeadMoved,
    /// Commits must be signed, and that failed without asking anybody.
    Unsigned {
        /// What git said, fit to be shown.
        why: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnderWay(operation) => write!(f, "a {operation} is under way"),
            Self::Unchanged => f.write_str("nothing changed"),
            Self::Throttled { age } => write!(f, "the last commit is only {age} s old"),
            Self::Unmerged => f.write_str("a file of the ledger is in conflict; resolve it and `git add` it"),
            Self::NotCheckedOut => f.write_str("the branch is not checked out here; run `git checkout` first"),
            Self::IndexLocked => f.write_str("another git process keeps the index locked"),
            Self::HeadMoved => f.write_str("other commits kept coming in between"),
            Self::Unsigned { why } => write!(f, "commits must be signed here, and that failed: {why}"),
        }
    }
}

impl Git {
    /// Commits the files that the request owns, as they stand in the work tree.
    ///
    /// New, changed and deleted files are recorded; ignored ones that git does not track yet are not,
    /// nor are files deleted that a sparse checkout hides. Everything else that is staged stays staged.
    /// The commit is put together in an index of its own and set with `update-ref HEAD <new> <old>`, so
    /// no step of it can block the user for longer than the index takes to write. No hook runs, and no
    /// garbage collection. On a detached `HEAD` the commit goes there.
    ///
    /// # Errors
    /// As [`Git::succeed`], [`GitError::Unexpected`], and [`GitError::Unwritable`] for the scratch index.
    pub fn commit_paths(&self, request: &CommitRequest<'_>) -> Result<CommitOutcome, GitError> {
        let deadline = Deadline::after(request.limit);
        for number in 1..=ATTEMPTS {
            match (Attempt { git: self, request, deadline }).run()? {
                Step::Committed { oid, files } => return Ok(CommitOutcome::Committed { oid, files }),
                Step::Skip(reason) => return Ok(CommitOutcome::Skipped(reason)),
                Step::HeadMoved => deadline.pause(Duration::from_millis(20) * number),
            }
        }
        Ok(CommitOutcome::Skipped(Reason::HeadMoved))
    }
}
