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
    /// The log gave the id to another reservation than the one that the post names.
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
    /// The posts that it is about.
    pub posts: Vec<EventId>,
    /// What is wrong, in words.
    pub detail: String,
    /// What to do.
    pub remedy: String,
}

/// What the log of ids knows of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backing {
    /// It was given out, to the reservation with the first of these nonces; the others led to it by amendments.
    Reserved(Vec<String>),
    /// It was not.
    NotReserved,
    /// No log keeps such ids.
    NoLog,
    /// A log keeps such ids, and could not be looked at.
    Unknown,
}

/// How the word of a post about its number stands against the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// The log bears it out. Of a post that names no reservation it is enough that the log gave the number out.
    True,
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
    fn of(holding: &Holding, measure: &Measure<'_>) -> Self {
        match ((measure.backing)(&holding.item), &holding.reserved) {
            (Backing::Reserved(nonces), Some(nonce)) if !nonces.contains(nonce) => Self::Another,
            (Backing::Reserved(_), _) => Self::True,
            (Backing::NotReserved, _) => Self::NotReserved,
            (Backing::NoLog, _) => Self::NoLog,
            (Backing::Unknown, _) => Self::Unknown,
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
}

impl std::fmt::Debug for Measure<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Measure").field("now", &self.now).field("cold", &self.cold).finish_non_exhaustive()
    }
}

/// Everything that is wrong, in a total order.
#[must_use]
pub fn drift(feed: &Feed, board: &Board, measure: &Measure<'_>) -> Vec<Finding> {
    let numbers = Numbers::of(feed, board);
    let mut findings = Vec::new();
    for filing in board.filings() {
        findings.extend(duplicate(board, filing, measure));
        findings.extend(number(feed, board, filing, &numbers, measure));
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

/// Another item with the same id and the better right to it. Here the log has a word: whom it gave the number
/// comes before everybody who only says so.
fn loses<'a>(board: &'a Board, filing: &'a Filing, measure: &Measure<'_>) -> Option<&'a Filing> {
    let rivals = board.rivals(filing);
    if rivals.is_empty() {
        return None;
    }
    let borne_out = |one: &Filing| {
        let holding = &one.holding;
        holding.reserved.is_some() && !holding.is_pending() && Word::of(holding, measure) == Word::True
    };
    let all = rivals.into_iter().chain([filing]);
    all.min_by_key(|one| (!borne_out(one), one.holding.rank())).filter(|best| best.by != filing.by)
}

/// Two items with one id: said once, of the one with the worse right.
fn duplicate(board: &Board, filing: &Filing, measure: &Measure<'_>) -> Option<Finding> {
    let winner = loses(board, filing, measure)?;
    let amend = match filing.holding.reserved {
        None => "--to NEW-ID",
        Some(_) => "--reserve NAMESPACE",
    };
    Some(Finding {
        item: Some(filing.holding.item.clone()),
        code: Code::DuplicateItem,
        posts: vec![filing.by.id, winner.by.id],
        detail: format!(
            "{} and {} both filed {}, and {} has the better right to it",
            winner.by.agent, filing.by.agent, filing.holding.item, winner.by.agent
        ),
        remedy: command(Kind::Amend, filing, amend),
    })
}

/// What is wrong with how an item came to its number. What its post says of a reservation is held against the log.
/// A confirmation settles it, because somebody looked again; but nobody confirms what the log gave to another.
fn number(feed: &Feed, board: &Board, filing: &Filing, numbers: &Numbers<'_>, measure: &Measure<'_>) -> Vec<Finding> {
    let holding = &filing.holding;
    let mut findings = Vec::new();
    if loses(board, filing, measure).is_some() {
        return findings;
    }
    let word = if holding.is_pending() { Word::Unknown } else { Word::of(holding, measure) };
    if holding.confirmed && word != Word::Another {
        return findings;
    }
    let mut add = |code, detail, remedy| {
        findings.push(Finding { item: Some(holding.item.clone()), code, posts: vec![holding.by.id], detail, remedy });
    };
    let confirm = command(Kind::Confirm, filing, "");
    let amend = command(Kind::Amend, filing, "--reserve NAMESPACE");
    if holding.is_pending() {
        let waited = measure.now - holding.by.ts.unix_nanos();
        if waited > CONFIRM_WITHIN.nanos() {
            let detail = format!("{} is CONFIRM-PENDING for more than 30 s", holding.item);
            add(Code::Unconfirmed, detail, confirm.clone());
        }
    }
    let (item, says) = (&holding.item, holding.reserved.is_some());
    let why = match word {
        Word::NotReserved if says => Some("its post names a reservation that the log of ids does not know"),
        Word::NotReserved => Some("the log of ids does not know it"),
        Word::NoLog => Some("no log keeps such ids"),
        Word::True | Word::Another | Word::Unknown => None,
    };
    if let Some(why) = why {
        let remedy = format!("{confirm}; or {amend}");
        add(Code::NotReserved, format!("{item} was used without a reservation: {why}"), remedy);
    }
    if word == Word::Another {
        let detail =
            format!("{item} was reserved by another: the log gave it to a reservation that its post does not name");
        add(Code::ReservedByAnother, detail, amend);
    }
    // Whether a number was taken from a view is only asked where no log gave it.
    let from_a_log = word == Word::True || word == Word::Unknown && says;
    if !from_a_log && let Some(unseen) = numbers.unseen(feed, holding) {
        let of = taken(unseen).cloned().unwrap_or_default();
        let detail = format!(
            "{} was numbered by {} from a view without {of}, which {} had filed before",
            holding.item, holding.by.agent, unseen.stamp.agent
        );
        add(Code::StaleView, detail, confirm);
    }
    findings
}

/// The posts that took numbers, by namespace, in the order of their stamps.
struct Numbers<'a>(BTreeMap<String, Vec<&'a Post>>);

impl<'a> Numbers<'a> {
    fn of(feed: &'a Feed, board: &Board) -> Self {
        let mut numbers = BTreeMap::new();
        let is_void = |post: &Post| matches!(board.verdict(&post.stamp.id), Some(Verdict::Void(_)));
        for post in feed.in_order().into_iter().filter(|post| Feed::takes_a_number(post) && !is_void(post)) {
            if let Some(item) = taken(post) {
                numbers.entry(prefix(item)).or_insert_with(Vec::new).push(post);
            }
        }
        Self(numbers)
    }

    /// The newest post that had taken a number of the same namespace before, and that the writer had not seen.
    fn unseen(&self, feed: &Feed, holding: &Holding) -> Option<&'a Post> {
        let own = feed.get(&holding.by.id)?;
        let same = self.0.get(&prefix(&holding.item))?;
        let before = same.get(..same.partition_point(|post| post.stamp < own.stamp))?;
        if before.is_empty() {
            return None;
        }
        let seen = feed.seen_by(own);
        before.iter().rev().copied().find(|post| !seen.contains(&post.stamp.id))
    }
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
mod tests {
    use super::{Backing, Code, Measure, drift};
    use crate::event::{EventId, IdPrefix, Span, Stamp, Timestamp};
    use crate::feed::{Board, FAR_AHEAD, Feed, Kind, Post, Says};

    fn post(feed: &mut Feed, at: &str, seat: &str, says: Says, seen: &[EventId]) -> EventId {
        let ts = Timestamp::parse(&format!("2026-04-16T{at}Z")).unwrap();
        let id = EventId::of(&format!("{at}{seat}{says:?}"));
        let parents = seen.iter().filter_map(|id| IdPrefix::parse(&id.to_hex())).collect();
        feed.insert(Post {
            stamp: Stamp { ts, agent: seat.to_owned(), id },
            branch: None,
            parents: Some(parents),
            says,
        });
        id
    }

    fn codes(feed: &Feed, at: &str) -> Vec<(&'static str, String)> {
        let now = Timestamp::parse(&format!("2026-04-16T{at}Z")).unwrap().unix_nanos();
        let backing = |item: &str| match item {
            "SEC-1" => Backing::Reserved(vec!["n1".to_owned()]),
            "SEC-4" => Backing::Reserved(vec!["n4-amend".to_owned(), "n".to_owned()]),
            "SEC-2" | "SEC-3" => Backing::NotReserved,
            "FAR-1" => Backing::Unknown,
            _ => Backing::NoLog,
        };
        let measure = Measure { now, horizon: now + FAR_AHEAD.nanos(), cold: Span::hours(1), backing: &backing };
        let findings = drift(feed, &Board::of(feed), &measure);
        findings.into_iter().map(|finding| (finding.code.name(), finding.item.unwrap_or_default())).collect()
    }

    #[test]
    fn how_numbers_were_taken() {
        let mut feed = Feed::default();
        let says = |item: &str| Says::new(Kind::Actionable, Some(item), item);
        let first = post(&mut feed, "10:00:00", "a", says("SEC-1"), &[]);
        post(&mut feed, "10:01:00", "b", says("SEC-2"), &[first]);
        // `c` saw the first number, and not the second.
        let third = post(&mut feed, "10:02:00", "c", Says { provisional: true, ..says("SEC-3") }, &[first]);
        post(&mut feed, "10:03:00", "d", Says { reserved: Some("n".to_owned()), ..says("SEC-4") }, &[]);
        post(&mut feed, "10:04:00", "d", says("OPS-1"), &[]);
        let found = |list: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            list.iter().map(|(code, item)| (*code, (*item).to_owned())).collect()
        };
        let expected = [("item-not-reserved", "OPS-1"), ("item-not-reserved", "SEC-2"), ("stale-view", "SEC-3")];
        assert_eq!(codes(&feed, "10:02:30"), found(&expected), "30 s are granted");
        let late = codes(&feed, "10:02:31");
        assert_eq!(late.len(), 4);
        assert!(late.contains(&("unconfirmed", "SEC-3".to_owned())), "{late:?}");
        let confirm = Says { of: Some(third), ..Says::new(Kind::Confirm, Some("SEC-3"), "x") };
        post(&mut feed, "10:05:00", "c", confirm, &[]);
        assert_eq!(codes(&feed, "12:00:00"), found(&expected[..2]));
    }

    /// What a post says of its reservation is held against the log, whoever wrote it.
    #[test]
    fn a_false_reservation_is_found() {
        let says = |item: &str, nonce: &str| Says {
            reserved: Some(nonce.to_owned()),
            ..Says::new(Kind::Actionable, Some(item), item)
        };
        for (item, nonce, code) in [
            ("SEC-1", "n1", ""),
            ("SEC-4", "n", ""),
            ("SEC-1", "forged", "reserved-by-another"),
            ("SEC-2", "forged", "item-not-reserved"),
            ("OPS-1", "forged", "item-not-reserved"),
            ("FAR-1", "forged", ""),
        ] {
            let mut feed = Feed::default();
            let id = post(&mut feed, "10:00:00", "a", says(item, nonce), &[]);
            let found = |feed: &Feed| codes(feed, "10:00:01").into_iter().map(|(code, _)| code).collect::<Vec<_>>();
            let expected: Vec<&str> = std::iter::once(code).filter(|code| !code.is_empty()).collect();
            assert_eq!(found(&feed), expected, "{item} {nonce}");
            // A confirmation is no word against the log.
            let confirm = Says { of: Some(id), ..Says::new(Kind::Confirm, Some(item), "x") };
            post(&mut feed, "10:00:01", "a", confirm, &[id]);
            let left: Vec<&str> = expected.into_iter().filter(|code| *code == "reserved-by-another").collect();
            assert_eq!(found(&feed), left, "{item} {nonce}");
        }
    }

    #[test]
    fn whom_the_log_gave_a_number_need_not_amend() {
        let says = |nonce: &str| Says {
            reserved: Some(nonce.to_owned()),
            ..Says::new(Kind::Actionable, Some("SEC-1"), nonce)
        };
        let mut feed = Feed::default();
        post(&mut feed, "10:00:00", "forger", says("forged"), &[]);
        post(&mut feed, "10:01:00", "owner", says("n1"), &[]);
        let backing = |_: &str| Backing::Reserved(vec!["n1".to_owned()]);
        let measure = Measure { now: 0, horizon: i128::MAX, cold: Span::hours(1), backing: &backing };
        let found = drift(&feed, &Board::of(&feed), &measure);
        let said: Vec<_> = found.iter().map(|finding| (finding.code, finding.detail.as_str())).collect();
        let detail = "owner and forger both filed SEC-1, and owner has the better right to it";
        assert_eq!(said, [(Code::DuplicateItem, detail)]);
    }

    #[test]
    fn claims_cold_lost_and_of_nothing() {
        let mut feed = Feed::default();
        let says = |kind| Says::new(kind, Some("SEC-1"), "x");
        post(&mut feed, "10:00:00", "z", says(Kind::Claim), &[]);
        assert_eq!(codes(&feed, "10:00:00"), [("unknown-item", "SEC-1".to_owned())]);
        post(&mut feed, "10:01:00", "a", says(Kind::Actionable), &[]);
        assert_eq!(codes(&feed, "10:01:00"), [], "filed later by the stamps");
        post(&mut feed, "10:02:00", "b", says(Kind::Claim), &[]);
        post(&mut feed, "10:02:00", "c", says(Kind::Claim), &[]);
        assert_eq!(codes(&feed, "10:03:00"), [(Code::ClaimLost.name(), "SEC-1".to_owned())]);
        post(&mut feed, "10:04:00", "c", says(Kind::Release), &[]);
        post(&mut feed, "10:50:00", "c", says(Kind::Note), &[]);
        assert_eq!(codes(&feed, "11:02:00"), []);
        assert_eq!(codes(&feed, "11:02:01"), [("claim-cold", "SEC-1".to_owned())], "another seat's note warms nothing");
        post(&mut feed, "11:03:00", "b", says(Kind::Note), &[]);
        assert_eq!(codes(&feed, "11:30:00"), []);
        post(&mut feed, "11:31:00", "a", says(Kind::Repair), &[]);
        assert_eq!(Board::of(&feed).find("sec-01").unwrap().stage, crate::feed::Stage::Awaiting);
    }
}
