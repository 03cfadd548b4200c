//! Reservations that a log had and lost: two anchors of one number are named, and what a remote lost is
//! published again after what it holds now, so that the first published still wins.

use super::IdsError;
use super::allocator::{Allocator, Settled};
use super::check::{COLLISION, Finding};
use super::contract::{Anchor, AnchorLog as _, Decision, Kind};
use super::fold::{Book, State};
use super::reserve::Asking;
use super::settle;
use super::sqlite::SqliteLog;
use super::unread;
use crate::config::{LogKind, Namespace};
use crate::git::Git;
use std::collections::BTreeMap;

/// How many contests of a log are looked at: each is compared with all anchors, and a stranger may write many.
const NAMED: usize = 1_000;

/// Two anchors of one number.
#[derive(Debug)]
pub(super) struct Contest<'a> {
    id: &'a str,
    /// The one that has it.
    owner: &'a Anchor,
    /// The one that came second.
    other: &'a Anchor,
}

impl Allocator<'_> {
    /// Publishes what the namespace's log on the remote has lost. Numbers that are somebody else's there by
    /// now are amended, and named.
    ///
    /// # Errors
    /// The remote cannot be reached, or a log cannot be written.
    pub(super) fn publish_lost(
        &self,
        namespace: &Namespace,
        asking: &Asking,
        git: &Git,
        local: &mut SqliteLog,
    ) -> Result<Settled, IdsError> {
        let log = self.git_log(git, namespace)?;
        let remote = log.name.clone();
        let own = Book::fold(local.read(&namespace.name)?);
        // The instants of those that were seen there, and of those that only this clone's log says were there.
        let (mut had, mut never_seen) = (BTreeMap::new(), BTreeMap::new());
        let added = log.publish_again(|standing, mut lost| {
            lost.retain(|anchor| anchor.namespace == namespace.name);
            let book = Book::fold(standing.anchors()?);
            had = lost.iter().map(|anchor| (anchor.nonce.clone(), anchor.at.clone())).collect();
            // A number that was ours is lost as well where the chain that had it was never seen again.
            for contest in contests(LogKind::Git, &own, &book) {
                if !lost.iter().any(|known| known.nonce == contest.other.nonce) {
                    never_seen.insert(contest.other.nonce.clone(), contest.other.at.clone());
                    lost.push(contest.other.clone());
                }
            }
            again(&book, namespace, asking, &lost)
        })?;
        let mut settled = Settled::default();
        for anchor in &added {
            match anchor.kind {
                Kind::Amend if anchor.nonce.ends_with("-amend") => {
                    settled.amended.extend(settle::replaced(anchor).map(|(old, new)| (old.clone(), new.clone())));
                    let of = anchor.of.as_deref().unwrap_or_default();
                    let (fault, at) = match (had.get(of), never_seen.get(of)) {
                        (Some(at), _) => ("had lost", at),
                        (None, Some(at)) => ("did not have", at),
                        (None, None) => ("did not have", &anchor.at),
                    };
                    for (id, _) in settle::replaced(anchor) {
                        (self.say)(&format!(
                            "{id} was reserved twice: `{remote}` {fault} the reservation by {} at {at} when it gave the number again",
                            anchor.agent
                        ));
                    }
                }
                Kind::Reserve | Kind::Amend => settled.confirmed.extend(anchor.ids.iter().cloned()),
                Kind::Confirm | Kind::Release | Kind::Floor | Kind::Unread => {}
            }
        }
        let ours = |anchor: &&Anchor| anchor.of.as_deref().is_some_and(|of| own.holds(of));
        // The key stays with the claim, which is asked first.
        let kept: Vec<Anchor> =
            added.iter().filter(ours).map(|anchor| Anchor { event: None, ..anchor.clone() }).collect();
        local.keep_copy(&kept)?;
        Ok(settled)
    }
}

/// The ids that two reservations of a namespace's log have, as far as this clone has seen it. Whoever comes
/// second in a thread of comments knows it at once.
pub(super) fn contested(namespace: &Namespace, own: &Book, seen: &Book) -> Vec<Finding> {
    let finding = |contest: &Contest<'_>| {
        let Contest { id, owner, other } = *contest;
        let remedy = match namespace.log {
            LogKind::Local => format!("give one of them another number: `headwater id renumber {id}`"),
            LogKind::Git | LogKind::Github => {
                "run `headwater id sync`: the first keeps the number, the second gets another one".to_owned()
            }
        };
        let by = |anchor: &Anchor| format!("{} at {}", anchor.agent, anchor.at);
        Finding {
            code: COLLISION,
            id: id.to_owned(),
            place: format!("the log of {}", namespace.name),
            detail: format!("was reserved twice: by {}, who has it, and by {}", by(owner), by(other)),
            remedy,
        }
    };
    if namespace.log == LogKind::Github {
        return Vec::new();
    }
    contests(namespace.log, own, seen).iter().map(finding).collect()
}

/// Numbers that two anchors have, of which none was amended.
pub(super) fn contests<'a>(log: LogKind, own: &'a Book, seen: &'a Book) -> Vec<Contest<'a>> {
    let (book, mut found) = (if log == LogKind::Local { own } else { seen }, BTreeMap::new());
    let mut add = |other: &'a Anchor, number: u64| {
        let Some(claim) = book.owner(&other.scope, number) else { return };
        let Some(owner) = book.anchor_of(claim).filter(|owner| owner.nonce != other.nonce) else { return };
        let is_settled = matches!(claim.state, State::Amended(_))
            || [own, seen].iter().flat_map(|book| book.anchors()).any(|anchor| {
                // That of a third one settles nothing between these two; `id renumber` amends what nobody owns.
                let of = anchor.of.as_deref();
                let of_these = of.is_none_or(|of| of == other.nonce || of == owner.nonce || of == "nobody");
                anchor.kind == Kind::Amend
                    && anchor.replaces.contains(&claim.id)
                    && anchor.nonce != other.nonce
                    && of_these
            });
        if !is_settled {
            found.entry((&other.scope, number)).or_insert(Contest { id: &claim.id, owner, other });
        }
    };
    for (place, number) in book.lost().iter().take(NAMED) {
        if let Some(other) = book.anchors().get(*place) {
            add(other, *number);
        }
    }
    if log != LogKind::Local {
        for other in own.anchors().iter().filter(|anchor| matches!(anchor.kind, Kind::Reserve | Kind::Amend)) {
            let confirmed = |id: &String| {
                let says = |anchor: &Anchor| anchor.of.as_deref() == Some(&other.nonce) && anchor.ids.contains(id);
                own.anchors().iter().any(|anchor| anchor.kind == Kind::Confirm && says(anchor))
            };
            for (number, id) in other.numbers.iter().zip(&other.ids) {
                if !other.provisional || confirmed(id) {
                    add(other, *number);
                }
            }
        }
    }
    found.into_values().collect()
}

/// Decides what of the lost anchors is added to a chain that does not have them: those whose numbers are free
/// as they were, amendments for the others, and what was said of them.
fn again(book: &Book, namespace: &Namespace, asking: &Asking, lost: &[Anchor]) -> Result<Vec<Anchor>, IdsError> {
    let (claims, said): (Vec<Anchor>, Vec<Anchor>) =
        lost.iter().cloned().partition(|anchor| matches!(anchor.kind, Kind::Reserve | Kind::Amend));
    let floors = Book::fold(lost.to_vec()).floors().clone();
    let mut anchors = match settle::settle(book, namespace, asking, &claims, &floors)? {
        Decision::Append(anchors) => anchors,
        Decision::Already(_) => Vec::new(),
    };
    let (unread, said): (Vec<Anchor>, Vec<Anchor>) = said.into_iter().partition(|anchor| anchor.kind == Kind::Unread);
    anchors.extend(said.into_iter().filter(|anchor| !settle::settled(book, anchor)));
    // What nobody understands is not published again; that its numbers are spent is.
    let known = Book::fold(book.anchors().iter().cloned().chain(unread));
    anchors.extend(unread::settle(&known, namespace, asking));
    Ok(anchors)
}
