//! `github:` and `collisions:`: the issue whose comments are a log, and what is projected from it.

use super::ConfigError;
use super::ids::LogKind;
use super::raw::place_in;
use super::relative::checked_path;
use crate::event::yaml::Node;
use serde::Deserialize;

/// The issue whose comments are a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct GithubIssue {
    /// Its number.
    pub issue: Option<u64>,
    /// The repository, `owner/name`; otherwise the environment or the remote says it.
    pub repository: Option<String>,
    /// Whose comments count; everybody's if there are none.
    pub trusted: Vec<String>,
}

/// The collision ledger: where its allocations are put in order, and where they are shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Collisions {
    /// Where allocations are put in order.
    pub log: LogKind,
    /// The ledger page, from the top of the work tree.
    pub page: String,
    /// The file with the memory row, from the top of the work tree.
    pub memory: String,
}

impl Default for Collisions {
    fn default() -> Self {
        Self { log: LogKind::Github, page: "wiki/collision-ledger.md".to_owned(), memory: "wiki/MEMORY.md".to_owned() }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a mapping, such as `{issue: 12, trusted: [octocat]}`")]
pub(super) struct RawGithub {
    issue: Option<u64>,
    repository: Option<String>,
    trusted: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a mapping, such as `{page: wiki/collision-ledger.md}`")]
pub(super) struct RawCollisions {
    log: Option<LogKind>,
    page: Option<String>,
    memory: Option<String>,
}

/// Whether a text is `owner/name`.
#[must_use]
pub fn is_repository(text: &str) -> bool {
    let word = |word: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !word.is_empty() && word.len() <= 100 && word.chars().all(plain) && word != "." && word != ".."
    };
    text.split_once('/').is_some_and(|(owner, name)| word(owner) && word(name))
}

pub(super) fn check_github(raw: RawGithub, root: &Node<'_>) -> Result<GithubIssue, ConfigError> {
    let wrong = |key: &str, fault: String| ConfigError {
        place: place_in(root, &["github"], Some(key)),
        fault: format!("`github`: {fault}"),
    };
    if raw.issue == Some(0) {
        return Err(wrong("issue", "`issue` is a number from 1".to_owned()));
    }
    if let Some(repository) = raw.repository.as_ref().filter(|text| !is_repository(text)) {
        return Err(wrong("repository", format!("`{}` must be `owner/name`", repository.escape_debug())));
    }
    let trusted = raw.trusted.unwrap_or_default();
    let login = |login: &String| {
        // An app's login ends in `[bot]`.
        let name = login.strip_suffix("[bot]").unwrap_or(login);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    if let Some(strange) = trusted.iter().find(|name| !login(name)) {
        return Err(wrong("trusted", format!("`{}` is no login", strange.escape_debug())));
    }
    Ok(GithubIssue { issue: raw.issue, repository: raw.repository, trusted })
}

pub(super) fn check_collisions(raw: RawCollisions, root: &Node<'_>) -> Result<Collisions, ConfigError> {
    let default = Collisions::default();
    let path = |key: &str, path: Option<String>, default: String| match path {
        None => Ok(default),
        Some(path) => checked_path(&path).map(str::to_owned).ok_or_else(|| ConfigError {
            place: place_in(root, &["collisions"], Some(key)),
            fault: format!(
                "`collisions`: `{}` must be a relative path inside the work tree, such as `wiki/MEMORY.md`",
                path.escape_debug()
            ),
        }),
    };
    let (page, memory) = (path("page", raw.page, default.page)?, path("memory", raw.memory, default.memory)?);
    if page == memory {
        return Err(ConfigError {
            place: place_in(root, &["collisions"], Some("memory")),
            fault: "`collisions`: `page` and `memory` must be two files".to_owned(),
        });
    }
    Ok(Collisions { log: raw.log.unwrap_or(default.log), page, memory })
}
