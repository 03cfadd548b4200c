//! Not there yet.
use super::Desk;
use super::args::CheckArgs;
use crate::cli::error::{CliError, Exit};

pub(super) fn run(_: &Desk<'_>, _: &CheckArgs) -> Result<Exit, CliError> {
    Err(CliError::Usage("not there yet".to_owned()))
}
