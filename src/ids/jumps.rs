//! Numbers that jump far above the log: where they come from, for whoever has to judge them.

use super::IdsError;
use super::allocator::Allocator;
use super::contract::Standing;
use super::reserve::Known;
use super::sources;
use crate::config::Namespace;
use crate::config::pattern::Scope;
use crate::event::text::is_unsafe_to_show;
use crate::git::Git;
use crate::trust::number::JUMP;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How many jumps are named, and how many places of one.
const NAMED: usize = 3;

impl Allocator<'_> {
    /// Tells which numbers of a scope jump, and where they come from.
    pub(super) fn tell_jumps(
        &self,
        namespace: &Namespace,
        scope: &Scope,
        known: &Known,
        standing: &dyn Standing,
    ) -> Result<(), IdsError> {
        let (floor, jumps) = known.judge(&standing.floor(scope)?);
        if jumps.is_empty() {
            return Ok(());
        }
        let id = |number: u64| namespace.format.render(scope, number, "");
        let mut text = String::new();
        for number in jumps.iter().rev().take(NAMED) {
            let places = self.places_of(namespace, scope, *number, standing)?;
            let separator = if text.is_empty() { "" } else { "; " };
            let _infallible = write!(text, "{separator}{}{places}", id(*number));
        }
        if jumps.len() > NAMED {
            let _infallible = write!(text, "; and {} more", jumps.len() - NAMED);
        }
        let name = &namespace.name;
        (self.say)(&format!(
            "{text}: more than {JUMP} above {}, so it is in use and not followed; if it is right, run `headwater id reserve {name} --allow-jump` once, else correct it where it stands",
            id(floor.top())
        ));
        Ok(())
    }

    /// Where a number stands, in words.
    fn places_of(
        &self,
        namespace: &Namespace,
        scope: &Scope,
        number: u64,
        standing: &dyn Standing,
    ) -> Result<String, IdsError> {
        let wanted = (scope.clone(), number);
        let mut places = BTreeSet::new();
        let archives = sources::archives_of(namespace);
        let files: BTreeSet<&String> = namespace.sources.iter().chain(&archives).collect();
        let mentions = |bytes: &[u8]| sources::mentions(namespace, bytes, &wanted);
        for file in &files {
            if sources::read_if_there(&self.place.top, file, true)?.is_some_and(|bytes| mentions(&bytes)) {
                places.insert(format!("`{file}` here"));
            }
        }
        let takes = |path: &str| {
            let files = namespace.files.as_ref();
            files.and_then(|files| files.taken_by(path)).is_some_and(|says| (says.scope, says.number) == wanted)
        };
        let here = sources::in_names(namespace, &self.place.top, false)?.into_iter().filter(|(path, _)| takes(path));
        places.extend(here.map(|(path, _)| format!("`{path}` here")));
        for anchor in standing.anchors()?.iter().filter(|anchor| anchor.numbers.contains(&number)) {
            places.insert(format!("the log, by {} at {}", anchor.agent, anchor.at));
        }
        if let Some(git) = self.git().filter(|_| places.len() < NAMED) {
            in_git(&git, &files, &mentions, &takes, namespace, &mut places)?;
        }
        let shown: Vec<String> = places.into_iter().take(NAMED).map(|place| plain(&place)).collect();
        Ok(if shown.is_empty() { String::new() } else { format!(" ({})", shown.join(", ")) })
    }
}

/// Adds the branches and commits that have a number, with their authors.
fn in_git(
    git: &Git,
    files: &BTreeSet<&String>,
    mentions: &dyn Fn(&[u8]) -> bool,
    takes: &dyn Fn(&str) -> bool,
    namespace: &Namespace,
    places: &mut BTreeSet<String>,
) -> Result<(), IdsError> {
    for file in files {
        for (reference, author, bytes) in git.contents_by_reference(file)? {
            if places.len() < NAMED && mentions(&bytes) {
                places.insert(format!("`{file}` on `{reference}`, by {author}"));
            }
        }
    }
    if let Some(files) = &namespace.files {
        for (commit, author, reference, path) in git.additions(files.folder())? {
            if places.len() < NAMED && takes(&path) {
                places.insert(format!("`{path}` in {commit} on `{reference}`, by {author}"));
            }
        }
    }
    Ok(())
}

/// A text of somebody else's on one line, of bounded length.
fn plain(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let mut shown: String = shown.filter(|c| !is_unsafe_to_show(*c)).take(200).collect();
    if text.chars().count() > 200 {
        shown.push('…');
    }
    shown
}
