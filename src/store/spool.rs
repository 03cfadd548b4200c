//! A folder of small files of this program's own, in git's common directory: markers, copies, faults.
//!
//! A file there is written whole and durable under its name, or not at all, and whoever renames it has it.

use super::StoreError;
use super::create::{TEMPORARY_SUFFIX, Temporary, remove_quietly};
use super::lock::in_turn;
use super::platform::{set_modified, sync_dir};
use super::read::read_bounded;
use super::replace::replace_whole;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// No file of ours is larger.
pub(super) const LARGEST: u64 = 16 << 20;

/// A folder of small files of our own; it need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    dir: PathBuf,
}

impl Spool {
    /// The folder `dir`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Where the file `name` is, or would be.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The names of its files in byte order; none where there is no folder. Temporary files are left out.
    ///
    /// # Errors
    /// The system refuses.
    pub fn names(&self) -> Result<Vec<String>, StoreError> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(StoreError::io("list", &self.dir))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list", &self.dir))?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            names.extend(entry.file_name().into_string().ok().filter(|name| is_file && !name.starts_with('.')));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The names of the folders in it, in byte order.
    ///
    /// # Errors
    /// The system refuses.
    pub fn folders(&self) -> Result<Vec<String>, StoreError> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(StoreError::io("list", &self.dir))?,
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// The text of a file; none where there is none.
    ///
    /// # Errors
    /// It is no regular file, larger than any of ours, or the system refuses.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        read_bounded(&self.file(name), LARGEST)
    }

    /// Creates a file, durably; `false` if the name is taken.
    ///
    /// # Errors
    /// The system refuses.
    pub fn create(&self, name: &str, bytes: &[u8]) -> Result<bool, StoreError> {
        self.ensure()?;
        let temporary = Temporary::write(&self.dir, name, bytes)?;
        match temporary.publish(&self.file(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(StoreError::io("create", &self.file(name))(error)),
        }
        sync_dir(&self.dir).map_err(StoreError::io("make durable", &self.dir))?;
        Ok(true)
    }

    /// Replaces a file whole, durably.
    ///
    /// # Errors
    /// The system refuses; the old file stands then.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.ensure()?;
        replace_whole(&self.file(name), bytes)
    }

    /// Gives a file another name; `false` if somebody else had it first. Of several only one succeeds.
    ///
    /// # Errors
    /// The system refuses.
    pub fn claim(&self, name: &str, new_name: &str) -> Result<bool, StoreError> {
        match fs::rename(self.file(name), self.file(new_name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::io("claim", &self.file(name))(error)),
        }
    }

    /// Runs `work` while holding the lock of a file in the folder; without it where it cannot be had, or not
    /// within `wait`.
    pub fn in_turn<T>(&self, name: &str, wait: Duration, work: impl FnOnce() -> T) -> T {
        in_turn(&self.file(name), wait, work)
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", &self.file(name))(error))
            }
            _ => Ok(()),
        }
    }

    /// Removes temporary files that are older than `age`.
    pub fn sweep(&self, now: SystemTime, age: Duration) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let ours = name.to_string_lossy().starts_with('.') && name.to_string_lossy().ends_with(TEMPORARY_SUFFIX);
            let written = entry.metadata().and_then(|found| found.modified()).ok();
            if ours && written.and_then(|at| now.duration_since(at).ok()).is_some_and(|old| old > age) {
                remove_quietly(&entry.path());
            }
        }
    }

    /// When a file was last written.
    #[must_use]
    pub fn written_at(&self, name: &str) -> Option<SystemTime> {
        fs::metadata(self.file(name)).and_then(|found| found.modified()).ok()
    }

    /// Says that a file is current; what cannot be said is left.
    pub fn touch(&self, name: &str, now: SystemTime) {
        let _courtesy = set_modified(&self.file(name), now);
    }

    /// Adds a line to a file that keeps its last `limit` bytes. A courtesy: what cannot be written is left out.
    pub fn append(&self, name: &str, line: &str, limit: usize) {
        let path = self.file(name);
        let mut text = read_bounded(&path, LARGEST).ok().flatten().unwrap_or_default();
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
        let start = text.len().saturating_sub(limit);
        let start = match text.get(start..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
            Some(end) if start > 0 => start + end + 1,
            _ => start,
        };
        let kept = text.get(start..).unwrap_or_default();
        if self.ensure().is_ok()
            && Temporary::write(&self.dir, name, kept)
                .and_then(|file| file.replace(&path).map_err(StoreError::io("replace", &path)))
                .is_err()
        {
            remove_quietly(&path);
        }
    }

    fn ensure(&self) -> Result<(), StoreError> {
        fs::create_dir_all(&self.dir).map_err(StoreError::io("create", &self.dir))
    }
}
