//! One more event: stamped above what its writer has seen, and naming it as its parents. Pure.

use crate::event::decode::decode;
use crate::event::encode::{Draft, file_stem};
use crate::event::normal::MAX_BYTES;
use crate::event::schema::{Identity, Role, Schema};
use crate::event::{Event, EventId, Fault, Payload, Span, Timestamp};
use crate::ledger::State;
use crate::ledger::rule::{Item, SectionState, identify};

/// A write further ahead than this is not followed (FAULTS 23).
const FAR_AHEAD: Span = Span::hours(24);

/// The most parents that an event names; more heads than this stay heads until the next event.
const MAX_PARENTS: usize = 1_000;

/// An event that is ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The text of its file.
    pub text: String,
    /// The name of its file, without `.md`.
    pub stem: String,
    /// Its instant.
    pub ts: Timestamp,
    /// Its id.
    pub id: EventId,
    /// The latest event that is dated more than a day ahead, and stands above this one.
    pub ahead: Option<Timestamp>,
}

/// Why there is no event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// Every text is empty.
    #[error("nothing to record: every text is empty")]
    Empty,
    /// It would not be read back.
    #[error("this cannot be recorded: {}: {}", .0.code.as_str(), .0.detail)]
    Refused(Fault),
    /// It is larger than an event may be.
    #[error("the event would have {bytes} bytes, of at most {MAX_BYTES}; record it in parts")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// An event that this one must follow is dated so late that no later timestamp exists.
    #[error(
        "cannot write after the event dated {0}: no later timestamp exists; remove that event (`headwater log` lists it first)"
    )]
    EndOfTime(Timestamp),
    /// There is no later instant.
    #[error("the clock stands outside the years 1970 to 9999; set it right and try again")]
    Clock,
}

/// Puts an event together that is written now, `draft.ts`, by somebody who has seen `state`.
///
/// # Errors
/// It says nothing, would not be read back, or is too large.
pub fn compose(mut draft: Draft<'_>, state: &State, schema: &Schema, overrule: bool) -> Result<Composed, ComposeError> {
    let heads = state.heads();
    draft.parents = Some(heads.iter().rev().take(MAX_PARENTS).rev().map(|origin| origin.stamp.id).collect());
    let text = draft.encode(schema);
    if text.len() > MAX_BYTES {
        return Err(ComposeError::TooLarge { bytes: text.len() });
    }
    let event = decode(text.as_bytes(), schema).map_err(ComposeError::Refused)?;
    if event.writes.is_empty() {
        return Err(ComposeError::Empty);
    }
    let against = if overrule { overruled(state, &event, schema) } else { None };
    let (ts, ahead) = choose_ts(draft.ts, state, against)?;
    draft.ts = ts;
    let text = draft.encode(schema);
    let (stem, id) = (file_stem(ts, &draft.agent), EventId::of(&text));
    Ok(Composed { text, stem, ts, id, ahead: ahead.filter(|_| !overrule) })
}

/// The instant of the event: now, but above every event that was seen (FAULTS 22 and 23), and the latest
/// that is too far ahead to be followed.
fn choose_ts(
    now: Timestamp,
    state: &State,
    against: Option<Timestamp>,
) -> Result<(Timestamp, Option<Timestamp>), ComposeError> {
    let horizon = now.after(FAR_AHEAD).unwrap_or(now);
    let seen = state.events().values().map(|origin| origin.stamp.ts);
    let newest = seen.clone().filter(|ts| *ts <= horizon).max();
    let ahead = seen.filter(|ts| *ts > horizon).max();
    let ts = match newest.max(against).filter(|floor| *floor >= now) {
        None => now,
        Some(floor) => match floor.floor_to_millis().after(Span::MILLISECOND) {
            Some(later) => later,
            None if floor > horizon => return Err(ComposeError::EndOfTime(floor)),
            None => return Err(ComposeError::Clock),
        },
    };
    Ok((ts, ahead))
}

/// The highest stamp among the writes that this event would stand against.
fn overruled(state: &State, event: &Event, schema: &Schema) -> Option<Timestamp> {
    let against = event.writes.iter().flat_map(|write| match &write.payload {
        Payload::Text(_) => match state.section(&write.section) {
            Some(SectionState::Register(writes)) => {
                writes.winner().map(|(origin, _)| origin.stamp.ts).into_iter().collect()
            }
            _ => Vec::new(),
        },
        Payload::Entries(entries) => match state.section(&write.section) {
            Some(SectionState::Map(keys)) => {
                let writes = entries.iter().filter_map(|(key, _)| keys.get(key)?.winner());
                writes.map(|(origin, _)| origin.stamp.ts).collect()
            }
            _ => Vec::new(),
        },
        Payload::Items(items) => against_items(state, &write.section, items, schema),
        // A list keeps everything.
        Payload::Steps(_) => Vec::new(),
    });
    against.max()
}

/// What stands against items: where they close, the last writes of what they close; else what closed them.
fn against_items(state: &State, section: &str, items: &[String], schema: &Schema) -> Vec<Timestamp> {
    let known = |section: &str, identity: Identity| -> Vec<&Item> {
        match state.section(section) {
            Some(SectionState::Set(set)) => {
                items.iter().filter_map(|text| set.item(&identify(text.trim().to_owned(), identity))).collect()
            }
            _ => Vec::new(),
        }
    };
    if schema.role(section) == Role::Closing {
        let closed = schema.closed_by(section).flat_map(|closed| known(&closed.name, closed.identity));
        return closed.filter_map(Item::last).map(|last| last.stamp.ts).collect();
    }
    let identity = schema.section(section).map_or(Identity::Words, |declared| declared.identity);
    known(section, identity).into_iter().filter_map(Item::closed).map(|closed| closed.stamp.ts).collect()
}
