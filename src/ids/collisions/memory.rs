//! The memory row: one line between two markers in a file of the user's. Pure.

use super::record::Record;

/// The markers.
const BEGIN: &str = "<!-- headwater:ledger -->";
const END: &str = "<!-- headwater:ledger:end -->";

/// Puts the row between the markers; without markers it goes to the end, with markers. Everything else
/// stays byte for byte.
///
/// # Errors
/// The markers do not stand as one pair: the line that is wrong, and how.
pub fn replace(text: &str, row: &str) -> Result<String, (usize, &'static str)> {
    let mut places: Vec<(usize, &str)> = [BEGIN, END].iter().flat_map(|marker| text.match_indices(marker)).collect();
    places.sort_unstable();
    let line = |place: usize| text.get(..place).unwrap_or_default().matches('\n').count() + 1;
    let (before, between, after) = match places.as_slice() {
        [] => {
            let distance = if text.is_empty() || text.ends_with("\n\n") {
                ""
            } else if text.ends_with('\n') {
                "\n"
            } else {
                "\n\n"
            };
            return Ok(format!("{text}{distance}{BEGIN}\n{row}\n{END}\n"));
        }
        [(_, first), (_, second)] if (*first, *second) == (BEGIN, END) => {
            let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
            let Some((before, (between, after))) = parts else { return Ok(text.to_owned()) };
            (before, between, after)
        }
        [(place, END), ..] => {
            return Err((line(*place), "this end marker of the row has no `<!-- headwater:ledger -->` before it"));
        }
        [_, (place, END), (more, _), ..] if place < more => {
            return Err((line(*more), "there is a pair of markers for the row before this one; take one out"));
        }
        [(place, _), ..] => {
            return Err((line(*place), "this marker of the row has no `<!-- headwater:ledger:end -->` of its own"));
        }
    };
    // A row of a table keeps its line.
    let distance = if between.contains("\r\n") {
        "\r\n"
    } else if between.contains('\n') {
        "\n"
    } else {
        " "
    };
    Ok(format!("{before}{BEGIN}{distance}{row}{distance}{END}{after}"))
}

/// The row of a record; `page` is the ledger page as the memory file links it.
#[must_use]
pub fn row(record: &Record, page: &str) -> String {
    let tops: Vec<String> = record.tops.iter().map(|(kind, number)| kind.label(*number)).collect();
    let tops = if tops.is_empty() { "-".to_owned() } else { tops.join(" ") };
    format!(
        "| [Collision ledger]({page}) | {} ids | latest {tops} | {} double-allocation(s) |",
        record.ids(),
        record.doubles
    )
}

/// How a file links another one; both from the top of the work tree.
#[must_use]
pub fn link(from: &str, to: &str) -> String {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (mut above, mut rest): (Vec<&str>, &str) = (folder.split('/').filter(|part| !part.is_empty()).collect(), to);
    while let Some((first, after)) = rest.split_once('/') {
        if above.first() != Some(&first) {
            break;
        }
        above.remove(0);
        rest = after;
    }
    "../".repeat(above.len()) + &rest.replace(' ', "%20")
}

#[cfg(test)]
mod tests {
    use super::{link, replace};

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let once = replace("# Memory\r\n\n* mine", "row").unwrap();
        assert_eq!(once, "# Memory\r\n\n* mine\n\n<!-- headwater:ledger -->\nrow\n<!-- headwater:ledger:end -->\n");
        assert_eq!(replace(&once, "row").unwrap(), once);
        let table = "| a |\n|---|\n<!-- headwater:ledger --> old <!-- headwater:ledger:end -->\n| b |";
        assert_eq!(replace(table, "| new |").unwrap(), table.replace("old", "| new |"));
        let crlf = "<!-- headwater:ledger -->\r\n<!-- headwater:ledger:end -->\r\nx";
        assert_eq!(replace(crlf, "r").unwrap(), "<!-- headwater:ledger -->\r\nr\r\n<!-- headwater:ledger:end -->\r\nx");
        for (damaged, line) in [
            ("x\n<!-- headwater:ledger -->", 2),
            ("\n\n<!-- headwater:ledger:end --><!-- headwater:ledger -->", 3),
            ("<!-- headwater:ledger -->\n<!-- headwater:ledger -->\n<!-- headwater:ledger:end -->", 1),
            (&once.repeat(2), 12),
        ] {
            assert_eq!(replace(damaged, "r").unwrap_err().0, line, "{damaged}");
        }
    }

    #[test]
    fn links() {
        assert_eq!(link("wiki/MEMORY.md", "wiki/ledger.md"), "ledger.md");
        assert_eq!(link("MEMORY.md", "wiki/ledger.md"), "wiki/ledger.md");
        assert_eq!(link("a/b/M.md", "a/c d/l.md"), "../c%20d/l.md");
    }
}
