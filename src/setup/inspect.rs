//! What is missing, wrong or stale in a set-up.

use super::hooks::{self, Change, HOOKS};
use super::managed::{Installed, Managed, Settings, files};
use super::memory::Memory;
use super::places::{HooksDir, name_of, real_place};
use super::plan::{SETTINGS, seen, standing};
use super::{Part, SetupError, prettier};
use crate::git::Git;
use crate::store::read_shared;
use crate::trust::path::InTree;
use std::collections::BTreeSet;

/// Something that is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing it is; stable.
    pub code: &'static str,
    /// What is wrong, and with what.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    fn of_part(code: &'static str, part: Part, what: String) -> Self {
        Self { code, what, remedy: format!("run `headwater init{}`", part.flag()) }
    }
}

/// The oldest git that tells a merge driver which commits it merges.
const LABELS_SINCE: (u32, u32) = (2, 44);

/// The parts that were asked for here, or that the files of a fresh clone show.
///
/// # Errors
/// Something cannot be read.
pub fn present(git: &Git, settings: &Settings) -> Result<BTreeSet<Part>, SetupError> {
    let mut parts = Memory::read(&git.layout().own_dir())?.parts;
    for part in Part::ALL {
        // The first file of a part is its own; others are shared.
        let first = files(&[part], settings).into_iter().next();
        let text = first.as_ref().and_then(|file| Some((file, text_of(git, file)?)));
        if text.is_some_and(|(file, text)| file.is_in(&text)) {
            parts.insert(part);
        }
    }
    let has_events = |ledger: &String| {
        let events = InTree::directory(&git.layout().work_tree, &format!("{ledger}/events"));
        events.is_ok_and(|events| events.path().is_dir())
    };
    if settings.ledgers.iter().any(has_events) {
        parts.insert(Part::Ledger);
    }
    let hooks_dir = HooksDir::of(git)?;
    let has_block = |hook: &&str| {
        read_shared(&hooks_dir.dir.join(hook)).ok().flatten().is_some_and(|file| hooks::is_installed(&file.bytes))
    };
    if hooks_dir.is_own && HOOKS.iter().any(has_block) {
        parts.insert(Part::Git);
    }
    Ok(parts)
}

fn text_of(git: &Git, file: &Managed) -> Option<String> {
    let path = real_place(git.layout(), &file.path).ok()?;
    String::from_utf8(read_shared(&path).ok()??.bytes).ok()
}

/// Finds what is wrong with the parts that are set up here.
///
/// # Errors
/// git cannot answer, or what is remembered cannot be read.
pub fn inspect(git: &Git, settings: &Settings, is_on_path: bool) -> Result<Vec<Finding>, SetupError> {
    let parts = present(git, settings)?;
    if parts.is_empty() {
        let what = "headwater is not set up in this repository".to_owned();
        return Ok(vec![Finding { code: "not-set-up", what, remedy: "run `headwater init`".to_owned() }]);
    }
    let mut findings = Vec::new();
    if !is_on_path {
        findings.push(Finding {
            code: "not-on-path",
            what: "no program `headwater` is on the PATH: every hook and the merge driver do nothing".to_owned(),
            remedy: "put the folder of the program on the PATH of the shell that starts git and the agents".to_owned(),
        });
    }
    let chosen: Vec<Part> = parts.iter().copied().collect();
    for file in files(&chosen, settings) {
        findings.extend(inspect_file(git, &file));
    }
    if parts.contains(&Part::Ledger) {
        inspect_ledgers(git, settings, &mut findings)?;
    }
    if parts.contains(&Part::Git) {
        inspect_hooks(git, &mut findings)?;
    }
    inspect_driver(git, settings, parts.contains(&Part::Git), &mut findings)?;
    // Two agents may share a file.
    let mut seen = BTreeSet::new();
    findings.retain(|finding| seen.insert((finding.code, finding.what.clone())));
    Ok(findings)
}

fn inspect_file(git: &Git, file: &Managed) -> Option<Finding> {
    let finding = |code, what: String| Some(Finding::of_part(code, file.part, what));
    let by_hand = |code, what: String, remedy: String| Some(Finding { code, what, remedy });
    let path = match real_place(git.layout(), &file.path) {
        Ok(path) => path,
        Err(why) => return by_hand("link", format!("`{}` {why}", file.path), "see there".to_owned()),
    };
    let bytes = match read_shared(&path) {
        Ok(found) => found.map(|found| found.bytes),
        Err(error) => return by_hand("unreadable", error.to_string(), "make it readable".to_owned()),
    };
    let Some(bytes) = bytes else {
        // The configuration need not be there; of the ledger's folder its own finding tells.
        return if file.is_seed() || file.is_shared_by_line() {
            None
        } else {
            finding("missing", format!("`{}` is missing: {}", file.path, file.what))
        };
    };
    let unreadable = |fault: String| {
        by_hand(
            "unreadable",
            format!("`{}`{fault}", file.path),
            format!("mend it, then run `headwater init{}`", file.part.flag()),
        )
    };
    let Ok(text) = String::from_utf8(bytes) else { return unreadable(": is not UTF-8".to_owned()) };
    match file.install(Some(&text)) {
        Err(fault) => unreadable(fault),
        Ok(Installed::Text(whole)) if whole == text => None,
        Ok(Installed::Left(_)) if file.is_in(&text) => None,
        Ok(Installed::Left(why)) => {
            by_hand("missing", format!("`{}` lacks {}", file.path, file.what), format!("it {why}"))
        }
        Ok(Installed::Text(_)) if file.is_in(&text) => {
            finding("stale", format!("`{}` holds an older or changed text: {}", file.path, file.what))
        }
        Ok(Installed::Text(_)) if file.is_shared_by_line() => None,
        Ok(Installed::Text(_)) => finding("missing", format!("`{}` lacks {}", file.path, file.what)),
    }
}

fn inspect_ledgers(git: &Git, settings: &Settings, findings: &mut Vec<Finding>) -> Result<(), SetupError> {
    let mut add = |code, what| findings.push(Finding::of_part(code, Part::Ledger, what));
    for ledger in &settings.ledgers {
        for file in &settings.ignore_files {
            let ignored = read_shared(&git.layout().work_tree.join(file)).ok().flatten();
            let ignored = ignored.map(|file| String::from_utf8_lossy(&file.bytes).into_owned()).unwrap_or_default();
            if !prettier::is_covered(&ignored, ledger) {
                add("prettier-not-ignored", format!("Prettier may rewrite `{ledger}`: `{file}` does not name it"));
            }
        }
        let readme = InTree::file(&git.layout().work_tree, &format!("{ledger}/events/README.md"));
        if !readme.is_ok_and(|readme| readme.path().is_file()) {
            add("no-ledger", format!("`{ledger}/events/README.md` is missing, which keeps the ledger's folder"));
        }
        let lock = format!("{ledger}/.synth.lock");
        if !git.ignores(&lock)? {
            add("lock-not-ignored", format!("`{lock}` is not ignored and could be committed"));
        }
        let view = format!("{ledger}/current.md");
        if git.attribute("merge", &view)?.as_deref() != Some("headwater") {
            add(
                "no-attributes",
                format!("`{view}` is merged as text: `.gitattributes` does not name `merge=headwater`"),
            );
        }
        if git.attribute("eol", &view)?.as_deref() != Some("lf") {
            add(
                "no-attributes",
                format!("git may change the line ends of `{ledger}`: `.gitattributes` lacks `eol=lf`"),
            );
        }
    }
    Ok(())
}

fn inspect_hooks(git: &Git, findings: &mut Vec<Finding>) -> Result<(), SetupError> {
    let hooks_dir = HooksDir::of(git)?;
    for hook in HOOKS {
        let path = hooks_dir.dir.join(hook);
        let (file, is_link) = standing(&path)?;
        if !hooks_dir.is_own {
            let calls = file.is_some_and(|file| String::from_utf8_lossy(&file.bytes).contains("headwater hook"));
            if !calls {
                findings.push(Finding {
                    code: "hooks-path-outside",
                    what: format!("`{}` does not call `headwater hook {hook}`; `core.hooksPath` leads out of the repository, where nothing is written", path.display()),
                    remedy: "add what `headwater init --git --dry-run` prints, or unset `core.hooksPath` for this clone".to_owned(),
                });
            }
            continue;
        }
        let name = name_of(git.layout(), &path);
        let has_block = file.as_ref().is_some_and(|file| hooks::is_installed(&file.bytes));
        let (code, what) = match hooks::install(hook, seen(file.as_ref(), is_link), hooks_dir.sourced) {
            Ok(Change::Nothing) => continue,
            Err(fault) => ("unreadable", format!("`{name}`{fault}")),
            Ok(Change::Write(text)) if file.as_ref().is_some_and(|file| file.bytes == text.as_bytes()) => {
                ("hook-not-executable", format!("`{name}` may not be run, so git skips it"))
            }
            Ok(_) if has_block => ("hook-stale", format!("`{name}` holds an older or changed text")),
            Ok(_) => ("hook-missing", format!("`{name}` does not call `headwater hook {hook}`")),
        };
        findings.push(Finding::of_part(code, Part::Git, what));
    }
    Ok(())
}

/// Names the hooks that call nothing of ours in a clone that was not set up, in words to go on with.
fn missing_hooks(git: &Git) -> Result<String, SetupError> {
    let folder = HooksDir::of(git)?.dir;
    let mut missing = Vec::new();
    for hook in HOOKS {
        let (file, _) = standing(&folder.join(hook))?;
        if !file.is_some_and(|file| String::from_utf8_lossy(&file.bytes).contains("headwater hook")) {
            missing.push(format!("`{hook}`"));
        }
    }
    let named = missing.join(", ");
    Ok(if missing.is_empty() { named } else { format!("; it lacks the hooks {named}, which check the view") })
}

fn inspect_driver(
    git: &Git,
    settings: &Settings,
    is_asked_for: bool,
    findings: &mut Vec<Finding>,
) -> Result<(), SetupError> {
    let mut is_named = is_asked_for;
    for ledger in &settings.ledgers {
        is_named |= git.attribute("merge", &format!("{ledger}/current.md"))?.as_deref() == Some("headwater");
    }
    if !is_named {
        return Ok(());
    }
    let [(key, wanted), (name, _)] = SETTINGS;
    match git.local_setting(key)? {
        None => {
            let then = if git.local_setting(name)?.is_some() {
                format!("`{name}` is set, and git ends every merge of current.md with an error")
            } else {
                "merges of current.md conflict".to_owned()
            };
            let hooks = if is_asked_for { String::new() } else { missing_hooks(git)? };
            findings.push(Finding::of_part(
                "driver-missing",
                Part::Git,
                format!("this clone has no `{key}`: {then}{hooks}"),
            ));
        }
        Some(value) if value != wanted => {
            findings.push(Finding::of_part("driver-stale", Part::Git, format!("`{key}` is not what it should be")));
        }
        Some(_) => {}
    }
    if let Some(version) = git.version()?.filter(|version| *version < LABELS_SINCE) {
        findings.push(Finding {
            code: "git-too-old",
            what: format!(
                "git {}.{} does not tell a merge driver which commits it merges: current.md is only right after the next `headwater --no-confirm`",
                version.0, version.1
            ),
            remedy: format!("install git {}.{} or later", LABELS_SINCE.0, LABELS_SINCE.1),
        });
    }
    Ok(())
}
