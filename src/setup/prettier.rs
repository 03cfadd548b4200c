//! Whether Prettier is used, and whether it leaves a ledger alone. It rewrites `current.md`, and events of other forms
//! than headwater writes.

use crate::store::read_shared;
use std::path::Path;

/// Its configuration files. Source: <https://prettier.io/docs/configuration>.
const NAMES: [(&str, &[&str]); 2] = [
    (".prettierrc", &["", ".json", ".yml", ".yaml", ".json5", ".js", ".ts", ".mjs", ".mts", ".cjs", ".cts", ".toml"]),
    ("prettier.config", &[".js", ".ts", ".mjs", ".mts", ".cjs", ".cts"]),
];

/// The file of paths that it leaves alone.
const IGNORED: &str = ".prettierignore";

/// The ignore files of the formatters that the working tree at `top` uses.
#[must_use]
pub fn ignore_files(top: &Path) -> Vec<&'static str> {
    if uses_prettier(top) { vec![IGNORED] } else { Vec::new() }
}

/// Whether there is a configuration of Prettier's, or a dependency on it.
fn uses_prettier(top: &Path) -> bool {
    let is_there = |name: &str| top.join(name).symlink_metadata().is_ok();
    let names = NAMES.iter().flat_map(|(stem, ends)| ends.iter().map(move |end| format!("{stem}{end}")));
    names.chain([IGNORED.to_owned()]).any(|name| is_there(&name)) || package_has_prettier(top)
}

fn package_has_prettier(top: &Path) -> bool {
    let bytes = read_shared(&top.join("package.json")).ok().flatten().map(|file| file.bytes).unwrap_or_default();
    let Ok(package) = serde_json::from_slice::<serde_json::Value>(&bytes) else { return false };
    let lists = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
    package.get("prettier").is_some()
        || lists.iter().any(|list| package.get(list).is_some_and(|list| list.get("prettier").is_some()))
}

/// Whether a line of an ignore file covers a ledger: the ledger, a directory above it, or all Markdown files.
pub(super) fn is_covered(ignored: &str, ledger: &str) -> bool {
    let covers = |line: &str| {
        let path = line.trim().trim_start_matches('/').trim_end_matches('*').trim_end_matches('/');
        let above = |rest: &str| rest.is_empty() || rest.starts_with('/');
        (!path.is_empty() && ledger.strip_prefix(path).is_some_and(above)) || matches!(line.trim(), "*.md" | "**/*.md")
    };
    ignored.lines().filter(|line| !line.trim_start().starts_with('#')).any(covers)
}

#[cfg(test)]
mod tests {
    use super::{is_covered, uses_prettier};
    use crate::store::write_shared;

    #[test]
    fn prettier_is_found_by_its_configuration_or_a_dependency() {
        for (name, text, expected) in [
            (".prettierrc", "{}", true),
            ("prettier.config.mjs", "", true),
            (".prettierignore", "dist\n", true),
            ("package.json", "{\"devDependencies\": {\"prettier\": \"^3\"}}", true),
            ("package.json", "{\"prettier\": {}}", true),
            ("package.json", "{\"devDependencies\": {\"eslint-config-prettier\": \"1\"}}", false),
            ("package.json", "not JSON", false),
            ("other", "", false),
        ] {
            let top = tempfile::tempdir().unwrap();
            write_shared(&top.path().join(name), text.as_bytes(), false).unwrap();
            assert_eq!(uses_prettier(top.path()), expected, "{name} {text}");
        }
    }

    #[test]
    fn ignore_lines_cover_a_ledger_by_itself_or_from_above() {
        for line in ["thoughts/log", "/thoughts/log/", "thoughts/", "thoughts/**", "/thoughts/log/**\n", "*.md"] {
            assert!(is_covered(&format!("dist\n{line}\n"), "thoughts/log"), "{line}");
        }
        for line in ["", "# thoughts/log", "thoughts/log/events", "thoughts/logs", "*"] {
            assert!(!is_covered(line, "thoughts/log"), "{line}");
        }
    }
}
