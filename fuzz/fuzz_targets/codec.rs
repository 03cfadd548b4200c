//! Any bytes: reading them never panics, and what is read does not depend on how the file was saved.

#![no_main]

use headwater::event::decode::{decode, decode_text, id_of};
use headwater::event::encode::{Draft, entry};
use headwater::event::normal::{normalise, normalise_text};
use headwater::event::schema::Schema;
use headwater::event::yaml::{self, Node, Value, cut_by_comments};
use headwater::event::{Event, Place};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let schema = Schema::default();
    let decoded = decode(bytes, &schema);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _places = cut_by_comments(text);
        let document = yaml::read(text, 1);
        if document.fault.is_none() {
            written_is_read_back(&document.root);
        }
    }
    let Ok(normalised) = normalise(bytes) else {
        assert!(decoded.is_err() && id_of(bytes).is_none());
        return;
    };
    assert_eq!(id_of(bytes), Some(normalised.id()));
    let text = normalised.text.as_ref();
    assert!(text.ends_with('\n') && !text.contains('\r'));
    if text.starts_with('\u{feff}') {
        // Only one BOM is dropped, and only from the very start; what is left of others is no event.
        assert!(decoded.is_err());
        return;
    }
    assert_eq!(normalise_text(text).text, text, "normalisation is not idempotent");
    match &decoded {
        Ok(event) => {
            assert_eq!(event.origin.stamp.id, normalised.id());
            same(event, &decode(text.as_bytes(), &schema));
            same(event, &decode_text(&normalised, &schema));
            let saved_elsewhere = format!("\u{feff}{}", text.replace('\n', "\r\n"));
            if saved_elsewhere.len() <= headwater::event::normal::MAX_BYTES {
                same(event, &decode(saved_elsewhere.as_bytes(), &schema));
            }
        }
        Err(fault) => {
            assert!(fault.place.line >= 1 && fault.place.column >= 1);
            let again = decode(text.as_bytes(), &schema).map_err(|fault| fault.code);
            assert_eq!(again, Err(fault.code), "the normalised text has another fault");
        }
    }
});

fn same(event: &Event, other: &Result<Event, headwater::event::Fault>) {
    let Ok(other) = other else { panic!("an event is no longer readable: {other:?}") };
    assert_eq!(event.origin.stamp, other.origin.stamp);
    assert_eq!(event.origin.meta, other.origin.meta);
    assert_eq!(event.origin.parents, other.origin.parents);
    assert_eq!(event.writes, other.writes);
}

/// The writer is the inverse of the reader, for whatever tree the reader can make.
fn written_is_read_back(root: &Node<'_>) {
    let draft = Draft {
        ts: headwater::event::Timestamp::parse("2026-01-10T13:03:52Z").expect("a ts"),
        agent: "fuzz".to_owned(),
        branch: None,
        kind: "note".to_owned(),
        reason: None,
        parents: None,
        body: vec![entry("extra", root.clone())],
    };
    let text = draft.encode();
    let body = text.split_once("---\n\n").expect("a body").1;
    let read = yaml::read(body, 1);
    // The key adds one level; a tree of the greatest depth is too deep then.
    if let Some(fault) = read.fault {
        assert_eq!(fault.code, headwater::event::Code::TooDeep, "{body}");
        return;
    }
    let back = read.root.get("extra").expect("the key");
    assert_eq!(without_places(back), without_places(root), "{body}");
}

fn without_places(node: &Node<'_>) -> Node<'static> {
    let value = match &node.value {
        Value::Absent => Value::Absent,
        Value::Scalar(text) => Value::Scalar(text.clone().into_owned().into()),
        Value::List(nodes) => Value::List(nodes.iter().map(without_places).collect()),
        Value::Mapping(entries) => Value::Mapping(
            entries.iter().map(|old| entry(old.key.clone().into_owned(), without_places(&old.node))).collect(),
        ),
    };
    Node { place: Place::START, value }
}
