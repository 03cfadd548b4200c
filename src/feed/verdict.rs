//! What a post came to, and why.

use crate::event::EventId;

/// What a post came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It did what it says.
    Done,
    /// An earlier post said so already.
    Repeats(EventId),
    /// It is passed over: this post says that it is void.
    Void(EventId),
    /// It did nothing, or not what it meant.
    Refused(Refusal),
}

/// Why a post did not do what it meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// An actionable post of an item that exists, without a proof that it was released or repaired.
    Exists(EventId),
    /// The release or repair that it names is none of this item.
    NoProof,
    /// The release or repair that it names is spent: this actionable post used it.
    Spent(EventId),
    /// It says that a post is void which took effect.
    InForce,
    /// An earlier post brought this about, and says something else.
    Said(EventId),
    /// Its durable key is that of this post, which says something else.
    KeyUsed(EventId),
    /// Nobody filed the item.
    UnknownItem,
    /// The actionable post that it names never had this item, or is not here.
    UnknownFiling,
    /// Somebody else claimed it first.
    ClaimedBy(String),
    /// It is finished.
    DoneBy(String),
    /// Nobody has claimed it.
    NotClaimed,
    /// The number is another item's.
    Collides(EventId),
    /// The item has another id already.
    AmendedTo(String),
}

impl Refusal {
    /// The refusal in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Exists(_) => "the item exists, and no release or repair of it is named as proof".to_owned(),
            Self::NoProof => "the proof is no release or repair of this item".to_owned(),
            Self::Spent(by) => format!("the release or repair is spent: the post {by:.12} used it"),
            Self::KeyUsed(by) => {
                format!("its `--event` is that of the post {by:.12}, which is of another seat or other words")
            }
            Self::InForce => "the post took effect, so it is not void".to_owned(),
            Self::Said(by) => format!("it is so already: the post {by:.12} said it, in other words or by another seat"),
            Self::UnknownItem => "nobody filed this item".to_owned(),
            Self::UnknownFiling => "the actionable post that is meant never had this item, or is not here".to_owned(),
            Self::ClaimedBy(seat) => format!("{seat} claimed it first"),
            Self::DoneBy(seat) => format!("{seat} finished it"),
            Self::NotClaimed => "nobody has claimed it".to_owned(),
            Self::Collides(_) => "the number is another item's, which has the better right to it".to_owned(),
            Self::AmendedTo(id) => format!("it was amended to {id}"),
        }
    }
}
