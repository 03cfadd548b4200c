//! What a post says.

use crate::event::text::is_empty;
use crate::event::{EventId, IdPrefix, Span, Stamp};

/// What is dated further ahead of an instant than this is not believed then.
pub const FAR_AHEAD: Span = Span::hours(24);

/// What a post does to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Files an item: somebody is to claim it.
    Actionable,
    /// Takes an item.
    Claim,
    /// Says that a claimed item is done.
    Done,
    /// Says something, and changes nothing.
    Note,
    /// Gives a claim up: the item waits again.
    Release,
    /// Puts an item back to waiting, whatever it is; or says that a post which is about no item is void.
    Repair,
    /// Says that a provisional number was looked at again and is nobody else's.
    Confirm,
    /// Gives an item another id; the old one leads to it.
    Amend,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Actionable,
        Self::Claim,
        Self::Done,
        Self::Note,
        Self::Release,
        Self::Repair,
        Self::Confirm,
        Self::Amend,
    ];

    /// The word of the command line and of `post-kind`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Actionable => "actionable",
            Self::Claim => "claim",
            Self::Done => "done",
            Self::Note => "note",
            Self::Release => "release",
            Self::Repair => "repair",
            Self::Confirm => "confirm",
            Self::Amend => "amend",
        }
    }

    /// The mark that a reader of the post sees.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Actionable => "AWAITING_CLAIM",
            Self::Claim => "CLAIMED",
            Self::Done => "DONE",
            Self::Note => "NOTE",
            Self::Release => "RELEASED",
            Self::Repair => "STATE-REPAIR",
            Self::Confirm => "CONFIRMED",
            Self::Amend => "AMENDMENT",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// What a post says, without who said it and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Says {
    /// What it does.
    pub kind: Kind,
    /// The item; a note may have none, and a repair that says that a post is void has none.
    pub item: Option<String>,
    /// What it is about: one line, not empty.
    pub subject: String,
    /// The rest, without white space at its ends.
    pub text: String,
    /// For an amendment: the new id.
    pub to: Option<String>,
    /// The actionable post that is meant, where several have the same item; of a repair without an item, the post
    /// that is void.
    pub of: Option<EventId>,
    /// For an actionable post of an item that exists: the release or repair that allows it.
    pub proof: Option<EventId>,
    /// A durable key: posts of the same item and key are one.
    pub key: Option<String>,
    /// The nonce of the reservation that the number comes from.
    pub reserved: Option<String>,
    /// Whether the number was taken without a log: `CONFIRM-PENDING`.
    pub provisional: bool,
}

impl Says {
    /// A post of this kind about this item, with nothing else.
    #[must_use]
    pub fn new(kind: Kind, item: Option<&str>, subject: &str) -> Self {
        Self {
            kind,
            item: item.map(str::to_owned),
            subject: subject.to_owned(),
            text: String::new(),
            to: None,
            of: None,
            proof: None,
            key: None,
            reserved: None,
            provisional: false,
        }
    }

    /// The post that this one says is void.
    #[must_use]
    pub fn voids(&self) -> Option<EventId> {
        self.of.filter(|_| self.kind == Kind::Repair && self.item.is_none())
    }

    /// What is wrong with it, in words, if anything is.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let no_item = |item: &&String| !is_item(item);
        if is_empty(&self.subject) {
            Some("it has no subject".to_owned())
        } else if let Some(item) = self.item.iter().chain(&self.to).find(no_item) {
            Some(format!("`{}` is no id: letters, digits, `-`, `_`, `.` and `#`, with a digit", item.escape_debug()))
        } else if self.item.is_none() && self.kind != Kind::Note && self.voids().is_none() {
            Some(format!("a post of kind `{}` names no item", self.kind.word()))
        } else if (self.kind == Kind::Amend) != self.to.is_some() {
            Some("an amendment, and nothing else, names a new id".to_owned())
        } else {
            None
        }
    }
}

/// A post: an event, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Who wrote it and when; the seat is the stamp's agent.
    pub stamp: Stamp,
    /// On which branch.
    pub branch: Option<String>,
    /// The newest posts that the writer had seen; `None` where that is not said.
    pub parents: Option<Vec<IdPrefix>>,
    /// What it says.
    pub says: Says,
}

impl Post {
    /// Whether a post of the same kind about the same item says nothing else.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        let (a, b) = (&self.says, &other.says);
        let key = |item: &Option<String>| item.as_deref().map(item_key);
        let words = (&a.kind, &a.key, &a.subject, &a.text) == (&b.kind, &b.key, &b.subject, &b.text);
        words && self.stamp.agent == other.stamp.agent && key(&a.item) == key(&b.item) && key(&a.to) == key(&b.to)
    }
}

/// Whether a text can be an item's id: one word of at most 64, with a digit in it.
#[must_use]
pub fn is_item(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '#');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '#');
    starts && text.len() <= 64 && text.chars().all(plain) && text.contains(|c: char| c.is_ascii_digit())
}

/// The namespace that an id speaks of by its form: what stands before its first digit.
#[must_use]
pub fn prefix(item: &str) -> String {
    let end = item.find(|c: char| c.is_ascii_digit()).unwrap_or(item.len());
    item.get(..end).unwrap_or_default().trim_end_matches(['-', '_', '.', '#']).to_ascii_uppercase()
}

/// What makes two ids one: neither case nor zeros before the last number count (`cmb-105`, `CMB-0105`).
#[must_use]
pub fn item_key(item: &str) -> String {
    let upper = item.to_ascii_uppercase();
    let end = upper.rfind(|c: char| c.is_ascii_digit()).map_or(upper.len(), |last| last + 1);
    let (head, tail) = upper.split_at_checked(end).unwrap_or((&upper, ""));
    let start = head.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |last| last + 1);
    let (before, digits) = head.split_at_checked(start).unwrap_or((head, ""));
    format!("{before}{}{tail}", digits.trim_start_matches('0'))
}

/// A text with one id for another, where it stands as a word of its own.
#[must_use]
pub(super) fn renamed(text: &str, old: &str, new: &str) -> String {
    let of_id = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '#');
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(old).filter(|_| !old.is_empty()) {
        out.push_str(before);
        let is_word = !out.ends_with(of_id) && !after.starts_with(of_id);
        out.push_str(if is_word { new } else { old });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::{is_item, item_key, prefix, renamed};

    #[test]
    fn ids_are_renamed_as_words() {
        for (text, now) in [
            ("CMB-1: cards of CMB-1.", "CMB-2: cards of CMB-2."),
            ("CMB-10, XCMB-1, CMB-1-a, CMB-1CMB-1", "CMB-10, XCMB-1, CMB-1-a, CMB-1CMB-1"),
            ("(CMB-1)", "(CMB-2)"),
            ("", ""),
        ] {
            assert_eq!(renamed(text, "CMB-1", "CMB-2"), now);
        }
    }

    #[test]
    fn ids_and_what_they_speak_of() {
        for (item, namespace, key) in [
            ("CMB-0105", "CMB", "CMB-105"),
            ("cmb-105", "CMB", "CMB-105"),
            ("FLT-2026041601", "FLT", "FLT-2026041601"),
            ("ORA-2026-0011", "ORA", "ORA-2026-11"),
            ("UX-3a", "UX", "UX-3A"),
            ("#97", "", "#97"),
            ("A-0", "A", "A-"),
        ] {
            assert_eq!(
                (prefix(item).as_str(), item_key(item).as_str(), is_item(item)),
                (namespace, key, true),
                "{item}"
            );
        }
        for text in ["", "CMB", "-1", "a b1", "a\n1", "é1"] {
            assert!(!is_item(text), "{text:?}");
        }
    }
}
