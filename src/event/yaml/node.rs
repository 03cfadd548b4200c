//! A YAML node whose scalars are the text that was written.

use crate::event::fault::{Fault, Place};
use crate::event::text::is_empty;
use std::borrow::Cow;
use std::fmt::Write as _;

/// One document: its root, as far as it could be read, and the fault met first, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<'a> {
    /// The root node; absent for an empty document.
    pub root: Node<'a>,
    /// The first fault of the text.
    pub fault: Option<Fault>,
}

/// A node and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'a> {
    /// Where the node begins.
    pub place: Place,
    /// What it is.
    pub value: Value<'a>,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// A plain `~`, `null`, `Null`, `NULL`, or nothing at all.
    Absent,
    /// A scalar: the text that was written, escapes of quoted ones resolved.
    Scalar(Cow<'a, str>),
    /// A list.
    List(Vec<Node<'a>>),
    /// A mapping, in the order of the text; no key stands twice.
    Mapping(Vec<Entry<'a>>),
}

/// A key of a mapping, where it stands, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The key's text.
    pub key: Cow<'a, str>,
    /// Where the key begins.
    pub place: Place,
    /// The value.
    pub node: Node<'a>,
}

impl<'a> Node<'a> {
    /// A node that is absent; it has no place of its own.
    pub const ABSENT: Self = Self { place: Place::START, value: Value::Absent };

    /// The entries of a mapping, else none.
    #[must_use]
    pub fn entries(&self) -> &[Entry<'a>] {
        match &self.value {
            Value::Mapping(entries) => entries,
            Value::Absent | Value::Scalar(_) | Value::List(_) => &[],
        }
    }

    /// The value of a mapping's key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// Whether the node is absent.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self.value, Value::Absent)
    }

    /// Whether the node is absent, or nothing is left of its text after trimming.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match &self.value {
            Value::Absent => true,
            Value::Scalar(text) => is_empty(text),
            Value::List(_) | Value::Mapping(_) => is_empty(&self.text()),
        }
    }

    /// The node as text: FORMAT §3, `text(node)`.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        self.text_without(&[])
    }

    /// [`Self::text`] of a mapping from which the keys `left_out` are taken.
    #[must_use]
    pub fn text_without(&self, left_out: &[&str]) -> Cow<'_, str> {
        match &self.value {
            Value::Absent => Cow::Borrowed(""),
            Value::Scalar(text) => Cow::Borrowed(text),
            Value::List(nodes) => {
                let texts: Vec<_> = nodes.iter().map(Self::text).filter(|text| !is_empty(text)).collect();
                Cow::Owned(texts.join(", "))
            }
            Value::Mapping(entries) => Cow::Owned(mapping_text(entries, left_out)),
        }
    }

    /// `k: v; k2: v2` of a mapping's keys whose values are neither absent nor empty, in byte order,
    /// without the keys `left_out`.
    #[must_use]
    pub fn pairs_without(&self, left_out: &[&str]) -> String {
        pairs(self.entries(), left_out)
    }
}

fn mapping_text(entries: &[Entry<'_>], left_out: &[&str]) -> String {
    let headline = ["task", "text"].into_iter().filter(|name| !left_out.contains(name)).find_map(|name| {
        let entry = entries.iter().find(|entry| entry.key == name)?;
        let text = entry.node.text();
        (!is_empty(&text)).then_some((name, text))
    });
    let Some((name, text)) = headline else {
        return pairs(entries, left_out);
    };
    let mut others = left_out.to_vec();
    others.push(name);
    let rest = pairs(entries, &others);
    if rest.is_empty() { text.into_owned() } else { format!("{text} ({rest})") }
}

fn pairs(entries: &[Entry<'_>], left_out: &[&str]) -> String {
    let mut shown: Vec<(&str, Cow<'_, str>)> = entries
        .iter()
        .filter(|entry| !left_out.contains(&&*entry.key))
        .map(|entry| (&*entry.key, entry.node.text()))
        .filter(|(_, text)| !is_empty(text))
        .collect();
    shown.sort_unstable();
    let mut text = String::new();
    for (position, (key, value)) in shown.iter().enumerate() {
        let separator = if position == 0 { "" } else { "; " };
        let _infallible = write!(text, "{separator}{key}: {value}");
    }
    text
}
