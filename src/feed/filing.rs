//! An item: one actionable post, and what became of it.

use super::post::{Kind, Post, item_key, renamed};
use super::state::Feed;
use super::verdict::{Refusal, Verdict};
use crate::event::{EventId, Span, Stamp};
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
    /// What its owner, or who filed it while nobody has it, said of it.
    tended: Vec<Stamp>,
    /// Claims that came too late, until their seats release them.
    pub lost: Vec<Lost>,
    /// The posts about it, in the order of their stamps.
    pub posts: Vec<EventId>,
    /// The actionable posts that took effect, in the order of their stamps: the one that filed it is the first.
    filed: Vec<Filed>,
    released_by: Option<String>,
    /// The last post of each kind that took effect.
    did: BTreeMap<Kind, EventId>,
}

impl Filing {
    /// Whether it is in the queue still.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(self.stage, Stage::Done(_))
    }

    /// What was said last by who tends it: its owner, or who filed it while nobody has it. What is dated after the
    /// horizon warms nothing, so that no stamp keeps a claim warm for ever.
    #[must_use]
    pub fn tended(&self, horizon: i128) -> Option<&Stamp> {
        self.tended.iter().filter(|stamp| stamp.ts.unix_nanos() <= horizon).max()
    }

    /// The last post of the owner, believed ones first.
    pub(super) fn owner_last(&self, owner: &str, horizon: i128) -> Option<&Stamp> {
        let own = self.tended.iter().filter(|stamp| stamp.agent == owner);
        own.max_by_key(|stamp| (stamp.ts.unix_nanos() <= horizon, *stamp))
    }

    /// Whether its owner is silent for longer than `cold`.
    #[must_use]
    pub fn is_cold(&self, now: i128, horizon: i128, cold: Span) -> bool {
        let silent = |stamp: &Stamp| now - stamp.ts.unix_nanos() > cold.nanos();
        matches!(self.stage, Stage::Claimed(_)) && self.tended(horizon).is_none_or(silent)
    }

    pub(super) fn ever_had(&self, key: &str) -> bool {
        std::iter::once(&self.holding).chain(&self.former).any(|holding| item_key(&holding.item) == key)
    }
}

/// An actionable post that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Filed {
    by: Stamp,
    proof: Option<EventId>,
    identity: Identity,
}

impl Filed {
    fn of(post: &Post) -> Self {
        Self { by: post.stamp.clone(), proof: post.says.proof, identity: Identity::of(post) }
    }
}

/// What makes two actionable posts of one item the same filing: seat, words and durable key. So a retry that
/// posts twice files once.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    seat: String,
    subject: String,
    text: String,
    key: Option<String>,
}

impl Identity {
    fn of(post: &Post) -> Self {
        let says = &post.says;
        Self {
            seat: post.stamp.agent.clone(),
            subject: says.subject.clone(),
            text: says.text.clone(),
            key: says.key.clone(),
        }
    }
}

impl Filing {
    pub(super) fn new(post: &Post, item: &str) -> Self {
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
            tended: vec![post.stamp.clone()],
            lost: Vec::new(),
            posts: vec![post.stamp.id],
            filed: vec![Filed::of(post)],
            released_by: None,
            did: BTreeMap::new(),
        }
    }

    /// The actionable post that this one repeats. With a newer proof the words of one that was replaced since are
    /// said anew.
    pub(super) fn repeated(&self, post: &Post) -> Option<EventId> {
        let identity = Identity::of(post);
        let is_last = |filed: &Filed| self.filed.last().is_some_and(|last| last.by == filed.by);
        let same = |filed: &&Filed| {
            let proof = post.says.proof.is_none() || post.says.proof == filed.proof || is_last(filed);
            filed.identity == identity && (proof || post.says.key.is_some())
        };
        self.filed.iter().find(same).map(|filed| filed.by.id)
    }

    /// The actionable post that has the durable key of this one, and whether it says the same.
    pub(super) fn key_used(&self, post: &Post) -> Option<(EventId, bool)> {
        let own = Identity::of(post);
        let used = |filed: &&Filed| own.key.is_some() && filed.identity.key == own.key;
        let same = |other: &Identity| (&other.subject, &other.text) == (&own.subject, &own.text);
        self.filed.iter().find(used).map(|filed| (filed.by.id, same(&filed.identity)))
    }

    /// Notes that a post took effect.
    pub(super) fn did(&mut self, post: &Post) {
        self.did.insert(post.says.kind, post.stamp.id);
    }

    /// What a post comes to whose effect is there already: it repeats the post that brought it about, or says
    /// something else.
    fn again(&self, feed: &Feed, post: &Post) -> Verdict {
        let first = self.did.get(&post.says.kind).copied().unwrap_or(self.by.id);
        let same = feed.get(&first).is_some_and(|first| first.repeats(post));
        if same { Verdict::Repeats(first) } else { Verdict::Refused(Refusal::Said(first)) }
    }

    /// The actionable post that has used up a release or repair: the last one that took effect after it.
    pub(super) fn spent(&self, proof: &Stamp) -> Option<EventId> {
        self.filed.last().filter(|filed| filed.by > *proof).map(|filed| filed.by.id)
    }

    /// Files it again, as the proof allows.
    pub(super) fn refile(&mut self, post: &Post) -> Verdict {
        match &self.stage {
            Stage::Claimed(seat) => Verdict::Refused(Refusal::ClaimedBy(seat.clone())),
            Stage::Done(seat) => Verdict::Refused(Refusal::DoneBy(seat.clone())),
            Stage::Awaiting => {
                self.subject.clone_from(&post.says.subject);
                self.tended.push(post.stamp.clone());
                self.filed.push(Filed::of(post));
                Verdict::Done
            }
        }
    }

    /// Notes who was last heard of.
    pub(super) fn heard(&mut self, post: &Post) {
        let tender = self.stage.owner().unwrap_or(&self.by.agent);
        if tender == post.stamp.agent || post.says.kind == Kind::Repair {
            self.tended.push(post.stamp.clone());
        }
    }

    pub(super) fn claim(&mut self, feed: &Feed, post: &Post) -> Verdict {
        match &self.stage {
            Stage::Awaiting => {
                self.stage = Stage::Claimed(post.stamp.agent.clone());
                Verdict::Done
            }
            Stage::Claimed(seat) if *seat == post.stamp.agent => {
                self.heard(post);
                self.again(feed, post)
            }
            Stage::Claimed(owner) => {
                self.lost.push(Lost { by: post.stamp.clone(), owner: owner.clone() });
                Verdict::Refused(Refusal::ClaimedBy(owner.clone()))
            }
            Stage::Done(seat) => Verdict::Refused(Refusal::DoneBy(seat.clone())),
        }
    }

    pub(super) fn finish(&mut self, feed: &Feed, post: &Post) -> Verdict {
        match &self.stage {
            Stage::Awaiting => Verdict::Refused(Refusal::NotClaimed),
            Stage::Claimed(seat) if *seat == post.stamp.agent => {
                self.stage = Stage::Done(seat.clone());
                self.lost.clear();
                Verdict::Done
            }
            Stage::Claimed(seat) => Verdict::Refused(Refusal::ClaimedBy(seat.clone())),
            Stage::Done(seat) if *seat == post.stamp.agent => self.again(feed, post),
            Stage::Done(seat) => Verdict::Refused(Refusal::DoneBy(seat.clone())),
        }
    }

    pub(super) fn release(&mut self, feed: &Feed, post: &Post) -> Verdict {
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
            Stage::Awaiting if self.released_by.as_ref() == Some(seat) => self.again(feed, post),
            Stage::Awaiting => Verdict::Refused(Refusal::NotClaimed),
            Stage::Claimed(owner) => Verdict::Refused(Refusal::ClaimedBy(owner.clone())),
            Stage::Done(owner) => Verdict::Refused(Refusal::DoneBy(owner.clone())),
        }
    }

    pub(super) fn repair(&mut self) -> Verdict {
        self.stage = Stage::Awaiting;
        self.released_by = None;
        self.lost.clear();
        Verdict::Done
    }

    pub(super) fn confirm(&mut self, feed: &Feed, post: &Post, key: &str, collides: Option<EventId>) -> Verdict {
        if item_key(&self.holding.item) != key {
            return Verdict::Refused(Refusal::AmendedTo(self.holding.item.clone()));
        }
        if let Some(rival) = collides {
            return Verdict::Refused(Refusal::Collides(rival));
        }
        if self.holding.confirmed {
            return self.again(feed, post);
        }
        self.holding.confirmed = true;
        Verdict::Done
    }

    /// An id that is another item's is taken all the same, so that the collision shows.
    pub(super) fn amend(&mut self, feed: &Feed, post: &Post, key: &str, taken: Option<EventId>) -> Verdict {
        let Some(to) = &post.says.to else { return Verdict::Refused(Refusal::UnknownItem) };
        let now = item_key(&self.holding.item);
        if now == item_key(to) {
            return self.again(feed, post);
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
        self.did(post);
        taken.map_or(Verdict::Done, |rival| Verdict::Refused(Refusal::Collides(rival)))
    }
}
