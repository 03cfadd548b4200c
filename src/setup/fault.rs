//! Why a set-up cannot be planned or made.

use crate::git::GitError;
use crate::store::StoreError;
use std::path::PathBuf;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A file that must be merged into cannot be understood.
    #[error("`{name}`{fault}; mend it and try again, nothing was changed")]
    Unmergeable {
        /// The file.
        name: String,
        /// Where and what is wrong: `: text`, or `:line:column: text`.
        fault: String,
    },
    /// A file changed between the plan and the deed.
    #[error("`{0}` was changed meanwhile; run it again, nothing was changed")]
    Moved(String),
    /// What is remembered of an earlier set-up cannot be read.
    #[error("`{}` cannot be read: {fault}; move it away to forget what was set up before", path.display())]
    Memory {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// git cannot answer.
    #[error(transparent)]
    Git(#[from] GitError),
}
