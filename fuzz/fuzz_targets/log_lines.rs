//! Any text as the lines of an ID log: an entry that is read is written back the same, and any set of entries is
//! replayed without a panic.

#![no_main]

use headwater::ids::contract::Anchor;
use headwater::ids::fold::Book;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let anchors: Vec<Anchor> = text.lines().filter_map(|line| Anchor::read(line).ok()).collect();
    for anchor in &anchors {
        assert_eq!(Anchor::read(&anchor.line()).as_ref(), Ok(anchor));
    }
    let book = Book::fold(anchors.iter().cloned());
    for id in anchors.iter().flat_map(|anchor| &anchor.ids) {
        let _claims = (book.claim(id), book.resolve(id), book.aliases(id), book.chain_of(id));
    }
});
