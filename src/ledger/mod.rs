//! The ledger: the set of all events as one growing state, and the view that is folded from it.
//!
//! [`State`] is a join-semilattice; [`View`] is a pure function of it; [`render`] turns a view into
//! the bytes of `current.md`; [`archive`], [`pack`] and [`check`] plan and compare. Nothing here
//! touches a file or the clock.

pub mod agents;
pub mod archive;
pub mod check;
pub mod escape;
pub mod pack;
pub mod render;
pub mod rule;
pub mod three_way;

mod descent;
#[cfg(test)]
mod laws;
mod state;
mod view;

pub use state::State;
pub use view::{
    Contested, Footer, ItemRow, MapRow, RegisterRow, Rows, SectionView, StepRow, Unreadable, View, contested,
    undeclared_title,
};
