//! `headwater feed tail`: posts as they come. Sleeps between them.

use super::args::TailArgs;
use super::gather::{folders, gather};
use super::show::{line, post_json};
use crate::cli::context::{Context, Ledger};
use crate::cli::error::{CliError, Exit};
use crate::event::EventId;
use crate::feed::{Feed, Post, item_key};
use crate::store::{Wake, Watch};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// After this time it looks again though nothing was heard: a folder that was not there yet, a file
/// system without notifications.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &TailArgs) -> Result<Exit, CliError> {
    let mut watch = Watch::new();
    let mut shown: BTreeSet<EventId> = BTreeSet::new();
    let mut first = true;
    loop {
        if !args.no_follow {
            // Before the posts are read, so that what comes meanwhile is heard.
            for folder in watched(context, ledger) {
                watch.add(&folder)?;
            }
        }
        let feed = gather(context, ledger)?.feed;
        let mut posts = new(&feed, &shown, args);
        if first {
            let skipped = posts.len().saturating_sub(args.lines);
            shown.extend(posts.drain(..skipped).map(|post| post.stamp.id));
        }
        for post in posts {
            shown.insert(post.stamp.id);
            if !print(context, post)? {
                return Ok(Exit::Done);
            }
        }
        if args.no_follow {
            return Ok(Exit::Done);
        }
        first = false;
        if watch.wait(LOOK_AGAIN) == Wake::Closed {
            return Ok(Exit::Done);
        }
    }
}

/// The folders of events, and those of branches.
fn watched(context: &Context<'_>, ledger: &Ledger) -> Vec<PathBuf> {
    let mut watched: Vec<PathBuf> = Vec::new();
    for (dir, _) in folders(context, ledger) {
        watched.push(dir.path().to_owned());
        watched.push(dir.events());
    }
    watched
}

fn new<'a>(feed: &'a Feed, shown: &BTreeSet<EventId>, args: &TailArgs) -> Vec<&'a Post> {
    let key = args.item.as_deref().map(item_key);
    let about = |post: &Post| match &key {
        None => true,
        Some(key) => post.says.item.iter().chain(&post.says.to).any(|item| item_key(item) == *key),
    };
    feed.in_order().into_iter().filter(|post| !shown.contains(&post.stamp.id) && about(post)).collect()
}

/// Prints a post; whether anybody reads.
fn print(context: &Context<'_>, post: &Post) -> Result<bool, CliError> {
    if context.console.json {
        context.console.json_line(&post_json(post))?;
    } else {
        context.console.result(&line(post))?;
    }
    Ok(context.console.is_heard())
}
