//! Which issue on GitHub is meant, and as whom it is talked to.

use super::context::Context;
use super::environment;
use super::progress::{WORTH_SHOWING, with_progress};
use crate::config::{Namespace, is_repository};
use crate::git::{HostedRepository, gh_token};
use crate::ids::IdsError;
use crate::ids::github::hub::{DEFAULT_API, Hub, WRITE_PAUSE};
use crate::ids::github::{HubError, Issues};
use crate::store::read_text;
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

    /// The issue.
    pub(super) fn find(&self, remote: &str) -> Result<Hub<'_>, IdsError> {
        let config = &self.context.config.github;
        let unknown = |text: String| HubError::Unknown(text);
        let issue = self.issue.or(config.issue).ok_or_else(|| {
            unknown("no issue is named; use `--issue N`, or `github: {issue: N}` in `.headwater.yaml`".to_owned())
        })?;
        let repository = match self.repository.clone().or_else(environment::github_repository) {
            Some(name) => name,
            None => match &config.repository {
                Some(name) => name.clone(),
                None => self.of_remote(remote)?,
            },
        };
        if !is_repository(&repository) {
            return Err(
                unknown(format!("`{}` is no repository; name it as `owner/name`", repository.escape_debug())).into()
            );
        }
        let certificates = match environment::certificates() {
            Some(path) => read_text(&path)?,
            None => None,
        };
        Ok(Hub {
            api: api(),
            repository,
            issue,
            trusted: config.trusted.clone(),
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

    /// The repository of the remote, if it is on the host that is asked.
    fn of_remote(&self, remote: &str) -> Result<String, IdsError> {
        let unknown = |why: String| {
            HubError::Unknown(format!("{why}; name the repository with `--repo owner/name` or `GITHUB_REPOSITORY`"))
        };
        let git = self.context.git().ok_or_else(|| unknown("this is no git work tree".to_owned()))?;
        let url = git.remote_url(remote)?.ok_or_else(|| unknown(format!("there is no remote `{remote}`")))?;
        let hosted = HostedRepository::of_url(&url);
        let hosted = hosted.ok_or_else(|| unknown(format!("the URL of `{remote}` names no host")))?;
        let asked = host(&api());
        if hosted.host != asked {
            return Err(unknown(format!(
                "`{remote}` is on {}, and {asked} is asked (`GITHUB_API_URL`)",
                hosted.host.escape_debug()
            ))
            .into());
        }
        Ok(hosted.name)
    }
}

impl Issues for IssueFinder<'_> {
    fn hub(&self, namespace: &Namespace) -> Result<Hub<'_>, IdsError> {
        self.find(&namespace.remote)
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
