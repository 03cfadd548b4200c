//! `headwater lint`: what is wrong with event files.

use super::args::LintArgs;
use super::clock::now_unix_nanos;
use super::context::Context;
use super::error::{CliError, Exit};
use super::inspect::readings;
use super::origins::counted;
use crate::event::{Event, Fault, Place, Span};
use crate::ledger::escape::{escape, escape_file_name, safe_for_terminal};
use crate::ledger::pack::{is_event_name, is_pack_name};
use crate::store::{Found, decode_path, read_pack};
use serde_json::{Value, json};
use std::path::PathBuf;

pub(super) fn run(context: &Context<'_>, args: &LintArgs) -> Result<Exit, CliError> {
    let mut findings = Findings { context, now: now_unix_nanos(), entries: Vec::new(), files: 0, errors: 0 };
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
    now: i128,
    entries: Vec<Value>,
    files: usize,
    errors: usize,
}

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
        Ok(if self.errors > 0 { Exit::Finding } else { Exit::Done })
    }
}
