//! The local log: a database that all worktrees of a clone share, and a journal beside it.
//!
//! # Invariant
//! The journal is the log; the tables are an index of it. A line of the journal is flushed before the
//! tables that know it are committed, so every id that was ever acknowledged stands in the journal.
//!
//! A [`mark::Mark`], written by every commit, says of which beginning of the journal the tables are the index,
//! and proves both: by a digest of the journal's last lines there, and by one of the highest numbers and how many
//! rows each table and index has. It is compared with both under the lock, before anything is decided:
//!
//! - tables that are not what their mark says (pages of an old copy under newer ones) are made again from
//!   the whole journal, in a new file; the old one is kept beside it;
//! - tables that are behind the journal (missing, empty, a whole old copy) get the rest of its lines;
//! - a journal that lacks what the witness, a note outside the folder, has seen of it proves nothing either: the
//!   whole folder is an old copy, or another clone's;
//! - a journal that is not the one which the mark has seen proves nothing: no number is taken until
//!   [`SqliteLog::restore`] has joined what both know.
//!
//! Source: sqlite.org/wal.html (no shared memory on network file systems), sqlite.org/pragma.html.

mod journal;
mod mark;
mod mend;
#[cfg(test)]
mod tests;
mod witness;

use super::IdsError;
use super::contract::{Anchor, AnchorLog, Decide, Decision, Kind, Outcome, Standing};
use super::fold::Book;
use super::sources::Scoped;
use super::unread;
use crate::bounds::deadline;
use crate::config::Namespace;
use crate::config::pattern::{MAX_NUMBER, Scope};
use crate::store::{AppendFile, make_folder, network_file_system};
use crate::trust::number::{Floor, JUMP};
use journal::{cut_torn_line, digest, holder, journal_beside, lines_of, locked_journal, read_lines};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, params};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use witness::{holds, place_of};

/// The newest format that this version reads and writes.
const VERSION: i64 = 2;

/// The database's name in its folder.
const DATABASE: &str = "ids.sqlite3";

/// The fact that tells that some entry could not be read.
const UNREAD: &str = "unread";

/// All files of the log, and the locks beside it.
const FILES: [&str; 8] = [
    DATABASE,
    "ids.sqlite3-wal",
    "ids.sqlite3-shm",
    "ids.sqlite3-journal",
    "ids.sqlite3.new",
    "ids.journal",
    "ids.fetch.lock",
    "ids.inbox.lock",
];

/// How often the tables are made again before somebody is told.
const ATTEMPTS: u32 = 3;

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
PRAGMA user_version = 2;
";

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
    /// Whether this process has compared the tables with their mark; done again under every lock.
    checked: bool,
    /// What the witness is to say once it is committed.
    witness: Option<String>,
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
        let path = folder.join(DATABASE);
        let journal = folder.join("ids.journal");
        if let Some(strange) = strange_file(folder) {
            return Err(IdsError::NoFile(strange));
        }
        let holds = |path: &Path| path.metadata().is_ok_and(|found| found.len() > 0);
        if start == Start::Refused && !holds(&path) && !holds(&journal) {
            return Err(IdsError::NoLog(path));
        }
        make_folder(folder)?;
        let network = network_file_system(folder);
        let log =
            Self { connection: connect(&path)?, path, journal: None, checked: false, witness: None, patience, network };
        log.prepare()?;
        Ok(log)
    }

    /// Sets a new connection up.
    fn prepare(&self) -> Result<(), IdsError> {
        let (mode, synchronous) = if self.network.is_some() { ("delete", "EXTRA") } else { ("wal", "FULL") };
        self.patiently("open", |connection| {
            connection.busy_timeout(Duration::ZERO)?;
            connection.pragma_update(None, "synchronous", synchronous)?;
            let now: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            if now != mode {
                connection.pragma_update_and_check(None, "journal_mode", mode, |_| Ok(()))?;
            }
            Ok(())
        })
    }

    /// What speaks against taking numbers by this log, looked at without a lock where that is enough.
    ///
    /// # Errors
    /// [`IdsError::Busy`], and what the system or the database refuses.
    pub fn doubt(&mut self) -> Result<Option<IdsError>, IdsError> {
        if self.is_up_to_date()? {
            return Ok(None);
        }
        match self.within(|_| Ok(())) {
            Ok(()) => Ok(None),
            Err(error @ IdsError::Unproven { .. }) => Ok(Some(error)),
            Err(error) => Err(error),
        }
    }

    /// Whether anything is known of a namespace.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn knows(&mut self, namespace: &str) -> Result<bool, IdsError> {
        self.patiently("read", |connection| {
            let text = "SELECT EXISTS(SELECT 1 FROM anchors WHERE namespace = ?1)";
            connection.query_row(text, [namespace], |row| row.get(0))
        })
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
        self.doubt()?;
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
            let mut new = Vec::new();
            for anchor in anchors {
                if log.insert(anchor, "OR IGNORE")? {
                    new.push(anchor.clone());
                }
            }
            log.publish(&new)
        })
    }

    /// Tries again while somebody else is at it, with pauses that differ from process to process.
    fn patiently<T>(
        &self,
        action: &'static str,
        work: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, IdsError> {
        let (started, patience) = (Instant::now(), deadline::within(self.patience));
        let mut pause = Duration::from_micros(500);
        loop {
            match work(&self.connection) {
                Err(error) if is_busy(&error) => {}
                done => return done.map_err(database(action, &self.path)),
            }
            let waited = started.elapsed();
            if waited >= patience {
                return Err(IdsError::Busy { holder: self.holder(), path: self.path.clone(), waited });
            }
            // The pause differs from process to process without asking for random numbers.
            let jitter = Duration::from_micros(u64::from(std::process::id() % 61) * 50);
            thread::sleep((pause + jitter).min(patience.saturating_sub(waited)));
            pause = (pause * 2).min(Duration::from_millis(8));
        }
    }

    fn holder(&self) -> String {
        holder(&self.path)
    }

    /// Runs `work` while nobody else can write, on tables that are up to date; commits what it did.
    fn within<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, IdsError>) -> Result<T, IdsError> {
        let done = self.begin().and_then(|()| work(self));
        let commit = |connection: &Connection| connection.execute_batch("COMMIT");
        let done = done.and_then(|done| self.patiently("commit to", commit).map(|()| done));
        let witness = self.witness.take();
        if done.is_ok() {
            if let Some(text) = witness {
                self.testify(&text);
            }
        } else {
            let _nothing_is_owned = self.connection.execute_batch("ROLLBACK");
        }
        self.journal = None;
        done
    }

    /// Keeps everybody else out, and makes the tables the index of the whole journal.
    fn begin(&mut self) -> Result<(), IdsError> {
        // Without shared memory readers must be kept out as well, or the commit would wait for them.
        let begin = if self.network.is_some() { "BEGIN EXCLUSIVE" } else { "BEGIN IMMEDIATE" };
        for _ in 0..ATTEMPTS {
            self.patiently("lock", |connection| connection.execute_batch(begin))?;
            // The journal is locked as well: whoever still writes to a database that was deleted meanwhile, or
            // that another one replaced, is kept out by it.
            self.journal = Some(locked_journal(&self.path, self.patience)?);
            if self.migrate()? && self.roll_forward()? {
                return Ok(());
            }
            self.make_again()?;
        }
        let corrupt = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        Err(database("lock", &self.path)(rusqlite::Error::SqliteFailure(corrupt, None)))
    }

    fn journal(&mut self) -> Result<&mut AppendFile, IdsError> {
        self.journal.as_mut().ok_or_else(|| IdsError::NoLog(self.path.clone()))
    }

    /// Makes the tables where there are none; whether they are of this version's format now.
    fn migrate(&self) -> Result<bool, IdsError> {
        match self.query("PRAGMA user_version")? {
            VERSION => Ok(true),
            0 => {
                self.connection.execute_batch(TABLES).map_err(database("set up", &self.path))?;
                self.note(0, b"").map(|()| true)
            }
            // Format 1 had no mark: the journal tells.
            1 => Ok(false),
            found => Err(IdsError::TooNew { path: self.path.clone(), found, known: VERSION }),
        }
    }

    fn query(&self, text: &str) -> Result<i64, IdsError> {
        self.connection.query_row(text, [], |row| row.get(0)).map_err(database("read", &self.path))
    }

    /// Writes anchors that the tables have got into the journal.
    fn publish(&mut self, anchors: &[Anchor]) -> Result<(), IdsError> {
        if anchors.is_empty() {
            return Ok(());
        }
        let (lines, start) = (lines_of(anchors), self.journal()?.length()?);
        self.journal()?.append_durably(lines.as_bytes())?;
        self.witness = Some(place_of(start, lines.as_bytes()));
        self.note(start, lines.as_bytes())
    }

    /// Adds what the journal has beyond the tables: it was flushed, and perhaps acknowledged. `false` if the
    /// tables are not what they say they are.
    fn roll_forward(&mut self) -> Result<bool, IdsError> {
        let read = |error| database("read", &self.path)(error);
        let Some(mark) = self.mark().map_err(read)? else { return Ok(false) };
        let are_what = self.are_what(&mark).map_err(read)?;
        if self.journal()?.length()? < mark.length {
            return Err(self.unproven("is missing, or shorter than the log remembers it"));
        }
        let bytes = self.journal()?.read_from(mark.start)?;
        let seen = usize::try_from(mark.length - mark.start).unwrap_or(usize::MAX);
        let (seen, beyond) = bytes.split_at_checked(seen).unwrap_or_default();
        if digest(seen) != mark.lines {
            return Err(self.unproven("is not the one that the log remembers"));
        }
        let testimony = self.testimony();
        let journal = self.journal()?;
        if journal.length()? > 0 && !testimony.map_or(Ok(true), |text| holds(journal, &text))? {
            return Err(self.unproven("is older than what was reserved here, or of another clone"));
        }
        if !are_what {
            return Ok(false);
        }
        let whole = cut_torn_line(self.journal()?, mark.length, beyond)?;
        for anchor in read_lines(whole) {
            self.insert(&anchor, "OR IGNORE")?;
        }
        if !whole.is_empty() {
            self.note(mark.length, whole)?;
        }
        Ok(true)
    }

    fn unproven(&self, fault: &'static str) -> IdsError {
        IdsError::Unproven { path: self.path.clone(), journal: self.journal_path(), fault }
    }

    fn journal_path(&self) -> PathBuf {
        journal_beside(&self.path)
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
            if anchor.kind == Kind::Unread {
                self.connection.execute("INSERT OR IGNORE INTO facts VALUES (?1, '')", [UNREAD])?;
            }
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
        let is_taken = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
        match insert() {
            Err(error) if is_taken(&error) => {
                Err(self.taken(anchor)?.unwrap_or_else(|| database("write", &self.path)(error)))
            }
            done => done.map_err(database("write", &self.path)),
        }
    }

    /// The first id of an anchor that another namespace has.
    fn taken(&self, anchor: &Anchor) -> Result<Option<IdsError>, IdsError> {
        let text = "SELECT namespace FROM ids WHERE id = ?1 AND namespace <> ?2";
        for id in &anchor.ids {
            let other: Option<String> = self
                .connection
                .query_row(text, [id, &anchor.namespace], |row| row.get(0))
                .optional()
                .map_err(database("read", &self.path))?;
            if let Some(other) = other {
                return Ok(Some(IdsError::Taken { namespace: anchor.namespace.clone(), id: id.clone(), other }));
            }
        }
        Ok(None)
    }

    /// The numbers of other namespaces that have ids of this one's form, as after a change of names, and where they
    /// stand.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn others(&mut self, namespace: &Namespace) -> Result<Scoped, IdsError> {
        self.doubt()?;
        let from = namespace.format.beginning();
        let text = "SELECT ids.id, ids.scope, tops.top FROM ids JOIN tops USING (namespace, scope)
            WHERE ids.id >= ?2 AND ids.id < ?3 AND ids.namespace <> ?1";
        let read = |connection: &Connection| -> rusqlite::Result<Scoped> {
            let mut statement = connection.prepare(text)?;
            let mut rows = statement.query([&namespace.name, from, &format!("{from}\u{10ffff}")])?;
            let mut found = Scoped::new();
            while let Some(row) = rows.next()? {
                let (id, scope, top): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let Some(says) = namespace.format.read(&id) else { continue };
                // A floor that leaves no number is the other one's.
                let top = u64::try_from(top).ok().filter(|top| says.scope.as_str() == scope && *top < MAX_NUMBER);
                found.extend(top.map(|top| (says.scope.clone(), top)));
                found.insert((says.scope, says.number));
            }
            Ok(found)
        };
        self.patiently("read", read)
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
        Ok(bodies.iter().map(|body| read_body(body)).collect())
    }

    /// Says that the journal has lines that cannot be read, if so.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn unread(&mut self) -> Result<Option<String>, IdsError> {
        if self.fact(UNREAD)?.is_none() {
            return Ok(None);
        }
        let bodies = self.bodies("SELECT body FROM anchors WHERE body LIKE '%\"kind\":\"unread\"%' LIMIT 1000", &[])?;
        let book = Book::fold(bodies.iter().map(|body| read_body(body)));
        let place = format!("`{}`", self.journal_path().display());
        let remedy =
            "run `headwater id init`, which keeps that file under another name and writes it again without them";
        Ok(unread::describe(&book, &place, remedy))
    }

    /// Whether the tables are what their mark says, and the journal ends with what it says.
    fn is_up_to_date(&mut self) -> Result<bool, IdsError> {
        let checked = self.checked;
        let mark = self.patiently("read", |_| {
            let found = self.mark().and_then(|mark| match mark {
                Some(mark) if checked || self.are_what(&mark)? => Ok(Some(mark)),
                _ => Ok(None),
            });
            match found {
                Err(error) if is_busy(&error) || is_damage(&error) => Err(error),
                // Without the tables they have to be set up.
                found => Ok(found.unwrap_or_default()),
            }
        })?;
        let path = self.journal_path();
        let length = path.metadata().map_or(0, |found| found.len());
        let Some(mark) = mark.filter(|mark| mark.length == length) else { return Ok(false) };
        if length > 0
            && let Some(text) = self.testimony().filter(|text| *text != mark.place())
            && !holds(&mut AppendFile::open(&path)?, &text)?
        {
            return Ok(false);
        }
        self.checked = length == 0 || digest(&AppendFile::open(&path)?.read_from(mark.start)?) == mark.lines;
        Ok(self.checked)
    }
}

impl AnchorLog for SqliteLog {
    fn identity(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&mut self, namespace: &str) -> Result<Vec<Anchor>, IdsError> {
        match (self.doubt()?, self.anchors_of(namespace)) {
            // Without tables there is nothing to be shown.
            (Some(doubt), Err(IdsError::Database { .. })) => Err(doubt),
            (_, read) => read,
        }
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
            for anchor in &anchors {
                log.insert(anchor, "")?;
            }
            log.publish(&anchors)?;
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
    fn floor(&self, scope: &Scope) -> Result<Floor, IdsError> {
        let text = "SELECT top FROM tops WHERE namespace = ?1 AND scope = ?2";
        let top: Option<i64> = self
            .log
            .connection
            .query_row(text, [self.namespace, scope.as_str()], |row| row.get(0))
            .optional()
            .map_err(database("read", &self.log.path))?;
        let Some(top) = top.and_then(|top| u64::try_from(top).ok()) else { return Ok(Floor::default()) };
        if top > JUMP {
            return Ok(Book::fold(self.anchors()?).floor(scope));
        }
        // No number of the scope can be a jump.
        let mut floor = Floor::default();
        floor.enter(&[top], None);
        Ok(floor)
    }

    fn by_event(&self, key: &str) -> Result<Option<Anchor>, IdsError> {
        let text = "SELECT body FROM anchors WHERE namespace = ?1 AND event = ?2 ORDER BY seq LIMIT 1";
        Ok(self.log.bodies(text, &[self.namespace, key])?.first().map(|body| read_body(body)))
    }

    fn anchors(&self) -> Result<Vec<Anchor>, IdsError> {
        self.log.anchors_of(self.namespace)
    }
}

/// An anchor of the tables.
fn read_body(body: &str) -> Anchor {
    Anchor::read(body).unwrap_or_else(|fault| unread::salvage(body, "", None, &fault))
}

/// What stands in the place of a file of the log and is no regular file: to open it may wait for ever, or lead away.
fn strange_file(folder: &Path) -> Option<PathBuf> {
    let strange = |path: &PathBuf| path.symlink_metadata().is_ok_and(|found| !found.is_file());
    FILES.iter().map(|name| folder.join(name)).find(strange)
}

fn connect(path: &Path) -> Result<Connection, IdsError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(database("open", path))
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn database(action: &'static str, path: &Path) -> impl FnOnce(rusqlite::Error) -> IdsError {
    let path = path.to_owned();
    move |source| {
        let remedy = match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                "run `headwater id init`: it keeps that file under another name and makes the log again from `ids.journal`"
            }
            Some(ErrorCode::DiskFull) => "make room and try again",
            Some(ErrorCode::FileLockingProtocolFailed | ErrorCode::SystemIoFailure) => {
                "check the disk, its free space, and that its file system can lock files"
            }
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                "check that the folder may be written"
            }
            Some(ErrorCode::ConstraintViolation) => "run `headwater id check`, which names what was reserved twice",
            _ => "run `headwater doctor`, which examines it",
        };
        IdsError::Database { action, path, remedy, source: Box::new(source) }
    }
}
