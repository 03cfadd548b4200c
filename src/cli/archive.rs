//! `headwater archive`, and `synth --archive`.

use super::args::ArchiveArgs;
use super::clock::now_unix_nanos;
use super::context::{Context, Ledger, below};
use super::error::{CliError, Exit};
use super::origins::counted;
use crate::event::Span;
use crate::git::{MergeBase, TreeEntry};
use crate::ledger::escape::safe_for_terminal;
use crate::store::{ArchiveRequest, Archived, archive};
use std::collections::BTreeSet;

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &ArchiveArgs) -> Result<Exit, CliError> {
    let span =
        |name: &str, text: &str| Span::parse(text, "hdw").map_err(|error| CliError::Usage(format!("{name}: {error}")));
    let after = args.older_than.as_deref().map(|text| span("--older-than", text)).transpose()?;
    let pack = args.pack_older_than.as_deref().map(|text| span("--pack-older-than", text)).transpose()?;
    let may_pack = args.force || context.on_default_branch()? == Some(true);
    if pack.is_some() && !may_pack {
        return Err(CliError::Usage(
            "packing removes files, and two branches that pack conflict: pack on the default branch, or say `--force`"
                .to_owned(),
        ));
    }
    let pack = pack.or(context.config.pack_after.filter(|_| may_pack));
    if context.config.pack_after.is_some() && pack.is_none() {
        context.console.notice("nothing is packed outside the default branch");
    }
    let spans = Spans { archive: after.or(context.config.archive_after), pack, force: args.force };
    let done = execute(context, ledger, &spans, args.dry_run)?;
    report(context, ledger, &done, args.dry_run)
}

/// What `synth --archive` does: what the configuration says.
pub(super) fn run_configured(context: &Context<'_>, ledger: &Ledger, dry_run: bool) -> Result<Exit, CliError> {
    let pack = match context.config.pack_after {
        Some(span) if context.on_default_branch()? == Some(true) => Some(span),
        _ => None,
    };
    let spans = Spans { archive: context.config.archive_after, pack, force: false };
    let done = execute(context, ledger, &spans, dry_run)?;
    let tense = if dry_run { "would be archived" } else { "archived" };
    context.console.notice(&format!(
        "{} {tense}, {} packed",
        counted(done.moved.len(), "event"),
        done.packed.iter().map(|(_, count)| count).sum::<usize>()
    ));
    Ok(Exit::Done)
}

/// How old an event must be.
struct Spans {
    archive: Option<Span>,
    pack: Option<Span>,
    /// Packs whatever other branches hold.
    force: bool,
}

fn execute(context: &Context<'_>, ledger: &Ledger, spans: &Spans, dry_run: bool) -> Result<Archived, CliError> {
    let now = now_unix_nanos();
    let before = |span: Span| now - i128::from(span.seconds()) * 1_000_000_000;
    let packable = match spans.pack {
        Some(_) if !spans.force => packable(context, ledger)?,
        _ => None,
    };
    context.with_lock_request("archive", |lock| {
        let request = ArchiveRequest {
            schema: context.schema(),
            move_before: spans.archive.map(before),
            pack_before: spans.pack.map(before),
            packable: packable.as_ref(),
            dry_run,
            lock,
        };
        Ok(archive(&ledger.dir, &request)?)
    })
}

/// The archived files that every branch had when it left this one: packing another would remove a file
/// that a branch still moves, and git would call that a conflict. `None` where there is no such branch.
fn packable(context: &Context<'_>, ledger: &Ledger) -> Result<Option<BTreeSet<String>>, CliError> {
    let (Some(git), Some(prefix)) = (context.git(), &ledger.in_git) else { return Ok(None) };
    let Some(head) = git.head_oid()? else { return Ok(None) };
    let archive = below(prefix, "archive");
    let files_at = |fork: &MergeBase| -> Result<BTreeSet<String>, CliError> {
        let MergeBase::Found(commit) = fork else { return Ok(BTreeSet::new()) };
        let name = |entry: &TreeEntry| {
            Some(std::str::from_utf8(&entry.path).ok()?.strip_prefix(&archive)?.strip_prefix('/')?.to_owned())
        };
        Ok(git.list_tree(commit, &archive)?.iter().filter_map(name).collect())
    };
    let mut forks = git.unmerged_forks(&head)?;
    forks.retain(|fork| *fork != MergeBase::Unrelated);
    forks.dedup();
    let mut packable: Option<BTreeSet<String>> = None;
    for fork in &forks {
        let files = files_at(fork)?;
        packable = Some(packable.map_or_else(|| files.clone(), |known| known.intersection(&files).cloned().collect()));
    }
    if packable.is_some() {
        context
            .console
            .notice("only what branches that are not merged had archived already is packed; `--force` packs the rest");
    }
    Ok(packable)
}

fn report(context: &Context<'_>, ledger: &Ledger, done: &Archived, dry_run: bool) -> Result<Exit, CliError> {
    if context.console.json {
        let moved: Vec<_> = done.moved.iter().map(|(from, to)| serde_json::json!({"from": from, "to": to})).collect();
        let packed: Vec<_> =
            done.packed.iter().map(|(pack, events)| serde_json::json!({"pack": pack, "events": events})).collect();
        context.console.json(&serde_json::json!({
            "schema": "headwater.archive/1", "ledger": ledger.name, "dry_run": dry_run, "moved": moved, "packed": packed,
        }))?;
        return Ok(Exit::Done);
    }
    for (from, to) in &done.moved {
        context.console.result(&safe_for_terminal(&format!("{from} -> {to}")))?;
    }
    for (pack, events) in &done.packed {
        context.console.result(&safe_for_terminal(&format!("{pack} <- {}", counted(*events, "event"))))?;
    }
    if done.moved.is_empty() && done.packed.is_empty() {
        context.console.notice("nothing to archive");
    } else if dry_run {
        context.console.notice("nothing was changed");
    }
    Ok(Exit::Done)
}
