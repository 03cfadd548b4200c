//! What can be said of the collision ledger on the command line.

use crate::config::LogKind;
use crate::ids::collisions::LedgerKind;
use clap::{Args, Subcommand, ValueEnum};

/// The commands of `headwater ledger`.
#[derive(Debug, Clone, Subcommand)]
pub enum LedgerCommand {
    /// Allocate ids for an event: publish an anchor, and print the ids, such as `#97 #98`
    ///
    /// An equal allocation (kind, event, count, note) made again is the same one. The page is not written:
    /// `headwater ledger rebuild` does that.
    Allocate(AllocateArgs),
    /// Write the ledger page and the memory row from the published anchors
    ///
    /// Whoever lost a double allocation gets a new id first, by a published amendment. Prose on the page is
    /// kept below its entry.
    Rebuild(RebuildArgs),
    /// Compare page and memory row with the published anchors; writes neither
    ///
    /// Exit 1 if they differ, or if an anchor was edited or deleted since it was seen here.
    Verify(Whereabouts),
}

/// A kind of allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindName {
    /// An overlapping occurrence: #97
    Occ,
    /// A near-miss: NM38
    Nm,
    /// A fold of prior allocations: n=74
    Fold,
    /// A meta-level allocation: M39
    Meta,
}

impl From<KindName> for LedgerKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Occ => Self::Occ,
            KindName::Nm => Self::Nm,
            KindName::Fold => Self::Fold,
            KindName::Meta => Self::Meta,
        }
    }
}

/// Where anchors are put in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogName {
    /// A database that all worktrees of this clone share
    Local,
    /// References on the remote
    Git,
    /// The comments of an issue on GitHub
    Github,
}

impl From<LogName> for LogKind {
    fn from(name: LogName) -> Self {
        match name {
            LogName::Local => Self::Local,
            LogName::Git => Self::Git,
            LogName::Github => Self::Github,
        }
    }
}

/// Which log is meant.
#[derive(Debug, Clone, Args)]
pub struct Whereabouts {
    /// Where anchors are put in order [default: `log` under `collisions:`, else github]
    #[arg(long, value_enum)]
    pub log: Option<LogName>,
    /// The issue whose comments are the anchors [default: `issue` under `github:`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub issue: Option<u64>,
    /// The repository of the issue [default: `$GITHUB_REPOSITORY`, else that of the own remote]
    #[arg(long, value_name = "OWNER/NAME")]
    pub repo: Option<String>,
}

/// Options of `ledger allocate`.
#[derive(Debug, Clone, Args)]
pub struct AllocateArgs {
    /// What is allocated
    #[arg(long, value_enum)]
    pub kind: KindName,
    /// The durable key: a commit, or a prior anchor's id
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub event: String,
    /// How many ids
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub count: u64,
    /// Register these ids, which predate the ledger, instead: `"#42,#43"`
    #[arg(long, value_name = "IDS", conflicts_with = "count")]
    pub ids: Option<String>,
    /// A note on the anchor
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub note: Option<String>,
    /// Who allocates [default: `$HEADWATER_AGENT`, else the work tree's name]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub agent: Option<String>,
    /// Follow a number that is more than 10000 above the log, this once; otherwise it is reported and passed over
    #[arg(long)]
    pub allow_jump: bool,
    /// Which log is meant.
    #[command(flatten)]
    pub place: Whereabouts,
}

/// Options of `ledger rebuild`.
#[derive(Debug, Clone, Args)]
pub struct RebuildArgs {
    /// Leave losers of double allocations without a new id, and show the gap
    #[arg(long)]
    pub gapped: bool,
    /// First publish again what was edited or deleted since it was seen here; ids that others allocated meanwhile
    /// are then double allocations
    #[arg(long)]
    pub repair: bool,
    /// Which log is meant.
    #[command(flatten)]
    pub place: Whereabouts,
}
