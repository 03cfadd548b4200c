//! `headwater ledger allocate`: an anchor is published, and its ids are printed.

use super::Desk;
use super::args::AllocateArgs;
use crate::cli::error::{CliError, Exit};
use crate::config::LogKind;
use crate::ids::IdsError;
use crate::ids::collisions::LedgerKind;
use crate::ids::collisions::decide::{Wanted, allocate, ids_now};
use crate::ids::collisions::page;
use crate::ids::contract::Outcome;
use crate::ids::fold::Book;

pub(super) fn run(desk: &Desk<'_>, args: &AllocateArgs) -> Result<Exit, CliError> {
    let wanted = wanted(args)?;
    let asking = desk.asking(args.agent.as_ref())?;
    let floor = floor(desk, wanted.kind)?;
    let name = wanted.kind.namespace_name();
    let done = desk.with_log(wanted.kind, |log| {
        let outcome = log.append(name, &mut |standing| allocate(standing, &asking, &wanted, floor))?;
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

/// The highest id that the page shows: the local log is in no other clone, so ids of the page are spent
/// there even if the log does not know them.
fn floor(desk: &Desk<'_>, kind: LedgerKind) -> Result<u64, CliError> {
    if desk.log != LogKind::Local {
        return Ok(0);
    }
    let text = desk.surfaces()?.page_text.unwrap_or_default();
    Ok(page::keys(&text).into_iter().filter_map(|label| kind.number(label)).max().unwrap_or(0))
}
