//! Names of paths inside the worktree, as a configuration may write them. Which links lie on the way is asked
//! where the path is used (`trust::path`).

use crate::event::text::is_unsafe_to_show;

/// A relative path inside the worktree, without a `/` at its end; `None` for anything else.
pub(super) fn checked_path(path: &str) -> Option<&str> {
    let trimmed = path.trim_end_matches('/');
    let strange = path.contains([':', '\\']) || path.chars().any(is_unsafe_to_show);
    (!strange && !path.starts_with('/') && trimmed.split('/').all(is_component)).then_some(trimmed)
}

/// Whether a text is the name of one file or directory on every system, and not one of git's own.
///
/// Source: git's `path.c` (`verify_path`, `is_ntfs_dotgit`) and `utf8.c` (`is_hfs_dotgit`): Windows ignores dots
/// and spaces at the end and knows `git~1`, macOS ignores some invisible characters.
#[must_use]
pub fn is_component(name: &str) -> bool {
    let is_ignored = |c: &char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let plain: String = name.chars().filter(|c| !is_ignored(c)).collect();
    // What follows a colon names a stream of the same directory on Windows.
    let plain = plain.split(':').next().unwrap_or_default().trim_end_matches([' ', '.']).to_ascii_lowercase();
    let is_separated = name.contains(['/', '\0']) || (cfg!(windows) && name.contains(['\\', ':']));
    !plain.is_empty() && plain != ".git" && plain != "git~1" && !is_separated
}

#[cfg(test)]
mod tests {
    use super::{checked_path, is_component};

    #[test]
    fn components_of_git_and_of_no_file_are_refused() {
        for name in [
            "",
            ".",
            "..",
            "...",
            " ",
            ".git",
            ".GiT",
            ".git.",
            ".git ",
            ".git. .",
            "git~1",
            "GIT~1 ",
            ".git:x",
            ".git::$INDEX_ALLOCATION",
            "\u{feff}.git",
            ".g\u{200c}it",
            "a/b",
            "a\0",
        ] {
            assert!(!is_component(name), "{name:?}");
        }
        for name in ["a", ".github", ".gitignore", "git", "git~2", "..a", "a.git", ".git-x", "…"] {
            assert!(is_component(name), "{name:?}");
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in ["/a", "a//b", "a/../b", "C:/a", "a\\b", "a/.git/b", "/", "", "a\u{202e}b", "a\nb"] {
            assert_eq!(checked_path(path), None, "{path:?}");
        }
        assert_eq!(checked_path("docs/adr/"), Some("docs/adr"));
    }
}
