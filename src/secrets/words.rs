//! What tells a secret from words, names and numbers.

/// The entropy of a text in bits for a byte, after Shannon.
pub(super) fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let length = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX)).max(1.0);
    let share = |count: &u32| f64::from(*count) / length;
    -counts.iter().filter(|count| **count > 0).map(|count| share(count) * share(count).log2()).sum::<f64>()
}

/// Whether a text is made of words and numbers: `lexer-state_2`, `getUserName`, `RELEASE 14`.
pub(super) fn is_of_words(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).all(is_word)
}

/// Whether letters and digits are a word, a name in camel case, or a number.
fn is_word(part: &str) -> bool {
    // A chance text changes between letters and digits all the time.
    let digits: Vec<bool> = part.chars().map(|c| c.is_ascii_digit()).collect();
    let runs: Vec<usize> =
        digits.chunk_by(|a, b| a == b).filter(|run| run.first() == Some(&true)).map(<[bool]>::len).collect();
    let changes = digits.windows(2).filter(|pair| pair.first() != pair.last()).count();
    let is_date = |run: &usize| *run == 8 && part.contains("20");
    let one_case = || !(part.contains(char::is_uppercase) && part.contains(char::is_lowercase));
    let numbered = match changes {
        0 => true,
        1 => runs.iter().all(|run| *run <= 5 || is_date(run)),
        2 => runs.iter().all(|run| *run <= 2) && part.len() <= 16 && one_case(),
        _ => false,
    };
    numbered && has_case_of_words(part)
}

/// Whether capitals are where words have them: at the beginning of a part of at least three letters, or all
/// together in one abbreviation.
fn has_case_of_words(part: &str) -> bool {
    let letters: Vec<bool> = part.chars().filter(|c| c.is_alphabetic()).map(char::is_uppercase).collect();
    if letters.iter().all(|is_capital| *is_capital) {
        return letters.len() <= 20;
    }
    let runs: Vec<(bool, usize)> =
        letters.chunk_by(|a, b| a == b).map(|run| (run.first() == Some(&true), run.len())).collect();
    let abbreviations = runs.iter().filter(|(is_capital, length)| *is_capital && *length > 1).count();
    // What follows a capital, and is not the end: `Xy`.
    let parts = runs.windows(2).filter(|pair| pair.first().is_some_and(|run| run.0));
    let short = parts.filter(|pair| pair.last().is_some_and(|(_, length)| *length < 2)).count();
    let capitals = runs.iter().filter(|run| run.0).count();
    abbreviations <= 1 && short == 0 && 3 * capitals <= letters.len() + 2
}

/// Whether letters and digits are mixed, or there are signs that words lack.
pub(super) fn is_mixed(text: &str) -> bool {
    let letters = text.contains(char::is_alphabetic);
    letters && text.contains(|c: char| c.is_ascii_digit() || "!@#$%^&*+=~?".contains(c))
}

/// Whether a text looks like chance: no words, and digits, signs, or capitals where words have none.
pub(super) fn is_made(text: &str) -> bool {
    let text = text.trim_end_matches(['!', '?', '=']);
    let signs: Vec<char> = text.chars().collect();
    // `aB!9k`
    let inner = |it: &[char]| matches!(it, [a, sign, b] if a.is_alphanumeric() && "!#$%^&".contains(*sign) && b.is_alphanumeric());
    if text.len() >= 8 && text.contains(|c: char| c.is_ascii_digit()) && signs.windows(3).any(inner) {
        return true;
    }
    !is_of_words(text) && (is_mixed(text) || text.len() >= 8 && text.chars().all(char::is_alphanumeric))
}

/// Whether letters and digits change as often as chance has it: no name in a program does, and no word.
pub(super) fn is_chance(text: &str) -> bool {
    let kind = |byte: u8| (byte.is_ascii_uppercase(), byte.is_ascii_lowercase(), byte.is_ascii_digit());
    let kinds: Vec<_> = text.bytes().map(kind).collect();
    let runs: Vec<usize> = kinds.chunk_by(|a, b| a == b).map(<[_]>::len).collect();
    let has = |kind: (bool, bool, bool)| kinds.contains(&kind);
    let (capitals, small, digits) = (has((true, false, false)), has((false, true, false)), has((false, false, true)));
    // `onKeyUp2`: capitals one by one, and a number behind them.
    let name = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let camel = !name.contains(|c: char| c.is_ascii_digit())
        && !kinds.windows(2).any(|pair| matches!(pair, [a, b] if a.0 && b.0));
    let many = |percent: usize| 100 * runs.len() >= percent * text.len();
    let enough = match (capitals, small, digits) {
        (true, true, true) if camel => false,
        (true, true, true) => many(50) || many(40) && runs.iter().all(|run| *run < 4),
        (true, true, false) => many(40) && kinds.windows(2).any(|pair| matches!(pair, [a, b] if a.0 && b.0)),
        (false, true, true) | (true, false, true) => text.len() >= 16 && many(25) && !is_hex(text),
        _ => false,
    };
    text.len() >= 10 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) && enough && !is_of_words(text)
}

/// Whether a text is hexadecimal, as object names and digests are.
pub(super) fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Where a token ends that a rule found up to `end`: its tail may be longer than the rule knows.
pub(super) fn tail(text: &str, end: usize) -> usize {
    let run = |at: usize, is: fn(u8) -> bool| {
        at + text.as_bytes().get(at..).unwrap_or_default().iter().take_while(|byte| is(**byte)).count()
    };
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let mut end = run(end, is_token);
    // Further parts after a dot; a file's ending or the next sentence are words.
    while text.as_bytes().get(end) == Some(&b'.') {
        let next = run(end + 1, is_token);
        let part = text.get(end + 1..next).unwrap_or_default();
        if part.len() < 6 || is_of_words(part) {
            break;
        }
        end = next;
    }
    let padded = run(end, |byte| byte == b'=');
    let follows = text.as_bytes().get(padded).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'$');
    let is_padding = (1..=2).contains(&(padded - end)) && !follows;
    let end = if is_padding { padded } else { end };
    // A dash or an underline at the very end belongs to Markdown or to a range.
    let trimmed = text.get(..end).map_or(end, |text| text.trim_end_matches("__").len());
    wrapped(text, trimmed).unwrap_or(trimmed)
}

/// Where a token ends that goes on in the next line: a full line of it and nothing else.
fn wrapped(text: &str, end: usize) -> Option<usize> {
    let rest = text.get(end..)?;
    let indented =
        rest.strip_prefix("\\\n").or_else(|| rest.strip_prefix("\r\n")).or_else(|| rest.strip_prefix('\n'))?;
    let line = indented.trim_start_matches([' ', '\t', '>', '|']);
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=_-.".contains(c);
    let part = line.get(..line.find(|c| !is_base64(c)).unwrap_or(line.len()))?.trim_end_matches('.');
    let ends = line.get(part.len()..)?;
    let alone = ends.is_empty() || ends.starts_with(['\n', '\r', '"', '\'', '`', '\\', ' ', '.']);
    let random = part.len() >= 16 && !is_hex(part) && !is_of_words(part) && entropy(part) >= 3.5;
    (alone && random).then(|| end + (rest.len() - line.len()) + part.len())
}

#[cfg(test)]
mod tests {
    use super::{entropy, is_of_words};

    #[test]
    fn words_names_and_numbers_are_of_words() {
        for text in [
            "lexer_state",
            "getUserName",
            "HTTPServer2",
            "XMLHttpRequest",
            "release-2026.1",
            "Donaudampfschifffahrt",
            "utf8",
            "",
        ] {
            assert!(is_of_words(text), "{text}");
        }
        for text in ["aB3dE5gH7jK9", "qXvBnMzLkWpRtY", "a1b2c3d4e5", "abc123def", "DlUKviDOUhv", "svHHjOQXjjiKzqZw"] {
            assert!(!is_of_words(text), "{text}");
        }
    }

    #[test]
    fn entropy_is_that_of_shannon() {
        assert!(entropy("aaaa") < 0.01 && (entropy("abcd") - 2.0).abs() < 0.01 && entropy("") < 0.01);
    }
}
