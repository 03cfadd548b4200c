//! The collision ledger: ids of occurrences, near-misses, folds and meta-level allocations, kept in a log
//! of anchors, and the page and memory row that are projected from it. Pure.
//!
//! [`decide`] says what an allocation comes to, [`record`] folds the anchors into entries, [`page`] and
//! [`memory`] write them; the page keeps its prose.

pub mod decide;
mod kind;
pub mod memory;
pub mod page;
mod prose;
pub mod record;

pub use kind::LedgerKind;
