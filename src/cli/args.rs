//! What can be said on the command line.

use crate::session::contract::AgentKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// Many agent sessions, one `current.md`.
///
/// Every session drops small append-only event files; headwater merges the set of them into one
/// view that is the same for everyone. Without a command, `headwater` is `headwater synth`.
///
/// Exit codes: 0 done or clean; 1 a finding (stale view, unreadable events under `--strict`);
/// 2 could not do it (usage, configuration, files, lock).
#[derive(Debug, Parser)]
#[command(name = "headwater", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `synth`.
    #[command(flatten)]
    pub synth: SynthArgs,
}

/// Merges the events of a ledger into `current.md`: `headwater synth` under the name that scripts call.
#[derive(Debug, Parser)]
#[command(name = "cc-synthesize", version, max_term_width = 100)]
pub struct Synthesize {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// Options of `synth`.
    #[command(flatten)]
    pub synth: SynthArgs,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The ledger's folder [default: `$HEADWATER_DIR`, else `git config headwater.dir`, else `ledger:` of the
    /// configuration, else thoughts/shared/handoffs]
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The configuration [default: .headwater.yaml at the top of the work tree]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// How many seconds to wait for another process [default: 10 for a ledger, 5 for ids, 30 for ids on
    /// a remote, 300 for GitHub]
    #[arg(long, global = true, value_name = "SECONDS")]
    pub wait: Option<u64>,
}

impl Default for Global {
    fn default() -> Self {
        Self { dir: None, config: None, format: Format::Text, quiet: false, wait: None }
    }
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs; see docs/json.md.
    Json,
    /// Reserved ids only, separated by a space; otherwise as text.
    Plain,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Merge the events into current.md (what `headwater` does without a command)
    Synth(SynthArgs),
    /// Write an event, and print its path
    Record(RecordArgs),
    /// Move old events to the archive; the view does not change
    Archive(ArchiveArgs),
    /// Turn legacy `## Ledger` Markdown and handoff YAML files into events; the files stay
    Import(ImportArgs),
    /// Print what stands: the merged ledger, with numbered questions
    Show,
    /// Print what happened: the events, newest first
    Log(LogArgs),
    /// Print every write of a section or of one line of it: who, when, from which file, what won and why
    Why(WhyArgs),
    /// Print who is doing what: each agent on each of its branches, newest first
    Status,
    /// Check event files, and print what is wrong with them and what to do
    Lint(LintArgs),
    /// Reserve ids that nobody else gets: see docs/ids.md
    #[command(subcommand)]
    Id(super::id::IdCommand),
    /// Posts about work items that several sessions share, and the queue of them: see docs/feed.md
    #[command(subcommand)]
    Feed(super::feed::FeedCommand),
    /// Allocate ids of the collision ledger, and write its page and memory row: see docs/ledger.md
    #[command(subcommand)]
    Ledger(super::ledger::LedgerCommand),
    /// Print the configuration as it is in force, defaults included
    ///
    /// The configuration is `.headwater.yaml` at the top of the work tree. It may hold:
    ///
    ///   requires: ">=0.2"                     versions of headwater that may read this file
    ///   ledger: thoughts/shared/handoffs      one folder, or a list of folders
    ///   view: branch                          or default-branch, untracked: where current.md is committed
    ///   archive: {after: 7d, pack_after: never}
    ///   capture: [todos, request]             what session end reads from the agent's transcript, if you agreed; default []
    ///   sessions: {silent_after: 12h}         when a silent session counts as dead
    ///   feed: {cold: 24h}                     when the owner of a claimed item counts as silent
    ///   triggers:                             what an occasion does to current.md and, if you agreed, to git:
    ///     session-start: {view: safe, commit: never}    and event, session-end, handoff, checkpoint
    ///     pre-push: {check: true}
    ///   ids:                                  namespaces of `headwater id`; every key can be left out
    ///     SEC: {format: "SEC-{n}", sources: [TASKS.md]}
    ///     ADR: {format: "ADR-{n:04}", files: "docs/adr/{n:04}-{slug}.md", template: docs/adr/template.md,
    ///       log: git, remote: origin, ref: refs/headwater/ids/ADR}    log is local, git or github
    ///   github: {issue: 12, repository: owner/name, trusted: [octocat]}    whose comments are a log
    ///   collisions: {log: github, page: wiki/collision-ledger.md, memory: wiki/MEMORY.md}
    ///   sections:                             adds sections, or changes those of the same name
    ///   - {name: risks, title: Risks, merge: set, identity: exact, closed_by: settled, show: 14d, grouped: true}
    ///
    /// `merge` is register, map, set or list; `identity` (words, exact), `closed_by` and `grouped` (items under
    /// the day, agent and branch of their events) are for sets, `show` for all but registers. `view` is never, safe (where it is in nobody's way: untracked, changed
    /// already, or committed by the same run) or always; `commit` is never, always, or a span that must
    /// have passed since the last one. Spans of time are a number and h, d or w, for `commit` m too. Names are small letters,
    /// digits and single `_`, and no key of an event's own front matter. Unknown keys are ignored with a warning.
    ///
    /// What you agreed to is not in the file but in this clone's git configuration: see docs/setup.md.
    #[command(verbatim_doc_comment)]
    #[expect(clippy::doc_markdown, reason = "the help shows a configuration as it is written")]
    Config,
    /// What agents and git call: installed by `headwater init`
    Hook(HookArgs),
    /// What git calls for a current.md that two sides changed: `headwater merge-driver %O %A %B %P %S %X %Y`
    #[command(hide = true)]
    MergeDriver(MergeDriverArgs),
    /// Set up this repository and its agents, or take that out again
    ///
    /// The ledger's folders, the configuration and the lines in .gitignore and .gitattributes are always set
    /// up. Without an option that names a part, it asks on a terminal; elsewhere it sets up git and the
    /// agents whose folders are there. What stands in a file stays, byte by byte; twice changes nothing.
    Init(InitArgs),
    /// Find what is missing, wrong or stale in the set-up, and say what mends it
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of a command: `headwater man record`
    Man {
        /// Which command
        command: Option<String>,
    },
}

/// Options of `synth`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct SynthArgs {
    /// Merge only these files (a path or pattern such as "events/*.md", from here or from the ledger);
    /// a choice other than exactly the live events goes to --output or standard output
    #[arg(long, value_name = "GLOB")]
    pub input: Vec<String>,
    /// Write the view to this file instead of current.md; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Change nothing; exit 1 with a diff if current.md is not what the events give
    #[arg(long, conflicts_with_all = ["input", "output", "archive", "commit", "dry_run"])]
    pub check: bool,
    /// With --check: check this commit's own events and view, without the work tree
    #[arg(long, value_name = "REV", requires = "check")]
    pub rev: Option<String>,
    /// With --check: also exit 1 if an event of the merge base with this commit is gone or changed, or if an event
    /// that is new since then contains a secret
    #[arg(long, value_name = "REV", requires = "check")]
    pub base: Option<String>,
    /// With --base: this event may be missing (12 or more digits of its id), such as a removed secret
    #[arg(long, value_name = "ID", requires = "base")]
    pub allow_missing: Vec<String>,
    /// With --base: this new event may contain a secret (12 or more digits of its id)
    #[arg(long, value_name = "ID", requires = "base")]
    pub allow_secret: Vec<String>,
    /// Whether every event counts as new.
    #[arg(skip)]
    pub all_are_new: bool,
    /// Do not ask, even on a terminal
    #[arg(long)]
    pub no_confirm: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Exit 1 if an event cannot be read
    #[arg(long)]
    pub strict: bool,
    /// Then move old events to the archive (`archive.after`)
    #[arg(long, conflicts_with_all = ["input", "output"])]
    pub archive: bool,
    /// Then commit the ledger's own files, and nothing else
    #[arg(long, conflicts_with_all = ["input", "output"])]
    pub commit: bool,
    /// With --commit: not if the last such commit is younger than this, such as 30m
    #[arg(long, value_name = "SPAN", requires = "commit")]
    pub throttle: Option<String>,
}

impl SynthArgs {
    /// Whether this speaks of files of one ledger.
    #[must_use]
    pub fn names_files(&self) -> bool {
        !self.input.is_empty() || self.output.as_deref().is_some_and(|output| output != std::path::Path::new("-"))
    }
}

/// Options of `record`.
#[derive(Debug, Clone, Default, Args)]
pub struct RecordArgs {
    /// Who writes it [default: `$HEADWATER_AGENT`, else the work tree's name]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub agent: Option<String>,
    /// What kind of event it is
    #[arg(long = "type", value_name = "TYPE", allow_hyphen_values = true, default_value = "note")]
    pub kind: String,
    /// Why it is written
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub reason: Option<String>,
    /// What the session works towards
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub goal: Option<String>,
    /// What is being done now
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub now: Option<String>,
    /// Something that was done
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub did: Vec<String>,
    /// A decision
    #[arg(long, value_name = "KEY=TEXT", allow_hyphen_values = true)]
    pub decide: Vec<String>,
    /// Take a decision back: its key, a unique beginning of it, or its number in `show`
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub undecide: Vec<String>,
    /// A phase of the work and how it stands
    #[arg(long, value_name = "PHASE=STATUS", allow_hyphen_values = true)]
    pub checkpoint: Vec<String>,
    /// An open question
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub ask: Vec<String>,
    /// Close a question: its text, a unique beginning of it, or its number in `show`
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub answer: Vec<String>,
    /// Stand above a write that is dated in the future
    #[arg(long)]
    pub overrule: bool,
    /// Read more sections from standard input, as a YAML mapping
    #[arg(long)]
    pub stdin: bool,
    /// Keep tokens and keys in the texts; by default they are replaced by `[masked]`
    #[arg(long)]
    pub keep_secrets: bool,
}

/// Options of `archive`.
#[derive(Debug, Clone, Args)]
pub struct ArchiveArgs {
    /// Archive live events older than this [default: `archive.after`, 7d]
    #[arg(long, value_name = "SPAN")]
    pub older_than: Option<String>,
    /// Pack archived events older than this [default: `archive.pack_after`, never]
    #[arg(long, value_name = "SPAN")]
    pub pack_older_than: Option<String>,
    /// Pack even outside the default branch
    #[arg(long)]
    pub force: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The files
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// When they were written [default: what the file says, else the date in its name]
    #[arg(long, value_name = "TIME")]
    pub ts: Option<String>,
    /// Who wrote them [default: what the file says, else the agent in a name like an event's, else `import`]
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
}

/// Options of `log`.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Only this agent's events
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Only events from this branch
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: Option<String>,
    /// Only events since this instant, or within this span of now, such as 2d
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
}

/// Options of `why`.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// The section's name, such as `decisions`
    pub section: String,
    /// A key of a map, or the text of an item
    pub key: Option<String>,
}

/// Options of `lint`.
#[derive(Debug, Clone, Args)]
pub struct LintArgs {
    /// The files to check, events or packs of them [default: all events of the ledger]
    ///
    /// Files with names that no event has, such as README.md, are skipped.
    ///
    /// What sections may hold: a register any value; a set a list, a scalar or a mapping; a map a
    /// mapping or a list of mappings; a list anything.
    pub files: Vec<PathBuf>,
    /// This event may contain a secret (12 or more digits of its id)
    #[arg(long, value_name = "ID")]
    pub allow_secret: Vec<String>,
}

/// Options of `hook`.
#[derive(Debug, Clone, Args)]
pub struct HookArgs {
    /// Which hook calls.
    #[command(subcommand)]
    pub hook: HookCommand,
}

/// The hooks.
#[derive(Debug, Clone, Subcommand)]
pub enum HookCommand {
    /// A session starts: recover dead ones, and hand the merged ledger over
    SessionStart(SessionHookArgs),
    /// A session ends: write one event of what it did
    SessionEnd(SessionHookArgs),
    /// The agent is about to forget: write one event of what was done so far
    PreCompact(SessionHookArgs),
    /// A turn ends: the session lives
    Stop(SessionHookArgs),
    /// Those of git
    #[command(flatten)]
    Git(GitHook),
}

/// Options of the agents' hooks; the rest comes on standard input.
#[derive(Debug, Clone, Default, Args)]
pub struct SessionHookArgs {
    /// Whose contract is spoken: claude-code, codex, gemini, cursor or copilot [default: seen from the input]
    #[arg(long, value_name = "KIND")]
    pub agent_kind: Option<AgentKind>,
    /// Also hand over what this branch has, local or remote-tracking
    #[arg(long = "ref", value_name = "REF")]
    pub refs: Vec<String>,
}

/// The hooks of git.
#[derive(Debug, Clone, Subcommand)]
pub enum GitHook {
    /// git's pre-push: exit 1 if a pushed commit's view is stale, an event is gone, a number is used twice or the feed drifts (`triggers: pre-push`)
    PrePush {
        /// The remote's name, or its URL where it has none
        #[arg(allow_hyphen_values = true)]
        remote: String,
        /// Its URL
        #[arg(allow_hyphen_values = true)]
        url: Option<String>,
    },
    /// git's post-merge: say when the view of the new commit is stale
    PostMerge {
        /// What git gives the hook
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        args: Vec<String>,
    },
    /// git's post-rewrite: say when the view of the new commit is stale
    PostRewrite {
        /// What git gives the hook
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        args: Vec<String>,
    },
    /// git's post-checkout: say when the view of the commit is stale
    PostCheckout {
        /// What git gives the hook
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        args: Vec<String>,
    },
}

/// What git gives a merge driver.
#[derive(Debug, Clone, Args)]
pub struct MergeDriverArgs {
    /// `%O`: the file with the base's text
    pub base: PathBuf,
    /// `%A`: the file with our text, which becomes the result
    pub ours: PathBuf,
    /// `%B`: the file with their text
    pub theirs: PathBuf,
    /// `%P %S %X %Y`: the path in the merged tree, and the labels of base, ours and theirs
    #[arg(required = true, allow_hyphen_values = true, trailing_var_arg = true, num_args = 1..=4)]
    pub about: Vec<OsString>,
}
/// Options of `init`.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct InitArgs {
    /// Git hooks, and the merge driver of current.md in this clone
    #[arg(long)]
    pub git: bool,
    /// Hooks, skill and instructions for Claude Code (.claude, CLAUDE.md)
    #[arg(long)]
    pub claude: bool,
    /// Hooks and instructions for Codex CLI (.codex, AGENTS.md)
    #[arg(long)]
    pub codex: bool,
    /// Hooks and instructions for Gemini CLI (.gemini, GEMINI.md)
    #[arg(long)]
    pub gemini: bool,
    /// Hooks and instructions for Cursor (.cursor, AGENTS.md)
    #[arg(long)]
    pub cursor: bool,
    /// Hooks and instructions for Copilot CLI (.github/hooks, AGENTS.md)
    #[arg(long)]
    pub copilot: bool,
    /// A workflow that checks pushes and pull requests; with `view: default-branch` one that writes the view
    #[arg(long)]
    pub github_actions: bool,
    /// A workflow that archives old events once a day; prints a crontab line that does so without GitHub
    #[arg(long)]
    pub schedule: bool,
    /// An entry for the pre-commit framework
    #[arg(long)]
    pub pre_commit: bool,
    /// All of these
    #[arg(long)]
    pub all: bool,
    /// Consent in this clone to recording each session's to-do list and last request where the configuration asks
    /// for them, as a new one then does (`git config headwater.capture`)
    #[arg(long, conflicts_with = "uninstall")]
    pub capture: bool,
    /// Consent in this clone to hooks that commit the ledger's own files (`git config headwater.commit`)
    #[arg(long, conflicts_with = "uninstall")]
    pub commit: bool,
    /// Consent in this clone to posting comments to this issue with your token (`git config headwater.github`)
    #[arg(long, conflicts_with = "uninstall", value_name = "OWNER/NAME#N")]
    pub github: Option<String>,
    /// Change nothing; print what would be changed
    #[arg(long)]
    pub dry_run: bool,
    /// Take it out again: all of it, or the parts that are named
    #[arg(long)]
    pub uninstall: bool,
}

/// Options of `doctor`.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct DoctorArgs {
    /// Bring events back that neither a work tree nor a branch holds
    #[arg(long)]
    pub restore: bool,
    /// Forget the faults of hooks
    #[arg(long)]
    pub clear: bool,
}
