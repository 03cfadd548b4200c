//! Where a command works: the work tree, the configuration, the ledgers.

use super::args::Global;
use super::console::Console;
use super::environment;
use super::error::{CliError, Exit};
use crate::config::{Config, FILE_NAME, ViewPolicy};
use crate::event::schema::Schema;
use crate::git::{Git, Head, Layout, TreeEntry};
use crate::store::{
    Found, HiddenEvents, Keeper, LedgerDir, Listing, LockRequest, Reading, StoreError, decode_source, read_text,
};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A ledger and where it lies.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Its directory.
    pub dir: LedgerDir,
    /// How it is called in messages.
    pub name: String,
    /// Its path from the top of the work tree, with `/`; none outside git.
    pub in_git: Option<String>,
}

/// Where a command works.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub console: &'a Console,
    pub config: Config,
    /// The configuration's file, if there is one.
    pub config_file: Option<PathBuf>,
    /// The work tree; none outside git.
    pub layout: Option<Layout>,
    pub ledgers: Vec<Ledger>,
    wait: Duration,
}

impl<'a> Context<'a> {
    /// Finds work tree, configuration and ledgers; starts no process.
    pub(super) fn resolve(global: &Global, console: &'a Console) -> Result<Self, CliError> {
        let named = global.dir.clone().or_else(environment::ledger_dir);
        let start = named.clone().unwrap_or_else(|| PathBuf::from("."));
        let layout = Layout::discover(&start)?;
        let config_file = match (&global.config, &layout) {
            (Some(file), _) => Some(file.clone()),
            (None, Some(layout)) => {
                Some(layout.work_tree.join(FILE_NAME)).filter(|file| file.symlink_metadata().is_ok())
            }
            (None, None) => nearest_config(&start),
        };
        let config = match &config_file {
            None => Config::default(),
            Some(file) => read_config(file)?,
        };
        let top = match (&layout, &config_file) {
            (Some(layout), _) => layout.work_tree.clone(),
            (None, Some(file)) if global.config.is_none() => file.parent().map(Path::to_owned).unwrap_or_default(),
            _ => PathBuf::from("."),
        };
        let paths = match named {
            Some(dir) => vec![(dir.clone(), dir.display().to_string())],
            None => config.ledgers.iter().map(|path| (top.join(path), path.clone())).collect(),
        };
        let inside = |(dir, name): &(PathBuf, String)| match &layout {
            Some(layout) if global.dir.is_none() && layout.relative(dir).is_none() => Err(CliError::Usage(format!(
                "the ledger `{name}` leads out of the work tree; name it with `--dir` if that is meant"
            ))),
            _ => Ok(()),
        };
        paths.iter().try_for_each(inside)?;
        let ledgers = paths.into_iter().map(|(dir, name)| Ledger {
            in_git: layout.as_ref().and_then(|layout| layout.relative(&dir)),
            dir: LedgerDir::new(dir),
            name,
        });
        let ledgers = ledgers.collect();
        Ok(Self { console, config, config_file, layout, ledgers, wait: Duration::from_secs(global.wait) })
    }

    /// The sections' declarations.
    pub(super) const fn schema(&self) -> &Schema {
        &self.config.schema
    }

    /// The one ledger that a writing command means.
    pub(super) fn one_ledger(&self) -> Result<&Ledger, CliError> {
        match self.ledgers.as_slice() {
            [ledger] => Ok(ledger),
            ledgers => {
                let names: Vec<&str> = ledgers.iter().map(|ledger| ledger.name.as_str()).collect();
                Err(CliError::Usage(format!(
                    "there are several ledgers; choose one with `--dir`: {}",
                    names.join(", ")
                )))
            }
        }
    }

    /// Does something with each ledger; the worst end counts.
    pub(super) fn each_ledger(&self, work: impl Fn(&Ledger) -> Result<Exit, CliError>) -> Result<Exit, CliError> {
        let mut worst = Exit::Done;
        for ledger in &self.ledgers {
            worst = worst.max(work(ledger)?);
        }
        Ok(worst)
    }

    /// How to wait for a ledger's lock.
    pub(super) fn with_lock_request<T>(&self, purpose: &str, work: impl FnOnce(LockRequest<'_>) -> T) -> T {
        let waiting = |holder: &str| self.console.notice(&format!("waiting for the lock, held by {holder}"));
        work(LockRequest { wait: self.wait, purpose, waiting: &waiting })
    }

    /// Where hand-edited views of a ledger are kept.
    pub(super) fn with_keeper<T>(&self, ledger: &Ledger, work: impl FnOnce(&Keeper<'_>) -> T) -> T {
        let git = self.git();
        let is_in_git = |bytes: &[u8]| git.as_ref().is_some_and(|git| git.has_blob(bytes).unwrap_or(false));
        let folder = self.layout.as_ref().map_or_else(|| ledger.dir.path().join(".headwater"), Layout::own_dir);
        work(&Keeper { folder, is_in_git: &is_in_git })
    }

    /// The git program in this work tree.
    pub(super) fn git(&self) -> Option<Git> {
        self.layout.as_ref().map(Git::at)
    }

    /// The git program, or an error that says what needs it.
    pub(super) fn git_for(&self, what: &str) -> Result<Git, CliError> {
        self.git().ok_or_else(|| CliError::Usage(format!("{what} needs a git work tree; run it inside one")))
    }

    /// The branch that is checked out, if any.
    pub(super) fn branch(&self) -> Result<Option<String>, CliError> {
        let Some(layout) = &self.layout else { return Ok(None) };
        Ok(match layout.head()? {
            Head::Branch(name) => Some(name),
            Head::Detached(_) => None,
        })
    }

    /// Whether the default branch is checked out; outside git everything is.
    pub(super) fn on_default_branch(&self) -> Result<bool, CliError> {
        let Some(git) = self.git() else { return Ok(true) };
        match (git.default_branch()?, self.branch()?) {
            (Some(default), Some(branch)) => Ok(default.name == branch),
            (Some(default), None) => match (git.head_oid()?, git.resolve(&default.reference)) {
                (Some(head), Ok(tip)) => Ok(git.is_ancestor(&head, &tip)?),
                _ => Ok(false),
            },
            (None, _) => Ok(false),
        }
    }

    /// Whether `current.md` is committed here, by the configuration's `view`.
    pub(super) fn view_is_committed_here(&self) -> Result<bool, CliError> {
        match self.config.view {
            ViewPolicy::Branch => Ok(true),
            ViewPolicy::DefaultBranch => self.on_default_branch(),
            ViewPolicy::Untracked => Ok(false),
        }
    }

    /// What a sparse checkout hides of a ledger.
    pub(super) fn hidden(&self, ledger: &Ledger) -> Hidden {
        let sparse = self.layout.as_ref().filter(|layout| layout.is_sparse());
        Hidden { source: sparse.and_then(|layout| Some((Git::at(layout), ledger.in_git.clone()?))) }
    }
}

/// The nearest configuration above a folder outside git.
fn nearest_config(start: &Path) -> Option<PathBuf> {
    let start = std::path::absolute(start).ok()?;
    start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file())
}

fn read_config(file: &Path) -> Result<Config, CliError> {
    let bytes =
        read_text(file)?.ok_or_else(|| CliError::Usage(format!("there is no configuration `{}`", file.display())))?;
    parse_config(file, &bytes)
}

/// Reads the bytes of a configuration.
pub(super) fn parse_config(file: &Path, bytes: &[u8]) -> Result<Config, CliError> {
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| {
        CliError::Usage(format!("the configuration `{}` is not UTF-8; save it as UTF-8", file.display()))
    })?;
    Config::parse(text).map_err(|source| CliError::Config { path: file.to_owned(), source })
}

/// Event files that a sparse checkout keeps out of the work tree, read from the index.
#[derive(Debug)]
pub(super) struct Hidden {
    source: Option<(Git, String)>,
}

impl HiddenEvents for Hidden {
    fn possible(&self) -> bool {
        self.source.is_some()
    }

    fn read(&self, listing: &Listing, schema: &Schema) -> Result<Vec<Reading>, StoreError> {
        let Some((git, prefix)) = &self.source else { return Ok(Vec::new()) };
        let path = PathBuf::from(prefix);
        let failed = |error: crate::git::GitError| StoreError::Io {
            action: "read from the index what the sparse checkout hides of",
            path: path.clone(),
            source: std::io::Error::other(error),
        };
        let hidden = git.hidden_entries(prefix).map_err(failed)?;
        let mut entries = ledger_entries(prefix, &hidden);
        entries.retain(|(found, _)| !listing.files.contains(found) && !listing.packs.contains(found));
        read_entries(git, &entries, schema).map_err(|error| match error {
            CliError::Store(error) => error,
            CliError::Git(error) => failed(error),
            error @ (CliError::Usage(_)
            | CliError::Config { .. }
            | CliError::CannotTell(_)
            | CliError::Clock
            | CliError::Output(_)) => {
                StoreError::Io { action: "read", path: path.clone(), source: std::io::Error::other(error.chain()) }
            }
        })
    }
}

/// The event files and packs among the entries of a tree or index, with the objects that hold them.
pub(super) fn ledger_entries(prefix: &str, entries: &[TreeEntry]) -> Vec<(Found, TreeEntry)> {
    let found = |entry: &TreeEntry| {
        let path = std::str::from_utf8(&entry.path).ok();
        // A name that is not UTF-8 is an event's all the same; its folder is ASCII or no event's.
        let folder_end = entry.path.iter().rposition(|byte| *byte == b'/')?;
        let (folder, name) = entry.path.split_at(folder_end);
        let name = name.get(1..)?;
        let folder = std::str::from_utf8(folder).ok()?;
        let below = if prefix.is_empty() { folder } else { folder.strip_prefix(prefix)?.strip_prefix('/')? };
        let day = match below.strip_prefix("archive/") {
            Some(day) if crate::store::is_day(day) => Some(day.to_owned()),
            None if below == "events" => None,
            _ => return None,
        };
        let text_name = path.and_then(|path| path.rsplit('/').next());
        let is_pack = day.is_some() && text_name.is_some_and(crate::ledger::pack::is_pack_name);
        if !is_pack && !crate::store::is_event_name(name) {
            return None;
        }
        let not_a_file = !matches!(entry.mode, crate::git::Mode::File | crate::git::Mode::Executable);
        Some((Found { day, name: os_name(name), not_a_file }, entry.clone()))
    };
    let mut found: Vec<_> = entries.iter().filter_map(found).collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

#[cfg(unix)]
fn os_name(name: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;
    OsString::from_vec(name.to_vec())
}

#[cfg(not(unix))]
fn os_name(name: &[u8]) -> OsString {
    String::from_utf8_lossy(name).into_owned().into()
}

/// Reads the events in the objects of these entries.
pub(super) fn read_entries(
    git: &Git,
    entries: &[(Found, TreeEntry)],
    schema: &Schema,
) -> Result<Vec<Reading>, CliError> {
    let oids: Vec<_> =
        entries.iter().filter(|(found, _)| !found.not_a_file).map(|(_, entry)| entry.oid.clone()).collect();
    let mut blobs = git.read_blobs(&oids)?.into_iter();
    let mut readings = Vec::with_capacity(entries.len());
    for (found, entry) in entries {
        let bytes = if found.not_a_file { Vec::new() } else { blobs.next().unwrap_or_default() };
        let read = decode_source(found, &bytes, schema).map_err(|source| StoreError::Pack {
            path: PathBuf::from(String::from_utf8_lossy(&entry.path).into_owned()),
            source,
        })?;
        readings.extend(read);
    }
    Ok(readings)
}
