//! Reads trees and blobs from the object database.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::{Call, Git, GitError, Oid, Output};

/// What kind of file an entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Mode {
    /// An ordinary file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its blob is the target.
    Link,
    /// Another repository's commit.
    Submodule,
}

impl Mode {
    /// Reads git's octal notation; `None` for a folder.
    pub(super) fn parse(octal: &[u8]) -> Option<Self> {
        match octal {
            b"100755" => Some(Self::Executable),
            b"120000" => Some(Self::Link),
            b"160000" => Some(Self::Submodule),
            // Very old trees hold `100664`.
            _ if octal.starts_with(b"100") => Some(Self::File),
            _ => None,
        }
    }

    /// Writes git's octal notation.
    pub(super) const fn octal(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
            Self::Submodule => "160000",
        }
    }
}

/// One file of a tree or of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its path from the top, with `/` between the parts, as git keeps it: any bytes but NUL.
    pub path: Vec<u8>,
    /// What kind of file it is.
    pub mode: Mode,
    /// Its content: a blob, or a commit for a submodule.
    pub oid: Oid,
}

impl Git {
    /// Lists all files of a commit at or below `prefix`; the empty prefix lists all.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn list_tree(&self, commit: &Oid, prefix: &str) -> Result<Vec<TreeEntry>, GitError> {
        let call = Call::new(["ls-tree", "-r", "-z", "--full-tree", commit.as_str(), "--"]);
        let output = self.succeed(call.args(pathspecs(&[prefix])))?;
        let lines = output.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty());
        lines.map(|line| tree_entry(line).ok_or_else(|| output.unexpected(line))).collect()
    }

    /// Reads the contents of blobs, in the order asked, with one process.
    ///
    /// All are held in memory at once. A partial clone fetches what it lacks.
    ///
    /// # Errors
    /// [`GitError::MissingObject`] for the first that is not here, as [`Git::succeed`], and
    /// [`GitError::Unexpected`].
    pub fn read_blobs(&self, oids: &[Oid]) -> Result<Vec<Vec<u8>>, GitError> {
        if oids.is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = String::with_capacity(oids.len() * 41);
        for oid in oids {
            asked.push_str(oid.as_str());
            asked.push('\n');
        }
        let output = self.succeed(Call::new(["cat-file", "--batch"]).stdin(asked.into_bytes()))?;
        let mut rest = output.stdout.as_slice();
        oids.iter().map(|oid| next_blob(&mut rest, oid, &output)).collect()
    }

    /// Reads one file of a commit; `None` if the commit has no file (or link) of this path.
    ///
    /// # Errors
    /// As [`Git::list_tree`] and [`Git::read_blobs`].
    pub fn blob_at(&self, commit: &Oid, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        let entries = self.list_tree(commit, path)?;
        let found = entries.into_iter().find(|entry| entry.path == path.as_bytes() && entry.mode != Mode::Submodule);
        let Some(entry) = found else { return Ok(None) };
        Ok(self.read_blobs(&[entry.oid])?.pop())
    }

    /// Whether the file at `path` in the commit that is checked out has exactly these bytes.
    ///
    /// # Errors
    /// As [`Git::blob_at`].
    pub fn head_has(&self, path: &str, bytes: &[u8]) -> Result<bool, GitError> {
        let Some(head) = self.head_oid()? else { return Ok(false) };
        Ok(self.blob_at(&head, path)?.as_deref() == Some(bytes))
    }

    /// The names that files would have as blobs, in the order asked; nothing is stored.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn blob_names(&self, files: &[PathBuf]) -> Result<Vec<Oid>, GitError> {
        let paths: String = files.iter().map(|file| file.to_string_lossy().into_owned() + "\n").collect();
        let call = Call::new(["hash-object", "-t", "blob", "--no-filters", "--stdin-paths"]);
        let output = self.succeed(call.stdin(paths.into_bytes()))?;
        output.text().lines().map(|line| Oid::parse(line).ok_or_else(|| output.unexpected(line.as_bytes()))).collect()
    }

    /// The blobs that commits which `revisions` reach ever put at or below `prefixes`.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn blobs_ever(
        &self,
        revisions: &[&str],
        prefixes: &[&str],
        limit: Duration,
    ) -> Result<BTreeSet<Oid>, GitError> {
        // What a merge commit brought in itself counts, and so does what came under another name.
        let log = ["log", "--format=", "--raw", "--no-abbrev", "--no-renames", "--diff-merges=first-parent"];
        let call = Call::new(log).args(revisions.iter().copied()).args(["--"]).args(pathspecs(prefixes));
        let output = self.succeed(call.limit(limit))?;
        // `:mode mode old new status TAB path`
        let new = |line: &str| Oid::parse(line.strip_prefix(':')?.split(' ').nth(3)?);
        Ok(output.text().lines().filter_map(new).collect())
    }

    /// The files at or below `prefixes` that were changed after they were added, each with its first version: those
    /// that differ from HEAD, and those that a commit changed which HEAD reaches.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn changed_files(&self, prefixes: &[&str], limit: Duration) -> Result<ChangedFiles, GitError> {
        let mut changed = ChangedFiles::default();
        if self.head_oid()?.is_none() {
            return Ok(changed);
        }
        let raw = ["--raw", "-z", "--no-abbrev", "--no-renames", "--diff-filter=M", "HEAD", "--"];
        let since = Call::new(["diff-index"]).args(raw).args(pathspecs(prefixes));
        changed.since_head = old_sides(&self.succeed(since.limit(limit))?.stdout);
        let log = ["log", "--format=", "--diff-merges=first-parent"];
        let history = Call::new(log).args(raw).args(pathspecs(prefixes));
        changed.in_history = old_sides(&self.succeed(history.limit(limit))?.stdout);
        Ok(changed)
    }
}

/// Files that were changed, with the blobs that they had before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedFiles {
    /// Those that differ from HEAD, with its blobs.
    pub since_head: BTreeMap<Vec<u8>, Oid>,
    /// Those that a commit changed, with their first blobs.
    pub in_history: BTreeMap<Vec<u8>, Oid>,
}

/// Reads `:mode mode old new status NUL path NUL`, newest first; the oldest old side of a path counts.
fn old_sides(raw: &[u8]) -> BTreeMap<Vec<u8>, Oid> {
    let mut fields = raw.split(|byte| *byte == 0);
    let mut first = BTreeMap::new();
    while let Some(about) = fields.next() {
        let about = String::from_utf8_lossy(about);
        let Some(about) = about.trim_start().strip_prefix(':') else { continue };
        let old = about.split(' ').nth(2).and_then(Oid::parse);
        if let (Some(old), Some(path)) = (old, fields.next()) {
            first.insert(path.to_vec(), old);
        }
    }
    first
}

/// Prefixes as git takes them; none, for everything, if one of them is the top.
pub(super) fn pathspecs(prefixes: &[&str]) -> Vec<String> {
    let trimmed = prefixes.iter().map(|prefix| prefix.trim_end_matches('/'));
    let all: Vec<String> = trimmed.map(str::to_owned).collect();
    if all.iter().any(|prefix| prefix.is_empty() || prefix == ".") { Vec::new() } else { all }
}

/// Reads `mode SP type SP oid TAB path`.
pub(super) fn tree_entry(line: &[u8]) -> Option<TreeEntry> {
    let tab = line.iter().position(|byte| *byte == b'\t')?;
    let (about, path) = line.split_at_checked(tab)?;
    let mut words = about.split(|byte| *byte == b' ');
    let (mode, _, oid) = (words.next()?, words.next()?, words.next()?);
    Some(TreeEntry { path: path.get(1..)?.to_vec(), mode: Mode::parse(mode)?, oid: Oid::from_bytes(oid)? })
}

/// Takes `oid SP type SP size LF content LF` off the front of an answer of `cat-file --batch`.
fn next_blob(rest: &mut &[u8], oid: &Oid, output: &Output) -> Result<Vec<u8>, GitError> {
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (header, after) = rest.split_at_checked(end).unwrap_or_default();
    let text = String::from_utf8_lossy(header);
    if text.ends_with(" missing") {
        return Err(GitError::MissingObject { oid: oid.clone() });
    }
    let size = text.strip_prefix(oid.as_str()).and_then(|about| about.rsplit_once(' ')?.1.parse::<usize>().ok());
    let content = size.and_then(|size| after.get(1..)?.split_at_checked(size));
    let Some((content, after)) = content else { return Err(output.unexpected(header)) };
    *rest = after.get(1..).unwrap_or_default();
    Ok(content.to_vec())
}
