//! A few good events and one file of any bytes: what cannot be read changes nothing but the list of
//! unreadable events; what can be read is one event more, whatever the order.

#![no_main]

use headwater::event::schema::Schema;
use headwater::ledger::render::{is_ours, render};
use headwater::ledger::{State, View};
use headwater::store::{Fold, Reading, Source};
use libfuzzer_sys::fuzz_target;

const NAME: &str = "bad.md";

const GOOD: [(&str, &str); 4] = [
    ("a.md", "---\nts: 2026-01-10T13:03:52Z\nagent: ann\n---\ngoal: stand\ndecisions:\n  disk: ext4\n"),
    ("b.md", "---\nts: 2026-01-11T08:00:00Z\nagent: bob\nparents: []\n---\n## Decisions\n- **disk:** xfs\n"),
    ("c.md", "---\nts: 2026-01-12T08:00:00+01:00\nagent: cy\n---\nopen_questions: [why?]\nextra: [e]\n"),
    ("d.md", "---\nts: 2026-01-12T09:00:00Z\nagent: dee\nparents: []\n---\ncheckpoints:\n- {phase: 1, status: ok}\n"),
];

fuzz_target!(|bytes: &[u8]| {
    let schema = Schema::default();
    let good = || GOOD.into_iter().map(|(name, text)| reading(name, text.as_bytes(), &schema));
    let bad = || reading(NAME, bytes, &schema);
    let expected = view(good(), &schema);
    let seen = view(good().chain([bad()]), &schema);
    assert_eq!(seen, view(std::iter::once(bad()).chain(good()), &schema), "the order of the files shows");
    assert_eq!(seen, view(good().chain([bad(), bad()]), &schema), "reading a file twice shows");
    assert!(is_ours(seen.as_bytes()) && seen.ends_with("\n---\n") && !seen.ends_with("\n\n"));
    assert!(seen.chars().all(|character| character == '\n' || !character.is_control()), "a raw control character");
    match bad().result {
        Err(fault) => {
            let (head, foot) = expected.split_once("\n---\n_synthesized:").expect("a footer");
            let block = format!("\n### Unreadable Events\n\n- `{NAME}`: {}\n", fault.code);
            assert_eq!(seen, format!("{head}{block}\n---\n_synthesized:{foot}"));
        }
        Ok(event) => {
            assert!(!seen.contains("\n### Unreadable Events\n"), "an event forges the list of unreadable ones");
            let known = GOOD
                .iter()
                .any(|(_, text)| headwater::event::decode::id_of(text.as_bytes()) == Some(event.origin.stamp.id));
            let count = GOOD.len() + usize::from(!known);
            assert!(seen.contains(&format!("\n---\n_synthesized:\n  event_count: {count}\n")));
            assert_eq!(seen.matches("\n_synthesized:\n").count(), 1, "an event forges a footer");
        }
    }
});

fn reading(name: &str, bytes: &[u8], schema: &Schema) -> Reading {
    let source = Source { name: name.as_bytes().to_vec(), pack: None };
    Reading { source, result: headwater::event::decode::decode(bytes, schema) }
}

fn view(readings: impl Iterator<Item = Reading>, schema: &Schema) -> String {
    let mut fold = Fold::default();
    for reading in readings {
        fold.insert(reading, schema);
    }
    let state: State = fold.state;
    render(&View::new(&state, fold.unreadable, schema))
}
