//! The laws of the feed, as properties of random sets of posts.

use super::{Board, FAR_AHEAD, Feed, Kind, Post, Refusal, Says, Stage, Verdict, item_key};
use crate::crdt::Join as _;
use crate::crdt::laws::{assert_laws, joined};
use crate::event::{EventId, IdPrefix, Stamp, Timestamp};
use proptest::prelude::*;

fn at(second: u8) -> Timestamp {
    // Two instants are more than 24 h apart, or less.
    Timestamp::from_unix_nanos(i128::from(second) * 13 * 3_600 * 1_000_000_000).unwrap()
}

/// A post whose references name places in the list of the posts before it.
type Raw = (u8, u8, usize, u8, u8, Option<prop::sample::Index>, Option<prop::sample::Index>, bool, bool);

fn raw() -> impl Strategy<Value = Raw> {
    let index = || prop::option::of(any::<prop::sample::Index>());
    // Few instants, seats and items, so that equal ones meet.
    (0..4u8, 0..3u8, 0..Kind::ALL.len() + 4, 1..4u8, 1..4u8, index(), index(), any::<bool>(), any::<bool>())
}

fn posts_of(raws: Vec<Raw>) -> Vec<Post> {
    let mut posts: Vec<Post> = Vec::new();
    for (place, (second, seat, kind, item, to, of, parent, reserved, provisional)) in raws.into_iter().enumerate() {
        let other = |index: Option<prop::sample::Index>| {
            index.filter(|_| !posts.is_empty()).map(|index| posts[index.index(posts.len())].stamp.id)
        };
        // Filings and what lets them be filed again come more often.
        let kind = *Kind::ALL.get(kind).unwrap_or(if kind % 4 == 0 { &Kind::Repair } else { &Kind::Actionable });
        let mut says = Says::new(kind, Some(&format!("A-{item}")), &format!("about {}", place % 5));
        says.to = (kind == Kind::Amend).then(|| format!("A-{to}"));
        if kind == Kind::Actionable {
            // Half of the proofs are of this item, so that some hold.
            let proves =
                |post: &&Post| matches!(post.says.kind, Kind::Release | Kind::Repair) && post.says.item == says.item;
            let proof = posts.iter().rev().find(proves).map(|post| post.stamp.id);
            says.proof = other(of).and_then(|any| if reserved { proof } else { Some(any) });
        } else {
            says.of = other(of);
        }
        if kind == Kind::Repair && says.of.is_some() && provisional {
            says.item = None;
        }
        says.reserved = reserved.then(|| place.to_string());
        says.provisional = provisional;
        let parents = other(parent).and_then(|id| IdPrefix::parse(&id.to_hex())).map(|parent| vec![parent]);
        let id = EventId::of(&place.to_string());
        let stamp = Stamp { ts: at(second), agent: format!("seat{seat}"), id };
        posts.push(Post { stamp, branch: None, parents, says });
    }
    posts
}

fn posts() -> impl Strategy<Value = Vec<Post>> {
    prop::collection::vec(raw(), 0..24).prop_map(posts_of)
}

fn feed<'a>(posts: impl IntoIterator<Item = &'a Post>) -> Feed {
    let mut feed = Feed::default();
    posts.into_iter().for_each(|post| feed.insert(post.clone()));
    feed
}

/// How many random sets of posts each law is held against; `scripts/schedules` asks for more by `PROPTEST_CASES`.
fn schedules() -> u32 {
    ProptestConfig::default().cases.max(1_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(schedules()))]

    #[test]
    fn prop_the_feed_is_a_join_semilattice(posts in posts(), parts in prop::collection::vec(0..8u8, 24)) {
        let part = |bit: u8| feed(posts.iter().zip(&parts).filter(|(_, part)| **part & bit != 0).map(|(post, _)| post));
        assert_laws(&part(1), &part(2), &part(4));
    }

    /// Every order, grouping and repetition of the same posts gives every reader the same queue.
    #[test]
    fn prop_one_set_one_queue(
        (posts, shuffled) in posts().prop_flat_map(|posts| (Just(posts.clone()), Just(posts).prop_shuffle())),
        cut in any::<prop::sample::Index>(),
    ) {
        let expected = Board::of(&feed(&posts));
        prop_assert_eq!(&Board::of(&feed(&shuffled)), &expected);
        let (left, right) = shuffled.split_at(if shuffled.is_empty() { 0 } else { cut.index(shuffled.len()) });
        let mut both = joined(feed(left), feed(right));
        both.join(feed(left));
        prop_assert_eq!(&Board::of(&both), &expected);
    }

    /// What a post came to depends on the posts with lower stamps alone, so nobody who had time on their
    /// side is put back by a later post.
    #[test]
    fn prop_later_posts_change_no_verdict(posts in posts(), cut in 0..5u8) {
        let (all, early) = (feed(&posts), feed(posts.iter().filter(|post| post.stamp.ts < at(cut))));
        let (whole, before) = (Board::of(&all), Board::of(&early));
        for post in early.in_order() {
            prop_assert_eq!(before.verdict(&post.stamp.id), whole.verdict(&post.stamp.id));
        }
    }

    /// No work vanishes: every actionable post is an item, an earlier item's repetition, or its re-posting;
    /// no post changes an id but by an amendment.
    #[test]
    fn prop_nothing_is_lost_or_renamed(posts in posts()) {
        let all = feed(&posts);
        let board = Board::of(&all);
        for post in all.in_order() {
            let about = board.about(&post.stamp.id);
            if post.says.kind == Kind::Actionable {
                let Some(filing) = about else {
                    prop_assert!(matches!(board.verdict(&post.stamp.id), Some(Verdict::Void(_))));
                    continue;
                };
                let own = filing.by == post.stamp;
                let verdict = board.verdict(&post.stamp.id).unwrap();
                let first = |first: &EventId| board.about(first).is_some_and(|about| about.by == filing.by);
                let repeats = matches!(verdict, Verdict::Repeats(id) if first(id));
                let is_void = matches!(verdict, Verdict::Void(_));
                prop_assert!(own || is_void || repeats || post.says.proof.is_some());
                let named = post.says.item.as_deref().map(item_key);
                let mut had = std::iter::once(&filing.holding).chain(&filing.former);
                prop_assert!(had.any(|holding| Some(item_key(&holding.item)) == named));
            }
        }
        for filing in board.filings() {
            for holding in std::iter::once(&filing.holding).chain(&filing.former) {
                let by = all.get(&holding.by.id).unwrap();
                let expected = if by.says.kind == Kind::Amend { by.says.to.as_ref() } else { by.says.item.as_ref() };
                prop_assert_eq!(Some(&holding.item), expected);
                prop_assert!(board.all_of(&holding.item).iter().any(|found| found.by == filing.by));
            }
        }
    }

    /// A release or repair lets an item be posted again once: between two such posts that take effect there is
    /// another proof, and what the item is about is what the last of them says.
    #[test]
    fn prop_a_proof_is_spent_once(posts in posts()) {
        let all = feed(&posts);
        let board = Board::of(&all);
        let mut last = std::collections::BTreeMap::new();
        for post in all.in_order() {
            if post.says.kind == Kind::Actionable && board.verdict(&post.stamp.id) == Some(&Verdict::Done) {
                let before = last.insert(board.about(&post.stamp.id).unwrap().by.id, post);
                if let Some(before) = before {
                    let proof = post.says.proof.and_then(|proof| all.get(&proof)).unwrap();
                    prop_assert!(before.stamp < proof.stamp && proof.stamp < post.stamp);
                }
            }
        }
        for filing in board.filings().iter().filter(|filing| filing.former.is_empty()) {
            let said = last.get(&filing.by.id).or(all.get(&filing.by.id).as_ref()).map(|post| &post.says.subject);
            prop_assert_eq!(said, Some(&filing.subject));
        }
    }

    /// What is void did nothing, and was said to be void by a post that is more than 24 h older; a post that took
    /// effect is made void by nobody.
    #[test]
    fn prop_only_what_did_nothing_is_void(posts in posts()) {
        let all = feed(&posts);
        let board = Board::of(&all);
        for post in all.in_order() {
            let verdict = board.verdict(&post.stamp.id).unwrap();
            if let Verdict::Void(by) = verdict {
                let by = all.get(by).unwrap();
                prop_assert_eq!(by.says.voids(), Some(post.stamp.id));
                prop_assert!(by.stamp.ts.after(FAR_AHEAD).unwrap() < post.stamp.ts);
                let without = feed(all.in_order().into_iter().filter(|other| other.stamp.id != post.stamp.id));
                let stages = |board: &Board| board.filings().iter().map(|filing| filing.stage.clone()).collect::<Vec<_>>();
                prop_assert_eq!(stages(&Board::of(&without)), stages(&board));
            }
            let target = post.says.voids().filter(|_| *verdict == Verdict::Done).and_then(|id| all.get(&id));
            if let Some(before) = target.filter(|target| target.stamp < post.stamp) {
                let did = board.verdict(&before.stamp.id);
                let stray = matches!(did, Some(Verdict::Refused(Refusal::UnknownItem | Refusal::UnknownFiling)));
                prop_assert!(stray, "{:?}", did);
            }
        }
    }

    /// Of all items with one id, exactly one has the right to it.
    #[test]
    fn prop_an_id_has_one_owner(posts in posts()) {
        let board = Board::of(&feed(&posts));
        for filing in board.filings() {
            let mut same = board.rivals(filing);
            same.push(filing);
            prop_assert_eq!(same.iter().filter(|one| board.loses(one).is_none()).count(), 1);
        }
    }

    /// Seats that claim one item at once: the earliest UTC instant has it, then the seat's name.
    #[test]
    fn prop_the_first_claim_wins(claims in prop::collection::vec((1..4u8, 0..5u8), 1..8)) {
        let mut all = Feed::default();
        let mut add = |second: u8, seat: String, kind: Kind, word: usize| {
            let id = EventId::of(&format!("{second} {seat} {word}"));
            let says = Says::new(kind, Some("A-1"), "x");
            all.insert(Post { stamp: Stamp { ts: at(second), agent: seat, id }, branch: None, parents: None, says });
        };
        add(0, "filer".to_owned(), Kind::Actionable, 0);
        for (place, (second, seat)) in claims.iter().enumerate() {
            add(*second, format!("seat{seat}"), Kind::Claim, place);
        }
        let (_, first) = claims.iter().min().unwrap();
        let board = Board::of(&all);
        let filing = board.find("A-1").unwrap();
        prop_assert_eq!(&filing.stage, &Stage::Claimed(format!("seat{first}")));
        let others = claims.iter().filter(|(_, seat)| seat != first).count();
        prop_assert_eq!(filing.lost.len(), others);
    }
}

fn one(second: u8, seat: &str, says: Says) -> Post {
    let id = EventId::of(&format!("{second}{seat}{says:?}"));
    Post { stamp: Stamp { ts: at(second), agent: seat.to_owned(), id }, branch: None, parents: None, says }
}

#[test]
fn a_duplicate_needs_a_proof_that_holds() {
    let filed = one(1, "a", Says::new(Kind::Actionable, Some("A-1"), "x"));
    let again = |proof: Option<EventId>, second| {
        one(second, "b", Says { proof, ..Says::new(Kind::Actionable, Some("A-1"), "other words") })
    };
    let verdict = |posts: &[&Post], of: &Post| Board::of(&feed(posts.iter().copied())).verdict(&of.stamp.id).cloned();
    let bare = again(None, 9);
    assert_eq!(verdict(&[&filed, &bare], &bare), Some(Verdict::Refused(Refusal::Exists(filed.stamp.id))));
    let claim = one(2, "a", Says::new(Kind::Claim, Some("A-1"), "x"));
    let stolen = one(3, "b", Says::new(Kind::Release, Some("A-1"), "x"));
    let wrong = again(Some(stolen.stamp.id), 9);
    let refused = verdict(&[&filed, &claim, &stolen, &wrong], &wrong);
    assert_eq!(refused, Some(Verdict::Refused(Refusal::NoProof)), "a release by somebody else proves nothing");
    let release = one(4, "a", Says::new(Kind::Release, Some("A-1"), "x"));
    let proven = again(Some(release.stamp.id), 9);
    let all = feed([&filed, &claim, &release, &proven]);
    let board = Board::of(&all);
    assert_eq!(board.verdict(&proven.stamp.id), Some(&Verdict::Done));
    assert_eq!((board.filings().len(), board.find("A-1").unwrap().subject.as_str()), (1, "other words"));
    let retaken = one(5, "c", Says::new(Kind::Claim, Some("A-1"), "x"));
    let refused = verdict(&[&filed, &claim, &release, &retaken, &proven], &proven);
    assert_eq!(refused, Some(Verdict::Refused(Refusal::ClaimedBy("c".to_owned()))));
    let board = Board::of(&feed([&filed, &claim, &release, &retaken, &proven]));
    assert!(board.about(&proven.stamp.id).is_some(), "what is refused is still said of its item");
}

#[test]
fn claim_by_a_void_filing_is_refused_as_if_that_were_gone() {
    let filed = one(1, "a", Says::new(Kind::Actionable, Some("A-1"), "a"));
    let ahead = one(100, "a", Says::new(Kind::Actionable, Some("A-1"), "far ahead"));
    let void = Says { item: None, of: Some(ahead.stamp.id), ..Says::new(Kind::Repair, None, "x") };
    let void = one(2, "b", void);
    let claim = Says { of: Some(ahead.stamp.id), ..Says::new(Kind::Claim, Some("A-1"), "mine") };
    let claim = one(101, "c", claim);
    let verdict =
        |posts: &[&Post], post: &Post| Board::of(&feed(posts.iter().copied())).verdict(&post.stamp.id).cloned();
    let all = [&filed, &ahead, &void, &claim];
    assert_eq!(verdict(&all, &ahead), Some(Verdict::Void(void.stamp.id)));
    assert_eq!(verdict(&all, &claim), Some(Verdict::Refused(Refusal::UnknownFiling)));
    assert_eq!(verdict(&[&filed, &void, &claim], &claim), Some(Verdict::Refused(Refusal::UnknownFiling)));
}

#[test]
fn a_published_number_never_moves() {
    let log = |says: Says| Says { reserved: Some("n".to_owned()), ..says };
    let published = one(5, "b", log(Says::new(Kind::Actionable, Some("A-1"), "b")));
    let early = one(1, "a", Says { provisional: true, ..log(Says::new(Kind::Actionable, Some("A-1"), "a")) });
    let board = Board::of(&feed([&published, &early]));
    assert_eq!(board.find("A-1").unwrap().by.agent, "b", "the provisional one has to be amended, however early");
    let to = Says { to: Some("A-2".to_owned()), of: Some(early.stamp.id), ..Says::new(Kind::Amend, Some("A-1"), "x") };
    let amend = one(7, "a", log(to));
    let board = Board::of(&feed([&published, &early, &amend]));
    assert_eq!(board.find("A-2").unwrap().by.agent, "a");
    assert_eq!(board.all_of("A-1").len(), 2, "the old id leads to both");
    assert!(board.filings().iter().all(|filing| board.rivals(filing).is_empty()));
}
