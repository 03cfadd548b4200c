//! The greatest and the least value seen.

use super::Join;

/// The greatest value seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Max<T>(pub T);

impl<T: Ord> Join for Max<T> {
    fn join(&mut self, other: Self) {
        if other.0 > self.0 {
            *self = other;
        }
    }
}

/// The least value seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Min<T>(pub T);

impl<T: Ord> Join for Min<T> {
    fn join(&mut self, other: Self) {
        if other.0 < self.0 {
            *self = other;
        }
    }
}
