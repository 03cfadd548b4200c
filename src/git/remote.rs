//! What talking to a remote needs: silence, the report of a push, references of our own, and commits that carry a
//! text. Remotes themselves are contacted by [`crate::trust::remote`] alone.

use super::advertised::GONE;
use super::{Call, Git, GitError, Oid, Output};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Nobody is asked for a password, a passphrase or a host key: whatever would ask is told no.
const SILENT: [(&str, &str); 5] = [
    ("GIT_ASKPASS", "false"),
    ("SSH_ASKPASS", "false"),
    ("SSH_ASKPASS_REQUIRE", "force"),
    ("GCM_INTERACTIVE", "never"),
    ("GIT_TERMINAL_PROMPT", "0"),
];

/// Where the logs of ids are kept here: chains of commits without files.
const OWN_LOGS: [&str; 4] =
    ["refs/headwater/seen/", "refs/headwater/ids/", "refs/headwater/fetched-ids/", "refs/headwater/lost-ids/"];

/// How a compare-and-swap push was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pushed {
    /// The remote reports that it moved the reference.
    Taken,
    /// Anything else: refused, raced, cut off. Only the remote's reference tells.
    Unknown {
        /// What git said, fit to be shown.
        why: String,
    },
}

/// The message of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Its text.
    Text(String),
    /// It is larger than any of ours, and was not read.
    TooLarge,
}

/// More of messages than this is not held in memory at once.
const LARGE_LOG: usize = 64 << 20;

/// A larger message is none of ours: that of 10000 ids has half a megabyte.
const LARGE_MESSAGE: usize = 4 << 20;

/// How many commits of a large history are looked at.
const MANY_MESSAGES: usize = 200_000;

/// Whose references are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Branches, tags and whatever else is no pull request.
    Branches,
    /// Pull requests, as far as nothing else has what they have.
    Requests,
}

/// Where pull requests are kept: those that were fetched here, and as the user may fetch them.
const REQUESTS: [&str; 6] = [
    "refs/headwater/pull/",
    "refs/headwater/merge-requests/",
    "refs/headwater/maybe/",
    "refs/headwater/gone/requests/",
    "refs/pull/",
    "refs/merge-requests/",
];

fn is_request(reference: &str) -> bool {
    REQUESTS.iter().any(|start| reference.starts_with(start))
}

impl Call {
    /// Never prompts, and takes at most this long.
    #[must_use]
    pub fn silent(self, limit: Duration) -> Self {
        SILENT.iter().fold(self, |call, (name, value)| call.variable(name, *value)).limit(limit)
    }
}

impl Pushed {
    /// Reads the remote's own report for this reference, git-push(1) "OUTPUT": a blank, `+` or `*` is success.
    #[must_use]
    pub fn of(answer: &Output, refspec: &str) -> Self {
        let moved = |line: &str| {
            let names_it = line.get(2..).is_some_and(|rest| rest.starts_with(refspec));
            names_it && matches!(line.as_bytes().first(), Some(b' ' | b'*' | b'+'))
        };
        if answer.success() && answer.text().lines().any(moved) {
            return Self::Taken;
        }
        let refusal =
            answer.text().lines().find(|line| line.starts_with('!')).map(|line| super::error::shown(line, 200));
        Self::Unknown { why: refusal.filter(|_| answer.stderr.is_empty()).unwrap_or_else(|| answer.stderr.clone()) }
    }
}

impl Whose {
    /// The arguments of `git log` that select them.
    fn arguments(self) -> Vec<String> {
        let all = REQUESTS.iter().map(|start| format!("--exclude={start}*")).chain(["--all".to_owned()]);
        match self {
            Self::Branches => all.collect(),
            Self::Requests => {
                let requests = REQUESTS.iter().map(|start| format!("--glob={start}*"));
                requests.chain(["--not".to_owned()]).chain(all).collect()
            }
        }
    }
}

impl Git {
    /// Whether the repository is one without a work tree of its own.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn is_bare(&self) -> Result<bool, GitError> {
        let answer = self.run(Call::new(["config", "--type=bool", "--get", "core.bare"]))?;
        Ok(answer.text().trim() == "true")
    }

    /// What a reference of this clone names, if it is there.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn reference(&self, name: &str) -> Result<Option<Oid>, GitError> {
        let answer = self.run(Call::new(["rev-parse", "--verify", "--quiet", "--end-of-options", name]))?;
        match answer.code {
            Some(0) => answer.oid().map(Some),
            Some(1) => Ok(None),
            _ => Err(self.refused(answer)),
        }
    }

    /// What each of these references of this clone names.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn references<const N: usize>(&self, names: [&str; N]) -> Result<[Option<Oid>; N], GitError> {
        let question = Call::new(["for-each-ref", "--format=%(objectname) %(refname)"]).args(names);
        let text = self.succeed(question)?.text();
        Ok(names.map(|name| text.lines().find_map(|line| Oid::parse(line.strip_suffix(name)?.trim_end()))))
    }

    /// Sets references of our own, all or none; `None` deletes one.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn set_own_references(&self, all: &[(&str, Option<&Oid>)]) -> Result<(), GitError> {
        let line = |text: String, (name, to): &(&str, Option<&Oid>)| match to {
            Some(to) => text + "update " + name + " " + to.as_str() + "\n",
            None => text + "delete " + name + "\n",
        };
        let text = all.iter().fold(String::new(), line);
        self.succeed(Call::new(["update-ref", "--no-deref", "--stdin"]).stdin(text.into_bytes())).map(drop)
    }

    /// Writes a commit without files whose message is `text`; no reference names it yet.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn write_text_commit(&self, parents: &[&Oid], text: &str, author: &str, at: &str) -> Result<Oid, GitError> {
        let tree = self.succeed(Call::new(["mktree"]).stdin(Vec::new()))?.oid()?;
        let name: String = author.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
        let name = if name.trim().is_empty() { "headwater".to_owned() } else { name };
        let mut call = Call::new(["-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree.as_str()]);
        for parent in parents {
            call = call.args(["-p", parent.as_str()]);
        }
        for (key, value) in [("NAME", name.as_str()), ("EMAIL", "headwater@localhost"), ("DATE", at)] {
            call = match key {
                "NAME" => call.variable("GIT_AUTHOR_NAME", value).variable("GIT_COMMITTER_NAME", value),
                "EMAIL" => call.variable("GIT_AUTHOR_EMAIL", value).variable("GIT_COMMITTER_EMAIL", value),
                _ => call.variable("GIT_AUTHOR_DATE", value).variable("GIT_COMMITTER_DATE", value),
            };
        }
        self.succeed(call.stdin(text.as_bytes().to_vec()))?.oid()
    }

    /// The tips of all logs that were ever fetched, each once, with the name of the log.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn own_logs(&self) -> Result<BTreeMap<Oid, String>, GitError> {
        let listing = Call::new(["for-each-ref", "--format=%(objectname) %(refname)"]);
        let answer = self.succeed(listing.args(OWN_LOGS))?.text();
        let log = |line: &str| {
            let (tip, name) = line.split_once(' ')?;
            let name = OWN_LOGS.iter().find_map(|place| name.strip_prefix(place))?;
            Some((Oid::parse(tip)?, name.to_owned()))
        };
        Ok(answer.lines().filter_map(log).collect())
    }

    /// The tree and the beginning of the subject of each commit that a commit stands on, itself included.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn trees_and_subjects(&self, tip: &Oid) -> Result<Vec<(String, String)>, GitError> {
        let flags = ["log", "--encoding=UTF-8", "--no-show-signature", "--format=%T %<(100,trunc)%s"];
        let call = Call::new(flags).args(["--end-of-options", tip.as_str(), "--"]).most(LARGE_LOG);
        let text = self.succeed(call)?.text();
        let commits = text.lines().filter_map(|commit| commit.split_once(' '));
        Ok(commits.map(|(tree, subject)| (tree.to_owned(), subject.trim_end().to_owned())).collect())
    }

    /// The messages of a chain of commits, the oldest first.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn messages(&self, tip: &Oid) -> Result<Vec<Message>, GitError> {
        let flags =
            ["log", "--reverse", "--topo-order", "--encoding=UTF-8", "--no-show-signature", "-z", "--format=%B"];
        let call = Call::new(flags).args(["--end-of-options", tip.as_str(), "--"]).most(LARGE_LOG);
        let answer = self.succeed(call)?;
        if answer.stdout.len() >= LARGE_LOG {
            return self.messages_one_by_one(tip);
        }
        let text = answer.text();
        let messages = text.split('\0').filter(|message| !message.is_empty());
        let message =
            |text: &str| if text.len() > LARGE_MESSAGE { Message::TooLarge } else { Message::Text(text.to_owned()) };
        Ok(messages.map(message).collect())
    }

    /// The messages of a history that is large as a whole: those that are too large are left out unread, and so is
    /// everything beyond the bounds.
    fn messages_one_by_one(&self, tip: &Oid) -> Result<Vec<Message>, GitError> {
        let most = format!("--max-count={MANY_MESSAGES}");
        let call = Call::new(["rev-list", "--topo-order", "--reverse", &most, "--end-of-options", tip.as_str(), "--"]);
        let commits = self.succeed(call)?.stdout;
        let check = Call::new(["cat-file", "--batch-check=%(objectname) %(objectsize)"]).stdin(commits);
        let sizes = self.succeed(check)?.text();
        let mut left = LARGE_LOG;
        let mut kept = Vec::new();
        // The newest count first: they hold the highest numbers.
        for (commit, size) in sizes.lines().rev().filter_map(|line| line.split_once(' ')) {
            let size: usize = size.parse().unwrap_or(usize::MAX);
            let fits = size <= LARGE_MESSAGE && size <= left;
            left = if fits { left - size } else { left };
            kept.push(Oid::parse(commit).filter(|_| fits));
        }
        kept.reverse();
        let oids: Vec<Oid> = kept.iter().flatten().cloned().collect();
        let mut bodies = self.read_blobs(&oids)?.into_iter();
        let message = |commit: &[u8]| {
            let text = String::from_utf8_lossy(commit).into_owned();
            text.split_once("\n\n").map_or_else(String::new, |(_, message)| message.to_owned())
        };
        let mut next = || bodies.next().map_or(Message::TooLarge, |commit| Message::Text(message(&commit)));
        Ok(kept.iter().map(|commit| if commit.is_some() { next() } else { Message::TooLarge }).collect())
    }

    /// The paths of all files below a folder that any commit of any reference ever added: renamed ones and
    /// those that a merge commit brought in itself included.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn ever_added(&self, folder: &str, of: Whose) -> Result<Vec<String>, GitError> {
        let flags = [
            "log",
            "--full-history",
            "--no-renames",
            "--diff-merges=first-parent",
            "--diff-filter=A",
            "--name-only",
            "--no-show-signature",
            "--format=",
            "-z",
        ];
        let call = Call::new(flags).args(of.arguments()).args(["--"]);
        let answer = self.succeed(call.args(Some(folder).filter(|folder| !folder.is_empty())))?;
        let text = answer.text();
        let names = text.split(['\0', '\n']).filter(|name| !name.is_empty());
        Ok(names.map(str::to_owned).collect())
    }

    /// The different contents that a file has at the tips of all references.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn contents_at_tips(&self, path: &str, of: Whose) -> Result<Vec<Vec<u8>>, GitError> {
        let tips = self.succeed(Call::new(["for-each-ref", "--format=%(objectname) %(refname)"]))?.text();
        let named = |requests: bool| {
            let pairs = tips.lines().filter_map(|line| line.split_once(' '));
            pairs.filter(move |(_, name)| is_request(name) == requests).map(|(tip, _)| tip)
        };
        let others: BTreeSet<&str> = named(false).collect();
        let tips: BTreeSet<&str> = match of {
            Whose::Requests => named(true).filter(|tip| !others.contains(tip)).collect(),
            Whose::Branches => others,
        };
        if tips.is_empty() {
            return Ok(Vec::new());
        }
        let questions = tips.iter().fold(String::new(), |text, tip| text + tip + ":" + path + "\n");
        let check = Call::new(["cat-file", "--batch-check=%(objectname) %(objecttype)"]).stdin(questions.into_bytes());
        let answer = self.succeed(check)?.text();
        let mut blobs: Vec<Oid> =
            answer.lines().filter_map(|line| line.strip_suffix(" blob").and_then(Oid::parse)).collect();
        blobs.sort();
        blobs.dedup();
        self.read_blobs(&blobs)
    }

    /// The content that a file has at the tip of each reference, once for each content: reference, author, bytes.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn contents_by_reference(&self, path: &str) -> Result<Vec<(String, String, Vec<u8>)>, GitError> {
        let format = "--format=%(objectname)%00%(refname:short)%00%(authorname)%(*authorname)";
        let tips = self.succeed(Call::new(["for-each-ref", "--sort=refname", format]))?.text();
        let tips: Vec<Vec<&str>> = tips.lines().map(|line| line.split('\0').collect()).collect();
        let question = |tip: &Vec<&str>| format!("{}:{path}\n", tip.first().unwrap_or(&""));
        let check = Call::new(["cat-file", "--batch-check=%(objectname) %(objecttype)"])
            .stdin(tips.iter().map(question).collect::<String>().into_bytes());
        let answer = self.succeed(check)?.text();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for (tip, line) in tips.iter().zip(answer.lines()) {
            let Some(blob) = line.strip_suffix(" blob").and_then(Oid::parse) else { continue };
            if seen.insert(blob.clone()) {
                let part = |place: usize| tip.get(place).copied().unwrap_or_default().to_owned();
                found.push((part(1), part(2), blob));
            }
        }
        let blobs: Vec<Oid> = found.iter().map(|(.., blob)| blob.clone()).collect();
        let bytes = self.read_blobs(&blobs)?;
        Ok(found.into_iter().zip(bytes).map(|((name, author, _), bytes)| (name, author, bytes)).collect())
    }

    /// The files below a folder that commits added: commit, author, a reference that reaches it, path.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn additions(&self, folder: &str) -> Result<Vec<(String, String, String, String)>, GitError> {
        let flags = [
            "log",
            "--all",
            "--source",
            "--full-history",
            "--no-renames",
            "--diff-merges=first-parent",
            "--diff-filter=A",
            "--name-only",
            "--no-show-signature",
            "--format=%x01%h%x02%an%x02%S",
            "-z",
            "--",
        ];
        let answer = self.succeed(Call::new(flags).args(Some(folder).filter(|folder| !folder.is_empty())))?;
        let text = answer.text();
        let (mut found, mut of) = (Vec::new(), (String::new(), String::new(), String::new()));
        for part in text.split(['\0', '\n']).filter(|part| !part.is_empty()) {
            match part.strip_prefix('\u{1}') {
                Some(head) => {
                    let mut words = head.split('\u{2}').map(str::to_owned);
                    let mut word = || words.next().unwrap_or_default();
                    of = (word(), word(), word());
                }
                None => found.push((of.0.clone(), of.1.clone(), of.2.clone(), part.to_owned())),
            }
        }
        Ok(found)
    }

    /// All references that name commits, but those of our own logs and what remotes lost, with their commits.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn tips(&self) -> Result<Vec<(String, Oid)>, GitError> {
        let format = "--format=%(refname) %(objecttype) %(objectname) %(*objecttype) %(*objectname)";
        let answer = self.succeed(Call::new(["for-each-ref", format]))?.text();
        let tip = |line: &str| {
            let mut words = line.split(' ');
            let is_ours = |name: &&str| OWN_LOGS.iter().any(|own| name.starts_with(own)) || name.starts_with(GONE);
            let name = words.next().filter(|name| !is_ours(name))?.to_owned();
            let words: Vec<&str> = words.collect();
            let commit = words.iter().position(|word| *word == "commit")?;
            Some((name, Oid::parse(words.get(commit + 1)?)?))
        };
        Ok(answer.lines().filter_map(tip).collect())
    }

    /// The commits that references name and that have this one among their ancestors, itself included.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn tips_with(&self, commit: &Oid) -> Result<BTreeSet<Oid>, GitError> {
        let format = "--format=%(objectname) %(*objectname)";
        let answer = self.succeed(Call::new(["for-each-ref", format, "--contains", commit.as_str()]))?.text();
        Ok(answer.split_whitespace().filter_map(Oid::parse).collect())
    }

    /// The names in a folder of each of these commits or trees, with what they name; none where there is no such folder.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn names_at(&self, commits: &[Oid], folder: &str) -> Result<Vec<Vec<(String, Oid)>>, GitError> {
        let questions = commits.iter().fold(String::new(), |text, commit| text + commit.as_str() + ":" + folder + "\n");
        let output = self.succeed(Call::new(["cat-file", "--batch"]).stdin(questions.into_bytes()))?;
        let mut rest = output.stdout.as_slice();
        let mut all = Vec::with_capacity(commits.len());
        for commit in commits {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let (header, after) = rest.split_at_checked(end).unwrap_or_default();
            let header = String::from_utf8_lossy(header).into_owned();
            let after = after.get(1..).unwrap_or_default();
            if header.ends_with(" missing") {
                rest = after;
                all.push(Vec::new());
                continue;
            }
            let size: Option<usize> = header.rsplit_once(' ').and_then(|(_, size)| size.parse().ok());
            let content = size.and_then(|size| after.split_at_checked(size));
            let Some((content, after)) = content else { return Err(output.unexpected(header.as_bytes())) };
            rest = after.get(1..).unwrap_or_default();
            all.push(if header.contains(" tree ") {
                names_of_tree(content, commit.as_str().len() / 2)
            } else {
                Vec::new()
            });
        }
        Ok(all)
    }

    /// The content of a file at each of these commits, where it is there.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn contents_at(&self, commits: &[Oid], path: &str) -> Result<Vec<Option<Vec<u8>>>, GitError> {
        let questions = commits.iter().fold(String::new(), |text, commit| text + commit.as_str() + ":" + path + "\n");
        let check = Call::new(["cat-file", "--batch-check=%(objectname) %(objecttype)"]).stdin(questions.into_bytes());
        let answer = self.succeed(check)?.text();
        let blobs: Vec<Option<Oid>> =
            answer.lines().map(|line| line.strip_suffix(" blob").and_then(Oid::parse)).collect();
        let wanted: Vec<Oid> = blobs.iter().flatten().cloned().collect();
        let mut contents = self.read_blobs(&wanted)?.into_iter();
        Ok(blobs.into_iter().map(|blob| blob.and_then(|_| contents.next())).collect())
    }

    /// The tree that a merge of two commits would give, conflicts or not; `None` where git is older than
    /// 2.38 or the two have nothing in common.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn merged_tree(&self, ours: &Oid, theirs: &Oid) -> Result<Option<Oid>, GitError> {
        let answer =
            self.run(Call::new(["merge-tree", "--write-tree", "--name-only", ours.as_str(), theirs.as_str()]))?;
        Ok(answer.text().lines().next().and_then(Oid::parse))
    }

    /// The tracked and untracked text files that have a text, from the top of the work tree.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn files_with(&self, text: &str) -> Result<Vec<String>, GitError> {
        let call = Call::new(["grep", "-l", "-z", "-I", "-F", "--untracked", "--no-color", "--full-name", "-e", text]);
        let answer = self.run(call)?;
        match answer.code {
            Some(0 | 1) => {
                let text = answer.text();
                Ok(text.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
            }
            _ => Err(self.refused(answer)),
        }
    }

    /// The lines of tracked files that have one of these words, as `path:line:text`.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn lines_with(&self, words: &[String]) -> Result<Vec<String>, GitError> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let patterns = words.iter().flat_map(|word| ["-e".to_owned(), word.clone()]);
        let call =
            Call::new(["grep", "-n", "-I", "-w", "-F", "--untracked", "--no-color", "--full-name"]).args(patterns);
        let answer = self.run(call)?;
        match answer.code {
            Some(0 | 1) => Ok(answer.text().lines().map(str::to_owned).collect()),
            _ => Err(self.refused(answer)),
        }
    }
}

/// Reads `mode SP name NUL oid` again and again.
fn names_of_tree(mut rest: &[u8], oid_bytes: usize) -> Vec<(String, Oid)> {
    let mut names = Vec::new();
    while let Some(nul) = rest.iter().position(|byte| *byte == 0) {
        let (entry, after) = rest.split_at_checked(nul).unwrap_or_default();
        let (oid, after) = after.get(1..).and_then(|after| after.split_at_checked(oid_bytes)).unwrap_or_default();
        if let Some(space) = entry.iter().position(|byte| *byte == b' ')
            && let Some(oid) = Oid::of_bytes(oid)
        {
            names.push((String::from_utf8_lossy(entry.get(space + 1..).unwrap_or_default()).into_owned(), oid));
        }
        rest = after;
    }
    names
}
