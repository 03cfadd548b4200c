//! `headwater merge-driver`: the view of a merge, from git objects alone.
//!
//! The files that the merge will have are worked out from the three trees, so the merge commit itself
//! has a fresh view. Neither index nor work tree is read: git is in the middle of changing them.

use super::args::MergeDriverArgs;
use super::check::config_at;
use super::console::Console;
use super::context::{below, ledger_entries, parse_config, read_entries};
use super::error::{CliError, Exit};
use crate::config::{Config, FILE_NAME};
use crate::git::{Git, Label, Layout, Mode, Oid, TextMerge, TreeEntry};
use crate::ledger::render::is_ours;
use crate::ledger::three_way::{self, Files};
use crate::store::{Folded, Listing, read_text, replace_whole};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

/// How many merge bases of merge bases are looked at.
const MOST_BASES: usize = 64;

/// What is to become of the file.
enum Outcome {
    /// It gets this text.
    View(String),
    /// It is no view: its lines are merged.
    Text,
    /// It stays ours until the next run.
    Ours(String),
    /// The same, in a merge whose result nobody sees.
    OursInside,
}

/// Merges one file, as gitattributes(5) has it: the result is in `%A`, exit 0 without a conflict.
///
/// A view is never in conflict, as it can be made again; what is not one is merged as git would.
pub(super) fn run(console: &Console, args: &MergeDriverArgs) -> Result<Exit, CliError> {
    let read = |path: &Path| Ok::<_, CliError>(read_text(path)?.unwrap_or_default());
    let texts = Texts { base: read(&args.base)?, ours: read(&args.ours)?, theirs: read(&args.theirs)? };
    let here = Path::new(".");
    let layout = Layout::discover(here).ok().flatten().unwrap_or_else(|| Layout::without_work_tree(here));
    let git = Git::at(&layout);
    let about = About::of(args);
    let path = about.path.as_ref();
    let outcome = if !is_ours(&texts.ours) || !is_ours(&texts.theirs) {
        Outcome::Text
    } else {
        let [base, ours, theirs] = &about.labels;
        view(&git, &texts, path, [base, ours, theirs]).unwrap_or_else(|error| Outcome::Ours(error.chain()))
    };
    let why = match outcome {
        Outcome::Ours(_) | Outcome::OursInside if !is_view_at_head(&git, path) => {
            return merge_lines(&git, args, &about);
        }
        Outcome::Text => return merge_lines(&git, args, &about),
        Outcome::View(text) => match replace_whole(&args.ours, text.as_bytes()) {
            Ok(()) => return Ok(Exit::Done),
            Err(error) => CliError::from(error).chain(),
        },
        Outcome::OursInside => return Ok(Exit::Done),
        Outcome::Ours(why) => why,
    };
    console.warning(&format!("`{path}` stays ours for now: {why}; when git is done, run `headwater` to mend it"));
    Ok(Exit::Done)
}

/// Whether a path is a view by the configuration that is checked out; by its name where that cannot be read.
fn is_view_at_head(git: &Git, path: &str) -> bool {
    let head = git.head_oid().ok().flatten();
    let config = head.and_then(|head| config_at(git, &head, head.as_str()).ok());
    config.map_or_else(|| path.rsplit('/').next() == Some("current.md"), |config| is_view(&config, path))
}

fn is_view(config: &Config, path: &str) -> bool {
    config.ledgers.iter().any(|ledger| below(ledger, "current.md") == path)
}

/// What git says of the file.
struct About<'a> {
    path: Cow<'a, str>,
    /// The labels of base, ours and theirs; empty where git is too old to give any.
    labels: [Cow<'a, str>; 3],
}

impl<'a> About<'a> {
    fn of(args: &'a MergeDriverArgs) -> Self {
        let mut about = args.about.iter().map(|text| text.to_string_lossy());
        let mut next = || about.next().unwrap_or_default();
        Self { path: next(), labels: [next(), next(), next()] }
    }
}

/// What git did without a driver; any failure is a conflict.
fn merge_lines(git: &Git, args: &MergeDriverArgs, about: &About<'_>) -> Result<Exit, CliError> {
    let absolute = |path: &Path| {
        let path = std::path::absolute(path).map_err(CliError::Input)?;
        path.into_os_string()
            .into_string()
            .map_err(|path| CliError::Usage(format!("`{}` is not UTF-8", path.to_string_lossy())))
    };
    let files = [absolute(&args.ours)?, absolute(&args.base)?, absolute(&args.theirs)?];
    let [ours, base, theirs] = &files;
    let [base_label, our_label, their_label] = &about.labels;
    Ok(match git.merge_files([ours, base, theirs], [our_label, base_label, their_label])? {
        TextMerge::Clean => Exit::Done,
        TextMerge::Conflicts => Exit::Finding,
    })
}

/// The three texts that git gave.
struct Texts {
    base: Vec<u8>,
    ours: Vec<u8>,
    theirs: Vec<u8>,
}

/// One side of a merge: a commit, or nothing, and the view's path there.
struct Side {
    commit: Option<Oid>,
    view: String,
}

/// The view of the merged set of files.
fn view(git: &Git, texts: &Texts, path: &str, labels: [&str; 3]) -> Result<Outcome, CliError> {
    let [base, ours, theirs] = labels.map(Label::parse);
    if [base, ours, theirs].contains(&Label::Temporary) {
        return Ok(Outcome::OursInside);
    }
    let unnamed = |label: &str| Ok(Outcome::Ours(format!("git does not say which commit `{label}` is")));
    let [base_label, our_label, their_label] = labels;
    let Some(ours) = side(git, &ours, path, &texts.ours)? else { return unnamed(our_label) };
    let Some(theirs) = side(git, &theirs, path, &texts.theirs)? else { return unnamed(their_label) };
    let base = match base {
        Label::Ancestors => None,
        Label::EmptyTree => Some(Side { commit: None, view: path.to_owned() }),
        Label::Pick { .. } | Label::Revision { .. } | Label::Temporary | Label::Other => {
            let Some(found) = side(git, &base, path, &texts.base)? else { return unnamed(base_label) };
            Some(found)
        }
    };
    let config = merged_config(git, base.as_ref(), &ours, &theirs)?;
    if !is_view(&config, path) {
        return Ok(Outcome::Text);
    }
    let mut left = MOST_BASES;
    let base = match &base {
        Some(base) => files(git, base)?,
        None => common_files(git, &ours, std::slice::from_ref(&theirs), &mut left)?,
    };
    let merged = three_way::merge(&base, &files(git, &ours)?, &files(git, &theirs)?);
    let entries: Vec<TreeEntry> = merged.into_iter().map(|(path, (mode, oid))| TreeEntry { path, mode, oid }).collect();
    let entries = ledger_entries("", &entries);
    let readings = read_entries(git, &entries, &config.schema)?;
    let listing = Listing { files: entries.into_iter().map(|(found, _)| found).collect(), packs: Vec::new() };
    Ok(Outcome::View(Folded::new(listing, readings, &config.schema).text))
}

/// The commit of a label whose view has the text that git gave: a label can mislead, a text cannot.
fn side(git: &Git, label: &Label<'_>, path: &str, text: &[u8]) -> Result<Option<Side>, CliError> {
    let view = label.path().unwrap_or(path);
    let Some(commits) = git.commits_labelled(label)? else { return Ok(None) };
    if commits.is_empty() {
        return Ok(text.is_empty().then(|| Side { commit: None, view: view.to_owned() }));
    }
    // Of a merge that is picked (`-m`) any parent may be meant.
    for commit in commits {
        if git.blob_at(&commit, view)?.unwrap_or_default() == text {
            return Ok(Some(Side { commit: Some(commit), view: view.to_owned() }));
        }
    }
    Ok(None)
}

/// The files of the ledger beside a side's view, by their paths from there.
fn files(git: &Git, side: &Side) -> Result<Files<Vec<u8>, (Mode, Oid)>, CliError> {
    let Some(commit) = &side.commit else { return Ok(BTreeSet::new()) };
    let folder = side.view.rsplit_once('/').map_or("", |(folder, _)| folder);
    let start = if folder.is_empty() { 0 } else { folder.len() + 1 };
    let entries = git.list_tree(commit, folder)?.into_iter();
    Ok(entries.filter_map(|entry| Some((entry.path.get(start..)?.to_vec(), (entry.mode, entry.oid)))).collect())
}

/// The files of the best common ancestor of a side and a merge of the others; where there are several
/// ancestors, of a merge of them, as git has it (`merge_ort_internal`).
fn common_files(
    git: &Git,
    side: &Side,
    others: &[Side],
    left: &mut usize,
) -> Result<Files<Vec<u8>, (Mode, Oid)>, CliError> {
    let Some(commit) = &side.commit else { return Ok(BTreeSet::new()) };
    let others: Vec<Oid> = others.iter().filter_map(|other| other.commit.clone()).collect();
    let bases = git.merge_bases(commit, &others)?.into_iter();
    let mut merged: Vec<Side> = Vec::new();
    let mut all = BTreeSet::new();
    for base in bases.map(|commit| Side { commit: Some(commit), view: side.view.clone() }) {
        *left = left
            .checked_sub(1)
            .ok_or_else(|| CliError::CannotTell("the branches have too many merge bases".to_owned()))?;
        let its = files(git, &base)?;
        all = if merged.is_empty() {
            its
        } else {
            three_way::merge(&common_files(git, &base, &merged, left)?, &all, &its)
        };
        merged.push(base);
    }
    Ok(all)
}

/// The configuration of the merge: what only one side changed, else the merged lines, else ours.
fn merged_config(git: &Git, base: Option<&Side>, ours: &Side, theirs: &Side) -> Result<Config, CliError> {
    let entry = |side: &Side| -> Result<Option<Oid>, CliError> {
        let Some(commit) = &side.commit else { return Ok(None) };
        let entries = git.list_tree(commit, FILE_NAME)?.into_iter();
        Ok(entries.filter(|entry| entry.path == FILE_NAME.as_bytes()).map(|entry| entry.oid).next())
    };
    let (our_oid, their_oid) = (entry(ours)?, entry(theirs)?);
    let base_oid = match base {
        Some(base) => entry(base)?,
        None => our_oid.clone(),
    };
    let both_changed = our_oid != their_oid && our_oid != base_oid && their_oid != base_oid;
    let merged = match (&our_oid, &base_oid, &their_oid) {
        (Some(ours), Some(base), Some(theirs)) if both_changed => git.merge_blobs(ours, base, theirs)?,
        _ => None,
    };
    if let Some(bytes) = merged {
        return parse_config(Path::new(FILE_NAME), &bytes);
    }
    let side = if our_oid == base_oid { theirs } else { ours };
    match &side.commit {
        Some(commit) => config_at(git, commit, commit.as_str()),
        None => Ok(Config::default()),
    }
}
