//! Patterns of ids and of numbered file names: `{n}`, `{n:04}`, `{date}`, `{year}`, `{slug}`.

use super::relative::is_component;
use crate::event::text::is_unsafe_to_show;
use std::fmt::{self, Write as _};

/// The highest number that counts: a longer row of digits in a text is no id.
pub const MAX_NUMBER: u64 = 999_999_999_999;

/// What a number is counted within: everything, a UTC day as `YYYYMMDD`, or a year as `YYYY`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Scope(String);

impl Scope {
    /// The scope of this text: of eight digits a day, of four a year, of none everything.
    #[must_use]
    pub fn new(digits: impl Into<String>) -> Self {
        Self(digits.into())
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn year(&self) -> &str {
        self.0.get(..4).unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// At least so many digits.
    Number(usize),
    Date,
    Year,
    Slug,
}

/// What one character of an id can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Is(char),
    Digit,
    NoZero,
}

impl Symbol {
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Is(a), Self::Is(b)) => a == b,
            (Self::Is(c), Self::Digit) | (Self::Digit, Self::Is(c)) => c.is_ascii_digit(),
            (Self::Is(c), Self::NoZero) | (Self::NoZero, Self::Is(c)) => c.is_ascii_digit() && c != '0',
            (Self::Digit | Self::NoZero, Self::Digit | Self::NoZero) => true,
        }
    }
}

/// A checked pattern: exactly one number, and no digits that could be taken for a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Part>,
}

/// What a text that fits a pattern says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// What the number is counted within.
    pub scope: Scope,
    /// The number.
    pub number: u64,
    /// What stands for `{slug}`.
    pub slug: Option<String>,
}

/// A place in a text that names an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What it says.
    pub says: Numbered,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends, without the letters of a suffix as in `UX-3a`.
    pub end: usize,
}

/// What the ids of a pattern look like: a row of symbols for each length of the number, the shortest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline(Vec<Vec<Symbol>>);

impl Outline {
    /// Whether some text can be an id of both.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let length = |outline: &Self, at: usize| outline.0.get(at).map_or(usize::MAX, Vec::len);
        let (mut mine, mut theirs) = (0, 0);
        while let (Some(a), Some(b)) = (self.0.get(mine), other.0.get(theirs)) {
            if a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.meets(*b)) {
                return true;
            }
            // Lengths only grow: the shorter one is compared with nothing else.
            if length(self, mine) <= length(other, theirs) { mine += 1 } else { theirs += 1 }
        }
        false
    }
}

/// No pattern is longer.
const LONGEST: usize = 100;

impl Pattern {
    /// Reads the pattern of an id, such as `SEC-{n}` or `FLT-{date}{n:02}`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn id(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("an id's pattern has at most {LONGEST} bytes"));
        }
        let pattern = Self::parse(text)?;
        if pattern.parts.contains(&Part::Slug) {
            return Err(format!("`{}`: an id has no `{{slug}}`; that is for `files`", text.escape_debug()));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '|' | '`' | '"')) {
            return Err(format!("`{}`: an id is one word without quotes and bars", text.escape_debug()));
        }
        if !matches!(pattern.parts.first(), Some(Part::Text(_))) {
            return Err(format!("`{}` must begin with letters, such as `SEC-{{n}}`", text.escape_debug()));
        }
        Ok(pattern)
    }

    /// Reads the pattern of a numbered file's path, such as `docs/adr/{n:04}-{slug}.md`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn file(text: &str) -> Result<Self, String> {
        let pattern = Self::parse(text)?;
        let is_unsafe = |c: char| is_unsafe_to_show(c) || matches!(c, '\\' | ':' | '*' | '?' | '[');
        // Digits and words in braces are not known yet, and no `.git`; `n:04` has a colon.
        let plain = text.replace("{n:0", "{n");
        if plain.chars().any(is_unsafe) || !plain.split('/').all(is_component) {
            return Err(format!(
                "`{}` must be a relative path inside the work tree, such as `docs/adr/{{n:04}}-{{slug}}.md`",
                text.escape_debug()
            ));
        }
        let folder = text.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder.contains('{') {
            return Err(format!("`{}`: only the file's name may hold `{{…}}`", text.escape_debug()));
        }
        Ok(pattern)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |fault: &str| Err(format!("`{}`: {fault}", text.escape_debug()));
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('{') {
                let Some((name, after)) = after.split_once('}') else { return wrong("a `{` without its `}`") };
                parts.push(match name {
                    "n" => Part::Number(1),
                    "date" => Part::Date,
                    "year" => Part::Year,
                    "slug" => Part::Slug,
                    _ => match name.strip_prefix("n:0").and_then(|width| width.parse().ok()) {
                        Some(width @ 1..=12) => Part::Number(width),
                        _ => {
                            return wrong(
                                "only `{n}`, `{n:04}` (1 to 12 digits), `{date}`, `{year}` and `{slug}` are known",
                            );
                        }
                    },
                });
                rest = after;
            } else {
                let end = rest.find('{').unwrap_or(rest.len());
                let (plain, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                if plain.contains('}') {
                    return wrong("a `}` without its `{`");
                }
                parts.push(Part::Text(plain.to_owned()));
                rest = after;
            }
        }
        let count = |wanted: fn(&Part) -> bool| parts.iter().filter(|part| wanted(part)).count();
        if count(|part| matches!(part, Part::Number(_))) != 1 {
            return wrong("exactly one `{n}` or `{n:04}` is needed");
        }
        if count(|part| matches!(part, Part::Date | Part::Year)) > 1 || count(|part| *part == Part::Slug) > 1 {
            return wrong("at most one of `{date}` and `{year}`, and one `{slug}`");
        }
        let ambiguous = parts.windows(2).any(|pair| match pair {
            [Part::Number(_), Part::Text(text)] => text.starts_with(|c: char| c.is_ascii_digit()),
            [Part::Number(_), _] | [Part::Slug, Part::Number(_) | Part::Date | Part::Year] => true,
            _ => false,
        });
        if ambiguous {
            return wrong("something other than digits must stand after the number, and around `{slug}`");
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The scope of an instant whose UTC day is `day` (`YYYY-MM-DD`).
    #[must_use]
    pub fn scope(&self, day: &str) -> Scope {
        let digits: String = day.chars().filter(char::is_ascii_digit).collect();
        if self.parts.contains(&Part::Date) {
            Scope(digits)
        } else if self.parts.contains(&Part::Year) {
            Scope(digits.get(..4).unwrap_or_default().to_owned())
        } else {
            Scope::default()
        }
    }

    /// Whether the count starts again with time.
    #[must_use]
    pub fn has_scope(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Date | Part::Year))
    }

    /// Whether a `{slug}` belongs to it.
    #[must_use]
    pub fn has_slug(&self) -> bool {
        self.parts.contains(&Part::Slug)
    }

    /// The folder of a file pattern, without a `/` at its end; empty for the top.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.text.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Writes the id, or path, of a number.
    #[must_use]
    pub fn render(&self, scope: &Scope, number: u64, slug: &str) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Number(width) => {
                    let _infallible = write!(text, "{number:0width$}");
                }
                Part::Date => text.push_str(scope.as_str()),
                Part::Year => text.push_str(scope.year()),
                Part::Slug => text.push_str(slug),
            }
        }
        text
    }

    /// What every id of the pattern begins with.
    #[must_use]
    pub fn beginning(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(plain)) => plain,
            _ => "",
        }
    }

    /// What its ids look like, to be compared with those of other patterns.
    #[must_use]
    pub fn outline(&self) -> Outline {
        Outline(self.shapes())
    }

    /// Whether some text can be an id of both patterns.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.outline().meets(&other.outline())
    }

    /// What its ids look like, one row of symbols for each length of the number.
    fn shapes(&self) -> Vec<Vec<Symbol>> {
        let most = MAX_NUMBER.to_string().len();
        let least = self.parts.iter().find_map(|part| if let Part::Number(width) = part { Some(*width) } else { None });
        let shape = |digits: usize| {
            let mut shape = Vec::new();
            for part in &self.parts {
                match part {
                    Part::Text(plain) => shape.extend(plain.chars().map(Symbol::Is)),
                    // Without zeros to fill it up, a number begins with another digit.
                    Part::Number(width) => {
                        let first = if digits > *width || digits == 1 { Symbol::NoZero } else { Symbol::Digit };
                        shape.push(first);
                        shape.extend((1..digits).map(|_| Symbol::Digit));
                    }
                    Part::Date => shape.extend([Symbol::Digit; 8]),
                    Part::Year => shape.extend([Symbol::Digit; 4]),
                    Part::Slug => {}
                }
            }
            shape
        };
        (least.unwrap_or(1)..=most).map(shape).collect()
    }

    /// Reads a text that is exactly what [`Pattern::render`] writes for some number.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Numbered> {
        let (says, end) = self.at_start(text, true)?;
        let exact =
            end == text.len() && self.render(&says.scope, says.number, says.slug.as_deref().unwrap_or("")) == text;
        exact.then_some(says)
    }

    /// Reads the number of a file's path, however many zeros it begins with, and whatever stands after
    /// the text that follows it: `0607-x.md.stub` takes 607 as well.
    #[must_use]
    pub fn taken_by(&self, path: &str) -> Option<Numbered> {
        self.at_start(path, false).map(|(says, _)| says)
    }

    /// Reads a path that has all parts of the pattern and nothing else, however many zeros its number begins with.
    #[must_use]
    pub fn fits(&self, path: &str) -> Option<Numbered> {
        self.at_start(path, true).filter(|(_, end)| *end == path.len()).map(|(says, _)| says)
    }

    /// Reads the number of a path that has the ending of the pattern, whatever stands between the two.
    #[must_use]
    pub fn nearly_fits(&self, path: &str) -> Option<Numbered> {
        let Some(Part::Text(ending)) = self.parts.last() else { return None };
        let number = self.parts.iter().position(|part| matches!(part, Part::Number(_)))?;
        let head = Self { text: String::new(), parts: self.parts.get(..=number)?.to_vec() };
        let (says, end) = head.at_start(path, true)?;
        path.get(end..)?.ends_with(ending.as_str()).then_some(says)
    }

    /// All places in a text that name an id of this pattern: not inside a longer word, with or without
    /// the letters of a suffix (`UX-3a` names 3).
    #[must_use]
    pub fn mentions(&self, text: &str) -> Vec<Mention> {
        let Some(Part::Text(first)) = self.parts.first() else { return Vec::new() };
        let mut found = Vec::new();
        for (start, _) in text.match_indices(first.as_str()) {
            let before = text.get(..start).and_then(|before| before.chars().next_back());
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
                continue;
            }
            let Some(rest) = text.get(start..) else { continue };
            if let Some((says, length)) = self.at_start(rest, true) {
                found.push(Mention { says, start, end: start + length });
            }
        }
        found
    }

    /// Matches the parts one after the other; a `whole` match needs all of them, else those up to the
    /// one after the number are enough.
    fn at_start(&self, text: &str, whole: bool) -> Option<(Numbered, usize)> {
        let mut says = Numbered { scope: Scope::default(), number: 0, slug: None };
        let mut rest = text;
        let mut numbered = false;
        for (at, part) in self.parts.iter().enumerate() {
            if numbered && !whole && *part == Part::Slug {
                break;
            }
            match part {
                Part::Text(plain) => match rest.strip_prefix(plain.as_str()) {
                    Some(after) => rest = after,
                    // The end of a name may differ, as in `0607-x.md.stub`.
                    None => return None,
                },
                Part::Number(_) => {
                    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
                    let (digits, after) = rest.split_at_checked(length)?;
                    says.number = digits.parse().ok().filter(|number| *number <= MAX_NUMBER)?;
                    rest = after;
                    numbered = true;
                }
                Part::Date | Part::Year => {
                    let (digits, after) = rest.split_at_checked(if *part == Part::Date { 8 } else { 4 })?;
                    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                        return None;
                    }
                    says.scope = Scope(digits.to_owned());
                    rest = after;
                }
                Part::Slug => {
                    let end = match self.parts.get(at + 1) {
                        Some(Part::Text(next)) if at + 2 == self.parts.len() => rest.strip_suffix(next.as_str())?.len(),
                        Some(Part::Text(next)) => rest.find(next.as_str())?,
                        _ => rest.len(),
                    };
                    let (slug, after) = rest.split_at_checked(end)?;
                    if slug.is_empty() || slug.contains('/') {
                        return None;
                    }
                    says.slug = Some(slug.to_owned());
                    rest = after;
                }
            }
        }
        Some((says, text.len() - rest.len()))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_NUMBER, Pattern, Scope};
    use proptest::prelude::*;

    fn id(text: &str) -> Pattern {
        Pattern::id(text).unwrap()
    }

    #[test]
    fn ids_widths_and_scopes() {
        let none = Scope::default();
        assert_eq!(id("SEC-{n}").render(&none, 20, ""), "SEC-20");
        assert_eq!(id("ADR-{n:04}").render(&none, 7, ""), "ADR-0007");
        assert_eq!(id("ADR-{n:04}").render(&none, 10_000, ""), "ADR-10000");
        let daily = id("FLT-{date}{n:02}");
        let day = daily.scope("2026-04-16");
        assert_eq!(daily.render(&day, 3, ""), "FLT-2026041603");
        assert_eq!(daily.read("FLT-2026041603").map(|says| (says.scope, says.number)), Some((day, 3)));
        assert_eq!(id("ORA-{year}-{n:04}").scope("2026-04-16").as_str(), "2026");
        assert_eq!(id("SEC-{n}").read("SEC-020"), None);
        assert_eq!(id("SEC-{n}").read("SEC-20a"), None);
    }

    #[test]
    fn patterns_that_can_give_the_same_id() {
        for (a, b) in [
            ("SEC-{n}", "SEC-{n:04}"),
            ("SEC-{n}", "SEC-1{n}"),
            ("FLT-{n}", "FLT-{date}{n:02}"),
            ("A-{year}{n:02}", "A-{date}{n:02}"),
        ] {
            assert!(id(a).meets(&id(b)) && id(b).meets(&id(a)), "{a} {b}");
        }
        for (a, b) in [("SEC-{n}", "SECT-{n}"), ("A-{n}", "A-0{n}"), ("A-{n}", "A-{year}-{n}"), ("A-{n}", "A-{n}a")] {
            assert!(!id(a).meets(&id(b)) && !id(b).meets(&id(a)), "{a} {b}");
        }
    }

    #[test]
    fn mentions_are_whole_words_with_or_without_a_suffix() {
        let numbers = |text: &str| -> Vec<u64> {
            id("UX-{n}").mentions(text).into_iter().map(|mention| mention.says.number).collect()
        };
        assert_eq!(numbers("| UX-19 | x |\n| ~~UX-24~~ |\n| ✅ UX-9 |\n| UX-3a |"), [19, 24, 9, 3]);
        assert_eq!(numbers("LUX-5 A-UX-6 UX_7 UX-x ux-8"), [0_u64; 0]);
        assert_eq!(numbers("UX-1771000000000000 **UX-2**, [UX-4](#UX-4)"), [2, 4, 4]);
    }

    #[test]
    fn file_names_take_numbers() {
        let adr = Pattern::file("docs/adr/{n:04}-{slug}.md").unwrap();
        let taken = |path: &str| adr.taken_by(path).map(|says| says.number);
        assert_eq!(taken("docs/adr/0607-x.md"), Some(607));
        assert_eq!(taken("docs/adr/0607-x.md.stub"), Some(607));
        assert_eq!(taken("docs/adr/12000-x.md"), Some(12_000));
        assert_eq!(
            (taken("docs/adr/README.md"), taken("docs/adr/0607.md"), taken("docs/0607-x.md")),
            (None, None, None)
        );
        let says = adr.read("docs/adr/0607-fast-seek.md").unwrap();
        assert_eq!((says.number, says.slug.as_deref()), (607, Some("fast-seek")));
        assert_eq!(adr.render(&Scope::default(), 608, "a-b"), "docs/adr/0608-a-b.md");
    }

    #[test]
    fn what_is_no_pattern() {
        for text in [
            "SEC",
            "{n}",
            "SEC-{n}{n}",
            "SEC-{x}",
            "SEC-{n",
            "SEC-}{n}",
            "A-{n}1",
            "A-{n}{year}",
            "A {n}",
            "A-{n}-{slug}",
            "A-{n:0}",
            "A-{n:013}",
            "A-{date}{year}{n}",
        ] {
            assert!(Pattern::id(text).is_err(), "{text}");
        }
        for text in ["/a/{n}.md", "../{n}.md", "a//{n}.md", "{n}/x.md", "a/{slug}{n}.md", ".git/{n}.md", "a\\{n}.md"] {
            assert!(Pattern::file(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            number in 0..=MAX_NUMBER, width in 1usize..=12, prefix in "[A-Z][A-Za-z-]{0,6}", day in "20[0-9]{6}", kind in 0usize..3
        ) {
            let scoped = ["", "{date}", "{year}-"][kind];
            let pattern = id(&format!("{prefix}{scoped}{{n:0{width}}}"));
            let scope = pattern.scope(&day);
            let text = pattern.render(&scope, number, "");
            let says = pattern.read(&text).unwrap();
            prop_assert_eq!((&says.scope, says.number), (&scope, number));
            let mentions = pattern.mentions(&format!("| {text} |"));
            prop_assert_eq!(mentions.len(), 1);
            prop_assert_eq!(&mentions[0].says, &says);
        }

        #[test]
        fn no_text_is_too_strange(pattern in "\\PC{0,20}", text in "\\PC{0,40}") {
            if let Ok(pattern) = Pattern::id(&pattern) {
                for mention in pattern.mentions(&text) {
                    prop_assert!(text.get(mention.start..mention.end).is_some());
                }
            }
        }
    }
}
