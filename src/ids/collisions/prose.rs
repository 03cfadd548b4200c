//! The prose of a ledger page: read byte for byte, and put back. Pure.
//!
//! A page is regions and prose. A region begins and ends with a line that is its marker and nothing else; every
//! other byte of the page is prose, and belongs to the region that it stands below.
//!
//! # Invariant
//! No byte of prose is changed, moved against another one of the same entry, or dropped. What can be read in two
//! ways (a marker without its partner, one inside a code fence) is a [`PageFault`], and nothing is read.

use super::record::Record;
use crate::ids::reserve::digest;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

const BEGIN: &str = "<!-- headwater:anchor ";
const END: &str = "<!-- headwater:end ";
const CLOSE: &str = " -->";
const BOM: char = '\u{feff}';

/// The key of what stands above all regions.
pub(super) const ABOVE: &str = "";

/// The prose of a page, and how the page is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prose {
    /// By the key of the region that it stands below; never empty.
    pub(super) texts: BTreeMap<String, String>,
    /// The keys of regions that somebody wrote into: what was written stands below them now.
    pub edited: Vec<String>,
    has_bom: bool,
    is_crlf: bool,
}

/// Why a page cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub fault: String,
}

/// A line that is a marker.
enum Marker<'a> {
    Begin(&'a str, &'a str),
    End(&'a str),
}

impl<'a> Marker<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let line = line.trim_end();
        let within = |open: &str| line.strip_prefix(open)?.strip_suffix(CLOSE);
        if let Some((key, hash)) = within(BEGIN).and_then(|within| within.split_once(' ')) {
            return Some(Self::Begin(key, hash));
        }
        within(END).map(Self::End)
    }
}

/// A region that is being read.
struct Region<'a> {
    key: &'a str,
    hash: &'a str,
    line: usize,
    inside: Vec<&'a str>,
}

/// The key of prose that belongs to another one than its region says, by that one, its lines and their hash.
type Moved<'a> = dyn Fn(&str, &[&str], &str) -> Option<String> + 'a;

/// A code fence that is open: where, of which character, how long.
type Fence = Option<(usize, char, usize)>;

/// The fence after this line: <https://spec.commonmark.org/0.31.2/#fenced-code-blocks>.
fn after(fence: Fence, line: &str, number: usize) -> Fence {
    let content = line.trim_start_matches(' ');
    let Some(mark) = content.chars().next().filter(|c| matches!(c, '`' | '~')) else { return fence };
    let rest = content.trim_start_matches(mark);
    let length = content.len() - rest.len();
    if length < 3 || line.len() - content.len() > 3 {
        return fence;
    }
    match fence {
        Some((_, open, least)) if mark == open && length >= least && rest.trim().is_empty() => None,
        None if mark == '~' || !rest.contains('`') => Some((number, mark, length)),
        _ => fence,
    }
}

impl Prose {
    /// Reads the prose of a page; `generated` gives what the region of an entry would hold now, and `moved` where
    /// its prose belongs.
    ///
    /// # Errors
    /// The markers do not stand in pairs, or a code fence is open where a region begins.
    pub(super) fn read(
        text: &str,
        generated: &dyn Fn(&str) -> Option<String>,
        moved: &Moved<'_>,
    ) -> Result<Self, PageFault> {
        let mut prose = Self::default();
        let body = text.strip_prefix(BOM);
        (prose.has_bom, prose.is_crlf) = (body.is_some(), first_end_is_crlf(text));
        let mut key = Cow::Borrowed(ABOVE);
        let (mut open, mut fence): (Option<Region<'_>>, Fence) = (None, None);
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (number, line) in (1..).zip(body.unwrap_or(text).split_inclusive('\n')) {
            let fault = |fault: String| Err(PageFault { line: number, fault });
            match (Marker::of(line), &mut open) {
                (None, Some(region)) => region.inside.push(line),
                (None, None) => {
                    fence = after(fence, line, number);
                    prose.push(&key, line);
                }
                (Some(Marker::End(end)), Some(region)) if end == region.key => {
                    let other = moved(region.key, &region.inside, region.hash);
                    key = other.map_or(Cow::Borrowed(region.key), Cow::Owned);
                    prose.close(region, &key, generated)?;
                    open = None;
                }
                (Some(_), Some(Region { key, line, .. })) => {
                    return fault(format!(
                        "a marker within the region of {key}, which begins in line {line} and has no end before this; put `{END}{key}{CLOSE}` where it ends, or take line {line} out"
                    ));
                }
                (Some(_), None) if fence.is_some() => {
                    let opened = fence.map_or(number, |(opened, ..)| opened);
                    return fault(format!(
                        "a marker inside the code fence that line {opened} opens; close the fence before it, or indent the marker if it is an example"
                    ));
                }
                (Some(Marker::End(end)), None) => {
                    return fault(format!(
                        "the end of a region of {end} that does not begin; take the line out, or indent it if it is an example"
                    ));
                }
                (Some(Marker::Begin(begin, hash)), None) => {
                    if let Some(first) = seen.insert(begin, number) {
                        return fault(format!(
                            "the region of {begin} begins here, and in line {first} too; take one of the two out, with its end"
                        ));
                    }
                    open = Some(Region { key: begin, hash, line: number, inside: Vec::new() });
                }
            }
        }
        if let Some(Region { key, line, .. }) = open {
            let fault =
                format!("the region of {key} begins here and does not end; put `{END}{key}{CLOSE}` where it ends");
            return Err(PageFault { line, fault });
        }
        closed(fence)?;
        Ok(prose)
    }

    fn push(&mut self, key: &str, text: &str) {
        self.texts.entry(key.to_owned()).or_default().push_str(text);
    }

    /// Keeps what somebody wrote into a region: the lines beside the generated ones, or all lines where it is
    /// not known any more what was generated.
    fn close(
        &mut self,
        region: &Region<'_>,
        key: &str,
        generated: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), PageFault> {
        let plain: Vec<String> = region.inside.iter().map(|line| line.replace("\r\n", "\n")).collect();
        if short(&plain.concat()) == region.hash {
            return Ok(());
        }
        let known = generated(region.key).filter(|text| short(text) == region.hash).unwrap_or_default();
        let known: Vec<&str> = known.split_inclusive('\n').collect();
        let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
        let mut fence = None;
        let mut is_edited = false;
        for op in capture_diff_slices(Algorithm::Myers, &known, &plain) {
            let (DiffOp::Insert { new_index, new_len, .. } | DiffOp::Replace { new_index, new_len, .. }) = op else {
                continue;
            };
            for line in region.inside.iter().skip(new_index).take(new_len) {
                fence = after(fence, line, region.line);
                self.push(key, line);
                is_edited = true;
            }
        }
        if is_edited {
            self.edited.push(region.key.to_owned());
        }
        closed(fence)
    }

    /// The texts as they are put back.
    pub(super) fn page(&self) -> Page {
        let (texts, eol) = (self.texts.clone(), if self.is_crlf { "\r\n" } else { "\n" });
        Page { text: if self.has_bom { BOM.to_string() } else { String::new() }, left: texts, eol }
    }

    /// The keys of prose that stands below no entry.
    #[must_use]
    pub fn homeless(&self, record: &Record) -> Vec<&str> {
        let entries = record.entries.iter();
        let keys = entries.flat_map(|entry| std::iter::once(&entry.key).chain(&entry.older_keys)).map(String::as_str);
        let keys: BTreeSet<&str> = keys.chain([ABOVE, super::page::HEAD]).collect();
        self.texts.keys().map(String::as_str).filter(|key| !keys.contains(key)).collect()
    }
}

/// A page that is being written.
pub(super) struct Page {
    pub(super) text: String,
    /// Prose that has no place yet.
    pub(super) left: BTreeMap<String, String>,
    eol: &'static str,
}

impl Page {
    pub(super) fn region(&mut self, key: &str, text: &str) {
        self.end_line();
        let region = format!("{BEGIN}{key} {}{CLOSE}\n{text}{END}{key}{CLOSE}\n", short(text));
        self.text.push_str(&region.replace('\n', self.eol));
    }

    /// Puts the prose of a key here.
    pub(super) fn prose(&mut self, key: &str) {
        if let Some(text) = self.left.remove(key) {
            self.end_line();
            self.text.push_str(&text);
        }
    }

    fn end_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') && self.text != BOM.to_string() {
            self.text.push_str(self.eol);
        }
    }
}

/// The ids of the regions that a page shows.
#[must_use]
pub fn keys(text: &str) -> Vec<&str> {
    let begins = |line| match Marker::of(line) {
        Some(Marker::Begin(key, _)) => Some(label_of(key)),
        Some(Marker::End(_)) | None => None,
    };
    text.lines().filter_map(begins).collect()
}

/// The id that a key speaks of.
pub(super) fn label_of(key: &str) -> &str {
    key.split('~').next().unwrap_or(key)
}

/// The regions below would be part of a fence that is left open.
fn closed(fence: Fence) -> Result<(), PageFault> {
    let Some((line, ..)) = fence else { return Ok(()) };
    let fault =
        "a code fence is opened and not closed, so the entries below it would be part of it; close it".to_owned();
    Err(PageFault { line, fault })
}

fn first_end_is_crlf(text: &str) -> bool {
    text.split('\n').next().is_some_and(|line| line.ends_with('\r'))
}

/// The hash of a region's text.
pub(super) fn short(text: &str) -> String {
    digest(text).get(..12).unwrap_or_default().to_owned()
}
