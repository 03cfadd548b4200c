//! `headwater feed`: one file a command.

mod append;
mod args;
mod drift;
mod gather;
mod logs;
mod number;
mod queue;
mod show;
mod tail;

pub use args::FeedCommand;

use super::clock::now_unix_nanos;
use super::context::Context;
use super::error::{CliError, Exit};
use crate::config::Namespace;
use crate::event::Timestamp;
use crate::feed::{FAR_AHEAD, prefix};

/// Prints what is wrong with the feed, for git's pre-push.
pub(super) fn before_push(context: &Context<'_>) -> Result<Exit, CliError> {
    let mut worst = Exit::Done;
    for path in &context.config.ledgers {
        let ledger = context.ledger_at(path)?;
        if ledger.dir.events().is_dir() {
            worst = worst.max(drift::before_push(context, &ledger)?);
        }
    }
    Ok(worst)
}

pub(super) fn run(context: &Context<'_>, command: FeedCommand) -> Result<Exit, CliError> {
    let one = || context.one_ledger();
    match command {
        FeedCommand::Append(args) => append::run(context, one()?, &args),
        FeedCommand::Queue(args) => queue::run(context, one()?, &args),
        FeedCommand::Show(args) => show::run(context, one()?, &args),
        FeedCommand::Tail(args) => tail::run(context, one()?, &args),
        // A check looks at everything.
        FeedCommand::Drift(args) => context.each_ledger(|ledger| drift::run(context, ledger, &args)),
    }
}

/// Up to when what posts say of their instants is believed.
fn horizon(now: i128) -> i128 {
    now.max(now_unix_nanos()) + FAR_AHEAD.nanos()
}

/// The instant that `--now` says, or the clock's.
fn instant(now: Option<&String>) -> Result<i128, CliError> {
    match now {
        None => Ok(now_unix_nanos()),
        Some(text) => Timestamp::parse(text).map(Timestamp::unix_nanos).ok_or_else(|| {
            CliError::Usage(format!("--now: `{}` is no instant, such as 2026-01-10T13:03:52Z", text.escape_debug()))
        }),
    }
}

/// The namespace whose log keeps an id of this form. Only the exact form is one of its ids, but an id that
/// looks like one (`cmb-7`) is no way around the log.
fn namespace_of<'a>(context: &'a Context<'_>, item: &str) -> Option<&'a Namespace> {
    let word = |namespace: &&Namespace| {
        let before = namespace.format.as_str().split('{').next().unwrap_or_default();
        prefix(before) == prefix(item)
    };
    let all = &context.config.ids;
    all.values().find(|namespace| namespace.format.read(item).is_some()).or_else(|| all.values().find(word))
}

/// An age for a line of text: the largest unit of which there are two, else of which there is one.
fn age(nanos: i128) -> String {
    let seconds = (nanos / 1_000_000_000).max(0);
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
        if seconds >= 2 * length || (seconds >= length && unit == "m") {
            return format!("{}{unit}", seconds / length);
        }
    }
    format!("{seconds}s")
}
