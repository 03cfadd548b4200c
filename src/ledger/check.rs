//! Holding a view against the one that the events give.

use similar::TextDiff;

/// The difference between the view that stands and the right one, as a unified diff; `None` where
/// they are equal byte for byte.
#[must_use]
pub fn stale(standing: &[u8], right: &str, name: &str) -> Option<String> {
    if standing == right.as_bytes() {
        return None;
    }
    let standing_text = String::from_utf8_lossy(standing);
    let mut diff = TextDiff::from_lines(standing_text.as_ref(), right)
        .unified_diff()
        .context_radius(3)
        .header(&format!("{name} (as it stands)"), &format!("{name} (from the events)"))
        .to_string();
    if standing_text.contains('\r') {
        diff.push_str("the standing view has CR line ends: keep git from converting it with `*.md text eol=lf`\n");
    }
    if diff.is_empty() {
        diff.push_str("the standing view holds bytes that are not UTF-8\n");
    }
    Some(diff)
}
