//! The command line: arguments to checked options, one short function a command, reports, exit codes.

mod agent_hook;
mod archive;
mod args;
mod check;
mod clock;
mod console;
mod context;
mod doctor;
mod environment;
mod error;
mod feed;
mod git_hook;
mod hub;
mod id;
mod import;
mod init;
mod inspect;
mod ledger;
mod lint;
mod log;
mod manual;
mod merge_driver;
mod misused;
mod occasion;
mod origins;
mod progress;
mod record;
mod secrets;
mod session_hook;
mod show;
mod show_config;
mod status;
mod synth;
mod why;

pub use args::{
    Cli, Command, DoctorArgs, Format, Global, HookCommand, InitArgs, MergeDriverArgs, SynthArgs, Synthesize,
};
pub use error::{CliError, Exit};
pub use feed::FeedCommand;
pub use id::IdCommand;
pub use ledger::LedgerCommand;

use crate::session::contract::Hook;
use args::SessionHookArgs;
use clap::{CommandFactory as _, Parser as _};
use console::Console;
use context::{ConfigSource, Context};
use std::process::ExitCode;

/// Runs `headwater` with this process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    crate::bounds::deadline::begin();
    let args: Vec<_> = std::env::args_os().collect();
    crate::bounds::abort::exit_with(if misused::is_of_agent(&args) { 0 } else { error::FAILED });
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => match misused::answer(&args, &error) {
            Some(done) => return Console::new(&Global::default()).finish(Ok(done)),
            None => error.exit(),
        },
    };
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

fn of_agent(global: &Global, hook: Hook, args: &SessionHookArgs) -> Exit {
    let name = hook.as_str().to_owned();
    agent_hook::run(&agent_hook::Call {
        global: global.clone(),
        hook: Some(hook),
        name,
        args: args.clone(),
        misuse: None,
    })
}

fn run(global: &Global, command: Command, console: &Console) -> Result<Exit, CliError> {
    if let Command::Completions { shell } = command {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "headwater", &mut text);
        console.bytes(&text)?;
        return Ok(Exit::Done);
    }
    if let Command::Man { command } = &command {
        return manual::run(command.as_deref(), console);
    }
    if let Command::Hook(args) = &command {
        return Ok(match &args.hook {
            HookCommand::SessionStart(args) => of_agent(global, Hook::SessionStart, args),
            HookCommand::SessionEnd(args) => of_agent(global, Hook::SessionEnd, args),
            HookCommand::PreCompact(args) => of_agent(global, Hook::PreCompact, args),
            HookCommand::Stop(args) => of_agent(global, Hook::Stop, args),
            HookCommand::Git(hook) => git_hook::run(global, hook),
        });
    }
    if let Command::MergeDriver(args) = &command {
        return merge_driver::run(console, args);
    }
    let of_commit = matches!(&command, Command::Synth(args) if args.rev.is_some());
    let source = if of_commit { ConfigSource::Commit } else { ConfigSource::WorkTree };
    context::stay_in_worktree(global)?;
    let mut context = Context::resolve(global, console, source)?;
    if matches!(command, Command::Show | Command::Log(_) | Command::Why(_) | Command::Status) {
        context.without_outsiders_titles()?;
    }
    context.unknown_keys().iter().for_each(|warning| console.warning(&format!("warning: {warning}")));
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
        Command::Feed(command) => feed::run(&context, command),
        Command::Ledger(command) => ledger::run(&context, command),
        Command::Config => show_config::run(&context),
        Command::Init(args) => init::run(&context, &args),
        Command::Doctor(args) => doctor::run(&context, args),
        Command::Completions { .. } | Command::Man { .. } | Command::MergeDriver(_) | Command::Hook(_) => {
            Ok(Exit::Done)
        }
    }
}
