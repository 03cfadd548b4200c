//! What the commands share that look into a ledger: its fold, its events, and how their parts are shown.

use super::console::{AGENT, WARNING, styled};
use super::context::{Context, Ledger};
use super::error::CliError;
use super::origins::counted;
use crate::event::{Event, EventId, Label, Origin, Payload};
use crate::ledger::escape::{escape, escape_file_name};
use crate::session::outsiders::Outsiders;
use crate::store::{Folded, Reading, fold_ledger, read_ledger};
use crate::trust::grants::agent_mark;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The events of outsiders among those that are shown.
#[derive(Debug, Default)]
pub(super) struct Outside(BTreeSet<EventId>);

impl Outside {
    /// Whether an outsider wrote what has this origin.
    pub(super) fn has(&self, origin: &Origin) -> bool {
        self.0.contains(&origin.stamp.id)
    }

    /// The mark behind an agent's name.
    pub(super) fn mark(&self, origin: &Origin) -> String {
        if self.has(origin) { format!(" {}", styled("[outside]", WARNING)) } else { String::new() }
    }

    /// The agent that wrote it, with a mark where that is an outsider.
    pub(super) fn by(&self, origin: &Origin) -> String {
        styled(&format!("({})", escape(&origin.stamp.agent)), AGENT) + &self.mark(origin)
    }

    /// The origin for programs.
    pub(super) fn json(&self, origin: &Origin) -> Value {
        let mut shown = origin_json(origin);
        if let (true, Some(object)) = (self.has(origin), shown.as_object_mut()) {
            object.insert("outside".to_owned(), Value::Bool(true));
        }
        shown
    }
}

/// The fold of a ledger, and which of its events outsiders wrote; an agent gets the fold without those.
pub(super) fn fold(context: &Context<'_>, ledger: &Ledger) -> Result<(Folded, Outside), CliError> {
    let outsiders = context.outsiders(ledger)?;
    if outsiders.is_empty() {
        return Ok((fold_ledger(&ledger.dir, context.schema(), &context.hidden(ledger))?, Outside::default()));
    }
    let (listing, readings) = read_ledger(&ledger.dir, context.schema(), &context.hidden(ledger))?;
    let (readings, outside) = marked(&outsiders, readings);
    Ok((Folded::new(listing, readings, context.schema()), outside))
}

/// The events of a ledger, and which of them outsiders wrote; an agent gets those of the others only.
pub(super) fn readings(context: &Context<'_>, ledger: &Ledger) -> Result<(Vec<Reading>, Outside), CliError> {
    let outsiders = context.outsiders(ledger)?;
    let readings = read_ledger(&ledger.dir, context.schema(), &context.hidden(ledger))?.1;
    Ok(marked(&outsiders, readings))
}

fn marked(outsiders: &Outsiders, mut readings: Vec<Reading>) -> (Vec<Reading>, Outside) {
    let id_of = |reading: &Reading| {
        let event = reading.result.as_ref().ok()?;
        let id = event.origin.stamp.id;
        outsiders.wrote(&reading.source, &id).then_some(id)
    };
    let outside: BTreeSet<EventId> = readings.iter().filter_map(id_of).collect();
    if agent_mark().is_some() {
        // The name of an unreadable file is an author's word, too.
        readings.retain(|reading| match &reading.result {
            Ok(event) => !outside.contains(&event.origin.stamp.id),
            Err(_) => !outsiders.has_file(&reading.source),
        });
    }
    (readings, Outside(outside))
}

/// Reports to an agent what it did not get.
pub(super) fn report_left_out(context: &Context<'_>, outside: &Outside) {
    if !outside.0.is_empty() && agent_mark().is_some() {
        context.console.warning(&format!(
            "{} from outside left out: neither this clone, the default branch nor an own remote has them",
            counted(outside.0.len(), "event")
        ));
    }
}

pub(super) fn shown(value: Option<&str>) -> String {
    match value {
        None => "(removed)".to_owned(),
        Some("") => "(empty)".to_owned(),
        Some(text) => escape(text),
    }
}

pub(super) fn label(label: &Label) -> String {
    match label {
        Label::Text(text) => escape(text),
        Label::Phase { phase, status, rest } => {
            let status = status.as_deref().map(|status| format!(" {}", escape(status))).unwrap_or_default();
            let rest = if rest.is_empty() { String::new() } else { format!(" ({})", escape(rest)) };
            format!("Phase {}:{status}{rest}", escape(phase))
        }
    }
}

fn origin_json(origin: &Origin) -> Value {
    json!({"agent": origin.stamp.agent, "ts": origin.stamp.ts.to_string(), "event": origin.stamp.id.to_hex(), "branch": origin.meta.branch})
}

/// The readable events, with the file that holds each.
pub(super) fn events(readings: Vec<Reading>) -> Vec<(Event, String)> {
    let file = |reading: &Reading| {
        let name = escape_file_name(&reading.source.name);
        match &reading.source.pack {
            Some(pack) => format!("{name} in {}", escape_file_name(pack.as_bytes())),
            None if name.starts_with("archive/") => name,
            None => format!("events/{name}"),
        }
    };
    readings
        .into_iter()
        .filter_map(|reading| {
            let file = file(&reading);
            Some((reading.result.ok()?, file))
        })
        .collect()
}

/// One phrase for an event: what it says of now, else the first thing that it says.
pub(super) fn headline(event: &Event) -> Option<String> {
    let text = |payload: &Payload| match payload {
        Payload::Text(text) => Some(text.clone()),
        Payload::Items(items) => items.first().cloned(),
        Payload::Entries(entries) => entries.first().map(|(key, value)| match value {
            Some(value) => format!("{key}: {value}"),
            None => format!("{key} removed"),
        }),
        Payload::Steps(steps) => steps.first().map(|step| label(&step.label)),
    };
    let now = event.writes.iter().find(|write| write.section == "now");
    now.or_else(|| event.writes.first()).and_then(|write| text(&write.payload))
}
