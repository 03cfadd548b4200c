//! The local log keeps the promises of every log, and its own: of lost, old and damaged files.

use super::{SqliteLog, Start};
use crate::config::Namespace;
use crate::config::pattern::Scope;
use crate::ids::IdsError;
use crate::ids::conformance::{asking, conforms, ids, known, namespace, one, take};
use crate::ids::contract::{Anchor, AnchorLog as _, Outcome};
use crate::ids::fold::Book;
use crate::ids::reserve::{self, Wish};
use crate::trust::number::Floor;
use std::path::Path;
use std::time::Duration;

fn open(folder: &Path) -> SqliteLog {
    SqliteLog::open(folder, Duration::from_secs(20), Start::Allowed).unwrap()
}

#[test]
fn sqlite_conforms() {
    let scratch = tempfile::tempdir().unwrap();
    conforms(|| open(scratch.path()));
}

fn next(folder: &Path) -> String {
    let mut log = SqliteLog::open(folder, Duration::from_secs(5), Start::Refused).unwrap();
    ids(&take(&mut log, &namespace("SEC"), &one(), 0).unwrap()).remove(0)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test damages the log's files")]
fn a_lost_emptied_or_old_copy_never_starts_again() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let (database, journal) = (folder.join("ids.sqlite3"), folder.join("ids.journal"));
    let refused = SqliteLog::open(folder, Duration::from_secs(5), Start::Refused);
    assert!(matches!(refused, Err(IdsError::NoLog(_))));
    assert!(!database.exists());
    drop(open(folder));
    assert_eq!((next(folder), next(folder)), ("SEC-1".to_owned(), "SEC-2".to_owned()));
    let (old, old_journal) = (std::fs::read(&database).unwrap(), std::fs::read(&journal).unwrap());
    assert_eq!(next(folder), "SEC-3");
    std::fs::remove_file(&database).unwrap();
    assert_eq!(next(folder), "SEC-4");
    std::fs::write(&database, "").unwrap();
    assert_eq!(next(folder), "SEC-5");
    std::fs::write(&database, &old).unwrap();
    assert_eq!(next(folder), "SEC-6");
    // A torn line at the journal's end was never acknowledged.
    let mut torn = std::fs::read(&journal).unwrap();
    torn.extend(b"{\"namespace\":\"SEC\",\"ki");
    std::fs::write(&journal, &torn).unwrap();
    assert_eq!(next(folder), "SEC-7");
    std::fs::remove_file(&database).unwrap();
    assert_eq!(next(folder), "SEC-8");
    assert_eq!(open(folder).read("SEC").unwrap().len(), 8);
    assert_eq!(std::fs::read(&journal).unwrap().get(..old_journal.len()), Some(old_journal.as_slice()));
}

/// Nothing proves that a database is no old copy but the journal that it has seen.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test damages the log's files")]
fn without_its_journal_no_log_gives_numbers() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let journal = folder.join("ids.journal");
    drop(open(folder));
    assert_eq!((next(folder), next(folder)), ("SEC-1".to_owned(), "SEC-2".to_owned()));
    let old_journal = std::fs::read(&journal).unwrap();
    assert_eq!(next(folder), "SEC-3");
    let whole = std::fs::read(&journal).unwrap();
    let changed = String::from_utf8(whole.clone()).unwrap().replace("toast", "toost").into_bytes();
    for (name, bytes) in
        [("gone", None), ("emptied", Some(Vec::new())), ("old", Some(old_journal)), ("other", Some(changed))]
    {
        match bytes {
            Some(bytes) => std::fs::write(&journal, bytes).unwrap(),
            None => std::fs::remove_file(&journal).unwrap(),
        }
        let refused = take(&mut open(folder), &namespace("SEC"), &one(), 0);
        assert!(matches!(refused, Err(IdsError::Unproven { .. })), "{name}: {refused:?}");
        assert!(matches!(open(folder).doubt(), Ok(Some(IdsError::Unproven { .. }))), "{name}");
        // What it holds can be read.
        assert_eq!(open(folder).read("SEC").unwrap().len(), 3, "{name}");
    }
    // The newest copy of the journal put back is enough.
    std::fs::write(&journal, &whole).unwrap();
    assert_eq!(next(folder), "SEC-4");
    // Otherwise both are joined: what the journal lacks follows, and the old database is kept.
    std::fs::write(&journal, &whole[..whole.len() / 3]).unwrap();
    let (mut log, kept) = SqliteLog::restore(folder, Duration::from_secs(5)).unwrap();
    assert_eq!(ids(&take(&mut log, &namespace("SEC"), &one(), 0).unwrap()), ["SEC-5"]);
    assert!(kept.unwrap().ends_with("ids.sqlite3.aside-1"));
    assert_eq!(std::fs::read_to_string(&journal).unwrap().lines().count(), 5);
    assert_eq!(open(folder).read("SEC").unwrap().len(), 5);
    // Two anchors of one number: the journal's has it.
    let anchor = |nonce: &str| Anchor { nonce: nonce.to_owned(), ..open(folder).read("SEC").unwrap().remove(4) };
    let mut lines = std::fs::read_to_string(&journal).unwrap();
    lines.truncate(lines.trim_end().rfind('\n').unwrap() + 1);
    std::fs::write(&journal, lines + &anchor("theirs").line() + "\n").unwrap();
    assert!(matches!(open(folder).doubt(), Ok(Some(IdsError::Unproven { .. }))));
    let (mut log, _) = SqliteLog::restore(folder, Duration::from_secs(5)).unwrap();
    let book = Book::fold(log.read("SEC").unwrap());
    assert_eq!(book.anchor_of(book.claim("SEC-5").unwrap()).unwrap().nonce, "theirs");
    assert_eq!(book.lost(), [(5, 5)]);
    assert_eq!(next(folder), "SEC-6");
    assert!(SqliteLog::restore(folder, Duration::from_secs(5)).unwrap().1.is_none());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test damages the log's files")]
fn a_damaged_database_is_an_error_until_it_is_made_again() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let database = folder.join("ids.sqlite3");
    drop(open(folder));
    assert_eq!((next(folder), next(folder)), ("SEC-1".to_owned(), "SEC-2".to_owned()));
    let whole = std::fs::read(&database).unwrap();
    let damages: [(&str, Vec<u8>); 3] = [
        ("no database", b"no database at all, but long enough to be looked at by anybody".to_vec()),
        ("cut", whole[..whole.len() / 2].to_vec()),
        (
            "pages overwritten",
            whole.iter().enumerate().map(|(at, byte)| if at < 4096 { *byte } else { 0xa5 }).collect(),
        ),
    ];
    for (name, bytes) in damages {
        std::fs::write(&database, &bytes).unwrap();
        let said = SqliteLog::open(folder, Duration::from_secs(5), Start::Refused)
            .and_then(|mut log| take(&mut log, &namespace("SEC"), &one(), 0));
        let said = said.unwrap_err();
        assert!(said.is_damage() && said.to_string().contains("headwater id init"), "{name}: {said}");
        let (mut log, kept) = SqliteLog::restore(folder, Duration::from_secs(5)).unwrap();
        assert_eq!(std::fs::read(kept.unwrap()).unwrap(), bytes, "{name}");
        assert_eq!(log.read("SEC").unwrap().len(), 2, "{name}");
    }
    assert_eq!(next(folder), "SEC-3");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test deletes the database")]
fn a_database_deleted_under_a_writer_gives_no_number_twice() {
    let scratch = tempfile::tempdir().unwrap();
    let sec = namespace("SEC");
    let mut old = open(scratch.path());
    assert_eq!(ids(&take(&mut old, &sec, &one(), 0).unwrap()), ["SEC-1"]);
    for name in ["ids.sqlite3", "ids.sqlite3-wal", "ids.sqlite3-shm"] {
        let _may_be_missing = std::fs::remove_file(scratch.path().join(name));
    }
    let mut new = open(scratch.path());
    assert_eq!(ids(&take(&mut new, &sec, &one(), 0).unwrap()), ["SEC-2"]);
    assert_eq!(ids(&take(&mut old, &sec, &one(), 0).unwrap()), ["SEC-3"]);
    assert_eq!(ids(&take(&mut new, &sec, &one(), 0).unwrap()), ["SEC-4"]);
}

/// An old copy of the database under a newer write-ahead log is a mix of pages: each by itself is sound.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test puts an old copy back")]
fn an_old_copy_under_a_newer_wal_gives_no_number_twice() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let (database, wal) = (folder.join("ids.sqlite3"), folder.join("ids.sqlite3-wal"));
    let (first, last) = (namespace("AAA"), namespace("ZZZ"));
    let keyed = Wish { event: Some("k".to_owned()), ..one() };
    let take = |log: &mut SqliteLog, of: &Namespace, wish: &Wish| {
        ids(&crate::ids::conformance::take(log, of, wish, 0).unwrap()).remove(0)
    };
    // So many scopes that the highest numbers fill several pages.
    let days =
        (0..300).map(|day| (Scope::new((20_000_000 + day).to_string()), known(9).judge(&Floor::default()).0)).collect();
    let (flt, ask) = (namespace("FLT"), asking());
    open(folder).append("FLT", &mut |standing| reserve::raise(standing, &flt, &ask, &days)).unwrap();
    assert_eq!(take(&mut open(folder), &first, &one()), "AAA-1");
    let old = std::fs::read(&database).unwrap();
    assert_eq!(take(&mut open(folder), &first, &one()), "AAA-2");
    assert_eq!(take(&mut open(folder), &first, &keyed), "AAA-3");
    // While a connection is open its log of changed pages stays.
    let mut keeper = open(folder);
    assert_eq!(take(&mut keeper, &last, &one()), "ZZZ-1");
    let newer = std::fs::read(&wal).unwrap();
    std::fs::write(&database, &old).unwrap();
    assert_eq!(take(&mut open(folder), &first, &one()), "AAA-4");
    assert_eq!(take(&mut open(folder), &first, &keyed), "AAA-3");
    assert_eq!(take(&mut keeper, &last, &one()), "ZZZ-2");
    drop(keeper);
    // The same after a crash, with nobody at it.
    std::fs::write(&database, &old).unwrap();
    std::fs::write(&wal, &newer).unwrap();
    assert_eq!(take(&mut open(folder), &first, &one()), "AAA-5");
    assert_eq!(take(&mut open(folder), &last, &one()), "ZZZ-3");
    assert_eq!(open(folder).read("AAA").unwrap().len(), 5);
    assert_eq!(open(folder).read("FLT").unwrap().len(), 300);
}

#[test]
fn waiting_is_bounded() {
    let scratch = tempfile::tempdir().unwrap();
    let mut slow = open(scratch.path());
    let busy = slow.append("SEC", &mut |_| {
        let mut other = SqliteLog::open(scratch.path(), Duration::from_millis(30), Start::Refused)?;
        take(&mut other, &namespace("SEC"), &one(), 0).map(|_| super::super::contract::Decision::Append(Vec::new()))
    });
    assert!(matches!(busy, Err(IdsError::Busy { .. })), "{busy:?}");
    assert!(matches!(take(&mut slow, &namespace("SEC"), &one(), 0), Ok(Outcome::Appended(_))));
}
