//! What is known of the host of a remote: its repository's name, and the token of its `gh` program.
#![expect(clippy::disallowed_methods, reason = "this is the one place that starts gh")]

use super::process::{Waited, converse};
use super::{AtLimit, Call, Git, GitError};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long `gh` may take; it may ask a keyring.
const LIMIT: Duration = Duration::from_secs(10);

/// A repository on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedRepository {
    /// The host, such as `github.com`, in small letters and without a port.
    pub host: String,
    /// `owner/name`.
    pub name: String,
}

impl HostedRepository {
    /// Reads the URL of a remote, in one of the forms of git-clone(1) "GIT URLS"; `None` for a local path.
    #[must_use]
    pub fn of_url(url: &str) -> Option<Self> {
        let url = url.trim().trim_end_matches('/');
        let (host, path) = match url.split_once("://") {
            Some(("https" | "http" | "ssh" | "git" | "git+ssh", rest)) => rest.split_once('/')?,
            Some(_) => return None,
            // `git@host:path`; a path has its `/` before the `:`.
            None => url.split_once(':').filter(|(host, _)| !host.contains('/') && host.len() > 1)?,
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
        let path = path.trim_start_matches('/');
        let name = path.strip_suffix(".git").unwrap_or(path);
        // Over port 443, ssh has a host of its own.
        let host = if host == "ssh.github.com" { "github.com".to_owned() } else { host };
        (!host.is_empty() && name.split('/').count() == 2).then(|| Self { host, name: name.to_owned() })
    }
}

impl Git {
    /// The URL that a remote is fetched from, with the user's `insteadOf`; `None` if there is no such remote.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn remote_url(&self, remote: &str) -> Result<Option<String>, GitError> {
        let answer = self.run(Call::new(["remote", "get-url", "--", remote]))?;
        Ok(answer.success().then(|| answer.text().lines().next().unwrap_or_default().to_owned()))
    }
}

/// The token that `gh auth login` keeps for a host; `None` where there is no `gh`, or nobody is logged in.
#[must_use]
pub fn gh_token(host: &str, folder: &Path) -> Option<String> {
    let mut command = Command::new("gh");
    command.args(["auth", "token", "--hostname", host]).current_dir(folder);
    command.env("GH_PROMPT_DISABLED", "1").env("GH_NO_UPDATE_NOTIFIER", "1");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    let Ok(Waited::Finished(done)) = converse(child, None, LIMIT, AtLimit::End, usize::MAX) else { return None };
    let token = String::from_utf8(done.stdout).ok()?.trim().to_owned();
    (done.status.success() && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::HostedRepository;

    #[test]
    fn the_urls_of_remotes() {
        for (url, expected) in [
            ("https://github.com/o/r.git", Some("github.com o/r")),
            ("https://user:word@GitHub.com:443/o/r/", Some("github.com o/r")),
            ("git@github.com:o/r.git", Some("github.com o/r")),
            ("github.com:o/r", Some("github.com o/r")),
            ("ssh://git@ssh.github.com:443/o/r.js", Some("github.com o/r.js")),
            ("https://git.example.org/o/r", Some("git.example.org o/r")),
            ("https://gitlab.com/group/sub/r.git", None),
            ("../remote.git", None),
            ("C:/repos/o/r", None),
            ("/srv/a:b/r.git", None),
            ("file:///srv/o/r", None),
        ] {
            let found = HostedRepository::of_url(url).map(|found| format!("{} {}", found.host, found.name));
            assert_eq!(found.as_deref(), expected, "{url}");
        }
    }
}
