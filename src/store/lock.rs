//! `.synth.lock`: one synthesizer at a time, a bounded wait, and a word on who holds it.

use super::platform::open_lock_file;
use super::{LedgerDir, StoreError};
use crate::bounds::deadline;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a wait is that nobody needs to hear of.
const WORTH_A_WORD: Duration = Duration::from_secs(1);

/// How to wait for the lock.
#[derive(Clone, Copy)]
pub struct LockRequest<'a> {
    /// How long to wait at most.
    pub wait: Duration,
    /// What this process does, for others to read.
    pub purpose: &'a str,
    /// Told once who holds the lock, if it is waited for longer than a second.
    pub waiting: &'a dyn Fn(&str),
}

impl std::fmt::Debug for LockRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LockRequest").field("wait", &self.wait).field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

/// Runs `work` while holding the ledger's lock; the open lock file is handed to it.
///
/// # Errors
/// The lock is still held after the wait, or cannot be had here at all; then `work` is not run.
pub fn with_lock<T>(
    ledger: &LedgerDir,
    request: &LockRequest<'_>,
    work: impl FnOnce(&File) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    with_lock_file(&ledger.lock_file(), request, work)
}

/// Runs `work` while holding the lock of this file, which is made where it is missing.
///
/// # Errors
/// As [`with_lock`], and what `work` reports.
pub fn with_lock_file<T, E: From<StoreError>>(
    path: &Path,
    request: &LockRequest<'_>,
    work: impl FnOnce(&File) -> Result<T, E>,
) -> Result<T, E> {
    let path = path.to_owned();
    let file = open_lock_file(&path).map_err(StoreError::io("open", &path))?;
    if !file.metadata().map_err(StoreError::io("look at", &path))?.is_file() {
        return Err(StoreError::WrongKind { path, kind: "file" }.into());
    }
    let mut lock = fd_lock::RwLock::new(file);
    let (started, wait) = (Instant::now(), deadline::within(request.wait));
    let mut pause = Duration::from_millis(2);
    let mut told = false;
    loop {
        match lock.try_write() {
            Ok(mut held) => {
                sign(&mut held, request.purpose);
                let done = work(&held);
                let _courtesy = held.set_len(0);
                return done;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(StoreError::io("lock", &path)(error).into()),
        }
        let waited = started.elapsed();
        if waited >= wait {
            return Err(StoreError::Locked { holder: holder(&path), path, waited: waited.as_secs() }.into());
        }
        if !told && waited >= WORTH_A_WORD {
            (request.waiting)(&holder(&path));
            told = true;
        }
        std::thread::sleep(pause.min(wait.saturating_sub(waited)));
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Runs `work` while holding the lock of this file; without it where it cannot be had, or not within `wait`.
pub(super) fn in_turn<T>(path: &Path, wait: Duration, work: impl FnOnce() -> T) -> T {
    let Ok(file) = open_lock_file(path) else { return work() };
    let mut lock = fd_lock::RwLock::new(file);
    let (started, wait) = (Instant::now(), deadline::within(wait));
    loop {
        match lock.try_write() {
            Ok(_held) => return work(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && started.elapsed() < wait => {}
            Err(_) => return work(),
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Writes who holds the lock into it. Only a courtesy: what cannot be written is left out.
fn sign(file: &mut File, purpose: &str) {
    let line = format!("process {} ({purpose})\n", std::process::id());
    let _courtesy = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(line.as_bytes()));
}

/// Who holds the lock, as far as the file says.
fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = open_lock_file(path).and_then(|file| file.take(200).read_to_string(&mut text));
    let name = text.lines().next().unwrap_or_default().trim();
    if read.is_err() || name.is_empty() {
        "another process".to_owned()
    } else {
        crate::ledger::escape::safe_for_terminal(name)
    }
}
