//! Documents from before there were events: `## Ledger` Markdown and handoff YAML files.
//!
//! Their fences and layouts are looser than an event's, so the front matter is split by `gray_matter`,
//! and what has no place in an event is named, never dropped in silence.

use super::encode::{entry, list, mapping, scalar};
use super::fault::{Fault, Place};
use super::markdown::{self, Line};
use super::schema::{Merge, Schema};
use super::text::is_empty;
use super::timestamp::Timestamp;
use super::yaml::{self, Entry, Node, Value};
use std::borrow::Cow;

/// What a legacy document says.
#[derive(Debug, Default)]
pub struct Legacy {
    /// When, as far as the document says.
    pub ts: Option<Timestamp>,
    /// Who.
    pub agent: Option<String>,
    /// On which branch.
    pub branch: Option<String>,
    /// What kind of document.
    pub kind: Option<String>,
    /// The sections.
    pub body: Vec<Entry<'static>>,
    /// What has no place in an event, in words.
    pub unplaced: Vec<String>,
}

/// What a key of a legacy document means here.
enum Meaning {
    Ts,
    Agent,
    Branch,
    Kind,
    Section(&'static str),
    /// Carried over under its own name.
    Kept,
    Unplaced,
}

/// The keys that legacy documents use, by their meaning.
fn meaning(key: &str) -> Meaning {
    match key {
        "ts" | "timestamp" | "date" | "updated" | "created" | "created_at" | "last_updated" => Meaning::Ts,
        "agent" | "session_id" | "session" | "session_name" | "author" => Meaning::Agent,
        "branch" | "stream" => Meaning::Branch,
        "type" | "event_type" => Meaning::Kind,
        "goal" => Meaning::Section("goal"),
        "now" | "current" | "current_focus" | "current_state" => Meaning::Section("now"),
        "this_session" | "done_this_session" | "done" | "completed" | "accomplished" => {
            Meaning::Section("this_session")
        }
        "decisions" | "key_decisions" => Meaning::Section("decisions"),
        "checkpoints" | "phases" => Meaning::Section("checkpoints"),
        "open_questions" | "questions" => Meaning::Section("open_questions"),
        "resolved_questions" => Meaning::Section("resolved_questions"),
        "next" | "next_steps" | "blockers" | "learnings" | "worked" | "failed" | "findings" | "risks" => Meaning::Kept,
        _ => Meaning::Unplaced,
    }
}

/// `gray_matter` without an engine of its own.
struct NoEngine;

impl gray_matter::engine::Engine for NoEngine {
    fn parse(_: &str) -> gray_matter::Result<gray_matter::Pod> {
        Ok(gray_matter::Pod::Null)
    }
}

/// Reads a legacy document; `is_yaml` where its name says that all of it is YAML.
///
/// # Errors
/// YAML that is not plain; the place counts from where the YAML begins.
pub fn read(text: &str, is_yaml: bool, schema: &Schema) -> Result<Legacy, Fault> {
    let text = super::normal::normalise_text(text).text;
    let split = gray_matter::Matter::<NoEngine>::new().parse::<gray_matter::Pod>(&text);
    let (matter, content) = match split {
        Ok(parts) if !parts.matter.is_empty() => (parts.matter, parts.content),
        Ok(_) | Err(_) if is_yaml => (text.into_owned(), String::new()),
        Ok(_) | Err(_) => (String::new(), text.into_owned()),
    };
    let mut legacy = Legacy::default();
    legacy.read_yaml(&matter)?;
    if is_yaml {
        legacy.read_yaml(&content)?;
    } else {
        legacy.read_markdown(&content, schema);
    }
    Ok(legacy)
}

/// A date with or without a time, in the looser forms of legacy documents and their file names.
#[must_use]
pub fn loose_ts(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let date = text.get(..10)?;
    let rest = text.get(10..)?.trim_start_matches(['T', ' ', '-', '_']);
    let digits: String =
        rest.chars().take_while(|c| c.is_ascii_digit() || *c == ':').filter(char::is_ascii_digit).collect();
    let part = |from: usize| digits.get(from..from + 2).unwrap_or("00");
    Timestamp::parse(text)
        .or_else(|| Timestamp::parse(&format!("{date}T{}:{}:{}Z", part(0), part(2), part(4))))
        .or_else(|| Timestamp::parse(&format!("{date}T00:00:00Z")))
}

impl Legacy {
    fn read_yaml(&mut self, text: &str) -> Result<(), Fault> {
        let document = yaml::read(text, 1);
        if let Some(fault) = document.fault {
            return Err(fault);
        }
        match &document.root.value {
            Value::Absent => {}
            Value::Mapping(entries) => {
                for entry in entries.iter().filter(|entry| !entry.node.is_blank()) {
                    self.place(&entry.key, &entry.node);
                }
            }
            Value::Scalar(_) | Value::List(_) => self.unplaced.push("text that is no mapping of keys".to_owned()),
        }
        Ok(())
    }

    fn place(&mut self, key: &str, node: &Node<'_>) {
        let text = || node.text().trim().to_owned();
        match meaning(key) {
            Meaning::Ts if self.ts.is_none() && loose_ts(&node.text()).is_some() => self.ts = loose_ts(&node.text()),
            Meaning::Agent if self.agent.is_none() => self.agent = Some(text()),
            Meaning::Branch if self.branch.is_none() => self.branch = Some(text()),
            Meaning::Kind if self.kind.is_none() => self.kind = Some(text()),
            Meaning::Section(name) => self.add(name, owned(node)),
            Meaning::Kept => self.add(key, owned(node)),
            Meaning::Ts | Meaning::Agent | Meaning::Branch | Meaning::Kind | Meaning::Unplaced => {
                self.unplaced.push(format!("`{key}`: {}", node.text()));
            }
        }
    }

    /// Adds to a section; lists and mappings grow, of texts the first stands.
    fn add(&mut self, name: &str, node: Node<'static>) {
        let Some(known) = self.body.iter_mut().find(|entry| entry.key == name) else {
            self.body.push(entry(name.to_owned(), node));
            return;
        };
        match (&mut known.node.value, node.value) {
            (Value::List(nodes), Value::List(more)) => nodes.extend(more),
            (Value::Mapping(entries), Value::Mapping(more)) => {
                for one in more {
                    if entries.iter().any(|entry| entry.key == one.key) {
                        self.unplaced.push(format!("`{name}`: a second `{}`", one.key));
                    } else {
                        entries.push(one);
                    }
                }
            }
            (_, other) => {
                let node = Node { place: Place::START, value: other };
                self.unplaced.push(format!("a second `{name}`: {}", node.text()));
            }
        }
    }

    /// Reads the part under `## Ledger`, or all of it where there is no such heading.
    fn read_markdown(&mut self, content: &str, schema: &Schema) {
        let lines: Vec<&str> = content.lines().collect();
        let ledger =
            lines.iter().position(|line| heading(line).is_some_and(|(_, title)| title.eq_ignore_ascii_case("ledger")));
        let from = ledger.map_or(0, |at| at + 1);
        let level = ledger.and_then(|at| lines.get(at)).and_then(|line| heading(line)).map_or(0, |(level, _)| level);
        let ends = |line: &&&str| heading(line).is_some_and(|(other, _)| ledger.is_some() && other <= level);
        let to = lines.iter().skip(from).position(|line| ends(&line)).map_or(lines.len(), |at| from + at);
        let outside = lines.iter().take(from.saturating_sub(1)).chain(lines.iter().skip(to));
        let prose = outside.filter(|line| !is_empty(line)).count();
        if prose > 0 {
            self.unplaced.push(format!("{prose} lines outside `## Ledger`"));
        }
        let mut title: Option<String> = None;
        let mut block: Vec<Line<'_>> = Vec::new();
        for (number, line) in (1..).zip(lines.get(from..to).unwrap_or_default()) {
            match heading(line) {
                Some((_, next)) => {
                    self.read_block(title.as_deref(), &block, schema);
                    title = Some(next.to_owned());
                    block.clear();
                }
                None => block.push(Line { number, text: line }),
            }
        }
        self.read_block(title.as_deref(), &block, schema);
    }

    /// The lines under one heading: `**Key:** value` lines, and a list of items.
    fn read_block(&mut self, title: Option<&str>, lines: &[Line<'_>], schema: &Schema) {
        let key = title.map(|title| title.trim().to_ascii_lowercase().replace([' ', '-'], "_"));
        let items: Vec<String> =
            markdown::items(lines).into_iter().map(|(_, text)| text).filter(|text| !is_empty(text)).collect();
        if !items.is_empty() {
            let name = key
                .as_deref()
                .map_or("this_session", |key| if let Meaning::Section(name) = meaning(key) { name } else { key });
            let merge = schema.section(name).map_or(Merge::Set, |section| section.merge);
            self.add_items(name, merge, &items);
        }
        let mut in_item = false;
        for line in lines {
            let starts = ["- ", "* ", "+ "].iter().any(|mark| line.text.starts_with(mark));
            in_item = starts || (in_item && !is_empty(line.text));
            if in_item || is_empty(line.text) {
                continue;
            }
            match labelled(line.text) {
                Some((label, value)) => self.place(&label, &scalar(value.to_owned())),
                None => match key.as_deref().map(meaning) {
                    Some(Meaning::Section(name @ ("goal" | "now"))) if items.is_empty() => {
                        self.add(name, scalar(markdown::paragraph(lines)));
                        return;
                    }
                    _ => self.unplaced.push(format!("line {}: {}", line.number, line.text.trim())),
                },
            }
        }
    }

    fn add_items(&mut self, name: &str, merge: Merge, items: &[String]) {
        match merge {
            Merge::Register => self.add(name, scalar(items.join("; "))),
            Merge::Map => {
                for item in items {
                    let (key, value) = markdown::split_entry(item);
                    self.add(name, mapping(vec![entry(key.to_owned(), scalar(value.to_owned()))]));
                }
            }
            Merge::Set | Merge::List => self.add(name, list(items.iter().map(|item| scalar(item.clone())).collect())),
        }
    }
}

/// `**Key:** value`, `**Key**: value` or `Key: value`, with the key as a name.
fn labelled(line: &str) -> Option<(String, &str)> {
    let (key, value) = markdown::split_entry(line.trim());
    let key = key.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let known = !matches!(meaning(&key), Meaning::Unplaced);
    (known && !is_empty(value)).then_some((key, value))
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| (level, text.trim().trim_end_matches('#').trim_end()))
}

fn owned(node: &Node<'_>) -> Node<'static> {
    let value = match &node.value {
        Value::Absent => Value::Absent,
        Value::Scalar(text) => Value::Scalar(Cow::Owned(text.clone().into_owned())),
        Value::List(nodes) => Value::List(nodes.iter().map(owned).collect()),
        Value::Mapping(entries) => {
            Value::Mapping(entries.iter().map(|one| entry(one.key.clone().into_owned(), owned(&one.node))).collect())
        }
    };
    Node { place: node.place, value }
}

#[cfg(test)]
mod tests {
    use super::{loose_ts, read};
    use crate::event::schema::Schema;

    #[test]
    fn a_ledger_section() {
        let text = "---\ndate: 2026-01-10 08:15\nsession: toast\ncolour: blue\n---\n# Handoff\n\nprose\n\n## Ledger\n**Updated:** 2026-01-11\n**Goal:** Ship it\n**Now:** Testing\n\n### Done\n- [x] one\n  more\n- two\n\n### Decisions\n- **quotes:** double\n- plain: yes\n\n### Next\n- three\nstray\n\n## Other\n- not this\n";
        let legacy = read(text, false, &Schema::default()).unwrap();
        let texts: Vec<String> =
            legacy.body.iter().map(|entry| format!("{} = {}", entry.key, entry.node.text())).collect();
        assert_eq!(
            texts,
            ["this_session = one more, two", "decisions = plain: yes; quotes: double", "next = three stray"]
                .into_iter()
                .fold(vec!["goal = Ship it".to_owned(), "now = Testing".to_owned()], |mut all, text| {
                    all.push(text.to_owned());
                    all
                })
        );
        assert_eq!(legacy.ts.unwrap().to_string(), "2026-01-10T08:15:00Z");
        assert_eq!(legacy.agent.as_deref(), Some("toast"));
        let said = ["`colour`: blue", "4 lines outside `## Ledger`", "`updated`: 2026-01-11"];
        for (said, expected) in legacy.unplaced.iter().zip(said) {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn handoff_yaml() {
        let text = "goal: g\ndone_this_session:\n- task: a\n  files: [x]\ndecisions:\n- k: v\nnext: [n]\n";
        let legacy = read(text, true, &Schema::default()).unwrap();
        assert_eq!(legacy.body.len(), 4);
        assert!(legacy.unplaced.is_empty());
        assert!(read("a: &x b", true, &Schema::default()).is_err());
    }

    #[test]
    fn loose_dates() {
        for (text, ts) in [
            ("2026-01-10", "2026-01-10T00:00:00Z"),
            ("2026-01-10-0815.md", "2026-01-10T08:15:00Z"),
            ("2026-01-10 08:15:30 UTC", "2026-01-10T08:15:30Z"),
            ("2026-01-10T08-15-30Z_toast.md", "2026-01-10T08:00:00Z"),
        ] {
            assert_eq!(loose_ts(text).map(|ts| ts.to_string()).as_deref(), Some(ts), "{text}");
        }
        assert_eq!(loose_ts("no date"), None);
        assert_eq!(loose_ts("2026-13-10"), None);
    }
}
