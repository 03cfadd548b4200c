//! `register`: the write with the highest stamp.

use crate::crdt::LwwRegister;
use crate::event::Origin;
use std::sync::Arc;

/// Every write of one text or of one key; `None` is a removal.
pub type Writes = LwwRegister<Arc<Origin>, Option<String>>;

/// The state of a register section.
pub type RegisterState = Writes;
