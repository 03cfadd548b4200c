//! An index of our own, in which a commit is put together without touching the user's.
#![expect(clippy::disallowed_methods, reason = "the scratch index is made and removed by the git layer")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use super::{Call, GitError, Layout};

const PREFIX: &str = "commit-index-";
/// How old an index must be to belong to a process that was killed.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// The path of a private index; the file and its lock are removed with the value.
#[derive(Debug)]
pub(super) struct ScratchIndex(PathBuf);

impl ScratchIndex {
    /// Chooses a name that no other process and thread uses, and sweeps what killed ones left.
    ///
    /// # Errors
    /// [`GitError::Unwritable`] if the folder cannot be made.
    pub(super) fn create(layout: &Layout, now: i64) -> Result<Self, GitError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let folder = layout.own_dir();
        fs::create_dir_all(&folder).map_err(|source| GitError::Unwritable { path: folder.clone(), source })?;
        sweep(&folder, now);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let scratch = Self(folder.join(format!("{PREFIX}{}-{number}", std::process::id())));
        // A killed process may have had this number: its rest must not be read.
        scratch.remove();
        Ok(scratch)
    }

    /// Describes a command that works on this index.
    pub(super) fn call<const N: usize>(&self, arguments: [&str; N], limit: Duration) -> Call {
        // A split or sparse index would leave files, or folders, that are not ours to keep.
        Call::new(["-c", "core.splitIndex=false", "-c", "index.sparse=false"])
            .args(arguments)
            .variable("GIT_INDEX_FILE", &self.0)
            .limit(limit)
    }

    fn remove(&self) {
        fs::remove_file(&self.0).ok();
        fs::remove_file(self.0.with_extension("lock")).ok();
    }
}

impl Drop for ScratchIndex {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Removes old indexes; what cannot be removed now is tried again the next time.
fn sweep(folder: &Path, now: i64) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let now = UNIX_EPOCH + Duration::from_secs(u64::try_from(now).unwrap_or(0));
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        if ours && modified.is_ok_and(|then| now.duration_since(then).is_ok_and(|age| age > STALE)) {
            fs::remove_file(entry.path()).ok();
        }
    }
}
