//! One path that was made twice, for two things.
//!
//! A file's title is its first heading without the id. Two titles of one path are one thing if the file was
//! edited: one side's history has the other's title, or both had the file where they parted, or the remote's
//! state of a branch is the same commit before it was amended.

use super::twice::{Claim, Clash, History, Things};
use super::uses::{Stand, Tree, Use};
use crate::config::Namespace;
use crate::git::{MergeBase, Oid};
use crate::ids::{IdsError, sources};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many states of one path are compared with each other.
const MOST: usize = 12;

/// How long git may look for the history of one path.
const LIMIT: Duration = Duration::from_secs(30);

/// A title as it is compared and as it is written.
pub(super) type Title = (String, String);

/// A state of a path.
#[derive(Debug)]
struct State<'u> {
    title: Title,
    claim: Claim<'u>,
}

impl History<'_> {
    /// Two claims of one path that were made for two things, with their titles, and whether that rests on a
    /// tree that nobody can tell to be open.
    pub(super) fn made_twice<'u>(&mut self, uses: &[(&'u Tree, &'u Use)]) -> Result<Option<Clash<'u>>, IdsError> {
        let mut by_path: BTreeMap<&str, Vec<(&'u Tree, &'u Use)>> = BTreeMap::new();
        for &(tree, one) in uses.iter().filter(|(tree, one)| !one.row && tree.stand != Stand::Merge) {
            by_path.entry(&one.path).or_default().push((tree, one));
        }
        for (path, uses) in by_path {
            let titles = self.titles_of(path, &uses)?;
            let different: BTreeSet<&str> = titles.iter().map(|(_, (key, _))| key.as_str()).collect();
            if different.len() < 2 {
                continue;
            }
            let mut states = self.states(path, &uses, &titles)?;
            states.sort_by_key(|state| state.claim.tree.unsure);
            states.truncate(MOST);
            let mut things = Things::default();
            for (at, a) in states.iter().enumerate() {
                for b in states.iter().skip(at + 1) {
                    let apart = things.of(&a.title.0) != things.of(&b.title.0);
                    if apart && self.is_one_file(path, a, b)? {
                        things.join(&a.title.0, &b.title.0);
                    }
                }
            }
            let mut kept: BTreeMap<&str, &State<'u>> = BTreeMap::new();
            for state in &states {
                kept.entry(things.of(&state.title.0)).or_insert(state);
            }
            if kept.len() > 1 {
                let unsure = kept.values().filter(|state| !state.claim.tree.unsure).count() < 2;
                return Ok(Some((
                    kept.into_values().map(|state| (state.title.1.clone(), state.claim)).collect(),
                    unsure,
                )));
            }
        }
        Ok(None)
    }

    /// The titles of a path by the place of its use; those of work trees that have it committed are its commit's.
    fn titles_of(&mut self, path: &str, uses: &[(&Tree, &Use)]) -> Result<Vec<(usize, Title)>, IdsError> {
        let mut blobs: Vec<(usize, Oid)> = Vec::new();
        let mut titles = Vec::new();
        for (at, (tree, one)) in uses.iter().enumerate() {
            let head = match &tree.stand {
                Stand::Work(Some(head)) => self.uses_of(head)?.iter().find(|other| other.path == path).cloned(),
                Stand::Work(None) | Stand::Commit(_) | Stand::Merge => None,
            };
            match (head.and_then(|head| head.blob).or_else(|| one.blob.clone()), &tree.top) {
                (Some(blob), _) => blobs.push((at, blob)),
                (None, Some(top)) => {
                    let text = sources::read_if_there(top, path, true)?.unwrap_or_default();
                    titles.extend(title(self.namespace, &text).map(|title| (at, title)));
                }
                (None, None) => {}
            }
        }
        let different: BTreeSet<&Oid> = blobs.iter().map(|(_, blob)| blob).collect();
        if different.len() > 1 || !titles.is_empty() {
            self.read_titles(different.into_iter())?;
            let known = |(at, blob): (usize, Oid)| Some((at, self.titles.get(&blob)?.clone()?));
            titles.extend(blobs.into_iter().filter_map(known));
        }
        titles.sort();
        Ok(titles)
    }

    /// Reads the titles of blobs that were not read yet, with one process.
    pub(super) fn read_titles<'o>(&mut self, blobs: impl Iterator<Item = &'o Oid>) -> Result<(), IdsError> {
        let Some(git) = self.git else { return Ok(()) };
        let new: Vec<Oid> = blobs.filter(|blob| !self.titles.contains_key(blob)).cloned().collect();
        for (blob, text) in new.iter().zip(git.read_blobs(&new)?) {
            self.titles.insert(blob.clone(), title(self.namespace, &text));
        }
        Ok(())
    }

    /// One claim for each title that the base never had, and the base's own.
    fn states<'u>(
        &mut self,
        path: &str,
        uses: &[(&'u Tree, &'u Use)],
        titles: &[(usize, Title)],
    ) -> Result<Vec<State<'u>>, IdsError> {
        let of_base = match self.base.cloned() {
            Some(base) => self.titles_ever(&base, path)?,
            None => BTreeSet::new(),
        };
        let mut states: Vec<State<'u>> = Vec::new();
        for (at, title) in titles {
            let Some(&(tree, one)) = uses.get(*at) else { continue };
            let is_base = tree.commit() == self.base && tree.top.is_none();
            let known = states.iter().any(|state| state.title.0 == title.0 && state.claim.tree.unsure <= tree.unsure);
            if known || (!is_base && of_base.contains(&title.0)) {
                continue;
            }
            if let Some(claim) = self.claim(tree, one, &mut Things::default())?
                && !self.is_older_state(&claim)?
            {
                states.push(State { title: title.clone(), claim });
            }
        }
        Ok(states)
    }

    fn is_one_file(&mut self, path: &str, a: &State<'_>, b: &State<'_>) -> Result<bool, IdsError> {
        for (one, other) in [(a, b), (b, a)] {
            if let Some(commit) = one.claim.commit
                && self.titles_ever(commit, path)?.contains(&other.title.0)
            {
                return Ok(true);
            }
        }
        let (Some(git), Some(one), Some(other)) = (self.git, a.claim.commit, b.claim.commit) else { return Ok(false) };
        if let MergeBase::Found(parted) = git.merge_base(one, other)?
            && self.uses_of(&parted)?.iter().any(|before| before.path == path)
        {
            return Ok(true);
        }
        let (mine, theirs) = (self.branches(one), self.branches(other));
        let is_upstream = mine.iter().any(|(remote, name)| theirs.contains(&(!remote, name)));
        Ok(is_upstream && !git.who_added(one, path)?.is_disjoint(&git.who_added(other, path)?))
    }

    /// The branches whose tip a commit is, and whether they are a remote's.
    fn branches(&self, commit: &Oid) -> BTreeSet<(bool, &str)> {
        let of = self.trees.iter().filter(|tree| tree.top.is_none() && tree.commit() == Some(commit));
        of.flat_map(|tree| &tree.branches).map(|(remote, name)| (*remote, name.as_str())).collect()
    }

    /// The titles that a path had in the history of a commit.
    fn titles_ever(&mut self, commit: &Oid, path: &str) -> Result<BTreeSet<String>, IdsError> {
        let asked = (commit.clone(), path.to_owned());
        if let Some(known) = self.titles_ever.get(&asked) {
            return Ok(known.clone());
        }
        let Some(git) = self.git else { return Ok(BTreeSet::new()) };
        let mut blobs = git.blobs_ever(&[commit.as_str()], &[path], LIMIT)?;
        blobs.retain(|blob| blob.as_str().bytes().any(|digit| digit != b'0'));
        self.read_titles(blobs.iter())?;
        let titles = blobs.iter().filter_map(|blob| Some(self.titles.get(blob)?.as_ref()?.0.clone()));
        let titles: BTreeSet<String> = titles.collect();
        self.titles_ever.insert(asked, titles.clone());
        Ok(titles)
    }
}

/// The first heading of a text, without front matter, the id or its number.
fn title(namespace: &Namespace, text: &[u8]) -> Option<Title> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines().peekable();
    if lines.next_if(|line| line.trim_end() == "---").is_some() {
        lines.by_ref().find(|line| line.trim_end() == "---");
    }
    let heading = lines.find_map(|line| {
        let rest = line.trim_start_matches('#');
        (rest.len() < line.len() && rest.starts_with([' ', '\t'])).then(|| rest.trim())
    })?;
    let id = namespace.format.mentions(heading).first().filter(|id| id.start == 0).map_or(0, |id| id.end);
    let rest = heading.get(id..).unwrap_or_default();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = rest.get(digits..).filter(|after| digits > 0 && after.starts_with(['.', ':', ')']));
    let shown = numbered.unwrap_or(rest).trim_matches(|c: char| c.is_whitespace() || ".:)–—-#".contains(c));
    let key = shown.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    (!key.is_empty()).then(|| (key, shown.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::title;
    use crate::config::Config;

    #[test]
    fn a_title_is_the_first_heading_without_its_id() {
        let text = "ids:\n  ADR: {format: \"ADR-{n:04}\", files: \"docs/adr/{n:04}-{slug}.md\"}\n";
        let namespace = Config::parse(text).unwrap().ids.remove("ADR").unwrap();
        let of = |text: &str| title(&namespace, text.as_bytes()).map(|(key, _)| key);
        for text in [
            "# ADR-0002: Redis cache\n",
            "---\n# a comment\nstatus: open\n---\n\n# 2. Redis  Cache #\n",
            "#tag\n## Redis cache\n# Other\n",
        ] {
            assert_eq!(of(text).as_deref(), Some("redis cache"), "{text}");
        }
        assert_eq!(of("# ADR-0002\n"), None);
        assert_eq!(of("no heading\n"), None);
        assert_eq!(of("# 3D edge\n").as_deref(), Some("3d edge"));
    }
}
