//! Escaping: every text one line that cannot pass for structure (FORMAT §6).

use crate::event::text::{any_byte, any_pair, collapse, visibility};
use std::borrow::Cow;
use std::fmt::Write as _;

/// Escapes a text for a line of the view.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    push_escaped(&mut out, text);
    out
}

/// Escapes a map's key, a phase or a group's agent, which stands between `**` and `**`.
#[must_use]
pub fn escape_bold(text: &str) -> String {
    let starred = escape_but(&text.replace('\\', "\\\\"), &['*', '`']).replace('*', "\\*");
    // Backticks that stand alone, in pairs, are code; any others could open one that swallows the `**`.
    let pairs = starred.matches('`').count().is_multiple_of(2) && !any_pair(&starred, |a, b| a == b'`' && b == b'`');
    if pairs { starred } else { starred.replace('`', "\\`") }
}

/// Escapes an undeclared title, which stands after `###`.
#[must_use]
pub fn escape_title(title: &str) -> String {
    escape_but(title, &['#']).replace('#', "\\#")
}

/// Escapes a map's value, which is not to be taken for one that is not there.
#[must_use]
pub fn escape_value(text: &str) -> String {
    let escaped = escape(text);
    if matches!(escaped.as_str(), "(removed)" | "(empty)") { format!("\\{escaped}") } else { escaped }
}

/// Escapes a text whose start is left alone where it is one of `leads`.
fn escape_but(text: &str, leads: &[char]) -> String {
    let mut visible = make_visible(text).into_owned();
    if !visible.starts_with(leads)
        && let Some(at) = structure_at_start(&visible)
    {
        visible.insert(at, '\\');
    }
    visible
}

/// Escapes the name of a file, given as bytes.
#[must_use]
pub fn escape_file_name(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for (character, visible) in visibility(chunk.valid()) {
            if !visible || matches!(character, '\u{2028}' | '\u{2029}' | '`') {
                push_code_point(&mut out, character);
            } else {
                out.push(character);
            }
        }
        for _ in chunk.invalid() {
            push_code_point(&mut out, '\u{fffd}');
        }
    }
    out
}

/// Makes a text safe for a terminal, keeping its lines: rule 2 for all but tab and LF.
#[must_use]
pub fn safe_for_terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (character, visible) in visibility(text) {
        let line_separator = matches!(character, '\u{2028}' | '\u{2029}');
        if line_separator || !(visible || matches!(character, '\n' | '\t')) {
            push_code_point(&mut out, character);
        } else {
            out.push(character);
        }
    }
    out
}

/// Appends a text, escaped.
pub(crate) fn push_escaped(out: &mut String, text: &str) {
    let visible = make_visible(text);
    match structure_at_start(&visible) {
        None => out.push_str(&visible),
        Some(at) => {
            let (head, tail) = visible.split_at(at);
            out.push_str(head);
            out.push('\\');
            out.push_str(tail);
        }
    }
}

/// A text for one line of a terminal: escaped, and cut to `limit` characters.
#[must_use]
pub fn phrase(text: &str, limit: usize) -> String {
    let shown = escape(text);
    if shown.chars().count() <= limit {
        return shown;
    }
    let cut: String = shown.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// Rules 1 to 3: one line, nothing invisible, no HTML, no image.
fn make_visible(text: &str) -> Cow<'_, str> {
    let collapsed = collapse(text);
    // Nearly every text is plain ASCII.
    if !any_byte(&collapsed, |byte| !(b' '..0x7f).contains(&byte) || byte == b'<')
        && !any_pair(&collapsed, |a, b| a == b'!' && b == b'[')
    {
        return collapsed;
    }
    let mut out = String::with_capacity(collapsed.len() + 8);
    let mut characters = visibility(&collapsed).peekable();
    while let Some((character, visible)) = characters.next() {
        let next = characters.peek().map(|(next, _)| *next);
        let opens_tag = |next: char| matches!(next, '!' | '/' | '?') || next.is_ascii_alphabetic();
        if !visible {
            push_code_point(&mut out, character);
        } else if character == '<' && next.is_some_and(opens_tag) {
            out.push_str("&lt;");
        } else if character == '!' && next == Some('[') {
            out.push_str("!\\");
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

fn push_code_point(out: &mut String, character: char) {
    let _infallible = write!(out, "\\u{{{:x}}}", u32::from(character));
}

/// Rule 4: where a `\` goes so that the start of a line is no structure.
fn structure_at_start(text: &str) -> Option<usize> {
    let first = *text.as_bytes().first()?;
    let ends = |at: usize| matches!(text.as_bytes().get(at), None | Some(b' '));
    let run = text.bytes().take_while(|byte| *byte == first).count();
    let alone = || text.bytes().all(|byte| byte == first || byte == b' ');
    let structure = match first {
        b'>' | b'|' => true,
        b'#' => run <= 6 && ends(run),
        b'-' | b'*' => ends(1) || run >= 3 || alone(),
        b'+' => ends(1),
        b'_' => run >= 3 || alone(),
        b'=' | b'`' | b'~' => run >= 3,
        b'$' => run >= 2,
        b'[' => text.contains("]:") || (["[ ]", "[x]", "[X]"].iter().any(|task| text.starts_with(task)) && ends(3)),
        b'0'..=b'9' => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let ordered = digits <= 9 && matches!(text.as_bytes().get(digits), Some(b'.' | b')')) && ends(digits + 1);
            return ordered.then_some(digits);
        }
        _ => false,
    };
    structure.then_some(0)
}

#[cfg(test)]
mod tests {
    use super::{escape, escape_bold, escape_file_name, escape_title, escape_value};
    use proptest::prelude::*;

    #[test]
    fn phrase_has_at_most_its_limit_of_characters() {
        for (text, limit, shown) in
            [("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("äöü bc", 5, "äöü…"), ("ab", 1, "…")]
        {
            assert_eq!(super::phrase(text, limit), shown, "{text} {limit}");
        }
    }

    #[test]
    fn faults_29_and_30_text_cannot_pass_for_structure() {
        for (text, shown) in [
            ("## Decisions", "\\## Decisions"),
            ("####### no", "####### no"),
            ("#tag", "#tag"),
            ("---", "\\---"),
            ("----x", "\\----x"),
            ("- item", "\\- item"),
            ("-", "\\-"),
            ("-x", "-x"),
            ("--", "\\--"),
            ("- -", "\\- -"),
            ("_", "\\_"),
            ("__ _", "\\__ _"),
            ("**", "\\**"),
            ("-- x", "-- x"),
            ("_x_", "_x_"),
            ("+ +", "\\+ +"),
            ("==", "=="),
            ("$$", "\\$$"),
            ("$$x", "\\$$x"),
            ("$x$$", "$x$$"),
            ("![a](b)", "!\\[a](b)"),
            ("a !![b]", "a !!\\[b]"),
            ("! [a]", "! [a]"),
            ("a\\b", "a\\b"),
            ("+ item", "\\+ item"),
            ("+++", "+++"),
            ("* item", "\\* item"),
            ("**bold**", "**bold**"),
            ("***", "\\***"),
            ("```sh", "\\```sh"),
            ("~~~", "\\~~~"),
            ("===", "\\==="),
            ("___", "\\___"),
            ("> quote", "\\> quote"),
            ("|a|b|", "\\|a|b|"),
            ("1. one", "1\\. one"),
            ("12) two", "12\\) two"),
            ("1.", "1\\."),
            ("1.5", "1.5"),
            ("123456789. x", "123456789\\. x"),
            ("1234567890. x", "1234567890. x"),
            ("[a]: http://x", "\\[a]: http://x"),
            ("[x] done", "\\[x] done"),
            ("[x]", "\\[x]"),
            ("[x]y", "[x]y"),
            ("[a](b)", "[a](b)"),
            ("<!-- x -->", "&lt;!-- x -->"),
            ("a <b> </b> <? < c <3", "a &lt;b> &lt;/b> &lt;? < c <3"),
            (" a \n\t b\u{85}c\u{2028}d ", "a b c d"),
            ("\u{1b}[2J\u{202e}\u{200b}\u{e0041}\u{feff}", "\\u{1b}[2J\\u{202e}\\u{200b}\\u{e0041}\\u{feff}"),
            ("", ""),
        ] {
            assert_eq!(escape(text), shown, "{text:?}");
        }
    }

    #[test]
    fn keys_and_phases_stand_between_stars() {
        for (text, shown) in [
            ("* a", "\\* a"),
            ("***", "\\*\\*\\*"),
            ("a*b", "a\\*b"),
            ("# a*", "\\# a\\*"),
            ("> a", "\\> a"),
            ("a\\", "a\\\\"),
            ("\\*", "\\\\\\*"),
            ("\\u{200b} \u{200b}", "\\\\u{200b} \\u{200b}"),
            ("`a` `b`", "`a` `b`"),
            ("a`b", "a\\`b"),
            ("``", "\\`\\`"),
            ("``a``", "\\`\\`a\\`\\`"),
            ("```", "\\`\\`\\`"),
            ("`a` `", "\\`a\\` \\`"),
            ("![x", "!\\[x"),
            ("---", "\\---"),
            ("$$", "\\$$"),
        ] {
            assert_eq!(escape_bold(text), shown, "{text:?}");
        }
    }

    #[test]
    fn titles_and_values_cannot_pass_for_others() {
        for (text, shown) in [("# a", "\\# a"), ("a #", "a \\#"), ("#", "\\#"), ("- a#b", "\\- a\\#b"), ("*", "\\*")] {
            assert_eq!(escape_title(text), shown, "{text:?}");
        }
        for (text, shown) in [
            ("(removed)", "\\(removed)"),
            (" (empty) ", "\\(empty)"),
            ("(removed) x", "(removed) x"),
            ("(Empty)", "(Empty)"),
            ("", ""),
            ("- x", "\\- x"),
        ] {
            assert_eq!(escape_value(text), shown, "{text:?}");
        }
    }

    /// Variation selectors and joiners stay where they change a character that is seen.
    #[test]
    fn emoji_and_joined_scripts_stay_themselves() {
        for text in ["⚠\u{fe0f} x", "👨\u{200d}👩\u{200d}👧", "❤\u{fe0f}\u{200d}🔥", "a\u{fe0e}", "می\u{200c}خواهم"]
        {
            assert_eq!(escape(text), text, "{text:?}");
        }
        for (text, shown) in [
            ("\u{fe0f}", "\\u{fe0f}"),
            ("a \u{fe0f}", "a \\u{fe0f}"),
            ("a\u{fe0f}\u{fe0f}", "a\u{fe0f}\\u{fe0f}"),
            ("a\u{200d}\u{fe0f}", "a\u{200d}\\u{fe0f}"),
            ("a\u{200d}\u{200c}", "a\u{200d}\\u{200c}"),
            ("a\u{fe0f}\u{200d}\u{200d}", "a\u{fe0f}\u{200d}\\u{200d}"),
            ("\u{200b}\u{fe0f}\u{200d}", "\\u{200b}\\u{fe0f}\\u{200d}"),
            ("a\u{fe0d}", "a\\u{fe0d}"),
            ("a\u{200b}", "a\\u{200b}"),
            ("👍\u{e0100}", "👍\\u{e0100}"),
        ] {
            assert_eq!(escape(text), shown, "{text:?}");
        }
    }

    /// Both ends of every range of rule 2, and their neighbours.
    #[test]
    fn what_is_not_seen_is_written_out() {
        let ranges = [
            (0xad, 0xad),
            (0x34f, 0x34f),
            (0x61c, 0x61c),
            (0x70f, 0x70f),
            (0x115f, 0x1160),
            (0x17b4, 0x17b5),
            (0x180b, 0x180f),
            (0x200b, 0x200f),
            (0x202a, 0x202e),
            (0x2060, 0x206f),
            (0x2800, 0x2800),
            (0x3164, 0x3164),
            (0xfe00, 0xfe0f),
            (0xfeff, 0xfeff),
            (0xffa0, 0xffa0),
            (0xfff0, 0xfffb),
            (0x13430, 0x1343f),
            (0x1bca0, 0x1bca3),
            (0x1d159, 0x1d159),
            (0x1d173, 0x1d17a),
            (0xe0000, 0xe0fff),
        ];
        let shown = |code: u32| escape(&format!(" {}|", char::from_u32(code).unwrap()));
        for (first, last) in ranges {
            for code in [first, last] {
                assert_eq!(shown(code), format!("\\u{{{code:x}}}|"));
            }
            let named = |code: &u32| ranges.iter().any(|(from, to)| (from..=to).contains(&code));
            for code in [first - 1, last + 1].iter().filter(|code| !named(code)) {
                let character = char::from_u32(*code).unwrap();
                assert!(character.is_whitespace() || shown(*code) == format!("{character}|"), "{code:x}");
            }
        }
    }

    #[test]
    fn file_names() {
        assert_eq!(escape_file_name(b"a`b\xff\xfe\n.md"), "a\\u{60}b\\u{fffd}\\u{fffd}\\u{a}.md");
        assert_eq!(escape_file_name("é  \u{2028}.md".as_bytes()), "é  \\u{2028}.md");
        assert_eq!(escape_file_name("⚠\u{fe0f}\u{2800}.md".as_bytes()), "⚠\u{fe0f}\\u{2800}.md");
    }

    proptest! {
        #[test]
        fn prop_escaped_text_is_one_visible_line(text in "\\PC{0,8}[\u{0}-\u{2fff}]{0,8}") {
            for shown in [escape(&text), escape_bold(&text)] {
                prop_assert!(crate::event::text::visibility(&shown).all(|(_, visible)| visible));
                let several_lines = shown.contains(['\u{2028}', '\u{2029}', '\n']);
                prop_assert!(!several_lines);
            }
        }
    }
}
