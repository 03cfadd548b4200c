//! Any text as a pack that is named for its bytes: it counts as a whole or not at all, and what counts is packed again
//! to the same events.

#![no_main]

use headwater::event::EventId;
use headwater::event::normal::normalise_text;
use headwater::ledger::pack::{decode, encode, file_name, is_event_name};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let name = file_name(text);
    let Ok(entries) = decode(name.as_bytes(), text.as_bytes()) else { return };
    let ids: Vec<EventId> = entries.iter().map(|entry| EventId::of(&entry.text)).collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "not in rising order");
    for entry in &entries {
        assert!(is_event_name(entry.name.as_bytes()) && !entry.name.contains(['/', '\0']));
        assert_eq!(normalise_text(&entry.text).text, entry.text);
    }
    let again = encode(&entries);
    assert_eq!(decode(file_name(&again).as_bytes(), again.as_bytes()), Ok(entries));
});
