//! headwater: many agent sessions, one `current.md`.
//!
//! What commutes is merged without waiting: append-only event files are folded into one view by
//! joins ([`crdt`], [`event`], [`ledger`]). The folders are the path of the data:
//! bytes → [`event::Event`] → state → view → bytes → `current.md`.

pub mod bounds;
pub mod cli;
pub mod config;
pub mod crdt;
pub mod event;
pub mod feed;
pub mod git;
pub mod ids;
pub mod ledger;
pub mod secrets;
pub mod session;
pub mod setup;
pub mod store;
pub mod trust;
