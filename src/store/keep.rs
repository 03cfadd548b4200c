//! Keeping a hand-edited view before it is replaced: its text goes under its hash, never lost.

use super::StoreError;
use super::create::Temporary;
use super::platform::sync_dir;
use super::read::read_bounded;
use super::replace::replace_whole;
use crate::event::hex;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// How many views are remembered.
const REMEMBERED: usize = 8;

/// How much of what is remembered is read.
const MARKER_BYTES: u64 = 64 << 10;

/// Remembers which view was written last, and keeps one that somebody edited.
pub struct Keeper<'a> {
    /// The folder for both: `headwater/` in git's common directory, or `.headwater/` in the ledger.
    pub folder: PathBuf,
    /// Whether a commit holds exactly these bytes already.
    pub is_in_git: &'a dyn Fn(&[u8]) -> bool,
}

impl std::fmt::Debug for Keeper<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Keeper<'_> {
    /// Keeps the text of `view`, unless it is what was written there last or git has it. Says where.
    pub(super) fn keep(&self, view: &Path, text: &[u8]) -> Result<Option<PathBuf>, StoreError> {
        let digest = hex(&Sha256::digest(text));
        let written = self.remembered(view);
        if written.lines().any(|line| line == digest) || (self.is_in_git)(text) {
            return Ok(None);
        }
        let folder = self.folder.join("edited");
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        let path = folder.join(format!("{digest}.md"));
        if !path.exists() {
            replace_whole(&path, text)?;
            sync_dir(&self.folder).map_err(StoreError::io("make durable", &self.folder))?;
        }
        Ok(Some(path))
    }

    /// Remembers a view that stands as it was written elsewhere than by [`super::synthesize()`].
    pub fn wrote(&self, view: &Path, text: &[u8]) {
        if matches!(read_bounded(view, text.len() as u64), Ok(Some(standing)) if standing == text) {
            self.remember(view, text);
        }
    }

    /// Remembers what is about to be written, beside the last few: another run may see any of them.
    /// Forgetting it costs a kept copy, nothing else.
    pub(super) fn remember(&self, view: &Path, text: &[u8]) {
        let marker = self.marker(view);
        let before = self.remembered(view);
        let digest = hex(&Sha256::digest(text));
        let lines: Vec<&str> = std::iter::once(digest.as_str()).chain(before.lines().take(REMEMBERED - 1)).collect();
        if let Some(folder) = marker.parent().filter(|folder| fs::create_dir_all(folder).is_ok()) {
            let name = marker.file_name().unwrap_or_default().to_string_lossy();
            // Whole under its name, in place of whatever else is there.
            let _courtesy = Temporary::write_quickly(folder, &name, lines.join("\n").as_bytes())
                .and_then(|temporary| temporary.replace(&marker));
        }
    }

    /// What is remembered of a view; nothing where that is damaged.
    fn remembered(&self, view: &Path) -> String {
        let bytes = read_bounded(&self.marker(view), MARKER_BYTES).ok().flatten().unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }

    fn marker(&self, view: &Path) -> PathBuf {
        let name = hex(&Sha256::digest(view.as_os_str().as_encoded_bytes()));
        self.folder.join("views").join(name.get(..16).unwrap_or_default())
    }
}
