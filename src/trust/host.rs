//! The repository and the issue on a hosting service that this clone may read, and may post to with the user's token.
//!
//! The repository is the own remote's, or the one that `GITHUB_REPOSITORY` names, as it does in a workflow. Another
//! repository and its issue need the user's word: `git config --add headwater.github owner/name#12`, the variable
//! `HEADWATER_GITHUB`, or the options `--repo` and `--issue` typed by a person. Nothing is posted anywhere, not to the
//! own repository either, without that word for the very issue: a branch that names another one posts nothing.

use super::fault::{Refusal, TrustError};
use super::grants::{Grants, agent_mark};
use super::remote::{NoRemote, OwnRemotes};
use crate::config::{GithubIssue, is_repository};
use crate::git::{Git, HostedRepository};

/// What names the issue, beside the user's configuration.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// `--issue`.
    pub issue: Option<u64>,
    /// `--repo`.
    pub repository: Option<&'a str>,
    /// `GITHUB_REPOSITORY`.
    pub environment: Option<&'a str>,
    /// What a branch's configuration says.
    pub config: &'a GithubIssue,
    /// The remote that a branch's configuration wishes for.
    pub remote: Option<&'a str>,
    /// The host that is asked, such as `github.com`.
    pub host: &'a str,
}

/// An issue that may be read.
///
/// Nothing else makes one, and a text and a number are none:
/// ```compile_fail,E0451
/// use headwater::trust::host::HostedIssue;
/// let forged = HostedIssue { repository: "evil/x".to_owned(), number: 1, trusted: vec![], posting: Ok(()) };
/// ```
/// ```compile_fail,E0308
/// fn read(issue: &headwater::trust::host::HostedIssue) {}
/// read("evil/x#1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedIssue {
    repository: String,
    number: u64,
    trusted: Vec<String>,
    posting: Result<(), Refusal>,
}

/// The user's word that comments may be posted to an issue.
///
/// ```compile_fail,E0423
/// fn forge(issue: &headwater::trust::host::HostedIssue) -> headwater::trust::host::Posting<'_> {
///     headwater::trust::host::Posting(issue)
/// }
/// ```
/// What posts takes it:
/// ```compile_fail,E0061
/// fn post(hub: &headwater::ids::github::hub::Hub<'_>) {
///     let _sent = hub.send("a comment");
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Posting<'a>(&'a HostedIssue);

impl Posting<'_> {
    /// The issue.
    #[must_use]
    pub const fn issue(&self) -> &HostedIssue {
        self.0
    }
}

impl HostedIssue {
    /// The issue that is meant, if it may be read.
    ///
    /// # Errors
    /// It is not known which one is meant, or the user did not grant it.
    pub fn choose(git: Option<&Git>, wish: &Wish<'_>) -> Result<Self, TrustError> {
        let grants = git.map_or_else(|| Ok(Grants::of_environment()), Grants::of)?;
        let own = || own_repository(git, wish);
        Ok(decide(&grants.values("github"), &grants.values("trusted"), wish, agent_mark().is_some(), own)?)
    }

    /// The repository, `owner/name`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Whose comments count; everybody's if there are none.
    #[must_use]
    pub fn trusted(&self) -> &[String] {
        &self.trusted
    }

    /// It, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}#{}", self.repository, self.number)
    }

    /// The word that comments may be posted there.
    ///
    /// # Errors
    /// The user did not give it.
    pub fn for_posting(&self) -> Result<Posting<'_>, Refusal> {
        self.posting.clone().map(|()| Posting(self))
    }

    #[cfg(test)]
    pub(crate) fn for_test(repository: &str, number: u64, trusted: Vec<String>) -> Self {
        Self { repository: repository.to_owned(), number, trusted, posting: Ok(()) }
    }
}

/// Decides which issue is meant, and what may be done with it. Pure, but for the question which repository is own.
fn decide(
    granted: &[String],
    trusted: &[String],
    wish: &Wish<'_>,
    by_agent: bool,
    own: impl Fn() -> Result<String, Refusal>,
) -> Result<HostedIssue, Refusal> {
    let granted: Vec<(&str, u64)> = granted.iter().filter_map(|text| read_grant(text)).collect();
    let config = wish.config;
    let named = wish.repository.or(wish.environment).or(config.repository.as_deref());
    let alone = || match granted.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    let repository = match (named, own()) {
        (Some(name), _) => name.to_owned(),
        (None, Ok(name)) => name,
        (None, Err(refusal)) => alone().map(|(name, _)| name.to_owned()).ok_or(refusal)?,
    };
    if !is_repository(&repository) {
        return Err(Refusal {
            what: format!("`{}` is no repository", repository.escape_debug()),
            remedy: "name it as `owner/name`".to_owned(),
        });
    }
    let is_it = |name: &str| name.eq_ignore_ascii_case(&repository);
    let kept = || alone().filter(|(name, _)| is_it(name)).map(|(_, number)| number);
    let number = wish.issue.or(config.issue).or_else(kept).ok_or_else(|| Refusal {
        what: "no issue is named".to_owned(),
        remedy: "use `--issue N`, or `github: {issue: N}` in `.headwater.yaml`".to_owned(),
    })?;
    let place = format!("{repository}#{number}");
    let is_granted = granted.iter().any(|(name, issue)| is_it(name) && *issue == number);
    // An agent types what it read somewhere: its options choose among what the user granted.
    let types = |is_given: bool| is_given && !by_agent;
    let is_own = wish.environment.is_some_and(is_it) || own().is_ok_and(|name| is_it(&name));
    let grant = |done: &str| Refusal {
        what: format!("{place} {done}"),
        remedy: format!("if it is yours to use so, run `git config --add headwater.github '{place}'`"),
    };
    if !(is_granted || is_own || types(wish.repository.is_some())) {
        return Err(grant("is on no remote of yours, and was not asked"));
    }
    let is_typed = types(wish.issue.is_some()) && (is_own || types(wish.repository.is_some()));
    let posting = if is_granted || is_typed {
        Ok(())
    } else {
        Err(grant(
            "is named by the configuration, which gives nobody the right to post there with your token; nothing was posted",
        ))
    };
    let trusted = if trusted.is_empty() { config.trusted.clone() } else { trusted.to_vec() };
    Ok(HostedIssue { repository, number, trusted, posting })
}

/// The repository of the own remote, if it is on the host that is asked.
fn own_repository(git: Option<&Git>, wish: &Wish<'_>) -> Result<String, Refusal> {
    let unknown = |what: String| Refusal {
        what,
        remedy: "name the repository with `--repo owner/name` or `GITHUB_REPOSITORY`".to_owned(),
    };
    let git = git.ok_or_else(|| unknown("this is no git work tree".to_owned()))?;
    let failed = |error: crate::git::GitError| unknown(error.to_string());
    let remote = match OwnRemotes::of(git).map_err(failed)?.choose(wish.remote) {
        Ok(remote) => remote,
        Err(NoRemote::Missing { name, .. }) => return Err(unknown(format!("there is no remote `{name}`"))),
        Err(NoRemote::Refused(refusal)) => return Err(refusal),
    };
    let name = remote.name();
    let url = remote.url().map_err(failed)?.ok_or_else(|| unknown(format!("there is no remote `{name}`")))?;
    let hosted = HostedRepository::of_url(&url);
    let hosted = hosted.ok_or_else(|| unknown(format!("the URL of `{name}` names no host")))?;
    if hosted.host != wish.host {
        let asked = wish.host;
        let found = hosted.host.escape_debug();
        return Err(unknown(format!("`{name}` is on {found}, and {asked} is asked (`GITHUB_API_URL`)")));
    }
    Ok(hosted.name)
}

/// `owner/name#12`.
fn read_grant(text: &str) -> Option<(&str, u64)> {
    let (name, number) = text.trim().split_once('#')?;
    let number = number.parse().ok().filter(|number| *number > 0)?;
    is_repository(name).then_some((name, number))
}

/// Whether a text grants an issue.
#[must_use]
pub fn is_grant(text: &str) -> bool {
    read_grant(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::{GithubIssue, HostedIssue, Refusal, Wish, decide};

    /// How an issue is decided where the own repository is `o/r`: refused, read, or posted to.
    fn decided(
        granted: &[&str],
        config: (Option<u64>, Option<&str>),
        typed: (Option<u64>, Option<&str>),
        by_agent: bool,
    ) -> String {
        let config = GithubIssue { issue: config.0, repository: config.1.map(str::to_owned), trusted: Vec::new() };
        let wish = Wish {
            issue: typed.0,
            repository: typed.1,
            environment: None,
            config: &config,
            remote: None,
            host: "github.com",
        };
        let granted: Vec<String> = granted.iter().map(|text| (*text).to_owned()).collect();
        let found: Result<HostedIssue, Refusal> = decide(&granted, &[], &wish, by_agent, || Ok("o/r".to_owned()));
        match found {
            Err(refusal) => format!("refused {}", refusal.what.split(' ').next().unwrap_or_default()),
            Ok(issue) if issue.for_posting().is_ok() => format!("post {}", issue.place()),
            Ok(issue) => format!("read {}", issue.place()),
        }
    }

    #[test]
    fn a_branch_names_no_issue_that_is_posted_to() {
        let none = (None, None);
        for (granted, config, typed, by_agent, expected) in [
            (&[][..], (Some(5), None), none, false, "read o/r#5"),
            (&["o/r#5"][..], (Some(5), None), none, false, "post o/r#5"),
            (&["O/R#5"][..], (Some(5), None), none, true, "post o/r#5"),
            // A branch names another issue, or another repository.
            (&["o/r#5"][..], (Some(6), None), none, false, "read o/r#6"),
            (&["o/r#5"][..], (Some(5), Some("evil/x")), none, false, "refused evil/x#5"),
            (&["o/r#5", "p/q#7"][..], (Some(7), Some("p/q")), none, false, "post p/q#7"),
            (&["o/r#5", "p/q#7"][..], (Some(5), Some("p/q")), none, false, "refused p/q#5"),
            // Nobody but the user says it.
            (&["p/q#7"][..], none, none, false, "refused no"),
            (&["o/r#5"][..], none, none, false, "post o/r#5"),
            // A person types it, and an agent what it read.
            (&[][..], (Some(5), None), (Some(9), None), false, "post o/r#9"),
            (&[][..], (Some(5), None), (Some(9), None), true, "read o/r#9"),
            (&[][..], (Some(5), None), (Some(9), Some("a/b")), false, "post a/b#9"),
            (&[][..], (Some(5), None), (None, Some("a/b")), false, "read a/b#5"),
            (&[][..], (Some(5), None), (Some(9), Some("a/b")), true, "refused a/b#9"),
            // A person who types the issue means the own repository, and no other one that a branch names.
            (&[][..], (None, Some("evil/x")), (Some(9), None), false, "refused evil/x#9"),
        ] {
            let shown = format!("{granted:?} {config:?} {typed:?} {by_agent}");
            assert_eq!(decided(granted, config, typed, by_agent), expected, "{shown}");
        }
    }
}
