//! `headwater log`: what happened, newest first.

use super::args::LogArgs;
use super::clock::now_unix_nanos;
use super::console::{AGENT, styled};
use super::context::{Context, Ledger};
use super::error::{CliError, Exit};
use super::inspect::{events, headline, readings, report_left_out};
use super::origins::phrase;
use crate::event::{Event, Origin, Span, Timestamp};
use serde_json::{Value, json};

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &LogArgs) -> Result<Exit, CliError> {
    let since = args.since.as_deref().map(since).transpose()?;
    let wanted = |origin: &Origin| {
        let is = |value: &Option<String>, wanted: &Option<String>| wanted.is_none() || value == wanted;
        args.agent.as_ref().is_none_or(|agent| origin.stamp.agent == *agent)
            && is(&origin.meta.branch, &args.branch)
            && is(&origin.meta.kind, &args.kind)
            && since.is_none_or(|since| origin.stamp.ts.unix_nanos() >= since)
    };
    let (readings, outside) = readings(context, ledger)?;
    report_left_out(context, &outside);
    let mut events = events(readings);
    events.retain(|(event, _)| wanted(&event.origin));
    events.sort_by(|(a, _), (b, _)| b.origin.cmp(&a.origin));
    events.dedup_by(|(a, _), (b, _)| a.origin == b.origin);
    if context.console.json {
        let entry = |(event, file): &(Event, String)| {
            let sections: Vec<&str> = event.writes.iter().map(|write| write.section.as_str()).collect();
            json!({"by": outside.json(&event.origin), "type": event.origin.meta.kind, "reason": event.origin.meta.reason,
                "file": file, "sections": sections, "phrase": headline(event)})
        };
        let events: Vec<Value> = events.iter().map(entry).collect();
        context.console.json(&json!({"schema": "headwater.log/1", "ledger": ledger.name, "events": events}))?;
        return Ok(Exit::Done);
    }
    for (event, _) in &events {
        let Origin { stamp, meta, .. } = event.origin.as_ref();
        let part = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), |text| phrase(text, 30));
        let headline = headline(event).map(|text| format!("  {}", phrase(&text, 70))).unwrap_or_default();
        let agent = styled(&phrase(&stamp.agent, 24), AGENT);
        context.console.result(&format!(
            "{}  {agent}{}  {}  {}{headline}",
            stamp.ts,
            outside.mark(&event.origin),
            part(&meta.branch),
            part(&meta.kind)
        ))?;
    }
    Ok(Exit::Done)
}

fn since(text: &str) -> Result<i128, CliError> {
    if let Some(ts) = Timestamp::parse(text) {
        return Ok(ts.unix_nanos());
    }
    if let Some(ts) = Timestamp::parse(&format!("{text}T00:00:00Z")) {
        return Ok(ts.unix_nanos());
    }
    let span = Span::parse(text, "mhdw")
        .map_err(|error| CliError::Usage(format!("--since: {error}, or an instant, or a day")))?;
    Ok(now_unix_nanos() - i128::from(span.seconds()) * 1_000_000_000)
}
