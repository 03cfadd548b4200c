//! Event ids: the SHA-256 of an event's normalised text (FORMAT §2).

use sha2::{Digest, Sha256};
use std::fmt;

/// The identity of an event: equal texts are one event, wherever they lie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; 32]);

impl EventId {
    /// Computes the id of a normalised text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Makes an id from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 lower-case hex digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_hex())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_hex().get(..12).unwrap_or_default())
    }
}

/// The first 12 to 64 hex digits of an event id, as `parents` holds them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdPrefix {
    bytes: [u8; 32],
    digits: u8,
}

impl IdPrefix {
    /// The fewest digits that name an event.
    pub const MIN_DIGITS: usize = 12;

    /// Reads 12 to 64 lower-case hex digits; anything else names no event.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if !(Self::MIN_DIGITS..=64).contains(&text.len()) {
            return None;
        }
        let mut bytes = [0u8; 32];
        for (position, digit) in text.bytes().enumerate() {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            let shift = if position % 2 == 0 { 4 } else { 0 };
            *bytes.get_mut(position / 2)? |= value << shift;
        }
        Some(Self { bytes, digits: u8::try_from(text.len()).ok()? })
    }

    /// The least id that this prefix could stand for.
    #[must_use]
    pub const fn lowest(&self) -> EventId {
        EventId(self.bytes)
    }

    /// Whether `id` starts with this prefix.
    #[must_use]
    pub fn matches(&self, id: &EventId) -> bool {
        let whole = usize::from(self.digits / 2);
        let head = self.bytes.get(..whole) == id.0.get(..whole);
        let odd = self.digits.is_multiple_of(2)
            || match (self.bytes.get(whole), id.0.get(whole)) {
                (Some(mine), Some(theirs)) => mine >> 4 == theirs >> 4,
                _ => false,
            };
        head && odd
    }
}

impl fmt::Debug for IdPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(hex(&self.bytes).get(..usize::from(self.digits)).unwrap_or_default())
    }
}

impl From<EventId> for IdPrefix {
    fn from(id: EventId) -> Self {
        Self { bytes: id.0, digits: 64 }
    }
}

/// Bytes as lower-case hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'0'));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::{EventId, IdPrefix};

    #[test]
    fn prefixes_of_odd_and_even_length_match() {
        let id = EventId::of("x\n");
        let text = id.to_hex();
        for digits in 12..=64 {
            let prefix = IdPrefix::parse(&text[..digits]).unwrap();
            assert!(prefix.matches(&id), "{digits} digits");
            assert_eq!(format!("{prefix:?}"), text[..digits]);
            assert!(prefix.lowest() <= id);
        }
        assert!(!IdPrefix::parse("000000000000").unwrap().matches(&id));
        assert!(!IdPrefix::parse("0000000000000").unwrap().matches(&id));
    }

    #[test]
    fn what_is_no_prefix_is_none() {
        for text in ["", "0123456789a", "0123456789AB", "0123456789ag", &"0".repeat(65)] {
            assert!(IdPrefix::parse(text).is_none(), "{text}");
        }
    }
}
