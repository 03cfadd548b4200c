//! One attempt at a commit; it fails without a trace if `HEAD` moves meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::index::Listing;
use super::objects::pathspecs;
use super::scratch_index::ScratchIndex;
use super::{AtLimit, Call, CommitRequest, Git, GitError, Mode, Oid, Reason, SUBJECT};
use crate::bounds::deadline;

/// How long signing may take: longer means that it asks somebody.
const SIGNING: Duration = Duration::from_secs(10);
/// How long is waited between two looks at a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(25);
/// How much every pipe takes at once. Of more a killed writer leaves a part, and git would take half of a line
/// for a whole one, with half of a name.
const PIPE_BYTES: usize = 16 << 10;

/// Until when all must be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    started: Instant,
    limit: Duration,
}

impl Deadline {
    pub(super) fn after(limit: Duration) -> Self {
        Self { started: Instant::now(), limit: deadline::within(limit) }
    }

    fn left(self) -> Duration {
        self.limit.saturating_sub(self.started.elapsed())
    }

    pub(super) fn pause(self, pause: Duration) {
        thread::sleep(pause.min(self.left()));
    }
}

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Step {
    Committed { oid: Oid, files: usize },
    Skip(Reason),
    HeadMoved,
}

/// One attempt at a commit.
pub(super) struct Attempt<'a> {
    pub(super) git: &'a Git,
    pub(super) request: &'a CommitRequest<'a>,
    pub(super) deadline: Deadline,
}

type Entries = BTreeMap<Vec<u8>, (Mode, Oid)>;

impl Attempt<'_> {
    /// Goes through all steps: look, put together, stage, publish.
    pub(super) fn run(&self) -> Result<Step, GitError> {
        let head = match self.ready()? {
            Ok(head) => head,
            Err(reason) => return Ok(Step::Skip(reason)),
        };
        let listing = self.git.changes(self.request.prefixes, self.deadline.left())?;
        if listing.unmerged.iter().any(|path| self.owns(path)) {
            return Ok(Step::Skip(Reason::Unmerged));
        }
        let paths = self.candidates(&listing, head.as_ref())?;
        if paths.is_empty() {
            return Ok(Step::Skip(Reason::Unchanged));
        }
        let scratch = ScratchIndex::create(self.git.layout(), self.request.now)?;
        let Some((tree, entries)) = self.put_together(&scratch, head.as_ref(), &paths)? else {
            return Ok(Step::Skip(Reason::Unchanged));
        };
        let commit = match self.commit(&tree, head.as_ref())? {
            Ok(commit) => commit,
            Err(reason) => return Ok(Step::Skip(reason)),
        };
        // Only the user's own index and branch are left to change: look again at what they do.
        if let Some(operation) = self.git.layout().operation_under_way() {
            return Ok(Step::Skip(Reason::UnderWay(operation)));
        }
        if !self.stage(&listing, &entries, &paths)? {
            return Ok(Step::Skip(Reason::IndexLocked));
        }
        self.publish(commit, head.as_ref(), paths.len())
    }

    /// The commit that is checked out, or why this is no moment for another one.
    fn ready(&self) -> Result<Result<Option<Oid>, Reason>, GitError> {
        let layout = self.git.layout();
        if let Some(operation) = layout.operation_under_way() {
            return Ok(Err(Reason::UnderWay(operation)));
        }
        // Whoever holds the lock is changing files, index and `HEAD`, one after the other.
        while layout.git_dir.join("index.lock").exists() {
            if self.deadline.left().is_zero() {
                return Ok(Err(Reason::IndexLocked));
            }
            self.deadline.pause(LOCK_PAUSE);
        }
        let head = self.git.head_oid()?;
        if head.is_some() && !layout.git_dir.join("index").exists() {
            return Ok(Err(Reason::NotCheckedOut));
        }
        match (self.request.throttle, &head) {
            (Some(throttle), Some(head)) => Ok(self.throttled(throttle, head)?.map_or(Ok(Some(head.clone())), Err)),
            _ => Ok(Ok(head)),
        }
    }

    /// Whether a commit of ours to these paths is too fresh. One far in the future does not count:
    /// a wrong clock must not stop all commits until its time has come.
    fn throttled(&self, throttle: Duration, head: &Oid) -> Result<Option<Reason>, GitError> {
        let seconds = throttle.as_secs();
        let since = self.request.now.saturating_sub_unsigned(seconds);
        let call =
            Call::new(["rev-list", "--format=%ct %s", &format!("--max-age={}", since.max(0)), head.as_str(), "--"]);
        let call = call.args(pathspecs(self.request.prefixes)).limit(self.deadline.left());
        let answer = self.git.succeed(call)?.text();
        let ours = answer.lines().filter_map(|line| line.split_once(' ')).filter(|(_, rest)| rest.starts_with(SUBJECT));
        let ages = ours.filter_map(|(time, _)| Some(self.request.now.abs_diff(time.parse().ok()?)));
        Ok(ages.filter(|age| *age < seconds).min().map(|age| Reason::Throttled { age }))
    }

    fn owns(&self, path: &[u8]) -> bool {
        str::from_utf8(path).is_ok_and(|path| (self.request.owns)(path))
    }

    /// The owned paths whose file may differ from `head`, whichever of the two has it.
    fn candidates(&self, listing: &Listing, head: Option<&Oid>) -> Result<BTreeSet<Vec<u8>>, GitError> {
        let mut paths = listing.changed.clone();
        if let Some(head) = head {
            let call = Call::new(["diff-index", "--cached", "-z", "--name-only", "--no-renames", head.as_str(), "--"]);
            let call = call.args(pathspecs(self.request.prefixes)).limit(self.deadline.left());
            let output = self.git.succeed(call)?;
            let staged = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
            paths.extend(staged.map(<[u8]>::to_vec));
        } else {
            paths.extend(listing.staged.keys().cloned());
        }
        paths.retain(|path| !listing.hidden.contains(path) && self.owns(path) && self.can_be_kept(path));
        Ok(paths)
    }

    /// Whether git can record what is at a path: a file, a link, or that there is none.
    fn can_be_kept(&self, path: &[u8]) -> bool {
        let there = str::from_utf8(path).map(|path| fs::symlink_metadata(self.git.layout().work_tree.join(path)));
        there.is_ok_and(|there| there.map_or(true, |there| there.is_file() || there.is_symlink()))
    }

    /// Writes the tree of the new commit, and tells what it has at the paths; `None` if it is `head`'s.
    fn put_together(
        &self,
        scratch: &ScratchIndex,
        head: Option<&Oid>,
        paths: &BTreeSet<Vec<u8>>,
    ) -> Result<Option<(Oid, Entries)>, GitError> {
        let left = || self.deadline.left();
        let from = head.map_or("--empty", Oid::as_str);
        self.git.succeed(scratch.call(["read-tree", from], left()))?;
        let mut names = paths.iter().flat_map(|path| path.iter().chain([&0])).copied().collect::<Vec<u8>>();
        let update = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"];
        self.git.succeed(scratch.call(update, left()).stdin(std::mem::take(&mut names)))?;
        let tree = self.git.succeed(scratch.call(["write-tree"], left()))?.oid()?;
        if let Some(head) = head {
            let before = Call::new(["rev-parse", "--verify", &format!("{head}^{{tree}}")]).limit(left());
            if self.git.succeed(before)?.oid()? == tree {
                return Ok(None);
            }
        }
        let call = scratch.call(["ls-files", "-z", "-t", "--stage", "--"], left());
        let mut entries = self.git.listing(call.args(pathspecs(self.request.prefixes)))?.staged;
        entries.retain(|path, _| paths.contains(path));
        Ok(Some((tree, entries)))
    }

    /// Writes the commit object, signed where the user's configuration asks for it.
    fn commit(&self, tree: &Oid, head: Option<&Oid>) -> Result<Result<Oid, Reason>, GitError> {
        let asked = self.git.run(Call::new(["config", "--type=bool", "--get", "commit.gpgsign"]))?;
        let signed = match asked.code {
            Some(0) => asked.text().trim() == "true",
            Some(1) => false,
            _ => return Err(self.git.refused(asked)),
        };
        let call = self.commit_call(tree, head, signed);
        match (self.git.succeed(call), signed) {
            (Ok(output), _) => output.oid().map(Ok),
            (Err(GitError::Failed { stderr, .. }), true) => Ok(Err(Reason::Unsigned { why: stderr })),
            (Err(GitError::TimedOut { .. }), true) => {
                Ok(Err(Reason::Unsigned { why: "it takes long, as if it asked somebody".to_owned() }))
            }
            (Err(error), _) => Err(error),
        }
    }

    fn commit_call(&self, tree: &Oid, head: Option<&Oid>, signed: bool) -> Call {
        let date = format!("@{} +0000", self.request.now);
        let left = self.deadline.left();
        let call = Call::new(["-c", "i18n.commitEncoding=UTF-8", "commit-tree"])
            .args(signed.then_some("-S"))
            .args(head.into_iter().flat_map(|head| ["-p", head.as_str()]))
            .args([tree.as_str()])
            .stdin(self.message().into_bytes())
            .variable("GIT_AUTHOR_DATE", &date)
            .variable("GIT_COMMITTER_DATE", &date)
            .limit(if signed { left.min(SIGNING) } else { left });
        if !signed {
            return call;
        }
        // Without a terminal and a screen nobody can be asked for a passphrase.
        [("GPG_TTY", ""), ("DISPLAY", ""), ("WAYLAND_DISPLAY", ""), ("SSH_ASKPASS_REQUIRE", "never")]
            .into_iter()
            .fold(call, |call, (name, value)| call.variable(name, value))
    }

    fn message(&self) -> String {
        let message = self.request.message.trim();
        let subject = if message.starts_with(SUBJECT) { "" } else { "headwater: " };
        format!("{subject}{message}\n")
    }

    /// Gives the user's index the same entries, for these paths alone; `false` if it stays locked.
    ///
    /// This comes before `HEAD` moves: a process that is killed in between leaves files staged, where
    /// the other order would stage their removal.
    fn stage(&self, listing: &Listing, entries: &Entries, paths: &BTreeSet<Vec<u8>>) -> Result<bool, GitError> {
        let mut batches: Vec<Vec<u8>> = Vec::new();
        for path in paths.iter().filter(|path| listing.staged.get(*path) != entries.get(*path)) {
            let mut line = match entries.get(path) {
                Some((mode, oid)) => format!("{} {oid}\t", mode.octal()).into_bytes(),
                None => format!("0 {}\t", "0".repeat(40)).into_bytes(),
            };
            line.extend_from_slice(path);
            line.push(0);
            match batches.last_mut().filter(|batch| batch.len() + line.len() <= PIPE_BYTES) {
                Some(batch) => batch.append(&mut line),
                None => batches.push(line),
            }
        }
        for batch in batches {
            if !self.stage_batch(&batch)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn stage_batch(&self, lines: &[u8]) -> Result<bool, GitError> {
        loop {
            let call = Call::new(["update-index", "-z", "--index-info"]).stdin(lines.to_vec());
            let limit = self.deadline.left().max(LOCK_PAUSE);
            let answer = self.git.run(call.limit(limit).at_limit(AtLimit::LetFinish))?;
            if answer.success() {
                return Ok(true);
            }
            if !answer.stderr.contains("index.lock") {
                return Err(self.git.refused(answer));
            }
            if self.deadline.left().is_zero() {
                return Ok(false);
            }
            self.deadline.pause(LOCK_PAUSE);
        }
    }

    /// Moves `HEAD`, and the branch that it names, from `head` to the new commit.
    fn publish(&self, commit: Oid, head: Option<&Oid>, files: usize) -> Result<Step, GitError> {
        let old = head.map_or_else(|| commit.zeros(), Oid::to_string);
        let subject = self.message().lines().next().unwrap_or_default().to_owned();
        let call = Call::new(["update-ref", "-m", &subject, "HEAD", commit.as_str(), &old]);
        let limit = self.deadline.left().max(LOCK_PAUSE);
        let answer = self.git.run(call.limit(limit).at_limit(AtLimit::LetFinish))?;
        if answer.success() {
            return Ok(Step::Committed { oid: commit, files });
        }
        if self.git.head_oid()?.as_ref() != head || answer.stderr.contains(".lock") {
            return Ok(Step::HeadMoved);
        }
        Err(self.git.refused(answer))
    }
}
