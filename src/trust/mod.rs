//! The trust boundary: a branch decides what the ledger contains, the clone decides what the machine does.
//!
//! `.headwater.yaml`, events, packs, logs and issue comments come from anyone who could write a branch. Such a
//! text is a wish. This module compares it with what the user configured in this clone (git's configuration and
//! the environment) and returns a checked value. The types of checked values have no other constructor, so a
//! function that takes one cannot be reached with an unchecked text.

pub mod author;
pub mod consent;
pub mod fault;
pub mod grants;
pub mod host;
pub mod number;
pub mod path;
pub mod reference;
pub mod remote;
