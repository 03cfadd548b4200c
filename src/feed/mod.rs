//! The feed: posts about work items, and the queue that they amount to. Pure.
//!
//! A post is an event of type `post` ([`codec`]); the feed is the set of them ([`Feed`], a
//! join-semilattice), and the queue is a query of that set ([`Board`]): whoever has the same posts has the
//! same queue. Rules are stated once, in the replay of [`Board::of`]: what is refused at the write is what
//! the replay refuses. [`drift`] names what has to be put right.

pub mod codec;
pub mod drift;

mod board;
mod filing;
#[cfg(test)]
mod laws;
mod post;
mod state;
mod verdict;

pub use board::Board;
pub use filing::{Filing, Holding, Lost, Stage};
pub use post::{FAR_AHEAD, Kind, Post, Says, is_item, item_key, prefix};
pub use state::Feed;
pub use verdict::{Refusal, Verdict};
