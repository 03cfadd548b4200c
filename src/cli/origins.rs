//! Who was merged: the agents of a state, newest first, each with what it said last.

use crate::event::{Origin, Timestamp};
use crate::ledger::State;
use crate::ledger::escape::escape;
use crate::ledger::rule::SectionState;
use std::collections::BTreeMap;

/// One agent of a ledger.
#[derive(Debug, serde::Serialize)]
pub(super) struct Agent {
    #[serde(rename = "agent")]
    pub name: String,
    pub events: usize,
    pub last_seen: String,
    pub branch: Option<String>,
    /// Its latest `now`.
    pub now: Option<String>,
    #[serde(skip)]
    latest: Timestamp,
}

/// The agents of a state; the one that wrote last comes first.
pub(super) fn agents(state: &State) -> Vec<Agent> {
    let mut by_name: BTreeMap<&str, (usize, &Origin)> = BTreeMap::new();
    for origin in state.events().values() {
        let (count, newest) = by_name.entry(&origin.stamp.agent).or_insert((0, origin));
        *count += 1;
        if origin.stamp > newest.stamp {
            *newest = origin;
        }
    }
    let mut said: BTreeMap<&str, &str> = BTreeMap::new();
    if let Some(SectionState::Register(writes)) = state.section("now") {
        for (origin, text) in writes.newest_first() {
            if let Some(text) = text {
                said.entry(&origin.stamp.agent).or_insert(text);
            }
        }
    }
    let mut agents: Vec<Agent> = by_name
        .into_iter()
        .map(|(name, (events, newest))| Agent {
            name: name.to_owned(),
            events,
            last_seen: newest.stamp.ts.to_string(),
            branch: newest.meta.branch.clone(),
            now: said.get(name).map(|text| (*text).to_owned()),
            latest: newest.stamp.ts,
        })
        .collect();
    agents.sort_by(|a, b| b.latest.cmp(&a.latest).then_with(|| a.name.cmp(&b.name)));
    agents
}

/// A text for one line of a terminal: escaped, and cut to `limit` characters.
pub(super) fn phrase(text: &str, limit: usize) -> String {
    let shown = escape(text);
    if shown.chars().count() <= limit {
        return shown;
    }
    let cut: String = shown.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// `1 event`, `2 events`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
