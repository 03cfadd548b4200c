//! `headwater doctor`: what is missing, wrong or stale, and the command that mends it.

use super::args::DoctorArgs;
use super::console::{WARNING, styled};
use super::context::Context;
use super::environment;
use super::error::{CliError, Exit};
use super::id;
use super::init::settings;
use super::origins::counted;
use super::session_hook::FAULTS;
use crate::config::LogKind;
use crate::git::Layout;
use crate::ledger::escape::{escape_file_name, safe_for_terminal};
use crate::session::marker::Markers;
use crate::session::spare::{LIMIT, Spare, Spares};
use crate::setup::{self, Finding};
use crate::store::{
    Damage, LedgerDir, Spool, StoreError, create_event, damaged_files, ensure_readme, fold_ledger, free_aside,
};
use crate::trust::consent::Ungranted;
use crate::trust::path::LedgerPlace;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Something that looks at one thing, and changes nothing.
type Source = fn(&Context<'_>) -> Result<Vec<Finding>, CliError>;

/// Where findings come from.
const SOURCES: [Source; 8] = [damaged, unknown_keys, set_up, unreadable, lost, faults, ids, consents];

pub(super) fn run(context: &Context<'_>, args: DoctorArgs) -> Result<Exit, CliError> {
    context.git_for("`headwater doctor`")?;
    if args.clear {
        own(context).remove(FAULTS)?;
    }
    if args.restore {
        restore(context)?;
    }
    let findings = findings(context);
    if let (Some(layout), Some(git)) = (&context.layout, context.git()) {
        // What cannot be pruned is a finding already.
        let _another_day = Spares::of(layout).prune(&git, LIMIT);
    }
    if context.console.json {
        let list: Vec<_> = findings
            .iter()
            .map(|finding| json!({"code": finding.code, "what": finding.what, "remedy": finding.remedy}))
            .collect();
        context.console.json(&json!({"schema": "headwater.doctor/1", "findings": list}))?;
    } else if findings.is_empty() {
        context.console.result("nothing is wrong")?;
    } else {
        for finding in &findings {
            let (what, remedy) = (safe_for_terminal(&finding.what), safe_for_terminal(&finding.remedy));
            context.console.result(&format!("{}: {what}\n    {remedy}", styled(finding.code, WARNING)))?;
        }
        context.console.notice(&counted(findings.len(), "finding"));
    }
    Ok(if findings.is_empty() { Exit::Done } else { Exit::Finding })
}

/// All findings; a source that cannot look is one itself, and hides no other.
pub(super) fn findings(context: &Context<'_>) -> Vec<Finding> {
    let from = |source: &Source| {
        source(context).unwrap_or_else(|error| {
            let remedy = "mend that, and run `headwater doctor` again".to_owned();
            vec![Finding { code: "cannot-look", what: error.chain(), remedy }]
        })
    };
    SOURCES.iter().flat_map(from).collect()
}

fn set_up(context: &Context<'_>) -> Result<Vec<Finding>, CliError> {
    let git = context.git_for("`headwater doctor`")?;
    Ok(setup::inspect(&git, &settings(context)?, environment::has_program("headwater"))?)
}

/// What is wrong with the files that this program keeps in the repository: each one stops only itself.
#[expect(clippy::unnecessary_wraps, reason = "a source of findings")]
fn damaged(context: &Context<'_>) -> Result<Vec<Finding>, CliError> {
    let Some(layout) = &context.layout else { return Ok(Vec::new()) };
    let aside = |path: &Path| format!("run `mv {} {}`", shell_word(path), shell_word(&free_aside(path)));
    let unusable = |Damage { path, fault, is_locked_out }: Damage| Finding {
        code: "damaged-file",
        what: format!("`{}` {fault}", path.display()),
        remedy: if is_locked_out { format!("run `chmod u+rwX {}`", shell_word(&path)) } else { aside(&path) },
    };
    let files = damaged_files(&layout.own_dir());
    let known: BTreeSet<PathBuf> = files.iter().map(|damage| damage.path.clone()).collect();
    let mut findings: Vec<Finding> = files.into_iter().map(unusable).collect();
    let mut misread = Markers::of(layout).damaged();
    misread.extend(Spares::of(layout).damaged());
    misread.extend(setup::damaged_memory(&layout.own_dir()));
    misread.retain(|(path, _)| !path.ancestors().any(|above| known.contains(above)));
    findings.extend(misread.into_iter().map(|(path, fault)| Finding {
        code: "damaged-file",
        what: format!("`{}` cannot be understood: {fault}", path.display()),
        remedy: aside(&path),
    }));
    Ok(findings)
}

/// Configuration keys that this version does not know.
#[expect(clippy::unnecessary_wraps, reason = "a source of findings")]
fn unknown_keys(context: &Context<'_>) -> Result<Vec<Finding>, CliError> {
    let finding = |what: String| Finding {
        code: "unknown-key",
        what,
        remedy: "correct or remove the key (`headwater config --help` lists the keys), or upgrade headwater".to_owned(),
    };
    Ok(context.unknown_keys().into_iter().map(finding).collect())
}

/// A path as a shell takes it for one word, on one line.
fn shell_word(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=@%,:".contains(c);
    if text.chars().all(plain) {
        return text.into_owned();
    }
    if text.contains(char::is_control) {
        // As bash, zsh and ksh read it.
        let quoted = |word: String, c: char| match c {
            '\\' | '\'' => format!("{word}\\{c}"),
            c if c.is_ascii_control() => format!("{word}\\x{:02x}", u32::from(c)),
            c => format!("{word}{c}"),
        };
        return format!("$'{}'", text.chars().fold(String::new(), quoted));
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Events and packs that cannot be read, and so are in no view.
fn unreadable(context: &Context<'_>) -> Result<Vec<Finding>, CliError> {
    let mut findings = Vec::new();
    for ledger in &context.ledgers {
        let folded = match fold_ledger(&ledger.dir, context.schema(), &context.hidden(ledger)) {
            Err(StoreError::NoLedger(_)) => continue,
            other => other?,
        };
        findings.extend(folded.faults.iter().map(|(name, fault)| {
            let directory = if name.starts_with(b"archive/") { "" } else { "events/" };
            let name = format!("{}/{directory}{}", ledger.name, escape_file_name(name));
            let what = format!("`{name}:{}` is unreadable: {}: {}", fault.place, fault.code, fault.detail);
            Finding { code: "unreadable-event", what, remedy: fault.code.remedy().to_owned() }
        }));
    }
    Ok(findings)
}

/// What this program keeps in the repository.
fn own(context: &Context<'_>) -> Spool {
    Spool::new(context.layout.as_ref().map(Layout::own_dir).unwrap_or_default())
}

fn lost_spares(context: &Context<'_>) -> Result<Vec<Spare>, CliError> {
    let Some(layout) = &context.layout else { return Ok(Vec::new()) };
    Ok(Spares::of(layout).lost(layout)?)
}

/// What stands in the way of reserving ids.
fn ids(context: &Context<'_>) -> Result<Vec<Finding>, CliError> {
    let finding = |said: String| {
        // What names its command says what to do.
        let (what, remedy) = match said.rsplit_once("; ") {
            Some((what, remedy)) if remedy.contains("`headwater ") => (what, remedy),
            _ => (said.as_str(), "see docs/ids.md"),
        };
        Finding { code: "ids", what: what.to_owned(), remedy: remedy.to_owned() }
    };
    let config = &context.config;
    let on_issue =
        config.ids.values().any(|namespace| namespace.log == LogKind::Github) || config.github.issue.is_some();
    let open = (on_issue && config.github.trusted.is_empty())
        .then(|| "everybody's comments on the issue count as anchors: name those who may publish them in `github: {trusted: [...]}`".to_owned());
    Ok(id::diagnose(context)?.into_iter().chain(open).map(finding).collect())
}

/// What the configuration wishes for and the user did not grant, and words of the user's that grant nothing.
fn consents(context: &Context<'_>) -> Result<Vec<Finding>, CliError> {
    let consents = context.consents()?;
    let finding = |what: String, remedy: String| Finding { code: "consent", what, remedy };
    let lacking = consents.ungranted(&context.config).into_iter();
    let lacking = lacking.map(|Ungranted { what, remedy }| finding(what, format!("to grant it run `{remedy}`")));
    let odd = consents.odd().iter().map(|what| finding(what.clone(), "see docs/setup.md, \"Consents\"".to_owned()));
    Ok(lacking.chain(odd).collect())
}

/// Events that only the kept copies still have.
fn lost(context: &Context<'_>) -> Result<Vec<Finding>, CliError> {
    let finding = |spare: Spare| Finding {
        code: "lost-event",
        what: format!("no work tree and no branch has the event `{}` of `{}`", spare.name, spare.ledger),
        remedy: "run `headwater doctor --restore`, or delete the copy in git's folder `headwater/events/`".to_owned(),
    };
    Ok(lost_spares(context)?.into_iter().map(finding).collect())
}

/// Writes lost events into this work tree's ledgers, and prints their paths.
fn restore(context: &Context<'_>) -> Result<(), CliError> {
    let top = context.layout.as_ref().map(|layout| layout.work_tree.clone()).unwrap_or_default();
    for spare in lost_spares(context)? {
        let ledger = LedgerDir::new(LedgerPlace::in_tree(&top, &spare.ledger).map_err(StoreError::from)?);
        ensure_readme(&ledger)?;
        let path = create_event(&ledger, spare.stem(), &spare.text)?;
        context.console.notice(&format!("restored `{}`", path.display()));
    }
    Ok(())
}

/// What went wrong in hooks, which say nothing to the agent: each fault once, with its last time.
#[expect(clippy::unnecessary_wraps, reason = "a source of findings")]
fn faults(context: &Context<'_>) -> Result<Vec<Finding>, CliError> {
    // What is in its place is a finding of its own.
    let text = own(context).read(FAULTS).ok().flatten().unwrap_or_default();
    let mut last: BTreeMap<(String, String), String> = BTreeMap::new();
    for line in String::from_utf8_lossy(&text).lines() {
        let Ok(entry) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let field = |key: &str| entry.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        last.insert((field("hook"), field("fault")), field("at"));
    }
    let finding = |((hook, fault), at): ((String, String), String)| Finding {
        code: "hook-fault",
        what: format!("{hook}, last at {at}: {fault}"),
        remedy: "mend it, then run `headwater doctor --clear`".to_owned(),
    };
    Ok(last.into_iter().map(finding).collect())
}
