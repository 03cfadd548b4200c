//! What is wrong with a queue: findings with stable codes, the posts that they are about, and remedies.

use super::board::Board;
use super::filing::{Filing, Holding};
use super::post::{Kind, Post, item_key, prefix};
use super::state::Feed;
use super::verdict::{Refusal, Verdict};
use crate::event::{EventId, Span};
use std::collections::BTreeMap;

/// How long a provisional number may wait for its confirmation.
pub const CONFIRM_WITHIN: Span = Span::seconds_of(30);

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// Two items have one id, and neither was amended.
    DuplicateItem,
    /// An id was used that no log gave out and nobody confirmed, whatever its post says.
    NotReserved,
    /// The log gave the id to another seat, or to another reservation than the one that the post names.
    ReservedByAnother,
    /// A number was taken by somebody who had not seen a number that was taken before.
    StaleView,
    /// A provisional number was not confirmed in time.
    Unconfirmed,
    /// The owner of a claimed item is silent.
    ClaimCold,
    /// A seat claims what another one has.
    ClaimLost,
    /// A post is about an item that nobody filed, as far as can be seen.
    UnknownItem,
    /// An event says it is a post, and cannot be read as one.
    BadPost,
    /// A post is dated too far ahead.
    FuturePost,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::DuplicateItem,
        Self::NotReserved,
        Self::ReservedByAnother,
        Self::StaleView,
        Self::Unconfirmed,
        Self::ClaimCold,
        Self::ClaimLost,
        Self::UnknownItem,
        Self::BadPost,
        Self::FuturePost,
    ];

    /// The code of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DuplicateItem => "duplicate-item",
            Self::NotReserved => "item-not-reserved",
            Self::ReservedByAnother => "reserved-by-another",
            Self::StaleView => "stale-view",
            Self::Unconfirmed => "unconfirmed",
            Self::ClaimCold => "claim-cold",
            Self::ClaimLost => "claim-lost",
            Self::UnknownItem => "unknown-item",
            Self::BadPost => "bad-post",
            Self::FuturePost => "future-post",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The item; none where the post names none.
    pub item: Option<String>,
    /// What is wrong.
    pub code: Code,
    /// The posts that it is about; the one at fault is the first.
    pub posts: Vec<EventId>,
    /// What is wrong, in words.
    pub detail: String,
    /// What to do.
    pub remedy: String,
}

/// What the log of ids knows of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backing {
    /// It was given out.
    Reserved(Reservation),
    /// It was not.
    NotReserved,
    /// No log keeps such ids.
    NoLog,
    /// A log keeps such ids, and could not be looked at.
    Unknown,
}

/// To whom a log gave an id: the reservation that has it, and after it those that led to it by amendments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reservation {
    /// Their nonces. Everybody can read them in the log, so that to know one proves nothing.
    pub nonces: Vec<String>,
    /// The seats that asked for them.
    pub seats: Vec<String>,
    /// Their durable keys: whoever asks for one again asks for the same number.
    pub keys: Vec<String>,
}

/// How the word of a post about its number stands against the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// The log gave the number to this seat, and to the reservation that the post names, if it names one.
    Own,
    /// The log gave it to another seat under the durable key of the post.
    Key,
    /// The log gave the number to somebody else.
    Another,
    /// The log did not give it out.
    NotReserved,
    /// No log keeps such ids.
    NoLog,
    /// Nobody could look.
    Unknown,
}

impl Word {
    fn of(feed: &Feed, filing: &Filing, measure: &Measure<'_>) -> Self {
        let holding = &filing.holding;
        match (measure.backing)(&holding.item) {
            Backing::Reserved(given) => {
                let key = || feed.get(&holding.by.id).and_then(|post| post.says.key.as_ref());
                if holding.reserved.as_ref().is_some_and(|nonce| !given.nonces.contains(nonce)) {
                    Self::Another
                } else if [&holding.by, &filing.by].iter().any(|by| given.seats.contains(&by.agent)) {
                    Self::Own
                } else if key().is_some_and(|key| given.keys.contains(key)) {
                    Self::Key
                } else {
                    Self::Another
                }
            }
            Backing::NotReserved => Self::NotReserved,
            Backing::NoLog => Self::NoLog,
            Backing::Unknown => Self::Unknown,
        }
    }
}

/// When and by what measure a queue is looked at.
#[derive(Clone, Copy)]
pub struct Measure<'a> {
    /// The instant, in nanoseconds since 1970.
    pub now: i128,
    /// What is dated later is not believed: [`super::FAR_AHEAD`] after now.
    pub horizon: i128,
    /// How long the owner of an item may be silent.
    pub cold: Span,
    /// What the log of ids knows of an item.
    pub backing: &'a dyn Fn(&str) -> Backing,
    /// The namespace whose log keeps such ids.
    pub namespace: &'a dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for Measure<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Measure").field("now", &self.now).field("cold", &self.cold).finish_non_exhaustive()
    }
}

/// Everything that is wrong, in a total order.
#[must_use]
pub fn drift(feed: &Feed, board: &Board, measure: &Measure<'_>) -> Vec<Finding> {
    let mut numbers = Numbers::of(feed, board);
    let mut findings = Vec::new();
    for filing in board.filings() {
        findings.extend(number(feed, board, filing, &mut numbers, measure));
        findings.extend(cold(filing, measure));
        findings.extend(filing.lost.iter().map(|lost| Finding {
            item: Some(filing.holding.item.clone()),
            code: Code::ClaimLost,
            posts: vec![lost.by.id],
            detail: format!("{} claims what {} claimed first", lost.by.agent, lost.owner),
            remedy: format!("as {}: {}", lost.by.agent, command(Kind::Release, filing, "")),
        }));
    }
    for post in feed.in_order() {
        findings.extend(unknown(feed, board, post, measure));
        findings.extend(future(board, post, measure));
    }
    findings.sort();
    findings
}

/// Another item with the same id and the better right to it. Here the log has a word: the seat that it gave the
/// number comes before everybody who only says so.
fn loses<'a>(feed: &Feed, board: &'a Board, filing: &'a Filing, measure: &Measure<'_>) -> Option<&'a Filing> {
    let rivals = board.rivals(filing);
    if rivals.is_empty() {
        return None;
    }
    let right = |one: &Filing| match Word::of(feed, one, measure) {
        Word::Own if one.holding.reserved.is_some() => 0,
        Word::Own => 1,
        Word::Key => 2,
        Word::Another | Word::NotReserved | Word::NoLog | Word::Unknown => 3,
    };
    let all = rivals.into_iter().chain([filing]);
    all.min_by_key(|one| (right(one), one.holding.rank())).filter(|best| best.by != filing.by)
}

/// What is wrong with an item's number: that it is another item's, or how the item came to it. What its post says of a
/// reservation is held against the log. A confirmation settles the latter, because somebody looked again; but nobody
/// confirms what the log gave to another.
fn number(
    feed: &Feed,
    board: &Board,
    filing: &Filing,
    numbers: &mut Numbers<'_>,
    measure: &Measure<'_>,
) -> Vec<Finding> {
    let holding = &filing.holding;
    let (item, says) = (&holding.item, holding.reserved.is_some());
    let mut findings = Vec::new();
    let mut add = |code, other: Option<&Filing>, detail, remedy| {
        let posts = std::iter::once(holding.by.id).chain(other.map(|other| other.holding.by.id)).collect();
        findings.push(Finding { item: Some(item.clone()), code, posts, detail, remedy });
    };
    let winner = loses(feed, board, filing, measure);
    let word = match Word::of(feed, filing, measure) {
        word if word == Word::Another || !holding.is_pending() => word,
        _ => Word::Unknown,
    };
    if word == Word::Another {
        let owner = match (measure.backing)(item) {
            Backing::Reserved(given) => given.seats.into_iter().next().filter(|seat| *seat != holding.by.agent),
            Backing::NotReserved | Backing::NoLog | Backing::Unknown => None,
        };
        let to = owner.unwrap_or_else(|| "a reservation that its post does not name".to_owned());
        let detail =
            format!("{item} was reserved by another: the log gave it to {to}, and {} took it", holding.by.agent);
        let amend = numbers.amend(board, filing, measure);
        // What was taken offline may have got another number from its log by now, which a confirmation takes over.
        let remedy = if holding.is_pending() && holding.reserved.is_some() {
            format!("{}; or {amend}", command(Kind::Confirm, filing, ""))
        } else {
            amend
        };
        add(Code::ReservedByAnother, winner, detail, remedy);
        return findings;
    }
    if let Some(winner) = winner {
        let (first, second) = (&winner.holding.by.agent, &holding.by.agent);
        let detail = format!("{first} and {second} both filed {item}, and {first} has the better right to it");
        add(Code::DuplicateItem, Some(winner), detail, numbers.amend(board, filing, measure));
        return findings;
    }
    if holding.confirmed {
        return findings;
    }
    let confirm = command(Kind::Confirm, filing, "");
    if holding.is_pending() {
        let waited = measure.now - holding.by.ts.unix_nanos();
        if waited > CONFIRM_WITHIN.nanos() {
            let detail = format!("{item} is CONFIRM-PENDING for more than 30 s");
            add(Code::Unconfirmed, None, detail, confirm.clone());
        }
    }
    let why = match word {
        Word::NotReserved if says => Some("its post names a reservation that the log of ids does not know"),
        Word::NotReserved => Some("the log of ids does not know it"),
        Word::NoLog => Some("no log keeps such ids"),
        Word::Own | Word::Key | Word::Another | Word::Unknown => None,
    };
    if let Some(why) = why {
        let amend = (word == Word::NotReserved).then(|| format!("; or {}", numbers.amend(board, filing, measure)));
        let remedy = format!("{confirm}{}", amend.unwrap_or_default());
        add(Code::NotReserved, None, format!("{item} was used without a reservation: {why}"), remedy);
    }
    // Whether a number was taken from a view is only asked where no log gave it.
    let from_a_log = matches!(word, Word::Own | Word::Key) || word == Word::Unknown && says;
    if !from_a_log && let Some(unseen) = numbers.unseen(feed, holding) {
        let of = taken(unseen).cloned().unwrap_or_default();
        let detail = format!(
            "{item} was numbered by {} from a view without {of}, which {} had filed before",
            holding.by.agent, unseen.stamp.agent
        );
        add(Code::StaleView, None, detail, confirm);
    }
    findings
}

/// The posts that took numbers, by namespace, in the order of their stamps.
struct Numbers<'a> {
    posts: BTreeMap<String, Vec<&'a Post>>,
    /// The highest number behind each beginning of an id.
    tops: BTreeMap<String, u64>,
}

impl<'a> Numbers<'a> {
    fn of(feed: &'a Feed, board: &Board) -> Self {
        let mut numbers = Self { posts: BTreeMap::new(), tops: BTreeMap::new() };
        let is_void = |post: &Post| matches!(board.verdict(&post.stamp.id), Some(Verdict::Void(_)));
        for post in feed.in_order().into_iter().filter(|post| Feed::takes_a_number(post) && !is_void(post)) {
            if let Some(item) = taken(post) {
                numbers.posts.entry(prefix(item)).or_default().push(post);
                let (stem, digits) = split(item);
                let top = numbers.tops.entry(stem.to_ascii_uppercase()).or_default();
                *top = digits.parse().map_or(*top, |number| (*top).max(number));
            }
        }
        numbers
    }

    /// The command that gives an item another id: from its log, else the next one that no post has, each once.
    fn amend(&mut self, board: &Board, filing: &Filing, measure: &Measure<'_>) -> String {
        let item = &filing.holding.item;
        if let Some(namespace) = (measure.namespace)(item) {
            return command(Kind::Amend, filing, &format!("--reserve {namespace}"));
        }
        let (stem, digits) = split(item);
        let top = self.tops.entry(stem.to_ascii_uppercase()).or_default();
        loop {
            *top = top.saturating_add(1);
            let new = format!("{stem}{top:0width$}", width = digits.len());
            if board.find(&new).is_none() || *top == u64::MAX {
                return command(Kind::Amend, filing, &format!("--to {new}"));
            }
        }
    }

    /// The newest post that had taken a number of the same namespace before, and that the writer had not seen.
    fn unseen(&self, feed: &Feed, holding: &Holding) -> Option<&'a Post> {
        let own = feed.get(&holding.by.id)?;
        let same = self.posts.get(&prefix(&holding.item))?;
        let before = same.get(..same.partition_point(|post| post.stamp < own.stamp))?;
        if before.is_empty() {
            return None;
        }
        let seen = feed.seen_by(own);
        before.iter().rev().copied().find(|post| !seen.contains(&post.stamp.id))
    }
}

/// An id up to its last number, and that.
fn split(item: &str) -> (&str, &str) {
    let item = item.trim_end_matches(|c: char| !c.is_ascii_digit());
    item.split_at_checked(item.trim_end_matches(|c: char| c.is_ascii_digit()).len()).unwrap_or((item, ""))
}

/// The id that a post gives to an item.
fn taken(post: &Post) -> Option<&String> {
    post.says.to.as_ref().or(post.says.item.as_ref())
}

fn cold(filing: &Filing, measure: &Measure<'_>) -> Option<Finding> {
    let owner = filing.stage.owner().filter(|_| filing.is_open())?;
    if !filing.is_cold(measure.now, measure.horizon, measure.cold) {
        return None;
    }
    let item = &filing.holding.item;
    let detail = match filing.tended(measure.horizon) {
        Some(last) => format!("{owner} claimed {item} and is silent since {}", last.ts),
        None => format!("{owner} claimed {item}, and all that was said of it is dated more than 24 h ahead"),
    };
    Some(Finding {
        item: Some(item.clone()),
        code: Code::ClaimCold,
        posts: vec![filing.owner_last(owner, measure.horizon).map_or(filing.by.id, |last| last.id)],
        detail,
        remedy: format!(
            "as {owner}: {}; as anybody: {}",
            command(Kind::Note, filing, ""),
            command(Kind::Repair, filing, "")
        ),
    })
}

/// A post about an item that nobody filed, as far as can be seen. It may be in a branch that is not here.
fn unknown(feed: &Feed, board: &Board, post: &Post, measure: &Measure<'_>) -> Option<Finding> {
    let refused =
        |verdict: &&Verdict| matches!(verdict, Verdict::Refused(Refusal::UnknownItem | Refusal::UnknownFiling));
    board.verdict(&post.stamp.id).filter(refused)?;
    let item = post.says.item.as_ref()?;
    // Filed later, by the stamps: then it is known after all.
    let known = match &post.says.of {
        Some(of) => board.about(of).is_some_and(|filing| filing.ever_had(&item_key(item))),
        None => board.find(item).is_some(),
    };
    if known || board.is_void(&post.stamp.id) {
        return None;
    }
    let why = match &post.says.of {
        Some(of) if feed.get(of).is_none() => format!("whose actionable post {of:.12} cannot be seen here"),
        Some(of) => format!("and means the post {of:.12}, which never filed it"),
        None => "which nobody filed; no such post can be seen here".to_owned(),
    };
    let file = match (&post.says.of, (measure.backing)(item)) {
        (None, Backing::NoLog) => {
            format!("; or file it: `headwater feed append --kind actionable --item {item} --subject …`")
        }
        _ => String::new(),
    };
    let void = void_command(&post.stamp.id);
    Some(Finding {
        item: Some(item.clone()),
        code: Code::UnknownItem,
        posts: vec![post.stamp.id],
        detail: format!("{} says `{}` of {item}, {why}", post.stamp.agent, post.says.kind.word()),
        remedy: format!(
            "look for it with `headwater feed drift --fetch`; else say that this post is void: {void}{file}"
        ),
    })
}

/// A post that no clock of today can have dated.
fn future(board: &Board, post: &Post, measure: &Measure<'_>) -> Option<Finding> {
    let is_void = matches!(board.verdict(&post.stamp.id), Some(Verdict::Void(_)));
    let ahead = post.stamp.ts.unix_nanos() > measure.horizon && !is_void;
    let of = post.says.item.as_ref().map(|item| format!(" of {item}")).unwrap_or_default();
    let void = void_command(&post.stamp.id);
    ahead.then(|| Finding {
        item: post.says.item.clone(),
        code: Code::FuturePost,
        posts: vec![post.stamp.id],
        detail: format!(
            "{} says `{}`{of} in a post that is dated {}, more than 24 h ahead",
            post.stamp.agent,
            post.says.kind.word(),
            post.stamp.ts
        ),
        remedy: format!("say that it is void: {void}, and say again what still holds"),
    })
}

/// The command that says that a post is void.
#[must_use]
pub fn void_command(post: &EventId) -> String {
    format!("`headwater feed append --kind repair --of {post:.12} --subject …`")
}

/// The command that settles a finding; the filing is named, because its id may be somebody else's too.
fn command(kind: Kind, filing: &Filing, more: &str) -> String {
    let of = &filing.by.id;
    let more = if more.is_empty() { String::new() } else { format!(" {more}") };
    format!(
        "headwater feed append --kind {} --item {} --of {of:.12}{more} --subject …",
        kind.word(),
        filing.holding.item
    )
}

#[cfg(test)]
mod tests;
