//! Whether a repository's references moved, without starting a process.
#![expect(clippy::disallowed_methods, reason = "git's own small files are read here instead of starting git")]

use super::Layout;
use std::fs;
use std::path::Path;

impl Layout {
    /// A text that is another one after any reference but our own logs moved.
    #[must_use]
    pub fn references_mark(&self) -> String {
        let mut marks = Vec::new();
        let mut folders = vec![self.common_dir.join("refs"), self.common_dir.join("reftable")];
        marks.push(mark(&self.common_dir.join("packed-refs")));
        while let Some(folder) = folders.pop() {
            if folder.ends_with("headwater/ids") {
                continue;
            }
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                } else {
                    marks.push(mark(&path));
                }
            }
        }
        marks.sort();
        crate::event::hex(&<sha2::Sha256 as sha2::Digest>::digest(marks.join("\n").as_bytes()))
    }
}

/// A reference is written under another name and renamed, so that a new one is another file.
fn mark(path: &Path) -> String {
    let Ok(found) = path.metadata() else { return String::new() };
    let nanos = |at: std::time::SystemTime| at.duration_since(std::time::UNIX_EPOCH).map(|age| age.as_nanos());
    let modified = found.modified().ok().and_then(|at| nanos(at).ok()).unwrap_or_default();
    format!("{} {} {modified} {}", path.display(), found.len(), file_number(&found))
}

#[cfg(unix)]
fn file_number(found: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(found)
}

#[cfg(not(unix))]
fn file_number(_: &fs::Metadata) -> u64 {
    0
}
