//! A note outside the log's folder of what the journal held: it tells an old copy of the whole folder, and another
//! clone's, from the log of this one. It is written after the commit and never flushed: lost or behind, it proves less.

use super::super::IdsError;
use super::SqliteLog;
use super::journal::digest;
use crate::store::{AppendFile, read_text, write_note};
use std::path::{Path, PathBuf};

/// The note's name in git's common folder, beside the log's folder.
const WITNESS: &str = "headwater-ids.mark";

/// Where lines of the journal stand, and their digest.
pub(super) fn place_of(start: u64, lines: &[u8]) -> String {
    format!("{start} {} {}", start + lines.len() as u64, digest(lines))
}

/// Outside git there is no place for it that is not the user's.
fn witness_of(database: &Path) -> Option<PathBuf> {
    let folder = database.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "headwater"))?;
    Some(folder.with_file_name(WITNESS))
}

impl SqliteLog {
    /// Notes what the journal holds; a note that cannot be written proves less, and costs nothing else.
    pub(super) fn testify(&self, place: &str) {
        if let Some(path) = witness_of(&self.path) {
            let _proves_less = write_note(&path, place);
        }
    }

    /// What was noted.
    pub(super) fn testimony(&self) -> Option<String> {
        let bytes = read_text(&witness_of(&self.path)?).ok()??;
        String::from_utf8(bytes).ok().filter(|text| read(text).is_some())
    }
}

/// Whether a journal holds what was noted of it.
pub(super) fn holds(journal: &mut AppendFile, noted: &str) -> Result<bool, IdsError> {
    let Some((start, length)) = read(noted) else { return Ok(true) };
    if journal.length()? < start + length {
        return Ok(false);
    }
    let bytes = journal.read_from(start)?;
    let lines = usize::try_from(length).ok().and_then(|length| bytes.get(..length));
    Ok(lines.is_some_and(|lines| place_of(start, lines) == noted))
}

/// The start and the length of what a note is about.
fn read(text: &str) -> Option<(u64, u64)> {
    let mut words = text.split(' ');
    let (start, end): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let is_whole = words.next()?.len() == 64;
    Some((start, end.checked_sub(start)?)).filter(|_| is_whole)
}
