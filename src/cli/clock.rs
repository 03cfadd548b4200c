//! The wall clock: asked for the ts of a new event and for the age of old ones, never for a view.

use super::error::CliError;
use crate::event::Timestamp;
use std::time::{Duration, SystemTime};

/// Nanoseconds since 1970-01-01T00:00:00Z; negative before.
#[expect(clippy::disallowed_methods, reason = "this module owns the clock")]
pub(super) fn now_unix_nanos() -> i128 {
    let nanos = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => nanos(since),
        Err(before) => -nanos(before.duration()),
    }
}

/// The same clock, for the ages of files.
#[expect(clippy::disallowed_methods, reason = "this module owns the clock")]
pub(super) fn system_now() -> SystemTime {
    SystemTime::now()
}

/// The instant for a new event, to the millisecond.
///
/// # Errors
/// The clock stands before 1970 or after 9999.
pub(super) fn now() -> Result<Timestamp, CliError> {
    let now = Timestamp::from_unix_nanos(now_unix_nanos()).ok_or(CliError::Clock)?;
    Ok(now.floor_to_millis())
}
