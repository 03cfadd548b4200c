//! The merge rules, one file each: what a section remembers, as a join-semilattice.
//!
//! A rule takes a section's writes in any order, any number of times, and ends in the same state;
//! what is shown of it is a query (see [`super::View`]).

mod list;
mod map;
mod register;
mod set;

pub use list::{ListState, Moment};
pub use map::MapState;
pub use register::{RegisterState, Writes};
pub(crate) use set::identify;
pub use set::{Item, SetState};

use crate::crdt::Join;
use crate::event::schema::Merge;

/// The state of one section, by its merge rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SectionState {
    /// One text.
    Register(RegisterState),
    /// Keys and values.
    Map(MapState),
    /// Texts, equal ones once.
    Set(SetState),
    /// Items by their time.
    List(ListState),
}

impl SectionState {
    /// The least state under a merge rule.
    #[must_use]
    pub fn new(merge: Merge) -> Self {
        match merge {
            Merge::Register => Self::Register(RegisterState::default()),
            Merge::Map => Self::Map(MapState::default()),
            Merge::Set => Self::Set(SetState::default()),
            Merge::List => Self::List(ListState::default()),
        }
    }

    const fn merge(&self) -> Merge {
        match self {
            Self::Register(_) => Merge::Register,
            Self::Map(_) => Merge::Map,
            Self::Set(_) => Merge::Set,
            Self::List(_) => Merge::List,
        }
    }
}

/// Total: of two different rules, which one schema never gives, the greater stands.
impl Join for SectionState {
    fn join(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Register(mine), Self::Register(theirs)) => mine.join(theirs),
            (Self::Map(mine), Self::Map(theirs)) => mine.join(theirs),
            (Self::Set(mine), Self::Set(theirs)) => mine.join(theirs),
            (Self::List(mine), Self::List(theirs)) => mine.join(theirs),
            (mine, theirs) => {
                if theirs.merge() > mine.merge() {
                    *self = theirs;
                }
            }
        }
    }
}
