//! What to archive: a pure plan. Archiving moves files and never changes the view (FORMAT §8).

use crate::event::{EventId, Timestamp};
use std::collections::BTreeMap;

/// An event file that can be read, by its name in its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its file name.
    pub name: String,
    /// The event's instant.
    pub ts: Timestamp,
    /// The event's id.
    pub id: EventId,
}

/// A live event file and the day under which it is archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Its file name, which it keeps.
    pub name: String,
    /// The UTC day of its ts, `YYYY-MM-DD`.
    pub day: String,
}

/// The live events that are older than `cutoff` (nanoseconds since 1970), in byte order of their names.
#[must_use]
pub fn plan_moves(live: &[Candidate], cutoff: i128) -> Vec<Move> {
    let old = live.iter().filter(|candidate| candidate.ts.unix_nanos() < cutoff);
    let mut moves: Vec<Move> =
        old.map(|candidate| Move { name: candidate.name.clone(), day: candidate.ts.day() }).collect();
    moves.sort_by(|a, b| a.name.cmp(&b.name));
    moves
}

/// For each day the archived files that go into its next pack, in byte order of the ids.
#[must_use]
pub fn plan_packs(archived: &BTreeMap<String, Vec<Candidate>>, cutoff: i128) -> BTreeMap<String, Vec<Candidate>> {
    let mut packs = BTreeMap::new();
    for (day, candidates) in archived {
        let mut old: Vec<Candidate> =
            candidates.iter().filter(|candidate| candidate.ts.unix_nanos() < cutoff).cloned().collect();
        old.sort_by(|a, b| (a.id, &a.name).cmp(&(b.id, &b.name)));
        if !old.is_empty() {
            packs.insert(day.clone(), old);
        }
    }
    packs
}

#[cfg(test)]
mod tests {
    use super::{Candidate, plan_moves, plan_packs};
    use crate::event::{EventId, Timestamp};
    use std::collections::BTreeMap;

    #[test]
    fn event_exactly_at_the_boundary_is_not_older() {
        let at = Timestamp::parse("2026-01-10T13:00:00Z").unwrap();
        let event = Candidate { name: "a.md".to_owned(), ts: at, id: EventId::of("a") };
        let archived: BTreeMap<_, _> = [(at.day(), vec![event.clone()])].into();
        for (cutoff, count) in [(at.unix_nanos() - 1, 0), (at.unix_nanos(), 0), (at.unix_nanos() + 1, 1)] {
            assert_eq!(plan_moves(std::slice::from_ref(&event), cutoff).len(), count);
            assert_eq!(plan_packs(&archived, cutoff).len(), count);
        }
    }
}
