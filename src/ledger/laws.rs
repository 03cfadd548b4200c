//! The laws of the merge, as properties of every section rule and of the whole state, and what the
//! view makes of concurrent writes.

use super::{State, View, render::render};
use crate::crdt::laws::{assert_laws, joined};
use crate::event::decode::decode;
use crate::event::schema::{Identity, Merge, Schema, Section};
use crate::event::{Code, Event, EventId, Span};
use crate::ledger::Unreadable;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn event(text: &str) -> Event {
    decode(text.as_bytes(), &schema()).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

/// The defaults, and a set by words and a map with a window.
fn schema() -> Schema {
    let mut sections = Schema::default().sections().to_vec();
    for (name, title, merge) in [("risks", "Risks", Merge::Set), ("rulings", "Rulings", Merge::Map)] {
        sections.push(Section { show: Span::parse("1h", "h").ok(), ..Section::new(name, title, merge) });
    }
    Schema::new(sections)
}

fn state(events: &[Event]) -> State {
    let mut state = State::default();
    for event in events {
        state.insert(event.clone(), &schema());
    }
    state
}

fn shown(state: &State) -> String {
    render(&View::new(state, BTreeSet::new(), &schema()))
}

/// One section of an event: every rule, few values, so that writes meet.
fn section() -> impl Strategy<Value = String> {
    prop_oneof![
        "now: [ab]",
        "goal: (a|~|'')",
        "decisions: \\{[kl]: ([ab]|~|'')\\}",
        "this_session: \\[[ab], 'a  b', [ab]\\]",
        "open_questions: [ab]",
        "resolved_questions: [ab]",
        "checkpoints: \\[\\{phase: [12], updated: 2026-01-01T0[0-2]:00:00Z\\}, [ab]\\]",
        "risks: [ab]",
        "rulings: \\{[kl]: ([ab]|~|'')\\}",
        "extra: [ab]",
    ]
}

/// An event of few instants and agents; its parents are named later.
fn draft() -> impl Strategy<Value = (u8, String, Vec<String>, Option<Vec<usize>>)> {
    let parents = prop::option::of(prop::collection::vec(0..6usize, 0..3));
    (0..4u8, "[xy]", prop::collection::vec(section(), 0..3), parents)
}

fn ledger() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(draft(), 0..7).prop_map(|drafts| {
        let mut events: Vec<Event> = Vec::new();
        for (hour, agent, mut sections, parents) in drafts {
            sections.sort();
            sections.dedup_by(|a, b| a.split(':').next() == b.split(':').next());
            let parents = parents.map_or(String::new(), |seen| {
                let ids: Vec<String> =
                    seen.iter().filter_map(|at| Some(events.get(*at)?.origin.stamp.id.to_hex())).collect();
                format!("parents: [{}]\n", ids.join(", "))
            });
            let text =
                format!("---\nts: 2026-01-01T0{hour}:00:00Z\nagent: {agent}\n{parents}---\n{}\n", sections.join("\n"));
            events.push(event(&text));
        }
        events
    })
}

proptest! {
    #[test]
    fn prop_state_join_is_commutative_associative_idempotent(a in ledger(), b in ledger(), c in ledger()) {
        assert_laws(&state(&a), &state(&b), &state(&c));
    }

    #[test]
    fn prop_the_view_depends_on_the_set_alone(events in ledger(), order in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
        let expected = shown(&state(&events));
        let mut other = events.clone();
        if !other.is_empty() {
            let turn = order.index(other.len());
            other.rotate_left(turn);
            other.reverse();
            let copy = other[cut.index(other.len())].clone();
            other.push(copy);
        }
        let (left, right) = other.split_at(if other.is_empty() { 0 } else { cut.index(other.len()) });
        prop_assert_eq!(shown(&joined(state(right), state(left))), expected);
    }

    #[test]
    fn prop_nothing_of_a_grow_only_section_is_dropped(events in ledger(), more in ledger()) {
        let lines = |text: &str| -> BTreeSet<String> {
            let part = text.split("### Checkpoints").nth(1).unwrap_or_default();
            part.lines().skip(2).take_while(|line| line.starts_with("- ")).map(ToOwned::to_owned).collect()
        };
        let before = lines(&shown(&state(&events)));
        let after = lines(&shown(&joined(state(&events), state(&more))));
        prop_assert!(before.is_subset(&after));
    }

    #[test]
    fn prop_one_bad_file_adds_one_line(events in ledger(), name in "[a-z]{1,5}\\.md") {
        let state = state(&events);
        let bad = BTreeSet::from([Unreadable { name: name.clone().into_bytes(), code: Code::BadYaml, entry: 0 }]);
        let with = render(&View::new(&state, bad, &schema()));
        let section = format!("\n### Unreadable Events\n\n- `{name}`: bad-yaml\n");
        prop_assert_eq!(with.replacen(&section, "", 1), shown(&state));
    }
}

/// Every order and every grouping into two of a few events that meet in each rule.
#[test]
fn exhaustively_every_order_and_grouping_gives_one_view() {
    let head = |hour: u8, agent: &str, body: &str| {
        event(&format!("---\nts: 2026-01-01T0{hour}:00:00Z\nagent: {agent}\nparents: []\n---\n{body}\n"))
    };
    for (first, second, third) in [
        ("now: a", "now: b", "now: a"),
        ("decisions: {k: a}", "decisions: {k: ~}", "decisions: {k: b, l: ''}"),
        ("this_session: [a, b]", "this_session: [b, ' a']", "this_session: [c, a]"),
        ("open_questions: [a]", "resolved_questions: [a]", "open_questions: [a, b]"),
        ("checkpoints: [a, a]", "checkpoints: [{phase: 1, updated: 2026-01-01T00:00:00Z}]", "checkpoints: [a]"),
        ("risks: [a]", "risks: [a, b]", "risks: [b]"),
        ("rulings: {k: a}", "rulings: {k: ~, l: a}", "rulings: {k: b}"),
        ("extra: [a]", "extra: {a: ~}", "other: [a]"),
    ] {
        let events =
            [head(1, "x", first), head(1, "y", second), head(2, "x", third), head(1, "x", second), head(3, "z", first)];
        let expected = shown(&state(&events));
        for order in permutations(events.len()) {
            let ordered: Vec<Event> = order.iter().map(|at| events[*at].clone()).collect();
            for cut in 0..=ordered.len() {
                let (left, right) = ordered.split_at(cut);
                assert_eq!(shown(&joined(state(left), state(right))), expected, "{order:?} cut at {cut}");
            }
        }
    }
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in permutations(count - 1) {
        for at in 0..count {
            let mut longer = shorter.clone();
            longer.insert(at, count - 1);
            all.push(longer);
        }
    }
    all
}

/// FAULTS 24: the merge key (ts, agent) alone would depend on the order.
#[test]
fn fault_24_the_event_id_decides_between_equal_stamps() {
    let make = |text: &str| event(&format!("---\nts: 2026-01-01T00:00:00Z\nagent: x\n---\nnow: {text}\n"));
    let (a, b) = (make("a"), make("b"));
    let winner = if a.origin.stamp.id > b.origin.stamp.id { "a" } else { "b" };
    for events in [[a.clone(), b.clone()], [b, a]] {
        assert!(shown(&state(&events)).contains(&format!("**Now:** {winner} (x, 2026-01-01)")));
    }
}

fn linked(hour: u8, agent: &str, parents: &[EventId], body: &str) -> Event {
    let ids: Vec<String> = parents.iter().map(|id| id.to_hex()[..12].to_owned()).collect();
    event(&format!(
        "---\nts: 2026-01-01T{hour:02}:00:00Z\nagent: {agent}\nparents: [{}]\n---\n{body}\n",
        ids.join(", ")
    ))
}

#[test]
fn concurrent_writes_are_shown_until_somebody_has_seen_them() {
    let root = linked(0, "root", &[], "decisions: {k: old}");
    let id = |event: &Event| event.origin.stamp.id;
    let left = linked(1, "left", &[id(&root)], "decisions: {k: l}");
    let right = linked(2, "right", &[id(&root)], "decisions: {k: r}");
    let gone = linked(3, "gone", &[id(&root)], "decisions: {k: ~}");
    let view = shown(&state(&[root.clone(), left.clone(), right.clone()]));
    assert!(view.contains("- **k:** r (right, 2026-01-01)\n  - contested: l (left, 2026-01-01)\n"), "{view}");
    assert!(!view.contains("old"));
    let view = shown(&state(&[root.clone(), left.clone(), right.clone(), gone.clone()]));
    assert!(view.contains("- **k:** (removed) (gone, 2026-01-01)\n  - contested: r (right, 2026-01-01)\n  - contested: l (left, 2026-01-01)\n"), "{view}");
    // Seen through an event that writes something else.
    let relay = linked(4, "relay", &[id(&left), id(&right), id(&gone)], "now: x");
    let merged = linked(5, "merge", &[id(&relay)], "decisions: {k: ''}");
    let view = shown(&state(&[root, left, right, gone, relay, merged]));
    assert!(view.contains("- **k** (merge, 2026-01-01)\n\n"), "{view}");
}

#[test]
fn events_without_parents_are_never_contested() {
    let old = event("---\nts: 2026-01-01T00:00:00Z\nagent: a\n---\nnow: a\n");
    let new = linked(1, "b", &[], "now: b");
    let later = event("---\nts: 2026-01-01T02:00:00Z\nagent: c\n---\nnow: c\n");
    assert!(!shown(&state(&[old.clone(), new.clone()])).contains("also"));
    assert!(!shown(&state(&[old, new, later])).contains("also"));
}

#[test]
fn many_contested_keys_need_more_than_one_walk() {
    let root = linked(0, "root", &[], "now: x");
    let body =
        |value: &str| (0..600).fold("decisions:\n".to_owned(), |text, key| text + &format!("  k{key}: {value}\n"));
    let left = linked(1, "l", &[root.origin.stamp.id], &body("l"));
    let right = linked(2, "r", &[root.origin.stamp.id], &body("r"));
    let events = [root, left, right];
    assert_eq!(shown(&state(&events)).matches("contested: l (l, 2026-01-01)").count(), 600);
    let heads: Vec<EventId> = state(&events).heads().iter().map(|origin| origin.stamp.id).collect();
    assert_eq!(heads, [events[1].origin.stamp.id, events[2].origin.stamp.id]);
    let merge = linked(3, "m", &heads, "now: y");
    let done = state(&[events.as_slice(), std::slice::from_ref(&merge)].concat());
    assert_eq!(done.heads().len(), 1);
    // Seen, but not written over: still contested.
    assert_eq!(shown(&done).matches("contested: l (l, 2026-01-01)").count(), 600);
    let over = linked(4, "o", &[merge.origin.stamp.id], &body("r"));
    let done = joined(done, state(&[over]));
    assert_eq!(shown(&done).matches("contested").count(), 0);
}

/// No writer can make a cycle (an id is a hash of its parents), but a state can be handed one.
#[test]
fn cycles_do_no_harm() {
    let with_parents = |mut event: Event, parents: &[EventId]| {
        let mut origin = event.origin.as_ref().clone();
        origin.parents = Some(parents.iter().map(|id| (*id).into()).collect());
        event.origin = origin.into();
        event
    };
    let (a, b, c) = (linked(0, "a", &[], "now: a"), linked(1, "b", &[], "now: b"), linked(2, "c", &[], "now: c"));
    let (ia, ib) = (a.origin.stamp.id, b.origin.stamp.id);
    let own = with_parents(a.clone(), &[ia]);
    assert!(
        shown(&state(&[own, c.clone()])).contains("- also: a (a, 2026-01-01)"),
        "its own ancestor is no other write"
    );
    let events = [with_parents(a, &[ib]), with_parents(b, &[ia]), c];
    assert!(!shown(&state(&events)).contains("also"), "each descends from the other");
}

#[test]
fn a_window_counts_from_the_newest_event() {
    let make = |hour: u8, text: &str| event(&format!("---\nts: 2026-01-01T0{hour}:00:00Z\nagent: x\n---\n{text}\n"));
    let events = [make(0, "risks: [a, b]"), make(1, "risks: [c]"), make(2, "risks: [b]")];
    let view = shown(&state(&events));
    assert!(view.contains("### Risks\n\n- … 1 earlier\n- b (x, 2026-01-01)\n- c (x, 2026-01-01)\n"), "{view}");
}

#[test]
fn a_map_shows_the_keys_whose_winners_are_not_older_than_its_window() {
    let root = linked(0, "root", &[], "rulings: {old: a, gone: a, back: a, contested: a, edge: a}");
    let id = root.origin.stamp.id;
    let left = linked(1, "left", &[id], "rulings: {contested: l, gone: ~, edge: b}");
    let right = linked(1, "right", &[id], "rulings: {contested: r}");
    let new = linked(2, "new", &[id], "rulings: {back: b}");
    let view = shown(&state(&[root.clone(), left.clone(), right.clone(), new.clone()]));
    let rows = "- … 1 earlier\n- **back:** b (new, 2026-01-01)\n- **contested:** r (right, 2026-01-01)\n  - contested: l (left, 2026-01-01)\n- **edge:** b (left, 2026-01-01)\n";
    assert!(view.contains(&format!("### Rulings\n\n{rows}\n")), "{view}");
    // What is left out counts, with its contested writes; what is removed does not.
    let later = linked(23, "later", &[], "now: x");
    let view = shown(&state(&[root, left, right, new, later]));
    assert!(view.contains("### Rulings\n\n- … 4 earlier\n\n---\n"), "{view}");
}

#[test]
fn an_item_that_one_event_opens_and_closes_stands_closed() {
    let view = shown(&state(&[linked(0, "x", &[], "open_questions: [q]\nresolved_questions: [q]")]));
    assert!(!view.contains("Open Questions"), "{view}");
}

#[test]
fn at_one_instant_the_agent_decides_what_is_closed() {
    let close = linked(0, "m", &[], "resolved_questions: [q]");
    let open = |agent: &str| shown(&state(&[close.clone(), linked(0, agent, &[], "open_questions: [q]")]));
    assert!(!open("l").contains("- q"));
    assert!(open("n").contains("- q (n, 2026-01-01)"));
}

#[test]
fn a_contested_empty_value_and_what_looks_like_one() {
    let value = |agent: &str, hour: u8, value: &str| linked(hour, agent, &[], &format!("decisions: {{k: {value}}}"));
    let all = [value("a", 0, "''"), value("b", 1, "~"), value("c", 2, "(empty)"), value("d", 3, "(removed)")];
    let rows = r"- **k:** \(removed) (d, 2026-01-01)
  - contested: \(empty) (c, 2026-01-01)
  - contested: (removed) (b, 2026-01-01)
  - contested: (empty) (a, 2026-01-01)
";
    let view = shown(&state(&all));
    assert!(view.contains(rows), "{view}");
}

#[test]
fn every_row_of_a_long_section_is_shown() {
    let lines = |mark: &str| (0..9_000).fold(String::new(), |text, row| text + &format!("{mark}{row:04}\n"));
    let bodies = [
        format!("this_session:\n{}", lines("- s")),
        format!("extra:\n{}", lines("- e")),
        format!("checkpoints:\n{}", lines("- c")),
        format!("decisions:\n{}", lines("  m: d").replace("m: d", "m").replace('\n', ": d\n")),
    ];
    let events: Vec<Event> = bodies.iter().map(|body| linked(0, "x", &[], body)).collect();
    let view = shown(&state(&events));
    for (count, row) in
        [("  - s", "  - s8999\n"), ("- e", "- e8999 (x"), ("Z c", "Z c8999 (x"), ("- **m", "- **m8999:** d (x")]
    {
        assert_eq!((view.matches(count).count(), view.contains(row)), (9_000, true), "{row}");
    }
}

#[test]
fn a_grouped_set_names_day_agent_and_branch_once_for_each_run() {
    let done = |stamp: &str, who: &str, items: &str| {
        event(&format!("---\nts: {stamp}Z\n{who}\n---\nthis_session: [{items}]\n"))
    };
    let events = [
        done("2026-01-01T10:00:00", "agent: a\nbranch: b", "one, two"),
        done("2026-01-01T11:00:00", "agent: a\nstream: ' b '", "three, one"),
        done("2026-01-01T12:00:00", "agent: a", "four"),
        done("2026-01-01T13:00:00", "agent: '*x* `y'\nbranch: '# z'", "'- five'"),
        done("2026-01-01T14:00:00", "agent: a\nbranch: b", "six"),
        done("2026-01-02T00:00:00", "agent: a\nbranch: b", "seven"),
    ];
    let expected = r"### This Session

- **2026-01-01 a** on b
  - one
  - two
  - three
- **2026-01-01 a**
  - four
- **2026-01-01 \*x\* \`y** on \# z
  - \- five
- **2026-01-01 a** on b
  - six
- **2026-01-02 a** on b
  - seven

---
";
    let view = shown(&state(&events));
    assert!(view.contains(expected), "{view}");
}

#[test]
fn an_undeclared_title_is_told_from_a_declared_one() {
    let body = "\"Goal\": [a]\nopen-questions: [a]\nunreadable_events: [a]\n\"# x #\": [a]\n\"1. x\": [a]\nnext: [a]";
    let view = shown(&state(&[linked(0, "x", &[], body)]));
    let titles: Vec<&str> = view.lines().filter(|line| line.starts_with("###")).collect();
    let expected = [
        r"### \# X \#",
        r"### 1\. X",
        "### Goal (undeclared)",
        "### Next",
        "### Open Questions (undeclared)",
        "### Unreadable Events (undeclared)",
    ];
    assert_eq!(titles, expected);
}

#[test]
fn rows_that_cannot_be_read_stand_by_their_names_then_their_codes() {
    let row = |name: &str, code: Code, entry: usize| Unreadable { name: name.into(), code, entry };
    let rows = BTreeSet::from([
        row("b`.md", Code::TooDeep, 0),
        row("b`.md", Code::BadYaml, 3),
        row("b`.md", Code::BadYaml, 4),
        row("archive/2026-01-01/pack-0123456789abcdef.yaml", Code::BadPack, 0),
        row("a\u{200b}.md", Code::NotAFile, 0),
        row("a.md", Code::NotAFile, 0),
    ]);
    let view = render(&View::new(&State::default(), rows, &schema()));
    let expected = r"### Unreadable Events

- `a.md`: not-a-file
- `archive/2026-01-01/pack-0123456789abcdef.yaml`: bad-pack
- `a\u{200b}.md`: not-a-file
- `b\u{60}.md`: bad-yaml
- `b\u{60}.md`: bad-yaml
- `b\u{60}.md`: too-deep

---
";
    assert!(view.contains(expected), "{view}");
}

#[test]
fn identity_by_words_or_exactly() {
    assert_eq!(super::rule::identify("a  b".to_owned(), Identity::Words), "a b");
    assert_eq!(super::rule::identify("a  b".to_owned(), Identity::Exact), "a  b");
}

#[test]
fn an_empty_ledger_has_a_view() {
    let expected = "<!-- generated by headwater from events/: do not edit; add an event and run headwater -->\n## Ledger\n\n---\n_synthesized:\n  event_count: 0\n  latest_ts: null\n  generated_at: null\n  events_sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n\n---\n";
    assert_eq!(shown(&State::default()), expected);
}
