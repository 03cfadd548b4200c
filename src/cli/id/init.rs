//! `headwater id init`: the log of ids, above everything that is known.

use super::Desk;
use crate::cli::error::{CliError, Exit};
use std::fmt::Write as _;

pub(super) fn run(desk: &Desk<'_>) -> Result<Exit, CliError> {
    let (tasks, stands) = desk.allocator(true).init(&desk.asking(None)?)?;
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
    Ok(Exit::Done)
}
