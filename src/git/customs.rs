//! What a clone is set up to do: its local settings, its hooks' folder, its git's version.

use super::{Call, Git, GitError};
use std::collections::BTreeMap;
use std::path::PathBuf;

impl Git {
    /// The folder that git looks for hooks in, wherever `core.hooksPath` points.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn hooks_dir(&self) -> Result<PathBuf, GitError> {
        let answer = self.succeed(Call::new(["rev-parse", "--git-path", "hooks"]).with_own_hooks_path())?;
        let text = answer.text();
        Ok(self.layout().found_in.join(text.strip_suffix('\n').unwrap_or(&text)))
    }

    /// The value of a key in this clone's own configuration; several of them one a line.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn local_setting(&self, key: &str) -> Result<Option<String>, GitError> {
        let answer = self.run(Call::new(["config", "--local", "--get-all", key]))?;
        match answer.code {
            Some(0) => Ok(Some(answer.text().trim_end_matches('\n').to_owned())),
            Some(1) => Ok(None),
            _ => Err(self.refused(answer)),
        }
    }

    /// All settings of the user's whose keys match a pattern, whatever file of git's they come from, in its order; a key
    /// without a value says `true`.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn settings(&self, pattern: &str) -> Result<Vec<(String, String)>, GitError> {
        let answer = self.run(Call::new(["config", "-z", "--get-regexp", pattern]))?;
        if !matches!(answer.code, Some(0 | 1)) {
            return Err(self.refused(answer));
        }
        let text = answer.text();
        let entry = |entry: &str| {
            let (key, value) = entry.split_once('\n').unwrap_or((entry, "true"));
            (key.to_owned(), value.to_owned())
        };
        Ok(text.split('\0').filter(|entry| !entry.is_empty()).map(entry).collect())
    }

    /// The branch that each of these remotes calls its `HEAD`, as this clone knows it.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn remote_heads<'a>(
        &self,
        remotes: impl Iterator<Item = &'a String> + Clone,
    ) -> Result<BTreeMap<String, String>, GitError> {
        let names = remotes.clone().map(|remote| format!("refs/remotes/{remote}/HEAD"));
        let listing = Call::new(["for-each-ref", "--format=%(refname) %(symref)"]).args(names);
        let answer = self.succeed(listing)?.text();
        let head = |remote: &String| {
            let prefix = format!("refs/remotes/{remote}/");
            let target = answer.lines().find_map(|line| line.strip_prefix(&format!("{prefix}HEAD ")))?;
            Some((remote.clone(), target.strip_prefix(&prefix)?.to_owned()))
        };
        Ok(remotes.filter_map(head).collect())
    }

    /// Sets a key in this clone's own configuration, or takes it out.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn set_local_setting(&self, key: &str, value: Option<&str>) -> Result<(), GitError> {
        let call = match value {
            Some(value) => Call::new(["config", "--local", "--replace-all", key, value]),
            None => Call::new(["config", "--local", "--unset-all", key]),
        };
        let done = self.run(call)?;
        // 5: there was nothing to take out.
        if done.success() || (value.is_none() && done.code == Some(5)) { Ok(()) } else { Err(self.refused(done)) }
    }

    /// Whether git ignores a path that need not exist, whatever is tracked.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn ignores(&self, path: &str) -> Result<bool, GitError> {
        let question = Call::new(["check-ignore", "--quiet", "--no-index", "--", path]);
        // It takes paths, not patterns, and refuses to be told so.
        let answer = self.run(question.variable("GIT_LITERAL_PATHSPECS", "0"))?;
        match answer.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(self.refused(answer)),
        }
    }

    /// The value of an attribute of a path that need not exist; `None` where it is not given a text.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn attribute(&self, name: &str, path: &str) -> Result<Option<String>, GitError> {
        let answer = self.succeed(Call::new(["check-attr", "-z", name, "--", path]))?;
        let value = answer.stdout.split(|byte| *byte == 0).nth(2).unwrap_or_default();
        let value = String::from_utf8_lossy(value).into_owned();
        Ok(Some(value).filter(|value| !matches!(value.as_str(), "unspecified" | "unset" | "set" | "")))
    }

    /// The program's version, such as `(2, 47)`; `None` where it does not say.
    ///
    /// # Errors
    /// As [`Git::succeed`].
    pub fn version(&self) -> Result<Option<(u32, u32)>, GitError> {
        let answer = self.succeed(Call::new(["--version"]))?.text();
        Ok(parse_version(&answer))
    }
}

fn parse_version(answer: &str) -> Option<(u32, u32)> {
    let mut numbers = answer.strip_prefix("git version ")?.split('.').map(|part| part.trim().parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_of_every_platform() {
        assert_eq!(parse_version("git version 2.47.3\n"), Some((2, 47)));
        assert_eq!(parse_version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(parse_version("git version 2.44.0.windows.1"), Some((2, 44)));
        assert_eq!(parse_version("something else"), None);
    }
}
