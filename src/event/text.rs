//! White space, as FORMAT defines it: Unicode's `White_Space` property, everywhere.

use std::borrow::Cow;

/// Whether nothing is left of `text` after trimming.
#[must_use]
pub fn is_empty(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// Trims `text` and turns every run of white space in it into one space.
#[must_use]
pub fn collapse(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    if is_collapsed(trimmed) {
        return Cow::Borrowed(trimmed);
    }
    let mut collapsed = String::with_capacity(trimmed.len());
    for word in trimmed.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    Cow::Owned(collapsed)
}

/// Collapses an owned text, keeping its allocation where nothing changes.
#[must_use]
pub fn into_collapsed(text: Cow<'_, str>) -> String {
    match collapse(&text) {
        Cow::Borrowed(collapsed) if collapsed.len() == text.len() => text.into_owned(),
        Cow::Borrowed(collapsed) => collapsed.to_owned(),
        Cow::Owned(collapsed) => collapsed,
    }
}

/// Trims an owned text, keeping its allocation where nothing changes.
#[must_use]
pub fn into_trimmed(text: Cow<'_, str>) -> String {
    let trimmed = text.trim();
    if trimmed.len() == text.len() { text.into_owned() } else { trimmed.to_owned() }
}

/// `1 event`, `2 events`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Whether a trimmed text holds no white space but single spaces.
fn is_collapsed(trimmed: &str) -> bool {
    // Nearly every text is visible ASCII.
    !any_pair(trimmed, |a, b| a == b' ' && b == b' ')
        && (!any_byte(trimmed, |byte| !(b' '..=b'~').contains(&byte))
            || !trimmed.chars().any(|c| c != ' ' && c.is_whitespace()))
}

/// Whether some byte is of a kind. Looks at all of them without a branch, which is many bytes at a time.
pub(crate) fn any_byte(text: &str, is: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |any, byte| any | is(byte))
}

/// Whether some two bytes that follow each other are of a kind; without a branch, as [`any_byte`].
pub(crate) fn any_pair(text: &str, is: impl Fn(u8, u8) -> bool) -> bool {
    text.bytes().zip(text.bytes().skip(1)).fold(false, |any, (a, b)| any | is(a, b))
}

/// Whether a character is invisible or rearranges text: FORMAT §6, rule 2 of the escaping, without its
/// exceptions for emoji and for scripts that need joiners, which [`visibility`] knows.
#[must_use]
pub const fn is_unsafe_to_show(character: char) -> bool {
    matches!(character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{70f}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The characters of a text, and whether each can be shown as itself: FORMAT §6, rule 2 of the escaping.
pub fn visibility(text: &str) -> impl Iterator<Item = (char, bool)> + '_ {
    let mut before = Before::Nothing;
    text.chars().map(move |character| {
        let stays = match character {
            '\u{fe0e}' | '\u{fe0f}' => before == Before::Seen,
            '\u{200c}' | '\u{200d}' => before != Before::Nothing,
            _ => !is_unsafe_to_show(character),
        };
        before = match character {
            '\u{fe0e}' | '\u{fe0f}' if stays => Before::Selector,
            _ if !is_unsafe_to_show(character) && !character.is_whitespace() => Before::Seen,
            _ => Before::Nothing,
        };
        (character, stays)
    })
}

/// What a variation selector or a joiner follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A character that is seen.
    Seen,
    /// A variation selector that stays.
    Selector,
    /// The start, white space, or what is not seen.
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::{collapse, into_collapsed, into_trimmed, is_empty};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn prop_collapse_is_the_words_joined_by_one_space(text in "[a é\u{a0}\u{85}\u{2028}\u{3000}\t\n猫]{0,12}") {
            let words: Vec<&str> = text.split_whitespace().collect();
            prop_assert_eq!(collapse(&text), words.join(" "));
            prop_assert_eq!(into_collapsed(text.clone().into()), words.join(" "));
            prop_assert_eq!(into_trimmed(text.clone().into()), text.trim());
            prop_assert_eq!(is_empty(&text), words.is_empty());
        }
    }
}
