//! `headwater archive`, and `synth --archive`.

use super::args::ArchiveArgs;
use super::clock::now_unix_nanos;
use super::context::{Context, Ledger};
use super::error::{CliError, Exit};
use super::origins::counted;
use crate::event::Span;
use crate::ledger::escape::safe_for_terminal;
use crate::store::{ArchiveRequest, Archived, archive};

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &ArchiveArgs) -> Result<Exit, CliError> {
    let span =
        |name: &str, text: &str| Span::parse(text, "hdw").map_err(|error| CliError::Usage(format!("{name}: {error}")));
    let after = args.older_than.as_deref().map(|text| span("--older-than", text)).transpose()?;
    let pack = args.pack_older_than.as_deref().map(|text| span("--pack-older-than", text)).transpose()?;
    let may_pack = args.force || context.on_default_branch()?;
    if pack.is_some() && !may_pack {
        return Err(CliError::Usage(
            "packing removes files, and two branches that pack conflict: pack on the default branch, or say `--force`"
                .to_owned(),
        ));
    }
    let pack_after = pack.or(context.config.pack_after.filter(|_| may_pack));
    if context.config.pack_after.is_some() && pack_after.is_none() {
        context.console.notice("nothing is packed outside the default branch");
    }
    let done = execute(context, ledger, after.or(context.config.archive_after), pack_after, args.dry_run)?;
    report(context, ledger, &done, args.dry_run)
}

/// What `synth --archive` does: what the configuration says.
pub(super) fn run_configured(context: &Context<'_>, ledger: &Ledger, dry_run: bool) -> Result<Exit, CliError> {
    let pack_after = match context.config.pack_after {
        Some(span) if context.on_default_branch()? => Some(span),
        _ => None,
    };
    let done = execute(context, ledger, context.config.archive_after, pack_after, dry_run)?;
    let tense = if dry_run { "would be archived" } else { "archived" };
    context.console.notice(&format!(
        "{} {tense}, {} packed",
        counted(done.moved.len(), "event"),
        done.packed.iter().map(|(_, count)| count).sum::<usize>()
    ));
    Ok(Exit::Done)
}

fn execute(
    context: &Context<'_>,
    ledger: &Ledger,
    after: Option<Span>,
    pack_after: Option<Span>,
    dry_run: bool,
) -> Result<Archived, CliError> {
    let now = now_unix_nanos();
    let before = |span: Span| now - i128::from(span.seconds()) * 1_000_000_000;
    context.with_lock_request("archive", |lock| {
        let request = ArchiveRequest {
            schema: context.schema(),
            move_before: after.map(before),
            pack_before: pack_after.map(before),
            dry_run,
            lock,
        };
        Ok(archive(&ledger.dir, &request)?)
    })
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
