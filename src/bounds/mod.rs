//! What bounds a run of the program: the time that it has, the cores that it may use, what it reads.
//!
//! A hook of an agent's has one deadline ([`deadline`]): every process, lock, retry and request asks here how much
//! time is left, so that no caller can forget to pass it on.

pub mod abort;
pub mod cores;
pub mod deadline;
pub mod input;
