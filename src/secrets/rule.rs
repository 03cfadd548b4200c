//! What a rule is, and how its matches become secrets.

use super::Certainty;
use super::value::{is_example, whole};
use super::words::{entropy, is_of_words, tail};
use regex::bytes::{Captures, Regex, RegexBuilder};
use std::ops::Range;

/// What may stand before a token: nothing that could be a part of it, an escaped line end, an encoded
/// sign, or a terminal's color.
const LEFT: &str = r"(?:^|[^A-Za-z0-9]|\\[nrt]|%[0-9A-Fa-f]{2}|\x1b\[[0-9;]*m)";

/// The same for tokens that other long texts (base64, paths, names) may contain by chance.
const LEFT_APART: &str = r"(?:^|[^A-Za-z0-9_./+-]|//|\\[nrt]|%[0-9A-Fa-f]{2}|\x1b\[[0-9;]*m)";

/// The least entropy of a token, in bits for a character: below this it is a placeholder such as `ghp_xxxx`.
const LEAST_ENTROPY: f64 = 2.5;

/// A form that secrets have.
pub(super) struct Rule {
    /// Its stable name, for reports.
    pub name: &'static str,
    /// Texts of which at least one is there, in lower case; none: always looked for.
    pub keywords: &'static [&'static str],
    /// A pattern of bytes; its first group, where it has one, is the secret.
    pub pattern: &'static str,
    /// How sure a match is.
    pub certainty: Certainty,
    /// What a match must fulfil besides.
    pub form: Form,
}

/// How a match becomes a secret.
pub(super) enum Form {
    /// A token with its own boundaries: see [`token`], [`apart`] and [`exact`].
    Token { left: &'static str, may_be_words: bool },
    /// The match, unchanged.
    Whole,
    /// What a function finds at a match.
    Found(fn(&str, &Captures<'_>) -> Option<Range<usize>>),
}

/// A token with a distinctive prefix.
pub(super) const fn token(name: &'static str, keywords: &'static [&'static str], pattern: &'static str) -> Rule {
    let form = Form::Token { left: LEFT, may_be_words: false };
    Rule { name, keywords, pattern, certainty: Certainty::Certain, form }
}

/// A token whose prefix may occur within other texts by chance.
pub(super) const fn apart(name: &'static str, keywords: &'static [&'static str], pattern: &'static str) -> Rule {
    let form = Form::Token { left: LEFT_APART, may_be_words: false };
    Rule { name, keywords, pattern, certainty: Certainty::Certain, form }
}

/// A token of exact length and capitals only, which may look like a word.
pub(super) const fn exact(name: &'static str, keywords: &'static [&'static str], pattern: &'static str) -> Rule {
    let form = Form::Token { left: LEFT_APART, may_be_words: true };
    Rule { name, keywords, pattern, certainty: Certainty::Certain, form }
}

/// An address that is a secret as a whole.
pub(super) const fn url(name: &'static str, keywords: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule { name, keywords, pattern, certainty: Certainty::Certain, form: Form::Whole }
}

impl Rule {
    /// Its pattern, ready to run; `None` if it is not a pattern, which a test excludes.
    pub(super) fn compile(&self) -> Option<Regex> {
        let pattern = match self.form {
            Form::Token { left, .. } => format!("{left}(?P<all>{})", self.pattern),
            Form::Whole | Form::Found(_) => format!("(?P<all>{})", self.pattern),
        };
        RegexBuilder::new(&pattern).unicode(false).build().ok()
    }

    /// The secrets that it finds, in order.
    pub(super) fn find(&self, regex: &Regex, text: &str, found: &mut Vec<Range<usize>>) {
        let mut at = 0;
        while at <= text.len()
            && let Some(captures) = regex.captures_at(text.as_bytes(), at)
            && let Some(whole) = captures.get(0)
        {
            let secret = self.secret(text, &captures);
            at = secret.as_ref().map_or(0, |secret| secret.end).max(whole.end()).max(at + 1);
            // A sign that ends one token may begin the next one.
            if secret.as_ref().is_some_and(|secret| secret.end < whole.end()) {
                at = secret.as_ref().map_or(at, |secret| secret.end.max(whole.start() + 1));
            }
            found.extend(secret);
        }
    }

    fn secret(&self, text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
        let group = captures.get(2).or_else(|| captures.get(1))?.range();
        match self.form {
            Form::Whole => Some(group),
            Form::Found(find) => find(text, captures).map(|secret| whole(text, secret)),
            Form::Token { may_be_words, .. } => {
                // A dot at the end is a sentence's.
                let end = group.start + text.get(group.clone())?.trim_end_matches('.').len();
                let secret = group.start..tail(text, end);
                let value = text.get(secret.clone())?;
                (!is_example(value) && entropy(value) >= LEAST_ENTROPY && (may_be_words || !is_of_words(value)))
                    .then_some(secret)
            }
        }
    }
}
