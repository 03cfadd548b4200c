//! The four kinds of allocations, and how their ids are written.

use crate::config::pattern::Pattern;
use crate::config::{LogKind, Namespace};

/// A kind of allocation; each counts on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LedgerKind {
    /// An overlapping occurrence: `#97`.
    Occ,
    /// A near-miss: `NM38`.
    Nm,
    /// A fold of prior allocations: `n=74`.
    Fold,
    /// A meta-level allocation: `M39`.
    Meta,
}

impl LedgerKind {
    /// All kinds, in the order of the page.
    pub const ALL: [Self; 4] = [Self::Occ, Self::Nm, Self::Fold, Self::Meta];

    /// The word for it in a comment and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Occ => "occ",
            Self::Nm => "nm",
            Self::Fold => "fold",
            Self::Meta => "meta",
        }
    }

    /// What it means.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Occ => "overlapping occurrence",
            Self::Nm => "near-miss",
            Self::Fold => "fold",
            Self::Meta => "meta",
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The kind whose namespace has this name.
    #[must_use]
    pub fn of_namespace(name: &str) -> Option<Self> {
        name.strip_prefix("ledger.").and_then(Self::of_word)
    }

    /// The name of its namespace, which no configured one can have.
    #[must_use]
    pub const fn namespace_name(self) -> &'static str {
        match self {
            Self::Occ => "ledger.occ",
            Self::Nm => "ledger.nm",
            Self::Fold => "ledger.fold",
            Self::Meta => "ledger.meta",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Occ => "#",
            Self::Nm => "NM",
            Self::Fold => "n=",
            Self::Meta => "M",
        }
    }

    /// Writes an id.
    #[must_use]
    pub fn label(self, number: u64) -> String {
        format!("{}{number}", self.prefix())
    }

    /// Reads an id; `None` for anything that [`LedgerKind::label`] does not write.
    #[must_use]
    pub fn number(self, label: &str) -> Option<u64> {
        let number = label.strip_prefix(self.prefix())?.parse().ok()?;
        (number <= crate::config::pattern::MAX_NUMBER && self.label(number) == label).then_some(number)
    }

    /// The pattern of its ids.
    ///
    /// # Errors
    /// Never: the four patterns are checked by a test.
    pub fn pattern(self) -> Result<Pattern, String> {
        Pattern::id(&format!("{}{{n}}", self.prefix()))
    }

    /// Its namespace in a log of this kind.
    ///
    /// # Errors
    /// As [`LedgerKind::pattern`].
    pub fn namespace(self, log: LogKind) -> Result<Namespace, String> {
        Ok(Namespace {
            name: self.namespace_name().to_owned(),
            format: self.pattern()?,
            sources: Vec::new(),
            files: None,
            template: None,
            log,
            remote: None,
            reference: format!("refs/headwater/ledger/{}", self.word()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::LedgerKind;
    use crate::config::LogKind;

    #[test]
    fn labels_as_the_ledger_writes_them() {
        let labels: Vec<String> = LedgerKind::ALL.iter().zip([97, 38, 74, 39]).map(|(kind, n)| kind.label(n)).collect();
        assert_eq!(labels, ["#97", "NM38", "n=74", "M39"]);
        for (kind, label) in LedgerKind::ALL.into_iter().zip(&labels) {
            let namespace = kind.namespace(LogKind::Local).unwrap();
            assert_eq!(namespace.format.render(&crate::config::pattern::Scope::default(), 5, ""), kind.label(5));
            assert_eq!(LedgerKind::of_namespace(&namespace.name), Some(kind));
            assert_eq!(LedgerKind::ALL.iter().filter(|other| other.number(label).is_some()).count(), 1);
        }
        for wrong in ["97", "#", "#097", "#9x", "# 9", "#-1", "#1000000000000"] {
            assert_eq!(LedgerKind::Occ.number(wrong), None, "{wrong}");
        }
    }
}
