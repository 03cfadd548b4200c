//! Where a repository and its work tree lie, found as git finds them, without starting a process.
//!
//! Source: git's `setup.c` (`setup_git_directory_gently`, `is_git_directory`, `read_gitfile`) and
//! gitrepository-layout(5).
#![expect(clippy::disallowed_methods, reason = "git's own small files are read here instead of starting git")]

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::{GitError, settings};

/// The places that belong to one work tree of a repository; all paths are absolute and real.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The top folder of the checkout.
    pub work_tree: PathBuf,
    /// What belongs to this checkout alone: `HEAD`, the index, an unfinished rebase.
    pub git_dir: PathBuf,
    /// What all checkouts of the repository share: objects and branches.
    pub common_dir: PathBuf,
    /// The folder with the entry `.git`, where git finds the repository and checks who owns it.
    /// It differs from the work tree only where `core.worktree` says so.
    pub(super) found_in: PathBuf,
}

impl Layout {
    /// Finds the work tree that holds `start`, which need not exist yet.
    ///
    /// Ordinary checkouts, linked worktrees (of bare repositories too), submodules and
    /// `--separate-git-dir` are found. `None` outside git, and where there is no work tree: in a bare
    /// repository and in a `.git` folder itself. `GIT_DIR` and its kin in the environment are ignored:
    /// a hook exports them for its own repository, not for the folder that was asked for.
    ///
    /// # Errors
    /// [`GitError::Unreadable`] if no ancestor of `start` can be read, [`GitError::BrokenLink`] if a
    /// `.git` file leads nowhere.
    pub fn discover(start: &Path) -> Result<Option<Self>, GitError> {
        let (start, _) = real_ancestor(start)?;
        for folder in start.ancestors() {
            let dot_git = folder.join(".git");
            // A folder that may not be looked into holds no repository that git could use either.
            if let Ok(metadata) = fs::metadata(&dot_git) {
                if metadata.is_file() {
                    return through_link(folder, &dot_git);
                }
                if metadata.is_dir() && common_dir_of(&dot_git).is_some() {
                    return checked_out(folder, &dot_git);
                }
            }
            if common_dir_of(folder).is_some() {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// A folder where git can be asked about objects and named files, though there may be no work tree:
    /// a bare repository, or none.
    #[must_use]
    pub fn without_work_tree(folder: &Path) -> Self {
        let folder = real(folder).unwrap_or_else(|_| folder.to_owned());
        Self { work_tree: folder.clone(), git_dir: folder.clone(), common_dir: folder.clone(), found_in: folder }
    }

    /// Whether a folder lies inside a git folder or a bare repository, where there is no work tree.
    ///
    /// # Errors
    /// As [`Layout::discover`].
    pub fn is_in_git_dir(start: &Path) -> Result<bool, GitError> {
        let (start, _) = real_ancestor(start)?;
        Ok(start.ancestors().any(|folder| common_dir_of(folder).is_some()))
    }

    /// The directory that the user named as the ledger: `git config headwater.dir`, from the top of the work tree.
    /// Only this clone's own file counts, which no branch can write.
    #[must_use]
    pub fn named_ledger(&self) -> Option<PathBuf> {
        let text = config(&self.common_dir.join("config")).ok()?;
        let named = settings::value(&text, "headwater", "dir").filter(|named| !named.is_empty())?;
        Some(self.work_tree.join(named))
    }

    /// Whether a path is below a directory with every symbolic link followed; neither need exist.
    #[must_use]
    pub fn is_below(directory: &Path, path: &Path) -> bool {
        // `..` below what does not exist yet would lead anywhere once it does.
        let plain = |rest: &Path| rest.components().all(|part| matches!(part, Component::Normal(_)));
        let real =
            |path: &Path| real_ancestor(path).ok().filter(|(_, rest)| plain(rest)).map(|(real, rest)| real.join(rest));
        matches!((real(directory), real(path)), (Some(directory), Some(path)) if path.starts_with(&directory))
    }

    /// Whether this is a linked worktree, made by `git worktree add`.
    #[must_use]
    pub fn is_linked(&self) -> bool {
        self.git_dir != self.common_dir
    }

    /// Names the work tree: a linked one as `git worktree` files it, the main one by its folder. Two work
    /// trees of a repository have two names.
    #[must_use]
    pub fn work_tree_name(&self) -> String {
        let name = |folder: &Path| {
            folder.file_name().map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned())
        };
        if !self.is_linked() {
            return name(&self.work_tree);
        }
        let own = name(&self.git_dir);
        let is_mains = self.common_dir.parent().is_some_and(|main| name(main) == own);
        if is_mains { format!("{own}-worktree") } else { own }
    }

    /// The work trees of the repository that exist, this one first, the others in byte order of their paths.
    ///
    /// As `git worktree list`, without a process: the linked ones are filed in the common directory. The
    /// main one of a repository with a separate git directory is not filed anywhere, and is found only
    /// from inside itself.
    #[must_use]
    pub fn work_trees(&self) -> Vec<Self> {
        let filed = fs::read_dir(self.common_dir.join("worktrees")).into_iter().flatten().flatten();
        let linked = filed.filter_map(|entry| {
            let text = fs::read(entry.path().join("gitdir")).ok()?;
            // Absolute, or relative to the folder that says it.
            Some(entry.path().join(path_from(trimmed(&text))?).parent()?.to_owned())
        });
        let main = self.common_dir.parent().map(Path::to_owned);
        let moved =
            config(&self.common_dir.join("config")).ok().and_then(|text| settings::value(&text, "core", "worktree"));
        let moved = moved.map(|path| self.common_dir.join(path));
        let mut others: Vec<Self> = linked
            .chain(main)
            .chain(moved)
            .filter(|folder| folder.join(".git").exists())
            .filter_map(|folder| Self::discover(&folder).ok().flatten())
            .filter(|other| other.common_dir == self.common_dir && other.work_tree != self.work_tree)
            .collect();
        others.sort_by(|a, b| a.work_tree.cmp(&b.work_tree));
        others.dedup();
        others.insert(0, self.clone());
        others
    }

    /// The log of `HEAD` of this work tree, as git writes it; empty where there is none, or where
    /// references are kept in reftables.
    #[must_use]
    pub fn head_log(&self) -> Vec<u8> {
        fs::read(self.git_dir.join("logs/HEAD")).unwrap_or_default()
    }

    /// The reflogs of `HEAD` in every worktree, and of local branches; none where references are kept in reftables.
    #[must_use]
    pub fn reflogs(&self) -> Vec<Vec<u8>> {
        let worktrees = fs::read_dir(self.common_dir.join("worktrees")).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = worktrees.map(|entry| entry.path().join("logs/HEAD")).collect();
        files.push(self.common_dir.join("logs/HEAD"));
        let mut directories = vec![self.common_dir.join("logs/refs/heads")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => directories.push(entry.path()),
                    Ok(kind) if kind.is_file() => files.push(entry.path()),
                    _ => {}
                }
            }
        }
        let regular = files.into_iter().filter(|file| fs::symlink_metadata(file).is_ok_and(|found| found.is_file()));
        regular.filter_map(|file| fs::read(file).ok()).collect()
    }

    /// The folder in the repository that belongs to this program, shared by all work trees.
    ///
    /// It may not exist yet.
    #[must_use]
    pub fn own_dir(&self) -> PathBuf {
        self.common_dir.join("headwater")
    }

    /// Names a path as git does: relative to the top of the work tree, with `/` between its parts.
    ///
    /// Symbolic links on the way are followed, the last part is not, and nothing need exist. `None`
    /// outside the work tree and for a name that is not UTF-8; the top itself is the empty text.
    #[must_use]
    pub fn relative(&self, path: &Path) -> Option<String> {
        let absolute = std::path::absolute(path).ok()?;
        let by_parent = absolute.parent().zip(absolute.file_name()).and_then(|(parent, name)| {
            let (real, rest) = real_ancestor(parent).ok()?;
            self.below_top(&real.join(rest).join(name))
        });
        by_parent.or_else(|| {
            let (real, rest) = real_ancestor(&absolute).ok()?;
            self.below_top(&real.join(rest))
        })
    }

    fn below_top(&self, path: &Path) -> Option<String> {
        let mut name = String::new();
        for part in path.strip_prefix(&self.work_tree).ok()?.components() {
            let Component::Normal(part) = part else { return None };
            if !name.is_empty() {
                name.push('/');
            }
            name.push_str(part.to_str()?);
        }
        Some(name)
    }
}

/// Splits a path into its longest part that exists, made real, and the rest.
fn real_ancestor(path: &Path) -> Result<(PathBuf, PathBuf), GitError> {
    let unreadable = |source| GitError::Unreadable { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(unreadable)?;
    for ancestor in absolute.ancestors() {
        match real(ancestor) {
            Ok(real) => {
                let rest = absolute.strip_prefix(ancestor).unwrap_or(Path::new(""));
                return Ok((real, rest.to_owned()));
            }
            Err(fault) if matches!(fault.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(fault) => return Err(unreadable(fault)),
        }
    }
    Err(unreadable(ErrorKind::NotFound.into()))
}

/// Resolves symbolic links, without the prefix `\\?\` of Windows, which git does not accept.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    let path = fs::canonicalize(path)?;
    let plain =
        path.to_str().and_then(|text| text.strip_prefix(r"\\?\")).map(|text| match text.strip_prefix(r"UNC\") {
            Some(share) => PathBuf::from(format!(r"\\{share}")),
            None => PathBuf::from(text),
        });
    Ok(plain.unwrap_or(path))
}

/// The folder that holds the objects of the git folder `folder`; `None` if it is no git folder.
fn common_dir_of(folder: &Path) -> Option<PathBuf> {
    // A link `HEAD` may dangle: it is how very old repositories name a branch without commits.
    fs::symlink_metadata(folder.join("HEAD")).ok().filter(|head| !head.is_dir())?;
    let common = match fs::read(folder.join("commondir")) {
        Ok(text) => real(&folder.join(path_from(trimmed(&text))?)).ok()?,
        Err(_) => folder.to_owned(),
    };
    (common.join("objects").is_dir() && common.join("refs").is_dir()).then_some(common)
}

/// Follows a `.git` file.
fn through_link(folder: &Path, link: &Path) -> Result<Option<Layout>, GitError> {
    let broken = |fault| GitError::BrokenLink { path: link.to_owned(), fault };
    let text = fs::read(link).map_err(|source| GitError::Unreadable { path: link.to_owned(), source })?;
    let target = text.strip_prefix(b"gitdir: ").and_then(|target| path_from(trimmed(target)));
    let target = target.ok_or_else(|| broken("does not say `gitdir: ` and a path"))?;
    let Ok(git_dir) = real(&folder.join(target)) else {
        return Err(broken("points to a folder that does not exist"));
    };
    if common_dir_of(&git_dir).is_none() {
        return Err(broken("points to a folder that is no git repository"));
    }
    checked_out(folder, &git_dir)
}

/// Describes the work tree of a git folder that was found in `folder`; `None` if it has none.
fn checked_out(folder: &Path, git_dir: &Path) -> Result<Option<Layout>, GitError> {
    let unreadable = |source| GitError::Unreadable { path: git_dir.to_owned(), source };
    let git_dir = real(git_dir).map_err(unreadable)?;
    let common_dir = common_dir_of(&git_dir).ok_or_else(|| unreadable(ErrorKind::NotFound.into()))?;
    let common_dir = real(&common_dir).map_err(unreadable)?;
    let shared = config(&common_dir.join("config"))?;
    // `core.bare` and `core.worktree` of the shared file speak of the main work tree only.
    let mut own = if git_dir == common_dir { shared.clone() } else { String::new() };
    if settings::flag(&shared, "extensions", "worktreeConfig") == Some(true) {
        own.push('\n');
        own.push_str(&config(&git_dir.join("config.worktree"))?);
    }
    if settings::flag(&own, "core", "bare") == Some(true) {
        return Ok(None);
    }
    let moved = settings::value(&own, "core", "worktree").and_then(|path| real(&git_dir.join(path)).ok());
    let found_in = folder.to_owned();
    Ok(Some(Layout { work_tree: moved.unwrap_or_else(|| found_in.clone()), git_dir, common_dir, found_in }))
}

/// A configuration file's text; nothing if there is none.
fn config(path: &Path) -> Result<String, GitError> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(GitError::Unreadable { path: path.to_owned(), source }),
    }
}

fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

/// A path as git writes it into its files: the system's own bytes, or UTF-8 where paths are Unicode.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "on other systems not every text is a path")]
fn path_from(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
}

/// A path as git writes it into its files: the system's own bytes, or UTF-8 where paths are Unicode.
#[cfg(not(unix))]
fn path_from(bytes: &[u8]) -> Option<PathBuf> {
    str::from_utf8(bytes).ok().map(PathBuf::from)
}
