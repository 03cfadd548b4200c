//! `headwater hook session-start`, `session-end`, `pre-compact`, `stop`: what the agents' hooks call.
//!
//! A hook gets in no agent's way: whatever goes wrong, it answers as its contract wants, ends with 0, and
//! keeps the fault for `headwater doctor`.

use super::args::{Global, SessionHookArgs};
use super::clock;
use super::console::Console;
use super::context::{ConfigSource, Context, Ledger, ledger_entries, read_entries};
use super::environment;
use super::error::{CliError, Exit};
use super::{occasion, record};
use crate::config::Trigger;
use crate::crdt::Join as _;
use crate::git::Layout;
use crate::ledger::{State, View};
use crate::session::contract::{self, CONTEXT_LIMIT, Hook, Input};
use crate::session::handover::Handover;
use crate::session::marker::{Marker, Markers};
use crate::session::process::Process;
use crate::session::reflog;
use crate::session::spare::Spares;
use crate::session::tell::{Occasion, TellError, Teller, place};
use crate::store::{Folded, LedgerDir, Listing, Sizes, Spool, StoreError, fold_ledger, read_beyond};
use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// How much of standard input is read.
const INPUT_BYTES: u64 = 1 << 20;

/// How long standard input may take.
const INPUT_LIMIT: Duration = Duration::from_millis(500);

/// How long a commit may take: Claude Code gives session end 1.5 s.
const COMMIT_LIMIT: Duration = Duration::from_millis(800);

/// How long another synthesizer is waited for.
const LOCK_WAIT: Duration = Duration::from_millis(200);

/// How many dead sessions one start recovers; the next start takes the others.
const RECOVERED: usize = 8;

/// The file of faults, and how much of it is kept.
pub(super) const FAULTS: &str = "faults.jsonl";
const FAULTS_BYTES: usize = 64 << 10;

/// Runs one hook of an agent's. Never fails.
pub(super) fn run(global: &Global, hook: Hook, args: &SessionHookArgs) -> Exit {
    // What is not the answer goes to standard error, and only what must not be missed.
    let console = Console::new(&Global { quiet: true, format: super::Format::Text, ..global.clone() });
    let mut faults = Vec::new();
    let stdin = read_stdin(&mut faults);
    let (input, fault) = contract::read(&stdin, hook, args.agent_kind);
    let is_told = !std::io::stdin().is_terminal();
    faults.extend(fault.filter(|_| is_told));
    let told = enter(&input).and_then(|()| {
        let mut context = Context::resolve(global, &console, ConfigSource::WorkTree)?;
        context.wait = LOCK_WAIT;
        Ok(Session { context, args, input: &input, is_told }.run(hook, &mut faults))
    });
    let answer = told.unwrap_or_else(|error| {
        faults.push(error.chain());
        Answer::default()
    });
    let for_people = hook == Hook::SessionStart && !is_told && std::io::stdout().is_terminal();
    let text = if for_people { answer.banner } else { contract::answer(input.kind, hook, &answer.context) };
    if !text.is_empty() {
        // An agent that has gone needs no answer.
        let _nobody_listens = console.result(&text);
    }
    keep_faults(&console, hook, &faults);
    Exit::Done
}

/// What session start says.
#[derive(Debug, Default)]
struct Answer {
    context: String,
    banner: String,
}

/// Goes where the agent works, so that every path means what it means there.
fn enter(input: &Input) -> Result<(), CliError> {
    let Some(cwd) = &input.cwd else { return Ok(()) };
    std::env::set_current_dir(cwd).map_err(|error| {
        CliError::CannotTell(format!("the agent's folder `{}` cannot be entered: {error}", cwd.display()))
    })
}

/// Reads standard input, for a bounded time and up to a bounded size.
fn read_stdin(faults: &mut Vec<String>) -> Vec<u8> {
    if std::io::stdin().is_terminal() {
        return Vec::new();
    }
    let (sender, receiver) = mpsc::channel();
    let read = move || {
        let mut bytes = Vec::new();
        let mut stdin = std::io::stdin().lock();
        let read = stdin.by_ref().take(INPUT_BYTES + 1).read_to_end(&mut bytes);
        // An agent is not to find its pipe broken.
        let whole = read.and_then(|_| std::io::copy(&mut stdin, &mut std::io::sink()));
        // Nobody listens any more when the time was up.
        let _late = sender.send(whole.map(|_| bytes));
    };
    if std::thread::Builder::new().spawn(read).is_err() {
        faults.push("standard input was not read: there is no thread for it".to_owned());
        return Vec::new();
    }
    match receiver.recv_timeout(INPUT_LIMIT) {
        Ok(Ok(bytes)) if bytes.len() as u64 > INPUT_BYTES => {
            faults.push(format!("standard input has more than {INPUT_BYTES} bytes"));
            Vec::new()
        }
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            faults.push(format!("standard input cannot be read: {error}"));
            Vec::new()
        }
        Err(_) => {
            faults.push("standard input did not end in time".to_owned());
            Vec::new()
        }
    }
}

/// Keeps faults where `headwater doctor` shows them, and says them.
fn keep_faults(console: &Console, hook: Hook, faults: &[String]) {
    let own = Layout::discover(Path::new(".")).ok().flatten().map(|layout| Spool::new(layout.own_dir()));
    for fault in faults {
        console.warning(&format!("hook {hook}: {fault}"));
        if let Some(own) = &own {
            let at = clock::now().map(|now| now.to_string()).unwrap_or_default();
            let line = serde_json::json!({"at": at, "hook": hook.as_str(), "fault": fault}).to_string();
            own.append(FAULTS, &line, FAULTS_BYTES);
        }
    }
}

/// One call of a hook, in its place.
struct Session<'a> {
    context: Context<'a>,
    args: &'a SessionHookArgs,
    input: &'a Input,
    /// Whether an agent says so, and not a person at a terminal.
    is_told: bool,
}

impl Session<'_> {
    fn run(&self, hook: Hook, faults: &mut Vec<String>) -> Answer {
        let mut answer = Answer::default();
        if self.input.is_subagent {
            // Its work is told by the session that it belongs to.
            return answer;
        }
        let Some(ledger) = self.context.ledgers.first() else { return answer };
        let mut more = Vec::new();
        let mut keep = |done: Result<(), CliError>| faults.extend(done.err().map(|error| error.chain()));
        match hook {
            Hook::SessionStart => {
                keep(self.recover(ledger, &mut more));
                if self.is_told {
                    keep(self.begin());
                }
                keep(self.hand_over(&mut answer));
            }
            Hook::SessionEnd => keep(self.tell(ledger, "session_end", false, &mut more)),
            Hook::PreCompact => keep(self.tell(ledger, "checkpoint", true, &mut more)),
            Hook::Stop => keep(self.stop()),
        }
        faults.extend(more);
        answer
    }

    fn layout(&self) -> Option<&Layout> {
        self.context.layout.as_ref()
    }

    fn key(&self, layout: &Layout) -> String {
        let session = self.input.session.as_deref().unwrap_or_default();
        Markers::key(self.input.kind.as_str(), session, layout)
    }

    fn marker(&self, layout: &Layout) -> Result<Marker, CliError> {
        let began = clock::now()?.unix_nanos();
        let log = reflog::mark(&layout.head_log());
        Ok(Marker {
            session: self.input.session.clone().unwrap_or_default(),
            kind: self.input.kind.as_str().to_owned(),
            agent: record::agent_name(Some(layout), None)?,
            branch: layout.branch()?,
            work_tree: layout.work_tree.clone(),
            head: match log.last.as_str() {
                // No log is kept here.
                "" => crate::git::Git::at(layout).head_oid()?.map(|oid| oid.as_str().to_owned()),
                last => Some(last.to_owned()),
            },
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
        let Some(layout) = self.layout() else { return Ok(()) };
        let (markers, key) = (Markers::of(layout), self.key(layout));
        let marker = self.marker(layout)?;
        if markers.create(&key, &marker)? {
            return Ok(());
        }
        if let Some(known) = markers.get(&key)? {
            // The same session, in another process perhaps: its span goes on.
            markers.update(&key, &Marker { process: marker.process, transcript: marker.transcript, ..known })?;
        }
        Ok(())
    }

    /// The session lives. One that was taken for dead, or began before the hooks did, has a span from now on.
    fn stop(&self) -> Result<(), CliError> {
        let Some(layout) = self.layout() else { return Ok(()) };
        let (markers, key) = (Markers::of(layout), self.key(layout));
        if !markers.touch(&key, clock::system_now()) {
            markers.create(&key, &self.marker(layout)?)?;
        }
        Ok(())
    }

    fn with_teller<T>(
        &self,
        ledger: &Ledger,
        work: impl FnOnce(&Teller<'_>) -> Result<T, TellError>,
    ) -> Result<Option<T>, CliError> {
        let (Some(layout), Some(prefix)) = (self.layout(), &ledger.in_git) else { return Ok(None) };
        // In containers all hooks may have the same number.
        let claimer = format!("{}-{}", std::process::id(), clock::now_unix_nanos());
        let teller = Teller {
            layout,
            config: &self.context.config,
            ledger: prefix,
            now: clock::now()?,
            clock: clock::system_now(),
            claimer: &claimer,
        };
        Ok(Some(work(&teller)?))
    }

    /// Tells what the session did, in every work tree that it worked in, and does what the configuration says then.
    fn tell(&self, ledger: &Ledger, kind: &str, goes_on: bool, faults: &mut Vec<String>) -> Result<(), CliError> {
        let Some(layout) = self.layout() else { return Ok(()) };
        let occasion = Occasion { kind, reason: self.input.reason.as_deref(), goes_on };
        let keys = self.keys(layout)?;
        let told = self
            .with_teller(ledger, |teller| Ok(keys.iter().map(|key| teller.tell(key, occasion)).collect::<Vec<_>>()))?;
        let mut homes = homes(told.into_iter().flatten(), faults);
        homes.remove(&layout.work_tree);
        let trigger = end_trigger(&self.context, goes_on);
        if Listing::of(&ledger.dir).is_ok_and(|listing| listing != Listing::default()) {
            occasion::apply(&self.context, ledger, trigger, COMMIT_LIMIT)?;
        }
        for home in homes {
            self.end_in(&home, ledger, goes_on)?;
        }
        prune(layout)
    }

    /// The session's marker here, and those of other work trees: an agent goes from one to another, and ends in one.
    fn keys(&self, layout: &Layout) -> Result<Vec<String>, CliError> {
        let mut keys = vec![self.key(layout)];
        if let Some(session) = &self.input.session {
            let same = |marker: &Marker| marker.session == *session && marker.kind == self.input.kind.as_str();
            let all = Markers::of(layout).all()?.into_iter().filter(|(_, marker, _)| same(marker));
            keys.extend(all.map(|(key, ..)| key));
        }
        Ok(keys)
    }

    /// Tells what sessions did that ended without a word; what goes wrong with one does not stop the others.
    fn recover(&self, ledger: &Ledger, faults: &mut Vec<String>) -> Result<(), CliError> {
        let Some(layout) = self.layout() else { return Ok(()) };
        let markers = Markers::of(layout);
        let own = self.key(layout);
        let silent = Duration::from_secs(self.context.config.silent_after.seconds().unsigned_abs());
        let now = clock::system_now();
        let goes_on_here = self.input.session.is_some() && self.input.source.as_deref() != Some("startup");
        let mut dead = Vec::new();
        for (key, marker, touched) in markers.all()? {
            let alive = marker.process.as_ref().and_then(Process::is_alive);
            let age = touched.and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
            if key == own && (goes_on_here || alive == Some(true)) {
                continue;
            }
            if alive == Some(false) || age >= silent {
                // One that may live on after all tells the rest later; twice silent is dead.
                dead.push((key, alive != Some(false) && !marker.is_rest));
            }
        }
        let told = self.with_teller(ledger, |teller| {
            let mut told = teller.finish_abandoned()?;
            told.extend(dead.iter().take(RECOVERED).map(|(key, goes_on)| {
                let occasion = Occasion { kind: "session_end", reason: Some("recovered"), goes_on: *goes_on };
                teller.tell(key, occasion)
            }));
            Ok(told)
        })?;
        for home in homes(told.into_iter().flatten(), faults) {
            faults.extend(self.end_in(&home, ledger, false).err().map(|error| error.chain()));
        }
        Ok(())
    }

    /// Does in another work tree what the configuration there says: an event that is in no commit would not come
    /// along when its branch is merged.
    fn end_in(&self, work_tree: &Path, ledger: &Ledger, goes_on: bool) -> Result<(), CliError> {
        let (Some(layout), Some(prefix)) = (Layout::discover(work_tree)?, &ledger.in_git) else { return Ok(()) };
        let there = self.context.in_work_tree(layout)?;
        occasion::apply(&there, &there.ledger_at(prefix), end_trigger(&there, goes_on), COMMIT_LIMIT)
    }

    /// Folds what this work tree has and what the others have beyond it, and puts it into words.
    fn hand_over(&self, answer: &mut Answer) -> Result<(), CliError> {
        for ledger in &self.context.ledgers {
            let schema = self.context.schema();
            let folded = match fold_ledger(&ledger.dir, schema, &self.context.hidden(ledger)) {
                Ok(folded) => Some(folded),
                Err(StoreError::NoLedger(_)) => None,
                Err(error) => return Err(error.into()),
            };
            if folded.is_some() {
                occasion::apply(&self.context, ledger, self.context.config.triggers.session_start, COMMIT_LIMIT)?;
            }
            let (own, unreadable, listing) = folded
                .map_or_else(Default::default, |Folded { state, unreadable, listing, .. }| {
                    (state, unreadable, listing)
                });
            let elsewhere = self.elsewhere(ledger, &own, &listing)?;
            let mut state = own;
            for (_, other) in &elsewhere {
                state.join(other.clone());
            }
            let view = View::new(&state, unreadable, schema);
            let handover = Handover { state: &state, view: &view, elsewhere: &elsewhere };
            let limit = CONTEXT_LIMIT.saturating_sub(answer.context.chars().count() + 1);
            for (text, part) in [
                (&mut answer.context, handover.for_agent(limit.min(CONTEXT_LIMIT - 1))),
                (&mut answer.banner, handover.banner()),
            ] {
                if !text.is_empty() && !part.is_empty() {
                    text.push('\n');
                }
                text.push_str(&part);
            }
        }
        Ok(())
    }

    /// What sibling work trees, and the branches that were named, have beyond this ledger.
    fn elsewhere(&self, ledger: &Ledger, own: &State, listing: &Listing) -> Result<Vec<(String, State)>, CliError> {
        let (Some(layout), Some(prefix)) = (self.layout(), &ledger.in_git) else { return Ok(Vec::new()) };
        let schema = self.context.schema();
        let mut known: BTreeSet<_> = own.events().keys().copied().collect();
        let mut elsewhere = Vec::new();
        let siblings: Vec<Layout> = layout.work_trees().into_iter().skip(1).collect();
        let sizes = if siblings.is_empty() { Sizes::default() } else { Sizes::of(&ledger.dir, listing) };
        for sibling in siblings {
            let dir = LedgerDir::new(sibling.work_tree.join(prefix));
            // A sibling's trouble is told there.
            let Ok(readings) = read_beyond(&dir, &sizes, schema) else { continue };
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
            let tree = git.list_tree(&git.resolve(name)?, prefix)?;
            let mut beyond = State::default();
            for event in read_entries(&git, &ledger_entries(prefix, &tree), schema)?
                .into_iter()
                .filter_map(|reading| reading.result.ok())
            {
                if known.insert(event.origin.stamp.id) {
                    beyond.insert(event, schema);
                }
            }
            elsewhere.push((name.clone(), beyond));
        }
        elsewhere.retain(|(_, state)| !state.events().is_empty());
        Ok(elsewhere)
    }
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

/// Once a day, removes copies that the default branch has.
fn prune(layout: &Layout) -> Result<(), CliError> {
    let own = Spool::new(layout.own_dir());
    let age = own.written_at(PRUNED).and_then(|at| clock::system_now().duration_since(at).ok());
    if age.is_none_or(|age| age > PRUNE_AFTER) {
        own.replace(PRUNED, b"")?;
        if age.is_some() {
            Spares::of(layout)
                .prune(&crate::git::Git::at(layout))
                .map_err(|error| CliError::CannotTell(error.to_string()))?;
        }
    }
    Ok(())
}

/// The file whose age says when copies were last looked through, and how often that is.
const PRUNED: &str = "pruned";
const PRUNE_AFTER: Duration = Duration::from_secs(24 * 3_600);
