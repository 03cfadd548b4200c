//! An issue's comments over GitHub's REST interface: all pages, waits as told, one write a second.
//!
//! Sources: docs.github.com/rest/issues/comments, …/using-the-rest-api/best-practices-for-using-the-rest-api
//! and …/rate-limits-for-the-rest-api.

use super::block::{self, Found};
use super::error::HubError;
use super::thread::Blocks;
use super::transport::{Answer, Request, Transport};
use crate::bounds::deadline;
use crate::event::Timestamp;
use crate::ids::IdsError;
use crate::trust::host::{HostedIssue, Posting};
use serde::Deserialize;
use std::cell::Cell;
use std::time::{Duration, Instant};

/// The interface of github.com.
pub const DEFAULT_API: &str = "https://api.github.com";

/// How long is waited where nothing is told.
const UNTOLD: Duration = Duration::from_secs(60);

/// How long is waited at least where waiting is asked for.
const LEAST: Duration = Duration::from_secs(1);

/// The pause between two writes that GitHub asks for.
pub const WRITE_PAUSE: Duration = Duration::from_secs(1);

/// How often a question is asked whose answer is lost.
const TRIES: u32 = 5;

/// How many pages are read at most, so that a server that links in circles is left.
const PAGES: u32 = 10_000;

/// An issue, and how it is talked to.
pub struct Hub<'a> {
    /// The root of the interface, without a `/` at its end.
    pub api: String,
    /// The issue, which may be read.
    pub issue: HostedIssue,
    /// How long may be waited in all.
    pub patience: Duration,
    /// The pause between two writes.
    pub write_pause: Duration,
    /// Asked once for the token.
    pub token: &'a dyn Fn() -> Result<String, HubError>,
    /// Certificates in PEM form to trust instead of the built-in ones.
    pub certificates: Option<Vec<u8>>,
    /// Rests for a while, and may say why; for no time at all it only says.
    pub rest: &'a dyn Fn(Duration, &str),
    /// Does something that may take long, and may say what.
    pub busy: &'a dyn Fn(&str, &mut dyn FnMut()),
    /// What has been waited.
    pub waited: Cell<Duration>,
    /// When was written last.
    pub written: Cell<Option<Instant>>,
    /// Whether somebody wrote just before the comments were read, by the host's clock.
    pub recent: Cell<bool>,
    /// The connection, once there is one.
    pub transport: std::cell::OnceCell<Box<Transport>>,
}

impl std::fmt::Debug for Hub<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("place", &self.place()).finish_non_exhaustive()
    }
}

/// A comment as it is answered.
#[derive(Debug, Deserialize)]
struct Comment {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    created_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct User {
    login: String,
}

/// The comments of an issue that hold blocks, and the highest comment of any kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The blocks.
    pub blocks: Blocks,
    /// The highest comment, 0 if there is none.
    pub latest: u64,
    /// Comments with what is nearly a block: who wrote them, and what is wrong.
    pub near_misses: Vec<(u64, String, String)>,
}

/// How a comment that was sent was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It is there.
    Created,
    /// It is not there, and a while was waited as told.
    Waited,
    /// It may be there.
    Unknown(String),
}

impl Hub<'_> {
    /// The issue, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        self.issue.place()
    }

    fn url(&self, issue: &HostedIssue) -> String {
        format!("{}/repos/{}/issues/{}/comments", self.api, issue.repository(), issue.number())
    }

    fn exchange(&self, url: &str, body: Option<&str>) -> Result<Result<Answer, String>, HubError> {
        let transport = if let Some(transport) = self.transport.get() {
            transport
        } else {
            let made = Transport::new(&self.api, (self.token)()?, self.certificates.as_deref())?;
            self.transport.get_or_init(|| Box::new(made))
        };
        let (limit, started) = (self.left(), Instant::now());
        if limit.is_zero() {
            return Ok(Err(format!("it did not answer within {} s", self.patience.as_secs())));
        }
        let mut answer = Err(String::new());
        let request = Request { url, body, limit };
        (self.busy)(&format!("asking {}", self.place()), &mut || answer = transport.exchange(&request));
        // The time that a slow answer takes is waited, too.
        self.waited.set(self.waited.get().saturating_add(started.elapsed()));
        Ok(answer)
    }

    /// How much longer may be waited.
    fn left(&self) -> Duration {
        deadline::within(self.patience.saturating_sub(self.waited.get()))
    }

    /// What is waited at least before an answer that asks to wait is asked for again: a host that asks for no time at
    /// all, again and again, is asked less and less often.
    fn least(&self) -> Duration {
        LEAST.max(self.waited.get() / 2)
    }

    /// Rests, unless that is longer than may be waited.
    fn wait(&self, told: Duration, why: &str) -> Result<(), HubError> {
        let total = self.waited.get().saturating_add(told);
        if told > self.left() {
            return Err(HubError::TooLong { place: self.place(), told, patience: self.patience });
        }
        self.waited.set(total);
        (self.rest)(told, why);
        Ok(())
    }

    /// A pause before the next try: 1, 2, 4, 8 … s.
    ///
    /// # Errors
    /// [`HubError::TooLong`].
    pub fn pause(&self, attempt: u32, why: &str) -> Result<(), HubError> {
        self.wait(Duration::from_secs(1 << attempt.min(5)), why)
    }

    /// What an answer that is no success means: a wait that was made, or the end.
    fn refused(&self, answer: &Answer) -> Result<(), HubError> {
        let (place, said, status) = (self.place(), said(&answer.body), answer.status);
        match status {
            401 => Err(HubError::Unauthorised { place, said }),
            404 | 410 => Err(HubError::NotThere { place, status, said }),
            403 | 429 => match told(answer) {
                Some(told) => self.wait(told.max(self.least()), &format!("{} asks to wait ({said})", self.place())),
                None => Err(HubError::Refused { place, status, said }),
            },
            301 | 302 | 307 | 308 => {
                let said = "the repository has moved; name the new one with `--repo`".to_owned();
                Err(HubError::Refused { place, status, said })
            }
            _ => Err(HubError::Refused { place, status, said }),
        }
    }

    fn get(&self, url: &str) -> Result<Answer, IdsError> {
        let mut lost = 0;
        loop {
            let why = match self.exchange(url, None)? {
                Ok(answer) if answer.status == 200 => return Ok(answer),
                Ok(answer) if answer.status < 500 => {
                    self.refused(&answer)?;
                    continue;
                }
                Ok(answer) => format!("status {}", answer.status),
                Err(why) => why,
            };
            lost += 1;
            if lost >= TRIES || self.pause(lost - 1, &format!("{} does not answer ({why})", self.place())).is_err() {
                return Err(IdsError::Unreachable { remote: self.place(), why });
            }
        }
    }

    /// Reads all comments.
    ///
    /// # Errors
    /// [`IdsError::Unreachable`], [`HubError`].
    pub fn list(&self) -> Result<Listing, IdsError> {
        let mut listing = Listing::default();
        let mut last = String::new();
        let mut next = Some(format!("{}?per_page=100", self.url(&self.issue)));
        let strange = |fault: String| HubError::Strange { place: self.place(), fault };
        for _ in 0..PAGES {
            let Some(url) = next else { return Ok(listing) };
            let answer = self.get(&url)?;
            let comments: Vec<Comment> =
                serde_json::from_str(&answer.body).map_err(|error| strange(error.to_string()))?;
            for comment in comments {
                if comment.id > listing.latest {
                    listing.latest = comment.id;
                    last = comment.created_at.clone().unwrap_or_default();
                }
                let body = comment.body.as_deref().unwrap_or_default();
                let author = comment.user.map(|user| user.login).unwrap_or_default();
                if let Some(text) = block::find(body) {
                    let at = comment.created_at.unwrap_or_default();
                    listing.blocks.insert(comment.id, Found { author, at, text });
                } else if let Some(fault) = block::near_miss(body) {
                    listing.near_misses.push((comment.id, author, fault));
                }
            }
            let written = Timestamp::parse(&last).map(|at| at.unix_nanos() / 1_000_000_000);
            self.recent.set(written.zip(answer.now).is_some_and(|(written, now)| i128::from(now) - written <= 1));
            next = answer.link.as_deref().and_then(next_page);
            // The token goes nowhere else.
            if next.as_ref().is_some_and(|next| !next.starts_with(&format!("{}/", self.api))) {
                return Err(strange("the next page is on another host".to_owned()).into());
            }
        }
        Err(strange("its pages have no end".to_owned()).into())
    }

    /// Adds a comment once, where the user's word allows it.
    ///
    /// # Errors
    /// [`HubError`]: it is not there.
    pub fn send(&self, to: Posting<'_>, body: &str) -> Result<Sent, HubError> {
        // Whoever wrote last may be another process with the same token.
        let since = self
            .written
            .get()
            .map_or(if self.recent.get() { Duration::ZERO } else { self.write_pause }, |at| at.elapsed());
        if since < self.write_pause {
            (self.rest)(self.write_pause.saturating_sub(since).min(self.left()), "");
        }
        let json = serde_json::json!({ "body": body }).to_string();
        let answer = self.exchange(&self.url(to.issue()), Some(&json))?;
        self.written.set(Some(Instant::now()));
        match answer {
            Ok(answer) if answer.status == 201 => Ok(Sent::Created),
            Ok(answer) if answer.status < 500 && answer.status >= 300 => self.refused(&answer).map(|()| Sent::Waited),
            Ok(answer) => Ok(Sent::Unknown(format!("status {}", answer.status))),
            Err(why) => Ok(Sent::Unknown(why)),
        }
    }
}

/// How long an answer asks to wait; `None` if it asks for nothing, and waiting would not help.
fn told(answer: &Answer) -> Option<Duration> {
    if let Some(seconds) = answer.retry_after {
        return Some(Duration::from_secs(seconds));
    }
    if answer.remaining == Some(0)
        && let Some((reset, now)) = answer.reset.zip(answer.now)
    {
        return Some(Duration::from_secs(reset.saturating_sub(now).saturating_add(1)));
    }
    let limited = answer.status == 429 || answer.remaining == Some(0) || answer.body.contains("rate limit");
    limited.then_some(UNTOLD)
}

/// What an answer says went wrong, on one line.
fn said(body: &str) -> String {
    #[derive(Deserialize)]
    struct Said {
        message: String,
    }
    let text = serde_json::from_str::<Said>(body).map_or_else(|_| body.to_owned(), |said| said.message);
    let text: String = text.chars().filter(|c| !crate::event::text::is_unsafe_to_show(*c)).take(200).collect();
    if text.trim().is_empty() { "nothing was said".to_owned() } else { text }
}

/// The next page that a `Link` header names: RFC 8288.
fn next_page(link: &str) -> Option<String> {
    link.split(',').find_map(|part| {
        let (url, rest) = part.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = rest.split(';').any(|word| matches!(word.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then(|| url.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::{next_page, said, told};
    use crate::ids::github::transport::Answer;
    use std::time::Duration;

    #[test]
    fn waits_are_as_told() {
        let answer = |status, retry_after, remaining, reset, body: &str| {
            let (link, now) = (None, Some(1_000));
            told(&Answer { status, retry_after, remaining, reset, link, now, body: body.to_owned() })
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(answer(403, Some(7), Some(0), Some(9_000), ""), seconds(7));
        assert_eq!(answer(429, None, Some(0), Some(1_030), ""), seconds(31));
        assert_eq!(answer(403, None, Some(0), Some(1), ""), seconds(1));
        assert_eq!(answer(429, None, None, None, ""), seconds(60));
        assert_eq!(answer(403, None, None, None, "You have exceeded a secondary rate limit"), seconds(60));
        assert_eq!(answer(403, None, Some(4_999), Some(9_000), "Resource not accessible by integration"), None);
    }

    #[test]
    fn the_next_page() {
        let link = "<https://api.github.com/a?page=1>; rel=\"prev\", <https://api.github.com/a?page=3>; rel=\"next\"";
        assert_eq!(next_page(link).as_deref(), Some("https://api.github.com/a?page=3"));
        assert_eq!(next_page("<https://x/a?page=1>; rel=\"last\""), None);
        assert_eq!(said("{\"message\": \"Bad credentials\"}"), "Bad credentials");
        assert_eq!(said(""), "nothing was said");
    }
}
