//! The main job: all events in, the right view out, whoever else is at work.

use super::create::sweep;
use super::keep::Keeper;
use super::listing::{Found, Listing};
use super::lock::{LockRequest, with_lock};
use super::read::{Fold, Reading, fold_all, read_all, read_text};
use super::replace::replace_whole;
use super::{LedgerDir, StoreError};
use crate::event::Fault;
use crate::event::schema::Schema;
use crate::ledger::{State, Unreadable, View, render};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A ledger, folded.
#[derive(Debug)]
pub struct Folded {
    /// The join of the events.
    pub state: State,
    /// What could not be read.
    pub unreadable: BTreeSet<Unreadable>,
    /// Why, with places, by the names that the view shows.
    pub faults: Vec<(Vec<u8>, Fault)>,
    /// The bytes of the view.
    pub text: String,
    /// What was listed.
    pub listing: Listing,
}

impl Folded {
    /// Folds readings.
    #[must_use]
    pub fn new(listing: Listing, readings: Vec<Reading>, schema: &Schema) -> Self {
        let mut fold = Fold::default();
        for reading in readings {
            fold.insert(reading, schema);
        }
        Self::of(listing, fold, schema)
    }

    fn of(listing: Listing, fold: Fold, schema: &Schema) -> Self {
        let Fold { state, unreadable, faults } = fold;
        let text = render::render(&View::new(&state, unreadable.clone(), schema));
        Self { state, unreadable, faults, text, listing }
    }
}

/// How to synthesize.
#[derive(Debug)]
pub struct SynthRequest<'a> {
    /// The sections' declarations.
    pub schema: &'a Schema,
    /// How to wait for the lock.
    pub lock: LockRequest<'a>,
    /// Where a hand-edited view is kept.
    pub keeper: &'a Keeper<'a>,
    /// Events that are not on disk, such as those that a sparse checkout hides.
    pub hidden: &'a dyn HiddenEvents,
}

/// Events of a ledger that are not on disk.
pub trait HiddenEvents: std::fmt::Debug {
    /// Whether there may be any, so that a ledger without a folder on disk is no error.
    fn possible(&self) -> bool;

    /// Reads them, but those that `listing` has.
    ///
    /// # Errors
    /// They cannot be read; in words.
    fn read(&self, listing: &Listing, schema: &Schema) -> Result<Vec<Reading>, StoreError>;
}

/// Nothing is hidden.
#[derive(Debug, Clone, Copy)]
pub struct NothingHidden;

impl HiddenEvents for NothingHidden {
    fn possible(&self) -> bool {
        false
    }

    fn read(&self, _: &Listing, _: &Schema) -> Result<Vec<Reading>, StoreError> {
        Ok(Vec::new())
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Synthesized {
    /// The ledger as it was folded last.
    pub folded: Folded,
    /// Whether the view was written.
    pub written: bool,
    /// Where the text of a hand-edited view was kept.
    pub kept: Vec<PathBuf>,
}

/// How often a moving ledger is looked at again.
const ATTEMPTS: usize = 100;

/// Lists and folds a ledger as it stands, without the lock.
///
/// # Errors
/// The ledger cannot be read, or does not come to rest.
pub fn fold_ledger(ledger: &LedgerDir, schema: &Schema, hidden: &dyn HiddenEvents) -> Result<Folded, StoreError> {
    let (listing, mut fold) = settled(ledger, hidden, |listing| fold_all(ledger, listing, schema))?;
    for reading in hidden.read(&listing, schema)? {
        fold.insert(reading, schema);
    }
    Ok(Folded::of(listing, fold, schema))
}

/// Lists and reads a ledger, events apart, without the lock.
///
/// # Errors
/// As [`fold_ledger`].
pub fn read_ledger(
    ledger: &LedgerDir,
    schema: &Schema,
    hidden: &dyn HiddenEvents,
) -> Result<(Listing, Vec<Reading>), StoreError> {
    let (listing, mut readings) = settled(ledger, hidden, |listing| read_all(ledger, listing, schema))?;
    readings.extend(hidden.read(&listing, schema)?);
    Ok((listing, readings))
}

/// Reads what a ledger has beyond `known`, events apart, without the lock.
///
/// What both have under one name and with one size is taken for the same and not read: events do not change, and
/// a repository's work trees have nearly all of them in common.
///
/// # Errors
/// As [`fold_ledger`].
pub fn read_beyond(ledger: &LedgerDir, known: &Sizes, schema: &Schema) -> Result<Vec<Reading>, StoreError> {
    let (_, readings) = settled(ledger, &NothingHidden, |listing| {
        let mut beyond = listing.clone();
        let is_new = |found: &Found| known.0.get(found).is_none_or(|size| size_of(ledger, found) != Some(*size));
        beyond.files.retain(is_new);
        beyond.packs.retain(is_new);
        read_all(ledger, &beyond, schema)
    })?;
    Ok(readings)
}

/// The files of a ledger with their sizes.
#[derive(Debug, Default)]
pub struct Sizes(BTreeMap<Found, u64>);

impl Sizes {
    /// Those of a ledger that was listed.
    #[must_use]
    pub fn of(ledger: &LedgerDir, listing: &Listing) -> Self {
        let all = listing.files.iter().chain(&listing.packs);
        Self(all.filter_map(|found| Some((found.clone(), size_of(ledger, found)?))).collect())
    }
}

fn size_of(ledger: &LedgerDir, found: &Found) -> Option<u64> {
    std::fs::symlink_metadata(found.path(ledger)).ok().map(|found| found.len())
}

/// Lists a ledger and reads it; starts again when a listed file has gone.
fn settled<T>(
    ledger: &LedgerDir,
    hidden: &dyn HiddenEvents,
    read: impl Fn(&Listing) -> Result<Option<T>, StoreError>,
) -> Result<(Listing, T), StoreError> {
    for _ in 0..ATTEMPTS {
        let listing = match Listing::of(ledger) {
            Err(StoreError::NoLedger(_)) if hidden.possible() => Listing::of_archive(ledger)?,
            other => other?,
        };
        if let Some(done) = read(&listing)? {
            return Ok((listing, done));
        }
    }
    Err(StoreError::Unsettled(ledger.path().to_owned()))
}

/// Brings `current.md` up to date, behind the lock.
///
/// The lock can fail (a deleted lock file, a file system without locks that says otherwise), so the
/// events are listed once more after the view is written: every run that finishes has seen its own
/// view stand beside the events that it was made of.
///
/// # Errors
/// The lock is held, the view is somebody's own, or the disk refuses; the old view stands then.
pub fn synthesize(ledger: &LedgerDir, request: &SynthRequest<'_>) -> Result<Synthesized, StoreError> {
    if !ledger.events().exists() {
        return Err(StoreError::NoLedger(ledger.events()));
    }
    let locked = with_lock(ledger, &request.lock, |lock_file| {
        let view = ledger.view();
        let mut kept = Vec::new();
        let mut written = false;
        for _ in 0..ATTEMPTS {
            let folded = fold_ledger(ledger, request.schema, request.hidden)?;
            let standing = standing_view(&view)?;
            if standing.as_deref() == Some(folded.text.as_bytes()) {
                return Ok(Synthesized { folded, written, kept });
            }
            if let Some(standing) = standing {
                kept.extend(request.keeper.keep(&view, &standing)?);
            }
            request.keeper.remember(&view, folded.text.as_bytes());
            replace_whole(&view, folded.text.as_bytes())?;
            sweep(ledger.path(), lock_file);
            sweep(&ledger.events(), lock_file);
            written = true;
            if Listing::of(ledger)? == folded.listing {
                return Ok(Synthesized { folded, written, kept });
            }
        }
        Err(StoreError::Unsettled(ledger.path().to_owned()))
    });
    match locked {
        // Nothing can be locked where nothing can be written; a fresh view needs neither.
        Err(StoreError::Io { action, path, source }) if is_read_only(&source) => {
            let folded = fold_ledger(ledger, request.schema, request.hidden)?;
            if standing_view(&ledger.view())?.as_deref() == Some(folded.text.as_bytes()) {
                return Ok(Synthesized { folded, written: false, kept: Vec::new() });
            }
            Err(StoreError::Io { action, path, source })
        }
        other => other,
    }
}

fn is_read_only(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied)
}

/// The bytes of a view that is ours; none where there is no file.
///
/// # Errors
/// The file is somebody's own, or a link.
pub(super) fn standing_view(view: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match read_text(view)? {
        Some(text) if !render::is_ours(&text) => Err(StoreError::Foreign(view.to_owned())),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{HiddenEvents, LedgerDir, Listing, LockRequest, Reading, SynthRequest, synthesize};
    use crate::event::schema::Schema;
    use crate::store::{Keeper, StoreError};
    use std::cell::Cell;
    use std::fs;
    use std::time::Duration;

    /// Another process, which writes an event after the ledger was listed, as often as `left`.
    #[derive(Debug)]
    struct Writer<'a> {
        ledger: &'a LedgerDir,
        left: Cell<usize>,
    }

    impl HiddenEvents for Writer<'_> {
        fn possible(&self) -> bool {
            true
        }

        fn read(&self, _: &Listing, _: &Schema) -> Result<Vec<Reading>, StoreError> {
            if self.left.get() > 0 {
                self.left.set(self.left.get() - 1);
                let name = format!("late{}.md", self.left.get());
                let text = format!("---\nts: 2026-01-10T13:00:0{}Z\nagent: a\nnow: late\n---\n", self.left.get());
                fs::write(self.ledger.events().join(name), text).unwrap();
            }
            Ok(Vec::new())
        }
    }

    #[test]
    fn event_written_after_the_first_listing_is_in_the_view() {
        let scratch = tempfile::tempdir().unwrap();
        let ledger = LedgerDir::new(crate::trust::path::LedgerPlace::named_by_user(scratch.path().to_owned()));
        fs::create_dir_all(ledger.events()).unwrap();
        let hidden = Writer { ledger: &ledger, left: Cell::new(2) };
        let is_in_git = |_: &[u8]| false;
        let keeper = Keeper { folder: scratch.path().join("kept"), is_in_git: &is_in_git };
        let lock = LockRequest { wait: Duration::ZERO, purpose: "synth", waiting: &|_| {} };
        let done =
            synthesize(&ledger, &SynthRequest { schema: &Schema::default(), lock, keeper: &keeper, hidden: &hidden });
        assert_eq!(done.unwrap().folded.state.events().len(), 2);
        let view = fs::read_to_string(ledger.view()).unwrap();
        assert!(view.contains("event_count: 2"), "{view}");
    }
}
