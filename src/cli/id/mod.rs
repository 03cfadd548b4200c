//! `headwater id`: one file a command.

mod args;
mod check;
mod confirm;
mod import;
mod inbox;
mod init;
mod list;
mod next;
mod release;
mod renumber;
mod reserve;
mod show;
mod sync;
mod with;

pub use args::IdCommand;
pub(super) use check::before_push;

use super::clock;
use super::context::Context;
use super::error::{CliError, Exit};
use super::hub::IssueFinder;
use super::record;
use crate::config::{LogKind, Namespace};
use crate::git::Layout;
use crate::ids::reserve::{Asking, nonce};
use crate::ids::{Allocator, Place};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) fn run(context: &Context<'_>, command: IdCommand) -> Result<Exit, CliError> {
    // Whoever configures no ids has none that collide: a workflow asks all the same.
    let asks_of_all = matches!(&command, IdCommand::Check(args) if args.namespaces.is_empty());
    if context.config.ids.is_empty() && !asks_of_all {
        let place =
            context.config_file.as_ref().map_or(".headwater.yaml".to_owned(), |file| file.display().to_string());
        return Err(CliError::Usage(format!(
            "no ids are configured; name a namespace in `{place}`, such as `ids: {{SEC: {{sources: [TASKS.md]}}}}`"
        )));
    }
    let desk = Desk::new(context);
    match command {
        IdCommand::Init(args) => init::run(&desk, args),
        IdCommand::Next(args) => next::run(&desk, &args),
        IdCommand::Reserve(args) => reserve::run(&desk, &args),
        IdCommand::Confirm(args) => confirm::run(&desk, &args),
        IdCommand::Release(args) => release::run(&desk, &args),
        IdCommand::List(args) => list::run(&desk, &args),
        IdCommand::Show(args) => show::run(&desk, &args),
        IdCommand::Sync(args) => sync::run(&desk, &args),
        IdCommand::Check(args) => check::run(&desk, &args),
        IdCommand::Import(args) => import::run(&desk, &args),
        IdCommand::With(args) => with::run(&desk, &args),
        IdCommand::Inbox(args) => inbox::run(&desk, &args),
        IdCommand::Renumber(args) => renumber::run(&desk, &args),
    }
}

/// What is wrong with the set-up of ids, for `headwater doctor`.
pub(super) fn diagnose(context: &Context<'_>) -> Result<Vec<String>, CliError> {
    if context.config.ids.is_empty() {
        return Ok(Vec::new());
    }
    let desk = Desk::new(context);
    Ok(desk.allocator(false).diagnose(&desk.asking(None)?)?)
}

/// Confirms or amends the provisional ids of this clone, for the hooks of sessions; what became of them, in words.
pub(super) fn settle(context: &Context<'_>, patience: Duration) -> Result<Vec<String>, CliError> {
    let shared: Vec<&Namespace> =
        context.config.ids.values().filter(|namespace| namespace.log != LogKind::Local).collect();
    let desk = Desk::new(context);
    let allocator = Allocator { patience: Some(patience), ..desk.allocator(false) };
    let mut said = Vec::new();
    // Where nothing was ever reserved, nothing waits.
    if shared.is_empty() || !allocator.place.folder.is_dir() {
        return Ok(said);
    }
    for namespace in shared {
        if !allocator.unsettled(namespace)? {
            continue;
        }
        let settled = allocator.sync(namespace, &desk.asking(None)?, None)?;
        said.extend(settled.confirmed.iter().map(|id| format!("{id} is confirmed")));
        said.extend(
            settled.amended.iter().map(|(old, new)| format!("{old} was taken by somebody else and is {new} now")),
        );
    }
    Ok(said)
}

/// Where ids are asked for.
pub(super) struct Desk<'a> {
    context: &'a Context<'a>,
    warn: Box<dyn Fn(&str) + 'a>,
    issues: IssueFinder<'a>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(context: &'a Context<'a>) -> Self {
        let said = RefCell::new(BTreeSet::new());
        // Several namespaces, and several steps of one command, may come upon the same thing.
        let warn = Box::new(move |text: &str| {
            if said.borrow_mut().insert(text.to_owned()) {
                context.console.warning(&format!("warning: {text}"));
            }
        });
        Self { context, warn, issues: IssueFinder::new(context, None, None) }
    }

    /// The allocator of a command that may be told to follow a jump of numbers.
    fn following(&'a self, fetch: bool, follow: bool) -> Allocator<'a> {
        Allocator { follow, ..self.allocator(fetch) }
    }

    pub(super) fn allocator(&'a self, fetch: bool) -> Allocator<'a> {
        Allocator {
            follow: false,
            place: self.place(),
            namespaces: &self.context.config.ids,
            patience: self.context.patience,
            fetch,
            say: &*self.warn,
            github: &self.issues,
        }
    }

    fn place(&self) -> Place {
        let layout = self.context.layout.clone();
        let folder_of = |file: &Path| file.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned);
        let beside = || self.context.config_file.as_deref().and_then(folder_of).unwrap_or_else(|| PathBuf::from("."));
        let top = layout.as_ref().map_or_else(beside, |layout| layout.work_tree.clone());
        let folder = layout.as_ref().map_or_else(|| top.join(".headwater"), Layout::own_dir);
        Place { folder, top, layout }
    }

    pub(super) fn asking(&self, agent: Option<&String>) -> Result<Asking, CliError> {
        let layout = self.context.layout.as_ref();
        let at = clock::now()?.to_string();
        // Always to the millisecond, as programs that read it expect.
        let at = if at.contains('.') { at } else { at.replace('Z', ".000Z") };
        let branch = layout.map(Layout::branch).transpose()?.flatten();
        Ok(Asking { agent: record::agent_name(layout, agent.cloned())?, branch, at, nonce: nonce()? })
    }

    /// The namespaces of these names; all of them if none is named.
    fn namespaces(&'a self, allocator: &'a Allocator<'a>, names: &[String]) -> Result<Vec<&'a Namespace>, CliError> {
        if names.is_empty() {
            return Ok(self.context.config.ids.values().collect());
        }
        names.iter().map(|name| Ok(allocator.namespace(name)?)).collect()
    }
}
