//! Blocks of lines between two marks, in files that are somebody else's.

use std::ops::Range;

/// The lines that a block stands between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    open: &'static str,
    close: &'static str,
    /// Whether a blank line parts the block from what stands above it.
    blank_line: bool,
}

/// For files whose comments start with `#`.
pub(super) const HASH: Marks = Marks { open: "# >>> headwater >>>", close: "# <<< headwater <<<", blank_line: false };

/// For Markdown.
pub(super) const HTML: Marks =
    Marks { open: "<!-- >>> headwater >>> -->", close: "<!-- <<< headwater <<< -->", blank_line: true };

impl Marks {
    /// The block around `body`, with LF lines, each after `indent`.
    pub(super) fn around(self, body: &str, indent: &str) -> String {
        let lines = std::iter::once(self.open).chain(body.lines()).chain(std::iter::once(self.close));
        lines.fold(String::new(), |text, line| text + if line.is_empty() { "" } else { indent } + line + "\n")
    }

    /// Where the block stands: whole lines, the last one's end included.
    ///
    /// # Errors
    /// A mark without the other; says so.
    pub(super) fn find(self, text: &str) -> Result<Option<Range<usize>>, String> {
        let mut at = 0;
        let mut number = 0;
        let mut open: Option<(usize, usize)> = None;
        let mut found = None;
        for line in text.split_inclusive('\n') {
            number += 1;
            let end = at + line.len();
            match line.trim() {
                mark if mark == self.open => {
                    if open.is_some() || found.is_some() {
                        return Err(format!(":{number}: a second `{}`", self.open));
                    }
                    open = Some((at, number));
                }
                mark if mark == self.close => match open.take() {
                    Some((start, _)) => found = Some(start..end),
                    None => return Err(format!(":{number}: `{}` without a beginning", self.close)),
                },
                _ => {}
            }
            at = end;
        }
        match open {
            Some((_, number)) => Err(format!(":{number}: `{}` without an end", self.open)),
            None => Ok(found),
        }
    }

    /// Puts the block in place of the one that stands there, else at the end; in the file's line ends.
    ///
    /// # Errors
    /// As [`Marks::find`].
    pub(super) fn put(self, text: &str, body: &str) -> Result<String, String> {
        let block = like(text, &self.around(body, ""));
        if let Some(range) = self.find(text)? {
            return Ok(replaced(text, range, &block));
        }
        let end = if is_crlf(text) { "\r\n" } else { "\n" };
        let mut whole = text.to_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            whole.push_str(end);
        }
        if self.blank_line && !text.trim().is_empty() {
            whole.push_str(end);
        }
        Ok(whole + &block)
    }

    /// Takes the block out, and the blank line that parted it from the rest.
    ///
    /// # Errors
    /// As [`Marks::find`].
    pub(super) fn take(self, text: &str) -> Result<String, String> {
        let Some(range) = self.find(text)? else { return Ok(text.to_owned()) };
        let mut start = range.start;
        let at_end = text.get(range.end..).is_some_and(|rest| rest.trim().is_empty());
        if let Some(above) = text.get(..start).filter(|_| self.blank_line && at_end) {
            let parted = above.strip_suffix("\r\n").or_else(|| above.strip_suffix('\n'));
            start = parted.filter(|above| above.ends_with('\n')).map_or(start, str::len);
        }
        Ok(replaced(text, start..range.end, ""))
    }
}

/// Whether lines end in CRLF, by the first one.
pub(super) fn is_crlf(text: &str) -> bool {
    text.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r'))
}

/// A text with LF lines in the line ends of another.
pub(super) fn like(other: &str, text: &str) -> String {
    if is_crlf(other) { text.replace('\n', "\r\n") } else { text.to_owned() }
}

/// A text with one part replaced.
pub(super) fn replaced(text: &str, range: Range<usize>, by: &str) -> String {
    let mut whole = text.to_owned();
    whole.replace_range(range, by);
    whole
}

#[cfg(test)]
mod tests {
    use super::{HASH, HTML};
    use proptest::prelude::*;

    #[test]
    fn a_block_is_put_once_and_replaced_where_it_stands() {
        let once = HASH.put("a\n", "x").unwrap();
        assert_eq!(once, "a\n# >>> headwater >>>\nx\n# <<< headwater <<<\n");
        assert_eq!(HASH.put(&once, "x").unwrap(), once);
        let grown = format!("{once}b\n");
        assert_eq!(HASH.put(&grown, "y\nz").unwrap(), grown.replace("x\n", "y\nz\n"));
        assert_eq!(HASH.take(&grown).unwrap(), "a\nb\n");
    }

    #[test]
    fn half_a_block_is_not_guessed_at() {
        for text in ["# >>> headwater >>>\n", "# <<< headwater <<<\n", "# >>> headwater >>>\n# >>> headwater >>>\n"] {
            assert!(HASH.put(text, "x").unwrap_err().starts_with(':'), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_put_can_be_taken(lines in prop::collection::vec("[a-z #]{0,6}", 0..6), crlf: bool) {
            let end = if crlf { "\r\n" } else { "\n" };
            let text: String = lines.iter().flat_map(|line| [line.as_str(), end]).collect();
            for marks in [HASH, HTML] {
                let put = marks.put(&text, "one\n\ntwo").unwrap();
                prop_assert_eq!(marks.put(&put, "one\n\ntwo").unwrap(), put.clone());
                if !text.trim().is_empty() {
                    prop_assert_eq!(marks.take(&put).unwrap(), text.clone());
                    let foreign = put.replace("\r\n", "").contains(if crlf { '\n' } else { '\r' });
                    prop_assert!(!foreign, "mixed line ends");
                }
            }
        }
    }
}
