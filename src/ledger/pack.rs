//! Packs: the texts of old archived events in one file, named by its content (FORMAT §8).

use crate::event::encode::quote;
use crate::event::hex;
use crate::event::normal::normalise_text;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// One event in a pack.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackEntry {
    /// The name that its file had.
    pub name: String,
    /// Its normalised text.
    pub text: String,
}

/// The bytes of a pack of these events, which are given in byte order of their ids.
///
/// # Invariant
/// The bytes depend on the entries alone and never change from version to version: two branches
/// that pack the same events write the same file.
#[must_use]
pub fn encode(entries: &[PackEntry]) -> String {
    let mut out = String::new();
    for entry in entries {
        let _infallible = writeln!(out, "- name: {}\n  text: {}", quote(&entry.name), quote(&entry.text));
    }
    out
}

/// The file name of a pack with these bytes.
#[must_use]
pub fn file_name(pack: &str) -> String {
    let digest = hex(&Sha256::digest(pack.as_bytes()));
    format!("pack-{}.yaml", digest.get(..16).unwrap_or_default())
}

/// Whether a file name in an archive folder is a pack's.
#[must_use]
pub fn is_pack_name(name: &str) -> bool {
    name.strip_prefix("pack-").and_then(|rest| rest.strip_suffix(".yaml")).is_some_and(|digest| {
        digest.len() == 16 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Why a pack cannot be read. Its events would be missing from the view, so nothing goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// The bytes are not the ones that the name stands for.
    #[error(
        "the pack was changed or cut: its content does not match its name; restore the file, for example with `git checkout -- <file>`"
    )]
    Changed,
    /// The bytes are no list of names and texts.
    #[error("the pack is no list of names and texts")]
    Malformed(#[source] serde_yaml::Error),
}

/// Reads a pack whose file is called `name`.
///
/// # Errors
/// The pack was changed, or holds something else. Line ends that git converted do not matter.
pub fn decode(name: &str, bytes: &[u8]) -> Result<Vec<PackEntry>, PackError> {
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| PackError::Changed)?;
    let text = normalise_text(text).text;
    if file_name(&text) != name {
        return Err(PackError::Changed);
    }
    serde_yaml::from_str(&text).map_err(PackError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::{PackEntry, decode, encode, file_name, is_pack_name};
    use proptest::prelude::*;

    fn entry(name: &str, text: &str) -> PackEntry {
        PackEntry { name: name.to_owned(), text: text.to_owned() }
    }

    /// Append-only: a pack that was ever written must be written and read the same for ever.
    #[test]
    fn vectors() {
        let entries =
            [entry("a.md", "---\nts: x\n---\nnow: \"é\"\t\\ \u{1b} \u{2028} \u{1f600}\n"), entry("b c.md", "---\n")];
        let pack = encode(&entries);
        assert_eq!(
            pack,
            "- name: \"a.md\"\n  text: \"---\\nts: x\\n---\\nnow: \\\"é\\\"\\t\\\\ \\u001b \\u2028 \u{1f600}\\n\"\n- name: \"b c.md\"\n  text: \"---\\n\"\n"
        );
        assert_eq!(file_name(&pack), "pack-22d757c3ebf7b1bc.yaml");
        assert_eq!(decode(&file_name(&pack), pack.replace('\n', "\r\n").as_bytes()).unwrap(), entries);
        assert!(decode("pack-0123456789abcdef.yaml", pack.as_bytes()).is_err());
        assert!(decode(&file_name(&pack), &pack.as_bytes()[1..]).is_err());
    }

    #[test]
    fn names() {
        assert!(is_pack_name("pack-0123456789abcdef.yaml"));
        for name in
            ["pack-0123456789ABCDEF.yaml", "pack-0123.yaml", "x-0123456789abcdef.yaml", "pack-0123456789abcdef.yml"]
        {
            assert!(!is_pack_name(name));
        }
    }

    proptest! {
        #[test]
        fn prop_packs_are_read_back(texts in prop::collection::vec((any::<String>(), any::<String>()), 1..4)) {
            let entries: Vec<_> = texts.iter().map(|(name, text)| entry(name, text)).collect();
            let pack = encode(&entries);
            prop_assert_eq!(decode(&file_name(&pack), pack.as_bytes()).unwrap(), entries);
        }
    }
}
