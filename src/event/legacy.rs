//! Documents from before there were events: `## Ledger` Markdown and handoff YAML files.
//!
//! Their fences and layouts are looser than an event's, so the front matter is split by `gray_matter`,
//! and what has no place in an event is named, never dropped in silence.

use super::encode::{entry, file_stem, list, mapping, scalar};
use super::fault::{Fault, Place};
use super::markdown::{self, Fences, Line};
use super::schema::{Merge, Schema};
use super::text::{collapse, is_empty};
use super::timestamp::Timestamp;
use super::yaml::{self, Entry, Node, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

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
    legacy.keep_first_keys(schema);
    Ok(legacy)
}

/// A date with or without a time, in the looser forms of legacy documents and their file names, and what
/// of the text is not understood. A time without an offset is UTC.
#[must_use]
pub fn loose_ts(text: &str) -> Option<(Timestamp, &str)> {
    let text = text.trim();
    if let Some(ts) = Timestamp::parse(text) {
        return Some((ts, ""));
    }
    let (date, after) = text.split_at_checked(10)?;
    let timed = loose_time(after).and_then(|(time, rest)| Some((Timestamp::parse(&format!("{date}T{time}"))?, rest)));
    let (ts, rest) = timed.or_else(|| Some((Timestamp::parse(&format!("{date}T00:00:00Z"))?, after)))?;
    Some((ts, rest.trim()))
}

/// The time after a date as RFC 3339 has it, and the rest: `HH:MM[:SS[.f]]`, with `-` or nothing for `:`.
fn loose_time(text: &str) -> Option<(String, &str)> {
    let in_name = text.starts_with(['-', '_']);
    let (hours, rest) = two_digits(text.strip_prefix(['T', 't', ' ', '-', '_'])?.trim_start())?;
    let mark = rest.get(..1).filter(|mark| [":", "-"].contains(mark)).unwrap_or_default();
    let (minutes, mut rest) = two_digits(rest.strip_prefix(mark)?)?;
    let mut time = format!("{hours}:{minutes}:");
    match rest.strip_prefix(mark).and_then(two_digits) {
        None => time.push_str("00"),
        Some((seconds, after)) => {
            time.push_str(seconds);
            rest = after;
            if let Some((digits, after)) =
                after.strip_prefix('.').map(split_digits).filter(|(digits, _)| !digits.is_empty())
            {
                time.push('.');
                // An instant goes down to nanoseconds.
                time.push_str(digits.get(..9).unwrap_or(digits));
                rest = after;
            }
        }
    }
    // After a `-` in a file name, digits need not be an offset.
    let (offset, rest) = loose_offset(rest, !in_name && mark != "-");
    Some((time + &offset, rest))
}

/// `Z`, `UTC`, `GMT`, or an offset of hours and perhaps minutes, as RFC 3339 has it.
fn loose_offset(text: &str, may_be_behind: bool) -> (String, &str) {
    let zone = text.trim_start();
    let named = ["UTC", "GMT", "Z", "z"].iter().find_map(|name| zone.strip_prefix(name));
    let offset = named.unwrap_or(zone).trim_start();
    let sign = if may_be_behind { offset.strip_prefix(['+', '-']) } else { offset.strip_prefix('+') };
    let numbers = sign.and_then(|numbers| {
        let (digits, rest) = split_digits(numbers);
        let (hours, minutes, rest) = match digits.len() {
            1 | 2 => match rest.strip_prefix(':').and_then(two_digits) {
                Some((minutes, rest)) => (digits, minutes, rest),
                None => (digits, "00", rest),
            },
            4 => (digits.get(..2)?, digits.get(2..)?, rest),
            _ => return None,
        };
        Some((format!("{}{hours:0>2}:{minutes}", offset.get(..1)?), rest))
    });
    numbers.unwrap_or_else(|| ("Z".to_owned(), named.unwrap_or(text)))
}

fn two_digits(text: &str) -> Option<(&str, &str)> {
    text.split_at_checked(2).filter(|(digits, _)| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The agent in a file name of the form that an event's has: `<ts with ':' as '-'>_<agent>.<ext>`.
#[must_use]
pub fn agent_in_name(name: &str) -> Option<&str> {
    let (stamp, rest) = name.split_once('_')?;
    let (ts, unread) = loose_ts(stamp)?;
    let (agent, _) = rest.rsplit_once('.')?;
    (unread.is_empty() && file_stem(ts, "").strip_suffix('_') == Some(stamp) && !agent.is_empty()).then_some(agent)
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
            Meaning::Ts if self.ts.is_none() && loose_ts(&node.text()).is_some() => {
                let text = node.text();
                if let Some((ts, rest)) = loose_ts(&text) {
                    self.ts = Some(ts);
                    if !rest.is_empty() {
                        self.unplaced.push(format!("`{key}`: `{rest}` in `{}`, read as {ts}", text.trim()));
                    }
                }
            }
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
                        self.unplaced.push(format!("`{name}`: a second `{}`: {}", one.key, one.node.text()));
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

    /// Of a map's key that stands several times the first counts; an event holds it once.
    fn keep_first_keys(&mut self, schema: &Schema) {
        let unplaced = &mut self.unplaced;
        let maps = |name: &str| schema.section(name).is_some_and(|section| section.merge == Merge::Map);
        for Entry { key: name, node, .. } in self.body.iter_mut().filter(|entry| maps(&entry.key)) {
            let mut seen = BTreeMap::new();
            let mut keep = |entry: &Entry<'_>| {
                let (key, text) = (collapse(&entry.key).into_owned(), entry.node.text().into_owned());
                let Some(first) = seen.get(&key) else {
                    seen.insert(key, text);
                    return true;
                };
                if *first != text {
                    unplaced.push(format!("`{name}`: a second `{key}`: {text}"));
                }
                false
            };
            match &mut node.value {
                Value::Mapping(entries) => entries.retain(&mut keep),
                Value::List(nodes) => {
                    for node in nodes {
                        if let Value::Mapping(entries) = &mut node.value {
                            entries.retain(&mut keep);
                        }
                    }
                }
                Value::Absent | Value::Scalar(_) => {}
            }
        }
    }

    /// Reads the part under `## Ledger`, or all of it where there is no such heading.
    fn read_markdown(&mut self, content: &str, schema: &Schema) {
        let mut fences = Fences::default();
        let lines: Vec<(&str, bool)> = content.lines().map(|line| (line, fences.hold(line))).collect();
        let ledger = lines
            .iter()
            .position(|line| unfenced_heading(line).is_some_and(|(_, title)| title.eq_ignore_ascii_case("ledger")));
        let from = ledger.map_or(0, |at| at + 1);
        let level = ledger.and_then(|at| lines.get(at)).and_then(unfenced_heading).map_or(0, |(level, _)| level);
        let ends =
            |line: &&(&str, bool)| unfenced_heading(line).is_some_and(|(other, _)| ledger.is_some() && other <= level);
        let to = lines.iter().skip(from).position(|line| ends(&line)).map_or(lines.len(), |at| from + at);
        let outside = lines.iter().take(from.saturating_sub(1)).chain(lines.iter().skip(to));
        let prose = outside.filter(|(line, _)| !is_empty(line)).count();
        if prose > 0 {
            self.unplaced.push(format!("{prose} lines outside `## Ledger`"));
        }
        let mut title: Option<String> = None;
        let mut block: Vec<Line<'_>> = Vec::new();
        let section = lines.get(from..to).unwrap_or_default();
        let code = section.iter().filter(|(_, fenced)| *fenced).count();
        if code > 0 {
            self.unplaced.push(format!("{code} lines of fenced code"));
        }
        for (number, line) in (1..).zip(section) {
            match unfenced_heading(line) {
                Some((_, next)) => {
                    self.read_block(title.as_deref(), &block, schema);
                    title = Some(next.to_owned());
                    block.clear();
                }
                None => block.push(Line { number, text: if line.1 { "" } else { markdown::as_read(line.0) } }),
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

/// The heading in a line, unless it stands in a fence.
fn unfenced_heading<'a>((line, fenced): &(&'a str, bool)) -> Option<(usize, &'a str)> {
    if *fenced { None } else { heading(line) }
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
    use super::{agent_in_name, loose_ts, read};
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
    fn what_stands_in_a_fence_is_no_heading_and_no_item() {
        let text = "# Handoff\n```\n## Ledger\n```\n## Ledger\n### Done\n- one\n```sh\n# make\n- x\nNow: y\n```\n- two\n\n---\n\n### Next\n- three\n";
        let legacy = read(text, false, &Schema::default()).unwrap();
        let texts: Vec<String> =
            legacy.body.iter().map(|entry| format!("{} = {}", entry.key, entry.node.text())).collect();
        assert_eq!(texts, ["this_session = one, two", "next = three"]);
        assert_eq!(legacy.unplaced, ["4 lines outside `## Ledger`", "5 lines of fenced code"]);
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
    fn of_a_key_that_stands_twice_the_first_is_kept() {
        for text in [
            "decisions:\n- d1: why\n- ' d1 ': again\n  d2: x\n",
            "decisions: {d1: why, 'd1 ': again, d2: x}",
            "decisions: [{d1: why}]\nkey_decisions: [{d1: again}, {d2: x}]",
        ] {
            let legacy = read(text, true, &Schema::default()).unwrap();
            assert_eq!(legacy.unplaced, ["`decisions`: a second `d1`: again"], "{text}");
            let kept = legacy.body[0].node.text();
            assert!(kept.contains("d1: why") && kept.contains("d2: x") && !kept.contains("again"), "{text}: {kept}");
        }
    }

    #[test]
    fn loose_dates() {
        for (text, ts, rest) in [
            ("2026-01-10", "2026-01-10T00:00:00Z", ""),
            ("2026-01-10-0815.md", "2026-01-10T08:15:00Z", ".md"),
            ("2026-01-10_08-15_toast.md", "2026-01-10T08:15:00Z", "_toast.md"),
            ("2026-01-10-08-15-30-02-notes.md", "2026-01-10T08:15:30Z", "-02-notes.md"),
            ("2026-01-10-12-monkeys.md", "2026-01-10T00:00:00Z", "-12-monkeys.md"),
            ("2026-01-10T08-15-30Z_toast.md", "2026-01-10T08:15:30Z", "_toast.md"),
            ("2026-01-10T08-15-30.250Z_toast.yaml", "2026-01-10T08:15:30.250Z", "_toast.yaml"),
            ("2026-01-10 08:15:30 UTC", "2026-01-10T08:15:30Z", ""),
            ("2026-01-10 08:15:30+02:00", "2026-01-10T06:15:30Z", ""),
            ("2026-01-10T08:15+0530", "2026-01-10T02:45:00Z", ""),
            ("2026-01-10 08:15:30.5 -5", "2026-01-10T13:15:30.500Z", ""),
            ("2026-01-10 08:15 UTC+02", "2026-01-10T06:15:00Z", ""),
            ("2026-01-10T081530-0130", "2026-01-10T09:45:30Z", ""),
            ("2026-01-10 08:15:30.1234567899Z", "2026-01-10T08:15:30.123456789Z", ""),
            ("2026-01-10 08:15 PM", "2026-01-10T08:15:00Z", "PM"),
            ("2026-01-10 25:15", "2026-01-10T00:00:00Z", "25:15"),
            ("2026-01-10 08:15 +99:00", "2026-01-10T00:00:00Z", "08:15 +99:00"),
            ("2026-01-10 é", "2026-01-10T00:00:00Z", "é"),
        ] {
            let read = loose_ts(text).map(|(ts, rest)| (ts.to_string(), rest));
            assert_eq!(read, Some((ts.to_owned(), rest)), "{text}");
        }
        assert_eq!(loose_ts("no date"), None);
        assert_eq!(loose_ts("2026-01-1é0"), None);
        assert_eq!(loose_ts("2026-13-10"), None);
        let legacy = read("date: 2026-01-10 08:15 PM\nnow: x", true, &Schema::default()).unwrap();
        assert_eq!(legacy.unplaced, ["`date`: `PM` in `2026-01-10 08:15 PM`, read as 2026-01-10T08:15:00Z"]);
    }

    #[test]
    fn agents_in_file_names() {
        for (name, agent) in [
            ("2026-01-10T08-15-30Z_toast.yaml", Some("toast")),
            ("2026-01-10T08-15-30.250Z_a_b.c.md", Some("a_b.c")),
            ("2026-01-10T08-15-30Z_.md", None),
            ("2026-01-10T08-15-30Z.md", None),
            ("2026-01-10_08-15_toast.md", None),
            ("2026-01-10_toast.md", None),
            ("notes_toast.md", None),
        ] {
            assert_eq!(agent_in_name(name), agent, "{name}");
        }
    }
}
