//! The user's word in this clone's own configuration: written by a set-up, and taken out with it.

use super::plan::{Act, Step};
use crate::git::{Git, GitError};
use crate::trust::consent::KEYS;

/// A consent that the user gives now: its key, and what is granted.
pub type Word = (&'static str, String);

/// Steps that write what the user granted now, beside what stands there.
pub(super) fn grant(git: &Git, words: &[Word]) -> Result<Vec<Step>, GitError> {
    let mut steps = Vec::new();
    for (key, value) in words {
        let before = git.local_setting(key)?;
        let known = before.as_deref().unwrap_or_default().replace('\n', " ");
        let lacks = |word: &&str| !known.split([',', ' ']).any(|known| known == *word);
        let new: Vec<&str> = value.split(',').filter(lacks).collect();
        // Of `commit` the last word counts.
        let is_switch = matches!(known.as_str(), "true" | "false" | "none");
        if new.is_empty() {
            continue;
        }
        let after = if known.is_empty() || is_switch { value.clone() } else { format!("{known} {}", new.join(" ")) };
        let what = "your consent, in this clone alone".to_owned();
        steps.push(Step { name: (*key).to_owned(), what, act: Act::Set { before, after: Some(after) } });
    }
    Ok(steps)
}

/// Steps that take out every word, and where logs were kept.
pub(super) fn withdraw(git: &Git) -> Result<Vec<Step>, GitError> {
    let homes = git.settings(r"^headwater\..*\.log$")?;
    let keys = KEYS.iter().map(|key| (*key).to_owned()).chain(homes.into_iter().map(|(key, _)| key));
    let mut steps = Vec::new();
    for key in keys {
        if let Some(before) = git.local_setting(&key)? {
            let what = "what you agreed to in this clone".to_owned();
            steps.push(Step { name: key, what, act: Act::Set { before: Some(before), after: None } });
        }
    }
    Ok(steps)
}
