//! The journal beside the database: one line for each anchor, flushed before the tables know it.

use super::super::IdsError;
use super::super::contract::Anchor;
use super::super::unread;
use crate::store::{AppendFile, lock_holders};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

pub(super) fn journal_beside(path: &Path) -> PathBuf {
    path.with_file_name("ids.journal")
}

/// Who is at the log, as far as the system tells.
pub(super) fn holder(path: &Path) -> String {
    let shared = path.with_extension("sqlite3-shm");
    let holders = lock_holders(&[path, &shared, &journal_beside(path)]);
    if holders.is_empty() {
        "another process is writing".to_owned()
    } else {
        format!("{} is at it", holders.join(", "))
    }
}

/// Locks the journal of a database.
pub(super) fn locked_journal(database: &Path, patience: Duration) -> Result<AppendFile, IdsError> {
    let (path, started) = (journal_beside(database), Instant::now());
    let patience = crate::bounds::deadline::within(patience);
    loop {
        if let Some(journal) = AppendFile::open_locked(&path)? {
            return Ok(journal);
        }
        let waited = started.elapsed();
        if waited >= patience {
            return Err(IdsError::Busy { holder: holder(database), path, waited });
        }
        thread::sleep(Duration::from_millis(2));
    }
}

pub(super) fn digest(bytes: &[u8]) -> String {
    crate::event::hex(&Sha256::digest(bytes))
}

pub(super) fn lines_of(anchors: &[Anchor]) -> String {
    anchors.iter().fold(String::new(), |text, anchor| text + &anchor.line() + "\n")
}

/// A line without its end was never flushed, so never acknowledged: it is cut off. `bytes` stand at `start`.
pub(super) fn cut_torn_line<'a>(journal: &mut AppendFile, start: u64, bytes: &'a [u8]) -> Result<&'a [u8], IdsError> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let (whole, torn) = bytes.split_at_checked(end).unwrap_or((bytes, b""));
    if !torn.is_empty() {
        journal.cut(start + whole.len() as u64)?;
    }
    Ok(whole)
}

/// The anchors of lines; a line that cannot be read is left as what it spends.
pub(super) fn read_lines(bytes: &[u8]) -> Vec<Anchor> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = |line: &[u8]| {
        let text = String::from_utf8_lossy(line);
        let fault = if std::str::from_utf8(line).is_err() { Err("not UTF-8".to_owned()) } else { Anchor::read(&text) };
        fault.unwrap_or_else(|fault| unread::salvage(&text, "", None, &fault))
    };
    lines.map(read).collect()
}

/// Everything in a journal.
pub(super) fn anchors_in(journal: &mut AppendFile) -> Result<Vec<Anchor>, IdsError> {
    let bytes = journal.read_from(0)?;
    let whole = cut_torn_line(journal, 0, &bytes)?;
    Ok(read_lines(whole))
}
