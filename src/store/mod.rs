//! The ledger on disk: listing, reading, creating durably, replacing whole, locking.
//!
//! The only module that touches the ledger's files. Events are created and never overwritten, the
//! view is replaced whole, and what cannot be opened safely is not opened.
#![expect(clippy::disallowed_methods, reason = "this module owns the ledger's files")]

mod append;
mod archive;
mod create;
mod damage;
mod error;
mod holder;
mod in_tree;
mod keep;
mod listing;
mod lock;
mod platform;
mod read;
mod replace;
mod select;
mod shared;
mod spool;
mod synthesize;
mod texts;
mod watch;

pub use append::{AppendFile, make_durable, make_folder, names_in, set_aside, write_note};
pub use archive::{ArchiveRequest, Archived, archive};
pub use create::{README_TEXT, create_event, ensure_readme};
pub use damage::{Damage, damaged_files, free_aside};
pub use error::StoreError;
pub use holder::lock_holders;
pub use in_tree::{
    Kind, can_write_beside, create_in_tree, kind_in_tree, names_in_tree, read_in_tree, remove_in_tree, rename_in_tree,
    replace_in_tree,
};
pub use keep::Keeper;
pub(crate) use listing::is_day;
pub use listing::{Found, Listing};
pub use lock::{LockRequest, with_lock, with_lock_file};
pub use platform::network_file_system;
pub use read::{
    Fold, Reading, Source, decode_path, decode_source, fold_all, open_tail, read_all, read_bounded, read_pack,
    read_system_file, read_text, written_since,
};
pub use replace::{replace_view, replace_whole};
pub use select::{Selection, select};
pub use shared::{
    SharedFile, move_shared, read_shared, remove_empty_folder, remove_shared, replace_shared, write_shared,
};
pub use spool::Spool;
pub use synthesize::{
    Folded, HiddenEvents, NothingHidden, Sizes, SynthRequest, Synthesized, fold_ledger, read_beyond, read_ledger,
    synthesize,
};
pub use texts::{EventText, ids_in, ids_on_disk, read_texts, texts_in};
pub use watch::{Wake, Watch};

use crate::trust::path::LedgerPlace;
use std::path::{Path, PathBuf};

/// A ledger's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerDir {
    dir: PathBuf,
}

impl LedgerDir {
    /// The ledger at a place that was checked, or that the user named; it need not exist. A path is no place:
    ///
    /// ```compile_fail,E0308
    /// headwater::store::LedgerDir::new(std::path::PathBuf::from("thoughts"));
    /// ```
    #[must_use]
    pub fn new(place: LedgerPlace) -> Self {
        Self { dir: place.into_path() }
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// The folder of live events.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.dir.join("events")
    }

    /// The folder of archived events.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.dir.join("archive")
    }

    /// The generated view.
    #[must_use]
    pub fn view(&self) -> PathBuf {
        self.dir.join("current.md")
    }

    /// The lock file.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.dir.join(".synth.lock")
    }
}
