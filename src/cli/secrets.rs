//! Secrets in what the commands write and check: masked, or named by place and rule, never shown.

use super::console::Console;
use super::error::CliError;
use crate::event::decode::id_of;
use crate::event::yaml::{Entry, Node, Value};
use crate::event::{EventId, IdPrefix, Place};
use crate::ledger::escape::{escape, escape_file_name};
use crate::ledger::pack::{self, is_pack_name};
use crate::secrets::{Certainty, find, mask_at_least};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// What to do about a secret in an event.
pub(super) const REMEDY: &str = "change the secret first, then remove it from the event as docs/secrets.md describes";

/// Masks the fields of one event and remembers what it masked.
pub(super) struct Masker {
    keeps: bool,
    found: Vec<(String, &'static str)>,
}

impl Masker {
    /// One that masks, unless secrets are kept on purpose.
    pub(super) const fn new(keeps: bool) -> Self {
        Self { keeps, found: Vec::new() }
    }

    /// A field without the secrets that are at least so certain.
    pub(super) fn text<'a>(&mut self, field: &str, text: impl Into<Cow<'a, str>>, least: Certainty) -> Cow<'a, str> {
        let text = text.into();
        if self.keeps {
            return text;
        }
        let masked = mask_at_least(&text, least);
        if masked.rules.is_empty() {
            return text;
        }
        self.found.extend(masked.rules.iter().map(|rule| (field.to_owned(), *rule)));
        Cow::Owned(masked.text.into_owned())
    }

    /// The entries of a body, each under its key.
    pub(super) fn entries<'a>(&mut self, within: &str, entries: Vec<Entry<'a>>) -> Vec<Entry<'a>> {
        let mut entry = |entry: Entry<'a>| {
            // A removal names what is there already.
            if matches!(entry.node.value, Value::Absent) {
                return entry;
            }
            let key = self.text(&format!("a key of {within}"), entry.key, Certainty::Certain);
            let field = if within == "the body" { key.clone().into_owned() } else { format!("{within}.{key}") };
            let node = self.node(&field, entry.node);
            Entry { key, node, ..entry }
        };
        entries.into_iter().map(&mut entry).collect()
    }

    fn node<'a>(&mut self, field: &str, node: Node<'a>) -> Node<'a> {
        let value = match node.value {
            Value::Absent => Value::Absent,
            Value::Scalar(text) => Value::Scalar(self.text(field, text, Certainty::Certain)),
            Value::List(nodes) => Value::List(nodes.into_iter().map(|node| self.node(field, node)).collect()),
            Value::Mapping(entries) => Value::Mapping(self.entries(field, entries)),
        };
        Node { value, ..node }
    }

    /// Reports what was masked.
    pub(super) fn report(&self, console: &Console) {
        for (field, rule) in &self.found {
            console.warning(&format!(
                "a secret in {} was masked (`{rule}`); `--keep-secrets` keeps it, see docs/secrets.md",
                escape(field)
            ));
        }
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Vec<Json> {
        self.found.iter().map(|(field, rule)| json!({"field": escape(field), "rule": rule})).collect()
    }
}

/// A secret in an event: where, and by which rule.
pub(super) struct Found {
    /// The file, and the pack that holds it.
    pub file: String,
    pub id: EventId,
    pub place: Place,
    pub rule: &'static str,
    pub certainty: Certainty,
}

impl Found {
    /// What was found, without the secret.
    pub(super) fn detail(&self) -> String {
        let event = self.id.to_hex().get(..12).unwrap_or_default().to_owned();
        match self.certainty {
            Certainty::Certain => format!("event {event} contains a secret (`{}`)", self.rule),
            Certainty::Likely => format!("event {event} contains what may be a secret (`{}`)", self.rule),
        }
    }

    /// The line of a report.
    pub(super) fn line(&self) -> String {
        let short = self.id.to_hex().get(..12).unwrap_or_default().to_owned();
        let allow = format!("or allow the event with `--allow-secret {short}`");
        format!("{}:{}: secret: {}; {REMEDY}, {allow}", self.file, self.place, self.detail())
    }

    pub(super) fn json(&self) -> Json {
        json!({"file": self.file, "event": self.id.to_hex(), "line": self.place.line, "column": self.place.column,
            "rule": self.rule})
    }
}

/// The secrets in the bytes of an event file or of a pack, but those of events that are known or allowed.
pub(super) fn in_file(name: &str, bytes: &[u8], least: Certainty, skip: impl Fn(&EventId) -> bool) -> Vec<Found> {
    let shown = escape_file_name(name.as_bytes());
    let base = name.rsplit('/').next().unwrap_or(name);
    if is_pack_name(base.as_bytes()) {
        let entries = pack::decode(base.as_bytes(), bytes).unwrap_or_default();
        let of = |entry: &pack::PackEntry| {
            let file = format!("{} in {shown}", escape_file_name(entry.name.as_bytes()));
            in_text(&file, EventId::of(&entry.text), &entry.text, least, &skip)
        };
        return entries.iter().flat_map(of).collect();
    }
    let text = String::from_utf8_lossy(bytes);
    let id = id_of(bytes).unwrap_or_else(|| EventId::of(&text));
    in_text(&shown, id, &text, least, &skip)
}

fn in_text(file: &str, id: EventId, text: &str, least: Certainty, skip: &impl Fn(&EventId) -> bool) -> Vec<Found> {
    if skip(&id) {
        return Vec::new();
    }
    let of = |finding: crate::secrets::Finding| {
        let place = Place::of_offset(text, finding.range.start, 1);
        Found { file: file.to_owned(), id, place, rule: finding.rule, certainty: finding.certainty }
    };
    find(text, least).into_iter().map(of).collect()
}

/// The events that an option allows.
pub(super) fn allowed(option: &str, texts: &[String]) -> Result<Vec<IdPrefix>, CliError> {
    let parse = |text: &String| {
        let wrong = || CliError::Usage(format!("{option}: `{text}` is not an event id of 12 to 64 hex digits"));
        IdPrefix::parse(text).ok_or_else(wrong)
    };
    texts.iter().map(parse).collect()
}
