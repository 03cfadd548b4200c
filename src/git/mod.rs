//! The only caller of the git program, in a clean environment; and of `gh`, for its token ([`gh_token`]).
//!
//! Where a repository lies and what its `HEAD` says is read from git's own files ([`Layout`]), which
//! costs microseconds; everything else asks the program ([`Git`]). Nothing of what the user's shell or
//! a hook exported about *another* repository reaches it, no hook of the user is run, and what the
//! user has staged stays staged.

mod advertised;
mod command;
mod commit;
mod commit_attempt;
mod customs;
mod error;
mod hosting;
mod index;
mod label;
mod layout;
mod merge_text;
mod objects;
mod oid;
mod process;
#[cfg(unix)]
mod process_poll;
#[cfg(not(unix))]
mod process_threads;
mod references;
mod remote;
mod renames;
mod revision;
mod scratch_index;
mod settings;
mod state;
mod tips;

pub use advertised::{Advertised, MAYBE_OPEN};
pub use command::{AtLimit, Call, Git, Output};
pub use commit::{CommitOutcome, CommitRequest, Reason, SUBJECT};
pub use error::{GitError, NOT_STARTED};
pub use hosting::{HostedRepository, gh_token};
pub use label::Label;
pub use layout::Layout;
pub use merge_text::TextMerge;
pub use objects::{ChangedFiles, Mode, TreeEntry};
pub use oid::Oid;
pub use remote::{Message, Pushed, Whose};
pub use revision::{DefaultBranch, MergeBase};
pub use state::{Head, Operation};
