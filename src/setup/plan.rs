//! What a set-up would change, all of it known before the first byte is written.

use super::consents;
use super::hooks::{self, BEFORE, Change, HOOKS, Standing};
use super::managed::{Installed, Managed, Settings, files};
use super::memory::{self, Memory, Written};
use super::places::{HooksDir, name_of, real_place, remembered_place};
use super::{Part, SetupError, texts};
use crate::config::ViewPolicy;
use crate::git::{Git, Layout};
use crate::store::{
    LedgerDir, Listing, SharedFile, move_shared, read_shared, remove_empty_folder, remove_shared, replace_shared,
    write_shared,
};
use crate::trust::path::LedgerPlace;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The merge driver's settings, in the order in which they are set; they are unset in the reverse one. Git
/// refuses to merge where a driver has a name and no command line (merge-ll.c).
pub(super) const SETTINGS: [(&str, &str); 2] =
    [("merge.headwater.driver", texts::DRIVER), ("merge.headwater.name", texts::DRIVER_NAME)];

/// One thing that would be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The file, or the setting.
    pub name: String,
    /// Why, in words.
    pub what: String,
    /// What is done.
    pub act: Act,
}

/// What is done to a file or setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The file gets these bytes.
    Write {
        /// Where it is.
        path: PathBuf,
        /// What stands there.
        before: Option<SharedFile>,
        /// What it gets.
        after: Vec<u8>,
        /// Whether it may be run then.
        executable: bool,
    },
    /// The file is removed.
    Remove {
        /// Where it is.
        path: PathBuf,
        /// What stands there.
        before: SharedFile,
    },
    /// The file gets another name, and a wrapper takes its place.
    Wrap {
        /// Where it is.
        path: PathBuf,
        /// Where it will be.
        to: PathBuf,
        /// The wrapper.
        wrapper: String,
    },
    /// The wrapper is removed, and the file gets its name back.
    Unwrap {
        /// Where the wrapper is.
        path: PathBuf,
        /// Where the file is.
        from: PathBuf,
    },
    /// A setting of this clone changes.
    Set {
        /// Its value now.
        before: Option<String>,
        /// Its value then.
        after: Option<String>,
    },
}

/// What would be changed, and what cannot be.
#[derive(Debug)]
pub struct Plan {
    /// In the order in which it is done.
    pub steps: Vec<Step>,
    /// What is left to be done by hand: of what, and what.
    pub notes: Vec<(String, String)>,
    memory: Memory,
    originals: Vec<Vec<u8>>,
    takes_out: bool,
}

/// Plans to set parts up.
///
/// # Errors
/// A file cannot be read or merged into.
pub fn install(git: &Git, parts: &BTreeSet<Part>, settings: &Settings) -> Result<Plan, SetupError> {
    let mut planner = Planner::new(git)?;
    planner.memory.parts.extend(parts);
    let chosen: Vec<Part> = parts.iter().copied().collect();
    for file in files(&chosen, settings) {
        planner.install_file(&file, settings)?;
    }
    planner.finish_files();
    if parts.contains(&Part::Git) {
        planner.install_hooks()?;
        planner.install_settings()?;
    }
    planner.steps.extend(consents::grant(git, &settings.consents)?);
    Ok(planner.plan(false))
}

/// Plans to take parts out again.
///
/// # Errors
/// A file cannot be read or understood.
pub fn uninstall(git: &Git, parts: &BTreeSet<Part>, settings: &Settings) -> Result<Plan, SetupError> {
    let mut planner = Planner::new(git)?;
    // With this view there are the most files.
    let settings = Settings { view: ViewPolicy::DefaultBranch, ..settings.clone() };
    let remaining: Vec<Part> = planner.memory.parts.difference(parts).copied().collect();
    let kept: BTreeSet<String> = files(&remaining, &settings).into_iter().map(|file| file.path).collect();
    let chosen: Vec<Part> = parts.iter().copied().collect();
    for file in files(&chosen, &settings).iter().filter(|file| !kept.contains(&file.path)) {
        planner.remove_file(file, &settings)?;
    }
    if parts.contains(&Part::Git) {
        planner.remove_hooks()?;
        planner.remove_settings()?;
    }
    planner.memory.parts.retain(|part| !parts.contains(part));
    if planner.memory.parts.is_empty() {
        planner.remove_the_rest()?;
        planner.steps.extend(consents::withdraw(git)?);
    }
    planner.finish_files();
    Ok(planner.plan(true))
}

/// A file while the plan is made.
struct Pending {
    name: String,
    what: BTreeSet<&'static str>,
    before: Option<SharedFile>,
    after: Option<Vec<u8>>,
    /// What is remembered of it then.
    written: Option<Written>,
}

struct Planner<'a> {
    git: &'a Git,
    own_dir: PathBuf,
    memory: Memory,
    pending: BTreeMap<PathBuf, Pending>,
    steps: Vec<Step>,
    notes: Vec<(String, String)>,
    originals: Vec<Vec<u8>>,
}

impl<'a> Planner<'a> {
    fn new(git: &'a Git) -> Result<Self, SetupError> {
        let own_dir = git.layout().own_dir();
        Ok(Self {
            git,
            memory: Memory::read(&own_dir)?,
            own_dir,
            pending: BTreeMap::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            originals: Vec::new(),
        })
    }

    fn plan(self, takes_out: bool) -> Plan {
        Plan { steps: self.steps, notes: self.notes, memory: self.memory, originals: self.originals, takes_out }
    }

    fn layout(&self) -> &'a Layout {
        self.git.layout()
    }

    fn note(&mut self, name: &str, text: String) {
        self.notes.push((name.to_owned(), text));
    }

    /// The real place of a file and the file itself; a note if it must not be touched.
    fn open(&mut self, file: &Managed) -> Result<Option<PathBuf>, SetupError> {
        let path = match real_place(self.layout(), &file.path) {
            Ok(path) => path,
            Err(why) => {
                self.note(&file.path, why);
                return Ok(None);
            }
        };
        if !self.pending.contains_key(&path) {
            let before = read_shared(&path)?;
            let after = before.as_ref().map(|file| file.bytes.clone());
            let name = name_of(self.layout(), &path);
            self.pending.insert(path.clone(), Pending { name, what: BTreeSet::new(), before, after, written: None });
        }
        Ok(Some(path))
    }

    fn install_file(&mut self, file: &Managed, settings: &Settings) -> Result<(), SetupError> {
        if file.path.ends_with("/current.md") && self.is_in_use(&file.path) {
            return Ok(());
        }
        let Some(path) = self.open(file)? else { return Ok(()) };
        let Some(mut pending) = self.pending.remove(&path) else { return Ok(()) };
        let name = pending.name.clone();
        let wrong = |fault: String| SetupError::Unmergeable { name: name.clone(), fault };
        let text = pending.after.as_deref().map(|bytes| utf8(bytes).map_err(wrong)).transpose()?;
        match file.install(text).map_err(wrong)? {
            Installed::Left(why) => self.note(&name, why),
            Installed::Text(whole) if Some(whole.as_str()) != text => {
                let original = match text {
                    Some(text) => {
                        let rest = file.remove(text, settings).map_err(wrong)?;
                        self.original(&name, text.as_bytes(), rest)
                    }
                    None => None,
                };
                pending.written = Some(Written { written: memory::digest(whole.as_bytes()), original });
                pending.after = Some(whole.into_bytes());
                pending.what.insert(file.what);
            }
            Installed::Text(_) => {}
        }
        self.pending.insert(path, pending);
        Ok(())
    }

    fn remove_file(&mut self, file: &Managed, settings: &Settings) -> Result<(), SetupError> {
        if self.is_in_use(&file.path) {
            return Ok(());
        }
        let Some(path) = self.open(file)? else { return Ok(()) };
        let restored = self.restored(&path)?;
        let Some(pending) = self.pending.get_mut(&path) else { return Ok(()) };
        let Some(bytes) = pending.after.clone() else { return Ok(()) };
        let after = if let Some(original) = restored {
            original
        } else {
            let wrong = |fault: String| SetupError::Unmergeable { name: pending.name.clone(), fault };
            file.remove(utf8(&bytes).map_err(wrong)?, settings).map_err(wrong)?.map(String::into_bytes)
        };
        if after.as_ref() != Some(&bytes) {
            pending.what.insert(file.what);
            pending.after = after;
        }
        let name = pending.name.clone();
        self.memory.files.remove(&name);
        Ok(())
    }

    /// What stood under a name before, if nothing was changed since; the outer `None` if that is not known.
    #[expect(clippy::option_option, reason = "not known, known to be no file, known to be these bytes")]
    fn restored(&self, path: &Path) -> Result<Option<Option<Vec<u8>>>, SetupError> {
        let Some(pending) = self.pending.get(path) else { return Ok(None) };
        let (Some(known), Some(bytes)) = (self.memory.files.get(&pending.name), &pending.after) else {
            return Ok(None);
        };
        if known.written != memory::digest(bytes) {
            return Ok(None);
        }
        match &known.original {
            None => Ok(Some(None)),
            Some(wanted) => Ok(memory::original(&self.own_dir, wanted)?.map(Some)),
        }
    }

    /// Whether a file is a ledger's own, and that ledger holds events.
    fn is_in_use(&self, name: &str) -> bool {
        let Some(ledger) = name.strip_suffix("/events/README.md").or_else(|| name.strip_suffix("/current.md")) else {
            return false;
        };
        let Ok(place) = LedgerPlace::in_tree(&self.layout().work_tree, ledger) else { return false };
        let listing = Listing::of(&LedgerDir::new(place));
        listing.is_ok_and(|listing| !listing.files.is_empty() || !listing.packs.is_empty())
    }

    /// Restores what was written under names that this set-up no longer has, such as those of a ledger that moved.
    fn remove_the_rest(&mut self) -> Result<(), SetupError> {
        for (name, written) in std::mem::take(&mut self.memory.files) {
            let Some(path) = remembered_place(self.layout(), &name) else { continue };
            let Ok(Some(before)) = read_shared(&path) else { continue };
            let is_planned = self.steps.iter().any(|step| step.name == name) || self.pending.contains_key(&path);
            if is_planned || written.written != memory::digest(&before.bytes) || self.is_in_use(&name) {
                continue;
            }
            let after = match &written.original {
                None => None,
                Some(wanted) => match memory::original(&self.own_dir, wanted)? {
                    None => continue,
                    restored => restored,
                },
            };
            let what = BTreeSet::from(["an earlier set-up"]);
            self.pending.insert(path, Pending { name, what, before: Some(before), after, written: None });
        }
        Ok(())
    }

    /// Turns the files that change into steps.
    fn finish_files(&mut self) {
        for (path, pending) in std::mem::take(&mut self.pending) {
            let Pending { name, what, before, after, written } = pending;
            if before.as_ref().map(|file| &file.bytes) == after.as_ref() {
                continue;
            }
            if let Some(written) = written {
                self.memory.files.insert(name.clone(), written);
            }
            let what = what.into_iter().collect::<Vec<_>>().join(", ");
            let act = match (before, after) {
                (before, Some(after)) => {
                    if before.is_none() {
                        self.remember_folders(&path);
                    }
                    Act::Write { path, executable: false, before, after }
                }
                (Some(before), None) => Act::Remove { path, before },
                (None, None) => continue,
            };
            self.steps.push(Step { name, what, act });
        }
    }

    /// Remembers the folders that must be made for a file.
    fn remember_folders(&mut self, path: &Path) {
        for folder in path.ancestors().skip(1).take_while(|folder| folder.symlink_metadata().is_err()) {
            self.memory.folders.insert(name_of(self.layout(), folder));
        }
    }

    fn install_hooks(&mut self) -> Result<(), SetupError> {
        let hooks_dir = HooksDir::of(self.git)?;
        if hooks_dir.is_own {
            return HOOKS.into_iter().try_for_each(|hook| self.install_hook(&hooks_dir, hook));
        }
        let blocks = HOOKS.map(|hook| format!("{hook}, after the first line:\n{}", hooks::block(hook)));
        let text = format!(
            "lies outside this repository (`core.hooksPath`) and is never written to; add to your own hooks there:\n{}",
            blocks.concat().trim_end()
        );
        self.note(&hooks_dir.dir.display().to_string(), text);
        Ok(())
    }

    fn install_hook(&mut self, hooks_dir: &HooksDir, hook: &str) -> Result<(), SetupError> {
        let path = hooks_dir.dir.join(hook);
        let (before, is_link) = standing(&path)?;
        let name = name_of(self.layout(), &path);
        let wrong = |fault: String| SetupError::Unmergeable { name: name.clone(), fault };
        let change = if before.is_none() && !is_link && beside(&path).symlink_metadata().is_ok() {
            // An earlier run was stopped after it had moved the hook away.
            Change::Write(hooks::wrapper(hook))
        } else {
            hooks::install(hook, seen(before.as_ref(), is_link), hooks_dir.sourced).map_err(wrong)?
        };
        let what = format!("runs `headwater hook {hook}`, then what stands there");
        let act = match change {
            Change::Nothing => return Ok(()),
            Change::Write(text) => {
                let original = match &before {
                    Some(file) => {
                        let rest = hooks::remove(utf8(&file.bytes).map_err(wrong)?).map_err(wrong)?;
                        self.original(&name, &file.bytes, rest)
                    }
                    None => None,
                };
                let written = memory::digest(text.as_bytes());
                self.memory.files.insert(name.clone(), Written { written, original });
                if before.is_none() {
                    self.remember_folders(&path);
                }
                Act::Write { path, before, after: text.into_bytes(), executable: !hooks_dir.sourced }
            }
            Change::Wrap(wrapper) => {
                let to = beside(&path);
                if to.symlink_metadata().is_ok() {
                    let why = "is no shell script, and its name for a wrapped one is taken";
                    self.note(&name, format!("{why}; remove it or `{hook}{BEFORE}` and run this again"));
                    return Ok(());
                }
                Act::Wrap { path, to, wrapper }
            }
        };
        self.steps.push(Step { name, what, act });
        Ok(())
    }

    /// The hash of what stood under a name before any of ours: what is remembered, if nothing was changed
    /// since, else what stands there without our part.
    fn original(&mut self, name: &str, standing: &[u8], rest: Option<String>) -> Option<String> {
        if let Some(known) = self.memory.files.get(name).filter(|known| known.written == memory::digest(standing)) {
            return known.original.clone();
        }
        let rest = rest?.into_bytes();
        let digest = memory::digest(&rest);
        self.originals.push(rest);
        Some(digest)
    }

    fn remove_hooks(&mut self) -> Result<(), SetupError> {
        let hooks_dir = HooksDir::of(self.git)?;
        if !hooks_dir.is_own {
            let text = "lies outside this repository; take out by hand what you added there by hand".to_owned();
            self.note(&hooks_dir.dir.display().to_string(), text);
            return Ok(());
        }
        HOOKS.into_iter().try_for_each(|hook| self.remove_hook(&hooks_dir.dir.join(hook)))
    }

    fn remove_hook(&mut self, path: &Path) -> Result<(), SetupError> {
        let (Some(before), false) = standing(path)? else { return Ok(()) };
        let name = name_of(self.layout(), path);
        let known = self.memory.files.remove(&name).filter(|known| known.written == memory::digest(&before.bytes));
        if !hooks::is_installed(&before.bytes) {
            return Ok(());
        }
        let wrong = |fault: String| SetupError::Unmergeable { name: name.clone(), fault };
        let text = utf8(&before.bytes).map_err(wrong)?;
        let (path, from) = (path.to_owned(), beside(path));
        let act = if hooks::is_wrapper(text) && from.symlink_metadata().is_ok() {
            Act::Unwrap { path, from }
        } else {
            let original = known.and_then(|known| known.original);
            let kept = original.map(|wanted| memory::original(&self.own_dir, &wanted)).transpose()?.flatten();
            let rest = if hooks::is_wrapper(text) { None } else { hooks::remove(text).map_err(wrong)? };
            match kept.or_else(|| rest.map(String::into_bytes)) {
                Some(after) => Act::Write { path, before: Some(before), after, executable: false },
                None => Act::Remove { path, before },
            }
        };
        self.steps.push(Step { name, what: "git runs what stood there before".to_owned(), act });
        Ok(())
    }

    fn install_settings(&mut self) -> Result<(), SetupError> {
        for (key, wanted) in SETTINGS {
            let before = self.git.local_setting(key)?;
            if before.as_deref() == Some(wanted) {
                continue;
            }
            let foreign = before.clone().filter(|value| !value.contains("headwater"));
            self.memory.settings.entry(key.to_owned()).or_insert(foreign);
            let what = "merges current.md in this clone".to_owned();
            let act = Act::Set { before, after: Some(wanted.to_owned()) };
            self.steps.push(Step { name: key.to_owned(), what, act });
        }
        Ok(())
    }

    fn remove_settings(&mut self) -> Result<(), SetupError> {
        for (key, _) in SETTINGS.into_iter().rev() {
            let after = self.memory.settings.remove(key).flatten();
            let before = self.git.local_setting(key)?;
            if before.as_ref().is_some_and(|value| value.contains("headwater")) && before != after {
                let what = "current.md is merged as text again".to_owned();
                self.steps.push(Step { name: key.to_owned(), what, act: Act::Set { before, after } });
            }
        }
        Ok(())
    }
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Does what was planned: the user's bytes are kept first, each file is replaced whole.
    ///
    /// # Errors
    /// Something changed since the plan was made, and nothing is done; or the system refuses.
    pub fn apply(mut self, git: &Git) -> Result<(), SetupError> {
        let own_dir = git.layout().own_dir();
        for step in &self.steps {
            if !step.still_holds(git)? {
                return Err(SetupError::Moved(step.name.clone()));
            }
        }
        for original in &self.originals {
            memory::keep_original(&own_dir, original)?;
        }
        for step in &self.steps {
            // What is replaced or removed now is kept too, should it be wanted after all.
            if let Act::Write { before: Some(before), .. } | Act::Remove { before, .. } = &step.act {
                memory::keep_original(&own_dir, &before.bytes)?;
            }
        }
        if !self.takes_out {
            self.memory.write(&own_dir)?;
        }
        self.steps.iter().try_for_each(|step| step.apply(git))?;
        if self.takes_out {
            let layout = git.layout();
            let place = |name: &String| remembered_place(layout, name);
            // The innermost first: a folder sorts before what is in it.
            self.memory.folders.iter().rev().filter_map(place).for_each(|folder| remove_empty_folder(&folder));
            self.memory.folders.retain(|name| place(name).is_some_and(|folder| folder.is_dir()));
            if self.memory.parts.is_empty() {
                self.memory.folders.clear();
            }
            self.memory.write(&own_dir)?;
        }
        Ok(())
    }
}

impl Step {
    fn still_holds(&self, git: &Git) -> Result<bool, SetupError> {
        Ok(match &self.act {
            Act::Write { path, before, .. } => read_shared(path)? == *before,
            Act::Remove { path, before } => read_shared(path)?.as_ref() == Some(before),
            Act::Wrap { path, to, .. } => path.symlink_metadata().is_ok() && to.symlink_metadata().is_err(),
            Act::Unwrap { path, from } => path.symlink_metadata().is_ok() && from.symlink_metadata().is_ok(),
            Act::Set { before, .. } => git.local_setting(&self.name)? == *before,
        })
    }

    fn apply(&self, git: &Git) -> Result<(), SetupError> {
        match &self.act {
            Act::Write { path, after, executable, .. } => write_shared(path, after, *executable)?,
            Act::Remove { path, .. } => remove_shared(path)?,
            Act::Wrap { path, to, wrapper } => {
                move_shared(path, to)?;
                write_shared(path, wrapper.as_bytes(), true)?;
            }
            Act::Unwrap { path, from } => replace_shared(from, path)?,
            Act::Set { after, .. } => git.set_local_setting(&self.name, after.as_deref())?,
        }
        Ok(())
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| format!(": is not UTF-8 after byte {}", error.valid_up_to()))
}

/// A hook's file, or that it is a link.
pub(super) fn standing(path: &Path) -> Result<(Option<SharedFile>, bool), SetupError> {
    match path.symlink_metadata() {
        Ok(found) if found.file_type().is_symlink() => Ok((None, true)),
        _ => Ok((read_shared(path)?, false)),
    }
}

/// What a hook's file is to [`hooks::install`].
pub(super) fn seen(file: Option<&SharedFile>, is_link: bool) -> Standing<'_> {
    match file {
        _ if is_link => Standing::Link,
        None => Standing::Nothing,
        Some(file) => Standing::File { bytes: &file.bytes, executable: file.executable },
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(BEFORE);
    path.with_file_name(name)
}
