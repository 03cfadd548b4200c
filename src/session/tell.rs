//! Telling a span once: claimed, captured, composed, written, kept, and only then forgotten.

use super::capture::{Told, Traces};
use super::compose::{ComposeError, compose};
use super::marker::{Claim, Marker, Markers, Pending, Stage};
use super::spare::Spares;
use super::{reflog, transcript};
use crate::config::Config;
use crate::event::encode::Draft;
use crate::event::text::collapse;
use crate::event::{EventId, Timestamp};
use crate::git::{Git, GitError, Layout};
use crate::ledger::State;
use crate::ledger::rule::SectionState;
use crate::secrets::mask;
use crate::store::{
    LedgerDir, NothingHidden, StoreError, create_event, ensure_readme, fold_ledger, open_tail, written_since,
};
use crate::trust::consent::{Captures, Consents};
use crate::trust::path::LedgerPlace;
use std::collections::BTreeSet;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where and when a span is told.
pub struct Teller<'a> {
    /// The work tree of whoever tells it.
    pub layout: &'a Layout,
    /// The configuration there.
    pub config: &'a Config,
    /// The configuration of another work tree of the repository; none where it cannot be read.
    pub config_of: &'a dyn Fn(&Layout) -> Option<Config>,
    /// What the user of this clone agreed to.
    pub consents: &'a Consents,
    /// The ledger's path from the top of this work tree.
    pub ledger: &'a str,
    /// The ledger, where the user named one outside the worktree: all of this clone's sessions are told there.
    pub outside: Option<&'a LedgerDir>,
    /// Now, for the event.
    pub now: Timestamp,
    /// Now, for files.
    pub clock: SystemTime,
    /// What nobody else claims by.
    pub claimer: &'a str,
}

impl std::fmt::Debug for Teller<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teller").field("layout", &self.layout).field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

/// Why a span is told.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// The type of the event.
    pub kind: &'a str,
    /// The reason that it gives.
    pub reason: Option<&'a str>,
    /// Whether the session goes on, or may: a new span begins.
    pub goes_on: bool,
    /// Whether it is another session that tells it.
    pub is_recovery: bool,
    /// How long git may look for uncommitted files.
    pub limit: Duration,
}

/// The reason of an event that is written because the agent is about to forget.
pub const COMPACTION: &str = "compaction";

impl Occasion<'_> {
    /// A session ended without a word, as far as can be seen.
    #[must_use]
    pub const fn recovery(goes_on: bool) -> Self {
        Self { kind: "session_end", reason: Some("recovered"), goes_on, is_recovery: true, limit: PATIENT_LIMIT }
    }
}

/// Why a span could not be told. It stays claimed, and another hook tells it later.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TellError {
    /// A file cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No event can be made of it.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// git could not say what was left behind, so that there may be something to tell.
    #[error("it could not be seen what a session on `{branch}` did; the next start tries again")]
    Unseen {
        /// The branch of the session.
        branch: String,
        /// What git said.
        #[source]
        source: GitError,
    },
}

/// How long git may look for the commits of a work tree that is gone.
const LOG_LIMIT: Duration = Duration::from_secs(2);

/// How long git may look for uncommitted files when a claim is finished that another hook could not.
const PATIENT_LIMIT: Duration = Duration::from_secs(4);

/// How long the telling of another session is waited for.
const TURN_LIMIT: Duration = Duration::from_millis(300);

/// What is left of a session where it worked.
struct Seen {
    home: Option<Layout>,
    /// The configuration there, where it is another work tree's.
    own: Option<Config>,
    traces: Traces,
    /// Why that may not be all.
    unseen: Option<GitError>,
}

/// How much of a transcript's end is read.
const TAIL_BYTES: u64 = 8 << 20;

impl Teller<'_> {
    /// Tells the span of a session; the path of its event, if there was something to tell.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn tell(&self, key: &str, occasion: Occasion<'_>) -> Result<Option<PathBuf>, TellError> {
        let markers = Markers::of(self.layout);
        let Some(claim) = markers.claim(key, self.clock, self.claimer)? else { return Ok(None) };
        if let (Stage::Claimed(marker), true) = (&claim.stage, occasion.goes_on) {
            let home = self.home(marker);
            let log = home.as_ref().map_or_else(|| marker.log.clone(), |layout| reflog::mark(&layout.head_log()));
            let head = match (log.last.as_str(), home) {
                ("", Some(home)) => Git::at(&home).head_oid().ok().flatten().map(|oid| oid.to_string()),
                ("", None) => marker.last.clone(),
                (last, _) => Some(last.to_owned()),
            };
            let began = self.now.unix_nanos();
            let rest = Marker { began, head, log, is_rest: occasion.is_recovery, ..(**marker).clone() };
            markers.create(key, &rest)?;
        }
        self.finish(&markers, &claim, occasion, false)
    }

    /// Finishes what other hooks began and did not end; what came of each.
    ///
    /// # Errors
    /// The claims cannot be listed.
    pub fn finish_abandoned(&self) -> Result<Vec<Result<Option<PathBuf>, TellError>>, TellError> {
        let markers = Markers::of(self.layout);
        let occasion = Occasion::recovery(false);
        let claims = markers.abandoned(self.clock, self.claimer)?;
        Ok(claims.iter().map(|claim| self.finish(&markers, claim, occasion, true)).collect())
    }

    /// `at_last`: what cannot be seen now will not be seen later.
    fn finish(
        &self,
        markers: &Markers,
        claim: &Claim,
        occasion: Occasion<'_>,
        at_last: bool,
    ) -> Result<Option<PathBuf>, TellError> {
        let seen = match &claim.stage {
            Stage::Composed(_) => None,
            Stage::Claimed(marker) => Some((marker, self.look(marker, occasion))),
        };
        // Sessions of one work tree see the same commits: each looks at what the one before has told.
        markers.in_turn(TURN_LIMIT, || {
            let (pending, may_stand) = match (&claim.stage, seen) {
                (Stage::Composed(pending), _) => (pending.clone(), true),
                (Stage::Claimed(_), None) => return Ok(None),
                (Stage::Claimed(_), Some((marker, seen))) => {
                    let Some(pending) = self.compose(marker, seen, occasion, at_last)? else {
                        markers.finish(claim)?;
                        return Ok(None);
                    };
                    if !markers.compose(claim, &pending)? {
                        return Ok(None);
                    }
                    (pending, false)
                }
            };
            let written = self.write(&pending, may_stand)?;
            markers.finish(claim)?;
            Ok(written)
        })
    }

    /// Looks at what is left of a session where it worked. What is told of a work tree, and where, its own
    /// configuration says.
    fn look(&self, marker: &Marker, occasion: Occasion<'_>) -> Seen {
        let home = self.home(marker);
        let own = home.as_ref().filter(|home| home.work_tree != self.layout.work_tree).and_then(self.config_of);
        let branch = match &home {
            Some(layout) if !occasion.is_recovery => layout.branch().ok().flatten(),
            _ => marker.branch.clone(),
        };
        let config = own.as_ref().unwrap_or(self.config);
        let (traces, unseen) = self.traces(marker, home.as_ref(), branch, config, occasion);
        Seen { home, own, traces, unseen }
    }

    /// The event of a span, for the ledger of its own work tree, or of this one where that is gone.
    fn compose(
        &self,
        marker: &Marker,
        seen: Seen,
        occasion: Occasion<'_>,
        at_last: bool,
    ) -> Result<Option<Pending>, TellError> {
        let Seen { home, own, traces, unseen } = seen;
        let layout = home.as_ref().unwrap_or(self.layout);
        let config = own.as_ref().unwrap_or(self.config);
        let is_named =
            |config: &&Config| !occasion.is_recovery && config.ledgers.iter().any(|path| path == self.ledger);
        let other = own.as_ref().filter(|config| !is_named(config)).and_then(|config| config.ledgers.first());
        let ledger_path = other.map_or(self.ledger, String::as_str);
        let folded = self
            .ledger_in(&layout.work_tree, ledger_path)
            .and_then(|ledger| fold_ledger(&ledger, &config.schema, &NothingHidden));
        let state = match folded {
            Ok(folded) => folded.state,
            // A ledger behind a link is not written to either: the event goes where this session's ledger is.
            Err(StoreError::NoLedger(_) | StoreError::Refused(_)) => State::default(),
            Err(error) => return Err(error.into()),
        };
        let agent = mask(&marker.agent).into_owned();
        let mut told = told(&state, &agent, marker.session_began);
        // Who came later knows better what is being done now.
        told.now |= occasion.is_recovery && says_now_since(&state, marker.seen);
        let body = traces.body(&told, &config.schema);
        let branch = traces.branch;
        if let (true, false, Some(source)) = (body.is_empty(), at_last, unseen) {
            return Err(TellError::Unseen { branch: branch.unwrap_or_default(), source });
        }
        if body.is_empty() {
            return Ok(None);
        }
        let draft = Draft {
            ts: self.now,
            agent,
            branch: branch.map(|branch| mask(&branch).into_owned()),
            kind: occasion.kind.to_owned(),
            reason: occasion.reason.map(|reason| mask(reason).into_owned()),
            parents: None,
            body,
        };
        match compose(draft, &state, &config.schema, false) {
            Ok(event) => Ok(Some(Pending {
                work_tree: layout.work_tree.clone(),
                ledger: ledger_path.to_owned(),
                stem: event.stem,
                text: event.text,
            })),
            Err(ComposeError::Empty) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What a span left behind, and why that may not be all.
    fn traces(
        &self,
        marker: &Marker,
        home: Option<&Layout>,
        branch: Option<String>,
        config: &Config,
        occasion: Occasion<'_>,
    ) -> (Traces, Option<GitError>) {
        let seconds = i64::try_from(marker.began / 1_000_000_000).unwrap_or_default();
        let log = home.map(Layout::head_log).unwrap_or_default();
        let mut commits = reflog::subjects(&reflog::since(&log, &marker.log, seconds));
        let mut unseen = None;
        if log.is_empty() || !reflog::continues(&log, &marker.log) {
            // The log went with the work tree, or there is none; the commits may still be there.
            match self.commits_since(marker, home) {
                Ok(others) => commits.extend(others),
                Err(error) => unseen = Some(error),
            }
        }
        let uncommitted = match home.map(|layout| uncommitted(layout, marker.began, config, occasion.limit)) {
            Some(Err(error)) => {
                unseen = Some(error);
                Vec::new()
            }
            other => other.and_then(Result::ok).unwrap_or_default(),
        };
        let transcript::Transcript { done, open, request } =
            transcript(marker, &self.consents.captures(&config.capture));
        (Traces { branch, commits, uncommitted, done, open, request }, unseen)
    }

    /// The commits between the beginning of a span and its last known end, where no log tells them.
    fn commits_since(&self, marker: &Marker, home: Option<&Layout>) -> Result<Vec<reflog::Commit>, GitError> {
        let Some(head) = &marker.head else { return Ok(Vec::new()) };
        let git = Git::at(home.unwrap_or(self.layout));
        let branch = marker.branch.as_ref().map(|branch| format!("refs/heads/{branch}"));
        let here = home.map(|_| "HEAD".to_owned());
        let mut found = Vec::new();
        let mut failed = None;
        for tip in here.iter().chain(&branch).chain(&marker.last) {
            match git.subjects_between(head, tip, LOG_LIMIT) {
                Ok(subjects) => found.extend(subjects),
                Err(error) => failed = Some(error),
            }
        }
        if let (true, Some(error)) = (found.is_empty(), failed) {
            return Err(error);
        }
        let own = |subject: &str| subject.starts_with(crate::git::SUBJECT);
        let mut told = BTreeSet::new();
        found.retain(|(oid, subject)| !own(subject) && told.insert(oid.clone()));
        Ok(found.into_iter().map(|(oid, subject)| reflog::Commit { oid, subject }).collect())
    }

    /// The work tree of a marker, if it is still there, and this repository's.
    fn home(&self, marker: &Marker) -> Option<Layout> {
        let layout = Layout::discover(&marker.work_tree).ok().flatten()?;
        (layout.work_tree == marker.work_tree && layout.common_dir == self.layout.common_dir).then_some(layout)
    }

    /// The ledger at a path from the top of a worktree, which no link of a branch leads out of it.
    fn ledger_in(&self, top: &Path, name: &str) -> Result<LedgerDir, StoreError> {
        match self.outside {
            Some(ledger) => Ok(ledger.clone()),
            None => Ok(LedgerDir::new(LedgerPlace::in_tree(top, name)?)),
        }
    }

    /// Writes a composed event, unless it `may_stand` written already and does, and keeps a copy.
    fn write(&self, pending: &Pending, may_stand: bool) -> Result<Option<PathBuf>, TellError> {
        let there = Layout::discover(&pending.work_tree).ok().flatten();
        let same = there.filter(|layout| layout.common_dir == self.layout.common_dir);
        let work_tree = same.map_or_else(|| self.layout.work_tree.clone(), |layout| layout.work_tree);
        let id = EventId::of(&pending.text);
        let ledger = self.ledger_in(&work_tree, &pending.ledger);
        let stands = || match ledger.as_ref().map(|ledger| fold_ledger(ledger, &self.config.schema, &NothingHidden)) {
            Ok(Ok(folded)) => Ok(folded.state.events().contains_key(&id)),
            Err(_) | Ok(Err(StoreError::NoLedger(_))) => Ok(false),
            Ok(Err(error)) => Err(error),
        };
        let create = |ledger: &LedgerDir| {
            ensure_readme(ledger)?;
            create_event(ledger, &pending.stem, &pending.text)
        };
        let written = if may_stand && stands()? {
            None
        } else {
            // A worktree that cannot be written to must not keep the event from everybody.
            let is_here = work_tree == self.layout.work_tree && pending.ledger == self.ledger;
            match ledger.and_then(|ledger| create(&ledger)) {
                Err(_) if !is_here => Some(create(&self.ledger_in(&self.layout.work_tree, self.ledger)?)?),
                written => Some(written?),
            }
        };
        // No worktree takes a ledger outside along when it is removed.
        if self.outside.is_none() {
            Spares::of(self.layout).keep(&pending.ledger, &id, &pending.stem, &pending.text)?;
        }
        Ok(written)
    }
}

/// The files outside the ledgers that were changed since the span began and are not committed.
fn uncommitted(layout: &Layout, began: i128, config: &Config, limit: Duration) -> Result<Vec<String>, GitError> {
    let mut files = Git::at(layout).uncommitted(limit)?;
    let own = |path: &str| {
        let below = |ledger: &String| path.strip_prefix(ledger.as_str()).is_some_and(|rest| rest.starts_with('/'));
        config.ledgers.iter().any(below)
    };
    files.retain(|path| !own(path) && written_since(&layout.work_tree.join(path), began));
    Ok(files)
}

fn transcript(marker: &Marker, granted: &Captures) -> transcript::Transcript {
    let path = marker.transcript.as_deref().filter(|_| !granted.is_empty());
    let file = path.and_then(|path| open_tail(path, TAIL_BYTES));
    file.and_then(|file| transcript::read(BufReader::new(file), marker.began, granted).ok()).unwrap_or_default()
}

/// Whether somebody has said since an instant what is being done now.
fn says_now_since(state: &State, instant: i128) -> bool {
    match state.section("now") {
        Some(SectionState::Register(writes)) => {
            writes.newest_first().any(|(origin, text)| text.is_some() && origin.stamp.ts.unix_nanos() > instant)
        }
        _ => false,
    }
}

/// What an agent's events say since an instant.
fn told(state: &State, agent: &str, since: i128) -> Told {
    let mut told = Told::default();
    let own = |origin: &crate::event::Origin| origin.stamp.agent == agent && origin.stamp.ts.unix_nanos() >= since;
    for (_, section) in state.sections() {
        if let SectionState::Set(set) = section {
            let items = set.items().filter(|(_, item)| item.last().is_some_and(|origin| own(origin)));
            told.items.extend(items.map(|(text, _)| collapse(text).trim().to_owned()));
        }
    }
    if let Some(SectionState::Register(writes)) = state.section("now") {
        // What a hook wrote of an earlier span is no word of the agent's.
        let by_hook = |origin: &crate::event::Origin| match origin.meta.kind.as_deref() {
            Some("session_end") => true,
            Some("checkpoint") => origin.meta.reason.as_deref() == Some(COMPACTION),
            _ => false,
        };
        told.now = writes.newest_first().any(|(origin, text)| text.is_some() && own(origin) && !by_hook(origin));
    }
    told
}

/// The end of a work tree's path, for people.
#[must_use]
pub fn place(work_tree: &Path) -> String {
    work_tree.file_name().map_or_else(|| work_tree.display().to_string(), |name| name.to_string_lossy().into_owned())
}
