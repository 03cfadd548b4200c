//! How a command ends.

use crate::config::ConfigError;
use crate::git::GitError;
use crate::ids::IdsError;
use crate::session::spare::SpareError;
use crate::session::tell::TellError;
use crate::setup::SetupError;
use crate::store::StoreError;
use crate::trust::fault::{Refusal, TrustError};
use std::error::Error;
use std::io;
use std::path::PathBuf;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or clean: exit code 0.
    Done,
    /// A finding: exit code 1.
    Finding,
    /// A part of it could not be done, which has been said: exit code 2.
    Failed,
}

/// Exit code of a command that could not do what it was asked.
pub(super) const FAILED: u8 = 2;

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The configuration is wrong.
    #[error("`{}`", path.display())]
    Config {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: ConfigError,
    },
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What a session did cannot be told.
    #[error(transparent)]
    Tell(#[from] TellError),
    /// An id cannot be reserved.
    #[error(transparent)]
    Ids(#[from] IdsError),
    /// git cannot answer.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The repository cannot be set up.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The user of this clone did not grant it.
    #[error(transparent)]
    Trust(#[from] Refusal),
    /// It could not be told.
    #[error("{0}")]
    CannotTell(String),
    /// The clock is out of range.
    #[error("the clock stands outside the years 1970 to 9999; set it right and try again")]
    Clock,
    /// Standard output failed.
    #[error("cannot write the result")]
    Output(#[source] io::Error),
    /// Standard input failed.
    #[error("cannot read standard input")]
    Input(#[source] io::Error),
}

impl From<TrustError> for CliError {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::Refused(refusal) => Self::Trust(refusal),
            TrustError::Git(error) => Self::Git(error),
        }
    }
}

impl From<SpareError> for CliError {
    fn from(error: SpareError) -> Self {
        match error {
            SpareError::Store(error) => error.into(),
            SpareError::Git(error) => error.into(),
        }
    }
}

impl CliError {
    /// The error and its causes on one line.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
