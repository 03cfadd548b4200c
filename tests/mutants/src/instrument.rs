//! Puts all chosen changes into one copy of a file, each behind the number that switches it on.

use crate::candidates::{Candidate, Form};
use std::ops::Range;

/// A chosen change with its number.
#[derive(Debug, Clone)]
pub struct Numbered {
    /// The number, from 1.
    pub number: usize,
    /// The change.
    pub candidate: Candidate,
}

/// A file with its changes, and where each of them is in the new text.
#[derive(Debug)]
pub struct Instrumented {
    /// The new text.
    pub text: String,
    /// The number of a change and the bytes of the new text that belong to it.
    pub places: Vec<(usize, Range<usize>)>,
}

/// Writes the file again with all changes in it.
pub fn apply(source: &str, chosen: &[Numbered]) -> Instrumented {
    let mut all: Vec<&Numbered> = chosen.iter().collect();
    // The outer one first; of equal ranges any order nests.
    all.sort_by_key(|one| (one.candidate.range.start, usize::MAX - one.candidate.range.end, one.number));
    let mut out = Instrumented { text: String::new(), places: Vec::new() };
    write(source, 0..source.len(), &all, &mut out);
    out
}

/// Writes a range; `inside` are the changes in it, outer ones first.
fn write(source: &str, range: Range<usize>, inside: &[&Numbered], out: &mut Instrumented) {
    let mut at = range.start;
    let mut rest = inside;
    while let Some((first, others)) = rest.split_first() {
        let own = first.candidate.range.clone();
        let nested = others.iter().take_while(|other| other.candidate.range.start < own.end).count();
        // What starts inside also ends inside: both are nodes of one tree.
        let (nested, others) = others.split_at(nested);
        out.text.push_str(&source[at..own.start]);
        let from = out.text.len();
        let number = first.number;
        match first.candidate.form {
            Form::Expression => {
                let text = &first.candidate.text;
                out.text.push_str(&format!("(if crate::mutant::is_on({number}) {{ {text} }} else {{ "));
                write(source, own.clone(), nested, out);
                out.text.push_str(" })");
            }
            Form::Statement => {
                out.text.push_str(&format!("if !crate::mutant::is_on({number}) {{ "));
                write(source, own.clone(), nested, out);
                out.text.push_str(" }");
            }
            Form::Entry => {
                out.text.push_str(&format!(" if crate::mutant::is_on({number}) {{ {} }}", first.candidate.text));
            }
        }
        out.places.push((number, from..out.text.len()));
        at = own.end;
        rest = others;
    }
    out.text.push_str(&source[at..range.end]);
}
