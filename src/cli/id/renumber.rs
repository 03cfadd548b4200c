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
use crate::store::{Kind, StoreError, can_write_beside, kind_in_tree, read_in_tree, rename_in_tree, replace_in_tree};
use crate::trust::path::InTree;
use std::fmt::Write as _;

/// How many places that are left are shown.
const SHOWN: usize = 20;

/// A text that changes.
struct Change {
    place: InTree,
    before: String,
    after: String,
    places: usize,
}

/// What is going to happen.
struct Plan {
    /// The texts that point to the file.
    others: Vec<Change>,
    /// The file itself.
    from: InTree,
    /// Its text; none where its bytes stay as they are: it is no text, a link or a directory.
    own: Option<Change>,
    /// Its new name.
    to: InTree,
    /// The same in words.
    text: String,
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
    let before = plan(&allocator, namespace, &old, &planned, &path, &slug)?;
    if !args.apply {
        desk.context.console.result(&format!("{}\nnothing was changed; `--apply` does it", before.text))?;
        return Ok(Exit::Done);
    }
    before.can_be_done()?;
    let wish = Wish { count: 1, slug: Some(slug.clone()), ..Wish::default() };
    let new = allocator.renumber(namespace, &asking, &args.old, &wish)?;
    let plan = if new == planned { before } else { plan(&allocator, namespace, &old, &new, &path, &slug)? };
    plan.apply()?;
    desk.context.console.result(&format!("{}\nAMENDMENT: {} is {new} now", plan.text, args.old))?;
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
    for (path, says) in sources::in_names(namespace, &allocator.place.top, false)? {
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
) -> Result<Plan, CliError> {
    let number = namespace.format.read(new).map_or(old.number, |says| says.number);
    let nothing = || CliError::Usage(format!("{} has no `files:`", namespace.name));
    let renumbering = Renumbering::new(namespace, &old.scope, old.number, number, slug).ok_or_else(nothing)?;
    let top = &allocator.place.top;
    let from = InTree::file(top, path).map_err(StoreError::from)?;
    let new_path = namespace.files.as_ref().map(|files| files.render(&old.scope, number, slug)).ok_or_else(nothing)?;
    let to = InTree::file(top, &new_path).map_err(StoreError::from)?;
    let found = texts(allocator, &renumbering, path, slug)?;
    if !found.refused.is_empty() {
        return Err(CliError::Usage(format!(
            "number and slug disagree, so that nobody can tell what is meant; correct these first:{}",
            found.refused.concat()
        )));
    }
    let Texts { mut changes, mut left, .. } = found;
    let mut text = format!("{path} -> {new_path}");
    for change in &changes {
        let _infallible = write!(text, "\n  {}: {}", change.place.name(), counted(change.places, "place"));
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
    let own = changes.iter().position(|change| change.place == from).map(|at| changes.remove(at));
    Ok(Plan { others: changes, from, own, to, text })
}

/// What stands in the texts that may point to the file, and in the file itself.
#[derive(Default)]
struct Texts {
    changes: Vec<Change>,
    /// Where number and slug disagree.
    refused: Vec<String>,
    /// What is not changed, and why.
    left: Vec<String>,
}

fn texts(allocator: &Allocator<'_>, renumbering: &Renumbering, path: &str, slug: &str) -> Result<Texts, CliError> {
    let mut names = match allocator.place.layout.as_ref().map(crate::git::Git::at) {
        Some(git) => git.files_with(slug)?,
        None => Vec::new(),
    };
    names.push(path.to_owned());
    names.sort();
    names.dedup();
    let mut texts = Texts::default();
    let top = &allocator.place.top;
    let exists = |name: &str| InTree::file(top, name).is_ok_and(|place| place.path().exists());
    for name in names {
        let Ok(place) = InTree::file(top, &name) else {
            texts.left.push(format!("{name}: behind a symbolic link"));
            continue;
        };
        if kind_in_tree(&place)? == Some(Kind::Other) {
            texts.left.push(format!("{name}: no regular file"));
            continue;
        }
        let Some(bytes) = read_in_tree(&place)? else { continue };
        let Ok(before) = String::from_utf8(bytes) else {
            texts.left.push(format!("{name}: not UTF-8"));
            continue;
        };
        let done = renumbering.rewrite(&before, Reader { path: &name, own: name == path, exists: &exists });
        texts.refused.extend(done.disagreements.iter().map(|(line, what)| format!("\n  {name}:{line}: {what}")));
        if done.changes > 0 || name == path {
            texts.changes.push(Change { place, before, after: done.text, places: done.changes });
        }
    }
    Ok(texts)
}

/// The lines that still have the old id when the changes are made.
fn mentions(allocator: &Allocator<'_>, old: &str, changes: &[Change]) -> Result<Vec<String>, CliError> {
    let Some(git) = allocator.place.layout.as_ref().map(crate::git::Git::at) else { return Ok(Vec::new()) };
    let mut found: Vec<String> = git.lines_with(&[old.to_owned()])?;
    found.retain(|line| {
        let text = line.splitn(3, ':').nth(2).unwrap_or_default();
        has_word(text, old) && changes.iter().all(|change| !line.starts_with(&format!("{}:", change.place.name())))
    });
    for change in changes {
        let lines = (1..).zip(change.after.lines()).filter(|(_, line)| has_word(line, old));
        found.extend(lines.map(|(number, line)| format!("{}:{number}:{line}", change.place.name())));
    }
    Ok(found)
}

impl Plan {
    /// Refuses what the disk would refuse, while no number is used up.
    fn can_be_done(&self) -> Result<(), CliError> {
        if kind_in_tree(&self.to)?.is_some() {
            return Err(self.taken("nothing was changed"));
        }
        for place in self.others.iter().map(|change| &change.place).chain([&self.from, &self.to]) {
            can_write_beside(place)?;
        }
        Ok(())
    }

    /// The file itself comes last: until it has its new name a run that was stopped can be repeated.
    fn apply(&self) -> Result<(), CliError> {
        for change in &self.others {
            replace_in_tree(&change.place, change.after.as_bytes())?;
        }
        let changed = self.own.as_ref().filter(|own| own.places > 0);
        let texts = changed.map(|own| (own.before.as_bytes(), own.after.as_bytes()));
        if rename_in_tree(&self.from, &self.to, texts)? { Ok(()) } else { Err(self.taken("it was left as it is")) }
    }

    fn taken(&self, rest: &str) -> CliError {
        let (from, to) = (self.from.name(), self.to.name());
        CliError::Usage(format!("cannot rename `{from}` to `{to}`: that name is taken; {rest}"))
    }
}
