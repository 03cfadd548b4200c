//! Which events of a ledger outsiders wrote, with the backup copies of this clone taken into account.

use super::spare::Spares;
use crate::event::EventId;
use crate::git::{Git, Layout};
use crate::store::Source;
use crate::trust::author::OutsideFiles;
use std::collections::BTreeSet;
use std::time::Duration;

/// Tells outsiders' events from those that an agent may receive.
#[derive(Debug)]
pub struct Outsiders {
    /// The ledger's path from the worktree's top.
    prefix: String,
    /// Their files; `None` where git could not list them, and then every event without a backup copy is one.
    files: Option<OutsideFiles>,
    /// Events whose backup copies are here: this clone wrote them.
    kept: BTreeSet<EventId>,
}

impl Default for Outsiders {
    /// None: outside git, where no branch brings events.
    fn default() -> Self {
        Self { prefix: String::new(), files: Some(OutsideFiles::default()), kept: BTreeSet::new() }
    }
}

/// The events of a ledger that have a backup copy: this clone wrote them.
fn kept(layout: &Layout, prefix: &str) -> BTreeSet<EventId> {
    Spares::of(layout).of_ledger(prefix).unwrap_or_default().into_iter().map(|copy| copy.id).collect()
}

impl Outsiders {
    /// Those of the ledger at `prefix`, in every worktree and branch of the repository; `own` names own remotes.
    #[must_use]
    pub fn of(layout: &Layout, prefix: &str, own: &[String], limit: Duration) -> Self {
        let files = OutsideFiles::below(&Git::at(layout), prefix, own, limit).ok();
        let kept =
            if files.as_ref().is_some_and(OutsideFiles::is_empty) { BTreeSet::new() } else { kept(layout, prefix) };
        Self { prefix: prefix.to_owned(), files, kept }
    }

    /// Every event without a backup copy: what is left to assume where git does not answer.
    #[must_use]
    pub fn unknown(layout: &Layout, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), files: None, kept: kept(layout, prefix) }
    }

    /// Whether no event can be one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.as_ref().is_some_and(OutsideFiles::is_empty)
    }

    /// Whether a file that cannot be read as an event is an outsider's.
    #[must_use]
    pub fn has_file(&self, source: &Source) -> bool {
        self.wrote(source, &EventId::of(""))
    }

    /// Whether an outsider wrote the configuration file, so that its titles are an outsider's words.
    #[must_use]
    pub fn wrote_configuration(&self) -> bool {
        self.files.as_ref().is_none_or(OutsideFiles::has_configuration)
    }

    /// Whether an outsider wrote the event that was read there.
    #[must_use]
    pub fn wrote(&self, source: &Source, id: &EventId) -> bool {
        self.wrote_in(source.pack.as_ref().map_or(source.name.as_slice(), |pack| pack.as_bytes()), id)
    }

    /// Whether an outsider wrote the event in a file, named `name.md` or `archive/<day>/<name>`.
    #[must_use]
    pub fn wrote_in(&self, name: &[u8], id: &EventId) -> bool {
        let Some(files) = &self.files else { return !self.kept.contains(id) };
        if files.is_empty() {
            return false;
        }
        let directory = if name.starts_with(b"archive/") { "" } else { "events/" };
        let mut path = self.prefix.clone().into_bytes();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend(directory.as_bytes());
        path.extend(name);
        files.contains(&path) && !self.kept.contains(id)
    }
}
