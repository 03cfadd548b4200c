//! Reading events: every file on its own, on every core, none hiding another.

use super::listing::{Found, Listing, shown_name};
use super::platform::{Opened, open_without_following};
use super::{LedgerDir, StoreError};
use crate::crdt::Join;
use crate::event::decode::{decode, decode_text};
use crate::event::normal::{MAX_BYTES, normalise_text, too_large};
use crate::event::schema::Schema;
use crate::event::{Code, Event, Fault, Place};
use crate::ledger::{State, Unreadable, pack};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

/// Where an event was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// `name.md`, or `archive/<day>/<name>`, as bytes.
    pub name: Vec<u8>,
    /// The pack that holds it, as `archive/<day>/<pack>`.
    pub pack: Option<String>,
}

/// One event file, read or found unreadable.
#[derive(Debug)]
pub struct Reading {
    /// Where it was read.
    pub source: Source,
    /// What it says, or why it cannot be read.
    pub result: Result<Event, Fault>,
}

/// Below this many files threads cost more than they save.
const FEW: usize = 48;

/// Reads everything that is listed; `None` where a listed file has gone meanwhile.
///
/// # Errors
/// A file cannot be read for another reason than its content, or a pack is damaged.
pub fn read_all(ledger: &LedgerDir, listing: &Listing, schema: &Schema) -> Result<Option<Vec<Reading>>, StoreError> {
    let read_files = |files: &[Found]| -> Result<Vec<Reading>, StoreError> {
        let mut buffer = Vec::new();
        files.iter().map(|found| read_one(ledger, found, schema, &mut buffer)).collect()
    };
    let mut parts: Vec<Result<Vec<Reading>, StoreError>> = if listing.files.len() <= FEW {
        vec![read_files(&listing.files)]
    } else {
        listing.files.par_chunks(256).map(read_files).collect()
    };
    parts.extend(listing.packs.iter().map(|found| read_pack(ledger, found, schema)));
    let mut readings = Vec::with_capacity(listing.files.len());
    for part in parts {
        match part {
            Ok(part) => readings.extend(part),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(readings))
}

fn read_one(ledger: &LedgerDir, found: &Found, schema: &Schema, buffer: &mut Vec<u8>) -> Result<Reading, StoreError> {
    let source = Source { name: found.shown_name(), pack: None };
    let result = if found.not_a_file {
        Err(not_a_file())
    } else {
        match read_into(&found.path(ledger), buffer)? {
            Err(fault) => Err(fault),
            Ok(()) => decode(buffer, schema),
        }
    };
    Ok(Reading { source, result })
}

fn not_a_file() -> Fault {
    Fault::new(Code::NotAFile, Place::START, "a link, directory or special file, which is not opened")
}

/// Reads a regular file of at most the size of an event into `buffer`.
fn read_into(path: &Path, buffer: &mut Vec<u8>) -> Result<Result<(), Fault>, StoreError> {
    let file = match open_without_following(path).map_err(StoreError::io("open", path))? {
        Opened::File(file) => file,
        Opened::NotAFile => return Ok(Err(not_a_file())),
    };
    let size = file.metadata().map_err(StoreError::io("look at", path))?.len();
    if size > MAX_BYTES as u64 {
        return Ok(Err(too_large(size)));
    }
    buffer.clear();
    // One byte more than allowed, so that a file that grew meanwhile is found too large.
    file.take(MAX_BYTES as u64 + 1).read_to_end(buffer).map_err(StoreError::io("read", path))?;
    Ok(Ok(()))
}

/// Reads an event file from anywhere.
///
/// # Errors
/// It cannot be read for another reason than its content.
pub fn decode_path(path: &Path, schema: &Schema) -> Result<Result<Event, Fault>, StoreError> {
    let mut buffer = Vec::new();
    Ok(read_into(path, &mut buffer)?.and_then(|()| decode(&buffer, schema)))
}

/// Reads any regular file whole, without following a link; `None` where there is none.
///
/// # Errors
/// It is no regular file, or the system refuses.
pub fn read_text(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match open_without_following(path) {
        Ok(Opened::File(mut file)) => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
            Ok(Some(bytes))
        }
        Ok(Opened::NotAFile) => Err(StoreError::WrongKind { path: path.to_owned(), kind: "file" }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("open", path)(error)),
    }
}

fn read_pack(ledger: &LedgerDir, found: &Found, schema: &Schema) -> Result<Vec<Reading>, StoreError> {
    let path = found.path(ledger);
    if found.not_a_file {
        return Err(StoreError::WrongKind { path, kind: "file" });
    }
    let gone = || StoreError::io("open", &path)(std::io::ErrorKind::NotFound.into());
    let bytes = read_text(&path)?.ok_or_else(gone)?;
    decode_pack(found, &bytes, schema).map_err(|source| StoreError::Pack { path, source })
}

fn decode_pack(found: &Found, bytes: &[u8], schema: &Schema) -> Result<Vec<Reading>, pack::PackError> {
    let name = found.name.to_string_lossy();
    let entries = pack::decode(&name, bytes)?;
    let pack = String::from_utf8_lossy(&found.shown_name()).into_owned();
    let read = |entry: pack::PackEntry| Reading {
        source: Source { name: shown_name(found.day.as_deref(), entry.name.as_bytes()), pack: Some(pack.clone()) },
        result: decode_text(&normalise_text(&entry.text), schema),
    };
    Ok(entries.into_iter().map(read).collect())
}

/// Reads the bytes of an event file or pack that came from elsewhere than the disk.
///
/// # Errors
/// The pack is damaged.
pub fn decode_source(found: &Found, bytes: &[u8], schema: &Schema) -> Result<Vec<Reading>, pack::PackError> {
    if found.not_a_file {
        let source = Source { name: found.shown_name(), pack: None };
        return Ok(vec![Reading { source, result: Err(not_a_file()) }]);
    }
    if found.name.to_str().is_some_and(pack::is_pack_name) && found.day.is_some() {
        return decode_pack(found, bytes, schema);
    }
    let source = Source { name: found.shown_name(), pack: None };
    Ok(vec![Reading { source, result: decode(bytes, schema) }])
}

/// Folds readings into the state of the readable ones and the names of the others.
#[must_use]
pub fn fold(readings: Vec<Reading>, schema: &Schema) -> (State, BTreeSet<Unreadable>) {
    let mut unreadable = BTreeSet::new();
    let mut events = Vec::with_capacity(readings.len());
    for Reading { source, result } in readings {
        match result {
            Ok(event) => events.push(event),
            Err(fault) => {
                unreadable.insert(Unreadable { name: source.name, code: fault.code });
            }
        }
    }
    (join_all(events, schema), unreadable)
}

/// The join of all events: the two halves at once, where there are many.
fn join_all(mut events: Vec<Event>, schema: &Schema) -> State {
    let half = if events.len() > 1_000 { events.split_off(events.len() / 2) } else { Vec::new() };
    let state = |events: Vec<Event>| {
        let mut state = State::default();
        for event in events {
            state.insert(event, schema);
        }
        state
    };
    if half.is_empty() {
        return state(events);
    }
    let (mut left, right) = rayon::join(|| state(events), || state(half));
    left.join(right);
    left
}
