//! `headwater id inbox`: tasks that programs hand in, with ids that were reserved.

use super::Desk;
use super::args::InboxArgs;
use crate::cli::error::{CliError, Exit};
use crate::ids::fold::State;
use crate::ids::inbox::{Counter, Inbox, Plan, Table, plan};
use crate::ids::{Allocator, sources};
use crate::store::{LockRequest, make_folder, read_text, replace_whole, with_lock_file};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the task list may change while its rows are put together.
const ATTEMPTS: usize = 5;

pub(super) fn run(desk: &Desk<'_>, args: &InboxArgs) -> Result<Exit, CliError> {
    let allocator = desk.allocator(false);
    make_folder(&allocator.place.folder)?;
    let waiting = |holder: &str| desk.context.console.notice(&format!("waiting for {holder}"));
    let wait = desk.context.patience.unwrap_or(Duration::from_secs(5));
    let request = LockRequest { wait, purpose: "id inbox", waiting: &waiting };
    let lock = allocator.place.folder.join("ids.inbox.lock");
    let done = with_lock_file(&lock, &request, |_| process(desk, &allocator, args))?;
    report(desk, &done)
}

fn process(desk: &Desk<'_>, allocator: &Allocator<'_>, args: &InboxArgs) -> Result<Plan, CliError> {
    let into = task_list(allocator, &args.into);
    let text = read(&args.file)?;
    let wrong = |error: String| {
        CliError::Usage(format!(
            "`{}`: {error}; expected `{{\"tasks\": [{{\"id\": \"SEC-20\"}}]}}`",
            args.file.display()
        ))
    };
    let inbox = Inbox::read(&text).map_err(wrong)?;
    let counters = counters(desk, allocator)?;
    for _ in 0..ATTEMPTS {
        let list = read(&into)?;
        let used = used(desk, allocator, &list)?;
        let table = Table::find(&list);
        let done = plan(&inbox, &table, &list, &used, &counters);
        if !done.rows.is_empty() {
            if read(&into)? != list {
                continue;
            }
            replace_whole(&into, table.with(&list, &done.rows).as_bytes())?;
        }
        if !done.done.is_empty() {
            // Tasks that were handed in meanwhile stay: the inbox is read again.
            let now = read(&args.file)?;
            let current = if now == text { inbox.clone() } else { Inbox::read(&now).map_err(wrong)? };
            let gone: Vec<_> = done.done.iter().filter_map(|place| inbox.tasks.get(*place)).collect();
            let places =
                current.tasks.iter().enumerate().filter(|(_, task)| gone.contains(task)).map(|(place, _)| place);
            replace_whole(&args.file, current.without(&places.collect()).as_bytes())?;
        }
        return Ok(done);
    }
    Err(CliError::Usage(format!("`{}` keeps changing; try again when the other program is done", into.display())))
}

/// The task list: from here, else from the top of the work tree.
fn task_list(allocator: &Allocator<'_>, into: &Path) -> PathBuf {
    if into.exists() { into.to_owned() } else { allocator.place.top.join(into) }
}

fn read(path: &Path) -> Result<String, CliError> {
    let missing = || CliError::Usage(format!("there is no `{}`", path.display()));
    let bytes = read_text(path)?.ok_or_else(missing)?;
    String::from_utf8(bytes).map_err(|_not_utf8| CliError::Usage(format!("`{}` is not UTF-8", path.display())))
}

/// The ids that the task list or a source names already.
fn used(desk: &Desk<'_>, allocator: &Allocator<'_>, list: &str) -> Result<BTreeSet<String>, CliError> {
    let mut used = BTreeSet::new();
    for namespace in desk.context.config.ids.values() {
        let rows = list.lines().filter(|line| line.trim_start().starts_with('|'));
        let in_rows = rows.flat_map(|row| namespace.format.mentions(first_cell(row)));
        used.extend(in_rows.map(|mention| namespace.format.render(&mention.says.scope, mention.says.number, "")));
        for path in sources::archives_of(namespace) {
            if let Some(bytes) = sources::read_if_there(&allocator.place.top, &path, false)? {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let mentions = namespace.format.mentions(&text);
                used.extend(
                    mentions.iter().map(|found| namespace.format.render(&found.says.scope, found.says.number, "")),
                );
            }
        }
    }
    Ok(used)
}

fn first_cell(row: &str) -> &str {
    row.trim_start().trim_start_matches('|').split('|').next().unwrap_or_default()
}

fn counters(desk: &Desk<'_>, allocator: &Allocator<'_>) -> Result<Vec<Counter>, CliError> {
    let mut counters = Vec::new();
    for namespace in desk.context.config.ids.values() {
        let (own, seen) = allocator.books(namespace)?;
        let mut floors = own.floors().clone();
        sources::join(&mut floors, seen.floors());
        let mut dead = BTreeMap::new();
        for row in allocator.rows(namespace)? {
            let why = match &row.claim.state {
                State::Released => "released".to_owned(),
                State::Amended(new) => format!("amended to {new}"),
                State::Pending | State::Confirmed => continue,
            };
            dead.insert(row.claim.id, why);
        }
        counters.push(Counter { name: namespace.name.clone(), format: namespace.format.clone(), floors, dead });
    }
    Ok(counters)
}

fn report(desk: &Desk<'_>, done: &Plan) -> Result<Exit, CliError> {
    let console = desk.context.console;
    for refused in &done.refused {
        console.warning(&format!("❌ {refused}"));
    }
    if console.json {
        console.json_line(&serde_json::json!({"added": done.added, "already": done.there, "refused": done.refused}))?;
    } else {
        let added = if done.added.is_empty() { String::new() } else { format!(": {}", done.added.join(" ")) };
        console.result(&format!(
            "{} added{added}; {} there already; {} refused",
            done.added.len(),
            done.there.len(),
            done.refused.len()
        ))?;
    }
    Ok(if done.refused.is_empty() { Exit::Done } else { Exit::Finding })
}
