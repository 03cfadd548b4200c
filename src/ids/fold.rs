//! The fold of a log: who owns which number, what became of it, which ids are aliases. Pure.

use super::IdsError;
use super::contract::{Anchor, Kind, Standing};
use crate::config::pattern::Scope;
use crate::trust::number::Floor;
use std::collections::BTreeMap;

/// What became of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Taken without the shared log, and not in it yet.
    Pending,
    /// In the log.
    Confirmed,
    /// Given up; never given again.
    Released,
    /// Replaced by this id.
    Amended(String),
}

impl State {
    /// The word that is shown, as in the two-phase protocol.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pending => "CONFIRM-PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Released => "RELEASED",
            Self::Amended(_) => "AMENDMENT",
        }
    }
}

/// A number and the anchor that owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its id, as it was written first.
    pub id: String,
    /// What it is counted within.
    pub scope: Scope,
    /// The number.
    pub number: u64,
    /// The place of its anchor among [`Book::anchors`].
    pub anchor: usize,
    /// What became of it.
    pub state: State,
}

/// A namespace's log, folded.
///
/// # Invariant
/// Appending to the log never changes who owns a number: the first anchor that takes it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    anchors: Vec<Anchor>,
    claims: BTreeMap<(Scope, u64), Claim>,
    by_id: BTreeMap<String, (Scope, u64)>,
    floors: BTreeMap<Scope, Floor>,
    /// Anchors by nonce: the same one twice counts once.
    seen: BTreeMap<String, usize>,
    lost: Vec<(usize, u64)>,
    /// Old ids and what replaced them, in the log's order.
    amended: Vec<(String, String)>,
}

impl Book {
    /// Folds a log.
    #[must_use]
    pub fn fold(anchors: impl IntoIterator<Item = Anchor>) -> Self {
        let mut book = Self::default();
        for anchor in anchors {
            book.apply(anchor);
        }
        book
    }

    /// Adds the next anchor of the log.
    pub fn apply(&mut self, anchor: Anchor) {
        let place = self.anchors.len();
        if self.seen.contains_key(&anchor.nonce) {
            return;
        }
        self.seen.insert(anchor.nonce.clone(), place);
        if !anchor.numbers.is_empty() {
            self.floors.entry(anchor.scope.clone()).or_default().enter(&anchor.numbers, anchor.jump);
        }
        match anchor.kind {
            Kind::Floor | Kind::Unread => {}
            Kind::Reserve | Kind::Amend => {
                let taken = self.take(place, &anchor);
                for (old, new) in anchor.replaces.iter().zip(taken) {
                    self.turn(old, anchor.of.as_deref(), &State::Amended(new.clone()));
                    self.amended.push((old.clone(), new));
                }
            }
            Kind::Confirm => anchor.ids.iter().for_each(|id| self.turn(id, anchor.of.as_deref(), &State::Confirmed)),
            Kind::Release => anchor.ids.iter().for_each(|id| self.turn(id, anchor.of.as_deref(), &State::Released)),
        }
        self.anchors.push(anchor);
    }

    /// Takes the numbers of an anchor that nobody has; gives the ids of all of them.
    fn take(&mut self, place: usize, anchor: &Anchor) -> Vec<String> {
        let state = if anchor.provisional { State::Pending } else { State::Confirmed };
        for (&number, id) in anchor.numbers.iter().zip(&anchor.ids) {
            let key = (anchor.scope.clone(), number);
            if self.claims.contains_key(&key) || self.by_id.contains_key(id) {
                self.lost.push((place, number));
                continue;
            }
            self.by_id.insert(id.clone(), key.clone());
            let scope = anchor.scope.clone();
            self.claims.insert(key, Claim { id: id.clone(), scope, number, anchor: place, state: state.clone() });
        }
        anchor.ids.clone()
    }

    /// Changes what became of an id: only forwards, and an amendment stays.
    ///
    /// The id of a claim that lost is somebody else's here, and must not turn: `of` tells the two apart.
    fn turn(&mut self, id: &str, of: Option<&str>, state: &State) {
        let Some(claim) = self.by_id.get(id).and_then(|key| self.claims.get_mut(key)) else { return };
        let owner = self.anchors.get(claim.anchor).map(|anchor| anchor.nonce.as_str());
        if of.is_some() && of != owner {
            return;
        }
        let later = match (&claim.state, state) {
            (State::Amended(_), _) | (_, State::Pending) => false,
            (State::Released, next) => matches!(next, State::Amended(_)),
            (State::Pending | State::Confirmed, _) => true,
        };
        // An id that replaces itself would never be resolved.
        if later && *state != State::Amended(id.to_owned()) {
            claim.state = state.clone();
        }
    }

    /// The anchors in the log's order, each once.
    #[must_use]
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// All numbers that are owned, ascending within each scope.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.values()
    }

    /// The anchor that owns a claim.
    #[must_use]
    pub fn anchor_of(&self, claim: &Claim) -> Option<&Anchor> {
        self.anchors.get(claim.anchor)
    }

    /// The claim that an id names.
    #[must_use]
    pub fn claim(&self, id: &str) -> Option<&Claim> {
        self.by_id.get(id).and_then(|key| self.claims.get(key))
    }

    /// The anchor that has an id, and those that led to it by amendments, latest first; none for an id that
    /// nobody has.
    #[must_use]
    pub fn chain_of(&self, id: &str) -> Vec<&Anchor> {
        let mut chain: Vec<&Anchor> = Vec::new();
        let mut next = self.claim(id).and_then(|claim| self.anchor_of(claim));
        while let Some(anchor) = next.filter(|anchor| !chain.iter().any(|known| known.nonce == anchor.nonce)) {
            chain.push(anchor);
            next = anchor.of.as_ref().and_then(|of| self.anchors.get(*self.seen.get(of)?));
        }
        chain
    }

    /// The claim that owns a number.
    #[must_use]
    pub fn owner(&self, scope: &Scope, number: u64) -> Option<&Claim> {
        self.claims.get(&(scope.clone(), number))
    }

    /// The id that stands for this one now: itself, or the end of its chain of amendments.
    #[must_use]
    pub fn resolve(&self, id: &str) -> Option<&Claim> {
        let mut claim = self.claim(id)?;
        for _ in 0..self.claims.len() {
            match &claim.state {
                State::Amended(next) => claim = self.claim(next)?,
                State::Pending | State::Confirmed | State::Released => break,
            }
        }
        Some(claim)
    }

    /// The older ids that lead to this one, oldest first. One of them may be somebody else's by now: that
    /// of a claim that lost.
    #[must_use]
    pub fn aliases(&self, id: &str) -> Vec<&str> {
        let mut aliases: Vec<&str> = Vec::new();
        let mut wanted = vec![id];
        while let Some(new) = wanted.pop() {
            for (old, _) in self.amended.iter().filter(|(_, by)| by == new) {
                if old != id && !aliases.contains(&old.as_str()) {
                    aliases.push(old);
                    wanted.push(old);
                }
            }
        }
        aliases.reverse();
        aliases
    }

    /// What replaced a claim of this id that lost, or that was renumbered.
    #[must_use]
    pub fn amendments(&self, id: &str) -> Vec<&str> {
        self.amended.iter().filter(|(old, _)| old == id).map(|(_, new)| new.as_str()).collect()
    }

    /// Where a scope stands.
    #[must_use]
    pub fn floor(&self, scope: &Scope) -> Floor {
        self.floors.get(scope).cloned().unwrap_or_default()
    }

    /// The highest number of a scope that is spent and counts.
    #[must_use]
    pub fn top(&self, scope: &Scope) -> u64 {
        self.floors.get(scope).map(Floor::top).unwrap_or_default()
    }

    /// Where each scope stands.
    #[must_use]
    pub fn floors(&self) -> &BTreeMap<Scope, Floor> {
        &self.floors
    }

    /// Whether the anchor with this nonce is in the log.
    #[must_use]
    pub fn holds(&self, nonce: &str) -> bool {
        self.seen.contains_key(nonce)
    }

    /// The anchor with this nonce.
    #[must_use]
    pub fn anchor(&self, nonce: &str) -> Option<&Anchor> {
        self.seen.get(nonce).and_then(|place| self.anchors.get(*place))
    }

    /// Numbers that an anchor wanted after another one had them: anchor and number. A log that keeps
    /// its promises has none.
    #[must_use]
    pub fn lost(&self) -> &[(usize, u64)] {
        &self.lost
    }

    /// The reservation with this durable key.
    #[must_use]
    pub fn by_event(&self, key: &str) -> Option<&Anchor> {
        let takes = |anchor: &&Anchor| matches!(anchor.kind, Kind::Reserve | Kind::Amend);
        self.anchors.iter().filter(takes).find(|anchor| anchor.event.as_deref() == Some(key))
    }

    /// Claims that reached no shared log, in the order in which they are entitled to their numbers: the
    /// earlier instant, then the agent's name in byte order.
    #[must_use]
    pub fn pending(&self) -> Vec<&Claim> {
        let mut pending: Vec<&Claim> = self.claims().filter(|claim| claim.state == State::Pending).collect();
        let key = |claim: &Claim| {
            self.anchor_of(claim).map(|anchor| (anchor.at.as_str(), anchor.agent.as_str(), anchor.nonce.as_str()))
        };
        pending.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.number.cmp(&b.number)));
        pending
    }
}

impl Standing for Book {
    fn floor(&self, scope: &Scope) -> Result<Floor, IdsError> {
        Ok(Self::floor(self, scope))
    }

    fn by_event(&self, key: &str) -> Result<Option<Anchor>, IdsError> {
        Ok(Self::by_event(self, key).cloned())
    }

    fn anchors(&self) -> Result<Vec<Anchor>, IdsError> {
        Ok(self.anchors.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::{Book, State};
    use crate::config::pattern::Scope;
    use crate::ids::contract::{Anchor, Kind};
    use proptest::prelude::*;

    fn anchor(kind: Kind, numbers: &[u64], replaces: &[u64], nonce: u32, provisional: bool) -> Anchor {
        let ids = |numbers: &[u64]| numbers.iter().map(|number| format!("A-{number}")).collect();
        Anchor {
            namespace: "A".to_owned(),
            scope: Scope::default(),
            kind,
            numbers: numbers.to_vec(),
            ids: ids(numbers),
            replaces: ids(replaces),
            of: None,
            event: None,
            slug: None,
            note: None,
            agent: "a".to_owned(),
            branch: None,
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            nonce: nonce.to_string(),
            provisional,
            backfill: false,
            file: None,
            jump: None,
        }
    }

    #[test]
    fn a_loser_gets_a_new_id_and_its_old_one_leads_there() {
        let book = Book::fold([
            anchor(Kind::Reserve, &[1, 2], &[], 1, true),
            anchor(Kind::Amend, &[5], &[2], 2, false),
            anchor(Kind::Confirm, &[1], &[], 3, false),
            anchor(Kind::Amend, &[6], &[5], 4, false),
        ]);
        let state = |id: &str| book.claim(id).unwrap().state.clone();
        assert_eq!(state("A-1"), State::Confirmed);
        assert_eq!(state("A-2"), State::Amended("A-5".to_owned()));
        assert_eq!(book.resolve("A-2").unwrap().id, "A-6");
        assert_eq!(book.aliases("A-6"), ["A-2", "A-5"]);
        assert_eq!(book.top(&Scope::default()), 6);
        assert!(book.pending().is_empty());
    }

    #[test]
    fn the_amendment_of_a_loser_leaves_the_winner_alone() {
        let book = Book::fold([
            anchor(Kind::Reserve, &[1], &[], 1, false),
            Anchor { of: Some("2".to_owned()), ..anchor(Kind::Amend, &[2], &[1], 3, false) },
        ]);
        assert_eq!(book.claim("A-1").unwrap().state, State::Confirmed);
        assert_eq!((book.aliases("A-2"), book.amendments("A-1")), (vec!["A-1"], vec!["A-2"]));
    }

    #[test]
    fn offline_claims_are_ordered_by_instant_then_agent() {
        let claim = |number: u64, at: &str, agent: &str| Anchor {
            at: format!("2026-01-01T00:00:0{at}.000Z"),
            agent: agent.to_owned(),
            ..anchor(Kind::Reserve, &[number], &[], u32::try_from(number).unwrap(), true)
        };
        let book = Book::fold([claim(1, "2", "a"), claim(2, "1", "b"), claim(3, "1", "B")]);
        assert_eq!(book.pending().iter().map(|claim| claim.number).collect::<Vec<_>>(), [3, 2, 1]);
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        prop::sample::select(vec![Kind::Reserve, Kind::Reserve, Kind::Amend, Kind::Confirm, Kind::Release, Kind::Floor])
    }

    fn logs() -> impl Strategy<Value = Vec<Anchor>> {
        let one = (
            kinds(),
            prop::collection::btree_set(1u64..9, 1..4),
            prop::collection::vec(1u64..9, 0..3),
            0u32..30,
            any::<bool>(),
        );
        prop::collection::vec(one, 0..14).prop_map(|log| {
            let anchor = |(kind, numbers, replaces, nonce, provisional): (
                Kind,
                std::collections::BTreeSet<u64>,
                Vec<u64>,
                u32,
                bool,
            )| {
                let numbers: Vec<u64> = numbers.into_iter().collect();
                let replaces = if kind == Kind::Amend { replaces } else { Vec::new() };
                anchor(kind, &numbers, &replaces, nonce, provisional)
            };
            log.into_iter().map(anchor).collect()
        })
    }

    proptest! {
        #[test]
        fn the_first_published_wins_whatever_follows(log in logs(), cut in 0usize..14) {
            let whole = Book::fold(log.clone());
            let prefix = Book::fold(log.iter().take(cut).cloned());
            for claim in prefix.claims() {
                let later = whole.owner(&claim.scope, claim.number).unwrap();
                prop_assert_eq!((later.anchor, &later.id), (claim.anchor, &claim.id));
                // What was given up stays spent, and what was confirmed never waits again.
                let gone_back = match (&claim.state, &later.state) {
                    (State::Pending, _) => false,
                    (State::Confirmed, state) => *state == State::Pending,
                    (State::Released, state) => matches!(state, State::Pending | State::Confirmed),
                    (State::Amended(_), state) => claim.state != *state,
                };
                prop_assert!(!gone_back);
            }
            for (scope, floor) in prefix.floors() {
                prop_assert!(whole.top(scope) >= floor.top());
            }
        }

        #[test]
        fn every_number_has_the_first_anchor_that_names_it(log in logs()) {
            let book = Book::fold(log);
            for claim in book.claims() {
                let takes = |anchor: &Anchor| matches!(anchor.kind, Kind::Reserve | Kind::Amend) && anchor.numbers.contains(&claim.number);
                prop_assert_eq!(book.anchors().iter().position(takes), Some(claim.anchor));
                prop_assert!(book.resolve(&claim.id).is_some());
                prop_assert!(claim.number <= book.top(&claim.scope));
            }
        }

        #[test]
        fn the_same_anchor_twice_counts_once(log in logs()) {
            let twice: Vec<Anchor> = log.iter().flat_map(|anchor| [anchor.clone(), anchor.clone()]).collect();
            prop_assert_eq!(Book::fold(log), Book::fold(twice));
        }
    }
}
