//! The inbox: tasks that programs hand in become rows of the task list. Pure.

use crate::config::pattern::Scope;
use crate::trust::number::Floor;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A task that is handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// Its other values, by the names of columns in small letters.
    pub values: BTreeMap<String, String>,
}

/// An inbox as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    text: String,
    /// The tasks, in their order; an error for what is no task.
    pub tasks: Vec<Result<Task, String>>,
    spans: Vec<(usize, usize)>,
}

#[derive(serde::Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    tasks: Vec<&'a RawValue>,
}

/// The columns of a row where the task list has no table: those of the older scripts.
const COLUMNS: [&str; 7] = ["id", "title", "effort", "priority", "status", "deps", "source"];

/// Names that mean the same column.
const SAME: [&[&str]; 6] = [
    &["id", "#", "task id"],
    &["title", "task", "description", "name", "summary"],
    &["effort", "estimate", "size"],
    &["deps", "dependencies", "depends", "depends on", "blocked by"],
    &["source", "origin"],
    &["status", "state"],
];

impl Inbox {
    /// Reads an inbox.
    ///
    /// # Errors
    /// It is no `{"tasks": […]}`.
    pub fn read(text: &str) -> Result<Self, String> {
        // Some editors begin a file with a byte order mark.
        let raw = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        let raw: Raw<'_> = raw.map_err(|error| error.to_string())?;
        let start = text.as_ptr() as usize;
        let span = |value: &RawValue| {
            let from = value.get().as_ptr() as usize - start;
            (from, from + value.get().len())
        };
        let spans: Vec<(usize, usize)> = raw.tasks.iter().map(|value| span(value)).collect();
        let tasks = raw.tasks.iter().map(|value| task(value.get())).collect();
        Ok(Self { text: text.to_owned(), tasks, spans })
    }

    /// The inbox without these of its tasks; everything else stays as it is written.
    #[must_use]
    pub fn without(&self, done: &BTreeSet<usize>) -> String {
        let kept: Vec<usize> = (0..self.spans.len()).filter(|place| !done.contains(place)).collect();
        let (Some(first), Some(last)) = (self.spans.first(), self.spans.last()) else { return self.text.clone() };
        let part = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        if kept.is_empty() {
            let (before, after) = (part(0, first.0).trim_end(), part(last.1, self.text.len()).trim_start());
            return format!("{before}{after}");
        }
        let mut text = part(0, first.0).to_owned();
        for (at, place) in kept.iter().enumerate() {
            let Some(span) = self.spans.get(*place) else { continue };
            if at > 0 {
                // What stood between this task and the one before it: a comma and white space.
                let before = self.spans.get(place - 1).map_or(span.0, |before| before.1);
                text.push_str(part(before, span.0));
            }
            text.push_str(part(span.0, span.1));
        }
        text.push_str(part(last.1, self.text.len()));
        text
    }
}

fn task(text: &str) -> Result<Task, String> {
    let values: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_not_a_mapping| format!("`{}` is no task", cut(text)))?;
    let mut task = Task { id: String::new(), values: BTreeMap::new() };
    for (key, value) in values {
        let value = match value {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text,
            serde_json::Value::Array(items) => {
                let item = |item: &serde_json::Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                items.iter().map(item).collect::<Vec<_>>().join(", ")
            }
            other @ (serde_json::Value::Bool(_) | serde_json::Value::Number(_) | serde_json::Value::Object(_)) => {
                other.to_string()
            }
        };
        task.values.insert(key.to_lowercase(), value);
    }
    task.id = task.values.get("id").map(|id| id.trim().to_owned()).unwrap_or_default();
    if task.id.is_empty() { Err(format!("`{}` has no `id`", cut(text))) } else { Ok(task) }
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Where rows go in a task list, and what its columns are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    /// Where the rows are put, in bytes.
    at: usize,
    line_end: &'static str,
    /// Whether the list has no table, and its head has to be written first.
    is_new: bool,
}

/// Words in a heading above a table that takes no new task.
const ENDED: [&str; 5] = ["done", "completed", "closed", "archive", "archived"];

impl Table {
    /// Finds the last table whose first column is the id, but for those under a heading such as `Done`; without
    /// one a new table goes to the end.
    #[must_use]
    pub fn find(text: &str) -> Self {
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let columns = COLUMNS.iter().map(|name| (*name).to_owned()).collect();
        // Rows at the end go on, whatever stands above them.
        let is_new = text.lines().next_back().is_none_or(|line| cells(line).is_none());
        let mut table = Self { columns, at: text.len(), line_end, is_new };
        let mut offset = 0;
        let mut above: Option<Vec<String>> = None;
        let mut inside = false;
        let (mut ended, mut found_open) = (false, false);
        for line in text.split_inclusive('\n') {
            offset += line.len();
            if line.starts_with('#') {
                let heading = line.to_lowercase();
                ended = heading.split(|c: char| !c.is_alphanumeric()).any(|word| ENDED.contains(&word));
            }
            let cells = cells(line);
            let is_rule = |cells: &[String]| {
                cells.iter().all(|cell| cell.contains('-') && cell.trim_matches(['-', ':', ' ']).is_empty())
            };
            match (&cells, &above) {
                (Some(rule), Some(header))
                    if is_rule(rule) && header.first().is_some_and(|name| canonical(name) == "id") =>
                {
                    inside = !(ended && found_open);
                    found_open |= !ended;
                    if inside {
                        table.columns.clone_from(header);
                        table.at = offset;
                        table.is_new = false;
                    }
                }
                (Some(rule), Some(_)) if is_rule(rule) => inside = false,
                (Some(_), _) if inside => table.at = offset,
                (None, _) => inside = false,
                _ => {}
            }
            above = cells;
        }
        table
    }

    /// The row of a task, without its line end. Each column takes the value of its own name, else of a name that
    /// means the same; what no column takes stands behind the title, so that nothing is lost.
    #[must_use]
    pub fn row(&self, task: &Task) -> String {
        let mut rest: BTreeMap<&str, &str> = task
            .values
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .filter(|(key, _)| *key != "id")
            .collect();
        let mut values: Vec<Option<&str>> = self.columns.iter().map(|column| rest.remove(column.as_str())).collect();
        for (column, value) in self.columns.iter().zip(&mut values).filter(|(_, value)| value.is_none()) {
            let same = SAME.iter().find(|names| names.contains(&column.as_str()));
            *value = same.and_then(|names| names.iter().find_map(|name| rest.remove(name)));
        }
        let cell = |(column, value): (&String, Option<&str>)| match (canonical(column).as_str(), value) {
            ("id", _) => task.id.clone(),
            ("status", None) => "ready".to_owned(),
            (_, value) => value.unwrap_or_default().to_owned(),
        };
        let mut cells: Vec<String> = self.columns.iter().zip(values).map(cell).collect();
        let more: Vec<String> = rest.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let titled = |exactly: bool| {
            let is_title = |column: &String| column == "title" || !exactly && canonical(column) == "title";
            self.columns.iter().position(is_title)
        };
        let place = titled(true).or_else(|| titled(false));
        if let Some(cell) =
            cells.get_mut(place.unwrap_or(self.columns.len().saturating_sub(1))).filter(|_| !more.is_empty())
        {
            let dash = if cell.is_empty() { "" } else { " — " };
            *cell = format!("{cell}{dash}{}", more.join("; "));
        }
        let mut row = String::from("|");
        for cell in cells {
            row.push(' ');
            row.push_str(&cell.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|"));
            row.push_str(" |");
        }
        row
    }

    /// The task list with these rows; nothing else in it changes.
    #[must_use]
    pub fn with(&self, text: &str, rows: &[String]) -> String {
        let (before, after) = text.split_at_checked(self.at).unwrap_or((text, ""));
        let mut whole = before.to_owned();
        if !whole.is_empty() && !whole.ends_with('\n') {
            whole.push_str(self.line_end);
        }
        if self.is_new && !rows.is_empty() {
            let names: Vec<String> = self.columns.iter().map(|name| heading(name)).collect();
            let blank = if whole.is_empty() { "" } else { self.line_end };
            let (names, rule, end) = (names.join(" | "), "---|".repeat(names.len()), self.line_end);
            let _infallible = write!(whole, "{blank}| {names} |{end}|{rule}{end}");
        }
        for row in rows {
            whole.push_str(row);
            whole.push_str(self.line_end);
        }
        whole + after
    }
}

/// A column's name as the head of a new table has it.
fn heading(name: &str) -> String {
    if name == "id" {
        return "ID".to_owned();
    }
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The cells of a row of a table.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?;
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    Some(inner.split('|').map(|cell| cell.trim().to_lowercase()).collect())
}

fn canonical(name: &str) -> String {
    let group = SAME.iter().find(|names| names.contains(&name));
    group.and_then(|names| names.first()).map_or_else(|| name.to_owned(), |name| (*name).to_owned())
}

/// What a namespace knows of its numbers, for the check of an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counter {
    /// The namespace.
    pub name: String,
    /// How its ids are written.
    pub format: crate::config::pattern::Pattern,
    /// Where each scope stands.
    pub floors: BTreeMap<Scope, Floor>,
    /// The ids that were given up or amended, and why they cannot be used.
    pub dead: BTreeMap<String, String>,
}

/// What becomes of the tasks of an inbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Rows to append.
    pub rows: Vec<String>,
    /// The ids of those rows.
    pub added: Vec<String>,
    /// The ids of tasks whose row is there word for word: a run before this one ended half-way.
    pub there: Vec<String>,
    /// The places of the tasks that leave the inbox.
    pub done: BTreeSet<usize>,
    /// What is wrong with the others, each by name.
    pub refused: Vec<String>,
}

/// Checks each task on its own.
#[must_use]
pub fn plan(inbox: &Inbox, table: &Table, list: &str, used: &BTreeSet<String>, counters: &[Counter]) -> Plan {
    let mut plan = Plan::default();
    let mut given: BTreeSet<String> = BTreeSet::new();
    for (place, task) in inbox.tasks.iter().enumerate() {
        let task = match task {
            Ok(task) => task,
            Err(fault) => {
                plan.refused.push(fault.clone());
                continue;
            }
        };
        let row = table.row(task);
        if list.lines().any(|line| line == row) {
            plan.there.push(task.id.clone());
            plan.done.insert(place);
        } else if let Some(fault) = fault(task, used, &given, counters) {
            plan.refused.push(fault);
        } else if task.values.iter().all(|(key, value)| canonical(key) == "id" || value.trim().is_empty()) {
            plan.refused.push(format!("{}: nothing is said of it but its id; give it a `title`", task.id));
        } else {
            given.insert(task.id.clone());
            plan.added.push(task.id.clone());
            plan.rows.push(row);
            plan.done.insert(place);
        }
    }
    plan
}

fn fault(task: &Task, used: &BTreeSet<String>, given: &BTreeSet<String>, counters: &[Counter]) -> Option<String> {
    let id = &task.id;
    let known = counters.iter().find_map(|counter| Some((counter, counter.format.read(id)?)));
    let Some((counter, says)) = known else {
        if let Some(fault) = counters.iter().find_map(|counter| misspelt(id, counter)) {
            return Some(format!("Invalid task ID {id}: {fault}"));
        }
        let names: Vec<&str> = counters.iter().map(|counter| counter.name.as_str()).collect();
        return Some(format!("Invalid task ID {id}: no namespace writes ids like this. Valid: {}", names.join(", ")));
    };
    let floor = counter.floors.get(&says.scope).cloned().unwrap_or_default();
    if !floor.holds(says.number) {
        let top = floor.top();
        let at = counter.format.render(&says.scope, top, "");
        let name = &counter.name;
        return Some(format!(
            "Invalid task ID {id}: counter at {at}. Run: headwater id reserve {name} to reserve IDs first."
        ));
    }
    if used.contains(id) {
        return Some(format!(
            "Invalid task ID {id}: already used. Run: headwater id reserve {} for another.",
            counter.name
        ));
    }
    if given.contains(id) {
        return Some(format!(
            "Invalid task ID {id}: twice in this inbox. Run: headwater id reserve {} for one of them.",
            counter.name
        ));
    }
    counter
        .dead
        .get(id)
        .map(|why| format!("Invalid task ID {id}: {why}. Run: headwater id reserve {} for another.", counter.name))
}

/// What is wrong with an id that is nearly one of this namespace, and how it is written.
fn misspelt(id: &str, counter: &Counter) -> Option<String> {
    let prefix = counter.format.as_str().split('{').next().unwrap_or_default();
    let (start, rest) = id.split_at_checked(prefix.len())?;
    let corrected = format!("{prefix}{rest}");
    let mention = counter.format.mentions(&corrected).into_iter().next()?;
    if mention.start > 0 || !start.eq_ignore_ascii_case(prefix) {
        return None;
    }
    let (name, written) = (&counter.name, counter.format.render(&mention.says.scope, mention.says.number, ""));
    Some(match corrected.get(mention.end..) {
        None | Some("") => format!("ids of {name} are written like {written}. Write it so, if it is meant."),
        Some(more) => format!(
            "`{more}` stands after its number. Write {written} if it is meant, or run: headwater id reserve {name} for an id of its own."
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::{Counter, Inbox, Table, plan};
    use crate::config::pattern::{Pattern, Scope};
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    const LIST: &str = "# Tasks\n\n| ID | Task | Priority | Status |\n|----|:---|---|---|\n| SEC-1 | a | High | done |\n\nProse with | bars.\n";

    fn sec(top: u64) -> Vec<Counter> {
        let format = Pattern::id("SEC-{n}").unwrap();
        let mut floor = crate::trust::number::Floor::default();
        floor.enter(&[top], Some(true));
        let floors = BTreeMap::from([(Scope::default(), floor)]);
        vec![Counter {
            name: "SEC".to_owned(),
            format,
            floors,
            dead: BTreeMap::from([("SEC-4".to_owned(), "released".to_owned())]),
        }]
    }

    #[test]
    fn good_rows_go_in_whole_and_the_others_stay() {
        let text = "{\n  \"tasks\": [\n    {\"id\": \"SEC-2\", \"title\": \"Fix | auth\\nbug\", \"priority\": \"High\"},\n    {\"id\": \"SEC-9\"},\n    {\"id\": \"SEC-1\"}, {\"id\": \"FOO-1\"},\n    {\"id\": \"SEC-4\"}, 7, {\"id\": \"SEC-2\"},\n    {\"id\": \"SEC-3\", \"files\": [\"a\", \"b\"], \"status\": \"open\"}\n  ],\n  \"more\": 1\n}\n";
        let inbox = Inbox::read(text).unwrap();
        let table = Table::find(LIST);
        let used = BTreeSet::from(["SEC-1".to_owned()]);
        let done = plan(&inbox, &table, LIST, &used, &sec(5));
        assert_eq!(done.added, ["SEC-2", "SEC-3"]);
        let whole = table.with(LIST, &done.rows);
        let expected = LIST.replace(
            "done |\n\n",
            "done |\n| SEC-2 | Fix \\| auth bug | High | ready |\n| SEC-3 | files: a, b |  | open |\n\n",
        );
        assert_eq!(whole, expected);
        assert_eq!(done.refused.len(), 6);
        assert_eq!(
            done.refused[0],
            "Invalid task ID SEC-9: counter at SEC-5. Run: headwater id reserve SEC to reserve IDs first."
        );
        let rest = inbox.without(&done.done);
        assert!(
            rest.starts_with("{\n  \"tasks\": [\n    {\"id\": \"SEC-9\"},") && rest.ends_with("\"more\": 1\n}\n"),
            "{rest}"
        );
        assert_eq!(Inbox::read(&rest).unwrap().tasks.len(), 6);
        // The next run finds the rows there, and takes their tasks for done.
        let again = plan(
            &inbox,
            &table,
            &whole,
            &BTreeSet::from(["SEC-1".to_owned(), "SEC-2".to_owned(), "SEC-3".to_owned()]),
            &sec(5),
        );
        assert_eq!((again.there.len(), again.rows.len()), (2, 0));
        assert_eq!(inbox.without(&(0..8).collect()).replace([' ', '\n'], ""), "{\"tasks\":[],\"more\":1}");
    }

    #[test]
    fn what_is_nearly_an_id_is_told_how_to_be_one() {
        let said = |id: &str| {
            let inbox = Inbox::read(&format!("{{\"tasks\": [{{\"id\": \"{id}\"}}]}}")).unwrap();
            plan(&inbox, &Table::find(LIST), LIST, &BTreeSet::new(), &sec(5)).refused.remove(0)
        };
        let so = "ids of SEC are written like SEC-3. Write it so, if it is meant.";
        assert_eq!(said("sec-3"), format!("Invalid task ID sec-3: {so}"));
        assert_eq!(said("SEC-003"), format!("Invalid task ID SEC-003: {so}"));
        assert_eq!(
            said("SEC-3a"),
            "Invalid task ID SEC-3a: `a` stands after its number. Write SEC-3 if it is meant, or run: headwater id reserve SEC for an id of its own."
        );
        for id in ["SECURE-3", "SEC", "é-3", "xSEC-3", "SEC-x"] {
            assert_eq!(said(id), format!("Invalid task ID {id}: no namespace writes ids like this. Valid: SEC"));
        }
    }

    #[test]
    fn nothing_of_a_task_is_lost() {
        let row = |list: &str, task: &str| {
            let inbox = Inbox::read(&format!("\u{feff}{{\"tasks\": [{task}]}}")).unwrap();
            Table::find(list).row(inbox.tasks[0].as_ref().unwrap())
        };
        let task = r#"{"id": "SEC-2", "title": "A", "description": "long", "estimate": "3h", "files": ["a.rs"]}"#;
        assert_eq!(row(LIST, task), "| SEC-2 | A — description: long; estimate: 3h; files: a.rs |  | ready |");
        assert_eq!(
            row("| # | Size | State |\n|-|-|-|\n", task),
            "| SEC-2 | 3h | ready — description: long; files: a.rs; title: A |"
        );
        // The column's own name comes before one that means the same.
        assert_eq!(
            row("| ID | Description | Title |\n|-|-|-|\n", task),
            "| SEC-2 | long | A — estimate: 3h; files: a.rs |"
        );
        let inbox = Inbox::read("{\"tasks\": [{\"id\": \"SEC-3\", \"title\": \" \"}]}").unwrap();
        let refused = plan(&inbox, &Table::find(LIST), LIST, &BTreeSet::new(), &sec(5)).refused;
        assert_eq!(refused, ["SEC-3: nothing is said of it but its id; give it a `title`"]);
    }

    #[test]
    fn where_new_rows_go() {
        let with = |list: &str| Table::find(list).with(list, &["| a |".to_owned()]);
        let head = "| ID | Title | Effort | Priority | Status | Deps | Source |\n|---|---|---|---|---|---|---|\n";
        assert_eq!(with("text"), format!("text\n\n{head}| a |\n"));
        assert_eq!(with("a\r\n"), format!("a\r\n\r\n{}| a |\r\n", head.replace('\n', "\r\n")));
        assert_eq!(with(""), format!("{head}| a |\n"));
        assert_eq!(with("| SEC-1 | x |"), "| SEC-1 | x |\n| a |\n");
        let (open, done) = ("## Open\n| ID |\n|-|\n| b |\n", "\n## Done\n| ID |\n|-|\n");
        assert_eq!(with(&format!("{open}{done}")), format!("{open}| a |\n{done}"));
        assert_eq!(with(done), format!("{done}| a |\n"));
    }

    proptest! {
        #[test]
        fn what_is_taken_out_is_gone_and_the_rest_is_there(count in 0usize..7, mask in any::<u8>(), space in "[ \n]{0,3}") {
            let tasks: Vec<String> = (0..count).map(|n| format!("{{\"id\":\"SEC-{n}\"}}")).collect();
            let text = format!("{{\"tasks\":[{space}{}{space}]}}", tasks.join(&format!("{space},{space}")));
            let inbox = Inbox::read(&text).unwrap();
            let done: BTreeSet<usize> = (0..count).filter(|n| mask & (1 << n) != 0).collect();
            let rest = Inbox::read(&inbox.without(&done)).unwrap();
            let ids: Vec<String> = rest.tasks.into_iter().map(|task| task.unwrap().id).collect();
            let expected: Vec<String> = (0..count).filter(|n| !done.contains(n)).map(|n| format!("SEC-{n}")).collect();
            prop_assert_eq!(ids, expected);
        }
    }
}
