//! Numbers that are named by who posts, held against the log that gave them out.

use super::logs::PATIENCE;
use super::namespace_of;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::id::Desk;
use crate::cli::progress::asking_log;
use crate::config::LogKind;
use crate::ids::Allocator;
use crate::ids::fold::{Book, State};

/// Where a number comes from.
#[derive(Clone)]
pub(super) struct Number {
    pub item: String,
    pub reserved: Option<String>,
    pub provisional: bool,
    /// The seats that asked for it, the latest first, and its durable keys; none where no log says so.
    seats: Vec<String>,
    keys: Vec<String>,
}

impl Number {
    /// A number that the log gave to this seat now, or that no log keeps.
    pub(super) const fn new(item: String, reserved: Option<String>, provisional: bool) -> Self {
        Self { item, reserved, provisional, seats: Vec::new(), keys: Vec::new() }
    }

    /// The number, if it was reserved by this seat, by `other`, or under this durable key; refused in words if the log
    /// gave it to somebody else. To know its nonce gives nobody a right to it.
    pub(super) fn own(
        self,
        context: &Context<'_>,
        seat: &str,
        other: Option<&str>,
        key: Option<&String>,
    ) -> Result<Self, String> {
        let is_own = |owner: &String| owner == seat || Some(owner.as_str()) == other;
        let by_key = key.is_some_and(|key| self.keys.contains(key));
        match self.seats.first() {
            Some(owner) if !by_key && !self.seats.iter().any(is_own) => {
                let item = &self.item;
                let namespace = namespace_of(context, item).map_or("NAMESPACE", |namespace| namespace.name.as_str());
                Err(format!(
                    "{item} was reserved by {owner}, and not by {seat}; say `--agent {owner}` if that is you or who you post for, or take another number: `--reserve {namespace}`"
                ))
            }
            _ => Ok(self),
        }
    }
}

/// Asks the shared log about a number that this clone has not seen in it; what to do where it could not be asked.
/// What was seen of it counts then.
///
/// # Errors
/// What was seen cannot be read.
pub(super) fn look_for(
    context: &Context<'_>,
    allocator: &Allocator<'_>,
    item: &str,
    no_fetch: bool,
) -> Result<Option<String>, CliError> {
    let Some(namespace) = namespace_of(context, item) else { return Ok(None) };
    if namespace.log == LogKind::Local || namespace.format.read(item).is_none() {
        return Ok(None);
    }
    let (own, seen) = allocator.books(namespace)?;
    if seen.claim(item).or_else(|| own.claim(item)).is_some() {
        return Ok(None);
    }
    if no_fetch {
        return Ok(Some("leave `--no-fetch` out".to_owned()));
    }
    let desk = Desk::new(context);
    let patient = Allocator { patience: Some(context.patience.unwrap_or(PATIENCE)), ..desk.allocator(true) };
    let asked = asking_log(context, namespace, || patient.look(namespace, true));
    Ok(asked.err().map(|error| {
        let name = &namespace.name;
        context.console.warning(&format!("warning: the log of {name} was not asked about {item}: {error}"));
        "try again when it answers".to_owned()
    }))
}

/// A number that is named: reserved before, or provisional where no log keeps such ids; refused in words where a log
/// keeps them and does not know it as anybody's. `unasked` is what to do where the log was not asked.
///
/// # Errors
/// The log cannot be read.
pub(super) fn named(
    context: &Context<'_>,
    allocator: &Allocator<'_>,
    item: &str,
    unasked: Option<&str>,
) -> Result<Result<Number, String>, CliError> {
    let Some(namespace) = namespace_of(context, item) else {
        return Ok(Ok(Number::new(item.to_owned(), None, true)));
    };
    let (own, seen) = allocator.books(namespace)?;
    let claim = |book: &Book| {
        let claim = book.claim(item)?;
        let chain = book.chain_of(item);
        let number = Number {
            item: item.to_owned(),
            reserved: chain.first().map(|anchor| anchor.nonce.clone()),
            provisional: claim.state == State::Pending,
            seats: chain.iter().map(|anchor| anchor.agent.clone()).collect(),
            keys: chain.iter().filter_map(|anchor| anchor.event.clone()).collect(),
        };
        Some((claim.state.clone(), number))
    };
    let name = &namespace.name;
    Ok(match claim(&seen).or_else(|| claim(&own)) {
        None if namespace.format.read(item).is_none() => {
            Err(format!("{item} is not written as the ids of {name} are (`{}`)", namespace.format.as_str()))
        }
        None => Err(match unasked {
            None => format!("{item} was never reserved; let the log give the number: `--reserve {name}`"),
            Some(remedy) => format!(
                "{item} is in nothing that this clone has seen of the log of {name}; {remedy}, or let the log give the number: `--reserve {name}`"
            ),
        }),
        Some((state, number)) => match state {
            State::Released => Err(format!("{item} was given up and stays spent; use `--reserve {name}`")),
            State::Amended(by) => Err(format!("{item} was amended to {by}; name that one")),
            State::Pending | State::Confirmed => Ok(number),
        },
    })
}
