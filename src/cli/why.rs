//! `headwater why`: every write of a line, and what became of it.

use super::args::WhyArgs;
use super::console::{AGENT, styled};
use super::context::{Context, Ledger};
use super::error::{CliError, Exit};
use super::inspect::{events, fold, label, readings, report_left_out, shown};
use super::origins::phrase;
use crate::event::schema::{Identity, Merge, Section};
use crate::event::{Event, EventId, Origin, Payload};
use crate::ledger::escape::escape;
use crate::ledger::rule::{Item, SectionState, Writes, identify};
use crate::ledger::{State, contested};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A write of a section, as `why` explains it.
struct Explained {
    origin: Arc<Origin>,
    file: String,
    /// The key of a map, or the identity of a set's item.
    key: Option<String>,
    value: Option<String>,
    /// Its place among the items of its event.
    place: usize,
    closes: bool,
}

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &WhyArgs) -> Result<Exit, CliError> {
    let schema = context.schema();
    let default = Section::new(&args.section, &args.section, Merge::Set);
    let section = schema.section(&args.section).unwrap_or(&default);
    let (readings, outside) = readings(context, ledger)?;
    report_left_out(context, &outside);
    let mut writes: Vec<Explained> = events(readings)
        .iter()
        .flat_map(|(event, file)| explained(event, file, section, args.key.as_deref()))
        .collect();
    writes.sort_by(|a, b| (&a.key, &b.origin, b.place, &a.file).cmp(&(&b.key, &a.origin, a.place, &b.file)));
    let (folded, _) = fold(context, ledger)?;
    let standing = Standing::of(&folded.state, &section.name);
    let verdicts: Vec<&str> = writes.iter().map(|write| standing.verdict(write)).collect();
    if context.console.json {
        let entry = |(write, verdict): (&Explained, &&str)| json!({"verdict": verdict, "by": outside.json(&write.origin), "file": write.file, "key": write.key, "value": write.value});
        let writes: Vec<Value> = writes.iter().zip(&verdicts).map(entry).collect();
        context.console.json(
            &json!({"schema": "headwater.why/1", "ledger": ledger.name, "section": args.section, "writes": writes}),
        )?;
        return Ok(if writes.is_empty() { Exit::Finding } else { Exit::Done });
    }
    if writes.is_empty() {
        let what = args.key.as_deref().map_or_else(|| args.section.clone(), |key| format!("{} `{key}`", args.section));
        context.console.notice(&format!("nobody wrote {what}"));
        return Ok(Exit::Finding);
    }
    for (write, verdict) in writes.iter().zip(verdicts) {
        let key = write
            .key
            .as_deref()
            .filter(|_| section.merge == Merge::Map)
            .map(|key| format!("{}: ", escape(key)))
            .unwrap_or_default();
        let stamp = &write.origin.stamp;
        let branch =
            write.origin.meta.branch.as_deref().map(|branch| format!(" on {}", phrase(branch, 40))).unwrap_or_default();
        let agent = styled(&phrase(&stamp.agent, 24), AGENT);
        let text = format!(
            "{key}{}\n    {verdict}; {}  {agent}{}{branch}  {}",
            shown(write.value.as_deref()),
            stamp.ts,
            outside.mark(&write.origin),
            write.file
        );
        context.console.result(&text)?;
    }
    Ok(Exit::Done)
}

/// The writes of one event to a section, or to one line of it.
fn explained(event: &Event, file: &str, section: &Section, wanted: Option<&str>) -> Vec<Explained> {
    // Keys of maps are collapsed, and items of lists are found by their words.
    let identity = if section.merge == Merge::Set { section.identity } else { Identity::Words };
    let identity_of = |text: &str| identify(text.trim().to_owned(), identity);
    let wanted = wanted.map(identity_of);
    let same = |text: &str| wanted.as_ref().is_none_or(|wanted| *wanted == identity_of(text));
    let make = |key: Option<String>, value: Option<String>, place: usize, closes: bool| Explained {
        origin: Arc::clone(&event.origin),
        file: file.to_owned(),
        key,
        value,
        place,
        closes,
    };
    let mut found = Vec::new();
    for write in &event.writes {
        let closes = section.closed_by.as_deref() == Some(&write.section);
        if write.section != section.name && !closes {
            continue;
        }
        match &write.payload {
            Payload::Text(text) => found.push(make(None, Some(text.clone()), 0, false)),
            Payload::Entries(entries) => {
                let entries = entries.iter().filter(|(key, _)| same(key));
                found.extend(entries.map(|(key, value)| make(Some(key.clone()), value.clone(), 0, false)));
            }
            Payload::Items(items) => {
                let items = items.iter().enumerate().filter(|(_, text)| same(text));
                found.extend(
                    items.map(|(place, text)| make(Some(identity_of(text)), Some(text.clone()), place, closes)),
                );
            }
            Payload::Steps(steps) => {
                let texts = steps.iter().map(|step| label(&step.label)).enumerate().filter(|(_, text)| same(text));
                found.extend(texts.map(|(place, text)| make(None, Some(text), place, false)));
            }
        }
    }
    found
}

/// What a section amounts to, as far as it says what became of a write.
struct Standing<'a> {
    state: Option<&'a SectionState>,
    /// Contested writes, by key and event.
    contested: BTreeSet<(Option<&'a str>, EventId)>,
}

impl<'a> Standing<'a> {
    fn of(state: &'a State, section: &str) -> Self {
        let section = state.section(section);
        let registers: Vec<(Option<&str>, &Writes)> = match section {
            Some(SectionState::Register(writes)) => vec![(None, writes)],
            Some(SectionState::Map(keys)) => keys.iter().map(|(key, writes)| (Some(key.as_str()), writes)).collect(),
            Some(SectionState::Set(_) | SectionState::List(_)) | None => Vec::new(),
        };
        let writes: Vec<&Writes> = registers.iter().map(|(_, writes)| *writes).collect();
        let contested = registers.iter().zip(contested(state, &writes));
        let contested = contested.flat_map(|((key, _), events)| events.into_iter().map(|event| (*key, event)));
        Self { state: section, contested: contested.collect() }
    }

    /// What became of a write, and by which rule.
    fn verdict(&self, write: &Explained) -> &'static str {
        let key = write.key.as_deref();
        let lww = |writes: Option<&Writes>| match writes.and_then(Writes::winner) {
            Some((winner, None)) if *winner == write.origin => "won: a removal with the highest stamp",
            Some((winner, _)) if *winner == write.origin => "won: the highest stamp",
            _ if self.contested.contains(&(key, write.origin.stamp.id)) => {
                "contested: a lower stamp, but no later writer had seen it"
            }
            _ => "superseded: a later write has a higher stamp",
        };
        match self.state {
            Some(SectionState::Register(writes)) => lww(Some(writes)),
            Some(SectionState::Map(keys)) => lww(key.and_then(|key| keys.get(key))),
            Some(SectionState::List(_)) => "shown: a list keeps everything",
            Some(SectionState::Set(set)) => {
                let item = key.and_then(|key| set.item(key));
                let first = item.and_then(Item::first) == Some((&write.origin, write.place));
                match (item.is_some_and(Item::is_open), write.closes, first) {
                    (true, true, _) => "closes it, but it was written again",
                    (false, true, _) => "closes it",
                    (true, false, true) => "shown: the first write of it",
                    (true, false, false) => "the same item again",
                    (false, false, true) => "closed: the first write of it",
                    (false, false, false) => "closed: the same item again",
                }
            }
            // A closing key by itself.
            None => "closes what it names",
        }
    }
}
