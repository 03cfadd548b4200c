//! `headwater synth --check`: reads only, and fails on every stale byte.

use super::args::SynthArgs;
use super::clock::now_unix_nanos;
use super::context::{Context, Ledger, below, ledger_entries, parse_config, read_entries};
use super::error::{CliError, Exit};
use super::origins::{counted, phrase};
use super::secrets::{self, Found as Secret};
use super::synth::{leave, report_faults, unreadable_json, view_name};
use crate::config::{Config, FILE_NAME, ViewPolicy};
use crate::event::schema::Schema;
use crate::event::{EventId, IdPrefix, Origin, Span};
use crate::git::{Git, MergeBase, Oid};
use crate::ledger::check::stale;
use crate::ledger::escape::{escape_file_name, safe_for_terminal};
use crate::secrets::Certainty;
use crate::store::{Folded, Listing, Reading, fold_ledger, ids_in, ids_on_disk, read_text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is checked: a ledger in the work tree, or in a commit.
pub(super) struct Subject {
    pub ledger: Ledger,
    folded: Folded,
    /// The view that stands there.
    standing: Option<Vec<u8>>,
    /// Whether the view is committed there.
    has_view: bool,
    /// The ids of all texts there, of unreadable ones too.
    ids: BTreeSet<EventId>,
    /// Its files in git, where it is in a commit.
    entries: Option<Vec<Entry>>,
}

/// A file of a ledger in a commit.
type Entry = (crate::store::Found, crate::git::TreeEntry);

/// What a base has: ids of texts, and objects that need not be read again.
#[derive(Default)]
struct Known {
    ids: BTreeSet<EventId>,
    oids: BTreeSet<Oid>,
}

impl Subject {
    /// Whether the view is committed there and is not what the events give.
    pub(super) fn is_stale(&self) -> bool {
        self.has_view && self.standing.as_deref().unwrap_or_default() != self.folded.text.as_bytes()
    }
}

/// Checks every ledger of the work tree, or of a commit.
pub(super) fn run(context: &Context<'_>, args: &SynthArgs) -> Result<Exit, CliError> {
    let subjects = match &args.rev {
        None => context.ledgers.iter().map(|ledger| work_tree(context, ledger, args.base.is_some())).collect(),
        Some(rev) => commit(context, rev, args.base.is_some())?,
    };
    let mut subjects: Vec<Result<Subject, CliError>> = subjects;
    if let [Err(_)] = subjects.as_slice() {
        return subjects.remove(0).map(|_| Exit::Done);
    }
    let (mut readable, mut worst) = (Vec::new(), Exit::Done);
    for subject in subjects {
        match subject {
            Ok(subject) => readable.push(subject),
            Err(error) => {
                context.console.error(&error);
                worst = Exit::Failed;
            }
        }
    }
    let mut found = match &args.base {
        Some(base) if worst == Exit::Done => since_base(context, args, base, &readable)?,
        None if args.all_are_new => SinceBase::of_secrets(&new_secrets(context, args, &Known::default(), &readable)?),
        _ => SinceBase::default(),
    };
    if !found.is_clean() {
        worst = Exit::Finding;
    }
    if readable.is_empty() && worst < Exit::Failed {
        let rev = args.rev.as_deref().unwrap_or("HEAD");
        context.console.notice(&format!("`{}` has no ledger", safe_for_terminal(rev)));
        found.lines().try_for_each(|line| context.console.result(line))?;
    }
    for subject in readable {
        worst = worst.max(finish(context, args, &subject, &std::mem::take(&mut found))?);
        leave(subject);
    }
    Ok(worst)
}

/// Holds one view against its events.
fn finish(context: &Context<'_>, args: &SynthArgs, subject: &Subject, found: &SinceBase) -> Result<Exit, CliError> {
    report_faults(context, &subject.folded);
    let diff = if subject.has_view {
        stale(subject.standing.as_deref().unwrap_or_default(), &subject.folded.text, "current.md")
    } else {
        None
    };
    report(context, subject, diff.as_deref(), found)?;
    let strict = args.strict && !subject.folded.unreadable.is_empty();
    Ok(if diff.is_some() || strict { Exit::Finding } else { Exit::Done })
}

fn report(context: &Context<'_>, subject: &Subject, diff: Option<&str>, found: &SinceBase) -> Result<(), CliError> {
    let ledger = &subject.ledger;
    let view = view_name(ledger);
    if context.console.json {
        return context.console.json(&serde_json::json!({
            "schema": "headwater.check/1",
            "ledger": ledger.name,
            "view": view,
            "fresh": diff.is_none(),
            "view_is_committed_here": subject.has_view,
            "diff": diff.map(safe_for_terminal),
            "lost_events": found.lost,
            "future_events": found.future,
            "secrets": found.secrets,
            "unreadable": unreadable_json(&subject.folded),
        }));
    }
    found.lines().try_for_each(|line| context.console.result(line))?;
    let view = safe_for_terminal(&view);
    match diff {
        Some(diff) => {
            context.console.result(safe_for_terminal(diff).trim_end())?;
            context.console.warning(&format!(
                "{view} is stale; run `headwater` and commit the result (`headwater --no-confirm --commit` does both)"
            ));
        }
        None if !subject.has_view => {
            context.console.notice(&format!("{view} is not committed here (`view:`), nothing to compare"));
        }
        None => context
            .console
            .notice(&format!("{view} is fresh: {}", counted(subject.folded.state.events().len(), "event"))),
    }
    Ok(())
}

/// The work tree as it stands. Takes no lock and writes nothing.
fn work_tree(context: &Context<'_>, ledger: &Ledger, with_ids: bool) -> Result<Subject, CliError> {
    let hidden = context.hidden(ledger);
    let folded = fold_ledger(&ledger.dir, context.schema(), &hidden)?;
    let has_view = context.view_is_committed_here()?.ok_or_else(unknown_default)?;
    let mut standing = if has_view { read_text(&ledger.dir.view())? } else { None };
    if standing.is_none() && has_view {
        standing = hidden_view(context, ledger)?;
    }
    // Unreadable texts count as present: a guard is about what was removed.
    let ids = if with_ids { ids_on_disk(&ledger.dir, &folded.listing) } else { BTreeSet::new() };
    let ids = ids.into_iter().chain(folded.state.events().keys().copied()).collect();
    Ok(Subject { ledger: ledger.clone(), folded, standing, has_view, ids, entries: None })
}

/// The view that a sparse checkout keeps in the index.
fn hidden_view(context: &Context<'_>, ledger: &Ledger) -> Result<Option<Vec<u8>>, CliError> {
    let (Some(layout), Some(prefix)) = (&context.layout, &ledger.in_git) else { return Ok(None) };
    if !layout.is_sparse() {
        return Ok(None);
    }
    let git = Git::at(layout);
    let path = below(prefix, "current.md");
    let entry = git.hidden_entries(&path)?.into_iter().find(|entry| entry.path == path.as_bytes());
    Ok(match entry {
        Some(entry) => git.read_blobs(&[entry.oid])?.into_iter().next(),
        None => None,
    })
}

fn unknown_default() -> CliError {
    CliError::CannotTell(
        "git does not know the default branch, which `view: default-branch` speaks of; run `git remote set-head origin -a`"
            .to_owned(),
    )
}

/// The configuration of a commit, called `rev`.
pub(super) fn config_at(git: &Git, commit: &Oid, rev: &str) -> Result<Config, CliError> {
    match git.blob_at(commit, FILE_NAME)? {
        Some(bytes) => parse_config(Path::new(&format!("{rev}:{FILE_NAME}")), &bytes),
        None => Ok(Config::default()),
    }
}

/// The ledgers of a configuration, unless one was named.
pub(super) fn ledgers_of(context: &Context<'_>, config: &Config) -> Result<Vec<Ledger>, CliError> {
    if context.is_named {
        return Ok(context.ledgers.clone());
    }
    config.ledgers.iter().map(|path| context.ledger_at(path)).collect()
}

/// A commit's own events, archive, configuration and views, from git objects.
pub(super) fn commit(
    context: &Context<'_>,
    rev: &str,
    with_ids: bool,
) -> Result<Vec<Result<Subject, CliError>>, CliError> {
    let git = context.git_for("`--rev`")?;
    let oid = git.resolve(rev)?;
    let config = config_at(&git, &oid, rev)?;
    let has_view = match config.view {
        ViewPolicy::Branch => true,
        ViewPolicy::Untracked => false,
        ViewPolicy::DefaultBranch => is_on_default_branch(&git, &oid)?,
    };
    let ledgers = ledgers_of(context, &config)?.into_iter();
    Ok(ledgers.filter_map(|ledger| subject_at(&git, &oid, &config, has_view, with_ids, ledger).transpose()).collect())
}

/// One ledger of a commit; none where it has no files there.
fn subject_at(
    git: &Git,
    commit: &Oid,
    config: &Config,
    has_view: bool,
    with_ids: bool,
    ledger: Ledger,
) -> Result<Option<Subject>, CliError> {
    let prefix = in_git(&ledger)?;
    let tree = git.list_tree(commit, prefix)?;
    if tree.is_empty() {
        return Ok(None);
    }
    let entries = ledger_entries(prefix, &tree);
    let readings = read_entries(git, &entries, &config.schema)?;
    let ids = if with_ids { ids_of(git, &entries)?.into_keys().collect() } else { BTreeSet::new() };
    let standing = git.blob_at(commit, &below(prefix, "current.md"))?;
    let files = entries.iter().map(|(found, _)| found.clone()).collect();
    let folded = Folded::new(Listing { files, packs: Vec::new() }, readings, &config.schema);
    Ok(Some(Subject { ledger, folded, standing, has_view, ids, entries: Some(entries) }))
}

fn in_git(ledger: &Ledger) -> Result<&str, CliError> {
    let outside = || CliError::Usage(format!("the ledger `{}` lies outside the work tree", ledger.name));
    ledger.in_git.as_deref().ok_or_else(outside)
}

fn is_on_default_branch(git: &Git, oid: &Oid) -> Result<bool, CliError> {
    let default = git.default_branch()?.ok_or_else(unknown_default)?;
    let local = format!("refs/heads/{}", default.name);
    for name in [default.reference.as_str(), &local] {
        if let Ok(tip) = git.resolve(name)
            && git.is_ancestor(oid, &tip)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What events that changed since the merge base amount to, in words.
#[derive(Debug, Default)]
struct SinceBase {
    /// Events of the merge base that are gone or changed.
    lost: Vec<String>,
    /// New events that are dated far in the future.
    future: Vec<String>,
    /// New events that contain a secret, and the same for programs.
    named: Vec<String>,
    secrets: Vec<serde_json::Value>,
}

impl SinceBase {
    fn of_secrets(found: &[Secret]) -> Self {
        let (named, secrets) = (found.iter().map(Secret::line).collect(), found.iter().map(Secret::json).collect());
        Self { named, secrets, ..Self::default() }
    }

    fn lines(&self) -> impl Iterator<Item = &String> {
        self.lost.iter().chain(&self.future).chain(&self.named)
    }

    fn is_clean(&self) -> bool {
        self.lines().next().is_none()
    }
}

/// Compares the events with those of the merge base.
fn since_base(
    context: &Context<'_>,
    args: &SynthArgs,
    base: &str,
    subjects: &[Subject],
) -> Result<SinceBase, CliError> {
    let git = context.git_for("`--base`")?;
    let allowed = args.allow_missing.iter().map(|text| {
        IdPrefix::parse(text)
            .ok_or_else(|| CliError::Usage(format!("--allow-missing: `{text}` is no event id of 12 to 64 hex digits")))
    });
    let allowed: Vec<IdPrefix> = allowed.collect::<Result<_, _>>()?;
    let head = git.resolve(args.rev.as_deref().unwrap_or("HEAD"))?;
    let merge_base = match git.merge_base(&head, &git.resolve(base)?)? {
        MergeBase::Found(oid) => oid,
        MergeBase::Shallow => {
            return Err(CliError::CannotTell(format!(
                "this clone is too shallow to hold the merge base with `{base}`; run `git fetch --unshallow`, or check out with the whole history (`fetch-depth: 0`)"
            )));
        }
        MergeBase::Unrelated => {
            return Err(CliError::CannotTell(format!("`{base}` and this branch have no commit in common")));
        }
    };
    // What was an event then, by the configuration of then; the ledger may have moved since.
    let config = config_at(&git, &merge_base, merge_base.as_str())?;
    let (mut before, mut known) = (BTreeMap::new(), Known::default());
    for ledger in ledgers_of(context, &config)? {
        let prefix = in_git(&ledger)?;
        let entries = ledger_entries(prefix, &git.list_tree(&merge_base, prefix)?);
        before.extend(ids_of_readable(&git, &entries, &config.schema)?);
        known.ids.extend(ids_of(&git, &entries)?.into_keys());
        known.oids.extend(entries.into_iter().map(|(_, entry)| entry.oid));
    }
    let files = subjects.iter().flat_map(|subject| &subject.folded.listing.files);
    let names: BTreeSet<Vec<u8>> = files.map(crate::store::Found::shown_name).collect();
    let there = |id: &EventId| subjects.iter().any(|subject| subject.ids.contains(id));
    let future = subjects.iter().flat_map(|subject| subject.folded.state.events().values());
    let future = future.filter(|origin| !before.contains_key(&origin.stamp.id) && is_far_ahead(origin));
    let future = future.map(|origin| far_ahead(origin)).collect();
    let lost = before.into_iter().filter(|(id, _)| !there(id) && !allowed.iter().any(|prefix| prefix.matches(id)));
    let describe = |(id, name): (EventId, Vec<u8>)| {
        let what = if names.contains(&name) { "was changed" } else { "is gone" };
        let (shown, short) = (escape_file_name(&name), id.to_hex().get(..12).unwrap_or_default().to_owned());
        format!(
            "event {short} ({shown}) {what}; events are append-only: restore it with `git checkout {} -- …`, or allow it with `--allow-missing {short}`",
            merge_base.as_str().get(..12).unwrap_or_default()
        )
    };
    let secrets = SinceBase::of_secrets(&new_secrets(context, args, &known, subjects)?);
    Ok(SinceBase { lost: lost.map(describe).collect(), future, ..secrets })
}

/// The secrets in events that a base does not have.
fn new_secrets(
    context: &Context<'_>,
    args: &SynthArgs,
    known: &Known,
    subjects: &[Subject],
) -> Result<Vec<Secret>, CliError> {
    let allowed = secrets::allowed("--allow-secret", &args.allow_secret)?;
    let skip = |id: &EventId| known.ids.contains(id) || allowed.iter().any(|prefix| prefix.matches(id));
    let mut found = Vec::new();
    for subject in subjects {
        for (name, bytes) in new_files(context, subject, known)? {
            let shown = if name.starts_with("archive/") { name } else { format!("events/{name}") };
            found.extend(secrets::in_file(&shown, &bytes, Certainty::Certain, skip));
        }
    }
    Ok(found)
}

/// The files of a ledger that a base may not have, with their bytes.
fn new_files(context: &Context<'_>, subject: &Subject, known: &Known) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let name = |found: &crate::store::Found| String::from_utf8_lossy(&found.shown_name()).into_owned();
    if let Some(entries) = &subject.entries {
        let new: Vec<&Entry> =
            entries.iter().filter(|(found, entry)| !found.not_a_file && !known.oids.contains(&entry.oid)).collect();
        let oids: Vec<Oid> = new.iter().map(|(_, entry)| entry.oid.clone()).collect();
        let blobs = context.git_for("`--rev`")?.read_blobs(&oids)?;
        return Ok(new.iter().map(|(found, _)| name(found)).zip(blobs).collect());
    }
    let listing = &subject.folded.listing;
    let files = listing.files.iter().chain(&listing.packs).filter(|found| !found.not_a_file);
    let read = |found: &crate::store::Found| Some((name(found), read_text(&found.path(&subject.ledger.dir)).ok()??));
    Ok(files.filter_map(read).collect())
}

/// Whether an event is dated more than 24 hours after the clock: its writes would win for longer than anyone works.
pub(super) fn is_far_ahead(origin: &Origin) -> bool {
    let ahead = origin.stamp.ts.unix_nanos() - now_unix_nanos();
    ahead > i128::from(Span::hours(24).seconds()) * 1_000_000_000
}

fn far_ahead(origin: &Origin) -> String {
    format!(
        "event {} by {} is dated {}, more than 24 h in the future; its writes would win until then: remove it from the branch, and record it again",
        origin.stamp.id.to_hex().get(..12).unwrap_or_default(),
        phrase(&origin.stamp.agent, 40),
        origin.stamp.ts
    )
}

fn ids_of_readable(
    git: &Git,
    entries: &[(crate::store::Found, crate::git::TreeEntry)],
    schema: &Schema,
) -> Result<BTreeMap<EventId, Vec<u8>>, CliError> {
    let readings = read_entries(git, entries, schema)?;
    Ok(readings
        .into_iter()
        .filter_map(|Reading { source, result }| Some((result.ok()?.origin.stamp.id, source.name)))
        .collect())
}

/// The ids of all texts in these entries, readable as events or not; of packs those of their entries.
fn ids_of(
    git: &Git,
    entries: &[(crate::store::Found, crate::git::TreeEntry)],
) -> Result<BTreeMap<EventId, Vec<u8>>, CliError> {
    let files: Vec<_> = entries.iter().filter(|(found, _)| !found.not_a_file).collect();
    let oids: Vec<Oid> = files.iter().map(|(_, entry)| entry.oid.clone()).collect();
    let mut ids = BTreeMap::new();
    for ((found, _), bytes) in files.iter().zip(git.read_blobs(&oids)?) {
        ids.extend(ids_in(found, &bytes).into_iter().map(|id| (id, found.shown_name())));
    }
    Ok(ids)
}
