//! `headwater hook pre-push`, `post-merge`, `post-rewrite`, `post-checkout`: what git's hooks call.
//!
//! A hook gets in nobody's way: only a finding stops a push, and the others only say something.

use super::args::{GitHook, Global, SynthArgs};
use super::check;
use super::console::Console;
use super::context::{ConfigSource, Context, below};
use super::error::{CliError, Exit};
use super::synth::view_name;
use super::{feed, id};
use crate::config::FILE_NAME;
use crate::git::{Git, MergeBase, Oid, Operation};
use crate::ids::check::Push;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

/// Runs one hook of git's.
pub(super) fn run(global: &Global, hook: &GitHook) -> Exit {
    // A check that finds nothing says nothing.
    let console = Console::new(&Global { quiet: true, ..global.clone() });
    let done = Context::resolve(global, &console, ConfigSource::Commit).and_then(|context| match hook {
        GitHook::PrePush { remote, .. } => pre_push(&context, remote),
        GitHook::PostMerge { .. } => after(&context, "merge", Some(("ORIG_HEAD", "HEAD"))),
        GitHook::PostRewrite { .. } => post_rewrite(&context),
        GitHook::PostCheckout { args } => post_checkout(&context, args),
    });
    done.unwrap_or_else(|error| {
        console.warning(&format!("cannot tell whether the view is fresh: {}", error.chain()));
        Exit::Done
    })
}

fn input() -> Result<String, CliError> {
    let mut input = Vec::new();
    std::io::stdin().lock().read_to_end(&mut input).map_err(CliError::Input)?;
    Ok(String::from_utf8_lossy(&input).into_owned())
}

/// Checks the commits that are pushed, whatever the work tree holds.
fn pre_push(context: &Context<'_>, remote: &str) -> Result<Exit, CliError> {
    let git = context.git_for("`hook pre-push`")?;
    let mut worst = Exit::Done;
    let input = input()?;
    let mut push = Push { replaced: replaced(&input, remote), ..Push::default() };
    for (commit, there) in pushed(&input) {
        // A tag may name something else than a commit.
        push.commits.extend(git.resolve(commit.as_str()));
        let checked = pushed_commit(context, &git, remote, &commit, there.as_ref());
        worst = worst.max(checked.unwrap_or_else(|error| {
            context.console.warning(&format!("cannot check {commit}, which is pushed: {}", error.chain()));
            Exit::Done
        }));
    }
    if input.trim().is_empty() {
        push.commits.extend(git.head_oid()?);
        push.replaced = git.layout().branch()?.map(|branch| tracking(remote, &branch)).into_iter().flatten().collect();
    }
    // What a push brings decides about numbers. Nothing is brought where it only deletes.
    let brings = !push.commits.is_empty();
    let here = context.in_work_tree(git.layout().clone())?;
    if brings && here.config.triggers.pre_push.check {
        for checked in [id::before_push(&here, &push), feed::before_push(&here)] {
            worst = worst.max(checked.unwrap_or_else(|error| {
                context.console.warning(&format!("cannot check the ids and the feed: {}", error.chain()));
                Exit::Done
            }));
        }
    }
    if worst == Exit::Done {
        return Ok(Exit::Done);
    }
    context.console.warning(
        "the push was stopped: mend what is said above and push again; a stale view is mended by `headwater --no-confirm --commit` (`git push --no-verify` leaves this check out)",
    );
    Ok(Exit::Finding)
}

/// The pushed objects with what the remote has in their place; deletions left out, equal ones once.
///
/// Source: githooks(5), "pre-push": `<local ref> SP <local oid> SP <remote ref> SP <remote oid> LF`.
fn pushed(input: &str) -> BTreeMap<Oid, Option<Oid>> {
    let is_none = |oid: &Oid| oid.as_str().bytes().all(|digit| digit == b'0');
    let mut found: BTreeMap<Oid, Option<Oid>> = BTreeMap::new();
    for line in input.lines() {
        // The local name may be any expression, with spaces even.
        let mut words = line.rsplitn(4, ' ');
        let (there, _, commit) = (words.next(), words.next(), words.next());
        let Some(commit) = commit.and_then(Oid::parse).filter(|oid| !is_none(oid)) else { continue };
        let there = there.and_then(Oid::parse).filter(|oid| !is_none(oid));
        let known = found.entry(commit).or_default();
        *known = known.take().or(there);
    }
    found
}

/// The remote-tracking references of the branches that are pushed to.
fn replaced(input: &str, remote: &str) -> BTreeSet<String> {
    let there = |line: &str| line.rsplit(' ').nth(1)?.strip_prefix("refs/heads/").map(str::to_owned);
    input.lines().filter_map(there).flat_map(|branch| tracking(remote, &branch)).collect()
}

fn tracking(remote: &str, branch: &str) -> [String; 2] {
    [format!("refs/remotes/{remote}/{branch}"), format!("refs/headwater/heads/{branch}")]
}

fn pushed_commit(
    context: &Context<'_>,
    git: &Git,
    remote: &str,
    pushed: &Oid,
    there: Option<&Oid>,
) -> Result<Exit, CliError> {
    // A tag may name something else than a commit.
    let Ok(commit) = git.resolve(pushed.as_str()) else { return Ok(Exit::Done) };
    if !check::config_at(git, &commit, commit.as_str())?.triggers.pre_push.check {
        return Ok(Exit::Done);
    }
    let base = there.and_then(|oid| git.resolve(oid.as_str()).ok()).or_else(|| {
        // A history of its own lacks nothing of another.
        default_tip(git, remote).filter(|tip| !matches!(git.merge_base(&commit, tip), Ok(MergeBase::Unrelated)))
    });
    let args = |base: Option<&Oid>| SynthArgs {
        check: true,
        rev: Some(commit.as_str().to_owned()),
        base: base.map(|oid| oid.as_str().to_owned()),
        all_are_new: base.is_none(),
        ..SynthArgs::default()
    };
    match check::run(context, &args(base.as_ref())) {
        Err(CliError::CannotTell(why)) if base.is_some() => {
            context.console.warning(&format!("cannot tell whether {commit} lacks events: {why}"));
            check::run(context, &args(None))
        }
        done => done,
    }
}

/// The default branch of a remote, as this clone knows it.
fn default_tip(git: &Git, remote: &str) -> Option<Oid> {
    if let Ok(tip) = git.resolve(&format!("refs/remotes/{remote}/HEAD")) {
        return Some(tip);
    }
    let default = git.default_branch().ok()??;
    git.resolve(&format!("refs/remotes/{remote}/{}", default.name)).ok()
}

/// Standard input has a line `<old> SP <new> [SP <more>]` for each commit, the tip's last (githooks(5)).
fn post_rewrite(context: &Context<'_>) -> Result<Exit, CliError> {
    let input = input()?;
    let mut words = input.lines().last().unwrap_or_default().split(' ');
    after(context, "rewrite", words.next().zip(words.next()))
}

/// `<old> <new> <flag>`; the flag is 1 where a branch or commit was checked out, 0 for single files.
fn post_checkout(context: &Context<'_>, args: &[String]) -> Result<Exit, CliError> {
    let [old, new, flag] = args else { return Ok(Exit::Done) };
    let under_way = context.layout.as_ref().and_then(crate::git::Layout::operation_under_way);
    // What a rebase goes through is not where it ends; post-rewrite comes then.
    if flag != "1" || old == new || matches!(under_way, Some(Operation::Rebase | Operation::ApplyPatches)) {
        return Ok(Exit::Done);
    }
    after(context, "checkout", Some((old, new)))
}

/// Says when the view of `HEAD` is stale, unless nothing of the ledger differs between two commits.
fn after(context: &Context<'_>, what: &str, between: Option<(&str, &str)>) -> Result<Exit, CliError> {
    let git = context.git_for("a hook")?;
    if let Some((old, new)) = between
        && let (Ok(old), Ok(new)) = (git.resolve(old), git.resolve(new))
        && (old == new || same_ledger(context, &git, &old, &new)?)
    {
        return Ok(Exit::Done);
    }
    for subject in check::commit(context, "HEAD", false)? {
        let subject = subject?;
        if subject.is_stale() {
            context.console.warning(&format!(
                "after this {what} `{}` is stale; run `headwater` and commit the result (`headwater --no-confirm --commit` does both)",
                view_name(&subject.ledger)
            ));
        }
    }
    Ok(Exit::Done)
}

fn same_ledger(context: &Context<'_>, git: &Git, old: &Oid, new: &Oid) -> Result<bool, CliError> {
    let config = check::config_at(git, new, new.as_str())?;
    let mut paths: Vec<String> = check::ledgers_of(context, &config)?.into_iter().filter_map(|it| it.in_git).collect();
    paths =
        paths.iter().flat_map(|prefix| ["events", "archive", "current.md"].map(|name| below(prefix, name))).collect();
    paths.push(FILE_NAME.to_owned());
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    Ok(git.same_files(old, new, &paths)?)
}

#[cfg(test)]
mod tests {
    use super::pushed;

    #[test]
    fn what_is_pushed() {
        let (a, b, none) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        let input = format!(
            "refs/heads/x {a} refs/heads/x {none}\nHEAD^{{/a b}} {a} refs/heads/y {b}\n(delete) {none} refs/heads/z {b}\nnonsense\n"
        );
        let found: Vec<_> = pushed(&input)
            .into_iter()
            .map(|(commit, there)| (commit.to_string(), there.map(|oid| oid.to_string())))
            .collect();
        assert_eq!(found, [(a, Some(b))]);
    }
}
