//! References that belong to headwater, the only ones that it reads, builds upon and updates on a remote.

use super::fault::{Refusal, TrustError};
use crate::config::own_reference;
use crate::git::{Git, Oid};

/// What the messages of a log's commits begin with; other kinds of logs name themselves in its place.
const SUBJECT: &str = "headwater ";

/// The name of the empty tree, in both of git's formats.
const EMPTY_TREES: [&str; 2] =
    ["4b825dc642cb6eb9a060e54bf8d69288fbee4904", "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"];

/// A reference of headwater's own on a remote: below `refs/headwater/` or `refs/heads/headwater/`, or a branch
/// `headwater-*`.
///
/// Nothing else makes one, and a text is none:
/// ```compile_fail,E0423
/// let forged = headwater::trust::reference::OwnReference("refs/heads/main".to_owned());
/// ```
/// ```compile_fail,E0308
/// fn update(reference: &headwater::trust::reference::OwnReference) {}
/// update("refs/heads/main");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnReference(String);

impl OwnReference {
    /// Checks a name that a configuration wishes for.
    ///
    /// # Errors
    /// It is not headwater's own.
    pub fn of(name: &str) -> Result<Self, Refusal> {
        own_reference(name).map(|()| Self(name.to_owned())).map_err(|fault| Refusal {
            what: format!("`{}` {fault}", name.escape_debug()),
            remedy: "choose another with `ref:`".to_owned(),
        })
    }

    /// The reference beside it that is made and removed to try whether a remote takes such ones.
    #[must_use]
    pub fn probe(&self, nonce: &str) -> Self {
        let plain: String = nonce.chars().filter(char::is_ascii_alphanumeric).collect();
        Self(format!("{}-probe-{plain}", self.0))
    }

    /// Its full name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Finds out whether what a remote has under this name is a chain of ours from its root to its tip: commits without
    /// files whose messages are a log's. Only that is built upon.
    ///
    /// # Errors
    /// It is something else, or git cannot answer.
    pub fn check_chain(&self, git: &Git, remote: &str, tip: &Oid) -> Result<(), TrustError> {
        let what = match git.trees_and_messages(tip) {
            Ok(commits) => match commits.iter().find(|(tree, message)| !is_ours(tree, message)) {
                None if !commits.is_empty() => return Ok(()),
                _ => "other commits than those of a log of headwater's",
            },
            Err(crate::git::GitError::Failed { .. }) => "no commits",
            Err(error) => return Err(error.into()),
        };
        let name = self.as_str();
        Err(Refusal {
            what: format!("`{name}` on `{remote}` has {what}, and nothing was built on it"),
            remedy: format!(
                "choose another with `ref:`, or, if nobody needs it, remove it: `git push {remote} --delete {name}`"
            ),
        }
        .into())
    }
}

/// Whether a commit is one of a log: no files, and a message of ours or one with an entry. What a newer version writes
/// is as well, and an entry that is damaged.
fn is_ours(tree: &str, message: &str) -> bool {
    let kind = message.strip_prefix(SUBJECT).and_then(|rest| rest.split_once(": "));
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let has_entry = || message.lines().any(|line| line.starts_with('{'));
    EMPTY_TREES.contains(&tree) && (kind.is_some_and(|(word, _)| is_word(word)) || has_entry())
}

#[cfg(test)]
mod tests {
    use super::{EMPTY_TREES, OwnReference, is_ours};

    #[test]
    fn only_headwaters_own_references_are_taken() {
        for own in ["refs/headwater/ids/A", "refs/heads/headwater/a", "refs/heads/headwater-a", "refs/headwater/x"] {
            assert_eq!(OwnReference::of(own).map(|own| own.as_str().to_owned()), Ok(own.to_owned()));
        }
        for other in [
            "refs/heads/main",
            "refs/heads/headwater",
            "refs/headwater/",
            "refs/headwater",
            "refs/headwaters/x",
            "refs/heads/headwater-",
            "refs/heads/headwater-/x",
            "refs/tags/headwater-a",
            "refs/headwater/a/../../heads/main",
            "refs/headwater/a.lock",
            "refs/headwater/a:refs/heads/main",
            "+refs/headwater/a",
            "refs/headwater/*",
            "refs/headwater/@{1}",
            "refs/headwater/seen/A",
            "refs/headwater/fetched-ids/A",
            "refs/headwater/lost-ids/A",
            "refs/headwater/heads/main",
            "HEAD",
            "",
        ] {
            assert!(OwnReference::of(other).is_err(), "{other}");
        }
    }

    #[test]
    fn commits_of_a_log_have_no_files_and_say_so() {
        for (tree, message, expected) in [
            (EMPTY_TREES[0], "headwater ids: SEC-1", true),
            (EMPTY_TREES[1], "headwater claims: a newer kind", true),
            (EMPTY_TREES[0], "floor\n\n{damaged", true),
            (EMPTY_TREES[0], "headwater: update the ledger", false),
            (EMPTY_TREES[0], "Start", false),
            (EMPTY_TREES[0], "", false),
            ("0123", "headwater ids: SEC-1", false),
        ] {
            assert_eq!(is_ours(tree, message), expected, "{message}");
        }
    }
}
