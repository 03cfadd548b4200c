//! Ids: reserved once, never given twice.
//!
//! What needs an order goes into one append-only log of anchors ([`contract`]); what is shown is a pure
//! fold of it ([`fold`]): the first published wins. Decisions are pure ([`reserve`]); the logs differ
//! only in where they lie ([`sqlite`], [`gitlog`], [`github`]), and [`sources`] says which numbers stand in files.

mod allocator;
mod changes;
pub mod check;
pub mod collisions;
#[cfg(test)]
mod conformance;
pub mod contract;
mod error;
pub mod fold;
pub mod github;
pub mod gitlog;
pub mod inbox;
mod init;
mod jumps;
mod lost;
#[cfg(test)]
mod memory;
pub mod renumber;
pub mod reserve;
pub mod rows;
mod settle;
mod shared;
pub mod sources;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(not(feature = "sqlite"))]
#[path = "no_sqlite.rs"]
pub mod sqlite;
mod unread;

pub use allocator::{Allocator, Place, Reserved, Settled};
pub use error::IdsError;
pub use rows::Row;
