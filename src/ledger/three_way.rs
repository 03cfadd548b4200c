//! What git's merge makes of the files of a ledger: an exact three-way merge of sets of files.

use std::collections::{BTreeMap, BTreeSet};

/// The files of one side: paths with what lies there.
pub type Files<P, C> = BTreeSet<(P, C)>;

/// Merges two sides that parted at `base`: what both have, and what either added; not what either removed.
///
/// A changed file is one removed and one added. A file that one side moved and the other changed is
/// changed at its new place, as git's detection of renames has it. Where both sides changed one file
/// differently both contents are there: git leaves a conflict, and no event may be missing until it is
/// settled.
///
/// # Laws
/// The sides may be swapped; a side that equals the base, or the other side, gives the other side.
#[must_use]
pub fn merge<P: Ord + Clone, C: Ord + Clone>(
    base: &Files<P, C>,
    ours: &Files<P, C>,
    theirs: &Files<P, C>,
) -> Files<P, C> {
    let stays = |file: &&(P, C)| !base.contains(file) || (ours.contains(file) && theirs.contains(file));
    let mut merged: Files<P, C> = ours.union(theirs).filter(stays).cloned().collect();
    let moves: Vec<Move<'_, P, C>> = moves(base, ours, theirs).chain(moves(base, theirs, ours)).collect();
    for Move { from, to, old, new } in &moves {
        merged.remove(&((*from).clone(), (*new).clone()));
        merged.remove(&((*to).clone(), (*old).clone()));
    }
    merged.extend(moves.iter().map(|Move { to, new, .. }| ((*to).clone(), (*new).clone())));
    merged
}

/// A file that one side moved and the other changed.
struct Move<'a, P, C> {
    from: &'a P,
    to: &'a P,
    old: &'a C,
    new: &'a C,
}

/// What `editor` changed and `mover` moved without a change.
fn moves<'a, P: Ord, C: Ord>(
    base: &'a Files<P, C>,
    mover: &'a Files<P, C>,
    editor: &'a Files<P, C>,
) -> impl Iterator<Item = Move<'a, P, C>> {
    let paths = |files: &'a Files<P, C>| files.iter().map(|(path, _)| path).collect::<BTreeSet<&P>>();
    let (stood, stands) = (paths(base), paths(mover));
    let mut arrived = BTreeMap::new();
    for (path, content) in mover.iter().filter(|(path, _)| !stood.contains(path)) {
        arrived.entry(content).or_insert(path);
    }
    let edited: BTreeMap<&P, &C> =
        editor.iter().filter(|file| !base.contains(file)).map(|(path, content)| (path, content)).collect();
    base.iter()
        .filter(move |(path, _)| !stands.contains(path))
        .filter_map(move |(from, old)| Some(Move { from, to: arrived.get(old)?, old, new: edited.get(from)? }))
}

#[cfg(test)]
mod tests {
    use super::{Files, merge};
    use proptest::prelude::*;

    fn files(text: &str) -> Files<char, char> {
        let pair = |word: &str| (word.chars().next().unwrap(), word.chars().last().unwrap());
        text.split_whitespace().map(pair).collect()
    }

    #[test]
    fn what_git_does() {
        for (base, ours, theirs, expected) in [
            ("a1", "a1 b2", "a1 c3", "a1 b2 c3"),
            ("a1 b2", "a1", "a1 b2 c3", "a1 c3"),
            ("a1", "z1", "a1 c3", "c3 z1"),
            ("a1", "z1", "z1", "z1"),
            ("a1", "a1", "a2", "a2"),
            ("a1", "a2", "a3", "a2 a3"),
            ("", "a2", "a3", "a2 a3"),
            ("a1", "", "a2", "a2"),
            // Moved by one side: changed, kept, or removed by the other.
            ("a1", "z1", "a2", "z2"),
            ("a1", "z1", "", "z1"),
            ("a1", "a1 z1", "a2", "a2 z1"),
            // Packed by one side.
            ("a1 b2", "p9", "a1 b2 c3", "c3 p9"),
        ] {
            let merged = merge(&files(base), &files(ours), &files(theirs));
            assert_eq!(merged, files(expected), "{base} | {ours} | {theirs}");
            assert_eq!(
                merge(&files(base), &files(theirs), &files(ours)),
                files(expected),
                "{base} | {theirs} | {ours}"
            );
        }
    }

    fn some() -> impl Strategy<Value = Files<u8, u8>> {
        prop::collection::btree_map(0u8..5, 0u8..4, 0..5).prop_map(|files| files.into_iter().collect())
    }

    proptest! {
        #[test]
        fn prop_laws(base in some(), ours in some(), theirs in some()) {
            prop_assert_eq!(merge(&base, &base, &theirs), theirs.clone());
            prop_assert_eq!(merge(&base, &ours, &base), ours.clone());
            prop_assert_eq!(merge(&base, &ours, &ours), ours.clone());
            let merged = merge(&base, &ours, &theirs);
            prop_assert!(merged.iter().all(|(_, content)| ours.iter().chain(&theirs).any(|(_, known)| known == content)));
        }

        #[test]
        fn prop_sides_may_be_swapped(base in some(), ours in some(), theirs in some()) {
            prop_assert_eq!(merge(&base, &ours, &theirs), merge(&base, &theirs, &ours));
        }
    }
}
