//! The value behind a key: where it is, and whether it is a secret or stands for something else.

use super::MASK;
use super::words::{is_chance, is_mixed, is_of_words};
use std::ops::Range;

/// The most bytes of a value that are read before it is known to be a secret.
const LIMIT: usize = 4096;

/// Values that no secret has.
const NAMES: [&str; 68] = [
    "true",
    "false",
    "none",
    "null",
    "nil",
    "undefined",
    "unset",
    "empty",
    "default",
    "required",
    "optional",
    "yes",
    "no",
    "string",
    "str",
    "bytes",
    "number",
    "bool",
    "boolean",
    "int",
    "any",
    "unknown",
    "object",
    "name",
    "value",
    "text",
    "type",
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "kennwort",
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "apikey",
    "credential",
    "credentials",
    "auth",
    "user",
    "username",
    "hidden",
    "redacted",
    "changeme",
    "change_me",
    "replaceme",
    "replace_me",
    "todo",
    "tbd",
    "masked",
    "base64",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "argon2",
    "argon2id",
    "pbkdf2",
    "oauth2",
    "utf8",
    "ed25519",
    "rs256",
    "hs256",
    "es256",
    "x509",
    "aes256",
];

/// A value in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    /// Where it is, without quotes.
    pub range: Range<usize>,
    /// Whether it is in quotes.
    pub quoted: bool,
}

const QUOTES: [(&str, &str); 14] = [
    ("\"\"\"", "\"\"\""),
    ("'''", "'''"),
    ("« ", " »"),
    ("«\u{a0}", "\u{a0}»"),
    ("\\\"", "\\\""),
    ("\\'", "\\'"),
    ("\"", "\""),
    ("'", "'"),
    ("`", "`"),
    ("“", "”"),
    ("„", "“"),
    ("‘", "’"),
    ("‚", "‘"),
    ("«", "»"),
];

/// The text from a place on, as far as a value may go: reading more would cost each of many names the whole text.
pub(super) fn window(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let end = (0..=LIMIT.min(rest.len())).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(0);
    rest.get(..end).unwrap_or_default()
}

/// A secret's range to its real end, where it is longer than the window.
pub(super) fn whole(text: &str, range: Range<usize>) -> Range<usize> {
    if range.len() + 8 < LIMIT {
        return range;
    }
    let rest = text.get(range.end..).unwrap_or_default();
    let ends = |c: char| c.is_whitespace() || "\"'`<>".contains(c);
    range.start..range.end + rest.find(ends).unwrap_or(rest.len())
}

/// The value that begins at a place.
pub(super) fn value_at(text: &str, at: usize) -> Option<Value> {
    let rest = window(text, at);
    // A text's prefix in Python, Rust, C and C#.
    let prefix = rest.find(|c: char| !c.is_ascii_alphabetic() && c != '@').filter(|length| *length <= 2).unwrap_or(0);
    for skipped in [0, prefix] {
        let inner = rest.get(skipped..)?;
        if let Some((open, close)) = QUOTES.iter().find(|(open, _)| inner.starts_with(open)) {
            let start = at + skipped + open.len();
            return Some(Value { range: start..quoted_end(text, start, close), quoted: true });
        }
    }
    let end = at + unquoted(rest);
    (end > at).then_some(Value { range: at..end, quoted: false })
}

/// Where a value in quotes ends; without a closing quote on its line, at the next white space.
fn quoted_end(text: &str, start: usize, close: &str) -> usize {
    let rest = window(text, start);
    let line = rest.get(..rest.find('\n').unwrap_or(rest.len())).unwrap_or_default();
    let mut from = 0;
    while let Some(at) = line.get(from..).and_then(|line| line.find(close)).map(|at| from + at) {
        let slashes = line.get(..at).unwrap_or_default().bytes().rev().take_while(|byte| *byte == b'\\').count();
        if slashes % 2 == 0 || close.starts_with('\\') {
            return start + at;
        }
        from = at + close.len();
    }
    start + rest.find(char::is_whitespace).unwrap_or(rest.len())
}

/// How long an unquoted value is.
fn unquoted(rest: &str) -> usize {
    let mut previous = ' ';
    let ends = |(at, c): (usize, char)| {
        let escaped = previous == '\\' && matches!(c, 'n' | 'r' | 't');
        previous = c;
        let behind = || rest.get(at + c.len_utf8()..).unwrap_or_default();
        let stops = c.is_whitespace()
            || "\"'`<>".contains(c)
            || c == ';'
            || (c == '&' || c == ',') && begins_another(behind())
            || c == '%' && begins_encoded(behind());
        if escaped { Some(at - 1) } else { stops.then_some(at) }
    };
    let end = rest.char_indices().find_map(ends).unwrap_or(rest.len());
    let value = rest.get(..end).unwrap_or_default();
    let mut trimmed = value.trim_end_matches(['.', ',', ':', '\\', '*', '|']);
    // Brackets close in any order, as in `{a=[b]}`.
    let mut surplus = [('(', ')'), ('[', ']'), ('{', '}')]
        .map(|(open, close)| (close, trimmed.matches(close).count().saturating_sub(trimmed.matches(open).count())));
    while let Some((close, left)) = surplus.iter_mut().find(|(close, left)| *left > 0 && trimmed.ends_with(*close)) {
        trimmed = trimmed.strip_suffix(*close).unwrap_or_default().trim_end_matches(['.', ',', '"', '\'']);
        *left -= 1;
    }
    trimmed.len()
}

/// Whether the text after `&` or `,` is the next pair, or nothing.
fn begins_another(rest: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.%[]\"'".contains(c);
    let name = rest.chars().take(64).take_while(|c| is_name(*c)).count();
    let after = rest.chars().nth(name);
    match after {
        None => name == 0,
        Some('=' | ':') => name > 0,
        Some(c) => name == 0 && (c.is_whitespace() || "&\"'`<>$".contains(c)) || rest.starts_with("amp;"),
    }
}

/// Whether the text after `%` is an encoded `&` and the next pair.
fn begins_encoded(rest: &str) -> bool {
    let Some(pair) = rest.strip_prefix("26") else { return false };
    let name = pair.bytes().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count();
    pair.get(name..).is_some_and(|rest| name > 0 && (rest.starts_with("%3D") || rest.starts_with("%3d")))
}

/// Whether a value names a secret or a place of one rather than being it: a variable, a placeholder, a path, code.
pub(super) fn stands_for_another(value: &str) -> bool {
    let value = value.get(..value.len().min(LIMIT)).unwrap_or(value);
    let lower = value.trim_end_matches([',', ';', '!']).to_ascii_lowercase();
    let variable = value.strip_prefix('$').is_some_and(|name| {
        name.starts_with(['{', '('])
            || name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            || name.starts_with("env:")
    });
    let format =
        value.strip_prefix('%').is_some_and(|rest| rest.len() <= 2 || rest.ends_with('%') || rest.starts_with('('));
    let path = ["/", "./", "../", "~/"].iter().any(|start| value.starts_with(start)) && !value.ends_with('=')
        || value.contains("://")
        || ["op://", "vault:", "env:", "file:", "arn:", "ref+", "enc[", "sops:", "secretref:", "projects/"]
            .iter()
            .any(|start| lower.starts_with(start));
    let dots = value.chars().all(|c| "*.xX…•-_?0".contains(c));
    let closed = [('{', '}'), ('[', ']'), ('<', '>'), ('(', ')')];
    let bracketed =
        closed.iter().any(|(open, close)| value.starts_with(*open) && (value.ends_with(*close) || *open != '('));
    let placeholder = ["your", "example", "placeholder", "change-me", "insert", "<", "my-"]
        .iter()
        .any(|start| lower.starts_with(start))
        && is_of_words(value);
    variable
        || format
        || path
        || dots
        || bracketed
        || placeholder
        || value.contains(MASK)
        || is_example(value)
        || NAMES.contains(&lower.as_str())
        || is_code(value)
        || is_file(value)
}

/// What services print in their documentation: `AKIA…EXAMPLE`.
pub(super) fn is_example(value: &str) -> bool {
    value.ends_with("EXAMPLE") || value.ends_with("EXAMPLEKEY")
}

/// `getpass()`, `settings.PASSWORD`, `parts[1]`, `&str`, `Option<String>`.
fn is_code(value: &str) -> bool {
    let bare = value.trim_start_matches(['&', '*']);
    let is_reference = bare.len() < value.len();
    let value = bare.trim_start_matches(['!', '@']).trim_end_matches([',', ';', ')', '}', '!', '?']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let path = |path: &str| {
        let parts: Vec<&str> =
            path.split("::").flat_map(|part| part.split("->")).flat_map(|part| part.split('.')).collect();
        let name = |part: &&str| {
            part.trim_end_matches('?').chars().all(is_name)
                && !part.starts_with(|c: char| c.is_ascii_digit())
                && !part.is_empty()
                && is_of_words(part)
        };
        (parts.len() > 1).then(|| parts.iter().all(name))
    };
    let call = value.find(['(', '[', '<', '{']).filter(|at| *at > 0).and_then(|at| value.get(..at));
    match call {
        Some(name) => path(name).unwrap_or_else(|| {
            name.chars().all(is_name) && (is_of_words(name) || value.contains('(') && !is_chance(name))
        }),
        None => path(value).unwrap_or_else(|| is_reference && value.chars().all(is_name) && is_of_words(value)),
    }
}

/// `docs/secrets2.md`.
fn is_file(value: &str) -> bool {
    let parts: Vec<&str> = value.split('/').collect();
    let last = parts.last().copied().unwrap_or_default();
    parts.len() > 1 && (last.contains('.') || !is_mixed(last)) && parts.iter().all(|part| is_of_words(part))
}

#[cfg(test)]
mod tests {
    use super::{stands_for_another, value_at};

    fn read(text: &str) -> &str {
        &text[value_at(text, 0).unwrap().range]
    }

    #[test]
    fn values_end_where_their_writers_end_them() {
        for (text, value) in [
            ("a&b c", "a&b"),
            ("a&b=c", "a"),
            ("a,b=c", "a"),
            ("a, b", "a"),
            ("a;b", "a"),
            ("a). B", "a"),
            ("f(a)b", "f(a)b"),
            ("'a b' c", "a b"),
            ("\"a\\\"b\" c", "a\\\"b"),
            ("\\\"a\\\",", "a"),
            ("f\"a\"", "a"),
            ("\"a b", "a"),
            ("a\\nB=1", "a"),
            ("„a b“", "a b"),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }

    #[test]
    fn names_of_secrets_are_not_secrets() {
        for text in [
            "$X",
            "${x}",
            "$(x)",
            "%s",
            "<x>",
            "{{ x }}",
            "[masked]",
            "/run/x",
            "****",
            "getpass()",
            "a.b.c",
            "x::y",
            "parts[1]",
            "&str",
            "Option<String>",
            "docs/a2.md",
            "null",
            "Password",
            "vault:x",
            "https://x/y",
            "your-token-here",
        ] {
            assert!(stands_for_another(text), "{text}");
        }
        for text in ["hunter2", "a1b2c3d4", "$aB3dE5", "/aB3/dE5gH7jK9=", "aB3dE5.gH7jK9"] {
            assert!(!stands_for_another(text), "{text}");
        }
    }
}
