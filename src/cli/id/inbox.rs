//! Not there yet.
use super::Desk;
use super::args::InboxArgs;
use crate::cli::error::{CliError, Exit};

pub(super) fn run(_: &Desk<'_>, _: &InboxArgs) -> Result<Exit, CliError> {
    Err(CliError::Usage("not there yet".to_owned()))
}
