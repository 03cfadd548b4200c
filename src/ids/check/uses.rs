//! Where numbers are used: in files and rows of work trees, of the tips of references, and of the merge
//! with the base.

use crate::config::Namespace;
use crate::config::pattern::{Numbered, Scope};
use crate::git::{Git, GitError, MAYBE_OPEN, MergeBase, Oid};
use crate::ids::allocator::Allocator;
use crate::ids::{IdsError, sources};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One thing with a number: a file or a row, by its slug or title.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    pub(super) scope: Scope,
    pub(super) number: u64,
    /// What tells two things apart.
    pub(super) label: String,
    /// Its file.
    pub(super) path: String,
    /// Whether it is a row of that file, and not the file itself.
    pub(super) row: bool,
    /// What a commit has as this file.
    pub(super) blob: Option<Oid>,
}

/// What a tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stand {
    /// A commit's.
    Commit(Oid),
    /// What lies in a work tree that stands on this commit.
    Work(Option<Oid>),
    /// What a merge would give.
    Merge,
}

/// The uses in one tree.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// How the tree is called.
    pub(super) name: String,
    pub(super) stand: Stand,
    /// Whether nobody can tell if it is still open: a pull request of a host that does not show that.
    pub(super) unsure: bool,
    /// Whether it is what is asked about: this work tree, or what is pushed.
    pub(super) here: bool,
    /// Where a work tree is.
    pub(super) top: Option<PathBuf>,
    /// The branches whose tip it is, and whether they are a remote's.
    pub(super) branches: BTreeSet<(bool, String)>,
    pub(super) uses: BTreeSet<Use>,
}

impl Tree {
    /// The commit that it is, or stands on.
    pub(super) fn commit(&self) -> Option<&Oid> {
        match &self.stand {
            Stand::Commit(oid) => Some(oid),
            Stand::Work(head) => head.as_ref(),
            Stand::Merge => None,
        }
    }
}

impl Allocator<'_> {
    pub(super) fn trees(
        &self,
        namespace: &Namespace,
        git: Option<&Git>,
        base: Option<&Oid>,
    ) -> Result<Vec<Tree>, IdsError> {
        // A source that is not there is nothing that was looked at.
        sources::in_sources(namespace, &self.place.top, false)?;
        let mut trees = vec![Tree { here: true, ..work_tree(namespace, &self.place.top, None, git)? }];
        let Some(git) = git else { return Ok(trees) };
        for sibling in git.layout().work_trees().iter().skip(1) {
            let name = format!("the work tree {}", sibling.work_tree.display());
            trees.push(work_tree(namespace, &sibling.work_tree, Some(&name), Some(&Git::at(sibling)))?);
        }
        trees.extend(tips(namespace, git, base, &BTreeSet::new())?);
        let merged = match (base, git.head_oid()?) {
            (Some(base), Some(head)) if head != *base && git.merge_base(&head, base)? == MergeBase::Shallow => {
                return Err(GitError::Shallow { what: "HEAD".to_owned() }.into());
            }
            (Some(base), Some(head)) => git.merged_tree(&head, base)?,
            _ => None,
        };
        if let Some(merged) = merged {
            trees.push(merge_tree(namespace, git, &merged)?);
        }
        Ok(trees)
    }
}

/// The trees of pushed commits, of the tips of all references but those that are replaced, and of the base.
pub(super) fn pushed_trees(
    namespace: &Namespace,
    git: &Git,
    base: Option<&Oid>,
    pushed: &[Oid],
    replaced: &BTreeSet<String>,
) -> Result<Vec<Tree>, IdsError> {
    let mut trees = tips(namespace, git, base, replaced)?;
    for commit in pushed {
        if let Some(tip) = trees.iter_mut().find(|tree| tree.commit() == Some(commit)) {
            tip.here = true;
        } else {
            let uses = uses_at(namespace, git, std::slice::from_ref(commit))?.into_iter().next().unwrap_or_default();
            let short = commit.as_str().get(..7).unwrap_or_default();
            trees.push(Tree { here: true, uses, ..tip_tree(commit, &format!("the pushed commit {short}"), false) });
        }
    }
    trees.sort_by_key(|tree| !tree.here);
    if let ([commit], Some(base)) = (pushed, base)
        && let Some(merged) = git.merged_tree(commit, base)?
    {
        trees.push(merge_tree(namespace, git, &merged)?);
    }
    Ok(trees)
}

fn tip_tree(oid: &Oid, name: &str, unsure: bool) -> Tree {
    Tree {
        name: name.to_owned(),
        stand: Stand::Commit(oid.clone()),
        unsure,
        here: false,
        top: None,
        branches: BTreeSet::new(),
        uses: BTreeSet::new(),
    }
}

fn merge_tree(namespace: &Namespace, git: &Git, merged: &Oid) -> Result<Tree, IdsError> {
    let uses = uses_at(namespace, git, std::slice::from_ref(merged))?.into_iter().next().unwrap_or_default();
    Ok(Tree { stand: Stand::Merge, uses, ..tip_tree(merged, "the merge with the base", false) })
}

/// The trees of what references name, each commit once, and of the base.
fn tips(
    namespace: &Namespace,
    git: &Git,
    base: Option<&Oid>,
    without: &BTreeSet<String>,
) -> Result<Vec<Tree>, IdsError> {
    let mut tips: BTreeMap<Oid, Tree> = BTreeMap::new();
    for (name, oid) in git.tips()?.into_iter().filter(|(name, _)| !without.contains(name)) {
        let unsure = name.starts_with(MAYBE_OPEN);
        let prefixes = ["refs/heads/", "refs/remotes/", "refs/headwater/heads/", MAYBE_OPEN, "refs/headwater/"];
        let short = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(&name);
        let known = tips.entry(oid.clone()).or_insert_with(|| tip_tree(&oid, short, unsure));
        if known.unsure && !unsure {
            *known = Tree { branches: std::mem::take(&mut known.branches), ..tip_tree(&oid, short, false) };
        }
        let branch = if name.starts_with("refs/heads/") {
            Some((false, short))
        } else if name.starts_with("refs/remotes/") {
            short.split_once('/').map(|(_, branch)| (true, branch))
        } else {
            name.starts_with("refs/headwater/heads/").then_some((true, short))
        };
        known.branches.extend(branch.map(|(remote, name)| (remote, name.to_owned())));
    }
    if let Some(base) = base {
        tips.entry(base.clone()).or_insert_with(|| tip_tree(base, "the base", false)).unsure = false;
    }
    let (oids, mut trees): (Vec<Oid>, Vec<Tree>) = tips.into_iter().unzip();
    for (tree, uses) in trees.iter_mut().zip(uses_at(namespace, git, &oids)?) {
        tree.uses = uses;
    }
    Ok(trees)
}

/// What a worktree uses: this one, or a `sibling` by its name.
fn work_tree(namespace: &Namespace, top: &Path, sibling: Option<&str>, git: Option<&Git>) -> Result<Tree, IdsError> {
    let mut uses = BTreeSet::new();
    for path in sources::paths_in(namespace, top, sibling.is_some())? {
        uses.extend(file_use(namespace, &path, None));
    }
    leave_neighbours(&mut uses);
    for source in &namespace.sources {
        if let Some(bytes) = sources::read_if_there(top, source, sibling.is_some())? {
            uses.extend(row_uses(namespace, source, &bytes));
        }
    }
    let head = git.map(Git::head_oid).transpose()?.flatten();
    let (name, top) = (sibling.unwrap_or("this work tree").to_owned(), Some(top.to_owned()));
    Ok(Tree { name, stand: Stand::Work(head), unsure: false, here: false, top, branches: BTreeSet::new(), uses })
}

pub(super) fn uses_at(namespace: &Namespace, git: &Git, commits: &[Oid]) -> Result<Vec<BTreeSet<Use>>, IdsError> {
    let mut all = vec![BTreeSet::new(); commits.len()];
    if let Some(files) = &namespace.files {
        let folder = files.folder();
        for (uses, names) in all.iter_mut().zip(git.names_at(commits, folder)?) {
            for (name, blob) in names {
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                uses.extend(file_use(namespace, &path, Some(blob)));
            }
            leave_neighbours(uses);
        }
    }
    for source in &namespace.sources {
        for (uses, bytes) in all.iter_mut().zip(git.contents_at(commits, source)?) {
            uses.extend(row_uses(namespace, source, &bytes.unwrap_or_default()));
        }
    }
    Ok(all)
}

/// The thing that a file is, if its name is a numbered one's from end to end.
pub(super) fn file_use(namespace: &Namespace, path: &str, blob: Option<Oid>) -> Option<Use> {
    let Numbered { scope, number, slug } = namespace.files.as_ref()?.fits(path)?;
    let label = slug.unwrap_or_else(|| path.to_owned());
    Some(Use { scope, number, label, path: path.to_owned(), row: false, blob })
}

/// Leaves out the files that carry number and slug of another one, and more: `0002-two.draft.md` belongs to
/// `0002-two.md`.
fn leave_neighbours(uses: &mut BTreeSet<Use>) {
    let belongs = |one: &Use, other: &Use| {
        let same = (&one.scope, one.number) == (&other.scope, other.number);
        same && one.label.strip_prefix(other.label.as_str()).is_some_and(|more| more.starts_with(['.', '~']))
    };
    let all = uses.clone();
    let of_number = |one: &Use| {
        let from = Use { label: String::new(), path: String::new(), row: false, blob: None, ..one.clone() };
        all.range(from..).take_while(|other| other.number == one.number).any(|other| belongs(one, other))
    };
    uses.retain(|one| !of_number(one));
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
            let (scope, number) = (only.says.scope.clone(), only.says.number);
            uses.push(Use { scope, number, label, path: path.to_owned(), row: true, blob: None });
        }
    }
    uses
}
