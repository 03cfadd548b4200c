//! `headwater id list`: what is reserved, and what became of it.

use super::Desk;
use super::args::ListArgs;
use crate::cli::error::{CliError, Exit};
use crate::cli::origins::phrase;
use crate::ids::fold::State;
use crate::ids::{IdsError, Row};

pub(super) fn run(desk: &Desk<'_>, args: &ListArgs) -> Result<Exit, CliError> {
    let allocator = desk.allocator(false);
    let mut rows = Vec::new();
    let console = desk.context.console;
    for namespace in desk.namespaces(&allocator, &args.namespaces)? {
        match allocator.has_log(namespace) {
            // Of the others is told what is there.
            Err(error @ IdsError::NoLog(_)) if args.namespaces.is_empty() => {
                console.warning(&format!("warning: {}: {error}", namespace.name));
            }
            known => rows.extend(known.and_then(|()| allocator.rows(namespace))?),
        }
    }
    if console.json {
        let rows: Vec<_> = rows.iter().map(row_json).collect();
        console.json(&Listed { ids: rows, schema: "headwater.id.list/1" })?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        console.notice("no id is reserved");
    }
    let width = rows.iter().map(|row| row.claim.id.len()).max().unwrap_or_default();
    let line = |row: &Row| {
        let about = about(row);
        let state = state(&row.claim.state);
        let anchor = &row.anchor;
        format!("{:<width$}  {state:<15}  {}  {}{about}", row.claim.id, anchor.at, phrase(&anchor.agent, 24))
    };
    if !rows.is_empty() {
        console.result(&rows.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    }
    Ok(Exit::Done)
}

pub(super) fn state(state: &State) -> String {
    match state {
        State::Amended(new) => format!("{} -> {new}", state.word()),
        State::Pending | State::Confirmed | State::Released => state.word().to_owned(),
    }
}

fn about(row: &Row) -> String {
    let anchor = &row.anchor;
    let slug = anchor.slug.as_deref().map(|slug| format!("  {}", phrase(slug, 40))).unwrap_or_default();
    let note = anchor.note.as_deref().map(|note| format!("  {}", phrase(note, 60))).unwrap_or_default();
    slug + &note
}

/// The answer for programs: written as it stands, because it may be long.
#[derive(serde::Serialize)]
struct Listed<'a> {
    ids: Vec<Shown<'a>>,
    schema: &'static str,
}

/// An id for programs; its keys in order.
#[derive(serde::Serialize)]
pub(super) struct Shown<'a> {
    agent: &'a str,
    amended_to: Option<&'a str>,
    branch: Option<&'a str>,
    event: Option<&'a str>,
    file: Option<&'a str>,
    id: &'a str,
    namespace: &'a str,
    note: Option<&'a str>,
    number: u64,
    provisional: bool,
    reserved_at: &'a str,
    slug: Option<&'a str>,
    state: &'static str,
}

/// An id for programs.
pub(super) fn row_json(row: &Row) -> Shown<'_> {
    let anchor = &*row.anchor;
    let amended_to = match &row.claim.state {
        State::Amended(new) => Some(new.as_str()),
        State::Pending | State::Confirmed | State::Released => None,
    };
    Shown {
        agent: &anchor.agent,
        amended_to,
        branch: anchor.branch.as_deref(),
        event: anchor.event.as_deref(),
        file: anchor.file.as_ref().map(|(path, _)| path.as_str()),
        id: &row.claim.id,
        namespace: &anchor.namespace,
        note: anchor.note.as_deref(),
        number: row.claim.number,
        provisional: row.claim.state == State::Pending,
        reserved_at: &anchor.at,
        slug: anchor.slug.as_deref(),
        state: row.claim.state.word(),
    }
}
