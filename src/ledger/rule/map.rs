//! `map`: for each key, the write with the highest stamp.

use super::Writes;
use std::collections::BTreeMap;

/// The state of a map section: a register for each collapsed key.
pub type MapState = BTreeMap<String, Writes>;
