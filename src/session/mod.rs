//! What a session did, and what the next one is told: the agents' hooks, from their contracts to events.

pub mod capture;
pub mod contract;
pub mod handover;
pub mod input;
pub mod marker;
pub mod outsiders;
pub mod process;
pub mod reflog;
pub mod spare;
pub mod tell;
pub mod transcript;

mod compose;

pub use compose::{ComposeError, Composed, compose};
