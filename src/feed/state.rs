//! The set of posts.

use super::post::{Kind, Post, item_key};
use crate::crdt::Join;
use crate::event::{EventId, IdPrefix};
use std::collections::{BTreeMap, BTreeSet};

/// The posts that somebody knows.
///
/// # Invariant
/// A join-semilattice: the join is the union, and equal ids are equal posts. Everything that is shown is
/// a query of this set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feed {
    posts: BTreeMap<EventId, Post>,
}

impl Feed {
    /// Adds a post; one that is there already changes nothing.
    pub fn insert(&mut self, post: Post) {
        self.posts.entry(post.stamp.id).or_insert(post);
    }

    /// The post with this id.
    #[must_use]
    pub fn get(&self, id: &EventId) -> Option<&Post> {
        self.posts.get(id)
    }

    /// How many posts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.posts.len()
    }

    /// Whether there is no post.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.posts.is_empty()
    }

    /// All posts in the order of their stamps: UTC instant, then seat, then id.
    #[must_use]
    pub fn in_order(&self) -> Vec<&Post> {
        let mut posts: Vec<&Post> = self.posts.values().collect();
        posts.sort_by(|a, b| a.stamp.cmp(&b.stamp));
        posts
    }

    /// All posts that name an item, as what it is now or was.
    pub fn naming<'a>(&'a self, item: &str) -> impl Iterator<Item = &'a Post> {
        let key = item_key(item);
        self.posts.values().filter(move |post| {
            let mut named = post.says.item.iter().chain(&post.says.to);
            named.any(|item| item_key(item) == key)
        })
    }

    /// The one post that a beginning of an id names; none where several do.
    #[must_use]
    pub fn resolve(&self, prefix: &IdPrefix) -> Option<EventId> {
        let mut matching = self.posts.range(prefix.lowest()..).map(|(id, _)| *id).take_while(|id| prefix.matches(id));
        matching.next().filter(|_| matching.next().is_none())
    }

    /// The newest posts, which a writer who knows this feed names as what it has seen: those that no other
    /// post names.
    #[must_use]
    pub fn heads(&self) -> Vec<EventId> {
        let named: BTreeSet<EventId> = self.posts.values().flat_map(|post| self.parents_of(post)).collect();
        self.in_order().iter().map(|post| post.stamp.id).filter(|id| !named.contains(id)).collect()
    }

    /// Everything that the writer of a post had seen, as far as it is known here.
    #[must_use]
    pub fn seen_by(&self, post: &Post) -> BTreeSet<EventId> {
        let mut seen = BTreeSet::new();
        let mut next: Vec<EventId> = self.parents_of(post).collect();
        while let Some(id) = next.pop() {
            if seen.insert(id) {
                next.extend(self.get(&id).into_iter().flat_map(|post| self.parents_of(post)));
            }
        }
        seen
    }

    fn parents_of<'a>(&'a self, post: &'a Post) -> impl Iterator<Item = EventId> + 'a {
        post.parents.iter().flatten().filter_map(|prefix| self.resolve(prefix)).filter(|id| *id != post.stamp.id)
    }

    /// Whether a post takes a number: files an item, or gives one a new id.
    #[must_use]
    pub const fn takes_a_number(post: &Post) -> bool {
        matches!(post.says.kind, Kind::Actionable | Kind::Amend)
    }
}

impl Join for Feed {
    fn join(&mut self, mut other: Self) {
        self.posts.append(&mut other.posts);
    }
}
