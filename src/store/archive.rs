//! Archiving and packing on disk: every step leaves the view as it was (FORMAT §8).

use super::create::{ensure_readme, sweep};
use super::listing::{Listing, is_real_dir};
use super::lock::{LockRequest, with_lock};
use super::platform::{rename_without_replacing, sync_dir};
use super::read::{Reading, read_text};
use super::synthesize::{NothingHidden, read_ledger};
use super::{LedgerDir, StoreError};
use crate::event::EventId;
use crate::event::normal::normalise;
use crate::event::schema::Schema;
use crate::ledger::archive::{Candidate, plan_moves, plan_packs};
use crate::ledger::pack::{self, PackEntry};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

/// What to archive and pack.
#[derive(Debug)]
pub struct ArchiveRequest<'a> {
    /// The sections' declarations.
    pub schema: &'a Schema,
    /// Live events before this instant are archived (nanoseconds since 1970).
    pub move_before: Option<i128>,
    /// Archived events before this instant are packed.
    pub pack_before: Option<i128>,
    /// The archived files that may be packed, as `<day>/<name>`; all of them if not said.
    pub packable: Option<&'a BTreeSet<String>>,
    /// Only say what would be done.
    pub dry_run: bool,
    /// How to wait for the lock.
    pub lock: LockRequest<'a>,
}

/// What was done, or would be, as paths relative to the ledger.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Files that moved: from, to.
    pub moved: Vec<(String, String)>,
    /// Packs that were written, and how many events each took.
    pub packed: Vec<(String, usize)>,
}

/// Archives and packs, behind the lock.
///
/// # Errors
/// The lock is held, or the disk refuses; what was done until then stays, and the view with it.
pub fn archive(ledger: &LedgerDir, request: &ArchiveRequest<'_>) -> Result<Archived, StoreError> {
    if request.dry_run {
        let (listing, readings) = read_ledger(ledger, request.schema, &NothingHidden)?;
        return Ok(Plan::new(&listing, &readings, request).describe());
    }
    if !ledger.events().exists() {
        return Err(StoreError::NoLedger(ledger.events()));
    }
    with_lock(ledger, &request.lock, |lock_file| {
        ensure_readme(ledger)?;
        let mut done = Archived::default();
        let (listing, readings) = read_ledger(ledger, request.schema, &NothingHidden)?;
        let plan = Plan::new(&listing, &readings, request);
        let days: BTreeSet<&str> =
            listing.files.iter().chain(&listing.packs).filter_map(|found| found.day.as_deref()).collect();
        for day in days {
            sweep(&ledger.archive().join(day), lock_file);
        }
        move_files(ledger, &plan, &mut done)?;
        if request.pack_before.is_some() {
            // The files that were moved just now may be old enough for a pack.
            let (listing, readings) = read_ledger(ledger, request.schema, &NothingHidden)?;
            let plan =
                Plan::new(&listing, &readings, &ArchiveRequest { move_before: None, lock: request.lock, ..*request });
            for (day, candidates) in &plan.packs {
                done.packed.extend(write_pack(ledger, day, candidates)?);
            }
        }
        Ok(done)
    })
}

/// The pure plans of one listing.
struct Plan {
    moves: Vec<crate::ledger::archive::Move>,
    packs: BTreeMap<String, Vec<Candidate>>,
}

impl Plan {
    fn new(listing: &Listing, readings: &[Reading], request: &ArchiveRequest<'_>) -> Self {
        let mut live = Vec::new();
        let mut archived: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
        // Files come first in the readings, in the order of the listing.
        for (found, reading) in listing.files.iter().zip(readings) {
            if let (Some(name), Ok(event)) = (found.name.to_str(), &reading.result) {
                let stamp = &event.origin.stamp;
                let candidate = Candidate { name: name.to_owned(), ts: stamp.ts, id: stamp.id };
                match &found.day {
                    None => live.push(candidate),
                    Some(day) => archived.entry(day.clone()).or_default().push(candidate),
                }
            }
        }
        let moves = request.move_before.map_or_else(Vec::new, |cutoff| plan_moves(&live, cutoff));
        if let Some(cutoff) = request.pack_before.filter(|_| request.dry_run) {
            // A dry run shows the packs as they would be after the moves.
            for step in &moves {
                let also =
                    live.iter().filter(|candidate| candidate.name == step.name && candidate.ts.unix_nanos() < cutoff);
                archived.entry(step.day.clone()).or_default().extend(also.cloned());
            }
        }
        if let Some(packable) = request.packable {
            for (day, candidates) in &mut archived {
                candidates.retain(|candidate| packable.contains(&format!("{day}/{}", candidate.name)));
            }
        }
        let packs = request.pack_before.map_or_else(BTreeMap::new, |cutoff| plan_packs(&archived, cutoff));
        Self { moves, packs }
    }

    fn describe(&self) -> Archived {
        let moved = self
            .moves
            .iter()
            .map(|step| (format!("events/{}", step.name), format!("archive/{}/{}", step.day, step.name)));
        let packed = self.packs.iter().map(|(day, old)| (format!("archive/{day}/pack-….yaml"), distinct(old)));
        Archived { moved: moved.collect(), packed: packed.collect() }
    }
}

fn distinct(candidates: &[Candidate]) -> usize {
    candidates.iter().map(|candidate| candidate.id).collect::<BTreeSet<EventId>>().len()
}

fn move_files(ledger: &LedgerDir, plan: &Plan, done: &mut Archived) -> Result<(), StoreError> {
    if plan.moves.is_empty() {
        return Ok(());
    }
    let archive = ledger.archive();
    let days: BTreeSet<&str> = plan.moves.iter().map(|step| step.day.as_str()).collect();
    for day in &days {
        let folder = archive.join(day);
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        // Not through a link, which would lead the events out of the ledger.
        is_real_dir(&folder)?;
    }
    sync_dir(&archive).and_then(|()| sync_dir(ledger.path())).map_err(StoreError::io("make durable", &archive))?;
    for step in &plan.moves {
        let from = ledger.events().join(&step.name);
        if let Some(to) = move_one(&from, &archive.join(&step.day), &step.name)? {
            done.moved.push((format!("events/{}", step.name), format!("archive/{}/{to}", step.day)));
        }
    }
    // The new names first: after a power cut a file may stand in both folders, never in none.
    for day in days {
        let folder = archive.join(day);
        sync_dir(&folder).map_err(StoreError::io("make durable", &folder))?;
    }
    sync_dir(&ledger.events()).map_err(StoreError::io("make durable", &ledger.events()))
}

/// Moves a file into `folder` under its name, or, where another file has it, under the next free one.
/// `None` where the file has gone meanwhile.
fn move_one(from: &Path, folder: &Path, name: &str) -> Result<Option<String>, StoreError> {
    let stem = name.strip_suffix(".md").unwrap_or(name);
    for number in 1u32.. {
        let target = if number == 1 { name.to_owned() } else { format!("{stem}_{number}.md") };
        let to = folder.join(&target);
        match rename_portably(from, &to) {
            Ok(()) => return Ok(Some(target)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let same =
                    read_text(&to).ok().flatten().is_some_and(|there| read_text(from).ok().flatten() == Some(there));
                if same {
                    // It is archived already: a merge brought the live copy back.
                    sync_dir(folder).map_err(StoreError::io("make durable", folder))?;
                    fs::remove_file(from).map_err(StoreError::io("remove", from))?;
                    return Ok(Some(target));
                }
            }
            Err(error) => return Err(StoreError::io("archive", from)(error)),
        }
    }
    Ok(None)
}

/// A rename that does not replace; where the system has none, a link and a removal.
fn rename_portably(from: &Path, to: &Path) -> io::Result<()> {
    match rename_without_replacing(from, to) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        other => return other,
    }
    match fs::hard_link(from, to) {
        Ok(()) => return fs::remove_file(from),
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => {
            return Err(error);
        }
        Err(_no_links) => {}
    }
    // No rename without replacing and no links: look first. Whoever moves events holds the lock.
    if to.symlink_metadata().is_ok() { Err(io::ErrorKind::AlreadyExists.into()) } else { fs::rename(from, to) }
}

/// Writes the pack of one day's old events, durably, and then removes their files.
fn write_pack(ledger: &LedgerDir, day: &str, candidates: &[Candidate]) -> Result<Option<(String, usize)>, StoreError> {
    let folder = ledger.archive().join(day);
    let mut entries: Vec<PackEntry> = Vec::new();
    let mut taken: Vec<&Candidate> = Vec::new();
    for candidate in candidates {
        let Some(text) = unedited(&folder, candidate)? else { continue };
        if taken.last().map(|last| last.id) != Some(candidate.id) {
            entries.push(PackEntry { name: candidate.name.clone(), text });
        }
        taken.push(candidate);
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let text = pack::encode(&entries);
    let name = pack::file_name(&text);
    super::replace::replace_whole(&folder.join(&name), text.as_bytes())?;
    for candidate in taken {
        remove_packed(&folder, candidate)?;
    }
    sync_dir(&folder).map_err(StoreError::io("make durable", &folder))?;
    Ok(Some((format!("archive/{day}/{name}"), entries.len())))
}

/// The text of a file that is still what was listed; `None` where it was edited or has gone since.
fn unedited(folder: &Path, candidate: &Candidate) -> Result<Option<String>, StoreError> {
    let Some(bytes) = read_text(&folder.join(&candidate.name))? else { return Ok(None) };
    let text = normalise(&bytes).ok().map(|normalised| normalised.text.into_owned());
    Ok(text.filter(|text| EventId::of(text) == candidate.id))
}

/// Removes a file whose text a pack has; one that was edited in the meantime stays for the next run.
fn remove_packed(folder: &Path, candidate: &Candidate) -> Result<(), StoreError> {
    if unedited(folder, candidate)?.is_none() {
        return Ok(());
    }
    let path = folder.join(&candidate.name);
    fs::remove_file(&path).map_err(StoreError::io("remove", &path))
}

#[cfg(test)]
mod tests {
    use super::{LedgerDir, remove_packed, write_pack};
    use crate::event::{EventId, Timestamp};
    use crate::ledger::archive::Candidate;
    use crate::ledger::pack;
    use std::fs;

    const DAY: &str = "2026-01-10";

    fn text(now: &str) -> String {
        format!("---\nts: 2026-01-10T13:00:00Z\nagent: a\n---\nnow: {now}\n")
    }

    /// Archived files, and what was listed of them.
    fn archived(files: &[(&str, &str)]) -> (tempfile::TempDir, LedgerDir, Vec<Candidate>) {
        let scratch = tempfile::tempdir().unwrap();
        let ledger = LedgerDir::new(crate::trust::path::LedgerPlace::named_by_user(scratch.path().to_owned()));
        let folder = ledger.archive().join(DAY);
        fs::create_dir_all(&folder).unwrap();
        let mut listed: Vec<Candidate> = Vec::new();
        for (name, now) in files {
            fs::write(folder.join(name), text(now)).unwrap();
            let ts = Timestamp::parse("2026-01-10T13:00:00Z").unwrap();
            listed.push(Candidate { name: (*name).to_owned(), ts, id: EventId::of(&text(now)) });
        }
        listed.sort_by(|a, b| (a.id, &a.name).cmp(&(b.id, &b.name)));
        (scratch, ledger, listed)
    }

    #[test]
    fn entry_that_was_edited_since_it_was_listed_is_not_packed() {
        let (_scratch, ledger, listed) = archived(&[("a.md", "a"), ("b.md", "b"), ("copy.md", "b"), ("gone.md", "c")]);
        let folder = ledger.archive().join(DAY);
        fs::write(folder.join("a.md"), text("edited")).unwrap();
        fs::remove_file(folder.join("gone.md")).unwrap();
        let (name, count) = write_pack(&ledger, DAY, &listed).unwrap().unwrap();
        let bytes = fs::read(ledger.path().join(&name)).unwrap();
        let entries = pack::decode(name.rsplit('/').next().unwrap().as_bytes(), &bytes).unwrap();
        let texts: Vec<_> = entries.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!((count, texts), (1, vec![text("b").as_str()]));
        assert_eq!(fs::read_to_string(folder.join("a.md")).unwrap(), text("edited"));
        assert!(!folder.join("b.md").exists() && !folder.join("copy.md").exists());
        assert_eq!(write_pack(&ledger, DAY, &listed).unwrap(), None);
    }

    #[test]
    fn entry_that_is_edited_while_its_pack_is_written_is_not_removed() {
        let (_scratch, ledger, listed) = archived(&[("a.md", "a"), ("b.md", "b")]);
        let folder = ledger.archive().join(DAY);
        fs::write(folder.join("a.md"), text("edited")).unwrap();
        for candidate in &listed {
            remove_packed(&folder, candidate).unwrap();
        }
        assert!(folder.join("a.md").exists() && !folder.join("b.md").exists());
    }
}
