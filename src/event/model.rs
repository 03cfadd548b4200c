//! What an event says.

use super::id::{EventId, IdPrefix};
use super::timestamp::Timestamp;
use std::sync::Arc;

/// The order of events: instant, then agent as bytes, then id (FORMAT §4).
///
/// # Invariant
/// Total, and equal only for one event: the id is part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// When the event says it happened.
    pub ts: Timestamp,
    /// Who wrote it.
    pub agent: String,
    /// Which event it is.
    pub id: EventId,
}

/// What the front matter says beside the stamp; never checked, `None` where absent or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// The branch on which it was written.
    pub branch: Option<String>,
    /// `session_end`, `checkpoint`, `handoff`, `note`, …
    pub kind: Option<String>,
    /// Why it was written.
    pub reason: Option<String>,
}

/// Where a write comes from: one per event, shared by its writes, ordered by its stamp.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The event's stamp.
    pub stamp: Stamp,
    /// What else the front matter says.
    pub meta: Meta,
    /// The newest events that the writer had seen; `None` where the key is absent.
    pub parents: Option<Vec<IdPrefix>>,
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.stamp == other.stamp
    }
}

impl Eq for Origin {}

impl PartialOrd for Origin {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Origin {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.stamp.cmp(&other.stamp)
    }
}

/// An event: where it comes from and what it writes, section by section, in the order of FORMAT §3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where the writes come from.
    pub origin: Arc<Origin>,
    /// At most one write a section.
    pub writes: Vec<Write>,
}

/// What an event writes to one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The section's name, or a closing key, or an undeclared key.
    pub section: String,
    /// What is written.
    pub payload: Payload,
}

/// What is written, by the shape of the section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A register's text, not empty.
    Text(String),
    /// A map's keys, collapsed and distinct, with their values; `None` removes the key.
    Entries(Vec<(String, Option<String>)>),
    /// A set's items, not empty, in their places.
    Items(Vec<String>),
    /// A list's items, in their places.
    Steps(Vec<Step>),
}

/// An item of a list section.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Its `updated`, where that is a valid ts.
    pub updated: Option<Timestamp>,
    /// What it says.
    pub label: Label,
}

/// What a list item says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// Any text.
    Text(String),
    /// A mapping with a `phase`.
    Phase {
        /// The phase, not empty.
        phase: String,
        /// The status, not empty where it is there.
        status: Option<String>,
        /// The other keys as `k: v; k2: v2`, or nothing.
        rest: String,
    },
}
