//! Setting a repository up, taking that out again, and finding what is wrong with it.
//!
//! What belongs into which file is computed from the file's text (`managed`); a plan is made of all
//! of it before the first byte is written, and the bytes that stood there are kept.

mod block;
mod consents;
mod contracts;
mod fault;
mod hooks;
mod inspect;
mod json;
mod managed;
mod memory;
mod places;
mod plan;
mod precommit;
mod prettier;
mod texts;

pub use consents::Word;
pub use contracts::{CONTRACTS, Contract, Hook};
pub use fault::SetupError;
pub use inspect::{Finding, inspect, present};
pub use managed::Settings;
pub use memory::damaged_memory;
pub use plan::{Act, Plan, Step, install, uninstall};
pub use prettier::ignore_files;
pub use texts::CAPTURE;

/// A part of the set-up that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Ledger folders, configuration, `.gitignore`, `.gitattributes`.
    Ledger,
    /// Git hooks and the merge driver.
    Git,
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// Cursor.
    Cursor,
    /// Copilot CLI.
    Copilot,
    /// Workflows of GitHub.
    GithubActions,
    /// Archiving on schedule.
    Schedule,
    /// An entry for the pre-commit framework.
    PreCommit,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 10] = [
        Self::Ledger,
        Self::Git,
        Self::Claude,
        Self::Codex,
        Self::Gemini,
        Self::Cursor,
        Self::Copilot,
        Self::GithubActions,
        Self::Schedule,
        Self::PreCommit,
    ];

    /// The option of `headwater init` that asks for it; the ledger is always set up.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Ledger => "",
            Self::Git => " --git",
            Self::Claude => " --claude",
            Self::Codex => " --codex",
            Self::Gemini => " --gemini",
            Self::Cursor => " --cursor",
            Self::Copilot => " --copilot",
            Self::GithubActions => " --github-actions",
            Self::Schedule => " --schedule",
            Self::PreCommit => " --pre-commit",
        }
    }
}

/// The crontab line that archives old events in a temporary work tree of the default branch. It works in the
/// folder that all work trees share, as any of them may be removed; it does nothing where headwater is missing.
#[must_use]
pub fn cron_line(common_dir: &std::path::Path, branch: &str) -> String {
    texts::cron_line(&common_dir.to_string_lossy(), branch)
}
