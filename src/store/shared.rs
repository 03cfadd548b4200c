//! Files that are not ours alone: read as they stand, replaced whole, with the rights they had.

use super::StoreError;
use super::create::Temporary;
use super::platform::{Opened, open_without_following, rename_without_replacing, sync_dir};
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

/// No file that is merged into is larger.
const MAX_BYTES: u64 = 16 << 20;

/// A regular file as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether it may be run; always on systems without that right.
    pub executable: bool,
}

/// Reads a file; `None` where there is none.
///
/// # Errors
/// It is no regular file (a link is none either), too large, or cannot be read.
pub fn read_shared(path: &Path) -> Result<Option<SharedFile>, StoreError> {
    let opened = match open_without_following(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        other => other.map_err(StoreError::io("read", path))?,
    };
    let Opened::File(file, size) = opened else {
        return Err(StoreError::WrongKind { path: path.to_owned(), kind: "file" });
    };
    if size > MAX_BYTES {
        return Err(StoreError::io("read", path)(io::ErrorKind::FileTooLarge.into()));
    }
    let executable = is_executable(&file.metadata().map_err(StoreError::io("look at", path))?);
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
    Ok(Some(SharedFile { bytes, executable }))
}

/// Replaces a file whole and durably, with the rights that it had; a new one gets those of any new file,
/// and may be run if `executable`. Its folder is made.
///
/// # Errors
/// The system refuses; the old file stands then.
pub fn write_shared(path: &Path, bytes: &[u8], executable: bool) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = Temporary::write(folder, name.trim_start_matches('.'), bytes)?;
    let rights = match fs::symlink_metadata(path) {
        Ok(found) => found.permissions(),
        Err(_new) => fs::metadata(temporary.path()).map_err(StoreError::io("look at", path))?.permissions(),
    };
    let rights = if executable { runnable(rights) } else { rights };
    fs::set_permissions(temporary.path(), rights).map_err(StoreError::io("set the rights of", path))?;
    temporary.replace(path).map_err(StoreError::io("replace", path))?;
    sync_dir(folder).map_err(StoreError::io("make durable", folder))
}

/// Gives a file or link a new name in its folder that nobody has.
///
/// # Errors
/// The new name is taken, or the system refuses.
pub fn move_shared(from: &Path, to: &Path) -> Result<(), StoreError> {
    let moved = match rename_without_replacing(from, to) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => match fs::symlink_metadata(to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(_free) => fs::rename(from, to),
        },
        other => other,
    };
    moved.map_err(StoreError::io("move away", from))
}

/// Gives a file or link the name of another, which it replaces at once.
///
/// # Errors
/// The system refuses; both stand as they stood then.
pub fn replace_shared(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(StoreError::io("replace", to))
}

/// Removes a file.
///
/// # Errors
/// The system refuses; that it is gone already is none.
pub fn remove_shared(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Removes a folder if nothing is in it.
pub fn remove_empty_folder(path: &Path) {
    let _holds_something = fs::remove_dir(path);
}

#[cfg(unix)]
fn is_executable(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    true
}

/// Whoever may read it may run it.
#[cfg(unix)]
fn runnable(mut rights: fs::Permissions) -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    rights.set_mode(rights.mode() | ((rights.mode() & 0o444) >> 2));
    rights
}

#[cfg(not(unix))]
fn runnable(rights: fs::Permissions) -> fs::Permissions {
    rights
}
