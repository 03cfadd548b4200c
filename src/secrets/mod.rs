//! Secrets in texts: where they are, and the text without them. Pure; `docs/secrets.md` tells users how far it goes.
//!
//! One table of rules. A text is searched for all their keywords at once, and then for the patterns of the rules
//! whose keywords are there; both take linear time.

mod assigned;
mod rule;
mod shapes;
mod value;
mod vendors;
mod words;

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;
use rule::Rule;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

/// What stands where a secret was.
pub const MASK: &str = "[masked]";

/// How many passes there are at most; two are the rule.
const PASSES: usize = 16;

/// How sure it is that a text is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Its name or its form says so, and something else may look the same.
    Likely,
    /// It has a service's form, or a form that only credentials have.
    Certain,
}

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its place, in bytes.
    pub range: Range<usize>,
    /// The stable name of the rule that found it.
    pub rule: &'static str,
    /// How sure that is.
    pub certainty: Certainty,
}

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked<'a> {
    /// The text, with [`MASK`] for each secret.
    pub text: Cow<'a, str>,
    /// The rules that found them, each once.
    pub rules: BTreeSet<&'static str>,
}

/// The rules with their keywords and patterns, ready to run.
struct Table {
    /// Finds keywords; `None` if it cannot be built, and then every rule runs.
    keywords: Option<AhoCorasick>,
    /// The rule of each keyword.
    owners: Vec<usize>,
    /// The pattern of each rule, compiled when it is needed first.
    patterns: Vec<OnceLock<Option<Regex>>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let keywords =
        rules_in_order().enumerate().flat_map(|(at, rule)| rule.keywords.iter().map(move |word| (at, *word)));
    let (owners, words): (Vec<usize>, Vec<&str>) = keywords.unzip();
    let keywords = AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok();
    Table { keywords, owners, patterns: rules_in_order().map(|_| OnceLock::new()).collect() }
});

fn rules_in_order() -> impl Iterator<Item = &'static Rule> {
    shapes::SHAPES.iter().chain(vendors::VENDORS).chain(shapes::LAST)
}

/// The names of all rules, and how sure each is.
pub fn rules() -> impl Iterator<Item = (&'static str, Certainty)> {
    rules_in_order().map(|rule| (rule.name, rule.certainty))
}

/// The secrets in a text that are at least so certain, in order, without overlaps.
#[must_use]
pub fn find(text: &str, least: Certainty) -> Vec<Finding> {
    let mut found = Vec::new();
    let present = present(text);
    for (at, rule) in rules_in_order().enumerate() {
        let is_present = rule.keywords.is_empty() || present.get(at).copied().unwrap_or(true);
        if rule.certainty < least || !is_present {
            continue;
        }
        let pattern = TABLE.patterns.get(at).and_then(|pattern| pattern.get_or_init(|| rule.compile()).as_ref());
        let Some(pattern) = pattern else { continue };
        let mut ranges = Vec::new();
        rule.find(pattern, text, &mut ranges);
        found.extend(ranges.into_iter().map(|range| Finding { range, rule: rule.name, certainty: rule.certainty }));
    }
    found.retain(|finding| text.get(finding.range.clone()).is_some_and(|it| !it.is_empty() && !it.contains(MASK)));
    // Where a rule knows what a chance run is, it knows where that ends.
    let known: Vec<Range<usize>> =
        found.iter().filter(|it| it.rule != shapes::RANDOM).map(|it| it.range.clone()).collect();
    let known = merged(known);
    found.retain(|finding| finding.rule != shapes::RANDOM || !overlaps(&known, &finding.range));
    joined(found)
}

/// Which rules have a keyword in a text.
fn present(text: &str) -> Vec<bool> {
    let mut present = vec![TABLE.keywords.is_none(); TABLE.patterns.len()];
    for hit in TABLE.keywords.iter().flat_map(|keywords| keywords.find_overlapping_iter(text)) {
        let owner = TABLE.owners.get(hit.pattern().as_usize());
        if let Some(flag) = owner.and_then(|owner| present.get_mut(*owner)) {
            *flag = true;
        }
    }
    present
}

/// Ranges in order, those that overlap as one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for next in ranges {
        match merged.last_mut().filter(|last| next.start < last.end) {
            Some(last) => last.end = last.end.max(next.end),
            None => merged.push(next),
        }
    }
    merged
}

/// Whether a range overlaps one of these, which are in order.
fn overlaps(ranges: &[Range<usize>], range: &Range<usize>) -> bool {
    let at = ranges.partition_point(|known| known.end <= range.start);
    ranges.get(at).is_some_and(|known| known.start < range.end)
}

/// Joins what overlaps; the most certain rule, then the first in the text, gives its name.
fn joined(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by(|a, b| (a.range.start, b.certainty, b.range.end).cmp(&(b.range.start, a.certainty, a.range.end)));
    let mut joined: Vec<Finding> = Vec::with_capacity(found.len());
    for next in found {
        match joined.last_mut().filter(|last| next.range.start < last.range.end) {
            Some(last) => {
                last.range.end = last.range.end.max(next.range.end);
                if next.certainty > last.certainty {
                    (last.rule, last.certainty) = (next.rule, next.certainty);
                }
            }
            None => joined.push(next),
        }
    }
    joined
}

/// Replaces what is, or looks like, a secret by [`MASK`]: for texts that a tool captured.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    mask_at_least(text, Certainty::Likely).text
}

/// Replaces secrets that are at least so certain by [`MASK`].
#[must_use]
pub fn mask_at_least(text: &str, least: Certainty) -> Masked<'_> {
    let mut masked = Masked { text: Cow::Borrowed(text), rules: BTreeSet::new() };
    // What a secret leaves beside it may look like one by itself.
    for _ in 0..PASSES {
        let found = find(&masked.text, least);
        if found.is_empty() {
            break;
        }
        masked.rules.extend(found.iter().map(|finding| finding.rule));
        masked.text = Cow::Owned(without(&masked.text, &found));
    }
    masked
}

fn without(text: &str, found: &[Finding]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut kept = 0;
    for finding in found {
        masked.push_str(text.get(kept..finding.range.start).unwrap_or_default());
        masked.push_str(MASK);
        kept = finding.range.end;
    }
    masked.push_str(text.get(kept..).unwrap_or_default());
    masked
}

#[cfg(test)]
mod tests;
