//! Not there yet.
use super::Desk;
use super::args::RenumberArgs;
use crate::cli::error::{CliError, Exit};

pub(super) fn run(_: &Desk<'_>, _: &RenumberArgs) -> Result<Exit, CliError> {
    Err(CliError::Usage("not there yet".to_owned()))
}
