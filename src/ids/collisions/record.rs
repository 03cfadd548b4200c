//! The anchors of the ledger, folded into entries. Pure.

use super::LedgerKind;
use super::decide::losers;
use crate::ids::contract::Anchor;
use crate::ids::fold::{Book, State};
use crate::ids::reserve::digest;
use std::collections::{BTreeMap, BTreeSet};

/// One id, or the gap where a loser of a double allocation stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What tells it from all others, and never changes while it stands.
    pub key: String,
    /// The keys under which prose may stand that is this entry's now.
    pub older_keys: Vec<String>,
    /// Its kind.
    pub kind: LedgerKind,
    /// Its number.
    pub number: u64,
    /// Its id.
    pub label: String,
    /// Whether the id is somebody else's, who published it first.
    pub is_gap: bool,
    /// The ids that it had before.
    pub formerly: Vec<String>,
    /// What it was renumbered to.
    pub amended_to: Option<String>,
    /// Its anchor.
    pub anchor: Anchor,
    /// The comment that holds the anchor.
    pub comment: Option<u64>,
}

/// The ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The entries, by kind and number.
    pub entries: Vec<Entry>,
    /// How often an id was taken that had an owner.
    pub doubles: usize,
    /// The highest id of each kind that has one.
    pub tops: BTreeMap<LedgerKind, u64>,
}

/// The anchors of a kind in the log's order, and the comments that hold them.
pub type Anchors = Vec<(Option<u64>, Anchor)>;

impl Record {
    /// Folds the anchors of all kinds.
    #[must_use]
    pub fn fold(kinds: &BTreeMap<LedgerKind, Anchors>) -> Self {
        let mut record = Self::default();
        for (kind, anchors) in kinds {
            record.add(*kind, anchors);
        }
        record
    }

    fn add(&mut self, kind: LedgerKind, anchors: &Anchors) {
        let book = Book::fold(anchors.iter().map(|(_, anchor)| anchor.clone()));
        let comment_of = |anchor: &Anchor| {
            anchors.iter().find(|(_, other)| other.nonce == anchor.nonce).and_then(|(comment, _)| *comment)
        };
        let lost = losers(&book);
        self.doubles += book.lost().len();
        let mut entries = Vec::new();
        for claim in book.claims().filter(|claim| claim.state != State::Released) {
            let Some(anchor) = book.anchor_of(claim) else { continue };
            let comment = comment_of(anchor);
            let mut entry = Entry {
                key: claim.id.clone(),
                older_keys: comment.map(|comment| comment_key(&claim.id, comment)).into_iter().collect(),
                kind,
                number: claim.number,
                label: claim.id.clone(),
                is_gap: false,
                formerly: book.aliases(&claim.id).into_iter().map(str::to_owned).collect(),
                amended_to: None,
                comment,
                anchor: anchor.clone(),
            };
            if let State::Amended(new) = &claim.state {
                entry.amended_to = Some(new.clone());
            }
            // What it replaces can have been an amendment itself.
            let (mut new, mut amendment) = (&claim.id, anchor);
            for _ in book.anchors() {
                let place = amendment.ids.iter().position(|id| id == new);
                let Some((old, of)) = place.and_then(|at| amendment.replaces.get(at)).zip(amendment.of.as_ref()) else {
                    break;
                };
                entry.older_keys.push(gap_key(old, of));
                let Some(replaced) = book.anchors().iter().find(|other| other.nonce == *of) else { break };
                entry.older_keys.extend(comment_of(replaced).map(|comment| comment_key(old, comment)));
                (new, amendment) = (old, replaced);
            }
            entries.push(entry);
        }
        for loser in lost.iter().filter(|loser| loser.amendment.is_none()) {
            for number in &loser.numbers {
                let label = kind.label(*number);
                let comment = comment_of(loser.anchor);
                entries.push(Entry {
                    key: gap_key(&label, &loser.anchor.nonce),
                    older_keys: comment.map(|comment| comment_key(&label, comment)).into_iter().collect(),
                    kind,
                    number: *number,
                    label,
                    is_gap: true,
                    formerly: Vec::new(),
                    amended_to: None,
                    anchor: loser.anchor.clone(),
                    comment,
                });
            }
        }
        entries.sort_by(|a, b| (a.number, a.is_gap, &a.key).cmp(&(b.number, b.is_gap, &b.key)));
        entries.dedup_by(|a, b| a.key == b.key);
        if let Some(top) = entries.iter().map(|entry| entry.number).max() {
            self.tops.insert(kind, top);
        }
        self.entries.extend(entries);
    }

    /// How many ids have an owner.
    #[must_use]
    pub fn ids(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.is_gap).count()
    }

    /// The ids that a text may cite.
    #[must_use]
    pub fn known(&self) -> BTreeSet<&str> {
        let entries = self.entries.iter();
        entries.flat_map(|entry| std::iter::once(&entry.label).chain(&entry.formerly)).map(String::as_str).collect()
    }
}

/// The key of prose that was written when the anchor in a comment had an id that it may not have now.
#[must_use]
pub fn comment_key(label: &str, comment: u64) -> String {
    format!("{label}~comment-{comment}")
}

/// The key of a loser's entry: its id is another entry's.
fn gap_key(label: &str, nonce: &str) -> String {
    format!("{label}~{}", digest(nonce).get(..8).unwrap_or_default())
}
