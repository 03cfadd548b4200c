//! What is remembered of a session while it lasts: one small file in the common git directory.
//!
//! A span is what a session did since its last event. Whoever renames a marker has its span, and is the
//! only one to tell it; the renamed file is replaced by the text of the event before the event is
//! written, so that a process that dies in between tells nothing twice and nothing never.

use super::process::Process;
use super::reflog::Mark;
use crate::event::hex;
use crate::git::Layout;
use crate::store::{Spool, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A span of a session that is not told yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The agent's own name for the session; may be empty.
    pub session: String,
    /// The contract that its hooks follow.
    pub kind: String,
    /// Who writes its events.
    pub agent: String,
    /// The branch at the last look.
    pub branch: Option<String>,
    /// When that was, in nanoseconds since 1970.
    pub seen: i128,
    /// The commit that was checked out then.
    pub last: Option<String>,
    /// The checkout that it works in.
    pub work_tree: PathBuf,
    /// The commit at the beginning of the span.
    pub head: Option<String>,
    /// When the span began, in nanoseconds since 1970.
    pub began: i128,
    /// When the session began.
    pub session_began: i128,
    /// Where its transcript is.
    pub transcript: Option<PathBuf>,
    /// How far the log of `HEAD` was told.
    pub log: Mark,
    /// The agent's process, where it is known.
    pub process: Option<Process>,
    /// Whether the session was taken for dead and has not been heard of since: if it lives on after all, this
    /// is what it has not told.
    #[serde(default)]
    pub is_rest: bool,
}

/// A span that is claimed: nobody else tells it.
#[derive(Debug)]
pub struct Claim {
    /// The claimed file's name.
    pub name: String,
    /// What is known of it.
    pub stage: Stage,
}

/// How far the telling of a claimed span has come.
#[derive(Debug)]
pub enum Stage {
    /// Nothing is composed yet.
    Claimed(Box<Marker>),
    /// The event is composed, and may have been written.
    Composed(Pending),
}

/// An event on its way into a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The checkout whose ledger it goes to.
    pub work_tree: PathBuf,
    /// The ledger's path from the top.
    pub ledger: String,
    /// Its file name, without `.md`.
    pub stem: String,
    /// Its text.
    pub text: String,
}

/// The markers of a repository.
#[derive(Debug, Clone)]
pub struct Markers {
    spool: Spool,
}

const MARKER: &str = ".json";
const CLAIMED: &str = ".claimed";
const LOCK: &str = ".lock";

impl Markers {
    /// Those of the repository of `layout`.
    #[must_use]
    pub fn of(layout: &Layout) -> Self {
        Self { spool: Spool::new(layout.own_dir().join("sessions")) }
    }

    /// The name of a session's marker.
    #[must_use]
    pub fn key(kind: &str, session: &str, layout: &Layout) -> String {
        let mut digest = Sha256::new();
        for part in [kind.as_bytes(), session.as_bytes(), layout.git_dir.as_os_str().as_encoded_bytes()] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        hex(&digest.finalize()).get(..24).unwrap_or_default().to_owned()
    }

    /// Writes the marker of a new span; `false` if there is one, which is then left as it is.
    ///
    /// # Errors
    /// The system refuses.
    pub fn create(&self, key: &str, marker: &Marker) -> Result<bool, StoreError> {
        self.spool.create(&format!("{key}{MARKER}"), &encoded(marker)?)
    }

    /// Replaces the marker of a span that goes on in another process.
    ///
    /// # Errors
    /// The system refuses.
    pub fn update(&self, key: &str, marker: &Marker) -> Result<(), StoreError> {
        self.spool.replace(&format!("{key}{MARKER}"), &encoded(marker)?)
    }

    /// Removes what nobody will tell: rests of sessions that were never heard of again, files that cannot be
    /// read, temporary ones. Says what could not be read.
    ///
    /// # Errors
    /// The system refuses.
    pub fn sweep(&self, now: SystemTime) -> Result<Vec<String>, StoreError> {
        self.spool.sweep(now, STALE);
        let mut unreadable = Vec::new();
        for name in self.spool.names()? {
            let age = self.spool.written_at(&name).and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
            if age < STALE {
                continue;
            }
            let Ok(bytes) = self.spool.read(&name) else { continue };
            let bytes = bytes.unwrap_or_default();
            let is_rest = serde_json::from_slice::<Marker>(&bytes).map(|marker| marker.is_rest);
            let is_pending = serde_json::from_slice::<Pending>(&bytes).is_ok();
            match is_rest {
                Ok(true) => self.spool.remove(&name)?,
                Err(error) if !is_pending => {
                    unreadable.push(format!("`{name}` of a session cannot be read, and was removed: {error}"));
                    self.spool.remove(&name)?;
                }
                _ => {}
            }
        }
        Ok(unreadable)
    }

    /// Files of these markers that say nothing that this version understands, and why.
    #[must_use]
    pub fn damaged(&self) -> Vec<(PathBuf, String)> {
        let fault = |name: String| {
            let bytes = self.spool.read(&name).ok().flatten()?;
            let ours = name.ends_with(MARKER) || name.ends_with(CLAIMED);
            let error = serde_json::from_slice::<Marker>(&bytes).err().filter(|_| ours)?;
            serde_json::from_slice::<Pending>(&bytes).err()?;
            Some((self.spool.file(&name), error.to_string()))
        };
        self.spool.names().unwrap_or_default().into_iter().filter_map(fault).collect()
    }

    /// The marker of a key.
    ///
    /// # Errors
    /// The system refuses.
    pub fn get(&self, key: &str) -> Result<Option<Marker>, StoreError> {
        let bytes = self.spool.read(&format!("{key}{MARKER}"))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// All markers with their keys, and when they were last touched.
    ///
    /// # Errors
    /// The system refuses.
    pub fn all(&self) -> Result<Vec<(String, Marker, Option<SystemTime>)>, StoreError> {
        let mut all = Vec::new();
        for name in self.spool.names()? {
            let Some(key) = name.strip_suffix(MARKER) else { continue };
            // One that cannot be read hides no other.
            if let Ok(Some(marker)) = self.get(key) {
                all.push((key.to_owned(), marker, self.spool.written_at(&name)));
            }
        }
        Ok(all)
    }

    /// Takes the span of a key, so that nobody else tells it; none where somebody else has it.
    ///
    /// # Errors
    /// The system refuses.
    pub fn claim(&self, key: &str, now: SystemTime, claimer: &str) -> Result<Option<Claim>, StoreError> {
        let (marker, name) = (format!("{key}{MARKER}"), format!("{key}.{claimer}{CLAIMED}"));
        // The age of the file is to be that of the claim.
        self.spool.touch(&marker, now);
        if self.spool.claim(&marker, &name)? { self.read_claim(name) } else { Ok(None) }
    }

    /// Claims whose claimer has not finished them for a minute, taken over by `claimer`.
    ///
    /// # Errors
    /// The system refuses.
    pub fn abandoned(&self, now: SystemTime, claimer: &str) -> Result<Vec<Claim>, StoreError> {
        let mut claims = Vec::new();
        for name in self.spool.names()? {
            let Some(key) = name.strip_suffix(CLAIMED).and_then(|name| name.split('.').next()) else { continue };
            let age = self.spool.written_at(&name).and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
            let mine = format!("{key}.{claimer}{CLAIMED}");
            if age.as_secs() >= ABANDONED_SECONDS && self.spool.claim(&name, &mine)? {
                self.spool.touch(&mine, now);
                claims.extend(self.read_claim(mine).ok().flatten());
            }
        }
        Ok(claims)
    }

    fn read_claim(&self, name: String) -> Result<Option<Claim>, StoreError> {
        let bytes = self.spool.read(&name)?.unwrap_or_default();
        let stage = match (serde_json::from_slice(&bytes), serde_json::from_slice(&bytes)) {
            (Ok(pending), _) => Stage::Composed(pending),
            (_, Ok(marker)) => Stage::Claimed(Box::new(marker)),
            // Not ours to understand, so nothing of ours to tell.
            (Err(_), Err(_)) => return Ok(None),
        };
        Ok(Some(Claim { name, stage }))
    }

    /// Puts the composed event in the place of the claim, durably; `false` if somebody took that over, because
    /// this process stood still for long.
    ///
    /// # Errors
    /// The system refuses; the span is still claimed then.
    pub fn compose(&self, claim: &Claim, pending: &Pending) -> Result<bool, StoreError> {
        let is_held = self.spool.written_at(&claim.name).is_some();
        if is_held {
            self.spool.replace(&claim.name, &encoded(pending)?)?;
        }
        Ok(is_held)
    }

    /// Tells in turn: one process of the repository after the other, as far as they need not wait for long.
    pub fn in_turn<T>(&self, limit: Duration, work: impl FnOnce() -> T) -> T {
        self.spool.in_turn(LOCK, limit, work)
    }

    /// Says that a claim is done with.
    ///
    /// # Errors
    /// The system refuses.
    pub fn finish(&self, claim: &Claim) -> Result<(), StoreError> {
        self.spool.remove(&claim.name)
    }
}

/// After so long a claim is taken over: a hook is given seconds, not minutes.
const ABANDONED_SECONDS: u64 = 60;

/// After so long nothing more is heard of a session.
const STALE: Duration = Duration::from_secs(14 * 24 * 3_600);

/// Names and texts only: there is nothing in it that JSON could refuse, but a path that is not UTF-8.
fn encoded<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value)
        .map_err(|error| StoreError::io("remember a session of", Path::new("a work tree"))(error.into()))
}
