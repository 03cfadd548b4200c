//! The log on GitHub under everything that can go wrong there: named faults, and random schedules of
//! them.

use super::hub::Hub;
use super::server::{Fault, Server};
use super::{GithubLog, HubError};
use crate::config::LogKind;
use crate::ids::IdsError;
use crate::ids::collisions::LedgerKind;
use crate::ids::collisions::decide::{Wanted, allocate, ids_now, losers, renumber};
use crate::ids::contract::{Anchor, AnchorLog as _, Outcome};
use crate::ids::fold::Book;
use crate::ids::reserve::{Asking, digest};
use crate::trust::host::HostedIssue;
use proptest::prelude::*;
use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A log of the server's issue as `login` reads it, which rests for no time at all.
pub(crate) fn log(server: &Server, login: &str, trusted: &[&str], folder: &Path) -> GithubLog<'static> {
    let token: &'static (dyn Fn() -> Result<String, HubError> + Sync) = match login {
        "alice" => &|| Ok("alice-token".to_owned()),
        "bob" => &|| Ok("bob-token".to_owned()),
        _ => &|| Ok("nobody".to_owned()),
    };
    let hub = Hub {
        api: server.api(),
        issue: HostedIssue::for_test("o/r", 5, trusted.iter().map(|&login| login.to_owned()).collect()),
        patience: Duration::from_secs(3_600),
        write_pause: Duration::ZERO,
        token,
        certificates: None,
        rest: &|_, _| {},
        busy: &|_, work| work(),
        waited: Cell::default(),
        written: Cell::default(),
        recent: Cell::default(),
        transport: OnceCell::default(),
    };
    GithubLog::new(hub, folder)
}

fn asking() -> Asking {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let nonce = digest(&NEXT.fetch_add(1, Ordering::Relaxed).to_string());
    let at = "2026-02-19T18:00:00.000Z".to_owned();
    Asking { agent: "toast".to_owned(), branch: None, at, nonce: nonce.get(..32).unwrap().to_owned() }
}

const OCC: &str = "ledger.occ";

fn mint(log: &mut GithubLog<'_>, event: &str, count: u64) -> Result<Vec<String>, IdsError> {
    Ok(minted(log, event, count)?.0)
}

/// The ids that are printed, and whether they are new.
fn minted(log: &mut GithubLog<'_>, event: &str, count: u64) -> Result<(Vec<String>, bool), IdsError> {
    let wanted = Wanted { kind: LedgerKind::Occ, event: event.to_owned(), count, backfill: None, note: None };
    let asking = asking();
    Ok(
        match log
            .append(OCC, &mut |standing| allocate(standing, &asking, &wanted, &crate::ids::reserve::Known::default()))?
        {
            Outcome::Appended(anchors) => (anchors.into_iter().flat_map(|anchor| anchor.ids).collect(), true),
            // What lost, and has no new id yet, is said to be another's.
            Outcome::Already(anchor) => {
                let now = ids_now(&Book::fold(log.read(OCC)?), &anchor);
                (now.into_iter().filter_map(|(_, now)| now).collect(), false)
            }
        },
    )
}

/// Whether an id is an event's, or was and leads to an id of that event.
fn leads_to(book: &Book, id: &str, event: &str) -> bool {
    let is_its = |anchor: &&Anchor| anchor.event.as_deref() == Some(event) && anchor.ids.iter().any(|own| own == id);
    let ids = |anchor: &Anchor| ids_now(book, anchor).into_iter().find(|(old, _)| old == id).and_then(|(_, now)| now);
    let now = book.anchors().iter().filter(is_its).filter_map(ids);
    now.filter_map(|now| book.anchor_of(book.claim(&now)?)).any(|anchor| anchor.event.as_deref() == Some(event))
}

fn foreign(ids: &str) -> String {
    format!("```yaml alloc\nkind: occ\nids: [{ids}]\nevent: elsewhere\nnote: by another program\n```\n")
}

#[test]
fn waits_and_ends_as_the_host_says() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut alice = log(&server, "alice", &[], folder.path());
    let retry = |seconds: &str| vec![("Retry-After", seconds.to_owned())];
    server.state().post_faults = [
        Fault::Status(429, retry("7"), "slow down"),
        Fault::Status(403, vec![("X-RateLimit-Remaining", "0".to_owned())], "API rate limit exceeded"),
    ]
    .into();
    server.state().get_faults = [Fault::Status(502, Vec::new(), "x"), Fault::Cut].into();
    assert_eq!(mint(&mut alice, "a", 1).unwrap(), ["#1"]);
    assert_eq!(server.state().comments.len(), 1);
    let waited = alice.hub.waited.get();
    assert!(waited >= Duration::from_secs(67), "{waited:?}");
    // What would not help is not waited for.
    for (fault, expected) in [
        (Fault::Status(401, Vec::new(), "Bad credentials"), "gh auth login"),
        (Fault::Status(404, Vec::new(), "Not Found"), "--issue"),
        (Fault::Status(403, Vec::new(), "Resource not accessible by integration"), "not accessible"),
        (Fault::Status(422, Vec::new(), "Validation Failed"), "Validation Failed"),
        (Fault::Status(307, Vec::new(), "Moved"), "has moved"),
        (Fault::Status(429, retry("86400"), "slow down"), "longer than may be waited"),
    ] {
        server.state().post_faults = [fault].into();
        let said = mint(&mut alice, "b", 1).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
        assert_eq!(server.state().comments.len(), 1);
    }
    let mut nobody = log(&server, "mallory", &[], folder.path());
    assert!(matches!(mint(&mut nobody, "c", 1), Err(IdsError::Hub(HubError::Unauthorised { .. }))));
}

#[test]
fn a_lost_answer_is_looked_for_before_it_is_asked_again() {
    for fault in [Fault::DoneThenCut, Fault::DoneThenStatus(500), Fault::Cut, Fault::Status(500, Vec::new(), "x")] {
        let server = Server::start();
        let folder = tempfile::tempdir().unwrap();
        let mut alice = log(&server, "alice", &[], folder.path());
        server.state().post_faults = [fault.clone()].into();
        assert_eq!(mint(&mut alice, "a", 1).unwrap(), ["#1"], "{fault:?}");
        assert_eq!(server.state().comments.len(), 1, "{fault:?}");
    }
    // The issue goes away with the answer: nobody knows, and the error says what was asked for.
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut alice = log(&server, "alice", &[], folder.path());
    server.state().get_faults = std::iter::once(Fault::Fine).chain(std::iter::repeat_n(Fault::Cut, 9)).collect();
    server.state().post_faults = [Fault::DoneThenCut].into();
    let unsure = mint(&mut alice, "a", 1);
    assert!(matches!(&unsure, Err(IdsError::Unsure { anchors, .. }) if anchors[0].ids == ["#1"]), "{unsure:?}");
    server.state().get_faults.clear();
    assert_eq!(mint(&mut alice, "a", 1).unwrap(), ["#1"]);
    assert_eq!(server.state().comments.len(), 1);
}

#[test]
fn whoever_is_overtaken_tries_again_with_the_next_number() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut alice = log(&server, "alice", &[], folder.path());
    server.state().rivals = [Some(("carol".to_owned(), foreign("\"#1\", \"#2\"")))].into();
    assert_eq!(mint(&mut alice, "a", 1).unwrap(), ["#3"]);
    // Talk is no rival.
    server.state().rivals =
        [Some(("carol".to_owned(), format!("> {}", foreign("\"#4\"").replace('\n', "\n> "))))].into();
    assert_eq!(mint(&mut alice, "b", 1).unwrap(), ["#4"]);
    let book = Book::fold(alice.read(OCC).unwrap());
    assert!(book.lost().is_empty());
    assert_eq!(server.state().comments.len(), 5);
}

#[test]
fn two_that_lose_to_another_program_get_one_amendment() {
    let server = Server::start();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (mut alice, mut bob) =
        (log(&server, "alice", &[], folders[0].path()), log(&server, "bob", &[], folders[1].path()));
    for text in [foreign("\"#1\""), foreign("\"#1\", \"#2\"")] {
        server.state().add("carol", &text);
    }
    for log in [&mut alice, &mut bob] {
        let asking = asking();
        log.append(OCC, &mut |standing| renumber(standing, LedgerKind::Occ, &asking)).unwrap();
    }
    assert_eq!(server.state().comments.len(), 3);
    let book = Book::fold(bob.read(OCC).unwrap());
    let lost = losers(&book);
    assert_eq!((lost.len(), lost[0].amendment.unwrap().ids.join(" ")), (1, "#3".to_owned()));
    assert_eq!(alice.read(OCC).unwrap(), bob.read(OCC).unwrap());
}

#[test]
fn what_is_edited_or_deleted_is_noticed_kept_and_repaired() {
    let server = Server::start();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (mut alice, mut bob) =
        (log(&server, "alice", &[], folders[0].path()), log(&server, "bob", &[], folders[1].path()));
    for (event, id) in [("a", "#1"), ("b", "#2"), ("c", "#3")] {
        assert_eq!(mint(&mut alice, event, 1).unwrap(), [id]);
    }
    let whole = alice.read(OCC).unwrap();
    {
        let mut state = server.state();
        state.comments[0].body = state.comments[0].body.replace("#1", "#9");
        state.comments.remove(2);
        state.comments[1].body += "\nA word below a block is nobody's business.";
    }
    let seen = alice.look().unwrap();
    assert_eq!(
        seen.divergences.iter().map(|found| found.kind.to_string()).collect::<Vec<_>>(),
        ["was edited", "was deleted"]
    );
    // Who saw them goes on as if they were there; neither the old nor the new number is given again.
    assert_eq!(alice.read(OCC).unwrap(), whole);
    assert_eq!(mint(&mut alice, "a", 1).unwrap(), ["#1"]);
    assert_eq!(alice.repair().unwrap(), 2);
    assert_eq!(mint(&mut alice, "d", 1).unwrap(), ["#10"]);
    assert!(alice.look().unwrap().divergences.is_empty());
    // Who comes later, and who saw only what was edited, reads the same.
    let now = alice.read(OCC).unwrap();
    assert_eq!(now[..3], whole[..]);
    assert_eq!(bob.read(OCC).unwrap(), now);
    assert!(bob.look().unwrap().divergences.is_empty());
    // A repair that is deleted is a published word as well.
    let at = server.state().comments.iter().position(|comment| comment.body.contains("kind: repair")).unwrap();
    server.state().comments.remove(at);
    assert!(!bob.look().unwrap().divergences.is_empty());
    bob.repair().unwrap();
    assert_eq!((alice.read(OCC).unwrap(), bob.read(OCC).unwrap()), (now.clone(), now));
    assert!(alice.look().unwrap().divergences.is_empty());
}

/// A clone allocates what another one allocated before: it never saw that, for it was deleted or edited. The
/// repair makes a double allocation of it, and drops nothing.
#[test]
fn an_id_that_was_confirmed_outlives_the_repair_of_an_older_one() {
    for is_deleted in [true, false] {
        let server = Server::start();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let (mut alice, mut bob) =
            (log(&server, "alice", &[], folders[0].path()), log(&server, "bob", &[], folders[1].path()));
        assert_eq!(mint(&mut alice, "e1", 1).unwrap(), ["#1"]);
        assert_eq!(mint(&mut alice, "e2", 1).unwrap(), ["#2"]);
        if is_deleted {
            server.state().comments.remove(1);
        } else {
            let body = server.state().comments[1].body.replace("```yaml alloc", "```yaml");
            server.state().comments[1].body = body;
        }
        assert_eq!(mint(&mut bob, "ec", 1).unwrap(), ["#2"]);
        assert_eq!(mint(&mut bob, "ed", 1).unwrap(), ["#3"]);
        assert_eq!(alice.repair().unwrap(), 1);
        for log in [&mut alice, &mut bob] {
            let book = Book::fold(log.read(OCC).unwrap());
            assert_eq!(losers(&book).len(), 1);
            let asking = asking();
            log.append(OCC, &mut |standing| renumber(standing, LedgerKind::Occ, &asking)).unwrap();
        }
        let anchors = bob.read(OCC).unwrap();
        assert_eq!(anchors, alice.read(OCC).unwrap());
        let book = Book::fold(anchors);
        for (id, event) in [("#1", "e1"), ("#2", "e2"), ("#3", "ed"), ("#4", "ec")] {
            assert_eq!(book.anchor_of(book.claim(id).unwrap()).unwrap().event.as_deref(), Some(event), "{id}");
        }
        assert!(leads_to(&book, "#2", "ec"));
    }
}

#[test]
fn a_block_that_is_put_into_an_older_comment_takes_nothing() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut alice = log(&server, "alice", &[], folder.path());
    server.state().add("carol", "Nothing yet.");
    assert_eq!(mint(&mut alice, "a", 1).unwrap(), ["#1"]);
    server.state().comments[0].body = foreign("\"#1\", \"#7\"");
    assert_eq!(alice.look().unwrap().divergences.len(), 1);
    assert_eq!(mint(&mut alice, "a", 1).unwrap(), ["#1"]);
    alice.repair().unwrap();
    assert_eq!(mint(&mut alice, "b", 1).unwrap(), ["#8"]);
    let book = Book::fold(alice.read(OCC).unwrap());
    assert_eq!(book.anchor_of(book.claim("#1").unwrap()).unwrap().event.as_deref(), Some("a"));
    assert!(alice.look().unwrap().divergences.is_empty());
}

#[test]
fn only_trusted_authors_count_when_some_are_named() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    server.state().add("mallory", &foreign("\"#900\""));
    let mut alice = log(&server, "alice", &["Alice"], folder.path());
    assert_eq!(mint(&mut alice, "a", 1).unwrap(), ["#1"]);
    let mut bob = log(&server, "bob", &["Alice"], folder.path());
    let said = mint(&mut bob, "b", 1).unwrap_err().to_string();
    assert!(said.contains("among `trusted`"), "{said}");
    assert_eq!(bob.read(OCC).unwrap().len(), 1);
}

#[test]
fn a_comment_that_is_too_large_is_not_sent() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut alice = log(&server, "alice", &[], folder.path());
    let refused = mint(&mut alice, "a", 10_000);
    assert!(matches!(refused, Err(IdsError::Hub(HubError::TooLarge { .. }))), "{refused:?}");
    assert!(server.state().comments.is_empty());
}

#[test]
fn a_namespace_of_the_configuration_can_be_kept_there() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(&server, "alice", &[], folder.path());
    let mut namespace = crate::config::Config::parse("ids: {SEC: {log: github}}").unwrap().ids.remove("SEC").unwrap();
    assert_eq!(namespace.log, LogKind::Github);
    namespace.name = "SEC".to_owned();
    let wish = crate::ids::reserve::Wish { count: 2, slug: Some("a-b".to_owned()), ..Default::default() };
    let asking = asking();
    let done = log.append("SEC", &mut |standing| {
        crate::ids::reserve::reserve(standing, &namespace, &asking, &wish, &crate::ids::conformance::known(19))
    });
    let Outcome::Appended(anchors) = done.unwrap() else { panic!() };
    assert_eq!(anchors[0].ids, ["SEC-20", "SEC-21"]);
    assert_eq!(log.seen("SEC").unwrap(), anchors);
    assert!(log.read(OCC).unwrap().is_empty());
}

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    /// Somebody allocates, while these faults happen to reads and writes.
    Mint {
        who: usize,
        event: u8,
        count: u64,
        faults: Vec<Fault>,
        reads: Vec<Fault>,
        rival: Option<u64>,
    },
    /// Another program publishes these numbers.
    Other {
        numbers: Vec<u64>,
        author: usize,
    },
    /// A comment is sent a second time by a proxy.
    Twice(prop::sample::Index),
    /// The id in a comment is changed.
    Edit(prop::sample::Index, u64),
    Delete(prop::sample::Index),
    /// Somebody only reads.
    Look(usize),
    Renumber(usize),
    Repair(usize),
    /// A new clone without a journal takes a place.
    Forget(usize),
}

fn fault() -> impl Strategy<Value = Fault> {
    let retry = vec![("Retry-After", "2".to_owned())];
    prop_oneof![
        4 => Just(Fault::Fine),
        1 => Just(Fault::Cut),
        2 => Just(Fault::DoneThenCut),
        1 => prop::sample::select(vec![500_u16, 502, 504]).prop_map(Fault::DoneThenStatus),
        1 => prop::sample::select(vec![500_u16, 503]).prop_map(|status| Fault::Status(status, Vec::new(), "x")),
        1 => prop::sample::select(vec![401_u16, 404, 410, 422]).prop_map(|status| Fault::Status(status, Vec::new(), "no")),
        1 => prop::sample::select(vec![403_u16, 429]).prop_map(move |status| Fault::Status(status, retry.clone(), "wait")),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0usize..3;
    let mint = (
        who.clone(),
        0u8..12,
        1u64..4,
        prop::collection::vec(fault(), 0..4),
        prop::collection::vec(fault(), 0..3),
        prop::option::weighted(0.3, 1u64..20),
    )
        .prop_map(|(who, event, count, faults, reads, rival)| Step::Mint {
            who,
            event,
            count,
            faults,
            reads,
            rival,
        });
    prop_oneof![
        8 => mint,
        2 => (prop::collection::vec(1u64..25, 1..3), 0usize..3).prop_map(|(numbers, author)| Step::Other { numbers, author }),
        1 => any::<prop::sample::Index>().prop_map(Step::Twice),
        1 => (any::<prop::sample::Index>(), 1u64..40).prop_map(|(at, number)| Step::Edit(at, number)),
        1 => any::<prop::sample::Index>().prop_map(Step::Delete),
        1 => who.clone().prop_map(Step::Look),
        2 => who.clone().prop_map(Step::Renumber),
        1 => who.clone().prop_map(Step::Repair),
        1 => who.prop_map(Step::Forget),
    ]
}

/// What is edited and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changes {
    /// Nothing.
    None,
    /// What everybody has seen.
    Seen,
    /// Each comment at most once, whoever has seen it.
    Unseen,
}

/// Edits or deletes a comment.
fn change(server: &Server, step: &Step, at: prop::sample::Index, touched: &mut BTreeSet<u64>, changes: Changes) {
    let mut state = server.state();
    if state.comments.is_empty() {
        return;
    }
    let place = at.index(state.comments.len());
    if !touched.insert(state.comments[place].id) && changes == Changes::Unseen {
        return;
    }
    if let Step::Edit(_, number) = step {
        state.comments[place].body = state.comments[place].body.replacen('#', &format!("#{number}"), 1);
    } else {
        state.comments.remove(place);
    }
}

/// Three clones with two logins, and what goes on between them. Once everybody has repaired what they
/// know, all readers have one answer, no number has two owners, and what was told is so; where comments
/// were changed before all had seen them, it may be so by an amendment.
fn runs(steps: &[Step], changes: Changes) -> Result<(), TestCaseError> {
    let server = Server::start();
    let trusted = ["alice", "bob", "carol"];
    {
        let mut state = server.state();
        (state.page, state.backwards) = (3, true);
    }
    let mut folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let open = |folders: &[tempfile::TempDir], who: usize| {
        log(&server, ["alice", "bob", "alice"][who], &trusted, folders[who].path())
    };
    // By number: the events that were told that it is theirs.
    let mut told: BTreeMap<String, BTreeSet<u8>> = BTreeMap::new();
    // Of two texts that nobody saw one after the other no one knows which was first.
    let mut touched: BTreeSet<u64> = BTreeSet::new();
    for step in steps {
        if changes == Changes::Seen && matches!(step, Step::Edit(..) | Step::Delete(_)) {
            (0..3).for_each(|who| drop(open(&folders, who).look().unwrap()));
        }
        match step {
            Step::Mint { who, event, count, faults, reads, rival } => {
                {
                    let mut state = server.state();
                    (state.post_faults, state.get_faults) = (faults.clone().into(), reads.clone().into());
                    let text = rival.map(|number| ("carol".to_owned(), foreign(&format!("\"#{number}\""))));
                    state.rivals = [text].into();
                }
                let minted = minted(&mut open(&folders, *who), &event.to_string(), *count);
                let mut state = server.state();
                (state.post_faults, state.get_faults, state.rivals) = Default::default();
                drop(state);
                // What is said to be allocated already can be what somebody made of a comment.
                if let Ok((ids, is_new)) = minted
                    && (is_new || changes != Changes::Unseen)
                {
                    prop_assert_eq!(ids.len() as u64, *count);
                    for id in ids {
                        told.entry(id).or_default().insert(*event);
                    }
                }
            }
            Step::Other { numbers, author } => {
                let ids: Vec<String> = numbers.iter().map(|number| format!("\"#{number}\"")).collect();
                server.state().add(["carol", "mallory", "alice"][*author], &foreign(&ids.join(", ")));
            }
            Step::Twice(at) => {
                let mut state = server.state();
                if !state.comments.is_empty() {
                    let comment = state.comments[at.index(state.comments.len())].clone();
                    state.add(&comment.author, &comment.body);
                }
            }
            Step::Edit(at, _) | Step::Delete(at) if changes != Changes::None => {
                change(&server, step, *at, &mut touched, changes);
            }
            Step::Edit(..) | Step::Delete(_) => {}
            Step::Look(who) => drop(open(&folders, *who).look().unwrap()),
            Step::Renumber(who) => {
                let asking = asking();
                let mut log = open(&folders, *who);
                log.append(OCC, &mut |standing| renumber(standing, LedgerKind::Occ, &asking)).unwrap();
            }
            Step::Repair(who) => drop(open(&folders, *who).repair().unwrap()),
            Step::Forget(who) => {
                // What only this clone saw is lost with it.
                if changes == Changes::None {
                    folders[*who] = tempfile::tempdir().unwrap();
                }
            }
        }
    }
    for who in 0..3 {
        open(&folders, who).repair().unwrap();
    }
    let asking = asking();
    open(&folders, 0).append(OCC, &mut |standing| renumber(standing, LedgerKind::Occ, &asking)).unwrap();
    folders.push(tempfile::tempdir().unwrap());
    let fresh = log(&server, "bob", &trusted, folders[3].path()).read(OCC).unwrap();
    for who in 0..3 {
        let look = open(&folders, who).look().unwrap();
        prop_assert!(look.divergences.is_empty(), "{:?}", look.divergences);
        let anchors: Vec<Anchor> = look.thread.of(OCC).map(|placed| placed.anchor.clone()).collect();
        prop_assert_eq!(&anchors, &fresh);
    }
    let book = Book::fold(fresh);
    prop_assert!(losers(&book).iter().all(|loser| loser.amendment.is_some()));
    for (id, events) in told {
        if changes == Changes::Unseen {
            let lost = events.iter().find(|event| !leads_to(&book, &id, &event.to_string()));
            prop_assert_eq!(lost, None, "{}: {:?}", id, book.anchors());
            continue;
        }
        prop_assert_eq!(events.len(), 1, "{} was told to {:?}", id, events);
        let owner = book.claim(&id).and_then(|claim| book.anchor_of(claim)).and_then(|anchor| anchor.event.clone());
        prop_assert_eq!(owner, events.first().map(ToString::to_string), "{}", id);
    }
    Ok(())
}

fn cases() -> ProptestConfig {
    ProptestConfig { cases: crate::ids::conformance::schedules(), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn random_schedules_end_without_duplicates(steps in prop::collection::vec(step(), 1..14)) {
        runs(&steps, Changes::None)?;
    }

    #[test]
    fn random_schedules_with_edits_and_deletions_end_in_one_answer(steps in prop::collection::vec(step(), 1..14)) {
        runs(&steps, Changes::Seen)?;
    }

    #[test]
    fn random_schedules_with_changes_before_others_saw_them(steps in prop::collection::vec(step(), 1..14)) {
        runs(&steps, Changes::Unseen)?;
    }
}
