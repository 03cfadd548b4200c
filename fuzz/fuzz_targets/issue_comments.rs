//! Any text as the body of an issue's comment: its block is found, read and described without a panic, and replayed
//! with others.

#![no_main]

use headwater::ids::github::block::{Found, describe, find, near_miss, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _near = near_miss(text);
    let Some(block) = find(text) else { return };
    let found = Found { author: "octocat".to_owned(), at: "2026-01-10T13:00:00Z".to_owned(), text: block };
    let shown = describe(&found, 1);
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert_eq!(read(&found, 1).is_ok(), read(&found, 1).is_ok());
});
