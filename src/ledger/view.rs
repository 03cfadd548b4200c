//! The view: what is shown of a state, as rows. A pure query; nothing here is remembered.

use super::descent;
use super::escape::{escape, escape_title};
use super::rule::{SectionState, Writes};
use super::state::State;
use crate::event::schema::{Schema, Section};
use crate::event::text::{collapse, is_empty};
use crate::event::{Code, EventId, Label, Origin, Span, Timestamp, hex};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything that `current.md` shows.
#[derive(Debug)]
pub struct View<'a> {
    /// The sections that show anything, in the order of the view.
    pub sections: Vec<SectionView<'a>>,
    /// The events that cannot be read, in byte order of their names.
    pub unreadable: Vec<Unreadable>,
    /// The metadata.
    pub footer: Footer,
}

/// A file, or an entry of a pack, that cannot be read as an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// `name.md`, `archive/<day>/<name>`, or `archive/<day>/<pack>/<name>`, as bytes.
    pub name: Vec<u8>,
    /// Why.
    pub code: Code,
    /// Which entry of its pack it is: two may have one name.
    pub entry: usize,
}

/// As the view shows them: by name, then by the code's own name.
impl Ord for Unreadable {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |row: &Self| (row.code.as_str(), row.entry);
        self.name.cmp(&other.name).then_with(|| key(self).cmp(&key(other)))
    }
}

impl PartialOrd for Unreadable {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The metadata at the end of the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// Distinct events, archived ones too.
    pub event_count: usize,
    /// The newest event's ts.
    pub latest_ts: Option<Timestamp>,
    /// SHA-256 of the ids, each followed by LF, in byte order.
    pub events_sha256: String,
}

/// One section of the view.
#[derive(Debug)]
pub struct SectionView<'a> {
    /// Its name in events.
    pub name: &'a str,
    /// Its title, not yet escaped.
    pub title: String,
    /// Whether the configuration declares it.
    pub declared: bool,
    /// Whether it is undeclared and has the title of one that is not.
    pub namesake: bool,
    /// Whether its items stand under the day, agent and branch of their events.
    pub grouped: bool,
    /// What it shows.
    pub rows: Rows<'a>,
}

/// What a section shows, by its merge rule.
#[derive(Debug)]
pub enum Rows<'a> {
    /// A register.
    Register(RegisterRow<'a>),
    /// A map, in byte order of the keys, and how many are left out by `show`.
    Map(usize, Vec<MapRow<'a>>),
    /// A set, in the order of the first writes, and how many are left out by `show`.
    Items(usize, Vec<ItemRow<'a>>),
    /// A list, in the order of time, and how many are left out by `show`.
    Steps(usize, Vec<StepRow<'a>>),
}

/// A register's winner and the writes that nobody who wrote later had seen.
#[derive(Debug)]
pub struct RegisterRow<'a> {
    /// The winning text.
    pub text: &'a str,
    /// Who wrote it.
    pub origin: &'a Arc<Origin>,
    /// Contested writes, highest stamp first.
    pub contested: Vec<Contested<'a>>,
}

/// A map's key with its winner.
#[derive(Debug)]
pub struct MapRow<'a> {
    /// The key.
    pub key: &'a str,
    /// The winning value; `None` is a removal, shown only where it is contested.
    pub value: Option<&'a str>,
    /// Who wrote it.
    pub origin: &'a Arc<Origin>,
    /// Contested writes, highest stamp first.
    pub contested: Vec<Contested<'a>>,
}

/// A concurrent write that did not win.
#[derive(Debug)]
pub struct Contested<'a> {
    /// Its value; `None` is a removal.
    pub value: Option<&'a str>,
    /// Who wrote it.
    pub origin: &'a Arc<Origin>,
}

/// An item of a set.
#[derive(Debug)]
pub struct ItemRow<'a> {
    /// Its text.
    pub text: &'a str,
    /// Who wrote it first.
    pub origin: &'a Arc<Origin>,
}

/// An item of a list.
#[derive(Debug)]
pub struct StepRow<'a> {
    /// Its time.
    pub time: Timestamp,
    /// What it says.
    pub label: &'a Label,
    /// Who wrote it.
    pub origin: &'a Arc<Origin>,
}

impl<'a> View<'a> {
    /// Folds a state into its view.
    #[must_use]
    pub fn new(state: &'a State, unreadable: BTreeSet<Unreadable>, schema: &'a Schema) -> Self {
        let mut contests = Contests::default();
        let latest = state.latest();
        let declared = schema.sections().iter().filter_map(|section| {
            let rows = Rows::new(state.section(&section.name)?, Some(section), latest, &mut contests)?;
            let (name, title) = (&section.name, section.title.clone());
            Some(SectionView { name, title, declared: true, namesake: false, grouped: section.grouped, rows })
        });
        let mut sections: Vec<_> = declared.collect();
        let taken: BTreeSet<String> = schema.sections().iter().map(|section| folded_title(&section.title)).collect();
        sections.extend(state.sections().filter(|(name, _)| schema.section(name).is_none()).filter_map(
            |(name, section)| {
                let rows = Rows::new(section, None, latest, &mut contests)?;
                let title = undeclared_title(name);
                let folded = folded_title(&title);
                let namesake = folded == UNREADABLE || taken.contains(&folded);
                Some(SectionView { name, title, declared: false, namesake, grouped: false, rows })
            },
        ));
        contests.settle(state, &mut sections);
        sections.retain_mut(|section| section.rows.limit(schema.section(section.name), latest));
        Self { sections, unreadable: unreadable.into_iter().collect(), footer: Footer::new(state) }
    }
}

impl Footer {
    fn new(state: &State) -> Self {
        let mut hasher = Sha256::new();
        for id in state.events().keys() {
            hasher.update(id.to_hex());
            hasher.update("\n");
        }
        Self { event_count: state.events().len(), latest_ts: state.latest(), events_sha256: hex(&hasher.finalize()) }
    }
}

impl SectionView<'_> {
    /// The title as the view shows it.
    #[must_use]
    pub fn heading(&self) -> String {
        match (self.declared, self.namesake) {
            (true, _) => self.title.clone(),
            (false, true) => format!("{} (undeclared)", escape_title(&self.title)),
            (false, false) => escape_title(&self.title),
        }
    }
}

/// The title of the last section, as [`folded_title`] has it.
const UNREADABLE: &str = "unreadable events";

/// What makes two titles look the same.
fn folded_title(title: &str) -> String {
    collapse(title).to_ascii_lowercase()
}

impl<'a> Rows<'a> {
    /// The rows of a section, before contests are settled: `None` where there is nothing to show.
    fn new(
        state: &'a SectionState,
        section: Option<&Section>,
        latest: Option<Timestamp>,
        contests: &mut Contests,
    ) -> Option<Self> {
        let window = section.and_then(|section| section.show).zip(latest);
        match state {
            SectionState::Register(writes) => {
                let (origin, text) = writes.winner()?;
                let contested = contests.candidates(writes);
                Some(Self::Register(RegisterRow { text: text.as_deref().unwrap_or_default(), origin, contested }))
            }
            SectionState::Map(keys) => {
                let row = |(key, writes): (&'a String, &'a Writes)| {
                    let (origin, value) = writes.winner()?;
                    Some(MapRow { key, value: value.as_deref(), origin, contested: contests.candidates(writes) })
                };
                Some(Self::Map(0, keys.iter().filter_map(row).collect()))
            }
            SectionState::Set(set) => {
                let mut items = set.open_items();
                let all = items.len();
                items.retain(|(_, item)| item.last().is_some_and(|last| in_window(last.stamp.ts, window)));
                let row =
                    |(text, item): &(&'a str, &'a super::rule::Item)| Some(ItemRow { text, origin: item.first()?.0 });
                (all > 0).then(|| Self::Items(all - items.len(), items.iter().filter_map(row).collect()))
            }
            SectionState::List(list) => {
                let all = list.moments().count();
                let shown = list.moments().filter(|moment| in_window(moment.time, window));
                let rows: Vec<_> = shown
                    .map(|moment| StepRow { time: moment.time, label: &moment.label, origin: &moment.origin })
                    .collect();
                (all > 0).then(|| Self::Steps(all - rows.len(), rows))
            }
        }
    }
}

impl Rows<'_> {
    /// Leaves out the keys of a map that are removed, or older than its window; false where no row is left.
    fn limit(&mut self, section: Option<&Section>, latest: Option<Timestamp>) -> bool {
        let Self::Map(earlier, rows) = self else { return true };
        rows.retain(|row| row.value.is_some() || !row.contested.is_empty());
        let all = rows.len();
        let window = section.and_then(|section| section.show).zip(latest);
        rows.retain(|row| in_window(row.origin.stamp.ts, window));
        *earlier = all - rows.len();
        all > 0
    }
}

fn in_window(time: Timestamp, window: Option<(Span, Timestamp)>) -> bool {
    window.is_none_or(|(span, latest)| time.unix_nanos() >= latest.nanos_before(span))
}

/// The title of an undeclared section.
#[must_use]
pub fn undeclared_title(key: &str) -> String {
    let mut after_space = true;
    let capital = |character: char| {
        let character = if matches!(character, '_' | '-') { ' ' } else { character };
        let capital = if after_space { character.to_ascii_uppercase() } else { character };
        after_space = character == ' ';
        capital
    };
    let title: String = key.chars().map(capital).collect();
    if is_empty(&title) { key.to_owned() } else { title }
}

/// For each of these registers of a state, the events whose writes are contested, those of equal values too.
#[must_use]
pub fn contested(state: &State, registers: &[&Writes]) -> Vec<BTreeSet<EventId>> {
    let mut contests = Contests::default();
    let candidates: Vec<_> = registers.iter().map(|writes| contests.candidates(writes)).collect();
    let mut superseded = descent::superseded(state, &contests.groups).into_iter();
    let settle = |candidates: Vec<Contested<'_>>| {
        let seen = if candidates.is_empty() { None } else { superseded.next() }.unwrap_or_default();
        candidates.iter().map(|write| write.origin.stamp.id).filter(|id| !seen.contains(id)).collect()
    };
    candidates.into_iter().map(settle).collect()
}

/// The registers with writes that may be contested: found row by row, settled in one walk over the
/// graph of events.
#[derive(Default)]
struct Contests {
    /// For each register with candidates, the events of all its writes that have `parents`.
    groups: Vec<Vec<EventId>>,
}

impl Contests {
    /// The writes that are contested unless someone who wrote later had seen them.
    fn candidates<'a>(&mut self, writes: &'a Writes) -> Vec<Contested<'a>> {
        let Some((winner, winning)) =
            writes.winner().filter(|(origin, _)| writes.len() > 1 && origin.parents.is_some())
        else {
            return Vec::new();
        };
        let shown = winning.as_deref().map(escape);
        let candidates: Vec<_> = writes
            .newest_first()
            .filter(|(origin, value)| {
                origin != winner && origin.parents.is_some() && value.as_deref().map(escape) != shown
            })
            .map(|(origin, value)| Contested { value: value.as_deref(), origin })
            .collect();
        if !candidates.is_empty() {
            let linked = writes.newest_first().filter(|(origin, _)| origin.parents.is_some());
            self.groups.push(linked.map(|(origin, _)| origin.stamp.id).collect());
        }
        candidates
    }

    /// Drops the candidates that somebody had seen, and equal values but the first.
    fn settle(self, state: &State, sections: &mut [SectionView<'_>]) {
        // The groups were made in the order in which the rows stand.
        let mut superseded = descent::superseded(state, &self.groups).into_iter();
        let mut settle = |contested: &mut Vec<Contested<'_>>| {
            if contested.is_empty() {
                return;
            }
            let seen = superseded.next().unwrap_or_default();
            let mut values = BTreeSet::new();
            contested.retain(|write| !seen.contains(&write.origin.stamp.id) && values.insert(write.value.map(escape)));
        };
        for section in sections {
            match &mut section.rows {
                Rows::Register(row) => settle(&mut row.contested),
                Rows::Map(_, rows) => rows.iter_mut().for_each(|row| settle(&mut row.contested)),
                Rows::Items(..) | Rows::Steps(..) => {}
            }
        }
    }
}
