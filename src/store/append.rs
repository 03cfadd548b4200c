//! A file that only grows, durably: what was reported as appended outlasts a power cut.

use super::StoreError;
use super::platform::{open_lock_file, same_file, sync_dir, try_lock};
use super::shared::move_shared;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// A file that only grows. Who writes it holds a lock of their own.
#[derive(Debug)]
pub struct AppendFile {
    path: PathBuf,
    file: File,
}

impl AppendFile {
    /// Opens the file, or makes an empty one, durably.
    ///
    /// # Errors
    /// The system refuses.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let is_new = fs::symlink_metadata(path).is_err();
        let file = open_lock_file(path).map_err(StoreError::io("open", path))?;
        if !file.metadata().map_err(StoreError::io("look at", path))?.is_file() {
            return Err(StoreError::WrongKind { path: path.to_owned(), kind: "file" });
        }
        if is_new && let Some(folder) = path.parent() {
            sync_dir(folder).map_err(StoreError::io("make durable", folder))?;
        }
        Ok(Self { path: path.to_owned(), file })
    }

    /// Opens the file as [`AppendFile::open`] does and locks it until it is dropped; `None` while another
    /// process has it locked.
    ///
    /// # Errors
    /// The system refuses, or cannot lock here at all.
    pub fn open_locked(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = Self::open(path)?;
        if !try_lock(&file.file).map_err(StoreError::io("lock", path))? {
            return Ok(None);
        }
        // Whoever had the lock before may have put another file in its place.
        let is_there = file.file.metadata().and_then(|own| Ok(same_file(&own, &fs::metadata(path)?)));
        Ok(is_there.unwrap_or(false).then_some(file))
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// The system refuses.
    pub fn length(&self) -> Result<u64, StoreError> {
        Ok(self.file.metadata().map_err(StoreError::io("look at", &self.path))?.len())
    }

    /// What stands in it from a place on.
    ///
    /// # Errors
    /// The system refuses.
    pub fn read_from(&mut self, offset: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let read = self.file.seek(SeekFrom::Start(offset)).and_then(|_| self.file.read_to_end(&mut bytes));
        read.map_err(StoreError::io("read", &self.path))?;
        Ok(bytes)
    }

    /// Adds bytes at its end and flushes them to the disk; gives the new length.
    ///
    /// # Errors
    /// The system refuses. What was written in part is taken away again, as far as that works; the flush
    /// is not repeated, because a second one may report what the first one lost as kept.
    pub fn append_durably(&mut self, bytes: &[u8]) -> Result<u64, StoreError> {
        let before = self.length()?;
        let written = self
            .file
            .seek(SeekFrom::Start(before))
            .and_then(|_| self.file.write_all(bytes))
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            let _as_far_as_it_works = self.file.set_len(before);
            return Err(StoreError::io("write", &self.path)(error));
        }
        Ok(before + bytes.len() as u64)
    }

    /// Cuts a torn end off.
    ///
    /// # Errors
    /// The system refuses.
    pub fn cut(&mut self, length: u64) -> Result<(), StoreError> {
        self.file.set_len(length).and_then(|()| self.file.sync_data()).map_err(StoreError::io("cut", &self.path))
    }
}

/// Writes a note that may be lost, whole or in part.
///
/// # Errors
/// The system refuses.
pub fn write_note(path: &Path, text: &str) -> Result<(), StoreError> {
    let mut file = open_lock_file(path).map_err(StoreError::io("write", path))?;
    if !file.metadata().map_err(StoreError::io("look at", path))?.is_file() {
        return Err(StoreError::WrongKind { path: path.to_owned(), kind: "file" });
    }
    let written = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
    written.map_err(StoreError::io("write", path))
}

/// The names of what lies in a folder, in byte order; none where there is no such folder.
///
/// # Errors
/// The system refuses.
pub fn names_in(folder: &Path) -> Result<Vec<std::ffi::OsString>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(StoreError::io("list", folder)(error)),
    };
    let names: io::Result<Vec<_>> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
    let mut names = names.map_err(StoreError::io("list", folder))?;
    names.sort();
    Ok(names)
}

/// Makes a folder and those above it, durably, where they are missing.
///
/// # Errors
/// The system refuses.
pub fn make_folder(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(StoreError::io("create", path))?;
    match path.parent() {
        Some(parent) => sync_dir(parent).map_err(StoreError::io("make durable", parent)),
        None => Ok(()),
    }
}

/// Gives a file, and those beside it with one of these endings, the first name `FILE.aside-1`, `-2`, … that
/// nobody has; gives the file's new name, `None` where it was not there.
///
/// # Errors
/// The system refuses.
pub fn set_aside(path: &Path, endings: &[&str]) -> Result<Option<PathBuf>, StoreError> {
    let with = |path: &Path, ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let is_free = |aside: &PathBuf| endings.iter().all(|ending| fs::symlink_metadata(with(aside, ending)).is_err());
    let aside = (1..10_000).map(|number| with(path, &format!(".aside-{number}"))).find(is_free);
    let Some(aside) = aside else {
        return Err(StoreError::io("move away", path)(io::ErrorKind::AlreadyExists.into()));
    };
    let mut is_there = false;
    for ending in endings {
        let from = with(path, ending);
        if fs::symlink_metadata(&from).is_ok() {
            move_shared(&from, &with(&aside, ending))?;
            is_there |= ending.is_empty();
        }
    }
    Ok(is_there.then_some(aside))
}

/// Makes durable which file has this name.
///
/// # Errors
/// The system refuses.
pub fn make_durable(path: &Path) -> Result<(), StoreError> {
    path.parent().map_or(Ok(()), |folder| sync_dir(folder).map_err(StoreError::io("make durable", folder)))
}
