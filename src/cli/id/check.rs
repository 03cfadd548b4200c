//! `headwater id check`: for hooks and CI.

use super::Desk;
use super::args::CheckArgs;
use crate::cli::check::config_at;
use crate::cli::clock;
use crate::cli::console::annotation;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Exit};
use crate::config::Namespace;
use crate::event::{Span, Timestamp};
use crate::git::{Advertised, Git, Oid};
use crate::ids::Allocator;
use crate::ids::check::{COLLISION, Collision, Finding, Push, Request, pushed_collisions};
use crate::ledger::escape::safe_for_terminal;
use crate::trust::fault::TrustError;
use crate::trust::remote::{NoRemote, OwnRemote, OwnRemotes};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long one conversation with the remote may take.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) fn run(desk: &Desk<'_>, args: &CheckArgs) -> Result<Exit, CliError> {
    let allocator = desk.allocator(!args.no_fetch);
    let namespaces = desk.namespaces(&allocator, &args.namespaces)?;
    let span =
        Span::parse(&args.unused_after, "hdw").map_err(|error| CliError::Usage(format!("--unused-after: {error}")))?;
    let now = clock::now()?;
    let mut default = None;
    if !args.no_fetch {
        let wanted: BTreeSet<Option<&str>> = namespaces.iter().map(|namespace| namespace.remote.as_deref()).collect();
        default = fetch(&allocator, &wanted)?;
    }
    let request = Request {
        base: base(desk, args, default.as_deref())?,
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

/// The collisions that this clone sees without asking the remote; those stop a push that one of its commits has
/// a part in. Each commit is judged by its own configuration.
pub(in crate::cli) fn before_push(context: &Context<'_>, push: &Push) -> Result<Exit, CliError> {
    let git = context.git_for("`hook pre-push`")?;
    let mut namespaces: Vec<(Namespace, Push)> = Vec::new();
    for commit in &push.commits {
        for (_, namespace) in config_at(&git, commit, commit.as_str())?.ids {
            if let Some((_, push)) = namespaces.iter_mut().find(|(known, _)| *known == namespace) {
                push.commits.push(commit.clone());
            } else {
                namespaces.push((namespace, Push { commits: vec![commit.clone()], ..push.clone() }));
            }
        }
    }
    if namespaces.is_empty() {
        return Ok(Exit::Done);
    }
    let base = match git.default_branch()? {
        Some(default) => git.reference(&default.reference)?,
        None => None,
    };
    let mut worst = Exit::Done;
    for (namespace, push) in &namespaces {
        for Collision { finding, here } in pushed_collisions(namespace, &git, base.as_ref(), push)? {
            if here && finding.code == COLLISION {
                worst = Exit::Finding;
            }
            context.console.result(&safe_for_terminal(&line(&finding)))?;
        }
    }
    Ok(worst)
}

/// A finding for people.
fn line(Finding { code, id, place, detail, remedy }: &Finding) -> String {
    format!("{place}: {code}: {id} {detail}; {remedy}")
}

/// What was asked to be compared with must be seen; else it is the default branch, of this clone or, as in
/// the checkouts of CI that have none, of the remote.
fn base(desk: &Desk<'_>, args: &CheckArgs, remotes: Option<&str>) -> Result<Option<Oid>, CliError> {
    if let Some(rev) = &args.base {
        return Ok(Some(desk.context.git_for("`--base`")?.resolve(rev)?));
    }
    let Some(git) = desk.context.git() else { return Ok(None) };
    let reference = match git.default_branch()? {
        Some(default) => default.reference,
        None => match remotes {
            Some(name) => format!("refs/headwater/heads/{name}"),
            None => return Ok(None),
        },
    };
    Ok(git.reference(&reference)?)
}

/// Fetches the branches and open pull requests of remotes; gives the default branch of the first that says one.
fn fetch(allocator: &Allocator<'_>, wanted: &BTreeSet<Option<&str>>) -> Result<Option<String>, CliError> {
    let Some(git) = allocator.place.layout.as_ref().map(Git::at) else { return Ok(None) };
    let remotes = OwnRemotes::of(&git)?;
    let mut shown: Vec<(OwnRemote, Advertised)> = Vec::new();
    for wanted in wanted {
        let remote = match remotes.choose(*wanted) {
            Ok(remote) => remote,
            Err(NoRemote::Missing { .. }) => continue,
            Err(NoRemote::Refused(refusal)) => return Err(refusal.into()),
        };
        if !shown.iter().any(|(known, _)| known.name() == remote.name()) {
            let unseen = |why: TrustError| cannot_see(remote.name(), &why.to_string());
            let from = remote.advertised(LIMIT).map_err(unseen)?;
            shown.push((remote, from));
        }
    }
    // What is not there any more may have the name of a folder by now, so it goes first.
    git.retire(&shown.iter().map(|(_, from)| from.clone()).collect::<Vec<_>>())?;
    for (remote, from) in &shown {
        let fetched =
            remote.fetch_advertised(from, LIMIT).map_err(|why| cannot_see(remote.name(), &why.to_string()))?;
        if !fetched.success() {
            return Err(cannot_see(remote.name(), &fetched.stderr));
        }
    }
    Ok(shown.into_iter().find_map(|(_, from)| from.default_branch))
}

fn cannot_see(remote: &str, why: &str) -> CliError {
    CliError::CannotTell(format!("cannot see the branches of `{remote}`: {why}; `--no-fetch` checks without them"))
}

fn report(desk: &Desk<'_>, args: &CheckArgs, findings: &[Finding]) -> Result<(), CliError> {
    let console = desk.context.console;
    if console.json {
        return console.json(&serde_json::json!({"schema": "headwater.id.check/1", "findings": findings}));
    }
    for finding in findings {
        let text = if args.github { annotated(finding) } else { line(finding) };
        console.result(&safe_for_terminal(&text))?;
    }
    if findings.is_empty() {
        console.notice("no collision");
    }
    Ok(())
}

fn annotated(Finding { code, id, place, detail, remedy }: &Finding) -> String {
    let level = if *code == COLLISION { "error" } else { "warning" };
    annotation(level, place_in_file(place), code, &format!("{id} {detail}; {remedy}"))
}

/// The file and line of a place; none where it is a reservation's instant and agent.
fn place_in_file(place: &str) -> Option<(&str, &str)> {
    let reserved = place.split_once(" by ").is_some_and(|(at, _)| Timestamp::parse(at).is_some());
    let (file, line) = place.rsplit_once(':').filter(|(_, line)| line.parse::<u64>().is_ok()).unwrap_or((place, "1"));
    (!reserved).then_some((file, line))
}

#[cfg(test)]
mod tests {
    use super::{Finding, annotated};

    #[test]
    fn annotations_name_files_only() {
        let finding = |code, place: &str| {
            annotated(&Finding {
                code,
                id: "SEC-1".to_owned(),
                place: place.to_owned(),
                detail: "is 100%".to_owned(),
                remedy: "see".to_owned(),
            })
        };
        assert_eq!(
            finding("id-collision", "a,b/c.md:7"),
            "::error file=a%2Cb/c.md,line=7,title=id-collision::SEC-1 is 100%25; see"
        );
        assert_eq!(finding("x", "TASKS"), "::warning file=TASKS,line=1,title=x::SEC-1 is 100%25; see");
        assert_eq!(finding("x", "2026-11-21T11:04:08.816Z by toast"), "::warning title=x::SEC-1 is 100%25; see");
    }
}
