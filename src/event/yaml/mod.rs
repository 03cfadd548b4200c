//! Event YAML: a small node type, and its two readers.
//!
//! What a document *means* is what `saphyr-parser` says of it ([`events`]). Nearly all events are
//! made of a few line shapes only; [`lines`] reads those an order of magnitude faster and gives up
//! on anything else, so it never decides anything: a property holds the two against each other.

mod events;
mod lines;
mod node;

pub use node::{Document, Entry, Node, Value};

use super::fault::{Code, Fault, Place};

/// How deep lists and mappings may be nested; the outermost is 1.
pub const MAX_DEPTH: usize = 16;

/// Reads one plain YAML document that begins on line `first_line` of its file.
///
/// The document keeps what was read before its first fault, so that a fault that only the sections'
/// declarations reveal can still be found to stand before it.
#[must_use]
pub fn read(text: &str, first_line: u32) -> Document<'_> {
    if let Some(root) = lines::read(text, first_line) {
        return Document { root, fault: None };
    }
    let Some(raw) = text.find(is_raw_control) else {
        return events::read(text, first_line);
    };
    let mut document = events::read(text.get(..raw).unwrap_or_default(), first_line);
    let fault = Fault::new(
        Code::BadYaml,
        Place::of_offset(text, raw, first_line),
        "a raw control character; in double quotes it can be written as `\\xNN`",
    );
    document.fault = Some(match document.fault.take() {
        Some(earlier) => earlier.earlier(fault),
        None => fault,
    });
    document
}

/// The places in an event file where an unquoted text is cut by a comment that was hardly meant as one.
#[must_use]
pub fn cut_by_comments(file: &str) -> Vec<Place> {
    let is_cut = |line: &str| {
        let content = line.trim_start().trim_start_matches("- ");
        let value = content.split_once(": ").map_or(content, |(_, value)| value).trim_start();
        let plain = !value.is_empty() && !value.starts_with(['"', '\'', '#', '|', '>', '[', '{']);
        plain.then(|| line.find(" #").map(|at| line.get(..=at).unwrap_or_default().chars().count())).flatten()
    };
    let mut places = Vec::new();
    let mut block = None;
    for (number, line) in (1..).zip(file.lines()) {
        let indent = line.len() - line.trim_start().len();
        if line.trim().is_empty() || block.is_some_and(|above| indent > above) {
            continue;
        }
        block = opens_block(line).then_some(indent);
        if let Some(column) = is_cut(line).filter(|_| !line.starts_with('#')) {
            places.push(Place::new(number, crate::event::fault::clamp(column) + 1));
        }
    }
    places
}

/// Whether a block scalar begins at the end of a line: after a key, a dash, or a question mark.
fn opens_block(line: &str) -> bool {
    let Some((before, header)) = line.trim_end().rsplit_once(' ') else { return false };
    let marks = header.strip_prefix(['|', '>']);
    before.ends_with([':', '-', '?'])
        && marks.is_some_and(|marks| marks.bytes().all(|byte| matches!(byte, b'+' | b'-' | b'1'..=b'9')))
}

/// Control characters (Cc) but tab and LF.
fn is_raw_control(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n')
}

#[cfg(test)]
mod tests {
    use super::{Value, events, lines, read};
    use crate::event::Code;
    use proptest::prelude::*;

    fn code(text: &str) -> Option<&'static str> {
        read(text, 1).fault.map(|fault| fault.code.as_str())
    }

    #[test]
    fn faults_2_to_7_and_11_and_12_have_their_codes() {
        for (text, expected) in [
            ("a: &x 1", "not-plain"),
            ("a: *x", "not-plain"),
            ("a: !!str x", "not-plain"),
            ("a: !!python/object:os.system x", "not-plain"),
            ("a: !!binary x", "not-plain"),
            ("a: !e!x y", "not-plain"),
            ("<<: {a: b}", "not-plain"),
            ("? [a]\n: b", "not-plain"),
            ("? {a: b}\n: b", "not-plain"),
            ("a: b\n---\nc: d", "not-plain"),
            ("%YAML 1.2\n---\na: b", "not-plain"),
            ("# c\n\n%TAG ! tag:x,2000:\n---\na: b", "not-plain"),
            ("a: b\n...\n%YAML 1.2\n---\nc: d", "not-plain"),
            ("a: 1\nb: 2\na: 3", "duplicate-key"),
            ("a: {b: 1, c: {d: 1, d: 2}}", "duplicate-key"),
            ("a: 1\n'a': 3", "duplicate-key"),
            ("a: b: c", "bad-yaml"),
            ("a: \"b", "bad-yaml"),
            ("a: [b", "bad-yaml"),
            ("a: \u{0}b", "bad-yaml"),
            ("a: \u{1b}[2J", "bad-yaml"),
            ("# \u{7f}\na: b", "bad-yaml"),
            ("a: b\n# \u{85}", "bad-yaml"),
        ] {
            assert_eq!(code(text), Some(expected), "{text:?}");
        }
        for text in ["--- \na: b", "---\na: b\n...\n", "\"<<\": b", "a: \"\\0\\e[2J\\N\"", "? a\n: b", "", "# only\n"] {
            assert_eq!(code(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_fault_met_first_counts() {
        for (text, expected) in [
            ("a: 1\na: 2\nb: &x 1", "duplicate-key"),
            ("b: &x 1\na: 1\na: 2", "not-plain"),
            ("a: *x\nb: \u{1}", "not-plain"),
            ("b: \u{1}\na: *x", "bad-yaml"),
            ("a: 1\na: 2\nb: \"x", "duplicate-key"),
        ] {
            assert_eq!(code(text), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn faults_3_and_4_depth_is_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(code(&nested(16)), None);
        assert_eq!(code(&nested(17)), Some("too-deep"));
        assert_eq!(code(&format!("a: {}", nested(15))), None);
        assert_eq!(code(&format!("a: {}", nested(16))), Some("too-deep"));
        for unit in ["[", "{", "- ", "? "] {
            let hostile = unit.repeat(1_000_000 / unit.len());
            assert!(matches!(code(&hostile), Some("too-deep" | "not-plain")), "{unit}");
        }
        let blocks = (0..3_000).fold(String::new(), |text, depth| text + &" ".repeat(depth) + "k:\n");
        assert_eq!(code(&blocks), Some("too-deep"));
    }

    #[test]
    fn faults_8_and_9_scalars_are_the_text_that_was_written() {
        for text in ["no", "on", "1.10", "007", "0o17", "12:30", "1e3", "\"~\"", "'null'", "\"\""] {
            let document = format!("a: {text}");
            let root = read(&document, 1).root;
            let expected = text.trim_matches(['"', '\'']);
            assert!(matches!(&root.get("a").unwrap().value, Value::Scalar(s) if s == expected), "{text}");
        }
        for text in ["~", "null", "Null", "NULL", ""] {
            let document = format!("a: {text}");
            assert!(matches!(read(&document, 1).root.get("a").unwrap().value, Value::Absent), "{text}");
        }
        assert!(read("~: x", 1).root.get("~").is_some(), "a key is its text");
    }

    #[test]
    fn places_count_from_the_files_first_line() {
        let fault = read("a: 1\nbé: {x: 1, x: 2}", 10).fault.unwrap();
        assert_eq!((fault.code, fault.place.to_string()), (Code::DuplicateKey, "11:12".to_owned()));
    }

    /// Lines of the shapes that events are made of, and of shapes that only look like them.
    fn document() -> impl Strategy<Value = String> {
        let key = prop_oneof![4 => "[a-d]{1,2}", 1 => "\"[ab]\"", 1 => "'c'", 1 => "<<", 1 => "[?&*!%@`|>]a?", 1 => "a b", 1 => "-"];
        let scalar = prop_oneof![
            4 => "[a-c1~:#'\"\\[\\]{},&*!|>%@`?-]{0,3}( [a-c:#\"'-]{0,3}){0,2}",
            2 => "\"[a-c :#'-]{0,5}\"",
            1 => "\"[a-c\\\\xnN0]{0,5}\"",
            2 => "'[a-c :#\"-]{0,5}'",
            1 => "(~|null|Null|NULL|\\[\\]|\\{\\}|\\|-?|>|---|\\.\\.\\.)",
            1 => "é ?猫?",
        ];
        let line = (
            0..4usize,
            prop_oneof![Just(""), Just("- "), Just("-"), Just("- - "), Just("-  ")],
            prop::option::of(key),
            scalar,
            prop_oneof![6 => Just(""), 1 => Just(" # c"), 1 => Just("  "), 1 => Just("\t")],
        )
            .prop_map(|(indent, dash, key, scalar, tail)| {
                let key = key.map_or(String::new(), |key| format!("{key}: "));
                format!("{}{dash}{key}{scalar}{tail}\n", " ".repeat(indent))
            });
        let line = prop_oneof![8 => line, 1 => Just("\n".to_owned()), 1 => Just("# c\n".to_owned()), 1 => Just("---\n".to_owned())];
        prop::collection::vec(line, 0..7).prop_map(|lines| lines.concat())
    }

    #[test]
    fn both_readers_give_a_list_the_same_place() {
        for text in ["a:\n- x\n", "a: \n- ''\n", "a:\n  - x\n", "a:\n- b: c\n", "a:\n  b:\n  - x\n"] {
            assert_eq!(lines::read(text, 1).unwrap(), events::read(text, 1).root, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// The reader of lines agrees with `saphyr-parser` wherever it does not give up.
        #[test]
        fn prop_the_fast_reader_only_reads_what_the_slow_one_reads(text in document()) {
            if let Some(fast) = lines::read(&text, 1) {
                let slow = events::read(&text, 1);
                prop_assert_eq!(slow.fault, None);
                prop_assert_eq!(fast, slow.root);
            }
        }
    }
}
