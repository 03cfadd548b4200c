//! Reading events: every file on its own, on every core, none hiding another.

use super::listing::{Found, Listing, shown_name};
use super::platform::{Opened, open_without_following};
use super::{LedgerDir, StoreError};
use crate::bounds::cores;
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
    /// Which entry of its pack it is, from 0.
    pub entry: usize,
}

impl Source {
    /// The name of its row among the unreadable events, as bytes.
    #[must_use]
    pub fn row(&self) -> Vec<u8> {
        match &self.pack {
            None => self.name.clone(),
            Some(pack) => {
                let name = self.name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
                [pack.as_bytes(), b"/", name].concat()
            }
        }
    }
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
/// A file cannot be read for another reason than its content.
pub fn read_all(ledger: &LedgerDir, listing: &Listing, schema: &Schema) -> Result<Option<Vec<Reading>>, StoreError> {
    let collect = |files: &[Found]| {
        let mut readings = Vec::with_capacity(files.len());
        each_file(ledger, files, schema, |reading| readings.push(reading))?;
        Ok(readings)
    };
    let append = |mut left: Vec<Reading>, right: Vec<Reading>| {
        left.extend(right);
        left
    };
    let read = in_parallel(&listing.files, collect, append).and_then(|mut readings| {
        each_pack(ledger, listing, schema, |reading| readings.push(reading))?;
        Ok(readings)
    });
    unless_gone(read)
}

/// Reads and folds everything that is listed, file by file; `None` where one has gone meanwhile.
///
/// # Errors
/// As [`read_all`].
pub fn fold_all(ledger: &LedgerDir, listing: &Listing, schema: &Schema) -> Result<Option<Fold>, StoreError> {
    let fold = |files: &[Found]| {
        let mut fold = Fold::default();
        each_file(ledger, files, schema, |reading| fold.insert(reading, schema))?;
        Ok(fold)
    };
    let join = |mut left: Fold, right: Fold| {
        left.join(right);
        left
    };
    let folded = in_parallel(&listing.files, fold, join).and_then(|mut fold| {
        each_pack(ledger, listing, schema, |reading| fold.insert(reading, schema))?;
        Ok(fold)
    });
    unless_gone(folded)
}

/// What readings amount to: the join of the readable events, and the others with their faults.
#[derive(Debug, Default)]
pub struct Fold {
    /// The join of the events.
    pub state: State,
    /// What could not be read.
    pub unreadable: BTreeSet<Unreadable>,
    /// Why, with places, by the names that the view shows.
    pub faults: Vec<(Vec<u8>, Fault)>,
}

impl Fold {
    /// Adds one reading.
    pub fn insert(&mut self, reading: Reading, schema: &Schema) {
        match reading.result {
            Ok(event) => self.state.insert(event, schema),
            Err(fault) => {
                let (name, entry) = (reading.source.row(), reading.source.entry);
                self.unreadable.insert(Unreadable { name: name.clone(), code: fault.code, entry });
                self.faults.push((name, fault));
            }
        }
    }
}

/// The states are joined; the faults keep the order of the listing.
impl Join for Fold {
    fn join(&mut self, other: Self) {
        self.state.join(other.state);
        self.unreadable.join(other.unreadable);
        self.faults.extend(other.faults);
    }
}

/// Does the work on every core, each with one run of neighbouring files, and puts the parts together in
/// their order.
fn in_parallel<T: Send>(
    files: &[Found],
    work: impl Fn(&[Found]) -> Result<T, StoreError> + Sync,
    together: impl Fn(T, T) -> T + Sync,
) -> Result<T, StoreError> {
    if files.len() <= FEW || !cores::are_several() {
        return work(files);
    }
    let run = files.len().div_ceil(rayon::current_num_threads().max(1)).max(FEW);
    let parts = files.par_chunks(run).map(&work);
    let both = |left: Result<T, StoreError>, right: Result<T, StoreError>| Ok(together(left?, right?));
    parts.reduce_with(both).unwrap_or_else(|| work(&[]))
}

fn unless_gone<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(error) if error.is_not_found() => Ok(None),
        other => other.map(Some),
    }
}

fn each_file(
    ledger: &LedgerDir,
    files: &[Found],
    schema: &Schema,
    mut then: impl FnMut(Reading),
) -> Result<(), StoreError> {
    let mut buffer = Vec::new();
    files.iter().try_for_each(|found| {
        then(read_one(ledger, found, schema, &mut buffer)?);
        Ok(())
    })
}

fn each_pack(
    ledger: &LedgerDir,
    listing: &Listing,
    schema: &Schema,
    mut then: impl FnMut(Reading),
) -> Result<(), StoreError> {
    for found in &listing.packs {
        read_pack(&found.path(ledger), found, schema)?.into_iter().for_each(&mut then);
    }
    Ok(())
}

fn read_one(ledger: &LedgerDir, found: &Found, schema: &Schema, buffer: &mut Vec<u8>) -> Result<Reading, StoreError> {
    let source = Source { name: found.shown_name(), pack: None, entry: 0 };
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
    let (file, size) = match open_without_following(path).map_err(StoreError::io("open", path))? {
        Opened::File(file, size) => (file, size),
        Opened::NotAFile => return Ok(Err(not_a_file())),
    };
    if size > MAX_BYTES as u64 {
        return Ok(Err(too_large(size)));
    }
    read_at_most(file, buffer).map_err(StoreError::io("read", path))?;
    Ok(Ok(()))
}

/// Reads one byte more than an event may have, so that a file that grew in the meantime is found too large.
fn read_at_most(file: impl std::io::Read, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    buffer.clear();
    file.take(MAX_BYTES as u64 + 1).read_to_end(buffer)?;
    Ok(())
}

/// Reads an event file from anywhere.
///
/// # Errors
/// It cannot be read for another reason than its content.
pub fn decode_path(path: &Path, schema: &Schema) -> Result<Result<Event, Fault>, StoreError> {
    let mut buffer = Vec::new();
    Ok(read_into(path, &mut buffer)?.and_then(|()| decode(&buffer, schema)))
}

/// No file is read whole that is larger.
const LARGEST: u64 = 256 << 20;

/// Reads any regular file whole, without following a link; `None` where there is none.
///
/// # Errors
/// It is no regular file, or the system refuses.
pub fn read_text(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    read_bounded(path, LARGEST)
}

/// Reads a regular file of at most `most` bytes, without following a link and without waiting for anybody; `None`
/// where there is none.
///
/// # Errors
/// It is no regular file, it is larger, or the system refuses.
pub fn read_bounded(path: &Path, most: u64) -> Result<Option<Vec<u8>>, StoreError> {
    match open_without_following(path) {
        Ok(Opened::File(file, _)) => {
            let mut bytes = Vec::new();
            file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
            if bytes.len() as u64 > most {
                return Err(StoreError::io("read", path)(std::io::ErrorKind::FileTooLarge.into()));
            }
            Ok(Some(bytes))
        }
        Ok(Opened::NotAFile) => Err(StoreError::WrongKind { path: path.to_owned(), kind: "file" }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("open", path)(error)),
    }
}

/// Reads the entries of a pack from anywhere; a bad one is a single reading.
///
/// # Errors
/// It cannot be read for another reason than its content.
pub fn read_pack(path: &Path, found: &Found, schema: &Schema) -> Result<Vec<Reading>, StoreError> {
    let gone = || StoreError::io("open", path)(std::io::ErrorKind::NotFound.into());
    let bytes = match read_text(path) {
        _ if found.not_a_file => None,
        Err(StoreError::WrongKind { .. }) => None,
        read => Some(read?.ok_or_else(gone)?),
    };
    Ok(decode_pack(found, bytes.as_deref(), schema))
}

/// The entries of a pack's bytes, none where it is no regular file (FORMAT §7).
fn decode_pack(found: &Found, bytes: Option<&[u8]>, schema: &Schema) -> Vec<Reading> {
    let link = || Fault::new(Code::BadPack, Place::START, "a link, directory or special file, which is not opened");
    let decoded = bytes.ok_or_else(link).and_then(|bytes| pack::decode(found.name.as_encoded_bytes(), bytes));
    let entries = match decoded {
        Ok(entries) => entries,
        Err(fault) => {
            let source = Source { name: found.shown_name(), pack: None, entry: 0 };
            return vec![Reading { source, result: Err(fault) }];
        }
    };
    let pack = String::from_utf8_lossy(&found.shown_name()).into_owned();
    let read = |(entry, packed): (usize, pack::PackEntry)| {
        let name = shown_name(found.day.as_deref(), packed.name.as_bytes());
        let source = Source { name, pack: Some(pack.clone()), entry };
        Reading { source, result: decode_text(&normalise_text(&packed.text), schema) }
    };
    entries.into_iter().enumerate().map(read).collect()
}

/// Reads the bytes of an event file or pack that came from elsewhere than the disk.
#[must_use]
pub fn decode_source(found: &Found, bytes: &[u8], schema: &Schema) -> Vec<Reading> {
    if found.is_pack() {
        return decode_pack(found, Some(bytes).filter(|_| !found.not_a_file), schema);
    }
    let source = Source { name: found.shown_name(), pack: None, entry: 0 };
    let result = if found.not_a_file { Err(not_a_file()) } else { decode(bytes, schema) };
    vec![Reading { source, result }]
}

/// The text of a file that the system makes up; none where there is none.
#[must_use]
pub fn read_system_file(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The last `limit` bytes of a regular file, from anywhere; `None` where it cannot be opened.
#[must_use]
pub fn open_tail(path: &Path, limit: u64) -> Option<impl std::io::Read + use<>> {
    use std::io::Seek as _;
    let Ok(Opened::File(mut file, size)) = open_without_following(path) else { return None };
    file.seek(std::io::SeekFrom::Start(size.saturating_sub(limit))).ok()?;
    // A file that grows meanwhile ends all the same.
    Some(file.take(limit))
}

/// Whether a file was written at or after an instant (nanoseconds since 1970); of one that is gone, its folder.
#[must_use]
pub fn written_since(path: &Path, instant: i128) -> bool {
    let found = path.symlink_metadata().or_else(|_| path.parent().unwrap_or(path).symlink_metadata());
    let modified = found.and_then(|found| found.modified()).ok();
    let since = modified.and_then(|at| at.duration_since(std::time::SystemTime::UNIX_EPOCH).ok());
    since.is_some_and(|since| i128::try_from(since.as_nanos()).is_ok_and(|nanos| nanos >= instant))
}

#[cfg(test)]
mod tests {
    use super::read_at_most;
    use crate::event::Code;
    use crate::event::decode::decode;
    use crate::event::normal::MAX_BYTES;
    use crate::event::schema::Schema;
    use std::io::Read as _;

    #[test]
    fn file_that_grows_while_it_is_read_is_too_large() {
        // The first MAX_BYTES are an event of their own, so that a reader that stops there is found out.
        let mut event = b"---\nts: 2026-01-10T13:00:00Z\nagent: a\n---\nnow: x\n#".to_vec();
        event.resize(MAX_BYTES - 1, b'x');
        event.push(b'\n');
        let mut buffer = b"old".to_vec();
        for (grown, expected) in [(0, None), (1, Some(Code::TooLarge)), (1 << 40, Some(Code::TooLarge))] {
            read_at_most(event.chain(std::io::repeat(b'x').take(grown)), &mut buffer).unwrap();
            assert_eq!(decode(&buffer, &Schema::default()).err().map(|fault| fault.code), expected, "{grown}");
        }
    }
}
