//! Packs: the texts of old archived events in one file, named by its content (FORMAT §7 and §8).
//!
//! A pack counts as a whole or not at all. Everything that reads one, from disk or from git, reads it here.

use crate::event::encode::quote;
use crate::event::normal::{MAX_BYTES, normalise_text};
use crate::event::yaml::{self, Entry, Node, Value};
use crate::event::{Code, EventId, Fault, Place, hex};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// One event in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// Whether a file name in an archive directory is a pack's, good or bad.
#[must_use]
pub fn is_pack_name(name: &[u8]) -> bool {
    name.strip_prefix(b"pack-").is_some_and(|rest| rest.ends_with(b".yaml"))
}

/// Whether a file name is one that [`file_name`] gives.
#[must_use]
pub fn is_written_name(name: &str) -> bool {
    name.strip_prefix("pack-").and_then(|rest| rest.strip_suffix(".yaml")).is_some_and(|digest| {
        digest.len() == 16 && digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Whether a file name is an event's: it ends in `.md`, does not start with `.`, and is not `README.md`.
#[must_use]
pub fn is_event_name(name: &[u8]) -> bool {
    name.ends_with(b".md") && !name.starts_with(b".") && name != b"README.md"
}

/// Reads a pack whose file is called `name`; its bytes are read as they are.
///
/// # Errors
/// `bad-pack`: the pack was changed or cut, or is anything but a plain list of events (FORMAT §7).
pub fn decode(name: &[u8], bytes: &[u8]) -> Result<Vec<PackEntry>, Fault> {
    let bad = |place, detail: &str| Fault::new(Code::BadPack, place, detail);
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| bad(Place::START, "a byte that is not UTF-8"))?;
    if file_name(text).as_bytes() != name {
        return Err(bad(Place::START, "the pack was changed or cut: its content does not match its name"));
    }
    if text.starts_with('\u{feff}') || text.contains('\r') {
        return Err(bad(Place::START, "a byte order mark or a carriage return"));
    }
    let document = yaml::read(text, 1);
    if let Some(fault) = document.fault {
        return Err(bad(fault.place, &format!("{}: {}", fault.code, fault.detail)));
    }
    let Value::List(nodes) = document.root.value else { return Err(bad(Place::START, "not a list")) };
    let mut entries = Vec::with_capacity(nodes.len());
    let mut last = None;
    for node in nodes {
        let place = node.place;
        let entry = read_entry(node).map_err(|detail| bad(place, detail))?;
        let id = EventId::of(&entry.text);
        if last.replace(id).is_some_and(|last| last >= id) {
            return Err(bad(place, "the entries are not in the order of their ids"));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// An entry of exactly a name and a text.
fn read_entry(node: Node<'_>) -> Result<PackEntry, &'static str> {
    let Value::Mapping(entries) = node.value else { return Err("not a mapping of `name` and `text`") };
    let (mut name, mut text) = (None, None);
    for Entry { key, node, .. } in entries {
        let field = match &*key {
            "name" => &mut name,
            "text" => &mut text,
            _ => return Err("a key other than `name` and `text`"),
        };
        let Value::Scalar(value) = node.value else { return Err("a `name` or `text` that is not a text") };
        *field = Some(value.into_owned());
    }
    let (Some(name), Some(text)) = (name, text) else { return Err("no `name` or no `text`") };
    if !is_event_name(name.as_bytes()) || name.contains(['/', '\0']) {
        return Err("a `name` that an event file cannot have");
    }
    if text.len() > MAX_BYTES {
        return Err("a `text` of more than 1 MiB");
    }
    if normalise_text(&text).text != text {
        return Err("a `text` that is not normalised");
    }
    Ok(PackEntry { name, text })
}

#[cfg(test)]
mod tests {
    use super::{PackEntry, decode, encode, file_name, is_pack_name};
    use crate::event::normal::{MAX_BYTES, normalise_text};
    use crate::event::{Code, EventId};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn entry(name: &str, text: &str) -> PackEntry {
        PackEntry { name: name.to_owned(), text: text.to_owned() }
    }

    fn named(pack: &str) -> Result<Vec<PackEntry>, String> {
        decode(file_name(pack).as_bytes(), pack.as_bytes()).map_err(|fault| {
            assert_eq!(fault.code, Code::BadPack);
            fault.detail
        })
    }

    /// Append-only: a pack that was ever written must be written and read the same for ever.
    #[test]
    fn pack_vectors_keep_their_bytes() {
        let entries =
            [entry("a.md", "---\nts: x\n---\nnow: \"é\"\t\\ \u{1b} \u{2028} \u{1f600}\n"), entry("b c.md", "---\n")];
        let pack = encode(&entries);
        assert_eq!(
            pack,
            "- name: \"a.md\"\n  text: \"---\\nts: x\\n---\\nnow: \\\"é\\\"\\t\\\\ \\u001b \\u2028 \u{1f600}\\n\"\n- name: \"b c.md\"\n  text: \"---\\n\"\n"
        );
        assert_eq!(file_name(&pack), "pack-22d757c3ebf7b1bc.yaml");
        assert_eq!(named(&pack).unwrap(), entries);
    }

    #[test]
    fn pack_that_was_changed_or_renamed_is_bad() {
        let pack = encode(&[entry("a.md", "---\n")]);
        let name = file_name(&pack);
        for (name, bytes) in [
            ("pack-0123456789abcdef.yaml", pack.as_bytes()),
            (&*name.to_uppercase(), pack.as_bytes()),
            (&*name, &pack.as_bytes()[1..]),
            (&*name, &pack.as_bytes()[..pack.len() - 1]),
            (&*name, pack.replace('\n', "\r\n").as_bytes()),
            (&*name, &[pack.as_bytes(), b"\xff"].concat()),
        ] {
            assert_eq!(decode(name.as_bytes(), bytes).unwrap_err().code, Code::BadPack, "{name}");
        }
    }

    #[test]
    fn pack_that_is_not_a_plain_list_of_events_is_bad() {
        let good = "{name: a.md, text: \"a\\n\"}";
        let second = "{name: a.md, text: \"b\\n\"}";
        let in_order = EventId::of("a\n") < EventId::of("b\n");
        let (low, high) = if in_order { (good, second) } else { (second, good) };
        for pack in ["[]", "[]\n", "# none\n[]", &format!("[{good}]"), &format!("---\n- {low}\n- {high}\n")] {
            assert!(named(pack).is_ok(), "{pack:?}: {:?}", named(pack));
        }
        let long = format!("[{{name: a.md, text: \"{}\\n\"}}]", "x".repeat(MAX_BYTES));
        for pack in [
            "",
            "~",
            "{}",
            "text",
            "[~]",
            "[text]",
            "[[]]",
            &long,
            &format!("- {high}\n- {low}\n"),
            &format!("- {low}\n- {low}\n"),
            &format!("[{good}]\n---\n[]"),
            &format!("%YAML 1.2\n---\n[{good}]"),
            &format!("\u{feff}[{good}]"),
            &format!("[{good}]\r\n"),
            &format!("[{good},"),
            "[&a {name: a.md, text: \"a\\n\"}]",
            "[{name: a.md, text: !!str \"a\\n\"}]",
            "[{name: a.md, name: a.md, text: \"a\\n\"}]",
            "[{name: a.md, text: \"a\\n\", x: y}]",
            "[{name: a.md}]",
            "[{text: \"a\\n\"}]",
            "[{name: [a.md], text: \"a\\n\"}]",
            "[{name: a.md, text: ~}]",
            "[{name: a.md, text: \"a\"}]",
            "[{name: a.md, text: \"a\\r\\n\"}]",
            "[{name: a.md, text: \"\\n\\na\\n\"}]",
            "[{name: a.md, text: \"\\uFEFFa\\n\"}]",
            "[{name: a.md, text: \"a\\n\\n\"}]",
            "[{name: a.txt, text: \"a\\n\"}]",
            "[{name: .a.md, text: \"a\\n\"}]",
            "[{name: README.md, text: \"a\\n\"}]",
            "[{name: b/a.md, text: \"a\\n\"}]",
            "[{name: \"a\\0.md\", text: \"a\\n\"}]",
        ] {
            assert!(named(pack).is_err(), "{:?}", pack.get(..80).unwrap_or(pack));
        }
    }

    #[test]
    fn alias_bomb_is_bad_before_it_expands() {
        let bomb = format!("- &a {{name: a.md, text: \"{}\"}}\n{}", "x".repeat(1_000_000), "- *a\n".repeat(20_000));
        assert!(named(&bomb).unwrap_err().starts_with("not-plain"));
        assert!(named(&"[".repeat(1_000_000)).unwrap_err().starts_with("too-deep"));
    }

    #[test]
    fn pack_names_begin_and_end_as_one() {
        for name in ["pack-0123456789abcdef.yaml", "pack-.yaml", "pack-x y.yaml"] {
            assert!(is_pack_name(name.as_bytes()), "{name}");
        }
        for name in ["pack.yaml", "Pack-01.yaml", "x-0123456789abcdef.yaml", "pack-0123456789abcdef.yml", "pack-yaml"] {
            assert!(!is_pack_name(name.as_bytes()), "{name}");
        }
        assert!(is_pack_name(b"pack-\xff.yaml"));
    }

    proptest! {
        #[test]
        fn prop_packs_are_read_back(texts in prop::collection::vec(("[^/\0.][^/\0]{0,4}", any::<String>()), 0..4)) {
            let entry = |(name, text): &(String, String)| {
                let text = normalise_text(text.trim_start()).text.into_owned();
                (EventId::of(&text), entry(&format!("{name}.md"), &text))
            };
            let entries: BTreeMap<_, _> = texts.iter().map(entry).collect();
            prop_assume!(!entries.is_empty() && entries.values().all(|entry| entry.name != "README.md"));
            prop_assume!(entries.values().all(|entry| normalise_text(&entry.text).text == entry.text));
            let entries: Vec<_> = entries.into_values().collect();
            prop_assert_eq!(named(&encode(&entries)).unwrap(), entries);
        }
    }
}
