//! What the commands share that look into a ledger: its fold, its events, and how their parts are shown.

use super::console::{AGENT, styled};
use super::context::{Context, Ledger};
use super::error::CliError;
use crate::event::{Event, Label, Origin, Payload};
use crate::ledger::escape::{escape, escape_file_name};
use crate::store::{Folded, Reading, fold_ledger, read_ledger};
use serde_json::{Value, json};

pub(super) fn fold(context: &Context<'_>, ledger: &Ledger) -> Result<Folded, CliError> {
    Ok(fold_ledger(&ledger.dir, context.schema(), &context.hidden(ledger))?)
}

pub(super) fn readings(context: &Context<'_>, ledger: &Ledger) -> Result<Vec<Reading>, CliError> {
    Ok(read_ledger(&ledger.dir, context.schema(), &context.hidden(ledger))?.1)
}

pub(super) fn by(origin: &Origin) -> String {
    styled(&format!("({})", escape(&origin.stamp.agent)), AGENT)
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

pub(super) fn origin_json(origin: &Origin) -> Value {
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
