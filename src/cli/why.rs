//! `headwater why`: every write of a line, and what became of it.

use super::args::WhyArgs;
use super::console::{AGENT, styled};
use super::context::{Context, Ledger};
use super::error::{CliError, Exit};
use super::inspect::{events, fold, label, origin_json, readings, shown};
use super::origins::phrase;
use crate::event::schema::{Identity, Merge, Section};
use crate::event::{Event, Origin, Payload};
use crate::ledger::escape::escape;
use crate::ledger::{Contested, Rows, View};
use serde_json::{Value, json};

/// A write of a section, as `why` explains it.
struct Explained {
    origin: std::sync::Arc<Origin>,
    file: String,
    key: Option<String>,
    value: Option<String>,
    closes: bool,
}

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &WhyArgs) -> Result<Exit, CliError> {
    let schema = context.schema();
    let default = Section::new(&args.section, &args.section, Merge::Set);
    let section = schema.section(&args.section).unwrap_or(&default);
    let readings = readings(context, ledger)?;
    let mut writes: Vec<Explained> = events(readings)
        .iter()
        .flat_map(|(event, file)| explained(event, file, section, args.key.as_deref()))
        .collect();
    writes.sort_by(|a, b| (&a.key, &b.origin, &a.file).cmp(&(&b.key, &a.origin, &b.file)));
    let folded = fold(context, ledger)?;
    let view = View::new(&folded.state, folded.unreadable.clone(), schema);
    let rows = view.sections.iter().find(|shown| shown.name == section.name).map(|section| &section.rows);
    let verdicts: Vec<&str> = (0..writes.len()).map(|position| verdict(&writes, position, section, rows)).collect();
    if context.console.json {
        let entry = |(write, verdict): (&Explained, &&str)| json!({"verdict": verdict, "by": origin_json(&write.origin), "file": write.file, "key": write.key, "value": write.value});
        let writes: Vec<Value> = writes.iter().zip(&verdicts).map(entry).collect();
        context.console.json(
            &json!({"schema": "headwater.why/1", "ledger": ledger.name, "section": args.section, "writes": writes}),
        )?;
        return Ok(Exit::Done);
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
            "{key}{}\n    {verdict}; {}  {agent}{branch}  {}",
            shown(write.value.as_deref()),
            stamp.ts,
            write.file
        );
        context.console.result(&text)?;
    }
    Ok(Exit::Done)
}

/// The writes of one event to a section, or to one line of it.
fn explained(event: &Event, file: &str, section: &Section, wanted: Option<&str>) -> Vec<Explained> {
    let same = |text: &str| {
        wanted.is_none_or(|wanted| match section.identity {
            Identity::Exact if section.merge == Merge::Set => wanted.trim() == text.trim(),
            Identity::Exact | Identity::Words => {
                crate::event::text::collapse(wanted) == crate::event::text::collapse(text)
            }
        })
    };
    let make = |key: Option<String>, value: Option<String>, closes: bool| Explained {
        origin: std::sync::Arc::clone(&event.origin),
        file: file.to_owned(),
        key,
        value,
        closes,
    };
    let mut found = Vec::new();
    for write in &event.writes {
        let closes = section.closed_by.as_deref() == Some(&write.section);
        if write.section != section.name && !closes {
            continue;
        }
        match &write.payload {
            Payload::Text(text) => found.push(make(None, Some(text.clone()), false)),
            Payload::Entries(entries) => {
                found.extend(
                    entries
                        .iter()
                        .filter(|(key, _)| same(key))
                        .map(|(key, value)| make(Some(key.clone()), value.clone(), false)),
                );
            }
            Payload::Items(items) => {
                found.extend(
                    items
                        .iter()
                        .filter(|text| same(text))
                        .map(|text| make(Some(text.clone()), Some(text.clone()), closes)),
                );
            }
            Payload::Steps(steps) => {
                let texts = steps.iter().map(|step| label(&step.label)).filter(|text| same(text));
                found.extend(texts.map(|text| make(None, Some(text), false)));
            }
        }
    }
    found
}

/// What became of a write, and by which rule. The writes of one key stand together, newest first.
fn verdict(writes: &[Explained], position: usize, section: &Section, rows: Option<&Rows<'_>>) -> &'static str {
    let Some(write) = writes.get(position) else { return "" };
    let same_key = |other: &&Explained| other.key == write.key;
    let newest = writes.iter().find(same_key).is_some_and(|first| first.origin == write.origin);
    match section.merge {
        Merge::Register | Merge::Map if newest && write.value.is_none() => "won: a removal with the highest stamp",
        Merge::Register | Merge::Map if newest => "won: the highest stamp",
        Merge::Register | Merge::Map => {
            let contested: &[Contested<'_>] = match rows {
                Some(Rows::Register(row)) => &row.contested,
                Some(Rows::Map(rows)) => {
                    rows.iter().find(|row| Some(row.key) == write.key.as_deref()).map_or(&[], |row| &row.contested)
                }
                _ => &[],
            };
            if contested.iter().any(|other| *other.origin == write.origin) {
                "contested: a lower stamp, but no later writer had seen it"
            } else {
                "superseded: a later write has a higher stamp"
            }
        }
        Merge::Set if write.closes => "closes it",
        Merge::Set => {
            let first = writes
                .iter()
                .rfind(|other| same_key(other) && !other.closes)
                .is_some_and(|first| first.origin == write.origin);
            let closed = writes.iter().take(position).any(|other| same_key(&other) && other.closes);
            match (first, closed) {
                (true, false) => "shown: the first write of it",
                (true, true) => "closed: the first write of it",
                (false, true) => "closed: the same item again",
                (false, false) => "the same item again",
            }
        }
        Merge::List => "shown: a list keeps everything",
    }
}
