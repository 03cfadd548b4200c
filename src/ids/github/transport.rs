//! One request over HTTP, and the parts of its answer that count.

use super::error::HubError;
#[cfg(feature = "github")]
use crate::event::Timestamp;
use std::time::Duration;

/// How long one request may take.
#[cfg(feature = "github")]
const LIMIT: Duration = Duration::from_secs(20);

/// How large an answer may be.
#[cfg(feature = "github")]
const LARGEST: u64 = 64 << 20;

/// A question, or with a body something to be added.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "github"), expect(dead_code, reason = "nobody is asked"))]
pub(super) struct Request<'a> {
    pub(super) url: &'a str,
    pub(super) body: Option<&'a str>,
    /// How long all of it may take: to connect, to send, and to read the answer to its end.
    pub(super) limit: Duration,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// `Link`.
    pub(super) link: Option<String>,
    /// `Retry-After`, in seconds.
    pub(super) retry_after: Option<u64>,
    /// `X-RateLimit-Remaining`.
    pub(super) remaining: Option<u64>,
    /// `X-RateLimit-Reset`, in seconds since 1970.
    pub(super) reset: Option<u64>,
    /// `Date`, the server's clock, in seconds since 1970.
    pub(super) now: Option<u64>,
    pub(super) body: String,
}

/// A connection to one host.
#[cfg(feature = "github")]
pub struct Transport {
    agent: ureq::Agent,
    token: String,
}

/// A connection that cannot be.
#[cfg(not(feature = "github"))]
pub struct Transport(std::convert::Infallible);

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token is nobody's business.
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// Bounds one request.
#[cfg(feature = "github")]
fn within<Any>(call: ureq::RequestBuilder<Any>, limit: Duration) -> ureq::RequestBuilder<Any> {
    call.config().timeout_global(Some(limit)).build()
}

/// Whether an interface is on this machine, where nobody listens in.
#[cfg(feature = "github")]
fn is_loopback(api: &str) -> bool {
    let host = api.strip_prefix("http://").unwrap_or_default();
    ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|own| host.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])))
}

#[cfg(not(feature = "github"))]
impl Transport {
    pub(super) fn new(_: &str, _: String, _: Option<&[u8]>) -> Result<Self, HubError> {
        Err(HubError::NotBuilt)
    }

    pub(super) fn exchange(&self, _: &Request<'_>) -> Result<Answer, String> {
        match self.0 {}
    }
}

#[cfg(feature = "github")]
impl Transport {
    /// Prepares a connection; the first request makes it.
    pub(super) fn new(api: &str, token: String, certificates: Option<&[u8]>) -> Result<Self, HubError> {
        let local = is_loopback(api);
        if !local && !api.starts_with("https://") {
            let fault = format!("`{api}`: the token is only sent over https; correct `GITHUB_API_URL`");
            return Err(HubError::Unknown(fault));
        }
        if token.is_empty() || token.chars().any(|c| !c.is_ascii_graphic()) {
            return Err(HubError::Unknown("the token is no word; check `GITHUB_TOKEN` and `GH_TOKEN`".to_owned()));
        }
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(LIMIT));
        if local {
            config = config.proxy(None);
        }
        if let Some(pem) = certificates {
            let certificate = |item| match item {
                Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            };
            let roots: Vec<_> = ureq::tls::parse_pem(pem).filter_map(certificate).collect();
            if roots.is_empty() {
                return Err(HubError::Unknown(
                    "there is no certificate in the file that `SSL_CERT_FILE` names".to_owned(),
                ));
            }
            let roots = ureq::tls::RootCerts::new_with_certs(&roots);
            config = config.tls_config(ureq::tls::TlsConfig::builder().root_certs(roots).build());
        }
        Ok(Self { agent: config.build().new_agent(), token })
    }

    /// Asks; gives what is known of why there is no answer.
    pub(super) fn exchange(&self, request: &Request<'_>) -> Result<Answer, String> {
        let authorization = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", authorization.as_str()),
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", "2022-11-28"),
        ];
        let limit = request.limit.min(LIMIT);
        let sent = match request.body {
            None => headers
                .iter()
                .fold(within(self.agent.get(request.url), limit), |call, (name, value)| call.header(*name, *value))
                .call(),
            Some(body) => headers
                .iter()
                .fold(within(self.agent.post(request.url), limit), |call, (name, value)| call.header(*name, *value))
                .content_type("application/json")
                .send(body),
        };
        let mut response = sent.map_err(|error| error.to_string())?;
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let number = |name: &str| header(name).and_then(|value| value.trim().parse().ok());
        let answer = Answer {
            status: response.status().as_u16(),
            link: header("link").map(str::to_owned),
            retry_after: number("retry-after"),
            remaining: number("x-ratelimit-remaining"),
            reset: number("x-ratelimit-reset"),
            now: header("date").and_then(seconds),
            body: String::new(),
        };
        let body = response.body_mut().with_config().limit(LARGEST).read_to_string();
        Ok(Answer { body: body.map_err(|error| error.to_string())?, ..answer })
    }
}

/// The seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`: RFC 9110 §5.6.7.
#[cfg(feature = "github")]
fn seconds(date: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = date.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let instant = Timestamp::parse(&format!("{year}-{month:02}-{day}T{time}Z"))?;
    u64::try_from(instant.unix_nanos() / 1_000_000_000).ok()
}

#[cfg(all(test, feature = "github"))]
mod tests {
    use super::{Transport, is_loopback, seconds};

    #[test]
    fn the_token_goes_over_https_or_stays_here() {
        for (api, fits) in [
            ("https://api.github.com", true),
            ("http://127.0.0.1:8080", true),
            ("http://localhost", true),
            ("http://[::1]:1/api", true),
            ("http://127.0.0.1.example.org", false),
            ("http://localhost@example.org", false),
            ("http://github.example.org/api/v3", false),
            ("ftp://localhost", false),
        ] {
            assert_eq!(Transport::new(api, "t".to_owned(), None).is_ok(), fits, "{api}");
            assert!(!is_loopback(api) || fits);
        }
        assert!(Transport::new("https://api.github.com", "a\nb".to_owned(), None).is_err());
        assert!(Transport::new("https://api.github.com", "t".to_owned(), Some(b"none")).is_err());
    }

    #[test]
    fn the_servers_clock() {
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds("yesterday"), None);
    }
}
