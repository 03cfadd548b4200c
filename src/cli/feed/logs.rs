//! What the logs of ids say of the numbers that posts use.

use super::namespace_of;
use crate::cli::context::Context;
use crate::cli::id::Desk;
use crate::cli::progress::asking_log;
use crate::config::{LogKind, Namespace};
use crate::feed::drift::{Backing, Reservation};
use crate::ids::Allocator;
use crate::ids::contract::Anchor;
use crate::ids::fold::{Book, State};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// How long a shared log is waited for, unless something else is said.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Items whose numbers could not be held against their log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unchecked {
    namespace: String,
    items: BTreeSet<String>,
    why: String,
}

impl Unchecked {
    pub(super) fn json(&self) -> Value {
        json!({"namespace": self.namespace, "items": self.items, "why": self.why})
    }
}

impl fmt::Display for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<&str> = self.items.iter().map(String::as_str).take(5).collect();
        let more = if self.items.len() > shown.len() { " …" } else { "" };
        let (namespace, why) = (&self.namespace, &self.why);
        write!(f, "whether {}{more} came from the log of {namespace} is not known: {why}", shown.join(" "))
    }
}

/// The logs, each asked at most once.
pub(super) struct Logs<'a> {
    context: &'a Context<'a>,
    books: BTreeMap<String, [Book; 2]>,
    pub unchecked: Vec<Unchecked>,
}

impl<'a> Logs<'a> {
    /// Looks into the logs of these items. Anchors never change, so a shared log is only asked (if `ask`) about
    /// an item that this clone has not seen in it.
    pub(super) fn of<'b>(context: &'a Context<'a>, items: impl Iterator<Item = &'b str>, ask: bool) -> Self {
        let desk = Desk::new(context);
        let patience = Some(context.patience.unwrap_or(PATIENCE));
        let allocator = Allocator { patience, ..desk.allocator(false) };
        let mut wanted: BTreeMap<&str, (&Namespace, BTreeSet<String>)> = BTreeMap::new();
        for item in items {
            if let Some(namespace) = namespace_of(context, item) {
                let items = &mut wanted.entry(&namespace.name).or_insert((namespace, BTreeSet::new())).1;
                items.insert(item.to_owned());
            }
        }
        let mut logs = Self { context, books: BTreeMap::new(), unchecked: Vec::new() };
        for (name, (namespace, mut items)) in wanted {
            let mut looked = allocator.look(namespace, false);
            if let Ok((own, seen)) = &looked {
                items.retain(|item| reservation([own, seen], item).is_none());
            }
            if ask && namespace.log != LogKind::Local && !items.is_empty() {
                let asked = asking_log(context, namespace, || allocator.look(namespace, true));
                let why = asked.as_ref().err().map(ToString::to_string);
                // What was seen before still counts where nobody answers.
                if asked.is_ok() || looked.is_err() {
                    looked = asked;
                }
                logs.unchecked.extend(why.map(|why| Unchecked {
                    namespace: name.to_owned(),
                    items: items.clone(),
                    why,
                }));
            } else if let Err(error) = &looked {
                let why = error.to_string();
                logs.unchecked.push(Unchecked { namespace: name.to_owned(), items, why });
            }
            if let Ok((own, seen)) = looked {
                logs.books.insert(name.to_owned(), [own, seen]);
            }
        }
        logs
    }

    /// What the log of an item knows of it.
    pub(super) fn backing(&self, item: &str) -> Backing {
        let Some(namespace) = namespace_of(self.context, item) else { return Backing::NoLog };
        let books = self.books.get(&namespace.name);
        if let Some(reservation) = books.and_then(|books| reservation(books.each_ref(), item)) {
            return Backing::Reserved(reservation);
        }
        let unknown = self.unchecked.iter().any(|one| one.namespace == namespace.name);
        if unknown { Backing::Unknown } else { Backing::NotReserved }
    }
}

/// The reservation that has an id: the shared log has the first word. What waits for its log is in none.
fn reservation([own, seen]: [&Book; 2], item: &str) -> Option<Reservation> {
    let of = |book: &Book| {
        book.claim(item).filter(|claim| claim.state != State::Pending)?;
        let chain = book.chain_of(item);
        let all = |field: fn(&Anchor) -> Option<&String>| chain.iter().copied().filter_map(field).cloned().collect();
        Some(Reservation {
            nonces: all(|anchor| Some(&anchor.nonce)),
            seats: all(|anchor| Some(&anchor.agent)),
            keys: all(|anchor| anchor.event.as_ref()),
        })
    };
    of(seen).or_else(|| of(own))
}
