//! `headwater feed queue`: what is open, and with whom.

use super::args::{QueueArgs, StateWord};
use super::gather::gather;
use super::{age, horizon, instant};
use crate::cli::console::{AGENT, BOLD, WARNING, styled};
use crate::cli::context::{Context, Ledger};
use crate::cli::error::{CliError, Exit};
use crate::cli::origins::phrase;
use crate::event::Span;
use crate::feed::{Board, Filing, Holding, Stage, prefix};
use serde_json::{Value, json};

/// An item as the queue shows it.
struct Row<'a> {
    filing: &'a Filing,
    /// Who has the better right to its id, if somebody has.
    loses_to: Option<&'a Filing>,
    age: i128,
    idle: i128,
    cold: bool,
}

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &QueueArgs) -> Result<Exit, CliError> {
    let now = instant(args.now.as_ref())?;
    let gathered = gather(context, ledger)?;
    let board = Board::of(&gathered.feed);
    let row = |filing| row(&board, filing, now, context.config.feed_cold);
    let rows: Vec<Row<'_>> = board.filings().iter().map(row).filter(|row| wanted(row, args)).collect();
    if context.console.json {
        let items: Vec<Value> = rows.iter().map(row_json).collect();
        context.console.json(&json!({"schema": "headwater.feed.queue/1", "ledger": ledger.name,
            "posts": gathered.feed.len(), "items": items}))?;
        return Ok(Exit::Done);
    }
    for row in &rows {
        context.console.result(&line(row))?;
    }
    if rows.is_empty() {
        context.console.notice("the queue is empty");
    }
    Ok(Exit::Done)
}

fn row<'a>(board: &'a Board, filing: &'a Filing, now: i128, cold: Span) -> Row<'a> {
    let tended = filing.tended(horizon(now));
    Row {
        filing,
        loses_to: board.loses(filing),
        age: now - filing.by.ts.unix_nanos(),
        idle: tended.map_or(0, |last| now - last.ts.unix_nanos()),
        cold: filing.is_cold(now, horizon(now), cold),
    }
}

fn wanted(row: &Row<'_>, args: &QueueArgs) -> bool {
    let filing = row.filing;
    let state = match args.state {
        None => args.all || filing.is_open(),
        Some(StateWord::Awaiting) => filing.stage == Stage::Awaiting,
        Some(StateWord::Claimed) => matches!(filing.stage, Stage::Claimed(_)),
        Some(StateWord::Done) => matches!(filing.stage, Stage::Done(_)),
        Some(StateWord::Pending) => filing.holding.is_pending(),
        Some(StateWord::Collision) => row.loses_to.is_some(),
        Some(StateWord::Cold) => row.cold,
    };
    let owner = args.owner.as_ref().is_none_or(|owner| filing.stage.owner() == Some(owner));
    let named = |wanted: &String| prefix(&filing.holding.item) == wanted.trim_end_matches('-').to_ascii_uppercase();
    state && owner && args.prefix.as_ref().is_none_or(named)
}

/// The marks that an item bears beside its state.
fn marks(row: &Row<'_>) -> Vec<&'static str> {
    let all = [
        (row.filing.holding.is_pending(), "CONFIRM-PENDING"),
        (row.loses_to.is_some(), "COLLISION"),
        (row.cold, "COLD"),
    ];
    all.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark).collect()
}

fn line(row: &Row<'_>) -> String {
    let filing = row.filing;
    let item = styled(&phrase(&filing.holding.item, 64), BOLD);
    let owner = filing.stage.owner().map_or_else(|| "-".to_owned(), |owner| phrase(owner, 24));
    let marks = marks(row).iter().fold(String::new(), |text, mark| text + "  " + &styled(mark, WARNING));
    let lost = row.loses_to.map(|other| format!(" with {}", phrase(&other.by.agent, 24))).unwrap_or_default();
    format!(
        "{item}  {}  {}  age {}  idle {}{marks}{lost}  {}",
        filing.stage.word(),
        styled(&owner, AGENT),
        age(row.age),
        age(row.idle),
        phrase(&filing.subject, 80)
    )
}

fn row_json(row: &Row<'_>) -> Value {
    let filing = row.filing;
    let warmth = if row.cold { "cold" } else { "warm" };
    json!({"item": filing.holding.item, "state": filing.stage.word(), "owner": filing.stage.owner(),
        "filed_by": filing.by.agent, "filed_at": filing.by.ts.to_string(), "post": filing.by.id.to_hex(),
        "subject": filing.subject, "age_seconds": seconds(row.age), "idle_seconds": seconds(row.idle),
        "warmth": warmth, "confirm_pending": filing.holding.is_pending(), "says_reserved": filing.holding.reserved.is_some(),
        "collides_with": row.loses_to.map(|other| other.by.id.to_hex()), "aliases": aliases(&filing.former)})
}

fn seconds(nanos: i128) -> i64 {
    i64::try_from((nanos / 1_000_000_000).max(0)).unwrap_or(i64::MAX)
}

pub(super) fn aliases(former: &[Holding]) -> Vec<&str> {
    former.iter().map(|holding| holding.item.as_str()).collect()
}
