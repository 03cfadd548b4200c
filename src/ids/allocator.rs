//! Brings logs and sources together: what each command of `headwater id` does, without its printing.

use super::IdsError;
use super::contract::{Anchor, AnchorLog as _, Decision, Kind, Outcome};
use super::fold::{Book, Claim, State};
use super::gitlog::GitLog;
use super::reserve::{self, Asking, Wish};
use super::sources::{self, Tops};
use super::sqlite::{SqliteLog, Start};
use crate::config::pattern::Scope;
use crate::config::{LogKind, Namespace, Namespaces};
use crate::git::{Git, Layout};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

/// How long the local log is waited for, unless something else is said.
const LOCAL_PATIENCE: Duration = Duration::from_secs(5);

/// How long a race on a remote is run, unless something else is said.
const REMOTE_PATIENCE: Duration = Duration::from_secs(30);

/// How long the fetch of other people's branches may take.
const FETCH: Duration = Duration::from_secs(10);

/// Where ids are reserved.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder of the local log.
    pub folder: PathBuf,
    /// The top of the work tree, or the folder of the configuration outside git.
    pub top: PathBuf,
    /// The work tree; none outside git.
    pub layout: Option<Layout>,
}

/// Reserves ids, and says what became of them.
pub struct Allocator<'a> {
    /// Where.
    pub place: Place,
    /// What is configured.
    pub namespaces: &'a Namespaces,
    /// How long to wait, if that is said.
    pub patience: Option<Duration>,
    /// Whether other people's branches are fetched.
    pub fetch: bool,
    /// Told what must not be missed.
    pub say: &'a dyn Fn(&str),
}

impl std::fmt::Debug for Allocator<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Allocator").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// What was reserved.
    pub anchor: Anchor,
    /// The ids that stand for it now: other ones where it was amended.
    pub ids: Vec<String>,
    /// Whether it was reserved before, under the same durable key.
    pub repeated: bool,
    /// Whether it has reached no shared log yet.
    pub provisional: bool,
}

/// An id and what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its claim.
    pub claim: Claim,
    /// The anchor that owns it.
    pub anchor: Anchor,
}

/// What became of claims that had reached no shared log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// These ids are in the shared log now.
    pub confirmed: Vec<String>,
    /// These were somebody else's: the old id and the new one.
    pub amended: Vec<(String, String)>,
}

impl Allocator<'_> {
    /// The namespace of this name.
    ///
    /// # Errors
    /// [`IdsError::UnknownNamespace`].
    pub fn namespace(&self, name: &str) -> Result<&Namespace, IdsError> {
        self.namespaces.get(name).ok_or_else(|| IdsError::UnknownNamespace {
            name: name.to_owned(),
            known: self.namespaces.keys().cloned().collect(),
        })
    }

    /// The namespace that an id belongs to by its form.
    ///
    /// # Errors
    /// [`IdsError::UnknownNamespace`].
    pub fn namespace_of(&self, id: &str) -> Result<&Namespace, IdsError> {
        let found = self.namespaces.values().find(|namespace| namespace.format.read(id).is_some());
        found.map_or_else(|| self.namespace(id.split('-').next().unwrap_or(id)), Ok)
    }

    fn local_patience(&self) -> Duration {
        self.patience.unwrap_or(LOCAL_PATIENCE)
    }

    fn git(&self) -> Option<Git> {
        self.place.layout.as_ref().map(Git::at)
    }

    /// Opens the local log.
    ///
    /// # Errors
    /// As [`SqliteLog::open`].
    pub fn local(&self, start: Start) -> Result<SqliteLog, IdsError> {
        SqliteLog::open(&self.place.folder, self.local_patience(), start)
    }

    fn shared<'b>(&'b self, git: &'b Git, namespace: &'b Namespace) -> GitLog<'b> {
        GitLog::new(git, namespace, self.patience.unwrap_or(REMOTE_PATIENCE), self.say)
    }

    /// git and the namespace's log on the remote, where that is what counts.
    fn git_for(&self, namespace: &Namespace) -> Result<Option<Git>, IdsError> {
        if namespace.log == LogKind::Local {
            return Ok(None);
        }
        let unreachable = || IdsError::Unreachable {
            remote: namespace.remote.clone(),
            why: format!("`log: git` of {} needs a git work tree, and this is none", namespace.name),
        };
        self.git().map(Some).ok_or_else(unreachable)
    }

    /// Opens the local log for a namespace whose shared log, if the remote has one, is copy enough to
    /// start it.
    fn local_for(&self, namespace: &Namespace) -> Result<SqliteLog, IdsError> {
        match self.local(Start::Refused) {
            Err(IdsError::NoLog(path)) => match self.git_for(namespace)? {
                Some(git) if matches!(self.shared(&git, namespace).fetch(), Ok(true)) => self.local(Start::Allowed),
                _ => Err(IdsError::NoLog(path)),
            },
            opened => opened,
        }
    }

    /// Reserves what is wished for.
    ///
    /// # Errors
    /// Nothing is owned then.
    pub fn reserve(&self, namespace: &Namespace, asking: &Asking, wish: &Wish) -> Result<Reserved, IdsError> {
        let mut local = self.local_for(namespace)?;
        let tops = self.tops(namespace, &mut local, asking)?;
        let scope = asking.scope(namespace);
        let Some(git) = self.git_for(namespace)? else {
            self.fetch_heads(namespace);
            let floor = self.with_history(namespace, tops, &scope)?;
            let outcome = local.append(&namespace.name, &mut |standing| {
                reserve::reserve(standing, namespace, asking, wish, floor)
            })?;
            return reserved(outcome, || local.read(&namespace.name), false);
        };
        let own = Book::fold(local.read(&namespace.name)?);
        if let Some(already) = reserve::repeated(&own, &namespace.name, wish)? {
            return reserved(Outcome::Already(Box::new(already)), || Ok(own.anchors().to_vec()), false);
        }
        let mut shared = self.shared(&git, namespace);
        if namespace.files.is_some() && self.fetch {
            shared.also = vec![sources::HEADS.to_owned()];
        }
        let outcome = shared.append(&namespace.name, &mut |standing| {
            let floor = self.with_history(namespace, tops.clone(), &scope)?.max(own.top(&scope));
            reserve::reserve(standing, namespace, asking, wish, floor)
        });
        let (kept, why) = match outcome {
            Ok(Outcome::Already(anchor)) => {
                return reserved(Outcome::Already(anchor), || shared.seen(), false);
            }
            Ok(Outcome::Appended(anchors)) => {
                copy(&mut local, namespace, anchors.clone())?;
                return reserved(Outcome::Appended(anchors), || Ok(Vec::new()), false);
            }
            Err(IdsError::Unreachable { why, .. }) => (None, why),
            Err(IdsError::Unsure { anchors, why, .. }) => (Some(anchors), why),
            Err(error) => return Err(error),
        };
        let seen = Book::fold(shared.seen()?);
        let floor = self.with_history(namespace, tops, &scope)?.max(seen.top(&scope));
        let outcome = local.append(&namespace.name, &mut |standing| {
            let decision = match &kept {
                Some(anchors) => Decision::Append(anchors.clone()),
                None => reserve::reserve(standing, namespace, asking, wish, floor)?,
            };
            Ok(match decision {
                Decision::Append(mut anchors) => {
                    anchors.iter_mut().for_each(|anchor| anchor.provisional = true);
                    Decision::Append(anchors)
                }
                already @ Decision::Already(_) => already,
            })
        })?;
        (self.say)(&format!(
            "`{}` cannot be reached ({why}): this id is provisional (CONFIRM-PENDING); `headwater id sync` confirms or amends it",
            namespace.remote
        ));
        reserved(outcome, || local.read(&namespace.name), true)
    }

    /// The id that would be reserved next; it may be gone a moment later.
    ///
    /// # Errors
    /// As [`Allocator::reserve`].
    pub fn next(&self, namespace: &Namespace, asking: &Asking) -> Result<String, IdsError> {
        let mut local = self.local_for(namespace)?;
        let tops = self.tops(namespace, &mut local, asking)?;
        let scope = asking.scope(namespace);
        let mut top = Book::fold(local.read(&namespace.name)?).top(&scope);
        if let Some(git) = self.git_for(namespace)? {
            let mut shared = self.shared(&git, namespace);
            let anchors = match if self.fetch { shared.read(&namespace.name) } else { shared.seen() } {
                Err(IdsError::Unreachable { remote, why }) => {
                    (self.say)(&format!("`{remote}` cannot be reached ({why}); what was seen there last counts"));
                    shared.seen()?
                }
                anchors => anchors?,
            };
            top = top.max(Book::fold(anchors).top(&scope));
        }
        self.fetch_heads(namespace);
        let top = top.max(self.with_history(namespace, tops, &scope)?);
        Ok(namespace.format.render(&scope, top + 1, ""))
    }

    /// The numbers in sources and names of files, but those that only git's history knows.
    fn tops(&self, namespace: &Namespace, local: &mut SqliteLog, asking: &Asking) -> Result<Tops, IdsError> {
        let mut tops = Tops::new();
        let mut add = |found: BTreeSet<(Scope, u64)>| {
            raise_to(&mut tops, found);
        };
        add(sources::in_sources(namespace, &self.place.top, false)?);
        let siblings = self.siblings(namespace);
        for sibling in &siblings {
            add(sources::in_sources(namespace, sibling, true)?);
        }
        for top in std::iter::once(&self.place.top).chain(&siblings) {
            for (_, says) in sources::in_names(namespace, top)? {
                sources::raise(&mut tops, &says);
            }
        }
        let Some(layout) = &self.place.layout else { return Ok(tops) };
        sources::raise_all(&mut tops, &sources::in_claims(namespace, &layout.common_dir)?);
        if !namespace.sources.is_empty() {
            self.look_at_references(namespace, layout, local, asking)?;
        }
        Ok(tops)
    }

    fn siblings(&self, namespace: &Namespace) -> Vec<PathBuf> {
        let looked_at = !namespace.sources.is_empty() || namespace.files.is_some();
        self.place.layout.as_ref().filter(|_| looked_at).map(Layout::siblings).unwrap_or_default()
    }

    /// Puts the numbers that sources mention at the tips of references into the local log, if a reference
    /// moved since that was done last.
    fn look_at_references(
        &self,
        namespace: &Namespace,
        layout: &Layout,
        local: &mut SqliteLog,
        asking: &Asking,
    ) -> Result<(), IdsError> {
        let mark = format!("{} {}", layout.references_mark(), namespace.sources.join(" "));
        let name = format!("references {}", namespace.name);
        if local.fact(&name)?.as_deref() == Some(mark.as_str()) {
            return Ok(());
        }
        let mut tops = Tops::new();
        raise_to(&mut tops, sources::in_references(namespace, &Git::at(layout))?);
        let asking = Asking { nonce: format!("{}-references", asking.nonce), ..asking.clone() };
        local.append(&namespace.name, &mut |standing| reserve::raise(standing, namespace, &asking, &tops))?;
        local.remember(&name, &mark)
    }

    /// The highest number of a scope, with the names of files in git's history.
    fn with_history(&self, namespace: &Namespace, mut tops: Tops, scope: &Scope) -> Result<u64, IdsError> {
        if let Some(git) = self.git().filter(|_| namespace.files.is_some()) {
            sources::raise_all(&mut tops, &sources::in_history(namespace, &git)?);
        }
        Ok(tops.get(scope).copied().unwrap_or_default())
    }

    /// Fetches other people's branches for the names of their files; what cannot be fetched is said.
    pub fn fetch_heads(&self, namespace: &Namespace) {
        if !self.fetch || namespace.files.is_none() {
            return;
        }
        let Some(git) = self.git() else { return };
        if !git.has_remote(&namespace.remote).unwrap_or(false) {
            return;
        }
        let shared = self.shared(&git, namespace);
        if let Err(error) = shared.fetch_only(&[sources::HEADS.to_owned()], FETCH) {
            let remote = &namespace.remote;
            (self.say)(&format!("could not reach {remote}: its newer branches were not looked at ({error})"));
        }
    }

    /// Starts the local log, and raises every namespace above what is known of it anywhere. Gives the
    /// number of ids that sources and names mention, and where each namespace stands.
    ///
    /// # Errors
    /// A source is missing or empty, or a log cannot be written.
    pub fn init(&self, asking: &Asking) -> Result<(usize, BTreeMap<String, u64>), IdsError> {
        let mut plans = Vec::new();
        let mut mentioned = 0;
        for namespace in self.namespaces.values() {
            // Everything is read before anything is written: a log is not started on half of the sources.
            let mut found = sources::in_sources(namespace, &self.place.top, false)?;
            for (_, says) in sources::in_names(namespace, &self.place.top)? {
                found.insert((says.scope, says.number));
            }
            mentioned += found.len();
            let mut tops = Tops::new();
            raise_to(&mut tops, found);
            plans.push((namespace, tops));
        }
        let mut local = self.local(Start::Allowed)?;
        let mut stands = BTreeMap::new();
        for (place, (namespace, mut tops)) in (0..).zip(plans) {
            let asking = Asking { nonce: format!("{}-{place}", asking.nonce), ..asking.clone() };
            sources::raise_all(&mut tops, &self.tops(namespace, &mut local, &asking)?);
            self.fetch_heads(namespace);
            if let Some(git) = self.git().filter(|_| namespace.files.is_some()) {
                sources::raise_all(&mut tops, &sources::in_history(namespace, &git)?);
            }
            if let Some(git) = self.git_for(namespace)? {
                let mut shared = self.shared(&git, namespace);
                // An empty log on the remote says that it may be started from: other clones need no `init`.
                let own = Book::fold(local.read(&namespace.name)?);
                sources::raise_all(&mut tops, own.tops());
                let mut floors = tops.clone();
                floors.entry(asking.scope(namespace)).or_default();
                let outcome = shared.append(&namespace.name, &mut |standing| {
                    let decision = reserve::raise(standing, namespace, &asking, &tops)?;
                    let is_new = standing.anchors()?.is_empty();
                    Ok(match decision {
                        Decision::Append(anchors) if anchors.is_empty() && is_new => {
                            Decision::Append(floor_of(namespace, &asking, &floors))
                        }
                        decision => decision,
                    })
                });
                match outcome {
                    Ok(_) => sources::raise_all(&mut tops, Book::fold(shared.seen()?).tops()),
                    Err(IdsError::Unreachable { remote, why } | IdsError::Unsure { remote, why, .. }) => (self.say)(&format!(
                        "`{remote}` cannot be reached ({why}): {} starts from what is known here",
                        namespace.name
                    )),
                    Err(error) => return Err(error),
                }
            }
            let asking = Asking { nonce: format!("{}-local", asking.nonce), ..asking };
            local.append(&namespace.name, &mut |standing| reserve::raise(standing, namespace, &asking, &tops))?;
            let book = Book::fold(local.read(&namespace.name)?);
            stands.insert(namespace.name.clone(), book.top(&asking.scope(namespace)));
        }
        Ok((mentioned, stands))
    }

    /// Says that all numbers up to `top` are spent.
    ///
    /// # Errors
    /// A log cannot be written.
    pub fn raise(&self, namespace: &Namespace, asking: &Asking, top: u64) -> Result<(), IdsError> {
        let tops = Tops::from([(asking.scope(namespace), top)]);
        let mut local = self.local(Start::Allowed)?;
        local.append(&namespace.name, &mut |standing| reserve::raise(standing, namespace, asking, &tops))?;
        if let Some(git) = self.git_for(namespace)? {
            let mut shared = self.shared(&git, namespace);
            shared.append(&namespace.name, &mut |standing| reserve::raise(standing, namespace, asking, &tops))?;
        }
        Ok(())
    }

    /// All ids of a namespace, as far as this clone has seen them.
    ///
    /// # Errors
    /// A log cannot be read.
    pub fn rows(&self, namespace: &Namespace) -> Result<Vec<Row>, IdsError> {
        let (own, seen) = self.books(namespace)?;
        let rows = |book: &Book| -> Vec<Row> {
            let row = |claim: &Claim| Some(Row { claim: claim.clone(), anchor: book.anchor_of(claim)?.clone() });
            book.claims().filter_map(row).collect()
        };
        let mut all = rows(&seen);
        // What the shared log does not hold is shown from the local one: claims that wait, or that lost.
        all.extend(rows(&own).into_iter().filter(|row| !seen.holds(&row.anchor.nonce)));
        all.sort_by(|a, b| (&a.claim.scope, a.claim.number, &a.anchor.at).cmp(&(&b.claim.scope, b.claim.number, &b.anchor.at)));
        Ok(all)
    }

    /// The local log and what was seen of the shared one, folded.
    ///
    /// # Errors
    /// A log cannot be read.
    pub fn books(&self, namespace: &Namespace) -> Result<(Book, Book), IdsError> {
        let own = Book::fold(self.local_for(namespace)?.read(&namespace.name)?);
        let seen = match self.git_for(namespace)? {
            Some(git) => Book::fold(self.shared(&git, namespace).seen()?),
            None => Book::default(),
        };
        Ok((own, seen))
    }

    /// Gives ids up; they stay spent. Gives what owned them, for the files that were made with them.
    ///
    /// # Errors
    /// An id is unknown or replaced, or a log cannot be written.
    pub fn release(&self, namespace: &Namespace, asking: &Asking, ids: &[String]) -> Result<Vec<Anchor>, IdsError> {
        let mut local = self.local_for(namespace)?;
        let (own, seen) = self.books(namespace)?;
        let (shared_ids, own_ids): (Vec<String>, Vec<String>) = ids.iter().cloned().partition(|id| {
            let waits = own.claim(id).is_some_and(|claim| claim.state == State::Pending);
            namespace.log == LogKind::Git && !waits && seen.claim(id).is_some()
        });
        let owner = |id: &String| {
            let find = |book: &Book| book.claim(id).and_then(|claim| book.anchor_of(claim)).cloned();
            find(&own).or_else(|| find(&seen))
        };
        let owners: Vec<Anchor> = ids.iter().filter_map(owner).collect();
        if let Some(git) = self.git_for(namespace)?.filter(|_| !shared_ids.is_empty()) {
            let mut shared = self.shared(&git, namespace);
            let outcome = shared.append(&namespace.name, &mut |standing| {
                reserve::release(standing, namespace, asking, &shared_ids)
            })?;
            if let Outcome::Appended(anchors) = outcome {
                copy(&mut local, namespace, anchors)?;
            }
        }
        if !own_ids.is_empty() {
            let asking = Asking { nonce: format!("{}-own", asking.nonce), ..asking.clone() };
            local.append(&namespace.name, &mut |standing| reserve::release(standing, namespace, &asking, &own_ids))?;
        }
        Ok(owners)
    }

    /// Gives an id a new number; the old id becomes an alias.
    ///
    /// # Errors
    /// As [`Allocator::reserve`].
    pub fn renumber(&self, namespace: &Namespace, asking: &Asking, id: &str, wish: &Wish) -> Result<Anchor, IdsError> {
        let mut local = self.local_for(namespace)?;
        let tops = self.tops(namespace, &mut local, asking)?;
        self.fetch_heads(namespace);
        let scope = asking.scope(namespace);
        let floor = self.with_history(namespace, tops, &scope)?;
        let outcome = match self.git_for(namespace)? {
            None => local.append(&namespace.name, &mut |standing| reserve::amend(standing, namespace, asking, id, wish, floor))?,
            Some(git) => {
                let floor = floor.max(Book::fold(local.read(&namespace.name)?).top(&scope));
                let mut shared = self.shared(&git, namespace);
                let outcome = shared.append(&namespace.name, &mut |standing| {
                    reserve::amend(standing, namespace, asking, id, wish, floor)
                })?;
                if let Outcome::Appended(anchors) = &outcome {
                    copy(&mut local, namespace, anchors.clone())?;
                }
                outcome
            }
        };
        let first = match outcome {
            Outcome::Appended(anchors) => anchors.into_iter().next(),
            Outcome::Already(anchor) => Some(*anchor),
        };
        first.ok_or_else(|| IdsError::UnknownId { id: id.to_owned() })
    }

    /// Brings claims that reached no shared log into it: confirms them, or amends them.
    ///
    /// # Errors
    /// The remote cannot be reached, or a log cannot be written; the claims stay pending.
    pub fn sync(&self, namespace: &Namespace, asking: &Asking, only: Option<&[String]>) -> Result<Settled, IdsError> {
        let Some(git) = self.git_for(namespace)? else { return Ok(Settled::default()) };
        let mut local = self.local_for(namespace)?;
        let own = Book::fold(local.read(&namespace.name)?);
        let mut claims: Vec<Anchor> = Vec::new();
        for claim in own.pending() {
            let wanted = only.is_none_or(|ids| ids.contains(&claim.id));
            if let Some(anchor) = own.anchor_of(claim).filter(|_| wanted)
                && !claims.iter().any(|other| other.nonce == anchor.nonce)
            {
                claims.push(anchor.clone());
            }
        }
        let mut shared = self.shared(&git, namespace);
        if claims.is_empty() {
            shared.fetch()?;
            return Ok(Settled::default());
        }
        // What was given up or amended since it was claimed is no claim any more.
        for anchor in &mut claims {
            let open = |id: &String| own.claim(id).is_some_and(|claim| claim.state == State::Pending);
            let kept: Vec<(u64, String)> =
                anchor.numbers.iter().copied().zip(anchor.ids.iter().cloned()).filter(|(_, id)| open(id)).collect();
            (anchor.numbers, anchor.ids) = kept.into_iter().unzip();
        }
        let floors = own.tops().clone();
        shared.append(&namespace.name, &mut |standing| reserve::settle(standing, namespace, asking, &claims, &floors))?;
        let book = Book::fold(shared.seen()?);
        let mut settled = Settled::default();
        let mut anchors = Vec::new();
        for claim in &claims {
            let owned = |id: &&String| {
                book.claim(id).and_then(|found| book.anchor_of(found)).is_some_and(|owner| owner.nonce == claim.nonce)
            };
            let ids: Vec<String> = claim.ids.iter().filter(owned).cloned().collect();
            if !ids.is_empty() {
                let of = Some(claim.nonce.clone());
                let nonce = format!("{}-confirm", claim.nonce);
                let numbers = claim.numbers.iter().zip(&claim.ids).filter(|(_, id)| ids.contains(id)).map(|(n, _)| *n).collect();
                settled.confirmed.extend(ids.iter().cloned());
                let confirm = Anchor { numbers, ids, of, nonce, scope: claim.scope.clone(), ..asking.anchor(&namespace.name, Kind::Confirm) };
                anchors.push(confirm);
            }
            let amend_nonce = format!("{}-amend", claim.nonce);
            if let Some(amendment) = book.anchors().iter().find(|anchor| anchor.nonce == amend_nonce) {
                settled.amended.extend(amendment.replaces.iter().cloned().zip(amendment.ids.iter().cloned()));
                // The key stays with the claim, which is asked first.
                anchors.push(Anchor { event: None, ..amendment.clone() });
            }
        }
        copy(&mut local, namespace, anchors)?;
        Ok(settled)
    }
}

/// Copies anchors of the shared log into the local one.
fn copy(local: &mut SqliteLog, namespace: &Namespace, anchors: Vec<Anchor>) -> Result<(), IdsError> {
    local.append(&namespace.name, &mut |standing| {
        let book = Book::fold(standing.anchors()?);
        Ok(Decision::Append(anchors.iter().filter(|anchor| !book.holds(&anchor.nonce)).cloned().collect()))
    })?;
    Ok(())
}

fn raise_to(tops: &mut Tops, found: BTreeSet<(Scope, u64)>) {
    for (scope, number) in found {
        let top = tops.entry(scope).or_default();
        *top = (*top).max(number);
    }
}

/// Anchors that say where a namespace starts, for a log that has none.
fn floor_of(namespace: &Namespace, asking: &Asking, floors: &Tops) -> Vec<Anchor> {
    let one = |(place, (scope, number)): (usize, (&Scope, &u64))| Anchor {
        scope: scope.clone(),
        numbers: vec![*number],
        nonce: format!("{}-start-{place}", asking.nonce),
        ..asking.anchor(&namespace.name, Kind::Floor)
    };
    floors.iter().enumerate().map(one).collect()
}

/// What a log's answer means for who asked; `log` gives its anchors where an older reservation is meant.
fn reserved(
    outcome: Outcome,
    log: impl FnOnce() -> Result<Vec<Anchor>, IdsError>,
    provisional: bool,
) -> Result<Reserved, IdsError> {
    match outcome {
        Outcome::Appended(anchors) => {
            let Some(anchor) = anchors.into_iter().next() else { return Err(IdsError::NoRandom) };
            Ok(Reserved { ids: anchor.ids.clone(), anchor, repeated: false, provisional })
        }
        Outcome::Already(anchor) => {
            let book = Book::fold(log()?);
            let mut provisional = false;
            let mut ids = Vec::new();
            for id in &anchor.ids {
                let now = book.resolve(id);
                provisional |= now.is_some_and(|claim| claim.state == State::Pending);
                if now.is_some_and(|claim| claim.state == State::Released) {
                    return Err(IdsError::EventUsed {
                        namespace: anchor.namespace.clone(),
                        key: anchor.event.clone().unwrap_or_default(),
                        ids: anchor.ids.clone(),
                        differs: "which were given up since",
                    });
                }
                ids.push(now.map_or_else(|| id.clone(), |claim| claim.id.clone()));
            }
            Ok(Reserved { anchor: *anchor, ids, repeated: true, provisional })
        }
    }
}
