//! What was seen of an issue, so that what is edited or deleted there is noticed, and no id that was
//! seen is given again.
//!
//! # Invariant
//! What a comment said when it was seen first stands in the journal before anything is built on it. The
//! journal only grows.

use super::block::Found;
use super::thread::{Blocks, Thread, is_trusted};
use crate::ids::IdsError;
use crate::store::{AppendFile, StoreError, make_folder, set_aside};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    /// A block, as it was seen.
    Seen {
        comment: u64,
        #[serde(flatten)]
        found: Found,
    },
    /// A block that was put into a comment later.
    Late {
        late: u64,
        #[serde(flatten)]
        found: Found,
    },
    /// All comments up to this one were looked at.
    Looked { up_to: u64 },
}

/// What was seen.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Journal {
    /// By comment: what it said first, and whatever else it said later.
    seen: BTreeMap<u64, Vec<Found>>,
    /// Blocks that were put into a comment later.
    late: BTreeMap<u64, Vec<Found>>,
    /// The highest comment that was looked at.
    up_to: u64,
    /// What was wrong with lines that cannot be read: what they said is learnt from the issue again.
    unread: Vec<String>,
}

/// What became of a comment since it was seen first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Divergence {
    /// The comment.
    pub comment: u64,
    /// What happened.
    pub kind: Change,
    /// What it said first; nothing if it held no block then.
    pub was: Option<Found>,
}

/// How a comment changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Its block says something else.
    Edited,
    /// It is gone, or holds no block any more.
    Deleted,
    /// A block was put into it later.
    Added,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Edited => "was edited",
            Self::Deleted => "was deleted",
            Self::Added => "became one later",
        })
    }
}

impl Journal {
    /// Reads the journal of an issue; an end that was never flushed counts as not written.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(path: &Path) -> Result<Self, IdsError> {
        match crate::store::read_text(path) {
            Ok(bytes) => Ok(bytes.map(|bytes| Self::read(&bytes)).unwrap_or_default()),
            Err(StoreError::WrongKind { .. }) => {
                Ok(Self { unread: vec!["it is no regular file".to_owned()], ..Self::default() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What is wrong with the journal, if something is.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.unread.first().map(String::as_str)
    }

    fn read(bytes: &[u8]) -> Self {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let mut journal = Self::default();
        let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
        for (number, line) in (1..).zip(lines).filter(|(_, line)| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(line) => journal.take(line),
                Err(error) => journal.unread.push(format!("line {number}: {error}")),
            }
        }
        journal
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Seen { comment, found } => {
                let seen = self.seen.entry(comment).or_default();
                if !seen.contains(&found) {
                    seen.push(found);
                }
            }
            Line::Late { late, found } => {
                let seen = self.late.entry(late).or_default();
                if !seen.contains(&found) {
                    seen.push(found);
                }
            }
            Line::Looked { up_to } => self.up_to = self.up_to.max(up_to),
        }
    }

    /// Whether a comment that was seen is not there now.
    #[must_use]
    pub fn misses(&self, blocks: &Blocks) -> bool {
        self.seen.keys().any(|comment| !blocks.contains_key(comment))
    }

    /// Writes down what is new in `blocks`, durably; `latest` is the highest comment of any kind.
    ///
    /// A block that turns up in a comment which had none never counts as what it said first.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn record(&mut self, path: &Path, blocks: &Blocks, latest: u64) -> Result<(), IdsError> {
        let before = self.clone();
        let mut lines = Vec::new();
        for (&comment, found) in blocks {
            // The comment of an unreadable line cannot be determined.
            let is_new = before.unread.is_empty() && !before.seen.contains_key(&comment);
            let is_late = comment <= before.up_to && is_new;
            let seen = if is_late { &before.late } else { &before.seen };
            if seen.get(&comment).is_none_or(|seen| !seen.contains(found)) {
                let found = found.clone();
                lines.push(if is_late { Line::Late { late: comment, found } } else { Line::Seen { comment, found } });
            }
        }
        if latest > before.up_to {
            lines.push(Line::Looked { up_to: latest });
        }
        if !self.unread.is_empty() {
            set_aside(path, &[""])?;
            self.unread.clear();
            lines = self.lines().chain(lines).collect();
        }
        if lines.is_empty() {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            make_folder(folder)?;
        }
        let mut file = AppendFile::open(path)?;
        let bytes = file.read_from(0)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        if whole < bytes.len() {
            file.cut(whole as u64)?;
        }
        let mut text = String::new();
        for line in lines {
            text.push_str(&serde_json::to_string(&line).unwrap_or_default());
            text.push('\n');
            self.take(line);
        }
        file.append_durably(text.as_bytes())?;
        Ok(())
    }

    /// The journal as lines.
    fn lines(&self) -> impl Iterator<Item = Line> {
        let seen = |(comment, found): (u64, &Found)| Line::Seen { comment, found: found.clone() };
        let late = |(late, found): (u64, &Found)| Line::Late { late, found: found.clone() };
        let all = |of: &BTreeMap<u64, Vec<Found>>| {
            let pairs = of.iter().flat_map(|(comment, all)| all.iter().map(|found| (*comment, found.clone())));
            pairs.collect::<Vec<_>>()
        };
        let seen: Vec<Line> = all(&self.seen).iter().map(|(comment, found)| seen((*comment, found))).collect();
        let late: Vec<Line> = all(&self.late).iter().map(|(comment, found)| late((*comment, found))).collect();
        seen.into_iter().chain(late).chain([Line::Looked { up_to: self.up_to }])
    }

    /// The blocks as they were seen first, those that were edited or deleted since included.
    #[must_use]
    pub fn first_seen(&self) -> Blocks {
        self.seen.iter().filter_map(|(comment, seen)| Some((*comment, seen.first()?.clone()))).collect()
    }

    /// Everything that was seen of a comment after it was published: blocks that may name other ids.
    pub fn later_versions(&self) -> impl Iterator<Item = (u64, &Found)> {
        let edited = self.seen.iter().flat_map(|(comment, seen)| seen.iter().skip(1).map(|found| (*comment, found)));
        edited.chain(self.late.iter().flat_map(|(comment, late)| late.iter().map(|found| (*comment, found))))
    }

    /// Comments that a repair settled as something else than what was seen here first: what that was, and what
    /// they say now.
    #[must_use]
    pub fn outvoted(&self, thread: &Thread, trusted: &[String]) -> Vec<(u64, Found, Option<Found>)> {
        let first = self.first_seen().into_iter().filter(|(_, was)| is_trusted(trusted, &was.author));
        let differs = |(comment, was): (u64, Found)| {
            let now = thread.says.get(&comment)?;
            let is_same = now.as_ref().is_some_and(|now| now.text == was.text);
            (!is_same).then(|| (comment, was, now.clone()))
        };
        first.filter_map(differs).collect()
    }

    /// What was edited, deleted or added in what was seen, unless a repair has settled it.
    #[must_use]
    pub fn divergences(&self, blocks: &Blocks, thread: &Thread, trusted: &[String]) -> Vec<Divergence> {
        let mut found = Vec::new();
        for (comment, was) in self.first_seen() {
            let kind = match blocks.get(&comment) {
                None => Change::Deleted,
                // Only the text is the comment's own; a login can be renamed.
                Some(now) if now.text != was.text => Change::Edited,
                Some(_) => continue,
            };
            if is_trusted(trusted, &was.author) && !thread.repaired.contains_key(&comment) {
                found.push(Divergence { comment, kind, was: Some(was) });
            }
        }
        for (&comment, now) in blocks.iter().filter(|(comment, _)| **comment <= self.up_to) {
            let added = !self.seen.contains_key(&comment);
            if added && is_trusted(trusted, &now.author) && !thread.repaired.contains_key(&comment) {
                found.push(Divergence { comment, kind: Change::Added, was: None });
            }
        }
        found.sort_by_key(|divergence| divergence.comment);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Journal};
    use crate::ids::github::block::Found;
    use crate::ids::github::thread::{Blocks, Thread};
    use crate::store::{read_text, replace_whole};

    fn blocks(list: &[(u64, &str)]) -> Blocks {
        let found = |text: &str| Found { author: "a".to_owned(), at: String::new(), text: text.to_owned() };
        list.iter().map(|(comment, text)| (*comment, found(text))).collect()
    }

    #[test]
    fn what_changes_after_it_was_seen_is_noticed_by_the_next_process() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("deep/seen.jsonl");
        let see = |now: &Blocks, latest: u64| {
            let mut journal = Journal::load(&path).unwrap();
            journal.record(&path, now, latest).unwrap();
            let thread = Thread::fold(now, &[]);
            journal.divergences(now, &thread, &[]).iter().map(|found| (found.comment, found.kind)).collect::<Vec<_>>()
        };
        let one = "kind: occ\nids: [\"#1\"]";
        assert_eq!(see(&blocks(&[(2, one), (4, "x")]), 9), []);
        assert_eq!(see(&blocks(&[(2, one), (4, "x"), (12, "y")]), 12), []);
        assert_eq!(
            see(&blocks(&[(2, "kind: occ\nids: [\"#2\"]"), (12, "y")]), 12),
            [(2, Change::Edited), (4, Change::Deleted)]
        );
        assert_eq!(see(&blocks(&[(2, one), (4, "x"), (7, "z"), (12, "y")]), 12), [(7, Change::Added)]);
        // It stays so, and the first words stay the first.
        assert_eq!(see(&blocks(&[(2, one), (4, "x"), (7, "z"), (12, "y")]), 12), [(7, Change::Added)]);
        let journal = Journal::load(&path).unwrap();
        assert_eq!(journal.first_seen(), blocks(&[(2, one), (4, "x"), (12, "y")]));
        assert_eq!(journal.later_versions().count(), 2);
    }

    #[test]
    fn a_torn_line_was_never_acknowledged() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("seen.jsonl");
        let mut journal = Journal::default();
        journal.record(&path, &blocks(&[(2, "x")]), 2).unwrap();
        let mut bytes = read_text(&path).unwrap().unwrap();
        bytes.extend(b"{\"comment\":3,\"au");
        replace_whole(&path, &bytes).unwrap();
        let mut journal = Journal::load(&path).unwrap();
        journal.record(&path, &blocks(&[(2, "x"), (5, "y")]), 5).unwrap();
        assert_eq!(Journal::load(&path).unwrap(), journal);
        assert_eq!(journal.first_seen().len(), 2);
        // A line that cannot be read is learnt from the issue again, and the file is kept under another name.
        let mut bytes = read_text(&path).unwrap().unwrap();
        let lost = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        bytes.splice(..lost, *b"nonsense");
        replace_whole(&path, &bytes).unwrap();
        let mut damaged = Journal::load(&path).unwrap();
        assert!(damaged.fault().unwrap().starts_with("line 1: "));
        damaged.record(&path, &blocks(&[(2, "x"), (5, "y")]), 5).unwrap();
        assert_eq!((Journal::load(&path).unwrap(), damaged), (journal.clone(), journal));
        assert!(path.with_file_name("seen.jsonl.aside-1").exists());
    }
}
