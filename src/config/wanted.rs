//! What a configuration wishes for and only the user of a clone can grant.

use serde::{Deserialize, Serialize};

/// A wish of a branch. Nobody acts on it: [`crate::trust::consent`] alone compares it with what the user granted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Wanted<T>(T);

impl<T> Wanted<T> {
    /// A wish.
    pub const fn new(wish: T) -> Self {
        Self(wish)
    }

    /// The wish, for the module of consents.
    pub const fn for_consent(&self) -> &T {
        &self.0
    }
}
