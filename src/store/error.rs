//! What can go wrong on disk.

use crate::trust::path::PathRefused;
use std::io;
use std::path::{Path, PathBuf};

/// Why the ledger on disk cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// There is no ledger.
    #[error("there is no `{}`; name the ledger with `--dir`, or record a first event with `headwater record`", .0.display())]
    NoLedger(PathBuf),
    /// A part of the ledger is a link, or no directory or file.
    #[error("`{}` is a link or of the wrong kind, and is not followed; put a real {kind} there", path.display())]
    WrongKind {
        /// Which part.
        path: PathBuf,
        /// What it should be.
        kind: &'static str,
    },
    /// A path of a configuration or a branch leads elsewhere.
    #[error(transparent)]
    Refused(#[from] PathRefused),
    /// A file was written while it was renamed.
    #[error("`{}` changed meanwhile and was left beside `{}`", path.display(), beside.display())]
    Changed {
        /// Its old name.
        path: PathBuf,
        /// Its new name.
        beside: PathBuf,
    },
    /// Files kept vanishing while they were read.
    #[error("the files in `{}` keep changing; try again when the other program is done", .0.display())]
    Unsettled(PathBuf),
    /// Somebody else holds the lock.
    #[error("`{}` is held by {holder}; waited {waited} s; try again, or end that process", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, as far as it says.
        holder: String,
        /// How long was waited, in seconds.
        waited: u64,
    },
    /// The view's file is somebody's own.
    #[error("`{}` was not written by headwater and is not replaced; move it away, or bring it in with `headwater import {}`", .0.display(), .0.display())]
    Foreign(PathBuf),
    /// A pattern matches nothing.
    #[error("`{0}` matches no file, from here or from the ledger")]
    NoMatch(String),
    /// A pattern makes no sense.
    #[error("`{0}` is no pattern: {1}")]
    BadPattern(String, String),
    /// No free name was found for a new event.
    #[error("no free file name for the event in `{}`", .0.display())]
    NoFreeName(PathBuf),
}

impl StoreError {
    /// Wraps an I/O error with what was tried on which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Whether the file has gone.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}
