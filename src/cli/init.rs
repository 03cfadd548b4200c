//! `headwater init`: what a repository needs, shown, then done; or taken out again.

use super::args::InitArgs;
use super::console::{AGENT, BOLD, styled};
use super::context::Context;
use super::error::{CliError, Exit};
use super::hub::IssueFinder;
use super::origins::counted;
use crate::config::DEFAULT_LEDGER;
use crate::git::Git;
use crate::ledger::escape::safe_for_terminal;
use crate::setup::{self, Act, CONTRACTS, Part, Plan, Settings, Step, Word};
use crate::store::{Folded, Listing};
use crate::trust::host::is_grant;
use crate::trust::remote::OwnRemotes;
use serde_json::json;
use std::collections::BTreeSet;

pub(super) fn run(context: &Context<'_>, args: &InitArgs) -> Result<Exit, CliError> {
    let git = context
        .git()
        .ok_or_else(|| CliError::Usage("there is no git work tree here to set up; run `git init` first".to_owned()))?;
    let named = named_parts(args);
    let asks = !args.dry_run && !context.console.json && context.console.can_ask();
    let mut settings = settings(context)?;
    settings.consents = typed(args)?;
    let plan = if args.uninstall {
        let parts = if named.is_empty() || args.all { Part::ALL.into_iter().collect() } else { named };
        setup::uninstall(&git, &parts, &settings)?
    } else {
        let mut parts = match named.is_empty() {
            false => named,
            true if asks => asked_parts(context, &git),
            true => usual_parts(&git),
        };
        if asks {
            ask_consents(context, &git, &mut settings)?;
        }
        parts.insert(Part::Ledger);
        if context.view_is_committed_here()? != Some(true) {
            settings.first_view = None;
        }
        let mut plan = setup::install(&git, &parts, &settings)?;
        if parts.contains(&Part::Schedule) {
            let branch = git.default_branch()?.map_or_else(|| "main".to_owned(), |branch| branch.name);
            let line = setup::cron_line(&git.layout().common_dir, &branch);
            plan.notes.push((
                "without GitHub".to_owned(),
                format!(
                    "`crontab -e` and this line archive in a temporary work tree instead, where cron's PATH has `headwater`:\n{line}"
                ),
            ));
        }
        plan
    };
    show(context, args, &plan)?;
    if plan.is_empty() || args.dry_run {
        return Ok(Exit::Done);
    }
    if asks && !context.console.ask(&format!("Make {}?", counted(plan.steps.len(), "change"))) {
        context.console.notice("nothing was changed");
        return Ok(Exit::Done);
    }
    plan.apply(&git)?;
    for ledger in &context.ledgers {
        let view = settings.first_view.as_deref().unwrap_or_default();
        context.with_keeper(ledger, |keeper| keeper.wrote(&ledger.dir.view(), view.as_bytes()));
    }
    if !context.console.json {
        let done = if args.uninstall { "taken out" } else { "set up; `headwater doctor` checks it" };
        context.console.result(done)?;
    }
    Ok(Exit::Done)
}

/// What a set-up depends on here.
pub(super) fn settings(context: &Context<'_>) -> Result<Settings, CliError> {
    let path = |ledger: &super::context::Ledger| {
        ledger.in_git.clone().filter(|path| !path.is_empty()).ok_or_else(|| {
            CliError::Usage(format!(
                "the ledger `{}` is no folder inside the work tree, and cannot be set up",
                ledger.name
            ))
        })
    };
    let ledgers = context.ledgers.iter().map(path).collect::<Result<Vec<_>, _>>()?;
    let is_default_ledger = ledgers == [DEFAULT_LEDGER];
    let ids = !context.config.ids.is_empty();
    let ignore_files = context.layout.as_ref().map(|layout| setup::ignore_files(&layout.work_tree)).unwrap_or_default();
    let first_view = Some(Folded::new(Listing::default(), Vec::new(), context.schema()).text);
    let (view, consents) = (context.config.view, Vec::new());
    Ok(Settings { ledgers, is_default_ledger, view, ids, ignore_files, consents, first_view })
}

fn named_parts(args: &InitArgs) -> BTreeSet<Part> {
    let named = [
        (args.git, Part::Git),
        (args.claude, Part::Claude),
        (args.codex, Part::Codex),
        (args.gemini, Part::Gemini),
        (args.cursor, Part::Cursor),
        (args.copilot, Part::Copilot),
        (args.github_actions, Part::GithubActions),
        (args.schedule, Part::Schedule),
        (args.pre_commit, Part::PreCommit),
    ];
    named.into_iter().filter_map(|(is_named, part)| (is_named || args.all).then_some(part)).collect()
}

/// Git, and the agents whose folders are there.
fn usual_parts(git: &Git) -> BTreeSet<Part> {
    let used = CONTRACTS.iter().filter(|contract| git.layout().work_tree.join(contract.folder).is_dir());
    used.map(|contract| contract.part).chain([Part::Git]).collect()
}

/// What a person wants.
fn asked_parts(context: &Context<'_>, git: &Git) -> BTreeSet<Part> {
    let usual = usual_parts(git);
    let there = |path: &str| git.layout().work_tree.join(path).exists();
    let questions = [
        (Part::Git, "Git hooks and the merge driver?", true),
        (Part::Claude, "Claude Code?", usual.contains(&Part::Claude) || there("CLAUDE.md")),
        (Part::Codex, "Codex CLI?", usual.contains(&Part::Codex)),
        (Part::Gemini, "Gemini CLI?", usual.contains(&Part::Gemini) || there("GEMINI.md")),
        (Part::Cursor, "Cursor?", usual.contains(&Part::Cursor)),
        (Part::Copilot, "Copilot CLI?", usual.contains(&Part::Copilot)),
        (Part::GithubActions, "A GitHub workflow that checks the ledger?", there(".github/workflows")),
        (Part::Schedule, "A GitHub workflow that archives old events?", false),
        (Part::PreCommit, "An entry for the pre-commit framework?", there(".pre-commit-config.yaml")),
    ];
    let wanted = questions.into_iter().filter(|(_, question, default)| context.console.ask_or(question, *default));
    wanted.map(|(part, ..)| part).collect()
}

/// What the options say that the user agrees to.
fn typed(args: &InitArgs) -> Result<Vec<Word>, CliError> {
    let mut words: Vec<Word> = Vec::new();
    if args.capture {
        words.push(("headwater.capture", CAPTURED.to_owned()));
    }
    if args.commit {
        words.push(("headwater.commit", "true".to_owned()));
    }
    if let Some(issue) = &args.github {
        if !is_grant(issue) {
            let wrong = issue.escape_debug();
            return Err(CliError::Usage(format!("--github: `{wrong}` names no issue, such as `owner/name#12`")));
        }
        words.push(("headwater.github", issue.clone()));
    }
    Ok(words)
}

/// What `capture` grants when it is granted whole.
const CAPTURED: &str = "todos,request";

/// Asks for what the user has not said yet; an empty answer says no.
fn ask_consents(context: &Context<'_>, git: &Git, settings: &mut Settings) -> Result<(), CliError> {
    let said = context.consents()?;
    let is_said = |key: &str, now: &[Word]| {
        said.said().iter().any(|(known, _)| *known == key) || now.iter().any(|(known, _)| *known == key)
    };
    let remotes = OwnRemotes::of(git)?;
    let url = remotes.default().map(|remote| remote.url()).transpose()?.flatten();
    let readers = url.map_or_else(
        || "everyone who receives this repository".to_owned(),
        |url| format!("everyone who can read {}", without_password(&url)),
    );
    let asks = |question: &str| context.console.ask_or(question, false);
    let is_new = context.config_file.is_none();
    if (is_new || !context.consents()?.ungranted(&context.config).is_empty())
        && !is_said("headwater.capture", &settings.consents)
        && asks(&format!("Record each session's to-do list and last request, too? Once pushed, {readers} reads them."))
    {
        settings.consents.push(("headwater.capture", CAPTURED.to_owned()));
    }
    if !is_said("headwater.commit", &settings.consents)
        && asks(&format!(
            "Let the hooks of sessions commit the ledger's own files? They go where your branch is pushed: {readers}."
        ))
    {
        settings.consents.push(("headwater.commit", "true".to_owned()));
    }
    if context.config.github.issue.is_some()
        && let Ok(hub) = IssueFinder::new(context, None, None).find(None)
        && hub.issue.for_posting().is_err()
        && let (place, repository) = (hub.issue.place(), hub.issue.repository())
        && asks(&format!("Post ids to {place} with your token? Whoever can read {repository} reads them."))
    {
        settings.consents.push(("headwater.github", place));
    }
    Ok(())
}

/// A URL without its user and password.
fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = place.rsplit_once('@').map_or(place, |(_, host)| host);
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

fn show(context: &Context<'_>, args: &InitArgs, plan: &Plan) -> Result<(), CliError> {
    if context.console.json {
        let steps = plan
            .steps
            .iter()
            .map(|step| json!({"action": action(step), "name": step.name, "what": step.what, "diff": diff(step)}));
        let notes = plan.notes.iter().map(|(name, text)| json!({"name": name, "text": text}));
        return context.console.json(&json!({
            "schema": "headwater.init/1",
            "dry_run": args.dry_run,
            "uninstall": args.uninstall,
            "changes": steps.collect::<Vec<_>>(),
            "notes": notes.collect::<Vec<_>>(),
        }));
    }
    let width = plan.steps.iter().map(|step| step.name.chars().count()).max().unwrap_or_default();
    for step in &plan.steps {
        let name = safe_for_terminal(&step.name);
        let padding = " ".repeat(width.saturating_sub(step.name.chars().count()));
        let line = format!("{:<7} {}{padding}  {}", action(step), styled(&name, AGENT), step.what);
        context.console.result(line.trim_end())?;
        if let Some(diff) = diff(step).filter(|_| args.dry_run) {
            context.console.result(&diff.lines().map(|line| safe_for_terminal(line) + "\n").collect::<String>())?;
        }
    }
    if plan.is_empty() {
        let done = if args.uninstall {
            "nothing of headwater's is set up here"
        } else {
            "everything is set up; nothing to change"
        };
        context.console.result(done)?;
    }
    for (name, text) in &plan.notes {
        let lines: Vec<String> = text.lines().map(safe_for_terminal).collect();
        context.console.result(&format!("{} {}", styled(&safe_for_terminal(name), BOLD), lines.join("\n")))?;
    }
    Ok(())
}

fn action(step: &Step) -> &'static str {
    match &step.act {
        Act::Write { before: None, .. } => "create",
        Act::Write { .. } => "change",
        Act::Remove { .. } => "remove",
        Act::Wrap { .. } => "wrap",
        Act::Unwrap { .. } => "restore",
        Act::Set { after: Some(_), .. } => "set",
        Act::Set { after: None, .. } => "unset",
    }
}

/// What a step changes, line by line.
fn diff(step: &Step) -> Option<String> {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (before, after) = match &step.act {
        Act::Write { before, after, .. } => {
            (before.as_ref().map(|file| lossy(&file.bytes)).unwrap_or_default(), lossy(after))
        }
        Act::Remove { before, .. } => (lossy(&before.bytes), String::new()),
        Act::Wrap { wrapper, .. } => (String::new(), wrapper.clone()),
        Act::Unwrap { .. } => return None,
        Act::Set { before, after } => {
            let line = |value: &Option<String>| value.as_ref().map(|value| format!("{value}\n")).unwrap_or_default();
            (line(before), line(after))
        }
    };
    let diff = similar::TextDiff::from_lines(&before, &after);
    let (old, new) = (format!("a/{}", step.name), format!("b/{}", step.name));
    Some(diff.unified_diff().context_radius(2).header(&old, &new).to_string())
}
