//! The local log: a database that all worktrees of a clone share, and a journal beside it.
//!
//! # Invariant
//! The journal is flushed before the database commits, so it is never older than the database. A
//! database that is missing, empty or an old copy is brought up to date from the journal, and a journal
//! that is missing or shorter is written again from the database, both under the database's write lock.
//!
//! Source: sqlite.org/wal.html (no shared memory on network file systems), sqlite.org/pragma.html.

use super::IdsError;
use super::contract::{Anchor, AnchorLog, Decide, Decision, Kind, Outcome, Standing};
use crate::config::pattern::Scope;
use crate::store::{AppendFile, lock_holders, make_folder, network_file_system, replace_whole};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};
use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// The newest format that this version reads and writes.
const VERSION: i64 = 1;

/// What a database of format 0 lacks.
const TABLES: &str = "
CREATE TABLE anchors(
  seq INTEGER PRIMARY KEY,
  namespace TEXT NOT NULL,
  event TEXT,
  nonce TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL);
CREATE INDEX anchors_of_namespace ON anchors(namespace, seq);
CREATE INDEX anchors_of_event ON anchors(namespace, event) WHERE event IS NOT NULL;
CREATE TABLE ids(
  id TEXT NOT NULL UNIQUE,
  namespace TEXT NOT NULL,
  scope TEXT NOT NULL,
  number INTEGER NOT NULL,
  anchor INTEGER NOT NULL REFERENCES anchors(seq),
  UNIQUE(namespace, scope, number));
CREATE TABLE tops(
  namespace TEXT NOT NULL,
  scope TEXT NOT NULL,
  top INTEGER NOT NULL,
  PRIMARY KEY(namespace, scope)) WITHOUT ROWID;
CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('journal', '0');
PRAGMA user_version = 1;
";

/// The fact that says how long the journal was at the last commit.
const JOURNAL: &str = "journal";

/// Whether a log that is nowhere may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// It may.
    Allowed,
    /// It may not: without any copy, numbers would be given again.
    Refused,
}

/// The log of one clone.
#[derive(Debug)]
pub struct SqliteLog {
    path: PathBuf,
    connection: Connection,
    /// The journal, locked, while the log is locked.
    journal: Option<AppendFile>,
    patience: Duration,
    /// Why no shared memory is used, where it is not.
    network: Option<&'static str>,
}

impl SqliteLog {
    /// Opens the log in a folder, and waits at most `patience` for each step.
    ///
    /// # Errors
    /// [`IdsError::NoLog`] if there is none and it may not be started, [`IdsError::Busy`], and what the
    /// system or the database refuses.
    pub fn open(folder: &Path, patience: Duration, start: Start) -> Result<Self, IdsError> {
        let path = folder.join("ids.sqlite3");
        let journal = folder.join("ids.journal");
        let holds = |path: &Path| path.metadata().is_ok_and(|found| found.len() > 0);
        if start == Start::Refused && !holds(&path) && !holds(&journal) {
            return Err(IdsError::NoLog(path));
        }
        make_folder(folder)?;
        let network = network_file_system(folder);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(database("open", &path))?;
        let log = Self { path, connection, journal: None, patience, network };
        let (mode, synchronous) = if network.is_some() { ("delete", "EXTRA") } else { ("wal", "FULL") };
        log.patiently("open", |connection| {
            connection.busy_timeout(Duration::ZERO)?;
            connection.pragma_update(None, "synchronous", synchronous)?;
            let now: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            if now != mode {
                connection.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(()))?;
            }
            Ok(())
        })?;
        Ok(log)
    }

    /// The kind of network file system the log lies on, where it does.
    #[must_use]
    pub fn network(&self) -> Option<&'static str> {
        self.network
    }

    /// A fact that was remembered.
    ///
    /// # Errors
    /// The database refuses.
    pub fn fact(&mut self, name: &str) -> Result<Option<String>, IdsError> {
        self.catch_up()?;
        self.patiently("read", |connection| {
            connection.query_row("SELECT value FROM facts WHERE name = ?1", [name], |row| row.get(0)).optional()
        })
    }

    /// Remembers a fact; one that is lost costs time, nothing else.
    ///
    /// # Errors
    /// The database refuses.
    pub fn remember(&mut self, name: &str, value: &str) -> Result<(), IdsError> {
        self.within(|log| {
            let text = "INSERT INTO facts VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value";
            log.connection.execute(text, [name, value]).map_err(database("write", &log.path))?;
            Ok(())
        })
    }

    /// Keeps a copy of what the shared log decided. Whoever took one of its numbers here meanwhile, without
    /// the shared log, keeps the row until that claim is settled.
    ///
    /// # Errors
    /// The system or the database refuses.
    pub fn keep_copy(&mut self, anchors: &[Anchor]) -> Result<(), IdsError> {
        self.within(|log| {
            let mut lines = String::new();
            for anchor in anchors {
                if log.insert(anchor, "OR IGNORE")? {
                    lines.push_str(&anchor.line());
                    lines.push('\n');
                }
            }
            if lines.is_empty() {
                return Ok(());
            }
            let length = log.journal()?.append_durably(lines.as_bytes())?;
            log.note_length(length)
        })
    }

    /// Tries again while somebody else is at it, with pauses that differ from process to process.
    fn patiently<T>(
        &self,
        action: &'static str,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, IdsError> {
        let started = Instant::now();
        let mut pause = Duration::from_micros(500);
        loop {
            match work(&self.connection) {
                Err(error) if is_busy(&error) => {}
                done => return done.map_err(database(action, &self.path)),
            }
            let waited = started.elapsed();
            if waited >= self.patience {
                return Err(IdsError::Busy { holder: self.holder(), path: self.path.clone(), waited });
            }
            // The pause differs from process to process without asking for random numbers.
            let jitter = Duration::from_micros(u64::from(std::process::id() % 61) * 50);
            thread::sleep((pause + jitter).min(self.patience.saturating_sub(waited)));
            pause = (pause * 2).min(Duration::from_millis(8));
        }
    }

    fn holder(&self) -> String {
        let shared = self.path.with_extension("sqlite3-shm");
        let holders = lock_holders(&[&self.path, &shared, &self.journal_path()]);
        if holders.is_empty() {
            "another process is writing".to_owned()
        } else {
            format!("{} is at it", holders.join(", "))
        }
    }

    /// Runs `work` while nobody else can write, on tables that are up to date; commits what it did.
    fn within<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, IdsError>) -> Result<T, IdsError> {
        // Without shared memory readers must be kept out as well, or the commit would wait for them.
        let begin = if self.network.is_some() { "BEGIN EXCLUSIVE" } else { "BEGIN IMMEDIATE" };
        self.patiently("lock", |connection| connection.execute_batch(begin))?;
        let done =
            self.lock_journal().and_then(|()| self.migrate()).and_then(|()| self.roll()).and_then(|()| work(self));
        let commit = |connection: &Connection| connection.execute_batch("COMMIT");
        let done = done.and_then(|done| self.patiently("commit to", commit).map(|()| done));
        if done.is_err() {
            let _nothing_is_owned = self.connection.execute_batch("ROLLBACK");
        }
        self.journal = None;
        done
    }

    /// Locks the journal as well: whoever still writes to a database that was deleted meanwhile, or that
    /// an old copy replaced, is kept out by it.
    fn lock_journal(&mut self) -> Result<(), IdsError> {
        let (path, started) = (self.journal_path(), Instant::now());
        loop {
            if let Some(journal) = AppendFile::open_locked(&path)? {
                self.journal = Some(journal);
                return Ok(());
            }
            let waited = started.elapsed();
            if waited >= self.patience {
                return Err(IdsError::Busy { holder: self.holder(), path, waited });
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn journal(&mut self) -> Result<&mut AppendFile, IdsError> {
        self.journal.as_mut().ok_or_else(|| IdsError::NoLog(self.path.clone()))
    }

    fn migrate(&self) -> Result<(), IdsError> {
        let version = self.query("PRAGMA user_version")?;
        match version {
            VERSION => Ok(()),
            0 => self.connection.execute_batch(TABLES).map_err(database("set up", &self.path)),
            found => Err(IdsError::TooNew { path: self.path.clone(), found, known: VERSION }),
        }
    }

    fn query(&self, text: &str) -> Result<i64, IdsError> {
        self.connection.query_row(text, [], |row| row.get(0)).map_err(database("read", &self.path))
    }

    /// How long the journal was when the database last committed.
    fn known_length(&self) -> rusqlite::Result<u64> {
        let text: String =
            self.connection.query_row("SELECT value FROM facts WHERE name = ?1", [JOURNAL], |row| row.get(0))?;
        Ok(text.parse().unwrap_or_default())
    }

    /// Makes database and journal hold the same.
    fn roll(&mut self) -> Result<(), IdsError> {
        let known = self.known_length().map_err(database("read", &self.path))?;
        let length = self.journal()?.length()?;
        match length.cmp(&known) {
            Ordering::Greater => self.roll_forward(known),
            Ordering::Less => self.write_journal_again(),
            Ordering::Equal => Ok(()),
        }
    }

    /// Adds what the journal has beyond the database: it was flushed, and perhaps acknowledged.
    fn roll_forward(&mut self, known: u64) -> Result<(), IdsError> {
        let mut bytes = self.journal()?.read_from(known)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if whole < bytes.len() {
            // A line without its end was never flushed, so never acknowledged.
            self.journal()?.cut(known + whole as u64)?;
            bytes.truncate(whole);
        }
        let place = self.journal_path().display().to_string();
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())) {
            let damaged = |fault: String| IdsError::Damaged { place: place.clone(), line: number, fault };
            let text = std::str::from_utf8(line).map_err(|error| damaged(error.to_string()))?;
            let anchor = Anchor::read(text).map_err(damaged)?;
            self.insert(&anchor, "OR IGNORE")?;
        }
        self.note_length(known + whole as u64)
    }

    fn write_journal_again(&mut self) -> Result<(), IdsError> {
        let mut text = String::new();
        for body in self.bodies("SELECT body FROM anchors ORDER BY seq", &[])? {
            text.push_str(&body);
            text.push('\n');
        }
        let path = self.journal_path();
        replace_whole(&path, text.as_bytes())?;
        self.lock_journal()?;
        self.note_length(text.len() as u64)
    }

    fn journal_path(&self) -> PathBuf {
        self.path.with_file_name("ids.journal")
    }

    fn note_length(&self, length: u64) -> Result<(), IdsError> {
        let text = "UPDATE facts SET value = ?2 WHERE name = ?1";
        self.connection.execute(text, params![JOURNAL, length.to_string()]).map_err(database("write", &self.path))?;
        Ok(())
    }

    /// Adds an anchor's rows. A number or an id that another anchor has is an error, but when rows are
    /// made again from the journal. Whether it was new.
    fn insert(&self, anchor: &Anchor, or: &str) -> Result<bool, IdsError> {
        let insert = || -> rusqlite::Result<bool> {
            let takes = matches!(anchor.kind, Kind::Reserve | Kind::Amend);
            let event = anchor.event.as_deref().filter(|_| takes);
            let added = self.connection.execute(
                &format!("INSERT {or} INTO anchors(namespace, event, nonce, body) VALUES (?1, ?2, ?3, ?4)"),
                params![anchor.namespace, event, anchor.nonce, anchor.line()],
            )?;
            if added == 0 {
                return Ok(false);
            }
            let seq = self.connection.last_insert_rowid();
            let scope = anchor.scope.as_str();
            if takes {
                let text = format!("INSERT {or} INTO ids VALUES (?1, ?2, ?3, ?4, ?5)");
                let mut statement = self.connection.prepare(&text)?;
                for (number, id) in anchor.numbers.iter().zip(&anchor.ids) {
                    statement.execute(params![
                        id,
                        anchor.namespace,
                        scope,
                        i64::try_from(*number).unwrap_or(i64::MAX),
                        seq
                    ])?;
                }
            }
            if let Some(top) = anchor.numbers.iter().max() {
                self.connection.execute(
                    "INSERT INTO tops VALUES (?1, ?2, ?3)
                     ON CONFLICT(namespace, scope) DO UPDATE SET top = max(top, excluded.top)",
                    params![anchor.namespace, scope, i64::try_from(*top).unwrap_or(i64::MAX)],
                )?;
            }
            Ok(true)
        };
        insert().map_err(database("write", &self.path))
    }

    fn bodies(&self, text: &str, values: &[&str]) -> Result<Vec<String>, IdsError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare(text)?;
            let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(0))?;
            rows.collect()
        };
        read().map_err(database("read", &self.path))
    }

    fn anchors_of(&self, namespace: &str) -> Result<Vec<Anchor>, IdsError> {
        let bodies = self.bodies("SELECT body FROM anchors WHERE namespace = ?1 ORDER BY seq", &[namespace])?;
        (1..).zip(bodies).map(|(line, body)| self.anchor(line, &body)).collect()
    }

    fn anchor(&self, line: usize, body: &str) -> Result<Anchor, IdsError> {
        let damaged = |fault| IdsError::Damaged { place: self.path.display().to_string(), line, fault };
        Anchor::read(body).map_err(damaged)
    }

    /// Brings the database up to date before it is read, if the journal's length says that it is not.
    fn catch_up(&mut self) -> Result<(), IdsError> {
        let up_to_date = self.patiently("read", |_| match self.known_length() {
            Err(error) if is_busy(&error) => Err(error),
            // Without the table it has to be set up.
            known => Ok(known.ok()),
        })?;
        let length = self.journal_path().metadata().map_or(0, |found| found.len());
        if up_to_date == Some(length) { Ok(()) } else { self.within(|_| Ok(())) }
    }
}

impl AnchorLog for SqliteLog {
    fn identity(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&mut self, namespace: &str) -> Result<Vec<Anchor>, IdsError> {
        self.catch_up()?;
        self.anchors_of(namespace)
    }

    fn append(&mut self, namespace: &str, decide: &mut Decide<'_>) -> Result<Outcome, IdsError> {
        self.within(|log| {
            let anchors = match decide(&Inside { log, namespace })? {
                Decision::Already(anchor) => return Ok(Outcome::Already(anchor)),
                Decision::Append(anchors) => anchors,
            };
            if anchors.is_empty() {
                return Ok(Outcome::Appended(anchors));
            }
            let mut lines = String::new();
            for anchor in &anchors {
                log.insert(anchor, "")?;
                lines.push_str(&anchor.line());
                lines.push('\n');
            }
            let length = log.journal()?.append_durably(lines.as_bytes())?;
            log.note_length(length)?;
            Ok(Outcome::Appended(anchors))
        })
    }
}

/// A namespace of the log while it is locked.
struct Inside<'a> {
    log: &'a SqliteLog,
    namespace: &'a str,
}

impl Standing for Inside<'_> {
    fn top(&self, scope: &Scope) -> Result<u64, IdsError> {
        let text = "SELECT top FROM tops WHERE namespace = ?1 AND scope = ?2";
        let top: Option<i64> = self
            .log
            .connection
            .query_row(text, [self.namespace, scope.as_str()], |row| row.get(0))
            .optional()
            .map_err(database("read", &self.log.path))?;
        Ok(top.and_then(|top| u64::try_from(top).ok()).unwrap_or_default())
    }

    fn by_event(&self, key: &str) -> Result<Option<Anchor>, IdsError> {
        let text = "SELECT body FROM anchors WHERE namespace = ?1 AND event = ?2 ORDER BY seq LIMIT 1";
        self.log.bodies(text, &[self.namespace, key])?.first().map(|body| self.log.anchor(1, body)).transpose()
    }

    fn anchors(&self) -> Result<Vec<Anchor>, IdsError> {
        self.log.anchors_of(self.namespace)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn database(action: &'static str, path: &Path) -> impl FnOnce(rusqlite::Error) -> IdsError {
    let path = path.to_owned();
    move |source| {
        let remedy = match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                "move the file away (with its `-wal` and `-shm`): it is rebuilt from `ids.journal`"
            }
            Some(ErrorCode::DiskFull) => "make room and try again",
            Some(ErrorCode::FileLockingProtocolFailed | ErrorCode::SystemIoFailure) => {
                "check the disk, its free space, and that its file system can lock files"
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                "check that the folder may be written"
            }
            _ => "try again",
        };
        IdsError::Database { action, path, remedy, source: Box::new(source) }
    }
}
