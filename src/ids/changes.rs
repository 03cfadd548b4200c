//! What becomes of ids after they were reserved: given up, renumbered, confirmed, amended.

use super::IdsError;
use super::allocator::{Allocator, Settled};
use super::contract::{Anchor, AnchorLog as _, Kind, Outcome};
use super::fold::{Book, Claim, State};
use super::reserve::{self, Asking, Wish};
use super::rows::{self, owner_of};
use super::{settle, sources};
use crate::config::{LogKind, Namespace};

impl Allocator<'_> {
    /// Gives ids up; they stay spent. Gives what owned each, for the files that were made with them.
    ///
    /// # Errors
    /// An id is unknown or replaced, or was reserved here and is another clone's by now; or a log cannot be
    /// written.
    pub fn release(
        &self,
        namespace: &Namespace,
        asking: &Asking,
        ids: &[String],
    ) -> Result<Vec<(String, Anchor)>, IdsError> {
        let mut local = self.local_for(namespace)?;
        let (own, seen) = self.books(namespace)?;
        // By nonce: the number of what was given up or replaced here may be somebody else's by now.
        for id in ids.iter().filter(|_| namespace.log != LogKind::Local) {
            // What stands here is compared with the log as it is then.
            let mine = own.claim(id).filter(|mine| !matches!(mine.state, State::Pending | State::Confirmed));
            if let Some((mine, nonce)) = mine.zip(owner_of(&own, id)) {
                ours(&seen, id, (mine, nonce), || own.resolve(id).map_or_else(|| id.clone(), |now| now.id.clone()))?;
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
        let owners = ids.iter().filter_map(|id| Some((id.clone(), owner(id)?))).collect();
        if let Some(git) = self.git_for(namespace)?.filter(|_| !shared_ids.is_empty()) {
            let mut shared = self.shared(&git, namespace)?;
            let outcome = shared.append(&namespace.name, &mut |standing| {
                let book = Book::fold(standing.anchors()?);
                for id in &shared_ids {
                    if let Some(of) = own.claim(id).zip(owner_of(&own, id)) {
                        ours(&book, id, of, || id.clone())?;
                    }
                }
                reserve::release(standing, namespace, asking, &shared_ids)
            })?;
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

    /// The id that an amendment gave to what has this slug in place of an id, if one did.
    ///
    /// # Errors
    /// A log cannot be read.
    pub fn renumbered(&self, namespace: &Namespace, id: &str, slug: &str) -> Result<Option<String>, IdsError> {
        let (own, seen) = self.books(namespace)?;
        let named = [&seen, &own].into_iter().find_map(|book| reserve::amendment(book, id, Some(slug)));
        // A claim of this clone that lost, reserved without a slug: what it stands for cannot be the winner's.
        let winner = seen.claim(id).and_then(|claim| seen.anchor_of(claim)).and_then(|anchor| anchor.slug.as_deref());
        let lost = || {
            let (anchor, new) = reserve::amendment(&own, id, None).filter(|_| winner != Some(slug))?;
            let says = namespace.format.read(new)?;
            let ours = anchor.of.as_ref().is_some_and(|of| own.holds(of));
            let files = sources::in_names(namespace, &self.place.top, false).ok()?;
            let used = files.iter().any(|(_, taken)| (&taken.scope, taken.number) == (&says.scope, says.number));
            (ours && !used).then_some((anchor, new))
        };
        let Some((_, new)) = named.or_else(lost) else { return Ok(None) };
        let now = seen.resolve(new).or_else(|| own.resolve(new));
        Ok(Some(now.map_or_else(|| new.to_owned(), |now| now.id.clone())))
    }

    /// Gives an id a new number, or the one that an amendment gave it; the old id becomes an alias.
    ///
    /// # Errors
    /// As [`Allocator::reserve`].
    pub fn renumber(&self, namespace: &Namespace, asking: &Asking, id: &str, wish: &Wish) -> Result<String, IdsError> {
        if let Some(slug) = &wish.slug
            && let Some(new) = self.renumbered(namespace, id, slug)?
        {
            return Ok(new);
        }
        let mut local = self.local_to_mint(namespace)?;
        let numbers = self.numbers(namespace, &mut local, asking)?;
        self.fetch_heads(namespace);
        let scope = asking.scope(namespace);
        let mut known = self.with_history(namespace, numbers, &scope)?;
        let outcome = match self.git_for(namespace)? {
            None => local.append(&namespace.name, &mut |standing| {
                self.tell_jumps(namespace, &scope, &known, standing)?;
                reserve::amend(standing, namespace, asking, id, wish, &known)
            })?,
            Some(git) => {
                known.logs = Book::fold(local.read(&namespace.name)?).floor(&scope);
                let mut shared = self.shared(&git, namespace)?;
                let outcome = shared.append(&namespace.name, &mut |standing| {
                    self.tell_jumps(namespace, &scope, &known, standing)?;
                    reserve::amend(standing, namespace, asking, id, wish, &known)
                })?;
                if let Outcome::Appended(anchors) = &outcome {
                    local.keep_copy(anchors)?;
                }
                outcome
            }
        };
        let first = match outcome {
            Outcome::Appended(anchors) => anchors.into_iter().next().and_then(|anchor| anchor.ids.into_iter().next()),
            Outcome::Already(anchor) => {
                let pair = anchor.replaces.iter().zip(&anchor.ids).find(|(old, _)| *old == id);
                pair.map(|(_, new)| new.clone())
            }
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
        if !claims.is_empty() {
            // What was given up or amended since it was claimed is no claim any more.
            for anchor in &mut claims {
                let open = |id: &String| own.claim(id).is_some_and(|claim| claim.state == State::Pending);
                let kept: Vec<(u64, String)> =
                    anchor.numbers.iter().copied().zip(anchor.ids.iter().cloned()).filter(|(_, id)| open(id)).collect();
                (anchor.numbers, anchor.ids) = kept.into_iter().unzip();
            }
            let floors = own.floors().clone();
            shared.append(&namespace.name, &mut |standing| {
                settle::settle(standing, namespace, asking, &claims, &floors)
            })?;
        } else if !whole {
            shared.fetch()?;
        }
        let book = Book::fold(shared.seen()?);
        let (mut anchors, said) = settle::copies(&book, &claims, asking);
        settled.confirmed.extend(said.confirmed);
        settled.amended.extend(said.amended);
        for claim in &claims {
            if let Some(other) = settle::other_use(&book, claim) {
                let now = |id: &String| rows::stands(&own, &book, claim, id).map_or(id, |now| &now.id).clone();
                (self.say)(&format!(
                    "{} and {} were reserved by the same event `{}` for different things; reserve for one of them under another `--event`, and release what nobody needs",
                    claim.ids.iter().map(now).collect::<Vec<_>>().join(" "),
                    other.ids.join(" "),
                    claim.event.as_deref().unwrap_or_default()
                ));
            }
        }
        if only.is_none() {
            // What others did to reservations of this clone, such as publishing them after the remote lost them.
            let known: Vec<Anchor> = own.anchors().iter().chain(&anchors).cloned().collect();
            let news = settle::news(&known, &book);
            for amendment in news.iter().filter(|anchor| anchor.kind == Kind::Amend) {
                let pairs = settle::replaced(amendment).map(|(old, new)| (old.clone(), new.clone()));
                settled.amended.extend(pairs);
            }
            anchors.extend(news);
        }
        local.keep_copy(&anchors)?;
        Ok(settled)
    }

    /// Whether the shared log has yet to be told of a claim of this clone, or the local one of what became of it.
    ///
    /// # Errors
    /// A log cannot be read.
    pub fn unsettled(&self, namespace: &Namespace) -> Result<bool, IdsError> {
        let Some(git) = self.git_for(namespace)? else { return Ok(false) };
        let own = self.local_for(namespace)?.read(&namespace.name)?;
        let seen = Book::fold(self.shared(&git, namespace)?.seen()?);
        Ok(!settle::news(&own, &seen).is_empty() || !Book::fold(own).pending().is_empty())
    }
}

/// Whether what was reserved here still owns its id in the shared log; `by` names what replaced it here.
///
/// # Errors
/// It does not.
fn ours(book: &Book, id: &str, (mine, nonce): (&Claim, &str), by: impl Fn() -> String) -> Result<(), IdsError> {
    let claim = book.claim(id).and_then(|claim| Some((claim, book.anchor_of(claim)?)));
    let Some((_, owner)) = claim.filter(|(_, owner)| owner.nonce != nonce) else { return Ok(()) };
    let lost = book.anchors().iter().find(|anchor| anchor.of.as_deref() == Some(nonce) && anchor.kind == Kind::Amend);
    let new = lost.and_then(|anchor| anchor.replaces.iter().zip(&anchor.ids).find(|(old, _)| *old == id));
    let (id, agent) = (id.to_owned(), owner.agent.clone());
    Err(match (&mine.state, new) {
        (_, Some((_, new))) => {
            IdsError::Replaced { id, by: book.resolve(new).map_or_else(|| new.clone(), |now| now.id.clone()) }
        }
        (State::Amended(_), None) => IdsError::Replaced { id, by: by() },
        (State::Released, None) => IdsError::Others { id, agent, remedy: "what this clone had was given up before" },
        (State::Pending | State::Confirmed, None) => IdsError::Others {
            id,
            agent,
            remedy: "run `headwater id sync`, which gives what this clone had another number",
        },
    })
}
