//! `headwater lint`: what is wrong with event files.

use super::args::LintArgs;
use super::clock::now_unix_nanos;
use super::context::Context;
use super::error::{CliError, Exit};
use super::inspect::readings;
use super::origins::counted;
use crate::event::decode::{decode, id_of};
use crate::event::{Event, EventId, Fault, Place, Span};
use crate::git::{ChangedFiles, Oid};
use crate::ledger::escape::{escape, escape_file_name, safe_for_terminal};
use crate::ledger::pack::{is_event_name, is_pack_name};
use crate::store::{Found, decode_path, read_pack};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

pub(super) fn run(context: &Context<'_>, args: &LintArgs) -> Result<Exit, CliError> {
    let mut findings = Findings {
        context,
        changed: Changed::of(context),
        now: now_unix_nanos(),
        entries: Vec::new(),
        files: 0,
        errors: 0,
        edited: 0,
    };
    if args.files.is_empty() {
        for ledger in &context.ledgers {
            for reading in readings(context, ledger)? {
                let row = reading.source.row();
                let folder = if row.starts_with(b"archive/") { "" } else { "events/" };
                let name = format!("{folder}{}", escape_file_name(&row));
                let path = ledger.dir.path().join(PathBuf::from(&name));
                findings.add(&name, &reading.result, if reading.source.pack.is_none() { Some(&path) } else { None })?;
            }
        }
    } else {
        for path in &args.files {
            findings.add_file(path)?;
        }
    }
    findings.finish()
}

/// What `lint` found.
struct Findings<'a, 'c> {
    context: &'a Context<'c>,
    changed: Changed,
    now: i128,
    entries: Vec<Value>,
    files: usize,
    errors: usize,
    /// How many events differ from HEAD.
    edited: usize,
}

/// Event files that were changed after they were committed.
#[derive(Default)]
struct Changed {
    files: ChangedFiles,
    /// The first versions that were events, by their blobs.
    first: BTreeMap<Oid, EventId>,
}

impl Changed {
    /// Reads them from git; none where there is no git, or it does not answer in time.
    fn of(context: &Context<'_>) -> Self {
        let ledgers: Vec<&str> = context.ledgers.iter().filter_map(|ledger| ledger.in_git.as_deref()).collect();
        let Some(git) = context.git().filter(|_| !ledgers.is_empty()) else { return Self::default() };
        let Ok(files) = git.changed_files(&ledgers, HISTORY_LIMIT) else { return Self::default() };
        let oids: BTreeSet<&Oid> = files.since_head.values().chain(files.in_history.values()).collect();
        let oids: Vec<Oid> = oids.into_iter().cloned().collect();
        let blobs = git.read_blobs(&oids).unwrap_or_default();
        // An unreadable event is to be corrected; only a readable one is append-only.
        let id = |bytes: &Vec<u8>| Some(decode(bytes, context.schema()).ok()?.origin.stamp.id);
        let first = oids.into_iter().zip(&blobs).filter_map(|(oid, bytes)| Some((oid, id(bytes)?))).collect();
        Self { files, first }
    }

    /// Whether the event at `path` is another one than it was: in HEAD (`true`), or when it was first committed.
    fn find(&self, path: &str, now: Option<EventId>) -> Option<(bool, &Oid)> {
        let other = |files: &'_ BTreeMap<Vec<u8>, Oid>| {
            let (oid, first) = files.get(path.as_bytes()).and_then(|oid| self.first.get_key_value(oid))?;
            (now != Some(*first)).then_some(oid)
        };
        let since_head = other(&self.files.since_head).map(|oid| (true, oid));
        since_head.or_else(|| other(&self.files.in_history).map(|oid| (false, oid)))
    }
}

/// How long git may look through the history.
const HISTORY_LIMIT: Duration = Duration::from_secs(10);

impl Findings<'_, '_> {
    /// Adds a file that was named: an event, a pack, or else, such as a README, nothing.
    fn add_file(&mut self, path: &PathBuf) -> Result<(), CliError> {
        let (name, schema) = (path.file_name().unwrap_or_default(), self.context.schema());
        let shown = path.display().to_string();
        if is_pack_name(name.as_encoded_bytes()) {
            let found = Found { day: None, name: name.to_owned(), not_a_file: false };
            for reading in read_pack(path, &found, schema)? {
                self.add(&format!("{} in {shown}", escape_file_name(&reading.source.name)), &reading.result, None)?;
            }
            return Ok(());
        }
        if !is_event_name(name.as_encoded_bytes()) && path.symlink_metadata().is_ok() {
            self.context.console.notice(&format!("{shown}: skipped, as its name is no event's"));
            return Ok(());
        }
        self.add(&shown, &decode_path(path, schema)?, Some(path))
    }

    fn add(&mut self, name: &str, result: &Result<Event, Fault>, path: Option<&PathBuf>) -> Result<(), CliError> {
        self.files += 1;
        self.add_change(name, path)?;
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
                        Place::START,
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

    /// Reports an event whose bytes are not those that were committed.
    fn add_change(&mut self, name: &str, path: Option<&PathBuf>) -> Result<(), CliError> {
        let in_git = self.context.layout.as_ref().zip(path).and_then(|(layout, path)| layout.relative(path));
        let (Some(in_git), Some(path)) = (in_git, path) else { return Ok(()) };
        let now = crate::store::read_text(path).ok().flatten().and_then(|bytes| id_of(&bytes));
        let Some((since_head, oid)) = self.changed.find(&in_git, now) else { return Ok(()) };
        let first = oid.as_str().get(..12).unwrap_or_default().to_owned();
        let (level, since) = if since_head { ("error", "HEAD") } else { ("warning", "its first commit") };
        self.edited += usize::from(since_head);
        let detail = format!("the event was changed since {since}, and events are append-only");
        let remedy = format!("restore it with `git cat-file blob {first}`, and record what is new in an event of its own");
        self.report(level, name, "changed-event", Place::START, &detail, &remedy)
    }

    fn report(
        &mut self,
        level: &str,
        name: &str,
        code: &str,
        place: Place,
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
        Ok(if self.errors + self.edited > 0 { Exit::Finding } else { Exit::Done })
    }
}
