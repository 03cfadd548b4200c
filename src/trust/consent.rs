//! What the user of this clone agreed to: stored in git's configuration, never in a branch.
//!
//! A configuration wishes ([`Wanted`]); what it gets is what the user granted as well: `git config headwater.capture`
//! and `headwater.commit`, or the variables `HEADWATER_CAPTURE` and `HEADWATER_COMMIT` where there is nobody to ask.
//! `headwater.github` ([`super::host`]) and `headwater.remote` ([`super::remote`]) are the user's words as well.

use super::grants::Grants;
use super::host;
use crate::config::{Captured, Commit, Config, Wanted};
use crate::event::Span;
use crate::git::{Git, GitError};
use std::collections::BTreeSet;

/// The keys of the user's words in git's configuration, which `init` writes and takes out.
pub const KEYS: [&str; 5] =
    ["headwater.capture", "headwater.commit", "headwater.github", "headwater.remote", "headwater.trusted"];

/// What the user of this clone agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consents {
    capture: BTreeSet<Captured>,
    commit: bool,
    said: Vec<(&'static str, String)>,
    odd: Vec<String>,
}

/// What may be read from a transcript into an event: wished for by the configuration, and granted by the user.
///
/// Nothing else makes one:
/// ```compile_fail,E0451
/// let forged = headwater::trust::consent::Captures { granted: Default::default() };
/// ```
/// A wish is none:
/// ```compile_fail,E0308
/// fn read(captures: &headwater::trust::consent::Captures) {}
/// read(&headwater::config::Config::default().capture);
/// ```
/// Whoever reads a transcript needs one:
/// ```compile_fail,E0061
/// let _read = headwater::session::transcript::read(std::io::empty(), 0);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captures {
    granted: BTreeSet<Captured>,
}

/// That the ledger may be committed: a hook by the user's consent, or a command by its own option.
///
/// ```compile_fail,E0451
/// let forged = headwater::trust::consent::Committing { throttle: None };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committing {
    throttle: Option<Span>,
}

/// A wish that the user did not grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ungranted {
    /// What is wished for.
    pub what: String,
    /// The command that grants it.
    pub remedy: String,
}

impl Consents {
    /// Reads what the user agreed to.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn of(git: Option<&Git>) -> Result<Self, GitError> {
        Ok(Self::read(&git.map_or_else(|| Ok(Grants::of_environment()), Grants::of)?))
    }

    fn read(grants: &Grants) -> Self {
        let (mut consents, keys) = (Self::default(), KEYS.map(|key| key.trim_start_matches("headwater.")));
        for (key, name) in KEYS.into_iter().zip(keys) {
            for value in grants.values(name) {
                let is_understood = consents.take(name, &value);
                if !is_understood {
                    consents.odd.push(format!("`{key}` is `{}`, which grants nothing", value.escape_debug()));
                }
                consents.said.push((key, value));
            }
        }
        consents
    }

    /// Takes one word of the user's; whether it is understood.
    fn take(&mut self, name: &str, value: &str) -> bool {
        match (name, value) {
            ("capture", "todos") => self.capture.extend([Captured::Todos]),
            ("capture", "request") => self.capture.extend([Captured::Request]),
            ("capture", "none") => self.capture.clear(),
            // The last word counts.
            ("commit", "true" | "yes" | "on" | "1") => self.commit = true,
            ("commit", "false" | "no" | "off" | "0") => self.commit = false,
            ("capture" | "commit", _) => return false,
            ("github", issue) => return host::is_grant(issue),
            _ => {}
        }
        true
    }

    /// What may be read from transcripts, of what a configuration wishes for.
    #[must_use]
    pub fn captures(&self, wanted: &Wanted<BTreeSet<Captured>>) -> Captures {
        Captures { granted: wanted.for_consent().intersection(&self.capture).copied().collect() }
    }

    /// Whether an occasion may commit the ledger, if the configuration wishes for it.
    #[must_use]
    pub fn committing(&self, wanted: &Wanted<Commit>) -> Option<Committing> {
        match wanted.for_consent() {
            _ if !self.commit => None,
            Commit::Never => None,
            Commit::Always => Some(Committing { throttle: None }),
            Commit::Throttled(span) => Some(Committing { throttle: Some(*span) }),
        }
    }

    /// What the user said, key by key.
    #[must_use]
    pub fn said(&self) -> &[(&'static str, String)] {
        &self.said
    }

    /// What the user said that grants nothing.
    #[must_use]
    pub fn odd(&self) -> &[String] {
        &self.odd
    }

    /// What a configuration wishes for in words of its own and the user did not grant, with the command that grants it.
    #[must_use]
    pub fn ungranted(&self, config: &Config) -> Vec<Ungranted> {
        let mut lacking = Vec::new();
        let wanted = config.capture.for_consent();
        // Who said anything about it has decided.
        let is_said = |key: &str| self.said.iter().any(|(known, _)| *known == key);
        if !wanted.is_empty() && !is_said("headwater.capture") {
            let names: Vec<&str> = wanted.iter().copied().map(Captured::name).collect();
            lacking.push(Ungranted {
                what: format!(
                    "the configuration wishes `capture: [{}]`, and you did not grant it: whoever reads the repository would read that",
                    names.join(", ")
                ),
                remedy: format!("git config headwater.capture {}", names.join(",")),
            });
        }
        if !is_said("headwater.commit") && config.triggers.wish_commits() {
            lacking.push(Ungranted {
                what: "`triggers:` wishes that hooks commit the ledger, and you did not grant it: events wait for your own commit".to_owned(),
                remedy: "git config headwater.commit true".to_owned(),
            });
        }
        lacking
    }
}

impl Captures {
    /// Whether this may be read.
    #[must_use]
    pub fn contain(&self, what: Captured) -> bool {
        self.granted.contains(&what)
    }

    /// Whether nothing may be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.granted.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn for_test(granted: &[Captured]) -> Self {
        Self { granted: granted.iter().copied().collect() }
    }
}

impl Committing {
    /// A command whose own option says that it commits, such as `synth --commit`.
    #[must_use]
    pub const fn by_option(throttle: Option<Span>) -> Self {
        Self { throttle }
    }

    /// How long it waits after the last commit.
    #[must_use]
    pub const fn throttle(&self) -> Option<Span> {
        self.throttle
    }
}

#[cfg(test)]
mod tests {
    use super::{Captured, Config, Consents, Grants};

    #[test]
    fn a_wish_is_granted_by_the_users_word_alone() {
        let config = Config::parse(
            "capture: [request, todos]
triggers: {event: {view: safe, commit: always}}
",
        )
        .unwrap();
        let wished = |said: &[(&str, &str)]| {
            let consents = Consents::read(&Grants::said(said));
            let captures = consents.captures(&config.capture);
            let commits = consents.committing(&config.triggers.event.commit).is_some();
            (captures.contain(Captured::Todos), captures.contain(Captured::Request), commits)
        };
        assert_eq!(wished(&[]), (false, false, false));
        assert_eq!(wished(&[("headwater.capture", "todos")]), (true, false, false));
        assert_eq!(
            wished(&[("headwater.capture", "todos, request"), ("headwater.commit", "true")]),
            (true, true, true)
        );
        assert_eq!(wished(&[("headwater.commit", "true"), ("headwater.commit", "false")]), (false, false, false));
        assert_eq!(wished(&[("headwater.commit", "maybe"), ("other.capture", "todos")]), (false, false, false));
        // Nothing is done that the configuration does not wish for.
        let all =
            Consents::read(&Grants::said(&[("headwater.capture", "todos,request"), ("headwater.commit", "true")]));
        assert!(all.captures(&Config::default().capture).is_empty());
        assert!(all.committing(&Config::default().triggers.event.commit).is_none());
        assert!(all.ungranted(&config).is_empty() && Consents::default().ungranted(&config).len() == 2);
    }
}
