//! Files of a worktree whose paths a configuration or a branch names: only checked paths get here.

use super::append::{make_folder, names_in};
use super::create::Temporary;
use super::platform::sync_dir;
use super::shared::{move_shared, write_shared};
use super::{StoreError, read_text};
use crate::trust::path::InTree;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A symbolic link, a directory or something else, which is not opened.
    Other,
}

/// What lies at a path; `None` where there is nothing.
///
/// # Errors
/// The system refuses.
pub fn kind_in_tree(place: &InTree) -> Result<Option<Kind>, StoreError> {
    match fs::symlink_metadata(place.path()) {
        Ok(found) => Ok(Some(if found.is_file() { Kind::File } else { Kind::Other })),
        Err(error) if is_nothing(error.kind()) => Ok(None),
        Err(error) => Err(StoreError::io("look at", place.path())(error)),
    }
}

/// Reads a regular file whole; `None` where there is none. A text is no path:
///
/// ```compile_fail,E0308
/// headwater::store::read_in_tree(std::path::Path::new("docs/TASKS.md"));
/// ```
///
/// # Errors
/// It is no regular file, or the system refuses.
pub fn read_in_tree(place: &InTree) -> Result<Option<Vec<u8>>, StoreError> {
    match read_text(place.path()) {
        Err(StoreError::Io { source, .. }) if is_nothing(source.kind()) => Ok(None),
        other => other,
    }
}

/// The names of what lies in a directory, in byte order; none where there is none.
///
/// ```compile_fail,E0308
/// headwater::store::names_in_tree(&String::from("docs/adr"));
/// ```
///
/// # Errors
/// The system refuses.
pub fn names_in_tree(place: &InTree) -> Result<Vec<OsString>, StoreError> {
    names_in(place.path())
}

/// Replaces a regular file whole and durably with the rights that it had, or makes it.
///
/// ```compile_fail,E0308
/// headwater::store::replace_in_tree(&std::path::PathBuf::from("wiki/page.md"), b"");
/// ```
///
/// # Errors
/// Something else than a file lies there, or the system refuses; the old file stands then.
pub fn replace_in_tree(place: &InTree, bytes: &[u8]) -> Result<(), StoreError> {
    if kind_in_tree(place)? == Some(Kind::Other) {
        return Err(StoreError::WrongKind { path: place.path().to_owned(), kind: "file" });
    }
    write_shared(place.path(), bytes, false)
}

/// Creates a file whole and durably under a name that nobody has; `false` where somebody has it.
///
/// ```compile_fail,E0308
/// headwater::store::create_in_tree("docs/adr/0001-x.md", b"");
/// ```
///
/// # Errors
/// The system refuses; nothing is left behind then.
pub fn create_in_tree(place: &InTree, bytes: &[u8]) -> Result<bool, StoreError> {
    create(place, bytes, None)
}

/// Gives a file, link or directory a name that nobody has, and a file this text instead of its own if there is
/// one; `false` where somebody has the name. Nothing that has the new name is replaced, and nothing but `from`
/// loses its name.
///
/// ```compile_fail,E0308
/// headwater::store::rename_in_tree("db/V2__x.sql", "db/V3__x.sql", None);
/// ```
///
/// # Errors
/// The system refuses, or `from` changed since its text was read.
pub fn rename_in_tree(from: &InTree, to: &InTree, texts: Option<(&[u8], &[u8])>) -> Result<bool, StoreError> {
    if kind_in_tree(to)?.is_some() {
        return Ok(false);
    }
    let Some((before, after)) = texts else {
        make_folder(folder(to.path()))?;
        return match move_shared(from.path(), to.path()) {
            Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::AlreadyExists => Ok(false),
            other => other.and_then(|()| durable(from)).and_then(|()| durable(to)).map(|()| true),
        };
    };
    let rights = fs::symlink_metadata(from.path()).map_err(StoreError::io("look at", from.path()))?.permissions();
    if !create(to, after, Some(rights))? {
        return Ok(false);
    }
    match read_in_tree(from)? {
        Some(now) if now == before => {
            fs::remove_file(from.path()).map_err(StoreError::io("remove", from.path()))?;
            durable(from).map(|()| true)
        }
        // What was written meanwhile is not lost: the file stays beside the new one.
        _ => Err(StoreError::Changed { path: from.path().to_owned(), beside: to.path().to_owned() }),
    }
}

/// Removes a regular file if it holds what is expected; whether it did.
///
/// ```compile_fail,E0308
/// headwater::store::remove_in_tree("docs/adr/0001-x.md", |_| true);
/// ```
///
/// # Errors
/// The system refuses.
pub fn remove_in_tree(place: &InTree, is_expected: impl FnOnce(&[u8]) -> bool) -> Result<bool, StoreError> {
    match read_in_tree(place) {
        Ok(Some(bytes)) if is_expected(&bytes) => {
            fs::remove_file(place.path()).map_err(StoreError::io("remove", place.path())).map(|()| true)
        }
        Ok(_) | Err(StoreError::WrongKind { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether files can be made beside a path, asked before something is promised: a file is made and removed.
///
/// # Errors
/// They cannot.
pub fn can_write_beside(place: &InTree) -> Result<(), StoreError> {
    let there = folder(place.path()).ancestors().find(|folder| folder.symlink_metadata().is_ok());
    Temporary::write(there.unwrap_or(Path::new(".")), "headwater", b"").map(drop)
}

fn create(place: &InTree, bytes: &[u8], rights: Option<fs::Permissions>) -> Result<bool, StoreError> {
    let path = place.path();
    make_folder(folder(path))?;
    let temporary = Temporary::write(folder(path), &path.file_name().unwrap_or_default().to_string_lossy(), bytes)?;
    if let Some(rights) = rights {
        fs::set_permissions(temporary.path(), rights).map_err(StoreError::io("set the rights of", path))?;
    }
    match temporary.publish(path) {
        Ok(()) => durable(place).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(StoreError::io("create", path)(error)),
    }
}

fn durable(place: &InTree) -> Result<(), StoreError> {
    let folder = folder(place.path());
    sync_dir(folder).map_err(StoreError::io("make durable", folder))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

const fn is_nothing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}
