//! Placeholder until the masking is merged.
use std::borrow::Cow;
/// Masks.
#[must_use]
pub fn mask(text: &str) -> Cow<'_, str> {
    if text.contains("ghp_") { Cow::Owned("[masked]".to_owned()) } else { Cow::Borrowed(text) }
}
