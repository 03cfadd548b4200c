//! A map of lattices for many keys.
#![expect(clippy::disallowed_types, reason = "the one place with a hash order; who shows a map sorts it")]

use super::Join;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// A map of lattices that keeps no order, for where there are many keys and their order is not what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnorderedMap<K: Eq + Hash, V>(HashMap<K, V>);

impl<K: Eq + Hash, V> UnorderedMap<K, V> {
    /// The value of a key.
    #[must_use]
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    /// Every key and value, in no order: a caller that shows them puts them in a total one.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter()
    }
}

impl<K: Eq + Hash, V: Join> UnorderedMap<K, V> {
    /// Joins a value into the one of its key.
    pub fn join_at(&mut self, key: K, value: V) {
        match self.0.entry(key) {
            Entry::Vacant(slot) => {
                slot.insert(value);
            }
            Entry::Occupied(mut slot) => slot.get_mut().join(value),
        }
    }
}

impl<K: Eq + Hash, V> Default for UnorderedMap<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V: Join> Join for UnorderedMap<K, V> {
    fn join(&mut self, other: Self) {
        #[expect(clippy::iter_over_hash_type, reason = "a join gives the same map in every order")]
        for (key, theirs) in other.0 {
            self.join_at(key, theirs);
        }
    }
}
