//! `headwater id next`: a look, no reservation.

use super::Desk;
use super::args::NextArgs;
use crate::cli::error::{CliError, Exit};

pub(super) fn run(desk: &Desk<'_>, args: &NextArgs) -> Result<Exit, CliError> {
    let allocator = desk.following(!args.no_fetch, args.jump.allow_jump);
    let id = allocator.next(allocator.namespace(&args.namespace)?, &desk.asking(None)?)?;
    let console = desk.context.console;
    if console.json {
        console.json_line(&serde_json::json!({"next": id}))?;
    } else {
        console.result(&id)?;
    }
    Ok(Exit::Done)
}
