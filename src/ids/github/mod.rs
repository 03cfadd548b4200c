//! The log on a GitHub issue: one comment an attempt, ordered by the comments' ids.
//!
//! [`block`] reads and writes what a comment says, [`thread`] folds the comments, [`journal`] remembers
//! what was seen, [`hub`] talks to the host. What a comment's answer was never decides who owns an id:
//! the comments are read back, and the fold of them does.

pub mod block;
mod error;
pub mod hub;
pub mod journal;
pub mod thread;
mod transport;

#[cfg(test)]
#[cfg(feature = "github")]
pub(super) mod schedules;
#[cfg(test)]
#[cfg(feature = "github")]
#[path = "../../../tests/suite/hub.rs"]
pub(super) mod server;

pub use error::HubError;

use super::IdsError;
use super::contract::{Anchor, AnchorLog, Decide, Decision, Kind, Outcome};
use super::fold::Book;
use super::reserve::nonce;
use crate::config::Namespace;
use crate::store::{LockRequest, make_folder, with_lock_file};
use crate::trust::fault::TrustError;
use block::{Block, Content, Repair};
use hub::{Hub, Listing, Sent};
use journal::{Divergence, Journal};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thread::Thread;

/// How many attempts may be overtaken, and how often one is sent whose answer is lost.
const ATTEMPTS: u32 = 64;
const SENDS: u32 = 5;

/// The most that a comment holds, in characters.
const LARGEST: usize = 65_536;

/// How long the other processes of this clone are waited for.
const LOCK: Duration = Duration::from_secs(600);

/// Finds the issue of a namespace whose log is there.
pub trait Issues {
    /// The issue.
    ///
    /// # Errors
    /// It is not known which one is meant.
    fn hub(&self, namespace: &Namespace) -> Result<Hub<'_>, IdsError>;
}

/// The log of an issue.
#[derive(Debug)]
pub struct GithubLog<'a> {
    hub: Hub<'a>,
    journal: PathBuf,
}

/// An issue as it was read, and what was seen of it before.
#[derive(Debug, Clone)]
pub struct Snapshot {
    listing: Listing,
    journal: Journal,
    /// The log as everybody reads it.
    pub thread: Thread,
    /// What was edited or deleted since it was seen here, and not settled.
    pub divergences: Vec<Divergence>,
    trusted: Vec<String>,
    /// What was wrong with the journal before the issue was read.
    journal_fault: Option<String>,
}

impl Snapshot {
    /// What is odd about the issue, in words: blocks that do not count, or count and lack something, and repairs
    /// that say something else than what was seen here.
    #[must_use]
    pub fn oddities(&self) -> Vec<String> {
        let near = self.listing.near_misses.iter().filter(|(_, author, _)| thread::is_trusted(&self.trusted, author));
        let near = near.map(|(comment, _, fault)| (comment, fault));
        let mut none: Vec<(&u64, &String)> = self.thread.unreadable.iter().map(|(at, fault)| (at, fault)).collect();
        none.extend(near);
        none.sort();
        let no_anchor = |(comment, fault)| {
            format!(
                "the `yaml alloc` block of comment {comment} is no anchor: {fault}; numbers that it names are spent"
            )
        };
        let no_event = |comment: &u64| {
            format!(
                "the `yaml alloc` block of comment {comment} names no `event`; its ids are taken, and nothing says what for"
            )
        };
        let outvoted = |(comment, was, now): (u64, block::Found, Option<block::Found>)| {
            let now = now.map_or_else(|| "no block".to_owned(), |now| block::describe(&now, comment));
            let was = block::describe(&was, comment);
            format!(
                "comment {comment} says {now} by its first repair, which counts, and {was} when it was seen here first"
            )
        };
        let mut said: Vec<String> = none.into_iter().map(no_anchor).chain(self.journal_fault.clone()).collect();
        said.extend(self.thread.without_event.iter().map(no_event));
        said.extend(self.journal.outvoted(&self.thread, &self.trusted).into_iter().map(outvoted));
        said
    }

    /// The log as it was before anything that was seen here was edited or deleted, and without the attempts that
    /// are given up.
    fn known(&self, given_up: &[String]) -> Thread {
        let mut blocks = self.listing.blocks.clone();
        for divergence in &self.divergences {
            match &divergence.was {
                Some(was) => blocks.insert(divergence.comment, was.clone()),
                None => blocks.remove(&divergence.comment),
            };
        }
        Thread::without(&blocks, &self.trusted, given_up)
    }

    /// Whether anchors of a namespace are known, and have their numbers.
    fn stand(&self, namespace: &str, anchors: &[Anchor]) -> bool {
        let book = Book::fold(self.known(&[]).of(namespace).map(|placed| placed.anchor.clone()));
        let lost = |at: usize| book.lost().iter().any(|(place, _)| *place == at);
        let is = |anchor: &Anchor, other: &Anchor| Anchor { jump: other.jump, ..anchor.clone() } == *other;
        let place = |anchor| book.anchors().iter().position(|other| is(anchor, other));
        anchors.iter().all(|anchor| place(anchor).is_some_and(|at| !lost(at)))
    }

    /// The anchors of a namespace that a decision builds on: those that are known, and the numbers that
    /// anything edited ever named.
    fn ground(&self, namespace: &str, given_up: &[String]) -> Vec<Anchor> {
        let known = self.known(given_up);
        let mut anchors: Vec<Anchor> = known.of(namespace).map(|placed| placed.anchor.clone()).collect();
        anchors.extend(known.spent_of(namespace).cloned());
        for (comment, found) in self.journal.later_versions() {
            if !thread::is_trusted(&self.trusted, &found.author) {
                continue;
            }
            let Ok(Block { content: Content::Anchors(named), .. }) = block::read(found, comment) else { continue };
            for (place, anchor) in named.into_iter().filter(|anchor| anchor.namespace == namespace).enumerate() {
                let nonce = format!("{}-named-{comment}-{place}", anchor.nonce);
                anchors.push(Anchor {
                    kind: Kind::Floor,
                    ids: Vec::new(),
                    replaces: Vec::new(),
                    event: None,
                    jump: Some(false),
                    nonce,
                    ..anchor
                });
            }
        }
        anchors
    }
}

impl<'a> GithubLog<'a> {
    /// The log of an issue; `folder` keeps what was seen.
    #[must_use]
    pub fn new(hub: Hub<'a>, folder: &Path) -> Self {
        let name: String = format!("{}+{}", hub.issue.repository().replace('/', "+"), hub.issue.number());
        let host = super::reserve::digest(&hub.api);
        let name = format!("{name}+{}.jsonl", host.get(..8).unwrap_or_default());
        Self { journal: folder.join("github").join(name), hub }
    }

    /// What was seen of a namespace last, without asking.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn seen(&self, namespace: &str) -> Result<Vec<Anchor>, IdsError> {
        let thread = Thread::fold(&Journal::load(&self.journal)?.first_seen(), self.hub.issue.trusted());
        Ok(thread.of(namespace).map(|placed| &placed.anchor).chain(thread.spent_of(namespace)).cloned().collect())
    }

    /// Reads the issue, and remembers what is new.
    ///
    /// # Errors
    /// [`IdsError::Unreachable`], [`HubError`], or the journal cannot be written.
    pub fn look(&self) -> Result<Snapshot, IdsError> {
        self.locked(|| self.read_on())
    }

    /// One process of this clone at a time: the journal is one file, and writes are a second apart.
    fn locked<T>(&self, work: impl FnOnce() -> Result<T, IdsError>) -> Result<T, IdsError> {
        let folder = self.journal.parent().unwrap_or(Path::new("."));
        make_folder(folder)?;
        let waiting = |holder: &str| {
            (self.hub.rest)(Duration::ZERO, &format!("waiting for {holder}, which is at {}", self.hub.place()));
        };
        let request = LockRequest { wait: self.hub.patience.min(LOCK), purpose: "ids on GitHub", waiting: &waiting };
        with_lock_file(&self.journal.with_extension("lock"), &request, |_| work())
    }

    fn read_on(&self) -> Result<Snapshot, IdsError> {
        let mut journal = Journal::load(&self.journal)?;
        let journal_fault = journal.fault().map(|fault| {
            let path = self.journal.display();
            format!("`{path}` could not be read ({fault}): it is kept as `{path}.aside-1`, and was written again from the issue")
        });
        let mut listing = self.hub.list()?;
        if journal.misses(&listing.blocks) {
            // A comment that is deleted meanwhile moves one to a page that was read already.
            listing = self.hub.list()?;
        }
        journal.record(&self.journal, &listing.blocks, listing.latest)?;
        let trusted = self.hub.issue.trusted().to_vec();
        let thread = Thread::fold(&listing.blocks, &trusted);
        let divergences = journal.divergences(&listing.blocks, &thread, &trusted);
        Ok(Snapshot { listing, journal, thread, divergences, trusted, journal_fault })
    }

    /// Publishes again what was edited or deleted since it was seen here; gives how many comments.
    ///
    /// # Errors
    /// As [`GithubLog::look`].
    pub fn repair(&self) -> Result<usize, IdsError> {
        self.locked(|| {
            let mut settled = 0;
            let mut seen = self.read_on()?;
            while let Some(divergence) = seen.divergences.first().cloned() {
                if settled > seen.journal.first_seen().len() + seen.listing.blocks.len() {
                    break;
                }
                let content = Content::Repair(Repair { comment: divergence.comment, found: divergence.was });
                let name = format!("repair-{}", divergence.comment);
                seen = self.publish(&name, None, &mut Vec::new(), content, &seen)?.0;
                settled += 1;
            }
            Ok(settled)
        })
    }

    /// Sends a comment until it stands in the issue; gives the issue as it is then, and whether it was sent.
    ///
    /// An attempt whose answer is lost is looked for before it is sent again. If others came in between
    /// it is not sent again but given up.
    fn publish(
        &self,
        name: &str,
        after: Option<u64>,
        withdraws: &mut Vec<String>,
        content: Content,
        before: &Snapshot,
    ) -> Result<(Snapshot, bool), IdsError> {
        let to = self.hub.issue.for_posting().map_err(TrustError::from)?;
        let attempt = block::attempt_nonce(name, &nonce()?);
        let text = block::write(&Block { nonce: Some(attempt.clone()), after, withdraws: withdraws.clone(), content });
        let body = block::comment(&text);
        let length = body.chars().count();
        if length > LARGEST {
            return Err(HubError::TooLarge { length }.into());
        }
        let unreachable = |why: String| IdsError::Unreachable { remote: self.hub.place(), why };
        for send in 0..SENDS {
            let why = match self.hub.send(to, &body)? {
                Sent::Created => None,
                // It is not there, and the issue may have moved on meanwhile.
                Sent::Waited => return Ok((self.read_on()?, false)),
                Sent::Unknown(why) => Some(why),
            };
            let mut now = self.read_on()?;
            for again in 0..SENDS {
                if now.thread.has_attempt(&attempt) {
                    withdraws.push(attempt);
                    return Ok((now, true));
                }
                if why.is_some() {
                    break;
                }
                self.hub.pause(again, &format!("{} does not show the comment yet", self.hub.place()))?;
                now = self.read_on()?;
            }
            let Some(why) = why else { return Err(HubError::Unknown(self.not_shown()).into()) };
            if now.thread.placed() != before.thread.placed() {
                withdraws.push(attempt);
                return Ok((now, true));
            }
            let doubt = format!("{} did not say whether it took it ({why})", self.hub.place());
            if send + 1 == SENDS || self.hub.pause(send, &doubt).is_err() {
                return Err(unreachable(why));
            }
        }
        Err(unreachable("tried too often".to_owned()))
    }

    fn not_shown(&self) -> String {
        if self.hub.issue.trusted().is_empty() {
            format!("{} took a comment and does not show it; look at the issue, and try again", self.hub.place())
        } else {
            format!(
                "{} took a comment that does not count; is the token's login among `trusted` under `github:` in `.headwater.yaml`?",
                self.hub.place()
            )
        }
    }

    fn append_to_issue(&self, namespace: &str, decide: &mut Decide<'_>) -> Result<Outcome, IdsError> {
        let mut seen = self.read_on()?;
        let mut withdraws = Vec::new();
        for _ in 0..ATTEMPTS {
            let book = Book::fold(seen.ground(namespace, &withdraws));
            let anchors = match decide(&book)? {
                Decision::Already(anchor) => return Ok(Outcome::Already(anchor)),
                Decision::Append(anchors) => anchors,
            };
            let Some(first) = anchors.first() else { return Ok(Outcome::Appended(anchors)) };
            let (name, after) = (first.nonce.clone(), Some(seen.listing.latest));
            let given_up = withdraws.len();
            let published = self.publish(&name, after, &mut withdraws, Content::Anchors(anchors.clone()), &seen);
            let sent;
            (seen, sent) = match published {
                Ok(published) => published,
                Err(IdsError::Unreachable { remote, why }) => return Err(IdsError::Unsure { remote, anchors, why }),
                Err(error) => return Err(error),
            };
            if sent && seen.stand(namespace, &anchors) {
                return Ok(Outcome::Appended(anchors));
            }
            if withdraws.len() > given_up {
                // Others were faster: whoever lost at the same time does not try again at the same time.
                (self.hub.rest)(jitter(self.hub.write_pause), "");
            }
        }
        Err(HubError::Contended { place: self.hub.place(), attempts: ATTEMPTS }.into())
    }
}

/// A part of a span, another one in each process.
fn jitter(most: Duration) -> Duration {
    let mut bytes = [0; 2];
    let random = getrandom::fill(&mut bytes).map_or(u16::MAX, |()| u16::from_le_bytes(bytes));
    most.saturating_mul(u32::from(random)) / u32::from(u16::MAX)
}

impl AnchorLog for GithubLog<'_> {
    fn identity(&self) -> String {
        self.hub.place()
    }

    fn read(&mut self, namespace: &str) -> Result<Vec<Anchor>, IdsError> {
        let known = self.look()?.known(&[]);
        Ok(known.of(namespace).map(|placed| &placed.anchor).chain(known.spent_of(namespace)).cloned().collect())
    }

    fn append(&mut self, namespace: &str, decide: &mut Decide<'_>) -> Result<Outcome, IdsError> {
        self.locked(|| self.append_to_issue(namespace, decide))
    }
}
