//! The fold of an issue's comments into a log: what counts, in which order. Pure.
//!
//! An issue takes comments without looking at them, so the compare-and-swap is in the fold: an attempt
//! names the last comment that its author had seen, and counts only if nothing that counts came in
//! between. Blocks of other programs name none and always count; whose number they take is decided by
//! the fold of the anchors.
//!
//! Its author judged by what the issue said then. A comment that a repair spoke of after the attempt may have said
//! something else, or nothing, when its author looked; so only what stood unchanged since then, with all before
//! it, overtakes an attempt. What else has its numbers makes a double allocation, which an amendment settles: an
//! attempt that its author confirmed is never dropped.
//!
//! # Invariant
//! The same comments give the same log, in whichever order they were read. Appending a comment changes
//! nothing about those before it, but that a repair says what an edited or deleted one said.

use super::block::{self, Block, Content, Found};
use crate::config::pattern::Scope;
use crate::ids::collisions::LedgerKind;
use crate::ids::contract::{Anchor, Kind};
use crate::trust::number::JUMP;
use std::collections::{BTreeMap, BTreeSet};

/// The blocks of an issue, by the comment that holds them.
pub type Blocks = BTreeMap<u64, Found>;

/// A number of a namespace.
type Key = (String, Scope, u64);

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
    /// Comments whose block was settled by a repair, and the last comment that this took: that of the repair, or
    /// of the repair of the repair.
    pub repaired: BTreeMap<u64, u64>,
    /// Comments whose block cannot be read, and why.
    pub unreadable: Vec<(u64, String)>,
    /// What their numbers are, as far as that can be told.
    salvaged: Vec<Placed>,
    /// Comments whose block allocates ids of the collision ledger, and names no event.
    pub without_event: Vec<u64>,
    /// What those comments say by their repairs that were settled; nothing if they hold no block.
    pub says: BTreeMap<u64, Option<Found>>,
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
        Self::without(blocks, trusted, &[])
    }

    /// Folds the blocks of an issue as they will be once these attempts are withdrawn.
    #[must_use]
    pub fn without(blocks: &Blocks, trusted: &[String], given_up: &[String]) -> Self {
        let mut thread = Self::default();
        let blocks = thread.repair(blocks, trusted);
        thread.says = thread.repaired.keys().map(|comment| (*comment, blocks.get(comment).cloned())).collect();
        let mut read: Vec<(u64, &str, Block)> = Vec::new();
        for (&comment, found) in blocks.iter().filter(|(_, found)| is_trusted(trusted, &found.author)) {
            match block::read(found, comment) {
                Ok(block) => {
                    let repeated = block.nonce.as_ref().is_some_and(|nonce| !thread.attempts.insert(nonce.clone()));
                    if !repeated {
                        thread.without_event.extend(Some(comment).filter(|_| lacks_event(&block)));
                        read.push((comment, &found.author, block));
                    }
                }
                Err(fault) => {
                    let left = block::salvage(found, comment, &fault).into_iter();
                    thread.salvaged.extend(left.map(|anchor| Placed { comment, anchor }));
                    thread.unreadable.push((comment, fault));
                }
            }
        }
        // Only its own author gives an attempt up.
        let withdrawn: BTreeSet<(&str, String)> = read
            .iter()
            .flat_map(|(_, author, block)| block.withdraws.iter().map(|nonce| (*author, nonce.clone())))
            .collect();
        let is_given_up =
            |author: &str, nonce: &String| given_up.contains(nonce) || withdrawn.contains(&(author, nonce.clone()));
        let mut fold = Acceptance { settled: &thread.repaired, counting: BTreeMap::new(), taken: BTreeMap::new() };
        let mut placed = Vec::new();
        for (comment, author, block) in &read {
            let Content::Anchors(anchors) = &block.content else { continue };
            let given_up = block.nonce.as_ref().is_some_and(|nonce| is_given_up(author, nonce));
            let any = fold.is_free(block, anchors, &|_| true);
            let Some(mark) = fold.accepts(*comment, block, anchors) else { continue };
            // Of what was given up it is known that it was overtaken: any owner will do.
            if given_up && !any {
                continue;
            }
            // What may have been overtaken counts from the repair on: its author may have given it up unsaid, and
            // others have its numbers since.
            let place = if mark.is_firm { *comment } else { mark.settled };
            for anchor in anchors {
                let anchors = if given_up { spent(anchor) } else { vec![anchor.clone()] };
                let of = |anchor| (place, Placed { comment: *comment, anchor });
                placed.extend(anchors.into_iter().map(of));
            }
        }
        placed.sort_by_key(|(place, Placed { comment, .. })| (*place, *comment));
        thread.placed = placed.into_iter().map(|(_, placed)| placed).collect();
        if trusted.is_empty() {
            // Anybody may comment: nobody's word makes a jump a floor.
            let anchors = thread.placed.iter_mut().map(|placed| &mut placed.anchor);
            let high = anchors.filter(|anchor| anchor.numbers.iter().any(|number| *number > JUMP));
            high.for_each(|anchor| anchor.jump = Some(false));
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
            let last = self.repaired.get(&comment).map_or(comment, |last| comment.max(*last));
            self.repaired.insert(repair.comment, last);
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

    /// What is left of the blocks that cannot be read: their numbers are spent.
    pub fn spent_of<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Anchor> {
        let anchors = self.salvaged.iter().map(|placed| &placed.anchor);
        anchors.filter(move |anchor| anchor.namespace == namespace)
    }

    /// Whether an attempt stands in the issue.
    #[must_use]
    pub fn has_attempt(&self, nonce: &str) -> bool {
        self.attempts.contains(nonce)
    }
}

/// Whether a block allocates for no event: in the collision ledger that is what an allocation is known by.
fn lacks_event(block: &Block) -> bool {
    let lacks = |anchor: &Anchor| {
        anchor.kind == Kind::Reserve
            && anchor.event.as_deref().unwrap_or_default().trim().is_empty()
            && LedgerKind::of_namespace(&anchor.namespace).is_some()
    };
    matches!(&block.content, Content::Anchors(anchors) if anchors.iter().any(lacks))
}

/// What has been accepted so far.
#[derive(Debug, Clone)]
struct Acceptance<'a> {
    /// Comments that repairs speak of, and when that was settled.
    settled: &'a BTreeMap<u64, u64>,
    /// By namespace: what counts.
    counting: BTreeMap<String, Vec<Counting>>,
    /// The numbers that have an owner.
    taken: BTreeMap<Key, Mark>,
}

/// A block that counts.
#[derive(Debug, Clone)]
struct Counting {
    comment: u64,
    nonce: Option<String>,
    mark: Mark,
}

/// How sure it is that something counts.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// The comment with which all was settled up to it: who came after that saw it count.
    settled: u64,
    /// Whether nothing that is as sure overtook it, by what the issue says now.
    is_firm: bool,
}

impl Acceptance<'_> {
    /// Whether no rival came in between, and no number has an owner that is one.
    fn is_free(&self, block: &Block, anchors: &[Anchor], is_rival: &dyn Fn(Mark) -> bool) -> bool {
        let (Some(after), Some(first)) = (block.after, anchors.first()) else { return true };
        let own = |nonce: &Option<String>| nonce.as_ref().is_some_and(|nonce| block.withdraws.contains(nonce));
        let before = self.counting.get(&first.namespace).map(Vec::as_slice).unwrap_or_default();
        let mut since = before.iter().rev().take_while(|other| other.comment > after);
        let overtaken = since.any(|other| is_rival(other.mark) && !own(&other.nonce));
        let has_owner = |key: &Key| self.taken.get(key).is_some_and(|mark| is_rival(*mark));
        !overtaken && !anchors.iter().flat_map(keys).any(|key| has_owner(&key))
    }

    /// Takes a block up if its author can have seen it count.
    fn accepts(&mut self, comment: u64, block: &Block, anchors: &[Anchor]) -> Option<Mark> {
        let first = anchors.first()?;
        if !self.is_free(block, anchors, &|mark| mark.settled < comment) {
            return None;
        }
        let settled = self.settled.range(..=comment).map(|(_, settled)| *settled).max().unwrap_or_default();
        let mark = Mark { settled, is_firm: self.is_free(block, anchors, &|mark| mark.is_firm) };
        let counting = Counting { comment, nonce: block.nonce.clone(), mark };
        self.counting.entry(first.namespace.clone()).or_default().push(counting);
        for key in anchors.iter().flat_map(keys) {
            self.taken.entry(key).and_modify(|first| first.is_firm |= mark.is_firm).or_insert(mark);
        }
        Some(mark)
    }
}

/// The numbers that an anchor takes.
fn keys(anchor: &Anchor) -> Vec<Key> {
    let takes = matches!(anchor.kind, Kind::Reserve | Kind::Amend);
    let key = |number: &u64| (anchor.namespace.clone(), anchor.scope.clone(), *number);
    anchor.numbers.iter().filter(|_| takes).map(key).collect()
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
    fn what_a_later_repair_brings_back_overtakes_nobody() {
        let repair = "kind: repair\ncomment: 3\nauthor: alice\nat: 2026-01-01T00:00:00Z\nblock: \"kind: occ\\nids: [\\\"#1\\\"]\"";
        let attempt = |nonce: &str, after: u64| format!("kind: occ\nids: [\"#1\"]\nnonce: {nonce}\nafter: {after}");
        // The author of 5 cannot have seen what 3 said; that of 8 saw 5 or what the repair says, and lost to it.
        let deleted = [(5, &*attempt("b.1", 0)), (7, repair), (8, &*attempt("c.1", 0)), (9, &*attempt("d.1", 8))];
        assert_eq!(labels(&blocks(&deleted)), ["#1", "#1"]);
        // What its author gave up is settled: it lost.
        let mut given_up = blocks(&deleted);
        given_up.insert(12, found("alice", "kind: occ\nids: [\"#2\"]\nnonce: b.2\nafter: 9\nwithdraws: [\"b.1\"]"));
        assert_eq!(labels(&given_up), ["#1", "#2"]);
        assert_eq!(Thread::without(&blocks(&deleted), &[], &["b.1".to_owned()]).placed().len(), 1);
        // Whoever has its number since then keeps it: nobody knows whether it was given up.
        let ghost = format!("{}event: ghost\n", attempt("b.1", 0).replace("#1", "#2") + "\n");
        let kept = format!("{}event: kept\n", attempt("c.1", 5).replace("#1", "#2") + "\n");
        let late = blocks(&[(5, &*ghost), (6, &*kept), (7, repair)]);
        let events = |blocks: &Blocks| -> Vec<Option<String>> {
            Thread::fold(blocks, &[]).placed().iter().map(|placed| placed.anchor.event.clone()).collect()
        };
        assert_eq!(events(&late), [None, Some("kept".to_owned()), Some("ghost".to_owned())]);
        // A repair of the repair is as late as that.
        let text = format!("kind: repair\ncomment: 7\nauthor: alice\nat: 2026-01-01T00:00:00Z\nblock: {repair:?}");
        let again = [(5, &*attempt("b.1", 0)), (8, &*attempt("c.1", 6)), (9, &text)];
        assert_eq!(labels(&blocks(&again)), ["#1", "#1", "#1"]);
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
    fn the_numbers_of_a_block_that_cannot_be_read_are_spent() {
        let thread = Thread::fold(
            &blocks(&[
                (1, "kind: lease\nids: [\"#4\", \"#5\"]"),
                (2, "kind: occ\nids: [\"#6\"]\nat: never"),
                (3, "kind: later\nnamespace: SEC\nnumbers: \"7-9\"\nids: [\"SEC-7\", \"SEC-12\"]"),
                (4, "kind: later\nids: [NM3]\nnamespace: [x"),
                (5, "ids: [\"#999999999999\"]"),
            ]),
            &[],
        );
        let numbers = |namespace: &str| -> Vec<u64> {
            thread.spent_of(namespace).flat_map(|anchor| anchor.numbers.clone()).collect()
        };
        assert_eq!((numbers("ledger.occ"), numbers("SEC")), (vec![4, 5, 6, 999_999_999_999], vec![7, 8, 9, 12]));
        assert_eq!((thread.unreadable.len(), thread.placed().len()), (5, 0));
        let book = Book::fold(thread.spent_of("ledger.occ").cloned());
        assert_eq!(book.top(&crate::config::pattern::Scope::default()), 6);
    }

    /// One comment of a stranger, and even two that agree, are no floor where anybody may comment.
    #[test]
    fn a_jump_in_a_comment_is_no_floor_unless_its_author_is_trusted() {
        let jump = "kind: occ\nids: [\"#999999999999\"]\njump: true";
        let all = blocks(&[
            (1, "kind: occ\nids: [\"#1\"]"),
            (2, jump),
            (3, "kind: nm\nids: [NM900000]"),
            (4, "kind: nm\nids: [NM900001]"),
        ]);
        let top = |namespace: &str, trusted: &[String]| {
            let thread = Thread::fold(&all, trusted);
            let book = Book::fold(thread.of(namespace).map(|placed| placed.anchor.clone()));
            book.top(&crate::config::pattern::Scope::default())
        };
        assert_eq!((top("ledger.occ", &[]), top("ledger.nm", &[])), (1, 0));
        assert_eq!(top("ledger.occ", &["alice".to_owned()]), 999_999_999_999);
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
        assert_eq!((thread.placed()[0].comment, thread.repaired.contains_key(&2)), (2, true));
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
