//! Decisions: what a wish comes to in a log as it stands. Pure; every log asks the same functions.

use super::IdsError;
use super::contract::{Anchor, Decision, Kind, Standing};
use super::fold::{Book, State};
use crate::config::Namespace;
use crate::config::pattern::{MAX_NUMBER, Scope};
use crate::trust::number::{Floor, Found};
use std::collections::{BTreeMap, BTreeSet};

/// How many ids one reservation may take.
pub const MAX_COUNT: u64 = 10_000;

/// Who asks, when, on which branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The agent.
    pub agent: String,
    /// The branch.
    pub branch: Option<String>,
    /// The instant, UTC to the millisecond: `2026-02-19T18:00:00.000Z`.
    pub at: String,
    /// A fresh nonce.
    pub nonce: String,
}

impl Asking {
    /// An anchor of this asker, about nothing yet.
    #[must_use]
    pub fn anchor(&self, namespace: &str, kind: Kind) -> Anchor {
        Anchor {
            namespace: namespace.to_owned(),
            scope: Scope::default(),
            kind,
            numbers: Vec::new(),
            ids: Vec::new(),
            replaces: Vec::new(),
            of: None,
            event: None,
            slug: None,
            note: None,
            agent: self.agent.clone(),
            branch: self.branch.clone(),
            at: self.at.clone(),
            nonce: self.nonce.clone(),
            provisional: false,
            backfill: false,
            file: None,
            jump: None,
        }
    }

    /// The scope that this instant falls in.
    #[must_use]
    pub fn scope(&self, namespace: &Namespace) -> Scope {
        namespace.format.scope(self.at.get(..10).unwrap_or_default())
    }
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// How many ids, 1 to [`MAX_COUNT`].
    pub count: u64,
    /// A durable key that makes it repeatable.
    pub event: Option<String>,
    /// What it is for, as a part of a file's name.
    pub slug: Option<String>,
    /// What it is for.
    pub note: Option<String>,
    /// The text of the file that goes with it, if one is made: `{id}`, `{n}`, `{title}`, `{slug}` and
    /// `{date}` are filled in.
    pub template: Option<String>,
}

/// What is known of the numbers of a scope outside the log that decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Where other logs of them stand.
    pub logs: Floor,
    /// What stands in files.
    pub found: Found,
    /// Whether the user follows a jump.
    pub follow: bool,
}

impl Known {
    /// Where the next number is counted from, and which numbers jump.
    #[must_use]
    pub fn judge(&self, log: &Floor) -> (Floor, BTreeSet<u64>) {
        let mut log = log.clone();
        log.join(&self.logs);
        self.found.judge(&log, self.follow)
    }
}

/// Decides a reservation: the numbers after the highest that the log knows, or that is known and no jump.
///
/// # Errors
/// The durable key was used for something else, or there are no numbers left.
pub fn reserve(
    standing: &dyn Standing,
    namespace: &Namespace,
    asking: &Asking,
    wish: &Wish,
    known: &Known,
) -> Result<Decision, IdsError> {
    if let Some(already) = repeated(standing, &namespace.name, wish)? {
        return Ok(Decision::Already(Box::new(already)));
    }
    let scope = asking.scope(namespace);
    let log = standing.floor(&scope)?;
    let (floor, _) = known.judge(&log);
    let exhausted = || IdsError::Exhausted { namespace: namespace.name.clone(), top: floor.top() };
    let numbers = floor.next(wish.count).ok_or_else(exhausted)?;
    let mut anchor = asking.anchor(&namespace.name, Kind::Reserve);
    anchor.jump = log.is_jump(&numbers).then_some(true);
    anchor.ids = numbers.iter().map(|number| namespace.format.render(&scope, *number, "")).collect();
    anchor.numbers = numbers;
    anchor.scope = scope;
    anchor.event.clone_from(&wish.event);
    anchor.slug.clone_from(&wish.slug);
    anchor.note.clone_from(&wish.note);
    anchor.file = new_file(namespace, &anchor, wish).map(|(path, text)| (path, digest(&text)));
    Ok(Decision::Append(vec![anchor]))
}

/// The path and the text of the file that goes with a reservation of one id.
#[must_use]
pub fn new_file(namespace: &Namespace, anchor: &Anchor, wish: &Wish) -> Option<(String, String)> {
    let (template, files) = wish.template.as_ref().zip(namespace.files.as_ref())?;
    let (number, id) = (*anchor.numbers.first()?, anchor.ids.first()?);
    let slug = anchor.slug.as_deref().unwrap_or_default();
    let mut title = slug.replace(['-', '_'], " ");
    if let Some(first) = title.get(..1).map(str::to_ascii_uppercase) {
        title.replace_range(..1, &first);
    }
    let title = anchor.note.clone().unwrap_or(title);
    let digits = files.render(&anchor.scope, number, slug);
    let day = anchor.at.get(..10).unwrap_or_default();
    let text = template
        .replace("{{ITEM_ID}}", id)
        .replace("{id}", id)
        .replace("{n}", &number.to_string())
        .replace("{title}", &title)
        .replace("{slug}", slug)
        .replace("{agent}", &anchor.agent)
        .replace("{date}", day);
    Some((digits, text))
}

/// A fresh nonce: 128 random bits.
///
/// # Errors
/// [`IdsError::NoRandom`].
pub fn nonce() -> Result<String, IdsError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_no_more_is_known| IdsError::NoRandom)?;
    Ok(crate::event::hex(&bytes))
}

/// The SHA-256 of a text, in hexadecimal.
#[must_use]
pub fn digest(text: &str) -> String {
    crate::event::hex(&<sha2::Sha256 as sha2::Digest>::digest(text.as_bytes()))
}

/// The reservation that this wish repeats.
///
/// # Errors
/// The durable key was used for something else.
pub fn repeated(standing: &dyn Standing, namespace: &str, wish: &Wish) -> Result<Option<Anchor>, IdsError> {
    let Some(key) = &wish.event else { return Ok(None) };
    let Some(already) = standing.by_event(key)? else { return Ok(None) };
    let count = u64::try_from(already.ids.len()).unwrap_or(u64::MAX);
    let differs = if count != wish.count {
        "with another count"
    } else if already.slug != wish.slug {
        "with another slug"
    } else if already.note != wish.note {
        "with another note"
    } else {
        return Ok(Some(already));
    };
    Err(IdsError::EventUsed { namespace: namespace.to_owned(), key: key.clone(), ids: already.ids, differs })
}

/// Checks that a namespace may stand at a number: above it there must be others.
///
/// # Errors
/// [`IdsError::TooHigh`].
pub fn check_floor(namespace: &Namespace, number: u64) -> Result<(), IdsError> {
    if number < MAX_NUMBER {
        return Ok(());
    }
    Err(IdsError::TooHigh { namespace: namespace.name.clone(), number, most: MAX_NUMBER - 1 })
}

/// Decides that all numbers up to `floors` are spent; a floor that the log knows is left out.
///
/// # Errors
/// The log cannot be read, or a floor leaves no number: [`IdsError::TooHigh`].
pub fn raise(
    standing: &dyn Standing,
    namespace: &Namespace,
    asking: &Asking,
    floors: &BTreeMap<Scope, Floor>,
) -> Result<Decision, IdsError> {
    let mut anchors = Vec::new();
    for (scope, number) in floors.iter().map(|(scope, floor)| (scope, floor.top())) {
        let log = standing.floor(scope)?;
        if number > log.top() {
            check_floor(namespace, number)?;
            let mut anchor = asking.anchor(&namespace.name, Kind::Floor);
            anchor.jump = log.is_jump(&[number]).then_some(true);
            anchor.nonce = format!("{}-{}", asking.nonce, anchors.len());
            anchor.scope = scope.clone();
            anchor.numbers = vec![number];
            anchors.push(anchor);
        }
    }
    Ok(Decision::Append(anchors))
}

/// Decides to give ids up.
///
/// # Errors
/// An id is unknown, or replaced by another one.
pub fn release(
    standing: &dyn Standing,
    namespace: &Namespace,
    asking: &Asking,
    ids: &[String],
) -> Result<Decision, IdsError> {
    let book = Book::fold(standing.anchors()?);
    let mut anchors: Vec<Anchor> = Vec::new();
    for id in ids {
        let claim = book.claim(id).ok_or_else(|| IdsError::UnknownId { id: id.clone() })?;
        match &claim.state {
            State::Released => {}
            State::Amended(by) => return Err(IdsError::Replaced { id: id.clone(), by: by.clone() }),
            State::Pending | State::Confirmed => {
                let mut anchor = asking.anchor(&namespace.name, Kind::Release);
                anchor.nonce = format!("{}-{}", asking.nonce, anchors.len());
                anchor.scope = claim.scope.clone();
                anchor.numbers = vec![claim.number];
                anchor.ids = vec![claim.id.clone()];
                anchor.of = book.anchor_of(claim).map(|owner| owner.nonce.clone());
                anchors.push(anchor);
            }
        }
    }
    Ok(Decision::Append(anchors))
}

/// The amendment of an id for what has this slug, and the id that it gave.
#[must_use]
pub fn amendment<'a>(book: &'a Book, id: &str, slug: Option<&str>) -> Option<(&'a Anchor, &'a str)> {
    let amends = |anchor: &&Anchor| anchor.kind == Kind::Amend && anchor.slug.as_deref() == slug;
    book.anchors().iter().filter(amends).find_map(|anchor| {
        let (_, new) = anchor.replaces.iter().zip(&anchor.ids).find(|(old, new)| *old == id && old != new)?;
        Some((anchor, new.as_str()))
    })
}

/// Decides to give ids new numbers: amendments, with the old ids as aliases.
///
/// # Errors
/// The id is unknown or replaced already, or there are no numbers left.
pub fn amend(
    standing: &dyn Standing,
    namespace: &Namespace,
    asking: &Asking,
    id: &str,
    wish: &Wish,
    known: &Known,
) -> Result<Decision, IdsError> {
    let book = Book::fold(standing.anchors()?);
    if let Some((done, _)) = wish.slug.as_deref().and_then(|slug| amendment(&book, id, Some(slug))) {
        return Ok(Decision::Already(Box::new(done.clone())));
    }
    let owner = book.claim(id).and_then(|claim| book.anchor_of(claim));
    let Decision::Append(mut anchors) =
        reserve(standing, namespace, asking, &Wish { count: 1, event: None, ..wish.clone() }, known)?
    else {
        return Ok(Decision::Append(Vec::new()));
    };
    for anchor in &mut anchors {
        anchor.kind = Kind::Amend;
        anchor.replaces = vec![id.to_owned()];
        // The loser of a collision owns nothing: then the owner of the number must not turn.
        anchor.of = Some(match owner {
            Some(owner) if owner.slug == wish.slug => owner.nonce.clone(),
            _ => "nobody".to_owned(),
        });
    }
    Ok(Decision::Append(anchors))
}
