//! `headwater import`: legacy ledgers and handoff files become events; the source stays.

use super::args::ImportArgs;
use super::context::{Context, Ledger};
use super::error::{CliError, Exit};
use super::origins::phrase;
use super::record::check_agent;
use super::secrets::{REMEDY, in_file};
use crate::event::decode::decode;
use crate::event::encode::{Draft, file_stem};
use crate::event::legacy::{self, agent_in_name, loose_ts};
use crate::event::{EventId, Timestamp};
use crate::ledger::escape::{escape, safe_for_terminal};
use crate::secrets::Certainty;
use crate::store::{StoreError, create_event, ensure_readme, fold_ledger, read_text};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &ImportArgs) -> Result<Exit, CliError> {
    let known = match fold_ledger(&ledger.dir, context.schema(), &context.hidden(ledger)) {
        Ok(folded) => folded.state,
        Err(StoreError::NoLedger(_)) => crate::ledger::State::default(),
        Err(error) => return Err(error.into()),
    };
    let mut known: BTreeSet<EventId> = known.events().keys().copied().collect();
    // All files are read before any event is written: one bad file changes nothing.
    let named = args.agent.clone().map(check_agent).transpose()?;
    let drafts = args.files.iter().map(|file| draft(context, args, named.as_deref(), file));
    let drafts = drafts.collect::<Result<Vec<_>, _>>()?;
    ensure_readme(&ledger.dir)?;
    let mut files = Vec::new();
    for (file, Imported { stem, text, unplaced }) in args.files.iter().zip(drafts) {
        let shown = file.display().to_string();
        let path = if known.insert(EventId::of(&text)) {
            let path = create_event(&ledger.dir, &stem, &text)?.display().to_string();
            // What was written before is evidence: it is kept to the byte, and named.
            for found in in_file(&path, text.as_bytes(), Certainty::Certain, |_| false) {
                context.console.warning(&format!(
                    "{}:{}: secret: {}; {REMEDY}",
                    found.file,
                    found.place,
                    found.detail()
                ));
            }
            Some(path)
        } else {
            None
        };
        if context.console.json {
            let reason = path.is_none().then_some(ALREADY);
            files.push(json!({"file": shown, "event": path, "reason": reason, "unplaced": unplaced}));
        } else if let Some(path) = path {
            context.console.result(&safe_for_terminal(&path))?;
        } else {
            context.console.notice(&format!("{shown}: {ALREADY}"));
        }
    }
    if context.console.json {
        context.console.json(&json!({"schema": "headwater.import/1", "ledger": ledger.name, "files": files}))?;
    }
    Ok(Exit::Done)
}

const ALREADY: &str = "imported already";

/// A file as an event that is not written yet.
struct Imported {
    stem: String,
    text: String,
    unplaced: Vec<String>,
}

fn draft(context: &Context<'_>, args: &ImportArgs, named: Option<&str>, file: &Path) -> Result<Imported, CliError> {
    let shown = file.display();
    let wrong = |fault: &str| CliError::Usage(format!("{shown}: {fault}"));
    let bytes = read_text(file)?.ok_or_else(|| wrong("there is no such file"))?;
    let text = String::from_utf8(bytes).map_err(|_not_utf8| wrong("not UTF-8; save it as UTF-8"))?;
    let is_yaml = file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let legacy = legacy::read(&text, is_yaml, context.schema()).map_err(|fault| wrong(&fault.to_string()))?;
    for part in &legacy.unplaced {
        context.console.warning(&format!("{shown}: not imported: {}", phrase(&escape(part), 120)));
    }
    if legacy.body.is_empty() {
        return Err(wrong("nothing in it has a place in an event; see `docs/format.md` for what has"));
    }
    let name = file.file_name().map(|name| name.to_string_lossy());
    let by_name = || Some(loose_ts(name.as_deref()?)?.0);
    let stated = args
        .ts
        .as_deref()
        .map(|ts| Timestamp::parse(ts).ok_or_else(|| wrong("`--ts` is no instant such as `2026-01-10T13:03:52Z`")));
    let ts = stated.transpose()?.or(legacy.ts).or_else(by_name);
    let ts = ts.ok_or_else(|| wrong("it says no date; say when it was written with `--ts 2026-01-10T13:03:52Z`"))?;
    let agent = match (named, legacy.agent) {
        (Some(named), _) => named.to_owned(),
        (None, Some(agent)) => {
            check_agent(agent).map_err(|error| wrong(&format!("{error}; say who wrote it with `--agent`")))?
        }
        (None, None) => name.as_deref().and_then(agent_in_name).unwrap_or("import").to_owned(),
    };
    let kind = legacy.kind.unwrap_or_else(|| "import".to_owned());
    let reason = name.as_deref().map(|name| format!("imported from {name}"));
    // What is imported had seen nothing and was seen by nobody: it has no `parents`.
    let draft = Draft { ts, agent, branch: legacy.branch, kind, reason, parents: None, body: legacy.body };
    let text = draft.encode(context.schema());
    decode(text.as_bytes(), context.schema())
        .map_err(|fault| wrong(&format!("its event could not be read back: {fault}")))?;
    // Two branches that import give each event a name of its own.
    let id = EventId::of(&text).to_hex();
    let stem = format!("{}_{}", file_stem(draft.ts, &draft.agent), id.get(..12).unwrap_or_default());
    Ok(Imported { stem, text, unplaced: legacy.unplaced })
}
