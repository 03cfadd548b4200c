//! What a remote has to show: its branches, its default branch, and pull requests where hosts show them as
//! references.

use super::{Call, Git, GitError, Oid};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Where the branches of remotes are kept.
const HEADS: &str = "refs/headwater/heads/";

/// Where the heads of open pull requests are kept.
const OPEN: [&str; 2] = ["refs/headwater/pull/", "refs/headwater/merge-requests/"];

/// Where those are kept of which nobody can tell whether they are open.
pub const MAYBE_OPEN: &str = "refs/headwater/maybe/";

/// What was in one of those places, and is not on the remote any more: its ids stay spent.
pub(super) const GONE: &str = "refs/headwater/gone/";

/// How many pull requests are looked at where a host does not show which ones are open.
const NEWEST: usize = 50;

/// How hosts call them: GitHub and Gitea, GitLab.
const REQUESTS: [&str; 2] = ["refs/pull/", "refs/merge-requests/"];

/// What a remote shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertised {
    /// The default branch, where the remote names it.
    pub default_branch: Option<String>,
    /// References of the remote, and where they are kept here.
    wanted: BTreeMap<String, String>,
}

impl Advertised {
    /// What a remote is asked for.
    ///
    /// Hosts make a `merge` beside the `head` of a pull request while it is open and merges cleanly. Where
    /// there is none at all, the newest heads may be open or closed.
    pub const PATTERNS: [&str; 4] = ["HEAD", "refs/heads/*", "refs/pull/*", "refs/merge-requests/*"];

    /// Reads what `git ls-remote --symref` answered.
    #[must_use]
    pub fn read(answer: &str) -> Self {
        read(answer)
    }

    /// What is to be fetched of it, into references of our own.
    #[must_use]
    pub fn refspecs(&self) -> Vec<String> {
        let mut refspecs = vec![format!("+refs/heads/*:{HEADS}*")];
        let requests = self.wanted.iter().filter(|(theirs, _)| !theirs.starts_with("refs/heads/"));
        refspecs.extend(requests.map(|(theirs, ours)| format!("+{theirs}:{ours}")));
        refspecs
    }
}

impl Git {
    /// Puts aside what was fetched from a remote once and is on none of these any more: it is no branch or
    /// open pull request, but a floor for numbers.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn retire(&self, shown: &[Advertised]) -> Result<(), GitError> {
        let there: BTreeSet<&String> = shown.iter().flat_map(|from| from.wanted.values()).collect();
        let listing = Call::new(["for-each-ref", "--format=%(refname) %(objectname)", HEADS, MAYBE_OPEN]);
        let ours = self.succeed(listing.args(OPEN))?.text();
        let mut steps = String::new();
        for (name, oid) in ours.lines().filter_map(|line| line.split_once(' ')) {
            if !there.iter().any(|kept| *kept == name) && Oid::parse(oid).is_some() {
                // The numbers of a pull request are no floor, whatever became of it.
                let request = if name.starts_with(HEADS) { "" } else { "requests/" };
                let _infallible = write!(steps, "update {GONE}{request}{oid} {oid}\ndelete {name} {oid}\n");
            }
        }
        if steps.is_empty() {
            return Ok(());
        }
        self.succeed(Call::new(["update-ref", "--no-deref", "--stdin"]).stdin(steps.into_bytes())).map(drop)
    }
}

/// Reads what `ls-remote --symref` prints.
fn read(text: &str) -> Advertised {
    let mut shown = Advertised::default();
    let mut requests: BTreeMap<(&str, u64), BTreeSet<&str>> = BTreeMap::new();
    for (about, name) in text.lines().filter_map(|line| line.split_once('\t')) {
        if let Some(target) = about.strip_prefix("ref: ").filter(|_| name == "HEAD") {
            shown.default_branch = target.strip_prefix("refs/heads/").map(str::to_owned);
        } else if let Some(branch) = name.strip_prefix("refs/heads/") {
            shown.wanted.insert(name.to_owned(), format!("{HEADS}{branch}"));
        } else if let Some((kind, rest)) = REQUESTS.iter().find_map(|kind| Some((*kind, name.strip_prefix(kind)?)))
            && let Some((number, what)) = rest.split_once('/')
            && let Ok(number) = number.parse()
        {
            requests.entry((kind, number)).or_default().insert(what);
        }
    }
    for kind in REQUESTS {
        let of_kind = || requests.iter().filter(|((of, _), has)| *of == kind && has.contains("head"));
        let open: Vec<u64> = of_kind().filter(|(_, has)| has.contains("merge")).map(|((_, n), _)| *n).collect();
        let name = kind.trim_start_matches("refs/");
        let (numbers, place) = if open.is_empty() {
            (of_kind().rev().take(NEWEST).map(|((_, number), _)| *number).collect(), format!("{MAYBE_OPEN}{name}"))
        } else {
            (open, format!("refs/headwater/{name}"))
        };
        for number in numbers {
            shown.wanted.insert(format!("{kind}{number}/head"), format!("{place}{number}"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn what_hosts_show() {
        let shown = |lines: &[&str]| -> Vec<(String, String)> {
            let text: String = lines.iter().fold(String::new(), |text, name| text + "0123\t" + name + "\n");
            read(&text).wanted.into_iter().collect()
        };
        let pair = |theirs: &str, ours: &str| (theirs.to_owned(), ours.to_owned());
        let github = ["HEAD", "refs/heads/a/b", "refs/pull/7/head", "refs/pull/7/merge", "refs/pull/8/head"];
        assert_eq!(
            shown(&github),
            [pair("refs/heads/a/b", "refs/headwater/heads/a/b"), pair("refs/pull/7/head", "refs/headwater/pull/7")]
        );
        // Nobody says which ones are open: the newest, and marked.
        let heads: Vec<String> = (1..=60).map(|n| format!("refs/merge-requests/{n}/head")).collect();
        let kept = shown(&heads.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((kept.len(), &kept[0].1), (50, &"refs/headwater/maybe/merge-requests/11".to_owned()));
        assert_eq!(shown(&["refs/pull/x/head", "refs/pull/1/merge", "refs/pull/2"]), []);
        let default = read("ref: refs/heads/trunk\tHEAD\n0123\tHEAD\n").default_branch;
        assert_eq!(default.as_deref(), Some("trunk"));
    }
}
