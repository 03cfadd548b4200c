//! What is wrong with the use of ids: numbers used twice, never reserved, never used, replaced but cited.

use super::IdsError;
use super::allocator::Allocator;
use super::contract::Kind;
use super::fold::{Book, State};
use super::sources;
use crate::config::Namespace;
use crate::config::pattern::{Numbered, Scope};
use crate::git::{Git, GitError, MergeBase, Oid};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

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

/// The code of a number that is used twice: the one that fails a check.
pub const COLLISION: &str = "id-collision";

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

/// One thing with a number: a file or a row, by its slug or title.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    scope: Scope,
    number: u64,
    /// What tells two things apart.
    label: String,
    /// Its file.
    path: String,
}

/// The uses in one tree.
#[derive(Debug, Clone)]
struct Tree {
    /// How the tree is called.
    name: String,
    /// The commit that it is, or stands on.
    commit: Option<Oid>,
    uses: BTreeSet<Use>,
}

impl Allocator<'_> {
    /// Looks for what is wrong with a namespace's ids.
    ///
    /// # Errors
    /// Something that was to be compared with cannot be seen.
    pub fn check(&self, namespace: &Namespace, request: &Request) -> Result<Vec<Finding>, IdsError> {
        let git = self.git();
        let trees = self.trees(namespace, git.as_ref(), request)?;
        let mut findings = collisions(namespace, &trees, git.as_ref(), request)?;
        let used: BTreeSet<(Scope, u64)> =
            trees.iter().flat_map(|tree| &tree.uses).map(|one| (one.scope.clone(), one.number)).collect();
        findings.extend(self.contested(namespace)?);
        match self.books(namespace) {
            Ok((own, seen)) => {
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

    fn trees(&self, namespace: &Namespace, git: Option<&Git>, request: &Request) -> Result<Vec<Tree>, IdsError> {
        // A source that is not there is nothing that was looked at.
        sources::in_sources(namespace, &self.place.top, false)?;
        let mut trees = vec![work_tree(namespace, &self.place.top, "this work tree", git)?];
        let Some(git) = git else { return Ok(trees) };
        for sibling in git.layout().work_trees().iter().skip(1) {
            let name = format!("the work tree {}", sibling.work_tree.display());
            trees.push(work_tree(namespace, &sibling.work_tree, &name, Some(&Git::at(sibling)))?);
        }
        let mut tips: BTreeMap<Oid, String> = BTreeMap::new();
        for (name, oid) in git.tips()? {
            let short = ["refs/heads/", "refs/remotes/", "refs/headwater/heads/", "refs/headwater/"];
            let short = short.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(&name).to_owned();
            tips.entry(oid).or_insert(short);
        }
        if let Some(base) = &request.base {
            tips.entry(base.clone()).or_insert_with(|| "the base".to_owned());
        }
        let merged = match (&request.base, git.head_oid()?) {
            (Some(base), Some(head)) => git.merged_tree(&head, base)?,
            _ => None,
        };
        let (oids, names): (Vec<Oid>, Vec<String>) = tips.into_iter().unzip();
        for ((oid, name), uses) in oids.iter().zip(names).zip(uses_at(namespace, git, &oids)?) {
            trees.push(Tree { name, commit: Some(oid.clone()), uses });
        }
        if let Some(merged) = merged {
            let uses = uses_at(namespace, git, &[merged])?.into_iter().next().unwrap_or_default();
            trees.push(Tree { name: "the merge with the base".to_owned(), commit: None, uses });
        }
        Ok(trees)
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
                State::Pending | State::Confirmed | State::Released | State::Amended(_) => {}
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
        if let Some(git) = self.git() {
            let words: Vec<String> = replaced.keys().cloned().collect();
            for line in git.lines_with(&words)? {
                let mut parts = line.splitn(3, ':');
                let (Some(path), Some(number), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
                    continue;
                };
                for (old, new) in replaced.iter().filter(|(old, _)| text.contains(old.as_str())) {
                    findings.push(Finding {
                        code: "id-amended-cited",
                        id: old.clone(),
                        place: format!("{path}:{number}"),
                        detail: format!("was amended to {new} and is still cited"),
                        remedy: format!("write {new}"),
                    });
                }
            }
        }
        Ok(findings)
    }
}

/// Whether a floor was set by `init` or an import, and not because a reference was seen to use a number.
fn is_start(nonce: &str) -> bool {
    nonce.contains("-init-") || !nonce.contains("-references")
}

/// An instant as milliseconds since 1970; what cannot be read is as old as can be.
fn instant(at: &str) -> i128 {
    crate::event::Timestamp::parse(at).map_or(0, |at| at.unix_nanos() / 1_000_000)
}

fn work_tree(namespace: &Namespace, top: &Path, name: &str, git: Option<&Git>) -> Result<Tree, IdsError> {
    let mut uses = BTreeSet::new();
    for (path, says) in sources::in_names(namespace, top)? {
        uses.extend(file_use(namespace, &path, says));
    }
    for source in &namespace.sources {
        if let Some(bytes) = crate::store::read_text(&top.join(source))? {
            uses.extend(row_uses(namespace, source, &bytes));
        }
    }
    let commit = git.map(Git::head_oid).transpose()?.flatten();
    Ok(Tree { name: name.to_owned(), commit, uses })
}

fn uses_at(namespace: &Namespace, git: &Git, commits: &[Oid]) -> Result<Vec<BTreeSet<Use>>, IdsError> {
    let mut all = vec![BTreeSet::new(); commits.len()];
    if let Some(files) = &namespace.files {
        let folder = files.folder();
        for (uses, names) in all.iter_mut().zip(git.names_at(commits, folder)?) {
            for name in names {
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if let Some(says) = files.taken_by(&path) {
                    uses.extend(file_use(namespace, &path, says));
                }
            }
        }
    }
    for source in &namespace.sources {
        for (uses, bytes) in all.iter_mut().zip(git.contents_at(commits, source)?) {
            uses.extend(row_uses(namespace, source, &bytes.unwrap_or_default()));
        }
    }
    Ok(all)
}

fn file_use(namespace: &Namespace, path: &str, says: Numbered) -> Option<Use> {
    let exact = namespace.files.as_ref()?.read(path);
    // A file whose name only begins like a numbered one is told apart by its whole name.
    let label = exact.and_then(|says| says.slug).unwrap_or_else(|| path.to_owned());
    Some(Use { scope: says.scope, number: says.number, label, path: path.to_owned() })
}

/// The rows of a table whose first cell is an id, with the title in the second.
fn row_uses(namespace: &Namespace, path: &str, bytes: &[u8]) -> Vec<Use> {
    let text = String::from_utf8_lossy(bytes);
    let mut uses = Vec::new();
    for line in text.lines().filter_map(|line| line.trim().strip_prefix('|')) {
        let mut cells = line.split('|').map(str::trim);
        let (first, title) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        let mentions = namespace.format.mentions(first);
        let suffixed =
            |end: usize| first.get(end..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
        if let [only] = mentions.as_slice()
            && !suffixed(only.end)
        {
            let label = title.trim_matches(['~', '*', '_', ' ']).to_owned();
            uses.push(Use { scope: only.says.scope.clone(), number: only.says.number, label, path: path.to_owned() });
        }
    }
    uses
}

/// Numbers with two labels: in one tree, or in two that came to the number independently.
fn collisions(
    namespace: &Namespace,
    trees: &[Tree],
    git: Option<&Git>,
    request: &Request,
) -> Result<Vec<Finding>, IdsError> {
    let mut by_number: BTreeMap<(Scope, u64), Vec<(usize, &Use)>> = BTreeMap::new();
    for (place, tree) in trees.iter().enumerate() {
        for one in &tree.uses {
            by_number.entry((one.scope.clone(), one.number)).or_default().push((place, one));
        }
    }
    let mut findings = Vec::new();
    let mut history = History { namespace, git, base: request.base.as_ref(), inherited: BTreeMap::new() };
    for ((scope, number), uses) in by_number {
        let labels: BTreeSet<&str> = uses.iter().map(|(_, one)| one.label.as_str()).collect();
        if labels.len() < 2 {
            continue;
        }
        let mut candidates = Vec::new();
        for &(place, one) in &uses {
            let Some(tree) = trees.get(place) else { continue };
            let in_one_tree = uses.iter().any(|(other, another)| *other == place && another.label != one.label);
            if in_one_tree || !history.inherits(tree, &scope, number)? {
                candidates.push((place, tree, one));
            }
        }
        let mut counted: BTreeMap<&str, (usize, &Use)> = BTreeMap::new();
        for (position, (place, tree, one)) in candidates.iter().enumerate() {
            for (other, their_tree, theirs) in candidates.iter().skip(position + 1) {
                let settled = counted.contains_key(one.label.as_str()) && counted.contains_key(theirs.label.as_str());
                if one.label == theirs.label || settled {
                    continue;
                }
                if place == other || history.independent(tree, their_tree)? {
                    counted.entry(&one.label).or_insert((*place, one));
                    counted.entry(&theirs.label).or_insert((*other, theirs));
                }
            }
        }
        if counted.is_empty() {
            continue;
        }
        let id = namespace.format.render(&scope, number, "");
        let place = |(place, one): &(usize, &Use)| {
            let tree = trees.get(*place).map_or("", |tree| tree.name.as_str());
            format!("{} in {tree}", one.path)
        };
        let places: Vec<String> = counted.values().map(place).collect();
        let names: Vec<String> = counted.keys().map(|label| format!("`{label}`")).collect();
        let first = uses.iter().find(|(place, _)| *place == 0).or(uses.first());
        findings.push(Finding {
            code: COLLISION,
            remedy: format!(
                "keep the one that was published first, and run `headwater id renumber {id}` where the other one is"
            ),
            place: first.map(|(_, one)| one.path.clone()).unwrap_or_default(),
            detail: format!("is used for {}: {}", names.join(" and "), places.join(", ")),
            id,
        });
    }
    Ok(findings)
}

/// Which numbers a tree has from where its branch left the base.
struct History<'a> {
    namespace: &'a Namespace,
    git: Option<&'a Git>,
    base: Option<&'a Oid>,
    inherited: BTreeMap<Oid, BTreeSet<(Scope, u64)>>,
}

impl History<'_> {
    /// Whether the tree's number was there already where its branch left the base: then it is an older
    /// state of the base's, or an edit of it, and no number that was taken independently.
    fn inherits(&mut self, tree: &Tree, scope: &Scope, number: u64) -> Result<bool, IdsError> {
        let (Some(git), Some(base), Some(commit)) = (self.git, self.base, &tree.commit) else { return Ok(false) };
        if commit == base {
            return Ok(false);
        }
        if !self.inherited.contains_key(commit) {
            let fork = match git.merge_base(commit, base)? {
                MergeBase::Found(fork) => uses_at(self.namespace, git, &[fork])?.into_iter().next().unwrap_or_default(),
                MergeBase::Unrelated => BTreeSet::new(),
                MergeBase::Shallow => {
                    return Err(GitError::UnknownRevision {
                        rev: format!(
                            "the merge base of {} (this clone is shallow; fetch the whole history)",
                            tree.name
                        ),
                    }
                    .into());
                }
            };
            let numbers = fork.into_iter().map(|one| (one.scope, one.number)).collect();
            self.inherited.insert(commit.clone(), numbers);
        }
        Ok(self.inherited.get(commit).is_some_and(|numbers| numbers.contains(&(scope.clone(), number))))
    }

    /// Whether neither of two trees stands on the other: otherwise two labels are a renaming.
    fn independent(&self, a: &Tree, b: &Tree) -> Result<bool, IdsError> {
        match (self.git, &a.commit, &b.commit) {
            (Some(git), Some(a), Some(b)) => Ok(!git.is_ancestor(a, b)? && !git.is_ancestor(b, a)?),
            _ => Ok(false),
        }
    }
}
