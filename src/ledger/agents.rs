//! Who was merged: the agents of a state on their branches, newest first, each with what it said last.

use super::State;
use super::rule::SectionState;
use crate::event::{Origin, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// One agent on one branch.
#[derive(Debug, serde::Serialize)]
pub struct Agent {
    /// Its name.
    #[serde(rename = "agent")]
    pub name: String,
    /// How many events it wrote there.
    pub events: usize,
    /// The instant of the last of them.
    pub last_seen: String,
    /// The branch, if its events name one.
    pub branch: Option<String>,
    /// Its latest `now` there.
    pub now: Option<String>,
    #[serde(skip)]
    latest: Timestamp,
}

/// The agents of a state, once for each branch; the one that wrote last comes first.
#[must_use]
pub fn agents(state: &State) -> Vec<Agent> {
    let mut seen: BTreeMap<_, (usize, Timestamp)> = BTreeMap::new();
    for origin in state.events().values() {
        let (count, latest) = seen.entry(place(origin)).or_insert((0, origin.stamp.ts));
        *count += 1;
        *latest = origin.stamp.ts.max(*latest);
    }
    let mut said: BTreeMap<_, &str> = BTreeMap::new();
    if let Some(SectionState::Register(writes)) = state.section("now") {
        for (origin, text) in writes.newest_first() {
            if let Some(text) = text {
                said.entry(place(origin)).or_insert(text);
            }
        }
    }
    let agent = |(place, (events, latest)): ((&str, Option<&str>), (usize, Timestamp))| {
        let now = said.get(&place).map(|text| (*text).to_owned());
        let (name, branch) = (place.0.to_owned(), place.1.map(ToOwned::to_owned));
        Agent { name, events, last_seen: latest.to_string(), branch, now, latest }
    };
    let mut agents: Vec<Agent> = seen.into_iter().map(agent).collect();
    // Stable, so that equally new ones stay in the order of their names and branches.
    agents.sort_by_key(|agent| Reverse(agent.latest));
    agents
}

/// How many agents there are, on however many branches.
#[must_use]
pub fn distinct(agents: &[Agent]) -> usize {
    agents.iter().map(|agent| &agent.name).collect::<BTreeSet<_>>().len()
}

/// The agent and the branch of an event.
fn place(origin: &Origin) -> (&str, Option<&str>) {
    (&origin.stamp.agent, origin.meta.branch.as_deref())
}
