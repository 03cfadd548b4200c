//! Merges texts line by line, as git does without a merge driver.

use super::{Call, Git, GitError, Oid};

/// How a merge of texts came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextMerge {
    /// Without a conflict.
    Clean,
    /// With conflict markers.
    Conflicts,
}

impl Git {
    /// Merges the file `theirs` into the file `ours`, with these labels beside conflict markers; paths are
    /// absolute.
    ///
    /// # Errors
    /// As [`Git::run`], and [`GitError::Failed`] for what is no text; `ours` is as it was then.
    pub fn merge_files(&self, files: [&str; 3], labels: [&str; 3]) -> Result<TextMerge, GitError> {
        let mut call = Call::new(["merge-file", "--quiet"]);
        for label in labels {
            call = call.args(["-L", label]);
        }
        let answer = self.run(call.args(["--"]).args(files))?;
        match answer.code {
            Some(0) => Ok(TextMerge::Clean),
            // The number of conflicts, or 127.
            Some(1..=127) => Ok(TextMerge::Conflicts),
            _ => Err(self.refused(answer)),
        }
    }

    /// The merge of three blobs; `None` where they conflict, and with a git older than 2.43.
    ///
    /// # Errors
    /// As [`Git::run`].
    pub fn merge_blobs(&self, ours: &Oid, base: &Oid, theirs: &Oid) -> Result<Option<Vec<u8>>, GitError> {
        let names = [ours.as_str(), base.as_str(), theirs.as_str()];
        let answer = self.run(Call::new(["merge-file", "--quiet", "--stdout", "--object-id"]).args(names))?;
        Ok(answer.success().then_some(answer.stdout))
    }
}
