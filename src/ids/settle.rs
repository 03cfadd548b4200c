//! What becomes of claims that were made without the shared log. Pure.

use super::IdsError;
use super::allocator::Settled;
use super::contract::{Anchor, Decision, Kind, Standing};
use super::fold::{Book, State};
use super::reserve::Asking;
use super::unread;
use crate::config::Namespace;
use crate::config::pattern::Scope;
use crate::trust::number::Floor;
use std::collections::{BTreeMap, BTreeSet};

/// Decides what becomes of claims that were made without the shared log, in the shared log: whose
/// durable key has the same reservation there gets its ids, whose number is free there gets it, the others are
/// amended.
///
/// # Errors
/// The log cannot be read, or there are no numbers left.
pub(super) fn settle(
    standing: &dyn Standing,
    namespace: &Namespace,
    asking: &Asking,
    claims: &[Anchor],
    floors: &BTreeMap<Scope, Floor>,
) -> Result<Decision, IdsError> {
    let mut book = Book::fold(standing.anchors()?);
    let mut anchors = Vec::new();
    // Every claim's own numbers are spent here, also those that are settled further down.
    let mut spent = floors.clone();
    for claim in claims {
        spent.entry(claim.scope.clone()).or_default().enter(&claim.numbers, claim.jump);
    }
    for claim in claims {
        if settled(&book, claim) {
            continue;
        }
        if let Some(ids) = same_event(&book, claim) {
            for anchor in pointers(&book, claim, &ids, &asking.at) {
                book.apply(anchor.clone());
                anchors.push(anchor);
            }
            continue;
        }
        let kept = |number: &u64| book.owner(&claim.scope, *number).is_none();
        let (free, taken): (Vec<u64>, Vec<u64>) = claim.numbers.iter().copied().partition(kept);
        let id_of = |wanted: u64| {
            claim.numbers.iter().zip(&claim.ids).find(|(number, _)| **number == wanted).map(|(_, id)| id.clone())
        };
        let mut next = Vec::new();
        // What carries the key names all ids of the reservation, so that it is known again.
        let event = if taken.is_empty() { claim.event.clone() } else { None };
        if taken.is_empty() && claim.kind == Kind::Amend {
            // It may lead to ids beyond its own numbers.
            next.push(Anchor { provisional: false, file: None, ..claim.clone() });
        } else if !free.is_empty() {
            let ids = free.iter().filter_map(|number| id_of(*number)).collect();
            next.push(Anchor { ids, numbers: free.clone(), event, provisional: false, file: None, ..claim.clone() });
        }
        if !taken.is_empty() {
            let log = book.floor(&claim.scope);
            let mut floor = log.clone();
            floor.join(&spent.get(&claim.scope).cloned().unwrap_or_default());
            let count = u64::try_from(taken.len()).unwrap_or(u64::MAX);
            let exhausted = || IdsError::Exhausted { namespace: namespace.name.clone(), top: floor.top() };
            let more = floor.next(count).ok_or_else(exhausted)?;
            let jump = log.is_jump(&more).then_some(true);
            let kept = if claim.event.is_some() { free } else { Vec::new() };
            let replaces = taken.iter().chain(&kept).filter_map(|number| id_of(*number)).collect();
            let ids = more.iter().map(|number| namespace.format.render(&claim.scope, *number, ""));
            let ids = ids.chain(kept.iter().filter_map(|number| id_of(*number))).collect();
            let numbers = more;
            let kind = Kind::Amend;
            // Who asked and why stays.
            let nonce = amend_nonce(claim);
            next.push(Anchor {
                kind,
                numbers,
                ids,
                replaces,
                of: Some(claim.nonce.clone()),
                nonce,
                provisional: false,
                file: None,
                jump,
                at: asking.at.clone(),
                ..claim.clone()
            });
        }
        for anchor in next {
            book.apply(anchor.clone());
            anchors.push(anchor);
        }
    }
    Ok(Decision::Append(anchors))
}

/// Whether a claim was settled by an earlier attempt whose answer was lost.
pub(super) fn settled(book: &Book, claim: &Anchor) -> bool {
    book.holds(&claim.nonce) || book.holds(&amend_nonce(claim)) || unread::is_settled(book, claim)
}

/// The other reservations of a claim's durable key, in the log's order.
fn of_event<'a>(book: &'a Book, claim: &'a Anchor) -> impl Iterator<Item = &'a Anchor> {
    let takes = |anchor: &&Anchor| matches!(anchor.kind, Kind::Reserve | Kind::Amend);
    let amended = amend_nonce(claim);
    let others = book.anchors().iter().filter(takes);
    others.filter(move |anchor| {
        claim.event.is_some() && anchor.event == claim.event && anchor.nonce != claim.nonce && anchor.nonce != amended
    })
}

/// Whether two reservations of one durable key are the same: then their ids are.
fn equal(a: &Anchor, b: &Anchor) -> bool {
    (a.ids.len(), &a.slug, &a.note) == (b.ids.len(), &b.slug, &b.note)
}

/// The ids that stand for a claim because the log has the same reservation of its durable key from another
/// clone, in the claim's order; none where one of them was given up.
#[must_use]
pub(super) fn same_event(book: &Book, claim: &Anchor) -> Option<Vec<String>> {
    let first = of_event(book, claim).find(|anchor| equal(anchor, claim))?;
    let now = |id: &String| book.resolve(id).filter(|now| now.state != State::Released).map(|now| now.id.clone());
    first.ids.iter().map(now).collect()
}

/// What the log has under the same durable key for something else.
#[must_use]
pub(super) fn other_use<'a>(book: &'a Book, claim: &'a Anchor) -> Option<&'a Anchor> {
    let in_use = |anchor: &&Anchor| {
        let given_up = |id: &String| book.resolve(id).is_none_or(|now| now.state == State::Released);
        !equal(anchor, claim) && !anchor.ids.iter().all(given_up)
    };
    of_event(book, claim).find(in_use)
}

/// Makes a claim lead to ids that the log has already, also where those are its own: the log says of its nonce
/// what it stands for. Numbers of it that nobody has are published, so that nobody ever gets them.
fn pointers(book: &Book, claim: &Anchor, ids: &[String], at: &str) -> Vec<Anchor> {
    let base = Anchor { event: None, provisional: false, file: None, ..claim.clone() };
    let is_free = |(number, _): &(&u64, &String)| book.owner(&claim.scope, **number).is_none();
    let (numbers, free): (Vec<u64>, Vec<String>) =
        claim.numbers.iter().zip(&claim.ids).filter(is_free).map(|(number, id)| (*number, id.clone())).unzip();
    let mut anchors = Vec::new();
    if !free.is_empty() {
        anchors.push(Anchor { numbers, ids: free, ..base.clone() });
    }
    anchors.push(Anchor {
        kind: Kind::Amend,
        numbers: Vec::new(),
        ids: ids.to_vec(),
        replaces: claim.ids.clone(),
        of: Some(claim.nonce.clone()),
        nonce: amend_nonce(claim),
        at: at.to_owned(),
        ..base
    });
    anchors
}

fn amend_nonce(claim: &Anchor) -> String {
    format!("{}-amend", claim.nonce)
}

/// The ids that an amendment replaced by other ones, with those. It also names what it left as it was.
pub(super) fn replaced(amendment: &Anchor) -> impl Iterator<Item = (&String, &String)> {
    amendment.replaces.iter().zip(&amendment.ids).filter(|(old, new)| old != new)
}

/// What a log that a claim was settled in says of it: the ids that are its own, and its amendment.
#[must_use]
pub(super) fn outcome<'a>(book: &'a Book, claim: &Anchor) -> (Vec<(u64, String)>, Option<&'a Anchor>) {
    let amendment = amendment_of(book, claim);
    let mut own = Vec::new();
    for (number, id) in claim.numbers.iter().zip(&claim.ids) {
        let owner = book.claim(id).and_then(|found| book.anchor_of(found));
        let says = amendment.and_then(|amended| amended.replaces.iter().zip(&amended.ids).find(|(old, _)| *old == id));
        if says.map_or_else(|| owner.is_some_and(|owner| owner.nonce == claim.nonce), |(old, new)| old == new) {
            own.push((*number, id.clone()));
        }
    }
    (own, amendment)
}

/// The amendment of a claim that settled it.
pub(super) fn amendment_of<'a>(book: &'a Book, claim: &Anchor) -> Option<&'a Anchor> {
    book.anchor(&amend_nonce(claim))
}

/// What the shared log says of own reservations that the own log does not have yet: amendments and releases.
pub(super) fn news(own: &[Anchor], seen: &Book) -> Vec<Anchor> {
    let mut ours: BTreeSet<&str> = own.iter().map(|anchor| anchor.nonce.as_str()).collect();
    let mut news = Vec::new();
    for anchor in seen.anchors().iter().filter(|anchor| matches!(anchor.kind, Kind::Amend | Kind::Release)) {
        if anchor.of.as_deref().is_some_and(|of| ours.contains(of)) && ours.insert(&anchor.nonce) {
            // The key stays with the claim, which is asked first.
            news.push(Anchor { event: None, ..anchor.clone() });
        }
    }
    news
}

/// What the own log is to hold of claims that were settled, and what is to be said of them.
pub(super) fn copies(book: &Book, claims: &[Anchor], asking: &Asking) -> (Vec<Anchor>, Settled) {
    let (mut anchors, mut settled) = (Vec::new(), Settled::default());
    for claim in claims {
        let (own, amendment) = outcome(book, claim);
        if !own.is_empty() {
            let (numbers, ids): (Vec<u64>, Vec<String>) = own.into_iter().unzip();
            settled.confirmed.extend(ids.iter().cloned());
            anchors.push(Anchor {
                numbers,
                ids,
                of: Some(claim.nonce.clone()),
                nonce: format!("{}-confirm", claim.nonce),
                scope: claim.scope.clone(),
                ..asking.anchor(&claim.namespace, Kind::Confirm)
            });
        }
        if let Some(amendment) = amendment {
            settled.amended.extend(replaced(amendment).map(|(old, new)| (old.clone(), new.clone())));
            // The key stays with the claim, which is asked first.
            anchors.push(Anchor { event: None, ..amendment.clone() });
        }
    }
    (anchors, settled)
}

#[cfg(test)]
mod tests {
    use super::{copies, news, other_use, outcome, replaced, same_event, settle};
    use crate::config::{Config, LogKind, Namespace};
    use crate::ids::conformance::known;
    use crate::ids::contract::{Anchor, AnchorLog as _, Decision, Kind, Outcome};
    use crate::ids::fold::{Book, State};
    use crate::ids::lost::contests;
    use crate::ids::memory::MemoryLog;
    use crate::ids::reserve::{Asking, Wish, reserve};
    use crate::ids::rows::{informed, rows, stands};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn namespace() -> Namespace {
        Config::parse("ids: {A: {}}\n").unwrap().ids.remove("A").unwrap()
    }

    fn asking(nonce: &str) -> Asking {
        let at = "2026-02-19T18:00:00.000Z".to_owned();
        Asking { agent: "toast".to_owned(), branch: None, at, nonce: nonce.to_owned() }
    }

    fn wish(event: Option<u8>, count: u64, note: bool) -> Wish {
        let event = event.map(|event| format!("e{event}"));
        Wish { count, event, note: note.then(|| "note".to_owned()), ..Wish::default() }
    }

    /// A clone without the remote: it mints above what it saw of the shared log when it left.
    fn claim(clone: &MemoryLog, nonce: &str, wish: &Wish, floor: u64) -> Option<Anchor> {
        let (namespace, asking) = (namespace(), asking(nonce));
        let outcome = clone.clone().append("A", &mut |standing| {
            Ok(match reserve(standing, &namespace, &asking, wish, &known(floor))? {
                Decision::Append(anchors) => {
                    Decision::Append(anchors.into_iter().map(|anchor| Anchor { provisional: true, ..anchor }).collect())
                }
                already @ Decision::Already(_) => already,
            })
        });
        match outcome {
            Ok(Outcome::Appended(mut anchors)) => anchors.pop(),
            _ => None,
        }
    }

    fn settle_in(shared: &MemoryLog, claims: &[Anchor]) -> usize {
        let (namespace, asking) = (namespace(), asking("s"));
        let floors = Book::fold(claims.iter().cloned()).floors().clone();
        let outcome =
            shared.clone().append("A", &mut |standing| settle(standing, &namespace, &asking, claims, &floors)).unwrap();
        match outcome {
            Outcome::Appended(anchors) => anchors.len(),
            Outcome::Already(_) => 0,
        }
    }

    fn fold(log: &MemoryLog) -> Book {
        Book::fold(log.clone().read("A").unwrap())
    }

    /// What a claim's ids stand for in the end.
    fn now(book: &Book, claim: &Anchor) -> Vec<String> {
        let (own, amendment) = outcome(book, claim);
        let own = own.into_iter().map(|(_, id)| (id.clone(), id));
        let pairs = amendment.into_iter().flat_map(replaced).map(|(old, new)| (old.clone(), new.clone()));
        let all: BTreeMap<String, String> = own.chain(pairs).collect();
        claim.ids.iter().map(|id| all[id].clone()).collect()
    }

    #[test]
    fn one_event_on_two_clones_is_one_reservation() {
        let (shared, a, b) = (MemoryLog::default(), MemoryLog::default(), MemoryLog::default());
        let first = claim(&a, "a", &wish(Some(1), 2, false), 4).unwrap();
        claim(&b, "b0", &wish(None, 1, false), 4).unwrap();
        let second = claim(&b, "b", &wish(Some(1), 2, false), 4).unwrap();
        assert_eq!((first.ids.join(" "), second.ids.join(" ")), ("A-5 A-6".to_owned(), "A-6 A-7".to_owned()));
        settle_in(&shared, std::slice::from_ref(&first));
        settle_in(&shared, std::slice::from_ref(&second));
        let book = fold(&shared);
        assert_eq!(now(&book, &second), ["A-5", "A-6"]);
        // Its own number was nobody's, and is spent.
        assert_eq!(book.claim("A-7").unwrap().state, State::Amended("A-6".to_owned()));
        assert_eq!(book.claim("A-6").unwrap().state, State::Confirmed);
        // Another use of the key is no repetition.
        let other = claim(&MemoryLog::default(), "c", &wish(Some(1), 2, true), 7).unwrap();
        settle_in(&shared, std::slice::from_ref(&other));
        let book = fold(&shared);
        assert_eq!((now(&book, &other), other_use(&book, &other).unwrap().nonce.as_str()), (other.ids.clone(), "a"));
        assert_eq!(same_event(&book, &other), None);
    }

    /// The numbers of claims that are settled later are spent for those before them.
    #[test]
    fn an_amendment_takes_no_number_of_another_claim() {
        let (shared, mine) = (MemoryLog::default(), MemoryLog::default());
        let theirs = claim(&MemoryLog::default(), "t", &wish(None, 1, false), 0).unwrap();
        settle_in(&shared, std::slice::from_ref(&theirs));
        let claims = [
            claim(&mine, "a", &wish(None, 1, false), 0).unwrap(),
            claim(&mine, "b", &wish(None, 1, false), 0).unwrap(),
        ];
        let namespace = namespace();
        let none = BTreeMap::new();
        shared.clone().append("A", &mut |standing| settle(standing, &namespace, &asking("s"), &claims, &none)).unwrap();
        let book = fold(&shared);
        assert_eq!((now(&book, &claims[0]), now(&book, &claims[1])), (vec!["A-3".into()], vec!["A-2".into()]));
    }

    proptest! {
        #[test]
        fn settling_gives_every_wish_its_ids_once(
            wishes in prop::collection::vec((0usize..3, prop::option::of(0u8..3), 1u64..4, any::<bool>()), 1..9),
            order in Just([0usize, 1, 2]).prop_shuffle(), lag in prop::collection::vec(0u64..3, 3)
        ) {
            let shared = MemoryLog::default();
            let clones: Vec<MemoryLog> = (0..3).map(|_| MemoryLog::default()).collect();
            let mut claims: Vec<(usize, Wish, Anchor)> = Vec::new();
            let mut copied: Vec<Vec<Anchor>> = vec![Vec::new(); 3];
            for (place, (clone, event, count, note)) in wishes.into_iter().enumerate() {
                let wish = wish(event, count, note);
                if let Some(anchor) = claim(&clones[clone], &format!("n{place}"), &wish, lag[clone]) {
                    claims.push((clone, wish, anchor));
                }
            }
            for clone in order {
                let of_clone: Vec<Anchor> =
                    claims.iter().filter(|(of, ..)| *of == clone).map(|(.., anchor)| anchor.clone()).collect();
                settle_in(&shared, &of_clone);
                prop_assert_eq!(settle_in(&shared, &of_clone), 0);
                copied[clone] = copies(&fold(&shared), &of_clone, &asking("s")).0;
            }
            let book = fold(&shared);
            let mut given: BTreeMap<String, &Wish> = BTreeMap::new();
            for (_, wish, anchor) in &claims {
                let ids = now(&book, anchor);
                let distinct: BTreeSet<&String> = ids.iter().collect();
                prop_assert_eq!(distinct.len(), anchor.ids.len());
                for id in &ids {
                    // It is confirmed, and nobody with another wish has it.
                    prop_assert_eq!(&book.claim(id).unwrap().state, &State::Confirmed);
                    let same = given.insert(id.clone(), wish);
                    prop_assert!(same.is_none_or(|before| before == wish && wish.event.is_some()), "{} twice", id);
                }
            }
            // Equal wishes of one event have equal ids.
            for (_, wish, anchor) in claims.iter().filter(|(_, wish, _)| wish.event.is_some()) {
                for (_, _, other) in claims.iter().filter(|(_, theirs, _)| theirs == wish) {
                    let set = |anchor| now(&book, anchor).into_iter().collect::<BTreeSet<String>>();
                    prop_assert_eq!(set(anchor), set(other));
                }
            }
            prop_assert!(book.lost().is_empty());
            // Every clone shows every id of somebody once, and sees nothing that is settled twice.
            for (clone, copied) in clones.iter().zip(copied) {
                let mut own = clone.clone().read("A").unwrap();
                own.extend(copied);
                prop_assert_eq!(news(&own, &book), []);
                prop_assert_eq!(contests(LogKind::Git, &Book::fold(own.clone()), &book).len(), 0);
                let own = informed(own, &book);
                let shown = rows(&own, &book);
                let live: Vec<&String> = shown.iter().filter(|row| row.claim.state == State::Confirmed).map(|row| &row.claim.id).collect();
                prop_assert_eq!(live.iter().collect::<BTreeSet<_>>().len(), live.len(), "{:?}", live);
                prop_assert!(shown.iter().all(|row| row.claim.state != State::Pending));
                for anchor in clone.clone().read("A").unwrap() {
                    let ids: Vec<String> = anchor.ids.iter().map(|id| stands(&own, &book, &anchor, id).unwrap().id.clone()).collect();
                    prop_assert_eq!(ids, now(&book, &anchor));
                }
            }
            // A remote that lost it all gets all of it again, as it was.
            let (again, mut takes) = (MemoryLog::default(), shared.clone().read("A").unwrap());
            takes.retain(|anchor| matches!(anchor.kind, Kind::Reserve | Kind::Amend));
            settle_in(&again, &takes);
            for (_, _, anchor) in &claims {
                prop_assert_eq!(now(&fold(&again), anchor), now(&book, anchor));
            }
        }
    }
}
