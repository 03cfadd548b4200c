//! Instants: the `ts` of an event, and the spans of time that a configuration names.

use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use std::fmt;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// An instant in the years 1970 to 9999, to the nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// The last second that can be written: 9999-12-31T23:59:59Z.
    const LAST_SECOND: i64 = 253_402_300_799;

    /// Makes an instant from nanoseconds since 1970-01-01T00:00:00Z, if it is in the years 1970 to 9999.
    #[must_use]
    pub fn from_unix_nanos(nanos: i128) -> Option<Self> {
        let seconds = i64::try_from(nanos.div_euclid(NANOS_PER_SECOND)).ok()?;
        let nanos = u32::try_from(nanos.rem_euclid(NANOS_PER_SECOND)).ok()?;
        (0..=Self::LAST_SECOND).contains(&seconds).then_some(Self { seconds, nanos })
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_nanos(self) -> i128 {
        i128::from(self.seconds) * NANOS_PER_SECOND + i128::from(self.nanos)
    }

    /// The instant cut to whole milliseconds.
    #[must_use]
    pub fn floor_to_millis(self) -> Self {
        Self { nanos: self.nanos / 1_000_000 * 1_000_000, ..self }
    }

    /// The instant `span` later, unless that is after the year 9999.
    #[must_use]
    pub fn after(self, span: Span) -> Option<Self> {
        Self::from_unix_nanos(self.unix_nanos() + span.nanos)
    }

    /// The instant `span` earlier, in nanoseconds since 1970 (it may lie before).
    #[must_use]
    pub fn nanos_before(self, span: Span) -> i128 {
        self.unix_nanos() - span.nanos
    }

    /// Reads the text of a `ts` (FORMAT §2): RFC 3339 with `T`, seconds, an optional fraction of 1 to 9
    /// digits, and `Z` or `±HH:MM`; a real date, no leap second, in the years 1970 to 9999.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<u32> {
            bytes
                .get(from..to)?
                .iter()
                .try_fold(0u32, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u32::from(digit - b'0')))
        };
        let separated = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
            .iter()
            .all(|&(at, separator)| bytes.get(at) == Some(&separator));
        if !separated {
            return None;
        }
        let year = i32::try_from(number(0, 4)?).ok().filter(|year| *year >= 1970)?;
        let date = NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?)?;
        let time = date.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)?;

        let rest = bytes.get(19..)?;
        let fraction_len = match rest.strip_prefix(b".") {
            None => 0,
            Some(digits) => digits.iter().take_while(|digit| digit.is_ascii_digit()).count() + 1,
        };
        let nanos = match fraction_len {
            0 => 0,
            2..=10 => number(20, 19 + fraction_len)? * 10u32.pow(u32::try_from(10 - fraction_len).ok()?),
            _ => return None,
        };
        let at = 19 + fraction_len;
        let offset_seconds = match bytes.get(at..)? {
            b"Z" => 0,
            [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
                let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let offset = i64::from(hours * 3600 + minutes * 60);
                if *sign == b'-' { -offset } else { offset }
            }
            _ => return None,
        };
        let seconds = time.and_utc().timestamp() - offset_seconds;
        (0..=Self::LAST_SECOND).contains(&seconds).then_some(Self { seconds, nanos })
    }

    /// The UTC day as `YYYY-MM-DD`.
    #[must_use]
    pub fn day(self) -> String {
        self.to_string().get(..10).unwrap_or_default().to_owned()
    }
}

/// UTC with `Z`, and 0, 3, 6 or 9 digits of fraction, the fewest that are exact (FORMAT §6).
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = DateTime::from_timestamp(self.seconds, 0).unwrap_or_default();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            date.year(),
            date.month(),
            date.day(),
            date.hour(),
            date.minute(),
            date.second()
        )?;
        match self.nanos {
            0 => {}
            nanos if nanos % 1_000_000 == 0 => write!(f, ".{:03}", nanos / 1_000_000)?,
            nanos if nanos % 1_000 == 0 => write!(f, ".{:06}", nanos / 1_000)?,
            nanos => write!(f, ".{nanos:09}")?,
        }
        f.write_str("Z")
    }
}

/// A length of time, as `7d`, `36h`, `2w` or `30m` name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    nanos: i128,
}

impl Span {
    /// One millisecond: how far a new event rises above what it has seen.
    pub const MILLISECOND: Self = Self { nanos: 1_000_000 };

    /// A span of whole hours.
    #[must_use]
    pub const fn hours(hours: u32) -> Self {
        Self { nanos: hours as i128 * 3_600 * NANOS_PER_SECOND }
    }

    /// A span of whole minutes.
    #[must_use]
    pub const fn minutes(minutes: u32) -> Self {
        Self { nanos: minutes as i128 * 60 * NANOS_PER_SECOND }
    }

    /// A span of whole seconds.
    #[must_use]
    pub const fn seconds_of(seconds: u32) -> Self {
        Self { nanos: seconds as i128 * NANOS_PER_SECOND }
    }

    /// Its nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> i128 {
        self.nanos
    }

    /// Whole seconds in the span, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        i64::try_from(self.nanos / NANOS_PER_SECOND).unwrap_or(i64::MAX)
    }

    /// Reads a whole number and one of the `units` (`m`inutes, `h`ours, `d`ays, `w`eeks).
    ///
    /// # Errors
    /// Says what a span looks like when the text is none.
    pub fn parse(text: &str, units: &str) -> Result<Self, SpanError> {
        let wrong = || SpanError { text: text.to_owned(), units: units.to_owned() };
        let unit = text.chars().next_back().filter(|unit| units.contains(*unit)).ok_or_else(wrong)?;
        let digits = text.strip_suffix(unit).unwrap_or_default();
        if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(wrong());
        }
        let seconds = match unit {
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(wrong()),
        };
        let number: i128 = digits.parse().map_err(|_not_a_number| wrong())?;
        Ok(Self { nanos: number * seconds * NANOS_PER_SECOND })
    }
}

/// A text that is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no span of time: write a whole number and one of {}, such as `7d`", text.escape_debug(), named(units))]
pub struct SpanError {
    text: String,
    units: String,
}

fn named(units: &str) -> String {
    units.chars().map(|unit| format!("`{unit}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Span, Timestamp};

    fn ts(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap_or_else(|| panic!("{text} is a ts"))
    }

    #[test]
    fn instants_are_compared_not_texts() {
        assert_eq!(ts("2026-01-10T14:03:52+01:00"), ts("2026-01-10T13:03:52Z"));
        assert_eq!(ts("2026-01-10T13:03:52.5Z"), ts("2026-01-10T13:03:52.500Z"));
        assert_eq!(ts("2026-01-10T13:03:52-00:00"), ts("2026-01-10T13:03:52Z"));
        assert!(ts("2026-01-10T13:03:52.000000001Z") > ts("2026-01-10T13:03:52Z"));
    }

    #[test]
    fn nanoseconds_since_1970_count_seconds_and_fraction() {
        let instant = ts("1970-01-01T00:00:02.000000003Z");
        assert_eq!(instant.unix_nanos(), 2_000_000_003);
        assert_eq!(Timestamp::from_unix_nanos(2_000_000_003), Some(instant));
    }

    #[test]
    fn span_has_at_most_six_digits() {
        assert_eq!(Span::parse("999999h", "hdw").map(Span::seconds).ok(), Some(999_999 * 3_600));
        assert!(Span::parse("1000000h", "hdw").is_err());
    }

    #[test]
    fn the_fewest_exact_digits_are_shown() {
        for (text, shown) in [
            ("2026-01-10T13:03:52.000Z", "2026-01-10T13:03:52Z"),
            ("2026-01-10T13:03:52.5Z", "2026-01-10T13:03:52.500Z"),
            ("2026-01-10T13:03:52.0005Z", "2026-01-10T13:03:52.000500Z"),
            ("2026-01-10T13:03:52.000000010Z", "2026-01-10T13:03:52.000000010Z"),
            ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(ts(text).to_string(), shown);
        }
        assert_eq!(ts("2026-01-01T00:30:00+01:00").day(), "2025-12-31");
    }

    #[test]
    fn fault_19_what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-01-10",
            "2026-01-10T13:03:52",
            "2026-01-10 13:03:52Z",
            "2026-01-10t13:03:52z",
            "2026-01-10T13:03Z",
            "2026-01-10T13:03:60Z",
            "2026-01-10T24:00:00Z",
            "2026-02-30T13:03:52Z",
            "2026-01-10T13:03:52+25:00",
            "2026-01-10T13:03:52+01:60",
            "2026-01-10T13:03:52+0100",
            "2026-01-10T13:03:52.Z",
            "2026-01-10T13:03:52.1234567890Z",
            "2026-01-10T13:03:52Z ",
            "10000-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "1969-12-31T23:30:00-01:00",
            "1970-01-01T00:30:00+01:00",
            "9999-12-31T23:30:00-01:00",
            "２０２６-01-10T13:03:52Z",
            "+026-01-10T13:03:52Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn spans() {
        assert_eq!(Span::parse("2w", "hdw"), Span::parse("14d", "hdw"));
        assert_eq!(Span::parse("0d", "hdw").map(Span::seconds), Ok(0));
        for text in ["", "d", "7", "-1d", "1.5d", "7m", "7D", "9999999d", "７d"] {
            assert!(Span::parse(text, "hdw").is_err(), "{text}");
        }
        let message = Span::parse("soon", "hdw").unwrap_err().to_string();
        assert_eq!(message, "`soon` is no span of time: write a whole number and one of `h`, `d`, `w`, such as `7d`");
    }
}
