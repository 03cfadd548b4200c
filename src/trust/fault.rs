//! Why something was not trusted.

use crate::git::GitError;

/// Something that a branch asked for and the user of this clone did not grant, and how to grant it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {remedy}")]
pub struct Refusal {
    /// What was asked for.
    pub what: String,
    /// How the user grants it, or does without.
    pub remedy: String,
}

/// Why a checked value could not be built, or not be used any more.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The user did not grant it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// git cannot answer.
    #[error(transparent)]
    Git(#[from] GitError),
}
