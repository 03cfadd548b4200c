//! Splitting an event into front matter and body (FORMAT §2).
//!
//! Legacy documents, whose fences are looser, are split by `gray_matter` in `import`; the two are
//! held against each other in the tests below.

use super::fault::{Code, Fault, Place, clamp};

/// The two parts of a normalised text, and the lines on which they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// The YAML between the fences.
    pub matter: &'a str,
    /// The line of the file on which the matter begins.
    pub matter_line: u32,
    /// What follows the second fence.
    pub body: &'a str,
    /// The line of the file on which the body begins.
    pub body_line: u32,
}

/// Splits a normalised text that begins on line `first_line` of its file.
///
/// # Errors
/// `no-frontmatter` where the first line is no fence or no second fence follows.
pub fn split(text: &str, first_line: u32) -> Result<Parts<'_>, Fault> {
    let missing = |line: u32, detail: &str| Fault::new(Code::NoFrontMatter, Place::new(line, 1), detail);
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if !is_fence(first) {
        return Err(missing(first_line, "the first line is not `---`"));
    }
    let mut offset = 0;
    let mut lines = 0;
    for line in rest.split_inclusive('\n') {
        if is_fence(line.strip_suffix('\n').unwrap_or(line)) {
            let (matter, fence_and_body) = rest.split_at(offset);
            return Ok(Parts {
                matter,
                matter_line: first_line + 1,
                body: fence_and_body.get(line.len()..).unwrap_or_default(),
                body_line: first_line + lines + 2,
            });
        }
        offset += line.len();
        lines = clamp(lines as usize + 1);
    }
    Err(missing(first_line, "the front matter has no second `---` line"))
}

/// A line of exactly `---`, after which spaces or tabs may follow.
fn is_fence(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.bytes().all(|byte| matches!(byte, b' ' | b'\t')))
}

#[cfg(test)]
mod tests {
    use super::split;
    use crate::event::normal::normalise_text;
    use proptest::prelude::*;

    /// `gray_matter` with its own YAML engine switched off.
    struct NoEngine;

    impl gray_matter::engine::Engine for NoEngine {
        fn parse(_: &str) -> gray_matter::Result<gray_matter::Pod> {
            Ok(gray_matter::Pod::Null)
        }
    }

    #[test]
    fn places_are_lines_of_the_file() {
        let parts = split("--- \na: b\nc: d\n---\t\n\nbody\n", 3).unwrap();
        assert_eq!((parts.matter, parts.matter_line), ("a: b\nc: d\n", 4));
        assert_eq!((parts.body, parts.body_line), ("\nbody\n", 7));
        assert!(split("---\na: b\n", 1).is_err());
        assert!(split("----\na\n---\n", 1).is_err());
        assert!(split("---\n  ---\n --- x\n", 1).is_err());
    }

    proptest! {
        /// Wherever we find front matter, `gray_matter` finds the same, trimmed.
        #[test]
        fn prop_agrees_with_gray_matter(text in "(---[ \t]?\n)?([a:] ?[b-]{0,3}\n|---[ \t]?\n|\n){0,6}") {
            let text = normalise_text(&text).text.into_owned();
            if let Ok(ours) = split(&text, 1) {
                let theirs: gray_matter::ParsedEntity<gray_matter::Pod> =
                    gray_matter::Matter::<NoEngine>::new().parse(&text).unwrap();
                prop_assert_eq!(ours.matter.trim(), theirs.matter);
                prop_assert_eq!(ours.body.trim_start_matches('\n').trim_end_matches('\n'), theirs.content.trim_end_matches('\n'));
            }
        }
    }
}
