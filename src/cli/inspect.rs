//! `show`, `log`, `why`, `status`, `lint`, `config`: what stands, what happened, and why.

use super::args::{LintArgs, LogArgs, WhyArgs};
use super::clock::now_unix_nanos;
use super::console::{AGENT, BOLD, WARNING, styled};
use super::context::{Context, Ledger};
use super::error::{CliError, Exit};
use super::origins::{agents, counted, phrase};
use super::synth::{report_faults, unreadable_json};
use crate::config::ViewPolicy;
use crate::event::schema::{Identity, Merge, Section};
use crate::event::{Event, Label, Origin, Payload, Span, Timestamp};
use crate::ledger::escape::{escape, escape_file_name, safe_for_terminal};
use crate::ledger::{Contested, Rows, SectionView, View};
use crate::store::{Folded, Reading, decode_path, fold_ledger, read_ledger};
use serde_json::{Value, json};
use std::path::PathBuf;

fn fold(context: &Context<'_>, ledger: &Ledger) -> Result<Folded, CliError> {
    Ok(fold_ledger(&ledger.dir, context.schema(), &context.hidden(ledger))?)
}

fn readings(context: &Context<'_>, ledger: &Ledger) -> Result<Vec<Reading>, CliError> {
    Ok(read_ledger(&ledger.dir, context.schema(), &context.hidden(ledger))?.1)
}

pub(super) fn show(context: &Context<'_>, ledger: &Ledger) -> Result<Exit, CliError> {
    let folded = fold(context, ledger)?;
    let view = View::new(&folded.state, folded.unreadable.clone(), context.schema());
    if context.console.json {
        let sections: Vec<Value> = view.sections.iter().map(section_json).collect();
        context.console.json(&json!({
            "schema": "headwater.show/1",
            "ledger": ledger.name,
            "sections": sections,
            "unreadable": unreadable_json(&folded),
            "event_count": view.footer.event_count,
            "latest_ts": view.footer.latest_ts.map(|ts| ts.to_string()),
            "events_sha256": view.footer.events_sha256,
        }))?;
        return Ok(Exit::Done);
    }
    report_faults(context, &folded);
    for section in &view.sections {
        show_section(context, section)?;
    }
    if view.sections.is_empty() {
        context.console.notice("the ledger is empty");
    }
    Ok(Exit::Done)
}

fn by(origin: &Origin) -> String {
    styled(&format!("({})", escape(&origin.stamp.agent)), AGENT)
}

fn show_section(context: &Context<'_>, section: &SectionView<'_>) -> Result<(), CliError> {
    let title = styled(&escape(&section.title), BOLD);
    let contested = |rows: &[Contested<'_>]| -> Vec<String> {
        let line = |write: &Contested<'_>| {
            format!("     {} {} {}", styled("contested:", WARNING), shown(write.value), by(write.origin))
        };
        rows.iter().map(line).collect()
    };
    let mut lines = Vec::new();
    match &section.rows {
        Rows::Register(row) => {
            lines.push(format!("{title}: {} {}", escape(row.text), by(row.origin)));
            lines.extend(contested(&row.contested));
        }
        Rows::Map(rows) => {
            lines.push(title);
            for (number, row) in (1..).zip(rows) {
                lines.push(format!("{number:>3}. {}: {} {}", escape(row.key), shown(row.value), by(row.origin)));
                lines.extend(contested(&row.contested));
            }
        }
        Rows::Items(earlier, rows) => {
            lines.push(title);
            lines.extend(
                rows.iter()
                    .zip(1..)
                    .map(|(row, number)| format!("{number:>3}. {} {}", escape(row.text), by(row.origin))),
            );
            lines.extend((*earlier > 0).then(|| format!("     … {earlier} earlier")));
        }
        Rows::Steps(earlier, rows) => {
            lines.push(title);
            lines.extend(rows.iter().map(|row| format!("  {} {} {}", row.time, label(row.label), by(row.origin))));
            lines.extend((*earlier > 0).then(|| format!("     … {earlier} earlier")));
        }
    }
    context.console.result(&lines.join("\n"))
}

fn shown(value: Option<&str>) -> String {
    match value {
        None => "(removed)".to_owned(),
        Some("") => "(empty)".to_owned(),
        Some(text) => escape(text),
    }
}

fn label(label: &Label) -> String {
    match label {
        Label::Text(text) => escape(text),
        Label::Phase { phase, status, rest } => {
            let status = status.as_deref().map(|status| format!(" {}", escape(status))).unwrap_or_default();
            let rest = if rest.is_empty() { String::new() } else { format!(" ({})", escape(rest)) };
            format!("Phase {}:{status}{rest}", escape(phase))
        }
    }
}

fn origin_json(origin: &Origin) -> Value {
    json!({"agent": origin.stamp.agent, "ts": origin.stamp.ts.to_string(), "event": origin.stamp.id.to_hex(), "branch": origin.meta.branch})
}

fn section_json(section: &SectionView<'_>) -> Value {
    let contested = |rows: &[Contested<'_>]| -> Vec<Value> {
        rows.iter().map(|write| json!({"value": write.value, "by": origin_json(write.origin)})).collect()
    };
    let (merge, earlier, rows): (&str, usize, Vec<Value>) = match &section.rows {
        Rows::Register(row) => (
            "register",
            0,
            vec![json!({"text": row.text, "by": origin_json(row.origin), "contested": contested(&row.contested)})],
        ),
        Rows::Map(rows) => {
            let row = |row: &crate::ledger::MapRow<'_>| json!({"key": row.key, "value": row.value, "by": origin_json(row.origin), "contested": contested(&row.contested)});
            ("map", 0, rows.iter().map(row).collect())
        }
        Rows::Items(earlier, rows) => {
            ("set", *earlier, rows.iter().map(|row| json!({"text": row.text, "by": origin_json(row.origin)})).collect())
        }
        Rows::Steps(earlier, rows) => {
            let row = |row: &crate::ledger::StepRow<'_>| match row.label {
                Label::Text(text) => json!({"time": row.time.to_string(), "text": text, "by": origin_json(row.origin)}),
                Label::Phase { phase, status, rest } => {
                    json!({"time": row.time.to_string(), "phase": phase, "status": status, "rest": rest, "by": origin_json(row.origin)})
                }
            };
            ("list", *earlier, rows.iter().map(row).collect())
        }
    };
    json!({"name": section.name, "title": section.title, "merge": merge, "earlier": earlier, "rows": rows})
}

pub(super) fn log(context: &Context<'_>, ledger: &Ledger, args: &LogArgs) -> Result<Exit, CliError> {
    let since = args.since.as_deref().map(since).transpose()?;
    let wanted = |origin: &Origin| {
        let is = |value: &Option<String>, wanted: &Option<String>| wanted.is_none() || value == wanted;
        args.agent.as_ref().is_none_or(|agent| origin.stamp.agent == *agent)
            && is(&origin.meta.branch, &args.branch)
            && is(&origin.meta.kind, &args.kind)
            && since.is_none_or(|since| origin.stamp.ts.unix_nanos() >= since)
    };
    let mut events = events(readings(context, ledger)?);
    events.retain(|(event, _)| wanted(&event.origin));
    events.sort_by(|(a, _), (b, _)| b.origin.cmp(&a.origin));
    events.dedup_by(|(a, _), (b, _)| a.origin == b.origin);
    if context.console.json {
        let entry = |(event, file): &(Event, String)| {
            let sections: Vec<&str> = event.writes.iter().map(|write| write.section.as_str()).collect();
            json!({"by": origin_json(&event.origin), "type": event.origin.meta.kind, "reason": event.origin.meta.reason,
                "file": file, "sections": sections, "phrase": headline(event)})
        };
        let events: Vec<Value> = events.iter().map(entry).collect();
        context.console.json(&json!({"schema": "headwater.log/1", "ledger": ledger.name, "events": events}))?;
        return Ok(Exit::Done);
    }
    for (event, _) in &events {
        let Origin { stamp, meta, .. } = event.origin.as_ref();
        let part = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), |text| phrase(text, 30));
        let headline = headline(event).map(|text| format!("  {}", phrase(&text, 70))).unwrap_or_default();
        let agent = styled(&phrase(&stamp.agent, 24), AGENT);
        context.console.result(&format!(
            "{}  {agent}  {}  {}{headline}",
            stamp.ts,
            part(&meta.branch),
            part(&meta.kind)
        ))?;
    }
    Ok(Exit::Done)
}

fn since(text: &str) -> Result<i128, CliError> {
    if let Some(ts) = Timestamp::parse(text) {
        return Ok(ts.unix_nanos());
    }
    if let Some(ts) = Timestamp::parse(&format!("{text}T00:00:00Z")) {
        return Ok(ts.unix_nanos());
    }
    let span = Span::parse(text, "mhdw")
        .map_err(|error| CliError::Usage(format!("--since: {error}, or an instant, or a day")))?;
    Ok(now_unix_nanos() - i128::from(span.seconds()) * 1_000_000_000)
}

/// The readable events, with the file that holds each.
fn events(readings: Vec<Reading>) -> Vec<(Event, String)> {
    let file = |reading: &Reading| {
        let name = escape_file_name(&reading.source.name);
        match &reading.source.pack {
            Some(pack) => format!("{name} in {}", escape_file_name(pack.as_bytes())),
            None if name.starts_with("archive/") => name,
            None => format!("events/{name}"),
        }
    };
    readings
        .into_iter()
        .filter_map(|reading| {
            let file = file(&reading);
            Some((reading.result.ok()?, file))
        })
        .collect()
}

/// One phrase for an event: what it says of now, else the first thing that it says.
fn headline(event: &Event) -> Option<String> {
    let text = |payload: &Payload| match payload {
        Payload::Text(text) => Some(text.clone()),
        Payload::Items(items) => items.first().cloned(),
        Payload::Entries(entries) => entries.first().map(|(key, value)| match value {
            Some(value) => format!("{key}: {value}"),
            None => format!("{key} removed"),
        }),
        Payload::Steps(steps) => steps.first().map(|step| label(&step.label)),
    };
    let now = event.writes.iter().find(|write| write.section == "now");
    now.or_else(|| event.writes.first()).and_then(|write| text(&write.payload))
}

/// A write of a section, as `why` explains it.
struct Explained {
    origin: std::sync::Arc<Origin>,
    file: String,
    key: Option<String>,
    value: Option<String>,
    closes: bool,
}

pub(super) fn why(context: &Context<'_>, ledger: &Ledger, args: &WhyArgs) -> Result<Exit, CliError> {
    let schema = context.schema();
    let default = Section::new(&args.section, &args.section, Merge::Set);
    let section = schema.section(&args.section).unwrap_or(&default);
    let readings = readings(context, ledger)?;
    let mut writes: Vec<Explained> = events(readings)
        .iter()
        .flat_map(|(event, file)| explained(event, file, section, args.key.as_deref()))
        .collect();
    writes.sort_by(|a, b| (&a.key, &b.origin, &a.file).cmp(&(&b.key, &a.origin, &b.file)));
    let folded = fold(context, ledger)?;
    let view = View::new(&folded.state, folded.unreadable.clone(), schema);
    let rows = view.sections.iter().find(|shown| shown.name == section.name).map(|section| &section.rows);
    let verdicts: Vec<&str> = (0..writes.len()).map(|position| verdict(&writes, position, section, rows)).collect();
    if context.console.json {
        let entry = |(write, verdict): (&Explained, &&str)| json!({"verdict": verdict, "by": origin_json(&write.origin), "file": write.file, "key": write.key, "value": write.value});
        let writes: Vec<Value> = writes.iter().zip(&verdicts).map(entry).collect();
        context.console.json(
            &json!({"schema": "headwater.why/1", "ledger": ledger.name, "section": args.section, "writes": writes}),
        )?;
        return Ok(Exit::Done);
    }
    if writes.is_empty() {
        let what = args.key.as_deref().map_or_else(|| args.section.clone(), |key| format!("{} `{key}`", args.section));
        context.console.notice(&format!("nobody wrote {what}"));
        return Ok(Exit::Finding);
    }
    for (write, verdict) in writes.iter().zip(verdicts) {
        let key = write
            .key
            .as_deref()
            .filter(|_| section.merge == Merge::Map)
            .map(|key| format!("{}: ", escape(key)))
            .unwrap_or_default();
        let stamp = &write.origin.stamp;
        let branch =
            write.origin.meta.branch.as_deref().map(|branch| format!(" on {}", phrase(branch, 40))).unwrap_or_default();
        let agent = styled(&phrase(&stamp.agent, 24), AGENT);
        let text = format!(
            "{key}{}\n    {verdict}; {}  {agent}{branch}  {}",
            shown(write.value.as_deref()),
            stamp.ts,
            write.file
        );
        context.console.result(&text)?;
    }
    Ok(Exit::Done)
}

/// The writes of one event to a section, or to one line of it.
fn explained(event: &Event, file: &str, section: &Section, wanted: Option<&str>) -> Vec<Explained> {
    let same = |text: &str| {
        wanted.is_none_or(|wanted| match section.identity {
            Identity::Exact if section.merge == Merge::Set => wanted.trim() == text.trim(),
            Identity::Exact | Identity::Words => {
                crate::event::text::collapse(wanted) == crate::event::text::collapse(text)
            }
        })
    };
    let make = |key: Option<String>, value: Option<String>, closes: bool| Explained {
        origin: std::sync::Arc::clone(&event.origin),
        file: file.to_owned(),
        key,
        value,
        closes,
    };
    let mut found = Vec::new();
    for write in &event.writes {
        let closes = section.closed_by.as_deref() == Some(&write.section);
        if write.section != section.name && !closes {
            continue;
        }
        match &write.payload {
            Payload::Text(text) => found.push(make(None, Some(text.clone()), false)),
            Payload::Entries(entries) => {
                found.extend(
                    entries
                        .iter()
                        .filter(|(key, _)| same(key))
                        .map(|(key, value)| make(Some(key.clone()), value.clone(), false)),
                );
            }
            Payload::Items(items) => {
                found.extend(
                    items
                        .iter()
                        .filter(|text| same(text))
                        .map(|text| make(Some(text.clone()), Some(text.clone()), closes)),
                );
            }
            Payload::Steps(steps) => {
                let texts = steps.iter().map(|step| label(&step.label)).filter(|text| same(text));
                found.extend(texts.map(|text| make(None, Some(text), false)));
            }
        }
    }
    found
}

/// What became of a write, and by which rule. The writes of one key stand together, newest first.
fn verdict(writes: &[Explained], position: usize, section: &Section, rows: Option<&Rows<'_>>) -> &'static str {
    let Some(write) = writes.get(position) else { return "" };
    let same_key = |other: &&Explained| other.key == write.key;
    let newest = writes.iter().find(same_key).is_some_and(|first| first.origin == write.origin);
    match section.merge {
        Merge::Register | Merge::Map if newest && write.value.is_none() => "won: a removal with the highest stamp",
        Merge::Register | Merge::Map if newest => "won: the highest stamp",
        Merge::Register | Merge::Map => {
            let contested: &[Contested<'_>] = match rows {
                Some(Rows::Register(row)) => &row.contested,
                Some(Rows::Map(rows)) => {
                    rows.iter().find(|row| Some(row.key) == write.key.as_deref()).map_or(&[], |row| &row.contested)
                }
                _ => &[],
            };
            if contested.iter().any(|other| *other.origin == write.origin) {
                "contested: a lower stamp, but no later writer had seen it"
            } else {
                "superseded: a later write has a higher stamp"
            }
        }
        Merge::Set if write.closes => "closes it",
        Merge::Set => {
            let first = writes
                .iter()
                .rfind(|other| same_key(other) && !other.closes)
                .is_some_and(|first| first.origin == write.origin);
            let closed = writes.iter().take(position).any(|other| same_key(&other) && other.closes);
            match (first, closed) {
                (true, false) => "shown: the first write of it",
                (true, true) => "closed: the first write of it",
                (false, true) => "closed: the same item again",
                (false, false) => "the same item again",
            }
        }
        Merge::List => "shown: a list keeps everything",
    }
}

pub(super) fn status(context: &Context<'_>, ledger: &Ledger) -> Result<Exit, CliError> {
    let folded = fold(context, ledger)?;
    report_faults(context, &folded);
    let agents = agents(&folded.state);
    if context.console.json {
        context.console.json(&json!({"schema": "headwater.status/1", "ledger": ledger.name, "agents": agents}))?;
        return Ok(Exit::Done);
    }
    for agent in &agents {
        let branch = agent.branch.as_deref().map_or_else(|| "-".to_owned(), |branch| phrase(branch, 40));
        let name = styled(&phrase(&agent.name, 24), AGENT);
        let now = agent.now.as_deref().map_or_else(|| "-".to_owned(), |now| phrase(now, 80));
        context.console.result(&format!("{}  {name}  {branch}  {now}", agent.last_seen))?;
    }
    Ok(Exit::Done)
}

pub(super) fn lint(context: &Context<'_>, args: &LintArgs) -> Result<Exit, CliError> {
    let mut findings = Findings { context, now: now_unix_nanos(), entries: Vec::new(), files: 0, errors: 0 };
    if args.files.is_empty() {
        for ledger in &context.ledgers {
            for reading in readings(context, ledger)? {
                let folder = if reading.source.name.starts_with(b"archive/") { "" } else { "events/" };
                let name = format!("{folder}{}", escape_file_name(&reading.source.name));
                let path = ledger.dir.path().join(PathBuf::from(&name));
                findings.add(&name, &reading.result, if reading.source.pack.is_none() { Some(&path) } else { None })?;
            }
        }
    } else {
        for path in &args.files {
            findings.add(&path.display().to_string(), &decode_path(path, context.schema())?, Some(path))?;
        }
    }
    findings.finish()
}

/// What `lint` found.
struct Findings<'a, 'c> {
    context: &'a Context<'c>,
    now: i128,
    entries: Vec<Value>,
    files: usize,
    errors: usize,
}

impl Findings<'_, '_> {
    fn add(
        &mut self,
        name: &str,
        result: &Result<Event, crate::event::Fault>,
        path: Option<&PathBuf>,
    ) -> Result<(), CliError> {
        self.files += 1;
        match result {
            Err(fault) => {
                self.errors += 1;
                self.report("error", name, fault.code.as_str(), fault.place, &fault.detail, fault.code.remedy())?;
            }
            Ok(event) => {
                let ahead = event.origin.stamp.ts.unix_nanos() - self.now;
                if ahead > i128::from(Span::hours(24).seconds()) * 1_000_000_000 {
                    let detail = format!("`ts` {} is more than 24 h ahead of the clock", event.origin.stamp.ts);
                    self.report(
                        "warning",
                        name,
                        "future-ts",
                        crate::event::Place::START,
                        &detail,
                        "correct the writer's clock; `headwater record --overrule` stands above it",
                    )?;
                }
                let text = path
                    .and_then(|path| crate::store::read_text(path).ok().flatten())
                    .and_then(|bytes| String::from_utf8(bytes).ok());
                for place in text.as_deref().map(crate::event::yaml::cut_by_comments).unwrap_or_default() {
                    self.report(
                        "warning",
                        name,
                        "cut-by-comment",
                        place,
                        "YAML cuts an unquoted text at ` #`",
                        "put the text in double quotes",
                    )?;
                }
            }
        }
        Ok(())
    }

    fn report(
        &mut self,
        level: &str,
        name: &str,
        code: &str,
        place: crate::event::Place,
        detail: &str,
        remedy: &str,
    ) -> Result<(), CliError> {
        if self.context.console.json {
            self.entries
                .push(json!({"level": level, "file": name, "line": place.line, "column": place.column, "code": code,
                "detail": escape(detail), "remedy": remedy}));
            return Ok(());
        }
        let text = format!("{}:{place}: {level}: {code}: {}; {remedy}", safe_for_terminal(name), escape(detail));
        self.context.console.result(&text)
    }

    fn finish(self) -> Result<Exit, CliError> {
        if self.context.console.json {
            self.context
                .console
                .json(&json!({"schema": "headwater.lint/1", "files": self.files, "findings": self.entries}))?;
        } else {
            self.context.console.notice(&format!(
                "{} checked, {} unreadable",
                counted(self.files, "file"),
                self.errors
            ));
        }
        Ok(if self.errors > 0 { Exit::Finding } else { Exit::Done })
    }
}

pub(super) fn config(context: &Context<'_>) -> Result<Exit, CliError> {
    let config = &context.config;
    let view = match config.view {
        ViewPolicy::Branch => "branch",
        ViewPolicy::DefaultBranch => "default-branch",
        ViewPolicy::Untracked => "untracked",
    };
    let age =
        |span: Option<Span>| span.map_or_else(|| "never".to_owned(), |span| format!("{}h", span.seconds() / 3_600));
    let section = |section: &Section| {
        let merge = match section.merge {
            Merge::Register => "register",
            Merge::Map => "map",
            Merge::Set => "set",
            Merge::List => "list",
        };
        let identity = (section.merge == Merge::Set).then_some(match section.identity {
            Identity::Words => "words",
            Identity::Exact => "exact",
        });
        let mut options = json!({"name": section.name, "title": section.title, "merge": merge, "identity": identity,
            "closed_by": section.closed_by, "show": section.show.map(|span| age(Some(span)))});
        if let Some(options) = options.as_object_mut() {
            options.retain(|_, value| !value.is_null());
        }
        options
    };
    let sections: Vec<Value> = config.schema.sections().iter().map(section).collect();
    let ledgers: Vec<String> = context.ledgers.iter().map(|ledger| ledger.dir.path().display().to_string()).collect();
    let file = context.config_file.as_ref().map(|file| file.display().to_string());
    let archive = json!({"after": age(config.archive_after), "pack_after": age(config.pack_after)});
    let value = json!({
        "schema": "headwater.config/1", "file": file, "ledger": config.ledgers, "resolved": ledgers, "view": view,
        "archive": archive, "sections": sections,
    });
    if context.console.json {
        context.console.json(&value)?;
        return Ok(Exit::Done);
    }
    let source = file
        .map_or_else(|| "# no .headwater.yaml: the defaults are in force".to_owned(), |file| format!("# from {file}"));
    let mut text = format!("{}\n", safe_for_terminal(&source));
    let shown = json!({"ledger": config.ledgers, "view": view, "archive": archive, "sections": sections});
    let yaml = serde_yaml::to_string(&shown).map_err(|error| CliError::CannotTell(error.to_string()))?;
    text.push_str(yaml.trim_end());
    context.console.result(&text)?;
    Ok(Exit::Done)
}
