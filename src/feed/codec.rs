//! A post as an event's text: its fields in the front matter, its text as a quotation under a heading.
//!
//! No line of such a body can be a section of the ledger: the heading comes first, and every other line
//! begins with `>`. The fields have a `-` in their names, which no section's name can have. So a post
//! adds to the count and the digest of the view, and to nothing else.

use super::post::{Kind, Post, Says};
use crate::event::decode::decode_text;
use crate::event::encode::quote;
use crate::event::front;
use crate::event::normal::{Normalised, normalise_text};
use crate::event::schema::Schema;
use crate::event::text::collapse;
use crate::event::yaml::{self, Node, Value};
use crate::event::{EventId, IdPrefix, Place, Timestamp};
use crate::ledger::escape::escape;
use std::fmt::Write as _;

/// The `type` of an event that is a post.
pub const TYPE: &str = "post";

/// A post that is about to be written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// When.
    pub ts: Timestamp,
    /// By which seat.
    pub seat: String,
    /// On which branch.
    pub branch: Option<String>,
    /// The newest posts that the writer has seen.
    pub parents: Vec<EventId>,
    /// What it says.
    pub says: Says,
}

impl Draft {
    /// The text of the event.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::from("---\n");
        let says = &self.says;
        let digest = |id: &Option<EventId>| id.as_ref().map(|id| id.to_hex());
        let fields = [
            ("ts", Some(self.ts.to_string())),
            ("agent", Some(self.seat.clone())),
            ("branch", self.branch.clone()),
            ("type", Some(TYPE.to_owned())),
            ("post-kind", Some(says.kind.word().to_owned())),
            ("post-item", says.item.clone()),
            ("post-to", says.to.clone()),
            ("post-subject", Some(collapse(&says.subject).into_owned())),
            ("post-of", digest(&says.of)),
            ("post-proof", digest(&says.proof)),
            ("post-key", says.key.clone()),
            ("post-reserved", says.reserved.clone()),
            ("post-confirm", says.provisional.then(|| PENDING.to_owned())),
        ];
        for (name, value) in fields.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            let _infallible = writeln!(out, "{name}: {}", quote(value));
        }
        let parents: Vec<String> = self.parents.iter().map(|id| quote(&id.to_hex())).collect();
        let _infallible = writeln!(out, "parents: [{}]\n---\n\n{}", parents.join(", "), self.heading());
        if !says.text.is_empty() {
            out.push('\n');
        }
        for line in says.text.lines() {
            out.push_str(if line.is_empty() { ">" } else { "> " });
            out.push_str(line);
            out.push('\n');
        }
        out
    }

    fn heading(&self) -> String {
        let says = &self.says;
        let void = || says.voids().map(|post| format!(" void: {post:.12}")).unwrap_or_default();
        let item = says.item.as_ref().map_or_else(void, |item| format!(" {item}"));
        let to = says.to.as_ref().map(|to| format!(" is now {to}")).unwrap_or_default();
        let pending = if says.provisional { " (CONFIRM-PENDING)" } else { "" };
        format!("## {}{item}{to}{pending}: {}", says.kind.mark(), escape(&says.subject))
    }

    /// The post as every reader sees it.
    ///
    /// # Errors
    /// It cannot be written like this; in words.
    pub fn post(&self, schema: &Schema) -> Result<(String, Post), String> {
        let text = self.encode();
        let normalised = normalise_text(&text);
        let event = decode_text(&normalised, schema).map_err(|fault| fault.detail)?;
        if !event.writes.is_empty() {
            return Err("its first line reads like a section of the ledger; choose another subject".to_owned());
        }
        match decode(&normalised, schema) {
            Ok(Some(post)) => Ok((text, post)),
            Ok(None) => Err("it would not be read as a post".to_owned()),
            Err(bad) => Err(bad.fault),
        }
    }
}

/// What `post-confirm` says of a provisional number.
const PENDING: &str = "pending";

/// An event that says it is a post, and cannot be read as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BadPost {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub fault: String,
}

/// Reads a post; `None` for an event that is none, and for what is no event.
///
/// # Errors
/// It says it is a post, and its fields are wrong.
pub fn decode(normalised: &Normalised<'_>, schema: &Schema) -> Result<Option<Post>, BadPost> {
    let Ok(parts) = front::split(&normalised.text, normalised.first_line) else { return Ok(None) };
    // Most events are no posts, and need not be read twice.
    if !parts.matter.contains(TYPE) {
        return Ok(None);
    }
    let Ok(event) = decode_text(normalised, schema) else { return Ok(None) };
    if event.origin.meta.kind.as_deref() != Some(TYPE) {
        return Ok(None);
    }
    let matter = yaml::read(parts.matter, parts.matter_line);
    let says = says(&matter.root, parts.body, Place::new(parts.matter_line, 1))?;
    let origin = event.origin;
    Ok(Some(Post {
        stamp: origin.stamp.clone(),
        branch: origin.meta.branch.clone(),
        parents: origin.parents.clone(),
        says,
    }))
}

fn says(front: &Node<'_>, body: &str, start: Place) -> Result<Says, BadPost> {
    let text = |name: &str| -> Result<Option<String>, BadPost> {
        match front.get(name) {
            None => Ok(None),
            Some(node) => match &node.value {
                Value::Absent => Ok(None),
                Value::Scalar(text) => Ok(Some(collapse(text).into_owned()).filter(|text| !text.is_empty())),
                Value::List(_) | Value::Mapping(_) => {
                    Err(BadPost { place: node.place, fault: format!("`{name}` is no text") })
                }
            },
        }
    };
    let place = |name: &str| front.get(name).map_or(start, |node| node.place);
    let event = |name: &str| -> Result<Option<EventId>, BadPost> {
        let Some(digits) = text(name)? else { return Ok(None) };
        let whole = IdPrefix::parse(&digits).filter(|_| digits.len() == 64).map(|prefix| prefix.lowest());
        let wrong = || BadPost { place: place(name), fault: format!("`{name}` is no event's id of 64 digits") };
        whole.map(Some).ok_or_else(wrong)
    };
    let word = text("post-kind")?.unwrap_or_default();
    let kind = Kind::of(&word).ok_or_else(|| BadPost {
        place: place("post-kind"),
        fault: format!("`post-kind` is `{}`, which is no kind of post", word.escape_debug()),
    })?;
    let provisional = match text("post-confirm")?.as_deref() {
        None => false,
        Some(PENDING) => true,
        Some(_) => {
            return Err(BadPost { place: place("post-confirm"), fault: "`post-confirm` can only be `pending`".into() });
        }
    };
    let says = Says {
        kind,
        item: text("post-item")?,
        subject: text("post-subject")?.unwrap_or_default(),
        text: prose(body),
        to: text("post-to")?,
        of: event("post-of")?,
        proof: event("post-proof")?,
        key: text("post-key")?,
        reserved: text("post-reserved")?,
        provisional,
    };
    match says.fault() {
        Some(fault) => Err(BadPost { place: start, fault }),
        None => Ok(says),
    }
}

/// The text under the first heading, out of its quotation.
fn prose(body: &str) -> String {
    let body = body.trim();
    let under = if body.starts_with('#') { body.split_once('\n').map_or("", |(_, under)| under) } else { body };
    let under = under.trim();
    if !under.lines().all(|line| line.starts_with('>')) {
        return under.to_owned();
    }
    let line = |line: &str| {
        let line = line.strip_prefix('>').unwrap_or(line);
        line.strip_prefix(' ').unwrap_or(line).to_owned()
    };
    under.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A text as a post can hold it: LF lines, nothing at its ends.
#[must_use]
pub fn text_of(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Draft, decode, text_of};
    use crate::event::normal::normalise_text;
    use crate::event::schema::Schema;
    use crate::event::{EventId, Timestamp};
    use crate::feed::{Kind, Says};
    use proptest::prelude::*;

    fn draft(says: Says) -> Draft {
        Draft {
            ts: Timestamp::parse("2026-04-16T20:04:22Z").unwrap(),
            seat: "CAMBER-12".to_owned(),
            branch: Some("main".to_owned()),
            parents: vec![EventId::of("x")],
            says,
        }
    }

    /// Append-only: a post that was ever written must be read the same for ever.
    #[test]
    fn vector() {
        let mut says = Says::new(Kind::Actionable, Some("CMB-0105"), "Redline: cards group wrongly");
        says.text = "now: look\n\n## Decisions\n- a: b".to_owned();
        says.reserved = Some("n1".to_owned());
        says.provisional = true;
        let (text, post) = draft(says.clone()).post(&Schema::default()).unwrap();
        let parent = EventId::of("x").to_hex();
        assert_eq!(
            text,
            format!(
                "---\nts: \"2026-04-16T20:04:22Z\"\nagent: \"CAMBER-12\"\nbranch: \"main\"\ntype: \"post\"\npost-kind: \"actionable\"\npost-item: \"CMB-0105\"\npost-subject: \"Redline: cards group wrongly\"\npost-reserved: \"n1\"\npost-confirm: \"pending\"\nparents: [\"{parent}\"]\n---\n\n## AWAITING_CLAIM CMB-0105 (CONFIRM-PENDING): Redline: cards group wrongly\n\n> now: look\n>\n> ## Decisions\n> - a: b\n"
            )
        );
        assert_eq!(post.says, says);
        assert_eq!(post.stamp.agent, "CAMBER-12");
    }

    #[test]
    fn a_repair_without_an_item_says_that_a_post_is_void() {
        let says = Says { of: Some(EventId::of("y")), ..Says::new(Kind::Repair, None, "nobody's") };
        let (text, post) = draft(says.clone()).post(&Schema::default()).unwrap();
        let of = EventId::of("y").to_hex();
        assert!(
            text.contains(&format!("post-kind: \"repair\"\npost-subject: \"nobody's\"\npost-of: \"{of}\"\n")),
            "{text}"
        );
        assert!(text.contains(&format!("## STATE-REPAIR void: {}: nobody's\n", &of[..12])), "{text}");
        assert_eq!((post.says.voids(), &post.says), (Some(EventId::of("y")), &says));
    }

    #[test]
    fn what_is_written_by_hand() {
        let read = |front: &str, body: &str| {
            let text = format!("---\nts: 2026-04-16T20:04:22Z\nagent: a\ntype: post\n{front}---\n{body}");
            decode(&normalise_text(&text), &Schema::default())
        };
        let post = read("post-kind: note\npost-subject: hello\n", "# A\n\nfree text\n").unwrap().unwrap();
        assert_eq!((post.says.text.as_str(), post.parents), ("free text", None));
        for (front, fault) in [
            ("post-subject: x\n", "no kind of post"),
            ("post-kind: repair\npost-subject: x\n", "names no item"),
            ("post-kind: claim\npost-subject: x\n", "names no item"),
            ("post-kind: claim\npost-item: x 1\npost-subject: x\n", "no id"),
            ("post-kind: claim\npost-item: A-1\n", "no subject"),
            ("post-kind: amend\npost-item: A-1\npost-subject: x\n", "new id"),
            ("post-kind: note\npost-subject: x\npost-of: abc\n", "64 digits"),
            ("post-kind: note\npost-subject: [x]\n", "no text"),
            ("post-kind: note\npost-subject: x\npost-confirm: no\n", "only be `pending`"),
        ] {
            let bad = read(front, "").unwrap_err();
            assert!(bad.fault.contains(fault), "{front:?}: {}", bad.fault);
        }
        let other = "---\nts: 2026-04-16T20:04:22Z\nagent: a\ntype: note\npost-kind: claim\n---\n";
        assert_eq!(decode(&normalise_text(other), &Schema::default()), Ok(None));
    }

    proptest! {
        /// Whatever is said is read back, and never becomes a section of the ledger.
        #[test]
        fn prop_every_post_is_read_back(
            subject in "[ -~é猫\u{202e}]{1,20}", text in "([ -~é\t]{0,8}\r?\n?){0,5}|\\PC{0,20}", key in "[ -~]{0,6}",
        ) {
            prop_assume!(!subject.trim().is_empty());
            let subject = crate::event::text::collapse(&subject).into_owned();
            let mut says = Says::new(Kind::Note, None, &subject);
            says.text = text_of(&text);
            says.key = Some(crate::event::text::collapse(&key).into_owned()).filter(|key| !key.is_empty());
            let (text, post) = draft(says.clone()).post(&Schema::default()).unwrap();
            prop_assert_eq!(post.says, says);
            prop_assert_eq!(post.stamp.id, EventId::of(&text));
        }
    }
}
