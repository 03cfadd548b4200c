//! Where a command works: the work tree, the configuration, the ledgers.

use super::args::Global;
use super::console::Console;
use super::environment;
use super::error::{CliError, Exit};
use crate::config::{Config, DEFAULT_LEDGER, FILE_NAME, MAX_BYTES, UnknownKey, ViewPolicy};
use crate::event::schema::Schema;
use crate::git::{Git, Layout, TreeEntry};
use crate::ledger::pack::{is_event_name, is_pack_name};
use crate::session::outsiders::Outsiders;
use crate::store::{
    Found, HiddenEvents, Keeper, LedgerDir, Listing, LockRequest, Reading, StoreError, decode_source, read_bounded,
};
use crate::trust::consent::Consents;
use crate::trust::grants::agent_mark;
use crate::trust::path::{InTree, LedgerPlace};
use crate::trust::remote::OwnRemotes;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A ledger and where it lies.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    /// Its directory.
    pub dir: LedgerDir,
    /// How it is called in messages.
    pub name: String,
    /// Its path from the top of the work tree, with `/`; none outside git.
    pub in_git: Option<String>,
}

/// Whose configuration counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConfigSource {
    /// That of the work tree.
    WorkTree,
    /// That of a commit, which is read later.
    Commit,
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
    /// Whether the ledger was named, by an option or the environment.
    pub is_named: bool,
    /// How long another synthesizer is waited for.
    pub wait: Duration,
    /// How long to wait, if that is said.
    pub patience: Option<Duration>,
}

impl<'a> Context<'a> {
    /// Finds work tree, configuration and ledgers; starts no process.
    pub(super) fn resolve(global: &Global, console: &'a Console, source: ConfigSource) -> Result<Self, CliError> {
        let named = global.dir.clone().or_else(environment::ledger_dir);
        let start = named.clone().unwrap_or_else(|| PathBuf::from("."));
        let layout = Layout::discover(&start)?;
        if layout.is_none() && Layout::is_in_git_dir(&start)? {
            return Err(CliError::Usage(
                "this is inside a git folder, where there are no files; run it in a work tree".to_owned(),
            ));
        }
        let config_file = match (&global.config, &layout) {
            (Some(file), _) => Some(file.clone()),
            (None, Some(layout)) => {
                Some(layout.work_tree.join(FILE_NAME)).filter(|file| file.symlink_metadata().is_ok())
            }
            (None, None) => nearest_config(&start),
        };
        let config = match &config_file {
            // A commit has a configuration of its own.
            Some(file) if source == ConfigSource::WorkTree => read_config(file)?,
            _ => Config::default(),
        };
        let top = match (&layout, &config_file) {
            (Some(layout), _) => layout.work_tree.clone(),
            (None, Some(file)) if global.config.is_none() => file.parent().map(Path::to_owned).unwrap_or_default(),
            _ => PathBuf::from("."),
        };
        let named = named.or_else(|| layout.as_ref().and_then(Layout::named_ledger));
        let is_named = named.is_some();
        let ledgers = match named {
            Some(dir) => vec![named_ledger(global, layout.as_ref(), dir)?],
            None => {
                config.ledgers.iter().map(|path| ledger_in(&top, layout.as_ref(), path)).collect::<Result<_, _>>()?
            }
        };
        if layout.is_none() {
            own_dirs_are_real(&top, &ledgers)?;
        }
        Ok(Self {
            console,
            config,
            config_file,
            layout,
            ledgers,
            is_named,
            wait: Duration::from_secs(global.wait.unwrap_or(10)),
            patience: global.wait.map(Duration::from_secs),
        })
    }

    /// The same command in another work tree of the repository, by the configuration there.
    pub(super) fn in_work_tree(&self, layout: Layout) -> Result<Self, CliError> {
        let config_file = Some(layout.work_tree.join(FILE_NAME)).filter(|file| file.symlink_metadata().is_ok());
        let config = config_file.as_deref().map_or_else(|| Ok(Config::default()), read_config)?;
        let (ledgers, layout) = (Vec::new(), Some(layout));
        Ok(Self {
            console: self.console,
            config,
            config_file,
            layout,
            ledgers,
            is_named: false,
            wait: self.wait,
            patience: self.patience,
        })
    }

    /// The ledger at a path from the top of the work tree.
    ///
    /// # Errors
    /// It lies behind a link.
    pub(super) fn ledger_at(&self, path: &str) -> Result<Ledger, CliError> {
        let top = self.layout.as_ref().map(|layout| layout.work_tree.clone()).unwrap_or_default();
        let place = LedgerPlace::in_tree(&top, path).map_err(StoreError::from)?;
        Ok(Ledger { dir: LedgerDir::new(place), name: path.to_owned(), in_git: Some(path.to_owned()) })
    }

    /// What is said of the configuration's keys that this version does not know.
    pub(super) fn unknown_keys(&self) -> Vec<String> {
        let file = self.config_file.as_deref().unwrap_or(Path::new(FILE_NAME)).display();
        let said = |key: &UnknownKey| {
            let (line, name) = (key.place.line, key.name.escape_debug());
            format!("`{file}` line {line}: this version does not know the key `{name}`, and ignores it")
        };
        self.config.unknown.iter().map(said).collect()
    }

    /// The sections' declarations.
    pub(super) const fn schema(&self) -> &Schema {
        &self.config.schema
    }

    /// The one ledger that a command works on: of several, the one that shares most leading path components with
    /// the current directory (FORMAT §1).
    pub(super) fn one_ledger(&self) -> Result<&Ledger, CliError> {
        let here = self.layout.as_ref().and_then(|layout| layout.relative(Path::new(".")));
        let names: Vec<&str> = self.ledgers.iter().map(|ledger| ledger.name.as_str()).collect();
        match nearest(&names, here.as_deref().unwrap_or_default()).as_slice() {
            [nearest] => self.ledgers.get(*nearest),
            _ => None,
        }
        .ok_or_else(|| {
            let nearest = nearest(&names, here.as_deref().unwrap_or_default());
            let tied: Vec<&str> = nearest.iter().filter_map(|position| names.get(*position).copied()).collect();
            CliError::Usage(format!(
                "cannot choose between several ledgers: {}; run it in the directory of one, or name one with `--dir`",
                tied.join(", ")
            ))
        })
    }

    /// Does something with each ledger, whatever becomes of the others; the worst end counts.
    pub(super) fn each_ledger(&self, work: impl Fn(&Ledger) -> Result<Exit, CliError>) -> Result<Exit, CliError> {
        if let [only] = self.ledgers.as_slice() {
            return work(only);
        }
        let ends = self.ledgers.iter().map(|ledger| {
            work(ledger).unwrap_or_else(|error| {
                self.console.error(&error);
                Exit::Failed
            })
        });
        Ok(ends.max().unwrap_or(Exit::Done))
    }

    /// How to wait for a ledger's lock.
    pub(super) fn with_lock_request<T>(&self, purpose: &str, work: impl FnOnce(LockRequest<'_>) -> T) -> T {
        let waiting = |holder: &str| self.console.notice(&format!("waiting for the lock, held by {holder}"));
        work(LockRequest { wait: self.wait, purpose, waiting: &waiting })
    }

    /// Where hand-edited views of a ledger are kept.
    pub(super) fn with_keeper<T>(&self, ledger: &Ledger, work: impl FnOnce(&Keeper<'_>) -> T) -> T {
        let view = ledger.in_git.as_ref().map(|prefix| below(prefix, "current.md"));
        let is_in_git = |bytes: &[u8]| match (self.git(), &view) {
            // What is only staged is in no commit, and git forgets it.
            (Some(git), Some(view)) => git.head_has(view, bytes).unwrap_or(false),
            _ => false,
        };
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

    /// What the user of this clone agreed to.
    pub(super) fn consents(&self) -> Result<Consents, CliError> {
        Ok(Consents::of(self.git().as_ref())?)
    }

    /// Whether the default branch is checked out; outside git everything is. `None` where git does not know it.
    pub(super) fn on_default_branch(&self) -> Result<Option<bool>, CliError> {
        let Some(git) = self.git() else { return Ok(Some(true)) };
        let Some(default) = git.default_branch()? else { return Ok(None) };
        Ok(Some(match git.layout().branch()? {
            Some(branch) => default.name == branch,
            None => match (git.head_oid()?, git.resolve(&default.reference)) {
                (Some(head), Ok(tip)) => git.is_ancestor(&head, &tip)?,
                _ => false,
            },
        }))
    }

    /// Whether `current.md` is committed here, by the configuration's `view`; `None` where it cannot be told.
    pub(super) fn view_is_committed_here(&self) -> Result<Option<bool>, CliError> {
        match self.config.view {
            ViewPolicy::Branch => Ok(Some(true)),
            ViewPolicy::DefaultBranch => self.on_default_branch(),
            ViewPolicy::Untracked => Ok(Some(false)),
        }
    }

    /// The outsiders' events of a ledger; outside git there is none.
    pub(super) fn outsiders(&self, ledger: &Ledger) -> Result<Outsiders, CliError> {
        let (Some(layout), Some(prefix)) = (&self.layout, &ledger.in_git) else { return Ok(Outsiders::default()) };
        let own = own_remotes(&Git::at(layout))?;
        let outsiders = Outsiders::of(layout, prefix, &own, self.wait);
        if outsiders.wrote_configuration() && prefix != DEFAULT_LEDGER && !self.is_named {
            // That git tracks no file there proves nothing: an outsider chose the directory.
            return Ok(Outsiders::unknown(layout, prefix));
        }
        Ok(outsiders)
    }

    /// For a coding agent that reads the ledger: an outsider's configuration declares no sections.
    pub(super) fn without_outsiders_titles(&mut self) -> Result<(), CliError> {
        if agent_mark().is_none() || self.config.schema == Schema::default() {
            return Ok(());
        }
        for ledger in self.ledgers.clone() {
            if self.outsiders(&ledger)?.wrote_configuration() {
                self.config.schema = Schema::default();
            }
        }
        Ok(())
    }

    /// What a sparse checkout hides of a ledger.
    pub(super) fn hidden(&self, ledger: &Ledger) -> Hidden {
        let sparse = self.layout.as_ref().filter(|layout| layout.is_sparse());
        Hidden { source: sparse.and_then(|layout| Some((Git::at(layout), ledger.in_git.clone()?))) }
    }
}

/// The ledger that the user named: now, by `--dir`, or once for every branch.
fn named_ledger(global: &Global, layout: Option<&Layout>, dir: PathBuf) -> Result<Ledger, CliError> {
    let name = dir.display().to_string();
    let in_git = layout.and_then(|layout| layout.relative(&dir));
    if global.dir.is_some() {
        return Ok(Ledger { dir: LedgerDir::new(LedgerPlace::named_by_user(dir)), name, in_git });
    }
    // Where it leads out of the worktree, the links of this worktree are what leads there.
    let around = layout.map_or_else(|| Layout::discover(Path::new(".")), |layout| Ok(Some(layout.clone())))?;
    let place = LedgerPlace::named_once(around.as_ref(), dir).map_err(StoreError::from)?;
    Ok(Ledger { dir: LedgerDir::new(place), name, in_git })
}

/// Outside git, headwater's own files lie beside the ledger and the configuration: not behind a link there.
fn own_dirs_are_real(top: &Path, ledgers: &[Ledger]) -> Result<(), CliError> {
    let folders = ledgers.iter().map(|ledger| ledger.dir.path()).chain([top]);
    for folder in folders {
        InTree::directory(folder, ".headwater").map_err(StoreError::from)?;
    }
    Ok(())
}

/// The ledger at a configured path.
fn ledger_in(top: &Path, layout: Option<&Layout>, path: &str) -> Result<Ledger, CliError> {
    let place = LedgerPlace::in_tree(top, path).map_err(StoreError::from)?;
    Ok(Ledger { dir: LedgerDir::new(place), name: path.to_owned(), in_git: layout.map(|_| path.to_owned()) })
}

/// Keeps an agent in its worktree: a rule that allows it `headwater record` allows it no other directory.
pub(super) fn stay_in_worktree(global: &Global) -> Result<(), CliError> {
    let Some(mark) = agent_mark() else { return Ok(()) };
    let here = Layout::discover(Path::new("."))?;
    for (option, path) in [("--dir", &global.dir), ("--config", &global.config)] {
        let Some(path) = path else { continue };
        let top = here.as_ref().map_or(Path::new("."), |layout| &layout.work_tree);
        if !Layout::is_below(top, path) {
            return Err(CliError::Usage(format!(
                "{option}: cannot use `{}` for a coding agent (`{mark}` is set): it is outside the worktree; run the command there, or set `git config headwater.dir`",
                path.display()
            )));
        }
    }
    Ok(())
}

/// The names of own remotes.
fn own_remotes(git: &Git) -> Result<Vec<String>, CliError> {
    Ok(OwnRemotes::of(git)?.names())
}

/// The positions of the paths that share most leading components with `here`.
fn nearest(paths: &[&str], here: &str) -> Vec<usize> {
    let shared = |path: &str| {
        let parts = |path: &str| path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        parts(path).iter().zip(&parts(here)).take_while(|(a, b)| a == b).count()
    };
    let most = paths.iter().map(|path| shared(path)).max();
    (0..).zip(paths).filter(|(_, path)| Some(shared(path)) == most).map(|(position, _)| position).collect()
}

/// A path below a folder, as git writes it.
pub(super) fn below(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") }
}

/// The nearest configuration above a folder outside git.
fn nearest_config(start: &Path) -> Option<PathBuf> {
    let start = std::path::absolute(start).ok()?;
    start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file())
}

fn read_config(file: &Path) -> Result<Config, CliError> {
    let bytes = read_bounded(file, MAX_BYTES)?
        .ok_or_else(|| CliError::Usage(format!("there is no configuration `{}`", file.display())))?;
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
            | CliError::Setup(_)
            | CliError::Ids(_)
            | CliError::Trust(_)
            | CliError::CannotTell(_)
            | CliError::Tell(_)
            | CliError::Clock
            | CliError::Input(_)
            | CliError::Output(_)) => {
                StoreError::Io { action: "read", path: path.clone(), source: std::io::Error::other(error.chain()) }
            }
        })
    }
}

/// The event files and packs among the entries of a tree or index, with the objects that hold them.
pub(super) fn ledger_entries(prefix: &str, entries: &[TreeEntry]) -> Vec<(Found, TreeEntry)> {
    let found = |entry: &TreeEntry| {
        let mut path = entry.path.as_slice();
        if !prefix.is_empty() {
            path = path.strip_prefix(prefix.as_bytes())?.strip_prefix(b"/")?;
        }
        // A name that is not UTF-8 is an event's all the same.
        let mut parts = path.split(|byte| *byte == b'/');
        let day = match parts.next()? {
            b"events" => None,
            b"archive" => {
                Some(std::str::from_utf8(parts.next()?).ok().filter(|day| crate::store::is_day(day))?.to_owned())
            }
            _ => return None,
        };
        let name = parts.next()?;
        let is_pack = day.is_some() && is_pack_name(name);
        if !is_pack && !is_event_name(name) {
            return None;
        }
        // What lies deeper makes the name a folder's.
        let is_file =
            parts.next().is_none() && matches!(entry.mode, crate::git::Mode::File | crate::git::Mode::Executable);
        let not_a_file = !is_file;
        Some((Found { day, name: os_name(name), not_a_file }, entry.clone()))
    };
    let mut found: Vec<_> = entries.iter().filter_map(found).collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    // Of what a merge has twice under one name both texts count.
    found.dedup_by(|(a, one), (b, other)| a == b && (a.not_a_file || one.oid == other.oid));
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
    for (found, _) in entries {
        let bytes = if found.not_a_file { Vec::new() } else { blobs.next().unwrap_or_default() };
        readings.extend(decode_source(found, &bytes, schema));
    }
    Ok(readings)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn ledger_that_shares_most_of_the_path_is_nearest() {
        let ledgers = ["packages/app/log", "packages/app/log/inner", "packages/lib/log", "top"];
        for (here, expected) in [
            ("packages/lib/src", vec![2]),
            ("packages/lib", vec![2]),
            ("packages/app/log/inner/events", vec![1]),
            ("packages/app/src", vec![0, 1]),
            ("packages/library", vec![0, 1, 2]),
            ("top", vec![3]),
            ("", vec![0, 1, 2, 3]),
        ] {
            assert_eq!(nearest(&ledgers, here), expected, "{here}");
        }
        assert_eq!(nearest(&["only"], "elsewhere"), [0]);
    }
}
