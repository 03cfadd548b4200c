//! Which event files there are: names only, `events/` before `archive/` (FORMAT §1, §2 and §8).

use super::{LedgerDir, StoreError};
use crate::ledger::pack::{is_event_name, is_pack_name};
use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

/// An event file, or what lies under an event file's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The day's folder, for an archived one.
    pub day: Option<String>,
    /// The file name.
    pub name: OsString,
    /// Whether the directory says that it is no regular file.
    pub not_a_file: bool,
}

impl Found {
    /// The name as the view shows it, in bytes: `name.md`, or `archive/<day>/<name>`.
    #[must_use]
    pub fn shown_name(&self) -> Vec<u8> {
        shown_name(self.day.as_deref(), self.name.as_encoded_bytes())
    }

    /// Whether it is a pack, good or bad.
    #[must_use]
    pub fn is_pack(&self) -> bool {
        self.day.is_some() && is_pack_name(self.name.as_encoded_bytes())
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self, ledger: &LedgerDir) -> PathBuf {
        match &self.day {
            None => ledger.events().join(&self.name),
            Some(day) => ledger.archive().join(day).join(&self.name),
        }
    }
}

/// The name of an event file as the view shows it.
#[must_use]
pub(crate) fn shown_name(day: Option<&str>, name: &[u8]) -> Vec<u8> {
    match day {
        None => name.to_vec(),
        Some(day) => [b"archive/", day.as_bytes(), b"/", name].concat(),
    }
}

/// What a ledger holds, in a total order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Live and archived event files.
    pub files: Vec<Found>,
    /// Packs of archived events.
    pub packs: Vec<Found>,
}

impl Listing {
    /// Lists a ledger. Without `archive/` there are no archived events; without `events/` there is
    /// no ledger.
    ///
    /// # Errors
    /// There is no ledger, a folder is a link, or the system refuses.
    pub fn of(ledger: &LedgerDir) -> Result<Self, StoreError> {
        let events = ledger.events();
        if !is_real_dir(&events)? {
            return Err(StoreError::NoLedger(events));
        }
        let mut listing = Self::default();
        listing.add_folder(&events, None)?;
        listing.with_archive(ledger)
    }

    /// Lists the archive alone, where a sparse checkout hides `events/`.
    ///
    /// # Errors
    /// As [`Listing::of`].
    pub(super) fn of_archive(ledger: &LedgerDir) -> Result<Self, StoreError> {
        Self::default().with_archive(ledger)
    }

    /// Adds the archive, after the live events: an event that is archived meanwhile is seen in one of the two.
    fn with_archive(mut self, ledger: &LedgerDir) -> Result<Self, StoreError> {
        self.add_archive(&ledger.archive())?;
        self.files.sort_unstable();
        self.packs.sort_unstable();
        Ok(self)
    }

    fn add_archive(&mut self, archive: &Path) -> Result<(), StoreError> {
        if !is_real_dir(archive)? {
            return Ok(());
        }
        for entry in entries(archive)? {
            let entry = entry.map_err(StoreError::io("list", archive))?;
            let is_dir = entry.file_type().map_err(StoreError::io("look at", &entry.path()))?.is_dir();
            if let Some(day) = entry.file_name().to_str().filter(|name| is_dir && is_day(name)) {
                match self.add_folder(&entry.path(), Some(day)) {
                    // An empty day's folder that somebody removes holds no events.
                    Err(error) if error.is_not_found() => {}
                    other => other?,
                }
            }
        }
        Ok(())
    }

    fn add_folder(&mut self, folder: &Path, day: Option<&str>) -> Result<(), StoreError> {
        for entry in entries(folder)? {
            let entry = entry.map_err(StoreError::io("list", folder))?;
            let name = entry.file_name();
            let is_pack = day.is_some() && is_pack_name(name.as_encoded_bytes());
            if is_pack || is_event_name(name.as_encoded_bytes()) {
                let not_a_file = !entry.file_type().map_err(StoreError::io("look at", &entry.path()))?.is_file();
                let found = Found { day: day.map(ToOwned::to_owned), name, not_a_file };
                if is_pack { self.packs.push(found) } else { self.files.push(found) }
            }
        }
        Ok(())
    }
}

fn entries(folder: &Path) -> Result<impl Iterator<Item = std::io::Result<DirEntry>>, StoreError> {
    loop {
        match fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            other => return other.map_err(StoreError::io("list", folder)),
        }
    }
}

/// Whether a real directory is there; a link or anything else in its place is refused.
pub(super) fn is_real_dir(path: &Path) -> Result<bool, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => Err(StoreError::WrongKind { path: path.to_owned(), kind: "directory" }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("look at", path)(error)),
    }
}

/// Whether a folder name below `archive/` is a day's: `YYYY-MM-DD`.
#[must_use]
pub(crate) fn is_day(name: &str) -> bool {
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = name.split('-').collect();
    matches!(parts.as_slice(), [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2))
}
