//! `headwater ledger allocate`: an anchor is published, and its ids are printed.

use super::Desk;
use super::args::AllocateArgs;
use crate::cli::error::{CliError, Exit};
use crate::cli::origins::phrase;
use crate::config::LogKind;
use crate::config::pattern::Scope;
use crate::ids::IdsError;
use crate::ids::collisions::LedgerKind;
use crate::ids::collisions::decide::{Wanted, allocate, ids_now};
use crate::ids::collisions::page;
use crate::ids::contract::{Anchor, Outcome, Standing};
use crate::ids::fold::Book;
use crate::ids::reserve::Known;
use crate::trust::number::{Found, JUMP};

pub(super) fn run(desk: &Desk<'_>, args: &AllocateArgs) -> Result<Exit, CliError> {
    let wanted = wanted(args)?;
    let asking = desk.asking(args.agent.as_ref())?;
    let known = Known { found: on_page(desk, wanted.kind)?, follow: args.allow_jump, ..Known::default() };
    let name = wanted.kind.namespace_name();
    let done = desk.with_log(wanted.kind, |log| {
        let outcome = log.append(name, &mut |standing| {
            tell_jumps(desk, wanted.kind, &known, standing)?;
            allocate(standing, &asking, &wanted, &known)
        })?;
        // What an older allocation stands for now is in the log.
        let book = match &outcome {
            Outcome::Already(_) => Some(Book::fold(log.read(name)?)),
            Outcome::Appended(_) => None,
        };
        Ok((outcome, book))
    });
    let (outcome, book) = match done {
        Err(CliError::Ids(error @ IdsError::Anchored { .. })) => {
            desk.context.console.error(&error.into());
            return Ok(Exit::Finding);
        }
        Err(error @ CliError::Ids(IdsError::Unsure { .. })) => {
            (desk.warn)(
                "it is not known whether that was published; run the same command again: an equal allocation is the same one",
            );
            return Err(error);
        }
        done => done?,
    };
    let (anchor, ids) = match outcome {
        Outcome::Appended(anchors) => {
            let anchor = anchors.into_iter().next().ok_or(IdsError::NoRandom)?;
            let ids = anchor.ids.clone();
            (anchor, ids)
        }
        Outcome::Already(anchor) => {
            let now = ids_now(&book.unwrap_or_default(), &anchor);
            for (old, _) in now.iter().filter(|(_, now)| now.is_none()) {
                (desk.warn)(&format!(
                    "{old} was published first by another; `headwater ledger rebuild` gives a new id"
                ));
            }
            (*anchor, now.into_iter().map(|(old, now)| now.unwrap_or(old)).collect())
        }
    };
    warn_unsettled(desk);
    let repeated = anchor.nonce != asking.nonce;
    let console = desk.context.console;
    if repeated {
        let (at, agent) = (&anchor.at, &anchor.agent);
        console.notice(&format!(
            "{} was allocated at {at} by {agent}: the same kind, event, count and note",
            ids.join(" ")
        ));
    }
    if console.json {
        console.json(&serde_json::json!({
            "schema": "headwater.ledger.allocate/1", "ids": ids, "kind": wanted.kind.word(), "event": wanted.event,
            "note": wanted.note, "repeated": repeated, "at": anchor.at,
        }))?;
    } else {
        console.result(&ids.join(" "))?;
    }
    Ok(Exit::Done)
}

/// Says which anchors were edited or deleted: others may count without them. It is allocated all the same.
fn warn_unsettled(desk: &Desk<'_>) {
    if desk.log == LogKind::Github
        && let Ok(published) = desk.published()
    {
        desk.report_divergences(&published);
    }
}

fn wanted(args: &AllocateArgs) -> Result<Wanted, CliError> {
    let kind = LedgerKind::from(args.kind);
    for (option, text) in [("--event", Some(&args.event)), ("--note", args.note.as_ref())] {
        if text.is_some_and(|text| text.trim().is_empty() || text.len() > 10_000) {
            return Err(CliError::Usage(format!("{option}: give a text of 1 to 10000 bytes")));
        }
    }
    let backfill = match &args.ids {
        None => None,
        Some(ids) => {
            let mut numbers = Vec::new();
            for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
                let number = kind.number(id).ok_or_else(|| {
                    let example = kind.label(42);
                    CliError::Usage(format!(
                        "--ids: `{}` is no id of kind {}, such as `{example}`",
                        id.escape_debug(),
                        kind.word()
                    ))
                })?;
                if number == 0 {
                    let first = kind.label(1);
                    return Err(CliError::Usage(format!("--ids: ids are counted from `{first}`, and `{id}` is none")));
                }
                if numbers.contains(&number) {
                    return Err(CliError::Usage(format!("--ids: `{id}` stands there twice")));
                }
                numbers.push(number);
            }
            if numbers.is_empty() || numbers.len() > 10_000 {
                return Err(CliError::Usage("--ids: name 1 to 10000 ids, with `,` between them".to_owned()));
            }
            numbers.sort_unstable();
            Some(numbers)
        }
    };
    Ok(Wanted { kind, event: args.event.clone(), count: args.count, backfill, note: args.note.clone() })
}

/// The ids that the page shows: the local log is in no other clone, so ids of the page are spent there even if the log
/// does not know them.
fn on_page(desk: &Desk<'_>, kind: LedgerKind) -> Result<Found, CliError> {
    let mut found = Found::default();
    if desk.log == LogKind::Local {
        let text = desk.surfaces()?.page_text.unwrap_or_default();
        page::keys(&text).into_iter().filter_map(|label| kind.number(label)).for_each(|number| found.own(number));
    }
    Ok(found)
}

/// Tells which ids jump far above the ledger, and who published them.
fn tell_jumps(desk: &Desk<'_>, kind: LedgerKind, known: &Known, standing: &dyn Standing) -> Result<(), IdsError> {
    let (floor, jumps) = known.judge(&standing.floor(&Scope::default())?);
    let anchors = if jumps.is_empty() { Vec::new() } else { standing.anchors()? };
    let place = |number: u64| {
        let anchor = anchors.iter().find(|anchor| anchor.numbers.contains(&number));
        let by = |anchor: &Anchor| format!("published by {} at {}", phrase(&anchor.agent, 60), anchor.at);
        anchor.map_or_else(|| "on the page".to_owned(), by)
    };
    let named = jumps.iter().rev().take(3).map(|number| format!("{} ({})", kind.label(*number), place(*number)));
    let named: Vec<String> = named.collect();
    if !named.is_empty() {
        let more = if jumps.len() > named.len() { " …" } else { "" };
        (desk.warn)(&format!(
            "{}{more}: more than {JUMP} above {}, so it is in use and not followed; if it is right, repeat the command with `--allow-jump`",
            named.join(", "),
            kind.label(floor.top())
        ));
    }
    Ok(())
}
