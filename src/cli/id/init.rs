//! `headwater id init`: the log of ids, above everything that is known.

use super::Desk;
use super::args::InitArgs;
use crate::cli::error::{CliError, Exit};
use crate::config::LogKind;
use crate::trust::remote::OwnRemotes;
use std::fmt::Write as _;

pub(super) fn run(desk: &Desk<'_>, args: InitArgs) -> Result<Exit, CliError> {
    let (tasks, stands) = desk.following(true, args.jump.allow_jump).init(&desk.asking(None)?)?;
    let console = desk.context.console;
    if console.json {
        console.json(&serde_json::json!({"schema": "headwater.id.init/1", "tasks": tasks, "counters": stands}))?;
        return Ok(Exit::Done);
    }
    let mut text = format!("✅ Initialized counters from {tasks} {}:", if tasks == 1 { "task" } else { "tasks" });
    for (name, number) in stands {
        let _infallible = write!(text, "\n   {name:<8} → {number}");
    }
    console.result(&text)?;
    let alone = only_here(desk)?;
    if !alone.is_empty() {
        let names = alone.join(", ");
        console.notice(&format!(
            "this clone alone keeps the log of {names}; if others clone this repository and take ids too, `log: git` shares it"
        ));
    }
    Ok(Exit::Done)
}

/// The namespaces whose log another clone would not see, in a repository that has others.
fn only_here<'a>(desk: &Desk<'a>) -> Result<Vec<&'a str>, CliError> {
    let Some(git) = desk.context.git() else { return Ok(Vec::new()) };
    if OwnRemotes::of(&git)?.default().is_none() {
        return Ok(Vec::new());
    }
    let local = desk.context.config.ids.iter().filter(|(_, namespace)| namespace.log == LogKind::Local);
    Ok(local.map(|(name, _)| name.as_str()).collect())
}
