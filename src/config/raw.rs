//! The configuration as it is written, and its check.

use super::github::{RawCollisions, RawGithub, check_collisions, check_github};
use super::ids::{RawNamespace, check_ids};
use super::relative::checked_path;
use super::{Captured, Config, ConfigError, Triggers, ViewPolicy, Wanted};
use crate::event::decode::is_reserved;
use crate::event::schema::{Identity, Merge, Schema, Section};
use crate::event::text::{is_empty, visibility};
use crate::event::yaml::{Node, Value};
use crate::event::{Place, Span, SpanError};
use crate::ledger::undeclared_title;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How many directories and sections there may be: each is compared with the others.
const MOST_LEDGERS: usize = 100;
const MOST_SECTIONS: usize = 200;

#[derive(Debug, Deserialize)]
#[serde(expecting = "a mapping of keys, such as `view: branch`")]
pub(super) struct RawConfig {
    /// Checked before, by [`super::requires`].
    #[expect(dead_code, reason = "known, so that it is not named as unknown")]
    requires: Option<serde::de::IgnoredAny>,
    ledger: Option<Ledgers>,
    view: Option<ViewPolicy>,
    archive: Option<RawArchive>,
    sections: Option<Vec<RawSection>>,
    triggers: Option<Triggers>,
    capture: Option<Vec<Captured>>,
    sessions: Option<RawSessions>,
    feed: Option<RawFeed>,
    ids: Option<BTreeMap<String, Option<RawNamespace>>>,
    github: Option<RawGithub>,
    collisions: Option<RawCollisions>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a mapping, such as `{cold: 24h}`")]
struct RawFeed {
    cold: Option<Window>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a mapping, such as `{silent_after: 12h}`")]
struct RawSessions {
    silent_after: Option<Window>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`ledger` must be a path, or a list of at least one path, inside the work tree")]
enum Ledgers {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a mapping, such as `{after: 7d}`")]
struct RawArchive {
    after: Option<Age>,
    pack_after: Option<Age>,
}

/// A span of time, or `never`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Age(Option<Span>);

impl TryFrom<String> for Age {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        if text == "never" { Ok(Self(None)) } else { Span::parse(&text, "hdw").map(|span| Self(Some(span))) }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Window(Span);

impl TryFrom<String> for Window {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        Span::parse(&text, "hdw").map(Self)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Name(String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !text.split('_').all(word) {
            let text = text.escape_debug();
            return Err(format!("`{text}` is no name: use small letters, digits and single `_` between them"));
        }
        if is_reserved(&text) {
            return Err(format!("`{text}` is a key of an event's own front matter; choose another name"));
        }
        Ok(Self(text))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Title(String);

impl TryFrom<String> for Title {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let unseen = |(character, visible): (char, bool)| !visible || matches!(character, '\u{2028}' | '\u{2029}');
        if is_empty(&text) || visibility(&text).any(unseen) {
            return Err("a title is one visible line of text".to_owned());
        }
        Ok(Self(text))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawMerge {
    Register,
    Map,
    Set,
    List,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawIdentity {
    Words,
    Exact,
}

/// A section that is added, or the options of one that is changed.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "a mapping, such as `{name: risks}`")]
struct RawSection {
    name: Name,
    title: Option<Title>,
    merge: Option<RawMerge>,
    identity: Option<RawIdentity>,
    closed_by: Option<Name>,
    show: Option<Window>,
    grouped: Option<bool>,
}

impl RawConfig {
    /// Checks what no single value shows; `root` is the same file with its places.
    pub(super) fn check(self, root: &Node<'_>) -> Result<Config, ConfigError> {
        let default = Config::default();
        let ledgers = match self.ledger {
            None => default.ledgers,
            Some(Ledgers::One(path)) => check_ledgers(&[path], root)?,
            Some(Ledgers::Many(paths)) => check_ledgers(&paths, root)?,
        };
        let archive = self.archive.unwrap_or_default();
        Ok(Config {
            schema: check_sections(self.sections.unwrap_or_default(), root)?,
            ledgers,
            view: self.view.unwrap_or(default.view),
            archive_after: archive.after.map_or(default.archive_after, |age| age.0),
            pack_after: archive.pack_after.map_or(default.pack_after, |age| age.0),
            triggers: self.triggers.unwrap_or_default(),
            capture: Wanted::new(self.capture.unwrap_or_default().into_iter().collect()),
            silent_after: self
                .sessions
                .and_then(|sessions| sessions.silent_after)
                .map_or(default.silent_after, |span| span.0),
            feed_cold: self.feed.and_then(|feed| feed.cold).map_or(default.feed_cold, |span| span.0),
            ids: check_ids(self.ids.unwrap_or_default(), root)?,
            github: check_github(self.github.unwrap_or_default(), root)?,
            collisions: check_collisions(self.collisions.unwrap_or_default(), root)?,
            unknown: Vec::new(),
        })
    }
}

/// Where a key inside nested mappings stands; as deep as the path goes.
pub(super) fn place_in(root: &Node<'_>, path: &[&str], key: Option<&str>) -> Place {
    let mut node = root;
    let mut place = root.place;
    for name in path.iter().copied().chain(key) {
        let Some(entry) = node.entries().iter().find(|entry| entry.key == name) else { break };
        place = entry.place;
        node = &entry.node;
    }
    place
}

/// Where the value of a key at the top stands, or an item of it.
fn place(root: &Node<'_>, key: &str, item: usize) -> Place {
    let node = root.get(key).unwrap_or(root);
    items(node).get(item).unwrap_or(node).place
}

pub(super) fn items<'n>(node: &'n Node<'n>) -> &'n [Node<'n>] {
    match &node.value {
        Value::List(nodes) => nodes,
        Value::Absent | Value::Scalar(_) | Value::Mapping(_) => &[],
    }
}

/// Paths inside the work tree: relative, with `/`, no `..`, nothing of git's own, none in another.
fn check_ledgers(paths: &[String], root: &Node<'_>) -> Result<Vec<String>, ConfigError> {
    let mut checked: Vec<String> = Vec::new();
    if paths.len() > MOST_LEDGERS {
        let fault = format!("`ledger`: more than {MOST_LEDGERS} directories");
        return Err(ConfigError { place: place(root, "ledger", MOST_LEDGERS), fault });
    }
    for (position, path) in paths.iter().enumerate() {
        let wrong = |fault: String| ConfigError { place: place(root, "ledger", position), fault };
        let Some(trimmed) = checked_path(path) else {
            return Err(wrong(format!(
                "`ledger`: `{}` must be a relative path inside the work tree, such as `thoughts/shared/handoffs`",
                path.escape_debug()
            )));
        };
        let holds = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
        let clash = |other: &&String| *other == trimmed || holds(other, trimmed) || holds(trimmed, other);
        if let Some(other) = checked.iter().find(clash) {
            return Err(wrong(format!("`ledger`: `{trimmed}` and `{other}` overlap; name folders that lie apart")));
        }
        checked.push(trimmed.to_owned());
    }
    if checked.is_empty() {
        return Err(ConfigError {
            place: place(root, "ledger", 0),
            fault: "`ledger` must name at least one folder".to_owned(),
        });
    }
    Ok(checked)
}

fn check_sections(changes: Vec<RawSection>, root: &Node<'_>) -> Result<Schema, ConfigError> {
    if changes.len() > MOST_SECTIONS {
        let fault = format!("`sections`: more than {MOST_SECTIONS} sections");
        return Err(ConfigError { place: place(root, "sections", MOST_SECTIONS), fault });
    }
    let mut sections = Schema::default().sections().to_vec();
    let mut stated: Vec<String> = Vec::new();
    let wrong = |position: usize, key: &str, section: &str, fault: &str| {
        let item = root.get("sections").and_then(|node| items(node).get(position));
        let key = item.and_then(|item| item.entries().iter().find(|entry| entry.key == key));
        let place = key.map_or_else(|| place(root, "sections", position), |key| key.place);
        ConfigError { place, fault: format!("`sections`: `{section}`: {fault}") }
    };
    for (position, change) in changes.into_iter().enumerate() {
        let name = change.name.0.clone();
        if stated.contains(&name) {
            return Err(wrong(position, "name", &name, "declared twice; keep one of the two"));
        }
        stated.push(name.clone());
        if !sections.iter().any(|section| section.name == name) {
            sections.push(Section::new(&name, &undeclared_title(&name), Merge::Set));
        }
        let Some(section) = sections.iter_mut().find(|section| section.name == name) else { continue };
        apply(section, change).map_err(|(key, fault)| wrong(position, key, &name, fault))?;
    }
    for section in &sections {
        if let Some(key) = section.closed_by.as_ref().filter(|key| sections.iter().any(|other| other.name == **key)) {
            let fault = format!("`closed_by`: `{key}` is a section itself; name a key that is none");
            // Either this section's `closed_by` is stated, or the section that the key names.
            let at = |name: &str| stated.iter().position(|stated| stated == name);
            let position = at(&section.name).or_else(|| at(key)).unwrap_or_default();
            return Err(wrong(position, "closed_by", &section.name, &fault));
        }
    }
    Ok(Schema::new(sections))
}

/// Changes what is stated; options that the merge rule does not have are errors, or dropped where
/// only the default had them. An error names the option, and says what is wrong with it.
fn apply(section: &mut Section, change: RawSection) -> Result<(), (&'static str, &'static str)> {
    if let Some(title) = change.title {
        section.title = title.0;
    }
    section.merge = match change.merge {
        Some(RawMerge::Register) => Merge::Register,
        Some(RawMerge::Map) => Merge::Map,
        Some(RawMerge::Set) => Merge::Set,
        Some(RawMerge::List) => Merge::List,
        None => section.merge,
    };
    if section.merge != Merge::Set {
        let stated = [
            ("identity", change.identity.is_some()),
            ("closed_by", change.closed_by.is_some()),
            ("grouped", change.grouped.is_some()),
        ];
        if let Some((key, _)) = stated.into_iter().find(|(_, stated)| *stated) {
            return Err((key, "`identity`, `closed_by` and `grouped` are for `merge: set` only"));
        }
        section.identity = Identity::Words;
        section.closed_by = None;
        section.grouped = false;
    }
    if change.show.is_some() && section.merge == Merge::Register {
        return Err(("show", "`show` is not for `merge: register`"));
    }
    section.identity = match change.identity {
        Some(RawIdentity::Words) => Identity::Words,
        Some(RawIdentity::Exact) => Identity::Exact,
        None => section.identity,
    };
    section.closed_by = change.closed_by.map(|name| name.0).or_else(|| section.closed_by.take());
    section.grouped = change.grouped.unwrap_or(section.grouped);
    section.show = change.show.map(|window| window.0).or(section.show).filter(|_| section.merge != Merge::Register);
    Ok(())
}
