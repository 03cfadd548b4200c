//! Names of git objects.

use std::fmt;

/// The full hexadecimal name of a git object: SHA-1 or SHA-256, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(String);

impl Oid {
    /// Reads a full object name; `None` for anything shorter, longer or not lower-case hexadecimal.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (digits && matches!(text.len(), 40 | 64)).then(|| Self(text.to_owned()))
    }

    /// Reads a full object name from a program's output.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        str::from_utf8(bytes).ok().and_then(|text| Self::parse(text.trim_end_matches(['\n', '\r'])))
    }

    /// The name of an object from the bytes that it is.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
        let text: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        matches!(bytes.len(), 20 | 32).then_some(Self(text))
    }

    /// Shows the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that git uses for "no object", in this object's hash.
    pub(super) fn zeros(&self) -> String {
        "0".repeat(self.0.len())
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Oid {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
