//! The queue that a set of posts amounts to: all posts replayed in the order of their stamps.

use super::post::{Kind, Post, item_key, renamed};
use super::state::Feed;
use crate::event::{EventId, Stamp, Timestamp};
use std::collections::BTreeMap;

/// How far an item has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nobody has it.
    Awaiting,
    /// This seat has it.
    Claimed(String),
    /// This seat finished it.
    Done(String),
}

impl Stage {
    /// The word that is shown.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Awaiting => "AWAITING_CLAIM",
            Self::Claimed(_) => "CLAIMED",
            Self::Done(_) => "DONE",
        }
    }

    /// The seat that has it or had it last.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        match self {
            Self::Awaiting => None,
            Self::Claimed(seat) | Self::Done(seat) => Some(seat),
        }
    }
}

/// An id, and how an item came to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The id as it was written.
    pub item: String,
    /// The post that took it.
    pub by: Stamp,
    /// The nonce of the reservation that it comes from, as the post says.
    pub reserved: Option<String>,
    /// Whether it was taken without a log.
    pub provisional: bool,
    /// Whether it was confirmed since.
    pub confirmed: bool,
}

impl Holding {
    /// Whether the number comes from a log that put it in order: such a number never moves. That is the post's
    /// own word: the queue is a function of the posts alone, and [`super::drift`] is what asks the log.
    #[must_use]
    pub const fn says_published(&self) -> bool {
        self.reserved.is_some() && (!self.provisional || self.confirmed)
    }

    /// Whether it waits for its confirmation.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.provisional && !self.confirmed
    }

    /// Who has the better right to an id comes first: a published number, then the earlier UTC instant,
    /// then the seat's name in byte order.
    pub(super) fn rank(&self) -> (bool, &Stamp) {
        (!self.says_published(), &self.by)
    }
}

/// A claim of what another seat had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The post.
    pub by: Stamp,
    /// Who had it.
    pub owner: String,
}

/// An item: one actionable post, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filing {
    /// The post that filed it.
    pub by: Stamp,
    /// What it is about, as it was said last.
    pub subject: String,
    /// Its id.
    pub holding: Holding,
    /// The ids that it had before.
    pub former: Vec<Holding>,
    /// How far it has come.
    pub stage: Stage,
    /// When anybody said anything of it last.
    pub active: Timestamp,
    /// When its owner, or who filed it while nobody has it, said anything of it last.
    pub tended: Timestamp,
    /// Claims that came too late, until their seats release them.
    pub lost: Vec<Lost>,
    /// The posts about it, in the order of their stamps.
    pub posts: Vec<EventId>,
    filed_as: Identity,
    released_by: Option<String>,
}

impl Filing {
    /// Whether it is in the queue still.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Done(_))
    }

    fn ever_had(&self, key: &str) -> bool {
        std::iter::once(&self.holding).chain(&self.former).any(|holding| item_key(&holding.item) == key)
    }
}

/// What makes two actionable posts of one item the same filing: a durable key, or seat and words. So a
/// retry that posts twice files once.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Identity {
    Key(String),
    Words(String, String, String),
}

impl Identity {
    fn of(post: &Post) -> Self {
        let says = &post.says;
        match &says.key {
            Some(key) => Self::Key(key.clone()),
            None => Self::Words(post.stamp.agent.clone(), says.subject.clone(), says.text.clone()),
        }
    }
}

/// What a post came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It did what it says.
    Done,
    /// An earlier post said so already.
    Repeats(EventId),
    /// It did nothing, or not what it meant.
    Refused(Refusal),
}

/// Why a post did not do what it meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// An actionable post of an item that exists, without a proof that it was released or repaired.
    Exists(EventId),
    /// The release or repair that it names is none of this item.
    NoProof,
    /// Nobody filed the item.
    UnknownItem,
    /// The actionable post that it names never had this item, or is not here.
    UnknownFiling,
    /// Somebody else claimed it first.
    ClaimedBy(String),
    /// It is finished.
    DoneBy(String),
    /// Nobody has claimed it.
    NotClaimed,
    /// The number is another item's.
    Collides(EventId),
    /// The item has another id already.
    AmendedTo(String),
}

impl Refusal {
    /// The refusal in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Exists(_) => "the item exists, and no release or repair of it is named as proof".to_owned(),
            Self::NoProof => "the proof is no release or repair of this item".to_owned(),
            Self::UnknownItem => "nobody filed this item".to_owned(),
            Self::UnknownFiling => "the actionable post that is meant never had this item, or is not here".to_owned(),
            Self::ClaimedBy(seat) => format!("{seat} claimed it first"),
            Self::DoneBy(seat) => format!("{seat} finished it"),
            Self::NotClaimed => "nobody has claimed it".to_owned(),
            Self::Collides(_) => "the number is another item's, which has the better right to it".to_owned(),
            Self::AmendedTo(id) => format!("it was amended to {id}"),
        }
    }
}

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
}

impl Board {
    /// Replays a feed.
    #[must_use]
    pub fn of(feed: &Feed) -> Self {
        let mut board = Self::default();
        for post in feed.in_order() {
            let verdict = board.apply(feed, post);
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
        let Some(item) = &post.says.item else { return Verdict::Done };
        if post.says.kind == Kind::Actionable {
            return self.file(feed, post, item);
        }
        let key = item_key(item);
        let place = match &post.says.of {
            Some(of) => {
                let had = |place: &&usize| self.filings.get(**place).is_some_and(|filing| filing.ever_had(&key));
                match self.by_post.get(of).filter(had) {
                    Some(place) => *place,
                    None => return Verdict::Refused(Refusal::UnknownFiling),
                }
            }
            None => match self.holder(&key) {
                Some(place) => place,
                None => return Verdict::Refused(Refusal::UnknownItem),
            },
        };
        let collides = self.filings.get(place).and_then(|filing| self.loses(filing)).map(|rival| rival.by.id);
        let taken = post.says.to.as_ref().and_then(|to| self.holder(&item_key(to))).filter(|other| *other != place);
        let taken = taken.and_then(|other| self.filings.get(other)).map(|other| other.by.id);
        let Some(filing) = self.filings.get_mut(place) else { return Verdict::Refused(Refusal::UnknownItem) };
        let verdict = match post.says.kind {
            Kind::Actionable | Kind::Note => Verdict::Done,
            Kind::Claim => filing.claim(post),
            Kind::Done => filing.finish(post),
            Kind::Release => filing.release(post),
            Kind::Repair => filing.repair(),
            Kind::Confirm => filing.confirm(&key, collides),
            Kind::Amend => filing.amend(post, &key, taken),
        };
        if verdict == Verdict::Done {
            filing.heard(post);
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

    fn file(&mut self, feed: &Feed, post: &Post, item: &str) -> Verdict {
        let key = item_key(item);
        let identity = Identity::of(post);
        let had = self.by_item.get(&key).cloned().unwrap_or_default();
        let same = |place: &&usize| self.filings.get(**place).is_some_and(|filing| filing.filed_as == identity);
        if let Some(place) = had.iter().find(same).copied()
            && let Some(filing) = self.filings.get_mut(place)
        {
            filing.posts.push(post.stamp.id);
            let first = filing.by.id;
            self.by_post.insert(post.stamp.id, place);
            return Verdict::Repeats(first);
        }
        let refusal = match (self.holder(&key), &post.says.proof) {
            (None, None) => None,
            (None, Some(_)) => Some(Refusal::NoProof),
            (Some(place), None) => self.filings.get(place).map(|filing| Refusal::Exists(filing.by.id)),
            (Some(_), Some(proof)) => match self.proven(feed, proof, &key) {
                None => Some(Refusal::NoProof),
                Some(place) => {
                    let Some(filing) = self.filings.get_mut(place) else {
                        return Verdict::Refused(Refusal::NoProof);
                    };
                    filing.posts.push(post.stamp.id);
                    self.by_post.insert(post.stamp.id, place);
                    return match &filing.stage {
                        Stage::Claimed(seat) => Verdict::Refused(Refusal::ClaimedBy(seat.clone())),
                        Stage::Done(seat) => Verdict::Refused(Refusal::DoneBy(seat.clone())),
                        Stage::Awaiting => {
                            filing.subject.clone_from(&post.says.subject);
                            filing.heard(post);
                            filing.tended = filing.tended.max(post.stamp.ts);
                            Verdict::Done
                        }
                    };
                }
            },
        };
        // What collides is filed all the same, so that no work vanishes from the queue.
        let place = self.filings.len();
        self.filings.push(Filing::new(post, item, identity));
        self.by_item.entry(key).or_default().push(place);
        self.by_post.insert(post.stamp.id, place);
        refusal.map_or(Verdict::Done, Verdict::Refused)
    }

    /// The item that a release or repair, which did what it says, put back to waiting.
    fn proven(&self, feed: &Feed, proof: &EventId, key: &str) -> Option<usize> {
        let post = feed.get(proof).filter(|post| matches!(post.says.kind, Kind::Release | Kind::Repair))?;
        let place = *self.by_post.get(proof)?;
        let of_item = post.says.item.as_deref().map(item_key).as_deref() == Some(key);
        (of_item && self.verdicts.get(proof) == Some(&Verdict::Done)).then_some(place)
    }
}

impl Filing {
    fn new(post: &Post, item: &str, filed_as: Identity) -> Self {
        let holding = Holding {
            item: item.to_owned(),
            by: post.stamp.clone(),
            reserved: post.says.reserved.clone(),
            provisional: post.says.provisional,
            confirmed: false,
        };
        Self {
            by: post.stamp.clone(),
            subject: post.says.subject.clone(),
            holding,
            former: Vec::new(),
            stage: Stage::Awaiting,
            active: post.stamp.ts,
            tended: post.stamp.ts,
            lost: Vec::new(),
            posts: vec![post.stamp.id],
            filed_as,
            released_by: None,
        }
    }

    /// Notes who was last heard of.
    fn heard(&mut self, post: &Post) {
        self.active = self.active.max(post.stamp.ts);
        let tender = self.stage.owner().unwrap_or(&self.by.agent);
        if tender == post.stamp.agent || post.says.kind == Kind::Repair {
            self.tended = self.tended.max(post.stamp.ts);
        }
    }

    fn claim(&mut self, post: &Post) -> Verdict {
        match &self.stage {
            Stage::Awaiting => {
                self.stage = Stage::Claimed(post.stamp.agent.clone());
                Verdict::Done
            }
            Stage::Claimed(seat) if *seat == post.stamp.agent => {
                self.heard(post);
                Verdict::Repeats(self.last())
            }
            Stage::Claimed(owner) => {
                self.lost.push(Lost { by: post.stamp.clone(), owner: owner.clone() });
                Verdict::Refused(Refusal::ClaimedBy(owner.clone()))
            }
            Stage::Done(seat) => Verdict::Refused(Refusal::DoneBy(seat.clone())),
        }
    }

    fn finish(&mut self, post: &Post) -> Verdict {
        match &self.stage {
            Stage::Awaiting => Verdict::Refused(Refusal::NotClaimed),
            Stage::Claimed(seat) if *seat == post.stamp.agent => {
                self.stage = Stage::Done(seat.clone());
                self.lost.clear();
                Verdict::Done
            }
            Stage::Claimed(seat) => Verdict::Refused(Refusal::ClaimedBy(seat.clone())),
            Stage::Done(seat) if *seat == post.stamp.agent => Verdict::Repeats(self.last()),
            Stage::Done(seat) => Verdict::Refused(Refusal::DoneBy(seat.clone())),
        }
    }

    fn release(&mut self, post: &Post) -> Verdict {
        let seat = &post.stamp.agent;
        if let Some(place) = self.lost.iter().position(|lost| lost.by.agent == *seat) {
            self.lost.remove(place);
            return Verdict::Done;
        }
        match &self.stage {
            Stage::Claimed(owner) if owner == seat => {
                self.stage = Stage::Awaiting;
                self.released_by = Some(seat.clone());
                Verdict::Done
            }
            Stage::Awaiting if self.released_by.as_ref() == Some(seat) => Verdict::Repeats(self.last()),
            Stage::Awaiting => Verdict::Refused(Refusal::NotClaimed),
            Stage::Claimed(owner) => Verdict::Refused(Refusal::ClaimedBy(owner.clone())),
            Stage::Done(owner) => Verdict::Refused(Refusal::DoneBy(owner.clone())),
        }
    }

    fn repair(&mut self) -> Verdict {
        self.stage = Stage::Awaiting;
        self.released_by = None;
        self.lost.clear();
        Verdict::Done
    }

    fn confirm(&mut self, key: &str, collides: Option<EventId>) -> Verdict {
        if item_key(&self.holding.item) != key {
            return Verdict::Refused(Refusal::AmendedTo(self.holding.item.clone()));
        }
        if let Some(rival) = collides {
            return Verdict::Refused(Refusal::Collides(rival));
        }
        if self.holding.confirmed {
            return Verdict::Repeats(self.last());
        }
        self.holding.confirmed = true;
        Verdict::Done
    }

    /// An id that is another item's is taken all the same, so that the collision shows.
    fn amend(&mut self, post: &Post, key: &str, taken: Option<EventId>) -> Verdict {
        let Some(to) = &post.says.to else { return Verdict::Refused(Refusal::UnknownItem) };
        let now = item_key(&self.holding.item);
        if now == item_key(to) {
            return Verdict::Repeats(self.last());
        }
        if now != key {
            return Verdict::Refused(Refusal::AmendedTo(self.holding.item.clone()));
        }
        let new = Holding {
            item: to.clone(),
            by: post.stamp.clone(),
            reserved: post.says.reserved.clone(),
            provisional: post.says.provisional,
            confirmed: false,
        };
        let old = std::mem::replace(&mut self.holding, new);
        // The id that a subject was given is the item's: what it is about is told by the id that it has.
        self.subject = renamed(&self.subject, &old.item, to);
        self.former.push(old);
        taken.map_or(Verdict::Done, |rival| Verdict::Refused(Refusal::Collides(rival)))
    }

    fn last(&self) -> EventId {
        self.posts.last().copied().unwrap_or(self.by.id)
    }
}
