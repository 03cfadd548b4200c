//! `headwater id check`: for hooks and CI.

use super::Desk;
use super::args::CheckArgs;
use crate::cli::clock;
use crate::cli::console::annotation;
use crate::cli::error::{CliError, Exit};
use crate::event::Span;
use crate::git::{Git, Oid};
use crate::ids::Allocator;
use crate::ids::check::{COLLISION, Finding, Request};
use crate::ledger::escape::safe_for_terminal;
use std::time::Duration;

/// How long one conversation with the remote may take.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) fn run(desk: &Desk<'_>, args: &CheckArgs) -> Result<Exit, CliError> {
    let allocator = desk.allocator(!args.no_fetch);
    let namespaces = desk.namespaces(&allocator, &args.namespaces)?;
    let span =
        Span::parse(&args.unused_after, "hdw").map_err(|error| CliError::Usage(format!("--unused-after: {error}")))?;
    let now = clock::now()?;
    if !args.no_fetch {
        for remote in
            namespaces.iter().map(|namespace| namespace.remote.as_str()).collect::<std::collections::BTreeSet<_>>()
        {
            fetch(&allocator, remote)?;
        }
    }
    let request = Request {
        base: base(desk, args)?,
        now: now.unix_nanos() / 1_000_000,
        unused_before: now.nanos_before(span) / 1_000_000,
    };
    let mut findings = Vec::new();
    for namespace in namespaces {
        findings.extend(allocator.check(namespace, &request)?);
    }
    report(desk, args, &findings)?;
    let collides = findings.iter().any(|finding| finding.code == COLLISION);
    Ok(if collides { Exit::Finding } else { Exit::Done })
}

/// The collisions that this clone sees without asking the remote.
pub(super) fn collisions(desk: &Desk<'_>) -> Result<Exit, CliError> {
    let allocator = desk.allocator(false);
    let now = clock::now()?.unix_nanos() / 1_000_000;
    let git = desk.context.git_for("`hook pre-push`")?;
    let base = match git.default_branch()? {
        Some(default) => git.reference(&default.reference)?,
        None => None,
    };
    let mut findings = Vec::new();
    for namespace in desk.context.config.ids.values() {
        let request = Request { base: base.clone(), now, unused_before: i128::MIN };
        findings.extend(allocator.check(namespace, &request)?.into_iter().filter(|finding| finding.code == COLLISION));
    }
    for Finding { code, id, place, detail, remedy } in &findings {
        let text = format!("{place}: {code}: {id} {detail}; {remedy}");
        desk.context.console.result(&safe_for_terminal(&text))?;
    }
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Finding })
}

/// What was asked to be compared with must be seen; the default branch, where there is one.
fn base(desk: &Desk<'_>, args: &CheckArgs) -> Result<Option<Oid>, CliError> {
    if let Some(rev) = &args.base {
        return Ok(Some(desk.context.git_for("`--base`")?.resolve(rev)?));
    }
    let Some(git) = desk.context.git() else { return Ok(None) };
    let Some(default) = git.default_branch()? else { return Ok(None) };
    Ok(git.reference(&default.reference)?)
}

fn fetch(allocator: &Allocator<'_>, remote: &str) -> Result<(), CliError> {
    let Some(git) = allocator.place.layout.as_ref().map(Git::at) else { return Ok(()) };
    if !git.has_remote(remote)? {
        return Ok(());
    }
    let heads = git.fetch_privately(remote, &[crate::ids::sources::HEADS.to_owned()], LIMIT)?;
    let pulls = git.fetch_pull_requests(remote, LIMIT)?;
    if heads.success() && pulls.success() {
        return Ok(());
    }
    let why = if heads.success() { pulls.stderr } else { heads.stderr };
    Err(CliError::CannotTell(format!("cannot see the branches of `{remote}`: {why}; `--no-fetch` checks without them")))
}

fn report(desk: &Desk<'_>, args: &CheckArgs, findings: &[Finding]) -> Result<(), CliError> {
    let console = desk.context.console;
    if console.json {
        return console.json(&serde_json::json!({"schema": "headwater.id.check/1", "findings": findings}));
    }
    for finding in findings {
        let Finding { code, id, place, detail, remedy } = finding;
        let text = if args.github { annotated(finding) } else { format!("{place}: {code}: {id} {detail}; {remedy}") };
        console.result(&safe_for_terminal(&text))?;
    }
    if findings.is_empty() {
        console.notice("no collision");
    }
    Ok(())
}

fn annotated(Finding { code, id, place, detail, remedy }: &Finding) -> String {
    let level = if *code == COLLISION { "error" } else { "warning" };
    let place = place.split_once(':').filter(|_| place.contains('.')).unwrap_or((place, "1"));
    annotation(level, place, code, &format!("{id} {detail}; {remedy}"))
}
