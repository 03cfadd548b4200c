//! Starting a log: above everything that is known anywhere.

use super::IdsError;
use super::allocator::Allocator;
use super::contract::{Anchor, AnchorLog as _, Decision, Kind, Outcome, Standing};
use super::fold::Book;
use super::lost;
use super::reserve::{self, Asking, Known};
use super::sources::{self, Floors, Numbers};
use super::sqlite::{SqliteLog, Start};
use crate::config::pattern::Scope;
use crate::config::{LogKind, Namespace};
use crate::trust::number::Floor;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

impl Allocator<'_> {
    /// Starts the local log, or mends it, and raises every namespace above what is known of it anywhere. Gives the
    /// number of ids that sources and names mention, and where each namespace stands.
    ///
    /// # Errors
    /// A source is missing or empty, or a log cannot be written.
    pub fn init(&self, asking: &Asking) -> Result<(usize, BTreeMap<String, u64>), IdsError> {
        let mut plans = Vec::new();
        let mut mentioned = 0;
        for namespace in self.namespaces.values() {
            // Everything is read before anything is written: a log is not started on half of the sources.
            let here = self.here(namespace)?;
            for found in here.values() {
                mentioned += found.of_own().count();
                for number in found.of_own().filter(|_| self.follow) {
                    reserve::check_floor(namespace, number)?;
                }
            }
            plans.push(namespace);
        }
        let (mut local, kept) = SqliteLog::restore(&self.place.folder, self.local_patience())?;
        if let Some(kept) = kept {
            (self.say)(&format!("the log was made again; the old one is kept as `{}`", kept.display()));
        }
        let mut stands = BTreeMap::new();
        for (place, namespace) in (0..).zip(plans) {
            let asking = Asking { nonce: format!("{}-init-{place}", asking.nonce), ..asking.clone() };
            let mut numbers = self.numbers(namespace, &mut local, &asking)?;
            self.fetch_heads(namespace);
            self.add_history(namespace, &mut numbers)?;
            let mut logs = Book::fold(local.read(&namespace.name)?).floors().clone();
            if let Some(git) = self.git_for(namespace)? {
                let mut shared = self.shared(&git, namespace)?;
                // An empty log on the remote says that it may be started from: other clones need no `init`.
                let mut outcome = shared.append(&namespace.name, &mut |standing| {
                    let floors = self.floors(namespace, &numbers, &logs, standing)?;
                    start(standing, namespace, &asking, &floors)
                });
                if namespace.log == LogKind::Git && outcome.is_ok() {
                    outcome =
                        self.publish_lost(namespace, &asking, &git, &mut local).map(|_| Outcome::Appended(Vec::new()));
                }
                match outcome {
                    Ok(_) => sources::join(&mut logs, Book::fold(shared.seen()?).floors()),
                    Err(IdsError::Unreachable { remote, why } | IdsError::Unsure { remote, why, .. }) => {
                        (self.say)(&format!(
                            "`{remote}` cannot be reached ({why}): {} starts from what is known here",
                            namespace.name
                        ));
                    }
                    Err(error) => return Err(error),
                }
            }
            let asking = Asking { nonce: format!("{}-local", asking.nonce), ..asking };
            local.append(&namespace.name, &mut |standing| {
                let floors = self.floors(namespace, &numbers, &logs, standing)?;
                start(standing, namespace, &asking, &floors)
            })?;
            let book = Book::fold(local.read(&namespace.name)?);
            stands.insert(namespace.name.clone(), book.top(&asking.scope(namespace)));
        }
        Ok((mentioned, stands))
    }

    /// Where each scope starts, given where the logs stand; jumps are told.
    fn floors(
        &self,
        namespace: &Namespace,
        numbers: &Numbers,
        logs: &Floors,
        standing: &dyn Standing,
    ) -> Result<Floors, IdsError> {
        let mut floors = Floors::new();
        for scope in numbers.keys().chain(logs.keys()) {
            let logs = logs.get(scope).cloned().unwrap_or_default();
            let found = numbers.get(scope).cloned().unwrap_or_default();
            let known = Known { logs, found, follow: self.follow };
            self.tell_jumps(namespace, scope, &known, standing)?;
            floors.insert(scope.clone(), known.judge(&standing.floor(scope)?).0);
        }
        Ok(floors)
    }

    /// What is wrong with, or worth knowing of, the set-up of ids; asks each remote of a log `git`.
    ///
    /// # Errors
    /// A log cannot be read for a reason that is no matter of set-up.
    pub fn diagnose(&self, asking: &Asking) -> Result<Vec<String>, IdsError> {
        let mut said = Vec::new();
        match self.local(Start::Refused) {
            Ok(mut log) => {
                said.extend(log.network().map(|kind| {
                    format!(
                        "the log of ids lies on {kind}: without shared memory, with a rollback journal, slower and as safe"
                    )
                }));
                said.extend(log.examine()?.map(|error| error.to_string()));
                said.extend(log.unread()?);
            }
            // A shared log is taken up when it is first asked.
            Err(IdsError::NoLog(_)) if self.namespaces.values().all(|one| one.log != LogKind::Local) => {}
            Err(error @ (IdsError::NoLog(_) | IdsError::NoLocalLog)) => said.push(error.to_string()),
            Err(error) if error.is_damage() => said.push(error.to_string()),
            // Nothing beside it can be opened either.
            Err(error @ IdsError::NoFile(_)) => return Ok(vec![error.to_string()]),
            Err(error) => return Err(error),
        }
        for namespace in self.namespaces.values() {
            // What the log warns of is a finding here.
            let warned = RefCell::new(Vec::new());
            let say = |text: &str| warned.borrow_mut().push(text.to_owned());
            let listening = Allocator { place: self.place.clone(), say: &say, ..*self };
            let probed = match self.git_for(namespace) {
                Ok(None) => Ok(Vec::new()),
                Ok(Some(git)) => listening.shared(&git, namespace).and_then(|log| log.probe(&asking.nonce, &asking.at)),
                Err(error) => Err(error),
            };
            let books = listening.books(namespace);
            let warned: BTreeSet<String> = warned.take().into_iter().collect();
            said.extend(warned.iter().map(|text| format!("{}: {text}", namespace.name)));
            match books {
                Ok((own, seen)) => {
                    let waiting: Vec<&str> = own.pending().iter().map(|claim| claim.id.as_str()).collect();
                    if !waiting.is_empty() {
                        said.push(format!("{} CONFIRM-PENDING; run `headwater id sync`", waiting.join(" ")));
                    }
                    let found = lost::contested(namespace, &own, &seen);
                    said.extend(found.iter().map(|one| format!("{} {}; {}", one.id, one.detail, one.remedy)));
                }
                // Said above, or below.
                Err(error) if error.is_damage() => {}
                Err(IdsError::NoFile(_) | IdsError::NoLog(_) | IdsError::NoLocalLog | IdsError::Unreachable { .. }) => {
                }
                Err(error) => return Err(error),
            }
            match probed {
                Ok(odd) => said.extend(odd.iter().map(|text| format!("{}: {text}", namespace.name))),
                Err(error @ (IdsError::Unreachable { .. } | IdsError::Refused { .. })) => {
                    said.push(format!("{}: {error}", namespace.name));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(said)
    }

    /// Says that all numbers up to `top` are spent.
    ///
    /// # Errors
    /// [`IdsError::TooHigh`] before anything is written, or a log cannot be written.
    pub fn raise(&self, namespace: &Namespace, asking: &Asking, top: u64) -> Result<(), IdsError> {
        reserve::check_floor(namespace, top)?;
        let scope = asking.scope(namespace);
        let mut known = Known { follow: self.follow, ..Known::default() };
        known.found.own(top);
        let mut local = self.local(Start::Allowed)?;
        let (floor, jumps) = known.judge(&Book::fold(local.read(&namespace.name)?).floor(&scope));
        if jumps.contains(&top) {
            return Err(IdsError::Jump { namespace: namespace.name.clone(), number: top, stands: floor.top() });
        }
        let tops = Floors::from([(scope, floor)]);
        local.append(&namespace.name, &mut |standing| reserve::raise(standing, namespace, asking, &tops))?;
        if let Some(git) = self.git_for(namespace)? {
            let mut shared = self.shared(&git, namespace)?;
            shared.append(&namespace.name, &mut |standing| reserve::raise(standing, namespace, asking, &tops))?;
        }
        Ok(())
    }
}

/// Raises a namespace to its tops. Of one without numbers it is said all the same that it was started: a log that
/// says nothing of it has lost it.
fn start(standing: &dyn Standing, namespace: &Namespace, asking: &Asking, tops: &Floors) -> Result<Decision, IdsError> {
    let decision = reserve::raise(standing, namespace, asking, tops)?;
    let is_new = standing.anchors()?.is_empty();
    Ok(match decision {
        Decision::Append(anchors) if anchors.is_empty() && is_new => {
            let mut floors = tops.clone();
            floors.entry(asking.scope(namespace)).or_default();
            Decision::Append(floor_of(namespace, asking, &floors))
        }
        decision @ (Decision::Append(_) | Decision::Already(_)) => decision,
    })
}

/// Anchors that say where a namespace starts, for a log that has none.
fn floor_of(namespace: &Namespace, asking: &Asking, floors: &Floors) -> Vec<Anchor> {
    let one = |(place, (scope, floor)): (usize, (&Scope, &Floor))| Anchor {
        scope: scope.clone(),
        numbers: vec![floor.top()],
        nonce: format!("{}-start-{place}", asking.nonce),
        ..asking.anchor(&namespace.name, Kind::Floor)
    };
    floors.iter().enumerate().map(one).collect()
}
