//! One suite for every log: what a log promises, asked of each of them through the contract alone.

use super::IdsError;
use super::contract::{Anchor, AnchorLog, Decision, Outcome};
use super::fold::{Book, State};
use super::memory::MemoryLog;
use super::reserve::{self, Asking, Known, Wish};
use super::settle::{self, settle};
use crate::config::{Config, Namespace};
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) fn namespace(name: &str) -> Namespace {
    let text = format!("ids:\n  {name}: {{format: \"{name}-{{n}}\"}}\n");
    Config::parse(&text).unwrap().ids.remove(name).unwrap()
}

pub(super) fn asking() -> Asking {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    Asking {
        agent: "toast".to_owned(),
        branch: Some("feat/é".to_owned()),
        at: "2026-02-19T18:00:00.000Z".to_owned(),
        nonce: format!("{:032x}", NEXT.fetch_add(1, Ordering::Relaxed)),
    }
}

/// A number that stands in a source.
pub(super) fn known(number: u64) -> Known {
    let mut known = Known::default();
    known.found.own(number);
    known
}

pub(super) fn take(
    log: &mut dyn AnchorLog,
    namespace: &Namespace,
    wish: &Wish,
    floor: u64,
) -> Result<Outcome, IdsError> {
    let asking = asking();
    log.append(&namespace.name, &mut |standing| reserve::reserve(standing, namespace, &asking, wish, &known(floor)))
}

pub(super) fn ids(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Appended(anchors) => anchors.iter().flat_map(|anchor| anchor.ids.clone()).collect(),
        Outcome::Already(anchor) => anchor.ids.clone(),
    }
}

/// How many random schedules of a shared log are run; `scripts/schedules` asks for more.
#[cfg(feature = "github")]
#[expect(clippy::disallowed_methods, reason = "a test's own knob")]
pub(super) fn schedules() -> u32 {
    std::env::var("HEADWATER_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(150)
}

pub(super) fn one() -> Wish {
    Wish { count: 1, ..Wish::default() }
}

/// Everything that a log promises; `open` opens it anew, as another process would.
pub(super) fn conforms<L: AnchorLog>(open: impl Fn() -> L + Sync) {
    let (sec, ux) = (namespace("SEC"), namespace("UX"));
    let mut log = open();
    assert!(log.read("SEC").unwrap().is_empty());

    // Numbers go up by one, each namespace on its own, never below the floor.
    assert_eq!(ids(&take(&mut log, &sec, &one(), 19).unwrap()), ["SEC-20"]);
    assert_eq!(
        ids(&take(&mut log, &sec, &Wish { count: 3, ..Wish::default() }, 5).unwrap()),
        ["SEC-21", "SEC-22", "SEC-23"]
    );
    assert_eq!(ids(&take(&mut log, &ux, &one(), 0).unwrap()), ["UX-1"]);

    // A durable key gives the same again, and refuses something else; nothing is appended for either.
    let keyed = Wish {
        event: Some("k".to_owned()),
        slug: Some("a".to_owned()),
        note: Some("line\nbreak \"é\"".to_owned()),
        count: 2,
        template: None,
    };
    let first = take(&mut log, &sec, &keyed, 0).unwrap();
    assert_eq!(ids(&first), ["SEC-24", "SEC-25"]);
    let again = take(&mut open(), &sec, &keyed, 90).unwrap();
    assert!(matches!(again, Outcome::Already(_)));
    assert_eq!(ids(&again), ids(&first));
    let other = take(&mut log, &sec, &Wish { count: 1, ..keyed.clone() }, 0);
    assert!(matches!(other, Err(IdsError::EventUsed { .. })));

    // A decision that fails, or that is empty, leaves nothing behind.
    let refused = log.append("SEC", &mut |_| Err(IdsError::NoRandom));
    assert!(matches!(refused, Err(IdsError::NoRandom)));
    assert_eq!(log.append("SEC", &mut |_| Ok(Decision::Append(Vec::new()))).unwrap(), Outcome::Appended(Vec::new()));
    assert_eq!(open().read("SEC").unwrap().len(), 3);

    // Another clone's reservation of the same key leads to the same ids, and its own ones are spent.
    let claim = asking().anchor("SEC", super::contract::Kind::Reserve);
    let claim = Anchor {
        numbers: vec![25, 26],
        ids: vec!["SEC-25".to_owned(), "SEC-26".to_owned()],
        event: keyed.event.clone(),
        slug: keyed.slug.clone(),
        note: keyed.note.clone(),
        provisional: true,
        ..claim
    };
    for _ in 0..2 {
        let (ask, claims) = (asking(), std::slice::from_ref(&claim));
        log.append("SEC", &mut |standing| settle(standing, &sec, &ask, claims, &std::collections::BTreeMap::new()))
            .unwrap();
    }
    let before = open().read("SEC").unwrap();
    let book = Book::fold(before.clone());
    let replaced: Vec<(&String, &String)> =
        settle::outcome(&book, &claim).1.into_iter().flat_map(settle::replaced).collect();
    let pair = |place: usize| (&claim.ids[place], &before[2].ids[place]);
    assert_eq!((before.len(), replaced), (5, vec![pair(0), pair(1)]));
    assert_eq!(book.claim("SEC-26").unwrap().state, State::Amended("SEC-25".to_owned()));
    assert_eq!(book.claim("SEC-25").unwrap().state, State::Confirmed);

    // What was given up is spent; what was amended leads on.
    let ask = asking();
    log.append("SEC", &mut |standing| reserve::release(standing, &sec, &ask, &["SEC-25".to_owned()])).unwrap();
    let ask = asking();
    let amended =
        log.append("SEC", &mut |standing| reserve::amend(standing, &sec, &ask, "SEC-20", &one(), &known(0))).unwrap();
    assert_eq!(ids(&amended), ["SEC-27"]);
    let book = Book::fold(open().read("SEC").unwrap());
    assert_eq!(book.claim("SEC-25").unwrap().state, State::Released);
    assert_eq!(book.resolve("SEC-20").unwrap().id, "SEC-27");
    assert_eq!(ids(&take(&mut log, &sec, &one(), 0).unwrap()), ["SEC-28"]);

    // Every earlier reading is the beginning of every later one, byte for byte.
    let after = open().read("SEC").unwrap();
    assert_eq!(after.get(..before.len()), Some(before.as_slice()));

    races(&open);
}

/// Many at once: no number twice, none missing, each batch whole, acknowledged ones in the log; and what
/// ended before another began has the lower number.
fn races<L: AnchorLog>(open: &(impl Fn() -> L + Sync)) {
    const THREADS: u64 = 4;
    const EACH: u64 = 3;
    let dev = namespace("DEV");
    let clock = AtomicU64::new(0);
    let work = || {
        let mut log = open();
        let mut history = Vec::new();
        for _ in 0..EACH {
            let began = clock.fetch_add(1, Ordering::SeqCst);
            let outcome = take(&mut log, &dev, &Wish { count: 2, ..Wish::default() }, 0).unwrap();
            let Outcome::Appended(anchors) = outcome else { panic!("{outcome:?}") };
            history.push((began, clock.fetch_add(1, Ordering::SeqCst), anchors[0].clone()));
        }
        history
    };
    let history: Vec<(u64, u64, Anchor)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let log = open().read("DEV").unwrap();
    assert_eq!(faults(&history, &log), [""; 0]);
    let numbers: Vec<u64> = log.iter().flat_map(|anchor| anchor.numbers.clone()).collect();
    assert_eq!(numbers, (1..=THREADS * EACH * 2).collect::<Vec<u64>>());
}

/// What is wrong with a recorded history: when each reservation began and ended, and the log at the end.
fn faults(history: &[(u64, u64, Anchor)], log: &[Anchor]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (_, _, anchor) in history {
        faults.extend(
            anchor.numbers.iter().filter(|number| !seen.insert(**number)).map(|n| format!("{n} was given twice")),
        );
        if !log.contains(anchor) {
            faults.push(format!("{} was acknowledged and is not in the log", anchor.ids.join(" ")));
        }
    }
    for (_, ended, earlier) in history {
        for (began, _, later) in history {
            if ended < began && earlier.numbers.iter().max() >= later.numbers.iter().min() {
                faults.push(format!("{} came after {}", later.ids.join(" "), earlier.ids.join(" ")));
            }
        }
    }
    faults
}

/// The check of histories finds what broken allocators do.
#[test]
fn broken_allocators_are_caught() {
    let anchor = |number: u64| {
        let mut anchor = asking().anchor("DEV", super::contract::Kind::Reserve);
        anchor.numbers = vec![number];
        anchor.ids = vec![format!("DEV-{number}")];
        anchor
    };
    let (one, two) = (anchor(1), anchor(2));
    let log = [one.clone(), two.clone()];
    assert_eq!(faults(&[(0, 1, one.clone()), (2, 3, two.clone())], &log), [""; 0]);
    // Reads the highest number, then writes, without a lock.
    let twice = anchor(1);
    let said = faults(&[(0, 2, one.clone()), (1, 3, twice.clone())], &[one.clone(), twice]);
    assert_eq!(said, ["1 was given twice"]);
    // Answers before it is written down.
    assert_eq!(faults(&[(0, 1, one.clone())], &[]), ["DEV-1 was acknowledged and is not in the log"]);
    // Keeps numbers back and gives them late; fills gaps.
    assert_eq!(faults(&[(0, 1, two.clone()), (2, 3, one.clone())], &log), ["DEV-1 came after DEV-2"]);
}

/// A log that breaks one promise.
struct Broken {
    log: MemoryLog,
    breaks: Breaks,
    /// The log as it was when it was opened.
    opened: Vec<Anchor>,
    /// The first number of its own block.
    block: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Breaks {
    Nothing,
    /// Decides from what it read before somebody else wrote.
    Precondition,
    /// Answers before it has written.
    Durability,
    /// Takes a block of numbers, and gives them one by one.
    Order,
}

impl AnchorLog for Broken {
    fn identity(&self) -> String {
        format!("{:?}", self.breaks)
    }

    fn read(&mut self, namespace: &str) -> Result<Vec<Anchor>, IdsError> {
        self.log.read(namespace)
    }

    fn append(&mut self, namespace: &str, decide: &mut super::contract::Decide<'_>) -> Result<Outcome, IdsError> {
        let own = match self.breaks {
            Breaks::Nothing => return self.log.append(namespace, decide),
            Breaks::Durability => return MemoryLog::default().append(namespace, decide),
            Breaks::Precondition => self.opened.clone(),
            Breaks::Order => {
                let below =
                    Anchor { numbers: vec![self.block], ..asking().anchor(namespace, super::contract::Kind::Floor) };
                let mine = |anchor: &Anchor| {
                    anchor.numbers.iter().all(|number| (self.block..self.block + 10).contains(number))
                };
                std::iter::once(below).chain(self.log.read(namespace)?.into_iter().filter(mine)).collect()
            }
        };
        let decision = decide(&Book::fold(own))?;
        self.opened = self.log.read(namespace)?;
        self.log.append(namespace, &mut |_| Ok(decision.clone()))
    }
}

/// The same schedule, two clients by turns, over a sound log and over three that break a promise each.
#[test]
fn the_check_of_histories_catches_broken_logs() {
    for (breaks, said) in [
        (Breaks::Nothing, ""),
        (Breaks::Precondition, "given twice"),
        (Breaks::Durability, "not in the log"),
        (Breaks::Order, "came after"),
    ] {
        let log = MemoryLog::default();
        let client = |block| Broken { log: log.clone(), breaks, opened: Vec::new(), block };
        let mut clients = [client(0), client(10)];
        let mut history = Vec::new();
        for turn in 0..4 {
            let outcome = take(&mut clients[turn % 2], &namespace("DEV"), &one(), 0).unwrap();
            let Outcome::Appended(anchors) = outcome else { panic!("{outcome:?}") };
            let at = 2 * turn as u64;
            history.push((at, at + 1, anchors[0].clone()));
        }
        let found = faults(&history, &log.clone().read("DEV").unwrap());
        assert_eq!(found.is_empty(), breaks == Breaks::Nothing, "{breaks:?}: {found:?}");
        assert!(found.is_empty() || found.iter().any(|fault| fault.contains(said)), "{breaks:?}: {found:?}");
    }
}

#[test]
fn memory_conforms() {
    let log = MemoryLog::default();
    conforms(|| log.clone());
}

mod git {
    use super::super::gitlog::GitLog;
    use super::{AnchorLog as _, conforms, ids, namespace, one, take};
    use crate::git::{Git, Layout};
    use crate::ids::IdsError;
    use crate::trust::reference::OwnReference;
    use crate::trust::remote::OwnRemotes;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    #[expect(clippy::disallowed_methods, reason = "the test makes repositories")]
    fn git(cwd: &Path, args: &[&str]) -> String {
        let output = std::process::Command::new("git").current_dir(cwd).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A bare remote and clones of it, numbered.
    struct Remote {
        _scratch: tempfile::TempDir,
        root: PathBuf,
        clones: AtomicU64,
    }

    impl Remote {
        fn new() -> Self {
            let scratch = tempfile::tempdir().unwrap();
            let root = scratch.path().canonicalize().unwrap();
            git(&root, &["init", "-q", "--bare", "remote.git"]);
            Self { _scratch: scratch, root, clones: AtomicU64::new(0) }
        }

        fn clone_of(&self) -> Git {
            let name = self.clones.fetch_add(1, Ordering::Relaxed).to_string();
            git(&self.root, &["init", "-q", &name]);
            let clone = self.root.join(name);
            git(&clone, &["remote", "add", "origin", "../remote.git"]);
            Git::at(&Layout::discover(&clone).unwrap().unwrap())
        }
    }

    fn log<'a>(git: &'a Git, say: &'a dyn Fn(&str)) -> GitLog<'a> {
        static ALL: std::sync::OnceLock<crate::config::Namespace> = std::sync::OnceLock::new();
        named(git, ALL.get_or_init(|| super::namespace("ALL")), say)
    }

    fn named<'a>(git: &'a Git, namespace: &'a crate::config::Namespace, say: &'a dyn Fn(&str)) -> GitLog<'a> {
        let (remotes, log) = (OwnRemotes::of(git).unwrap(), &namespace.name);
        GitLog {
            git,
            namespace,
            remote: remotes.choose(None),
            remotes,
            name: "origin".to_owned(),
            reference: OwnReference::of(&format!("refs/headwater/ids/{log}")).unwrap(),
            copy: format!("refs/headwater/seen/{log}"),
            format: None,
            also: Vec::new(),
            patience: Duration::from_secs(60),
            say,
        }
    }

    fn quiet(_: &str) {}

    /// The suite keeps several namespaces in one log, as the contract allows: the reader picks its own.
    #[test]
    fn git_conforms() {
        let remote = Remote::new();
        let clones: Vec<Git> = (0..3).map(|_| remote.clone_of()).collect();
        let next = AtomicU64::new(0);
        conforms(|| {
            let clone = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap() % clones.len();
            OneOfMany(log(&clones[clone], &quiet))
        });
    }

    /// A namespace's own reference, as it is configured.
    struct OneOfMany<'a>(GitLog<'a>);

    impl super::AnchorLog for OneOfMany<'_> {
        fn identity(&self) -> String {
            self.0.identity()
        }

        fn read(&mut self, namespace: &str) -> Result<Vec<super::Anchor>, IdsError> {
            let one = super::namespace(namespace);
            named(self.0.git, &one, self.0.say).read(namespace)
        }

        fn append(
            &mut self,
            namespace: &str,
            decide: &mut super::super::contract::Decide<'_>,
        ) -> Result<super::Outcome, IdsError> {
            let one = super::namespace(namespace);
            named(self.0.git, &one, self.0.say).append(namespace, decide)
        }
    }

    #[test]
    fn what_the_remote_lost_is_published_again() {
        let remote = Remote::new();
        let (clone, bare) = (remote.clone_of(), remote.root.join("remote.git"));
        let said = std::cell::RefCell::new(Vec::new());
        let say = |text: &str| said.borrow_mut().push(text.to_owned());
        let mut log = log(&clone, &say);
        let sec = namespace("SEC");
        assert_eq!(ids(&take(&mut log, &sec, &one(), 0).unwrap()), ["SEC-1"]);
        let old = git(&bare, &["rev-parse", log.reference.as_str()]);
        assert_eq!(ids(&take(&mut log, &sec, &one(), 0).unwrap()), ["SEC-2"]);
        git(&bare, &["update-ref", log.reference.as_str(), &old]);
        assert_eq!(ids(&take(&mut log, &sec, &one(), 0).unwrap()), ["SEC-3"]);
        git(&bare, &["update-ref", "-d", log.reference.as_str()]);
        assert_eq!(ids(&take(&mut log, &sec, &one(), 0).unwrap()), ["SEC-4"]);
        assert_eq!(git(&bare, &["rev-list", "--count", log.reference.as_str()]), "4");
        assert_eq!(said.borrow().len(), 2, "{said:?}");
        // Another log in its place, again and again: nothing of any of them is given again.
        for _ in 0..3 {
            git(&bare, &["update-ref", "-d", log.reference.as_str()]);
            let fresh = remote.clone_of();
            assert_eq!(ids(&take(&mut self::log(&fresh, &quiet), &sec, &one(), 0).unwrap()), ["SEC-1"]);
            said.borrow_mut().clear();
            log.read("SEC").unwrap();
            assert_eq!(said.borrow().len(), 1, "{said:?}");
        }
        assert_eq!(ids(&take(&mut log, &sec, &one(), 0).unwrap()), ["SEC-5"]);
        assert_eq!(log.seen().unwrap().len(), 4 + 3 + 1);
    }

    #[test]
    fn a_remote_that_refuses_is_not_one_that_is_away() {
        let remote = Remote::new();
        let (clone, bare) = (remote.clone_of(), remote.root.join("remote.git"));
        let sec = namespace("SEC");
        log(&clone, &quiet).probe("1", "2026-01-01T00:00:00Z").unwrap();
        assert_eq!(git(&bare, &["for-each-ref"]), "");
        git(&bare, &["config", "transfer.hideRefs", "refs/headwater"]);
        let probed = log(&clone, &quiet).probe("2", "2026-01-01T00:00:00Z");
        assert!(matches!(probed, Err(IdsError::Refused { .. })), "{probed:?}");
        let refused = take(&mut log(&clone, &quiet), &sec, &one(), 0);
        assert!(matches!(refused, Err(IdsError::Refused { .. })), "{refused:?}");
        git(&clone.layout().work_tree, &["remote", "set-url", "origin", "../nowhere.git"]);
        let away = take(&mut log(&clone, &quiet), &sec, &one(), 0);
        assert!(matches!(away, Err(IdsError::Unreachable { .. })), "{away:?}");
    }
}

#[cfg(feature = "github")]
mod github {
    use super::super::github::schedules::log;
    use super::super::github::server::Server;
    use super::conforms;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn github_conforms() {
        let server = Server::start();
        server.state().page = 7;
        let clones: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
        let next = AtomicUsize::new(0);
        conforms(|| log(&server, "alice", &[], clones[next.fetch_add(1, Ordering::Relaxed) % 3].path()));
    }
}
