//! Why an id could not be reserved.

use crate::git::GitError;
use crate::store::StoreError;
use crate::trust::fault::{Refusal, TrustError};
use std::path::PathBuf;
use std::time::Duration;

/// Why an id could not be reserved, or a log not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdsError {
    /// Nothing is configured under this name.
    #[error("unknown namespace `{name}`; {}", if known.is_empty() { "name it under `ids:` in `.headwater.yaml`".to_owned() } else { format!("known are: {}", known.join(", ")) })]
    UnknownNamespace {
        /// The name.
        name: String,
        /// What is configured.
        known: Vec<String>,
    },
    /// There is no log, though namespaces are configured: it was never made, or all copies are lost.
    #[error("there is no log of ids at `{}`: either it was never made, or it and its journal are lost; run `headwater id init`, which starts above every id in the configured sources, files and references", .0.display())]
    NoLog(PathBuf),
    /// Somebody else is writing.
    #[error("the log of ids `{}` is busy: {holder}; waited {:.1} s; try again, wait longer with `--wait`, or end that process", path.display(), waited.as_secs_f64())]
    Busy {
        /// The database.
        path: PathBuf,
        /// Who is at it, as far as the system tells.
        holder: String,
        /// How long was waited.
        waited: Duration,
    },
    /// The database refused.
    #[cfg(feature = "sqlite")]
    #[error("cannot {action} the log of ids `{}`; nothing was reserved; {remedy}", path.display())]
    Database {
        /// What was tried.
        action: &'static str,
        /// The database.
        path: PathBuf,
        /// What to do.
        remedy: &'static str,
        /// What it said.
        #[source]
        source: Box<rusqlite::Error>,
    },
    /// The database and its journal are not of one piece: either may be an old copy.
    #[error("`{}` {fault}, so nothing proves that the log of ids `{}` is no old copy; nothing was reserved; put the newest copy of the journal back, or run `headwater id init`, which joins the two and starts above every id in them, the configured sources, files and references", journal.display(), path.display())]
    Unproven {
        /// The database.
        path: PathBuf,
        /// The journal.
        journal: PathBuf,
        /// What is wrong with the journal.
        fault: &'static str,
    },
    /// The database was made by a later version.
    #[error("`{}` was written by a later version of headwater (format {found}, this one knows {known}); install that version", path.display())]
    TooNew {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that is understood.
        known: i64,
    },
    /// This build has no local log.
    #[error(
        "this headwater was built without the feature `sqlite`, which keeps the local log of ids; install it with default features"
    )]
    NoLocalLog,
    /// Something that is no regular file stands where a file of the log belongs.
    #[error("`{}` is no regular file, so the log of ids cannot be read; nothing was reserved; run `headwater id init`, which moves it away and makes the log again", .0.display())]
    NoFile(PathBuf),
    /// The durable key means something else.
    #[error("the event `{key}` of {namespace} already reserved {} {differs}; repeat it as it was, or choose another `--event`", ids.join(" "))]
    EventUsed {
        /// The namespace.
        namespace: String,
        /// The key.
        key: String,
        /// What it reserved.
        ids: Vec<String>,
        /// What differs.
        differs: &'static str,
    },
    /// No number is left.
    #[error(
        "{namespace} stands at {top}, and no higher numbers are left; correct the id that is so high, or, where the log says so itself, reserve in another namespace"
    )]
    Exhausted {
        /// The namespace.
        namespace: String,
        /// The highest number.
        top: u64,
    },
    /// Another namespace gave this id.
    #[error(
        "the log has `{id}` as an id of {other}; {namespace} did not give it again; `headwater id init` starts above every such id"
    )]
    Taken {
        /// Who wanted it.
        namespace: String,
        /// The id.
        id: String,
        /// Whose it is.
        other: String,
    },
    /// Somebody wants to start so high that no number is left.
    #[error(
        "{namespace} cannot start above {number}: no numbers would be left; the greatest that it can start above is {most}; nothing was written; correct the counter or the id"
    )]
    TooHigh {
        /// The namespace.
        namespace: String,
        /// What was wanted.
        number: u64,
        /// The greatest number that leaves another.
        most: u64,
    },
    /// The number to start above is far above the log.
    #[error(
        "{namespace} stands at {stands}, and {number} is more than {} above: nothing was written; if the number is right, repeat the command with `--allow-jump`",
        crate::trust::number::JUMP
    )]
    Jump {
        /// The namespace.
        namespace: String,
        /// The number.
        number: u64,
        /// Where the log stands.
        stands: u64,
    },
    /// Nobody reserved this id.
    #[error("`{id}` was never reserved; `headwater id list` shows what was")]
    UnknownId {
        /// The id.
        id: String,
    },
    /// Another id stands for this one.
    #[error("`{id}` was amended to `{by}`; name that one")]
    Replaced {
        /// The id.
        id: String,
        /// What stands for it.
        by: String,
    },
    /// The id is another clone's.
    #[error("`{id}` is not this clone's to give up: {agent} reserved it elsewhere and has it; {remedy}")]
    Others {
        /// The id.
        id: String,
        /// Who has it.
        agent: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A configured source is not there.
    #[error(
        "the source `{path}` of {namespace} {fault}, so ids in it would be given again; restore it, or take it out of `sources:` in `.headwater.yaml`"
    )]
    Source {
        /// The namespace.
        namespace: String,
        /// The file.
        path: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// The remote can be reached, and does not take the reservation.
    #[error(
        "`{remote}` does not take `{reference}`: {why}; nothing was reserved; if the host refuses such references, choose another with `ref:`, such as `refs/heads/headwater-ids`"
    )]
    Refused {
        /// The remote.
        remote: String,
        /// The reference.
        reference: String,
        /// What it said.
        why: String,
    },
    /// Others kept being faster.
    #[error("`{reference}` on `{remote}` kept moving for {:.0} s; nothing was reserved; try again, or wait longer with `--wait`", waited.as_secs_f64())]
    Contended {
        /// The remote.
        remote: String,
        /// The reference.
        reference: String,
        /// How long was tried.
        waited: Duration,
    },
    /// The answer to a push was lost, and the remote cannot be asked whether it took it.
    #[error("`{remote}` went away before it said whether it took {}: {why}", .anchors.iter().flat_map(|anchor| anchor.ids.iter().map(String::as_str)).collect::<Vec<_>>().join(" "))]
    Unsure {
        /// The remote.
        remote: String,
        /// What was pushed last.
        anchors: Vec<super::contract::Anchor>,
        /// Why.
        why: String,
    },
    /// The remote cannot be reached.
    #[error("`{remote}` cannot be reached: {why}")]
    Unreachable {
        /// The remote.
        remote: String,
        /// Why.
        why: String,
    },
    /// GitHub did not do what it was asked.
    #[error(transparent)]
    Hub(#[from] super::github::HubError),
    /// The user of this clone did not grant it.
    #[error(transparent)]
    Trust(Refusal),
    /// These ids have owners.
    #[error("{} {} an anchor already; nothing was registered", ids.join(" "), if ids.len() == 1 { "has" } else { "have" })]
    Anchored {
        /// The ids.
        ids: Vec<String>,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers, without which no reservation can be told from another")]
    NoRandom,
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// git cannot answer.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl From<TrustError> for IdsError {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::Refused(refusal) => Self::Trust(refusal),
            TrustError::Git(error) => Self::Git(error),
        }
    }
}

impl IdsError {
    /// Whether the database itself is damaged, so that only making it again helps.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        #[cfg(feature = "sqlite")]
        if let Self::Database { source, .. } = self {
            use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
            return matches!(source.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase));
        }
        false
    }
}
