//! What a clone shows of its ids: its own log as the shared one lets it be read, and both as rows. Pure.
//!
//! # Invariant
//! A number alone does not tell whose it is: another clone may have it by now. What the shared log says of an
//! own reservation, it says of its nonce.

use super::contract::{Anchor, Kind};
use super::fold::{Book, Claim};
use super::settle::{amendment_of, news};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An id and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its claim.
    pub claim: Claim,
    /// The anchor that owns it, shared by all ids of a reservation.
    pub anchor: Arc<Anchor>,
}

/// The own log with what the shared one says of its reservations. A number of them that is another clone's
/// there, and stands for the same reservation, is the other's.
pub(super) fn informed(own: Vec<Anchor>, seen: &Book) -> Book {
    let news = news(&own, seen);
    let shared = |anchor: Anchor| {
        let Some(amendment) = amendment_of(seen, &anchor).filter(|_| anchor.kind == Kind::Reserve) else {
            return anchor;
        };
        let is_others = |id: &String| {
            let kept = amendment.replaces.iter().zip(&amendment.ids).any(|(old, new)| old == id && new == id);
            kept && owner_of(seen, id).is_some_and(|nonce| nonce != anchor.nonce)
        };
        let pairs = anchor.numbers.iter().copied().zip(anchor.ids.iter().cloned());
        let (others, own): (Vec<_>, Vec<_>) = pairs.partition(|(_, id)| is_others(id));
        let (numbers, mut ids): (Vec<u64>, Vec<String>) = own.into_iter().unzip();
        // Ids beyond its numbers take nothing, and stay in its history.
        ids.extend(others.into_iter().map(|(_, id)| id));
        Anchor { numbers, ids, ..anchor }
    };
    Book::fold(own.into_iter().map(shared).chain(news))
}

/// All ids, as far as this clone has seen them: those of the shared log, and of the own one what is not the
/// shared log's: claims that wait, were given up before they were published, or lost.
pub(super) fn rows(own: &Book, seen: &Book) -> Vec<Row> {
    let rows = |book: &Book| -> Vec<Row> {
        let anchors: Vec<Arc<Anchor>> = book.anchors().iter().cloned().map(Arc::new).collect();
        let row = |claim: &Claim| Some(Row { claim: claim.clone(), anchor: Arc::clone(anchors.get(claim.anchor)?) });
        book.claims().filter_map(row).collect()
    };
    let mut all = rows(seen);
    let is_shared = |row: &Row| owner_of(seen, &row.claim.id) == Some(row.anchor.nonce.as_str());
    all.extend(rows(own).into_iter().filter(|row| !is_shared(row)));
    all.sort_by(|a, b| {
        (&a.claim.scope, a.claim.number, &a.anchor.at).cmp(&(&b.claim.scope, b.claim.number, &b.anchor.at))
    });
    all
}

/// The nonce of the anchor that owns an id.
pub(super) fn owner_of<'a>(book: &'a Book, id: &str) -> Option<&'a str> {
    book.claim(id).and_then(|claim| book.anchor_of(claim)).map(|anchor| anchor.nonce.as_str())
}

/// What an id of an own reservation stands for now: what the shared log says of its nonce, else the own log.
pub(super) fn stands<'a>(own: &'a Book, seen: &'a Book, anchor: &Anchor, id: &str) -> Option<&'a Claim> {
    let amended = amendment_of(seen, anchor)
        .and_then(|amendment| amendment.replaces.iter().zip(&amendment.ids).find(|(old, _)| *old == id));
    if let Some((_, new)) = amended {
        return seen.resolve(new);
    }
    if owner_of(seen, id) == Some(anchor.nonce.as_str()) {
        return seen.resolve(id);
    }
    let mine = own.resolve(id)?;
    let is_shared = owner_of(seen, &mine.id).is_some_and(|nonce| owner_of(own, &mine.id) == Some(nonce));
    if is_shared { seen.resolve(&mine.id) } else { Some(mine) }
}

/// What both logs hold of these ids: each log in its own order, both together by their instants.
#[must_use]
pub fn history<'a>(own: &'a Book, seen: &'a Book, names: &[&str]) -> Vec<&'a Anchor> {
    let concerns = |anchor: &&Anchor| {
        let is_one = |id: &String| names.contains(&id.as_str());
        anchor.ids.iter().any(is_one) || anchor.replaces.iter().any(is_one)
    };
    let mut mine = own.anchors().iter().filter(concerns).filter(|anchor| !seen.holds(&anchor.nonce)).peekable();
    let mut history: Vec<&Anchor> = Vec::new();
    for theirs in seen.anchors().iter().filter(concerns) {
        while let Some(earlier) = mine.next_if(|anchor| anchor.at < theirs.at) {
            history.push(earlier);
        }
        history.push(theirs);
    }
    history.extend(mine);
    history
}

/// The part of a history that is about what owns a row: it, what led to it, and what became of it.
#[must_use]
pub fn about<'a>(row: &Row, history: &[&'a Anchor]) -> Vec<&'a Anchor> {
    let mut nonces = BTreeSet::from([row.anchor.nonce.as_str()]);
    loop {
        let before = nonces.len();
        for anchor in history {
            let of = anchor.of.as_deref();
            if nonces.contains(anchor.nonce.as_str()) {
                nonces.extend(of);
            } else if of.is_some_and(|of| nonces.contains(of)) {
                nonces.insert(&anchor.nonce);
            }
        }
        if nonces.len() == before {
            return history.iter().copied().filter(|anchor| nonces.contains(anchor.nonce.as_str())).collect();
        }
    }
}
