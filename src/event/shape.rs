//! What a section may hold, and how nodes and lines become its writes (FORMAT §3).

use super::fault::{Code, Fault, Place};
use super::markdown::{self, Line};
use super::model::{Label, Payload, Step};
use super::schema::Merge;
use super::text::{into_collapsed, into_trimmed, is_empty};
use super::timestamp::Timestamp;
use super::yaml::{Entry, Node, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Gathers what one event writes to one section, front matter first, then body.
#[derive(Debug)]
pub struct SectionReader {
    payload: Payload,
    /// The keys of a map with what was written to them, as it was written.
    keys: BTreeMap<String, Option<String>>,
    /// The first key of a map that is written twice, with values that differ.
    pub duplicate: Option<Fault>,
    /// The first thing that the section cannot hold.
    pub misfit: Option<Fault>,
}

impl SectionReader {
    /// Begins a section of this merge rule.
    #[must_use]
    pub const fn new(merge: Merge) -> Self {
        let payload = match merge {
            Merge::Register => Payload::Text(String::new()),
            Merge::Map => Payload::Entries(Vec::new()),
            Merge::Set => Payload::Items(Vec::new()),
            Merge::List => Payload::Steps(Vec::new()),
        };
        Self { payload, keys: BTreeMap::new(), duplicate: None, misfit: None }
    }

    /// What was written, if anything.
    #[must_use]
    pub fn finish(self) -> Option<Payload> {
        let written = match &self.payload {
            Payload::Text(text) => !text.is_empty(),
            Payload::Entries(entries) => !entries.is_empty(),
            Payload::Items(items) => !items.is_empty(),
            Payload::Steps(steps) => !steps.is_empty(),
        };
        written.then_some(self.payload)
    }

    /// Adds the node that stands under the section's name.
    pub fn add_node(&mut self, name: &str, node: &Node<'_>) {
        if node.is_absent() {
            return;
        }
        match &mut self.payload {
            Payload::Text(text) => replace_text(text, node.text()),
            Payload::Entries(_) => self.add_map(name, node),
            Payload::Items(items) => items.extend(set_items(node)),
            Payload::Steps(steps) => match &node.value {
                Value::List(nodes) => steps.extend(nodes.iter().filter_map(step)),
                Value::Absent | Value::Scalar(_) | Value::Mapping(_) => steps.extend(step(node)),
            },
        }
    }

    /// Adds the lines that stand under the section's headings.
    pub fn add_lines(&mut self, name: &str, blocks: &[Vec<Line<'_>>]) {
        let items = || blocks.iter().flat_map(|lines| markdown::items(lines));
        let texts = || items().map(|(_, text)| text).filter(|text| !is_empty(text));
        match &mut self.payload {
            Payload::Text(text) => replace_text(text, Cow::Owned(markdown::paragraph(&blocks.concat()))),
            Payload::Items(into) => into.extend(texts()),
            Payload::Steps(steps) => {
                let label = |text: String| Label::Text(into_collapsed(text.into()));
                steps.extend(texts().map(|text| Step { updated: None, label: label(text) }));
            }
            Payload::Entries(_) => {
                for (number, item) in items() {
                    let (key, value) = markdown::split_entry(&item);
                    self.add_key(name, key, Place::new(number, 1), Some(value.into()));
                }
            }
        }
    }

    fn add_map(&mut self, name: &str, node: &Node<'_>) {
        match &node.value {
            Value::Mapping(entries) => self.add_entries(name, entries),
            Value::List(nodes) => {
                for node in nodes {
                    match &node.value {
                        Value::Absent => {}
                        Value::Mapping(entries) => self.add_entries(name, entries),
                        Value::Scalar(_) | Value::List(_) => self.add_misfit(name, node.place),
                    }
                }
            }
            Value::Scalar(_) | Value::Absent => self.add_misfit(name, node.place),
        }
    }

    fn add_misfit(&mut self, name: &str, place: Place) {
        let detail = format!("`{name}` holds neither a mapping nor a list of mappings");
        let _first = self.misfit.get_or_insert(Fault::new(Code::BadSection, place, detail));
    }

    fn add_entries(&mut self, name: &str, entries: &[Entry<'_>]) {
        for entry in entries {
            let value = (!entry.node.is_absent()).then(|| entry.node.text());
            self.add_key(name, &entry.key, entry.place, value);
        }
    }

    fn add_key(&mut self, name: &str, key: &str, place: Place, value: Option<Cow<'_, str>>) {
        let key = into_collapsed(Cow::Borrowed(key));
        if key.is_empty() {
            return;
        }
        if let Some(known) = self.keys.get(&key) {
            if known.as_deref() != value.as_deref() {
                let detail = format!("`{key}` is written twice in `{name}`, with values that differ");
                let fault = Fault::new(Code::DuplicateKey, place, detail);
                self.duplicate = Some(match self.duplicate.take() {
                    Some(other) => other.earlier(fault),
                    None => fault,
                });
            }
            return;
        }
        self.keys.insert(key.clone(), value.as_deref().map(ToOwned::to_owned));
        if let Payload::Entries(entries) = &mut self.payload {
            entries.push((key, value.map(into_collapsed)));
        }
    }
}

/// Of a register's texts the last that is not empty counts: the body's, else the front matter's.
fn replace_text(text: &mut String, with: Cow<'_, str>) {
    let with = into_collapsed(with);
    if !with.is_empty() {
        *text = with;
    }
}

/// The items of a set: of a list its nodes, of a mapping its pairs, else the one scalar.
fn set_items(node: &Node<'_>) -> Vec<String> {
    let texts: Vec<String> = match &node.value {
        Value::Absent => Vec::new(),
        Value::Scalar(text) => vec![text.trim().to_owned()],
        Value::List(nodes) => nodes.iter().map(|node| into_trimmed(node.text())).collect(),
        Value::Mapping(entries) => {
            let mut entries: Vec<&Entry<'_>> = entries.iter().collect();
            entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            let pair = |entry: &Entry<'_>| match entry.node.text() {
                text if is_empty(&text) => entry.key.trim().to_owned(),
                text => into_trimmed(format!("{}: {text}", entry.key).into()),
            };
            entries.into_iter().map(pair).collect()
        }
    };
    texts.into_iter().filter(|text| !text.is_empty()).collect()
}

/// A list's item, unless nothing is left of it.
fn step(node: &Node<'_>) -> Option<Step> {
    let updated = node.get("updated").and_then(|node| match &node.value {
        Value::Scalar(text) => Timestamp::parse(text),
        Value::Absent | Value::List(_) | Value::Mapping(_) => None,
    });
    let taken: &[&str] = if updated.is_some() { &["updated"] } else { &[] };
    let part = |key: &str| node.get(key).filter(|node| !node.is_blank()).map(|node| into_collapsed(node.text()));
    let label = if let Some(phase) = part("phase") {
        let left_out = [taken, &["phase", "status"]].concat();
        let rest = into_collapsed(node.pairs_without(&left_out).into());
        Label::Phase { phase, status: part("status"), rest }
    } else {
        let text = into_collapsed(node.text_without(taken));
        if text.is_empty() {
            return None;
        }
        Label::Text(text)
    };
    Some(Step { updated, label })
}
