//! Creating event files: durable, exclusive, never torn.

use super::listing::is_real_dir;
use super::platform::{rename_without_replacing, sync_dir};
use super::{LedgerDir, StoreError};
use crate::trust::path::is_component;
use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// What `events/README.md` says. The file keeps git from taking an archived folder for a renamed one.
pub const README_TEXT: &str = "# Events

Each file here is one event of one session: what was done, decided, asked. Files are added and never
changed; `headwater` merges all of them into `../current.md`, and moves old ones to `../archive/`.

Write one with `headwater record`, see what stands with `headwater show`.
";

/// How many names are tried before an event is given up.
const MAX_NAMES: u32 = 10_000;

/// Creates `<stem>.md`, `<stem>_2.md`, … among a ledger's events, whichever is free first, and makes it durable.
/// A directory is no ledger:
///
/// ```compile_fail,E0308
/// headwater::store::create_event(std::path::Path::new("thoughts/events"), "x", "");
/// ```
///
/// # Errors
/// The events' directory is a link or is missing, the stem is no file name, or the system refuses; nothing is left
/// behind then.
pub fn create_event(ledger: &LedgerDir, stem: &str, text: &str) -> Result<PathBuf, StoreError> {
    let folder = &ledger.events();
    if !is_component(stem) {
        return Err(StoreError::io("create", &folder.join(format!("{stem}.md")))(io::ErrorKind::InvalidInput.into()));
    }
    if !is_real_dir(folder)? {
        return Err(StoreError::NoLedger(folder.clone()));
    }
    let temporary = Temporary::write(folder, stem, text.as_bytes())?;
    for number in 1..=MAX_NAMES {
        let name = if number == 1 { format!("{stem}.md") } else { format!("{stem}_{number}.md") };
        let path = folder.join(name);
        match temporary.publish(&path) {
            Ok(()) => {
                // What may not outlast a power cut is not acknowledged, so it must not stay to be written twice.
                sync_dir(folder)
                    .inspect_err(|_| remove_quietly(&path))
                    .map_err(StoreError::io("make durable", folder))?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(StoreError::io("create", &path)(error)),
        }
    }
    Err(StoreError::NoFreeName(folder.to_owned()))
}

/// Makes the ledger's folders and `events/README.md`, where they are missing.
///
/// # Errors
/// The system refuses, or a part of the ledger is a link.
pub fn ensure_readme(ledger: &LedgerDir) -> Result<(), StoreError> {
    let events = ledger.events();
    match fs::symlink_metadata(&events) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(StoreError::WrongKind { path: events, kind: "directory" }),
        Err(_missing) => {
            fs::create_dir_all(&events).map_err(StoreError::io("create", &events))?;
            sync_dir(ledger.path()).map_err(StoreError::io("make durable", ledger.path()))?;
        }
    }
    let readme = events.join("README.md");
    if fs::symlink_metadata(&readme).is_ok() {
        return Ok(());
    }
    // Like an event: whole and durable under its name, or not there at all.
    let temporary = Temporary::write(&events, "README", README_TEXT.as_bytes())?;
    match temporary.publish(&readme) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(StoreError::io("create", &readme)(error)),
        _ => sync_dir(&events).map_err(StoreError::io("make durable", &events)),
    }
}

/// A file under a temporary name, whole and durable; removed when it goes out of scope.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    /// Whether it has another name by now.
    gone: Cell<bool>,
}

/// What a temporary file's name ends in; its name starts with `.`, so it is never an event.
pub(super) const TEMPORARY_SUFFIX: &str = ".tmp";

impl Temporary {
    /// Writes a temporary file for `stem` in `folder`, which may be lost in a power cut.
    pub(super) fn write_quickly(folder: &Path, stem: &str, bytes: &[u8]) -> io::Result<Self> {
        let path = folder.join(format!(".{stem}.{}{TEMPORARY_SUFFIX}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        let temporary = Self { path, gone: Cell::new(false) };
        file.write_all(bytes)?;
        Ok(temporary)
    }

    /// Writes a temporary file for `stem` in `folder` and flushes it to the disk.
    pub(super) fn write(folder: &Path, stem: &str, bytes: &[u8]) -> Result<Self, StoreError> {
        for number in 0..MAX_NAMES {
            let path = folder.join(format!(".{stem}.{}-{number}{TEMPORARY_SUFFIX}", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    let temporary = Self { path, gone: Cell::new(false) };
                    let written = file.write_all(bytes).and_then(|()| file.sync_all());
                    written.map_err(StoreError::io("write", &temporary.path))?;
                    return Ok(temporary);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::io("create", &path)(error)),
            }
        }
        Err(StoreError::NoFreeName(folder.to_owned()))
    }

    /// Gives the file a name that nobody has: by a rename that does not replace, else by a link, else
    /// by a rename over an empty file that reserves the name. It is never there in part.
    pub(super) fn publish(&self, path: &Path) -> io::Result<()> {
        match rename_without_replacing(&self.path, path) {
            Ok(()) => {
                self.gone.set(true);
                return Ok(());
            }
            Err(error) if error.kind() != io::ErrorKind::Unsupported => return Err(error),
            Err(_) => {}
        }
        match fs::hard_link(&self.path, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {}
            other => return other,
        }
        OpenOptions::new().write(true).create_new(true).open(path)?;
        self.replace(path).inspect_err(|_| remove_quietly(path))
    }

    /// Where it is as long as it has no other name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file a name, in place of what has it.
    pub(super) fn replace(&self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.gone.set(true);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Once renamed, the name may be another process's.
        if !self.gone.get() {
            remove_quietly(&self.path);
        }
    }
}

/// Removes a file of ours that is in the way; what cannot be removed is swept later.
pub(super) fn remove_quietly(path: &Path) {
    let _swept_later = fs::remove_file(path);
}

/// Removes temporary files in `folder` that are more than ten minutes older than `now_file`.
pub(super) fn sweep(folder: &Path, now_file: &File) {
    let Ok(now) = now_file.metadata().and_then(|found| found.modified()) else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let bytes = name.as_encoded_bytes();
        let ours = bytes.starts_with(b".") && bytes.ends_with(TEMPORARY_SUFFIX.as_bytes());
        let age = || {
            entry
                .metadata()
                .ok()
                .filter(std::fs::Metadata::is_file)?
                .modified()
                .ok()
                .and_then(|at| now.duration_since(at).ok())
        };
        if ours && age().is_some_and(|age| age.as_secs() > 600) {
            remove_quietly(&entry.path());
        }
    }
}
