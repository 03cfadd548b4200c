//! What an occasion leads to: whether `current.md` is written, and the ledger committed (`triggers:`).

use super::clock;
use super::context::{Context, Ledger, below};
use super::error::{CliError, Exit};
use super::origins::counted;
use super::synth::{report_kept, write_view};
use crate::config::{Trigger, Writing};
use crate::git::{CommitOutcome, CommitRequest, Reason};
use crate::ledger::pack::{is_event_name, is_written_name};
use crate::store::replace_view;
use crate::trust::consent::Committing;
use std::time::Duration;

/// Does what a trigger says, in at most about `limit` for the commit.
pub(super) fn apply(context: &Context<'_>, ledger: &Ledger, trigger: Trigger, limit: Duration) -> Result<(), CliError> {
    let granted = context.consents()?.committing(&trigger.commit);
    let commits = granted.filter(|_| ledger.in_git.is_some());
    let with_view = commits.is_some() && context.view_is_committed_here()? == Some(true);
    let in_the_way = match (trigger.view, &ledger.in_git, context.git()) {
        (Writing::Safe, Some(prefix), Some(git)) => git.is_tracked_and_clean(&below(prefix, "current.md"))?,
        _ => false,
    };
    let writes = match trigger.view {
        Writing::Never => false,
        Writing::Safe => with_view || (!in_the_way && (ledger.dir.view().exists() || may_appear(context, ledger)?)),
        Writing::Always => true,
    };
    if writes {
        report_kept(context, &write_view(context, ledger)?.kept);
    }
    let Some(granted) = commits else { return Ok(()) };
    let outcome = commit(context, ledger, &granted, with_view, limit);
    // A changed view that is not committed would stop the next checkout: it is put back. Another process may have
    // committed it meanwhile, or a newer one.
    if let (true, true, Err(_) | Ok(CommitOutcome::Skipped(_)), Some(prefix), Some(git)) =
        (in_the_way, writes, &outcome, &ledger.in_git, context.git())
        && let Some(staged) = git.staged_if_changed(&below(prefix, "current.md"))?
    {
        replace_view(&ledger.dir, &staged)?;
    }
    report(context, &outcome?);
    Ok(())
}

/// Whether a view that is not there yet may be made: a new file that git does not ignore would be in the way of
/// every branch that has one.
fn may_appear(context: &Context<'_>, ledger: &Ledger) -> Result<bool, CliError> {
    match (context.git(), &ledger.in_git) {
        (Some(git), Some(prefix)) => Ok(git.ignores(&below(prefix, "current.md"))?),
        _ => Ok(true),
    }
}

/// Commits the ledger's own files, as the user of this clone allows it.
pub(super) fn commit(
    context: &Context<'_>,
    ledger: &Ledger,
    granted: &Committing,
    with_view: bool,
    limit: Duration,
) -> Result<CommitOutcome, CliError> {
    let git = context.git_for("a commit")?;
    let Some(prefix) = &ledger.in_git else {
        return Err(CliError::Usage(format!(
            "the ledger `{}` lies outside the work tree and cannot be committed",
            ledger.name
        )));
    };
    let (events, archive, view) = (below(prefix, "events"), below(prefix, "archive"), below(prefix, "current.md"));
    let owns = |file: &str| owns(file, &events, &archive) || (with_view && file == view);
    let request = CommitRequest {
        prefixes: &[&events, &archive, &view],
        owns: &owns,
        message: "headwater: update the ledger",
        throttle: granted.throttle().map(|span| Duration::from_secs(span.seconds().unsigned_abs())),
        limit,
        now: i64::try_from(clock::now_unix_nanos() / 1_000_000_000).unwrap_or_default(),
    };
    Ok(git.commit_paths(&request)?)
}

/// How a command ends that was asked for a commit: what git refused is a failure, what the user is in the middle of, or
/// asked for, is none.
pub(super) const fn exit(outcome: &CommitOutcome) -> Exit {
    match outcome {
        CommitOutcome::Skipped(Reason::Unsigned { .. } | Reason::IndexLocked | Reason::HeadMoved) => Exit::Failed,
        CommitOutcome::Skipped(_) | CommitOutcome::Committed { .. } => Exit::Done,
    }
}

/// Says what came of a commit.
pub(super) fn report(context: &Context<'_>, outcome: &CommitOutcome) {
    match outcome {
        CommitOutcome::Committed { oid, files } => {
            let short = oid.as_str().get(..12).unwrap_or_default();
            context.console.notice(&format!("committed {} as {short}", counted(*files, "file")));
        }
        CommitOutcome::Skipped(reason @ (Reason::Unchanged | Reason::Throttled { .. })) => {
            context.console.notice(&format!("not committed: {reason}"));
        }
        // Nobody would expect it.
        CommitOutcome::Skipped(reason) => context.console.warning(&format!("not committed: {reason}")),
    }
}

/// Whether a path is an event, an archived one, a pack, or the README beside them.
fn owns(file: &str, events: &str, archive: &str) -> bool {
    let below = |folder: &str| file.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
    if let Some(name) = below(events) {
        return name == "README.md" || (!name.contains('/') && is_event_name(name.as_bytes()));
    }
    let archived = below(archive).and_then(|rest| rest.split_once('/'));
    archived.is_some_and(|(day, name)| {
        let file = is_event_name(name.as_bytes()) || is_written_name(name);
        crate::store::is_day(day) && !name.contains('/') && file
    })
}
