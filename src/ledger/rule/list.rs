//! `list`: grow-only items, nothing dropped, by time, stamp and place.

use crate::crdt::Join;
use crate::event::{Label, Origin, Step, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One item of a list, ordered as it is shown: time, stamp, place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Its `updated`, else its event's ts.
    pub time: Timestamp,
    /// The event that holds it.
    pub origin: Arc<Origin>,
    /// Its place in that event.
    pub place: usize,
    /// What it says.
    pub label: Label,
}

/// The state of a list section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListState {
    moments: BTreeSet<Moment>,
}

impl ListState {
    /// Adds the items of one event.
    pub fn write(&mut self, origin: &Arc<Origin>, steps: Vec<Step>) {
        for (place, Step { updated, label }) in steps.into_iter().enumerate() {
            let time = updated.unwrap_or(origin.stamp.ts);
            self.moments.insert(Moment { time, origin: Arc::clone(origin), place, label });
        }
    }

    /// All items in their order.
    pub fn moments(&self) -> impl Iterator<Item = &Moment> {
        self.moments.iter()
    }
}

impl Join for ListState {
    fn join(&mut self, other: Self) {
        self.moments.join(other.moments);
    }
}
