//! What proves that the tables are the index of a beginning of the journal, and that the journal is the one they know.

use super::super::IdsError;
use super::journal::digest;
use super::{SqliteLog, database};
use rusqlite::OptionalExtension as _;
use std::fmt::Write as _;

/// The fact that holds the [`Mark`].
const MARK: &str = "journal";

/// Which beginning of the journal the tables are the index of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// Where the last lines begin that were put into the tables.
    pub(super) start: u64,
    /// Where they end.
    pub(super) length: u64,
    /// The digest of those lines.
    pub(super) lines: String,
    /// What the tables held then.
    tables: Tables,
}

/// What is in the tables, as far as it can be told without reading them: their rows never change and never go
/// away, so a page of an older copy shows in a number that is lower.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tables {
    anchors: i64,
    events: i64,
    ids: i64,
    /// The digest of the highest number of every scope.
    tops: String,
}

impl Mark {
    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut word = || words.next();
        let (start, length) = (word()?.parse().ok()?, word()?.parse().ok()?);
        let lines = word()?.to_owned();
        let (anchors, events, ids) = (word()?.parse().ok()?, word()?.parse().ok()?, word()?.parse().ok()?);
        let tables = Tables { anchors, events, ids, tops: word()?.to_owned() };
        Some(Self { start, length, lines, tables }).filter(|_| start <= length)
    }

    /// Which lines of the journal it has seen last.
    pub(super) fn place(&self) -> String {
        format!("{} {} {}", self.start, self.length, self.lines)
    }

    fn text(&self) -> String {
        let Self { start, length, lines, tables: Tables { anchors, events, ids, tops } } = self;
        format!("{start} {length} {lines} {anchors} {events} {ids} {tops}")
    }
}

impl SqliteLog {
    pub(super) fn mark(&self) -> rusqlite::Result<Option<Mark>> {
        let text = "SELECT value FROM facts WHERE name = ?1";
        let text: Option<String> = self.connection.query_row(text, [MARK], |row| row.get(0)).optional()?;
        Ok(text.as_deref().and_then(Mark::read))
    }

    /// What the tables hold.
    fn tables(&self) -> rusqlite::Result<Tables> {
        let count = "SELECT (SELECT count(*) FROM anchors), (SELECT count(*) FROM anchors WHERE event IS NOT NULL),
            (SELECT count(*) FROM ids)";
        let (anchors, events, ids) =
            self.connection.query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut text = String::new();
        let mut tops = self.connection.prepare("SELECT namespace, scope, top FROM tops ORDER BY namespace, scope")?;
        let mut rows = tops.query([])?;
        while let Some(row) = rows.next()? {
            let (namespace, scope, top): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let _infallible = writeln!(text, "{namespace} {scope} {top}");
        }
        Ok(Tables { anchors, events, ids, tops: digest(text.as_bytes()) })
    }

    /// Whether the tables hold what a mark says, and each of their indexes as well.
    pub(super) fn are_what(&self, mark: &Mark) -> rusqlite::Result<bool> {
        let Tables { anchors, ids, .. } = mark.tables;
        let counts = [
            ("anchors NOT INDEXED", anchors),
            ("anchors INDEXED BY anchors_of_namespace", anchors),
            ("anchors INDEXED BY sqlite_autoindex_anchors_1", anchors),
            ("ids NOT INDEXED", ids),
            ("ids INDEXED BY sqlite_autoindex_ids_1", ids),
            ("ids INDEXED BY sqlite_autoindex_ids_2", ids),
        ];
        for (of, expected) in counts {
            let text = format!("SELECT count(*) FROM {of}");
            if self.connection.query_row(&text, [], |row| row.get::<_, i64>(0))? != expected {
                return Ok(false);
            }
        }
        Ok(self.tables()? == mark.tables)
    }

    /// Writes the mark: the tables know the journal up to and with these lines.
    pub(super) fn note(&self, start: u64, lines: &[u8]) -> Result<(), IdsError> {
        let note = || -> rusqlite::Result<()> {
            let length = start + lines.len() as u64;
            let mark = Mark { start, length, lines: digest(lines), tables: self.tables()? };
            let text = "INSERT INTO facts VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value";
            self.connection.execute(text, [MARK, &mark.text()])?;
            Ok(())
        };
        note().map_err(database("write", &self.path))
    }
}
