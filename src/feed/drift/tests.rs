//! What drifts, by posts made up for it.

use super::{Backing, Code, Measure, Reservation, drift};
use crate::event::{EventId, IdPrefix, Span, Stamp, Timestamp};
use crate::feed::{Board, FAR_AHEAD, Feed, Kind, Post, Says};

fn post(feed: &mut Feed, at: &str, seat: &str, says: Says, seen: &[EventId]) -> EventId {
    let ts = Timestamp::parse(&format!("2026-04-16T{at}Z")).unwrap();
    let id = EventId::of(&format!("{at}{seat}{says:?}"));
    let parents = seen.iter().filter_map(|id| IdPrefix::parse(&id.to_hex())).collect();
    feed.insert(Post { stamp: Stamp { ts, agent: seat.to_owned(), id }, branch: None, parents: Some(parents), says });
    id
}

fn reserved(seat: &str, nonces: &[&str]) -> Backing {
    let nonces = nonces.iter().map(|nonce| (*nonce).to_owned()).collect();
    Backing::Reserved(Reservation { nonces, seats: vec![seat.to_owned()], keys: vec!["k".to_owned()] })
}

fn namespace(item: &str) -> Option<String> {
    item.starts_with("SEC").then(|| "SEC".to_owned())
}

fn codes(feed: &Feed, at: &str) -> Vec<(&'static str, String)> {
    let now = Timestamp::parse(&format!("2026-04-16T{at}Z")).unwrap().unix_nanos();
    let backing = |item: &str| match item {
        "SEC-1" => reserved("a", &["n1"]),
        "SEC-4" => reserved("d", &["n4-amend", "n"]),
        "SEC-2" | "SEC-3" => Backing::NotReserved,
        "FAR-1" => Backing::Unknown,
        _ => Backing::NoLog,
    };
    let measure = Measure {
        now,
        horizon: now + FAR_AHEAD.nanos(),
        cold: Span::hours(1),
        backing: &backing,
        namespace: &namespace,
    };
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
    for (seat, item, nonce, code) in [
        ("a", "SEC-1", "n1", ""),
        ("d", "SEC-4", "n", ""),
        ("a", "SEC-1", "forged", "reserved-by-another"),
        ("b", "SEC-1", "n1", "reserved-by-another"),
        ("a", "SEC-2", "forged", "item-not-reserved"),
        ("a", "OPS-1", "forged", "item-not-reserved"),
        ("a", "FAR-1", "forged", ""),
    ] {
        let mut feed = Feed::default();
        let id = post(&mut feed, "10:00:00", seat, says(item, nonce), &[]);
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

/// Nonces stand in the log for everybody to copy: the seat that asked for the number has it.
#[test]
fn whom_the_log_gave_a_number_need_not_amend() {
    let says = |nonce: Option<&str>, subject: &str| Says {
        reserved: nonce.map(str::to_owned),
        ..Says::new(Kind::Actionable, Some("SEC-1"), subject)
    };
    let keyed = Says { key: Some("k".to_owned()), ..says(Some("n1"), "keyed") };
    let pending = Says { provisional: true, ..says(Some("n1"), "pending") };
    for (nonce, theirs) in [
        (Some("n1"), says(Some("forged"), "x")),
        (Some("n1"), says(Some("n1"), "copied")),
        (Some("n1"), pending),
        (None, says(Some("n1"), "copied")),
        (None, says(None, "x")),
    ] {
        let mut feed = Feed::default();
        let forger = post(&mut feed, "10:00:00", "forger", theirs, &[]);
        let owner = post(&mut feed, "10:01:00", "owner", says(nonce, "mine"), &[]);
        let backing = |_: &str| reserved("owner", &["n1"]);
        let measure =
            Measure { now: 0, horizon: i128::MAX, cold: Span::hours(1), backing: &backing, namespace: &namespace };
        let found = drift(&feed, &Board::of(&feed), &measure);
        let said: Vec<_> = found.iter().map(|finding| (finding.code, finding.posts.as_slice())).collect();
        assert_eq!(said, [(Code::ReservedByAnother, &[forger, owner][..])]);
        assert!(found[0].detail.contains("the log gave it to owner, and forger took it"), "{}", found[0].detail);
        assert!(found[0].remedy.contains(" --reserve SEC "), "{}", found[0].remedy);
    }
    // One durable key is one number, whichever seat asks for it; the first who did has it still.
    let mut feed = Feed::default();
    post(&mut feed, "10:00:00", "a seat of another clone", keyed, &[]);
    let backing = |_: &str| reserved("owner", &["n1"]);
    let measure =
        Measure { now: 0, horizon: i128::MAX, cold: Span::hours(1), backing: &backing, namespace: &namespace };
    assert_eq!(drift(&feed, &Board::of(&feed), &measure), []);
    let loser = post(&mut feed, "10:00:00", "owner", says(Some("n1"), "mine"), &[]);
    let found = drift(&feed, &Board::of(&feed), &measure);
    assert_eq!((found.len(), found[0].code, found[0].posts[1]), (1, Code::DuplicateItem, loser));
}

/// Each of several losers is told another id, that nobody has.
#[test]
fn new_ids_without_a_log() {
    let mut feed = Feed::default();
    for seat in ["a", "b", "c"] {
        post(&mut feed, "10:00:00", seat, Says::new(Kind::Actionable, Some("OPS-0099"), seat), &[]);
    }
    post(&mut feed, "10:00:00", "a", Says::new(Kind::Actionable, Some("ops-100"), "x"), &[]);
    let backing = |_: &str| Backing::NoLog;
    let measure =
        Measure { now: 0, horizon: i128::MAX, cold: Span::hours(1), backing: &backing, namespace: &namespace };
    let found = drift(&feed, &Board::of(&feed), &measure);
    let told: Vec<_> = found.iter().filter_map(|finding| finding.remedy.split_once(" --to ")).collect();
    let told: Vec<_> = told.iter().filter_map(|(_, rest)| rest.split(' ').next()).collect();
    assert_eq!((told.len(), told.contains(&"OPS-0101"), told.contains(&"OPS-0102")), (2, true, true), "{told:?}");
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
