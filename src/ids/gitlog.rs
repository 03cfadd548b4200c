//! The shared log: a reference on a remote, a chain of commits, appended by compare-and-swap pushes.
//!
//! Each commit's message carries anchors, one line of JSON each. The remote's reference update gives the
//! order; what it holds decides who owns what, never the exit code of a push.

use super::IdsError;
use super::contract::{Anchor, AnchorLog, Decide, Decision, Outcome};
use super::fold::Book;
use crate::git::{Git, GitError, Oid, Pushed};
use crate::store::{LockRequest, make_folder, with_lock_file};
use std::thread;
use std::time::{Duration, Instant};

/// How long one conversation with the remote may take.
const CONVERSATION: Duration = Duration::from_secs(15);

/// How often an answer other than "taken", without anybody else having moved the log, is a refusal.
const REFUSALS: u32 = 3;

/// A namespace's log on a remote.
#[derive(Clone)]
pub struct GitLog<'a> {
    /// The repository.
    pub git: &'a Git,
    /// The remote's name.
    pub remote: &'a str,
    /// The reference there.
    pub reference: &'a str,
    /// The reference that keeps what was seen last, here.
    pub copy: String,
    /// What else one fetch is to bring.
    pub also: Vec<String>,
    /// How long may be tried.
    pub patience: Duration,
    /// Told what must not be missed.
    pub say: &'a dyn Fn(&str),
}

impl std::fmt::Debug for GitLog<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitLog")
            .field("remote", &self.remote)
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}

/// The chain as it is to be built upon.
struct Chain {
    /// What the remote's reference names.
    there: Option<Oid>,
    /// What the next commit stands on: that, or what the remote has lost since.
    base: Option<Oid>,
}

impl<'a> GitLog<'a> {
    /// The log of a namespace, its copy under `refs/headwater/ids/`.
    #[must_use]
    pub fn new(
        git: &'a Git,
        namespace: &'a crate::config::Namespace,
        patience: Duration,
        say: &'a dyn Fn(&str),
    ) -> Self {
        Self {
            git,
            remote: &namespace.remote,
            reference: &namespace.reference,
            copy: format!("refs/headwater/ids/{}", namespace.name),
            also: Vec::new(),
            patience,
            say,
        }
    }

    /// What was seen of the log last, without asking the remote.
    ///
    /// # Errors
    /// git cannot answer, or a commit holds something else.
    pub fn seen(&self) -> Result<Vec<Anchor>, IdsError> {
        self.anchors(self.git.reference(&self.copy)?.as_ref())
    }

    /// Fetches the log; whether the remote has one.
    ///
    /// # Errors
    /// [`IdsError::Unreachable`], and what git refuses.
    pub fn fetch(&self) -> Result<bool, IdsError> {
        self.locked(|| Ok(self.fetch_chain()?.there.is_some()))
    }

    /// Fetches other references into those of our own.
    ///
    /// # Errors
    /// [`IdsError::Unreachable`], and what git refuses.
    pub fn fetch_only(&self, refspecs: &[String], limit: Duration) -> Result<(), IdsError> {
        self.locked(|| {
            let answer = self.reached(self.git.fetch_privately(self.remote, refspecs, limit))?;
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
            let reference = format!("{}-probe-{nonce}", self.reference);
            let commit = self.git.write_text_commit(None, &format!("headwater ids: probe {nonce}\n"), "", at)?;
            match self.reached(self.git.push_expecting(self.remote, &reference, &commit, None, CONVERSATION))? {
                Pushed::Taken => {
                    Ok(self.git.delete_remote_reference(self.remote, &reference, &commit, CONVERSATION)?)
                }
                Pushed::Unknown { why } => Err(IdsError::Refused { remote: self.remote.to_owned(), reference, why }),
            }
        })
    }

    fn anchors(&self, tip: Option<&Oid>) -> Result<Vec<Anchor>, IdsError> {
        let Some(tip) = tip else { return Ok(Vec::new()) };
        let mut anchors = Vec::new();
        for (number, message) in (1..).zip(self.git.messages(tip)?) {
            // What others put on the reference without being anchors reserves nothing.
            for line in message.lines().filter(|line| line.starts_with('{')) {
                anchors.push(Anchor::read(line).map_err(|fault| IdsError::Damaged {
                    place: format!("{} on {}", self.reference, self.remote),
                    line: number,
                    fault,
                })?);
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
        IdsError::Unreachable { remote: self.remote.to_owned(), why: why.to_owned() }
    }

    /// A conversation that took too long is one with an unreachable remote.
    fn reached<T>(&self, answer: Result<T, GitError>) -> Result<T, IdsError> {
        answer.map_err(|error| {
            if let GitError::TimedOut { limit, .. } = error {
                return self.unreachable(&format!("no answer within {limit:?}"));
            }
            error.into()
        })
    }

    fn fetch_chain(&self) -> Result<Chain, IdsError> {
        let before = self.git.reference(&self.copy)?;
        let own = format!("+{}:{}", self.reference, self.copy);
        let all: Vec<String> = std::iter::once(own).chain(self.also.iter().cloned()).collect();
        let answer = self.reached(self.git.fetch_privately(self.remote, &all, CONVERSATION))?;
        if !answer.success() {
            if !answer.stderr.contains("couldn't find remote ref") {
                return Err(self.unreachable(&answer.stderr));
            }
            if !self.also.is_empty() {
                let answer = self.reached(self.git.fetch_privately(self.remote, &self.also, CONVERSATION))?;
                if !answer.success() {
                    return Err(self.unreachable(&answer.stderr));
                }
            }
            if before.is_some() {
                (self.say)(&format!(
                    "`{}` is no longer on `{}`; the reservations that were seen there are published again",
                    self.reference, self.remote
                ));
            }
            return Ok(Chain { there: None, base: before });
        }
        let there = self.git.reference(&self.copy)?;
        if let (Some(before), Some(now)) = (&before, &there)
            && before != now
            && !self.git.is_ancestor(before, now)?
        {
            let rewound = self.git.is_ancestor(now, before)?;
            (self.say)(&format!(
                "`{}` on `{}` {}; no number that was seen there is given again",
                self.reference,
                self.remote,
                if rewound { "lost its last reservations, which are published again" } else { "was rewritten" }
            ));
            if rewound {
                self.git.set_own_reference(&self.copy, before)?;
                return Ok(Chain { base: Some(before.clone()), there });
            }
        }
        Ok(Chain { base: there.clone(), there })
    }

    /// Fetches, decides and pushes until the remote holds the decision, or somebody must be told.
    fn append_to_remote(&self, decide: &mut Decide<'_>) -> Result<Outcome, IdsError> {
        let started = Instant::now();
        let mut chain = self.fetch_chain()?;
        let mut refused = 0;
        for attempt in 0u32.. {
            let book = Book::fold(self.anchors(chain.base.as_ref())?);
            let anchors = match decide(&book)? {
                Decision::Already(anchor) => return Ok(Outcome::Already(anchor)),
                Decision::Append(anchors) if anchors.is_empty() => return Ok(Outcome::Appended(anchors)),
                Decision::Append(anchors) => anchors,
            };
            let commit = self.commit(chain.base.as_ref(), &anchors)?;
            let pushed =
                self.git.push_expecting(self.remote, self.reference, &commit, chain.there.as_ref(), CONVERSATION);
            let why = match pushed {
                Ok(Pushed::Taken) => {
                    self.git.set_own_reference(&self.copy, &commit)?;
                    return Ok(Outcome::Appended(anchors));
                }
                Ok(Pushed::Unknown { why }) => why,
                Err(error @ GitError::TimedOut { .. }) => error.to_string(),
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
            if anchors.iter().all(|anchor| held.holds(&anchor.nonce)) {
                return Ok(Outcome::Appended(anchors));
            }
            refused = if chain.there == before { refused + 1 } else { 0 };
            let (remote, reference) = (self.remote.to_owned(), self.reference.to_owned());
            if refused >= REFUSALS {
                return Err(IdsError::Refused { remote, reference, why });
            }
            if started.elapsed() >= self.patience {
                return Err(IdsError::Contended { remote, reference, waited: started.elapsed() });
            }
            thread::sleep(pause(attempt));
        }
        Err(self.unreachable("tried too often"))
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
        Ok(self.git.write_text_commit(parent, &text, author, at)?)
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
        format!("{} on {}", self.reference, self.remote)
    }

    fn read(&mut self, namespace: &str) -> Result<Vec<Anchor>, IdsError> {
        let anchors = self.locked(|| {
            let chain = self.fetch_chain()?;
            self.anchors(chain.base.as_ref())
        })?;
        Ok(anchors.into_iter().filter(|anchor| anchor.namespace == namespace).collect())
    }

    fn append(&mut self, _namespace: &str, decide: &mut Decide<'_>) -> Result<Outcome, IdsError> {
        self.locked(|| self.append_to_remote(decide))
    }
}
