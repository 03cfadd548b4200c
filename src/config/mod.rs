//! `.headwater.yaml`: from text to a checked configuration. Pure; bad values are errors, unknown keys are named.

mod github;
mod ids;
pub mod pattern;
mod raw;
pub mod relative;
mod requires;
mod triggers;
mod unknown;
mod wanted;

use crate::event::schema::Schema;
use crate::event::yaml::{self, Document, Node, Value};
use crate::event::{Place, Span, clamp};
use std::collections::BTreeSet;

pub use github::{Collisions, GithubIssue, is_repository};
pub use ids::{LogKind, Namespace, Namespaces, own_reference};
pub use triggers::{Captured, Commit, Gate, Trigger, Triggers, Writing};
pub use unknown::UnknownKey;
pub use wanted::Wanted;

/// The file's name, at the top of the work tree.
pub const FILE_NAME: &str = ".headwater.yaml";

/// No configuration is larger.
pub const MAX_BYTES: u64 = 1 << 20;

/// Where the ledger is when nothing says otherwise.
pub const DEFAULT_LEDGER: &str = "thoughts/shared/handoffs";

/// A checked configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The sections' declarations.
    pub schema: Schema,
    /// The ledger folders, relative to the top of the work tree, with `/`; at least one.
    pub ledgers: Vec<String>,
    /// Where `current.md` is committed.
    pub view: ViewPolicy,
    /// When live events are archived, if ever.
    pub archive_after: Option<Span>,
    /// When archived events are packed, if ever.
    pub pack_after: Option<Span>,
    /// What each occasion of a session leads to.
    pub triggers: Triggers,
    /// What is wished to be read from transcripts.
    pub capture: Wanted<BTreeSet<Captured>>,
    /// How long a session may be silent before it counts as dead, though its process cannot be seen.
    pub silent_after: Span,
    /// How long the owner of an item of the feed may be silent.
    pub feed_cold: Span,
    /// The namespaces of ids.
    pub ids: Namespaces,
    /// The issue whose comments are a log.
    pub github: GithubIssue,
    /// The collision ledger.
    pub collisions: Collisions,
    /// Keys that this version does not know, and ignores.
    pub unknown: Vec<UnknownKey>,
}

/// Where `current.md` is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewPolicy {
    /// On every branch.
    Branch,
    /// On the default branch only, so that hosted pull requests never conflict in it.
    DefaultBranch,
    /// Nowhere.
    Untracked,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            schema: Schema::default(),
            ledgers: vec![DEFAULT_LEDGER.to_owned()],
            view: ViewPolicy::Branch,
            archive_after: Some(Span::hours(7 * 24)),
            pack_after: None,
            triggers: Triggers::default(),
            capture: Wanted::default(),
            silent_after: Span::hours(12),
            feed_cold: Span::hours(24),
            ids: Namespaces::new(),
            github: GithubIssue::default(),
            collisions: Collisions::default(),
            unknown: Vec::new(),
        }
    }
}

/// Why a configuration cannot be used, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {} column {}: {fault}{}", place.line, place.column,
    if fault.starts_with("`requires") { "" } else { "; correct it (`headwater config --help` lists what it may hold)" }
)]
pub struct ConfigError {
    /// Where it is wrong.
    pub place: Place,
    /// What is wrong; may quote the file.
    pub fault: String,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// A requirement that is not met, a bad value, or sections that contradict each other.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        if text.len() as u64 > MAX_BYTES {
            let fault = format!("the file has more than {MAX_BYTES} bytes");
            return Err(ConfigError { place: Place::START, fault });
        }
        if let Some(line) = nests_too_deep(text) {
            let fault = format!("brackets are nested more than {DEEPEST} deep");
            return Err(ConfigError { place: Place::new(line, 1), fault });
        }
        let document = yaml::read(text, 1);
        requires::check(text, env!("CARGO_PKG_VERSION")).map_err(|fault| {
            let place = find(&document.root, "requires").unwrap_or(document.root.place);
            ConfigError { place, fault }
        })?;
        let mut unknown = Vec::new();
        let pass_over = |path: serde_ignored::Path<'_>| unknown::note(&mut unknown, &path, &document.root);
        let raw: raw::RawConfig = serde_ignored::deserialize(serde_yaml::Deserializer::from_str(text), pass_over)
            .map_err(|error| placed(&error, &document))?;
        Ok(Self { unknown, ..raw.check(&document.root)? })
    }
}

/// How deep brackets may be nested: the time that the YAML library takes for them grows with the square of their depth.
const DEEPEST: usize = 64;

/// The line on which brackets are nested too deep, those in quotes and comments included.
fn nests_too_deep(text: &str) -> Option<u32> {
    let mut depth = 0_usize;
    for (line, bytes) in (1..).zip(text.split('\n').map(str::bytes)) {
        for byte in bytes {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Some(line);
            }
        }
    }
    None
}

/// The error of the YAML library with its place: its own, but of what it only places in the whole file
/// that of the key which it names, or of what our own reader stumbles over.
fn placed(error: &serde_yaml::Error, document: &Document<'_>) -> ConfigError {
    let mut fault = error.to_string();
    let mut own = None;
    if let Some(at) = error.location() {
        fault = fault.replace(&format!(" at line {} column {}", at.line(), at.column()), "");
        own = Some(Place::new(clamp(at.line()), clamp(at.column()))).filter(|place| *place != document.root.place);
    }
    let named = || find(&document.root, fault.split('`').nth(1)?);
    let stumbled = document.fault.as_ref().map(|fault| fault.place);
    let place = match stumbled {
        Some(place) if fault.contains("duplicate") => place,
        _ => own.or_else(named).or(stumbled).unwrap_or(document.root.place),
    };
    ConfigError { place, fault }
}

fn find(node: &Node<'_>, key: &str) -> Option<Place> {
    match &node.value {
        Value::Mapping(entries) => {
            let here = entries.iter().find(|entry| entry.key == key).map(|entry| entry.place);
            here.or_else(|| entries.iter().find_map(|entry| find(&entry.node, key)))
        }
        Value::List(nodes) => nodes.iter().find_map(|node| find(node, key)),
        Value::Absent | Value::Scalar(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Captured, Commit, Config, Gate, LogKind, Trigger, Triggers, ViewPolicy, Wanted, Writing};
    use crate::event::Span;
    use crate::event::schema::{Identity, Merge};

    fn fault(text: &str) -> String {
        Config::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn nothing_is_the_default() {
        for text in ["", "\n# nothing\n", "{}\n"] {
            assert_eq!(Config::parse(text).unwrap(), Config::default(), "{text:?}");
        }
    }

    #[test]
    fn everything_that_can_be_said() {
        let config = Config::parse(
            "ledger: [a/b/, c]\nview: default-branch\narchive: {after: 2w, pack_after: never}\nfeed: {cold: 36h}\nsections:\n- name: now\n  title: Right Now\n- {name: risks, closed_by: settled, identity: exact, show: 7d}\n",
        )
        .unwrap();
        assert_eq!(config.ledgers, ["a/b", "c"]);
        assert_eq!((config.view, config.archive_after), (ViewPolicy::DefaultBranch, Span::parse("14d", "hdw").ok()));
        assert_eq!((config.feed_cold, Config::default().feed_cold), (Span::hours(36), Span::hours(24)));
        let now = config.schema.section("now").unwrap();
        assert_eq!((now.title.as_str(), now.merge), ("Right Now", Merge::Register));
        let risks = config.schema.section("risks").unwrap();
        assert_eq!((risks.title.as_str(), risks.merge, risks.identity), ("Risks", Merge::Set, Identity::Exact));
        assert_eq!(config.schema.sections().len(), 8);
        assert!(!risks.grouped && config.schema.section("this_session").unwrap().grouped);
    }

    #[test]
    fn what_occasions_lead_to() {
        let config = Config::parse(
            "triggers:\n  session-end: {view: always, commit: 2h}\n  pre-push: {check: false}\ncapture: [todos, request]\nsessions: {silent_after: 1h}\n",
        )
        .unwrap();
        let end = Trigger { view: Writing::Always, commit: Wanted::new(Commit::Throttled(Span::hours(2))) };
        assert_eq!(
            config.triggers,
            Triggers { session_end: end, pre_push: Gate { check: false }, ..Triggers::default() }
        );
        let capture: Vec<Captured> = config.capture.for_consent().iter().copied().collect();
        assert_eq!(capture, [Captured::Todos, Captured::Request]);
        assert_eq!(config.silent_after, Span::hours(1));
    }

    #[test]
    fn namespaces_of_ids() {
        let config = Config::parse(
            "ids:\n  SEC:\n  ADR:\n    format: ADR-{n:04}\n    files: docs/adr/{n:04}-{slug}.md\n    log: git\n    sources: A.md\n",
        )
        .unwrap();
        let sec = config.ids.get("SEC").unwrap();
        assert_eq!((sec.format.as_str(), sec.log, sec.sources.len()), ("SEC-{n}", LogKind::Local, 0));
        let adr = config.ids.get("ADR").unwrap();
        assert_eq!(
            (adr.reference.as_str(), adr.log, adr.sources.as_slice()),
            ("refs/headwater/ids/ADR", LogKind::Git, &["A.md".to_owned()][..])
        );
    }

    #[test]
    fn unknown_keys_are_named_with_their_place_and_ignored() {
        let text = "\u{feff}ledgers: x\nview: untracked\narchive: {before: 7d}\ntriggers: {start: {}, event: {view: safe, commit: never, x: 1}}\nfeed: {warm: 1h}\nids:\n  SEC: {form: x}\nsections:\n- {name: risks, colour: red}\ngithub: {issues: 4}\n";
        let config = Config::parse(text).unwrap();
        let named: Vec<String> =
            config.unknown.iter().map(|key| format!("{} {}:{}", key.name, key.place.line, key.place.column)).collect();
        assert_eq!(
            named,
            [
                "ledgers 1:1",
                "archive.before 3:11",
                "triggers.start 4:12",
                "triggers.event.x 4:58",
                "feed.warm 5:8",
                "ids.SEC.form 7:9",
                "sections[0].colour 9:17",
                "github.issues 10:10"
            ]
        );
        assert_eq!((config.view, config.ids.len()), (ViewPolicy::Untracked, 1));
    }

    #[test]
    fn limits_end_a_configuration_that_has_too_much() {
        let many = |count: usize| (0..count).fold("ids:\n".to_owned(), |text, at| text + &format!("  N{at}A:\n"));
        assert_eq!(Config::parse(&many(1_000)).unwrap().ids.len(), 1_000);
        assert!(fault(&many(1_001)).contains("more than 1000 namespaces"));
        let ledgers: Vec<String> = (0..101).map(|at| format!("l{at}")).collect();
        assert!(fault(&format!("ledger: [{}]", ledgers.join(", "))).contains("more than 100"));
        assert!(fault(&format!("ids: {{SEC: {{format: \"{}{{n}}\"}}}}", "x".repeat(200))).contains("at most 100"));
        assert!(fault(&format!("# {}\nview: branch", "x".repeat(1 << 20))).contains("1048576 bytes"));
        // An alias bomb: nine levels of nine.
        let level = |at: usize| format!("l{at}: &l{at} [{}]\n", vec![format!("*l{}", at - 1); 9].join(", "));
        let bomb = (1..10).fold("l0: &l0 [x]\n".to_owned(), |text, at| text + &level(at));
        assert!(Config::parse(&format!("{bomb}capture: *l9\n")).is_err());
        let _ignored = Config::parse(&bomb);
        for deep in ["[", "{a: "].map(|open| open.repeat(100_000)) {
            assert!(fault(&format!("a: &a x\nview: {deep}")).starts_with("line 2 column 1: brackets are nested"));
        }
    }

    #[test]
    fn faults_have_their_place() {
        for (text, place, expected) in [
            ("view: branch\nview: branch", "2:1", "duplicate"),
            ("view: everywhere", "1:7", "everywhere"),
            ("view: [x]", "1:7", "view: "),
            ("archive:\n  after: soon", "2:3", "`soon`"),
            ("view: branch\nledger: ../x", "2:9", "`../x`"),
            ("ledger:\n- a\n- /x", "3:3", "inside the work tree"),
            ("ledger: []", "1:9", "at least one"),
            ("triggers: {event: {view: often, commit: never}}", "1:26", "unknown variant `often`"),
            ("capture: [everything]", "1:11", "unknown variant `everything`"),
            ("sessions: {silent_after: x}", "1:11", "no span"),
            ("feed: {cold: 1}", "1:7", "no span"),
            ("view: branch\nledger: {a: b}", "2:1", "a path"),
            ("ledger: a/.git/b", "1:9", "inside the work tree"),
            ("ledger: [a, a]", "1:13", "`a`"),
            ("ledger: [a, a/events]", "1:13", "`a/events`"),
            ("ledger: [a/b, ab, a/]", "1:19", "`a`"),
            ("view: branch\n---\nview: branch", "2:1", "more than one document"),
            ("view: branch\nledger: [", "3:1", "flow"),
            ("- a", "1:1", "a mapping of keys"),
            ("# c\ntext", "2:1", "a mapping of keys"),
            ("sections:\n- name: Now", "2:3", "`Now` is no name"),
            ("sections:\n- x", "2:3", "a mapping"),
            ("sections: x", "1:11", "a sequence"),
            ("sections:\n- {name: a, title: \" \"}", "2:3", "title"),
            ("sections:\n- {name: a}\n- {title: b, name: a}", "3:14", "`a`: declared twice"),
            ("sections:\n- {name: a, merge: max}", "2:20", "unknown variant `max`"),
            ("sections:\n- name: a\n  merge: register\n  show: 7d", "4:3", "`show`"),
            ("sections:\n- name: checkpoints\n  grouped: true", "3:3", "`grouped`"),
            ("sections:\n- {name: a, grouped: often}", "2:22", "boolean"),
            ("sections:\n- {name: a, merge: list, identity: exact}", "2:26", "`identity`"),
            ("sections:\n- name: b\n- {name: now, closed_by: x}", "3:15", "`closed_by`"),
            ("sections:\n- {name: a, closed_by: now}", "2:13", "`now` is a section"),
            ("sections:\n- name: b\n- name: resolved_questions", "3:3", "`resolved_questions` is a section"),
            ("sections:\n- {name: ts}", "2:3", "front matter"),
            ("ids: [SEC]", "1:6", "a map"),
            ("ids:\n  SEC: {}\n  a b: {}", "3:3", "letters, digits"),
            ("ids:\n  SEC:\n    format: SEC", "3:5", "exactly one"),
            ("ids:\n  SEC:\n  UX: {log: local, format: \"SEC-{n}\"}", "3:20", "cannot be told"),
            ("ids: {SEC: {sources: ../x}}", "1:13", "inside the work tree"),
            ("ids: {ADR: {files: \"{n}/x.md\"}}", "1:13", "only the file's name"),
            ("ids: {SEC: {log: paper}}", "1:18", "unknown variant `paper`"),
            ("ids: {SEC: {ref: ids}}", "1:13", "headwater's own"),
            ("ids: {SEC: {ref: refs/heads/main}}", "1:13", "headwater's own"),
            ("ids: {SEC: {ref: refs/headwater/seen/X}}", "1:13", "for itself"),
            ("ids: {SEC: {ref: refs/headwater/ledger/occ}}", "1:13", "collision ledger"),
            ("ids: {SEC: {remote: -x}}", "1:13", "no path or URL"),
            ("ids: {SEC: {remote: ./evil.git}}", "1:13", "no path or URL"),
            ("ids: {SEC: {remote: evil.git}}", "1:13", "no path or URL"),
            ("github: {issue: 0}", "1:10", "from 1"),
            ("github:\n  trusted: [a b]", "2:3", "`a b` is no login"),
            ("github: {repository: o}", "1:10", "`owner/name`"),
            ("collisions: {page: ../x.md}", "1:14", "inside the work tree"),
            ("collisions: {page: a.md, memory: a.md}", "1:26", "two files"),
            ("sections:\n- {name: stream}", "2:3", "front matter"),
            ("sections:\n- {name: a, closed_by: session_id}", "2:3", "front matter"),
        ] {
            let said = fault(text);
            let (line, column) = place.split_once(':').unwrap();
            assert!(said.starts_with(&format!("line {line} column {column}: ")), "{text:?}: {said}");
            assert!(said.contains(expected) && said.matches("column").count() == 1, "{text:?}: {said}");
            assert!(!said.contains("Raw"), "{text:?}: {said}");
        }
    }
}
