//! `headwater id show`: the whole history of an id, and its aliases.

use super::Desk;
use super::args::ShowArgs;
use super::list::{row_json, state};
use crate::cli::error::{CliError, Exit};
use crate::cli::origins::phrase;
use crate::ids::contract::{Anchor, Kind};
use crate::ids::rows::{about, history};
use crate::ids::{IdsError, Row};
use std::fmt::Write as _;

pub(super) fn run(desk: &Desk<'_>, args: &ShowArgs) -> Result<Exit, CliError> {
    let allocator = desk.allocator(false);
    let namespace = allocator.namespace_of(&args.id)?;
    let (own, seen) = allocator.books(namespace)?;
    let rows: Vec<Row> = allocator.rows(namespace)?.into_iter().filter(|row| row.claim.id == args.id).collect();
    if rows.is_empty() {
        return Err(IdsError::UnknownId { id: args.id.clone() }.into());
    }
    let mut aliases: Vec<&str> = seen.aliases(&args.id);
    aliases.extend(own.aliases(&args.id));
    aliases.dedup();
    // An id that was amended is followed to what stands for it now, and so is its history.
    let amended = seen.amendments(&args.id).into_iter().chain(own.amendments(&args.id));
    let names: Vec<&str> = std::iter::once(args.id.as_str()).chain(aliases.iter().copied()).chain(amended).collect();
    let mut history = history(&own, &seen, &names);
    let console = desk.context.console;
    if console.json {
        let rows: Vec<_> = rows.iter().map(row_json).collect();
        let history: Vec<_> = history.iter().filter_map(|anchor| serde_json::to_value(anchor).ok()).collect();
        console.json(&serde_json::json!({
            "schema": "headwater.id.show/1", "id": args.id, "claims": rows, "aliases": aliases, "history": history,
        }))?;
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        let _infallible =
            writeln!(text, "{}  {}  {}", row.claim.id, state(&row.claim.state), phrase(&row.anchor.agent, 24));
        if place == 0 && !aliases.is_empty() {
            let _infallible = writeln!(text, "also known as {}", aliases.join(" "));
        }
        // Where two clones have reserved it, each has its own history.
        let about = if place + 1 < rows.len() || place > 0 { about(row, &history) } else { history.clone() };
        text.extend(about.iter().map(|anchor| line(anchor)));
        history.retain(|anchor| about.iter().all(|told| told.nonce != anchor.nonce));
    }
    text.extend(history.iter().map(|anchor| line(anchor)));
    console.result(text.trim_end())?;
    Ok(Exit::Done)
}

fn line(anchor: &Anchor) -> String {
    let what = match anchor.kind {
        Kind::Reserve if anchor.provisional => "reserved, CONFIRM-PENDING:",
        Kind::Reserve => "reserved:",
        Kind::Amend if anchor.replaces == anchor.ids => "the same reservation as",
        Kind::Amend => "AMENDMENT:",
        Kind::Confirm => "CONFIRMED:",
        Kind::Release => "released:",
        Kind::Floor => "floor:",
        Kind::Unread => "not understood:",
    };
    let mut text = format!("    {}  {what} {}", anchor.at, anchor.ids.join(" "));
    if !anchor.replaces.is_empty() && anchor.replaces != anchor.ids {
        let _infallible = write!(text, " for {}", anchor.replaces.join(" "));
    }
    let _infallible = write!(text, "  {}", phrase(&anchor.agent, 24));
    for (word, said) in
        [("on", &anchor.branch), ("slug", &anchor.slug), ("event", &anchor.event), ("note", &anchor.note)]
    {
        if let Some(said) = said {
            let _infallible = write!(text, "  {word} {}", phrase(said, 60));
        }
    }
    text.push('\n');
    text
}
