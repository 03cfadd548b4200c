//! Which issue on GitHub is meant, and as whom it is talked to.

use super::context::Context;
use super::environment;
use super::progress::{WORTH_SHOWING, with_progress};
use crate::config::Namespace;
use crate::git::gh_token;
use crate::ids::IdsError;
use crate::ids::github::hub::{DEFAULT_API, Hub, WRITE_PAUSE};
use crate::ids::github::{HubError, Issues};
use crate::store::read_text;
use crate::trust::host::{HostedIssue, Wish};
use crate::trust::remote::OwnRemotes;
use std::cell::{Cell, OnceCell};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How long may be waited for GitHub, unless something else is said.
const PATIENCE: Duration = Duration::from_secs(300);

/// From which wait on something is said where no progress is shown.
const WORTH_A_WORD: Duration = Duration::from_secs(5);

/// Rests for a while, and may say why.
type Rest<'a> = dyn Fn(Duration, &str) + 'a;

/// Does something that may take long.
type Busy<'a> = dyn Fn(&str, &mut dyn FnMut()) + 'a;

/// The issue that the command line, the environment, the configuration and the remote name.
pub(super) struct IssueFinder<'a> {
    context: &'a Context<'a>,
    /// `--issue`.
    issue: Option<u64>,
    /// `--repo`.
    repository: Option<String>,
    token: Box<dyn Fn() -> Result<String, HubError> + 'a>,
    rest: Box<Rest<'a>>,
    busy: Box<Busy<'a>>,
}

impl<'a> IssueFinder<'a> {
    pub(super) fn new(context: &'a Context<'a>, issue: Option<u64>, repository: Option<String>) -> Self {
        let token = Box::new(move || token(context));
        let rest = Box::new(move |span: Duration, why: &str| rest(context, span, why));
        let busy = Box::new(move |what: &str, work: &mut dyn FnMut()| with_progress(context, what, work));
        Self { context, issue, repository, token, rest, busy }
    }

    /// The issue, by the own remote that a namespace wishes for.
    pub(super) fn find(&self, remote: Option<&str>) -> Result<Hub<'_>, IdsError> {
        let environment = environment::github_repository();
        let (api, git) = (api(), self.context.git());
        let wish = Wish {
            issue: self.issue,
            repository: self.repository.as_deref(),
            environment: environment.as_deref(),
            config: &self.context.config.github,
            remote,
            host: &host(&api),
        };
        let issue = HostedIssue::choose(git.as_ref(), &wish)?;
        let certificates = match environment::certificates() {
            Some(path) => read_text(&path)?,
            None => None,
        };
        Ok(Hub {
            api,
            issue,
            patience: self.context.patience.unwrap_or(PATIENCE),
            write_pause: WRITE_PAUSE,
            token: &*self.token,
            certificates,
            rest: &*self.rest,
            busy: &*self.busy,
            waited: Cell::default(),
            written: Cell::default(),
            recent: Cell::default(),
            transport: OnceCell::default(),
        })
    }
}

impl Issues for IssueFinder<'_> {
    fn hub(&self, namespace: &Namespace) -> Result<Hub<'_>, IdsError> {
        let hub = self.find(namespace.remote.as_deref())?;
        if let Some(git) = self.context.git() {
            OwnRemotes::of(&git)?.keep_log_at(&namespace.name, &hub.issue)?;
        }
        Ok(hub)
    }
}

fn api() -> String {
    let named = environment::github_api();
    named.map_or_else(|| DEFAULT_API.to_owned(), |api| api.trim_end_matches('/').to_owned())
}

/// The host whose interface this is.
fn host(api: &str) -> String {
    let rest = api.split_once("://").map_or(api, |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    if host == "api.github.com" { "github.com".to_owned() } else { host.to_owned() }
}

fn token(context: &Context<'_>) -> Result<String, HubError> {
    let folder = context.layout.as_ref().map_or(Path::new("."), |layout| layout.work_tree.as_path());
    environment::github_token().or_else(|| gh_token(&host(&api()), folder)).ok_or_else(|| {
        HubError::Unknown(
            "there is no token for GitHub; set `GITHUB_TOKEN` or `GH_TOKEN`, or run `gh auth login`".to_owned(),
        )
    })
}

/// Rests, and shows on a terminal what is waited for.
fn rest(context: &Context<'_>, span: Duration, why: &str) {
    if why.is_empty() || span < WORTH_SHOWING || !context.console.shows_progress() {
        if !why.is_empty() && span >= WORTH_A_WORD {
            context.console.notice(&format!("{why}; waiting {} s", span.as_secs()));
        } else if !why.is_empty() && span.is_zero() {
            context.console.notice(why);
        }
        thread::sleep(span);
        return;
    }
    let why = crate::ledger::escape::safe_for_terminal(why);
    let spinner = indicatif::ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(200));
    for left in (1..=span.as_secs()).rev() {
        spinner.set_message(format!("{why}: {left} s"));
        thread::sleep(Duration::from_secs(1));
    }
    thread::sleep(Duration::from_nanos(u64::from(span.subsec_nanos())));
    spinner.finish_and_clear();
}
