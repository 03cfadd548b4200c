//! `headwater record`: one more event, durable before its path is printed.

use super::args::RecordArgs;
use super::clock;
use super::context::{Context, Ledger};
use super::environment;
use super::error::{CliError, Exit};
use super::inspect::fold;
use super::occasion;
use super::origins::phrase;
use super::secrets::Masker;
use crate::config::Trigger;
use crate::event::EventId;
use crate::event::decode::is_agent;
use crate::event::encode::{Draft, entry, list, mapping, scalar};
use crate::event::normal::MAX_BYTES;
use crate::event::text::collapse;
use crate::event::yaml::{self, Entry, Node, Value};
use crate::git::Layout;
use crate::ledger::rule::{SectionState, Writes};
use crate::ledger::{Rows, SectionView, State, View};
use crate::secrets::Certainty;
use crate::session::compose;
use crate::session::spare::Spares;
use crate::store::{StoreError, create_event, ensure_readme, fold_ledger};
use crate::trust::grants::agent_mark;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

/// How long a commit may take.
const COMMIT_LIMIT: Duration = Duration::from_secs(10);

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &RecordArgs) -> Result<Exit, CliError> {
    let stdin = if args.stdin { read_stdin()? } else { String::new() };
    let now = clock::now()?;
    let state = match fold_ledger(&ledger.dir, context.schema(), &context.hidden(ledger)) {
        Ok(folded) => folded.state,
        Err(StoreError::NoLedger(_)) => State::default(),
        Err(error) => return Err(error.into()),
    };
    let mut masker = Masker::new(args.keep_secrets);
    // A coding agent chooses among what `show` gives it, and copies no word from outside into an event of this clone.
    let chosen = match agent_mark() {
        Some(_) if !state.events().is_empty() => fold(context, ledger)?.0.state,
        _ => state.clone(),
    };
    let body = body(context, args, &chosen, &stdin, &mut masker)?;
    if body.is_empty() {
        return Err(CliError::Usage(
            "nothing to record; say what with `--now`, `--did`, `--decide` …, see `headwater record --help`".to_owned(),
        ));
    }
    let home = home(context)?;
    let branch = home.as_ref().map(Layout::branch).transpose()?.flatten();
    let mut hide = |field: &str, text: String| masker.text(field, text, Certainty::Certain).into_owned();
    let draft = Draft {
        ts: now,
        agent: hide("agent", agent_name(home.as_ref(), args.agent.clone())?),
        kind: hide("type", args.kind.clone()),
        reason: args.reason.clone().map(|reason| hide("reason", reason)),
        // Nobody typed it for the event.
        branch: branch.map(|branch| masker.text("branch", branch, Certainty::Likely).into_owned()),
        parents: None,
        body,
    };
    let agent = draft.agent.clone();
    let event =
        compose(draft, &state, context.schema(), args.overrule).map_err(|error| CliError::Usage(error.to_string()))?;
    if let Some(ahead) = event.ahead {
        let far = state.events().values().filter(|origin| origin.stamp.ts == ahead).map(|origin| &origin.stamp);
        let (agent, id) = far.max().map_or_else(Default::default, |stamp| {
            (phrase(&stamp.agent, 40), stamp.id.to_hex().get(..12).unwrap_or_default().to_owned())
        });
        context.console.warning(&format!(
            "event {id} by {agent} is dated {ahead}, more than 24 h in the future: its writes win over this one\n\
             hint: `headwater record --overrule …` writes after it; or remove its file (`headwater log` lists it first) and run the check with `--allow-missing {id}`"
        ));
    }
    masker.report(context.console);
    ensure_readme(&ledger.dir)?;
    let path = create_event(&ledger.dir, &event.stem, &event.text)?;
    keep(context, ledger, &event.stem, &event.text);
    if context.console.json {
        let shown = path.display().to_string();
        let record = serde_json::json!({
            "schema": "headwater.record/1", "path": shown, "ts": event.ts.to_string(), "agent": agent,
            "id": event.id.to_hex(), "masked": masker.json(),
        });
        context.console.json(&record)?;
    } else {
        context.console.result(&crate::ledger::escape::safe_for_terminal(&path.display().to_string()))?;
    }
    let triggers = context.config.triggers;
    let trigger = match (args.kind.as_str(), args.checkpoint.is_empty()) {
        ("handoff", _) => triggers.handoff,
        ("checkpoint", _) | (_, false) => triggers.checkpoint,
        _ => triggers.event,
    };
    follow(context, ledger, trigger);
    Ok(Exit::Done)
}

/// Keeps a copy of an event until the default branch has it.
pub(super) fn keep(context: &Context<'_>, ledger: &Ledger, stem: &str, text: &str) {
    if let (Some(layout), Some(prefix)) = (&context.layout, &ledger.in_git) {
        Spares::of(layout).keep(prefix, &EventId::of(text), stem, text).unwrap_or_else(|error| {
            context.console.warning(&format!("no copy is kept of it: {error}"));
        });
    }
}

/// Does what follows an event that is written and said to be: what goes wrong now is no failure of it.
pub(super) fn follow(context: &Context<'_>, ledger: &Ledger, trigger: Trigger) {
    occasion::apply(context, ledger, trigger, COMMIT_LIMIT).unwrap_or_else(|error| {
        context.console.warning(&format!("the view was not brought up to date: {}", error.chain()));
    });
}

fn read_stdin() -> Result<String, CliError> {
    let mut bytes = Vec::new();
    std::io::stdin().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(CliError::Input)?;
    if bytes.len() > MAX_BYTES {
        return Err(CliError::Usage(format!("standard input has more than {MAX_BYTES} bytes; record it in parts")));
    }
    String::from_utf8(bytes).map_err(|_not_utf8| CliError::Usage("standard input is not UTF-8".to_owned()))
}

/// The work tree that the writer is in: that of the ledger, else that of the current directory.
fn home(context: &Context<'_>) -> Result<Option<Layout>, CliError> {
    match &context.layout {
        Some(layout) => Ok(Some(layout.clone())),
        None => Ok(Layout::discover(Path::new("."))?),
    }
}

/// `--agent`, else the environment, else the work tree's name.
pub(super) fn agent_name(home: Option<&Layout>, told: Option<String>) -> Result<String, CliError> {
    let named = told.or_else(environment::agent);
    check_agent(named.or_else(|| home.map(Layout::work_tree_name)).unwrap_or_else(|| "local".to_owned()))
}

/// A name that can be an agent's.
pub(super) fn check_agent(name: String) -> Result<String, CliError> {
    if is_agent(&name) {
        return Ok(name);
    }
    Err(CliError::Usage(format!(
        "`{}` is no name of an agent: 1 to 128 characters, no control characters",
        phrase(&name, 40)
    )))
}

/// The sections of the event, from the options and from standard input.
fn body<'a>(
    context: &Context<'_>,
    args: &'a RecordArgs,
    state: &State,
    stdin: &'a str,
    masker: &mut Masker,
) -> Result<Vec<Entry<'a>>, CliError> {
    let view = View::new(state, BTreeSet::new(), context.schema());
    let mut body = Vec::new();
    let mut add = |name: &'static str, node: Node<'a>| body.push(entry(name, node));
    let texts = |texts: &'a [String]| list(texts.iter().map(|text| scalar(text.as_str())).collect());
    if let Some(goal) = &args.goal {
        add("goal", scalar(goal.as_str()));
    }
    if let Some(now) = &args.now {
        add("now", scalar(now.as_str()));
    }
    if !args.did.is_empty() {
        add("this_session", texts(&args.did));
    }
    if !args.decide.is_empty() || !args.undecide.is_empty() {
        add("decisions", mapping(decisions(args, state, &view)?));
    }
    if !args.checkpoint.is_empty() {
        let step = |text: &'a String| {
            let (phase, status) = split("--checkpoint", "PHASE=STATUS", text)?;
            Ok(mapping(vec![entry("phase", scalar(phase)), entry("status", scalar(status))]))
        };
        add("checkpoints", list(args.checkpoint.iter().map(step).collect::<Result<_, CliError>>()?));
    }
    if !args.ask.is_empty() {
        add("open_questions", texts(&args.ask));
    }
    add_stdin(&mut body, stdin)?;
    body = masker.entries("the body", body);
    // An answer names its question to the letter, whatever that contains.
    if !args.answer.is_empty() {
        let questions = Choices::of(state, &view, "open_questions");
        let find = |text: &String| choose("--answer", "open question", text, &questions).map(scalar);
        let closing = context.schema().section("open_questions").and_then(|section| section.closed_by.clone());
        let closing = closing
            .ok_or_else(|| CliError::Usage("`open_questions` has no closing key here (`closed_by`)".to_owned()))?;
        if body.iter().any(|known| known.key == closing) {
            return Err(given_twice(&closing));
        }
        let answers = args.answer.iter().map(find).collect::<Result<_, _>>()?;
        body.push(entry(closing, list(answers)));
    }
    Ok(body)
}

fn decisions<'a>(args: &'a RecordArgs, state: &State, view: &View<'_>) -> Result<Vec<Entry<'a>>, CliError> {
    let keys = Choices::of(state, view, "decisions");
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut add = |key: Cow<'a, str>, node: Node<'a>| {
        if entries.iter().any(|known| collapse(&known.key) == collapse(&key)) {
            return Err(CliError::Usage(format!("the decision `{}` is given twice", phrase(&key, 60))));
        }
        entries.push(entry(key, node));
        Ok(())
    };
    for text in &args.decide {
        let (key, value) = split("--decide", "KEY=TEXT", text)?;
        add(key.into(), scalar(value))?;
    }
    for text in &args.undecide {
        add(choose("--undecide", "decision", text, &keys)?.into(), Node::ABSENT)?;
    }
    Ok(entries)
}

fn split<'a>(option: &str, form: &str, text: &'a str) -> Result<(&'a str, &'a str), CliError> {
    let parts = text.split_once('=').map(|(key, value)| (key.trim(), value.trim())).filter(|(key, _)| !key.is_empty());
    parts.ok_or_else(|| CliError::Usage(format!("{option}: `{}` is not {form}", phrase(text, 60))))
}

/// Adds the sections that stand on standard input.
fn add_stdin<'a>(body: &mut Vec<Entry<'a>>, stdin: &'a str) -> Result<(), CliError> {
    let document = yaml::read(stdin, 1);
    if let Some(fault) = document.fault {
        return Err(CliError::Usage(format!("standard input:{fault}")));
    }
    match document.root.value {
        Value::Absent => {}
        Value::Mapping(entries) => {
            for entry in entries {
                if body.iter().any(|known| known.key == entry.key) {
                    return Err(given_twice(&entry.key));
                }
                body.push(entry);
            }
        }
        Value::Scalar(_) | Value::List(_) => {
            return Err(CliError::Usage(
                "standard input is no YAML mapping of sections, such as `now: text`".to_owned(),
            ));
        }
    }
    Ok(())
}

fn given_twice(key: &str) -> CliError {
    CliError::Usage(format!("`{}` is given both as an option and on standard input", phrase(key, 40)))
}

/// The texts or keys of a section that can be chosen.
struct Choices {
    /// All that stand, shown or too old to be.
    standing: Vec<String>,
    /// Those that are shown, in the order of `show`.
    numbered: Vec<String>,
}

impl Choices {
    fn of(state: &State, view: &View<'_>, name: &str) -> Self {
        let section: Option<&SectionView<'_>> = view.sections.iter().find(|section| section.name == name);
        let numbered: Vec<String> = match section.map(|section| &section.rows) {
            Some(Rows::Items(_, rows)) => rows.iter().map(|row| row.text.to_owned()).collect(),
            Some(Rows::Map(_, rows)) => rows.iter().map(|row| row.key.to_owned()).collect(),
            Some(Rows::Register(_) | Rows::Steps(..)) | None => Vec::new(),
        };
        let standing = match state.section(name) {
            Some(SectionState::Set(set)) => set.open_items().iter().map(|(text, _)| (*text).to_owned()).collect(),
            Some(SectionState::Map(keys)) => {
                let stands = |writes: &Writes| writes.winner().is_some_and(|(_, value)| value.is_some());
                keys.iter()
                    .filter(|(key, writes)| stands(writes) || numbered.contains(key))
                    .map(|(key, _)| key.clone())
                    .collect()
            }
            _ => numbered.clone(),
        };
        Self { standing, numbered }
    }
}

/// Finds what a text means: itself, a number in `show`, or a unique beginning.
fn choose(option: &str, noun: &str, text: &str, choices: &Choices) -> Result<String, CliError> {
    let wanted = collapse(text);
    let choices_of =
        |is: &dyn Fn(&String) -> bool| choices.standing.iter().filter(|choice| is(choice)).collect::<Vec<_>>();
    if let [exact, ..] = choices_of(&|choice| choice.trim() == text.trim()).as_slice() {
        return Ok((*exact).clone());
    }
    if let [same] = choices_of(&|choice| collapse(choice) == wanted).as_slice() {
        return Ok((*same).clone());
    }
    let number = wanted.parse::<usize>().ok().and_then(|number| choices.numbered.get(number.checked_sub(1)?));
    if let Some(numbered) = number {
        return Ok(numbered.clone());
    }
    let begin = choices_of(&|choice| !wanted.is_empty() && collapse(choice).starts_with(&*wanted));
    match begin.as_slice() {
        [one] => return Ok((*one).clone()),
        [] => {}
        several => {
            return Err(CliError::Usage(format!(
                "{option}: `{}` begins {} {noun}s:{}",
                phrase(text, 60),
                several.len(),
                listed(several)
            )));
        }
    }
    let mut nearest: Vec<&String> = choices.standing.iter().collect();
    let likeness = |choice: &String| {
        let ratio = similar::TextDiff::from_chars(wanted.as_ref(), choice.as_str()).ratio();
        // Whole thousandths, so that the order is total.
        (ratio * 1_000.0).round()
    };
    nearest.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)).then_with(|| a.cmp(b)));
    nearest.truncate(3);
    let known = if nearest.is_empty() {
        format!("; there is no {noun}")
    } else {
        format!("; the nearest are:{}", listed(&nearest))
    };
    Err(CliError::Usage(format!("{option}: no {noun} is `{}`{known}", phrase(text, 60))))
}

fn listed(choices: &[&String]) -> String {
    choices.iter().fold(String::new(), |list, choice| list + "\n  " + &phrase(choice, 100))
}
