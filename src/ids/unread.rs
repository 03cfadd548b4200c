//! Entries that this version does not understand: damaged, or of a newer version. They are skipped and reported, and
//! their numbers are spent.

use super::contract::{Anchor, Kind};
use super::fold::Book;
use super::reserve::{Asking, MAX_COUNT, digest};
use crate::config::Namespace;
use crate::config::pattern::{Pattern, Scope};
use crate::event::Timestamp;
use crate::event::text::is_unsafe_to_show;
use serde_json::Value;
use std::collections::BTreeSet;

/// What tells the entry that settles one that cannot be read.
const SPENT: &str = "-spent";

/// How many entries that cannot be read are settled at once.
const AT_ONCE: usize = 5_000;

/// What an entry that cannot be read is taken for: its numbers, as far as they can be told. `namespace` and `format`
/// are those of the log, where it has one.
pub(super) fn salvage(line: &str, namespace: &str, format: Option<&Pattern>, fault: &str) -> Anchor {
    let value: Option<Value> = serde_json::from_str(line).ok();
    let text = |key: &str| {
        let text = value.as_ref().and_then(|value| value.get(key)?.as_str().map(str::to_owned));
        text.or_else(|| raw_text(line, key)).filter(|text| text.len() <= 200 && !text.chars().any(is_strange))
    };
    let (mut scope, mut numbers) = (text("scope").map(Scope::new), raw_numbers(line));
    if let Some(all) = value.as_ref().and_then(|value| value.get("numbers")?.as_array()) {
        numbers = all.iter().filter_map(Value::as_u64).collect();
    }
    for says in format.map(|format| format.mentions(line)).unwrap_or_default().into_iter().map(|found| found.says) {
        if *scope.get_or_insert_with(|| says.scope.clone()) == says.scope {
            numbers.push(says.number);
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers.truncate(usize::try_from(MAX_COUNT).unwrap_or(usize::MAX));
    let own = text("nonce").filter(|nonce| !nonce.is_empty());
    let nonce = format!("{}-unread", own.unwrap_or_else(|| digest(line).chars().take(32).collect()));
    let at = text("at").filter(|at| Timestamp::parse(at).is_some());
    Anchor {
        namespace: text("namespace").filter(|_| namespace.is_empty()).unwrap_or_else(|| namespace.to_owned()),
        scope: scope.unwrap_or_default(),
        kind: Kind::Unread,
        numbers,
        ids: Vec::new(),
        replaces: Vec::new(),
        of: None,
        event: None,
        slug: None,
        note: Some(fault.chars().filter(|c| !is_unsafe_to_show(*c)).take(200).collect()),
        agent: text("agent").unwrap_or_default(),
        branch: None,
        at: at.unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned()),
        nonce,
        provisional: false,
        backfill: false,
        file: None,
        jump: Some(false),
    }
}

fn is_strange(c: char) -> bool {
    c.is_whitespace() || is_unsafe_to_show(c)
}

/// The value of a key of a line that is no JSON any more.
fn raw_text(line: &str, key: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!("\"{key}\":\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The numbers of a line that is no JSON any more; the last one may have lost digits, and counts as it stands.
fn raw_numbers(line: &str) -> Vec<u64> {
    let Some((_, rest)) = line.split_once("\"numbers\":[") else { return Vec::new() };
    let all = rest.split(']').next().unwrap_or_default();
    all.split(',').map_while(|number| number.trim().parse().ok()).collect()
}

/// The entries of a log that cannot be read, and that nobody settled.
pub(super) fn unread(book: &Book) -> impl Iterator<Item = &Anchor> {
    let open = |anchor: &&Anchor| anchor.kind == Kind::Unread && !book.holds(&format!("{}{SPENT}", anchor.nonce));
    book.anchors().iter().filter(open)
}

/// Whether an entry that cannot be read needs nothing any more.
pub(super) fn is_settled(book: &Book, anchor: &Anchor) -> bool {
    let spent = || book.holds(&format!("{}{SPENT}", anchor.nonce));
    anchor.kind == Kind::Unread && (anchor.numbers.is_empty() || spent())
}

/// Entries that say of others, which cannot be read, that their numbers are spent.
pub(super) fn settle(book: &Book, namespace: &Namespace, asking: &Asking) -> Vec<Anchor> {
    unread(book).take(AT_ONCE).map(|anchor| spent(anchor, Some(&namespace.format), asking)).collect()
}

/// An entry that says that the numbers of one which cannot be read are spent.
pub(super) fn spent(anchor: &Anchor, format: Option<&Pattern>, asking: &Asking) -> Anchor {
    let id = |number: &u64| match format {
        Some(format) => format.render(&anchor.scope, *number, ""),
        None => format!("{}-{number}", anchor.namespace),
    };
    Anchor {
        kind: Kind::Release,
        ids: anchor.numbers.iter().map(id).collect(),
        // Whoever understands it has the ids: they are not given up by this.
        of: Some("nobody".to_owned()),
        nonce: format!("{}{SPENT}", anchor.nonce),
        at: asking.at.clone(),
        agent: asking.agent.clone(),
        ..anchor.clone()
    }
}

/// What is said of entries that cannot be read; `place` is the log.
pub(super) fn describe(book: &Book, place: &str, remedy: &str) -> Option<String> {
    let all: Vec<&Anchor> = unread(book).collect();
    let first = all.first()?;
    let fault = first.note.as_deref().unwrap_or_default();
    let (count, entries) = (all.len(), if all.len() == 1 { "entry" } else { "entries" });
    let numbers: BTreeSet<u64> = all.iter().flat_map(|anchor| &anchor.numbers).copied().collect();
    let numbers: Vec<String> = numbers.iter().take(5).map(u64::to_string).collect();
    let named = if numbers.is_empty() { "none can be read".to_owned() } else { numbers.join(", ") };
    Some(format!(
        "{place} has {count} {entries} that this version does not understand, skipped ({fault}); their numbers are spent ({named}); {remedy}"
    ))
}

#[cfg(test)]
mod tests {
    use super::{describe, salvage, settle, unread};
    use crate::config::pattern::{Pattern, Scope};
    use crate::ids::conformance::{asking, namespace};
    use crate::ids::contract::{Anchor, Kind};
    use crate::ids::fold::Book;

    #[test]
    fn the_numbers_of_what_cannot_be_read_are_found() {
        let format = Pattern::id("SEC-{n}").unwrap();
        let numbers = |line: &str| salvage(line, "SEC", Some(&format), "f").numbers;
        assert_eq!(numbers(r#"{"kind":"lease","numbers":[7,8],"ids":["SEC-7","SEC-9"],"nonce":"n"}"#), [7, 8, 9]);
        assert_eq!(numbers(r#"{"namespace":"SEC","kind":"reserve","numbers":[7,8"#), [7, 8]);
        assert_eq!(numbers("{\"ids\":[\"SEC-7\u{fffd}"), [7]);
        assert_eq!(numbers("{damaged"), [0; 0]);
        assert_eq!(numbers(&format!("{{\"numbers\":[{}]}}", "9".repeat(30))), [0; 0]);
        let day = Pattern::id("D-{date}{n:02}").unwrap();
        let left = salvage("{x D-2026010107 D-2026010109 D-2026020208", "D", Some(&day), "f");
        assert_eq!((left.scope, left.numbers), (Scope::new("20260101"), vec![7, 9]));
        // Without a format, as in a journal of several namespaces.
        let left = salvage(r#"{"namespace":"UX","kind":"reserve","numbers":[3],"ids":["UX-3"#, "", None, "f");
        assert_eq!((left.namespace.as_str(), left.numbers), ("UX", vec![3]));
    }

    #[test]
    fn what_is_settled_is_not_said_again_and_its_ids_stay_with_whoever_understands_it() {
        let sec = namespace("SEC");
        let line = r#"{"namespace":"SEC","kind":"lease","numbers":[2],"ids":["SEC-2"],"at":"2026-01-01T00:00:00.000Z","nonce":"n"}"#;
        let mut book = Book::fold([salvage(line, "SEC", Some(&sec.format), "unknown variant")]);
        assert!(describe(&book, "x", "y").unwrap().contains("1 entry"));
        assert_eq!(book.top(&Scope::default()), 2);
        let settled = settle(&book, &sec, &asking());
        assert_eq!(settled.len(), 1);
        book.apply(Anchor::read(&settled[0].line()).unwrap());
        assert_eq!((unread(&book).count(), describe(&book, "x", "y")), (0, None));
        // A program that understands the entry keeps its id.
        let understood = Anchor { kind: Kind::Reserve, ..Anchor::read(&line.replace("lease", "reserve")).unwrap() };
        let newer = Book::fold([understood, settled[0].clone()]);
        assert_eq!(newer.claim("SEC-2").unwrap().state.word(), "CONFIRMED");
    }
}
