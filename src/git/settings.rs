//! Reads git's configuration file format, as far as finding a repository needs it.
//!
//! Source: git-config(1), "Syntax". Includes are not followed: git itself reads `core.bare`,
//! `core.worktree` and the extensions from the repository's own file alone (`setup.c`).

/// The last value of `section.key` in a configuration file's text; `Some("")` for a key without one.
///
/// Section and key are compared without regard to case; sections with a subsection never match.
pub(super) fn value(text: &str, section: &str, key: &str) -> Option<String> {
    let mut inside = false;
    let mut found = None;
    for line in text.lines() {
        let mut line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let Some((name, rest)) = header.split_once(']') else { continue };
            inside = name.trim().eq_ignore_ascii_case(section);
            line = rest.trim();
        }
        if !inside || line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let (name, text) = line.split_once('=').unwrap_or((line, ""));
        let name = name.split(['#', ';']).next().unwrap_or_default();
        if name.trim().eq_ignore_ascii_case(key) {
            found = Some(if line.contains('=') { unquoted(text.trim()) } else { "true".to_owned() });
        }
    }
    found
}

/// Whether `section.key` says yes.
pub(super) fn flag(text: &str, section: &str, key: &str) -> Option<bool> {
    let value = value(text, section, key)?.to_ascii_lowercase();
    Some(matches!(value.as_str(), "true" | "yes" | "on" | "1"))
}

/// Removes quotes, escapes and a comment.
fn unquoted(text: &str) -> String {
    let mut plain = String::new();
    let mut quoted = false;
    // Up to here the value is kept even if it ends in white space.
    let mut kept = 0;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' => plain.extend(characters.next().map(|escaped| match escaped {
                'n' => '\n',
                't' => '\t',
                'b' => '\u{8}',
                other => other,
            })),
            '#' | ';' if !quoted => break,
            other => plain.push(other),
        }
        if quoted || !character.is_whitespace() {
            kept = plain.len();
        }
    }
    plain.truncate(kept);
    plain
}

#[cfg(test)]
mod tests {
    use super::{flag, value};

    #[test]
    fn the_last_value_of_the_section_counts() {
        let text = "[core]\n\tbare = false\n[remote \"core\"]\n bare = true\n[CORE] Bare = yes ; really\n";
        assert_eq!(flag(text, "core", "bare"), Some(true));
        assert_eq!(flag(text, "core", "worktree"), None);
    }

    #[test]
    fn a_key_without_a_value_is_true_and_an_empty_one_is_not() {
        assert_eq!(flag("[core]\nbare\n", "core", "bare"), Some(true));
        assert_eq!(flag("[core]\nbare =\n", "core", "bare"), Some(false));
    }

    #[test]
    fn quotes_escapes_and_comments() {
        let text = "[core]\nworktree = \"../a #b \" # c\n";
        assert_eq!(value(text, "core", "worktree").as_deref(), Some("../a #b "));
        assert_eq!(value("[core]\nworktree = C:\\\\w  \n", "core", "worktree").as_deref(), Some("C:\\w"));
        assert_eq!(value("[core]\n#worktree = x\n", "core", "worktree"), None);
    }
}
