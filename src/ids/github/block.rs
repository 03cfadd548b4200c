//! The fenced `yaml alloc` block of a comment: read and written. Pure.
//!
//! `kind`, `ids`, `event` and `note` are those of the collision ledger; readers of that ledger skip the
//! other keys, and blocks of other kinds.

use crate::config::pattern::{MAX_NUMBER, Scope};
use crate::event::yaml::{self, Node, Value};
use crate::ids::collisions::LedgerKind;
use crate::ids::contract::{Anchor, Kind};
use crate::ids::reserve::MAX_COUNT;
use crate::ids::unread;
use std::fmt::Write as _;

/// What opens the block.
const OPENING: &str = "```yaml alloc";

/// Where a block was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Found {
    /// Who published it.
    pub author: String,
    /// When it was published.
    pub at: String,
    /// Its text, without the fence.
    pub text: String,
}

/// A block that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What tells this attempt from every other one; none in blocks of other programs.
    pub nonce: Option<String>,
    /// The highest comment that its author had seen: it counts only if nothing that counts came in between.
    pub after: Option<u64>,
    /// Attempts of the same author that were given up for this one.
    pub withdraws: Vec<String>,
    /// What it says.
    pub content: Content,
}

/// What a block says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These anchors of one namespace; at least one.
    Anchors(Vec<Anchor>),
    /// What another comment said when it was published.
    Repair(Repair),
}

/// What a comment said when it was published, after it was edited or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The comment.
    pub comment: u64,
    /// What it said; nothing if it held no block.
    pub found: Option<Found>,
}

/// The text of the first `yaml alloc` block of a comment; quoted ones and those inside another fence are
/// none.
#[must_use]
pub fn find(body: &str) -> Option<String> {
    // The fence that is open: its character and length.
    let mut open: Option<(char, usize)> = None;
    let mut block: Option<String> = None;
    for line in body.lines().map(str::trim_end) {
        let content = line.trim_start_matches(' ');
        let mark = content.chars().next().filter(|c| matches!(c, '`' | '~'));
        let length = mark.map_or(0, |mark| content.chars().take_while(|c| *c == mark).count());
        let is_fence = length >= 3 && line.len() - content.len() < 4;
        match (open, mark) {
            (Some((by, least)), Some(mark)) if is_fence && mark == by && length >= least && content.len() == length => {
                if block.is_some() {
                    return block;
                }
                open = None;
            }
            (Some(_), _) => {
                if let Some(text) = &mut block {
                    text.push_str(line);
                    text.push('\n');
                }
            }
            (None, Some(mark)) if is_fence => {
                open = Some((mark, length));
                if line == OPENING {
                    block = Some(String::new());
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// What is wrong with the opening of a block that [`find`] passes over, though it is meant to be one: other readers
/// of the ledger take nothing but the one form.
#[must_use]
pub fn near_miss(body: &str) -> Option<String> {
    let mut open: Option<(char, usize)> = None;
    for line in body.lines().map(str::trim_end) {
        let content = line.trim_start_matches(' ');
        let Some(mark) = content.chars().next().filter(|c| matches!(c, '`' | '~')) else { continue };
        let info = content.trim_start_matches(mark);
        let length = content.len() - info.len();
        if length < 3 || line.len() - content.len() > 3 {
            continue;
        }
        match open {
            Some((by, least)) if mark == by && length >= least && info.is_empty() => open = None,
            Some(_) => {}
            None => {
                let mut words = info.split_whitespace().map(str::to_ascii_lowercase);
                let is_meant = words.next().as_deref() == Some("yaml") && words.next().as_deref() == Some("alloc");
                if is_meant && line == OPENING {
                    return Some("its fence is not closed".to_owned());
                }
                if is_meant {
                    return Some(format!("it opens with `{line}`, and not with `{OPENING}`"));
                }
                open = Some((mark, length));
            }
        }
    }
    None
}

/// A block in few words, for a message.
#[must_use]
pub fn describe(found: &Found, comment: u64) -> String {
    let said = match read(found, comment).map(|block| block.content) {
        Ok(Content::Anchors(anchors)) => {
            let ids: Vec<&str> = anchors.iter().flat_map(|anchor| anchor.ids.iter().map(String::as_str)).collect();
            let event = anchors.first().and_then(|anchor| anchor.event.as_deref());
            let event = event.map(|event| format!(" for event {event}")).unwrap_or_default();
            format!("{}{event}", ids.join(" "))
        }
        Ok(Content::Repair(repair)) => format!("a repair of comment {}", repair.comment),
        Err(_) => found.text.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    format!("`{}`", said.chars().filter(|c| !crate::event::text::is_unsafe_to_show(*c)).take(120).collect::<String>())
}

/// Puts a block's text into a comment.
#[must_use]
pub fn comment(text: &str) -> String {
    format!("{OPENING}\n{text}```\n")
}

/// Writes the block of an attempt.
#[must_use]
pub fn write(block: &Block) -> String {
    let mut out = String::new();
    match &block.content {
        Content::Anchors(anchors) => {
            if let Some((first, more)) = anchors.split_first() {
                write_anchor(&mut out, first);
                if !more.is_empty() {
                    let lines: Vec<String> = more.iter().map(Anchor::line).collect();
                    line(&mut out, "more", &list(&lines));
                }
            }
        }
        Content::Repair(repair) => {
            line(&mut out, "kind", "repair");
            line(&mut out, "comment", &repair.comment.to_string());
            if let Some(found) = &repair.found {
                for (key, text) in [("author", &found.author), ("at", &found.at), ("block", &found.text)] {
                    line(&mut out, key, &quoted(text));
                }
            }
        }
    }
    if let Some(nonce) = &block.nonce {
        line(&mut out, "nonce", &quoted(nonce));
    }
    if let Some(after) = block.after {
        line(&mut out, "after", &after.to_string());
    }
    if !block.withdraws.is_empty() {
        line(&mut out, "withdraws", &list(&block.withdraws));
    }
    out
}

fn write_anchor(out: &mut String, anchor: &Anchor) {
    let takes = matches!(anchor.kind, Kind::Reserve | Kind::Amend);
    let ledger = LedgerKind::of_namespace(&anchor.namespace).filter(|_| takes);
    match ledger {
        Some(kind) => line(out, "kind", kind.word()),
        None => line(out, "kind", word(anchor.kind)),
    }
    line(out, "ids", &list(&anchor.ids));
    if let Some(event) = &anchor.event {
        line(out, "event", &scalar(event));
    }
    if let Some(note) = &anchor.note {
        line(out, "note", &scalar(note));
    }
    if ledger.is_none() {
        line(out, "namespace", &scalar(&anchor.namespace));
        line(out, "numbers", &quoted(&ranges(&anchor.numbers)));
    }
    if !anchor.scope.as_str().is_empty() {
        line(out, "scope", &quoted(anchor.scope.as_str()));
    }
    if anchor.kind == Kind::Amend {
        line(out, "replaces", &list(&anchor.replaces));
    }
    for (key, text) in [("of", &anchor.of), ("slug", &anchor.slug), ("branch", &anchor.branch)] {
        if let Some(text) = text {
            line(out, key, &scalar(text));
        }
    }
    line(out, "agent", &scalar(&anchor.agent));
    line(out, "at", &scalar(&anchor.at));
    if anchor.provisional {
        line(out, "provisional", "true");
    }
    if anchor.backfill {
        line(out, "backfill", "true");
    }
    if anchor.jump == Some(true) {
        line(out, "jump", "true");
    }
    if let Some((path, digest)) = &anchor.file {
        line(out, "file", &list(&[path.clone(), digest.clone()]));
    }
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Reserve => "reserve",
        Kind::Amend => "amend",
        Kind::Confirm => "confirm",
        Kind::Release => "release",
        Kind::Floor => "floor",
        Kind::Unread => "unread",
    }
}

fn line(out: &mut String, key: &str, value: &str) {
    let _infallible = writeln!(out, "{key}: {value}");
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}

/// A text as it stands where it can, else quoted.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " -_./,()+".contains(c);
    let absent = ["null", "Null", "NULL"].contains(&text);
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts && !absent && text.chars().all(plain) && !text.ends_with(' ') { text.to_owned() } else { quoted(text) }
}

/// A text between double quotes on one line: valid as JSON and as YAML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Ascending numbers as ranges: `1-3,7`.
fn ranges(numbers: &[u64]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let run = |(first, last): (u64, u64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.into_iter().map(run).collect::<Vec<_>>().join(",")
}

fn read_ranges(text: &str) -> Result<Vec<u64>, String> {
    let mut numbers = Vec::new();
    for run in text.split(',').filter(|run| !run.is_empty()) {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        let number = |text: &str| text.parse().ok().filter(|number: &u64| *number <= MAX_NUMBER);
        let (first, last) = number(first).zip(number(last)).ok_or("`numbers` are no numbers")?;
        if last.saturating_sub(first) >= MAX_COUNT {
            return Err("too many numbers".to_owned());
        }
        numbers.extend(first..=last);
    }
    Ok(numbers)
}

/// Reads a block that a comment holds.
///
/// # Errors
/// Says what is wrong with it.
pub fn read(found: &Found, comment: u64) -> Result<Block, String> {
    let document = yaml::read(&found.text, 1);
    if document.fault.is_none() && !document.root.entries().is_empty() {
        return read_node(&document.root, found, comment);
    }
    // Other programs write texts as they are, which is not always YAML.
    let simple = by_lines(&found.text).ok_or("it is no YAML mapping")?;
    let document = yaml::read(&simple, 1);
    if document.fault.is_some() {
        return Err("it is no YAML mapping".to_owned());
    }
    read_node(&document.root, found, comment)
}

/// The numbers of a block that cannot be read, as far as they can be told.
pub(super) fn salvage(found: &Found, comment: u64, fault: &str) -> Vec<Anchor> {
    let value = |key: &str| {
        let line = found.text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.map(|value| value.trim().trim_matches('"').to_owned()).filter(|value| !value.is_empty())
    };
    let ids = value("ids").unwrap_or_default();
    let words = || ids.split(|c: char| c.is_whitespace() || "[],\"'".contains(c)).filter(|word| !word.is_empty());
    let left = |namespace: &str, numbers: Vec<u64>| {
        let nonce = format!("comment-{comment}-{namespace}");
        let line = serde_json::json!({"namespace": namespace, "numbers": numbers, "scope": value("scope"),
            "agent": found.author, "at": found.at, "nonce": nonce});
        unread::salvage(&line.to_string(), namespace, None, &format!("comment {comment}: {fault}"))
    };
    if let Some(namespace) = value("namespace") {
        let ends = |id: &str| {
            let digits = id.len() - id.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            id.get(id.len() - digits..).and_then(|digits| digits.parse::<u64>().ok())
        };
        let mut numbers = value("numbers").and_then(|numbers| read_ranges(&numbers).ok()).unwrap_or_default();
        numbers.extend(words().filter_map(ends));
        return vec![left(&namespace, numbers)];
    }
    // How an id is written tells its kind.
    let of_kind = |kind: LedgerKind| {
        let numbers: Vec<u64> = words().filter_map(|id| kind.number(id)).collect();
        (!numbers.is_empty()).then(|| left(kind.namespace_name(), numbers))
    };
    LedgerKind::ALL.into_iter().filter_map(of_kind).collect()
}

/// The four keys of the ledger, their values taken as the rest of the line.
fn by_lines(text: &str) -> Option<String> {
    let mut out = String::new();
    for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        match key {
            "ids" => line(&mut out, key, value),
            "kind" | "event" | "note" => line(&mut out, key, &quoted(value)),
            _ => return None,
        }
    }
    Some(out)
}

fn read_node(node: &Node<'_>, found: &Found, comment: u64) -> Result<Block, String> {
    let text = |key: &str| match node.get(key).map(|node| &node.value) {
        None | Some(Value::Absent) => Ok(None),
        Some(Value::Scalar(text)) => Ok(Some(text.to_string())),
        Some(Value::List(_) | Value::Mapping(_)) => Err(format!("`{key}` is no text")),
    };
    let texts = |key: &str| match node.get(key).map(|node| &node.value) {
        None | Some(Value::Absent) => Ok(Vec::new()),
        Some(Value::List(nodes)) => {
            let one = |node: &Node<'_>| match &node.value {
                Value::Scalar(text) => Ok(text.to_string()),
                Value::Absent | Value::List(_) | Value::Mapping(_) => Err(format!("`{key}` is no list of texts")),
            };
            nodes.iter().map(one).collect()
        }
        Some(Value::Scalar(_) | Value::Mapping(_)) => Err(format!("`{key}` is no list of texts")),
    };
    let number = |key: &str| -> Result<Option<u64>, String> {
        text(key)?.map(|text| text.parse().map_err(|_none| format!("`{key}` is no number"))).transpose()
    };
    let kind = text("kind")?.ok_or("it has no `kind`")?;
    let nonce = text("nonce")?.filter(|nonce| !nonce.is_empty());
    let (after, withdraws) = (number("after")?, texts("withdraws")?);
    if kind == "repair" {
        let comment = number("comment")?.ok_or("it has no `comment`")?;
        let found = match (text("author")?, text("at")?, text("block")?) {
            (Some(author), Some(at), Some(text)) => Some(Found { author, at, text }),
            _ => None,
        };
        let content = Content::Repair(Repair { comment, found });
        return Ok(Block { nonce, after, withdraws, content });
    }
    let ids = texts("ids")?;
    let (namespace, does, numbers) = if let Some(kind) = LedgerKind::of_word(&kind) {
        let number = |id: &String| kind.number(id).ok_or_else(|| format!("`{id}` is no id of kind {}", kind.word()));
        let numbers: Vec<u64> = ids.iter().map(number).collect::<Result<_, _>>()?;
        let does = if node.get("replaces").is_some() { Kind::Amend } else { Kind::Reserve };
        (kind.namespace_name().to_owned(), does, numbers)
    } else {
        let kinds = [Kind::Reserve, Kind::Amend, Kind::Confirm, Kind::Release, Kind::Floor];
        let does =
            kinds.into_iter().find(|does| word(*does) == kind).ok_or_else(|| format!("unknown kind `{kind}`"))?;
        let namespace = text("namespace")?.ok_or("it has no `namespace`")?;
        (namespace, does, read_ranges(&text("numbers")?.unwrap_or_default())?)
    };
    if numbers.is_empty() && does != Kind::Amend {
        return Err("it has no numbers".to_owned());
    }
    let file = texts("file")?;
    let own = nonce.as_deref().map_or_else(|| format!("comment-{comment}"), |nonce| anchor_nonce(nonce).to_owned());
    let anchor = Anchor {
        namespace,
        scope: Scope::new(text("scope")?.unwrap_or_default()),
        kind: does,
        numbers,
        ids,
        replaces: texts("replaces")?,
        of: text("of")?,
        event: text("event")?,
        slug: text("slug")?,
        note: text("note")?,
        agent: text("agent")?.unwrap_or_else(|| found.author.clone()),
        branch: text("branch")?,
        at: text("at")?.unwrap_or_else(|| found.at.clone()),
        nonce: own,
        provisional: text("provisional")?.is_some_and(|word| word == "true"),
        backfill: text("backfill")?.is_some_and(|word| word == "true"),
        file: match <[String; 2]>::try_from(file) {
            Ok([path, digest]) => Some((path, digest)),
            Err(_absent) => None,
        },
        jump: text("jump")?.map(|word| word == "true"),
    };
    // What stands in a log of lines may stand here.
    let mut anchors = vec![Anchor::read(&anchor.line())?];
    for line in texts("more")? {
        anchors.push(Anchor::read(&line)?);
    }
    let first = anchors.first().map(|anchor| anchor.namespace.clone());
    if anchors.iter().any(|anchor| Some(&anchor.namespace) != first.as_ref()) {
        return Err("it speaks of several namespaces".to_owned());
    }
    Ok(Block { nonce, after, withdraws, content: Content::Anchors(anchors) })
}

/// The nonce of an attempt at publishing an anchor.
#[must_use]
pub fn attempt_nonce(anchor: &str, fresh: &str) -> String {
    format!("{anchor}.{}", fresh.get(..12).unwrap_or(fresh))
}

/// The nonce of the anchor that an attempt publishes.
fn anchor_nonce(attempt: &str) -> &str {
    attempt.rsplit_once('.').map_or(attempt, |(anchor, _)| anchor)
}

#[cfg(test)]
mod tests {
    use super::{Block, Content, Found, Repair, attempt_nonce, comment, find, ranges, read, read_ranges, write};
    use crate::config::pattern::Scope;
    use crate::ids::contract::{Anchor, Kind};
    use proptest::prelude::*;

    fn found(text: &str) -> Found {
        Found { author: "alice".to_owned(), at: "2026-01-01T00:00:00Z".to_owned(), text: text.to_owned() }
    }

    fn anchors(text: &str) -> Vec<Anchor> {
        let Content::Anchors(anchors) = read(&found(text), 7).unwrap().content else { panic!("{text}") };
        anchors
    }

    #[test]
    fn the_block_of_the_ledger_as_it_is_published() {
        let body = "```yaml alloc\r\nkind: occ\r\nids: [\"#97\", \"#98\"]\r\nevent: 7d0f8bca\r\nnote: dual-execution episode\r\n```\r\n";
        let anchor = anchors(&find(body).unwrap()).remove(0);
        assert_eq!((anchor.namespace.as_str(), anchor.numbers), ("ledger.occ", vec![97, 98]));
        assert_eq!(anchor.event.as_deref(), Some("7d0f8bca"));
        assert_eq!(anchor.note.as_deref(), Some("dual-execution episode"));
        assert_eq!((anchor.agent.as_str(), anchor.nonce.as_str()), ("alice", "comment-7"));
        // A note that is no YAML, an event that looks like a number.
        let odd = anchors("kind: nm\nids: [\"NM4294967297\"]\nevent: 12e4\nnote: fix: the # thing\n").remove(0);
        assert_eq!((odd.numbers, odd.event.as_deref()), (vec![4_294_967_297], Some("12e4")));
        assert_eq!(odd.note.as_deref(), Some("fix: the # thing"));
    }

    #[test]
    fn quoted_nested_and_later_blocks_do_not_count() {
        let block = |id: u32| format!("```yaml alloc\nkind: occ\nids: [\"#{id}\"]\n```\n");
        assert!(find(&format!("{}\n{}", block(1), block(2))).unwrap().contains("#1"));
        assert!(find(&format!("text\n\n{}", block(1))).is_some());
        for none in [
            String::new(),
            "```yaml\nkind: occ\n```".to_owned(),
            format!("> {}\n", block(1).replace('\n', "\n> ")),
            format!("````markdown\n{}````\n", block(1)),
            format!("~~~\n{}~~~\n", block(1)),
            "    ```yaml alloc\n    kind: occ\n    ```".to_owned(),
            "```yaml alloc\nkind: occ\nids: [\"#1\"]\n".to_owned(),
        ] {
            assert_eq!(find(&none), None, "{none}");
        }
    }

    #[test]
    fn what_is_no_anchor() {
        for wrong in [
            "",
            "kind: occ\n",
            "kind: occ\nids: []\n",
            "kind: occ\nids: [\"NM1\"]\n",
            "kind: tree\nids: [\"#1\"]\n",
            "kind: occ\nids: \"#1\"\n",
            "ids: [\"#1\"]\n",
            "kind: reserve\nids: [\"SEC-1\"]\nnumbers: \"1\"\n",
            "kind: reserve\nnamespace: SEC\nids: [\"SEC-1\"]\nnumbers: \"1-2\"\n",
            "kind: floor\nnamespace: SEC\nids: []\nnumbers: \"0-999999999999\"\n",
            "kind: repair\ncomment: x\n",
            "kind: occ\nids: [\"#1\"]\nafter: soon\n",
            "kind: occ\nids: [&a \"#1\", *a]\n",
        ] {
            assert!(read(&found(wrong), 1).is_err(), "{wrong}");
        }
    }

    fn text() -> impl Strategy<Value = Option<String>> {
        let odd = prop::sample::select(vec![
            "",
            "null",
            "~",
            "```\n```yaml alloc\n",
            "a: b # c",
            "\u{85}\u{feff}\u{1f}",
            "x\r\ny",
            "-",
            "é ",
        ]);
        prop_oneof![Just(None), "\\PC{0,12}".prop_map(Some), odd.prop_map(|text| Some(text.to_owned()))]
    }

    fn any_anchor() -> impl Strategy<Value = Anchor> {
        let kinds = prop::sample::select(vec![Kind::Reserve, Kind::Amend, Kind::Confirm, Kind::Release, Kind::Floor]);
        let names =
            prop::sample::select(vec![("ledger.occ", "#"), ("ledger.fold", "n="), ("SEC", "SEC-"), ("occ", "occ-")]);
        let numbers = prop::collection::btree_set(0u64..6_000_000_000, 1..5);
        (kinds, names, numbers, (text(), text(), text(), text()), any::<bool>(), prop::sample::select(vec!["", "2026"]))
            .prop_map(|(kind, (name, prefix), numbers, (event, note, slug, branch), flag, scope)| {
                let numbers: Vec<u64> = numbers.into_iter().collect();
                let ids: Vec<String> = numbers.iter().map(|number| format!("{prefix}{number}")).collect();
                Anchor {
                    namespace: name.to_owned(),
                    scope: Scope::new(if name.starts_with("ledger") { "" } else { scope }),
                    kind,
                    replaces: if kind == Kind::Amend && flag { ids.clone() } else { Vec::new() },
                    ids: if kind == Kind::Floor { Vec::new() } else { ids },
                    numbers,
                    of: branch.clone(),
                    event,
                    slug,
                    agent: note.clone().unwrap_or_default(),
                    note,
                    branch,
                    at: "2026-02-19T18:00:00.000Z".to_owned(),
                    nonce: "0011-amend".to_owned(),
                    provisional: flag,
                    backfill: !flag,
                    file: flag.then(|| ("a b.md".to_owned(), "00".to_owned())),
                    jump: flag.then_some(true),
                }
            })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            anchor in any_anchor(), more in prop::collection::vec(any_anchor(), 0..3), after in prop::option::of(any::<u64>()),
            withdraws in prop::collection::vec("\\PC{0,6}", 0..3),
        ) {
            let same = more.into_iter().map(|other| Anchor { namespace: anchor.namespace.clone(), nonce: "1".to_owned(), ..other });
            let anchors: Vec<Anchor> = std::iter::once(anchor.clone()).chain(same).collect();
            let nonce = Some(attempt_nonce(&anchor.nonce, "0123456789abcdef"));
            let block = Block { nonce, after, withdraws, content: Content::Anchors(anchors) };
            let body = comment(&write(&block));
            prop_assert_eq!(read(&found(&find(&body).unwrap()), 9).unwrap(), block);
        }

        #[test]
        fn a_repair_says_what_stood_there(at in any::<u64>(), text in text()) {
            let content = Content::Repair(Repair { comment: at, found: text.map(|text| found(&text)) });
            let block = Block { nonce: Some("n.1".to_owned()), after: None, withdraws: Vec::new(), content };
            let body = comment(&write(&block));
            prop_assert_eq!(read(&found(&find(&body).unwrap()), 9).unwrap(), block);
        }

        #[test]
        fn no_comment_is_too_strange(body in "(```yaml alloc\n)?(kind: (occ|floor|repair)\n)?(\\PC|[\n`>#\\[\\]\":,{}&*-]){0,60}(```)?") {
            if let Some(text) = find(&body) {
                let _whatever = read(&found(&text), 1);
            }
        }

        #[test]
        fn ranges_are_read_again(numbers in prop::collection::btree_set(0u64..40, 0..20)) {
            let numbers: Vec<u64> = numbers.into_iter().collect();
            prop_assert_eq!(read_ranges(&ranges(&numbers)).unwrap(), numbers);
        }
    }
}
