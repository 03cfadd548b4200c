//! What is wrong with the use of ids: numbers used twice, never reserved, never used, replaced but cited.

mod cited;
mod odd;
mod titles;
mod twice;
mod uses;

use super::IdsError;
use super::allocator::Allocator;
use super::contract::Kind;
use super::fold::{Book, State};
use super::{lost, settle, sources};
use crate::config::Namespace;
use crate::config::pattern::Scope;
use crate::git::{Git, Oid};
use std::collections::{BTreeMap, BTreeSet};
use uses::Tree;

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Finding {
    /// Its stable code.
    pub code: &'static str,
    /// The id.
    pub id: String,
    /// Where: a file, and a line of it where that is known.
    pub place: String,
    /// What is wrong.
    pub detail: String,
    /// What to do.
    pub remedy: String,
}

/// A number that is used twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// What is said of it.
    pub finding: Finding,
    /// Whether one of the two uses was added in this work tree, or by what is pushed.
    pub here: bool,
}

/// The code of a number that is used twice: the one that fails a check.
pub const COLLISION: &str = "id-collision";

/// The code of a number that is used twice if a pull request is open of which that cannot be told.
pub const MAYBE: &str = "id-maybe-collision";

/// How old a claim may wait while its log can be reached, in milliseconds.
const DRIFT_MILLIS: i128 = 30_000;

/// What a check is to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The commit to compare with.
    pub base: Option<Oid>,
    /// Now, and the instant before which an unused reservation is named, in milliseconds since 1970.
    pub now: i128,
    /// That instant.
    pub unused_before: i128,
}

/// What a push brings to a remote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Push {
    /// The commits.
    pub commits: Vec<Oid>,
    /// The references of this clone that have what it replaces, such as `refs/remotes/origin/x`.
    pub replaced: BTreeSet<String>,
}

/// The numbers of a namespace that are used twice once a push is through, whatever work trees hold.
///
/// # Errors
/// Something that was to be compared with cannot be seen.
pub fn pushed_collisions(
    namespace: &Namespace,
    git: &Git,
    base: Option<&Oid>,
    push: &Push,
) -> Result<Vec<Collision>, IdsError> {
    let trees = uses::pushed_trees(namespace, git, base, &push.commits, &push.replaced)?;
    twice::collisions(namespace, &trees, Some(git), base)
}

impl Allocator<'_> {
    /// Looks for what is wrong with a namespace's ids.
    ///
    /// # Errors
    /// Something that was to be compared with cannot be seen.
    pub fn check(&self, namespace: &Namespace, request: &Request) -> Result<Vec<Finding>, IdsError> {
        let git = self.git();
        self.look_at_log(namespace);
        let trees = self.trees(namespace, git.as_ref(), request.base.as_ref())?;
        let collisions = twice::collisions(namespace, &trees, git.as_ref(), request.base.as_ref())?;
        let mut findings: Vec<Finding> = collisions.into_iter().map(|collision| collision.finding).collect();
        findings.extend(self.odd_names(namespace, &trees)?);
        let mut used: BTreeSet<(Scope, u64)> =
            trees.iter().flat_map(|tree| &tree.uses).map(|one| (one.scope.clone(), one.number)).collect();
        let names = sources::in_names(namespace, &self.place.top, false)?;
        used.extend(names.into_iter().map(|(_, says)| (says.scope, says.number)));
        match self.books(namespace) {
            Ok((own, seen)) => {
                cited::known_remedies(namespace, (&own, &seen), &mut findings);
                findings.extend(lost::contested(namespace, &own, &seen));
                findings.extend(self.reservations(namespace, (&own, &seen), &trees, &used, request)?);
            }
            // In a fresh clone nothing is known of reservations, but collisions can be seen.
            Err(IdsError::NoLog(_) | IdsError::NoLocalLog) => {}
            Err(error) => return Err(error),
        }
        findings.sort();
        findings.dedup();
        Ok(findings)
    }

    /// Reads what others reserved since; what cannot be read is said, and what was seen last counts.
    fn look_at_log(&self, namespace: &Namespace) {
        let Ok(Some(git)) = self.git_for(namespace) else { return };
        if !self.fetch {
            return;
        }
        if let Err(error) = self.shared(&git, namespace).and_then(|shared| shared.fetch()) {
            (self.say)(&format!(
                "the log of {} was not read, what was seen of it last counts: {error}",
                namespace.name
            ));
        }
    }

    fn reservations(
        &self,
        namespace: &Namespace,
        (own, seen): (&Book, &Book),
        trees: &[Tree],
        used: &BTreeSet<(Scope, u64)>,
        request: &Request,
    ) -> Result<Vec<Finding>, IdsError> {
        let rows = self.rows(namespace)?;
        let mut findings = Vec::new();
        let name = &namespace.name;
        let mut known: BTreeSet<(Scope, u64)> = BTreeSet::new();
        let mut replaced = BTreeMap::new();
        let sees_uses = namespace.files.is_some() || !namespace.sources.is_empty();
        for row in &rows {
            let (claim, anchor) = (&row.claim, &row.anchor);
            let key = (claim.scope.clone(), claim.number);
            let at = instant(&anchor.at);
            let mut finding = |code, detail: String, remedy: String| {
                let place = format!("{} by {}", anchor.at, anchor.agent);
                findings.push(Finding { code, id: claim.id.clone(), place, detail, remedy });
            };
            match &claim.state {
                State::Pending if request.now - at > DRIFT_MILLIS => finding(
                    "id-pending",
                    "has been CONFIRM-PENDING for more than 30 s".to_owned(),
                    "run `headwater id sync`".to_owned(),
                ),
                State::Confirmed if sees_uses && at < request.unused_before && !used.contains(&key) => finding(
                    "id-unused",
                    "was reserved long ago and is used nowhere".to_owned(),
                    format!("run `headwater id release {}` if nobody needs it", claim.id),
                ),
                State::Amended(new) if seen.claim(&claim.id).is_none_or(|now| now == claim) => {
                    replaced.insert(claim.id.clone(), new.clone());
                }
                State::Released => {
                    let here = trees.first().into_iter().flat_map(|tree| &tree.uses);
                    for one in here.filter(|one| (&one.scope, one.number) == (&key.0, key.1)) {
                        findings.push(Finding {
                            code: "id-released-used",
                            id: claim.id.clone(),
                            place: one.path.clone(),
                            detail: "was released and is still used".to_owned(),
                            remedy: format!(
                                "delete `{}`, or give it an id of its own: `headwater id reserve {name}`",
                                one.label
                            ),
                        });
                    }
                }
                State::Pending | State::Confirmed | State::Amended(_) => {}
            }
            known.insert(key);
        }
        let floors = |book: &Book, key: &(Scope, u64)| {
            let covers = |anchor: &super::contract::Anchor| {
                anchor.kind == Kind::Floor
                    && anchor.scope == key.0
                    && is_start(&anchor.nonce)
                    && anchor.numbers.iter().any(|number| *number >= key.1)
            };
            book.anchors().iter().any(covers)
        };
        for tree in trees.iter().take(1) {
            for one in &tree.uses {
                let key = (one.scope.clone(), one.number);
                if !known.contains(&key) && !floors(own, &key) && !floors(seen, &key) {
                    findings.push(Finding {
                        code: "id-unreserved",
                        id: namespace.format.render(&one.scope, one.number, ""),
                        place: one.path.clone(),
                        detail: "is used and was never reserved".to_owned(),
                        remedy: format!("reserve before you write: `headwater id reserve {name}`; `headwater id init` takes in what is there"),
                    });
                }
            }
        }
        findings.extend(self.cited(namespace, (own, seen), trees, &replaced)?);
        findings.extend(events_twice(if seen.anchors().is_empty() { own } else { seen }));
        Ok(findings)
    }
}

/// Durable keys under which two clones reserved different things without the shared log.
fn events_twice(book: &Book) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (place, anchor) in book.anchors().iter().enumerate().filter(|(_, anchor)| anchor.event.is_some()) {
        let earlier = book.anchors().iter().take(place).any(|other| other.event == anchor.event);
        let Some(other) = settle::other_use(book, anchor).filter(|_| earlier) else { continue };
        let unused = |id: &String| book.resolve(id).is_none_or(|now| now.state == State::Released);
        if !anchor.ids.iter().all(unused) {
            findings.push(Finding {
                code: "id-event",
                id: anchor.ids.join(" "),
                place: format!("{} by {}", anchor.at, anchor.agent),
                detail: format!(
                    "was reserved by the event `{}`, and so was {} for something else",
                    anchor.event.as_deref().unwrap_or_default(),
                    other.ids.join(" ")
                ),
                remedy: "reserve for one of them under another `--event`, and release what nobody needs".to_owned(),
            });
        }
    }
    findings
}

/// Whether a floor was set by `init` or an import, and not because a reference was seen to use a number.
fn is_start(nonce: &str) -> bool {
    nonce.contains("-init-") || !nonce.contains("-references")
}

/// An instant as milliseconds since 1970; what cannot be read is as old as can be.
fn instant(at: &str) -> i128 {
    crate::event::Timestamp::parse(at).map_or(0, |at| at.unix_nanos() / 1_000_000)
}
