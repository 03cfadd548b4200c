//! References that belong to headwater, the only ones that it reads, builds upon and updates on a remote.

use super::fault::{Refusal, TrustError};
use crate::config::own_reference;
use crate::git::{Git, Message, Oid};

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
        let what = match git.trees_and_subjects(tip) {
            Ok(commits) => {
                let has_no_files = |(tree, _): &(String, String)| EMPTY_TREES.contains(&tree.as_str());
                let is_chain = !commits.is_empty() && commits.iter().all(has_no_files);
                let says_so = commits.iter().all(|(_, subject)| is_ours(subject));
                // What begins in another way may have an entry all the same.
                if is_chain && (says_so || git.messages(tip)?.iter().all(is_of_log)) {
                    return Ok(());
                }
                "other commits than those of a log of headwater's"
            }
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

/// Whether a message is one of ours, or of a newer version of ours.
fn is_ours(message: &str) -> bool {
    let kind = message.strip_prefix(SUBJECT).and_then(|rest| rest.split_once(':'));
    kind.is_some_and(|(word, _)| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Whether a message is one of ours, or has an entry, which may be damaged.
fn is_of_log(message: &Message) -> bool {
    match message {
        Message::Text(text) => is_ours(text) || text.lines().any(|line| line.starts_with('{')),
        Message::TooLarge => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, OwnReference, is_of_log};

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
    fn messages_of_a_log_say_so() {
        for (message, expected) in [
            ("headwater ids: SEC-1", true),
            ("headwater claims: a newer kind", true),
            ("floor\n\n{damaged", true),
            ("headwater: update the ledger", false),
            ("headwater Ids: x", false),
            ("Start", false),
            ("", false),
        ] {
            assert_eq!(is_of_log(&Message::Text(message.to_owned())), expected, "{message}");
        }
    }
}
