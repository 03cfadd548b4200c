//! The fold of an issue's comments into a log: what counts, in which order. Pure.
//!
//! An issue takes comments without looking at them, so the compare-and-swap is in the fold: an attempt
//! names the last comment that its author had seen, and counts only if nothing that counts came in
//! between. Blocks of other programs name none and always count; whose number they take is decided by
//! the fold of the anchors.
//!
//! # Invariant
//! The same comments give the same log, in whichever order they were read. Appending a comment changes
//! nothing about those before it, but that a repair says what an edited or deleted one said.

use super::block::{self, Block, Content, Found};
use crate::config::pattern::Scope;
use crate::ids::contract::{Anchor, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// The blocks of an issue, by the comment that holds them.
pub type Blocks = BTreeMap<u64, Found>;

/// An anchor that counts, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The comment.
    pub comment: u64,
    /// The anchor.
    pub anchor: Anchor,
}

/// An issue's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thread {
    placed: Vec<Placed>,
    /// Every attempt that stands in the issue, whether it counts or not.
    attempts: BTreeSet<String>,
    /// Comments whose block was settled by a repair.
    pub repaired: BTreeSet<u64>,
    /// Comments whose block cannot be read, and why.
    pub unreadable: Vec<(u64, String)>,
}

/// Who counts: these logins, or everybody if there are none.
#[must_use]
pub fn is_trusted(trusted: &[String], author: &str) -> bool {
    trusted.is_empty() || trusted.iter().any(|login| login.eq_ignore_ascii_case(author))
}

impl Thread {
    /// Folds the blocks of an issue.
    #[must_use]
    pub fn fold(blocks: &Blocks, trusted: &[String]) -> Self {
        let mut thread = Self::default();
        let blocks = thread.repair(blocks, trusted);
        let mut read: Vec<(u64, &str, Block)> = Vec::new();
        for (&comment, found) in blocks.iter().filter(|(_, found)| is_trusted(trusted, &found.author)) {
            match block::read(found, comment) {
                Ok(block) => {
                    let repeated = block.nonce.as_ref().is_some_and(|nonce| !thread.attempts.insert(nonce.clone()));
                    if !repeated {
                        read.push((comment, &found.author, block));
                    }
                }
                Err(fault) => thread.unreadable.push((comment, fault)),
            }
        }
        // Only its own author gives an attempt up.
        let withdrawn: BTreeSet<(&str, String)> = read
            .iter()
            .flat_map(|(_, author, block)| block.withdraws.iter().map(|nonce| (*author, nonce.clone())))
            .collect();
        let mut fold = Acceptance::default();
        for (comment, author, block) in &read {
            let Content::Anchors(anchors) = &block.content else { continue };
            if !fold.accepts(*comment, block, anchors) {
                continue;
            }
            let given_up = block.nonce.as_ref().is_some_and(|nonce| withdrawn.contains(&(*author, nonce.clone())));
            for anchor in anchors {
                let anchors = if given_up { spent(anchor) } else { vec![anchor.clone()] };
                thread.placed.extend(anchors.into_iter().map(|anchor| Placed { comment: *comment, anchor }));
            }
        }
        thread
    }

    /// The blocks as they were published, as far as repairs say so: the first repair of a comment counts.
    ///
    /// A repair speaks of an earlier comment, which may be a repair itself: the last comment is looked at
    /// first, so what a repair says is settled before it is heard.
    fn repair(&mut self, blocks: &Blocks, trusted: &[String]) -> Blocks {
        let mut effective = blocks.clone();
        let mut waiting: BTreeSet<u64> = blocks.keys().copied().collect();
        while let Some(comment) = waiting.pop_last() {
            let Some(found) = effective.get(&comment).filter(|found| is_trusted(trusted, &found.author)) else {
                continue;
            };
            let Ok(Block { content: Content::Repair(repair), .. }) = block::read(found, comment) else { continue };
            if repair.comment >= comment {
                continue;
            }
            self.repaired.insert(repair.comment);
            match repair.found {
                Some(found) => {
                    effective.insert(repair.comment, found);
                    waiting.insert(repair.comment);
                }
                None => {
                    effective.remove(&repair.comment);
                }
            }
        }
        effective
    }

    /// What counts, in the log's order.
    #[must_use]
    pub fn placed(&self) -> &[Placed] {
        &self.placed
    }

    /// The anchors of a namespace, in the log's order.
    pub fn of<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Placed> {
        self.placed.iter().filter(move |placed| placed.anchor.namespace == namespace)
    }

    /// Whether an attempt stands in the issue.
    #[must_use]
    pub fn has_attempt(&self, nonce: &str) -> bool {
        self.attempts.contains(nonce)
    }
}

/// What has been accepted so far.
#[derive(Default)]
struct Acceptance {
    /// By namespace: the comments that count and the attempts in them.
    comments: BTreeMap<String, Vec<(u64, Option<String>)>>,
    taken: BTreeSet<(String, Scope, u64)>,
}

impl Acceptance {
    fn accepts(&mut self, comment: u64, block: &Block, anchors: &[Anchor]) -> bool {
        let Some(namespace) = anchors.first().map(|anchor| anchor.namespace.clone()) else { return false };
        let numbers = |anchor: &Anchor| -> Vec<(String, Scope, u64)> {
            let takes = matches!(anchor.kind, Kind::Reserve | Kind::Amend);
            let key = |number: &u64| (anchor.namespace.clone(), anchor.scope.clone(), *number);
            anchor.numbers.iter().filter(|_| takes).map(key).collect()
        };
        let before = self.comments.entry(namespace).or_default();
        if let Some(after) = block.after {
            let own = |nonce: &Option<String>| nonce.as_ref().is_some_and(|nonce| block.withdraws.contains(nonce));
            let overtaken = before.iter().rev().take_while(|(at, _)| *at > after).any(|(_, nonce)| !own(nonce));
            let collides = || anchors.iter().flat_map(numbers).any(|number| self.taken.contains(&number));
            if overtaken || collides() {
                return false;
            }
        }
        before.push((comment, block.nonce.clone()));
        self.taken.extend(anchors.iter().flat_map(numbers));
        true
    }
}

/// What is left of an anchor whose author gave it up for another attempt: its numbers are nobody's, and
/// spent.
fn spent(anchor: &Anchor) -> Vec<Anchor> {
    if !matches!(anchor.kind, Kind::Reserve | Kind::Amend) {
        return Vec::new();
    }
    let nonce = format!("{}-withdrawn", anchor.nonce);
    let (event, replaces) = (None, Vec::new());
    let taken = Anchor { kind: Kind::Reserve, nonce: nonce.clone(), event, replaces, of: None, ..anchor.clone() };
    let given_up =
        Anchor { kind: Kind::Release, of: Some(nonce.clone()), nonce: format!("{nonce}-spent"), ..taken.clone() };
    vec![taken, given_up]
}

#[cfg(test)]
mod tests {
    use super::{Blocks, Found, Thread};
    use crate::ids::fold::Book;

    fn found(author: &str, text: &str) -> Found {
        Found { author: author.to_owned(), at: "2026-01-01T00:00:00Z".to_owned(), text: text.to_owned() }
    }

    fn blocks(list: &[(u64, &str)]) -> Blocks {
        list.iter().map(|(comment, text)| (*comment, found("alice", text))).collect()
    }

    fn labels(blocks: &Blocks) -> Vec<String> {
        Thread::fold(blocks, &[]).placed().iter().map(|placed| placed.anchor.ids.join("+")).collect()
    }

    #[test]
    fn an_attempt_that_was_overtaken_does_not_count() {
        let race = blocks(&[
            (3, "kind: occ\nids: [\"#1\"]\nnonce: a.1\nafter: 0"),
            (4, "kind: occ\nids: [\"#1\"]\nnonce: b.1\nafter: 0"),
            (5, "kind: nm\nids: [\"NM1\"]\nnonce: c.1\nafter: 0"),
            (6, "kind: occ\nids: [\"#2\"]\nnonce: b.2\nafter: 4\nwithdraws: [\"b.1\"]"),
        ]);
        assert_eq!(labels(&race), ["#1", "NM1", "#2"]);
        // Without the winner the attempt that was given up is nobody's, and its number stays spent.
        let mut lost = race.clone();
        lost.remove(&3);
        let thread = Thread::fold(&lost, &[]);
        let book = Book::fold(thread.of("ledger.occ").map(|placed| placed.anchor.clone()));
        assert_eq!(book.claim("#1").unwrap().state.word(), "RELEASED");
        // Nobody gives up what somebody else published.
        let mut foreign = race;
        foreign.insert(7, found("mallory", "kind: occ\nids: [\"#3\"]\nnonce: m.1\nafter: 6\nwithdraws: [\"b.2\"]"));
        assert_eq!(labels(&foreign), ["#1", "NM1", "#2", "#3"]);
    }

    #[test]
    fn an_attempt_needs_both_that_nobody_came_in_between_and_that_its_numbers_are_free() {
        let between = [
            (3, "kind: occ\nids: [\"#1\"]\nnonce: a.1\nafter: 0"),
            (4, "kind: occ\nids: [\"#5\"]\nnonce: b.1\nafter: 0"),
        ];
        assert_eq!(labels(&blocks(&between)), ["#1"]);
        let taken = [(3, "kind: occ\nids: [\"#1\"]"), (4, "kind: occ\nids: [\"#1\", \"#2\"]\nnonce: b.1\nafter: 3")];
        assert_eq!(labels(&blocks(&taken)), ["#1"]);
        // What its own author gave up for it is not in its way.
        let own = [between[0], (5, "kind: occ\nids: [\"#2\"]\nnonce: a.2\nafter: 0\nwithdraws: [\"a.1\"]")];
        assert_eq!(labels(&blocks(&own)), ["#1", "#1", "#2"]);
    }

    #[test]
    fn one_nonce_twice_counts_once_at_the_lower_comment() {
        let text = "kind: occ\nids: [\"#1\"]\nnonce: a.1\nafter: 0";
        let twice = blocks(&[(4, text), (9, text), (7, "kind: occ\nids: [\"#2\"]\nnonce: b.1\nafter: 4")]);
        assert_eq!(labels(&twice), ["#1", "#2"]);
        assert_eq!(Thread::fold(&twice, &[]).placed()[0].comment, 4);
    }

    #[test]
    fn other_programs_blocks_always_count_and_foreign_authors_never() {
        let mut thread =
            blocks(&[(1, "kind: occ\nids: [\"#1\"]"), (2, "kind: occ\nids: [\"#1\", \"#2\"]"), (3, "nonsense")]);
        assert_eq!(labels(&thread), ["#1", "#1+#2"]);
        thread.insert(4, found("mallory", "kind: occ\nids: [\"#99\"]"));
        assert_eq!(Thread::fold(&thread, &["Alice".to_owned()]).placed().len(), 2);
        assert_eq!(Thread::fold(&thread, &[]).placed().len(), 3);
        assert_eq!(Thread::fold(&thread, &[]).unreadable.len(), 1);
    }

    #[test]
    fn the_first_repair_says_what_a_comment_said() {
        let repair = |at: u64, label: &str| {
            format!(
                "kind: repair\ncomment: {at}\nauthor: alice\nat: 2026-01-01T00:00:00Z\nblock: \"kind: occ\\nids: [\\\"{label}\\\"]\""
            )
        };
        let deleted = blocks(&[(5, &repair(2, "#1")), (6, &repair(2, "#7")), (7, "kind: occ\nids: [\"#2\"]")]);
        let thread = Thread::fold(&deleted, &[]);
        assert_eq!(labels(&deleted), ["#1", "#2"]);
        assert_eq!((thread.placed()[0].comment, thread.repaired.contains(&2)), (2, true));
        // A repair that says something else by now is repaired before it is heard.
        let text =
            format!("kind: repair\ncomment: 5\nauthor: alice\nat: 2026-01-01T00:00:00Z\nblock: {:?}", repair(2, "#1"));
        let edited = blocks(&[(5, &repair(2, "#8")), (7, "kind: occ\nids: [\"#2\"]"), (9, &text)]);
        assert_eq!(labels(&edited), ["#1", "#2"]);
        // A repair of what comes later, or of itself, is none; one without a block takes a block away.
        assert_eq!(labels(&blocks(&[(5, &repair(5, "#1")), (4, &repair(8, "#1"))])), [""; 0]);
        assert_eq!(labels(&blocks(&[(2, "kind: occ\nids: [\"#1\"]"), (5, "kind: repair\ncomment: 2")])), [""; 0]);
    }
}
