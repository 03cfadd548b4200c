//! `headwater lint`: what is wrong with event files.

use super::args::LintArgs;
use super::check::is_far_ahead;
use super::context::{Context, below};
use super::error::{CliError, Exit};
use super::inspect::readings;
use super::origins::counted;
use super::secrets::{REMEDY, allowed, in_file};
use crate::event::decode::{decode, id_of};
use crate::event::{Event, EventId, Fault, IdPrefix, Place};
use crate::git::{ChangedFiles, Oid};
use crate::ledger::escape::{escape, escape_file_name, safe_for_terminal};
use crate::ledger::pack::{is_event_name, is_pack_name};
use crate::secrets::Certainty;
use crate::store::{Found, Listing, decode_path, read_pack};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) fn run(context: &Context<'_>, args: &LintArgs) -> Result<Exit, CliError> {
    let mut findings = Findings {
        context,
        changed: Changed::of(context),
        allowed: allowed("--allow-secret", &args.allow_secret)?,
        entries: Vec::new(),
        files: 0,
        errors: 0,
        found: 0,
        secrets: 0,
    };
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
    changed: Changed,
    entries: Vec<Value>,
    files: usize,
    errors: usize,
    /// Findings in readable events that fail the run.
    found: usize,
    /// How many secrets there are, those of allowed events left out.
    secrets: usize,
    allowed: Vec<IdPrefix>,
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
        let ledgers = context.ledgers.iter().filter_map(|ledger| ledger.in_git.as_deref());
        let directories: Vec<String> =
            ledgers.flat_map(|path| ["events", "archive"].map(|name| below(path, name))).collect();
        let directories: Vec<&str> = directories.iter().map(String::as_str).collect();
        let Some(git) = context.git().filter(|_| !directories.is_empty()) else { return Self::default() };
        let Ok(files) = git.changed_files(&directories, HISTORY_LIMIT) else { return Self::default() };
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
        let version = |files: &BTreeMap<Vec<u8>, Oid>| self.first.get_key_value(files.get(path.as_bytes())?);
        let (in_head, first) = (version(&self.files.since_head), version(&self.files.in_history));
        // Whoever restores the first version makes HEAD's the changed one.
        let (oid, _) = first.or(in_head).filter(|(_, id)| now != Some(**id))?;
        Some((in_head.is_some_and(|(_, id)| now != Some(*id)), oid))
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
        self.add_change(name, path)?;
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

    /// Reports an event whose bytes are not those that were committed.
    fn add_change(&mut self, name: &str, path: Option<&PathBuf>) -> Result<(), CliError> {
        let in_git = self.context.layout.as_ref().zip(path).and_then(|(layout, path)| layout.relative(path));
        let (Some(in_git), Some(path)) = (in_git, path) else { return Ok(()) };
        let now = crate::store::read_text(path).ok().flatten().and_then(|bytes| id_of(&bytes));
        let Some((since_head, oid)) = self.changed.find(&in_git, now) else { return Ok(()) };
        let first = oid.as_str().get(..12).unwrap_or_default().to_owned();
        let (level, since) = if since_head { ("error", "HEAD") } else { ("warning", "its first commit") };
        self.found += usize::from(since_head);
        let detail = format!("the event was changed since {since}, and events are append-only");
        let remedy =
            format!("restore it with `git cat-file blob {first}`, and record what is new in an event of its own");
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
