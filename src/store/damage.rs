//! What is wrong with the files of this program's own directory, each on its own.

use super::platform::{Opened, open_without_following};
use super::spool::LARGEST;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file, or what is in the place of one, that this program cannot use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: String,
    /// Whether the rights of the file or directory are what is wrong.
    pub is_locked_out: bool,
}

/// What must be a directory there, and what must be a file.
const FOLDERS: [&str; 6] = ["edited", "events", "github", "sessions", "setup", "views"];
const FILES: [&str; 3] = ["faults.jsonl", "feed.lock", "pruned"];

/// How many files are looked at, and how deep.
const MOST: usize = 10_000;
const DEEPEST: usize = 3;

/// Part of the name of what was moved out of the way.
const ASIDE: &str = ".aside-";

/// Looks at every file of a directory of our own, and follows no link.
#[must_use]
pub fn damaged_files(own: &Path) -> Vec<Damage> {
    let (mut found, mut seen) = (Vec::new(), 0);
    if fs::symlink_metadata(own).is_ok_and(|own| !own.is_dir()) {
        let fault = "is no directory".to_owned();
        return vec![Damage { path: own.to_owned(), fault, is_locked_out: false }];
    }
    look_in(own, 0, &mut seen, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn look_in(folder: &Path, depth: usize, seen: &mut usize, found: &mut Vec<Damage>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => return found.push(damage(folder, &error)),
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        *seen += 1;
        if *seen > MOST || name.contains(ASIDE) || name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        let wrong = |fault: &str| Damage { path: path.clone(), fault: fault.to_owned(), is_locked_out: false };
        let top = depth == 0;
        if kind.is_dir() {
            if top && FILES.contains(&name.as_str()) {
                found.push(wrong("is a directory where a file must be"));
            } else if depth < DEEPEST {
                look_in(&path, depth + 1, seen, found);
            }
        } else if !kind.is_file() {
            found.push(wrong("is a link or a special file, which is not opened"));
        } else if top && FOLDERS.contains(&name.as_str()) {
            found.push(wrong("is a file where a directory must be"));
        } else {
            found.extend(look_at(&path, top || folder.ends_with("github")));
        }
    }
}

/// Whether a regular file can be read; logs, which may be of any size, are looked through by who reads them.
fn look_at(path: &Path, may_be_large: bool) -> Option<Damage> {
    match open_without_following(path) {
        Ok(Opened::File(_, size)) if size > LARGEST && !may_be_large => {
            let fault = format!("has {size} bytes, more than any file of headwater");
            Some(Damage { path: path.to_owned(), fault, is_locked_out: false })
        }
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(damage(path, &error)),
    }
}

fn damage(path: &Path, error: &io::Error) -> Damage {
    let is_locked_out = error.kind() == io::ErrorKind::PermissionDenied;
    Damage { path: path.to_owned(), fault: format!("cannot be read: {error}"), is_locked_out }
}

/// The first name beside a file of those that mark what was moved out of the way which nobody has.
#[must_use]
pub fn free_aside(path: &Path) -> PathBuf {
    let with = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!("{ASIDE}{number}"));
        PathBuf::from(name)
    };
    (1..1_000).map(with).find(|aside| fs::symlink_metadata(aside).is_err()).unwrap_or_else(|| with(1_000))
}
