//! The log of a namespace that several clones share: on a git remote, or on a GitHub issue.

use super::IdsError;
use super::contract::{Anchor, AnchorLog, Decide, Outcome};
use super::github::GithubLog;
use super::gitlog::GitLog;

/// A shared log.
pub(super) enum SharedLog<'a> {
    /// A reference on a remote.
    Git(GitLog<'a>),
    /// The comments of an issue, and the namespace that is meant.
    Github {
        /// The log.
        log: GithubLog<'a>,
        /// The namespace.
        namespace: &'a str,
    },
}

impl SharedLog<'_> {
    /// How it is called in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Git(log) => log.name.clone(),
            Self::Github { log, .. } => log.identity(),
        }
    }

    /// What was seen of it last, without asking.
    pub(super) fn seen(&self) -> Result<Vec<Anchor>, IdsError> {
        match self {
            Self::Git(log) => log.seen(),
            Self::Github { log, namespace } => log.seen(namespace),
        }
    }

    /// Finds out whether it can be written to; what is odd about it, in words.
    pub(super) fn probe(&self, nonce: &str, at: &str) -> Result<Vec<String>, IdsError> {
        match self {
            Self::Git(log) => log.probe(nonce, at).map(|()| Vec::new()),
            // Reading needs the token and the issue; a comment to try is not made.
            Self::Github { log, .. } => Ok(log.look()?.oddities()),
        }
    }

    /// Reads it; whether anything of the namespace is there.
    pub(super) fn fetch(&self) -> Result<bool, IdsError> {
        match self {
            Self::Git(log) => log.fetch(),
            Self::Github { log, namespace } => Ok(log.look()?.thread.of(namespace).next().is_some()),
        }
    }
}

impl AnchorLog for SharedLog<'_> {
    fn identity(&self) -> String {
        match self {
            Self::Git(log) => log.identity(),
            Self::Github { log, .. } => log.identity(),
        }
    }

    fn read(&mut self, namespace: &str) -> Result<Vec<Anchor>, IdsError> {
        match self {
            Self::Git(log) => log.read(namespace),
            Self::Github { log, .. } => log.read(namespace),
        }
    }

    fn append(&mut self, namespace: &str, decide: &mut Decide<'_>) -> Result<Outcome, IdsError> {
        match self {
            Self::Git(log) => log.append(namespace, decide),
            Self::Github { log, .. } => log.append(namespace, decide),
        }
    }
}
