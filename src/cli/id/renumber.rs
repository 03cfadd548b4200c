//! `headwater id renumber`: a new number for the loser of a collision.

use super::Desk;
use super::args::RenumberArgs;
use crate::cli::error::{CliError, Exit};
use crate::cli::origins::counted;
use crate::config::Namespace;
use crate::config::pattern::Numbered;
use crate::ids::renumber::{Reader, Renumbering, has_word};
use crate::ids::reserve::Wish;
use crate::ids::{Allocator, sources};
use crate::ledger::escape::safe_for_terminal;
use crate::store::{create_new, read_text, remove_untouched, replace_whole};
use std::fmt::Write as _;
use std::path::PathBuf;

/// How many places that are left are shown.
const SHOWN: usize = 20;

/// A text that changes.
struct Change {
    path: String,
    whole: PathBuf,
    before: String,
    after: String,
    places: usize,
}

pub(super) fn run(desk: &Desk<'_>, args: &RenumberArgs) -> Result<Exit, CliError> {
    let allocator = desk.following(!args.no_fetch, args.jump.allow_jump);
    let namespace = allocator.namespace_of(&args.old)?;
    let unknown = || CliError::Usage(format!("`{}` is no id of {}", args.old, namespace.name));
    let old = namespace.format.read(&args.old).ok_or_else(unknown)?;
    let (path, slug) = loser(&allocator, namespace, &old, args)?;
    let asking = desk.asking(args.agent.as_ref())?;
    let next = allocator.next(namespace, &asking)?;
    let planned = allocator.renumbered(namespace, &args.old, &slug)?.unwrap_or(next);
    // The plan is made, and refused, before a number is spent.
    let (steps, mut text) = plan(&allocator, namespace, &old, &planned, &path, &slug)?;
    if !args.apply {
        let _infallible = write!(text, "\nnothing was changed; `--apply` does it");
        desk.context.console.result(&text)?;
        return Ok(Exit::Done);
    }
    let wish = Wish { count: 1, slug: Some(slug.clone()), ..Wish::default() };
    let new = allocator.renumber(namespace, &asking, &args.old, &wish)?;
    let (steps, text) =
        if new == planned { (steps, text) } else { plan(&allocator, namespace, &old, &new, &path, &slug)? };
    apply(&allocator, namespace, &old, &new, &slug, &steps)?;
    desk.context.console.result(&format!("{text}\nAMENDMENT: {} is {new} now", args.old))?;
    Ok(Exit::Done)
}

/// The file that gets the new number: the one of this slug, or the only one of its number here.
fn loser(
    allocator: &Allocator<'_>,
    namespace: &Namespace,
    old: &Numbered,
    args: &RenumberArgs,
) -> Result<(String, String), CliError> {
    let usage = |text: String| Err(CliError::Usage(text));
    let Some(files) = &namespace.files else {
        return usage(format!(
            "{} has no `files:`; give its row another id by hand: `headwater id reserve {}`",
            namespace.name, namespace.name
        ));
    };
    let mut found: Vec<(String, String)> = Vec::new();
    for (path, says) in sources::in_names(namespace, &allocator.place.top)? {
        if (&says.scope, says.number) == (&old.scope, old.number)
            && let Some(slug) = files.read(&path).and_then(|says| says.slug)
            && args.slug.as_ref().is_none_or(|wanted| *wanted == slug)
        {
            found.push((path, slug));
        }
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => usage(format!("no file here has the number of {}; run it where the file is that is to change", args.old)),
        several => {
            let names: Vec<&str> = several.iter().map(|(_, slug)| slug.as_str()).collect();
            usage(format!("several files have the number of {}; choose with `--slug`: {}", args.old, names.join(", ")))
        }
    }
}

/// What changes in which file; refuses where number and slug disagree.
fn plan(
    allocator: &Allocator<'_>,
    namespace: &Namespace,
    old: &Numbered,
    new: &str,
    path: &str,
    slug: &str,
) -> Result<(Vec<Change>, String), CliError> {
    let number = namespace.format.read(new).map_or(old.number, |says| says.number);
    let nothing = || CliError::Usage(format!("{} has no `files:`", namespace.name));
    let renumbering = Renumbering::new(namespace, &old.scope, old.number, number, slug).ok_or_else(nothing)?;
    let mut paths = match allocator.place.layout.as_ref().map(crate::git::Git::at) {
        Some(git) => git.files_with(slug)?,
        None => Vec::new(),
    };
    paths.push(path.to_owned());
    paths.sort();
    paths.dedup();
    let mut changes = Vec::new();
    let mut refused = Vec::new();
    let mut left = Vec::new();
    for name in paths {
        let whole = allocator.place.top.join(&name);
        if whole.symlink_metadata().is_ok_and(|found| !found.is_file()) {
            left.push(format!("{name}: no regular file"));
            continue;
        }
        let Some(bytes) = read_text(&whole)? else { continue };
        let Ok(before) = String::from_utf8(bytes) else {
            left.push(format!("{name}: not UTF-8"));
            continue;
        };
        let exists = |path: &str| allocator.place.top.join(path).exists();
        let done = renumbering.rewrite(&before, Reader { path: &name, own: name == path, exists: &exists });
        refused.extend(done.disagreements.iter().map(|(line, what)| format!("\n  {name}:{line}: {what}")));
        if done.changes > 0 || name == path {
            changes.push(Change { path: name, whole, before, after: done.text, places: done.changes });
        }
    }
    if !refused.is_empty() {
        return Err(CliError::Usage(format!(
            "number and slug disagree, so that nobody can tell what is meant; correct these first:{}",
            refused.concat()
        )));
    }
    let new_path = path.replace(&renumbering.old_name, &renumbering.new_name);
    let mut text = format!("{path} -> {new_path}");
    for change in &changes {
        let _infallible = write!(text, "\n  {}: {}", change.path, counted(change.places, "place"));
    }
    let mut found = mentions(allocator, &renumbering.old_id, &changes)?;
    found.retain(|line| !left.iter().any(|other| line.starts_with(other.split(' ').next().unwrap_or_default())));
    left.extend(found);
    left.sort();
    if !left.is_empty() {
        text.push_str("\nleft as they are, since they may mean what keeps the number:");
    }
    for line in left.iter().take(SHOWN) {
        let _infallible = write!(text, "\n  {}", safe_for_terminal(line));
    }
    if left.len() > SHOWN {
        let _infallible = write!(text, "\n  and {} more", left.len() - SHOWN);
    }
    // The file itself comes last: until it has its new name a run that was stopped can be repeated.
    changes.sort_by_key(|change| change.path == path);
    Ok((changes, text))
}

/// The lines that still have the old id when the changes are made.
fn mentions(allocator: &Allocator<'_>, old: &str, changes: &[Change]) -> Result<Vec<String>, CliError> {
    let Some(git) = allocator.place.layout.as_ref().map(crate::git::Git::at) else { return Ok(Vec::new()) };
    let mut found: Vec<String> = git.lines_with(&[old.to_owned()])?;
    found.retain(|line| {
        let text = line.splitn(3, ':').nth(2).unwrap_or_default();
        has_word(text, old) && changes.iter().all(|change| !line.starts_with(&format!("{}:", change.path)))
    });
    for change in changes {
        let lines = (1..).zip(change.after.lines()).filter(|(_, line)| has_word(line, old));
        found.extend(lines.map(|(number, line)| format!("{}:{number}:{line}", change.path)));
    }
    Ok(found)
}

fn apply(
    allocator: &Allocator<'_>,
    namespace: &Namespace,
    old: &Numbered,
    new: &str,
    slug: &str,
    changes: &[Change],
) -> Result<(), CliError> {
    let Some((own, others)) = changes.split_last() else { return Ok(()) };
    for change in others {
        replace_whole(&change.whole, change.after.as_bytes())?;
    }
    let number = namespace.format.read(new).map_or(old.number, |says| says.number);
    let Some(path) = namespace.files.as_ref().map(|files| files.render(&old.scope, number, slug)) else {
        return Ok(());
    };
    let target = allocator.place.top.join(&path);
    if !create_new(&target, own.after.as_bytes())? {
        return Err(CliError::Usage(format!("`{path}` is there already; `{}` was left as it is", own.path)));
    }
    if !remove_untouched(&own.whole, |bytes| bytes == own.before.as_bytes())? {
        return Err(CliError::Usage(format!("`{}` changed meanwhile and was left beside `{path}`", own.path)));
    }
    Ok(())
}
