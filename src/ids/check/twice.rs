//! Numbers that are used for two things.
//!
//! A thing is what has a number: a file by its slug, a row by its title. Two labels of one number are one
//! thing if one became the other: git saw the file renamed, or a row was edited, or a work tree has the one
//! in the place of the other. A tree *claims* the things that it adds: a commit those that were not there
//! where its branch left the base, the base all of its own, a work tree those that are not committed. Two
//! things that are claimed are a collision, whatever commits the trees stand on.

use super::titles::Title;
use super::uses::{Stand, Tree, Use, file_use, uses_at};
use super::{COLLISION, Collision, Finding, MAYBE};
use crate::config::Namespace;
use crate::config::pattern::Scope;
use crate::git::{Git, GitError, MergeBase, Oid};
use crate::ids::IdsError;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Names the numbers with two labels that are not one thing.
pub(super) fn collisions(
    namespace: &Namespace,
    trees: &[Tree],
    git: Option<&Git>,
    base: Option<&Oid>,
) -> Result<Vec<Collision>, IdsError> {
    let mut by_number: BTreeMap<(&Scope, u64), Vec<(&Tree, &Use)>> = BTreeMap::new();
    for tree in trees {
        for one in &tree.uses {
            by_number.entry((&one.scope, one.number)).or_default().push((tree, one));
        }
    }
    let mut history = History::new(namespace, git, base, trees);
    let mut findings = Vec::new();
    history.read_titles(several_states(trees).into_iter())?;
    for uses in by_number.into_values() {
        let labels: BTreeSet<&str> = uses.iter().map(|(_, one)| one.label.as_str()).collect();
        let clash = if labels.len() > 1 { history.clash(&uses)? } else { None };
        let clash = match clash {
            Some((claims, unsure)) => Some((labelled(claims), unsure)),
            None => history.made_twice(&uses)?,
        };
        if let Some((found, unsure)) = clash {
            findings.push(finding(namespace, &uses, found, unsure));
        }
    }
    Ok(findings)
}

/// Claims and what tells them apart, and whether that rests on a tree that nobody can tell to be open.
pub(super) type Clash<'a> = (Vec<(String, Claim<'a>)>, bool);

fn labelled(claims: Vec<Claim<'_>>) -> Vec<(String, Claim<'_>)> {
    claims.into_iter().map(|claim| (claim.one.label.clone(), claim)).collect()
}

/// The blobs of paths that have several.
fn several_states(trees: &[Tree]) -> BTreeSet<&Oid> {
    let mut by_path: BTreeMap<&str, BTreeSet<&Oid>> = BTreeMap::new();
    for tree in trees.iter().filter(|tree| tree.stand != Stand::Merge) {
        for one in &tree.uses {
            by_path.entry(&one.path).or_default().extend(&one.blob);
        }
    }
    by_path.into_values().filter(|blobs| blobs.len() > 1).flatten().collect()
}

/// A label that a tree adds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) tree: &'a Tree,
    pub(super) one: &'a Use,
    /// The commit that has it; none while it is not committed.
    pub(super) commit: Option<&'a Oid>,
}

fn finding(
    namespace: &Namespace,
    uses: &[(&Tree, &Use)],
    mut found: Vec<(String, Claim<'_>)>,
    unsure: bool,
) -> Collision {
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    let places: Vec<String> =
        found.iter().map(|(_, claim)| format!("{} in {}", claim.one.path, claim.tree.name)).collect();
    let labels: Vec<String> = found.iter().map(|(label, _)| format!("`{label}`")).collect();
    // Here, if it is here: who reads it wants to open the file.
    let first = uses.iter().find(|(tree, _)| tree.here).or(uses.first()).map(|(_, one)| *one);
    let id = first.map(|one| namespace.format.render(&one.scope, one.number, "")).unwrap_or_default();
    let detail = format!("is used for {}: {}", labels.join(" and "), places.join(", "));
    let remedy = if first.is_some_and(|one| one.row) {
        format!(
            "keep the one that was published first, and give the other row an id of its own: `headwater id reserve {}`",
            namespace.name
        )
    } else {
        format!("keep the one that was published first, and run `headwater id renumber {id}` where the other one is")
    };
    let finding = Finding {
        code: if unsure { MAYBE } else { COLLISION },
        place: first.map(|one| one.path.clone()).unwrap_or_default(),
        detail: if unsure { format!("{detail}; whether that pull request is open cannot be told") } else { detail },
        remedy,
        id,
    };
    Collision { finding, here: found.iter().any(|(_, claim)| claim.tree.here) }
}

/// Labels that are one thing: each leads to the one that stands for it.
#[derive(Debug, Default)]
pub(super) struct Things(BTreeMap<String, String>);

impl Things {
    pub(super) fn of<'a>(&'a self, mut label: &'a str) -> &'a str {
        while let Some(next) = self.0.get(label) {
            label = next;
        }
        label
    }

    pub(super) fn join(&mut self, a: &str, b: &str) {
        let (a, b) = (self.of(a).to_owned(), self.of(b).to_owned());
        if a != b {
            self.0.insert(a, b);
        }
    }

    /// Joins a new label with the labels of its number that are gone from its tree.
    fn join_gone(&mut self, before: &BTreeSet<Use>, tree: &Tree, new: &Use, wanted: impl Fn(&Use) -> bool) {
        let same = |old: &&Use| (&old.scope, old.number, old.row) == (&new.scope, new.number, new.row);
        for gone in before.iter().filter(same).filter(|old| wanted(old) && !has(&tree.uses, old)) {
            self.join(&gone.label, &new.label);
        }
    }

    fn several(&self, claims: &[Claim<'_>]) -> bool {
        let things: BTreeSet<&str> = claims.iter().map(|claim| self.of(&claim.one.label)).collect();
        things.len() > 1
    }
}

/// What is asked of git, each question once.
pub(super) struct History<'a> {
    pub(super) namespace: &'a Namespace,
    pub(super) git: Option<&'a Git>,
    pub(super) base: Option<&'a Oid>,
    pub(super) trees: &'a [Tree],
    uses: BTreeMap<Oid, Rc<BTreeSet<Use>>>,
    /// Where the branch of a commit left the base, if it did.
    forks: BTreeMap<Oid, Option<Oid>>,
    /// The tips that stand on a commit.
    later: BTreeMap<Oid, BTreeSet<Oid>>,
    renames: Option<Vec<(Use, Use)>>,
    /// The titles of blobs, and of all that a path was in a commit's history.
    pub(super) titles: BTreeMap<Oid, Option<Title>>,
    pub(super) titles_ever: BTreeMap<(Oid, String), BTreeSet<String>>,
}

impl<'a> History<'a> {
    fn new(namespace: &'a Namespace, git: Option<&'a Git>, base: Option<&'a Oid>, trees: &'a [Tree]) -> Self {
        let known = trees.iter().filter_map(|tree| match &tree.stand {
            Stand::Commit(oid) => Some((oid.clone(), Rc::new(tree.uses.clone()))),
            Stand::Work(_) | Stand::Merge => None,
        });
        let uses = known.collect();
        Self {
            namespace,
            git,
            base,
            trees,
            uses,
            forks: BTreeMap::new(),
            later: BTreeMap::new(),
            renames: None,
            titles: BTreeMap::new(),
            titles_ever: BTreeMap::new(),
        }
    }

    /// One claim for each label of a number that is used for more than one thing, and whether that rests on
    /// a tree that nobody can tell to be open.
    fn clash<'u>(&mut self, uses: &[(&'u Tree, &'u Use)]) -> Result<Option<(Vec<Claim<'u>>, bool)>, IdsError> {
        let mut things = Things::default();
        let mut claims = Vec::new();
        let settled = self.settled(uses);
        let is_settled = |tree: &Tree, one: &Use| tree.commit() == self.base && settled.contains(one.label.as_str());
        let uses: Vec<(&Tree, &Use)> = uses.iter().copied().filter(|(tree, one)| !is_settled(tree, one)).collect();
        let uses = uses.as_slice();
        for &(tree, one) in uses {
            claims.extend(self.claim(tree, one, &mut things)?);
        }
        // What is certain comes first.
        claims.sort_by_key(|claim| claim.tree.unsure);
        if things.several(&claims) && claims.iter().any(|claim| !claim.one.row) {
            self.join_renamed(&mut things, claims.first())?;
        }
        self.join_edited_later(&mut things, &claims)?;
        let mut kept: Vec<Claim<'u>> = Vec::new();
        if things.several(&claims) {
            for claim in &claims {
                let named = kept.iter().any(|other| other.one.label == claim.one.label);
                if !named && !self.is_older_state(claim)? {
                    kept.push(*claim);
                }
            }
        }
        if !things.several(&kept) {
            kept = together(uses, &claims);
        }
        let certain: Vec<Claim<'_>> = kept.iter().filter(|claim| !claim.tree.unsure).copied().collect();
        let unsure = !things.several(&certain) && together(uses, &certain).is_empty();
        Ok(Some((kept, unsure)).filter(|(kept, _)| !kept.is_empty()))
    }

    /// What a tree adds of its uses; joins it with what it took the place of.
    pub(super) fn claim<'u>(
        &mut self,
        tree: &'u Tree,
        one: &'u Use,
        things: &mut Things,
    ) -> Result<Option<Claim<'u>>, IdsError> {
        let claim = |commit| Some(Claim { tree, one, commit });
        let (commit, before) = match &tree.stand {
            Stand::Merge => return Ok(None),
            Stand::Commit(commit) => (Some(commit), self.fork(tree, commit)?),
            Stand::Work(None) => return Ok(claim(None)),
            Stand::Work(Some(head)) => {
                let committed = self.uses_of(head)?;
                if !has(&committed, one) {
                    // Whatever is gone from a work tree became what is new in it.
                    things.join_gone(&committed, tree, one, |_| true);
                    return Ok(claim(None));
                }
                (Some(head), self.fork(tree, head)?)
            }
        };
        let Some(before) = before else { return Ok(claim(commit)) };
        let before = self.uses_of(&before)?;
        if has(&before, one) {
            return Ok(None);
        }
        things.join_gone(&before, tree, one, |gone| gone.row);
        Ok(claim(commit))
    }

    /// Where the branch of a commit left the base; none for the base itself, and where there is no base.
    fn fork(&mut self, tree: &Tree, commit: &Oid) -> Result<Option<Oid>, IdsError> {
        let (Some(git), Some(base)) = (self.git, self.base.filter(|base| *base != commit)) else { return Ok(None) };
        if let Some(fork) = self.forks.get(commit) {
            return Ok(fork.clone());
        }
        let fork = match git.merge_base(commit, base)? {
            MergeBase::Found(fork) => Some(fork),
            MergeBase::Unrelated => None,
            MergeBase::Shallow => return Err(GitError::Shallow { what: tree.name.clone() }.into()),
        };
        self.forks.insert(commit.clone(), fork.clone());
        Ok(fork)
    }

    pub(super) fn uses_of(&mut self, commit: &Oid) -> Result<Rc<BTreeSet<Use>>, IdsError> {
        if let Some(uses) = self.uses.get(commit) {
            return Ok(Rc::clone(uses));
        }
        let Some(git) = self.git else { return Ok(Rc::default()) };
        let asked = std::slice::from_ref(commit);
        let uses = Rc::new(uses_at(self.namespace, git, asked)?.into_iter().next().unwrap_or_default());
        self.uses.insert(commit.clone(), Rc::clone(&uses));
        Ok(uses)
    }

    /// Joins the files of a number that git saw renamed.
    fn join_renamed(&mut self, things: &mut Things, claim: Option<&Claim<'_>>) -> Result<(), IdsError> {
        let (Some(git), Some(claim), Some(files)) = (self.git, claim, &self.namespace.files) else { return Ok(()) };
        if self.renames.is_none() {
            let label = |path: &str| file_use(self.namespace, path, None);
            let pairs = git.renames(files.folder(), self.base)?;
            let renames = pairs.iter().filter_map(|(old, new)| Some((label(old)?, label(new)?)));
            self.renames = Some(renames.collect());
        }
        for (old, new) in self.renames.iter().flatten() {
            let number = |one: &Use| (one.scope.clone(), one.number);
            if number(old) == number(claim.one) && number(new) == number(old) {
                things.join(&old.label, &new.label);
            }
        }
        Ok(())
    }

    /// Joins rows that were edited on a branch which stands on the older state of them.
    fn join_edited_later(&mut self, things: &mut Things, claims: &[Claim<'_>]) -> Result<(), IdsError> {
        for older in claims.iter().filter(|claim| claim.one.row) {
            for later in claims.iter().filter(|claim| claim.one.row) {
                let differ = things.of(&older.one.label) != things.of(&later.one.label);
                if differ && !has(&later.tree.uses, older.one) && self.stands_on(later, older)? {
                    things.join(&older.one.label, &later.one.label);
                }
            }
        }
        Ok(())
    }

    /// Whether a later tip gave the label up: then this is an older state of its branch. What the base has is
    /// none, as it is published, and neither is what is checked out here: it may be published next.
    pub(super) fn is_older_state(&mut self, claim: &Claim<'_>) -> Result<bool, IdsError> {
        // What this work tree has no more is settled by its next commit.
        let replaced = |tree: &Tree| tree.here && tree.top.is_some() && !has(&tree.uses, claim.one);
        if claim.commit.is_some() && self.trees.iter().any(|tree| replaced(tree) && tree.commit() == claim.commit) {
            return Ok(true);
        }
        let here = |commit: &Oid| self.trees.iter().any(|tree| tree.here && tree.commit() == Some(commit));
        let is_current = |commit: &&Oid| Some(*commit) == self.base || here(commit);
        let Some(commit) = claim.commit.filter(|commit| !is_current(commit)) else { return Ok(false) };
        let later = self.tips_with(commit)?;
        let gave_up = |tree: &&Tree| {
            let on_it = tree.commit().is_some_and(|tip| tip != commit && later.contains(tip));
            on_it && !has(&tree.uses, claim.one)
        };
        Ok(self.trees.iter().any(|tree| gave_up(&tree)))
    }

    fn stands_on(&mut self, later: &Claim<'_>, older: &Claim<'_>) -> Result<bool, IdsError> {
        let (Some(later), Some(older)) = (later.commit, older.commit) else { return Ok(false) };
        Ok(later != older && self.tips_with(older)?.contains(later))
    }

    /// The tips, and the commits of work trees, that stand on a commit.
    fn tips_with(&mut self, commit: &Oid) -> Result<BTreeSet<Oid>, IdsError> {
        if let Some(known) = self.later.get(commit) {
            return Ok(known.clone());
        }
        let Some(git) = self.git else { return Ok(BTreeSet::new()) };
        let mut later = git.tips_with(commit)?;
        let heads = self.trees.iter().filter(|tree| matches!(tree.stand, Stand::Work(_)));
        for head in heads.filter_map(Tree::commit).chain(self.base) {
            if !later.contains(head) && git.is_ancestor(commit, head)? {
                later.insert(head.clone());
            }
        }
        self.later.insert(commit.clone(), later.clone());
        Ok(later)
    }

    /// The labels of the base that its merge with this branch settles: two of a number that it has beside each
    /// other, of which one is gone, and nothing new took the number.
    fn settled<'u>(&self, uses: &[(&'u Tree, &'u Use)]) -> BTreeSet<&'u str> {
        let of = |wanted: &dyn Fn(&Stand) -> bool| -> BTreeSet<&'u str> {
            uses.iter().filter(|(tree, _)| wanted(&tree.stand)).map(|(_, one)| one.label.as_str()).collect()
        };
        let before = of(&|stand| matches!(stand, Stand::Commit(oid) if Some(oid) == self.base));
        let after = of(&|stand| *stand == Stand::Merge);
        let merges = self.trees.iter().any(|tree| tree.stand == Stand::Merge);
        let settles = merges && before.len() > 1 && after.is_subset(&before);
        if settles { &before - &after } else { BTreeSet::new() }
    }
}

/// Whether a tree has this label on this number.
fn has(uses: &BTreeSet<Use>, one: &Use) -> bool {
    let same = |other: &Use| (&other.scope, other.number, &other.label) == (&one.scope, one.number, &one.label);
    uses.iter().any(same)
}

/// The labels that lie beside each other in one tree which added one of them, or in the merge with the base.
fn together<'u>(uses: &[(&'u Tree, &'u Use)], claims: &[Claim<'u>]) -> Vec<Claim<'u>> {
    for (tree, one) in uses {
        let same = |other: &Tree| std::ptr::eq(other, *tree);
        let beside = uses.iter().any(|(other, another)| same(other) && another.label != one.label);
        if beside && (tree.stand == Stand::Merge || claims.iter().any(|claim| same(claim.tree))) {
            let of_tree = uses.iter().filter(|(other, _)| same(other));
            return of_tree.map(|&(tree, one)| Claim { tree, one, commit: None }).collect();
        }
    }
    Vec::new()
}
