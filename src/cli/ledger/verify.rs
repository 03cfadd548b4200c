//! `headwater ledger verify`: whether page and memory row are what the published anchors give.

use super::Desk;
use crate::cli::error::{CliError, Exit};
use crate::ids::collisions::record::Record;

pub(super) fn run(desk: &Desk<'_>) -> Result<Exit, CliError> {
    let published = desk.published()?;
    desk.report_unreadable(&published);
    let record = Record::fold(&published.anchors);
    let surfaces = desk.surfaces()?;
    let mut problems = Vec::new();
    for divergence in &published.divergences {
        problems.push(format!("anchor comment {} {} since it was seen", divergence.comment, divergence.kind));
    }
    let console = desk.context.console;
    let projection = desk.project(&record, &surfaces)?;
    if surfaces.page_text.as_ref() != Some(&projection.page) {
        problems.push("ledger page diverges from the anchor record".to_owned());
    }
    if surfaces.memory_text.as_ref() != Some(&projection.memory) {
        problems.push("MEMORY row diverges from the anchor record".to_owned());
    }
    if !projection.missing.is_empty() {
        console.said(&format!("warning: prose cites missing anchors: {}", projection.missing.join(" ")));
    }
    if console.json {
        console.json(&serde_json::json!({
            "schema": "headwater.ledger.verify/1", "clean": problems.is_empty(), "problems": problems,
            "missing": projection.missing,
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
