//! `headwater ledger`: the collision ledger.

mod allocate;
mod args;
mod rebuild;
mod verify;

pub use args::LedgerCommand;

use super::clock;
use super::context::Context;
use super::error::{CliError, Exit};
use super::hub::IssueFinder;
use super::progress::with_progress;
use super::record;
use crate::config::{LogKind, Namespace};
use crate::git::{Git, Layout};
use crate::ids::IdsError;
use crate::ids::collisions::page::PageFault;
use crate::ids::collisions::record::{Anchors, Record};
use crate::ids::collisions::{LedgerKind, memory, page};
use crate::ids::contract::AnchorLog;
use crate::ids::github::GithubLog;
use crate::ids::github::journal::Divergence;
use crate::ids::gitlog::GitLog;
use crate::ids::reserve::{Asking, nonce};
use crate::ids::sqlite::{SqliteLog, Start};
use crate::store::{StoreError, read_in_tree};
use crate::trust::path::InTree;
use crate::trust::remote::{NoRemote, OwnRemotes};
use args::Whereabouts;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) fn run(context: &Context<'_>, command: LedgerCommand) -> Result<Exit, CliError> {
    match command {
        LedgerCommand::Allocate(args) => allocate::run(&Desk::new(context, &args.place)?, &args),
        LedgerCommand::Rebuild(args) => rebuild::run(&Desk::new(context, &args.place)?, &args),
        LedgerCommand::Verify(args) => verify::run(&Desk::new(context, &args)?),
    }
}

/// Where the ledger is.
struct Desk<'a> {
    context: &'a Context<'a>,
    issues: IssueFinder<'a>,
    log: LogKind,
    warn: Box<dyn Fn(&str) + 'a>,
}

/// The published anchors, and what is wrong with them.
struct Published {
    anchors: BTreeMap<LedgerKind, Anchors>,
    divergences: Vec<Divergence>,
    oddities: Vec<String>,
}

/// The two files that are projected.
struct Surfaces {
    page: InTree,
    page_text: Option<String>,
    memory: InTree,
    memory_text: Option<String>,
}

impl<'a> Desk<'a> {
    fn new(context: &'a Context<'a>, place: &Whereabouts) -> Result<Self, CliError> {
        // Whoever names an issue means the log there.
        let named = place.log.map(LogKind::from).or(place.issue.map(|_| LogKind::Github));
        let desk = Self {
            context,
            issues: IssueFinder::new(context, place.issue, place.repo.clone()),
            log: named.unwrap_or(context.config.collisions.log),
            warn: Box::new(|text| context.console.warning(&format!("warning: {text}"))),
        };
        for (option, is_given) in [("--issue", place.issue.is_some()), ("--repo", place.repo.is_some())] {
            desk.only_on_github(option, is_given)?;
        }
        Ok(desk)
    }

    /// Refuses an option that speaks of an issue where the log is none.
    fn only_on_github(&self, option: &str, is_given: bool) -> Result<(), CliError> {
        let log = match self.log {
            LogKind::Github => return Ok(()),
            LogKind::Git => "git",
            LogKind::Local => "local",
        };
        let text = format!(
            "{option} speaks of the issue of `--log github`, and the log here is `{log}`; leave one of them out"
        );
        if is_given { Err(CliError::Usage(text)) } else { Ok(()) }
    }

    fn top(&self) -> PathBuf {
        let beside =
            || self.context.config_file.as_deref().and_then(Path::parent).map(Path::to_owned).unwrap_or_default();
        self.context.layout.as_ref().map_or_else(beside, |layout| layout.work_tree.clone())
    }

    fn folder(&self) -> PathBuf {
        self.context.layout.as_ref().map_or_else(|| self.top().join(".headwater"), Layout::own_dir)
    }

    fn asking(&self, agent: Option<&String>) -> Result<Asking, CliError> {
        let layout = self.context.layout.as_ref();
        let at = clock::now()?.to_string();
        let at = if at.contains('.') { at } else { at.replace('Z', ".000Z") };
        let branch = layout.map(Layout::branch).transpose()?.flatten();
        Ok(Asking { agent: record::agent_name(layout, agent.cloned())?, branch, at, nonce: nonce()? })
    }

    fn namespace(&self, kind: LedgerKind) -> Result<Namespace, CliError> {
        kind.namespace(self.log).map_err(CliError::CannotTell)
    }

    fn github(&self) -> Result<GithubLog<'_>, CliError> {
        Ok(GithubLog::new(self.issues.find(None)?, &self.folder()))
    }

    /// Does something with the log of a kind.
    fn with_log<T>(
        &self,
        kind: LedgerKind,
        work: impl FnOnce(&mut dyn AnchorLog) -> Result<T, IdsError>,
    ) -> Result<T, CliError> {
        let namespace = self.namespace(kind)?;
        match self.log {
            LogKind::Local => {
                let patience = self.context.patience.unwrap_or(Duration::from_secs(5));
                // Not the database of `headwater id`: that one is only started by `id init`.
                let folder = self.folder().join("ledger");
                Ok(work(&mut SqliteLog::open(&folder, patience, Start::Allowed)?)?)
            }
            LogKind::Git => {
                let git = self.git()?;
                let patience = self.context.patience.unwrap_or(Duration::from_secs(30));
                let mut log = GitLog::new(&git, &namespace, patience, &*self.warn)?;
                log.copy = namespace.reference.replacen("refs/headwater/", "refs/headwater/seen/", 1);
                let asking = format!("asking {}", log.name);
                Ok(with_progress(self.context, &asking, || work(&mut log))?)
            }
            LogKind::Github => Ok(work(&mut self.github()?)?),
        }
    }

    fn git(&self) -> Result<Git, CliError> {
        let git = self.context.git_for("`--log git`")?;
        match OwnRemotes::of(&git)?.choose(None) {
            Ok(_) => Ok(git),
            Err(NoRemote::Refused(refusal)) => Err(refusal.into()),
            Err(NoRemote::Missing { name, .. }) => {
                Err(CliError::Usage(format!("`--log git` needs the remote `{name}`; add it, or use another `--log`")))
            }
        }
    }

    /// Reads all anchors as everybody reads them.
    fn published(&self) -> Result<Published, CliError> {
        let mut anchors = BTreeMap::new();
        if self.log == LogKind::Github {
            let seen = self.github()?.look()?;
            for kind in LedgerKind::ALL {
                let of_kind = seen.thread.of(kind.namespace_name());
                anchors.insert(kind, of_kind.map(|placed| (Some(placed.comment), placed.anchor.clone())).collect());
            }
            let oddities = seen.oddities();
            return Ok(Published { anchors, divergences: seen.divergences, oddities });
        }
        for kind in LedgerKind::ALL {
            let of_kind = self.with_log(kind, |log| log.read(kind.namespace_name()))?;
            anchors.insert(kind, of_kind.into_iter().map(|anchor| (None, anchor)).collect());
        }
        Ok(Published { anchors, divergences: Vec::new(), oddities: Vec::new() })
    }

    /// Warns of blocks that nobody can read, and of whatever else is odd about the issue.
    fn report_oddities(&self, published: &Published) {
        published.oddities.iter().for_each(|oddity| (self.warn)(oddity));
    }

    /// Warns of anchors that somebody edited or deleted.
    fn report_divergences(&self, published: &Published) {
        for divergence in &published.divergences {
            (self.warn)(&format!(
                "comment {} {} since it was seen here; `headwater ledger rebuild --repair` publishes again what it said",
                divergence.comment, divergence.kind
            ));
        }
    }

    fn surfaces(&self) -> Result<Surfaces, CliError> {
        let config = &self.context.config.collisions;
        let read = |name: &str| -> Result<(InTree, Option<String>), CliError> {
            let path = InTree::file(&self.top(), name).map_err(StoreError::from)?;
            let not_text = |_| CliError::Usage(format!("`{name}` is not UTF-8; save it as UTF-8"));
            let text = read_in_tree(&path)?.map(String::from_utf8).transpose().map_err(not_text)?;
            Ok((path, text))
        };
        let ((page, page_text), (memory, memory_text)) = (read(&config.page)?, read(&config.memory)?);
        Ok(Surfaces { page, page_text, memory, memory_text })
    }

    /// What the page is to hold, and its prose.
    fn project_page(record: &Record, surfaces: &Surfaces) -> Result<(String, page::Prose), CliError> {
        let prose = page::prose(surfaces.page_text.as_deref().unwrap_or_default(), record)
            .map_err(|PageFault { line, fault }| Self::refused(&surfaces.page, line, &fault))?;
        Ok((page::render(record, &prose), prose))
    }

    /// What the memory file is to hold.
    fn project_memory(&self, record: &Record, surfaces: &Surfaces) -> Result<String, CliError> {
        let config = &self.context.config.collisions;
        let row = memory::row(record, &memory::link(&config.memory, &config.page));
        memory::replace(surfaces.memory_text.as_deref().unwrap_or_default(), &row)
            .map_err(|(line, fault)| Self::refused(&surfaces.memory, line, fault))
    }

    /// A file that can be read in more than one way.
    fn refused(path: &InTree, line: usize, fault: &str) -> CliError {
        CliError::Usage(format!("{}:{line}: {fault}; nothing was written", path.name()))
    }
}
