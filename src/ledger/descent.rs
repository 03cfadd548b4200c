//! Who had seen whose write: ancestry in the graph that `parents` make (FORMAT §5).

use super::State;
use crate::event::EventId;
use std::collections::BTreeSet;

/// How many groups one walk over the graph answers for.
const LANES: usize = 256;
type Lanes = [u64; LANES / 64];

/// For each group of events, those of its members from which another member descends.
///
/// One walk from the newest events to the oldest carries a bit for each of [`LANES`] groups, so the
/// whole takes time proportional to the events, times a 256th of the groups.
pub(super) fn superseded(state: &State, groups: &[Vec<EventId>]) -> Vec<BTreeSet<EventId>> {
    if groups.is_empty() {
        return Vec::new();
    }
    let graph = Graph::new(state);
    groups.chunks(LANES).flat_map(|chunk| graph.superseded(chunk)).collect()
}

/// The events that have a `parents` key, and the parents among them, as positions.
struct Graph {
    ids: Vec<EventId>,
    parents: Vec<Vec<usize>>,
    /// Positions, parents before children; without those on a cycle or below one.
    order: Vec<usize>,
    /// The positions that `order` lacks.
    tangled: Vec<usize>,
}

impl Graph {
    fn new(state: &State) -> Self {
        let linked: Vec<_> = state.events().values().filter(|origin| origin.parents.is_some()).collect();
        let ids: Vec<EventId> = linked.iter().map(|origin| origin.stamp.id).collect();
        let resolve = |prefix| state.resolve(prefix).and_then(|id| ids.binary_search(&id).ok());
        let parents: Vec<Vec<usize>> = linked
            .iter()
            .map(|origin| {
                origin.parents.iter().flatten().filter_map(resolve).collect::<BTreeSet<_>>().into_iter().collect()
            })
            .collect();
        let (order, tangled) = sort(&parents);
        Self { ids, parents, order, tangled }
    }

    fn superseded(&self, groups: &[Vec<EventId>]) -> Vec<BTreeSet<EventId>> {
        let mut member = vec![Lanes::default(); self.ids.len()];
        for (lane, group) in groups.iter().enumerate() {
            for position in group.iter().filter_map(|id| self.ids.binary_search(id).ok()) {
                if let Some(bits) = member.get_mut(position).and_then(|lanes| lanes.get_mut(lane / 64)) {
                    *bits |= 1 << (lane % 64);
                }
            }
        }
        let above = self.ancestors(&member);
        let has = |position: usize, lane: usize| above.get(position).is_some_and(|lanes| bit(lanes, lane));
        let found = |lane: usize, group: &Vec<EventId>| {
            let is_superseded = |id: &&EventId| match self.ids.binary_search(id) {
                Err(_) => false,
                Ok(position) if self.tangled.contains(&position) => self.another_descends(position, group),
                Ok(position) => has(position, lane),
            };
            group.iter().filter(is_superseded).copied().collect()
        };
        groups.iter().enumerate().map(|(lane, group)| found(lane, group)).collect()
    }

    /// For each event, the groups of which a member descends from it.
    fn ancestors(&self, member: &[Lanes]) -> Vec<Lanes> {
        let mut above = vec![Lanes::default(); self.ids.len()];
        loop {
            let mut changed = false;
            for position in self.tangled.iter().chain(self.order.iter().rev()) {
                let (Some(own), Some(inherited)) = (member.get(*position), above.get(*position)) else { continue };
                let mut down = *own;
                down.iter_mut().zip(inherited).for_each(|(mine, theirs)| *mine |= theirs);
                if down == Lanes::default() {
                    continue;
                }
                for parent in self.parents.get(*position).into_iter().flatten() {
                    if let Some(lanes) = above.get_mut(*parent) {
                        let before = *lanes;
                        lanes.iter_mut().zip(down).for_each(|(mine, theirs)| *mine |= theirs);
                        changed |= *lanes != before;
                    }
                }
            }
            // Without cycles one walk is enough.
            if self.tangled.is_empty() || !changed {
                return above;
            }
        }
    }

    /// On a cycle an event is its own ancestor: look for *another* member above it.
    fn another_descends(&self, from: usize, group: &[EventId]) -> bool {
        let reaches = |id: &EventId| {
            let Ok(start) = self.ids.binary_search(id) else { return false };
            let mut seen = BTreeSet::new();
            let mut next = vec![start];
            while let Some(position) = next.pop() {
                for parent in self.parents.get(position).into_iter().flatten() {
                    if *parent == from {
                        return true;
                    }
                    if seen.insert(*parent) {
                        next.push(*parent);
                    }
                }
            }
            false
        };
        group.iter().filter(|id| self.ids.get(from) != Some(id)).any(reaches)
    }
}

fn bit(lanes: &Lanes, lane: usize) -> bool {
    lanes.get(lane / 64).is_some_and(|bits| bits >> (lane % 64) & 1 == 1)
}

/// Kahn's topological sort, parents first: the order, and what no order can hold.
fn sort(parents: &[Vec<usize>]) -> (Vec<usize>, Vec<usize>) {
    let mut children = vec![Vec::new(); parents.len()];
    let mut waiting: Vec<usize> = parents.iter().map(Vec::len).collect();
    for (child, parents) in parents.iter().enumerate() {
        for parent in parents {
            if let Some(children) = children.get_mut(*parent) {
                children.push(child);
            }
        }
    }
    let mut order: Vec<usize> = (0..parents.len()).filter(|position| waiting.get(*position) == Some(&0)).collect();
    let mut done = 0;
    while let Some(position) = order.get(done).copied() {
        done += 1;
        for child in children.get(position).into_iter().flatten() {
            if let Some(left) = waiting.get_mut(*child) {
                *left -= 1;
                if *left == 0 {
                    order.push(*child);
                }
            }
        }
    }
    let tangled = (0..parents.len()).filter(|position| waiting.get(*position) != Some(&0)).collect();
    (order, tangled)
}
