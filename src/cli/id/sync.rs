//! `headwater id sync`: provisional ids into the shared log.

use super::Desk;
use super::args::ListArgs;
use crate::cli::error::{CliError, Exit};
use crate::ids::Settled;
use crate::ids::reserve::Asking;

pub(super) fn run(desk: &Desk<'_>, args: &ListArgs) -> Result<Exit, CliError> {
    let allocator = desk.allocator(true);
    let asking = desk.asking(None)?;
    let mut settled = Settled::default();
    for namespace in desk.namespaces(&allocator, &args.namespaces)? {
        let asking = Asking { nonce: format!("{}-{}", asking.nonce, namespace.name), ..asking.clone() };
        add(&mut settled, allocator.sync(namespace, &asking, None)?);
    }
    report(desk, &settled)
}

pub(super) fn add(settled: &mut Settled, more: Settled) {
    settled.confirmed.extend(more.confirmed);
    settled.amended.extend(more.amended);
}

/// Prints what became of provisional ids, as the two-phase protocol words it.
pub(super) fn report(desk: &Desk<'_>, settled: &Settled) -> Result<Exit, CliError> {
    let console = desk.context.console;
    if console.json {
        let amended: Vec<_> =
            settled.amended.iter().map(|(old, new)| serde_json::json!({"old": old, "new": new})).collect();
        console.json_line(&serde_json::json!({"confirmed": settled.confirmed, "amended": amended}))?;
        return Ok(Exit::Done);
    }
    for id in &settled.confirmed {
        console.result(&format!("CONFIRMED: {id}"))?;
    }
    for (old, new) in &settled.amended {
        console.result(&format!("AMENDMENT: {old} is {new} now"))?;
    }
    if settled.confirmed.is_empty() && settled.amended.is_empty() {
        console.notice("no id waits to be confirmed");
    }
    Ok(Exit::Done)
}
