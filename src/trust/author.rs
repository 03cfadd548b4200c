//! Whose words these are: text for an agent comes only from authors that this clone trusts.
//!
//! An event is an *outsider's* if git tracks its file only because of a commit that is on no own remote and not on
//! the default branch, and that was not made in this clone: a checked-out pull request, a fork's branch. Outsiders'
//! events shape `current.md` like any other. They are shown to people with a mark, and never given to an agent.

use crate::git::{Call, Git, GitError, Layout};
use std::collections::BTreeSet;
use std::time::Duration;

/// The configuration file: where an outsider wrote it, its words are theirs.
const CONFIGURATION: &str = crate::config::FILE_NAME;

/// How many lines of reflogs are read; a clone with more has its newest ones read.
const REFLOG_LINES: usize = 100_000;

/// The files below a ledger directory that only commits of outsiders added or changed, as paths from the worktree's top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutsideFiles(BTreeSet<Vec<u8>>);

impl OutsideFiles {
    /// Asks git once: which commits that some reference or some worktree has are on no own remote and not on the
    /// default branch, and which files they added or changed below `folder`.
    ///
    /// `own` are the names of own remotes; of their references only those count that their branches are fetched to
    /// (`refs/heads/…`), so a fetched pull request stays an outsider's.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn below(git: &Git, folder: &str, own: &[String], limit: Duration) -> Result<Self, GitError> {
        let trusted = trusted_patterns(git, own)?;
        let heads = git.layout().work_trees().iter().filter_map(head_of).collect::<Vec<_>>();
        let mut call =
            Call::new(["log", "--ignore-missing", "--full-history", "--no-renames", "-c", "--diff-filter=d"])
                .args(["--root", "--name-only", "--no-show-signature", "-z", "--format=%x01%H%x02"])
                .args(["--branches", "--remotes", "--glob=refs/headwater/heads/*", "HEAD"])
                .args(heads)
                .args(["--not"]);
        call = call.args(trusted).args(["--"]);
        if !folder.is_empty() {
            call = call.args([folder, CONFIGURATION]);
        }
        let output = git.succeed(call.limit(limit))?;
        let added = added_files(&output.stdout);
        let mine = if added.is_empty() { BTreeSet::new() } else { commits_made_here(git.layout()) };
        let theirs = added.into_iter().filter(|(commit, _)| !mine.contains(commit));
        let mut files: BTreeSet<Vec<u8>> = theirs.flat_map(|(_, files)| files).collect();
        for worktree in git.layout().work_trees() {
            files.extend(staged_files(&Git::at(&worktree), folder, limit)?);
        }
        Ok(Self(files))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a file, named from the worktree's top, is an outsider's, or is in a submodule that is one's.
    #[must_use]
    pub fn contains(&self, path: &[u8]) -> bool {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        ends.chain([path.len()]).any(|end| path.get(..end).is_some_and(|start| self.0.contains(start)))
    }

    /// Whether an outsider wrote the configuration file.
    #[must_use]
    pub fn has_configuration(&self) -> bool {
        self.0.contains(CONFIGURATION.as_bytes())
    }
}

/// The files of a ledger that the index has and HEAD has not: a merge, a cherry-pick or a rebase that is not finished
/// brings them, and nothing tells whose they are. Of the user's own events the backup copy does.
fn staged_files(git: &Git, folder: &str, limit: Duration) -> Result<Vec<Vec<u8>>, GitError> {
    if git.head_oid()?.is_none() {
        return Ok(Vec::new());
    }
    let call =
        Call::new(["diff-index", "--cached", "--name-only", "-z", "--no-renames", "--diff-filter=d", "HEAD", "--"]);
    let output = git.succeed(call.args(Some(folder).filter(|folder| !folder.is_empty())).limit(limit))?;
    Ok(output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect())
}

/// The revision arguments that stand for own remotes' branches and the local default branch.
fn trusted_patterns(git: &Git, own: &[String]) -> Result<Vec<String>, GitError> {
    let answer = git.run(Call::new(["config", "-z", "--get-regexp", r"^remote\..*\.fetch$"]))?;
    let text = answer.text();
    let fetches: Vec<(&str, &str)> = text
        .split('\0')
        .filter_map(|entry| entry.split_once('\n'))
        .filter_map(|(key, value)| Some((key.strip_prefix("remote.")?.strip_suffix(".fetch")?, value)))
        .filter(|(name, _)| own.iter().any(|own| own == name))
        .filter_map(|(_, refspec)| refspec.trim_start_matches('+').split_once(':'))
        .collect();
    let is_branch = |(from, _): &&(&str, &str)| from.starts_with("refs/heads/");
    let to = |refspecs: Vec<&(&str, &str)>, option: &str| -> Vec<String> {
        refspecs.into_iter().map(|(_, to)| format!("--{option}={to}")).collect()
    };
    // What is fetched from elsewhere than branches, such as pull requests, is taken out of every pattern below.
    let others = to(fetches.iter().filter(|fetch| !is_branch(fetch)).collect(), "exclude");
    let mut patterns = Vec::new();
    for glob in to(fetches.iter().filter(is_branch).collect(), "glob") {
        patterns.extend(others.iter().cloned());
        patterns.push(glob);
    }
    if !own.is_empty() {
        // headwater fetches branches of own remotes only.
        patterns.push("--glob=refs/headwater/heads/*".to_owned());
    }
    patterns.extend(default_branches(git, own)?);
    Ok(patterns)
}

/// The local branches that are the default one: that of an own remote, or without remotes git's own.
///
/// The branch that is checked out decides nothing here, so a pull request cannot name itself the default.
fn default_branches(git: &Git, own: &[String]) -> Result<Vec<String>, GitError> {
    if own.is_empty() {
        let default = git.default_branch()?;
        return Ok(default.map(|default| default.reference).into_iter().collect());
    }
    let heads = own.iter().map(|name| format!("refs/remotes/{name}/HEAD"));
    let answer = git.succeed(Call::new(["for-each-ref", "--format=%(refname) %(symref)"]).args(heads))?.text();
    let local = |line: &str| {
        let (head, target) = line.split_once(' ')?;
        let name = target.strip_prefix(head.strip_suffix("HEAD")?)?;
        Some(format!("refs/heads/{name}"))
    };
    Ok(answer.lines().filter_map(local).collect())
}

/// What a worktree has checked out, as a revision.
fn head_of(worktree: &Layout) -> Option<String> {
    match worktree.head().ok()? {
        crate::git::Head::Branch(name) => Some(format!("refs/heads/{name}")),
        crate::git::Head::Detached(oid) => Some(oid.to_string()),
    }
}

/// Reads the answer of `git log -z --name-only --format=%x01%H%x02`: commits with their files.
fn added_files(answer: &[u8]) -> Vec<(String, Vec<Vec<u8>>)> {
    let mut commits: Vec<(String, Vec<Vec<u8>>)> = Vec::new();
    for part in answer.split(|byte| *byte == 0) {
        // The list of files begins on a new line.
        let part = part.strip_prefix(b"\n").unwrap_or(part);
        let (header, name) = match part.strip_prefix(b"\x01").and_then(|rest| split_once(rest, 2)) {
            Some((commit, rest)) => (Some(commit), rest.strip_prefix(b"\n").unwrap_or(rest)),
            None => (None, part),
        };
        if let Some(commit) = header {
            commits.push((String::from_utf8_lossy(commit).into_owned(), Vec::new()));
        }
        if let (false, Some((_, files))) = (name.is_empty(), commits.last_mut()) {
            files.push(name.to_vec());
        }
    }
    commits.retain(|(_, files)| !files.is_empty());
    commits
}

fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|byte| *byte == at)?;
    Some((bytes.get(..place)?, bytes.get(place + 1..)?))
}

/// The commits that reflogs of this clone record as made here.
///
/// Only what `git commit` made counts. An amended, picked or rebased commit may carry what somebody else wrote; of
/// one's own events in it the backup copy is here.
fn commits_made_here(layout: &Layout) -> BTreeSet<String> {
    let logs = layout.reflogs();
    logs.iter().flat_map(|log| made_in(log)).collect()
}

/// The commits that one reflog records as made by `git commit`, but those made while a rebase was under way: they may
/// carry what the rebased commit brought.
fn made_in(log: &[u8]) -> Vec<String> {
    let lines: Vec<&[u8]> = log.split(|byte| *byte == b'\n').collect();
    let skipped = lines.len().saturating_sub(REFLOG_LINES);
    let (mut made, mut rebasing) = (Vec::new(), false);
    for line in lines.into_iter().skip(skipped) {
        let text = String::from_utf8_lossy(line);
        let message = text.split_once('\t').map(|(_, message)| message).unwrap_or_default();
        if message.starts_with("rebase") || message.starts_with("pull --rebase") || message.starts_with("pull -r") {
            rebasing = !["(finish)", "(abort)"].iter().any(|end| message.contains(end));
        } else if message.starts_with("checkout: ") || message.starts_with("reset: ") {
            rebasing = false;
        } else if !rebasing {
            made.extend(made_by(line));
        }
    }
    made
}

/// The commit that a reflog line says was made by `git commit`.
fn made_by(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line);
    let (head, message) = text.split_once('\t')?;
    let made = ["commit: ", "commit (initial): ", "commit (merge): "].iter().any(|action| message.starts_with(action));
    let new = head.split(' ').nth(1)?;
    made.then(|| new.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{OutsideFiles, added_files, made_by, made_in};

    #[test]
    fn log_output_lists_commits_with_their_files() {
        let answer = b"\x01aa\x02\0\ne/1.md\0e/2.md\0\x01bb\x02\0\x01cc\x02\n\0e/3\n.md\0";
        let found = added_files(answer);
        let names =
            |files: &[Vec<u8>]| files.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>();
        let found: Vec<_> = found.iter().map(|(commit, files)| (commit.as_str(), names(files))).collect();
        assert_eq!(
            found,
            [("aa", vec!["e/1.md".to_owned(), "e/2.md".to_owned()]), ("cc", vec!["e/3\n.md".to_owned()])]
        );
    }

    #[test]
    fn commits_during_a_rebase_are_not_counted_as_made_here() {
        let line = |new: char, message: &str| {
            format!("{} {} A <a@b> 1 +0000\t{message}\n", "0".repeat(40), new.to_string().repeat(40))
        };
        let log = line('a', "commit: own")
            + &line('b', "rebase (start): checkout main")
            + &line('c', "commit: resolved")
            + &line('d', "rebase (finish): returning to refs/heads/x")
            + &line('e', "commit: own again");
        assert_eq!(made_in(log.as_bytes()), ["a".repeat(40), "e".repeat(40)]);
    }

    #[test]
    fn file_in_an_outsiders_submodule_is_an_outsiders() {
        let files = OutsideFiles([b"thoughts/events".to_vec()].into());
        assert!(files.contains(b"thoughts/events/x.md") && files.contains(b"thoughts/events"));
        assert!(!files.contains(b"thoughts/events2/x.md") && !files.contains(b"thoughts"));
    }

    #[test]
    fn reflog_line_counts_only_what_git_commit_made() {
        let line = |message: &str| format!("{} {} A <a@b> 1 +0000\t{message}", "0".repeat(40), "a".repeat(40));
        for message in ["commit: x", "commit (initial): x", "commit (merge): x"] {
            assert_eq!(made_by(line(message).as_bytes()), Some("a".repeat(40)), "{message}");
        }
        for message in [
            "commit (amend): x",
            "merge pr: Fast-forward",
            "cherry-pick: x",
            "rebase (pick): x",
            "pull: Fast-forward",
            "",
        ] {
            assert_eq!(made_by(line(message).as_bytes()), None, "{message}");
        }
    }
}
