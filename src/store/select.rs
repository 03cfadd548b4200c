//! `--input`: a choice of event files by path or pattern.

use super::listing::{Found, Listing};
use super::read::{Reading, Source, decode_path};
use super::{LedgerDir, StoreError};
use crate::event::schema::Schema;
use crate::ledger::pack::is_event_name;
use globset::{GlobBuilder, GlobMatcher};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The files that were chosen.
#[derive(Debug)]
pub struct Selection {
    paths: BTreeSet<PathBuf>,
    live: PathBuf,
    /// The files by their names.
    pub found: Vec<Found>,
}

impl Selection {
    /// Whether exactly the live events were chosen.
    #[must_use]
    pub fn is_live(&self, listing: &Listing) -> bool {
        let live = listing.files.iter().filter(|found| found.day.is_none());
        let live: BTreeSet<PathBuf> = live.map(|found| self.live.join(&found.name)).collect();
        live == self.paths
    }

    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read for another reason than its content.
    pub fn readings(&self, schema: &Schema) -> Result<Vec<Reading>, StoreError> {
        let read = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().as_encoded_bytes().to_vec();
            Ok(Reading { source: Source { name, pack: None, entry: 0 }, result: decode_path(path, schema)? })
        };
        self.paths.iter().map(read).collect()
    }
}

/// Chooses files by patterns, each relative to the current directory, or else to the ledger.
///
/// # Errors
/// A pattern is malformed or matches nothing.
pub fn select(patterns: &[String], ledger: &LedgerDir) -> Result<Selection, StoreError> {
    let mut paths = BTreeSet::new();
    for pattern in patterns {
        let mut matched = expand(Path::new("."), pattern)?;
        if matched.is_empty() {
            matched = expand(ledger.path(), pattern)?;
        }
        if matched.is_empty() {
            return Err(StoreError::NoMatch(pattern.clone()));
        }
        paths.extend(matched);
    }
    let found = paths
        .iter()
        .filter_map(|path| Some(Found { day: None, name: path.file_name()?.to_owned(), not_a_file: false }));
    let live = ledger.events();
    Ok(Selection { found: found.collect(), live: live.canonicalize().unwrap_or(live), paths })
}

/// The files that a pattern matches, with their folders made real.
fn expand(base: &Path, pattern: &str) -> Result<BTreeSet<PathBuf>, StoreError> {
    let mut folders = vec![base.to_owned()];
    let parts: Vec<Component<'_>> = Path::new(pattern).components().collect();
    let Some((Component::Normal(last), before)) = parts.split_last() else { return Ok(BTreeSet::new()) };
    for part in before {
        let text = part.as_os_str().to_string_lossy();
        folders = match part {
            Component::Normal(_) if text == "**" => folders.iter().flat_map(|folder| all_below(folder)).collect(),
            Component::Normal(_) if is_pattern(&text) => {
                let matcher = matcher(&text)?;
                folders
                    .iter()
                    .flat_map(|folder| children(folder, true))
                    .filter(|path| matches(&matcher, path))
                    .collect()
            }
            Component::Prefix(_)
            | Component::RootDir
            | Component::CurDir
            | Component::ParentDir
            | Component::Normal(_) => folders.iter().map(|folder| folder.join(part)).collect(),
        };
    }
    let last_text = last.to_string_lossy();
    let files: Vec<PathBuf> = if is_pattern(&last_text) {
        let matcher = matcher(&last_text)?;
        let event = |path: &PathBuf| path.file_name().is_some_and(|name| is_event_name(name.as_encoded_bytes()));
        folders
            .iter()
            .flat_map(|folder| children(folder, false))
            .filter(|path| matches(&matcher, path) && event(path))
            .collect()
    } else {
        folders.iter().map(|folder| folder.join(last)).filter(|path| path.symlink_metadata().is_ok()).collect()
    };
    let real = |path: PathBuf| Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
    Ok(files.into_iter().filter_map(real).collect())
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn matcher(pattern: &str) -> Result<GlobMatcher, StoreError> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| StoreError::BadPattern(pattern.to_owned(), error.kind().to_string()))
}

fn matches(matcher: &GlobMatcher, path: &Path) -> bool {
    path.file_name().is_some_and(|name| matcher.is_match(Path::new(name)))
}

fn children(folder: &Path, folders: bool) -> Vec<PathBuf> {
    let kind = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir()) == folders;
    fs::read_dir(folder).into_iter().flatten().flatten().filter(kind).map(|entry| entry.path()).collect()
}

fn all_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(folder) = all.get(next).cloned() {
        all.extend(children(&folder, true));
        next += 1;
    }
    all
}
