//! What can be said of the feed on the command line.

use crate::feed::Kind;
use crate::feed::drift::Code;
use clap::{Args, Subcommand, ValueEnum};

/// The commands of `headwater feed`.
#[derive(Debug, Clone, Subcommand)]
pub enum FeedCommand {
    /// Write a post, and print its item and path; exit 1 if the rules of the feed refuse it
    Append(Box<AppendArgs>),
    /// Print the open items: state, owner, age, warmth
    Queue(QueueArgs),
    /// Print the whole history of an item, and its other ids
    Show(ShowArgs),
    /// Print posts, and then every new one as it comes, until Ctrl+C or nobody reads
    Tail(TailArgs),
    /// Find what is wrong with the queue; exit 1 if something is
    #[command(alias = "queue-drift-check")]
    Drift(DriftArgs),
}

/// Options of `feed append`.
#[derive(Debug, Clone, Args)]
pub struct AppendArgs {
    /// What the post does
    #[arg(long, value_enum)]
    pub kind: Word,
    /// What it is about; `{{ITEM_ID}}` becomes the id
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub subject: String,
    /// The rest of it; `{{ITEM_ID}}` becomes the id, `-` reads standard input
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub body: Option<String>,
    /// The item; for a new one, a number that this seat reserved before, or that no log keeps
    #[arg(long, value_name = "ID")]
    pub item: Option<String>,
    /// Reserve the number in this namespace of `ids:`: that of a new item, or with --kind amend the new one
    #[arg(long, value_name = "NS")]
    pub reserve: Option<String>,
    /// With --kind amend: the new id, where no log keeps such ids
    #[arg(long, value_name = "ID", conflicts_with = "reserve")]
    pub to: Option<String>,
    /// Which actionable post is meant, by 12 or more digits of its id, where several have the same item; with --kind
    /// repair and no --item: the post that is void
    #[arg(long, value_name = "POST")]
    pub of: Option<String>,
    /// With --kind actionable: the release or repair that allows it, by 12 or more digits [default: the last one]
    #[arg(long, value_name = "POST")]
    pub proof: Option<String>,
    /// A durable key: the same again is the same post and number, the same key with other words is refused
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub event: Option<String>,
    /// The seat that posts [default: `$HEADWATER_AGENT`, else the work tree's name]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub agent: Option<String>,
    /// Do not ask the remote for newer posts and numbers
    #[arg(long)]
    pub no_fetch: bool,
    /// Keep tokens and keys in the texts; by default they are replaced by `[masked]`
    #[arg(long)]
    pub keep_secrets: bool,
}

/// The kinds, as words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Word {
    /// A new item that waits for somebody, or one that was released and is posted again
    Actionable,
    /// I take it
    Claim,
    /// I finished it
    Done,
    /// Something that others should know
    Note,
    /// I give it up; it waits again
    Release,
    /// It waits again, whatever it was: a claim gone cold, something finished that is not; with --of alone: a stray
    /// post is void
    Repair,
    /// I looked again: its provisional number is nobody else's
    Confirm,
    /// It has another id now; the old one leads to it
    Amend,
}

impl Word {
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Actionable => Kind::Actionable,
            Self::Claim => Kind::Claim,
            Self::Done => Kind::Done,
            Self::Note => Kind::Note,
            Self::Release => Kind::Release,
            Self::Repair => Kind::Repair,
            Self::Confirm => Kind::Confirm,
            Self::Amend => Kind::Amend,
        }
    }
}

/// Options of `feed queue`.
#[derive(Debug, Clone, Args)]
pub struct QueueArgs {
    /// Only items of this seat
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Only items of this namespace, such as CMB
    #[arg(long, value_name = "NS")]
    pub prefix: Option<String>,
    /// Only items in this state
    #[arg(long, value_enum)]
    pub state: Option<StateWord>,
    /// Finished items too
    #[arg(long)]
    pub all: bool,
    /// Measure ages from this instant [default: now]
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
}

/// The states, as words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateWord {
    /// Nobody has it (`AWAITING_CLAIM`)
    Awaiting,
    /// Somebody has it (`CLAIMED`)
    Claimed,
    /// It is finished (`DONE`)
    Done,
    /// Its number waits to be confirmed (`CONFIRM-PENDING`)
    Pending,
    /// Its number is another item's
    Collision,
    /// Its owner is silent for longer than `feed.cold`
    Cold,
}

/// Options of `feed show`.
#[derive(Debug, Clone, Args)]
pub struct ShowArgs {
    /// The item, as it is called now or was
    pub item: String,
}

/// Options of `feed tail`.
#[derive(Debug, Clone, Args)]
pub struct TailArgs {
    /// How many of the last posts to begin with
    #[arg(long, short = 'n', value_name = "N", default_value_t = 10)]
    pub lines: usize,
    /// Print these and end
    #[arg(long)]
    pub no_follow: bool,
    /// Only posts about this item
    #[arg(long, value_name = "ID")]
    pub item: Option<String>,
}

/// Options of `feed drift`.
#[derive(Debug, Clone, Args)]
pub struct DriftArgs {
    /// Ask the remote for newer posts first
    #[arg(long)]
    pub fetch: bool,
    /// Tell findings of this code, but do not fail for them alone; may be repeated
    #[arg(long, value_name = "CODE", value_parser = code, value_delimiter = ',')]
    pub warn: Vec<Code>,
    /// Print findings as annotations of GitHub's
    #[arg(long)]
    pub github: bool,
    /// Measure ages from this instant [default: now]
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
}

fn code(name: &str) -> Result<Code, String> {
    Code::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        format!("no such code; there are {}", known.join(", "))
    })
}
