//! `set`: grow-only texts, each belonging to its first write; a closing key hides what it names.

use crate::bounds::cores;
use crate::crdt::{Join, Max, Min, UnorderedMap};
use crate::event::{Origin, schema::Identity};
use rayon::slice::ParallelSliceMut as _;
use std::sync::Arc;

/// The state of a set section: its items by their identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetState {
    /// In no order: what is shown is put in the order of the first writes, which is total.
    items: UnorderedMap<String, Item>,
}

/// The first write of an item with its place there, and its last write.
type Opened = (Min<(Arc<Origin>, usize)>, Max<Arc<Origin>>);

/// What is known of one item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    opened: Option<Opened>,
    /// The last write under the closing key.
    closed: Option<Max<Arc<Origin>>>,
}

impl Item {
    /// The first write of the item, and its place in that event.
    #[must_use]
    pub fn first(&self) -> Option<(&Arc<Origin>, usize)> {
        self.opened.as_ref().map(|(Min((origin, place)), _)| (origin, *place))
    }

    /// The last write of the item.
    #[must_use]
    pub fn last(&self) -> Option<&Arc<Origin>> {
        self.opened.as_ref().map(|(_, Max(origin))| origin)
    }

    /// The last write that closes it.
    #[must_use]
    pub fn closed(&self) -> Option<&Arc<Origin>> {
        self.closed.as_ref().map(|Max(origin)| origin)
    }

    /// Whether the item stands open: its last write is above the last one that closes it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match (self.last(), &self.closed) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(last), Some(Max(closed))) => last > closed,
        }
    }
}

impl SetState {
    /// Adds the items of one event.
    pub fn write(&mut self, origin: &Arc<Origin>, items: Vec<String>, identity: Identity) {
        for (place, text) in items.into_iter().enumerate() {
            let opened = Some((Min((Arc::clone(origin), place)), Max(Arc::clone(origin))));
            self.items.join_at(identify(text, identity), Item { opened, closed: None });
        }
    }

    /// Closes the items of one event.
    pub fn close(&mut self, origin: &Arc<Origin>, items: &[String], identity: Identity) {
        for text in items {
            let closed = Some(Max(Arc::clone(origin)));
            self.items.join_at(identify(text.clone(), identity), Item { opened: None, closed });
        }
    }

    /// What is known of the item with this identity.
    #[must_use]
    pub fn item(&self, identity: &str) -> Option<&Item> {
        self.items.get(identity)
    }

    /// All items with their texts, in no order.
    pub fn items(&self) -> impl Iterator<Item = (&str, &Item)> {
        self.items.iter().map(|(text, item)| (text.as_str(), item))
    }

    /// The items that stand open with their texts, in the order of their first writes.
    #[must_use]
    pub fn open_items(&self) -> Vec<(&str, &Item)> {
        let mut open: Vec<_> =
            self.items.iter().filter(|(_, item)| item.is_open()).map(|(text, item)| (text.as_str(), item)).collect();
        let order = |(_, a): &(&str, &Item), (_, b): &(&str, &Item)| a.first().cmp(&b.first());
        if open.len() > FEW && cores::are_several() {
            open.par_sort_unstable_by(order);
        } else {
            open.sort_unstable_by(order);
        }
        open
    }
}

/// How many items are sorted by one thread.
const FEW: usize = 2_000;

/// The identity of an item. Texts stand for their SHA-256 here: they are equal where those are.
#[must_use]
pub(crate) fn identify(trimmed: String, identity: Identity) -> String {
    match identity {
        Identity::Exact => trimmed,
        Identity::Words => crate::event::text::into_collapsed(trimmed.into()),
    }
}

impl Join for Opened {
    fn join(&mut self, other: Self) {
        self.0.join(other.0);
        self.1.join(other.1);
    }
}

impl Join for Item {
    fn join(&mut self, other: Self) {
        self.opened.join(other.opened);
        self.closed.join(other.closed);
    }
}

impl Join for SetState {
    fn join(&mut self, other: Self) {
        self.items.join(other.items);
    }
}
