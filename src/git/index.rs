//! Reads the index: what is staged, hidden, changed or new below some folders.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::objects::pathspecs;
use super::{Call, Git, GitError, Mode, Oid, TreeEntry};

/// How the index and the work tree stand to each other below some folders.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// What the index says of a path, unless it is in conflict.
    pub(super) staged: BTreeMap<Vec<u8>, (Mode, Oid)>,
    /// Paths that are in the index but kept out of the work tree on purpose (skip-worktree).
    pub(super) hidden: BTreeSet<Vec<u8>>,
    /// Paths in conflict.
    pub(super) unmerged: BTreeSet<Vec<u8>>,
    /// Paths whose file differs from the index, is gone, or is new and not ignored.
    pub(super) changed: BTreeSet<Vec<u8>>,
}

impl Git {
    /// Lists what a sparse checkout keeps out of the work tree at or below `prefix`.
    ///
    /// Only worth its process where [`super::Layout::is_sparse`] says so.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn hidden_entries(&self, prefix: &str) -> Result<Vec<TreeEntry>, GitError> {
        let call = Call::new(["ls-files", "-z", "-t", "--stage", "--"]).args(pathspecs(&[prefix]));
        let mut listing = self.listing(call)?;
        let hidden = std::mem::take(&mut listing.hidden);
        let entry = |path: Vec<u8>| {
            let (mode, oid) = listing.staged.remove(&path)?;
            Some(TreeEntry { path, mode, oid })
        };
        Ok(hidden.into_iter().filter_map(entry).collect())
    }

    /// Whether the index has a file and the work tree has it unchanged, so that a change of it gets in the way
    /// of merges and checkouts.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn is_tracked_and_clean(&self, path: &str) -> Result<bool, GitError> {
        let flags = ["ls-files", "-z", "-t", "--stage", "--modified", "--deleted", "--", path];
        let listing = self.listing(Call::new(flags))?;
        let path = path.as_bytes();
        Ok(listing.staged.contains_key(path) && !listing.changed.contains(path))
    }

    /// Whether the index has something at exactly this path, so that a branch decides what it is.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn is_tracked(&self, path: &str) -> Result<bool, GitError> {
        let call = Call::new(["ls-files", "-z", "-t", "--stage", "--"]).args(pathspecs(&[path]));
        let listing = self.listing(call)?;
        Ok(listing.staged.contains_key(path.as_bytes()) || listing.unmerged.contains(path.as_bytes()))
    }

    /// The content of a file that the index has and the work tree has changed.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn staged_if_changed(&self, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let flags = ["ls-files", "-z", "-t", "--stage", "--modified", "--deleted", "--", path];
        let listing = self.listing(Call::new(flags))?;
        let is_changed = listing.changed.contains(path.as_bytes());
        let Some((_, oid)) = listing.staged.get(path.as_bytes()).filter(|_| is_changed) else { return Ok(None) };
        Ok(self.read_blobs(std::slice::from_ref(oid))?.pop())
    }

    /// The files that differ from the last commit, or are new and not ignored, by their paths.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn uncommitted(&self, limit: Duration) -> Result<Vec<String>, GitError> {
        let call = Call::new(["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all"]);
        let output = self.succeed(call.limit(limit))?;
        let lines = output.stdout.split(|byte| *byte == 0).filter_map(|line| line.get(3..));
        Ok(lines.filter(|path| !path.is_empty()).map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// Whether the index has a file in conflict.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn is_unmerged(&self, path: &str) -> Result<bool, GitError> {
        let call = Call::new(["ls-files", "-z", "--unmerged", "--"]).args(pathspecs(&[path]));
        Ok(!self.succeed(call)?.stdout.is_empty())
    }

    /// Compares index and work tree at or below some folders.
    pub(super) fn changes(&self, prefixes: &[&str], limit: Duration) -> Result<Listing, GitError> {
        let flags = ["ls-files", "-z", "-t", "--stage", "--others", "--modified", "--deleted", "--exclude-standard"];
        self.listing(Call::new(flags).args(["--"]).args(pathspecs(prefixes)).limit(limit))
    }

    /// Reads `tag SP [mode SP oid SP stage TAB] path`.
    ///
    /// Source: git-ls-files(1), `-t`, and `show_ce` in `builtin/ls-files.c`: a file comes once for each
    /// way in which it was asked for.
    pub(super) fn listing(&self, call: Call) -> Result<Listing, GitError> {
        let output = self.succeed(call)?;
        let mut listing = Listing::default();
        for line in output.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            listing.add(line).ok_or_else(|| output.unexpected(line))?;
        }
        Ok(listing)
    }
}

impl Listing {
    fn add(&mut self, line: &[u8]) -> Option<()> {
        let (tag, rest) = line.split_at_checked(2)?;
        if tag == b"? " {
            // A folder is another repository.
            if !rest.ends_with(b"/") {
                self.changed.insert(rest.to_vec());
            }
            return Some(());
        }
        let tab = rest.iter().position(|byte| *byte == b'\t')?;
        let (about, path) = rest.split_at_checked(tab)?;
        let path = path.get(1..)?.to_vec();
        let mut words = about.split(|byte| *byte == b' ');
        let (mode, oid) = (Mode::parse(words.next()?)?, Oid::from_bytes(words.next()?)?);
        if words.next()? != b"0" {
            self.unmerged.insert(path);
            return Some(());
        }
        match tag {
            b"C " | b"R " => {
                self.changed.insert(path);
            }
            b"S " => {
                self.hidden.insert(path.clone());
                self.staged.insert(path, (mode, oid));
            }
            _ => {
                self.staged.insert(path, (mode, oid));
            }
        }
        Some(())
    }
}
