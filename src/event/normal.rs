//! From a file's bytes to its normalised text, whose SHA-256 is the event's id (FORMAT §2).

use super::fault::{Code, Fault, Place, clamp};
use super::id::EventId;
use std::borrow::Cow;

/// The most bytes that an event file may have on disk.
pub const MAX_BYTES: usize = 1 << 20;

/// A normalised text: LF lines, no BOM, no blank lines before the front matter, one LF at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalised<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// The line of the file on which the text begins, from 1.
    pub first_line: u32,
}

impl Normalised<'_> {
    /// The id of the event that this text is, whether it can be read or not.
    #[must_use]
    pub fn id(&self) -> EventId {
        EventId::of(&self.text)
    }
}

/// Normalises the bytes of an event file.
///
/// # Errors
/// `too-large` for more than [`MAX_BYTES`], as they are or once normalised, `not-utf8` for bytes that are not UTF-8.
pub fn normalise(bytes: &[u8]) -> Result<Normalised<'_>, Fault> {
    if bytes.len() > MAX_BYTES {
        return Err(too_large(bytes.len() as u64));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
        let place = Place::of_offset(valid.unwrap_or_default(), error.valid_up_to(), 1);
        Fault::new(Code::NotUtf8, place, "a byte that is not UTF-8")
    })?;
    let normalised = normalise_text(text);
    // A line end at the end of the file may be what is too much.
    if normalised.text.len() > MAX_BYTES { Err(too_large(normalised.text.len() as u64)) } else { Ok(normalised) }
}

/// The fault of a file of `bytes` bytes, which need not be read to know it.
#[must_use]
pub fn too_large(bytes: u64) -> Fault {
    Fault::new(Code::TooLarge, Place::START, format!("{bytes} bytes, of at most {MAX_BYTES}"))
}

/// Normalises a text that is known to be UTF-8.
#[must_use]
pub fn normalise_text(text: &str) -> Normalised<'_> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\r') {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let (text, first_line) = cut_ends(&text);
        return Normalised { text: Cow::Owned(text.into_owned()), first_line };
    }
    let (text, first_line) = cut_ends(text);
    Normalised { text, first_line }
}

/// Drops leading blank lines and leaves one LF at the end.
fn cut_ends(text: &str) -> (Cow<'_, str>, u32) {
    let leading = text.len() - text.trim_start().len();
    let start = text.get(..leading).and_then(|blank| blank.rfind('\n')).map_or(0, |last| last + 1);
    let skipped = text.get(..start).unwrap_or_default().bytes().filter(|byte| *byte == b'\n').count();
    let body = text.get(start..).unwrap_or_default();
    let trimmed = body.trim_end();
    let text = match body.get(trimmed.len()..) {
        Some("\n") => Cow::Borrowed(body),
        _ => Cow::Owned(format!("{trimmed}\n")),
    };
    (text, clamp(skipped) + 1)
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, normalise};
    use crate::event::Code;
    use proptest::prelude::*;

    #[test]
    fn fault_15_bom_crlf_and_cr_are_the_same_event() {
        let lf = normalise(b"---\nts: x\n---\nnow: y\n").unwrap();
        for other in [
            "\u{feff}---\r\nts: x\r\n---\r\nnow: y\r\n",
            "---\rts: x\r---\rnow: y",
            " \n\u{a0}\n---\nts: x\n---\nnow: y \t\u{2003}\n\n",
        ] {
            let other = normalise(other.as_bytes()).unwrap();
            assert_eq!(other.text, lf.text);
            assert_eq!(other.id(), lf.id());
        }
        assert_eq!(normalise(b" \n\n---\n").unwrap().first_line, 3);
        assert_eq!(normalise(b"").unwrap().text, "\n");
    }

    #[test]
    fn limits_and_encoding() {
        assert!(normalise(&vec![b' '; MAX_BYTES]).is_ok());
        assert_eq!(normalise(&vec![b' '; MAX_BYTES + 1]).unwrap_err().code, Code::TooLarge);
        let full = vec![b'x'; MAX_BYTES - 1];
        for (end, fits) in [("\n", true), ("", true), (" ", true), ("x", false)] {
            let read = normalise(&[full.as_slice(), end.as_bytes()].concat()).map(|read| read.text.len());
            assert_eq!(
                read.map_err(|fault| fault.code),
                if fits { Ok(MAX_BYTES) } else { Err(Code::TooLarge) },
                "{end:?}"
            );
        }
        let fault = normalise(b"---\nab\xff").unwrap_err();
        assert_eq!((fault.code, fault.place.to_string()), (Code::NotUtf8, "2:3".to_owned()));
    }

    proptest! {
        #[test]
        fn prop_normalising_is_idempotent(text in "[a\r\n \u{feff}\u{85}-]{0,16}") {
            let once = normalise(text.as_bytes()).unwrap();
            // A second BOM is content: only one is dropped.
            prop_assume!(!once.text.starts_with('\u{feff}'));
            let twice = normalise(once.text.as_bytes()).unwrap();
            prop_assert_eq!(&twice.text, &once.text);
            prop_assert!(once.text.ends_with('\n') && !once.text.contains('\r'));
        }
    }
}
