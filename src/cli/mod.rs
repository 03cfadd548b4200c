//! The command line: arguments to checked options, one short function a command, reports, exit codes.

mod archive;
mod args;
mod check;
mod clock;
mod console;
mod context;
mod environment;
mod error;
mod hub;
mod id;
mod import;
mod inspect;
mod ledger;
mod lint;
mod log;
mod origins;
mod record;
mod show;
mod show_config;
mod status;
mod synth;
mod why;

pub use args::{Cli, Command, Format, Global, SynthArgs, Synthesize};
pub use error::{CliError, Exit};
pub use id::IdCommand;
pub use ledger::LedgerCommand;

use clap::{CommandFactory as _, Parser as _};
use console::Console;
use context::{ConfigSource, Context};
use std::process::ExitCode;

/// Runs `headwater` with this process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(&cli.global);
    let done = if cli.command.is_some() && cli.synth != SynthArgs::default() {
        Err(CliError::Usage("options of `synth` stand after it: `headwater synth …`".to_owned()))
    } else {
        run(&cli.global, cli.command.unwrap_or(Command::Synth(cli.synth)), &console)
    };
    console.finish(done)
}

/// Runs `cc-synthesize` with this process's arguments.
#[must_use]
pub fn main_cc_synthesize() -> ExitCode {
    let Synthesize { global, synth } = Synthesize::parse();
    let console = Console::new(&global);
    let done = run(&global, Command::Synth(synth), &console);
    console.finish(done)
}

fn run(global: &Global, command: Command, console: &Console) -> Result<Exit, CliError> {
    if let Command::Completions { shell } = command {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "headwater", &mut text);
        console.bytes(&text)?;
        return Ok(Exit::Done);
    }
    if matches!(command, Command::Man) {
        let mut text = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut text).map_err(CliError::Output)?;
        console.bytes(&text)?;
        return Ok(Exit::Done);
    }
    let of_commit = matches!(&command, Command::Synth(args) if args.rev.is_some());
    let source = if of_commit { ConfigSource::Commit } else { ConfigSource::WorkTree };
    let context = Context::resolve(global, console, source)?;
    match command {
        Command::Synth(args) if args.check => check::run(&context, &args),
        Command::Synth(args) if args.names_files() => synth::run(&context, context.one_ledger()?, &args),
        Command::Synth(args) => context.each_ledger(|ledger| synth::run(&context, ledger, &args)),
        Command::Record(args) => record::run(&context, context.one_ledger()?, &args),
        Command::Archive(args) => context.each_ledger(|ledger| archive::run(&context, ledger, &args)),
        Command::Import(args) => import::run(&context, context.one_ledger()?, &args),
        Command::Show => context.each_ledger(|ledger| show::run(&context, ledger)),
        Command::Log(args) => context.each_ledger(|ledger| log::run(&context, ledger, &args)),
        Command::Why(args) => context.each_ledger(|ledger| why::run(&context, ledger, &args)),
        Command::Status => context.each_ledger(|ledger| status::run(&context, ledger)),
        Command::Lint(args) => lint::run(&context, &args),
        Command::Id(command) => id::run(&context, command),
        Command::Ledger(command) => ledger::run(&context, command),
        Command::Config => show_config::run(&context),
        Command::Completions { .. } | Command::Man => Ok(Exit::Done),
    }
}
