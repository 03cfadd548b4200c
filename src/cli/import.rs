//! `headwater import`: legacy ledgers and handoff files become events; the source stays.

use super::args::ImportArgs;
use super::context::{Context, Ledger};
use super::error::{CliError, Exit};
use super::origins::phrase;
use crate::event::decode::{decode, is_agent};
use crate::event::encode::{Draft, file_stem};
use crate::event::legacy::{self, loose_ts};
use crate::event::{EventId, Timestamp};
use crate::ledger::escape::{escape, safe_for_terminal};
use crate::store::{StoreError, create_event, ensure_readme, fold_ledger, read_text};
use std::path::Path;

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &ImportArgs) -> Result<Exit, CliError> {
    let known = match fold_ledger(&ledger.dir, context.schema(), &context.hidden(ledger)) {
        Ok(folded) => folded.state,
        Err(StoreError::NoLedger(_)) => crate::ledger::State::default(),
        Err(error) => return Err(error.into()),
    };
    // All files are read before any event is written: one bad file changes nothing.
    let drafts = args.files.iter().map(|file| draft(context, args, file)).collect::<Result<Vec<_>, _>>()?;
    ensure_readme(&ledger.dir)?;
    for (file, (draft, text)) in args.files.iter().zip(drafts) {
        let shown = safe_for_terminal(&file.display().to_string());
        if known.events().contains_key(&EventId::of(&text)) {
            context.console.notice(&format!("{shown}: imported already"));
            continue;
        }
        let path = create_event(&ledger.dir.events(), &file_stem(draft.ts, &draft.agent), &text)?;
        context.console.result(&safe_for_terminal(&path.display().to_string()))?;
    }
    Ok(Exit::Done)
}

fn draft(context: &Context<'_>, args: &ImportArgs, file: &Path) -> Result<(Draft<'static>, String), CliError> {
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
    let by_name = || file.file_name().and_then(|name| loose_ts(&name.to_string_lossy()));
    let stated = args
        .ts
        .as_deref()
        .map(|ts| Timestamp::parse(ts).ok_or_else(|| wrong("`--ts` is no instant such as `2026-01-10T13:03:52Z`")));
    let ts = stated.transpose()?.or(legacy.ts).or_else(by_name);
    let ts = ts.ok_or_else(|| wrong("it says no date; say when it was written with `--ts 2026-01-10T13:03:52Z`"))?;
    let agent =
        args.agent.clone().or(legacy.agent).filter(|name| is_agent(name)).unwrap_or_else(|| "import".to_owned());
    let kind = legacy.kind.unwrap_or_else(|| "import".to_owned());
    let reason = file.file_name().map(|name| format!("imported from {}", name.to_string_lossy()));
    // What is imported had seen nothing and was seen by nobody: it has no `parents`.
    let draft = Draft { ts, agent, branch: legacy.branch, kind, reason, parents: None, body: legacy.body };
    let text = draft.encode();
    decode(text.as_bytes(), context.schema())
        .map_err(|fault| wrong(&format!("its event could not be read back: {fault}")))?;
    Ok((draft, text))
}
