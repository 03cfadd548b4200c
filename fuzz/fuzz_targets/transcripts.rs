//! Any bytes as an agent's transcript: reading is best effort, and never panics.

#![no_main]

use headwater::session::transcript;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for since in [0, i128::MAX] {
        let _read = transcript::read(bytes, since);
    }
});
