//! `headwater feed show`: everything that was said of an item.

use super::args::ShowArgs;
use super::gather::{Gathered, gather};
use super::queue::aliases;
use crate::cli::console::{AGENT, BOLD, WARNING, styled};
use crate::cli::context::{Context, Ledger};
use crate::cli::error::{CliError, Exit};
use crate::cli::origins::phrase;
use crate::feed::{Board, Filing, Post, Verdict};
use crate::ledger::escape::safe_for_terminal;
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &ShowArgs) -> Result<Exit, CliError> {
    let gathered = gather(context, ledger)?;
    let board = Board::of(&gathered.feed);
    let found = board.all_of(&args.item);
    if found.is_empty() {
        return Err(CliError::Usage(format!(
            "nobody filed `{}`; `headwater feed queue --all` shows what was",
            args.item.escape_debug()
        )));
    }
    if context.console.json {
        let items: Vec<Value> = found.iter().map(|filing| item_json(&gathered, &board, filing)).collect();
        context.console.json(
            &json!({"schema": "headwater.feed.show/1", "ledger": ledger.name, "asked": args.item, "items": items}),
        )?;
        return Ok(Exit::Done);
    }
    for filing in found {
        context.console.result(text(&gathered, &board, filing).trim_end())?;
    }
    Ok(Exit::Done)
}

fn posts<'a>(gathered: &'a Gathered, filing: &'a Filing) -> impl Iterator<Item = &'a Post> {
    filing.posts.iter().filter_map(|id| gathered.feed.get(id))
}

fn text(gathered: &Gathered, board: &Board, filing: &Filing) -> String {
    let owner = filing.stage.owner().map(|owner| format!(" by {}", phrase(owner, 24))).unwrap_or_default();
    let mut out = format!(
        "{}  {}{owner}  {}\n",
        styled(&filing.holding.item, BOLD),
        filing.stage.word(),
        phrase(&filing.subject, 100)
    );
    if let Some(rival) = board.loses(filing) {
        let mark = styled("COLLISION", WARNING);
        let _infallible = writeln!(out, "    {mark}: {} has the better right to this id", phrase(&rival.by.agent, 24));
    }
    let former = aliases(&filing.former);
    if !former.is_empty() {
        let _infallible = writeln!(out, "    once {}", former.join(", "));
    }
    for post in posts(gathered, filing) {
        out.push_str("    ");
        out.push_str(&line(post));
        if let Some(Verdict::Refused(refusal)) = board.verdict(&post.stamp.id) {
            let _infallible = write!(out, "  ({})", phrase(&refusal.text(), 120));
        } else if let Some(Verdict::Repeats(_)) = board.verdict(&post.stamp.id) {
            out.push_str("  (said before)");
        } else if let Some(Verdict::Void(_)) = board.verdict(&post.stamp.id) {
            out.push_str("  (void)");
        }
        out.push('\n');
        for line in post.says.text.lines() {
            let _infallible = writeln!(out, "        {}", safe_for_terminal(line));
        }
    }
    out
}

/// A post on one line.
pub(super) fn line(post: &Post) -> String {
    let says = &post.says;
    let void = || says.voids().map(|post| format!(" void: {post:.12}")).unwrap_or_default();
    let item = says.item.as_ref().map_or_else(void, |item| format!(" {item}"));
    let to = says.to.as_ref().map(|to| format!(" is now {to}")).unwrap_or_default();
    let pending = if says.provisional { "  CONFIRM-PENDING" } else { "" };
    let id = post.stamp.id.to_hex();
    format!(
        "{}  {}  {}{item}{to}{pending}  {}  {}",
        post.stamp.ts,
        styled(&phrase(&post.stamp.agent, 24), AGENT),
        says.kind.mark(),
        phrase(&says.subject, 100),
        id.get(..12).unwrap_or_default()
    )
}

fn item_json(gathered: &Gathered, board: &Board, filing: &Filing) -> Value {
    let post = |post: &Post| {
        let mut value = post_json(post);
        let (effect, why) = match board.verdict(&post.stamp.id) {
            None | Some(Verdict::Done) => ("done", None),
            Some(Verdict::Repeats(_)) => ("repeats", None),
            Some(Verdict::Void(_)) => ("void", None),
            Some(Verdict::Refused(refusal)) => ("refused", Some(refusal.text())),
        };
        if let Some(fields) = value.as_object_mut() {
            fields.insert("file".to_owned(), gathered.place(&post.stamp.id).into());
            fields.insert("effect".to_owned(), effect.into());
            fields.insert("why".to_owned(), why.into());
        }
        value
    };
    let posts: Vec<Value> = posts(gathered, filing).map(post).collect();
    json!({"item": filing.holding.item, "state": filing.stage.word(), "owner": filing.stage.owner(),
        "subject": filing.subject, "aliases": aliases(&filing.former), "confirm_pending": filing.holding.is_pending(),
        "collides_with": board.loses(filing).map(|rival| rival.by.id.to_hex()), "posts": posts})
}

/// A post for programs.
pub(super) fn post_json(post: &Post) -> Value {
    let says = &post.says;
    let hex = |id: &Option<crate::event::EventId>| id.map(crate::event::EventId::to_hex);
    json!({"post": post.stamp.id.to_hex(), "ts": post.stamp.ts.to_string(), "seat": post.stamp.agent,
        "branch": post.branch, "kind": says.kind.word(), "item": says.item, "to": says.to, "subject": says.subject,
        "text": says.text, "of": hex(&says.of), "proof": hex(&says.proof), "key": says.key,
        "says_reserved": says.reserved.is_some(), "confirm_pending": says.provisional})
}
