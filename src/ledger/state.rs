//! The join of all events.

use super::rule::SectionState;
use crate::bounds::cores;
use crate::crdt::Join;
use crate::event::schema::{Identity, Merge, Role, Schema};
use crate::event::{Event, EventId, IdPrefix, Origin, Payload, Timestamp, Write};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a set of events amounts to, section by section.
///
/// # Invariant
/// A join-semilattice, and [`State::insert`] is the join with one event's state: every order and
/// grouping of the same set of events, and every repetition, ends in an equal state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    events: BTreeMap<EventId, Arc<Origin>>,
    sections: BTreeMap<String, SectionState>,
}

impl State {
    /// Adds an event; one that is there already changes nothing.
    pub fn insert(&mut self, event: Event, schema: &Schema) {
        let Event { origin, writes } = event;
        if self.events.insert(origin.stamp.id, Arc::clone(&origin)).is_none() {
            for write in writes {
                self.write(&origin, write, schema);
            }
        }
    }

    fn write(&mut self, origin: &Arc<Origin>, write: Write, schema: &Schema) {
        let Write { section, payload } = write;
        if schema.role(&section) == Role::Closing {
            if let Payload::Items(items) = &payload {
                for closed in schema.closed_by(&section) {
                    if let Some(SectionState::Set(set)) = self.section_mut(&closed.name, Merge::Set) {
                        set.close(origin, items, closed.identity);
                    }
                }
            }
            return;
        }
        let (merge, identity) = schema
            .section(&section)
            .map_or((Merge::Set, Identity::Words), |declared| (declared.merge, declared.identity));
        let Some(state) = self.section_mut(&section, merge) else { return };
        match (state, payload) {
            (SectionState::Register(register), Payload::Text(text)) => register.write(Arc::clone(origin), Some(text)),
            (SectionState::Map(map), Payload::Entries(entries)) => {
                for (key, value) in entries {
                    map.entry(key).or_default().write(Arc::clone(origin), value);
                }
            }
            (SectionState::Set(set), Payload::Items(items)) => set.write(origin, items, identity),
            (SectionState::List(list), Payload::Steps(steps)) => list.write(origin, steps),
            // The codec reads a section by the same schema, so its payload is of the section's shape.
            (SectionState::Register(_) | SectionState::Map(_) | SectionState::Set(_) | SectionState::List(_), _) => {}
        }
    }

    fn section_mut(&mut self, name: &str, merge: Merge) -> Option<&mut SectionState> {
        // Looked up by reference first: nearly always it is there, and its name need not be copied.
        if !self.sections.contains_key(name) {
            self.sections.insert(name.to_owned(), SectionState::new(merge));
        }
        self.sections.get_mut(name)
    }

    /// The state of one section.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&SectionState> {
        self.sections.get(name)
    }

    /// All sections in byte order of their names.
    pub fn sections(&self) -> impl Iterator<Item = (&str, &SectionState)> {
        self.sections.iter().map(|(name, section)| (name.as_str(), section))
    }

    /// All events by their ids, in byte order.
    #[must_use]
    pub const fn events(&self) -> &BTreeMap<EventId, Arc<Origin>> {
        &self.events
    }

    /// The instant of the newest event.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        self.events.values().map(|origin| origin.stamp.ts).max()
    }

    /// The one event that `prefix` names; none where several do.
    #[must_use]
    pub fn resolve(&self, prefix: &IdPrefix) -> Option<EventId> {
        let mut matching = self.events.range(prefix.lowest()..).map(|(id, _)| *id).take_while(|id| prefix.matches(id));
        matching.next().filter(|_| matching.next().is_none())
    }

    /// The newest events that a writer who knows this state has seen: those with `parents` that are
    /// no other's parent, in the order of their stamps.
    #[must_use]
    pub fn heads(&self) -> Vec<&Arc<Origin>> {
        let linked = self.events.values().filter(|origin| origin.parents.is_some());
        let mut parents: Vec<EventId> = linked
            .clone()
            .flat_map(|origin| origin.parents.iter().flatten())
            .filter_map(|prefix| self.resolve(prefix))
            .collect();
        parents.sort_unstable();
        let mut heads: Vec<_> = linked.filter(|origin| parents.binary_search(&origin.stamp.id).is_err()).collect();
        heads.sort_unstable();
        heads
    }
}

/// Of how many events the join is done by one thread.
const FEW: usize = 32;

impl Join for State {
    fn join(&mut self, mut other: Self) {
        // Of few events a thread costs more than it saves.
        let spread = other.events.len() > FEW && cores::are_several();
        // Equal ids are equal events, so it does not matter whose origin stays.
        let mut events = || self.events.append(&mut other.events);
        // As the map's own join, with each section on a core of its own.
        let mut sections = || {
            let pairs: Vec<_> = self
                .sections
                .iter_mut()
                .filter_map(|(name, mine)| other.sections.remove(name).map(|theirs| (mine, theirs)))
                .collect();
            if spread {
                pairs.into_par_iter().for_each(|(mine, theirs)| mine.join(theirs));
            } else {
                for (mine, theirs) in pairs {
                    mine.join(theirs);
                }
            }
            self.sections.append(&mut other.sections);
        };
        if spread {
            rayon::join(events, sections);
        } else {
            events();
            sections();
        }
    }
}
