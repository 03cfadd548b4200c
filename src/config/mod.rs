//! `.headwater.yaml`: from text to a checked configuration. Pure; unknown keys and bad values are errors.

mod raw;

use crate::event::schema::Schema;
use crate::event::yaml::{self, Node, Value};
use crate::event::{Place, Span};

/// The file's name, at the top of the work tree.
pub const FILE_NAME: &str = ".headwater.yaml";

/// Where the ledger is when nothing says otherwise.
pub const DEFAULT_LEDGER: &str = "thoughts/shared/handoffs";

/// A checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The sections' declarations.
    pub schema: Schema,
    /// The ledger folders, relative to the top of the work tree, with `/`; at least one.
    pub ledgers: Vec<String>,
    /// Where `current.md` is committed.
    pub view: ViewPolicy,
    /// When live events are archived, if ever.
    pub archive_after: Option<Span>,
    /// When archived events are packed, if ever.
    pub pack_after: Option<Span>,
}

/// Where `current.md` is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewPolicy {
    /// On every branch.
    Branch,
    /// On the default branch only, so that hosted pull requests never conflict in it.
    DefaultBranch,
    /// Nowhere.
    Untracked,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            schema: Schema::default(),
            ledgers: vec![DEFAULT_LEDGER.to_owned()],
            view: ViewPolicy::Branch,
            archive_after: Some(Span::hours(7 * 24)),
            pack_after: None,
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The YAML, a key or a value is wrong; the cause says which and where.
    #[error("the configuration cannot be read; correct it (`headwater config --help` lists what it may hold)")]
    Yaml(#[source] serde_yaml::Error),
    /// A key is wrong that the YAML library gives no place for.
    #[error("the configuration cannot be read; correct it (`headwater config --help` lists what it may hold): line {} column {}", place.line, place.column)]
    At {
        /// Where the key stands.
        place: Place,
        /// What is wrong with it.
        #[source]
        source: serde_yaml::Error,
    },
    /// Two sections that cannot stand together.
    #[error("`sections`: `{section}`: {fault}")]
    Section {
        /// The section's name.
        section: String,
        /// What is wrong, and what to do.
        fault: String,
    },
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// An unknown key, a bad value, or sections that contradict each other.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        let raw: raw::RawConfig = serde_yaml::from_str(text).map_err(|source| match place_of(text, &source) {
            Some(place) => ConfigError::At { place, source },
            None => ConfigError::Yaml(source),
        })?;
        raw.check()
    }
}

/// Where the key stands that an error without a place names first.
fn place_of(text: &str, error: &serde_yaml::Error) -> Option<Place> {
    if error.location().is_some() {
        return None;
    }
    let message = error.to_string();
    let key = message.split('`').nth(1)?;
    find(&yaml::read(text, 1).root, key)
}

fn find(node: &Node<'_>, key: &str) -> Option<Place> {
    match &node.value {
        Value::Mapping(entries) => {
            let here = entries.iter().find(|entry| entry.key == key).map(|entry| entry.place);
            here.or_else(|| entries.iter().find_map(|entry| find(&entry.node, key)))
        }
        Value::List(nodes) => nodes.iter().find_map(|node| find(node, key)),
        Value::Absent | Value::Scalar(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, ViewPolicy};
    use crate::event::Span;
    use crate::event::schema::{Identity, Merge};
    use std::error::Error as _;

    fn fault(text: &str) -> String {
        let error = Config::parse(text).unwrap_err();
        format!("{error} {}", error.source().map(ToString::to_string).unwrap_or_default())
    }

    #[test]
    fn nothing_is_the_default() {
        for text in ["", "\n# nothing\n", "{}\n"] {
            assert_eq!(Config::parse(text).unwrap(), Config::default(), "{text:?}");
        }
    }

    #[test]
    fn everything_that_can_be_said() {
        let config = Config::parse(
            "ledger: [a/b/, c]\nview: default-branch\narchive: {after: 2w, pack_after: never}\nsections:\n- name: now\n  title: Right Now\n- {name: risks, closed_by: settled, identity: exact, show: 7d}\n",
        )
        .unwrap();
        assert_eq!(config.ledgers, ["a/b", "c"]);
        assert_eq!((config.view, config.archive_after), (ViewPolicy::DefaultBranch, Span::parse("14d", "hdw").ok()));
        let now = config.schema.section("now").unwrap();
        assert_eq!((now.title.as_str(), now.merge), ("Right Now", Merge::Register));
        let risks = config.schema.section("risks").unwrap();
        assert_eq!((risks.title.as_str(), risks.merge, risks.identity), ("Risks", Merge::Set, Identity::Exact));
        assert_eq!(config.schema.sections().len(), 7);
    }

    #[test]
    fn faults_have_their_place() {
        for (text, expected) in [
            ("ledgers: x", "unknown field `ledgers`"),
            ("view: branch\nview: branch", "duplicate"),
            ("view: everywhere", "line 1 column 7"),
            ("archive:\n  after: soon", "line 2 column"),
            ("ledger: ../x", "`../x`"),
            ("ledger: /x", "inside the work tree"),
            ("ledger: []", "at least one"),
            ("ledger: a/.git/b", "inside the work tree"),
            ("sections:\n- name: Now", "line 2"),
            ("sections:\n- {name: a, title: \" \"}", "title"),
            ("sections:\n- {name: a}\n- {name: a}", "`a`: declared twice"),
            ("sections:\n- {name: a, merge: max}", "unknown variant `max`"),
            ("sections:\n- {name: a, merge: map, show: 7d}", "`show`"),
            ("sections:\n- {name: a, merge: list, identity: exact}", "`identity`"),
            ("sections:\n- {name: a, closed_by: now}", "`now` is a section"),
            ("- a", "invalid type"),
        ] {
            assert!(fault(text).contains(expected), "{text:?}: {}", fault(text));
        }
    }
}
