//! From what is recorded to the text of an event file, in a form that formatters keep.
//!
//! Prettier and its like rewrite Markdown, and YAML in a Markdown body is Markdown to them. So the sections that
//! every ledger has are written into the front matter, each text as a literal block or, where a block cannot hold
//! it, in double quotes with escapes; all others follow as an indented code block, which no formatter changes and
//! which FORMAT §2 reads as YAML. `scripts/formatters` proves the forms below against the real tools.

use super::model::Stamp;
use super::schema::{Role, Schema};
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
    /// The text of the event file, for a ledger with these sections.
    #[must_use]
    pub fn encode(&self, schema: &Schema) -> String {
        let mut out = String::from("---\n");
        let mut line = |key: &str, value: &str| {
            let _infallible = writeln!(out, "{key}: {}", quote_for_formatters(value));
        };
        line("ts", &self.ts.to_string());
        line("agent", &self.agent);
        if let Some(branch) = &self.branch {
            line("branch", branch);
        }
        line("type", &self.kind);
        if let Some(reason) = &self.reason {
            push_entries(&mut out, &[entry("reason", scalar(reason.as_str()))], 0, false);
        }
        if let Some(parents) = &self.parents {
            out.push_str(if parents.is_empty() { "parents: []\n" } else { "parents:\n" });
            for id in parents {
                let _infallible = writeln!(out, "  - \"{}\"", id.to_hex());
            }
        }
        // A configuration can stop declaring a section, and the front matter's other keys are not shown.
        let built_in = Schema::default();
        let is_in_front =
            |entry: &&Entry<'_>| [&built_in, schema].iter().all(|schema| schema.role(&entry.key) != Role::Undeclared);
        let (front, body): (Vec<&Entry<'_>>, Vec<&Entry<'_>>) = self.body.iter().partition(is_in_front);
        push_entries(&mut out, front, 0, false);
        out.push_str("---\n");
        if !body.is_empty() {
            out.push('\n');
            push_entries(&mut out, body, CODE_BLOCK, false);
        }
        out
    }
}

/// How far Markdown indents a code block.
const CODE_BLOCK: usize = 4;

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
///
/// # Invariant
/// Packs are named for their bytes, so this never changes.
#[must_use]
pub fn quote(text: &str) -> String {
    quoted(text, |_, _, _| false)
}

/// A text as [`quote`] gives it, in the form that Prettier keeps: without `\"`, which it turns into single quotes,
/// and with nothing that it drops where it wraps a line.
fn quote_for_formatters(text: &str) -> String {
    quoted(text, |before, c, after| {
        c == '"' || (c == ' ' && !matches!((before, after), (Some(a), Some(b)) if a != ' ' && b != ' '))
    })
}

/// A text in double quotes; `also` says of which more characters, with their neighbours, only the number is written.
fn quoted(text: &str, also: impl Fn(Option<char>, char, Option<char>) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let (mut before, mut rest) = (None, text.chars().peekable());
    while let Some(character) = rest.next() {
        match character {
            c if also(before, c, rest.peek().copied()) => {
                let _infallible = write!(out, "\\x{:02x}", u32::from(c));
            }
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_escaped(c) => {
                let code = u32::from(c);
                let _infallible =
                    if code > 0xffff { write!(out, "\\U{code:08x}") } else { write!(out, "\\u{code:04x}") };
            }
            c => out.push(c),
        }
        before = Some(character);
    }
    out.push('"');
    out
}

/// Whether a character is never written raw: YAML does not take it, some reader takes it for a line end, or it hides
/// or rearranges what is read. Fixed, as the bytes of packs hang on it.
const fn is_escaped(character: char) -> bool {
    matches!(character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a literal block without an indentation indicator holds this text, and every tool leaves it there.
fn fits_a_block(text: &str) -> bool {
    // White space at the end of a line is dropped by some tools, and at the end of the file by FORMAT §2.
    !text.starts_with(char::is_whitespace)
        && !text.is_empty()
        && !text.ends_with('\n')
        && !text.lines().any(|line| line.ends_with(char::is_whitespace))
        && !text.chars().any(|c| is_escaped(c) && !matches!(c, '\n' | '\t'))
}

/// The widest line that Prettier does not break.
const WIDTH: usize = 80;

/// How long a piece of a long quoted key is.
const PIECE: usize = 48;

/// A key on the line of its value, where that fits: plain where it is a plain word, else quoted.
fn short_key(key: &str, indent: usize) -> Option<String> {
    let word = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let text = if word { key.to_owned() } else { quote_for_formatters(key) };
    // No character is wider than two columns.
    let width: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    (indent + width + ": |-".len() <= WIDTH).then_some(text)
}

/// A long key as its own block, or in quotes over several lines. YAML takes no key of more than 1,024 characters on
/// the line of its value, and Prettier moves the value of a key that fills its line.
fn push_long_key(out: &mut String, key: &str, indent: usize) {
    out.push_str("? ");
    if fits_a_block(key) {
        push_block(out, key, indent + 2);
    } else {
        let characters: Vec<char> = key.chars().collect();
        let escaped = |piece: &[char]| {
            let quoted = quoted(&piece.iter().collect::<String>(), |_, c, _| matches!(c, '"' | ' '));
            quoted.trim_matches('"').to_owned()
        };
        let pieces: Vec<String> = characters.chunks(PIECE).map(escaped).collect();
        let _infallible = writeln!(out, "\"{}\"", pieces.join(&format!("\\\n{:pad$}", "", pad = indent + 2)));
    }
    let _infallible = write!(out, "{:indent$}:", "");
}

/// A literal block whose lines stand at `indent`.
fn push_block(out: &mut String, text: &str, indent: usize) {
    out.push_str("|-\n");
    for line in text.split('\n') {
        if !line.is_empty() {
            let _infallible = write!(out, "{:indent$}{line}", "");
        }
        out.push('\n');
    }
}

/// Entries at `indent`; the first of a mapping in a list is written behind its dash.
fn push_entries<'e, 'a: 'e>(
    out: &mut String,
    entries: impl IntoIterator<Item = &'e Entry<'a>>,
    indent: usize,
    is_inline: bool,
) {
    let mut pad = if is_inline { 0 } else { indent };
    for entry in entries {
        let _infallible = write!(out, "{:pad$}", "");
        pad = indent;
        if let Some(key) = short_key(&entry.key, indent) {
            let _infallible = write!(out, "{key}:");
            push_value(out, &entry.node, indent);
        } else {
            push_long_key(out, &entry.key, indent);
            push_compact(out, &entry.node, indent);
        }
    }
}

/// The value of a short key at `indent`: lists and mappings on lines of their own.
fn push_value(out: &mut String, node: &Node<'_>, indent: usize) {
    match &node.value {
        Value::List(nodes) if !nodes.is_empty() => {
            out.push('\n');
            push_items(out, nodes, indent + 2, false);
        }
        Value::Mapping(entries) if !entries.is_empty() => {
            out.push('\n');
            push_entries(out, entries, indent + 2, false);
        }
        Value::Absent | Value::Scalar(_) | Value::List(_) | Value::Mapping(_) => push_compact(out, node, indent),
    }
}

fn push_items(out: &mut String, nodes: &[Node<'_>], indent: usize, is_inline: bool) {
    let mut pad = if is_inline { 0 } else { indent };
    for node in nodes {
        let _infallible = write!(out, "{:pad$}-", "");
        pad = indent;
        push_compact(out, node, indent);
    }
}

/// What follows a dash or a colon at `indent`, on its line.
fn push_compact(out: &mut String, node: &Node<'_>, indent: usize) {
    out.push(' ');
    match &node.value {
        Value::List(nodes) if !nodes.is_empty() => return push_items(out, nodes, indent + 2, true),
        Value::Mapping(entries) if !entries.is_empty() => return push_entries(out, entries, indent + 2, true),
        Value::Scalar(text) if fits_a_block(text) => return push_block(out, text, indent + 2),
        Value::Absent => out.push('~'),
        Value::Scalar(text) => out.push_str(&quote_for_formatters(text)),
        Value::List(_) => out.push_str("[]"),
        Value::Mapping(_) => out.push_str("{}"),
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::{Draft, entry, file_stem, list, mapping, scalar};
    use crate::event::decode::decode;
    use crate::event::normal::normalise;
    use crate::event::schema::{Merge, Schema, Section};
    use crate::event::yaml::{self, Entry, Node, Value};
    use crate::event::{Code, EventId, Place, Timestamp, front};
    use proptest::prelude::*;

    /// Texts in pieces that YAML, Markdown or a formatter could take for something else.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => "[a-z]{1,3}",
            4 => "[~:#\n \t\"'\\\\-]",
            1 => "[\r\u{7}\u{85}\u{a0}\u{ad}\u{2028}\u{feff}\u{fffe}\u{200d}\u{1f468}]",
            1 => prop::sample::select(vec!["---", "...", "\n\n", "```", "- ", "? ", "&a ", "*b", "!!c", "%d", "{{", "|-", "<!--"]).prop_map(str::to_owned),
            1 => "[a-z ]{70,90}",
            1 => any::<String>(),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    fn node() -> impl Strategy<Value = Node<'static>> {
        let leaf = prop_oneof![1 => Just(Node::ABSENT), 8 => text().prop_map(scalar)];
        leaf.prop_recursive(4, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(list),
                prop::collection::btree_map(text(), inner, 0..4)
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

    fn draft<'a>(agent: &str, body: Vec<Entry<'a>>) -> Draft<'a> {
        Draft {
            ts: Timestamp::parse("2026-01-10T13:03:52.250Z").unwrap(),
            agent: agent.to_owned(),
            branch: Some("feat/\"x\": #1".to_owned()),
            kind: "note".to_owned(),
            reason: Some("why  #2\n".to_owned()),
            parents: Some(vec![EventId::of("x")]),
            body,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Whatever the texts are, they are read as they were given, and no tool that trims lines changes the bytes.
        #[test]
        fn prop_event_of_any_text_is_read_back(
            agent in "[^\\p{Cc}\u{2028}\u{2029}]{1,8}",
            now in text(),
            keys in prop::collection::btree_map(text(), node(), 0..4),
            extra in node(),
        ) {
            prop_assume!(!agent.trim().is_empty());
            let decisions = mapping(keys.into_iter().map(|(key, node)| entry(key, node)).collect());
            let sections = [("now", scalar(now)), ("this_session", list(vec![extra.clone()])), ("decisions", decisions), ("extra", extra)];
            let draft = draft(&agent, sections.map(|(name, node)| entry(name, node)).into());
            let text = draft.encode(&Schema::default());
            let normalised = normalise(text.as_bytes()).unwrap();
            prop_assert_eq!(&normalised.text, &text);
            let ends_in_blank = |line: &str| line.ends_with([' ', '\t', '\r']);
            prop_assert!(!text.split('\n').any(ends_in_blank) && !text.ends_with("\n\n"), "{}", text);
            let parts = front::split(&text, 1).unwrap();
            let (front, body) = (yaml::read(parts.matter, 1), yaml::read(parts.body, 1));
            prop_assert_eq!((&front.fault, &body.fault), (&None, &None), "{}", text);
            for given in &draft.body {
                let document = if given.key == "extra" { &body.root } else { &front.root };
                prop_assert_eq!(&without_places(document.get(&given.key).unwrap()), &given.node, "{}", text);
            }
            match decode(text.as_bytes(), &Schema::default()) {
                Ok(event) => {
                    prop_assert_eq!(&event.origin.stamp.agent, &agent);
                    prop_assert_eq!(event.origin.parents.as_ref().map(Vec::len), Some(1));
                    prop_assert_eq!(event.origin.meta.branch.as_deref(), draft.branch.as_deref());
                    prop_assert_eq!(event.origin.meta.reason.as_deref(), Some("why  #2"));
                }
                // Two keys can be one once they are collapsed.
                Err(fault) => prop_assert_eq!(fault.code, Code::DuplicateKey),
            }
        }
    }

    /// Append-only: these bytes stay what they are under Prettier's defaults (`scripts/formatters`).
    #[test]
    fn hostile_event_has_these_bytes() {
        let items = [
            "# one\n\n---\n* two",
            " lead",
            "trail ",
            "a\tb",
            "\u{1b}[2J\u{2028}",
            "",
            "\u{1f468}\u{200d}\u{1f469}",
            "it's \"quoted\"",
        ];
        let mut keys: Vec<_> =
            [("db", "A: b #1"), ("Which \"port\"?", "80\n")].map(|(key, text)| entry(key, scalar(text))).into();
        keys.push(entry("k".repeat(80), Node::ABSENT));
        keys.push(entry("\u{7}".repeat(60), list(vec![])));
        let body = vec![
            entry("this_session", list(items.map(scalar).into())),
            entry("decisions", mapping(keys)),
            entry("risks", list(vec![mapping(vec![entry("task", scalar("x")), entry("by", scalar("y"))])])),
        ];
        let mut draft = draft("a  b", body);
        draft.reason = Some("why".to_owned());
        let parent = EventId::of("x").to_hex();
        let long = ["\\u0007".repeat(48), "\\u0007".repeat(12)].join("\\\n    ");
        let expected = format!(
            r#"---
ts: "2026-01-10T13:03:52.250Z"
agent: "a\x20\x20b"
branch: "feat/\x22x\x22: #1"
type: "note"
reason: |-
  why
parents:
  - "{parent}"
this_session:
  - |-
    # one

    ---
    * two
  - "\x20lead"
  - "trail\x20"
  - |-
    a	b
  - "\u001b[2J\u2028"
  - ""
  - |-
    \u{{1f468}}\u{{200d}}\u{{1f469}}
  - |-
    it's "quoted"
decisions:
  db: |-
    A: b #1
  "Which \x22port\x22?": "80\n"
  ? |-
    {}
  : ~
  ? "{long}"
  : []
---

    risks:
      - task: |-
          x
        by: |-
          y
"#,
            "k".repeat(80)
        );
        let expected = expected.replace("\\u{1f468}\\u{200d}\\u{1f469}", "\u{1f468}\u{200d}\u{1f469}");
        assert_eq!(draft.encode(&Schema::default()), expected);
        decode(expected.as_bytes(), &Schema::default()).unwrap();
    }

    #[test]
    fn section_of_a_configuration_is_written_to_the_body() {
        let mut sections = Schema::default().sections().to_vec();
        sections.push(Section::new("risks", "Risks", Merge::Set));
        let draft = draft("a", vec![entry("risks", scalar("x"))]);
        assert!(draft.encode(&Schema::new(sections)).ends_with("\n---\n\n    risks: |-\n      x\n"));
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
