//! All posts that can be seen from here: those of this work tree, of its siblings, of every branch that this
//! clone knows, and of the copies that it keeps of events whose work tree may be gone.

use crate::cli::context::{Context, Ledger, ledger_entries};
use crate::cli::error::CliError;
use crate::cli::progress::with_progress;
use crate::event::EventId;
use crate::event::normal::{Normalised, normalise_text};
use crate::event::text::counted;
use crate::feed::Feed;
use crate::feed::codec::{BadPost, decode};
use crate::git::{Git, Oid};
use crate::ids::sources::HEADS;
use crate::ledger::escape::escape_file_name;
use crate::session::outsiders::Outsiders;
use crate::session::spare::Spares;
use crate::store::{EventText, LedgerDir, StoreError, read_texts, texts_in};
use crate::trust::path::LedgerPlace;
use crate::trust::remote::OwnRemotes;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// How long the fetch of other people's branches may take.
const FETCH: Duration = Duration::from_secs(10);

/// The posts, and where each was read.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub feed: Feed,
    /// The file of each post: here, in a sibling, in a branch, or among the kept copies.
    pub places: BTreeMap<EventId, String>,
    /// Events that say they are posts and cannot be read as such.
    pub bad: BTreeMap<EventId, (String, BadPost)>,
    /// The events of this work tree among them.
    pub here: BTreeSet<EventId>,
    /// How many posts of outsiders were left out.
    pub outside: usize,
}

impl Gathered {
    /// Where a post was read.
    pub(super) fn place(&self, id: &EventId) -> String {
        self.places.get(id).cloned().unwrap_or_default()
    }

    fn add(&mut self, context: &Context<'_>, outsiders: &Outsiders, folder: &str, texts: Vec<EventText>) {
        for text in texts {
            if outsiders.wrote_in(&text.file, &EventId::of(&text.text)) {
                self.outside += 1;
                continue;
            }
            let name = escape_file_name(&text.name);
            let place = if name.starts_with("archive/") { name } else { format!("events/{name}") };
            self.insert(context, format!("{folder}/{place}"), &text.text, text.first_line);
        }
    }

    /// Adds an event once, wherever else it is found.
    fn insert(&mut self, context: &Context<'_>, place: String, text: &str, first_line: u32) {
        let id = EventId::of(text);
        if self.places.contains_key(&id) || self.bad.contains_key(&id) {
            return;
        }
        match decode(&Normalised { text: text.into(), first_line }, context.schema()) {
            Ok(None) => {}
            Ok(Some(post)) => {
                self.places.insert(id, place);
                self.feed.insert(post);
            }
            Err(bad) => {
                self.bad.insert(id, (place, bad));
            }
        }
    }
}

/// The ledgers of this work tree and of its siblings.
pub(super) fn folders(context: &Context<'_>, ledger: &Ledger) -> Vec<(LedgerDir, String)> {
    let mut folders = vec![(ledger.dir.clone(), ledger.name.clone())];
    if let (Some(layout), Some(path)) = (&context.layout, &ledger.in_git) {
        let there = |top: PathBuf| {
            // A sibling whose ledger lies behind a link of its branch is a sibling without one.
            let dir = LedgerDir::new(LedgerPlace::in_tree(&top, path).ok()?);
            let name = dir.path().display().to_string();
            Some((dir, name))
        };
        folders.extend(layout.work_trees().into_iter().skip(1).filter_map(|other| there(other.work_tree)));
    }
    folders
}

/// Gathers all posts.
pub(super) fn gather(context: &Context<'_>, ledger: &Ledger) -> Result<Gathered, CliError> {
    let mut gathered = Gathered::default();
    let outsiders = context.outsiders(ledger)?;
    for (place, (dir, name)) in folders(context, ledger).into_iter().enumerate() {
        match read_texts(&dir) {
            Ok(texts) => gathered.add(context, &outsiders, &name, texts),
            Err(StoreError::NoLedger(_)) => {}
            Err(error) if place == 0 => return Err(error.into()),
            // Another work tree may be half made or half removed.
            Err(error) => {
                let error = CliError::from(error).chain();
                context.console.warning(&format!("warning: the posts of a sibling were not looked at: {error}"));
            }
        }
        if place == 0 {
            gathered.here = gathered.places.keys().chain(gathered.bad.keys()).copied().collect();
        }
    }
    if let (Some(git), Some(path)) = (context.git(), &ledger.in_git) {
        from_branches(context, &git, path, &outsiders, &mut gathered)?;
    }
    from_copies(context, ledger, &mut gathered)?;
    if gathered.outside > 0 {
        context.console.notice(&format!(
            "{} from outside ignored: neither this clone, the default branch nor an own remote has them",
            counted(gathered.outside, "event")
        ));
    }
    Ok(gathered)
}

/// A claim that was printed stays won, though its work tree was removed before it was committed.
fn from_copies(context: &Context<'_>, ledger: &Ledger, gathered: &mut Gathered) -> Result<(), CliError> {
    let (Some(layout), Some(path)) = (&context.layout, &ledger.in_git) else { return Ok(()) };
    let spares = Spares::of(layout);
    for spare in spares.of_ledger(path)? {
        let place = spares.file(&spare).display().to_string();
        let normalised = normalise_text(&spare.text);
        gathered.insert(context, place, &normalised.text, normalised.first_line);
    }
    Ok(())
}

fn from_branches(
    context: &Context<'_>,
    git: &Git,
    path: &str,
    outsiders: &Outsiders,
    gathered: &mut Gathered,
) -> Result<(), CliError> {
    let mut wanted = Vec::new();
    let mut known: BTreeSet<Oid> = BTreeSet::new();
    for (reference, entries) in git.folder_at_tips(path)? {
        for (found, entry) in ledger_entries("", &entries) {
            if !found.not_a_file && known.insert(entry.oid.clone()) {
                wanted.push((reference.clone(), found, entry.oid));
            }
        }
    }
    let oids: Vec<Oid> = wanted.iter().map(|(_, _, oid)| oid.clone()).collect();
    for ((reference, found, _), bytes) in wanted.iter().zip(git.read_blobs(&oids)?) {
        let texts = texts_in(found, &bytes);
        let name = reference.trim_start_matches("refs/").trim_start_matches("heads/");
        gathered.add(context, outsiders, &format!("{name}:{path}"), texts);
    }
    Ok(())
}

/// Fetches other people's branches into references of our own; whether it could, which is said if not.
pub(super) fn fetch(context: &Context<'_>) -> Result<bool, CliError> {
    let Some(git) = context.git() else { return Ok(true) };
    let Some(remote) = OwnRemotes::of(&git)?.default() else { return Ok(true) };
    let (limit, name) = (context.patience.unwrap_or(FETCH), remote.name());
    let fetched = with_progress(context, &format!("asking {name}"), || remote.fetch(&[HEADS.to_owned()], limit));
    let failed = match fetched {
        Ok(answer) if answer.success() => return Ok(true),
        Ok(answer) => answer.stderr.trim().to_owned(),
        Err(error) => CliError::from(error).chain(),
    };
    context.console.warning(&format!("warning: could not reach {name}: newer posts were not looked at ({failed})"));
    Ok(false)
}
