//! Ids that were amended, and still stand somewhere.

use super::Finding;
use super::uses::Tree;
use crate::config::Namespace;
use crate::config::pattern::Numbered;
use crate::ids::IdsError;
use crate::ids::allocator::Allocator;
use crate::ids::contract::{Anchor, Kind};
use crate::ids::fold::Book;
use crate::ids::renumber::has_word;
use std::collections::BTreeMap;

const CODE: &str = "id-amended-cited";

/// A claim whose number somebody else has: citations of the bare id are the winner's.
struct Lost<'a> {
    old: &'a str,
    new: &'a str,
    says: Numbered,
    anchor: &'a Anchor,
    /// The winner's slug, where it said one and the loser, who is of this clone, said none.
    not: Option<&'a str>,
}

impl Allocator<'_> {
    /// Where amended ids still stand: `replaced` ones anywhere, those of losers where their slug or note is.
    ///
    /// # Errors
    /// git cannot answer.
    pub(super) fn cited(
        &self,
        namespace: &Namespace,
        (own, seen): (&Book, &Book),
        trees: &[Tree],
        replaced: &BTreeMap<String, String>,
    ) -> Result<Vec<Finding>, IdsError> {
        let mut findings = Vec::new();
        let finding = |id: &str, new: &str, place: String, remedy: String| Finding {
            code: CODE,
            id: id.to_owned(),
            place,
            detail: format!("was amended to {new} and is still cited"),
            remedy,
        };
        let words: Vec<String> = replaced.keys().cloned().collect();
        for (path, number, text) in self.lines_with(&words)? {
            for (old, new) in replaced.iter().filter(|(old, _)| text.contains(old.as_str())) {
                findings.push(finding(old, new, format!("{path}:{number}"), format!("write {new}")));
            }
        }
        for lost in losers(namespace, own, seen) {
            let Lost { old, new, says, anchor, not } = &lost;
            let here = trees.first().into_iter().flat_map(|tree| &tree.uses);
            let mut files = Vec::new();
            for one in here.filter(|one| (&one.scope, one.number) == (&says.scope, says.number)) {
                if one.row && anchor.note.as_ref() == Some(&one.label) {
                    let remedy = format!("write {new} in the row `{}`", one.label);
                    findings.push(finding(old, new, one.path.clone(), remedy));
                }
                let is_losers = match &anchor.slug {
                    Some(slug) => *slug == one.label,
                    None => not.is_some_and(|winner| winner != one.label),
                };
                if !one.row && is_losers {
                    let remedy = format!("run `headwater id renumber {old} --slug {} --apply`", one.label);
                    findings.push(finding(old, new, one.path.clone(), remedy.clone()));
                    files.push((one.path.as_str(), remedy));
                }
            }
            let Some(slug) = &anchor.slug else { continue };
            let cited = format!("{old}-{slug}");
            let path = namespace.files.as_ref().map(|files| files.render(&says.scope, says.number, slug));
            let name = path.as_deref().map(|path| path.rsplit_once('/').map_or(path, |(_, name)| name));
            let stem = name.map(|name| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned());
            let words: Vec<String> = std::iter::once(cited).chain(stem).collect();
            for (path, number, text) in self.lines_with(&words)? {
                if words.iter().any(|word| has_word(&text, word)) && files.iter().all(|(file, _)| *file != path) {
                    let remedy =
                        files.first().map_or_else(|| format!("write {new}-{slug}"), |(_, remedy)| remedy.clone());
                    findings.push(finding(old, new, format!("{path}:{number}"), remedy));
                }
            }
        }
        Ok(findings)
    }

    /// The lines of the work tree that have one of these words: path, number and text.
    fn lines_with(&self, words: &[String]) -> Result<Vec<(String, String, String)>, IdsError> {
        let Some(git) = self.git() else { return Ok(Vec::new()) };
        let read = |line: String| {
            let mut parts = line.splitn(3, ':').map(str::to_owned);
            Some((parts.next()?, parts.next()?, parts.next()?))
        };
        Ok(git.lines_with(words)?.into_iter().filter_map(read).collect())
    }
}

/// A row whose id was amended has an id of its own already.
pub(super) fn known_remedies(namespace: &Namespace, (own, seen): (&Book, &Book), findings: &mut [Finding]) {
    for lost in losers(namespace, own, seen) {
        let row = lost
            .anchor
            .note
            .as_ref()
            .map_or("the row of the claim that lost it".to_owned(), |note| format!("the row `{note}`"));
        let is_row = |finding: &&mut Finding| finding.id == lost.old && namespace.sources.contains(&finding.place);
        for finding in findings.iter_mut().filter(is_row) {
            finding.remedy = format!("{} was amended to {}: write that in {row}", lost.old, lost.new);
        }
    }
}

/// The amendments of claims that do not own the ids that they replace.
fn losers<'a>(namespace: &Namespace, own: &'a Book, seen: &'a Book) -> Vec<Lost<'a>> {
    let mut lost: Vec<Lost<'_>> = Vec::new();
    let amendments = seen.anchors().iter().chain(own.anchors()).filter(|anchor| anchor.kind == Kind::Amend);
    for anchor in amendments {
        for (old, new) in anchor.replaces.iter().zip(&anchor.ids).filter(|(old, new)| old != new) {
            let book = if seen.claim(old).is_some() { seen } else { own };
            let owner = book.claim(old).and_then(|claim| book.anchor_of(claim));
            let owns = owner.is_none_or(|owner| anchor.of.as_ref().is_none_or(|of| *of == owner.nonce));
            let known = lost.iter().any(|other| other.old == old && other.anchor.nonce == anchor.nonce);
            let Some(says) = namespace.format.read(old).filter(|_| !owns && !known) else { continue };
            let ours = anchor.of.as_ref().is_some_and(|of| own.holds(of));
            let not = owner.and_then(|owner| owner.slug.as_deref()).filter(|_| ours && anchor.slug.is_none());
            lost.push(Lost { old, new, says, anchor, not });
        }
    }
    lost
}
