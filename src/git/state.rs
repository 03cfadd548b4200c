//! What a work tree is doing: its branch, an unfinished operation, whether files are hidden.
#![expect(clippy::disallowed_methods, reason = "git's own small files are read here instead of starting git")]

use std::fmt;
use std::fs;
use std::path::Path;

use super::{Call, Git, GitError, Layout, Oid};

/// What `HEAD` names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Head {
    /// A branch, without `refs/heads/`; it may have no commit yet.
    Branch(String),
    /// A commit, without a branch.
    Detached(Oid),
}

/// An operation of git that waits for the user to go on or to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// `git rebase`.
    Rebase,
    /// `git am`.
    ApplyPatches,
    /// `git merge` or `git pull`.
    Merge,
    /// `git cherry-pick`.
    CherryPick,
    /// `git revert`.
    Revert,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rebase => "rebase",
            Self::ApplyPatches => "application of patches",
            Self::Merge => "merge",
            Self::CherryPick => "cherry-pick",
            Self::Revert => "revert",
        })
    }
}

impl Layout {
    /// Reads what is checked out; only a repository with reftables needs a process for it.
    ///
    /// # Errors
    /// [`GitError::Unreadable`] if `HEAD` cannot be read or understood, and what [`Git::succeed`]
    /// returns in a repository with reftables.
    pub fn head(&self) -> Result<Head, GitError> {
        let path = self.git_dir.join("HEAD");
        let text = match fs::read_link(&path) {
            Ok(target) => format!("ref: {}", target.to_string_lossy()),
            Err(_) => {
                fs::read_to_string(&path).map_err(|source| GitError::Unreadable { path: path.clone(), source })?
            }
        };
        let text = text.trim();
        match text.strip_prefix("ref:").map(str::trim) {
            Some("refs/heads/.invalid") => self.head_in_reftable(),
            Some(reference) => Ok(Head::Branch(short(reference))),
            None => Oid::parse(text)
                .map(Head::Detached)
                .ok_or_else(|| GitError::Unreadable { path, source: std::io::ErrorKind::InvalidData.into() }),
        }
    }

    /// The branch that is checked out, if any.
    ///
    /// # Errors
    /// As [`Layout::head`].
    pub fn branch(&self) -> Result<Option<String>, GitError> {
        Ok(match self.head()? {
            Head::Branch(name) => Some(name),
            Head::Detached(_) => None,
        })
    }

    /// Source: git's `Documentation/technical/reftable.txt`, "Backward compatibility".
    fn head_in_reftable(&self) -> Result<Head, GitError> {
        let git = Git::at(self);
        let answer = git.run(Call::new(["symbolic-ref", "--quiet", "HEAD"]))?;
        if answer.success() {
            return Ok(Head::Branch(short(answer.text().trim())));
        }
        git.succeed(Call::new(["rev-parse", "--verify", "HEAD"]))?.oid().map(Head::Detached)
    }

    /// The operation that waits in this work tree, if any; a bisection is none, it moves no branch.
    ///
    /// Source: git's `wt-status.c`, `wt_status_get_state`.
    #[must_use]
    pub fn operation_under_way(&self) -> Option<Operation> {
        let there = |name: &str| self.git_dir.join(name).exists();
        if there("rebase-apply/applying") {
            Some(Operation::ApplyPatches)
        } else if there("rebase-merge") || there("rebase-apply") {
            Some(Operation::Rebase)
        } else if there("MERGE_HEAD") {
            Some(Operation::Merge)
        } else if self.picks("CHERRY_PICK_HEAD") {
            Some(Operation::CherryPick)
        } else if self.picks("REVERT_HEAD") {
            Some(Operation::Revert)
        } else {
            sequence(&self.git_dir.join("sequencer/todo"))
        }
    }

    /// Whether a pseudo-ref is there: a file, but in a repository with reftables a record of theirs.
    fn picks(&self, name: &str) -> bool {
        if self.git_dir.join("reftable").is_dir() {
            let asked = Git::at(self).run(Call::new(["rev-parse", "--verify", "--quiet", name]));
            return asked.is_ok_and(|answer| answer.success());
        }
        self.git_dir.join(name).exists()
    }

    /// Whether this is a sparse checkout, where files of the branch may be missing on purpose.
    ///
    /// It may say yes for one that was switched off again, and never starts a process.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        self.git_dir.join("info/sparse-checkout").exists()
    }
}

/// The operation of an unfinished list of picks: between two of them only the list is there.
fn sequence(todo: &Path) -> Option<Operation> {
    let text = fs::read_to_string(todo).ok()?;
    Some(if text.trim_start().starts_with("revert") { Operation::Revert } else { Operation::CherryPick })
}

fn short(reference: &str) -> String {
    reference.strip_prefix("refs/heads/").unwrap_or(reference).to_owned()
}
