//! What can be said of ids on the command line.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The commands of `headwater id`.
#[derive(Debug, Clone, Subcommand)]
pub enum IdCommand {
    /// Start the log of ids above every id in the configured sources, files and references
    ///
    /// Once in a clone; a second time it never lowers anything.
    Init(InitArgs),
    /// Print the id that would be reserved next; reserves nothing
    Next(NextArgs),
    /// Reserve ids, and print them: `{"ids":["SEC-20"],"reservedAt":"…Z"}`, with `--format plain` only the ids
    Reserve(ReserveArgs),
    /// Confirm provisional ids now: they become confirmed, or get another number
    Confirm(IdsArgs),
    /// Give ids up; they stay spent, and an untouched file that `--create` made is removed
    Release(IdsArgs),
    /// Print the ids that are reserved, and what became of them
    List(ListArgs),
    /// Print the whole history of an id, and its aliases
    Show(ShowArgs),
    /// Bring provisional ids into the shared log: confirm or amend them
    Sync(ListArgs),
    /// Find numbers that are used twice, used but not reserved, or reserved and not used
    ///
    /// Exit codes: 0 no collision (warnings may be printed); 1 a number is used twice; 2 something that was to be
    /// compared with cannot be seen: an unknown base, a remote that does not answer, a shallow clone
    /// without the place where HEAD left the base.
    Check(CheckArgs),
    /// Take over the counters of an existing `.task-id-counters.json`
    Import(ImportArgs),
    /// Reserve an id and put it where `{{ITEM_ID}}` stands: in a command's arguments, or in a text
    With(WithArgs),
    /// Move the tasks of an inbox into the task list, if their ids are reserved
    Inbox(InboxArgs),
    /// Give the loser of a collision a new number: its file, and the links and citations of its slug
    Renumber(RenumberArgs),
}

/// Options of `id init`.
#[derive(Debug, Clone, Copy, Args)]
pub struct InitArgs {
    /// What a jump of numbers comes to.
    #[command(flatten)]
    pub jump: JumpArg,
}

/// What a jump of numbers comes to.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct JumpArg {
    /// Follow a number that is more than 10000 above the log, this once; otherwise it is reported and passed over
    #[arg(long)]
    pub allow_jump: bool,
}

/// Options of `id next`.
#[derive(Debug, Clone, Args)]
pub struct NextArgs {
    /// The namespace, such as SEC
    #[arg(value_name = "NS")]
    pub namespace: String,
    /// Do not ask the remote
    #[arg(long)]
    pub no_fetch: bool,
    /// What a jump of numbers comes to.
    #[command(flatten)]
    pub jump: JumpArg,
}

/// Who reserves and why.
#[derive(Debug, Clone, Default, Args)]
pub struct Reason {
    /// A durable key: the same reservation again gives the same ids
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub event: Option<String>,
    /// What it is for, as a part of a file's name
    #[arg(long, value_name = "SLUG")]
    pub slug: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub note: Option<String>,
    /// Who reserves [default: `$HEADWATER_AGENT`, else the work tree's name]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub agent: Option<String>,
    /// Do not ask the remote for newer branches
    #[arg(long)]
    pub no_fetch: bool,
    /// What a jump of numbers comes to.
    #[command(flatten)]
    pub jump: JumpArg,
}

/// Options of `id reserve`.
#[derive(Debug, Clone, Args)]
pub struct ReserveArgs {
    /// The namespace, such as SEC
    #[arg(value_name = "NS")]
    pub namespace: String,
    /// How many
    #[arg(default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub count: u64,
    /// Who and why.
    #[command(flatten)]
    pub reason: Reason,
    /// Make the numbered file of `files:`, with a heading from the template; needs `--slug` if the name has one
    #[arg(long)]
    pub create: bool,
}

/// Options of `id confirm` and `id release`.
#[derive(Debug, Clone, Args)]
pub struct IdsArgs {
    /// The ids
    #[arg(required = true, value_name = "ID")]
    pub ids: Vec<String>,
    /// Who does it [default: `$HEADWATER_AGENT`, else the work tree's name]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub agent: Option<String>,
}

/// Options of `id list` and `id sync`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// The namespaces [default: all]
    #[arg(value_name = "NS")]
    pub namespaces: Vec<String>,
}

/// Options of `id show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The id
    pub id: String,
}

/// Options of `id check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The namespaces [default: all]
    #[arg(value_name = "NS")]
    pub namespaces: Vec<String>,
    /// Check the merge of this branch with that one [default: the default branch, here or on the remote]
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// Do not ask the remote for newer branches and pull requests
    #[arg(long)]
    pub no_fetch: bool,
    /// Print findings as GitHub annotations
    #[arg(long)]
    pub github: bool,
    /// How old an unused reservation must be to be named
    #[arg(long, value_name = "SPAN", default_value = "14d")]
    pub unused_after: String,
}

/// Options of `id import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The counters: `{"counters": {"SEC": 19}}`
    pub file: PathBuf,
    /// What a jump of numbers comes to.
    #[command(flatten)]
    pub jump: JumpArg,
}

/// Options of `id with`.
#[derive(Debug, Clone, Args)]
pub struct WithArgs {
    /// The namespace, such as SEC
    #[arg(value_name = "NS")]
    pub namespace: String,
    /// Who and why.
    #[command(flatten)]
    pub reason: Reason,
    /// Print this file with the id in it; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub template: Option<PathBuf>,
    /// The command to run
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "template")]
    pub command: Vec<String>,
}

/// Options of `id inbox`.
#[derive(Debug, Clone, Args)]
pub struct InboxArgs {
    /// The inbox: `{"tasks": [{"id": "SEC-20", "title": "…"}]}`
    pub file: PathBuf,
    /// The task list
    #[arg(long, value_name = "FILE", default_value = "TASKS.md")]
    pub into: PathBuf,
}

/// Options of `id renumber`.
#[derive(Debug, Clone, Args)]
pub struct RenumberArgs {
    /// The id that is used twice, such as ADR-0607
    pub old: String,
    /// The slug of the file that is to have a new number [default: the only one here]
    #[arg(long)]
    pub slug: Option<String>,
    /// Do it; otherwise it is only shown
    #[arg(long)]
    pub apply: bool,
    /// Who does it [default: `$HEADWATER_AGENT`, else the work tree's name]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub agent: Option<String>,
    /// Do not ask the remote for newer branches
    #[arg(long)]
    pub no_fetch: bool,
    /// What a jump of numbers comes to.
    #[command(flatten)]
    pub jump: JumpArg,
}
