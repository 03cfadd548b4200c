//! What becomes of ids after they were reserved: given up, renumbered, confirmed, amended.

use super::IdsError;
use super::allocator::{Allocator, Settled};
use super::contract::{Anchor, AnchorLog as _, Kind, Outcome};
use super::fold::{Book, State};
use super::reserve::{self, Asking, Wish};
use crate::config::{LogKind, Namespace};

impl Allocator<'_> {
    /// Gives ids up; they stay spent. Gives what owned them, for the files that were made with them.
    ///
    /// # Errors
    /// An id is unknown or replaced, or a log cannot be written.
    pub fn release(&self, namespace: &Namespace, asking: &Asking, ids: &[String]) -> Result<Vec<Anchor>, IdsError> {
        let mut local = self.local_for(namespace)?;
        let (own, seen) = self.books(namespace)?;
        for id in ids.iter().filter(|_| namespace.log != LogKind::Local) {
            let (Some(mine), Some(theirs)) = (own.claim(id), seen.claim(id)) else { continue };
            let nonce = |book: &Book, claim| book.anchor_of(claim).map(|anchor| anchor.nonce.clone());
            // What was given up or replaced here may be somebody else's by now: that is not ours to give up.
            if !matches!(mine.state, State::Pending | State::Confirmed) && nonce(&own, mine) != nonce(&seen, theirs) {
                let by = own.resolve(id).map_or_else(|| id.clone(), |claim| claim.id.clone());
                return Err(IdsError::Replaced { id: id.clone(), by });
            }
        }
        let (shared_ids, own_ids): (Vec<String>, Vec<String>) = ids.iter().cloned().partition(|id| {
            let waits = own.claim(id).is_some_and(|claim| claim.state == State::Pending);
            namespace.log != LogKind::Local && !waits && seen.claim(id).is_some()
        });
        let owner = |id: &String| {
            let find = |book: &Book| book.claim(id).and_then(|claim| book.anchor_of(claim)).cloned();
            find(&own).or_else(|| find(&seen))
        };
        let owners: Vec<Anchor> = ids.iter().filter_map(owner).collect();
        if let Some(git) = self.git_for(namespace)?.filter(|_| !shared_ids.is_empty()) {
            let mut shared = self.shared(&git, namespace)?;
            let outcome = shared
                .append(&namespace.name, &mut |standing| reserve::release(standing, namespace, asking, &shared_ids))?;
            if let Outcome::Appended(anchors) = outcome {
                local.keep_copy(&anchors)?;
            }
        }
        if !own_ids.is_empty() {
            let asking = Asking { nonce: format!("{}-own", asking.nonce), ..asking.clone() };
            local.append(&namespace.name, &mut |standing| reserve::release(standing, namespace, &asking, &own_ids))?;
        }
        Ok(owners)
    }

    /// Gives an id a new number; the old id becomes an alias.
    ///
    /// # Errors
    /// As [`Allocator::reserve`].
    pub fn renumber(&self, namespace: &Namespace, asking: &Asking, id: &str, wish: &Wish) -> Result<Anchor, IdsError> {
        let mut local = self.local_to_mint(namespace)?;
        let tops = self.tops(namespace, &mut local, asking)?;
        self.fetch_heads(namespace);
        let scope = asking.scope(namespace);
        let floor = self.with_history(namespace, tops, &scope)?;
        let outcome = match self.git_for(namespace)? {
            None => local.append(&namespace.name, &mut |standing| {
                reserve::amend(standing, namespace, asking, id, wish, floor)
            })?,
            Some(git) => {
                let floor = floor.max(Book::fold(local.read(&namespace.name)?).top(&scope));
                let mut shared = self.shared(&git, namespace)?;
                let outcome = shared.append(&namespace.name, &mut |standing| {
                    reserve::amend(standing, namespace, asking, id, wish, floor)
                })?;
                if let Outcome::Appended(anchors) = &outcome {
                    local.keep_copy(anchors)?;
                }
                outcome
            }
        };
        let first = match outcome {
            Outcome::Appended(anchors) => anchors.into_iter().next(),
            Outcome::Already(anchor) => Some(*anchor),
        };
        first.ok_or_else(|| IdsError::UnknownId { id: id.to_owned() })
    }

    /// Brings claims that reached no shared log into it: confirms them, or amends them.
    ///
    /// # Errors
    /// The remote cannot be reached, or a log cannot be written; the claims stay pending.
    pub fn sync(&self, namespace: &Namespace, asking: &Asking, only: Option<&[String]>) -> Result<Settled, IdsError> {
        let Some(git) = self.git_for(namespace)? else { return Ok(Settled::default()) };
        let mut local = self.local_for(namespace)?;
        let whole = only.is_none() && namespace.log == LogKind::Git;
        let mut settled =
            if whole { self.publish_lost(namespace, asking, &git, &mut local)? } else { Settled::default() };
        let own = Book::fold(local.read(&namespace.name)?);
        let mut claims: Vec<Anchor> = Vec::new();
        for claim in own.pending() {
            let wanted = only.is_none_or(|ids| ids.contains(&claim.id));
            if let Some(anchor) = own.anchor_of(claim).filter(|_| wanted)
                && !claims.iter().any(|other| other.nonce == anchor.nonce)
            {
                claims.push(anchor.clone());
            }
        }
        let mut shared = self.shared(&git, namespace)?;
        if claims.is_empty() {
            if !whole {
                shared.fetch()?;
            }
            return Ok(settled);
        }
        // What was given up or amended since it was claimed is no claim any more.
        for anchor in &mut claims {
            let open = |id: &String| own.claim(id).is_some_and(|claim| claim.state == State::Pending);
            let kept: Vec<(u64, String)> =
                anchor.numbers.iter().copied().zip(anchor.ids.iter().cloned()).filter(|(_, id)| open(id)).collect();
            (anchor.numbers, anchor.ids) = kept.into_iter().unzip();
        }
        let floors = own.tops().clone();
        shared
            .append(&namespace.name, &mut |standing| reserve::settle(standing, namespace, asking, &claims, &floors))?;
        let book = Book::fold(shared.seen()?);
        let mut anchors = Vec::new();
        for claim in &claims {
            let owned = |id: &&String| {
                book.claim(id).and_then(|found| book.anchor_of(found)).is_some_and(|owner| owner.nonce == claim.nonce)
            };
            let ids: Vec<String> = claim.ids.iter().filter(owned).cloned().collect();
            if !ids.is_empty() {
                let of = Some(claim.nonce.clone());
                let nonce = format!("{}-confirm", claim.nonce);
                let numbers =
                    claim.numbers.iter().zip(&claim.ids).filter(|(_, id)| ids.contains(id)).map(|(n, _)| *n).collect();
                settled.confirmed.extend(ids.iter().cloned());
                let confirm = Anchor {
                    numbers,
                    ids,
                    of,
                    nonce,
                    scope: claim.scope.clone(),
                    ..asking.anchor(&namespace.name, Kind::Confirm)
                };
                anchors.push(confirm);
            }
            let amend_nonce = format!("{}-amend", claim.nonce);
            if let Some(amendment) = book.anchors().iter().find(|anchor| anchor.nonce == amend_nonce) {
                settled.amended.extend(amendment.replaces.iter().cloned().zip(amendment.ids.iter().cloned()));
                // The key stays with the claim, which is asked first.
                anchors.push(Anchor { event: None, ..amendment.clone() });
            }
        }
        local.keep_copy(&anchors)?;
        Ok(settled)
    }
}
