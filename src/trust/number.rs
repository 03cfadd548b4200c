//! Numbers that a branch or a log names: a jump far above the log is reported and never followed silently.
//!
//! A [`Floor`] is what the next number is counted from. Nothing but this module makes one, so a number reaches
//! allocation only after it was compared with the log. A number that jumps is in use all the same: it is passed over
//! where the count reaches it.

use crate::config::pattern::MAX_NUMBER;
use std::collections::BTreeSet;

/// How far above the log a number may be and still become a floor by itself.
pub const JUMP: u64 = 10_000;

/// What the next number is counted from, and which numbers above are in use.
///
/// # Invariant
/// Every number in use is above the top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Floor {
    /// The highest number that counts; nothing where nothing was ever counted.
    top: Option<u64>,
    used: BTreeSet<u64>,
}

impl Floor {
    /// Takes up the next entry of a log.
    ///
    /// `jump` is what its author says of it: followed by `--allow-jump`, never to be followed, or nothing. Where the
    /// log has counted nothing yet, a number that no other entry comes near is a jump.
    pub fn enter(&mut self, numbers: &[u64], jump: Option<bool>) {
        let follows = jump == Some(true);
        let near = |number: u64| {
            if let Some(top) = self.top {
                return number <= top.saturating_add(JUMP);
            }
            let around = number.saturating_sub(JUMP)..=number.saturating_add(JUMP);
            number <= JUMP || jump.is_none() && self.used.range(around).next().is_some()
        };
        let (counts, jumps): (Vec<u64>, Vec<u64>) = numbers.iter().partition(|number| follows || near(**number));
        // Of two that made each other count, both do.
        let top = counts.into_iter().max();
        let others = top
            .filter(|_| self.top.is_none() && jump.is_none())
            .and_then(|top| self.used.range(..=top.saturating_add(JUMP)).next_back().copied());
        self.raise(top.max(others));
        self.used.extend(jumps);
        self.raise(None);
    }

    /// Takes up what another log of the same numbers has.
    pub fn join(&mut self, other: &Self) {
        self.used.extend(&other.used);
        self.raise(other.top);
    }

    fn raise(&mut self, top: Option<u64>) {
        self.top = self.top.max(top);
        if let Some(top) = self.top {
            self.used = self.used.split_off(&top.saturating_add(1));
        }
    }

    /// The highest number that counts; 0 if none does.
    #[must_use]
    pub fn top(&self) -> u64 {
        self.top.unwrap_or_default()
    }

    /// Whether a number is spent.
    #[must_use]
    pub fn holds(&self, number: u64) -> bool {
        self.top.is_some_and(|top| number <= top) || self.used.contains(&number)
    }

    /// The next numbers that nobody uses; none if there are not so many left.
    #[must_use]
    pub fn next(&self, count: u64) -> Option<Vec<u64>> {
        let first = self.top().checked_add(1)?;
        let count = usize::try_from(count).ok()?;
        let free = (first..=MAX_NUMBER).filter(|number| !self.used.contains(number));
        let next: Vec<u64> = free.take(count).collect();
        (next.len() == count).then_some(next)
    }

    /// Whether an entry with these numbers says that it jumps, so that everybody follows it.
    #[must_use]
    pub fn is_jump(&self, numbers: &[u64]) -> bool {
        numbers.iter().any(|number| *number > self.top().saturating_add(JUMP))
    }
}

/// Numbers of one scope that were found outside a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    own: BTreeSet<u64>,
    others: BTreeSet<u64>,
    requests: BTreeSet<u64>,
}

impl Found {
    /// Adds one of this worktree, as the user has it before them.
    pub fn own(&mut self, number: u64) {
        self.own.insert(number);
    }

    /// Adds one of a branch, another worktree or another log.
    pub fn other(&mut self, number: u64) {
        self.others.insert(number);
    }

    /// Adds one that only a pull request has: passed over, never a floor.
    pub fn request(&mut self, number: u64) {
        self.requests.insert(number);
    }

    /// Those of this worktree.
    pub fn of_own(&self) -> impl Iterator<Item = u64> {
        self.own.iter().copied()
    }

    /// Adds all of another one.
    pub fn join(&mut self, other: &Self) {
        self.own.extend(&other.own);
        self.others.extend(&other.others);
        self.requests.extend(&other.requests);
    }

    /// Where the next number is counted from, given where the log stands; and the numbers that jump, which are a floor
    /// only if the user follows them.
    #[must_use]
    pub fn judge(&self, log: &Floor, follow: bool) -> (Floor, BTreeSet<u64>) {
        let mut floor = log.clone();
        let all: BTreeSet<u64> = self.own.union(&self.others).copied().collect();
        if follow {
            floor.raise(all.last().copied());
            floor.raise(log.used.last().copied());
            let top = floor.top();
            floor.used.extend(self.requests.iter().filter(|number| **number > top));
            return (floor, BTreeSet::new());
        }
        let reached = match log.top {
            Some(top) => all.range(..=top.saturating_add(JUMP)).next_back().copied(),
            None => self.climb(&all),
        };
        floor.raise(reached);
        let top = floor.top();
        let jumps: BTreeSet<u64> = all.union(&log.used).copied().filter(|number| *number > top).collect();
        floor.used.extend(jumps.iter().chain(self.requests.iter().filter(|number| **number > top)).copied());
        (floor, jumps)
    }

    /// Without a log each number is compared with the next lower one, from the lowest of the user's own on.
    fn climb(&self, all: &BTreeSet<u64>) -> Option<u64> {
        let start = self.own.first().copied().filter(|_| self.own.len() > 1).unwrap_or_default();
        let mut reached = None;
        let mut from = start;
        for &number in all {
            if number > from.saturating_add(JUMP) {
                break;
            }
            from = from.max(number);
            reached = Some(number);
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::{Floor, Found, JUMP};
    use crate::config::pattern::MAX_NUMBER;

    fn log(entries: &[&[u64]]) -> Floor {
        let mut floor = Floor::default();
        for numbers in entries {
            floor.enter(numbers, None);
        }
        floor
    }

    fn found(own: &[u64], others: &[u64]) -> Found {
        let mut found = Found::default();
        found.own.extend(own);
        found.others.extend(others);
        found
    }

    #[test]
    fn an_entry_far_above_the_log_is_used_and_no_floor() {
        let floor = log(&[&[5], &[6], &[7 + JUMP], &[7]]);
        assert_eq!((floor.top(), floor.next(2)), (7, Some(vec![8, 9])));
        assert!(floor.holds(7 + JUMP) && !floor.holds(8));
        // Exactly as far as allowed; in one entry no number lifts the next.
        assert_eq!(log(&[&[5], &[5 + JUMP]]).top(), 5 + JUMP);
        assert_eq!(log(&[&[5], &[5 + JUMP, 6 + JUMP]]).top(), 5 + JUMP);
        // No number of them is enough, and what the count reaches later is passed over.
        assert_eq!(log(&[&[5], &[90_000], &[90_001], &[90_002]]).top(), 5);
        let mut near = log(&[&[5], &[20_000]]);
        near.enter(&[19_998], Some(true));
        assert_eq!(near.next(3), Some(vec![19_999, 20_001, 20_002]));
        let mut floor = log(&[&[5]]);
        floor.enter(&[MAX_NUMBER], Some(false));
        assert_eq!(floor.next(1), Some(vec![6]));
        floor.enter(&[u64::MAX], Some(true));
        assert_eq!(floor.next(1), None);
    }

    #[test]
    fn a_log_that_begins_high_needs_two_entries() {
        assert_eq!(log(&[&[90_000]]).top(), 0);
        assert_eq!(log(&[&[90_000], &[90_001]]).top(), 90_001);
        assert_eq!(log(&[&[90_001], &[90_000]]).top(), 90_001);
        assert_eq!(log(&[&[90_000, 90_001]]).top(), 0);
        assert_eq!(log(&[&[90_000], &[7], &[90_001]]).top(), 7);
        assert_eq!(log(&[&[JUMP]]).top(), JUMP);
        let mut strict = Floor::default();
        strict.enter(&[90_000], Some(false));
        strict.enter(&[90_001], Some(false));
        assert_eq!(strict.top(), 0);
    }

    #[test]
    fn what_is_found_far_above_the_log_is_a_floor_only_if_it_is_followed() {
        let five = log(&[&[5]]);
        let high = found(&[19], &[MAX_NUMBER - 3, MAX_NUMBER - 4]);
        let (floor, jumps) = high.judge(&five, false);
        assert_eq!((floor.top(), jumps.len(), floor.holds(MAX_NUMBER - 3)), (19, 2, true));
        let (floor, jumps) = high.judge(&five, true);
        assert_eq!((floor.top(), jumps.len()), (MAX_NUMBER - 3, 0));
        // A jump of the log is followed by the same word.
        let jumped = log(&[&[5], &[90_000]]);
        assert_eq!(found(&[], &[]).judge(&jumped, true).0.top(), 90_000);
        let (floor, jumps) = found(&[], &[]).judge(&jumped, false);
        assert_eq!((floor.top(), jumps.into_iter().collect::<Vec<_>>()), (5, vec![90_000]));
        // A lower source never lowers the log.
        assert_eq!(found(&[2], &[]).judge(&five, false).0.top(), 5);
    }

    #[test]
    fn without_a_log_the_distance_counts_from_the_next_lower_number() {
        let none = Floor::default();
        let top = |own: &[u64], others: &[u64]| found(own, others).judge(&none, false).0.top();
        assert_eq!(top(&[3, 7], &[9, MAX_NUMBER]), 9);
        assert_eq!(top(&[3, 7], &[MAX_NUMBER - 1, MAX_NUMBER]), 7);
        assert_eq!(top(&[202_601_101_200], &[]), 0);
        assert_eq!(top(&[20_001, 20_002], &[20_003]), 20_003);
        assert_eq!(top(&[20_001, MAX_NUMBER], &[]), 20_001);
        assert_eq!(top(&[], &[MAX_NUMBER - 1, MAX_NUMBER]), 0);
        assert_eq!(top(&[JUMP], &[2 * JUMP]), 2 * JUMP);
    }

    #[test]
    fn a_number_of_a_pull_request_is_passed_over_and_no_floor() {
        let mut found = found(&[5], &[]);
        found.request(7);
        found.request(6);
        let (floor, jumps) = found.judge(&log(&[&[5]]), false);
        assert_eq!((floor.next(2), jumps.len()), (Some(vec![8, 9]), 0));
        assert_eq!(found.judge(&Floor::default(), true).0.next(1), Some(vec![8]));
    }
}
