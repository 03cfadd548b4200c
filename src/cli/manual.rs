//! `headwater man`: the manual pages.

use super::args::Cli;
use super::console::Console;
use super::error::{CliError, Exit};
use super::origins::phrase;
use clap::CommandFactory as _;
use clap_mangen::Man;
use std::io;

pub(super) fn run(command: Option<&str>, console: &Console) -> Result<Exit, CliError> {
    let mut top = Cli::command().disable_help_subcommand(true);
    top.build();
    let mut page = Vec::new();
    match command {
        None => render_top(&Man::new(top), &mut page).map_err(CliError::Output)?,
        Some(name) => {
            let command = top.find_subcommand(name).cloned().ok_or_else(|| {
                let name = phrase(name, 40);
                CliError::Usage(format!("there is no command `{name}`; `headwater --help` lists them"))
            })?;
            let source = concat!("headwater ", env!("CARGO_PKG_VERSION"));
            Man::new(command).source(source).render(&mut page).map_err(CliError::Output)?;
        }
    }
    console.bytes(&page)?;
    Ok(Exit::Done)
}

/// The page of the program, whose list of commands says where their pages are.
fn render_top(man: &Man, page: &mut Vec<u8>) -> io::Result<()> {
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    man.render_subcommands_section(page)?;
    page.extend(b".PP\nThe page of a command, with its options: \\fBheadwater man \\fR\\fICOMMAND\\fR\n");
    man.render_version_section(page)
}
