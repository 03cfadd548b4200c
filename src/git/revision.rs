//! Names of commits, and how commits are related.

use super::{Call, Git, GitError, Head, Oid};
use std::collections::BTreeSet;
use std::time::Duration;

/// Where two lines of history parted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MergeBase {
    /// The best common ancestor.
    Found(Oid),
    /// The two have no common ancestor.
    Unrelated,
    /// None is known, but the clone is shallow: the ancestor may be cut off.
    Shallow,
}

/// The branch that others start from and come back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultBranch {
    /// Its name, such as `main`.
    pub name: String,
    /// The full name of the reference that has it here, such as `refs/remotes/origin/main`.
    pub reference: String,
}

impl Git {
    /// Finds the commit that a text names.
    ///
    /// # Errors
    /// [`GitError::RefusedRevision`] for a text that could be taken for an option,
    /// [`GitError::UnknownRevision`] if nothing has this name, and as [`Git::run`].
    pub fn resolve(&self, rev: &str) -> Result<Oid, GitError> {
        if rev.is_empty() || rev.starts_with('-') || rev.contains(|c: char| c.is_control()) {
            return Err(GitError::RefusedRevision { rev: rev.to_owned() });
        }
        self.commit_called(rev)?.ok_or_else(|| GitError::UnknownRevision { rev: rev.to_owned() })
    }

    /// The commit that is checked out; `None` on a branch without commits.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn head_oid(&self) -> Result<Option<Oid>, GitError> {
        self.commit_called("HEAD")
    }

    fn commit_called(&self, rev: &str) -> Result<Option<Oid>, GitError> {
        let question = Call::new(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
        let answer = self.run(question.args([format!("{rev}^{{commit}}")]))?;
        match answer.code {
            Some(0) => answer.oid().map(Some),
            Some(1) => Ok(None),
            _ => Err(self.refused(answer)),
        }
    }

    /// Finds the best common ancestor of two commits.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn merge_base(&self, a: &Oid, b: &Oid) -> Result<MergeBase, GitError> {
        let answer = self.run(Call::new(["merge-base", a.as_str(), b.as_str()]))?;
        match answer.code {
            Some(0) => answer.oid().map(MergeBase::Found),
            Some(1) if self.layout().common_dir.join("shallow").exists() => Ok(MergeBase::Shallow),
            Some(1) => Ok(MergeBase::Unrelated),
            _ => Err(self.refused(answer)),
        }
    }

    /// The commits that `tip` has and `base` has not, oldest first, without merges: names and subjects.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn subjects_between(&self, base: &str, tip: &str, limit: Duration) -> Result<Vec<(String, String)>, GitError> {
        let log = ["log", "--reverse", "--no-merges", "--max-count=500", "--format=%H %s", "--end-of-options", tip];
        let output = self.succeed(Call::new(log).args([format!("^{base}"), "--".to_owned()]).limit(limit))?;
        let lines = output.text();
        Ok(lines
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(oid, s)| (oid.to_owned(), s.to_owned()))
            .collect())
    }

    /// All best common ancestors of a commit and a merge of the others, in git's order; none of unrelated ones.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn merge_bases(&self, commit: &Oid, others: &[Oid]) -> Result<Vec<Oid>, GitError> {
        let call = Call::new(["merge-base", "--all", commit.as_str()]).args(others.iter().map(Oid::as_str));
        let answer = self.run(call)?;
        match answer.code {
            Some(0) => Ok(answer.text().lines().filter_map(Oid::parse).collect()),
            Some(1) => Ok(Vec::new()),
            _ => Err(self.refused(answer)),
        }
    }

    /// Whether two commits have the same files at or below some paths.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn same_files(&self, a: &Oid, b: &Oid, paths: &[&str]) -> Result<bool, GitError> {
        let call = Call::new(["diff-tree", "--quiet", "-r", "--no-renames", a.as_str(), b.as_str(), "--"]);
        let answer = self.run(call.args(super::objects::pathspecs(paths)))?;
        match answer.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(self.refused(answer)),
        }
    }

    /// Where the branches left that are not merged into `head`: the local and the remote-tracking ones.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn unmerged_forks(&self, head: &Oid) -> Result<Vec<MergeBase>, GitError> {
        let listing = Call::new(["for-each-ref", "--format=%(objectname)", "--no-merged", head.as_str()]);
        let answer = self.succeed(listing.args(["refs/heads/", "refs/remotes/"]))?.text();
        let tips: BTreeSet<Oid> = answer.lines().filter_map(Oid::parse).collect();
        tips.iter().map(|tip| self.merge_base(head, tip)).collect()
    }

    /// Whether `ancestor` is `descendant` or one of its ancestors, as far as this clone's history goes.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn is_ancestor(&self, ancestor: &Oid, descendant: &Oid) -> Result<bool, GitError> {
        let question = ["merge-base", "--is-ancestor", ancestor.as_str(), descendant.as_str()];
        let answer = self.run(Call::new(question))?;
        match answer.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(self.refused(answer)),
        }
    }

    /// Finds out, without assuming a name, which branch the others start from.
    ///
    /// That is what `HEAD` of the current branch's remote (or `origin`) names; else the local branch that
    /// `init.defaultBranch` names; else the only local branch; else `main` or `master`, if there is just
    /// one of the two.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn default_branch(&self) -> Result<Option<DefaultBranch>, GitError> {
        let (remote, configured) = self.branch_settings()?;
        let prefix = format!("refs/remotes/{remote}/");
        let listing = Call::new(["for-each-ref", "--format=%(refname) %(symref)", "refs/heads/"]);
        let answer = self.succeed(listing.args([format!("{prefix}HEAD")]))?.text();
        let (mut locals, mut remote_head) = (Vec::new(), None);
        for (name, target) in answer.lines().filter_map(|line| line.split_once(' ')) {
            match name.strip_prefix("refs/heads/") {
                Some(name) => locals.push(name),
                None => remote_head = target.strip_prefix(&prefix),
            }
        }
        if let Some(name) = remote_head {
            return Ok(Some(DefaultBranch { name: name.to_owned(), reference: format!("{prefix}{name}") }));
        }
        Ok(local_default(&locals, configured.as_deref())
            .map(|name| DefaultBranch { name: name.to_owned(), reference: format!("refs/heads/{name}") }))
    }

    /// The remote of the current branch, or `origin`, and `init.defaultBranch`.
    fn branch_settings(&self) -> Result<(String, Option<String>), GitError> {
        let current = match self.layout().head()? {
            Head::Branch(name) => Some(format!("branch.{name}.remote")),
            Head::Detached(_) => None,
        };
        let pattern = r"^(branch\..*\.remote|init\.defaultbranch)$";
        let answer = self.run(Call::new(["config", "-z", "--get-regexp", pattern]))?;
        if !matches!(answer.code, Some(0 | 1)) {
            return Err(self.refused(answer));
        }
        let (mut remote, mut configured) = ("origin".to_owned(), None);
        for (key, value) in answer.text().split('\0').filter_map(|entry| entry.split_once('\n')) {
            if key == "init.defaultbranch" {
                configured = Some(value.to_owned());
            } else if current.as_deref() == Some(key) && value != "." {
                value.clone_into(&mut remote);
            }
        }
        Ok((remote, configured))
    }
}

/// The default among local branches, when no remote says it.
fn local_default<'a>(locals: &[&'a str], configured: Option<&str>) -> Option<&'a str> {
    let called = |wanted: &str| locals.iter().copied().find(|name| *name == wanted);
    if let Some(found) = configured.and_then(called) {
        return Some(found);
    }
    match (locals, called("main"), called("master")) {
        ([only], _, _) => Some(only),
        (_, Some(found), None) | (_, None, Some(found)) => Some(found),
        _ => None,
    }
}
