//! From a normalised text to an event, or to the fault that counts (FORMAT §2, §3 and §7).

use super::fault::{Code, Fault, Place};
use super::front::{self, Parts};
use super::id::{EventId, IdPrefix};
use super::markdown;
use super::model::{Event, Meta, Origin, Stamp, Write};
use super::normal::{self, Normalised};
use super::schema::{Merge, Role, Schema};
use super::shape::SectionReader;
use super::text::is_empty;
use super::timestamp::Timestamp;
use super::yaml::{self, Node, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most characters of an agent's name.
pub const MAX_AGENT_CHARS: usize = 128;

/// Reads the bytes of an event file.
///
/// # Errors
/// The fault that counts, by FORMAT §7.
pub fn decode(bytes: &[u8], schema: &Schema) -> Result<Event, Fault> {
    decode_text(&normal::normalise(bytes)?, schema)
}

/// Reads a normalised text.
///
/// # Errors
/// The fault that counts, by FORMAT §7.
pub fn decode_text(normalised: &Normalised<'_>, schema: &Schema) -> Result<Event, Fault> {
    let parts = front::split(&normalised.text, normalised.first_line)?;
    let front = yaml::read(parts.matter, parts.matter_line);
    let body = Body::read(&parts, schema);
    let sections = Sections::read(&front.root, &body, schema);

    // The four in the middle: the one met first in the text. A key that one map holds twice, in different
    // places, is looked for only in a text without any of them.
    if let Some(fault) = front.fault.or_else(|| body.fault().cloned()).or_else(|| sections.duplicate()) {
        return Err(fault);
    }
    let ts = read_ts(&front.root, parts.matter_line)?;
    let agent = read_agent(&front.root, parts.matter_line)?;
    if let Some(misfit) = sections.misfit().into_iter().chain(body.misfit()).reduce(Fault::earlier) {
        return Err(misfit);
    }
    let stamp = Stamp { ts, agent, id: normalised.id() };
    let origin = Origin { stamp, meta: read_meta(&front.root), parents: read_parents(&front.root) };
    Ok(Event { origin: Arc::new(origin), writes: sections.writes() })
}

/// The id of the event in these bytes, whether it can be read or not; `None` for what is no text.
#[must_use]
pub fn id_of(bytes: &[u8]) -> Option<EventId> {
    normal::normalise(bytes).ok().map(|normalised| normalised.id())
}

/// A body in one of its two forms.
enum Body<'a> {
    Yaml(yaml::Document<'a>),
    Markdown(Vec<markdown::Block<'a>>),
}

impl<'a> Body<'a> {
    fn read(parts: &Parts<'a>, schema: &Schema) -> Self {
        if markdown::is_markdown(parts.body, schema) {
            Self::Markdown(markdown::blocks(parts.body, parts.body_line, schema))
        } else {
            Self::Yaml(yaml::read(parts.body, parts.body_line))
        }
    }

    const fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Yaml(document) => document.fault.as_ref(),
            Self::Markdown(_) => None,
        }
    }

    fn misfit(&self) -> Option<Fault> {
        match self {
            Self::Yaml(document) => match &document.root.value {
                Value::Absent | Value::Mapping(_) => None,
                Value::Scalar(_) | Value::List(_) => {
                    Some(Fault::new(Code::BadSection, document.root.place, "the body is no mapping of sections"))
                }
            },
            Self::Markdown(_) => None,
        }
    }
}

/// The sections of one event while they are read.
#[derive(Default)]
struct Sections {
    /// In the order of the text.
    read: Vec<(String, SectionReader)>,
    positions: BTreeMap<String, usize>,
}

impl Sections {
    fn read(front: &Node<'_>, body: &Body<'_>, schema: &Schema) -> Self {
        let mut sections = Self::default();
        for entry in front.entries() {
            if !is_reserved(&entry.key)
                && let Some(merge) = declared(schema.role(&entry.key))
            {
                sections.reader(&entry.key, merge).add_node(&entry.key, &entry.node);
            }
        }
        match body {
            Body::Yaml(document) => {
                for entry in document.root.entries().iter().filter(|entry| !is_empty(&entry.key)) {
                    let merge = declared(schema.role(&entry.key)).unwrap_or(Merge::Set);
                    sections.reader(&entry.key, merge).add_node(&entry.key, &entry.node);
                }
            }
            Body::Markdown(blocks) => sections.read_blocks(blocks, schema),
        }
        sections
    }

    fn read_blocks(&mut self, blocks: &[markdown::Block<'_>], schema: &Schema) {
        let mut seen = BTreeSet::new();
        for block in blocks {
            if let Some(merge) = declared(schema.role(&block.name)).filter(|_| seen.insert(&block.name)) {
                let same = blocks.iter().filter(|other| other.name == block.name);
                let lines: Vec<_> = same.map(|other| other.lines.clone()).collect();
                self.reader(&block.name, merge).add_lines(&block.name, &lines);
            }
        }
    }

    fn reader(&mut self, name: &str, merge: Merge) -> &mut SectionReader {
        let position = self.positions.get(name).copied().unwrap_or_else(|| {
            self.positions.insert(name.to_owned(), self.read.len());
            self.read.push((name.to_owned(), SectionReader::new(merge)));
            self.read.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the position was found, or pushed, just above")]
        &mut self.read[position].1
    }

    fn duplicate(&self) -> Option<Fault> {
        self.read.iter().filter_map(|(_, section)| section.duplicate.clone()).reduce(Fault::earlier)
    }

    fn misfit(&self) -> Option<Fault> {
        self.read.iter().filter_map(|(_, section)| section.misfit.clone()).reduce(Fault::earlier)
    }

    fn writes(self) -> Vec<Write> {
        let write = |(section, reader): (String, SectionReader)| Some(Write { section, payload: reader.finish()? });
        self.read.into_iter().filter_map(write).collect()
    }
}

const fn declared(role: Role) -> Option<Merge> {
    match role {
        Role::Declared(merge) => Some(merge),
        Role::Closing => Some(Merge::Set),
        Role::Undeclared => None,
    }
}

/// Keys of the front matter that are no sections, and their other names.
const TS: [&str; 2] = ["ts", "timestamp"];
const AGENT: [&str; 2] = ["agent", "session_id"];
const BRANCH: [&str; 2] = ["branch", "stream"];
const KIND: [&str; 2] = ["type", "event_type"];
const REASON: [&str; 1] = ["reason"];
const PARENTS: [&str; 1] = ["parents"];

/// Whether a key of the front matter is no section's name.
pub(crate) fn is_reserved(key: &str) -> bool {
    [&TS[..], &AGENT, &BRANCH, &KIND, &REASON, &PARENTS].concat().contains(&key)
}

/// The value of a key or of its other name: the first that is not absent.
fn field<'n>(front: &'n Node<'n>, names: &[&str]) -> Option<&'n Node<'n>> {
    names.iter().find_map(|name| front.get(name).filter(|node| !node.is_absent()))
}

fn read_ts(front: &Node<'_>, matter_line: u32) -> Result<Timestamp, Fault> {
    let fault = |place, detail: &str| Fault::new(Code::BadTs, place, detail);
    if !matches!(front.value, Value::Mapping(_)) {
        return Err(fault(Place::new(matter_line, 1), "the front matter is no mapping"));
    }
    let node = field(front, &TS).ok_or_else(|| fault(Place::new(matter_line, 1), "there is no `ts`"))?;
    let Value::Scalar(text) = &node.value else {
        return Err(fault(node.place, "`ts` is no instant"));
    };
    Timestamp::parse(text).ok_or_else(|| fault(node.place, &format!("`{text}` is no instant")))
}

fn read_agent(front: &Node<'_>, matter_line: u32) -> Result<String, Fault> {
    let node = field(front, &AGENT)
        .ok_or_else(|| Fault::new(Code::BadAgent, Place::new(matter_line, 1), "there is no `agent`"))?;
    match &node.value {
        Value::Scalar(text) if is_agent(text) => Ok(text.clone().into_owned()),
        Value::Scalar(_) | Value::List(_) | Value::Mapping(_) | Value::Absent => {
            Err(Fault::new(Code::BadAgent, node.place, "`agent` is no name"))
        }
    }
}

/// Whether a text can be an agent's name.
#[must_use]
pub fn is_agent(text: &str) -> bool {
    let forbidden = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    (1..=MAX_AGENT_CHARS).contains(&text.chars().count()) && !is_empty(text) && !text.chars().any(forbidden)
}

fn read_meta(front: &Node<'_>) -> Meta {
    let text = |names: &[&str]| {
        let text = field(front, names)?.text().trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    Meta { branch: text(&BRANCH), kind: text(&KIND), reason: text(&REASON) }
}

fn read_parents(front: &Node<'_>) -> Option<Vec<IdPrefix>> {
    let id = |node: &Node<'_>| match &node.value {
        Value::Scalar(text) => IdPrefix::parse(text),
        Value::Absent | Value::List(_) | Value::Mapping(_) => None,
    };
    field(front, &PARENTS).map(|node| match &node.value {
        Value::List(nodes) => nodes.iter().filter_map(id).collect(),
        Value::Absent | Value::Scalar(_) | Value::Mapping(_) => id(node).into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Event, decode};
    use crate::event::schema::Schema;
    use crate::event::{Fault, Payload};

    fn read(text: &str) -> Result<Event, Fault> {
        decode(text.as_bytes(), &Schema::default())
    }

    fn code(front: &str, body: &str) -> &'static str {
        match read(&format!("---\n{front}\n---\n{body}")) {
            Ok(_) => "ok",
            Err(fault) => fault.code.as_str(),
        }
    }

    const HEAD: &str = "ts: 2026-01-10T13:03:52Z\nagent: toast";

    #[test]
    fn codes_of_whole_files() {
        for (front, body, expected) in [
            (HEAD, "", "ok"),
            (HEAD, "~", "ok"),
            (HEAD, "text", "bad-section"),
            (HEAD, "- a", "bad-section"),
            (HEAD, "decisions: text", "bad-section"),
            (HEAD, "decisions: [a: b, c]", "bad-section"),
            (HEAD, "decisions: [a: b, ~, {c: ~}]", "ok"),
            (HEAD, "decisions: [a: b, {'a ': c}]", "duplicate-key"),
            (HEAD, "decisions: [a: b, {'a ': b}]", "ok"),
            (HEAD, "decisions: [a: b, {'a ': 'b '}]", "duplicate-key"),
            (HEAD, "decisions: [a: b, {'a ': b}, {a: c}]", "duplicate-key"),
            (HEAD, "decisions: [a: ~, {'a ': ~}]", "ok"),
            (HEAD, "decisions: [a: ~, {'a ': ''}]", "duplicate-key"),
            (HEAD, "decisions: [{a: {x: 1, y: 2}}, {a: {y: 2, x: 1}}, {a: 'x: 1; y: 2'}]", "ok"),
            (HEAD, "decisions: {a: b, a: b}", "duplicate-key"),
            (HEAD, "## Decisions\n- a: b\n- **a**:  b ", "ok"),
            (HEAD, "decisions: [{a: b}, x, {a: c}]", "duplicate-key"),
            (HEAD, "decisions:\n  a: b\n  'a ': c\nnow: &x y", "not-plain"),
            (HEAD, "now: &x y\ndecisions:\n  a: b\n  'a ': c", "not-plain"),
            (HEAD, "## Decisions\n- a: b\n- **a**: c", "duplicate-key"),
            (HEAD, "## Decisions\n- : b\n- : c", "ok"),
            ("- a", "", "bad-ts"),
            ("", "", "bad-ts"),
            ("agent: toast", "", "bad-ts"),
            ("ts: ''\ntimestamp: 2026-01-10T13:03:52Z\nagent: toast", "", "bad-ts"),
            ("ts:\ntimestamp: 2026-01-10T13:03:52Z\nsession_id: toast", "", "ok"),
            ("ts: 2026-01-10T13:03:52Z", "", "bad-agent"),
            ("ts: 2026-01-10T13:03:52Z\nagent: ' '", "", "bad-agent"),
            ("ts: 2026-01-10T13:03:52Z\nagent: [a]", "", "bad-agent"),
            ("ts: 2026-01-10T13:03:52Z\nagent: \"a\\tb\"", "", "bad-agent"),
            ("ts: 2026-01-10T13:03:52Z\nagent: \"a\\u2028b\"", "", "bad-agent"),
            ("ts: no", "decisions: {a: 1, a: 2}", "duplicate-key"),
            ("ts: no", "text", "bad-ts"),
            ("decisions: {a: 1}\nts: 2026-01-10T13:03:52Z\nagent: toast", "decisions: {a: 2}", "duplicate-key"),
            ("decisions: {a: 1}\nts: 2026-01-10T13:03:52Z\nagent: toast", "decisions: {a: 1}", "ok"),
            ("decisions: [a: 1, a: 2]\nts: no", "now: &x y", "not-plain"),
        ] {
            assert_eq!(code(front, body), expected, "{front:?} {body:?}");
        }
        let long = |n| format!("ts: 2026-01-10T13:03:52Z\nagent: {}", "é".repeat(n));
        assert_eq!((code(&long(128), ""), code(&long(129), "")), ("ok", "bad-agent"));
        assert!(matches!(read("").map_err(|fault| fault.code.as_str()), Err("no-frontmatter")));
    }

    #[test]
    fn front_matter_and_body_add_up() {
        let event = read(&format!(
            "---\n{HEAD}\nnow: front\ngoal: kept\nthis_session: [a]\nparents: 0123456789ab\nextra: x\n---\nnow: body\ngoal: ''\nthis_session: b\nextra: {{k: v, j: ~}}\n"
        ))
        .unwrap();
        let of =
            |name: &str| event.writes.iter().find(|write| write.section == name).map(|write| write.payload.clone());
        assert_eq!(of("now"), Some(Payload::Text("body".into())));
        assert_eq!(of("goal"), Some(Payload::Text("kept".into())));
        assert_eq!(of("this_session"), Some(Payload::Items(vec!["a".into(), "b".into()])));
        assert_eq!(of("extra"), Some(Payload::Items(vec!["j".into(), "k: v".into()])));
        assert_eq!(event.origin.parents.as_ref().map(Vec::len), Some(1));
    }
}
