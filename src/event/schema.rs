//! The sections' declarations: which names there are, and how each is read and merged (FORMAT §3).

use super::timestamp::Span;
use std::collections::BTreeMap;

/// How a section's text is read, and by which rule its writes are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Merge {
    /// One text: the write with the highest stamp.
    Register,
    /// Keys and values: for each key the write with the highest stamp.
    Map,
    /// Texts: all of them, equal ones once.
    Set,
    /// Items: all of them, by their time.
    List,
}

/// What makes two items of a set equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// The collapsed text.
    Words,
    /// The trimmed text.
    Exact,
}

/// One declared section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name in events.
    pub name: String,
    /// Its title in the view.
    pub title: String,
    /// How it is merged.
    pub merge: Merge,
    /// What makes items of a set equal.
    pub identity: Identity,
    /// The key that closes items of a set.
    pub closed_by: Option<String>,
    /// How far back from the newest event a set, list or map is shown.
    pub show: Option<Span>,
    /// Whether a set's items stand under the day, agent and branch of their events.
    pub grouped: bool,
}

impl Section {
    /// A declared section with the default options.
    #[must_use]
    pub fn new(name: &str, title: &str, merge: Merge) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            merge,
            identity: Identity::Words,
            closed_by: None,
            show: None,
            grouped: false,
        }
    }
}

/// What a key of an event stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A declared section with this merge rule.
    Declared(Merge),
    /// A closing key.
    Closing,
    /// Neither.
    Undeclared,
}

/// The declared sections, in the order of the view.
///
/// # Invariant
/// Names are distinct, and no closing key is a declared name; [`Schema::new`] is given checked lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    sections: Vec<Section>,
    closing: BTreeMap<String, Vec<usize>>,
}

impl Schema {
    /// Makes a schema of checked sections.
    #[must_use]
    pub fn new(sections: Vec<Section>) -> Self {
        let mut closing: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (position, section) in sections.iter().enumerate() {
            if let Some(key) = &section.closed_by {
                closing.entry(key.clone()).or_default().push(position);
            }
        }
        Self { sections, closing }
    }

    /// The sections in their declared order.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The declared section of this name.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The sections that a closing key closes.
    pub fn closed_by<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a Section> {
        self.closing.get(key).into_iter().flatten().filter_map(|position| self.sections.get(*position))
    }

    /// What `key` stands for.
    #[must_use]
    pub fn role(&self, key: &str) -> Role {
        match self.section(key) {
            Some(section) => Role::Declared(section.merge),
            None if self.closing.contains_key(key) => Role::Closing,
            None => Role::Undeclared,
        }
    }

    /// Declared names and closing keys.
    pub fn known_keys(&self) -> impl Iterator<Item = &str> {
        let names = self.sections.iter().map(|section| section.name.as_str());
        names.chain(self.closing.keys().map(String::as_str))
    }
}

/// The seven sections that every ledger has.
impl Default for Schema {
    fn default() -> Self {
        let open_questions = Section {
            identity: Identity::Exact,
            closed_by: Some("resolved_questions".to_owned()),
            ..Section::new("open_questions", "Open Questions", Merge::Set)
        };
        Self::new(vec![
            Section::new("goal", "Goal", Merge::Register),
            Section::new("now", "Now", Merge::Register),
            open_questions,
            Section::new("decisions", "Decisions", Merge::Map),
            Section::new("answers", "Answers", Merge::Map),
            Section::new("checkpoints", "Checkpoints", Merge::List),
            Section { grouped: true, ..Section::new("this_session", "This Session", Merge::Set) },
        ])
    }
}
