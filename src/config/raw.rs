//! The configuration as it is written, and its check.

use super::{Config, ConfigError, ViewPolicy};
use crate::event::schema::{Identity, Merge, Schema, Section};
use crate::event::text::{is_empty, is_unsafe_to_show};
use crate::event::{Span, SpanError};
use crate::ledger::undeclared_title;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    ledger: Option<Ledgers>,
    view: Option<ViewPolicy>,
    archive: Option<RawArchive>,
    sections: Option<Vec<RawSection>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`ledger` must be a path, or a list of at least one path, inside the work tree")]
enum Ledgers {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
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
        if text.split('_').all(word) {
            Ok(Self(text))
        } else {
            Err(format!("`{}` is no name: use small letters, digits and single `_` between them", text.escape_debug()))
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Title(String);

impl TryFrom<String> for Title {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is_empty(&text) || text.chars().any(|c| is_unsafe_to_show(c) || matches!(c, '\u{2028}' | '\u{2029}')) {
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
#[serde(deny_unknown_fields)]
struct RawSection {
    name: Name,
    title: Option<Title>,
    merge: Option<RawMerge>,
    identity: Option<RawIdentity>,
    closed_by: Option<Name>,
    show: Option<Window>,
}

impl RawConfig {
    pub(super) fn check(self) -> Result<Config, ConfigError> {
        let default = Config::default();
        let ledgers = match self.ledger {
            None => default.ledgers,
            Some(Ledgers::One(path)) => vec![check_path(&path)?],
            Some(Ledgers::Many(paths)) => paths.iter().map(|path| check_path(path)).collect::<Result<_, _>>()?,
        };
        if ledgers.is_empty() {
            return Err(custom("`ledger` must name at least one folder"));
        }
        let archive = self.archive.unwrap_or_default();
        Ok(Config {
            schema: check_sections(self.sections.unwrap_or_default())?,
            ledgers,
            view: self.view.unwrap_or(default.view),
            archive_after: archive.after.map_or(default.archive_after, |age| age.0),
            pack_after: archive.pack_after.map_or(default.pack_after, |age| age.0),
        })
    }
}

fn custom(message: impl std::fmt::Display) -> ConfigError {
    ConfigError::Yaml(serde::de::Error::custom(message))
}

/// A path inside the work tree: relative, with `/`, no `..`, nothing of git's own.
fn check_path(path: &str) -> Result<String, ConfigError> {
    let trimmed = path.trim_end_matches('/');
    let strange = |part: &str| part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git");
    let drive = path.contains(':') || path.contains('\\') || path.chars().any(is_unsafe_to_show);
    if trimmed.is_empty() || drive || trimmed.split('/').any(strange) {
        return Err(custom(format!(
            "`ledger`: `{}` must be a relative path inside the work tree, such as `thoughts/shared/handoffs`",
            path.escape_debug()
        )));
    }
    Ok(trimmed.to_owned())
}

fn check_sections(changes: Vec<RawSection>) -> Result<Schema, ConfigError> {
    let mut sections = Schema::default().sections().to_vec();
    let mut stated: Vec<String> = Vec::new();
    for change in changes {
        let name = change.name.0.clone();
        let fault = |fault: &str| ConfigError::Section { section: name.clone(), fault: fault.to_owned() };
        if stated.contains(&name) {
            return Err(fault("declared twice; keep one of the two"));
        }
        stated.push(name.clone());
        if !sections.iter().any(|section| section.name == name) {
            sections.push(Section::new(&name, &undeclared_title(&name), Merge::Set));
        }
        let Some(section) = sections.iter_mut().find(|section| section.name == name) else { continue };
        apply(section, change).map_err(|text| fault(&text))?;
    }
    for section in &sections {
        if let Some(key) = section.closed_by.as_ref().filter(|key| sections.iter().any(|other| other.name == **key)) {
            let fault = format!("`closed_by`: `{key}` is a section itself; name a key that is none");
            return Err(ConfigError::Section { section: section.name.clone(), fault });
        }
    }
    Ok(Schema::new(sections))
}

/// Changes what is stated; options that the merge rule does not have are errors, or dropped where
/// only the default had them.
fn apply(section: &mut Section, change: RawSection) -> Result<(), String> {
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
        if change.identity.is_some() || change.closed_by.is_some() {
            return Err("`identity` and `closed_by` are for `merge: set` only".to_owned());
        }
        section.identity = Identity::Words;
        section.closed_by = None;
    }
    if change.show.is_some() && !matches!(section.merge, Merge::Set | Merge::List) {
        return Err("`show` is for `merge: set` and `merge: list` only".to_owned());
    }
    section.identity = match change.identity {
        Some(RawIdentity::Words) => Identity::Words,
        Some(RawIdentity::Exact) => Identity::Exact,
        None => section.identity,
    };
    section.closed_by = change.closed_by.map(|name| name.0).or_else(|| section.closed_by.take());
    section.show = change.show.map(|window| window.0).or(section.show);
    if !matches!(section.merge, Merge::Set | Merge::List) {
        section.show = None;
    }
    Ok(())
}
