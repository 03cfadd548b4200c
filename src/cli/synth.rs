//! `headwater synth`: the events into the view, and what goes with it.

use super::args::SynthArgs;
use super::console::{AGENT, BOLD, styled};
use super::context::{Context, Ledger, below};
use super::error::{CliError, Exit};
use super::inspect::fold;
use super::origins::{agents, counted, distinct, phrase};
use super::progress::with_progress;
use super::{archive, occasion};
use crate::event::Span;
use crate::git::Git;
use crate::ledger::escape::{escape, escape_file_name, safe_for_terminal};
use crate::ledger::render;
use crate::store::{
    Folded, Found, Listing, Reading, SynthRequest, Synthesized, fold_ledger, read_text, replace_whole, select,
    synthesize,
};
use crate::trust::consent::Committing;
use crate::trust::grants::agent_mark;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many agents on their branches a report names.
const SHOWN: usize = 12;

/// How long a commit may take.
const COMMIT_LIMIT: Duration = Duration::from_secs(10);

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &SynthArgs) -> Result<Exit, CliError> {
    if !args.input.is_empty() {
        let selected = select(&args.input, &ledger.dir)?;
        if !selected.is_live(&Listing::of(&ledger.dir)?) {
            return synthesize_selection(context, ledger, args, &selected.found, selected.readings(context.schema())?);
        }
    }
    if let Some(output) = &args.output {
        let folded = fold_ledger(&ledger.dir, context.schema(), &context.hidden(ledger))?;
        report_faults(context, &folded);
        write_output(context, ledger, args, output, &folded)?;
        return Ok(strict(args, &folded));
    }
    synthesize_view(context, ledger, args)
}

/// The normal run.
fn synthesize_view(context: &Context<'_>, ledger: &Ledger, args: &SynthArgs) -> Result<Exit, CliError> {
    let span = |text: &str| Span::parse(text, "mhdw").map_err(|error| CliError::Usage(format!("--throttle: {error}")));
    let throttle = args.throttle.as_deref().map(span).transpose()?;
    // A tracked view that changes and is not committed would get in the way of every merge.
    let writes_view = !args.commit || context.view_is_committed_here()? == Some(true);
    let asks = !args.no_confirm && !args.dry_run && !context.console.json && context.console.can_ask();
    if (asks || args.dry_run)
        && let Some(exit) = preview(context, ledger, args, writes_view)?
    {
        return Ok(exit);
    }
    let folded = if writes_view {
        let in_conflict = in_conflict(context, ledger);
        let done = with_progress(context, "reading events", || write_view(context, ledger))?;
        report_faults(context, &done.folded);
        report_kept(context, &done.kept);
        report(context, ledger, &done.folded, if done.written { "written" } else { "is up to date" }, !asks)?;
        if in_conflict {
            let view = safe_for_terminal(&view_name(ledger));
            context.console.warning(&format!("git still has `{view}` in conflict; run `git add {view}` and go on"));
        }
        done.folded
    } else {
        let folded = with_progress(context, "reading events", || {
            fold_ledger(&ledger.dir, context.schema(), &context.hidden(ledger))
        })?;
        report_faults(context, &folded);
        report(context, ledger, &folded, LEFT, !asks)?;
        folded
    };
    if args.archive {
        archive::run_configured(context, ledger, false)?;
    }
    let mut exit = strict(args, &folded);
    if args.commit {
        let limit = context.patience.unwrap_or(COMMIT_LIMIT);
        let outcome = occasion::commit(context, ledger, &Committing::by_option(throttle), writes_view, limit)?;
        occasion::report(context, &outcome);
        exit = exit.max(occasion::exit(&outcome));
    }
    leave(folded);
    Ok(exit)
}

/// Whether git waits for the view to be resolved. Asks it only where that may be.
fn in_conflict(context: &Context<'_>, ledger: &Ledger) -> bool {
    let (Some(layout), Some(prefix)) = (&context.layout, &ledger.in_git) else { return false };
    let has_markers = || {
        let text = read_text(&ledger.dir.view()).ok().flatten().unwrap_or_default();
        text.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<< "))
    };
    (layout.operation_under_way().is_some() || has_markers())
        && Git::at(layout).is_unmerged(&below(prefix, "current.md")).unwrap_or(false)
}

/// What is said of a view that is not committed on this branch.
const LEFT: &str = "is left as it is: it is not committed here (`view:`)";

/// Shows what would be done, and asks whether to do it; an exit code where nothing is done.
fn preview(
    context: &Context<'_>,
    ledger: &Ledger,
    args: &SynthArgs,
    writes_view: bool,
) -> Result<Option<Exit>, CliError> {
    let folded = with_progress(context, "reading events", || {
        fold_ledger(&ledger.dir, context.schema(), &context.hidden(ledger))
    })?;
    let changes = writes_view && read_text(&ledger.dir.view())?.as_deref() != Some(folded.text.as_bytes());
    let outcome = match (writes_view, changes) {
        (false, _) => LEFT,
        (true, true) => "would be written",
        (true, false) => "is up to date",
    };
    report(context, ledger, &folded, outcome, true)?;
    if args.dry_run {
        report_faults(context, &folded);
        if args.archive {
            archive::run_configured(context, ledger, true)?;
        }
        if args.commit {
            context.console.notice("then the ledger's own files would be committed");
        }
        return Ok(Some(strict(args, &folded)));
    }
    let view = format!("write {}", view_name(ledger));
    let steps = [(changes, view.as_str()), (args.archive, "archive old events"), (args.commit, "commit the ledger")];
    let steps: Vec<&str> = steps.into_iter().filter_map(|(does, step)| does.then_some(step)).collect();
    if !steps.is_empty() && !context.console.ask(&format!("{}?", steps.join(", "))) {
        context.console.notice("nothing was written");
        return Ok(Some(Exit::Done));
    }
    Ok(None)
}

/// Leaves a folded ledger to the end of the process, which is near: taking ten thousand events apart
/// piece by piece costs as much as a tenth of the run.
pub(super) fn leave<T>(folded: T) {
    std::mem::forget(folded);
}

/// Says where the text of a view is kept that was not written by headwater last.
pub(super) fn report_kept(context: &Context<'_>, kept: &[PathBuf]) {
    for kept in kept {
        context.console.warning(&format!(
            "the view that stood there is not what headwater wrote last; its text is kept in `{}`",
            kept.display()
        ));
    }
}

/// Brings the view up to date.
pub(super) fn write_view(context: &Context<'_>, ledger: &Ledger) -> Result<Synthesized, crate::store::StoreError> {
    let hidden = context.hidden(ledger);
    context.with_lock_request("synth", |lock| {
        context.with_keeper(ledger, |keeper| {
            synthesize(&ledger.dir, &SynthRequest { schema: context.schema(), lock, keeper, hidden: &hidden })
        })
    })
}

fn strict(args: &SynthArgs, folded: &Folded) -> Exit {
    if args.strict && !folded.unreadable.is_empty() { Exit::Finding } else { Exit::Done }
}

/// A choice of files that is not the live events: never over the shared view.
fn synthesize_selection(
    context: &Context<'_>,
    ledger: &Ledger,
    args: &SynthArgs,
    found: &[Found],
    readings: Vec<Reading>,
) -> Result<Exit, CliError> {
    if args.archive || args.commit {
        let reason = "`--archive` and `--commit` need the ledger's own events; leave `--input` out";
        return Err(CliError::Usage(reason.to_owned()));
    }
    let listing = Listing { files: found.to_vec(), packs: Vec::new() };
    let folded = Folded::new(listing, readings, context.schema());
    report_faults(context, &folded);
    match &args.output {
        _ if args.dry_run => report(context, ledger, &folded, "is left as it is: this is a choice of events", true)?,
        None => context.console.bytes(folded.text.as_bytes())?,
        Some(output) if same_file(output, &ledger.dir.view()) => {
            return Err(CliError::Usage(
                "a choice of events is not written over the shared view; name another `--output`".to_owned(),
            ));
        }
        Some(output) => write_output(context, ledger, args, output, &folded)?,
    }
    Ok(strict(args, &folded))
}

fn same_file(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| match (
        path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent }),
        path.file_name(),
    ) {
        (Some(parent), Some(name)) => parent.canonicalize().ok().map(|parent| parent.join(name)),
        _ => None,
    };
    a == b || real(a).is_some_and(|a| real(b).is_some_and(|b| a == b))
}

fn write_output(
    context: &Context<'_>,
    ledger: &Ledger,
    args: &SynthArgs,
    output: &Path,
    folded: &Folded,
) -> Result<(), CliError> {
    if output == Path::new("-") {
        return context.console.bytes(folded.text.as_bytes());
    }
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let inside = |folder: PathBuf| match (parent.canonicalize(), folder.canonicalize()) {
        (Ok(target), Ok(protected)) => target.starts_with(protected),
        _ => false,
    };
    if inside(ledger.dir.events()) || inside(ledger.dir.archive()) {
        return Err(CliError::Usage(format!("`{}` is among the events; name another `--output`", output.display())));
    }
    match read_text(output)? {
        Some(standing) if standing == folded.text.as_bytes() => return Ok(()),
        Some(standing) if !render::is_ours(&standing) => {
            return Err(crate::store::StoreError::Foreign(output.to_owned()).into());
        }
        _ => {}
    }
    if args.dry_run {
        context.console.notice(&format!("`{}` would be written", output.display()));
        return Ok(());
    }
    replace_whole(output, folded.text.as_bytes())?;
    context.console.notice(&format!("wrote `{}`", output.display()));
    Ok(())
}

/// Prints what was merged from whom, `whole`, or only what came of it.
fn report(context: &Context<'_>, ledger: &Ledger, folded: &Folded, outcome: &str, whole: bool) -> Result<(), CliError> {
    if !whole {
        return context.console.result(&format!("{} {outcome}", safe_for_terminal(&view_name(ledger))));
    }
    // A coding agent gets no word from outside; the view itself is a function of all events.
    let agents = match agent_mark() {
        Some(_) if !folded.state.events().is_empty() => agents(&fold(context, ledger)?.0.state),
        _ => agents(&folded.state),
    };
    let (events, unreadable) = (folded.state.events().len(), folded.unreadable.len());
    if context.console.json {
        return context.console.json(&serde_json::json!({
            "schema": "headwater.synth/1",
            "ledger": ledger.name,
            "view": view_name(ledger),
            "outcome": outcome,
            "events": events,
            "latest_ts": folded.state.latest().map(|ts| ts.to_string()),
            "agents": agents,
            "unreadable": unreadable_json(folded),
        }));
    }
    let mut text = styled(&format!("{} from {}", counted(events, "event"), counted(distinct(&agents), "agent")), BOLD);
    for agent in agents.iter().take(SHOWN) {
        let name = styled(&phrase(&agent.name, 24), AGENT);
        let branch = agent.branch.as_deref().map(|branch| format!(" on {}", phrase(branch, 40))).unwrap_or_default();
        let now = agent.now.as_deref().map(|now| format!(": {}", phrase(now, 60))).unwrap_or_default();
        let _infallible =
            write!(text, "\n  {name}  {}, last {}{branch}{now}", counted(agent.events, "event"), agent.last_seen);
    }
    if agents.len() > SHOWN {
        let _infallible = write!(text, "\n  … and {} more", agents.len() - SHOWN);
    }
    if unreadable > 0 {
        let _infallible = write!(text, "\n{} cannot be read", counted(unreadable, "file"));
    }
    let _infallible = write!(text, "\n{} {outcome}", safe_for_terminal(&view_name(ledger)));
    context.console.result(&text)
}

pub(super) fn unreadable_json(folded: &Folded) -> Vec<serde_json::Value> {
    let entry = |(name, fault): &(Vec<u8>, crate::event::Fault)| {
        serde_json::json!({
            "name": escape_file_name(name), "code": fault.code.as_str(), "line": fault.place.line,
            "column": fault.place.column, "detail": escape(&fault.detail), "remedy": fault.code.remedy(),
        })
    };
    folded.faults.iter().map(entry).collect()
}

/// How the view is called in messages.
pub(super) fn view_name(ledger: &Ledger) -> String {
    format!("{}/current.md", ledger.name.trim_end_matches('/'))
}

/// Says which events cannot be read, where, and what to do.
pub(super) fn report_faults(context: &Context<'_>, folded: &Folded) {
    if agent_mark().is_some() && !folded.faults.is_empty() {
        let count = counted(folded.faults.len(), "unreadable event");
        context.console.warning(&format!("{count}; `headwater lint` names them"));
        return;
    }
    for (name, fault) in &folded.faults {
        let place = if name.starts_with(b"archive/") { "" } else { "events/" };
        context.console.warning(&format!("{place}{}:{}", escape_file_name(name), escape(&fault.to_string())));
    }
}
