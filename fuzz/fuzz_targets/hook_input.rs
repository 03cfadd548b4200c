//! Any bytes as the standard input of an agent's hook: it is understood or noted, and never panics.

#![no_main]

use headwater::session::contract::Hook;
use headwater::session::input;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for hook in [Hook::SessionStart, Hook::SessionEnd, Hook::PreCompact, Hook::Stop] {
        let _read = input::read(bytes, hook, None);
    }
});
