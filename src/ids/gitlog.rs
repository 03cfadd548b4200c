//! The shared log: a reference on a remote, a chain of commits, appended by compare-and-swap pushes.
//!
//! Each commit's message carries anchors, one line of JSON each. The remote's reference update gives the
//! order; what it holds decides who owns what, never the exit code of a push.
//!
//! # Invariant
//! What was once seen of the chain is never forgotten: `refs/headwater/seen/NAME` is the chain as it was seen
//! last (not the remote's own name, or `git push --mirror` would move the log back to it), and what the remote's chain left behind is kept under `refs/headwater/lost-ids/NAME` until the remote
//! has it again. No number of either is taken again.

use super::IdsError;
use super::contract::{Anchor, AnchorLog, Decide, Decision, Kind, Outcome, Standing};
use super::fold::Book;
use super::settle::settled;
use super::unread;
use crate::bounds::deadline;
use crate::config::pattern::{MAX_NUMBER, Pattern, Scope};
use crate::git::{Git, GitError, Message, Oid, Pushed};
use crate::store::{LockRequest, make_folder, with_lock_file};
use crate::trust::fault::TrustError;
use crate::trust::reference::OwnReference;
use crate::trust::remote::{NoRemote, OwnRemote, OwnRemotes, home_of_remote};
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

/// How long one conversation with the remote may take, if `--wait` does not end it sooner.
const CONVERSATION: Duration = Duration::from_secs(15);

/// How often an answer other than "taken", without anybody else having moved the log, is a refusal.
const REFUSALS: u32 = 3;

/// How the message of a commit with entries begins, and that of one without.
const SUBJECT: &str = "headwater ids: ";
const NO_ENTRY: &str = "headwater ids: lost by the remote";

/// Where the copies are.
const SEEN: &str = "refs/headwater/seen/";

/// A namespace's log on a remote.
#[derive(Clone)]
pub struct GitLog<'a> {
    /// The repository.
    pub git: &'a Git,
    /// The namespace, by whose name its home and its copies here are called.
    pub namespace: &'a crate::config::Namespace,
    /// The remotes of the user's.
    pub remotes: OwnRemotes,
    /// The remote, or why there is none to ask.
    pub remote: Result<OwnRemote, NoRemote>,
    /// The remote's name, for messages.
    pub name: String,
    /// The reference there.
    pub reference: OwnReference,
    /// The reference that keeps what was seen last, here.
    pub copy: String,
    /// How its ids are written: what other logs on the remote have of that form is not given again.
    pub format: Option<&'a Pattern>,
    /// What else one fetch is to bring.
    pub also: Vec<String>,
    /// How long may be tried.
    pub patience: Duration,
    /// Told what must not be missed.
    pub say: &'a dyn Fn(&str),
}

impl std::fmt::Debug for GitLog<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitLog").field("remote", &self.name).field("reference", &self.reference).finish_non_exhaustive()
    }
}

/// The chain as it is to be built upon.
struct Chain {
    /// What the remote's reference names.
    there: Option<Oid>,
    /// What the next commit stands on: that, or what the remote has lost since.
    base: Option<Oid>,
    /// What was seen of a chain that the remote's is no continuation of.
    lost: Option<Oid>,
}

/// What a decision stands on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    /// Everything that was ever seen, in whose place nothing is taken.
    Known,
    /// The chain alone, to which the lost anchors are added.
    Chain,
}

impl<'a> GitLog<'a> {
    /// The log of a namespace, its copy under `refs/headwater/seen/`.
    ///
    /// # Errors
    /// git cannot answer, or the reference is not headwater's own.
    pub fn new(
        git: &'a Git,
        namespace: &'a crate::config::Namespace,
        patience: Duration,
        say: &'a dyn Fn(&str),
    ) -> Result<Self, IdsError> {
        let remotes = OwnRemotes::of(git)?;
        let wanted = namespace.remote.as_deref();
        Ok(Self {
            git,
            namespace,
            remote: remotes.for_log(&namespace.name, wanted),
            name: remotes.name_of(wanted),
            reference: OwnReference::of(&namespace.reference).map_err(TrustError::from)?,
            copy: format!("{SEEN}{}", namespace.name),
            remotes,
            format: None,
            also: Vec::new(),
            patience,
            say,
        })
    }

    /// The remote, which the log is kept on from now on.
    fn home(&self) -> Result<&OwnRemote, IdsError> {
        let remote = self.asked()?;
        self.remotes.keep_log_on(&self.namespace.name, remote.name())?;
        Ok(remote)
    }

    /// The remote, if there is one to ask.
    fn asked(&self) -> Result<&OwnRemote, IdsError> {
        self.remote.as_ref().map_err(|none| match none {
            NoRemote::Missing { why, .. } => self.unreachable(why),
            NoRemote::Refused(refusal) => TrustError::from(refusal.clone()).into(),
        })
    }

    /// What was seen of the log last, without asking the remote.
    ///
    /// # Errors
    /// git cannot answer, or a commit holds something else.
    pub fn seen(&self) -> Result<Vec<Anchor>, IdsError> {
        let (kept, fetched) = (self.beside("lost-ids"), self.beside("fetched-ids"));
        let [copy, lost, older, fetched] = self.git.references([&self.copy, &kept, &self.older_copy(), &fetched])?;
        let base = copy.or(older.filter(|_| fetched.is_some()));
        self.known(&Chain { there: None, base, lost })
    }

    /// Publishes what the remote has lost, after what is there: `again` decides it from the chain and the lost
    /// anchors. Gives what was added.
    ///
    /// # Errors
    /// As [`AnchorLog::append`].
    pub(super) fn publish_again(
        &self,
        mut again: impl FnMut(&dyn Standing, Vec<Anchor>) -> Result<Vec<Anchor>, IdsError>,
    ) -> Result<Vec<Anchor>, IdsError> {
        let lost = self.beside("lost-ids");
        let decide = &mut |standing: &dyn Standing| {
            let lost = self.anchors(self.git.reference(&lost)?.as_ref())?;
            Ok(Decision::Append(again(standing, lost)?))
        };
        match self.locked(|| self.append_to_remote(On::Chain, "", decide))? {
            Outcome::Appended(anchors) => Ok(anchors),
            Outcome::Already(_) => Ok(Vec::new()),
        }
    }

    /// A reference of our own that goes with the copy.
    fn beside(&self, what: &str) -> String {
        let name = self.copy.strip_prefix(SEEN).unwrap_or(&self.copy);
        format!("refs/headwater/{what}/{name}")
    }

    /// What the copy was called by older versions.
    fn older_copy(&self) -> String {
        let name = self.copy.strip_prefix(SEEN).unwrap_or(&self.copy);
        if name.starts_with("ledger/") {
            format!("refs/headwater/{name}")
        } else {
            format!("refs/headwater/ids/{name}")
        }
    }

    /// Takes the copy of an older version over, which fetched here as well; in a bare repository the reference may
    /// be the log of others, and stays.
    fn take_over(&self, older: &Oid) -> Result<(), IdsError> {
        let name = self.older_copy();
        let all = [(self.copy.as_str(), Some(older)), (name.as_str(), None)];
        let all = if self.git.is_bare()? { all.get(..1).unwrap_or_default() } else { &all };
        Ok(self.git.set_own_references(all)?)
    }

    /// Everything that was seen: first what stands in the chain, then what was lost.
    fn known(&self, chain: &Chain) -> Result<Vec<Anchor>, IdsError> {
        let mut anchors = self.anchors(chain.base.as_ref())?;
        anchors.extend(self.anchors(chain.lost.as_ref())?);
        if anchors.iter().all(|anchor| anchor.kind != Kind::Unread) {
            return Ok(anchors);
        }
        let place = format!("`{}` on `{}`", self.reference.as_str(), self.name);
        // The collision ledger is no namespace that could be synchronised.
        let remedy = if self.namespace.name.starts_with("ledger.") {
            "a newer headwater may understand them"
        } else {
            "a newer headwater may understand them; `headwater id sync` writes for every clone that they are spent"
        };
        if let Some(text) = unread::describe(&Book::fold(anchors.iter().cloned()), &place, remedy) {
            (self.say)(&text);
        }
        Ok(anchors)
    }

    /// Fetches the log; whether the remote has one.
    ///
    /// # Errors
    /// [`IdsError::Unreachable`], and what git refuses.
    pub fn fetch(&self) -> Result<bool, IdsError> {
        self.locked(|| Ok(self.fetch_chain()?.there.is_some()))
    }

    /// Fetches other references of a remote into those of our own, wherever the log itself is.
    ///
    /// # Errors
    /// [`IdsError::Unreachable`], and what git refuses.
    pub fn fetch_only(&self, remote: &OwnRemote, refspecs: &[String], limit: Duration) -> Result<(), IdsError> {
        self.locked(|| {
            let answer = self.reached(remote.fetch(refspecs, limit))?;
            if answer.success() { Ok(()) } else { Err(self.unreachable(&answer.stderr)) }
        })
    }

    /// Tries whether the remote takes references like this one: makes one beside it, and removes it again.
    ///
    /// # Errors
    /// [`IdsError::Unreachable`], [`IdsError::Refused`], and what git refuses.
    pub fn probe(&self, nonce: &str, at: &str) -> Result<(), IdsError> {
        self.locked(|| {
            self.fetch_chain()?;
            let (reference, remote) = (self.reference.probe(nonce), self.home()?);
            let commit = self.git.write_text_commit(&[], &format!("headwater ids: probe {nonce}\n"), "", at)?;
            match self.reached(remote.push(&reference, &commit, None, self.conversation()))? {
                Pushed::Taken => Ok(remote.delete(&reference, &commit, self.conversation())?),
                Pushed::Unknown { why } => {
                    Err(IdsError::Refused { remote: self.name.clone(), reference: reference.as_str().to_owned(), why })
                }
            }
        })
    }

    fn anchors(&self, tip: Option<&Oid>) -> Result<Vec<Anchor>, IdsError> {
        let Some(tip) = tip else { return Ok(Vec::new()) };
        let mut anchors = Vec::new();
        let salvaged = |text: &str, number: usize, fault: &str| {
            let fault = format!("commit {number}: {fault}");
            unread::salvage(text, &self.namespace.name, Some(&self.namespace.format), &fault)
        };
        for (number, message) in (1..).zip(self.git.messages(tip)?) {
            let Message::Text(message) = message else {
                anchors.push(salvaged(&format!("too large {number}"), number, "it is too large"));
                continue;
            };
            // What others put on the reference without being anchors reserves nothing.
            let mut lines = message.lines().filter(|line| line.starts_with('{')).peekable();
            if lines.peek().is_none() && message.starts_with(SUBJECT) && !message.starts_with(NO_ENTRY) {
                anchors.push(salvaged(&message, number, "it has lost its entries"));
            }
            for line in lines {
                anchors.push(Anchor::read(line).unwrap_or_else(|fault| salvaged(line, number, &fault)));
            }
        }
        Ok(anchors)
    }

    /// One process of this clone at a time: git's own locks of references do not wait.
    fn locked<T>(&self, work: impl FnOnce() -> Result<T, IdsError>) -> Result<T, IdsError> {
        let folder = self.git.layout().own_dir();
        make_folder(&folder)?;
        let waiting = |_: &str| {};
        let request = LockRequest { wait: self.patience, purpose: "id", waiting: &waiting };
        with_lock_file(&folder.join("ids.fetch.lock"), &request, |_| work())
    }

    fn unreachable(&self, why: &str) -> IdsError {
        let why = if why.is_empty() { "git did not say why" } else { why };
        IdsError::Unreachable { remote: self.name.clone(), why: why.to_owned() }
    }

    /// A conversation that took too long is one with an unreachable remote.
    fn reached<T>(&self, answer: Result<T, TrustError>) -> Result<T, IdsError> {
        answer.map_err(|error| {
            if let TrustError::Git(GitError::TimedOut { limit, .. }) = error {
                return self.unreachable(&format!("no answer within {limit:?}"));
            }
            error.into()
        })
    }

    fn fetch_chain(&self) -> Result<Chain, IdsError> {
        let home = self.home()?;
        let (fetched, kept) = (self.beside("fetched-ids"), self.beside("lost-ids"));
        let [copy, lost, older, had] = self.git.references([&self.copy, &kept, &self.older_copy(), &fetched])?;
        let older = older.filter(|_| copy.is_none() && had.is_some());
        older.iter().try_for_each(|older| self.take_over(older))?;
        let before = copy.or(older);
        let own = format!("+{}:{fetched}", self.reference.as_str());
        let all: Vec<String> = std::iter::once(own).chain(self.also.iter().cloned()).collect();
        let answer = self.reached(home.fetch(&all, self.conversation()))?;
        let (reference, remote) = (self.reference.as_str(), home.name());
        let remedy = "no number of theirs is given again, and `headwater id sync` publishes them again";
        if !answer.success() {
            if !answer.stderr.contains("couldn't find remote ref") {
                return Err(self.unreachable(&answer.stderr));
            }
            if !self.also.is_empty() {
                let answer = self.reached(home.fetch(&self.also, self.conversation()))?;
                if !answer.success() {
                    return Err(self.unreachable(&answer.stderr));
                }
            }
            if before.is_some() {
                // The copy does not tell under which name it was fetched.
                let why = "it was removed, or `ref:` or `remote:` named another one before";
                let fault = format!("`{reference}` is not on `{remote}`, and no reservation that was seen before is");
                (self.say)(&format!("{fault} ({why}); {remedy}"));
            }
            return Ok(Chain { there: None, base: before, lost });
        }
        let Some(now) = self.git.reference(&fetched)? else { return Err(self.unreachable("git fetched nothing")) };
        self.reference.check_chain(self.git, remote, &now)?;
        let mut chain = Chain { there: Some(now.clone()), base: Some(now.clone()), lost };
        match before {
            Some(before) if before == now => {}
            Some(before) if !self.git.is_ancestor(&before, &now)? => {
                if self.git.is_ancestor(&now, &before)? {
                    let fault = format!("`{reference}` on `{remote}` lost its last reservations");
                    (self.say)(&format!("{fault}; {remedy}"));
                    chain.base = Some(before);
                } else {
                    chain.lost = Some(self.join(chain.lost.as_ref(), before)?);
                    self.git.set_own_references(&[(&kept, chain.lost.as_ref()), (&self.copy, Some(&now))])?;
                }
            }
            _ => self.git.set_own_references(&[(&self.copy, Some(&now))])?,
        }
        if chain.lost.is_some() {
            let book = Book::fold(self.anchors(chain.base.as_ref())?);
            let lost = self.anchors(chain.lost.as_ref())?;
            let missing = lost.iter().filter(|anchor| !settled(&book, anchor)).count();
            if missing == 0 {
                // All of it is in the chain again.
                self.git.set_own_references(&[(&kept, None)])?;
                chain.lost = None;
            } else {
                let entries = if missing == 1 { "entry" } else { "entries" };
                (self.say)(&format!(
                    "`{reference}` on `{remote}` lacks {missing} {entries} that had been seen (it was rewritten, or `ref:` or `remote:` named another one then); {remedy}"
                ));
            }
        }
        Ok(chain)
    }

    /// How long one conversation with the remote may take.
    fn conversation(&self) -> Duration {
        CONVERSATION.min(self.patience)
    }

    /// One commit that keeps two chains.
    fn join(&self, lost: Option<&Oid>, more: Oid) -> Result<Oid, IdsError> {
        let Some(lost) = lost else { return Ok(more) };
        let text = "headwater ids: lost by the remote\n";
        Ok(self.git.write_text_commit(&[lost, &more], text, "", "1970-01-01T00:00:00Z")?)
    }

    /// Fetches, decides and pushes until the remote holds the decision, or somebody must be told.
    fn append_to_remote(&self, on: On, namespace: &str, decide: &mut Decide<'_>) -> Result<Outcome, IdsError> {
        let started = Instant::now();
        let mut chain = self.fetch_chain()?;
        let mut refused = 0;
        for attempt in 0u32.. {
            let mut book =
                Book::fold(if on == On::Known { self.known(&chain)? } else { self.anchors(chain.base.as_ref())? });
            let mut written = if on == On::Known { self.others(namespace, book.anchors())? } else { Vec::new() };
            for anchor in &written {
                book.apply(anchor.clone());
            }
            let anchors = match decide(&book)? {
                Decision::Already(anchor) => return Ok(Outcome::Already(anchor)),
                Decision::Append(anchors) => anchors,
            };
            written.extend(anchors.iter().cloned());
            let commit = match &chain.base {
                Some(base) if written.is_empty() && on == On::Chain && chain.base != chain.there => base.clone(),
                _ if written.is_empty() => return Ok(Outcome::Appended(anchors)),
                base => self.commit(base.as_ref(), &written)?,
            };
            let pushed = self.home()?.push(&self.reference, &commit, chain.there.as_ref(), self.conversation());
            let why = match pushed {
                Ok(Pushed::Taken) => {
                    self.git.set_own_references(&[(&self.copy, Some(&commit))])?;
                    return Ok(Outcome::Appended(anchors));
                }
                Ok(Pushed::Unknown { why }) => why,
                Err(TrustError::Git(error @ GitError::TimedOut { .. })) => error.to_string(),
                Err(error) => return Err(error.into()),
            };
            // Whoever pushed, only what the remote holds now tells who owns the numbers.
            let before = chain.there;
            chain = match self.fetch_chain() {
                Ok(chain) => chain,
                Err(IdsError::Unreachable { remote, why }) => return Err(IdsError::Unsure { remote, anchors, why }),
                Err(error) => return Err(error),
            };
            let held = Book::fold(self.anchors(chain.there.as_ref())?);
            if !written.is_empty() && written.iter().all(|anchor| held.holds(&anchor.nonce)) {
                return Ok(Outcome::Appended(anchors));
            }
            refused = if chain.there == before { refused + 1 } else { 0 };
            let (remote, reference) = (self.name.clone(), self.reference.as_str().to_owned());
            if refused >= REFUSALS {
                return Err(IdsError::Refused { remote, reference, why });
            }
            if started.elapsed() >= self.patience || deadline::is_over() {
                return Err(IdsError::Contended { remote, reference, waited: started.elapsed() });
            }
            thread::sleep(deadline::within(pause(attempt)));
        }
        Err(self.unreachable("tried too often"))
    }

    /// What other logs on the remote have of the form of this one's ids, as it is registered when this one starts:
    /// their namespaces may have had its name before. Asked only then, and after a change of `format`.
    fn others(&self, namespace: &str, known: &[Anchor]) -> Result<Vec<Anchor>, IdsError> {
        let Some(format) = self.format else { return Ok(Vec::new()) };
        let takes = |anchor: &&Anchor| matches!(anchor.kind, Kind::Reserve | Kind::Amend);
        let mut ids = known.iter().filter(takes).flat_map(|anchor| &anchor.ids).peekable();
        let starts = if ids.peek().is_none() { known.is_empty() } else { !ids.any(|id| format.read(id).is_some()) };
        if !starts {
            return Ok(Vec::new());
        }
        let all = ["+refs/headwater/ids/*:refs/headwater/fetched-ids/*".to_owned()];
        let answer = self.reached(self.home()?.fetch(&all, self.conversation()))?;
        if !answer.success() {
            return Err(self.unreachable(&answer.stderr));
        }
        let registered = |kind, scope: &Scope, of: &Anchor, pairs: Vec<(u64, String)>| {
            let (numbers, ids) = pairs.into_iter().unzip();
            Anchor {
                namespace: namespace.to_owned(),
                scope: scope.clone(),
                kind,
                numbers,
                ids,
                replaces: Vec::new(),
                of: None,
                event: None,
                slug: of.slug.clone(),
                note: of.note.clone(),
                agent: of.agent.clone(),
                branch: of.branch.clone(),
                at: of.at.clone(),
                nonce: format!("{}-{}-{namespace}", of.nonce, if kind == Kind::Floor { "below" } else { "in" }),
                provisional: false,
                backfill: true,
                file: None,
                jump: None,
            }
        };
        let (mut anchors, mut floors) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for (tip, log) in self.git.own_logs()? {
            // What cannot be read there is said by commands about that log.
            let messages = self.git.messages(&tip)?;
            let text = |message: Message| if let Message::Text(text) = message { Some(text) } else { None };
            let messages: Vec<String> = messages.into_iter().filter_map(text).collect();
            let lines = messages.iter().flat_map(|message| message.lines()).filter(|line| line.starts_with('{'));
            let book = Book::fold(lines.filter_map(|line| Anchor::read(line).ok()));
            // Nothing but the numbers of a log that is kept elsewhere comes here.
            let elsewhere = self.remotes.stays(&log, &home_of_remote(&self.name)).is_err();
            let mut last = BTreeMap::new();
            for anchor in book.anchors().iter().filter(takes) {
                let mut own: BTreeMap<Scope, Vec<(u64, String)>> = BTreeMap::new();
                for (id, says) in anchor.ids.iter().filter_map(|id| Some((id, format.read(id)?))) {
                    if seen.insert((says.scope.clone(), says.number)) {
                        own.entry(says.scope).or_default().push((says.number, id.clone()));
                    }
                }
                for (scope, mut pairs) in own {
                    pairs.sort();
                    if !elsewhere {
                        anchors.push(registered(Kind::Reserve, &scope, anchor, pairs));
                    }
                    last.insert(scope, anchor);
                }
            }
            // A floor that leaves no number is the other one's.
            let tops = last.iter().map(|(scope, of)| (scope, of, book.top(scope)));
            for (scope, of, top) in tops.filter(|(.., top)| (1..MAX_NUMBER).contains(top)) {
                let floor = Anchor { numbers: vec![top], ..registered(Kind::Floor, scope, of, Vec::new()) };
                let bare = || Anchor { slug: None, note: None, agent: String::new(), branch: None, ..floor.clone() };
                floors.push(if elsewhere { bare() } else { floor });
            }
        }
        anchors.extend(floors);
        Ok(anchors)
    }

    fn commit(&self, parent: Option<&Oid>, anchors: &[Anchor]) -> Result<Oid, IdsError> {
        let ids: Vec<&str> = anchors.iter().flat_map(|anchor| anchor.ids.iter().map(String::as_str)).take(20).collect();
        let subject = if ids.is_empty() { "floor".to_owned() } else { ids.join(" ") };
        let mut text = format!("headwater ids: {subject}\n\n");
        for anchor in anchors {
            text.push_str(&anchor.line());
            text.push('\n');
        }
        let (author, at) = anchors.first().map_or(("", ""), |anchor| (anchor.agent.as_str(), anchor.at.as_str()));
        let parents: Vec<&Oid> = parent.into_iter().collect();
        Ok(self.git.write_text_commit(&parents, &text, author, at)?)
    }
}

/// A pause of up to 20 ms, 40 ms, … 640 ms, another one in each process.
fn pause(attempt: u32) -> Duration {
    let most = 20_000_u64 << attempt.min(5);
    let mut bytes = [0; 8];
    let random =
        getrandom::fill(&mut bytes).map_or_else(|_| u64::from(std::process::id()), |()| u64::from_le_bytes(bytes));
    Duration::from_micros(random % most)
}

impl AnchorLog for GitLog<'_> {
    fn identity(&self) -> String {
        format!("{} on {}", self.reference.as_str(), self.name)
    }

    fn read(&mut self, namespace: &str) -> Result<Vec<Anchor>, IdsError> {
        let anchors = self.locked(|| {
            let chain = self.fetch_chain()?;
            let mut anchors = self.known(&chain)?;
            anchors.extend(self.others(namespace, &anchors)?);
            Ok(anchors)
        })?;
        Ok(anchors.into_iter().filter(|anchor| anchor.namespace == namespace).collect())
    }

    fn append(&mut self, namespace: &str, decide: &mut Decide<'_>) -> Result<Outcome, IdsError> {
        self.locked(|| self.append_to_remote(On::Known, namespace, decide))
    }
}
