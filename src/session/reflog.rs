//! The commits of a span of work, from the reflog of `HEAD`.
//!
//! `logs/HEAD` is one line a movement: `<old> <new> <name> <<email>> <seconds> <zone>\t<message>`, newest last.
//! Each work tree has its own, so it tells what was done *here*; messages as git 2.47 writes them.

use crate::event::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// What the subjects of this program's own commits begin with.
const OWN: &str = "headwater:";

/// One movement of `HEAD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The object before it.
    pub old: String,
    /// The object after it.
    pub new: String,
    /// When, in seconds since 1970.
    pub at: i64,
    /// What git says about it, such as `commit: Teach the parser tabs`.
    pub message: String,
}

/// Where a reflog ended at some instant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The length of its whole lines.
    pub bytes: u64,
    /// The object that its last line leads to; empty if it has none.
    pub last: String,
    /// SHA-256 of those lines: another work tree in the same place has a log of its own, which may be as long.
    #[serde(default)]
    pub digest: String,
}

/// A commit that was made here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its name, as far as the reflog tells.
    pub oid: String,
    /// The first line of its message.
    pub subject: String,
}

/// Reads a reflog, oldest entry first. Lines that are none, or cut, are skipped.
#[must_use]
pub fn parse(text: &[u8]) -> Vec<Entry> {
    text.split(|byte| *byte == b'\n').filter_map(entry).collect()
}

/// Marks the end of a reflog. A last line without its end does not count yet.
#[must_use]
pub fn mark(text: &[u8]) -> Mark {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let text = text.get(..whole).unwrap_or_default();
    Mark { bytes: whole as u64, last: last_object(text).unwrap_or_default(), digest: digest(text) }
}

/// Whether a reflog goes on from a mark; one that was expired, rewritten or made anew does not.
#[must_use]
pub fn continues(text: &[u8], mark: &Mark) -> bool {
    beyond(text, mark).is_some()
}

/// What a reflog has beyond a mark, if it goes on from there.
fn beyond<'t>(text: &'t [u8], mark: &Mark) -> Option<&'t [u8]> {
    let (before, after) = text.split_at_checked(usize::try_from(mark.bytes).ok()?)?;
    (digest(before) == mark.digest).then_some(after)
}

fn digest(text: &[u8]) -> String {
    if text.is_empty() { String::new() } else { hex(&Sha256::digest(text)) }
}

/// The entries after a mark, which was set at `began` (seconds since 1970). Where the reflog no longer goes on
/// from the mark, because it was expired or rewritten, those that are not older than `began`.
#[must_use]
pub fn since(text: &[u8], mark: &Mark, began: i64) -> Vec<Entry> {
    match beyond(text, mark) {
        Some(after) => parse(after),
        None => parse(text).into_iter().filter(|entry| entry.at >= began).collect(),
    }
}

/// The commits that these entries made, oldest first, each subject once.
///
/// An amended commit is told as it is now, whenever it was first made. Merges, what was pulled, and this program's
/// own commits are left out; so are the steps of a rebase, which only give commits that were told other names.
#[must_use]
pub fn subjects(entries: &[Entry]) -> Vec<Commit> {
    let mut commits: Vec<Commit> = Vec::new();
    let mut merges: BTreeSet<&str> = BTreeSet::new();
    // What a rebase has just put in place and may give another message next.
    let mut placed: Option<&str> = None;
    for Entry { old, new, message, .. } in entries {
        let reworded = placed.take() == Some(old);
        match Movement::of(message) {
            Movement::Merged => _ = merges.insert(new),
            Movement::Amended(_) if merges.contains(old.as_str()) => _ = merges.insert(new),
            Movement::Amended(subject) => match commits.iter_mut().rev().find(|commit| commit.oid == *old) {
                Some(commit) => commit.rename(new, subject),
                None => commits.push(Commit { oid: new.clone(), subject: subject.to_owned() }),
            },
            Movement::Made(subject) => commits.push(Commit { oid: new.clone(), subject: subject.to_owned() }),
            Movement::Rebased(step, subject) => {
                let same = commits.iter().rposition(|commit| commit.subject == subject);
                let before = || commits.iter().rposition(|commit| commit.oid == *old);
                let found = match step {
                    Step::Melded => before(),
                    Step::Reworded if same.is_none() && reworded => before(),
                    Step::Reworded | Step::Picked => same,
                };
                if let Some(commit) = found.and_then(|at| commits.get_mut(at)) {
                    commit.rename(new, subject);
                }
                placed = (step == Step::Reworded).then_some(new);
            }
            Movement::Skipped => placed = Some(new),
            Movement::Other => {}
        }
    }
    let all: BTreeSet<String> = commits.iter().map(|commit| commit.subject.clone()).collect();
    let mut told = BTreeSet::from([String::new()]);
    commits.retain(|Commit { subject, .. }| {
        !subject.starts_with(OWN) && !corrects(subject, &all) && told.insert(subject.clone())
    });
    commits
}

/// Whether a subject says that its commit is meant to become a part of one of `all`.
fn corrects(subject: &str, all: &BTreeSet<String>) -> bool {
    let target = ["fixup! ", "squash! ", "amend! "].iter().find_map(|word| subject.strip_prefix(word));
    target.is_some_and(|target| all.contains(target))
}

impl Commit {
    fn rename(&mut self, oid: &str, subject: &str) {
        oid.clone_into(&mut self.oid);
        subject.clone_into(&mut self.subject);
    }
}

/// What an entry's message says that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Movement<'a> {
    /// A commit with this subject was made.
    Made(&'a str),
    /// The commit before was replaced by one with this subject.
    Amended(&'a str),
    /// A rebase made a commit anew.
    Rebased(Step, &'a str),
    /// A rebase left a commit as it was.
    Skipped,
    /// A merge commit was made.
    Merged,
    /// Anything else.
    Other,
}

/// How a rebase makes a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// On top of the one before.
    Picked,
    /// Likewise, and then once more with another message in place of that.
    Reworded,
    /// In place of the one before.
    Melded,
}

impl<'a> Movement<'a> {
    fn of(message: &'a str) -> Self {
        let (action, subject) = message.split_once(':').unwrap_or((message, ""));
        let subject = subject.trim();
        match action {
            "commit (amend)" => Self::Amended(subject),
            "commit (merge)" => Self::Merged,
            "cherry-pick" if subject == "fast-forward" => Self::Other,
            // `am` is what `git am` writes; `commit (cherry-pick)` ends a cherry-pick that stopped.
            "commit" | "commit (initial)" | "commit (cherry-pick)" | "cherry-pick" | "revert" | "am" => {
                Self::Made(subject)
            }
            // The action holds the arguments of `merge` and `pull`, a URL's colon too.
            _ if message.contains(": Merge made by ") => Self::Merged,
            "rebase" | "rebase -i" if subject == "fast-forward" => Self::Skipped,
            _ => Self::rebased(message).unwrap_or(Self::Other),
        }
    }

    /// Reads `rebase (pick): s`, `rebase -i (pick): s`, `pull --rebase ARGUMENTS (pick): s`.
    fn rebased(message: &'a str) -> Option<Self> {
        let rest = message.strip_prefix("rebase").or_else(|| message.strip_prefix("pull"))?;
        let (before, subject) = rest.split_once("): ")?;
        let (_, step) = before.rsplit_once(" (")?;
        let step = match step {
            "pick" | "edit" | "continue" => Step::Picked,
            "reword" => Step::Reworded,
            "fixup" | "squash" => Step::Melded,
            _ => return None,
        };
        Some(Self::Rebased(step, subject.trim()))
    }
}

fn entry(line: &[u8]) -> Option<Entry> {
    let text = String::from_utf8_lossy(line);
    // A message is optional, and a name may hold anything but `<`, `>` and line ends.
    let (head, message) = text.split_once('\t').unwrap_or((&text, ""));
    let (people, time) = head.rsplit_once("> ")?;
    let mut words = people.splitn(3, ' ');
    let (old, new) = (oid(words.next()?)?, oid(words.next()?)?);
    let at = time.split(' ').next()?.parse().ok()?;
    Some(Entry { old, new, at, message: message.trim_end_matches('\r').to_owned() })
}

/// A full object name, of SHA-1 or SHA-256.
fn oid(word: &str) -> Option<String> {
    let hex = word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hex && matches!(word.len(), 40 | 64)).then(|| word.to_owned())
}

/// The object that the last line leads to; `None` if the text does not end in a whole entry.
fn last_object(text: &[u8]) -> Option<String> {
    let lines = text.strip_suffix(b"\n")?;
    let last = lines.rsplit(|byte| *byte == b'\n').next()?;
    entry(last).map(|entry| entry.new)
}

#[cfg(test)]
mod tests {
    use super::{Commit, Entry, Mark, mark, parse, since, subjects};
    use proptest::prelude::*;

    /// What git 2.47 wrote: names shortened, people and times taken out.
    const REAL: &str = r#"
0000000 537739a commit (initial): one
537739a c588260 commit: two
c588260 46b044b commit: three
46b044b 0b25ca3 commit (amend): three, amended
0b25ca3 afaf9e7 commit (amend): three, twice
afaf9e7 c588260 checkout: moving from main to side
c588260 49c3ee7 commit: side a
49c3ee7 1c05022 commit: side b
1c05022 ad8bd1c commit: side c
ad8bd1c afaf9e7 checkout: moving from side to main
afaf9e7 7ecf68f merge side: Merge made by the 'ort' strategy.
7ecf68f 5133e4a commit (amend): Merge side, amended
5133e4a 129a0cb revert: Revert "side c"
129a0cb afaf9e7 checkout: moving from main to pick
afaf9e7 1eb12eb cherry-pick: side c
1eb12eb 1626166 cherry-pick: side a
1626166 0746b60 commit: own s2
0746b60 5241f1d commit (cherry-pick): side b
5241f1d 0746b60 reset: moving to HEAD~1
0746b60 5d98ce1 commit (cherry-pick): side b
5d98ce1 5133e4a checkout: moving from pick to reb
5133e4a 095d51d commit: r1
095d51d f5dd088 commit: r2
f5dd088 f4405f7 commit: r3
f4405f7 76c34f9 commit: fixup! r3
76c34f9 5133e4a rebase (start): checkout HEAD~4
5133e4a 095d51d rebase: fast-forward
095d51d 6d71346 rebase (reword): r1 reworded
6d71346 d3ca386 rebase (edit): r2
d3ca386 4778e35 commit (amend): r2 edited
4778e35 349ec18 rebase (pick): r3
349ec18 d350826 rebase (fixup): r3
d350826 d350826 rebase (finish): returning to refs/heads/reb
d350826 5d98ce1 rebase (start): checkout pick
5d98ce1 d350826 rebase (abort): returning to refs/heads/reb
d350826 129a0cb checkout: moving from reb to q
129a0cb fe4edc8 commit: q1
fe4edc8 535f80d commit: headwater: synthesize
535f80d 129a0cb checkout: moving from q to main
129a0cb 535f80d checkout: moving from main to q
535f80d 0136cce pull -q --rebase ../b main (start): checkout 0136ccee8207f27b182de23a9cdd811036702440
0136cce af7d37f pull -q --rebase ../b main (pick): three, twice
af7d37f 2c98691 pull -q --rebase ../b main (pick): Revert "side c"
2c98691 269a16b pull -q --rebase ../b main (pick): q1
269a16b 11fa177 pull -q --rebase ../b main (pick): headwater: synthesize
11fa177 11fa177 pull -q --rebase ../b main (finish): returning to refs/heads/q
11fa177 fdd6160 checkout: moving from q to am
fdd6160 1476206 am: side c
1476206 5d98ce1 rebase (start): checkout pick
5d98ce1 90f2010 rebase (pick): theirs
90f2010 90f2010 rebase (finish): returning to refs/heads/am
90f2010 c9e3596 commit:
"#;

    /// A reflog of such lines, one second each.
    fn reflog(lines: &str) -> String {
        let line = |(at, line): (usize, &str)| {
            let (old, rest) = line.split_once(' ').unwrap();
            let (new, message) = rest.split_once(' ').unwrap();
            format!("{old:0<40} {new:0<40} A B. <a@example.org> {} +0200\t{message}\n", 1000 + at)
        };
        lines.trim().lines().enumerate().map(line).collect()
    }

    fn told(lines: &str) -> Vec<String> {
        subjects(&parse(reflog(lines).as_bytes())).into_iter().map(|commit| commit.subject).collect()
    }

    #[test]
    fn commits_made_here_are_told_once() {
        let expected = [
            "one",
            "two",
            "three, twice",
            "side a",
            "side b",
            "side c",
            "Revert \"side c\"",
            "own s2",
            "r1 reworded",
            "r2 edited",
            "r3",
            "q1",
        ];
        assert_eq!(told(REAL), expected);
    }

    #[test]
    fn a_commit_keeps_its_newest_name() {
        let commits = subjects(&parse(reflog(REAL).as_bytes()));
        let name = |subject: &str| commits.iter().find(|commit| commit.subject == subject).unwrap().oid[..7].to_owned();
        assert_eq!(
            [name("two"), name("three, twice"), name("r3"), name("q1")],
            ["c588260", "af7d37f", "d350826", "269a16b"]
        );
    }

    #[test]
    fn single_movements() {
        for (lines, expected) in [
            ("1 2 commit (amend): made before, amended here", &["made before, amended here"][..]),
            ("1 2 commit (amend): a\n2 3 commit (amend): b", &["b"]),
            ("1 2 commit: a\n2 1 reset: moving to HEAD~1\n1 3 commit: a", &["a"]),
            ("1 2 commit: headwater: synthesize\n2 3 commit (amend): a", &["a"]),
            ("1 2 commit: a\n2 3 commit (amend): headwater: synthesize", &[]),
            ("1 2 commit (merge): Merge x\n2 3 commit (amend): Merge x, told better", &[]),
            ("1 2 pull https://example.org/r main: Merge made by the 'ort' strategy.", &[]),
            ("1 2 merge x: Fast-forward\n1 2 pull: Fast-forward\n1 2 cherry-pick: fast-forward", &[]),
            ("1 2 commit: a\n2 2 rebase -i: fast-forward\n2 3 rebase -i (reword): b", &["b"]),
            ("1 2 commit: a\n2 3 rebase (reword): old\n3 4 rebase (reword): reworded", &["a"]),
            ("1 2 commit: a\n2 3 commit: b\n2 4 rebase (reword): b\n4 5 rebase (reword): c", &["a", "c"]),
            ("1 2 commit: a\n1 3 rebase (pick): a\n3 4 rebase (reword): another's", &["a"]),
            ("1 2 commit: a\n2 3 commit: b\n2 2 rebase: fast-forward\n2 4 rebase (reword): b", &["a", "b"]),
            ("1 2 commit: a\n2 3 rebase (squash): both", &["both"]),
            ("1 2 rebase (pick): another's\n2 3 rebase (continue): another's", &[]),
            ("1 2 commit: a: b (c): d", &["a: b (c): d"]),
            ("1 2 commit:", &[]),
        ] {
            assert_eq!(told(lines), expected, "{lines}");
        }
    }

    #[test]
    fn a_span_begins_at_its_mark() {
        let text = reflog(REAL);
        let (before, after) = text.split_at(text.match_indices('\n').nth(4).unwrap().0 + 1);
        let mark = mark(before.as_bytes());
        assert_eq!((mark.bytes, &mark.last[..7]), (before.len() as u64, "afaf9e7"));
        assert_eq!(since(text.as_bytes(), &mark, 0), parse(after.as_bytes()));
        assert_eq!(since(before.as_bytes(), &mark, 0), []);
        // Expired: what stands at the mark is another entry, or nothing.
        for shorter in [after, &after[after.len() - 400..]] {
            let kept = since(shorter.as_bytes(), &mark, 1040);
            assert!(!kept.is_empty() && kept.iter().all(|entry| entry.at >= 1040));
        }
        assert_eq!(since(text.as_bytes(), &Mark::default(), 0), parse(text.as_bytes()));
    }

    #[test]
    fn a_cut_line_counts_when_it_is_whole() {
        let text = reflog("1 2 commit: a\n2 3 commit: b");
        let cut = mark(&text.as_bytes()[..text.len() - 3]);
        assert_eq!(subjects(&since(text.as_bytes(), &cut, 0)).len(), 1);
        assert_eq!(mark(b"1 2 comm"), Mark::default());
    }

    #[test]
    fn bad_lines_do_not_hide_good_ones() {
        let good = reflog("1 2 commit: a");
        let odd = format!("\n{:040} {:040} <> 5 +0000", 1, 2);
        let bad =
            [b"no entry\n\xff\xfe\t\xff\n", good.as_bytes(), b"0 1 x <y> z +0\tcommit: b", odd.as_bytes()].concat();
        assert_eq!(parse(&bad).iter().map(|entry| entry.message.as_str()).collect::<Vec<_>>(), ["commit: a", ""]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text in prop::collection::vec(any::<u8>(), 0..300), bytes in 0u64..400) {
            let last = mark(&text).last;
            let made = subjects(&since(&text, &Mark { bytes, last, digest: String::new() }, 0));
            prop_assert!(made.len() <= text.len());
        }

        /// However a reflog grows, what was marked and what came after are all of it.
        #[test]
        fn a_mark_splits_without_loss(cut in 0usize..6000) {
            let text = reflog(REAL);
            let cut = cut.min(text.len());
            let mark = mark(&text.as_bytes()[..cut]);
            let mut entries: Vec<Entry> = parse(&text.as_bytes()[..usize::try_from(mark.bytes).unwrap()]);
            entries.extend(since(text.as_bytes(), &mark, i64::MAX));
            prop_assert_eq!(entries, parse(text.as_bytes()));
        }

        #[test]
        fn no_subject_is_told_twice(lines in prop::collection::vec((0u8..6, 0u8..6, 0u8..4, 0usize..6), 0..20)) {
            let actions = ["commit", "commit (amend)", "rebase (pick)", "commit (merge)", "merge x", "cherry-pick"];
            let line = |(old, new, subject, action): &(u8, u8, u8, usize)| {
                format!("{old} {new} {}: {subject}\n", actions[*action])
            };
            let mut told: Vec<Commit> = subjects(&parse(reflog(&lines.iter().map(line).collect::<String>()).as_bytes()));
            let count = told.len();
            told.sort_by(|a, b| a.subject.cmp(&b.subject));
            told.dedup_by(|a, b| a.subject == b.subject);
            prop_assert_eq!(told.len(), count);
        }
    }
}
