//! What a session did, and what the next one is told: the agents' hooks, from their contracts to events.

mod compose;

pub use compose::{ComposeError, Composed, compose};
