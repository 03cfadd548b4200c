//! What the user said in this clone: git's configuration, and the environment for containers. Nothing of it
//! comes from a branch.
#![expect(clippy::disallowed_methods, reason = "consents of containers are variables, and only this module reads them")]

use crate::git::{Git, GitError};
use std::collections::BTreeMap;

/// What git's configuration calls everything of headwater's.
const SECTION: &str = "headwater.";

/// What the environment calls it.
const PREFIX: &str = "HEADWATER_";

/// The user's words, by their lower-case keys.
///
/// # Invariant
/// Every value was said by the user of this clone, and by no file of a branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Keys of `headwater.*` without that, each with its values in order.
    said: BTreeMap<String, Vec<String>>,
    /// Each remote with the URLs that it has.
    remotes: BTreeMap<String, Vec<String>>,
    /// Each branch with the remote that it comes from.
    tracking: BTreeMap<String, String>,
}

/// The words of a value.
fn words(text: &str) -> Vec<String> {
    text.split([',', ' ', '\n']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Variables that coding agents set for the commands that they run, as their documentation or source of 2026 has it.
const AGENT_MARKS: [&str; 14] = [
    "AI_AGENT",
    "AGENT",
    "CLAUDECODE",
    "CLAUDE_CODE_SESSION_ID",
    "CODEX_CI",
    "CODEX_SANDBOX",
    "CODEX_SANDBOX_NETWORK_DISABLED",
    "CODEX_THREAD_ID",
    "COPILOT_CLI",
    "COPILOT_AGENT_SESSION_ID",
    "CURSOR_AGENT",
    "GEMINI_CLI",
    "OPENCODE",
    "QWEN_CODE",
];

/// Whether a coding agent runs this command: the name of the variable that shows it.
#[must_use]
pub fn agent_mark() -> Option<&'static str> {
    AGENT_MARKS.into_iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

impl Grants {
    /// Reads what the user said about this repository.
    ///
    /// # Errors
    /// As [`Git::succeed`](crate::git::Git::succeed).
    pub fn of(git: &Git) -> Result<Self, GitError> {
        let pattern = r"^(headwater\..*|remote\..*\.url|branch\..*\.remote)$";
        Ok(Self::read(git.settings(pattern)?))
    }

    /// What the environment alone says, where there is no repository.
    #[must_use]
    pub fn of_environment() -> Self {
        Self::default()
    }

    fn read(entries: Vec<(String, String)>) -> Self {
        let mut grants = Self::default();
        for (key, value) in entries {
            let part = |before: &str, after: &str| Some(key.strip_prefix(before)?.strip_suffix(after)?.to_owned());
            if let Some(name) = part("remote.", ".url") {
                grants.remotes.entry(name).or_default().push(value);
            } else if let Some(branch) = part("branch.", ".remote") {
                grants.tracking.insert(branch, value);
            } else if let Some(key) = key.strip_prefix(SECTION) {
                grants.said.entry(key.to_owned()).or_default().push(value);
            }
        }
        grants
    }

    /// All values of a key: of git's configuration, and those of the variable of that name. Each may have several words
    /// with blanks or commas between them.
    pub(super) fn values(&self, key: &str) -> Vec<String> {
        let variable = format!("{PREFIX}{}", key.to_ascii_uppercase());
        let told = std::env::var(variable).ok();
        let texts = self.said.get(key).into_iter().flatten().cloned().chain(told);
        texts.flat_map(|text| words(&text)).collect()
    }

    /// The value of a key of git's configuration alone.
    pub(super) fn kept(&self, key: &str) -> Option<&str> {
        self.said.get(key)?.last().map(String::as_str)
    }

    pub(super) const fn remotes(&self) -> &BTreeMap<String, Vec<String>> {
        &self.remotes
    }

    pub(super) const fn tracking(&self) -> &BTreeMap<String, String> {
        &self.tracking
    }

    #[cfg(test)]
    pub(super) fn said(entries: &[(&str, &str)]) -> Self {
        Self::read(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }
}
