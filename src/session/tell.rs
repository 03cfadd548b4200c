//! Telling a span once: claimed, captured, composed, written, kept, and only then forgotten.

use super::capture::{Told, Traces};
use super::compose::{ComposeError, compose};
use super::marker::{Claim, Marker, Markers, Pending, Stage};
use super::spare::Spares;
use super::{reflog, transcript};
use crate::config::{Captured, Config};
use crate::event::encode::Draft;
use crate::event::text::collapse;
use crate::event::{EventId, Timestamp};
use crate::git::{Git, Layout};
use crate::ledger::State;
use crate::ledger::rule::SectionState;
use crate::store::{
    LedgerDir, NothingHidden, StoreError, create_event, ensure_readme, fold_ledger, open_tail, written_since,
};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where and when a span is told.
#[derive(Debug)]
pub struct Teller<'a> {
    /// The work tree of whoever tells it.
    pub layout: &'a Layout,
    /// The configuration there.
    pub config: &'a Config,
    /// The ledger's path from the top of a work tree.
    pub ledger: &'a str,
    /// Now, for the event.
    pub now: Timestamp,
    /// Now, for files.
    pub clock: SystemTime,
    /// What nobody else claims by.
    pub claimer: &'a str,
}

/// Why a span is told.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// The type of the event.
    pub kind: &'a str,
    /// The reason that it gives.
    pub reason: Option<&'a str>,
    /// Whether the session goes on, and with it a new span.
    pub goes_on: bool,
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
}

/// What is left of a session where it worked.
struct Seen {
    home: Option<Layout>,
    traces: Traces,
}

/// How long the telling of another session is waited for.
const TURN_LIMIT: Duration = Duration::from_millis(300);

/// How long git may look for uncommitted files.
const STATUS_LIMIT: Duration = Duration::from_millis(600);

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
                ("", Some(home)) => Git::at(&home).head_oid().ok().flatten().map(|oid| oid.as_str().to_owned()),
                ("", None) => marker.head.clone(),
                (last, _) => Some(last.to_owned()),
            };
            let rest = Marker { began: self.now.unix_nanos(), log, head, is_rest: true, ..(**marker).clone() };
            markers.create(key, &rest)?;
        }
        self.finish(&markers, &claim, occasion)
    }

    /// Finishes what other hooks began and did not end; what came of each.
    ///
    /// # Errors
    /// The claims cannot be listed.
    pub fn finish_abandoned(&self) -> Result<Vec<Result<Option<PathBuf>, TellError>>, TellError> {
        let markers = Markers::of(self.layout);
        let occasion = Occasion { kind: "session_end", reason: Some("recovered"), goes_on: false };
        let claims = markers.abandoned(self.clock, self.claimer)?;
        Ok(claims.iter().map(|claim| self.finish(&markers, claim, occasion)).collect())
    }

    fn finish(&self, markers: &Markers, claim: &Claim, occasion: Occasion<'_>) -> Result<Option<PathBuf>, TellError> {
        let seen = match &claim.stage {
            Stage::Composed(_) => None,
            Stage::Claimed(marker) => Some((marker, self.look(marker))),
        };
        // Sessions of one work tree see the same commits: each looks at what the one before has told.
        markers.in_turn(TURN_LIMIT, || {
            let (pending, may_stand) = match (&claim.stage, seen) {
                (Stage::Composed(pending), _) => (pending.clone(), true),
                (Stage::Claimed(_), None) => return Ok(None),
                (Stage::Claimed(_), Some((marker, seen))) => {
                    let Some(pending) = self.compose(marker, seen, occasion)? else {
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

    fn look(&self, marker: &Marker) -> Seen {
        let home = self.home(marker);
        let branch = home.as_ref().and_then(|layout| layout.branch().ok().flatten()).or_else(|| marker.branch.clone());
        let traces = self.traces(marker, home.as_ref(), branch);
        Seen { home, traces }
    }

    /// The event of a span, for the ledger of its own work tree, or of this one where that is gone.
    fn compose(&self, marker: &Marker, seen: Seen, occasion: Occasion<'_>) -> Result<Option<Pending>, TellError> {
        let Seen { home, traces } = seen;
        let layout = home.as_ref().unwrap_or(self.layout);
        let ledger = LedgerDir::new(layout.work_tree.join(self.ledger));
        let state = match fold_ledger(&ledger, &self.config.schema, &NothingHidden) {
            Ok(folded) => folded.state,
            Err(StoreError::NoLedger(_)) => State::default(),
            Err(error) => return Err(error.into()),
        };
        let told = told(&state, &marker.agent, marker.session_began);
        let body = traces.body(&told, &self.config.schema);
        if body.is_empty() {
            return Ok(None);
        }
        let draft = Draft {
            ts: self.now,
            agent: marker.agent.clone(),
            branch: traces.branch,
            kind: occasion.kind.to_owned(),
            reason: occasion.reason.map(ToOwned::to_owned),
            parents: None,
            body,
        };
        match compose(draft, &state, &self.config.schema, false) {
            Ok(event) => Ok(Some(Pending {
                work_tree: layout.work_tree.clone(),
                ledger: self.ledger.to_owned(),
                stem: event.stem,
                text: event.text,
            })),
            Err(ComposeError::Empty) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn traces(&self, marker: &Marker, home: Option<&Layout>, branch: Option<String>) -> Traces {
        let seconds = i64::try_from(marker.began / 1_000_000_000).unwrap_or_default();
        let log = home.map(Layout::head_log).unwrap_or_default();
        let commits = match home {
            Some(_) if !log.is_empty() => reflog::subjects(&reflog::since(&log, &marker.log, seconds)),
            // No log is kept, or it went with the work tree; the branch may still be there.
            _ => self.branch_commits(home, marker),
        };
        let uncommitted = home.map(|layout| self.uncommitted(layout, marker.began)).unwrap_or_default();
        let read = self.transcript(marker);
        let asked = |what: Captured| self.config.capture.contains(&what);
        let (done, open) = if asked(Captured::Todos) { (read.done, read.open) } else { (Vec::new(), Vec::new()) };
        let request = read.request.filter(|_| asked(Captured::Request));
        Traces { branch, commits, uncommitted, done, open, request }
    }

    fn branch_commits(&self, home: Option<&Layout>, marker: &Marker) -> Vec<reflog::Commit> {
        let tip = match (home, &marker.branch) {
            (Some(_), _) => Some("HEAD".to_owned()),
            (None, Some(branch)) => Some(format!("refs/heads/{branch}")),
            (None, None) => None,
        };
        let (Some(head), Some(tip)) = (&marker.head, tip) else { return Vec::new() };
        Git::at(home.unwrap_or(self.layout))
            .subjects_between(head, &tip, STATUS_LIMIT)
            .unwrap_or_default()
            .into_iter()
            .filter(|(_, subject)| !subject.starts_with(crate::git::SUBJECT))
            .map(|(oid, subject)| reflog::Commit { oid, subject })
            .collect()
    }

    /// The files outside the ledger that were changed since the span began and are not committed.
    fn uncommitted(&self, layout: &Layout, began: i128) -> Vec<String> {
        let mut files = Git::at(layout).uncommitted(STATUS_LIMIT).unwrap_or_default();
        let own = |path: &str| {
            self.config
                .ledgers
                .iter()
                .any(|ledger| path.strip_prefix(ledger.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        files.retain(|path| !own(path) && written_since(&layout.work_tree.join(path), began));
        files
    }

    fn transcript(&self, marker: &Marker) -> transcript::Transcript {
        let path = marker.transcript.as_deref().filter(|_| !self.config.capture.is_empty());
        let file = path.and_then(|path| open_tail(path, TAIL_BYTES));
        file.and_then(|file| transcript::read(BufReader::new(file), marker.began).ok()).unwrap_or_default()
    }

    /// The work tree of a marker, if it is still there, and this repository's.
    fn home(&self, marker: &Marker) -> Option<Layout> {
        let layout = Layout::discover(&marker.work_tree).ok().flatten()?;
        (layout.work_tree == marker.work_tree && layout.common_dir == self.layout.common_dir).then_some(layout)
    }

    /// Writes a composed event, unless it `may_stand` written already and does, and keeps a copy.
    fn write(&self, pending: &Pending, may_stand: bool) -> Result<Option<PathBuf>, TellError> {
        let there = Layout::discover(&pending.work_tree).ok().flatten();
        let same = there.filter(|layout| layout.common_dir == self.layout.common_dir);
        let work_tree = same.map_or_else(|| self.layout.work_tree.clone(), |layout| layout.work_tree);
        let ledger = LedgerDir::new(work_tree.join(&pending.ledger));
        let id = EventId::of(&pending.text);
        let stands = || match fold_ledger(&ledger, &self.config.schema, &NothingHidden) {
            Ok(folded) => Ok(folded.state.events().contains_key(&id)),
            Err(StoreError::NoLedger(_)) => Ok(false),
            Err(error) => Err(error),
        };
        let written = if may_stand && stands()? {
            None
        } else {
            ensure_readme(&ledger)?;
            Some(create_event(&ledger.events(), &pending.stem, &pending.text)?)
        };
        Spares::of(self.layout).keep(&pending.ledger, &id, &pending.stem, &pending.text)?;
        Ok(written)
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
        told.now = writes.newest_first().any(|(origin, text)| text.is_some() && own(origin));
    }
    told
}

/// The end of a work tree's path, for people.
#[must_use]
pub fn place(work_tree: &Path) -> String {
    work_tree.file_name().map_or_else(|| work_tree.display().to_string(), |name| name.to_string_lossy().into_owned())
}
