//! `headwater ledger verify`: whether page and memory row are what the published anchors give.

use super::Desk;
use crate::cli::error::{CliError, Exit};
use crate::ids::collisions::page;
use crate::ids::collisions::record::Record;

pub(super) fn run(desk: &Desk<'_>) -> Result<Exit, CliError> {
    let published = desk.published()?;
    desk.report_oddities(&published);
    let record = Record::fold(&published.anchors);
    let surfaces = desk.surfaces()?;
    let mut problems = Vec::new();
    for divergence in &published.divergences {
        problems.push(format!("anchor comment {} {} since it was seen", divergence.comment, divergence.kind));
    }
    let console = desk.context.console;
    // What `rebuild` would refuse is no projection either.
    let (page_now, prose) = told(desk, Desk::project_page(&record, &surfaces)).unzip();
    if page_now.is_none() || surfaces.page_text != page_now {
        problems.push("ledger page diverges from the anchor record".to_owned());
    }
    let memory_now = told(desk, desk.project_memory(&record, &surfaces));
    if memory_now.is_none() || surfaces.memory_text != memory_now {
        problems.push("MEMORY row diverges from the anchor record".to_owned());
    }
    let missing = prose.map(|prose| page::missing(&record, &prose)).unwrap_or_default();
    if !missing.is_empty() {
        console.said(&format!("warning: prose cites missing anchors: {}", missing.join(" ")));
    }
    if console.json {
        console.json(&serde_json::json!({
            "schema": "headwater.ledger.verify/1", "clean": problems.is_empty(), "problems": problems,
            "missing": missing,
        }))?;
    } else {
        let said = if problems.is_empty() { "clean".to_owned() } else { problems.join("; ") };
        console.result(&format!("verify: {said}"))?;
    }
    if !published.divergences.is_empty() {
        console.notice("`headwater ledger rebuild --repair` publishes again what was edited or deleted");
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Finding })
}

/// What is to stand in a file; why nothing can is said.
fn told<T>(desk: &Desk<'_>, projected: Result<T, CliError>) -> Option<T> {
    projected.map_err(|refused| desk.context.console.error(&refused)).ok()
}
