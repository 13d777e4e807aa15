//! Requests to the hub: redirects, the token, and what the hub's refusals mean.

use std::time::Duration;

use serde::Deserialize;
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use crate::address::{is_loopback, origin, quote, quote_path, redirected, without_query};
use crate::checksum::Checksum;
use crate::environment::{Settings, token_in};
use crate::error::HubError;
use crate::repo::{Repo, is_commit};
use crate::retry::{Again, Failed};

const CONNECT: Duration = Duration::from_secs(10);
/// How long nothing may come before a connection counts as cut.
const SILENCE: Duration = Duration::from_secs(30);
const REDIRECTS: usize = 10;
/// The largest answer that is held in memory; lists of files have some kilobytes.
const ANSWER_BYTES: u64 = 64 << 20;

/// What a request is about, for messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) revision: &'a str,
    pub(crate) file: Option<&'a str>,
}

/// A revision as the hub knows it.
#[derive(Debug, Deserialize)]
pub(crate) struct Revision {
    #[serde(rename = "sha")]
    pub(crate) commit: String,
    siblings: Vec<Sibling>,
}

#[derive(Debug, Deserialize)]
struct Sibling {
    rfilename: String,
}

impl Revision {
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.siblings.iter().map(|file| file.rfilename.as_str())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.files().any(|file| file == name)
    }
}

/// A file as the hub knows it.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) url: String,
    pub(crate) checksum: Checksum,
    pub(crate) size: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Head,
    Get,
}

pub(crate) struct Client<'a> {
    endpoint: &'a str,
    token: Option<String>,
    agent: Agent,
}

impl<'a> Client<'a> {
    pub(crate) fn new(settings: &'a Settings) -> Result<Self, HubError> {
        let endpoint = settings.endpoint.as_str();
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // Followed here, where it is known who may see the token.
            .max_redirects(0)
            .https_only(endpoint.starts_with("https://"))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            // A compressed answer would have another size.
            .accept_encoding("identity")
            .user_agent(concat!("mezo/", env!("CARGO_PKG_VERSION")));
        if is_loopback(endpoint) {
            config = config.proxy(None);
        }
        Ok(Self {
            endpoint,
            token: token(settings)?,
            agent: config.build().new_agent(),
        })
    }

    /// Asks for a revision's commit and the names of its files.
    pub(crate) fn revision(&self, asked: Asked<'_>) -> Result<Revision, Failed> {
        let kind = asked.repo.plural();
        let (id, revision) = (asked.repo.id(), quote(asked.revision));
        let url = format!("{}/api/{kind}/{id}/revision/{revision}", self.endpoint);
        let mut answer = self.send(Method::Get, &url, None, asked)?;
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES);
        let text = body
            .read_to_string()
            .map_err(|error| connection(&url, &error))?;
        let wrong = |what: String| HubError::Answer {
            url: url.clone(),
            what,
        };
        let revision: Revision =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if !is_commit(&revision.commit) {
            return Err(wrong(format!("{:?} is no commit", revision.commit)).into());
        }
        Ok(revision)
    }

    /// Asks for a file's size and hash.
    pub(crate) fn remote(&self, asked: Asked<'_>, file: &str) -> Result<Remote, Failed> {
        let url = format!(
            "{}/{}/resolve/{}/{}",
            self.endpoint,
            asked.repo,
            asked.revision,
            quote_path(file)
        );
        let answer = self.send(Method::Head, &url, None, asked)?;
        let headers = answer.headers();
        let either = |linked, own| text(headers, linked).or_else(|| text(headers, own));
        let checksum = either("x-linked-etag", "etag").and_then(Checksum::of_etag);
        let size = either("x-linked-size", "content-length").and_then(|size| size.parse().ok());
        match (checksum, size) {
            (Some(checksum), Some(size)) => Ok(Remote {
                url,
                checksum,
                size,
            }),
            _ => Err(HubError::Answer {
                url,
                what: "no etag that is a hash, or no size".to_owned(),
            }
            .into()),
        }
    }

    /// Asks for a file's bytes from some byte on. The status is 200, 206 or 416.
    pub(crate) fn bytes(
        &self,
        remote: &Remote,
        from: u64,
        asked: Asked<'_>,
    ) -> Result<Response<Body>, Failed> {
        self.send(Method::Get, &remote.url, Some(from), asked)
    }

    /// Sends a request after its redirects. A question for the head of a file stops where the hub sends it elsewhere:
    /// the hub has then said what it knows of the file.
    fn send(
        &self,
        method: Method,
        url: &str,
        from: Option<u64>,
        asked: Asked<'_>,
    ) -> Result<Response<Body>, Failed> {
        let mut at = url.to_owned();
        for _ in 0..=REDIRECTS {
            let answer = self.send_once(method, &at, from)?;
            let status = answer.status().as_u16();
            let location = text(answer.headers(), "location");
            match (status, location) {
                (301 | 302 | 303 | 307 | 308, Some(location)) => {
                    let next = redirected(&at, location);
                    if method == Method::Head && origin(&next) != origin(&at) {
                        return Ok(answer);
                    }
                    at = next;
                }
                (200 | 206 | 416, _) => return Ok(answer),
                _ => return Err(self.refusal(&at, &answer, asked)),
            }
        }
        Err(HubError::Answer {
            url: url.to_owned(),
            what: format!("more than {REDIRECTS} redirects"),
        }
        .into())
    }

    fn send_once(
        &self,
        method: Method,
        url: &str,
        from: Option<u64>,
    ) -> Result<Response<Body>, Failed> {
        let mut request = match method {
            Method::Head => self.agent.head(url),
            Method::Get => self.agent.get(url),
        };
        // The hub sends large files from another host, which is not to know the token.
        if let Some(token) = &self.token
            && origin(url) == origin(self.endpoint)
        {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(from) = from.filter(|from| *from > 0) {
            request = request.header("range", format!("bytes={from}-"));
        }
        request.call().map_err(|error| connection(url, &error))
    }

    /// What a status other than success means.
    fn refusal(&self, url: &str, answer: &Response<Body>, asked: Asked<'_>) -> Failed {
        let status = answer.status().as_u16();
        let headers = answer.headers();
        let (repo, revision) = (asked.repo.clone(), asked.revision.to_owned());
        let other = || HubError::Status {
            url: without_query(url).to_owned(),
            status,
            message: text(headers, "x-error-message").map(str::to_owned),
        };
        if matches!(status, 408 | 429 | 500..) {
            return passing(url, headers, other());
        }
        if origin(url) != origin(self.endpoint) {
            // Such an address is made for one download and expires; the next attempt gets another.
            return Failed::passing(other());
        }
        let error = match (status, text(headers, "x-error-code"), asked.file) {
            (401 | 403, code, _) => HubError::Unauthorised {
                page: format!("{}/{repo}", self.endpoint),
                repo,
                status,
                gated: code == Some("GatedRepo"),
                with_token: self.token.is_some(),
            },
            (404, Some("RevisionNotFound"), _) => HubError::NoRevision { repo, revision },
            (404, Some("RepoNotFound"), _) | (404, _, None) => HubError::NoRepository {
                repo,
                endpoint: self.endpoint.to_owned(),
            },
            (404, _, Some(file)) => HubError::NoFile {
                repo,
                revision,
                file: file.to_owned(),
            },
            _ => other(),
        };
        error.into()
    }
}

/// A refusal that passes; when, the hub may say.
fn passing(url: &str, headers: &HeaderMap, error: HubError) -> Failed {
    let Some(wait_s) = text(headers, "retry-after").and_then(|wait| wait.trim().parse().ok())
    else {
        return Failed::passing(error);
    };
    let url = without_query(url).to_owned();
    let again = Again::After(Duration::from_secs(wait_s));
    Failed::new(HubError::Busy { url, wait_s }, again)
}

/// A request that got no answer, or half of one.
fn connection(url: &str, error: &ureq::Error) -> Failed {
    let failed = HubError::Connection {
        url: without_query(url).to_owned(),
        message: error.to_string(),
    };
    match error {
        ureq::Error::Io(_)
        | ureq::Error::Timeout(_)
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Protocol(_) => Failed::passing(failed),
        _ => failed.into(),
    }
}

/// A header that is text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The token of the environment, or of the file that `hf auth login` writes.
fn token(settings: &Settings) -> Result<Option<String>, HubError> {
    if settings.token.is_some() {
        return Ok(settings.token.clone());
    }
    token_in(&settings.token_file)
}
