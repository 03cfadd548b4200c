//! From what is to be said to the text of an event file: YAML in which every scalar is quoted.

use super::model::Stamp;
use super::text::is_unsafe_to_show;
use super::timestamp::Timestamp;
use super::yaml::{Entry, Node, Value};
use super::{EventId, Place};
use std::borrow::Cow;
use std::fmt::Write as _;

/// An event that is about to be written.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    /// When it happens.
    pub ts: Timestamp,
    /// Who writes it.
    pub agent: String,
    /// The branch it is written on, if there is one.
    pub branch: Option<String>,
    /// Its type.
    pub kind: String,
    /// Why it is written.
    pub reason: Option<String>,
    /// The newest events that the writer has seen; `None` leaves the key out.
    pub parents: Option<Vec<EventId>>,
    /// The body: a mapping of sections.
    pub body: Vec<Entry<'a>>,
}

impl Draft<'_> {
    /// The text of the event file.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::from("---\n");
        let mut line = |key: &str, value: &str| {
            let _infallible = writeln!(out, "{key}: {}", quote(value));
        };
        line("ts", &self.ts.to_string());
        line("agent", &self.agent);
        if let Some(branch) = &self.branch {
            line("branch", branch);
        }
        line("type", &self.kind);
        if let Some(reason) = &self.reason {
            line("reason", reason);
        }
        if let Some(parents) = &self.parents {
            let parents = list(parents.iter().map(|id| scalar(id.to_hex())).collect());
            push_entries(&mut out, &[entry("parents", parents)], 0);
        }
        out.push_str("---\n\n");
        push_entries(&mut out, &self.body, 0);
        out
    }
}

/// The file name that FORMAT §2 gives an event: `<ts with ':' as '-'>_<agent>`, without `.md`.
#[must_use]
pub fn file_stem(ts: Timestamp, agent: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    format!("{}_{}", ts.to_string().replace(':', "-"), agent.chars().map(safe).collect::<String>())
}

/// The file name of an event that exists, as its writer would have chosen it.
#[must_use]
pub fn file_stem_of(stamp: &Stamp) -> String {
    file_stem(stamp.ts, &stamp.agent)
}

/// A scalar node for a draft.
#[must_use]
pub fn scalar<'a>(text: impl Into<Cow<'a, str>>) -> Node<'a> {
    Node { place: Place::START, value: Value::Scalar(text.into()) }
}

/// A list node for a draft.
#[must_use]
pub const fn list(nodes: Vec<Node<'_>>) -> Node<'_> {
    Node { place: Place::START, value: Value::List(nodes) }
}

/// A mapping node for a draft.
#[must_use]
pub const fn mapping(entries: Vec<Entry<'_>>) -> Node<'_> {
    Node { place: Place::START, value: Value::Mapping(entries) }
}

/// An entry of a mapping for a draft.
#[must_use]
pub fn entry<'a>(key: impl Into<Cow<'a, str>>, node: Node<'a>) -> Entry<'a> {
    Entry { key: key.into(), place: Place::START, node }
}

/// A text as a double-quoted YAML scalar on one line.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_unsafe_to_show(c) || matches!(c, '\u{2028}' | '\u{2029}') => {
                let code = u32::from(c);
                let _infallible =
                    if code > 0xffff { write!(out, "\\U{code:08x}") } else { write!(out, "\\u{code:04x}") };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key: plain where it is a plain word, else quoted.
fn key_text(key: &str) -> String {
    let word = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if word { key.to_owned() } else { quote(key) }
}

fn push_entries(out: &mut String, entries: &[Entry<'_>], indent: usize) {
    for (position, entry) in entries.iter().enumerate() {
        // The first entry of a mapping in a list stands behind its dash.
        let pad = if position == 0 && out.ends_with("- ") { 0 } else { indent };
        let _infallible = write!(out, "{:pad$}{}:", "", key_text(&entry.key));
        push_value(out, &entry.node, indent);
    }
}

/// The value of a key at `indent`.
fn push_value(out: &mut String, node: &Node<'_>, indent: usize) {
    match &node.value {
        Value::List(nodes) if !nodes.is_empty() => {
            out.push('\n');
            push_items(out, nodes, indent);
        }
        Value::Mapping(entries) if !entries.is_empty() => {
            out.push('\n');
            push_entries(out, entries, indent + 2);
        }
        Value::Absent | Value::Scalar(_) | Value::List(_) | Value::Mapping(_) => {
            out.push(' ');
            push_inline(out, node);
        }
    }
}

fn push_items(out: &mut String, nodes: &[Node<'_>], indent: usize) {
    for node in nodes {
        let _infallible = write!(out, "{:indent$}-", "");
        match &node.value {
            Value::Mapping(entries) if !entries.is_empty() => {
                out.push(' ');
                push_entries(out, entries, indent + 2);
            }
            Value::List(nodes) if !nodes.is_empty() => {
                out.push('\n');
                push_items(out, nodes, indent + 2);
            }
            Value::Absent | Value::Scalar(_) | Value::List(_) | Value::Mapping(_) => {
                out.push(' ');
                push_inline(out, node);
            }
        }
    }
}

fn push_inline(out: &mut String, node: &Node<'_>) {
    match &node.value {
        Value::Absent => out.push('~'),
        Value::Scalar(text) => out.push_str(&quote(text)),
        Value::List(_) => out.push_str("[]"),
        Value::Mapping(_) => out.push_str("{}"),
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::{Draft, entry, file_stem, list, mapping, scalar};
    use crate::event::decode::decode;
    use crate::event::schema::Schema;
    use crate::event::yaml::{self, Node, Value};
    use crate::event::{EventId, Place, Timestamp};
    use proptest::prelude::*;

    fn node() -> impl Strategy<Value = Node<'static>> {
        let leaf =
            prop_oneof![Just(Node::ABSENT), any::<String>().prop_map(scalar), "[~:#\n \"'\\\\-]{0,4}".prop_map(scalar)];
        leaf.prop_recursive(4, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(list),
                prop::collection::btree_map("[a-z<~ #:]{0,3}|\\PC{0,3}", inner, 0..4)
                    .prop_map(|map| mapping(map.into_iter().map(|(key, node)| entry(key, node)).collect())),
            ]
        })
    }

    fn without_places(node: &Node<'_>) -> Node<'static> {
        let value = match &node.value {
            Value::Absent => return Node::ABSENT,
            Value::Scalar(text) => Value::Scalar(text.clone().into_owned().into()),
            Value::List(nodes) => Value::List(nodes.iter().map(without_places).collect()),
            Value::Mapping(entries) => Value::Mapping(
                entries.iter().map(|e| entry(e.key.clone().into_owned(), without_places(&e.node))).collect(),
            ),
        };
        Node { place: Place::START, value }
    }

    proptest! {
        /// What is written is read as it was meant, whatever the texts are.
        #[test]
        fn prop_every_body_is_read_back(node in node(), agent in "[^\\p{Cc}\u{2028}\u{2029}]{1,8}") {
            prop_assume!(!agent.trim().is_empty());
            let draft = Draft {
                ts: Timestamp::parse("2026-01-10T13:03:52.250Z").unwrap(),
                agent: agent.clone(),
                branch: Some("feat/x: #1".to_owned()),
                kind: "note".to_owned(),
                reason: None,
                parents: Some(vec![EventId::of("x")]),
                body: vec![entry("extra", node.clone())],
            };
            let text = draft.encode();
            let event = decode(text.as_bytes(), &Schema::default()).unwrap();
            prop_assert_eq!(&event.origin.stamp.agent, &agent);
            prop_assert_eq!(event.origin.parents.as_ref().map(Vec::len), Some(1));
            let body = text.split_once("---\n\n").unwrap().1;
            let read = yaml::read(body, 1);
            prop_assert_eq!(read.fault, None);
            prop_assert_eq!(without_places(read.root.get("extra").unwrap()), node);
        }
    }

    #[test]
    fn fault_27_file_names_are_safe() {
        let ts = Timestamp::parse("2026-01-10T13:03:52.250Z").unwrap();
        for (agent, name) in [("toast", "toast"), ("../x", "..-x"), ("-rf", "-rf"), ("CON", "CON"), ("é\\a b", "--a-b")]
        {
            assert_eq!(file_stem(ts, agent), format!("2026-01-10T13-03-52.250Z_{name}"));
        }
    }
}
