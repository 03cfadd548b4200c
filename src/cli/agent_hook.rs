//! How a hook of an agent's runs: one deadline for all of it, one answer, exit code 0 whatever happens.
//!
//! The work is done on a thread of its own, so that even a read that never ends (a hung network file system) cannot
//! hold the agent: when the time is up, what is there by then is the answer, and the process ends.

use super::args::{Global, SessionHookArgs};
use super::clock;
use super::console::Console;
use super::environment;
use super::error::Exit;
use super::session_hook::{self, FAULTS, FAULTS_BYTES};
use crate::bounds::{deadline, input};
use crate::git::Layout;
use crate::session::contract::{self, AgentKind, Hook};
use crate::store::Spool;
use std::io::IsTerminal as _;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a hook may take, from the start of the process: Claude Code gives session end 1.5 s.
const LIMIT: Duration = Duration::from_millis(1_200);

/// What of that is kept for the answer, and for noting what went wrong.
const FOR_ANSWER: Duration = Duration::from_millis(200);
const FOR_NOTES: Duration = Duration::from_millis(100);

/// How long standard input may take, and how much of it is read.
const INPUT_LIMIT: Duration = Duration::from_millis(500);
const INPUT_BYTES: usize = 1 << 20;

/// One call of a hook.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) global: Global,
    /// The hook; none where the name is that of a later version, for which there is nothing to do.
    pub(super) hook: Option<Hook>,
    /// The hook's name on the command line.
    pub(super) name: String,
    pub(super) args: SessionHookArgs,
    /// What of the command line is not understood.
    pub(super) misuse: Option<String>,
}

/// What a hook has to say by now.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    /// Whose contract is spoken.
    pub(super) kind: Option<AgentKind>,
    /// What the agent receives, and what a person is shown instead.
    pub(super) context: String,
    pub(super) banner: String,
    /// Where faults are kept.
    pub(super) layout: Option<Layout>,
    pub(super) faults: Vec<String>,
    /// What is noted only if it is not noted yet, and not said to the agent.
    pub(super) once: Vec<String>,
}

/// What a hook has to say, for the thread that works and the one that answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Progress>>);

impl Shared {
    /// The state by now. A thread that panicked has left it whole: it is only ever replaced piece by piece.
    pub(super) fn get(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what went wrong.
    pub(super) fn fault(&self, fault: impl Into<String>) {
        self.get().faults.push(fault.into());
    }
}

/// Runs one hook of an agent's. Never fails.
pub(super) fn run(call: &Call) -> Exit {
    let limit = environment::hook_limit().unwrap_or(LIMIT);
    deadline::set(limit.saturating_sub(FOR_ANSWER));
    let shared = Shared::default();
    shared.get().kind = call.args.agent_kind;
    let (done, is_done) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    let worker = {
        let (call, shared) = (call.clone(), shared.clone());
        move || work(&call, &shared, &done, &goes_on)
    };
    if std::thread::Builder::new().name("hook".to_owned()).spawn(worker).is_err() {
        // Without a second thread the limits of each step must do.
        session_hook::work(call, &shared);
        answer(call, &shared);
        note(call, &shared);
        return Exit::Done;
    }
    let left = |kept: Duration| limit.saturating_sub(kept).saturating_sub(deadline::elapsed());
    match is_done.recv_timeout(left(FOR_NOTES)) {
        Ok(()) => {}
        Err(mpsc::RecvTimeoutError::Timeout) => shared.fault(time_is_up(limit)),
        Err(mpsc::RecvTimeoutError::Disconnected) => shared.fault("the hook ended in the middle; please report it"),
    }
    answer(call, &shared);
    deadline::set(limit);
    if go_on.send(()).is_err() || is_done.recv_timeout(left(Duration::ZERO)).is_err() {
        // The thread that works does not come back: note that without waiting for what it waits for.
        let (noted, is_noted) = mpsc::channel();
        let (call, shared) = (call.clone(), shared.clone());
        let noting = move || {
            note(&call, &shared);
            let _nobody_waits = noted.send(());
        };
        if std::thread::Builder::new().spawn(noting).is_ok() {
            let _late = is_noted.recv_timeout(FOR_NOTES);
        }
    }
    Exit::Done
}

/// Does the work, and what comes after the answer.
fn work(call: &Call, shared: &Shared, done: &Sender<()>, goes_on: &Receiver<()>) {
    session_hook::work(call, shared);
    let _late = done.send(());
    if goes_on.recv().is_err() {
        return;
    }
    note(call, shared);
    let layout = shared.get().layout.clone();
    if let (Some(Hook::SessionStart), Some(layout)) = (call.hook, layout) {
        session_hook::prune(&layout);
    }
    let _late = done.send(());
}

fn time_is_up(limit: Duration) -> String {
    format!(
        "the time of a hook ({} ms) was up; what was not done is left for the next run (see what hangs, or raise `HEADWATER_HOOK_LIMIT`)",
        limit.as_millis()
    )
}

/// Whether an agent calls, and not a person at a terminal.
pub(super) fn is_told() -> bool {
    !std::io::stdin().is_terminal()
}

/// Reads standard input, for a bounded time and up to a bounded size.
pub(super) fn read_stdin(shared: &Shared) -> Vec<u8> {
    if !is_told() {
        return Vec::new();
    }
    let input = input::read(deadline::within(INPUT_LIMIT), INPUT_BYTES);
    if input.bytes.len() > INPUT_BYTES {
        shared.fault(format!("standard input has more than {INPUT_BYTES} bytes"));
        return Vec::new();
    }
    // What has come may be all that comes.
    if !input.ended && serde_json::from_slice::<serde_json::Value>(&input.bytes).is_err() {
        shared.fault("standard input did not end in time");
    }
    input.bytes
}

/// Prints the answer.
fn answer(call: &Call, shared: &Shared) {
    let Progress { kind, context, banner, .. } = shared.get().clone();
    let for_people = call.hook == Some(Hook::SessionStart) && !is_told() && std::io::stdout().is_terminal();
    let kind = kind.unwrap_or(AgentKind::ClaudeCode);
    let text = if for_people { banner } else { contract::answer(kind, call.hook.unwrap_or(Hook::Stop), &context) };
    if !text.is_empty() {
        // An agent that has gone needs no answer.
        let _nobody_listens = console(&call.global).result(&text);
    }
}

/// What is not the answer goes to standard error, and only what must not be missed.
pub(super) fn console(global: &Global) -> Console {
    Console::new(&Global { quiet: true, format: super::Format::Text, ..global.clone() })
}

/// Keeps faults where `headwater doctor` shows them, and says them.
fn note(call: &Call, shared: &Shared) {
    let Progress { layout, mut faults, once, .. } = shared.get().clone();
    let limit = environment::hook_limit().unwrap_or(LIMIT);
    let before = faults.len();
    faults.retain(|fault| !fault.contains(crate::git::NOT_STARTED));
    let up = time_is_up(limit);
    if faults.len() < before && !faults.contains(&up) {
        faults.push(up);
    }
    let console = console(&call.global);
    let own = layout.map(|layout| Spool::new(layout.own_dir()));
    let hook = &call.name;
    let keep = |own: &Spool, fault: &str| {
        let at = clock::now().map(|now| now.to_string()).unwrap_or_default();
        let line = serde_json::json!({"at": at, "hook": hook, "fault": fault}).to_string();
        own.append(FAULTS, &line, FAULTS_BYTES);
    };
    for fault in &faults {
        console.warning(&format!("hook {hook}: {fault}"));
        if let Some(own) = &own {
            keep(own, fault);
        }
    }
    if let Some(own) = own.filter(|_| !once.is_empty()) {
        let kept = own.read(FAULTS).ok().flatten().unwrap_or_default();
        let kept = String::from_utf8_lossy(&kept);
        let is_new = |fault: &&String| !kept.contains(serde_json::json!(fault).to_string().trim_matches('"'));
        once.iter().filter(is_new).for_each(|fault| keep(&own, fault));
    }
}
