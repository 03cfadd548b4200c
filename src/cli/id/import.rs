//! `headwater id import`: the counters of an older allocator.

use super::Desk;
use super::args::ImportArgs;
use crate::cli::error::{CliError, Exit};
use crate::ids::reserve::{Asking, check_floor};
use crate::store::read_text;
use std::collections::BTreeMap;
use std::fmt::Write as _;

#[derive(serde::Deserialize)]
struct Counters {
    counters: BTreeMap<String, u64>,
}

pub(super) fn run(desk: &Desk<'_>, args: &ImportArgs) -> Result<Exit, CliError> {
    let shown = args.file.display();
    let bytes = read_text(&args.file)?.ok_or_else(|| CliError::Usage(format!("there is no `{shown}`")))?;
    let read: Result<Counters, _> = serde_json::from_slice(&bytes);
    let bare: Result<BTreeMap<String, u64>, _> = serde_json::from_slice(&bytes);
    let counters =
        read.map(|read| read.counters).or_else(|error| bare.map_err(|_of_the_bare_form| error)).map_err(|error| {
            CliError::Usage(format!("`{shown}`: {error}; expected `{{\"counters\": {{\"SEC\": 19}}}}`"))
        })?;
    let allocator = desk.following(true, args.jump.allow_jump);
    // An unknown name and a number that leaves none stop it before anything is written.
    for (name, number) in &counters {
        check_floor(allocator.namespace(name)?, *number)?;
    }
    let asking = desk.asking(None)?;
    let mut text = String::new();
    for (name, number) in &counters {
        let asking = Asking { nonce: format!("{}-{name}", asking.nonce), ..asking.clone() };
        allocator.raise(allocator.namespace(name)?, &asking, *number)?;
        let _infallible = write!(text, "\n   {name:<8} → at least {number}");
    }
    if desk.context.console.json {
        desk.context.console.json(&serde_json::json!({"schema": "headwater.id.import/1", "counters": counters}))?;
        return Ok(Exit::Done);
    }
    desk.context.console.result(&format!("{} counters taken over:{text}", counters.len()))?;
    Ok(Exit::Done)
}
