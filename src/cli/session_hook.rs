//! `headwater hook session-start`, `session-end`, `pre-compact`, `stop`: what the agents' hooks call.
//!
//! A hook gets in no agent's way: whatever goes wrong, it answers as its contract wants, ends with 0, and
//! keeps the fault for `headwater doctor`.

use super::agent_hook::{self, Call, Progress, Shared, is_told};
use super::args::SessionHookArgs;
use super::check::is_far_ahead;
use super::clock;
use super::context::{ConfigSource, Context, Ledger, ledger_entries, read_entries};
use super::environment;
use super::error::CliError;
use super::{occasion, record};
use crate::bounds::deadline;
use crate::config::Trigger;
use crate::crdt::Join as _;
use crate::event::EventId;
use crate::event::schema::Schema;
use crate::event::text::counted;
use crate::git::Layout;
use crate::ledger::escape::phrase;
use crate::ledger::{State, View};
use crate::session::contract::{CONTEXT_LIMIT, Hook};
use crate::session::handover::Handover;
use crate::session::input::{self, Input};
use crate::session::marker::{Marker, Markers};
use crate::session::outsiders::Outsiders;
use crate::session::process::Process;
use crate::session::reflog;
use crate::session::spare::Spares;
use crate::session::tell::{COMPACTION, Occasion, TellError, Teller, place};
use crate::store::{
    Folded, LedgerDir, Listing, Reading, Sizes, Spool, StoreError, fold_ledger, read_beyond, read_ledger,
};
use crate::trust::path::LedgerPlace;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a commit may take.
const COMMIT_LIMIT: Duration = Duration::from_millis(950);

/// How long the shared log of ids may take to answer.
const ID_LIMIT: Duration = Duration::from_millis(800);

/// What a session tells of itself.
const OWN: Occasion<'static> =
    Occasion { kind: "", reason: None, goes_on: false, is_recovery: false, limit: Duration::from_millis(400) };

/// How long another synthesizer is waited for.
const LOCK_WAIT: Duration = Duration::from_millis(200);

/// How many dead sessions one start recovers; the next start takes the others.
const RECOVERED: usize = 8;

/// The file of faults, and how much of it is kept.
pub(super) const FAULTS: &str = "faults.jsonl";
pub(super) const FAULTS_BYTES: usize = 64 << 10;

/// Does the work of one hook, and leaves what comes of it in `shared`.
pub(super) fn work(call: &Call, shared: &Shared) {
    let console = agent_hook::console(&call.global);
    let stdin = agent_hook::read_stdin(shared);
    let (input, fault) = input::read(&stdin, call.hook.unwrap_or(Hook::Stop), call.args.agent_kind);
    let place = enter(&input).and_then(|()| opted_in());
    {
        let mut progress = shared.get();
        progress.kind = Some(input.kind);
        progress.faults.extend(call.misuse.clone());
        progress.faults.extend(fault.filter(|_| is_told() && call.hook.is_some()));
        progress.layout = place.unwrap_or_else(|error| {
            progress.faults.push(error.chain());
            None
        });
    }
    let layout = shared.get().layout.clone();
    // Hooks of a person's own settings run in every repository: only those that have a ledger are ours.
    let (Some(layout), Some(hook)) = (layout.filter(|_| !input.is_subagent), call.hook) else { return };
    // Whatever the configuration says, a session that starts is remembered.
    let session = Seat { layout: &layout, input: &input };
    let remembered = match hook {
        Hook::SessionStart if is_told() => session.begin(),
        Hook::Stop => session.stop(),
        Hook::SessionStart | Hook::SessionEnd | Hook::PreCompact => Ok(()),
    };
    if let Err(error) = remembered {
        shared.fault(error.chain());
    }
    match Context::resolve(&call.global, &console, ConfigSource::WorkTree) {
        Ok(mut context) => {
            context.wait = LOCK_WAIT;
            context.unknown_keys().into_iter().for_each(|key| shared.get().once.push(key));
            Session { context, args: &call.args, input: &input, seat: session, shared }.run(hook);
        }
        Err(error) => shared.fault(error.chain()),
    }
}

/// The work tree, if its repository has a ledger or was set up for one; else that of the agent's project, if
/// the agent only looks into another repository.
fn opted_in() -> Result<Option<Layout>, CliError> {
    let project = environment::project_dir();
    for folder in std::iter::once(PathBuf::from(".")).chain(project) {
        let Some(layout) = Layout::discover(&folder)? else { continue };
        let top = &layout.work_tree;
        let has_ledger = top.join(crate::config::DEFAULT_LEDGER).join("events").is_dir();
        let is_set_up = layout.own_dir().is_dir();
        if environment::ledger_dir().is_some() || has_ledger || is_set_up || top.join(crate::config::FILE_NAME).exists()
        {
            std::env::set_current_dir(&folder).map_err(|error| {
                CliError::CannotTell(format!("the folder `{}` cannot be entered: {error}", folder.display()))
            })?;
            return Ok(Some(layout));
        }
    }
    Ok(None)
}

/// Goes where the agent works, so that every path means what it means there.
fn enter(input: &Input) -> Result<(), CliError> {
    let Some(cwd) = &input.cwd else { return Ok(()) };
    std::env::set_current_dir(cwd).map_err(|error| {
        CliError::CannotTell(format!("the agent's folder `{}` cannot be entered: {error}", cwd.display()))
    })
}

/// One call of a hook, in its place.
struct Session<'a> {
    context: Context<'a>,
    args: &'a SessionHookArgs,
    input: &'a Input,
    seat: Seat<'a>,
    shared: &'a Shared,
}

/// A session in its work tree.
#[derive(Clone, Copy)]
struct Seat<'a> {
    layout: &'a Layout,
    input: &'a Input,
}

impl Session<'_> {
    fn run(&self, hook: Hook) {
        // A hook cannot ask which one is meant: where two are as near, it takes the first.
        let nearest = self.context.one_ledger().ok();
        let Some(ledger) = nearest.or_else(|| self.context.ledgers.first()) else { return };
        let mut more = Vec::new();
        match hook {
            Hook::SessionStart => {
                {
                    // Whatever is wrong with dead sessions, the new one has its answer.
                    let _part = deadline::part(deadline::left() / 2);
                    self.keep(self.recover(ledger, &mut more));
                }
                if is_told() {
                    // One that had this one's name is told by now.
                    self.keep(self.seat.begin());
                }
                self.settle();
                self.hand_over(&mut more);
            }
            Hook::SessionEnd => {
                let reason = self.input.reason.as_deref();
                self.keep(self.tell(
                    ledger,
                    Occasion { kind: "session_end", reason, goes_on: false, ..OWN },
                    &mut more,
                ));
            }
            Hook::PreCompact => {
                let reason = Some(COMPACTION);
                self.keep(self.tell(ledger, Occasion { kind: "checkpoint", reason, goes_on: true, ..OWN }, &mut more));
            }
            Hook::Stop => {}
        }
        self.shared.get().faults.extend(more);
    }

    fn keep(&self, done: Result<(), CliError>) {
        if let Err(error) = done {
            self.shared.fault(error.chain());
        }
    }

    /// Confirms or amends provisional ids, and tells the agent what became of them.
    fn settle(&self) {
        let _part = deadline::part(deadline::left() / 2);
        match super::id::settle(&self.context, deadline::within(ID_LIMIT)) {
            Ok(said) if said.is_empty() => {}
            Ok(said) => {
                let said = format!("Ids: {}", crate::ledger::escape::phrase(&said.join("; "), 600));
                self.shared.get().context = said;
            }
            Err(error) => self.shared.fault(error.chain()),
        }
    }

    /// How much of the hook's time is left for a commit.
    fn commit_limit() -> Duration {
        deadline::within(COMMIT_LIMIT)
    }

    fn with_teller<T>(
        &self,
        ledger: &Ledger,
        work: impl FnOnce(&Teller<'_>) -> Result<T, TellError>,
    ) -> Result<T, CliError> {
        let (name, outside) = match &ledger.in_git {
            Some(prefix) => (prefix, None),
            None => (&ledger.name, Some(&ledger.dir)),
        };
        // In containers all hooks may have the same number.
        let claimer = format!("{}-{}", std::process::id(), clock::now_unix_nanos());
        let consents = self.context.consents()?;
        let config_of = |layout: &Layout| self.context.in_work_tree(layout.clone()).ok().map(|there| there.config);
        let teller = Teller {
            layout: self.seat.layout,
            config: &self.context.config,
            config_of: &config_of,
            consents: &consents,
            ledger: name,
            outside,
            now: clock::now()?,
            clock: clock::system_now(),
            claimer: &claimer,
        };
        Ok(work(&teller)?)
    }

    /// Tells what the session did, in every work tree that it worked in, and does what the configuration says then.
    fn tell(&self, ledger: &Ledger, occasion: Occasion<'_>, faults: &mut Vec<String>) -> Result<(), CliError> {
        let keys = self.keys()?;
        let told = self
            .with_teller(ledger, |teller| Ok(keys.iter().map(|key| teller.tell(key, occasion)).collect::<Vec<_>>()))?;
        let mut homes = homes(told.into_iter(), faults);
        homes.remove(&self.seat.layout.work_tree);
        let trigger = end_trigger(&self.context, occasion.goes_on);
        if Listing::of(&ledger.dir).is_ok_and(|listing| listing != Listing::default()) {
            occasion::apply(&self.context, ledger, trigger, Self::commit_limit())?;
        }
        homes.iter().try_for_each(|home| self.end_in(home, ledger, occasion.goes_on))?;
        if deadline::left() > ID_LIMIT {
            super::id::settle(&self.context, ID_LIMIT)?;
        }
        Ok(())
    }

    /// The session's marker here, and those of other work trees: an agent goes from one to another, and ends in one.
    fn keys(&self) -> Result<Vec<String>, CliError> {
        let own = self.seat.key();
        let mut keys = vec![own.clone()];
        if let Some(session) = &self.input.session {
            let same = |marker: &Marker| marker.session == *session && marker.kind == self.input.kind.as_str();
            let all =
                Markers::of(self.seat.layout).all()?.into_iter().filter(|(key, marker, _)| *key != own && same(marker));
            keys.extend(all.map(|(key, ..)| key));
        }
        Ok(keys)
    }

    /// Tells what sessions did that ended without a word; what goes wrong with one does not stop the others.
    fn recover(&self, ledger: &Ledger, faults: &mut Vec<String>) -> Result<(), CliError> {
        let markers = Markers::of(self.seat.layout);
        let own = self.seat.key();
        let silent = Duration::from_secs(self.context.config.silent_after.seconds().unsigned_abs());
        let now = clock::system_now();
        faults.extend(markers.sweep(now)?);
        let goes_on_here = self.input.session.is_some() && self.input.source.as_deref() != Some("startup");
        let mut dead = Vec::new();
        for (key, marker, touched) in markers.all()? {
            let alive = marker.process.as_ref().and_then(Process::is_alive);
            let age = touched.and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
            let is_here = key == own && (goes_on_here || alive == Some(true));
            if !is_here && !marker.is_rest && (alive == Some(false) || age >= silent) {
                dead.push(key);
            }
        }
        let told = self.with_teller(ledger, |teller| {
            let mut told = teller.finish_abandoned()?;
            // If one lives on after all, it tells the rest later.
            told.extend(dead.iter().take(RECOVERED).map(|key| teller.tell(key, Occasion::recovery(true))));
            Ok(told)
        })?;
        for home in homes(told.into_iter(), faults) {
            faults.extend(self.end_in(&home, ledger, false).err().map(|error| error.chain()));
        }
        Ok(())
    }

    /// Does in another work tree what the configuration there says: an event that is in no commit would not come
    /// along when its branch is merged.
    fn end_in(&self, work_tree: &Path, ledger: &Ledger, goes_on: bool) -> Result<(), CliError> {
        let (Some(layout), Some(prefix)) = (Layout::discover(work_tree)?, &ledger.in_git) else { return Ok(()) };
        let there = self.context.in_work_tree(layout)?;
        occasion::apply(&there, &there.ledger_at(prefix)?, end_trigger(&there, goes_on), Self::commit_limit())
    }

    /// Folds what this work tree has and what the others have beyond it, and puts it into words.
    fn hand_over(&self, faults: &mut Vec<String>) {
        // Each of several ledgers has its share.
        let used = self.shared.get().context.chars().count();
        let limit = (CONTEXT_LIMIT - used) / self.context.ledgers.len().max(1) - 1 - LEFT_OUT_CHARACTERS;
        for ledger in &self.context.ledgers {
            let outsiders = self.outsiders(ledger, faults);
            // Titles of sections that an outsider's configuration declares are an outsider's words.
            let plain = Schema::default();
            let schema = if outsiders.wrote_configuration() { &plain } else { self.context.schema() };
            let mut outside = BTreeMap::new();
            let folded = match self.fold_without(ledger, schema, &outsiders, &mut outside) {
                Ok(folded) => Some(folded),
                Err(StoreError::NoLedger(_)) => None,
                Err(error) => {
                    faults.push(CliError::from(error).chain());
                    continue;
                }
            };
            if folded.is_some() {
                let _part = deadline::part(deadline::left() / 2);
                let trigger = self.context.config.triggers.session_start;
                let applied = occasion::apply(&self.context, ledger, trigger, Self::commit_limit());
                faults.extend(applied.err().map(|error| error.chain()));
            }
            let (own, unreadable, listing) = folded
                .map_or_else(Default::default, |Folded { state, unreadable, listing, .. }| {
                    (state, unreadable, listing)
                });
            let elsewhere = self.elsewhere(ledger, &own, &listing, &outsiders, &mut outside, faults);
            let mut state = own;
            for (_, other) in &elsewhere {
                state.join(other.clone());
            }
            let view = View::new(&state, unreadable, schema);
            let handover = Handover { state: &state, view: &view, elsewhere: &elsewhere };
            let (for_agent, banner) = (handover.for_agent(limit), handover.banner());
            let mut progress = self.shared.get();
            let Progress { context, banner: said, .. } = &mut *progress;
            for (text, part) in [(&mut *context, for_agent), (&mut *said, banner)] {
                push_line(text, &part);
            }
            push_line(context, &from_the_future(&state));
            push_line(context, &left_out(outside.len()));
            push_line(said, &from_outside(&outside));
        }
    }

    /// The outsiders' events of a ledger; where git cannot list them, all without a backup copy.
    fn outsiders(&self, ledger: &Ledger, faults: &mut Vec<String>) -> Outsiders {
        self.context.outsiders(ledger).unwrap_or_else(|error| {
            faults.push(error.chain());
            Outsiders::unknown(self.seat.layout, ledger.in_git.as_deref().unwrap_or_default())
        })
    }

    /// Folds a ledger without outsiders' events, which are added to `outside`.
    fn fold_without(
        &self,
        ledger: &Ledger,
        schema: &Schema,
        outsiders: &Outsiders,
        outside: &mut BTreeMap<EventId, String>,
    ) -> Result<Folded, StoreError> {
        let hidden = self.context.hidden(ledger);
        if outsiders.is_empty() {
            return fold_ledger(&ledger.dir, schema, &hidden);
        }
        let (listing, mut readings) = read_ledger(&ledger.dir, schema, &hidden)?;
        readings.retain(|reading| !set_apart(outsiders, reading, outside));
        Ok(Folded::new(listing, readings, schema))
    }

    /// What sibling work trees, and the branches that were named, have beyond this ledger.
    fn elsewhere(
        &self,
        ledger: &Ledger,
        own: &State,
        listing: &Listing,
        outsiders: &Outsiders,
        outside: &mut BTreeMap<EventId, String>,
        faults: &mut Vec<String>,
    ) -> Vec<(String, State)> {
        let (layout, Some(prefix)) = (self.seat.layout, &ledger.in_git) else { return Vec::new() };
        let schema = self.context.schema();
        let mut known: BTreeSet<_> = own.events().keys().copied().collect();
        let mut elsewhere = Vec::new();
        let siblings: Vec<Layout> = layout.work_trees().into_iter().skip(1).collect();
        let sizes = if siblings.is_empty() { Sizes::default() } else { Sizes::of(&ledger.dir, listing) };
        for sibling in siblings {
            // A sibling's trouble is told there.
            let Ok(checked) = LedgerPlace::in_tree(&sibling.work_tree, prefix) else { continue };
            let Ok(mut readings) = read_beyond(&LedgerDir::new(checked), &sizes, schema) else { continue };
            readings.retain(|reading| !set_apart(outsiders, reading, outside));
            let mut beyond = State::default();
            for event in readings.into_iter().filter_map(|reading| reading.result.ok()) {
                if known.insert(event.origin.stamp.id) {
                    beyond.insert(event, schema);
                }
            }
            elsewhere.push((place(&sibling.work_tree), beyond));
        }
        for name in &self.args.refs {
            let git = crate::git::Git::at(layout);
            let read = git.resolve(name).and_then(|commit| git.list_tree(&commit, prefix)).map_err(CliError::from);
            let read = read.and_then(|tree| read_entries(&git, &ledger_entries(prefix, &tree), schema));
            let mut readings = read.unwrap_or_else(|error| {
                faults.push(error.chain());
                Vec::new()
            });
            readings.retain(|reading| !set_apart(outsiders, reading, outside));
            let mut beyond = State::default();
            for event in readings.into_iter().filter_map(|reading| reading.result.ok()) {
                if known.insert(event.origin.stamp.id) {
                    beyond.insert(event, schema);
                }
            }
            elsewhere.push((name.clone(), beyond));
        }
        elsewhere.retain(|(_, state)| !state.events().is_empty());
        elsewhere
    }
}

/// How much of the context the line about what was left out may take.
const LEFT_OUT_CHARACTERS: usize = 320;

/// Whether an outsider wrote an event; then it is added to `outside` with a name for people.
fn set_apart(outsiders: &Outsiders, reading: &Reading, outside: &mut BTreeMap<EventId, String>) -> bool {
    let Ok(event) = &reading.result else { return false };
    let id = event.origin.stamp.id;
    if !outsiders.wrote(&reading.source, &id) {
        return false;
    }
    let branch = event.origin.meta.branch.as_deref().map(|branch| format!(" on {}", phrase(branch, 40)));
    outside.insert(id, phrase(&event.origin.stamp.agent, 40) + &branch.unwrap_or_default());
    true
}

/// Warns of events whose writes win for longer than anyone works.
fn from_the_future(state: &State) -> String {
    let count = state.events().values().filter(|origin| is_far_ahead(origin)).count();
    if count == 0 {
        return String::new();
    }
    format!(
        "(Dated more than 24 h in the future, so that its writes win: {}; `headwater lint` names it.)",
        counted(count, "event")
    )
}

/// What an agent learns of outsiders' events: their number, and not a word of theirs.
fn left_out(count: usize) -> String {
    if count == 0 {
        return String::new();
    }
    format!(
        "({} left out: neither this clone, the default branch nor an own remote has written or merged them.)",
        counted(count, "event")
    )
}

/// What a person learns of them: their number and their names.
fn from_outside(outside: &BTreeMap<EventId, String>) -> String {
    if outside.is_empty() {
        return String::new();
    }
    let names: BTreeSet<&str> = outside.values().map(String::as_str).collect();
    let shown: Vec<&str> = names.iter().copied().take(5).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    format!("From outside, not given to the agent: {}: {}{more}", counted(outside.len(), "event"), shown.join(", "))
}

fn push_line(text: &mut String, part: &str) {
    if !text.is_empty() && !part.is_empty() {
        text.push('\n');
    }
    text.push_str(part);
}

impl Seat<'_> {
    /// The name of the session's marker; without an id of the agent's, its process tells sessions apart.
    fn key(&self) -> String {
        let session = self.input.session.clone().or_else(|| {
            let process = Process::of_session(environment::session_process())?;
            Some(format!("{} {} {}", process.pid, process.started, process.place))
        });
        Markers::key(self.input.kind.as_str(), &session.unwrap_or_default(), self.layout)
    }

    fn marker(&self) -> Result<Marker, CliError> {
        let layout = self.layout;
        let began = clock::now()?.unix_nanos();
        let log = reflog::mark(&layout.head_log());
        let head = if log.last.is_empty() {
            // References may be kept in tables, or not be logged.
            crate::git::Git::at(layout).head_oid()?.map(|oid| oid.to_string())
        } else {
            Some(log.last.clone())
        };
        Ok(Marker {
            session: self.input.session.clone().unwrap_or_default(),
            kind: self.input.kind.as_str().to_owned(),
            agent: record::agent_name(Some(layout), None)?,
            branch: layout.branch()?,
            seen: began,
            last: head.clone(),
            work_tree: layout.work_tree.clone(),
            head,
            began,
            session_began: began,
            transcript: self.input.transcript.clone(),
            log,
            process: Process::of_session(environment::session_process()),
            is_rest: false,
        })
    }

    /// Remembers that a session starts here; one that is known goes on.
    fn begin(&self) -> Result<(), CliError> {
        let (markers, key) = (Markers::of(self.layout), self.key());
        let now = self.marker()?;
        if markers.create(&key, &now)? {
            return Ok(());
        }
        let Some(known) = markers.get(&key)? else { return Ok(()) };
        let lives = known.process.as_ref().and_then(Process::is_alive);
        if self.input.source.as_deref() == Some("startup") && lives != Some(true) && !known.is_rest {
            // Another session of this name, which is told first.
            return Ok(());
        }
        Ok(markers.update(&key, &seen_again(known, now))?)
    }

    /// The session lives: its span goes on. One that began before the hooks did has a span from now on.
    fn stop(&self) -> Result<(), CliError> {
        let (markers, key) = (Markers::of(self.layout), self.key());
        let now = self.marker()?;
        if !markers.create(&key, &now)?
            && let Some(known) = markers.get(&key)?
        {
            markers.update(&key, &seen_again(known, now))?;
        }
        Ok(())
    }
}

/// What is known of a session, as it is seen now: in another process, on another branch perhaps.
fn seen_again(known: Marker, now: Marker) -> Marker {
    let Marker { branch, seen, last, process, transcript, .. } = now;
    Marker { branch, seen, last, process, transcript: transcript.or(known.transcript.clone()), is_rest: false, ..known }
}

/// What a session's end leads to, or that of a part of it.
const fn end_trigger(context: &Context<'_>, goes_on: bool) -> Trigger {
    let triggers = &context.config.triggers;
    if goes_on { triggers.checkpoint } else { triggers.session_end }
}

/// The work trees that events went to; what went wrong is added to the faults.
fn homes(
    told: impl Iterator<Item = Result<Option<PathBuf>, TellError>>,
    faults: &mut Vec<String>,
) -> BTreeSet<PathBuf> {
    let mut homes = BTreeSet::new();
    for told in told {
        match told {
            Ok(event) => homes
                .extend(event.and_then(|event| Layout::discover(&event).ok().flatten()).map(|layout| layout.work_tree)),
            Err(error) => faults.push(CliError::from(error).chain()),
        }
    }
    homes
}

/// Once a day, removes copies that the default branch has. What takes too long is looked through another day.
pub(super) fn prune(layout: &Layout) {
    let own = Spool::new(layout.own_dir());
    let age = own.written_at(PRUNED).and_then(|at| clock::system_now().duration_since(at).ok());
    if age.is_none_or(|age| age > PRUNE_AFTER) && own.replace(PRUNED, b"").is_ok() && age.is_some() {
        let _another_day = Spares::of(layout).prune(&crate::git::Git::at(layout), deadline::within(PRUNE_LIMIT));
    }
}

/// The file whose age says when copies were last looked through, and how often that is.
const PRUNED: &str = "pruned";
const PRUNE_AFTER: Duration = Duration::from_secs(24 * 3_600);
const PRUNE_LIMIT: Duration = Duration::from_millis(300);
