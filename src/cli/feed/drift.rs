//! `headwater feed drift`: what is wrong with the queue.

use super::args::DriftArgs;
use super::gather::{Gathered, fetch, gather};
use super::logs::{Logs, Unchecked};
use super::{horizon, instant, namespace_of};
use crate::cli::clock::now_unix_nanos;
use crate::cli::console::{WARNING, annotation, styled};
use crate::cli::context::{Context, Ledger};
use crate::cli::error::{CliError, Exit};
use crate::cli::origins::counted;
use crate::feed::drift::{Code, Finding, Measure, drift, void_command};
use crate::feed::{Board, Filing};
use crate::ledger::escape::{escape, safe_for_terminal};
use serde_json::{Value, json};

/// A finding, and the files that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub finding: Finding,
    pub places: Vec<String>,
    /// The file and line of the post at fault, if it is of this work tree.
    pub here: Option<(String, u32)>,
}

/// What time alone brings about, which is no reason to stop a push or a merge.
const OF_TIME: [Code; 1] = [Code::ClaimCold];

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &DriftArgs) -> Result<Exit, CliError> {
    if args.fetch {
        fetch(context)?;
    }
    let (found, unchecked) = findings(context, ledger, instant(args.now.as_ref())?, true)?;
    for one in &unchecked {
        context.console.warning(&format!("warning: {one}"));
    }
    if context.console.json {
        let list: Vec<Value> = found.iter().map(finding_json).collect();
        let unchecked: Vec<Value> = unchecked.iter().map(Unchecked::json).collect();
        context.console.json(&json!({"schema": "headwater.feed.drift/1", "ledger": ledger.name, "findings": list,
            "unchecked": unchecked}))?;
    } else {
        for placed in &found {
            let level = if args.warn.contains(&placed.finding.code) { "warning" } else { "error" };
            let text = if args.github { annotated(level, placed) } else { line(placed) };
            context.console.result(&text)?;
        }
        if found.is_empty() && !unchecked.is_empty() {
            context.console.notice("nothing else is wrong with the feed");
        } else if found.is_empty() {
            context.console.notice("the feed is clean");
        } else {
            context.console.notice(&format!("{} in the feed", counted(found.len(), "finding")));
        }
    }
    let fails = found.iter().any(|placed| !args.warn.contains(&placed.finding.code));
    Ok(if fails { Exit::Finding } else { Exit::Done })
}

/// What git's pre-push says: everything, and it stops only where the post at fault is of this work tree.
pub(super) fn before_push(context: &Context<'_>, ledger: &Ledger) -> Result<Exit, CliError> {
    let mut worst = Exit::Done;
    // A push waits for no log.
    for placed in findings(context, ledger, now_unix_nanos(), false)?.0 {
        if placed.here.is_some() && !OF_TIME.contains(&placed.finding.code) {
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

/// A finding for the page of a pull request, at the file of the post at fault if it is of this work tree. Of
/// what is elsewhere there is no file on that page, and the place is told in words.
fn annotated(level: &str, Placed { finding, places, here }: &Placed) -> String {
    let message = format!("{}; {}", finding.detail, finding.remedy);
    let (place, message) = match here {
        Some((file, line)) => (Some((file.as_str(), line.to_string())), message),
        None => (None, format!("{}: {message}", places.join(", "))),
    };
    let place = place.as_ref().map(|(file, line)| (*file, line.as_str()));
    annotation(level, place, finding.code.name(), &message)
}

fn finding_json(placed: &Placed) -> Value {
    let Placed { finding, places, .. } = placed;
    let posts: Vec<String> = finding.posts.iter().map(|id| id.to_hex()).collect();
    json!({"code": finding.code.name(), "item": finding.item, "posts": posts, "places": places,
        "detail": finding.detail, "remedy": finding.remedy})
}

/// Everything that is wrong with the queue of a ledger at an instant, in nanoseconds since 1970, and the items
/// whose numbers no log could be asked about. `ask` asks the shared logs about what this clone has not seen of them.
///
/// # Errors
/// The posts cannot be read.
pub(super) fn findings(
    context: &Context<'_>,
    ledger: &Ledger,
    now: i128,
    ask: bool,
) -> Result<(Vec<Placed>, Vec<Unchecked>), CliError> {
    let gathered = gather(context, ledger)?;
    let board = Board::of(&gathered.feed);
    // What waits for its confirmation is asked about only where somebody else has the same number.
    let asked = |filing: &&Filing| !filing.holding.is_pending() || !board.rivals(filing).is_empty();
    let held = board.filings().iter().filter(asked);
    let logs = Logs::of(context, held.map(|filing| filing.holding.item.as_str()), ask);
    let backing = |item: &str| logs.backing(item);
    let namespace = |item: &str| namespace_of(context, item).map(|namespace| namespace.name.clone());
    let measure = Measure {
        now,
        horizon: horizon(now),
        cold: context.config.feed_cold,
        backing: &backing,
        namespace: &namespace,
    };
    let found = drift(&gathered.feed, &board, &measure);
    let mut placed: Vec<Placed> = found.into_iter().map(|finding| place(&gathered, finding)).collect();
    let bad = gathered.bad.iter().filter(|(id, _)| !board.is_void(id));
    placed.extend(bad.map(|(id, (file, bad))| Placed {
        finding: Finding {
            item: None,
            code: Code::BadPost,
            posts: vec![*id],
            detail: bad.fault.clone(),
            remedy: format!(
                "say it again with `headwater feed append`, and that this one is void: {}",
                void_command(id)
            ),
        },
        places: vec![format!("{file}:{}", bad.place)],
        here: gathered.here.contains(id).then(|| (file.clone(), bad.place.line)),
    }));
    Ok((placed, logs.unchecked))
}

fn place(gathered: &Gathered, finding: Finding) -> Placed {
    let places = finding.posts.iter().map(|id| gathered.place(id)).collect();
    let at_fault = finding.posts.first().filter(|id| gathered.here.contains(id));
    let here = at_fault.map(|id| (gathered.place(id), 1));
    Placed { finding, places, here }
}
