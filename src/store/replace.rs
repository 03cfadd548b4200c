//! Replacing a view whole: a reader sees the old bytes or the new ones.

use super::create::Temporary;
use super::platform::sync_dir;
use super::{LedgerDir, StoreError};
use std::path::Path;

/// Replaces a ledger's view whole and durably.
///
/// # Errors
/// As [`replace_whole`].
pub fn replace_view(ledger: &LedgerDir, bytes: &[u8]) -> Result<(), StoreError> {
    replace_whole(&ledger.view(), bytes)
}

/// Replaces a file whole and durably: a temporary file beside it, fsync, rename, fsync of the folder.
///
/// # Errors
/// The system refuses; the old file stands then, and the temporary one is gone.
pub fn replace_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = Temporary::write(folder, &name, bytes)?;
    temporary.replace(path).map_err(StoreError::io("replace", path))?;
    sync_dir(folder).map_err(StoreError::io("make durable", folder))
}
