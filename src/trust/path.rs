//! Paths inside the worktree, resolved component by component; symbolic links on the way are refused.
//!
//! A branch decides what a configured path is called and which links lie in a worktree. It does not decide where
//! headwater reads or writes: a path is followed from an open directory, one component after the other, and never
//! through a link. Only the ledger that the user names himself may lie behind one.

use crate::git::{Git, GitError, Layout};
use cap_fs_ext::DirExt as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

pub use crate::config::relative::is_component;

/// The path of a file inside a worktree: no component on the way is a symbolic link. The last one is not
/// followed by who opens it.
///
/// Nothing else makes one:
///
/// ```compile_fail,E0451
/// use headwater::trust::path::InTree;
/// let path = InTree { whole: "/etc/passwd".into(), name: String::new() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InTree {
    whole: PathBuf,
    name: String,
}

/// As many links as Linux follows on one path.
const MOST_LINKS: u32 = 40;

/// Why a path is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PathRefused {
    /// Its text is no path inside a worktree.
    #[error(
        "cannot use the path `{0}`: it does not stay inside the worktree; use a relative path without `..` and `.git`"
    )]
    Name(String),
    /// A link lies on the way.
    #[error(
        "cannot use the path `{path}`: `{link}` is a symbolic link, and headwater does not follow links that a branch may contain; put a real directory there"
    )]
    Link {
        /// The path.
        path: String,
        /// The component, from the top of the worktree.
        link: String,
    },
    /// The ledger lies behind a link.
    #[error(
        "cannot use the ledger `{path}`: `{link}` is a symbolic link, and headwater does not follow links that a branch may contain; if the ledger belongs there, run `git config headwater.dir {path}`"
    )]
    Ledger {
        /// The path.
        path: String,
        /// The component, from the top of the worktree.
        link: String,
    },
    /// A branch contains a link on the way to the ledger that the user named.
    #[error(
        "cannot use the ledger `{}`: `{link}` is a symbolic link that the branch contains, so a branch decides where it leads; name the directory itself, as in `git config headwater.dir ../thoughts`", path.display()
    )]
    Tracked {
        /// The ledger.
        path: PathBuf,
        /// The link, from the top of the worktree.
        link: String,
    },
    /// git does not tell which links a branch contains.
    #[error("cannot tell whether the branch contains the link `{link}`")]
    Unknown {
        /// The link, from the top of the worktree.
        link: String,
        /// What git reports.
        #[source]
        source: GitError,
    },
    /// The system refuses to look.
    #[error("cannot look at `{}`", path.display())]
    Unreadable {
        /// What was looked at.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

impl InTree {
    /// Resolves a path from the top of a worktree, with `/` between its components; it need not exist. The empty
    /// path is the top.
    ///
    /// # Errors
    /// The path leads elsewhere, or a component before the last is a link.
    pub fn file(top: &Path, name: &str) -> Result<Self, PathRefused> {
        let parts = components(name)?;
        let before = parts.split_last().map_or(&[][..], |(_, before)| before);
        walk(top, name, before)?;
        Ok(Self::checked(top, &parts))
    }

    /// Resolves a path as [`InTree::file`] does, whose last component is no link either.
    ///
    /// # Errors
    /// The path leads elsewhere, or a component is a link.
    pub fn directory(top: &Path, name: &str) -> Result<Self, PathRefused> {
        let parts = components(name)?;
        walk(top, name, &parts)?;
        Ok(Self::checked(top, &parts))
    }

    /// Resolves a path whose links the user knows: he runs a set-up, which shows what it changes. Links are
    /// followed, and what they lead to is inside the worktree and outside git's directory; or it is refused.
    ///
    /// # Errors
    /// It leads elsewhere, or nowhere.
    pub fn through_links(top: &Path, name: &str) -> Result<Self, PathRefused> {
        let parts = components(name)?;
        let link = || PathRefused::Name(name.to_owned());
        let place = |depth: usize| top.join(parts.get(..depth).unwrap_or_default().iter().collect::<PathBuf>());
        let is_there = |depth: &usize| place(*depth).symlink_metadata().is_ok();
        // What is missing below the last part that is there has no links.
        let depth = (0..=parts.len()).rev().find(is_there).unwrap_or_default();
        let (there, missing) = (place(depth), parts.get(depth..).unwrap_or_default());
        let unreadable = |source| PathRefused::Unreadable { path: there.clone(), source };
        let real = there.canonicalize().map_err(unreadable)?;
        let top = top.canonicalize().map_err(unreadable)?;
        let inside = real.strip_prefix(&top).map_err(|_outside| link())?;
        let inside = inside.iter().map(|part| part.to_str().filter(|part| is_component(part)));
        let mut parts: Vec<&str> = inside.collect::<Option<_>>().ok_or_else(link)?;
        parts.extend(missing);
        Ok(Self::checked(&top, &parts))
    }

    fn checked(top: &Path, parts: &[&str]) -> Self {
        Self { whole: top.join(parts.iter().collect::<PathBuf>()), name: parts.join("/") }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.whole
    }

    /// Its name from the top of the worktree, with `/`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The directory of a ledger: inside a worktree without a link on the way, or named by the user.
///
/// ```compile_fail,E0603
/// use headwater::trust::path::LedgerPlace;
/// let place = LedgerPlace("/etc".into());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPlace(PathBuf);

impl LedgerPlace {
    /// The ledger at a path that a configuration, a default or a file names.
    ///
    /// # Errors
    /// The path leads elsewhere, or a component is a link.
    pub fn in_tree(top: &Path, name: &str) -> Result<Self, PathRefused> {
        match InTree::directory(top, name) {
            Ok(path) => Ok(Self(path.whole)),
            Err(PathRefused::Link { path, link }) => Err(PathRefused::Ledger { path, link }),
            Err(other) => Err(other),
        }
    }

    /// The ledger that the user names on the command line. Its links are followed, and it may lie outside the
    /// worktree.
    #[must_use]
    pub fn named_by_user(path: PathBuf) -> Self {
        Self(path)
    }

    /// The ledger that the user named once, for whatever branch is checked out: by `git config headwater.dir` or
    /// `HEADWATER_DIR`. His own links are followed; those that a branch contains are not.
    ///
    /// # Errors
    /// git tracks a link on the way, or cannot tell.
    pub fn named_once(layout: Option<&Layout>, path: PathBuf) -> Result<Self, PathRefused> {
        let unreadable = |source| PathRefused::Unreadable { path: path.clone(), source };
        let absolute = std::path::absolute(&path).map_err(unreadable)?;
        let mut left: Vec<PathBuf> = absolute.components().rev().map(|part| PathBuf::from(part.as_os_str())).collect();
        let mut here = PathBuf::new();
        let mut links = 0;
        while let Some(part) = left.pop() {
            if part.as_os_str() == ".." {
                here.pop();
                continue;
            }
            here.push(part);
            let Ok(target) = here.read_link() else { continue };
            links += 1;
            if links > MOST_LINKS {
                return Err(unreadable(io::Error::other("too many symbolic links")));
            }
            if let Some((layout, link)) = layout.and_then(|layout| Some((layout, layout.relative(&here)?))) {
                match Git::at(layout).is_tracked(&link) {
                    Ok(false) => {}
                    Ok(true) => return Err(PathRefused::Tracked { path, link }),
                    Err(source) => return Err(PathRefused::Unknown { link, source }),
                }
            }
            here.pop();
            left.extend(target.components().rev().map(|part| PathBuf::from(part.as_os_str())));
        }
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn into_path(self) -> PathBuf {
        self.0
    }
}

/// The components of a path from the top of a worktree.
fn components(name: &str) -> Result<Vec<&str>, PathRefused> {
    let trimmed = name.trim_end_matches('/');
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<&str> = trimmed.split('/').collect();
    if parts.iter().all(|part| is_component(part)) { Ok(parts) } else { Err(PathRefused::Name(name.to_owned())) }
}

/// Opens one directory after the other as far as they exist, and follows no link.
fn walk(top: &Path, name: &str, parts: &[&str]) -> Result<(), PathRefused> {
    let at = |depth: usize| parts.get(..=depth).unwrap_or_default().join("/");
    let mut here = match Dir::open_ambient_dir(top, ambient_authority()) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|source| PathRefused::Unreadable { path: top.to_owned(), source })?,
    };
    for (depth, part) in parts.iter().enumerate() {
        match here.open_dir_nofollow(part) {
            Ok(next) => here = next,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(source) => {
                return match here.symlink_metadata(part) {
                    Ok(found) if found.is_symlink() => {
                        Err(PathRefused::Link { path: name.to_owned(), link: at(depth) })
                    }
                    // A file in the way of a directory: who opens the path reports it.
                    Ok(found) if !found.is_dir() => Ok(()),
                    _ => Err(PathRefused::Unreadable { path: top.join(at(depth)), source }),
                };
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::{InTree, LedgerPlace, PathRefused};
    use cap_std::ambient_authority;
    use cap_std::fs::Dir;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    fn made(top: &Path, folder: &str) {
        let (above, name) = (top.parent().unwrap(), Path::new(top.file_name().unwrap()));
        let dir = Dir::open_ambient_dir(above, ambient_authority()).unwrap();
        dir.create_dir_all(name.join(folder)).unwrap();
    }

    #[test]
    fn links_on_the_way_are_refused_and_the_last_component_is_not_followed() {
        let scratch = tempfile::tempdir().unwrap();
        let top = scratch.path().join("tree");
        made(&top, "a/b");
        symlink("b", top.join("a/inner")).unwrap();
        symlink("/nonexistent", top.join("gone")).unwrap();
        assert_eq!(InTree::file(&top, "a/b/new/x").unwrap().path(), top.join("a/b/new/x"));
        assert_eq!(InTree::file(&top, "a/inner").unwrap().name(), "a/inner");
        assert_eq!(InTree::file(&top, "").unwrap().path(), top);
        for (name, link) in [("a/inner/x", "a/inner"), ("gone/x/y", "gone")] {
            let said = InTree::file(&top, name).unwrap_err().to_string();
            assert!(said.contains(&format!("`{link}` is a symbolic link")), "{said}");
        }
        assert!(matches!(InTree::directory(&top, "a/inner"), Err(PathRefused::Link { .. })));
        let said = LedgerPlace::in_tree(&top, "a/inner").unwrap_err().to_string();
        assert!(said.contains("git config headwater.dir a/inner"), "{said}");
        for name in ["..", "a/../b", "/etc", "a//b", ".git/x", "a/.GIT", "a\0b"] {
            assert!(matches!(InTree::file(&top, name), Err(PathRefused::Name(_))), "{name:?}");
        }
    }

    #[test]
    fn links_of_a_setup_stay_inside_the_worktree_and_outside_git() {
        let scratch = tempfile::tempdir().unwrap();
        let top = scratch.path().canonicalize().unwrap().join("tree");
        made(&top, ".git/hooks");
        made(&top, "a");
        for (link, to) in [("in", "a"), ("git", ".git/hooks"), ("out", ".."), ("gone", "nowhere")] {
            symlink(to, top.join(link)).unwrap();
        }
        assert_eq!(InTree::through_links(&top, "in/new/x").unwrap().name(), "a/new/x");
        assert_eq!(InTree::through_links(&top, "in").unwrap().name(), "a");
        for name in ["git", "git/x", "out", "out/x/y", "gone", "gone/x"] {
            assert!(InTree::through_links(&top, name).is_err(), "{name}");
        }
    }
}
