//! Brings logs and sources together: what each command of `headwater id` does, without its printing.

use super::IdsError;
use super::contract::{Anchor, AnchorLog as _, Decision, Outcome, Standing};
use super::fold::{Book, Claim, State};
use super::github::{GithubLog, Issues};
use super::gitlog::GitLog;
use super::reserve::{self, Asking, Known, Wish};
use super::rows::{self, Row, informed};
use super::settle;
use super::shared::SharedLog;
use super::sources::{self, Numbers};
use super::sqlite::{SqliteLog, Start};
use crate::config::pattern::Scope;
use crate::config::{LogKind, Namespace, Namespaces};
use crate::git::{Git, Layout, Whose};
use crate::trust::number::Floor;
use crate::trust::remote::{NoRemote, OwnRemotes};
use std::collections::BTreeSet;
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
    /// Whether a jump of numbers is followed.
    pub follow: bool,
    /// Told what must not be missed.
    pub say: &'a dyn Fn(&str),
    /// Finds the issue of `log: github`.
    pub github: &'a dyn Issues,
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

    pub(super) fn local_patience(&self) -> Duration {
        self.patience.unwrap_or(LOCAL_PATIENCE)
    }

    pub(super) fn git(&self) -> Option<Git> {
        self.place.layout.as_ref().map(Git::at)
    }

    /// Opens the local log.
    ///
    /// # Errors
    /// As [`SqliteLog::open`].
    pub fn local(&self, start: Start) -> Result<SqliteLog, IdsError> {
        SqliteLog::open(&self.place.folder, self.local_patience(), start)
    }

    pub(super) fn git_log<'b>(&'b self, git: &'b Git, namespace: &'b Namespace) -> Result<GitLog<'b>, IdsError> {
        let log = GitLog::new(git, namespace, self.patience.unwrap_or(REMOTE_PATIENCE), self.say)?;
        Ok(GitLog { format: Some(&namespace.format), ..log })
    }

    /// The log that several clones share.
    pub(super) fn shared<'b>(&'b self, git: &'b Git, namespace: &'b Namespace) -> Result<SharedLog<'b>, IdsError> {
        if namespace.log == LogKind::Github {
            let log = GithubLog::new(self.github.hub(namespace)?, &self.place.folder);
            return Ok(SharedLog::Github { log, namespace: &namespace.name });
        }
        Ok(SharedLog::Git(self.git_log(git, namespace)?))
    }

    /// git and the namespace's log on the remote, where that is what counts.
    pub(super) fn git_for(&self, namespace: &Namespace) -> Result<Option<Git>, IdsError> {
        if namespace.log == LogKind::Local {
            return Ok(None);
        }
        let unreachable = || IdsError::Unreachable {
            remote: namespace.remote.clone().unwrap_or_else(|| "origin".to_owned()),
            why: format!("the shared log of {} needs a git work tree, and this is none", namespace.name),
        };
        self.git().map(Some).ok_or_else(unreachable)
    }

    /// Opens the local log for a namespace whose shared log, if the remote has one, is copy enough to
    /// start it.
    pub(super) fn local_for(&self, namespace: &Namespace) -> Result<SqliteLog, IdsError> {
        match self.local(Start::Refused) {
            Err(IdsError::NoLog(path)) => match self.git_for(namespace)? {
                Some(git) if matches!(self.shared(&git, namespace)?.fetch(), Ok(true)) => self.local(Start::Allowed),
                _ => Err(IdsError::NoLog(path)),
            },
            opened => opened,
        }
    }

    /// Opens the local log to take numbers by it: whatever else has started one, it must know the namespace,
    /// as `init` writes down where each one starts.
    pub(super) fn local_to_mint(&self, namespace: &Namespace) -> Result<SqliteLog, IdsError> {
        let mut log = self.local_for(namespace)?;
        if let Some(doubt) = log.doubt()? {
            return Err(doubt);
        }
        if let Some(text) = log.unread()? {
            (self.say)(&text);
        }
        if namespace.log == LogKind::Local && !log.knows(&namespace.name)? {
            return Err(IdsError::NoLog(self.place.folder.join("ids.sqlite3")));
        }
        Ok(log)
    }

    /// Finds out whether there is a log of a namespace: what has started one for another knows nothing of it.
    ///
    /// # Errors
    /// [`IdsError::NoLog`], or the log cannot be read.
    pub fn has_log(&self, namespace: &Namespace) -> Result<(), IdsError> {
        let mut log = self.local_for(namespace)?;
        let doubt = log.doubt()?;
        let knows = log.knows(&namespace.name).map_err(|error| doubt.unwrap_or(error))?;
        if namespace.log == LogKind::Local && !knows {
            return Err(IdsError::NoLog(self.place.folder.join("ids.sqlite3")));
        }
        Ok(())
    }

    /// Reserves what is wished for.
    ///
    /// # Errors
    /// Nothing is owned then.
    pub fn reserve(&self, namespace: &Namespace, asking: &Asking, wish: &Wish) -> Result<Reserved, IdsError> {
        self.reserve_beside(namespace, asking, wish, &Numbers::new())
    }

    /// Reserves what is wished for, with these numbers in use as well.
    ///
    /// # Errors
    /// Nothing is owned then.
    pub fn reserve_beside(
        &self,
        namespace: &Namespace,
        asking: &Asking,
        wish: &Wish,
        beside: &Numbers,
    ) -> Result<Reserved, IdsError> {
        let mut local = self.local_to_mint(namespace)?;
        let scope = asking.scope(namespace);
        let Some(git) = self.git_for(namespace)? else {
            let mut numbers = self.own_numbers(namespace, &mut local, asking)?;
            add_all(&mut numbers, beside);
            self.fetch_heads(namespace);
            let mut known = self.with_history(namespace, numbers, &scope)?;
            let take = |local: &mut SqliteLog, known: &Known| {
                let decide = &mut |standing: &dyn Standing| {
                    self.tell_jumps(namespace, &scope, known, standing)?;
                    reserve::reserve(standing, namespace, asking, wish, known)
                };
                local.append(&namespace.name, decide)
            };
            let outcome = match take(&mut local, &known) {
                // Looked at only then: the log refuses to give an id of another namespace again.
                Err(IdsError::Taken { .. }) => {
                    let others = local.others(namespace)?.into_iter().filter(|(of, _)| *of == scope);
                    others.for_each(|(_, number)| known.found.other(number));
                    take(&mut local, &known)
                }
                outcome => outcome,
            }?;
            return reserved(outcome, || local.read(&namespace.name), false);
        };
        let mut numbers = self.numbers(namespace, &mut local, asking)?;
        add_all(&mut numbers, beside);
        let own = Book::fold(local.read(&namespace.name)?);
        if let Some(already) = reserve::repeated(&own, &namespace.name, wish)? {
            let seen = Book::fold(self.shared(&git, namespace)?.seen()?);
            let own = informed(own.anchors().to_vec(), &seen);
            // Another clone published the same reservation first: its ids are the ones.
            let elsewhere = settle::same_event(&seen, &already).filter(|_| !settle::settled(&seen, &already));
            return match elsewhere {
                Some(ids) => Ok(Reserved { anchor: already, ids, repeated: true, provisional: false }),
                None => again(already, |anchor, id| rows::stands(&own, &seen, anchor, id)),
            };
        }
        let mut shared = self.shared(&git, namespace)?;
        if namespace.files.is_some() && self.fetch {
            match &mut shared {
                SharedLog::Git(log) => log.also = vec![sources::HEADS.to_owned()],
                SharedLog::Github { .. } => self.fetch_heads(namespace),
            }
        }
        let outcome = shared.append(&namespace.name, &mut |standing| {
            let known = Known { logs: own.floor(&scope), ..self.with_history(namespace, numbers.clone(), &scope)? };
            self.tell_jumps(namespace, &scope, &known, standing)?;
            reserve::reserve(standing, namespace, asking, wish, &known)
        });
        let (kept, why) = match outcome {
            Ok(Outcome::Already(anchor)) => {
                return reserved(Outcome::Already(anchor), || shared.seen(), false);
            }
            Ok(Outcome::Appended(anchors)) => {
                local.keep_copy(&anchors)?;
                return reserved(Outcome::Appended(anchors), || Ok(Vec::new()), false);
            }
            Err(IdsError::Unreachable { why, .. }) => (None, why),
            Err(IdsError::Unsure { anchors, why, .. }) => (Some(anchors), why),
            Err(error) => return Err(error),
        };
        let seen = Book::fold(shared.seen()?);
        let known = Known { logs: seen.floor(&scope), ..self.with_history(namespace, numbers, &scope)? };
        let outcome = local.append(&namespace.name, &mut |standing| {
            let decision = if let Some(anchors) = &kept {
                Decision::Append(anchors.clone())
            } else {
                self.tell_jumps(namespace, &scope, &known, standing)?;
                reserve::reserve(standing, namespace, asking, wish, &known)?
            };
            Ok(match decision {
                Decision::Append(mut anchors) => {
                    for anchor in &mut anchors {
                        anchor.provisional = true;
                    }
                    Decision::Append(anchors)
                }
                already @ Decision::Already(_) => already,
            })
        })?;
        (self.say)(&format!(
            "`{}` cannot be reached ({why}): this id is provisional (CONFIRM-PENDING); `headwater id sync` confirms or amends it",
            shared.name()
        ));
        reserved(outcome, || local.read(&namespace.name), true)
    }

    /// The id that would be reserved next; it may be gone a moment later.
    ///
    /// # Errors
    /// As [`Allocator::reserve`].
    pub fn next(&self, namespace: &Namespace, asking: &Asking) -> Result<String, IdsError> {
        let mut local = self.local_to_mint(namespace)?;
        let numbers = self.numbers(namespace, &mut local, asking)?;
        let scope = asking.scope(namespace);
        let own = Book::fold(local.read(&namespace.name)?);
        let (logs, mut standing) = (own.floor(&scope), own);
        if let Some(git) = self.git_for(namespace)? {
            let mut shared = self.shared(&git, namespace)?;
            let anchors = match if self.fetch { shared.read(&namespace.name) } else { shared.seen() } {
                Err(IdsError::Unreachable { remote, why }) => {
                    (self.say)(&format!("`{remote}` cannot be reached ({why}); what was seen there last counts"));
                    shared.seen()?
                }
                anchors => anchors?,
            };
            standing = Book::fold(anchors);
        }
        self.fetch_heads(namespace);
        let known = Known { logs, ..self.with_history(namespace, numbers, &scope)? };
        self.tell_jumps(namespace, &scope, &known, &standing)?;
        let (floor, _) = known.judge(&standing.floor(&scope));
        let next = floor.next(1).and_then(|next| next.first().copied());
        let exhausted = || IdsError::Exhausted { namespace: namespace.name.clone(), top: floor.top() };
        let next = next.ok_or_else(exhausted)?;
        Ok(namespace.format.render(&scope, next, ""))
    }

    /// The numbers in sources and names of files, but those that only git's history knows, and those that other
    /// namespaces of the local log gave.
    pub(super) fn numbers(
        &self,
        namespace: &Namespace,
        local: &mut SqliteLog,
        asking: &Asking,
    ) -> Result<Numbers, IdsError> {
        let mut numbers = self.own_numbers(namespace, local, asking)?;
        sources::add_others(&mut numbers, local.others(namespace)?);
        Ok(numbers)
    }

    fn own_numbers(&self, namespace: &Namespace, local: &mut SqliteLog, asking: &Asking) -> Result<Numbers, IdsError> {
        let mut numbers = self.here(namespace)?;
        for sibling in &self.siblings(namespace) {
            sources::add_others(&mut numbers, sources::in_sources(namespace, sibling, true)?);
            let names = sources::in_names(namespace, sibling, true)?.into_iter();
            sources::add_others(&mut numbers, names.map(|(_, says)| (says.scope, says.number)).collect());
        }
        let Some(layout) = &self.place.layout else { return Ok(numbers) };
        sources::add_others(&mut numbers, sources::in_claims(namespace, &layout.common_dir)?);
        if !namespace.sources.is_empty() {
            Self::look_at_references(namespace, layout, local, asking, &mut numbers)?;
        }
        Ok(numbers)
    }

    /// The numbers in sources and names of files of this worktree.
    pub(super) fn here(&self, namespace: &Namespace) -> Result<Numbers, IdsError> {
        let mut numbers = Numbers::new();
        let mut found = sources::in_sources(namespace, &self.place.top, false)?;
        let names = sources::in_names(namespace, &self.place.top, false)?.into_iter();
        found.extend(names.map(|(_, says)| (says.scope, says.number)));
        for (scope, number) in found {
            numbers.entry(scope).or_default().own(number);
        }
        Ok(numbers)
    }

    fn siblings(&self, namespace: &Namespace) -> Vec<PathBuf> {
        let looked_at = !namespace.sources.is_empty() || namespace.files.is_some();
        let layout = self.place.layout.as_ref().filter(|_| looked_at);
        let work_trees = layout.map(Layout::work_trees).unwrap_or_default();
        work_trees.into_iter().skip(1).map(|layout| layout.work_tree).collect()
    }

    /// Puts the numbers that sources mention at the tips of references into the local log, if a reference
    /// moved since that was done last. Those that are no floor are looked for every time.
    fn look_at_references(
        namespace: &Namespace,
        layout: &Layout,
        local: &mut SqliteLog,
        asking: &Asking,
        numbers: &mut Numbers,
    ) -> Result<(), IdsError> {
        let mark = format!("{} {}", layout.references_mark(), namespace.sources.join(" "));
        let name = format!("references {}", namespace.name);
        if local.fact(&name)?.as_deref() == Some(mark.as_str()) {
            return Ok(());
        }
        let git = Git::at(layout);
        let others = sources::in_references(namespace, &git, Whose::Branches)?;
        let requests = sources::in_references(namespace, &git, Whose::Requests)?;
        sources::add_others(numbers, others.clone());
        let mut floors = sources::Floors::new();
        let own = Book::fold(local.read(&namespace.name)?);
        let scopes: BTreeSet<&Scope> = others.iter().map(|(scope, _)| scope).collect();
        for scope in scopes {
            let found = numbers.get(scope).cloned().unwrap_or_default();
            floors.insert(scope.clone(), found.judge(&own.floor(scope), false).0);
        }
        let asking = Asking { nonce: format!("{}-references", asking.nonce), ..asking.clone() };
        local.append(&namespace.name, &mut |standing| reserve::raise(standing, namespace, &asking, &floors))?;
        let counts = |(scope, number): &(Scope, u64)| {
            let floor = floors.get(scope).map(Floor::top).unwrap_or_default();
            *number <= floor.max(own.top(scope))
        };
        let all = others.iter().chain(&requests).all(counts);
        for (scope, number) in requests {
            numbers.entry(scope).or_default().request(number);
        }
        if all { local.remember(&name, &mark) } else { Ok(()) }
    }

    /// What is known of a scope, with the names of files in git's history.
    pub(super) fn with_history(
        &self,
        namespace: &Namespace,
        mut numbers: Numbers,
        scope: &Scope,
    ) -> Result<Known, IdsError> {
        self.add_history(namespace, &mut numbers)?;
        Ok(Known { found: numbers.remove(scope).unwrap_or_default(), follow: self.follow, logs: Floor::default() })
    }

    /// Adds the names of files in git's history.
    pub(super) fn add_history(&self, namespace: &Namespace, numbers: &mut Numbers) -> Result<(), IdsError> {
        let Some(git) = self.git().filter(|_| namespace.files.is_some()) else { return Ok(()) };
        sources::add_others(numbers, sources::in_history(namespace, &git, Whose::Branches)?);
        for (scope, number) in sources::in_history(namespace, &git, Whose::Requests)? {
            numbers.entry(scope).or_default().request(number);
        }
        Ok(())
    }

    /// Fetches other people's branches for the names of their files; what cannot be fetched is said.
    pub fn fetch_heads(&self, namespace: &Namespace) {
        if !self.fetch || namespace.files.is_none() {
            return;
        }
        let Some(git) = self.git() else { return };
        let remote = match OwnRemotes::of(&git).map(|remotes| remotes.choose(namespace.remote.as_deref())) {
            Ok(Err(NoRemote::Missing { .. })) => return,
            Ok(Err(NoRemote::Refused(refusal))) => return (self.say)(&refusal.to_string()),
            Ok(Ok(remote)) => remote,
            Err(error) => return (self.say)(&error.to_string()),
        };
        let fetched =
            self.git_log(&git, namespace).and_then(|log| log.fetch_only(&remote, &[sources::HEADS.to_owned()], FETCH));
        if let Err(error) = fetched {
            let name = remote.name();
            (self.say)(&format!("could not reach {name}: its newer branches were not looked at ({error})"));
        }
    }

    /// All ids of a namespace, as far as this clone has seen them.
    ///
    /// # Errors
    /// A log cannot be read.
    pub fn rows(&self, namespace: &Namespace) -> Result<Vec<Row>, IdsError> {
        let (own, seen) = self.books(namespace)?;
        Ok(rows::rows(&own, &seen))
    }

    /// The logs as [`Allocator::books`] gives them, for who only looks: no log is started for it. `ask` asks
    /// where the shared log is; otherwise what was seen of it last counts.
    ///
    /// # Errors
    /// There is no log that can be looked at.
    pub fn look(&self, namespace: &Namespace, ask: bool) -> Result<(Book, Book), IdsError> {
        let own = match self.local(Start::Refused) {
            Ok(mut log) => log.read(&namespace.name)?,
            Err(IdsError::NoLog(_) | IdsError::NoLocalLog) if namespace.log != LogKind::Local => Vec::new(),
            Err(error) => return Err(error),
        };
        let Some(git) = self.git_for(namespace)? else {
            // Another namespace may have started the log; of this one it knows nothing then.
            let missing = || IdsError::NoLog(self.place.folder.join("ids.sqlite3"));
            return if own.is_empty() { Err(missing()) } else { Ok((Book::fold(own), Book::default())) };
        };
        let mut shared = self.shared(&git, namespace)?;
        let seen = if ask { shared.read(&namespace.name)? } else { shared.seen()? };
        let seen = Book::fold(seen);
        Ok((informed(own, &seen), seen))
    }

    /// The local log, with what the shared one says of its reservations, and what was seen of that, folded.
    ///
    /// # Errors
    /// A log cannot be read.
    pub fn books(&self, namespace: &Namespace) -> Result<(Book, Book), IdsError> {
        let mut local = self.local_for(namespace)?;
        if let Some(doubt) = local.doubt()? {
            (self.say)(&format!("what is shown may be out of date: {doubt}"));
        }
        let own = local.read(&namespace.name)?;
        let seen = match self.git_for(namespace)? {
            Some(git) => Book::fold(self.shared(&git, namespace)?.seen()?),
            None => Book::default(),
        };
        Ok((informed(own, &seen), seen))
    }
}

fn add_all(numbers: &mut Numbers, more: &Numbers) {
    for (scope, found) in more {
        numbers.entry(scope.clone()).or_default().join(found);
    }
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
            again(*anchor, |_, id| book.resolve(id))
        }
    }
}

/// A reservation that is repeated: `now` gives what an id of it stands for.
fn again<'a>(anchor: Anchor, now: impl Fn(&Anchor, &str) -> Option<&'a Claim>) -> Result<Reserved, IdsError> {
    let mut provisional = false;
    let mut ids = Vec::new();
    for id in &anchor.ids {
        let now = now(&anchor, id);
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
    Ok(Reserved { anchor, ids, repeated: true, provisional })
}
