//! The fast reader: block mappings and lists of one-line scalars, and nothing else.
//!
//! It knows a small part of YAML for certain and returns `None` at the first thing outside it:
//! comments, block scalars, flow collections, escapes, text over several lines, odd indentation,
//! keys twice. Whatever it returns, the reader in [`super::events`] returns too.

use super::events::is_absent;
use super::node::{Entry, Node, Value};
use crate::event::fault::{Place, clamp};
use crate::event::text::{any_byte, any_pair};
use std::borrow::Cow;

/// Deeper documents, larger mappings and longer keys are left to the other reader.
const MAX_NESTING: usize = 8;
const MAX_KEYS: usize = 48;
const MAX_KEY_BYTES: usize = 128;

pub(super) fn read(text: &str, first_line: u32) -> Option<Node<'_>> {
    if has_special_characters(text) {
        return None;
    }
    let mut reader = Reader { lines: text.lines(), next: None, line: first_line.checked_sub(1)? };
    reader.advance();
    if reader.next.is_none() {
        return Some(Node::ABSENT);
    }
    let root = reader.mapping(0, 0)?;
    reader.next.is_none().then_some(root)
}

/// Tabs, controls and byte order marks have rules of their own.
fn has_special_characters(text: &str) -> bool {
    any_byte(text, |byte| (byte < b' ' && byte != b'\n') || byte == 127)
        || (!text.is_ascii()
            && text.chars().any(|c| matches!(c, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}')))
}

/// A line that is not blank.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    indent: usize,
    number: u32,
}

impl Line<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let column = if before.is_ascii() { before.len() } else { before.chars().count() };
        Place::new(self.number, clamp(column) + 1)
    }
}

struct Reader<'a> {
    lines: std::str::Lines<'a>,
    next: Option<Line<'a>>,
    line: u32,
}

impl<'a> Reader<'a> {
    fn advance(&mut self) {
        self.next = loop {
            let Some(text) = self.lines.next() else {
                break None;
            };
            self.line += 1;
            let text = text.trim_end_matches(' ');
            if !text.is_empty() {
                let indent = text.len() - text.trim_start_matches(' ').len();
                break Some(Line { text, indent, number: self.line });
            }
        };
    }

    /// A block mapping whose first key stands at `indent` of the line that comes next.
    fn mapping(&mut self, indent: usize, depth: usize) -> Option<Node<'a>> {
        let line = self.next?;
        let place = line.place(indent);
        let mut entries = Vec::new();
        self.entry(line, indent, depth, &mut entries)?;
        while let Some(line) = self.next.filter(|line| line.indent >= indent) {
            if line.indent > indent || is_item(line.text.get(indent..)?) {
                return None;
            }
            self.entry(line, indent, depth, &mut entries)?;
        }
        Some(Node { place, value: Value::Mapping(entries) })
    }

    /// One `key: value` at `indent` of `line`, and what is nested below it.
    fn entry(&mut self, line: Line<'a>, indent: usize, depth: usize, entries: &mut Vec<Entry<'a>>) -> Option<()> {
        let (key, after) = split_key(line.text.get(indent..)?)?;
        if depth >= MAX_NESTING || entries.len() >= MAX_KEYS || entries.iter().any(|entry| entry.key == key) {
            return None;
        }
        let place = line.place(indent);
        self.advance();
        let node = if after.is_empty() {
            match self.next {
                Some(below) if below.indent >= indent && is_item(below.text.get(below.indent..)?) => {
                    let list = self.list(below.indent, depth + 1)?;
                    // A list whose dashes stand under its key begins, for the parser, at its first item.
                    let column = if below.indent == indent { below.indent + 2 } else { below.indent };
                    Node { place: below.place(column), ..list }
                }
                Some(below) if below.indent > indent => self.mapping(below.indent, depth + 1)?,
                _ => Node::ABSENT,
            }
        } else {
            let value = after.trim_start_matches(' ');
            self.scalar(line, line.text.len() - value.len(), value, indent)?
        };
        entries.push(Entry { key: Cow::Borrowed(key), place, node });
        Some(())
    }

    /// A block list whose dashes stand at `indent`.
    fn list(&mut self, indent: usize, depth: usize) -> Option<Node<'a>> {
        let place = self.next?.place(indent);
        let mut nodes = Vec::new();
        while let Some(line) = self.next.filter(|line| line.indent >= indent) {
            let rest = line.text.get(indent..)?;
            if line.indent > indent || depth >= MAX_NESTING {
                return None;
            }
            if !is_item(rest) {
                break;
            }
            let item = rest.get(2..)?;
            if split_key(item).is_some() {
                nodes.push(self.mapping(indent + 2, depth + 1)?);
            } else {
                self.advance();
                nodes.push(self.scalar(line, indent + 2, item, indent)?);
            }
        }
        Some(Node { place, value: Value::List(nodes) })
    }

    /// A scalar on one line, inside a collection at `indent`; what follows may not continue it.
    fn scalar(&self, line: Line<'a>, offset: usize, text: &'a str, indent: usize) -> Option<Node<'a>> {
        if self.next.is_some_and(|next| next.indent > indent) {
            return None;
        }
        let value = match text.as_bytes() {
            b"[]" => Value::List(Vec::new()),
            b"{}" => Value::Mapping(Vec::new()),
            b"~" => return Some(Node::ABSENT),
            [b'"', inner @ .., b'"'] if !inner.iter().any(|byte| matches!(byte, b'"' | b'\\')) => {
                Value::Scalar(Cow::Borrowed(text.get(1..text.len() - 1)?))
            }
            [b'\'', inner @ .., b'\''] if !inner.contains(&b'\'') => {
                Value::Scalar(Cow::Borrowed(text.get(1..text.len() - 1)?))
            }
            _ if !is_plain(text) => return None,
            _ if is_absent(text) => return Some(Node::ABSENT),
            _ => Value::Scalar(Cow::Borrowed(text)),
        };
        Some(Node { place: line.place(offset), value })
    }
}

/// Whether a line is an item with something in it; a lone dash is left to the other reader.
fn is_item(text: &str) -> bool {
    text.starts_with("- ")
}

/// Splits `key: value` or `key:` with a plain key; `None` where it is not surely that.
fn split_key(text: &str) -> Option<(&str, &str)> {
    // Most items have no colon.
    if !any_byte(text, |byte| byte == b':') {
        return None;
    }
    let bytes = text.as_bytes();
    let ends = |at: usize| matches!(bytes.get(at + 1), None | Some(b' '));
    let colon = (0..).zip(bytes).find(|(at, byte)| **byte == b':' && ends(*at))?.0;
    let (key, after) = text.split_at(colon);
    let sure = key.len() <= MAX_KEY_BYTES && is_plain(key) && !key.ends_with(' ');
    sure.then(|| (key, after.get(1..).unwrap_or_default()))
}

/// Whether a text is surely a plain scalar: begins harmlessly, holds no `: ` and no ` #`.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let harmless =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'(' | b'$') || *byte >= 0x80;
    bytes.first().is_some_and(harmless)
        && bytes.last() != Some(&b':')
        && !any_pair(text, |a, b| (a == b':' && b == b' ') || (a == b' ' && b == b'#'))
}
