//! What lies below a folder at the tips of all branches that this clone knows.

use super::objects::tree_entry;
use super::{Call, Git, GitError, Oid, TreeEntry};
use std::collections::BTreeMap;

impl Git {
    /// The files below a folder at the tip of every local and remote-tracking branch, with the name of one
    /// reference that has them; paths are relative to the folder. Each different folder is looked into once.
    ///
    /// # Errors
    /// As [`Git::succeed`], and [`GitError::Unexpected`].
    pub fn folder_at_tips(&self, folder: &str) -> Result<Vec<(String, Vec<TreeEntry>)>, GitError> {
        let listing = Call::new(["for-each-ref", "--format=%(objectname) %(refname)"]);
        let patterns = ["refs/heads/", "refs/remotes/", "refs/headwater/heads/"];
        let tips = self.succeed(listing.args(patterns))?.text();
        let tips: Vec<(&str, &str)> = tips.lines().filter_map(|line| line.split_once(' ')).collect();
        let questions = tips.iter().fold(String::new(), |text, (tip, _)| text + tip + ":" + folder + "\n");
        let check = Call::new(["cat-file", "--batch-check=%(objectname) %(objecttype)"]).stdin(questions.into_bytes());
        let answer = self.succeed(check)?.text();
        let mut trees: BTreeMap<Oid, &str> = BTreeMap::new();
        for ((_, name), line) in tips.iter().zip(answer.lines()) {
            if let Some(tree) = line.strip_suffix(" tree").and_then(Oid::parse) {
                trees.entry(tree).or_insert(name);
            }
        }
        let list = |(tree, name): (&Oid, &&str)| {
            let output = self.succeed(Call::new(["ls-tree", "-r", "-z", "--full-tree", tree.as_str()]))?;
            let lines = output.stdout.split(|byte| *byte == 0).filter(|line| !line.is_empty());
            let entries: Result<Vec<_>, _> =
                lines.map(|line| tree_entry(line).ok_or_else(|| output.unexpected(line))).collect();
            Ok(((*name).to_owned(), entries?))
        };
        trees.iter().map(list).collect()
    }
}
