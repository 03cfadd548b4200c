//! The Markdown form of a body: sections are headings, items are list lines (FORMAT §2).

use super::schema::Schema;
use super::text::is_empty;

/// What an item begins with, in column 0.
const ITEM_MARKS: [&str; 3] = ["- ", "* ", "+ "];

/// A line of the body and its number in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line's number in the file, from 1.
    pub number: u32,
    /// Its text.
    pub text: &'a str,
}

/// The lines under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'a> {
    /// The declared name or closing key that the heading stands for.
    pub name: String,
    /// The lines up to the next heading.
    pub lines: Vec<Line<'a>>,
}

/// Whether a body is in the Markdown form.
#[must_use]
pub fn is_markdown(body: &str, schema: &Schema) -> bool {
    let has_key = |line: &str, quote: &str| {
        line.strip_prefix(quote).is_some_and(|line| {
            let after = |key| line.strip_prefix(key).and_then(|rest| rest.strip_prefix(quote));
            schema.known_keys().filter_map(after).any(|rest| rest.starts_with(':'))
        })
    };
    let first = body.lines().find(|line| !is_empty(line) && !line.starts_with('#'));
    if first.is_some_and(|line| ["", "\"", "'"].iter().any(|quote| has_key(line, quote))) {
        return false;
    }
    let known = |slug: &str| schema.known_keys().any(|key| key == slug);
    let mut fences = Fences::default();
    if body.lines().any(|line| !fences.hold(line) && heading(line).is_some_and(|text| known(&slug(text)))) {
        return true;
    }
    let begins_with_heading = body.lines().find(|line| !is_empty(line)).is_some_and(|line| heading(line).is_some());
    begins_with_heading && !body.lines().any(|line| has_key(line, ""))
}

/// Follows a text line by line, and knows which lines stand in a fence.
#[derive(Debug, Default)]
pub struct Fences {
    open: Option<Fence>,
}

/// A fence that was opened.
#[derive(Debug, Clone, Copy)]
struct Fence {
    mark: char,
    length: usize,
    /// Whether it began in an item, whose contents may be indented.
    in_item: bool,
}

impl Fences {
    /// Whether the next line of the text belongs to a fence, as one of its marks or between them.
    pub fn hold(&mut self, line: &str) -> bool {
        if let Some(fence) = self.open {
            if fence.ends_with(line) {
                self.open = None;
            }
            return true;
        }
        self.open = Fence::begun_by(line);
        self.open.is_some()
    }
}

impl Fence {
    fn begun_by(line: &str) -> Option<Self> {
        let item = ITEM_MARKS.iter().find_map(|mark| line.strip_prefix(mark));
        let text = item.map_or_else(|| little_indented(line), |rest| Some(rest.trim_start_matches([' ', '\t'])))?;
        let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let info = text.trim_start_matches(mark);
        let length = text.len() - info.len();
        // A run of backticks with another one on its line is code within a sentence.
        let opens = length >= 3 && !(mark == '`' && info.contains('`'));
        opens.then_some(Self { mark, length, in_item: item.is_some() })
    }

    fn ends_with(self, line: &str) -> bool {
        let text = if self.in_item { Some(line.trim_start_matches([' ', '\t'])) } else { little_indented(line) };
        text.is_some_and(|text| {
            let after = text.trim_start_matches(self.mark);
            text.len() - after.len() >= self.length && is_empty(after)
        })
    }
}

/// A line without its indentation, where that is at most three spaces.
fn little_indented(line: &str) -> Option<&str> {
    let text = line.trim_start_matches(' ');
    (line.len() - text.len() <= 3).then_some(text)
}

/// Whether a line is a thematic break: three or more `-`, `*` or `_` of one kind.
fn is_thematic_break(line: &str) -> bool {
    let Some(text) = little_indented(line) else { return false };
    let Some(mark) = text.chars().next().filter(|mark| matches!(mark, '-' | '*' | '_')) else { return false };
    text.chars().all(|c| c == mark || matches!(c, ' ' | '\t')) && text.matches(mark).count() >= 3
}

/// A line outside fences as a section reads it: a thematic break parts as a blank line does.
pub(super) fn as_read(line: &str) -> &str {
    if is_thematic_break(line) { "" } else { line }
}

/// The blocks of a Markdown body that stand under declared names and closing keys, in their order.
/// Everything else is prose.
#[must_use]
pub fn blocks<'a>(body: &'a str, first_line: u32, schema: &Schema) -> Vec<Block<'a>> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut inside = false;
    let mut fences = Fences::default();
    for (number, text) in (first_line..).zip(body.lines()) {
        let is_fenced = fences.hold(text);
        if let Some(title) = heading(text).filter(|_| !is_fenced) {
            let name = slug(title);
            inside = schema.known_keys().any(|key| key == name);
            if inside {
                blocks.push(Block { name, lines: Vec::new() });
            }
        } else if inside && let Some(block) = blocks.last_mut() {
            // To the items and texts around it a fence is a gap.
            block.lines.push(Line { number, text: if is_fenced { "" } else { as_read(text) } });
        }
    }
    blocks
}

/// The items of a block: list lines in column 0 with what continues them, and where they stand.
#[must_use]
pub fn items(lines: &[Line<'_>]) -> Vec<(u32, String)> {
    let mut items: Vec<(u32, String)> = Vec::new();
    let mut open = false;
    for line in lines {
        if let Some(item) = item_start(line.text) {
            items.push((line.number, item.to_owned()));
            open = true;
        } else if is_empty(line.text) {
            open = false;
        } else if open && let Some((_, item)) = items.last_mut() {
            item.push(' ');
            item.push_str(line.text.trim());
        }
    }
    for (_, item) in &mut items {
        *item = item.trim().to_owned();
    }
    items
}

/// The text of a register: the non-blank lines, trimmed, joined by one space.
#[must_use]
pub fn paragraph(lines: &[Line<'_>]) -> String {
    let words: Vec<&str> = lines.iter().map(|line| line.text.trim()).filter(|text| !text.is_empty()).collect();
    words.join(" ")
}

/// Splits a map's item into key and value.
#[must_use]
pub fn split_entry(item: &str) -> (&str, &str) {
    if let Some(entry) = split_bold(item) {
        return entry;
    }
    item.split_once(": ").unwrap_or_else(|| (item.strip_suffix(':').unwrap_or(item), ""))
}

/// `**key:** value`, `**key**: value` or `**key**`.
fn split_bold(item: &str) -> Option<(&str, &str)> {
    let (inner, after) = item.strip_prefix("**")?.split_once("**")?;
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    if let Some(key) = inner.strip_suffix(':')
        && !is_empty(key)
        && ends(after)
    {
        return Some((key, after.trim()));
    }
    if is_empty(inner) {
        return None;
    }
    match after.strip_prefix(':') {
        Some(rest) if ends(rest) => Some((inner, rest.trim())),
        None if after.is_empty() => Some((inner, "")),
        _ => None,
    }
}

/// The text after the `#`s of a heading.
fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && (text.is_empty() || text.starts_with(' '))).then_some(text)
}

/// What a heading is matched by: small letters and digits, every run of others as one `_`.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    let mut gap = false;
    for byte in title.bytes() {
        let byte = byte.to_ascii_lowercase();
        if byte.is_ascii_lowercase() || byte.is_ascii_digit() {
            if gap && !slug.is_empty() {
                slug.push('_');
            }
            gap = false;
            slug.push(char::from(byte));
        } else {
            gap = true;
        }
    }
    slug
}

/// What follows the mark of an item, without a task box.
fn item_start(line: &str) -> Option<&str> {
    let rest = ITEM_MARKS.iter().find_map(|mark| line.strip_prefix(mark))?.trim();
    let boxed = ["[ ] ", "[x] ", "[X] "].iter().find_map(|mark| rest.strip_prefix(mark));
    Some(boxed.unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::{blocks, is_markdown, items, paragraph, split_entry};
    use crate::event::schema::Schema;

    #[test]
    fn the_form_of_a_body() {
        let schema = Schema::default();
        for markdown in [
            "## Now\nx",
            "text\n###### open-questions ##\n",
            "# Notes\n\ntext",
            "\n\n#\nx",
            "text\nnow: x\n# Goal\n",
            " now: x\n# Goal\n",
            "now : x\n# Goal\n",
            "\"now': x\n# Goal\n",
            "'now\": x\n# Goal\n",
            "\"now:\" x\n# Goal\n",
            "# Notes\nnext: x\n\"now\": x",
            "text\n```\n```\n# Goal",
            "```\n# x\n```\n# Goal\n",
        ] {
            assert!(is_markdown(markdown, &schema), "{markdown:?}");
        }
        for yaml in [
            "",
            "now: x",
            "# comment\nnow: x",
            "#comment",
            "####### Now\n",
            " # Now\n",
            "text\n# Notes",
            "now: x\n# Goal\n",
            "# Goal\n\n#x\nnow: x\n",
            "\"now\":x\n# Goal\n",
            "'resolved_questions': x\n# Goal\n",
            "# Notes\ntext\nnow: x",
            "# Notes\ntext\n```\nnow: x\n```",
            "```\n# Goal\n```\n",
            "text\n~~~\n# Goal\n",
            "- ```\n# Goal\n",
        ] {
            assert!(!is_markdown(yaml, &schema), "{yaml:?}");
        }
    }

    #[test]
    fn items_go_on_until_a_blank_line() {
        let body = "## This Session ##\nprose\n- [x] one\n  more\nand more\n\nprose\n* [ ] two\n+  three \n-none\n- \n  late\n# Notes\n- not this\n## this_session\n- four";
        let blocks = blocks(body, 7, &Schema::default());
        let read: Vec<_> = blocks.iter().flat_map(|block| items(&block.lines)).collect();
        let expected = [(9, "one more and more"), (14, "two"), (15, "three -none"), (17, "late"), (22, "four")];
        assert_eq!(read, expected.map(|(line, text)| (line, text.to_owned())));
        let prose = super::blocks("## Now\n\n a \n\n b\n", 1, &Schema::default());
        assert_eq!(paragraph(&prose[0].lines), "a b");
    }

    #[test]
    fn lines_in_a_fence_are_prose() {
        let read = |body: &str| -> Vec<String> {
            let body = format!("## This Session\n{body}");
            let blocks = blocks(&body, 1, &Schema::default());
            blocks.iter().flat_map(|block| items(&block.lines)).map(|(_, text)| text).collect()
        };
        for (body, expected) in [
            ("- a\n```\n- b\n# c\n```\n- d", ["a", "d"].as_slice()),
            ("- a\n```\nb\n```\nc", &["a"]),
            ("   ~~~ sh `x`\n- b\n~~~\n- c", &["c"]),
            ("    ```\n- b", &["b"]),
            ("\t```\n- b", &["b"]),
            ("``\n- b", &["b"]),
            ("``` a`b\n- c", &["c"]),
            ("```` \n- b\n```\n- c\n````` \u{a0}\n- d", &["d"]),
            ("```\n- b\n``` x\n- c\n   ```\n- d", &["d"]),
            ("```\n- b\n    ```\n- c", &[]),
            ("```\n- b\n~~~\n- c\n```\n- d", &["d"]),
            ("- a\n- ```\n  b\n\t    ```\n- c", &["a", "c"]),
            ("* \t~~~\n- b\n ~~~\n- c", &["c"]),
            ("-\t```\n- b", &["b"]),
            (" - ```\n- b", &["b"]),
            ("- [ ] ```\n- b", &["```", "b"]),
            ("- a ```\n- b", &["a ```", "b"]),
            ("```\n## Now\n", &[]),
        ] {
            assert_eq!(read(body), expected, "{body:?}");
        }
        let now = blocks("## Now\na\n```\nb\n```\n~~~\n~~~ \nc\n```\n# Goal\nx", 1, &Schema::default());
        assert_eq!((now.len(), paragraph(&now[0].lines)), (1, "a c".to_owned()));
    }

    #[test]
    fn a_thematic_break_is_a_blank_line() {
        for (line, parts) in [
            ("---", true),
            ("   * * *\t", true),
            ("_ _\t_", true),
            ("- - -", true),
            ("--", false),
            ("--*", false),
            ("--- x", false),
            ("    ---", false),
            ("\t---", false),
            ("===", false),
            ("---\u{a0}", false),
        ] {
            let body = format!("## Now\na\n{line}\n## This Session\n- a\n{line}\nb");
            let blocks = blocks(&body, 1, &Schema::default());
            let (now, items) = (paragraph(&blocks[0].lines), items(&blocks[1].lines));
            let joined = format!("a {}", line.trim());
            assert_eq!(now, if parts { "a" } else { joined.as_str() }, "{line:?}");
            assert_eq!(items[0].1, if parts { "a".to_owned() } else { format!("{joined} b") }, "{line:?}");
        }
    }

    #[test]
    fn entries_of_a_map() {
        for (item, key, value) in [
            ("**a:** b", "a", "b"),
            ("**a**: b: c", "a", "b: c"),
            ("**a**", "a", ""),
            ("**a:**", "a", ""),
            ("**a**:", "a", ""),
            ("**a:**b", "**a:**b", ""),
            ("**a** b: c", "**a** b", "c"),
            ("****: b", "****", "b"),
            ("a: b: c", "a", "b: c"),
            ("a:b", "a:b", ""),
            ("a:", "a", ""),
            ("a: b:", "a", "b:"),
            ("a::", "a:", ""),
            (":", "", ""),
            ("**a** b:", "**a** b", ""),
        ] {
            assert_eq!(split_entry(item), (key, value), "{item}");
        }
    }
}
