//! The one deadline of this process: whatever waits, waits at most until then.
//!
//! Only agents' hooks set one. Without it there is none, and each wait has its own limit.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When the process began.
static BEGAN: OnceLock<Instant> = OnceLock::new();

/// The end, in nanoseconds after [`BEGAN`]; the largest number where there is none.
static END: AtomicU64 = AtomicU64::new(NONE);

const NONE: u64 = u64::MAX;

/// Says that the process begins now; only the first call counts.
pub fn begin() {
    let _began = BEGAN.get_or_init(Instant::now);
}

/// How long the process has run since [`begin`].
#[must_use]
pub fn elapsed() -> Duration {
    BEGAN.get_or_init(Instant::now).elapsed()
}

/// Sets the deadline to so long after the beginning of the process.
pub fn set(limit: Duration) {
    begin();
    END.store(nanos(limit), Ordering::Relaxed);
}

/// How much time is left; without a deadline more than anything takes.
#[must_use]
pub fn left() -> Duration {
    match END.load(Ordering::Relaxed) {
        NONE => Duration::MAX,
        end => Duration::from_nanos(end).saturating_sub(elapsed()),
    }
}

/// The shorter of a limit and of what is left.
#[must_use]
pub fn within(limit: Duration) -> Duration {
    limit.min(left())
}

/// Whether the time is up.
#[must_use]
pub fn is_over() -> bool {
    left().is_zero()
}

/// A part of the work that may take at most so long: until this value is dropped, the deadline is earlier.
#[derive(Debug)]
pub struct Part {
    end: u64,
}

/// Gives a part of the work at most this time, and never more than is left.
#[must_use]
pub fn part(limit: Duration) -> Part {
    let end = END.load(Ordering::Relaxed);
    if end != NONE {
        END.store(end.min(nanos(elapsed().saturating_add(limit))), Ordering::Relaxed);
    }
    Part { end }
}

impl Drop for Part {
    fn drop(&mut self) {
        END.store(self.end, Ordering::Relaxed);
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(NONE - 1)
}
