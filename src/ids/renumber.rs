//! Renumbering: what changes in a text when a file gets another number. Pure.

use crate::config::Namespace;
use crate::config::pattern::{Pattern, Scope};
use std::ops::Range;

/// A file that gets another number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renumbering {
    /// The id as it is.
    pub old_id: String,
    /// The id as it will be.
    pub new_id: String,
    /// The name of the file as it is, such as `0607-seek.md`.
    pub old_name: String,
    /// The name as it will be.
    pub new_name: String,
    /// The slug.
    pub slug: String,
    /// The folder of the file, from the top of the work tree.
    folder: String,
    format: Pattern,
}

/// A text that may point to the file.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Its path from the top of the work tree.
    pub path: &'a str,
    /// Whether it is the file that gets another number.
    pub own: bool,
    /// Whether there is a file at a path from the top of the work tree.
    pub exists: &'a dyn Fn(&str) -> bool,
}

impl std::fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("path", &self.path).field("own", &self.own).finish_non_exhaustive()
    }
}

/// What a text comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// The text as it will be.
    pub text: String,
    /// How many places changed.
    pub changes: usize,
    /// Places where number and slug disagree: line and what stands there. One is enough to refuse.
    pub disagreements: Vec<(usize, String)>,
}

impl Renumbering {
    /// Describes what happens to the file with this number and slug; `None` where its namespace has no files.
    #[must_use]
    pub fn new(namespace: &Namespace, scope: &Scope, old: u64, new: u64, slug: &str) -> Option<Self> {
        let files = namespace.files.as_ref()?;
        let split = |number| {
            let path = files.render(scope, number, slug);
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            (folder.to_owned(), name.to_owned())
        };
        let (folder, old_name) = split(old);
        Some(Self {
            old_id: namespace.format.render(scope, old, ""),
            new_id: namespace.format.render(scope, new, ""),
            old_name,
            new_name: split(new).1,
            slug: slug.to_owned(),
            folder,
            format: namespace.format.clone(),
        })
    }

    /// The name without its ending, as citations write it.
    fn stem(name: &str) -> &str {
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// Rewrites what points to the file: its name, alone or with the folders that lead to it, its name without
    /// the ending, `ID-slug`, and the id in the label of a link to it. In the file's own text also the id in its
    /// headings. Addresses (`https://…`), files beside it, and other files of that name stay, and so do bare ids
    /// elsewhere: they may mean the file that keeps the number.
    #[must_use]
    pub fn rewrite(&self, text: &str, reader: Reader<'_>) -> Rewritten {
        let mut done = Rewritten::default();
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let said = self.disagreements(line, reader);
            done.disagreements.extend(said.into_iter().map(|what| (number, what)));
            let mut changed = self.rewrite_labels(line, reader, &mut done.changes);
            if reader.own && line.starts_with('#') {
                changed = self.replace_ids(&changed, &mut done.changes);
            }
            let cited = (format!("{}-{}", self.old_id, self.slug), format!("{}-{}", self.new_id, self.slug));
            changed = replace_words(&changed, &cited.0, &cited.1, &mut done.changes, |text, at| !in_address(text, at));
            let (old, new) = (Self::stem(&self.old_name), Self::stem(&self.new_name));
            changed = replace_words(&changed, old, new, &mut done.changes, |text, at| self.is_meant(text, at, reader));
            done.text.push_str(&changed);
        }
        done
    }

    /// Whether the file's name without its ending, which stands at a place of a line, means the file.
    fn is_meant(&self, line: &str, at: usize, reader: Reader<'_>) -> bool {
        if in_address(line, at) {
            return false;
        }
        let stem = Self::stem(&self.old_name);
        let (before, after) = (line.get(..at).unwrap_or_default(), line.get(at + stem.len()..).unwrap_or_default());
        let folders = before.get(before.rfind(|c| !in_path(c)).map_or(0, |end| end + 1)..);
        let folders = folders.unwrap_or_default().trim_end_matches('/');
        let ending = self.old_name.get(stem.len()..).unwrap_or_default();
        // A sentence may end there.
        let ends = |rest: &str| !rest.trim_start_matches('.').starts_with(in_path);
        let is_whole = !ending.is_empty() && after.strip_prefix(ending).is_some_and(ends);
        // `0607-seek.png`, `0607-seek/…` and `0607-seek.md.orig` are others; `See 0607-seek.` is a citation.
        let mut rest = after.trim_start_matches('.').chars();
        let is_bare =
            !after.starts_with('/') && (!after.starts_with('.') || !rest.next().is_some_and(char::is_alphanumeric));
        if !is_whole && !is_bare {
            return false;
        }
        if is_whole {
            let from = reader.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let target = resolved(if folders.starts_with('/') { "" } else { from }, folders, &self.old_name);
            let own = resolved("", &self.folder, &self.old_name);
            if target.is_some() && target == own {
                return true;
            }
            if target.is_some_and(|path| (reader.exists)(&path)) {
                return false;
            }
        }
        // From the top, or from a folder above it: `adr/0607-seek` is in `docs/adr`.
        let named: Vec<&str> = folders.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
        let own: Vec<&str> = self.folder.split('/').filter(|part| !part.is_empty()).collect();
        own.ends_with(&named)
    }

    /// Whether the target of a link means the file.
    fn points(&self, target: &str, reader: Reader<'_>) -> bool {
        let places = word_places(target, Self::stem(&self.old_name));
        places.iter().any(|at| self.is_meant(target, *at, reader))
    }

    /// Puts the new id into the labels of links `[…](…0607-seek.md…)`.
    fn rewrite_labels(&self, line: &str, reader: Reader<'_>, changes: &mut usize) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some(Link { label, target }) = next_link(rest) {
            let end = target.end;
            let points = self.points(rest.get(target).unwrap_or_default(), reader);
            out.push_str(rest.get(..label.start).unwrap_or_default());
            let inner = rest.get(label.clone()).unwrap_or_default();
            out.push_str(&if points { self.replace_ids(inner, changes) } else { inner.to_owned() });
            out.push_str(rest.get(label.end..end).unwrap_or_default());
            rest = rest.get(end..).unwrap_or_default();
        }
        out + rest
    }

    fn replace_ids(&self, text: &str, changes: &mut usize) -> String {
        let mut out = String::new();
        let mut from = 0;
        for mention in self.format.mentions(text) {
            let after = text.get(mention.end..).and_then(|rest| rest.chars().next());
            let is_it = text.get(mention.start..mention.end) == Some(self.old_id.as_str());
            // `ADR-0607-other` is the other one's.
            if is_it && !after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
                out.push_str(text.get(from..mention.start).unwrap_or_default());
                out.push_str(&self.new_id);
                from = mention.end;
                *changes += 1;
            }
        }
        out + text.get(from..).unwrap_or_default()
    }

    /// Names of the slug with another number, and links to the file under another id.
    fn disagreements(&self, line: &str, reader: Reader<'_>) -> Vec<String> {
        let mut found = Vec::new();
        let tail = format!("-{}", self.slug);
        let (old, new) = (digits_before(&self.old_name), digits_before(&self.new_name));
        for (at, _) in line.match_indices(&tail) {
            let after = line.get(at + tail.len()..).and_then(|rest| rest.chars().next());
            let before = line.get(..at).unwrap_or_default();
            let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let number = before.get(before.len() - digits..).unwrap_or_default();
            let inside = before
                .get(..before.len() - digits)
                .and_then(|rest| rest.chars().next_back())
                .is_some_and(char::is_alphanumeric);
            let goes_on = after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
            if digits > 2 && !goes_on && !inside && number != old && number != new && !in_address(line, at) {
                found.push(format!("{number}{tail}"));
            }
        }
        let mut rest = line;
        while let Some(Link { label, target }) = next_link(rest) {
            let end = target.end;
            let points = self.points(rest.get(target).unwrap_or_default(), reader);
            let text = rest.get(label).unwrap_or_default();
            for mention in self.format.mentions(text).iter().filter(|_| points) {
                let said = text.get(mention.start..mention.end).unwrap_or_default();
                if said != self.old_id && said != self.new_id {
                    found.push(format!("[{said}]({})", self.old_name));
                }
            }
            rest = rest.get(end..).unwrap_or_default();
        }
        found
    }
}

fn digits_before(name: &str) -> &str {
    let start = name.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
    let rest = name.get(start..).unwrap_or_default();
    rest.get(..rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len()).unwrap_or_default()
}

/// A link `[label](target)`: where its label and its target stand in a line.
struct Link {
    label: Range<usize>,
    target: Range<usize>,
}

/// The next link of a line.
fn next_link(line: &str) -> Option<Link> {
    let middle = line.find("](")?;
    let start = line.get(..middle)?.rfind('[').map_or(middle, |open| open + 1);
    let length = line.get(middle + 2..)?.find(')').unwrap_or(0);
    Some(Link { label: start..middle, target: middle + 2..middle + 2 + length })
}

/// Whether a character before or after a name makes it part of a longer one.
fn goes_on(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

fn word_places(text: &str, word: &str) -> Vec<usize> {
    let is_word = |at: &usize| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !goes_on(before) && !goes_on(after)
    };
    text.match_indices(word).map(|(at, _)| at).filter(is_word).collect()
}

/// Whether a text has a name that is no part of a longer one.
#[must_use]
pub fn has_word(text: &str, word: &str) -> bool {
    !word_places(text, word).is_empty()
}

/// Whether a character can stand in a path as texts write it.
fn in_path(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '~' | '%' | '+' | '@')
}

/// Whether a place of a line is inside an address such as `https://…`.
fn in_address(line: &str, at: usize) -> bool {
    let before = line.get(..at).unwrap_or_default();
    let word =
        before.rfind(|c: char| c.is_whitespace() || matches!(c, '(' | '<' | '"' | '\'' | '`')).map_or(0, |end| end + 1);
    before.get(word..).unwrap_or_default().contains("://")
}

/// A path from the top of the work tree: a folder, a path from there, and a name; none if it leads out.
fn resolved(from: &str, path: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(path.split('/')).chain([name]) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn replace_words(
    text: &str,
    old: &str,
    new: &str,
    changes: &mut usize,
    is_meant: impl Fn(&str, usize) -> bool,
) -> String {
    let mut out = String::new();
    let mut from = 0;
    for at in word_places(text, old).into_iter().filter(|at| is_meant(text, *at)) {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(new);
        from = at + old.len();
        *changes += 1;
    }
    out + text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Reader, Renumbering, Rewritten};
    use crate::config::Config;
    use crate::config::pattern::Scope;
    use proptest::prelude::*;

    fn renumbering() -> Renumbering {
        let text = "ids:\n  ADR: {format: \"ADR-{n:04}\", files: \"docs/adr/{n:04}-{slug}.md\"}\n";
        let namespace = Config::parse(text).unwrap().ids.remove("ADR").unwrap();
        Renumbering::new(&namespace, &Scope::default(), 607, 612, "seek").unwrap()
    }

    fn rewrite(text: &str, own: bool) -> Rewritten {
        let exists = |path: &str| path == "docs/rfc/0607-seek.md";
        renumbering().rewrite(text, Reader { path: "docs/README.md", own, exists: &exists })
    }

    #[test]
    fn what_only_looks_like_it_stays() {
        for text in [
            "![](0607-seek.png) [a](adr/0607-seek/diagram.svg) 0607-seek.markdown adr/0607-seek.md~ 0607-seek.md.orig\n",
            "[RFC](rfc/0607-seek.md) and docs/rfc/0607-seek.md, ../docs/rfc/0607-seek.md\n",
            "https://example.org/adr/0607-seek.md <https://example.org/o/blob/main/docs/adr/0607-seek.md#x> ADR-0607 x://ADR-0607-seek\n",
            "the branch feature/0607-seek, other/adr/0607-seek.md\n",
        ] {
            let done = rewrite(text, false);
            assert_eq!((done.text.as_str(), done.changes), (text, 0));
        }
        let text = "adr/0607-seek.md ./adr/0607-seek.md /docs/adr/0607-seek.md docs/adr/0607-seek.md ../adr/0607-seek.md `adr/0607-seek`. 0607-seek.md? 0607-seek. (0607-seek.md) 0607-seek.md. 0607-seek.md…\n";
        assert_eq!(rewrite(text, false).text, text.replace("0607", "0612"));
    }

    #[test]
    fn what_points_to_the_slug_and_nothing_else() {
        let text = "See [ADR-0607](adr/0607-seek.md#x), [ADR-0607](0607-other.md), ADR-0607, `0607-seek`, ADR-0607-seek,\n0607-seeker, x0607-seek, ADR-0607-other. [a](b) [ADR-0607: Seek](0607-seek.md)\n";
        let done = rewrite(text, false);
        assert_eq!(
            done.text,
            "See [ADR-0612](adr/0612-seek.md#x), [ADR-0607](0607-other.md), ADR-0607, `0612-seek`, ADR-0612-seek,\n0607-seeker, x0607-seek, ADR-0607-other. [a](b) [ADR-0612: Seek](0612-seek.md)\n"
        );
        assert_eq!((done.changes, done.disagreements.len()), (6, 0));
        let own = rewrite("# ADR-0607: Seek\n\nNot ADR-0607-other, nor ADR-0607.\n", true);
        assert_eq!(own.text, "# ADR-0612: Seek\n\nNot ADR-0607-other, nor ADR-0607.\n");
    }

    #[test]
    fn where_number_and_slug_disagree() {
        let said = |text: &str| rewrite(text, false).disagreements;
        assert_eq!(said("a\nsee 0601-seek.md\n"), [(2, "0601-seek".to_owned())]);
        assert_eq!(said("[ADR-0601](0607-seek.md)\n"), [(1, "[ADR-0601](0607-seek.md)".to_owned())]);
        assert!(said("0607-seek 0612-seek [ADR-0601](0601-x.md) 12-seek 0601-seek-more hide-and-seek\n").is_empty());
    }

    proptest! {
        #[test]
        fn a_second_run_changes_nothing(text in "(ADR-0607|0607|-seek|seek|\\[|\\]|\\(|\\)|#| |\n|\\.md|x){0,30}") {
            let once = rewrite(&text, true).text;
            prop_assert_eq!(&rewrite(&once, true).text, &once);
        }
    }
}
