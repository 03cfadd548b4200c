//! How reports say who, what and how many.

pub(super) use crate::event::text::counted;
pub(super) use crate::ledger::agents::{agents, distinct};
pub(super) use crate::ledger::escape::phrase;
