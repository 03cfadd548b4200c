//! `headwater ledger rebuild`: page and memory row from the published anchors.

use super::args::RebuildArgs;
use super::{Desk, Surfaces};
use crate::cli::error::{CliError, Exit};
use crate::ids::collisions::decide::{losers, renumber};
use crate::ids::collisions::page::{self, Prose};
use crate::ids::collisions::record::Record;
use crate::ids::fold::Book;
use crate::store::{LockRequest, make_folder, replace_in_tree, with_lock_file};
use crate::trust::path::InTree;
use std::time::Duration;

pub(super) fn run(desk: &Desk<'_>, args: &RebuildArgs) -> Result<Exit, CliError> {
    let mut repaired = 0;
    desk.only_on_github("--repair", args.repair)?;
    if args.repair {
        repaired = desk.github()?.repair()?;
    }
    let mut published = desk.published()?;
    if !args.gapped && settle(desk, &published)? {
        published = desk.published()?;
    }
    desk.report_oddities(&published);
    let record = Record::fold(&published.anchors);
    let prose = write(desk, &record)?;
    for key in &prose.edited {
        (desk.warn)(&format!("what was written between the markers of {key} stands below them now"));
    }
    let missing = page::missing(&record, &prose);
    desk.report_divergences(&published);
    let console = desk.context.console;
    if !missing.is_empty() {
        console.said(&format!("warning: prose cites missing anchors: {}", missing.join(" ")));
    }
    if console.json {
        console.json(&serde_json::json!({
            "schema": "headwater.ledger.rebuild/1", "ids": record.ids(), "double_allocations": record.doubles,
            "missing": missing, "repaired": repaired,
        }))?;
    } else {
        console.result(&format!("rebuilt: {} ids, {} double-allocation(s)", record.ids(), record.doubles))?;
    }
    // What was changed or deleted may have been the winner: the page is not settled until it is repaired.
    Ok(if published.divergences.is_empty() { Exit::Done } else { Exit::Finding })
}

/// Publishes amendments for losers of double allocations; whether there were any.
fn settle(desk: &Desk<'_>, published: &super::Published) -> Result<bool, CliError> {
    let mut any = false;
    for (kind, anchors) in &published.anchors {
        let book = Book::fold(anchors.iter().map(|(_, anchor)| anchor.clone()));
        if losers(&book).iter().all(|loser| loser.amendment.is_some()) {
            continue;
        }
        let asking = desk.asking(None)?;
        desk.with_log(*kind, |log| {
            log.append(kind.namespace_name(), &mut |standing| renumber(standing, *kind, &asking)).map(drop)
        })?;
        any = true;
    }
    Ok(any)
}

/// Writes what has changed of page and memory file, one process at a time.
fn write(desk: &Desk<'_>, record: &Record) -> Result<Prose, CliError> {
    let folder = desk.folder();
    make_folder(&folder)?;
    let waiting = |holder: &str| desk.context.console.notice(&format!("waiting for {holder}"));
    let wait = desk.context.patience.unwrap_or(Duration::from_secs(10));
    let request = LockRequest { wait, purpose: "ledger rebuild", waiting: &waiting };
    with_lock_file(&folder.join("ledger.rebuild.lock"), &request, |_| {
        let surfaces = desk.surfaces()?;
        let (page_now, prose) = Desk::project_page(record, &surfaces)?;
        let memory_now = desk.project_memory(record, &surfaces)?;
        let Surfaces { page, page_text, memory, memory_text } = &surfaces;
        put(page, page_text.as_deref(), &page_now)?;
        put(memory, memory_text.as_deref(), &memory_now)?;
        Ok(prose)
    })
}

fn put(path: &InTree, now: Option<&str>, text: &str) -> Result<(), CliError> {
    if now == Some(text) {
        return Ok(());
    }
    Ok(replace_in_tree(path, text.as_bytes())?)
}
