//! Join-semilattices: what makes a merge safe to do in any order, any number of times.
//!
//! Nothing here knows of files, events or Markdown. A state that is built from these types alone
//! (maps, sets, options, extremes) is a join-semilattice by construction, and its merge is
//! [`Join::join`]. Source: M. Shapiro et al., "Conflict-free Replicated Data Types", SSS 2011.

mod extreme;
mod register;
mod unordered;

use std::collections::{BTreeMap, BTreeSet, btree_map};

pub use extreme::{Max, Min};
pub use register::LwwRegister;
pub use unordered::UnorderedMap;

/// A join-semilattice: values that only grow, with a least upper bound for every two of them.
///
/// # Invariant
/// `join` is commutative, associative and idempotent, and total: it cannot fail and needs no check
/// before it. Ties are broken by content, never by which side a value came from.
pub trait Join {
    /// Replaces `self` by the least upper bound of `self` and `other`.
    fn join(&mut self, other: Self);
}

impl Join for () {
    fn join(&mut self, (): Self) {}
}

/// `None` is the least element.
impl<T: Join> Join for Option<T> {
    fn join(&mut self, other: Self) {
        match (self.as_mut(), other) {
            (_, None) => {}
            (None, other) => *self = other,
            (Some(mine), Some(theirs)) => mine.join(theirs),
        }
    }
}

/// A grow-only set: the join is the union.
impl<T: Ord> Join for BTreeSet<T> {
    fn join(&mut self, other: Self) {
        self.extend(other);
    }
}

/// A map of lattices: the join is taken key by key.
impl<K: Ord, V: Join> Join for BTreeMap<K, V> {
    fn join(&mut self, other: Self) {
        for (key, theirs) in other {
            match self.entry(key) {
                btree_map::Entry::Vacant(slot) => {
                    slot.insert(theirs);
                }
                btree_map::Entry::Occupied(mut slot) => slot.get_mut().join(theirs),
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod laws {
    //! The three laws, as assertions that any lattice's tests can call.

    use super::Join;
    use std::fmt::Debug;

    pub(crate) fn joined<T: Join>(mut left: T, right: T) -> T {
        left.join(right);
        left
    }

    /// Asserts idempotence, commutativity and associativity on three values.
    pub(crate) fn assert_laws<T: Join + Clone + PartialEq + Debug>(a: &T, b: &T, c: &T) {
        assert_eq!(&joined(a.clone(), a.clone()), a, "join is idempotent");
        let ab = joined(a.clone(), b.clone());
        assert_eq!(ab, joined(b.clone(), a.clone()), "join is commutative");
        assert_eq!(
            joined(ab.clone(), c.clone()),
            joined(a.clone(), joined(b.clone(), c.clone())),
            "join is associative"
        );
        assert_eq!(&joined(ab.clone(), a.clone()), &ab, "a join is an upper bound");
    }
}

#[cfg(test)]
mod tests {
    use super::laws::{assert_laws, joined};
    use super::{Join, LwwRegister, Max, Min, UnorderedMap};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn register() -> impl Strategy<Value = LwwRegister<u8, u8>> {
        // Few stamps and values, so that equal stamps with different values occur.
        prop::collection::vec((0..4u8, 0..4u8), 0..5).prop_map(|writes| {
            let mut register = LwwRegister::default();
            for (stamp, value) in writes {
                register.write(stamp, value);
            }
            register
        })
    }

    proptest! {
        #[test]
        fn prop_grow_only_set_laws(a: BTreeSet<u8>, b: BTreeSet<u8>, c: BTreeSet<u8>) {
            assert_laws(&a, &b, &c);
        }

        #[test]
        fn prop_extremes_laws(a: u8, b: u8, c: u8) {
            assert_laws(&Some(Max(a)), &Some(Max(b)), &None);
            assert_laws(&Max(a), &Max(b), &Max(c));
            assert_laws(&Min(a), &Min(b), &Min(c));
        }

        #[test]
        fn prop_register_laws(a in register(), b in register(), c in register()) {
            assert_laws(&a, &b, &c);
        }

        #[test]
        fn prop_map_of_registers_laws(
            a in prop::collection::btree_map(0..20u8, register(), 0..20),
            b in prop::collection::btree_map(0..20u8, register(), 0..3),
            c in prop::collection::btree_map(0..20u8, register(), 0..8),
        ) {
            let (a, b, c): (BTreeMap<_, _>, BTreeMap<_, _>, BTreeMap<_, _>) = (a, b, c);
            assert_laws(&a, &b, &c);
        }
    }

    #[test]
    fn extremes_keep_the_greatest_and_the_least() {
        assert_eq!((joined(Max(1), Max(2)), joined(Max(2), Max(1))), (Max(2), Max(2)));
        assert_eq!((joined(Min(1), Min(2)), joined(Min(2), Min(1))), (Min(1), Min(1)));
    }

    #[test]
    fn joins_keep_what_either_side_has() {
        assert_eq!(joined(None, Some(Max(1))), Some(Max(1)));
        assert_eq!(joined(Some(Max(1)), Some(Max(2))), Some(Max(2)));
        assert_eq!(joined(BTreeSet::from([1]), BTreeSet::from([2])), BTreeSet::from([1, 2]));
        let maps = joined(BTreeMap::from([(1, Max(1)), (2, Max(5))]), BTreeMap::from([(2, Max(7)), (3, Max(3))]));
        assert_eq!(maps, BTreeMap::from([(1, Max(1)), (2, Max(7)), (3, Max(3))]));
    }

    #[test]
    fn register_counts_distinct_writes_and_gives_the_newest_first() {
        let mut register = LwwRegister::default();
        assert!(register.is_empty() && register.winner().is_none());
        for (stamp, value) in [(2, 'b'), (1, 'z'), (2, 'a'), (2, 'b')] {
            register.write(stamp, value);
        }
        assert_eq!((register.len(), register.is_empty()), (3, false));
        assert_eq!(register.winner(), Some(&(2, 'b')));
        assert_eq!(register.newest_first().copied().collect::<Vec<_>>(), [(2, 'b'), (2, 'a'), (1, 'z')]);
        let mut other = LwwRegister::default();
        other.write(3, 'c');
        register.join(other);
        assert_eq!((register.len(), register.winner()), (4, Some(&(3, 'c'))));
    }

    #[test]
    fn unordered_map_joins_key_by_key() {
        let map = |pairs: &[(&'static str, u8)]| {
            let mut map = UnorderedMap::default();
            for (key, value) in pairs {
                map.join_at(*key, Max(*value));
            }
            map
        };
        let both = joined(map(&[("a", 1), ("b", 5), ("b", 4)]), map(&[("b", 7), ("c", 3)]));
        assert_eq!(both, map(&[("a", 1), ("b", 7), ("c", 3)]));
        assert_eq!((both.get("b"), both.get("d")), (Some(&Max(7)), None));
        assert_eq!(both.iter().map(|(_, value)| value.0).sum::<u8>(), 11);
    }
}
