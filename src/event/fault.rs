//! Why an event file cannot be read: stable codes, places and remedies (FORMAT §7).

use std::fmt;

/// A place in an event file: line and column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };

    /// A place, from its line and column.
    #[must_use]
    pub const fn new(line: u32, column: u32) -> Self {
        Self { line, column }
    }

    /// The place of the byte `offset` in `text`, where `text` begins at `first_line`.
    #[must_use]
    pub fn of_offset(text: &str, offset: usize, first_line: u32) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        Self { line: first_line.saturating_add(clamp(line)), column: clamp(column).saturating_add(1) }
    }
}

/// A count as a `u32`; files are at most 1 MiB, so nothing is cut in practice.
pub(crate) fn clamp(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The codes of FORMAT §7, in the order in which they apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// A link, directory, FIFO …: not opened.
    NotAFile,
    /// Over 1 MiB.
    TooLarge,
    /// Not UTF-8.
    NotUtf8,
    /// No front matter between two `---` lines.
    NoFrontMatter,
    /// YAML that does not parse, raw control characters too.
    BadYaml,
    /// Anchor, alias, tag, directive, merge key, key that is no scalar, second document.
    NotPlain,
    /// Lists and mappings nested more than 16 deep.
    TooDeep,
    /// A key twice in one mapping, or one key of a map written twice.
    DuplicateKey,
    /// No `ts`, or one that is no instant; front matter that is no mapping.
    BadTs,
    /// No `agent`, or one that is no name.
    BadAgent,
    /// A section that holds what it cannot hold; a body that is no mapping.
    BadSection,
    /// A pack that does not count: cut, not named for its bytes, or no plain list of events.
    BadPack,
}

impl Code {
    /// The stable name that the view shows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAFile => "not-a-file",
            Self::TooLarge => "too-large",
            Self::NotUtf8 => "not-utf8",
            Self::NoFrontMatter => "no-frontmatter",
            Self::BadYaml => "bad-yaml",
            Self::NotPlain => "not-plain",
            Self::TooDeep => "too-deep",
            Self::DuplicateKey => "duplicate-key",
            Self::BadTs => "bad-ts",
            Self::BadAgent => "bad-agent",
            Self::BadSection => "bad-section",
            Self::BadPack => "bad-pack",
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NotAFile => "replace it by a regular file, or move it out of the ledger",
            Self::TooLarge => "split it into events of at most 1 MiB, or move it out of the ledger",
            Self::NotUtf8 => "save it as UTF-8",
            Self::NoFrontMatter => "begin the file with a `---` line, the front matter, and another `---` line",
            Self::BadYaml => "correct the YAML; a text with special characters goes in double quotes",
            Self::NotPlain => "write the value out in plain YAML, or put the text in double quotes",
            Self::TooDeep => "nest lists and mappings at most 16 deep",
            Self::DuplicateKey => "keep one of the two",
            Self::BadTs => "write `ts` as in `2026-01-10T13:03:52Z`",
            Self::BadAgent => "write `agent` as 1 to 128 characters without control characters",
            Self::BadSection => "write the section in the form that its merge rule takes (see `headwater lint --help`)",
            Self::BadPack => "restore the pack, for example with `git checkout -- <file>`",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why one event file cannot be read, where, and in which words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {code}: {detail}; {}", code.remedy())]
pub struct Fault {
    /// The stable code.
    pub code: Code,
    /// Where in the file.
    pub place: Place,
    /// What is wrong, in words; may quote the file, so it is to be made safe before it is shown.
    pub detail: String,
}

impl Fault {
    /// Makes a fault.
    #[must_use]
    pub fn new(code: Code, place: Place, detail: impl Into<String>) -> Self {
        Self { code, place, detail: detail.into() }
    }

    /// The earlier of two faults in the text; at one place the code that applies first.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        if (other.place, other.code) < (self.place, self.code) { other } else { self }
    }
}
