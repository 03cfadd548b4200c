//! Talks to one started process: all pipes at once, for a bounded time.

use std::io;
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use super::AtLimit;
#[cfg(unix)]
use super::process_poll::talk;
#[cfg(not(unix))]
use super::process_threads::talk;
use crate::bounds::deadline;

/// How much longer a process that may hold a lock is waited for.
const GRACE: Duration = Duration::from_secs(30);
/// How much of a complaint is kept.
pub(super) const COMPLAINT_BYTES: usize = 64 * 1024;
/// How long a killed process is waited for: one that the system cannot end is left to it.
const LAST_LOOK: Duration = Duration::from_millis(200);

/// How much time is left.
pub(super) type Left<'a> = &'a dyn Fn() -> Duration;

/// What a process left behind.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// How waiting for a process came out.
#[derive(Debug)]
pub(super) enum Waited {
    Finished(Finished),
    /// Its time was up.
    Late {
        left_running: bool,
    },
}

/// Writes `input`, reads everything and waits for the end, at most for `limit`, and never past the deadline of this
/// process.
///
/// # Errors
/// Fails if a pipe cannot be read.
pub(super) fn converse(
    mut child: Child,
    input: Option<Vec<u8>>,
    limit: Duration,
    at_limit: AtLimit,
    most: usize,
) -> io::Result<Waited> {
    let started = Instant::now();
    let patience = match at_limit {
        AtLimit::End => limit,
        AtLimit::LetFinish => limit.saturating_add(GRACE),
    };
    let patience = deadline::within(patience);
    let talked = talk(&mut child, input, most, &|| patience.saturating_sub(started.elapsed()));
    if let Ok(Some(finished)) = talked {
        return Ok(Waited::Finished(finished));
    }
    let left_running = at_limit == AtLimit::LetFinish;
    if !left_running {
        // SIGKILL on Unix: only processes without locks of the user's are ended.
        child.kill().ok();
        let killed = Instant::now();
        while matches!(child.try_wait(), Ok(None)) && killed.elapsed() < LAST_LOOK {
            thread::sleep(Duration::from_millis(1));
        }
    }
    talked.map(|_| Waited::Late { left_running })
}
