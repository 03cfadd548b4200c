//! Where the files of a set-up really lie: links are followed inside the work tree and nowhere else.

use crate::git::{Git, GitError, Layout};
use crate::trust::path::{InTree, PathRefused};
use std::path::{Path, PathBuf};

/// The real path of a file of the work tree, which need not exist.
///
/// # Errors
/// It leads out of the work tree or into git's own directory, or nowhere; in words.
pub(super) fn real_place(layout: &Layout, name: &str) -> Result<PathBuf, String> {
    match InTree::through_links(&layout.work_tree, name) {
        Ok(place) => Ok(place.path().to_owned()),
        Err(PathRefused::Unreadable { .. }) => {
            Err("is a link that leads nowhere; mend or remove it and run this again".to_owned())
        }
        Err(_) => {
            Err("leads out of the work tree and is not changed; put a file of the repository's own there".to_owned())
        }
    }
}

/// Where a file or folder is that [`name_of`] named; none where a link lies on the way now.
pub(super) fn remembered_place(layout: &Layout, name: &str) -> Option<PathBuf> {
    match name.strip_prefix(".git/") {
        Some(rest) => Some(layout.common_dir.join(rest)),
        None => InTree::file(&layout.work_tree, name).ok().map(|place| place.path().to_owned()),
    }
}

/// Where hooks go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HooksDir {
    /// The folder.
    pub dir: PathBuf,
    /// Whether another program runs the scripts in it with a shell (husky).
    pub sourced: bool,
    /// Whether it belongs to this repository, so that it may be written to.
    pub is_own: bool,
}

impl HooksDir {
    /// Finds the folder that git, or the user's hook manager, looks in.
    ///
    /// # Errors
    /// As [`Git::hooks_dir`].
    pub(super) fn of(git: &Git) -> Result<Self, GitError> {
        let layout = git.layout();
        let configured = git.hooks_dir()?;
        let parts: Vec<_> = configured.components().rev().take(2).map(|part| part.as_os_str().to_owned()).collect();
        // husky owns `.husky/_` and runs the scripts beside it.
        let sourced =
            parts.first().is_some_and(|last| last == "_") && parts.get(1).is_some_and(|above| above == ".husky");
        let dir = if sourced { configured.parent().map(Path::to_owned).unwrap_or_default() } else { configured };
        let real = dir.ancestors().find_map(|folder| {
            let rest = dir.strip_prefix(folder).ok()?;
            Some(folder.canonicalize().ok()?.join(rest))
        });
        let is_own =
            real.is_some_and(|real| real.starts_with(&layout.work_tree) || real.starts_with(&layout.common_dir));
        Ok(Self { dir, sourced, is_own })
    }
}

/// The name under which a file is remembered and shown: from the top of the work tree, so that it is the
/// same in every worktree, or from the common git folder.
pub(super) fn name_of(layout: &Layout, path: &Path) -> String {
    if let Ok(rest) = path.strip_prefix(&layout.common_dir) {
        let parts = rest.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        return format!(".git/{}", parts.collect::<Vec<_>>().join("/"));
    }
    layout.relative(path).unwrap_or_else(|| path.display().to_string())
}
