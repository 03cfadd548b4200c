//! Which files became which, as git sees it.

use super::{Call, Git, GitError, Oid};
use std::collections::BTreeSet;

impl Git {
    /// Who added a path in the history of a commit, and when: what `commit --amend` and a rebase keep.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn who_added(&self, commit: &Oid, path: &str) -> Result<BTreeSet<String>, GitError> {
        let flags = ["log", "--full-history", "--no-renames", "--diff-filter=A", "--no-show-signature"];
        let call = Call::new(flags).args(["--format=%an <%ae> %at", commit.as_str(), "--", path]);
        Ok(self.succeed(call)?.text().lines().map(str::to_owned).collect())
    }

    /// The renamings of files below a folder in the history of all references, of the commits that are
    /// checked out, and of `also`: old and new paths of what one commit took away and added with at least
    /// half of its content (`-M`).
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn renames(&self, folder: &str, also: Option<&Oid>) -> Result<Vec<(String, String)>, GitError> {
        let flags = [
            "log",
            "--all",
            "--full-history",
            "-M",
            "--diff-merges=first-parent",
            "--diff-filter=R",
            "--name-status",
            "--no-show-signature",
            "--format=",
            "-z",
        ];
        let call = Call::new(flags).args(also.map(Oid::as_str)).args(["--"]);
        let answer = self.succeed(call.args(Some(folder).filter(|folder| !folder.is_empty())))?;
        let text = answer.text();
        let words: Vec<&str> = text.split('\0').filter(|word| !word.is_empty()).collect();
        // `R087 NUL old NUL new NUL`, again and again.
        Ok(words
            .chunks_exact(3)
            .filter_map(|words| match words {
                [_, old, new] => Some(((*old).to_owned(), (*new).to_owned())),
                _ => None,
            })
            .collect())
    }
}
