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
    format: Pattern,
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
        let name = |number| {
            let path = files.render(scope, number, slug);
            path.rsplit_once('/').map_or(path.clone(), |(_, name)| name.to_owned())
        };
        Some(Self {
            old_id: namespace.format.render(scope, old, ""),
            new_id: namespace.format.render(scope, new, ""),
            old_name: name(old),
            new_name: name(new),
            slug: slug.to_owned(),
            format: namespace.format.clone(),
        })
    }

    /// The name without its ending, as citations write it.
    fn stem(name: &str) -> &str {
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// Rewrites what points to the slug: names, `ID-slug`, and the id in the label of a link to the file.
    /// In the file's `own` text also the id in its headings. Bare ids elsewhere stay: they may mean the
    /// file that keeps the number.
    #[must_use]
    pub fn rewrite(&self, text: &str, own: bool) -> Rewritten {
        let mut done = Rewritten::default();
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            done.disagreements.extend(self.disagreements(line).into_iter().map(|what| (number, what)));
            let mut changed = self.rewrite_labels(line, &mut done.changes);
            if own && line.starts_with('#') {
                changed = self.replace_ids(&changed, &mut done.changes);
            }
            let cited = (format!("{}-{}", self.old_id, self.slug), format!("{}-{}", self.new_id, self.slug));
            changed = replace_words(&changed, &cited.0, &cited.1, &mut done.changes);
            changed =
                replace_words(&changed, Self::stem(&self.old_name), Self::stem(&self.new_name), &mut done.changes);
            done.text.push_str(&changed);
        }
        done
    }

    /// Puts the new id into the labels of links `[…](…0607-seek.md…)`.
    fn rewrite_labels(&self, line: &str, changes: &mut usize) -> String {
        let mut out = String::new();
        let mut rest = line;
        while let Some(Link { label, target }) = next_link(rest) {
            let end = target.end;
            let points = has_word(rest.get(target).unwrap_or_default(), Self::stem(&self.old_name));
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
    fn disagreements(&self, line: &str) -> Vec<String> {
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
            if digits > 2 && !goes_on && !inside && number != old && number != new {
                found.push(format!("{number}{tail}"));
            }
        }
        let mut rest = line;
        while let Some(Link { label, target }) = next_link(rest) {
            let end = target.end;
            let points = has_word(rest.get(target).unwrap_or_default(), Self::stem(&self.old_name));
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
pub(super) fn has_word(text: &str, word: &str) -> bool {
    !word_places(text, word).is_empty()
}

fn replace_words(text: &str, old: &str, new: &str, changes: &mut usize) -> String {
    let mut out = String::new();
    let mut from = 0;
    for at in word_places(text, old) {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(new);
        from = at + old.len();
        *changes += 1;
    }
    out + text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Renumbering;
    use crate::config::Config;
    use crate::config::pattern::Scope;
    use proptest::prelude::*;

    fn renumbering() -> Renumbering {
        let text = "ids:\n  ADR: {format: \"ADR-{n:04}\", files: \"docs/adr/{n:04}-{slug}.md\"}\n";
        let namespace = Config::parse(text).unwrap().ids.remove("ADR").unwrap();
        Renumbering::new(&namespace, &Scope::default(), 607, 612, "seek").unwrap()
    }

    #[test]
    fn what_points_to_the_slug_and_nothing_else() {
        let text = "See [ADR-0607](adr/0607-seek.md#x), [ADR-0607](0607-other.md), ADR-0607, `0607-seek`, ADR-0607-seek,\n0607-seeker, x0607-seek, ADR-0607-other. [a](b) [ADR-0607: Seek](0607-seek.md)\n";
        let done = renumbering().rewrite(text, false);
        assert_eq!(
            done.text,
            "See [ADR-0612](adr/0612-seek.md#x), [ADR-0607](0607-other.md), ADR-0607, `0612-seek`, ADR-0612-seek,\n0607-seeker, x0607-seek, ADR-0607-other. [a](b) [ADR-0612: Seek](0612-seek.md)\n"
        );
        assert_eq!((done.changes, done.disagreements.len()), (6, 0));
        let own = renumbering().rewrite("# ADR-0607: Seek\n\nNot ADR-0607-other, nor ADR-0607.\n", true);
        assert_eq!(own.text, "# ADR-0612: Seek\n\nNot ADR-0607-other, nor ADR-0607.\n");
    }

    #[test]
    fn where_number_and_slug_disagree() {
        let said = |text: &str| renumbering().rewrite(text, false).disagreements;
        assert_eq!(said("a\nsee 0601-seek.md\n"), [(2, "0601-seek".to_owned())]);
        assert_eq!(said("[ADR-0601](0607-seek.md)\n"), [(1, "[ADR-0601](0607-seek.md)".to_owned())]);
        assert!(said("0607-seek 0612-seek [ADR-0601](0601-x.md) 12-seek 0601-seek-more hide-and-seek\n").is_empty());
    }

    proptest! {
        #[test]
        fn a_second_run_changes_nothing(text in "(ADR-0607|0607|-seek|seek|\\[|\\]|\\(|\\)|#| |\n|\\.md|x){0,30}") {
            let once = renumbering().rewrite(&text, true).text;
            prop_assert_eq!(&renumbering().rewrite(&once, true).text, &once);
        }
    }
}
