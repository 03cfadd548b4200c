//! `headwater lint`: what is wrong with event files.

use super::args::LintArgs;
use super::check::is_far_ahead;
use super::context::Context;
use super::error::{CliError, Exit};
use super::inspect::readings;
use super::origins::counted;
use super::secrets::{REMEDY, allowed, in_file};
use crate::event::{Event, Fault, IdPrefix, Place};
use crate::ledger::escape::{escape, escape_file_name, safe_for_terminal};
use crate::ledger::pack::is_pack_name;
use crate::secrets::Certainty;
use crate::store::{Listing, decode_path, is_event_name, read_pack_file};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub(super) fn run(context: &Context<'_>, args: &LintArgs) -> Result<Exit, CliError> {
    let allowed = allowed("--allow-secret", &args.allow_secret)?;
    let mut findings = Findings { context, allowed, entries: Vec::new(), files: 0, errors: 0, found: 0, secrets: 0 };
    if args.files.is_empty() {
        for ledger in &context.ledgers {
            for reading in readings(context, ledger)?.0 {
                let row = reading.source.row();
                let folder = if row.starts_with(b"archive/") { "" } else { "events/" };
                let name = format!("{folder}{}", escape_file_name(&row));
                let path = ledger.dir.path().join(PathBuf::from(&name));
                findings.add(&name, &reading.result, if reading.source.pack.is_none() { Some(&path) } else { None })?;
            }
            for pack in Listing::of(&ledger.dir)?.packs {
                let name = String::from_utf8_lossy(&pack.shown_name()).into_owned();
                findings.add_secrets(&name, &pack.path(&ledger.dir))?;
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
    entries: Vec<Value>,
    files: usize,
    errors: usize,
    /// Findings in readable events that fail the run.
    found: usize,
    /// How many secrets there are, those of allowed events left out.
    secrets: usize,
    allowed: Vec<IdPrefix>,
}

impl Findings<'_, '_> {
    /// Adds a file that was named: an event, a pack, or else, such as a README, nothing.
    fn add_file(&mut self, path: &PathBuf) -> Result<(), CliError> {
        let (name, schema) = (path.file_name().unwrap_or_default(), self.context.schema());
        let shown = path.display().to_string();
        if name.to_str().is_some_and(is_pack_name) {
            for reading in read_pack_file(path, schema)? {
                self.add(&format!("{} in {shown}", escape_file_name(&reading.source.name)), &reading.result, None)?;
            }
            return self.add_secrets(&shown, path);
        }
        if !is_event_name(name.as_encoded_bytes()) && path.symlink_metadata().is_ok() {
            self.context.console.notice(&format!("{shown}: skipped, as its name is no event's"));
            return Ok(());
        }
        self.add(&shown, &decode_path(path, schema)?, Some(path))
    }

    fn add(&mut self, name: &str, result: &Result<Event, Fault>, path: Option<&PathBuf>) -> Result<(), CliError> {
        self.files += 1;
        if let Some(path) = path {
            self.add_secrets(name, path)?;
        }
        match result {
            Err(fault) => {
                self.errors += 1;
                self.report("error", name, fault.code.as_str(), fault.place, &fault.detail, fault.code.remedy())?;
            }
            Ok(event) => {
                if is_far_ahead(&event.origin) {
                    self.found += 1;
                    let detail = format!("`ts` {} is more than 24 h in the future", event.origin.stamp.ts);
                    let remedy =
                        "remove the event and record it again, or write after it with `headwater record --overrule`";
                    self.report("error", name, "future-ts", Place::START, &detail, remedy)?;
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

    /// Names the secrets in an event file or in a pack.
    fn add_secrets(&mut self, name: &str, path: &Path) -> Result<(), CliError> {
        let bytes = crate::store::read_text(path).ok().flatten().unwrap_or_default();
        let allows = |id: &crate::event::EventId| self.allowed.iter().any(|prefix| prefix.matches(id));
        for found in in_file(name, &bytes, Certainty::Likely, allows) {
            let (level, code) = match found.certainty {
                Certainty::Certain => ("error", "secret"),
                Certainty::Likely => ("warning", "possible-secret"),
            };
            self.secrets += usize::from(found.certainty == Certainty::Certain);
            self.report(level, &found.file, code, found.place, &found.detail(), REMEDY)?;
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
            let secrets =
                if self.secrets > 0 { format!(", {}", counted(self.secrets, "secret")) } else { String::new() };
            self.context.console.notice(&format!(
                "{} checked, {} unreadable{secrets}",
                counted(self.files, "file"),
                self.errors
            ));
        }
        Ok(if self.errors + self.found + self.secrets > 0 { Exit::Finding } else { Exit::Done })
    }
}
