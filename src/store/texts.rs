//! The texts of a ledger's events, for readers of what the ledger itself keeps and does not show.

use super::listing::{Found, Listing, shown_name};
use super::platform::{Opened, open_without_following};
use super::{LedgerDir, StoreError};
use crate::event::EventId;
use crate::event::normal::{MAX_BYTES, normalise};
use crate::ledger::pack;
use std::collections::BTreeSet;
use std::io::Read as _;

/// The normalised text of one event, and where it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventText {
    /// `name.md`, or `archive/<day>/<name>`, as bytes.
    pub name: Vec<u8>,
    /// The file that holds it, in the same form; of a packed event the pack.
    pub file: Vec<u8>,
    /// Its text.
    pub text: String,
    /// The line of the file on which the text begins.
    pub first_line: u32,
}

/// How often a moving ledger is looked at again.
const ATTEMPTS: usize = 100;

/// Reads the texts of all events of a ledger; what cannot be read as a text is left to who reads events.
///
/// # Errors
/// The ledger cannot be read, or does not come to rest.
pub fn read_texts(ledger: &LedgerDir) -> Result<Vec<EventText>, StoreError> {
    for _ in 0..ATTEMPTS {
        let listing = Listing::of(ledger)?;
        let read: Result<Vec<Vec<EventText>>, StoreError> =
            listing.files.iter().chain(&listing.packs).map(|found| read_one(ledger, found)).collect();
        match read {
            Err(error) if error.is_not_found() => {}
            other => return Ok(other?.into_iter().flatten().collect()),
        }
    }
    Err(StoreError::Unsettled(ledger.path().to_owned()))
}

fn read_one(ledger: &LedgerDir, found: &Found) -> Result<Vec<EventText>, StoreError> {
    let path = found.path(ledger);
    let limit = if found.is_pack() { u64::MAX } else { MAX_BYTES as u64 + 1 };
    let mut bytes = Vec::new();
    match open_without_following(&path).map_err(StoreError::io("open", &path))? {
        Opened::File(file, _) => {
            file.take(limit).read_to_end(&mut bytes).map_err(StoreError::io("read", &path))?;
        }
        Opened::NotAFile => return Ok(Vec::new()),
    }
    Ok(texts_in(found, &bytes))
}

/// The texts in the bytes of an event file or pack; none of what cannot be read as one.
#[must_use]
pub fn texts_in(found: &Found, bytes: &[u8]) -> Vec<EventText> {
    let text = |name: Vec<u8>, bytes: &[u8]| {
        let normalised = normalise(bytes).ok()?;
        Some(EventText {
            name,
            file: found.shown_name(),
            first_line: normalised.first_line,
            text: normalised.text.into_owned(),
        })
    };
    if !found.is_pack() {
        return text(found.shown_name(), bytes).into_iter().collect();
    }
    let entries = pack::decode(found.name.as_encoded_bytes(), bytes).unwrap_or_default();
    let entry =
        |entry: &pack::PackEntry| text(shown_name(found.day.as_deref(), entry.name.as_bytes()), entry.text.as_bytes());
    entries.iter().filter_map(entry).collect()
}

/// The ids of the texts in the bytes of an event file or pack, readable as events or not.
#[must_use]
pub fn ids_in(found: &Found, bytes: &[u8]) -> Vec<EventId> {
    texts_in(found, bytes).iter().map(|text| EventId::of(&text.text)).collect()
}

/// The ids of all texts of a ledger, readable as events or not.
#[must_use]
pub fn ids_on_disk(ledger: &LedgerDir, listing: &Listing) -> BTreeSet<EventId> {
    let all = listing.files.iter().chain(&listing.packs).filter(|found| !found.not_a_file);
    let texts = all.filter_map(|found| read_one(ledger, found).ok()).flatten();
    texts.map(|text| EventId::of(&text.text)).collect()
}
