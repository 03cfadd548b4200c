//! What an allocation comes to in a log as it stands. Pure.

use super::LedgerKind;
use crate::ids::IdsError;
use crate::ids::contract::{Anchor, Decision, Kind, Standing};
use crate::ids::fold::Book;
use crate::ids::reserve::{Asking, Known};
use crate::trust::number::Floor;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The kind.
    pub kind: LedgerKind,
    /// The durable key: a commit or a prior anchor.
    pub event: String,
    /// How many ids.
    pub count: u64,
    /// Ids that predate the ledger, with their numbers, instead of new ones.
    pub backfill: Option<Vec<u64>>,
    /// A note.
    pub note: Option<String>,
}

/// Decides an allocation: an equal one is the same, anything else takes the numbers after the highest
/// that the log or `floor` knows. Ids that were only registered were not allocated, so no allocation equals them.
///
/// # Errors
/// [`IdsError::Anchored`] for a backfill of an id that has an anchor, [`IdsError::Exhausted`], and what the
/// log reports.
pub fn allocate(
    standing: &dyn Standing,
    asking: &Asking,
    wanted: &Wanted,
    known: &Known,
) -> Result<Decision, IdsError> {
    let book = Book::fold(standing.anchors()?);
    let mut anchor = asking.anchor(wanted.kind.namespace_name(), Kind::Reserve);
    anchor.event = Some(wanted.event.clone());
    anchor.note.clone_from(&wanted.note);
    anchor.numbers = if let Some(numbers) = &wanted.backfill {
        let taken = |number: &&u64| book.owner(&anchor.scope, **number).is_some();
        let ids: Vec<String> = numbers.iter().filter(taken).map(|number| wanted.kind.label(*number)).collect();
        if !ids.is_empty() {
            return Err(IdsError::Anchored { ids });
        }
        anchor.backfill = true;
        numbers.clone()
    } else {
        let same = |other: &&Anchor| {
            let count = u64::try_from(other.numbers.len()).is_ok_and(|count| count == wanted.count);
            let allocates = other.kind == Kind::Reserve && !other.backfill;
            allocates && other.event == anchor.event && other.note == anchor.note && count
        };
        if let Some(same) = book.anchors().iter().find(same) {
            return Ok(Decision::Already(Box::new(same.clone())));
        }
        let (floor, _) = known.judge(&standing.floor(&anchor.scope)?);
        let exhausted = || IdsError::Exhausted { namespace: wanted.kind.word().to_owned(), top: floor.top() };
        floor.next(wanted.count).ok_or_else(exhausted)?
    };
    anchor.jump = standing
        .floor(&anchor.scope)?
        .is_jump(&anchor.numbers)
        .then_some(true)
        .filter(|_| wanted.backfill.is_none() || known.follow);
    anchor.ids = anchor.numbers.iter().map(|number| wanted.kind.label(*number)).collect();
    Ok(Decision::Append(vec![anchor]))
}

/// An anchor that wanted numbers which others had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loser<'a> {
    /// The anchor.
    pub anchor: &'a Anchor,
    /// The numbers, ascending.
    pub numbers: Vec<u64>,
    /// What it was given instead, if that was published.
    pub amendment: Option<&'a Anchor>,
}

/// The losers of double allocations, in the log's order; an anchor stands once for each amendment of its
/// numbers, and once with those that have none.
#[must_use]
pub fn losers(book: &Book) -> Vec<Loser<'_>> {
    let mut losers: Vec<Loser<'_>> = Vec::new();
    for (place, number) in book.lost() {
        let Some(anchor) = book.anchors().get(*place) else { continue };
        let id = anchor.numbers.iter().position(|own| own == number).and_then(|place| anchor.ids.get(place));
        let amends = |other: &&Anchor| {
            let is_of = other.kind == Kind::Amend && other.of.as_deref() == Some(&*anchor.nonce);
            is_of && id.is_some_and(|id| other.replaces.contains(id))
        };
        let amendment = book.anchors().iter().find(amends);
        let nonce = |anchor: Option<&Anchor>| anchor.map(|anchor| anchor.nonce.clone());
        let same =
            |other: &&mut Loser<'_>| other.anchor.nonce == anchor.nonce && nonce(other.amendment) == nonce(amendment);
        match losers.iter_mut().find(same) {
            Some(loser) => loser.numbers.push(*number),
            None => losers.push(Loser { anchor, numbers: vec![*number], amendment }),
        }
    }
    losers
}

/// The nonce of the next amendment of an anchor: another number of it can be lost later.
fn amendment_nonce(book: &Book, of: &str) -> String {
    let mut nonce = format!("{of}-amend");
    while book.holds(&nonce) {
        nonce.push_str("-more");
    }
    nonce
}

/// Decides to give losers new numbers, each by an amendment that names what it replaces.
///
/// The nonce of an amendment comes from that of its loser: two who renumber at once publish one amendment.
///
/// # Errors
/// [`IdsError::Exhausted`], and what the log reports.
pub fn renumber(standing: &dyn Standing, kind: LedgerKind, asking: &Asking) -> Result<Decision, IdsError> {
    let book = Book::fold(standing.anchors()?);
    let mut given = Floor::default();
    let mut anchors = Vec::new();
    for loser in losers(&book).into_iter().filter(|loser| loser.amendment.is_none()) {
        let log = standing.floor(&loser.anchor.scope)?;
        let mut floor = log.clone();
        floor.join(&given);
        let count = u64::try_from(loser.numbers.len()).unwrap_or(u64::MAX);
        let exhausted = || IdsError::Exhausted { namespace: kind.word().to_owned(), top: floor.top() };
        let numbers = floor.next(count).ok_or_else(exhausted)?;
        given.enter(&numbers, Some(true));
        let jump = log.is_jump(&numbers).then_some(true);
        anchors.push(Anchor {
            kind: Kind::Amend,
            ids: numbers.iter().map(|number| kind.label(*number)).collect(),
            numbers,
            replaces: loser.numbers.iter().map(|number| kind.label(*number)).collect(),
            of: Some(loser.anchor.nonce.clone()),
            nonce: amendment_nonce(&book, &loser.anchor.nonce),
            at: asking.at.clone(),
            jump,
            backfill: false,
            ..loser.anchor.clone()
        });
    }
    Ok(Decision::Append(anchors))
}

/// The ids that stand for those of an anchor now: its own, or those of the amendment where it lost.
/// `None` where it lost and nothing was given instead yet.
#[must_use]
pub fn ids_now(book: &Book, anchor: &Anchor) -> Vec<(String, Option<String>)> {
    let lost = losers(book);
    let mut now = Vec::new();
    for (number, id) in anchor.numbers.iter().zip(&anchor.ids) {
        let loser = lost.iter().find(|loser| loser.anchor.nonce == anchor.nonce && loser.numbers.contains(number));
        let Some(loser) = loser else {
            now.push((id.clone(), book.resolve(id).map_or_else(|| Some(id.clone()), |claim| Some(claim.id.clone()))));
            continue;
        };
        let new = loser.amendment.and_then(|amendment| {
            let place = amendment.replaces.iter().position(|old| old == id)?;
            // An amendment can lose in its turn.
            let (old, new) = ids_now(book, amendment).into_iter().nth(place)?;
            Some(new.unwrap_or(old))
        });
        now.push((id.clone(), new));
    }
    now
}

#[cfg(test)]
mod tests {
    use super::{Wanted, allocate, ids_now, losers, renumber};
    use crate::ids::IdsError;
    use crate::ids::collisions::LedgerKind;
    use crate::ids::contract::{Anchor, Decision, Kind};
    use crate::ids::fold::Book;
    use crate::ids::reserve::{Asking, Known};

    fn asking(nonce: &str) -> Asking {
        let at = "2026-02-19T18:00:00.000Z".to_owned();
        Asking { agent: "toast".to_owned(), branch: None, at, nonce: nonce.to_owned() }
    }

    fn wanted(event: &str, count: u64) -> Wanted {
        Wanted { kind: LedgerKind::Occ, event: event.to_owned(), count, backfill: None, note: None }
    }

    fn published(nonce: &str, numbers: &[u64]) -> Anchor {
        Anchor {
            numbers: numbers.to_vec(),
            ids: numbers.iter().map(|number| LedgerKind::Occ.label(*number)).collect(),
            event: Some(nonce.to_owned()),
            ..asking(nonce).anchor("ledger.occ", Kind::Reserve)
        }
    }

    fn appended(decision: Decision) -> Vec<Anchor> {
        let Decision::Append(anchors) = decision else { panic!("{decision:?}") };
        anchors
    }

    #[test]
    fn an_equal_allocation_is_the_same_one_and_anything_else_mints() {
        let book = Book::fold([published("e", &[96, 97])]);
        let ids = |wanted: &Wanted| match allocate(&book, &asking("n"), wanted, &Known::default()).unwrap() {
            Decision::Already(anchor) => format!("already {}", anchor.ids.join(" ")),
            Decision::Append(anchors) => anchors[0].ids.join(" "),
        };
        assert_eq!(ids(&wanted("e", 2)), "already #96 #97");
        for other in [wanted("e", 1), wanted("f", 1), Wanted { note: Some("x".to_owned()), ..wanted("e", 1) }] {
            assert_eq!(ids(&other), "#98");
        }
        let backfill = |numbers: &[u64]| Wanted { backfill: Some(numbers.to_vec()), ..wanted("e", 1) };
        assert_eq!(ids(&backfill(&[3, 99])), "#3 #99");
        // Ids that were registered for an event were not allocated for it.
        let older = appended(
            allocate(&book, &asking("o"), &Wanted { event: "old".to_owned(), ..backfill(&[3]) }, &Known::default())
                .unwrap(),
        );
        let with_older = Book::fold(book.anchors().iter().chain(&older).cloned());
        let decided = allocate(&with_older, &asking("n"), &wanted("old", 1), &Known::default()).unwrap();
        assert_eq!(appended(decided)[0].ids, ["#98"]);
        let refused = allocate(&book, &asking("n"), &backfill(&[3, 97]), &Known::default());
        assert!(matches!(refused, Err(IdsError::Anchored { ids }) if ids == ["#97"]));
    }

    #[test]
    fn losers_are_renumbered_once_and_for_all() {
        let mut log = vec![published("a", &[1]), published("b", &[1, 2]), published("c", &[2, 3])];
        let first = Book::fold(log.clone());
        assert_eq!(losers(&first).len(), 2);
        assert_eq!(ids_now(&first, &log[1]), [("#1".to_owned(), None), ("#2".to_owned(), Some("#2".to_owned()))]);
        let amendments = appended(renumber(&first, LedgerKind::Occ, &asking("n")).unwrap());
        assert_eq!(amendments.iter().map(|anchor| anchor.ids.join(" ")).collect::<Vec<_>>(), ["#4", "#5"]);
        assert_eq!((amendments[0].of.as_deref(), amendments[0].event.as_deref()), (Some("b"), Some("b")));
        // Somebody else renumbers at once: the same nonces, so the first counts.
        let other = appended(renumber(&first, LedgerKind::Occ, &asking("m")).unwrap());
        log.extend(amendments.into_iter().chain(other));
        let book = Book::fold(log.clone());
        assert_eq!(appended(renumber(&book, LedgerKind::Occ, &asking("o")).unwrap()), []);
        let now: Vec<Option<String>> = ids_now(&book, &log[1]).into_iter().map(|(_, now)| now).collect();
        assert_eq!(now, [Some("#4".to_owned()), Some("#2".to_owned())]);
        assert_eq!(book.owner(&log[0].scope, 1).unwrap().anchor, 0);
        // A repair takes the other number of it too: an amendment more.
        log.insert(0, published("older", &[2]));
        let book = Book::fold(log.clone());
        let more = appended(renumber(&book, LedgerKind::Occ, &asking("p")).unwrap());
        assert_eq!((more[0].replaces.join(" "), more[0].nonce.as_str()), ("#2".to_owned(), "b-amend-more"));
        log.extend(more);
        let book = Book::fold(log.clone());
        assert_eq!(appended(renumber(&book, LedgerKind::Occ, &asking("q")).unwrap()), []);
        let now: Vec<Option<String>> = ids_now(&book, &log[2]).into_iter().map(|(_, now)| now).collect();
        assert_eq!(now, [Some("#4".to_owned()), Some("#6".to_owned())]);
    }
}
