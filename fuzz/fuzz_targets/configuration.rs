//! Any text as `.headwater.yaml`: it is read or refused with a place, and never panics.

#![no_main]

use headwater::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match (Config::parse(text), Config::parse(text)) {
        (Ok(one), Ok(other)) => assert_eq!(one, other),
        (Err(one), Err(other)) => {
            assert!(one.place.line >= 1 && one.place.column >= 1, "{one}");
            assert_eq!(one.to_string(), other.to_string());
        }
        (one, other) => panic!("read once and refused once: {one:?} {other:?}"),
    }
});
