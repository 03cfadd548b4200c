//! An entry in `.pre-commit-config.yaml`, put in as text so that the rest stays as it is.

use super::block::{HASH, like, replaced};
use serde_yaml::Value;

/// The entry. Of the user's own machine: `repo: local` needs no address and no download.
const ENTRY: &str = "- repo: local
  hooks:
  - id: headwater-check
    name: headwater check
    entry: sh -c 'command -v headwater >/dev/null 2>&1 || exit 0; headwater synth --check && headwater hook pre-push origin </dev/null'
    language: system
    pass_filenames: false
    always_run: true
    stages: [pre-push]
";

/// What to put in by hand.
pub(super) const BY_HAND: &str = ENTRY;

/// Puts the entry into a configuration; `None` if that cannot be done without touching the rest.
///
/// # Errors
/// The marks of a block are broken: `:line: …`.
pub(super) fn install(text: &str) -> Result<Option<String>, String> {
    if text.trim().is_empty() {
        return Ok(Some(format!("repos:\n{}", HASH.around(ENTRY, ""))));
    }
    if let Some(range) = HASH.find(text)? {
        let indent: String = text.get(range.clone()).unwrap_or_default().chars().take_while(|c| *c == ' ').collect();
        let whole = replaced(text, range, &like(text, &HASH.around(ENTRY, &indent)));
        return Ok(Some(whole));
    }
    let Some((at, indent)) = first_item(text) else { return Ok(None) };
    let whole = replaced(text, at..at, &like(text, &HASH.around(ENTRY, &indent)));
    Ok(only_adds(text, &whole).then_some(whole))
}

/// Takes the entry out; `None` if nothing is left.
///
/// # Errors
/// As [`install`].
pub(super) fn remove(text: &str) -> Result<Option<String>, String> {
    let rest = HASH.take(text)?;
    Ok(if rest != text && rest.trim() == "repos:" { None } else { Some(rest) })
}

/// Where the first item of `repos:` begins, and how far it is indented.
fn first_item(text: &str) -> Option<(usize, String)> {
    let mut at = 0;
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let bare = line.split('#').next().unwrap_or_default();
        if inside && !bare.trim().is_empty() {
            let indent: String = line.chars().take_while(|c| *c == ' ').collect();
            return bare.trim_start().starts_with("- ").then_some((at, indent));
        }
        inside |= bare.trim_end() == "repos:";
        at += line.len();
    }
    None
}

/// Whether a text says what another says, and our entry first.
fn only_adds(before: &str, after: &str) -> bool {
    let read = |text: &str| serde_yaml::from_str::<Value>(text).ok();
    let (Some(before), Some(mut after)) = (read(before), read(after)) else { return false };
    let Some(repos) = after.get_mut("repos").and_then(Value::as_sequence_mut) else { return false };
    if repos.is_empty() {
        return false;
    }
    let ours = repos.remove(0);
    let entry: Option<Vec<Value>> = serde_yaml::from_str(ENTRY).ok();
    entry.is_some_and(|entry| entry == [ours]) && before == after
}

#[cfg(test)]
mod tests {
    use super::{install, remove};

    const FILES: [&str; 4] = [
        "repos:\n- repo: https://example.org/a\n  rev: v1\n  hooks: [{id: a}]\n",
        "# mine\ndefault_stages: [pre-commit]\nrepos: # here\n\n    # the first\n    - repo: local\n      hooks:\n      - id: x\nfail_fast: true",
        "repos:\r\n  - repo: meta\r\n    hooks:\r\n      - id: identity\r\n",
        "minimum_pre_commit_version: '3'\nrepos:\n-   repo: meta\n    hooks:\n    -   id: identity\n",
    ];

    #[test]
    fn the_rest_stays_and_twice_changes_nothing() {
        for text in FILES {
            let once = install(text).unwrap().unwrap_or_else(|| panic!("{text}"));
            assert_eq!(install(&once).unwrap().unwrap(), once);
            assert_eq!(remove(&once).unwrap().unwrap(), text);
        }
        let new = install("").unwrap().unwrap();
        assert_eq!(install(&new).unwrap().unwrap(), new);
        assert_eq!(remove(&new).unwrap(), None);
    }

    #[test]
    fn what_is_not_plain_is_left_alone() {
        for text in ["repos: []\n", "repos: [{repo: meta}]\n", "- id: x\n", "repos:\n", "a: 1\n", "repos:\n- {\n"] {
            assert_eq!(install(text).unwrap(), None, "{text}");
        }
    }
}
