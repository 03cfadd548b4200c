//! The reader that decides: a tree built from `saphyr-parser`'s events, plain YAML only.

use super::node::{Document, Entry, Node, Value};
use super::{MAX_DEPTH, Place};
use crate::event::fault::{Code, Fault, clamp};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Reads a document; stops at the first fault and keeps what stands before it.
///
/// The scanner looks ahead of the parser: it can stumble before the parser has told of a fault that
/// stands earlier. So a text that does not parse is read once more, up to where it broke.
pub(super) fn read(text: &str, first_line: u32) -> Document<'_> {
    let document = read_once(text, first_line);
    let broken = document.fault.as_ref().filter(|fault| matches!(fault.code, Code::BadYaml | Code::TooDeep));
    let Some(end) = broken.and_then(|fault| offset_of(text, fault.place, first_line)) else { return document };
    let before = read_once(text.get(..end).unwrap_or_default(), first_line);
    match &before.fault {
        Some(fault) if fault.code != Code::BadYaml => before,
        _ => document,
    }
}

/// The byte at which a place of the text stands.
fn offset_of(text: &str, place: Place, first_line: u32) -> Option<usize> {
    let lines = usize::try_from(place.line.checked_sub(first_line)?).ok()?;
    let start: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
    let column = usize::try_from(place.column.checked_sub(1)?).ok()?;
    let within: usize = text.get(start..)?.chars().take(column).map(char::len_utf8).sum();
    Some(start + within)
}

fn read_once(text: &str, first_line: u32) -> Document<'_> {
    if let Some(line) = leading_directive(text) {
        let fault = Fault::new(Code::NotPlain, Place::new(first_line + line, 1), "a directive");
        return Document { root: Node::ABSENT, fault: Some(fault) };
    }
    let mut builder = Builder::new(text, first_line);
    let mut parser = Parser::new_from_str(text);
    let mut fault = None;
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((event, span)) => {
                let place = builder.place(span.start);
                builder.step(event, place)
            }
            Err(error) => Err(builder.explain(&error)),
        };
        if let Err(met) = step {
            fault = Some(met);
            break;
        }
    }
    Document { root: builder.finish(), fault }
}

/// The line (from 0) of a directive at the head of a stream: the parser reports none.
fn leading_directive(text: &str) -> Option<u32> {
    let skipped = |line: &&str| {
        let content = line.trim_start_matches([' ', '\t']);
        content.is_empty() || content.starts_with('#')
    };
    let blank = text.lines().take_while(skipped).count();
    text.lines().nth(blank).filter(|line| line.starts_with('%')).map(|_directive| clamp(blank))
}

/// A list or mapping that is still open.
enum Open<'a> {
    List(Place, Vec<Node<'a>>),
    Mapping { place: Place, entries: Vec<Entry<'a>>, key: Option<(Cow<'a, str>, Place)>, seen: Seen<'a> },
}

/// The keys of a mapping: looked through while few, then in a set.
#[derive(Default)]
struct Seen<'a>(BTreeSet<Cow<'a, str>>);

const FEW: usize = 16;

impl<'a> Seen<'a> {
    fn has(&mut self, key: &str, entries: &[Entry<'a>]) -> bool {
        if entries.len() < FEW {
            return entries.iter().any(|entry| entry.key == key);
        }
        if self.0.is_empty() {
            self.0.extend(entries.iter().map(|entry| entry.key.clone()));
        }
        !self.0.insert(Cow::Owned(key.to_owned()))
    }
}

struct Builder<'a> {
    text: &'a str,
    first_line: u32,
    open: Vec<Open<'a>>,
    root: Option<Node<'a>>,
    documents: usize,
}

impl<'a> Builder<'a> {
    const fn new(text: &'a str, first_line: u32) -> Self {
        Self { text, first_line, open: Vec::new(), root: None, documents: 0 }
    }

    fn place(&self, marker: Marker) -> Place {
        let line = clamp(marker.line().saturating_sub(1));
        Place::new(self.first_line.saturating_add(line), clamp(marker.col()).saturating_add(1))
    }

    fn step(&mut self, event: Event<'a>, place: Place) -> Result<(), Fault> {
        let not_plain = |detail: &str| Err(Fault::new(Code::NotPlain, place, detail));
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 { not_plain("a second document") } else { Ok(()) }
            }
            Event::Alias(_) => not_plain("an alias"),
            Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                not_plain("an anchor")
            }
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                not_plain("a tag")
            }
            Event::Scalar(text, style, _, None) => self.scalar(text, style, place),
            Event::SequenceStart(..) => self.open(Open::List(place, Vec::new()), place),
            Event::MappingStart(..) => {
                let mapping = Open::Mapping { place, entries: Vec::new(), key: None, seen: Seen::default() };
                self.open(mapping, place)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close();
                Ok(())
            }
        }
    }

    fn scalar(&mut self, text: Cow<'a, str>, style: ScalarStyle, place: Place) -> Result<(), Fault> {
        let plain = style == ScalarStyle::Plain;
        if let Some(Open::Mapping { key: key @ None, entries, seen, .. }) = self.open.last_mut() {
            if plain && text == "<<" {
                return Err(Fault::new(Code::NotPlain, place, "a merge key"));
            }
            if seen.has(&text, entries) {
                return Err(Fault::new(Code::DuplicateKey, place, format!("the key `{text}` stands here again")));
            }
            *key = Some((text, place));
            return Ok(());
        }
        self.add(if plain && is_absent(&text) { Node::ABSENT } else { Node { place, value: Value::Scalar(text) } });
        Ok(())
    }

    fn open(&mut self, open: Open<'a>, place: Place) -> Result<(), Fault> {
        if matches!(self.open.last(), Some(Open::Mapping { key: None, .. })) {
            return Err(Fault::new(Code::NotPlain, place, "a key that is no scalar"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault::new(Code::TooDeep, place, "the 17th level of nesting"));
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some(Open::List(place, nodes)) => self.add(Node { place, value: Value::List(nodes) }),
            Some(Open::Mapping { place, entries, .. }) => {
                self.add(Node { place, value: Value::Mapping(entries) });
            }
            None => {}
        }
    }

    fn add(&mut self, node: Node<'a>) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, nodes)) => nodes.push(node),
            Some(Open::Mapping { entries, key, .. }) => {
                if let Some((key, place)) = key.take() {
                    entries.push(Entry { key, place, node });
                }
            }
        }
    }

    /// What the parser could not read: bad YAML, or one of the things that plain YAML is without.
    fn explain(&self, error: &ScanError) -> Fault {
        let marker = *error.marker();
        let place = self.place(marker);
        let directive =
            self.text.lines().nth(marker.line().saturating_sub(1)).is_some_and(|line| line.starts_with('%'));
        let code = match error.info() {
            info if info.contains("unknown anchor") || info.contains("handle wasn't declared") => Code::NotPlain,
            info if info.contains("recursion limit") => Code::TooDeep,
            _ if directive => Code::NotPlain,
            _ => Code::BadYaml,
        };
        Fault::new(code, place, error.info())
    }

    /// The root as far as it was read: what is still open is closed.
    fn finish(mut self) -> Node<'a> {
        while !self.open.is_empty() {
            if let Some(Open::Mapping { key, entries, .. }) = self.open.last_mut()
                && let Some((key, place)) = key.take()
            {
                entries.push(Entry { key, place, node: Node::ABSENT });
            }
            self.close();
        }
        self.root.unwrap_or(Node::ABSENT)
    }
}

/// Whether a plain scalar stands for nothing.
pub(super) fn is_absent(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}
