//! `headwater feed drift`: what is wrong with the queue.

use super::args::DriftArgs;
use super::gather::{Gathered, fetch, gather};
use super::{instant, namespace_of};
use crate::cli::clock::now_unix_nanos;
use crate::cli::console::{WARNING, annotation, styled};
use crate::cli::context::{Context, Ledger};
use crate::cli::error::{CliError, Exit};
use crate::cli::id::Desk;
use crate::cli::origins::counted;
use crate::feed::Board;
use crate::feed::drift::{Backing, Code, Finding, Measure, drift};
use crate::ids::fold::Book;
use crate::ledger::escape::{escape, safe_for_terminal};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A finding, and the files that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub finding: Finding,
    pub places: Vec<String>,
    /// Whether one of them is of this work tree.
    pub here: bool,
}

/// What time alone brings about, which is no reason to stop a push or a merge.
const OF_TIME: [Code; 1] = [Code::ClaimCold];

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &DriftArgs) -> Result<Exit, CliError> {
    if args.fetch {
        fetch(context)?;
    }
    let found = findings(context, ledger, instant(args.now.as_ref())?)?;
    if context.console.json {
        let list: Vec<Value> = found.iter().map(finding_json).collect();
        context.console.json(&json!({"schema": "headwater.feed.drift/1", "ledger": ledger.name, "findings": list}))?;
    } else {
        for placed in &found {
            let level = if args.warn.contains(&placed.finding.code) { "warning" } else { "error" };
            let text = if args.github { annotated(level, placed) } else { line(placed) };
            context.console.result(&text)?;
        }
        if found.is_empty() {
            context.console.notice("the feed is clean");
        } else {
            context.console.notice(&format!("{} in the feed", counted(found.len(), "finding")));
        }
    }
    let fails = found.iter().any(|placed| !args.warn.contains(&placed.finding.code));
    Ok(if fails { Exit::Finding } else { Exit::Done })
}

/// What git's pre-push says: everything, and it stops only for what this work tree has a part in.
pub(super) fn before_push(context: &Context<'_>, ledger: &Ledger) -> Result<Exit, CliError> {
    let mut worst = Exit::Done;
    for placed in findings(context, ledger, now_unix_nanos())? {
        if placed.here && !OF_TIME.contains(&placed.finding.code) {
            worst = Exit::Finding;
        }
        context.console.result(&line(&placed))?;
    }
    Ok(worst)
}

/// A finding for people.
fn line(Placed { finding, places, .. }: &Placed) -> String {
    let code = styled(finding.code.name(), WARNING);
    let places = safe_for_terminal(&places.join(", "));
    format!("{places}: {code}: {}; {}", escape(&finding.detail), finding.remedy)
}

/// A finding for the page of a pull request.
fn annotated(level: &str, Placed { finding, places, .. }: &Placed) -> String {
    let place = places.first().map_or("", String::as_str);
    let (file, at) = place.rsplit_once(':').filter(|(_, at)| at.parse::<u32>().is_ok()).unwrap_or((place, "1"));
    annotation(level, (file, at), finding.code.name(), &format!("{}; {}", finding.detail, finding.remedy))
}

fn finding_json(placed: &Placed) -> Value {
    let Placed { finding, places, .. } = placed;
    let posts: Vec<String> = finding.posts.iter().map(|id| id.to_hex()).collect();
    json!({"code": finding.code.name(), "item": finding.item, "posts": posts, "places": places,
        "detail": finding.detail, "remedy": finding.remedy})
}

/// Everything that is wrong with the queue of a ledger at an instant, in nanoseconds since 1970.
///
/// # Errors
/// The posts cannot be read.
pub(super) fn findings(context: &Context<'_>, ledger: &Ledger, now: i128) -> Result<Vec<Placed>, CliError> {
    let gathered = gather(context, ledger)?;
    let board = Board::of(&gathered.feed);
    let books = books(context);
    let backing = |item: &str| {
        let Some(namespace) = namespace_of(context, item) else { return Backing::NoLog };
        let known = books.get(&namespace.name).into_iter().flatten().any(|book| book.claim(item).is_some());
        if known { Backing::Reserved } else { Backing::NotReserved }
    };
    let measure = Measure { now, cold: context.config.feed_cold, backing: &backing };
    let found = drift(&gathered.feed, &board, &measure);
    let mut placed: Vec<Placed> = found.into_iter().map(|finding| place(&gathered, finding)).collect();
    placed.extend(gathered.bad.iter().map(|(id, (file, bad))| Placed {
        finding: Finding {
            item: None,
            code: Code::BadPost,
            posts: vec![*id],
            detail: bad.fault.clone(),
            remedy: "say it again with `headwater feed append`, and take `type: post` out of this file".to_owned(),
        },
        places: vec![format!("{file}:{}", bad.place)],
        here: gathered.here.contains(id),
    }));
    Ok(placed)
}

fn place(gathered: &Gathered, finding: Finding) -> Placed {
    let places = finding.posts.iter().map(|id| gathered.place(id)).collect();
    let here = finding.posts.iter().any(|id| gathered.here.contains(id));
    Placed { finding, places, here }
}

/// What the logs of ids hold, as far as this clone has seen them; a log that was never started holds nothing.
fn books(context: &Context<'_>) -> BTreeMap<String, [Book; 2]> {
    let desk = Desk::new(context);
    let allocator = desk.allocator(false);
    let book = |namespace: &crate::config::Namespace| {
        let (own, seen) = allocator.books(namespace).ok()?;
        Some((namespace.name.clone(), [own, seen]))
    };
    context.config.ids.values().filter_map(book).collect()
}
