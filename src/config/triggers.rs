//! `triggers:`: what happens to the view when something happens in a session.

use super::Wanted;
use crate::event::{Span, SpanError};
use serde::{Deserialize, Serialize};

/// What each occasion leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case", expecting = "a mapping of occasions")]
pub struct Triggers {
    /// A session starts.
    pub session_start: Trigger,
    /// An event is recorded.
    pub event: Trigger,
    /// A session ends, or one that ended without a word is recovered.
    pub session_end: Trigger,
    /// An event of type `handoff` is recorded.
    pub handoff: Trigger,
    /// An event with checkpoints is recorded, or the agent is about to forget (compaction).
    pub checkpoint: Trigger,
    /// Commits are pushed.
    pub pre_push: Gate,
}

/// What one occasion leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(expecting = "a mapping, such as `{view: safe, commit: never}`")]
pub struct Trigger {
    /// Whether `current.md` is written.
    pub view: Writing,
    /// Whether the ledger is wished to be committed.
    pub commit: Wanted<Commit>,
}

/// Whether an occasion writes `current.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Writing {
    /// Never.
    Never,
    /// Where it is in nobody's way: untracked, changed already, or committed by the same run.
    Safe,
    /// Always.
    Always,
}

/// Whether an occasion commits the ledger's own files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Commit {
    /// Never.
    Never,
    /// Every time.
    Always,
    /// Unless the last commit is younger than this.
    Throttled(Span),
}

impl TryFrom<String> for Commit {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        match text.as_str() {
            "never" => Ok(Self::Never),
            "always" => Ok(Self::Always),
            span => Span::parse(span, "mhdw").map(Self::Throttled),
        }
    }
}

impl From<Commit> for String {
    fn from(commit: Commit) -> Self {
        match commit {
            Commit::Never => "never".to_owned(),
            Commit::Always => "always".to_owned(),
            Commit::Throttled(span) => format!("{}m", span.seconds() / 60),
        }
    }
}

/// Whether an occasion fails on a stale view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(expecting = "a mapping, such as `{check: true}`")]
pub struct Gate {
    /// Whether it does.
    pub check: bool,
}

impl Triggers {
    /// Whether a trigger asks for a commit that the defaults do not ask for.
    #[must_use]
    pub fn wish_commits(&self) -> bool {
        let default = Self::default();
        let pairs = [
            (self.session_start, default.session_start),
            (self.event, default.event),
            (self.session_end, default.session_end),
            (self.handoff, default.handoff),
            (self.checkpoint, default.checkpoint),
        ];
        pairs.iter().any(|(own, default)| own.commit != default.commit && *own.commit.for_consent() != Commit::Never)
    }
}

impl Captured {
    /// Its name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Todos => "todos",
            Self::Request => "request",
        }
    }
}

impl Default for Triggers {
    fn default() -> Self {
        let safe = |commit| Trigger { view: Writing::Safe, commit: Wanted::new(commit) };
        Self {
            session_start: safe(Commit::Never),
            event: safe(Commit::Never),
            session_end: safe(Commit::Always),
            handoff: safe(Commit::Always),
            checkpoint: safe(Commit::Throttled(Span::minutes(30))),
            pre_push: Gate { check: true },
        }
    }
}

/// What session end reads from the agent's transcript; nothing unless asked for, as a ledger may be public.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Captured {
    /// Finished and open items of the to-do list.
    #[default]
    Todos,
    /// The last request.
    Request,
}
