//! Which numbers stand in files: in the configured sources, in the names of numbered files, in claims of
//! older scripts; in this work tree, its siblings and every reference.

use super::IdsError;
use crate::config::Namespace;
use crate::config::pattern::{MAX_NUMBER, Numbered, Scope};
use crate::git::{Git, Whose};
use crate::store::{StoreError, names_in, names_in_tree, read_in_tree};
use crate::trust::number::{Floor, Found};
use crate::trust::path::InTree;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The numbers of each scope that stand outside a log.
pub type Numbers = BTreeMap<Scope, Found>;

/// Numbers by their scopes.
pub type Scoped = BTreeSet<(Scope, u64)>;

/// Where each scope stands.
pub type Floors = BTreeMap<Scope, Floor>;

/// Adds numbers of others than this worktree.
pub fn add_others(numbers: &mut Numbers, found: Scoped) {
    for (scope, number) in found {
        numbers.entry(scope).or_default().other(number);
    }
}

/// Adds where another log stands.
pub fn join(floors: &mut Floors, others: &Floors) {
    for (scope, floor) in others {
        floors.entry(scope.clone()).or_default().join(floor);
    }
}

/// The ids that the sources of a namespace mention in one work tree, with their archives.
///
/// # Errors
/// [`IdsError::Source`] if a source is missing or empty, unless it is a `sibling`'s: what another branch
/// lacks is no loss.
pub fn in_sources(namespace: &Namespace, top: &Path, sibling: bool) -> Result<Scoped, IdsError> {
    let mut found = BTreeSet::new();
    for source in &namespace.sources {
        let fault = |fault| IdsError::Source { namespace: namespace.name.clone(), path: source.clone(), fault };
        match read_if_there(top, source, sibling)? {
            Some(bytes) if !bytes.iter().all(u8::is_ascii_whitespace) => mentioned(namespace, &bytes, &mut found),
            _ if sibling => {}
            Some(_) => return Err(fault("is empty")),
            None => return Err(fault("is missing")),
        }
        for archive in archives(source) {
            if let Some(bytes) = read_if_there(top, &archive, sibling)? {
                mentioned(namespace, &bytes, &mut found);
            }
        }
    }
    Ok(found)
}

/// The ids that the sources mention at the tips of all references.
///
/// # Errors
/// git cannot answer.
pub fn in_references(namespace: &Namespace, git: &Git, of: Whose) -> Result<Scoped, IdsError> {
    let mut found = BTreeSet::new();
    for source in &namespace.sources {
        for path in std::iter::once(source.clone()).chain(archives(source)) {
            // A source this large is refused where it is checked out, so no number of it was ever given.
            for bytes in git.contents_at_tips(&path, of)?.iter().filter(|bytes| bytes.len() <= LARGEST) {
                mentioned(namespace, bytes, &mut found);
            }
        }
    }
    Ok(found)
}

/// The archives of all sources of a namespace, whether they are there or not; sources that are archives
/// themselves are among them.
#[must_use]
pub fn archives_of(namespace: &Namespace) -> BTreeSet<String> {
    let named = namespace.sources.iter().filter(|source| source.to_ascii_lowercase().contains("archive")).cloned();
    named.chain(namespace.sources.iter().flat_map(|source| archives(source))).collect()
}

/// Where the older part of a source is kept by habit.
fn archives(source: &str) -> Vec<String> {
    let (folder, name) = source.rsplit_once('/').map_or(("", source), |(folder, name)| (folder, name));
    let (stem, ending) = name.rsplit_once('.').map_or((name, String::new()), |(stem, end)| (stem, format!(".{end}")));
    let names = [
        format!("{stem}-ARCHIVE{ending}"),
        format!("{stem}-archive{ending}"),
        format!("{stem}.archive{ending}"),
        format!("archive/{name}"),
    ];
    let place = |name| if folder.is_empty() { name } else { format!("{folder}/{name}") };
    names.into_iter().map(place).collect()
}

/// A configured file of a worktree. What a `sibling` has behind a link of its branch it does not have.
///
/// # Errors
/// In this worktree: it lies behind a link or is none. Anywhere: it cannot be read.
pub fn read_if_there(top: &Path, name: &str, sibling: bool) -> Result<Option<Vec<u8>>, IdsError> {
    match InTree::file(top, name).map_err(StoreError::from).and_then(|place| read_in_tree(&place)) {
        Err(StoreError::Refused(_) | StoreError::WrongKind { .. }) if sibling => Ok(None),
        Ok(Some(bytes)) if bytes.len() > LARGEST => {
            let path = std::path::PathBuf::from(name);
            let source = std::io::Error::other("it is larger than 16 MiB; name a smaller file in `sources`");
            Err(StoreError::Io { action: "search", path, source }.into())
        }
        other => Ok(other?),
    }
}

/// The largest source that is searched, in bytes: a list of work is far smaller, and time and memory are bounded.
const LARGEST: usize = 16 << 20;

fn mentioned(namespace: &Namespace, bytes: &[u8], found: &mut BTreeSet<(Scope, u64)>) {
    let text = String::from_utf8_lossy(bytes);
    found.extend(namespace.format.mentions(&text).into_iter().map(|mention| (mention.says.scope, mention.says.number)));
}

/// Whether a source mentions a number.
pub(super) fn mentions(namespace: &Namespace, bytes: &[u8], wanted: &(Scope, u64)) -> bool {
    let mut found = BTreeSet::new();
    mentioned(namespace, bytes, &mut found);
    found.contains(wanted)
}

/// The numbers in the names of files in one work tree, whether git knows them or not.
///
/// # Errors
/// A folder cannot be listed.
pub fn in_names(namespace: &Namespace, top: &Path, sibling: bool) -> Result<Vec<(String, Numbered)>, IdsError> {
    let Some(files) = &namespace.files else { return Ok(Vec::new()) };
    let numbered = |path: String| files.taken_by(&path).map(|says| (path, says));
    Ok(paths_in(namespace, top, sibling)?.into_iter().filter_map(numbered).collect())
}

/// What lies in the folder of a namespace's files, from the top of the work tree.
///
/// # Errors
/// The folder cannot be listed.
pub(super) fn paths_in(namespace: &Namespace, top: &Path, sibling: bool) -> Result<Vec<String>, IdsError> {
    let Some(files) = &namespace.files else { return Ok(Vec::new()) };
    let folder = files.folder();
    let path = |name: std::ffi::OsString| {
        let name = name.to_string_lossy().into_owned();
        if folder.is_empty() { name } else { format!("{folder}/{name}") }
    };
    match InTree::directory(top, folder).map_err(StoreError::from).and_then(|place| names_in_tree(&place)) {
        Err(StoreError::Refused(_)) if sibling => Ok(Vec::new()),
        names => Ok(names?.into_iter().map(path).collect()),
    }
}

/// The numbers in the names of files that any reference ever had.
///
/// # Errors
/// git cannot answer.
pub fn in_history(namespace: &Namespace, git: &Git, of: Whose) -> Result<Scoped, IdsError> {
    let Some(files) = &namespace.files else { return Ok(BTreeSet::new()) };
    let paths = git.ever_added(files.folder(), of)?;
    Ok(paths.iter().filter_map(|path| files.taken_by(path)).map(|says| (says.scope, says.number)).collect())
}

/// The numbers that older scripts claimed: the names of files in `<namespace>-claims/` (`adr-claims/`) in
/// the common git directory.
///
/// # Errors
/// The folder cannot be listed.
pub fn in_claims(namespace: &Namespace, common_dir: &Path) -> Result<Scoped, IdsError> {
    let folder = common_dir.join(format!("{}-claims", namespace.name.to_ascii_lowercase()));
    let mut found = BTreeSet::new();
    for name in names_in(&folder)? {
        let name = name.to_string_lossy();
        let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
        if let Some(number) = digits.parse().ok().filter(|number| *number <= MAX_NUMBER) {
            found.insert((Scope::default(), number));
        }
    }
    Ok(found)
}

/// Fetches the remote's branches into `refs/headwater/heads/`, for their files' names.
pub const HEADS: &str = "+refs/heads/*:refs/headwater/heads/*";

#[cfg(test)]
mod tests {
    use super::{archives, in_claims, in_names, in_sources};
    use crate::config::pattern::Scope;
    use crate::config::{Config, Namespace};
    use crate::store::{make_folder, replace_whole};
    use std::path::Path;

    fn namespace(yaml: &str) -> Namespace {
        Config::parse(&format!("ids:\n  SEC: {yaml}\n")).unwrap().ids.remove("SEC").unwrap()
    }

    fn put(top: &Path, name: &str, text: &str) {
        let path = top.join(name);
        make_folder(path.parent().unwrap()).unwrap();
        replace_whole(&path, text.as_bytes()).unwrap();
    }

    #[test]
    fn sources_and_their_archives() {
        let scratch = tempfile::tempdir().unwrap();
        let top = scratch.path();
        let sec = namespace("{sources: [docs/TASKS.md]}");
        let said = in_sources(&sec, top, false).unwrap_err().to_string();
        assert!(said.contains("`docs/TASKS.md` of SEC is missing"), "{said}");
        assert!(in_sources(&sec, top, true).unwrap().is_empty());
        put(top, "docs/TASKS.md", " \n");
        assert!(in_sources(&sec, top, false).unwrap_err().to_string().contains("is empty"));
        put(top, "docs/TASKS.md", "| SEC-19 | x |\n| ~~SEC-24~~ |\n| ✅ SEC-9 |\n| SEC-3a |\n");
        put(top, "docs/TASKS-ARCHIVE.md", "| SEC-30 |");
        let numbers: Vec<u64> = in_sources(&sec, top, false).unwrap().into_iter().map(|(_, number)| number).collect();
        assert_eq!(numbers, [3, 9, 19, 24, 30]);
        assert_eq!(archives("TASKS")[0], "TASKS-ARCHIVE");
    }

    #[test]
    fn names_and_claims() {
        let scratch = tempfile::tempdir().unwrap();
        let top = scratch.path();
        let sec = namespace("{format: \"ADR-{n:04}\", files: \"adr/{n:04}-{slug}.md\"}");
        assert!(in_names(&sec, top, false).unwrap().is_empty());
        for name in ["0007-a.md", "0012-b.md.stub", "README.md"] {
            put(top, &format!("adr/{name}"), "x");
        }
        put(top, "sec-claims/0041", "slug");
        let numbers: Vec<u64> = in_names(&sec, top, false).unwrap().into_iter().map(|(_, says)| says.number).collect();
        assert_eq!(numbers, [7, 12]);
        assert!(in_claims(&sec, top).unwrap().contains(&(Scope::default(), 41)));
    }
}
