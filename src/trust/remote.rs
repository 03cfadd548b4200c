//! Remotes that the user configured, the only ones that are contacted.
//!
//! A remote is a *name* in the user's own git configuration: to git, a name that it does not know is a path, and a
//! path in a work tree is a branch's. Own are the remote that the default branch comes from, or the only one, and
//! those of `git config --add headwater.remote NAME`.

use super::fault::{Refusal, TrustError};
use super::grants::Grants;
use super::host::HostedIssue;
use super::reference::OwnReference;
use crate::git::{Advertised, Call, Git, GitError, Oid, Output, Pushed};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The remotes of the user's configuration, and which of them are own ones.
#[derive(Debug, Clone)]
pub struct OwnRemotes {
    git: Git,
    grants: Grants,
    default: Option<String>,
    own: BTreeSet<String>,
}

/// An own remote.
///
/// # Invariant
/// When it was made, and before every contact, its name was that of a remote in the user's git configuration which
/// the default branch comes from or which the user named as an own one.
///
/// Nothing else makes one:
/// ```compile_fail,E0451
/// use headwater::trust::remote::OwnRemote;
/// fn forge(git: headwater::git::Git) -> OwnRemote {
///     OwnRemote { git, name: "./evil.git".to_owned() }
/// }
/// ```
/// A text is none, so what takes one takes no text:
/// ```compile_fail,E0308
/// fn fetch(remote: &headwater::trust::remote::OwnRemote) {}
/// fetch("./evil.git");
/// ```
/// No reference but our own is pushed or deleted:
/// ```compile_fail,E0308
/// fn push(remote: &headwater::trust::remote::OwnRemote, commit: &headwater::git::Oid) {
///     let _pushed = remote.push("refs/heads/main", commit, None, std::time::Duration::MAX);
/// }
/// ```
/// ```compile_fail,E0308
/// fn delete(remote: &headwater::trust::remote::OwnRemote, commit: &headwater::git::Oid) {
///     let _deleted = remote.delete("refs/heads/main", commit, std::time::Duration::MAX);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct OwnRemote {
    git: Git,
    name: String,
}

/// Why there is no remote to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRemote {
    /// No remote of this name is configured; how it gets one.
    Missing {
        /// The name.
        name: String,
        /// Why, and what to do.
        why: String,
    },
    /// It is not an own one.
    Refused(Refusal),
}

impl OwnRemotes {
    /// Reads the user's configuration.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn of(git: &Git) -> Result<Self, GitError> {
        let grants = Grants::of(git)?;
        let remotes = grants.remotes();
        let heads = if remotes.len() > 1 { git.remote_heads(remotes.keys())? } else { BTreeMap::new() };
        let default = default_of(remotes, &heads, grants.tracking());
        let named = grants.values("remote");
        let own = named.into_iter().filter(|name| remotes.contains_key(name)).chain(default.clone()).collect();
        Ok(Self { git: git.clone(), default, own, grants })
    }

    /// The remote that the default branch comes from, or the only one.
    #[must_use]
    pub fn default(&self) -> Option<OwnRemote> {
        self.default.clone().map(|name| self.made(name))
    }

    /// The names of all own ones.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.own.iter().cloned().collect()
    }

    /// How a remote is called that a configuration names, or the default one, in messages.
    #[must_use]
    pub fn name_of(&self, wanted: Option<&str>) -> String {
        wanted.or(self.default.as_deref()).unwrap_or("origin").to_owned()
    }

    fn made(&self, name: String) -> OwnRemote {
        OwnRemote { git: self.git.clone(), name }
    }

    /// The own remote that a branch's configuration wishes for; the default one where it names none.
    ///
    /// # Errors
    /// It is not there, or not an own one.
    pub fn choose(&self, wanted: Option<&str>) -> Result<OwnRemote, NoRemote> {
        let name = self.name_of(wanted);
        if self.own.contains(&name) {
            return Ok(self.made(name));
        }
        let remotes = self.grants.remotes();
        if remotes.contains_key(&name) {
            return Err(NoRemote::Refused(not_own(&name)));
        }
        if wanted.is_none() && !remotes.is_empty() {
            let names: Vec<String> = remotes.keys().map(|name| format!("`{name}`")).collect();
            return Err(NoRemote::Refused(Refusal {
                what: format!("none of the remotes {} is known to have the default branch", names.join(", ")),
                remedy: "say which one is yours: `git config --add headwater.remote NAME`, and name it with `remote:`"
                    .to_owned(),
            }));
        }
        let why = format!("this repository has no remote of that name; `git remote add {name} URL`");
        Err(NoRemote::Missing { name, why })
    }

    /// The own remote for the log of a namespace, which stays where it was kept first: a branch that newly names
    /// another remote gets nothing of it.
    ///
    /// # Errors
    /// As [`OwnRemotes::choose`], or the log was kept elsewhere.
    pub fn for_log(&self, namespace: &str, wanted: Option<&str>) -> Result<OwnRemote, NoRemote> {
        let remote = self.choose(wanted)?;
        let here = home_of_remote(&remote.name);
        self.stays(namespace, &here).map_err(NoRemote::Refused)?;
        Ok(remote)
    }

    /// Whether the log of a namespace may be kept at a place: it is there already, or was nowhere.
    ///
    /// # Errors
    /// It was kept elsewhere.
    pub(crate) fn stays(&self, namespace: &str, here: &str) -> Result<(), Refusal> {
        match self.home(namespace) {
            Some(home) if home != here => Err(Refusal {
                what: format!(
                    "the log of {namespace} has been kept at `{home}`, and the configuration names `{here}` now; nothing was sent there"
                ),
                remedy: format!("if that is meant, run `git config {} {here}`", home_key(namespace)),
            }),
            _ => Ok(()),
        }
    }

    /// Where the log of a namespace was kept.
    #[must_use]
    pub fn home(&self, namespace: &str) -> Option<&str> {
        self.grants.kept(&format!("{namespace}.log"))
    }

    /// Remembers where the log of a namespace is kept, unless that is known.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub(crate) fn keep_home(&self, namespace: &str, here: &str) -> Result<(), GitError> {
        if self.home(namespace).is_some() {
            return Ok(());
        }
        let key = home_key(namespace);
        let mut kept = Ok(());
        // git does not wait for the lock of its configuration.
        for _ in 0..50 {
            kept = self.git.set_local_setting(&key, Some(here));
            if kept.is_ok() || self.git.local_setting(&key)?.as_deref() == Some(here) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        kept
    }

    /// Checks that the log of a namespace is kept at an issue, and remembers it once that may be posted to.
    ///
    /// # Errors
    /// It was kept elsewhere, or as [`Git::succeed`].
    pub fn keep_log_at(&self, namespace: &str, issue: &HostedIssue) -> Result<(), TrustError> {
        let here = format!("github:{}", issue.place());
        self.stays(namespace, &here)?;
        if issue.for_posting().is_ok() {
            self.keep_home(namespace, &here)?;
        }
        Ok(())
    }

    /// Remembers that the log of a namespace is kept on a remote.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn keep_log_on(&self, namespace: &str, remote: &str) -> Result<(), GitError> {
        self.keep_home(namespace, &home_of_remote(remote))
    }
}

/// How a log's place on a remote is called.
#[must_use]
pub fn home_of_remote(name: &str) -> String {
    format!("git:{name}")
}

fn home_key(namespace: &str) -> String {
    format!("headwater.{namespace}.log")
}

fn not_own(name: &str) -> Refusal {
    Refusal {
        what: format!("`{name}` is not one of your own remotes, and was not contacted"),
        remedy: format!("if it is yours, run `git config --add headwater.remote {name}`"),
    }
}

/// The remote that the default branch comes from. Pure.
///
/// A remote's own `HEAD` alone proves nothing, as its owner sets it, nor does a branch that was checked out from a
/// fork: among several remotes it is `origin`, as git has it, else the only one with whose default branch a local
/// branch goes together.
fn default_of(
    remotes: &BTreeMap<String, Vec<String>>,
    heads: &BTreeMap<String, String>,
    tracking: &BTreeMap<String, String>,
) -> Option<String> {
    let mut names = remotes.keys();
    if let (Some(only), None) = (names.next(), names.next()) {
        return Some(only.clone());
    }
    if remotes.contains_key("origin") {
        return Some("origin".to_owned());
    }
    let mut claims = heads.iter().filter(|(remote, head)| tracking.get(*head) == Some(remote));
    match (claims.next(), claims.next()) {
        (Some((only, _)), None) => Some(only.clone()),
        _ => None,
    }
}

impl OwnRemote {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL that it is fetched from, with the user's `insteadOf`.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn url(&self) -> Result<Option<String>, GitError> {
        self.git.remote_url(&self.name)
    }

    /// Looks again whether it is an own one: the configuration may have changed since.
    fn checked(&self) -> Result<&str, TrustError> {
        if OwnRemotes::of(&self.git)?.own.contains(&self.name) {
            return Ok(&self.name);
        }
        Err(not_own(&self.name).into())
    }

    /// Fetches into references of our own: no remote-tracking branch, tag or `FETCH_HEAD` of the user
    /// changes, nothing is pruned and the clone never becomes shallow.
    ///
    /// # Errors
    /// It is not an own remote any more, or as [`Git::run`]; what the remote says is in the output.
    pub fn fetch(&self, refspecs: &[String], limit: Duration) -> Result<Output, TrustError> {
        let flags = [
            "-c",
            "fetch.writeCommitGraph=false",
            "fetch",
            "--quiet",
            "--refmap=",
            "--no-tags",
            "--no-prune",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--recurse-submodules=no",
            "--end-of-options",
            self.checked()?,
        ];
        Ok(self.git.run(Call::new(flags).args(refspecs.iter().map(String::as_str)).silent(limit))?)
    }

    /// Asks what it has: branches, pull requests, the default branch.
    ///
    /// # Errors
    /// It is not an own remote any more, or as [`Git::succeed`].
    pub fn advertised(&self, limit: Duration) -> Result<Advertised, TrustError> {
        let question = Call::new(["ls-remote", "--symref", "--end-of-options", self.checked()?]);
        Ok(Advertised::read(&self.git.succeed(question.args(Advertised::PATTERNS).silent(limit))?.text()))
    }

    /// Fetches what it advertised into references of our own.
    ///
    /// # Errors
    /// As [`OwnRemote::fetch`].
    pub fn fetch_advertised(&self, from: &Advertised, limit: Duration) -> Result<Output, TrustError> {
        self.fetch(&from.refspecs(), limit)
    }

    /// Sets a reference there to a commit if it is still what is `expected` (`None`: not there).
    ///
    /// # Errors
    /// It is not an own remote any more, or as [`Git::run`]. Even then the remote may have taken it.
    pub fn push(
        &self,
        reference: &OwnReference,
        commit: &Oid,
        expected: Option<&Oid>,
        limit: Duration,
    ) -> Result<Pushed, TrustError> {
        let reference = reference.as_str();
        let lease = format!("--force-with-lease={reference}:{}", expected.map_or("", Oid::as_str));
        let refspec = format!("{commit}:{reference}");
        let flags = [
            "push",
            "--porcelain",
            "--no-verify",
            "--no-follow-tags",
            "--no-signed",
            "--recurse-submodules=no",
            &lease,
            "--end-of-options",
            self.checked()?,
            &refspec,
        ];
        let answer = self.git.run(Call::new(flags).silent(limit))?;
        Ok(Pushed::of(&answer, &refspec))
    }

    /// Deletes a reference there if it still names this commit.
    ///
    /// # Errors
    /// It is not an own remote any more, or as [`Git::succeed`].
    pub fn delete(&self, reference: &OwnReference, expected: &Oid, limit: Duration) -> Result<(), TrustError> {
        let reference = reference.as_str();
        let lease = format!("--force-with-lease={reference}:{expected}");
        let refspec = format!(":{reference}");
        let remote = self.checked()?;
        let flags = ["push", "--quiet", "--no-verify", "--no-signed", &lease, "--end-of-options", remote, &refspec];
        Ok(self.git.succeed(Call::new(flags).silent(limit)).map(drop)?)
    }
}

#[cfg(test)]
mod tests {
    use super::default_of;
    use std::collections::BTreeMap;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_default_branch_comes_from_one_remote() {
        let default = |remotes: &[&str], heads: &[(&str, &str)], tracking: &[(&str, &str)]| {
            let remotes = remotes.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
            default_of(&remotes, &map(heads), &map(tracking)).unwrap_or_default()
        };
        assert_eq!(default(&[], &[], &[]), "");
        assert_eq!(default(&["only"], &[], &[]), "only");
        assert_eq!(default(&["fork", "origin"], &[], &[]), "origin");
        // A fork's owner names a branch that was checked out from there.
        let both = [("fork", "evil"), ("origin", "main")];
        assert_eq!(default(&["fork", "origin"], &both, &[("evil", "fork"), ("main", "origin")]), "origin");
        assert_eq!(default(&["fork", "origin"], &both, &[("evil", "fork")]), "origin");
        assert_eq!(default(&["fork", "upstream"], &[("upstream", "main")], &[("main", "upstream")]), "upstream");
        assert_eq!(default(&["fork", "upstream"], &[("fork", "evil"), ("upstream", "main")], &[]), "");
    }
}
