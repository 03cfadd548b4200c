//! Mending: a database that is damaged, or that nothing proves, is made again from the journal.

use super::super::IdsError;
use super::super::contract::{Anchor, Kind};
use super::super::reserve::Asking;
use super::super::unread;
use super::journal::{anchors_in, journal_beside, lines_of, locked_journal};
use super::{DATABASE, SqliteLog, Start, connect, database};
use crate::store::{AppendFile, make_durable, remove_shared, replace_shared, set_aside};
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

impl SqliteLog {
    /// Opens the log, and mends it where numbers cannot be taken by it: a database that is damaged, or that
    /// nothing proves to be the newest, is made again from the journal and from what it holds itself, which
    /// the journal gets as well. The journal's order counts, and what it lacks follows. Gives the name under
    /// which the old database is kept, if there was something to mend.
    ///
    /// # Errors
    /// [`IdsError::Busy`], and what the system refuses.
    pub fn restore(folder: &Path, patience: Duration) -> Result<(Self, Option<PathBuf>), IdsError> {
        let mut held = Vec::new();
        if let Some(strange) = super::strange_file(folder) {
            set_aside(&strange, &[""])?;
            return Self::restore(folder, patience);
        }
        match Self::open(folder, patience, Start::Allowed) {
            Ok(mut log) => match log.examine() {
                Ok(None) if log.unread()?.is_none() => return Ok((log, None)),
                Ok(None) => return Self::write_again(log, folder, patience),
                Ok(Some(_)) => held = log.held().0,
                Err(error) => return Err(error),
            },
            Err(error) if error.is_damage() => {}
            Err(error) => return Err(error),
        }
        let path = folder.join(DATABASE);
        let mut journal = locked_journal(&path, patience)?;
        let mut anchors = anchors_in(&mut journal)?;
        held.retain(|anchor| !anchors.iter().any(|known| known.nonce == anchor.nonce));
        if !held.is_empty() {
            journal.append_durably(lines_of(&held).as_bytes())?;
            anchors.extend(held);
        }
        let kept = make_again(&path, patience, &mut journal, &anchors)?;
        let log = Self::open(folder, patience, Start::Allowed)?;
        if let Some(mark) = log.mark().map_err(database("read", &path))? {
            log.testify(&mark.place());
        }
        drop(journal);
        Ok((log, kept))
    }

    /// Writes a journal with lines that cannot be read again, with their numbers in place of them.
    fn write_again(log: Self, folder: &Path, patience: Duration) -> Result<(Self, Option<PathBuf>), IdsError> {
        let path = log.path.clone();
        let mut old = locked_journal(&path, patience)?;
        drop(log);
        let asking = |at: &str| Asking { agent: String::new(), branch: None, at: at.to_owned(), nonce: String::new() };
        let readable = |anchor: Anchor| match anchor.kind {
            Kind::Unread => unread::spent(&anchor, None, &asking(&anchor.at)),
            Kind::Reserve | Kind::Amend | Kind::Confirm | Kind::Release | Kind::Floor => anchor,
        };
        let anchors: Vec<Anchor> = anchors_in(&mut old)?.into_iter().map(readable).collect();
        let beside = journal_beside(&path);
        let kept = set_aside(&beside, &[""])?;
        let mut journal = locked_journal(&path, patience)?;
        journal.append_durably(lines_of(&anchors).as_bytes())?;
        make_again(&path, patience, &mut journal, &anchors)?;
        drop((old, journal));
        let log = Self::open(folder, patience, Start::Allowed)?;
        if let Some(mark) = log.mark().map_err(database("read", &path))? {
            log.testify(&mark.place());
        }
        Ok((log, kept))
    }

    /// Why no number can be taken by this log, if so: [`IdsError::Unproven`], or damage of the database.
    ///
    /// # Errors
    /// [`IdsError::Busy`], and what the system refuses.
    pub fn examine(&mut self) -> Result<Option<IdsError>, IdsError> {
        let sound = |connection: &Connection| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
        let said: Result<String, IdsError> = self.patiently("read", sound);
        let found = match said {
            Ok(said) if said == "ok" => self.doubt(),
            Ok(said) => {
                let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
                Err(database("read", &self.path)(rusqlite::Error::SqliteFailure(code, Some(said))))
            }
            Err(error) => Err(error),
        };
        match found {
            Err(error) if error.is_damage() => Ok(Some(error)),
            found => found,
        }
    }

    /// The anchors that can be read in the tables, and whether those are all.
    pub(super) fn held(&self) -> (Vec<Anchor>, Result<(), IdsError>) {
        let mut anchors = Vec::new();
        let mut read = || -> rusqlite::Result<()> {
            // The rows themselves, not what an index says of them.
            let mut statement = self.connection.prepare("SELECT body FROM anchors NOT INDEXED ORDER BY seq")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let body: String = row.get(0)?;
                anchors.extend(Anchor::read(&body).ok());
            }
            Ok(())
        };
        let all = read().map_err(database("read", &self.path));
        (anchors, all)
    }

    /// Makes the database again from the journal, unless the tables hold something that the journal lacks.
    pub(super) fn make_again(&mut self) -> Result<(), IdsError> {
        let (held, all) = self.held();
        all?;
        let (path, patience) = (self.path.clone(), self.patience);
        let anchors = anchors_in(self.journal()?)?;
        let nonces: BTreeSet<&str> = anchors.iter().map(|anchor| anchor.nonce.as_str()).collect();
        if held.iter().any(|anchor| !nonces.contains(anchor.nonce.as_str())) {
            return Err(self.unproven("lacks something that the log holds"));
        }
        // Closed before it is moved: otherwise, at its end, it would take the new one's files for its own.
        let keep = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        self.connection.set_db_config(keep, true).map_err(database("close", &path))?;
        self.connection = Connection::open_in_memory().map_err(database("close", &path))?;
        make_again(&path, patience, self.journal()?, &anchors)?;
        self.connection = connect(&path)?;
        self.journal = None;
        self.prepare()
    }
}

/// Makes a database of the anchors of its whole journal, which is locked, in place of the one that is there.
/// That one is kept under the name that is given; programs which have it open still see each other's
/// reservations, in the journal.
fn make_again(
    path: &Path,
    patience: Duration,
    journal: &mut AppendFile,
    anchors: &[Anchor],
) -> Result<Option<PathBuf>, IdsError> {
    let new = path.with_file_name("ids.sqlite3.new");
    for leftover in [new.clone(), path.with_file_name("ids.sqlite3.new-journal")] {
        remove_shared(&leftover)?;
    }
    let bytes = journal.read_from(0)?;
    let log = SqliteLog {
        connection: connect(&new)?,
        path: new.clone(),
        journal: None,
        checked: false,
        witness: None,
        patience,
        network: None,
    };
    let fill = |connection: &Connection, text: &str| connection.execute_batch(text).map_err(database("write", &new));
    fill(&log.connection, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE")?;
    log.migrate()?;
    for anchor in anchors {
        log.insert(anchor, "OR IGNORE")?;
    }
    // The last line stands for all of them.
    let body = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let start = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    log.note(start as u64, bytes.get(start..).unwrap_or_default())?;
    fill(&log.connection, "COMMIT")?;
    log.connection.close().map_err(|(_, error)| database("write", &new)(error))?;
    let kept = set_aside(path, &["-wal", "-shm", "-journal", ""])?;
    replace_shared(&new, path)?;
    make_durable(path)?;
    Ok(kept)
}
