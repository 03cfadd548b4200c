//! The queue that a set of posts amounts to: all posts replayed in the order of their stamps.

use super::filing::Filing;
use super::post::{FAR_AHEAD, Kind, Post, item_key};
use super::state::Feed;
use super::verdict::{Refusal, Verdict};
use crate::event::{EventId, Stamp};
use std::collections::BTreeMap;

/// The queue.
///
/// # Invariant
/// A function of the set of posts alone, and [`Verdict`] of a post depends on the posts with lower stamps
/// alone. No post renames what another one filed: an id changes by an amendment, and stays known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Board {
    filings: Vec<Filing>,
    /// Who ever had an id.
    by_item: BTreeMap<String, Vec<usize>>,
    by_post: BTreeMap<EventId, usize>,
    verdicts: BTreeMap<EventId, Verdict>,
    /// Posts that are said to be void, and the first post that says so.
    voids: BTreeMap<EventId, Stamp>,
    /// The first note of each item and durable key.
    notes: BTreeMap<(Option<String>, String), EventId>,
}

impl Board {
    /// Replays a feed.
    #[must_use]
    pub fn of(feed: &Feed) -> Self {
        let mut board = Self::default();
        for post in feed.in_order() {
            let verdict = match board.passed_over(post) {
                Some(by) => {
                    board.place(post).into_iter().for_each(|place| board.belongs(post, place));
                    Verdict::Void(by)
                }
                None => board.apply(feed, post),
            };
            board.verdicts.insert(post.stamp.id, verdict);
        }
        board
    }

    /// All items, in the order in which they were filed.
    #[must_use]
    pub fn filings(&self) -> &[Filing] {
        &self.filings
    }

    /// What a post came to.
    #[must_use]
    pub fn verdict(&self, id: &EventId) -> Option<&Verdict> {
        self.verdicts.get(id)
    }

    /// Whether somebody said that a post is void: one that did nothing is settled by that.
    #[must_use]
    pub fn is_void(&self, id: &EventId) -> bool {
        self.voids.contains_key(id)
    }

    /// The item that an id names: the one with the best right to it, or one that had it before.
    #[must_use]
    pub fn find(&self, item: &str) -> Option<&Filing> {
        self.filings.get(self.holder(&item_key(item))?)
    }

    /// Everything that ever had an id, the best right first.
    #[must_use]
    pub fn all_of(&self, item: &str) -> Vec<&Filing> {
        let key = item_key(item);
        let places = self.by_item.get(&key).into_iter().flatten();
        let mut found: Vec<&Filing> = places.filter_map(|place| self.filings.get(*place)).collect();
        found.sort_by_key(|filing| (item_key(&filing.holding.item) != key, filing.holding.rank()));
        found
    }

    /// The item that a post is about.
    #[must_use]
    pub fn about(&self, post: &EventId) -> Option<&Filing> {
        self.filings.get(*self.by_post.get(post)?)
    }

    /// The other items that have the id of this one now, the best right first; empty where there is no
    /// collision.
    #[must_use]
    pub fn rivals(&self, filing: &Filing) -> Vec<&Filing> {
        let key = item_key(&filing.holding.item);
        let now = |other: &&Filing| item_key(&other.holding.item) == key && other.by != filing.by;
        self.all_of(&filing.holding.item).into_iter().filter(now).collect()
    }

    /// Whether another item has the better right to the id of this one.
    #[must_use]
    pub fn loses(&self, filing: &Filing) -> Option<&Filing> {
        self.rivals(filing).into_iter().find(|other| other.holding.rank() < filing.holding.rank())
    }

    fn holder(&self, key: &str) -> Option<usize> {
        let place = |place: &usize| Some((*place, self.filings.get(*place)?));
        let had = self.by_item.get(key)?.iter().filter_map(place);
        let best = had.min_by_key(|(_, filing)| (item_key(&filing.holding.item) != key, filing.holding.rank()));
        best.map(|(place, _)| place)
    }

    fn apply(&mut self, feed: &Feed, post: &Post) -> Verdict {
        if let Some(target) = post.says.voids() {
            return self.void(feed, post, &target);
        }
        let Some(item) = &post.says.item else { return self.note(feed, post) };
        if post.says.kind == Kind::Actionable {
            return self.file(feed, post, item);
        }
        let key = item_key(item);
        let place = match self.place(post) {
            Ok(place) => place,
            Err(refusal) => return Verdict::Refused(refusal),
        };
        let noted = if post.says.kind == Kind::Note { self.note(feed, post) } else { Verdict::Done };
        let collides = self.filings.get(place).and_then(|filing| self.loses(filing)).map(|rival| rival.by.id);
        let taken = post.says.to.as_ref().and_then(|to| self.holder(&item_key(to))).filter(|other| *other != place);
        let taken = taken.and_then(|other| self.filings.get(other)).map(|other| other.by.id);
        let Some(filing) = self.filings.get_mut(place) else { return Verdict::Refused(Refusal::UnknownItem) };
        let verdict = match post.says.kind {
            Kind::Actionable | Kind::Note => noted,
            Kind::Claim => filing.claim(feed, post),
            Kind::Done => filing.finish(feed, post),
            Kind::Release => filing.release(feed, post),
            Kind::Repair => filing.repair(),
            Kind::Confirm => filing.confirm(feed, post, &key, collides),
            Kind::Amend => filing.amend(feed, post, &key, taken),
        };
        if verdict == Verdict::Done {
            filing.heard(post);
            filing.did(post);
        }
        filing.posts.push(post.stamp.id);
        let now = item_key(&filing.holding.item);
        self.by_post.insert(post.stamp.id, place);
        let had = self.by_item.entry(now).or_default();
        if !had.contains(&place) {
            had.push(place);
        }
        verdict
    }

    /// A note with a durable key is said once.
    fn note(&mut self, feed: &Feed, post: &Post) -> Verdict {
        let Some(key) = post.says.key.clone() else { return Verdict::Done };
        let item = post.says.item.as_deref().map(item_key);
        let first = *self.notes.entry((item, key)).or_insert(post.stamp.id);
        match feed.get(&first).map(|first| first.repeats(post)) {
            _ if first == post.stamp.id => Verdict::Done,
            Some(true) => Verdict::Repeats(first),
            _ => Verdict::Refused(Refusal::KeyUsed(first)),
        }
    }

    /// The item that a post means.
    fn place(&self, post: &Post) -> Result<usize, Refusal> {
        let key = post.says.item.as_deref().map(item_key).unwrap_or_default();
        let had = |place: &&usize| self.filings.get(**place).is_some_and(|filing| filing.ever_had(&key));
        // A void post is kept with an item to be shown there, but no other post can refer to an item by it.
        let is_void = |of: &EventId| matches!(self.verdicts.get(of), Some(Verdict::Void(_)));
        match &post.says.of {
            Some(of) if is_void(of) => Err(Refusal::UnknownFiling),
            Some(of) => self.by_post.get(of).filter(had).copied().ok_or(Refusal::UnknownFiling),
            None => self.holder(&key).ok_or(Refusal::UnknownItem),
        }
    }

    /// The post that took this one out of the order before its time came: when it said that this one is void, this
    /// one was far ahead. So no post changes what an earlier one came to.
    fn passed_over(&self, post: &Post) -> Option<EventId> {
        let by = self.voids.get(&post.stamp.id)?;
        by.ts.after(FAR_AHEAD).filter(|horizon| post.stamp.ts > *horizon).map(|_| by.id)
    }

    /// Settles a post that did nothing, or that is no post, or that is yet to come.
    fn void(&mut self, feed: &Feed, post: &Post, target: &EventId) -> Verdict {
        if let Some(place) = self.by_post.get(target).copied() {
            self.belongs(post, place);
        }
        if let Some(first) = self.voids.get(target).map(|by| by.id) {
            let same = feed.get(&first).is_some_and(|first| first.repeats(post));
            return if same { Verdict::Repeats(first) } else { Verdict::Refused(Refusal::Said(first)) };
        }
        match self.verdicts.get(target) {
            None | Some(Verdict::Refused(Refusal::UnknownItem | Refusal::UnknownFiling)) => {
                self.voids.insert(*target, post.stamp.clone());
                Verdict::Done
            }
            Some(_) => Verdict::Refused(Refusal::InForce),
        }
    }

    fn file(&mut self, feed: &Feed, post: &Post, item: &str) -> Verdict {
        let key = item_key(item);
        let had = self.by_item.get(&key).cloned().unwrap_or_default();
        let repeated = |place: &usize| Some((*place, self.filings.get(*place)?.repeated(post)?));
        if let Some((place, first)) = had.iter().find_map(repeated) {
            self.belongs(post, place);
            return Verdict::Repeats(first);
        }
        let used = |place: &usize| Some((*place, self.filings.get(*place)?.key_used(post)?));
        let used = had.iter().find_map(used);
        if let Some((place, (first, true))) = used {
            self.belongs(post, place);
            return Verdict::Refused(Refusal::KeyUsed(first));
        }
        let refusal = match (self.holder(&key), &post.says.proof) {
            _ if used.is_some() => used.map(|(_, (first, _))| Refusal::KeyUsed(first)),
            (None, None) => None,
            (None, Some(_)) => Some(Refusal::NoProof),
            (Some(place), None) => self.filings.get(place).map(|filing| Refusal::Exists(filing.by.id)),
            (Some(_), Some(proof)) => match self.proven(feed, proof, &key) {
                None => Some(Refusal::NoProof),
                Some((place, filing, proof)) => {
                    let spent = filing.spent(proof);
                    if spent.is_none() {
                        self.belongs(post, place);
                        let filing = self.filings.get_mut(place);
                        return filing.map_or(Verdict::Refused(Refusal::NoProof), |filing| filing.refile(post));
                    }
                    spent.map(Refusal::Spent)
                }
            },
        };
        // What collides is filed all the same, so that no work vanishes from the queue.
        let place = self.filings.len();
        self.filings.push(Filing::new(post, item));
        self.by_item.entry(key).or_default().push(place);
        self.by_post.insert(post.stamp.id, place);
        refusal.map_or(Verdict::Done, Verdict::Refused)
    }

    /// Notes which item a post is about.
    fn belongs(&mut self, post: &Post, place: usize) {
        if let Some(filing) = self.filings.get_mut(place) {
            filing.posts.push(post.stamp.id);
            self.by_post.insert(post.stamp.id, place);
        }
    }

    /// The item that a release or repair, which did what it says, put back to waiting.
    fn proven<'a>(&'a self, feed: &'a Feed, proof: &EventId, key: &str) -> Option<(usize, &'a Filing, &'a Stamp)> {
        let post = feed.get(proof).filter(|post| matches!(post.says.kind, Kind::Release | Kind::Repair))?;
        let place = *self.by_post.get(proof)?;
        let of_item = post.says.item.as_deref().map(item_key).as_deref() == Some(key);
        let holds = of_item && self.verdicts.get(proof) == Some(&Verdict::Done);
        self.filings.get(place).filter(|_| holds).map(|filing| (place, filing, &post.stamp))
    }
}
