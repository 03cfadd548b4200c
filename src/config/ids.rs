//! `ids:`: the namespaces of ids that are reserved.

use super::ConfigError;
use super::pattern::{Outline, Pattern};
use super::raw::place_in;
use super::relative::checked_path;
use crate::event::yaml::Node;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How many namespaces there may be: each is compared with the others.
const MOST: usize = 1_000;

/// Where a namespace's reservations are put in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// In a database that all worktrees of this clone share.
    #[default]
    Local,
    /// In a reference on the remote that all clones share.
    Git,
    /// In the comments of an issue on GitHub.
    Github,
}

/// A namespace of ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name, such as `SEC`.
    pub name: String,
    /// How its ids are written.
    pub format: Pattern,
    /// Files that mention ids, from the top of the work tree.
    pub sources: Vec<String>,
    /// Files whose names carry the number.
    pub files: Option<Pattern>,
    /// The text that a new file of `files` begins with, from the top of the work tree.
    pub template: Option<String>,
    /// Where reservations are put in order.
    pub log: LogKind,
    /// The name of the remote that is wished for, to keep the log `git`, and whose branches are looked at for `files`;
    /// [`crate::trust::remote`] says whether it is one of the user's.
    pub remote: Option<String>,
    /// The reference that keeps it there; [`crate::trust::reference`] says whether it is one of ours.
    pub reference: String,
}

/// All namespaces, by name.
pub type Namespaces = BTreeMap<String, Namespace>;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(expecting = "a mapping, such as `{sources: [TASKS.md]}`")]
pub(super) struct RawNamespace {
    format: Option<String>,
    sources: Option<OneOrMore>,
    files: Option<String>,
    template: Option<String>,
    log: Option<LogKind>,
    remote: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "`sources` must be a path, or a list of paths, inside the work tree")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Checks the namespaces; `root` is the same file with its places.
pub(super) fn check_ids(
    raw: BTreeMap<String, Option<RawNamespace>>,
    root: &Node<'_>,
) -> Result<Namespaces, ConfigError> {
    if raw.len() > MOST {
        let fault = format!("`ids`: more than {MOST} namespaces");
        return Err(ConfigError { place: place_in(root, &["ids"], None), fault });
    }
    let mut checked = Namespaces::new();
    let (mut names, mut references, mut outlines) = (BTreeMap::new(), BTreeMap::new(), Vec::with_capacity(raw.len()));
    for (name, raw) in raw {
        let wrong = |key: Option<&str>, fault: String| ConfigError {
            place: place_in(root, &["ids", &name], key),
            fault: format!("`ids`: `{}`: {fault}", name.escape_debug()),
        };
        if !is_name(&name) {
            let fault = "a namespace is a letter and then letters, digits, `-` and `_`, of at most 32".to_owned();
            return Err(wrong(None, fault));
        }
        let namespace = check_one(&name, raw.unwrap_or_default()).map_err(|(key, fault)| wrong(Some(key), fault))?;
        let outline = namespace.format.outline();
        let meets = |(_, other): &&(String, Outline)| outline.meets(other);
        let same_name = names.insert(name.to_ascii_lowercase(), name.clone());
        if let Some(other) = same_name.or_else(|| outlines.iter().find(meets).map(|(other, _)| other.clone())) {
            let fault = format!("its ids cannot be told from those of `{other}`; change one of them");
            return Err(wrong(Some("format"), fault));
        }
        outlines.push((name.clone(), outline));
        if let Some(other) = references.insert(namespace.reference.clone(), name.clone()) {
            return Err(wrong(Some("ref"), format!("`{other}` has the same reference; change one of them")));
        }
        checked.insert(name, namespace);
    }
    Ok(checked)
}

fn is_name(name: &str) -> bool {
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn check_one(name: &str, raw: RawNamespace) -> Result<Namespace, (&'static str, String)> {
    let format = raw.format.unwrap_or_else(|| format!("{name}-{{n}}"));
    let format = Pattern::id(&format).map_err(|fault| ("format", fault))?;
    let files = raw.files.as_deref().map(Pattern::file).transpose().map_err(|fault| ("files", fault))?;
    if files.as_ref().is_some_and(|files| files.has_scope() != format.has_scope()) {
        return Err((
            "files",
            "`{date}` or `{year}` must stand in both `format` and `files`, or in neither".to_owned(),
        ));
    }
    let path = |key: &'static str, path: &str| {
        checked_path(path).map(str::to_owned).ok_or_else(|| {
            (key, format!("`{}` must be a relative path inside the work tree, such as `TASKS.md`", path.escape_debug()))
        })
    };
    let sources = match raw.sources {
        None => Vec::new(),
        Some(OneOrMore::One(source)) => vec![source],
        Some(OneOrMore::More(sources)) => sources,
    };
    let sources = sources.iter().map(|source| path("sources", source)).collect::<Result<_, _>>()?;
    let template = raw.template.map(|template| path("template", &template)).transpose()?;
    if let Some(remote) = raw.remote.as_ref().filter(|remote| !is_remote_name(remote)) {
        let fault = format!(
            "`remote`: `{}` must be the name of one of your own remotes, such as `origin`, and no path or URL",
            remote.escape_debug()
        );
        return Err(("remote", fault));
    }
    let reference = raw.reference.unwrap_or_else(|| format!("refs/headwater/ids/{name}"));
    let ledgers = reference.starts_with("refs/headwater/ledger/").then_some("is where the collision ledger is kept");
    if let Err(fault) = ledgers.map_or_else(|| own_reference(&reference), Err) {
        let fault = format!("`ref`: `{}` {fault}, such as `refs/heads/headwater-ids-{name}`", reference.escape_debug());
        return Err(("ref", fault));
    }
    let log = raw.log.unwrap_or_default();
    Ok(Namespace { name: name.to_owned(), format, sources, files, template, log, remote: raw.remote, reference })
}

/// Whether a text can be the name of a remote, and neither a path nor a URL to git.
///
/// Source: git's `valid_remote_name` (`remote.c`).
fn is_remote_name(name: &str) -> bool {
    let is_repository = name.split('/').any(|part| part.to_ascii_lowercase().ends_with(".git"));
    !name.starts_with(['-', '/']) && !is_repository && is_reference(&format!("refs/remotes/{name}/x"))
}

/// Local copies and places that are headwater's own, and no names on a remote.
const INTERNAL: [&str; 8] = ["seen", "fetched-ids", "lost-ids", "heads", "pull", "merge-requests", "maybe", "gone"];

/// Whether a reference is headwater's own: below `refs/headwater/` or `refs/heads/headwater/`, or a branch
/// `headwater-*`.
///
/// # Errors
/// Says why it is none.
pub fn own_reference(name: &str) -> Result<(), &'static str> {
    let own = name.strip_prefix("refs/headwater/");
    let below = own.or_else(|| name.strip_prefix("refs/heads/headwater/"));
    let below = below.or_else(|| name.strip_prefix("refs/heads/headwater-").filter(|rest| !rest.starts_with('/')));
    if !is_reference(name) || below.is_none_or(str::is_empty) {
        return Err(
            "must be a reference of headwater's own: `refs/headwater/…`, `refs/heads/headwater/…` or `refs/heads/headwater-…`",
        );
    }
    if own.and_then(|rest| rest.split('/').next()).is_some_and(|place| INTERNAL.contains(&place)) {
        return Err("is a place that headwater keeps for itself in each clone; choose another one");
    }
    Ok(())
}

/// Source: git-check-ref-format(1).
fn is_reference(name: &str) -> bool {
    let part = |part: &str| {
        let lock = part.rsplit_once('.').is_some_and(|(_, end)| end == "lock");
        !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !lock
    };
    let strange = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    name.starts_with("refs/")
        && name.split('/').count() > 2
        && name.split('/').all(part)
        && !name.contains(strange)
        && !name.contains("..")
        && !name.contains("@{")
}
