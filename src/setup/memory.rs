//! What was set up here: kept in the common git folder, so that it can be taken out again to the byte.

use super::{Part, SetupError};
use crate::event::hex;
use crate::store::{read_shared, remove_shared, write_shared};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The form of the file.
const FORM: u32 = 1;

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    form: u32,
    /// The parts that were asked for.
    pub parts: BTreeSet<Part>,
    /// The files that were written, by their names.
    pub files: BTreeMap<String, Written>,
    /// The folders that were made.
    pub folders: BTreeSet<String>,
    /// The settings that were made, and what they were before.
    pub settings: BTreeMap<String, Option<String>>,
}

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    /// The hash of what was written.
    pub written: String,
    /// The hash of what stood there before, kept as a file of that name; none if nothing did.
    pub original: Option<String>,
}

/// What is remembered, if this version cannot understand it, and why.
#[must_use]
pub fn damaged_memory(own_dir: &Path) -> Option<(PathBuf, String)> {
    match Memory::read(own_dir) {
        Ok(_) => None,
        Err(SetupError::Memory { path, fault }) => Some((path, fault)),
        Err(error) => Some((Memory::folder(own_dir).join("state.json"), error.to_string())),
    }
}

impl Memory {
    /// The memory's folder in that of this program.
    fn folder(own_dir: &Path) -> PathBuf {
        own_dir.join("setup")
    }

    /// Reads what is remembered; nothing where nothing is.
    ///
    /// # Errors
    /// It cannot be read, or a later version wrote it.
    pub(super) fn read(own_dir: &Path) -> Result<Self, SetupError> {
        let path = Self::folder(own_dir).join("state.json");
        let Some(file) = read_shared(&path)? else { return Ok(Self::default()) };
        let fault = |fault: String| SetupError::Memory { path: path.clone(), fault };
        let memory: Self = serde_json::from_slice(&file.bytes).map_err(|error| fault(error.to_string()))?;
        if memory.form != FORM {
            return Err(fault(format!("it has the form {}, this version knows {FORM}", memory.form)));
        }
        Ok(memory)
    }

    /// Keeps it; removes it if there is nothing to remember.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn write(&self, own_dir: &Path) -> Result<(), SetupError> {
        let path = Self::folder(own_dir).join("state.json");
        if (Self { form: 0, ..self.clone() }) == Self::default() {
            return Ok(remove_shared(&path)?);
        }
        let whole = Self { form: FORM, ..self.clone() };
        let mut text = serde_json::to_vec_pretty(&whole)
            .map_err(|error| SetupError::Memory { path: path.clone(), fault: error.to_string() })?;
        text.push(b'\n');
        Ok(write_shared(&path, &text, false)?)
    }
}

/// The hash that an original is kept under.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn original_path(own_dir: &Path, digest: &str) -> PathBuf {
    Memory::folder(own_dir).join("originals").join(digest)
}

/// Keeps the bytes of a file, for ever: they are the user's.
///
/// # Errors
/// The system refuses.
pub(super) fn keep_original(own_dir: &Path, bytes: &[u8]) -> Result<(), SetupError> {
    let path = original_path(own_dir, &digest(bytes));
    if read_shared(&path)?.is_some_and(|kept| kept.bytes == bytes) {
        return Ok(());
    }
    Ok(write_shared(&path, bytes, false)?)
}

/// The bytes that were kept, if they still are what they were.
///
/// # Errors
/// The system refuses.
pub(super) fn original(own_dir: &Path, wanted: &str) -> Result<Option<Vec<u8>>, SetupError> {
    let kept = read_shared(&original_path(own_dir, wanted))?.map(|kept| kept.bytes);
    Ok(kept.filter(|bytes| digest(bytes) == wanted))
}
