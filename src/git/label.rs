//! The labels that git gives a merge driver for the three sides (`%S`, `%X`, `%Y`).
//!
//! Source: gitattributes(5), "Defining a custom merge driver" (labels since git 2.44);
//! `merge_ort_internal` and `merge_3way` in `merge-ort.c`, `do_pick_commit` in `sequencer.c`.

use super::{Call, Git, GitError, Oid};

/// What a label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label<'a> {
    /// A commit, or its parent, as picks (rebase, cherry-pick, revert) name it: `744a46e (subject)`.
    Pick {
        /// The abbreviated name of the commit.
        commit: &'a str,
        /// Whether its parent is meant.
        parent: bool,
        /// The file's path on that side, where it differs between the sides.
        path: Option<&'a str>,
    },
    /// What may name a revision: a branch, `HEAD`, an abbreviated name.
    Revision {
        /// The name.
        name: &'a str,
        /// The file's path on that side, where it differs between the sides.
        path: Option<&'a str>,
    },
    /// The sides have nothing in common.
    EmptyTree,
    /// The sides have several merge bases, which git merged first.
    Ancestors,
    /// One of those merge bases, while git merges them.
    Temporary,
    /// Nothing that names a commit, such as `Stashed changes`.
    Other,
}

impl<'a> Label<'a> {
    /// Reads a label.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        match text {
            "empty tree" | "(empty tree)" => return Self::EmptyTree,
            "merged common ancestors" => return Self::Ancestors,
            _ if text.starts_with("merged common ancestors:") => return Self::Ancestors,
            _ if text.starts_with("Temporary merge branch ") => return Self::Temporary,
            _ => {}
        }
        let (parent, pick) = text.strip_prefix("parent of ").map_or((false, text), |rest| (true, rest));
        if let Some((commit, subject)) = pick.split_once(" (")
            && (4..=64).contains(&commit.len())
            && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Self::Pick { commit, parent, path: subject.rsplit_once("):").map(|(_, path)| path) };
        }
        let (name, path) = text.split_once(':').map_or((text, None), |(name, path)| (name, Some(path)));
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Self::Other;
        }
        Self::Revision { name, path }
    }

    /// The file's path on that side, where the label says it.
    #[must_use]
    pub fn path(&self) -> Option<&'a str> {
        match *self {
            Self::Pick { path, .. } | Self::Revision { path, .. } => path,
            Self::EmptyTree | Self::Ancestors | Self::Temporary | Self::Other => None,
        }
    }
}

impl Git {
    /// The commits that a label may mean: of a merge's parent several, of a root's none; `None` where it
    /// names no commit of this repository.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn commits_labelled(&self, label: &Label<'_>) -> Result<Option<Vec<Oid>>, GitError> {
        let (name, parent) = match *label {
            Label::Pick { commit, parent, .. } => (commit, parent),
            Label::Revision { name, .. } => (name, false),
            Label::EmptyTree | Label::Ancestors | Label::Temporary | Label::Other => return Ok(None),
        };
        let commit = match self.resolve(name) {
            Ok(commit) => commit,
            // A name with odd characters is refused in other ways than an unknown one.
            Err(GitError::UnknownRevision { .. } | GitError::RefusedRevision { .. } | GitError::Failed { .. }) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if !parent {
            return Ok(Some(vec![commit]));
        }
        let answer = self.succeed(Call::new(["rev-parse".to_owned(), format!("{}^@", commit.as_str())]))?;
        Ok(Some(answer.text().lines().filter_map(Oid::parse).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn labels() {
        let pick = |commit, parent, path| Label::Pick { commit, parent, path };
        let rev = |name, path| Label::Revision { name, path };
        for (text, expected) in [
            ("744a46e", rev("744a46e", None)),
            ("HEAD", rev("HEAD", None)),
            ("HEAD:a b/current.md", rev("HEAD", Some("a b/current.md"))),
            ("8f28ab8 (fix: x (y))", pick("8f28ab8", false, None)),
            ("parent of 8f28ab8 (HEAD)", pick("8f28ab8", true, None)),
            ("parent of 8f28ab8 (fix): x):d/current.md", pick("8f28ab8", true, Some("d/current.md"))),
            ("8f28ab8 (cut", pick("8f28ab8", false, None)),
            ("empty tree", Label::EmptyTree),
            ("(empty tree)", Label::EmptyTree),
            ("merged common ancestors", Label::Ancestors),
            ("merged common ancestors:d/current.md", Label::Ancestors),
            ("Temporary merge branch 1", Label::Temporary),
            ("Updated upstream", Label::Other),
            ("constructed merge base", Label::Other),
            ("word (x)", Label::Other),
            (":/fix", Label::Other),
            ("", Label::Other),
            ("%S", rev("%S", None)),
        ] {
            assert_eq!(Label::parse(text), expected, "{text:?}");
        }
    }
}
