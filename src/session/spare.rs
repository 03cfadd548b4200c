//! Copies of events in the common git directory, so that no work tree takes the only one with it.
//!
//! `git worktree remove --force`, `git clean` and deleted branches take events along that nothing else
//! holds. A copy stays until the default branch has the event in its history.

use crate::event::EventId;
use crate::event::decode::id_of;
use crate::git::{Git, GitError, Layout, Oid};
use crate::store::{LedgerDir, Listing, Spool, StoreError, ids_on_disk};
use crate::trust::path::LedgerPlace;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// The copies of a repository.
#[derive(Debug, Clone)]
pub struct Spares {
    root: PathBuf,
}

/// A copy of an event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spare {
    /// The ledger's path from the top of the work tree.
    pub ledger: String,
    /// The file name that the event had.
    pub name: String,
    /// Its id.
    pub id: EventId,
    /// Its text.
    pub text: String,
}

impl Spare {
    /// The name that the event had, without `.md`.
    #[must_use]
    pub fn stem(&self) -> &str {
        let name = self.name.strip_suffix(".md").unwrap_or(&self.name);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// Why copies cannot be looked through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpareError {
    /// The files cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// git cannot say what its branches hold.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Spares {
    /// Those of the repository of `layout`.
    #[must_use]
    pub fn of(layout: &Layout) -> Self {
        Self { root: layout.own_dir().join("events") }
    }

    fn folder(&self, ledger: &str) -> Spool {
        // One folder a ledger: its path with the separators written out.
        let name = format!("ledger={}", ledger.replace('%', "%25").replace('/', "%2F"));
        Spool::new(self.root.join(name))
    }

    /// Keeps a copy of an event, durably; once, however often it is asked for.
    ///
    /// # Errors
    /// The system refuses.
    pub fn keep(&self, ledger: &str, id: &EventId, stem: &str, text: &str) -> Result<(), StoreError> {
        let short = id.to_hex().get(..16).unwrap_or_default().to_owned();
        self.folder(ledger).create(&format!("{stem}.{short}.md"), text.as_bytes()).map(drop)
    }

    /// All copies, in the order of ledgers and names.
    ///
    /// # Errors
    /// The system refuses.
    pub fn all(&self) -> Result<Vec<Spare>, StoreError> {
        let mut all = Vec::new();
        for folder in Spool::new(&self.root).folders()? {
            let Some(ledger) = folder.strip_prefix("ledger=") else { continue };
            all.extend(self.of_ledger(&ledger.replace("%2F", "/").replace("%25", "%"))?);
        }
        Ok(all)
    }

    /// The copies of a ledger's events, in the order of their names.
    ///
    /// # Errors
    /// The system refuses.
    pub fn of_ledger(&self, ledger: &str) -> Result<Vec<Spare>, StoreError> {
        let spool = self.folder(ledger);
        let mut copies = Vec::new();
        for name in spool.names()? {
            // A damaged copy stops itself only; `doctor` names it.
            let text = spool.read(&name).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
            if let Some(text) = text
                && let Some(id) = id_of(text.as_bytes())
            {
                copies.push(Spare { ledger: ledger.to_owned(), name, id, text });
            }
        }
        Ok(copies)
    }

    /// Files among the copies that are no text of an event.
    #[must_use]
    pub fn damaged(&self) -> Vec<(PathBuf, String)> {
        let mut damaged = Vec::new();
        for folder in Spool::new(&self.root).folders().unwrap_or_default() {
            let spool = Spool::new(self.root.join(folder));
            for name in spool.names().unwrap_or_default().into_iter().filter(|name| name.strip_suffix(".md").is_some())
            {
                let bytes = spool.read(&name).ok().flatten();
                if bytes.is_some_and(|bytes| std::str::from_utf8(&bytes).is_err() || id_of(&bytes).is_none()) {
                    damaged.push((spool.file(&name), "is no text of an event".to_owned()));
                }
            }
        }
        damaged
    }

    /// Where a copy is.
    #[must_use]
    pub fn file(&self, spare: &Spare) -> PathBuf {
        self.folder(&spare.ledger).file(&spare.name)
    }

    /// The copies whose events are in no work tree's ledger, and never were in a branch.
    ///
    /// # Errors
    /// The files or the branches cannot be read.
    pub fn lost(&self, layout: &Layout) -> Result<Vec<Spare>, SpareError> {
        let mut lost = self.all()?;
        let mut there: BTreeSet<EventId> = BTreeSet::new();
        let ledgers: BTreeSet<String> = lost.iter().map(|spare| spare.ledger.clone()).collect();
        for ledger in &ledgers {
            for work_tree in layout.work_trees() {
                let place = LedgerPlace::in_tree(&work_tree.work_tree, ledger);
                there.extend(place.map(|place| ids_in(&LedgerDir::new(place))).unwrap_or_default());
            }
        }
        lost.retain(|spare| !there.contains(&spare.id));
        let git = Git::at(layout);
        let held = self.held(&git, &lost, &["--branches", "--remotes"], LIMIT)?;
        Ok(lost.into_iter().zip(held).filter(|(_, held)| !held).map(|(spare, _)| spare).collect())
    }

    /// Removes the copies whose events the default branch has in its history; says how many.
    ///
    /// # Errors
    /// The files or the branch cannot be read.
    pub fn prune(&self, git: &Git, limit: Duration) -> Result<usize, SpareError> {
        let all = self.all()?;
        let Some(default) = git.default_branch()?.filter(|_| !all.is_empty()) else { return Ok(0) };
        let held = self.held(git, &all, &[&default.reference], limit)?;
        let mut removed = 0;
        for (spare, _) in all.iter().zip(held).filter(|(_, held)| *held) {
            self.folder(&spare.ledger).remove(&spare.name)?;
            removed += 1;
        }
        Ok(removed)
    }

    /// For each copy, whether some commit that these revisions reach ever held its bytes.
    fn held(&self, git: &Git, spares: &[Spare], revisions: &[&str], limit: Duration) -> Result<Vec<bool>, SpareError> {
        if spares.is_empty() {
            return Ok(Vec::new());
        }
        let files: Vec<PathBuf> = spares.iter().map(|spare| self.file(spare)).collect();
        let ledgers: BTreeSet<&str> = spares.iter().map(|spare| spare.ledger.as_str()).collect();
        let oids = git.blob_names(&files)?;
        let known: BTreeSet<Oid> = git.blobs_ever(revisions, &ledgers.into_iter().collect::<Vec<_>>(), limit)?;
        Ok(oids.iter().map(|oid| known.contains(oid)).collect())
    }
}

/// How long git may look through the history for somebody who waits for the answer.
pub const LIMIT: Duration = Duration::from_secs(30);

/// The ids of all texts that a ledger holds on disk, readable or not as events.
fn ids_in(ledger: &LedgerDir) -> BTreeSet<EventId> {
    Listing::of(ledger).map(|listing| ids_on_disk(ledger, &listing)).unwrap_or_default()
}
