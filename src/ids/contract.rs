//! The contract of a log of anchors: what a reservation is, and what every log promises of its order.

use super::IdsError;
use crate::config::pattern::{MAX_NUMBER, Scope};
use crate::event::Timestamp;
use crate::event::text::is_unsafe_to_show;
use crate::trust::number::Floor;
use serde::{Deserialize, Serialize};

/// What an anchor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Takes its numbers.
    Reserve,
    /// Takes its numbers in place of the ids in `replaces`, which stay spent and become aliases. Ids beyond its
    /// numbers are in the log already: the ids that they replace lead there as well.
    Amend,
    /// Says that its ids, taken without the shared log, are in it now.
    Confirm,
    /// Gives its ids up; they stay spent.
    Release,
    /// Says that all numbers up to its own are spent.
    Floor,
    /// What is left of an entry that this version does not understand: its numbers are spent.
    Unread,
}

/// One entry of a log.
///
/// # Invariant
/// Once a log holds it, it never changes and never moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The namespace.
    pub namespace: String,
    /// What its numbers are counted within.
    #[serde(default, skip_serializing_if = "is_everything")]
    pub scope: Scope,
    /// What it does.
    pub kind: Kind,
    /// The numbers that it is about, ascending.
    pub numbers: Vec<u64>,
    /// The ids of the numbers as they were written then, in the same order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// For an amendment: the ids that are replaced, in the order of those that replace them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<String>,
    /// The nonce of the anchor that owns the ids which are amended, confirmed or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The durable key that makes a reservation repeatable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// What the id is for, as a part of a file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// What the id is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub agent: String,
    /// On which branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// When, by the asking machine's clock: UTC, to the millisecond. Never decides an order in a log.
    pub at: String,
    /// What tells it from every other anchor, also from an equal one of the same instant.
    pub nonce: String,
    /// Whether it was taken while the shared log could not be reached.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
    /// Whether its ids are older than the log, and were only registered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backfill: bool,
    /// The file that was made with it, from the top of the work tree, and the SHA-256 of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<(String, String)>,
    /// Whether it follows a jump of numbers, as `--allow-jump` asked; `false` if it must not be followed.
    #[serde(default, skip_serializing_if = "is_not_followed")]
    pub jump: Option<bool>,
}

impl Anchor {
    /// Reads an anchor that [`Anchor::line`] wrote.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(line: &str) -> Result<Self, String> {
        let anchor: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if !anchor.is_paired() || anchor.replaces.len() > anchor.ids.len() {
            return Err("its numbers and ids do not go together".to_owned());
        }
        // A floor that is too high leaves no number to reserve, and says nothing that cannot be read.
        let is_floor = matches!(anchor.kind, Kind::Floor | Kind::Unread);
        if !is_floor && anchor.numbers.iter().any(|number| *number > MAX_NUMBER) || anchor.nonce.is_empty() {
            return Err("a number is too high, or it has no nonce".to_owned());
        }
        // A shared log comes from strangers: what is shown is no control, what is removed lies in the work tree.
        let strange = |text: &String| text.chars().any(|c| c.is_whitespace() || is_unsafe_to_show(c));
        if anchor.ids.iter().chain(&anchor.replaces).chain([&anchor.namespace, &anchor.nonce]).any(strange) {
            return Err("an id has characters that cannot be shown".to_owned());
        }
        if Timestamp::parse(&anchor.at).is_none() {
            return Err("its `at` is no instant".to_owned());
        }
        let leads_out = |path: &str| path.contains('\\') || path.split('/').any(|part| matches!(part, "" | "." | ".."));
        if anchor.file.as_ref().is_some_and(|(path, _)| leads_out(path)) {
            return Err("its file lies outside the work tree".to_owned());
        }
        Ok(anchor)
    }

    /// Whether its numbers and ids go together.
    pub(super) fn is_paired(&self) -> bool {
        match self.kind {
            Kind::Floor | Kind::Unread => true,
            Kind::Amend => self.numbers.len() <= self.ids.len(),
            Kind::Reserve | Kind::Confirm | Kind::Release => self.numbers.len() == self.ids.len(),
        }
    }

    /// The anchor as one line of JSON, without its line end.
    #[must_use]
    pub fn line(&self) -> String {
        // Only maps with keys that are no texts cannot be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde passes what it may skip by reference")]
fn is_not_followed(jump: &Option<bool>) -> bool {
    *jump != Some(true)
}

fn is_everything(scope: &Scope) -> bool {
    scope.as_str().is_empty()
}

/// How a namespace stands in a log at the instant in which nobody else can append.
pub trait Standing {
    /// Where a scope stands.
    ///
    /// # Errors
    /// The log cannot be read.
    fn floor(&self, scope: &Scope) -> Result<Floor, IdsError>;

    /// The reservation with this durable key.
    ///
    /// # Errors
    /// The log cannot be read.
    fn by_event(&self, key: &str) -> Result<Option<Anchor>, IdsError>;

    /// All anchors of the namespace in the log's order.
    ///
    /// # Errors
    /// The log cannot be read.
    fn anchors(&self) -> Result<Vec<Anchor>, IdsError>;
}

/// What is to be done, decided from a [`Standing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// These are appended, all or none.
    Append(Vec<Anchor>),
    /// Nothing: this is in the log already.
    Already(Box<Anchor>),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// These are in the log now, durably.
    Appended(Vec<Anchor>),
    /// This was there before.
    Already(Box<Anchor>),
}

/// Decides what to append; asked again if the log moved before it could be appended.
pub type Decide<'a> = dyn FnMut(&dyn Standing) -> Result<Decision, IdsError> + 'a;

/// An ordered, append-only log of anchors.
///
/// # Invariant
/// - *Precondition*: what is appended was decided from everything before it: no other anchor of the
///   namespace comes in between.
/// - *Whole*: all anchors of one decision are in the log, next to each other, or none.
/// - *Durable*: what was reported as appended is in every later reading, at the same place.
pub trait AnchorLog {
    /// Where the log is, for messages.
    fn identity(&self) -> String;

    /// All anchors of a namespace, in the log's order.
    ///
    /// # Errors
    /// The log cannot be read.
    fn read(&mut self, namespace: &str) -> Result<Vec<Anchor>, IdsError>;

    /// Appends what is decided.
    ///
    /// # Errors
    /// What `decide` reports, or the log cannot be written; then nothing is owned.
    fn append(&mut self, namespace: &str, decide: &mut Decide<'_>) -> Result<Outcome, IdsError>;
}

#[cfg(test)]
mod tests {
    use super::Anchor;

    #[test]
    fn what_strangers_put_into_a_log_is_checked() {
        let line = r#"{"namespace":"A","kind":"reserve","numbers":[1],"ids":["A-1"],"at":"2026-01-01T00:00:00.000Z","nonce":"n","file":["docs/x.md","00"]}"#;
        let anchor = Anchor::read(line).unwrap();
        assert_eq!(Anchor::read(&anchor.line()), Ok(anchor));
        for (old, new) in [
            ("A-1", "A\\u001b[2J"),
            ("[1]", "[1,2]"),
            ("[1]", "[1000000000000]"),
            ("2026-01-01T00:00:00.000Z", "now"),
            ("docs/x.md", "../x.md"),
            ("docs/x.md", "/etc/x"),
            ("reserve", "steal"),
            ("\"n\"", "\"\""),
        ] {
            assert!(Anchor::read(&line.replace(old, new)).is_err(), "{new}");
        }
        let floor = line.replace("reserve", "floor").replace("[1]", "[18446744073709551615]");
        assert_eq!(Anchor::read(&floor).map(|anchor| anchor.numbers), Ok(vec![u64::MAX]));
    }
}
