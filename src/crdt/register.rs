//! A last-writer-wins register that remembers every write.

use super::Join;
use std::collections::BTreeSet;

/// An LWW register as the grow-only set of its writes.
///
/// The winner is a *query*, the write with the highest stamp, and not a state: so the join is a
/// plain union, no write is ever lost to another, and writes that nobody has seen can be shown.
///
/// # Invariant
/// Equal stamps are ordered by value, so that the winner depends on the set of writes alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LwwRegister<S, V> {
    writes: BTreeSet<(S, V)>,
}

impl<S, V> Default for LwwRegister<S, V> {
    fn default() -> Self {
        Self { writes: BTreeSet::new() }
    }
}

impl<S: Ord, V: Ord> LwwRegister<S, V> {
    /// Adds a write.
    pub fn write(&mut self, stamp: S, value: V) {
        self.writes.insert((stamp, value));
    }

    /// The write with the highest stamp, if there is any write.
    #[must_use]
    pub fn winner(&self) -> Option<&(S, V)> {
        self.writes.last()
    }

    /// Every write, highest stamp first.
    pub fn newest_first(&self) -> impl Iterator<Item = &(S, V)> {
        self.writes.iter().rev()
    }

    /// How many distinct writes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether nothing was ever written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

impl<S: Ord, V: Ord> Join for LwwRegister<S, V> {
    fn join(&mut self, other: Self) {
        self.writes.join(other.writes);
    }
}
