//! Why GitHub did not do what it was asked.

use std::time::Duration;

/// Why an issue's comments cannot be read or added to.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The token is missing, wrong or expired.
    #[error(
        "{place} does not accept the token (401): {said}; set `GITHUB_TOKEN` or `GH_TOKEN`, or run `gh auth login`"
    )]
    Unauthorised {
        /// The issue.
        place: String,
        /// What was said.
        said: String,
    },
    /// There is no such repository or issue, or the token may not see it.
    #[error(
        "{place} is not there, or the token may not see it ({status}): {said}; check `--repo`, `--issue` and the token's access"
    )]
    NotThere {
        /// The issue.
        place: String,
        /// The status.
        status: u16,
        /// What was said.
        said: String,
    },
    /// It was refused for good.
    #[error(
        "{place} refused it ({status}): {said}; check that the token may write issue comments and that the issue is not locked"
    )]
    Refused {
        /// The issue.
        place: String,
        /// The status.
        status: u16,
        /// What was said.
        said: String,
    },
    /// The wait that was asked for is longer than may be waited.
    #[error("{place} asks to wait {} s, longer than may be waited ({} s); try again then, or wait longer with `--wait`", told.as_secs(), patience.as_secs())]
    TooLong {
        /// The issue.
        place: String,
        /// How long.
        told: Duration,
        /// How long may be waited.
        patience: Duration,
    },
    /// Others kept being faster.
    #[error("others kept writing to {place} for {attempts} attempts; nothing was reserved; try again")]
    Contended {
        /// The issue.
        place: String,
        /// How often was tried.
        attempts: u32,
    },
    /// A comment cannot hold it.
    #[error("a comment holds 65536 characters, and this needs {length}; take fewer ids at a time, or a shorter note")]
    TooLarge {
        /// How much it needs.
        length: usize,
    },
    /// The answer is not understood.
    #[error("{place} answered with something else than comments: {fault}; check `GITHUB_API_URL`")]
    Strange {
        /// The issue.
        place: String,
        /// What is wrong.
        fault: String,
    },
    /// It is not known where to ask, or as whom.
    #[error("{0}")]
    Unknown(String),
    /// This build cannot ask.
    #[error("this headwater was built without the feature `github`; install it with default features")]
    NotBuilt,
}
