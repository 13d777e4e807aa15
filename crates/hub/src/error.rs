//! What can go wrong between the hub and the cache, and the way out of each.

use std::io;
use std::path::{Path, PathBuf};

use crate::repo::{BadRepoId, Repo};

/// Why a repository's files could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the message of each variant says what its fields are"
)]
pub enum HubError {
    #[error("no folder for the hub's cache: neither HF_HOME nor XDG_CACHE_HOME nor HOME is set")]
    NoHome,

    #[error("HF_ENDPOINT is {found:?}, expected an address that begins with https:// or http://")]
    Endpoint { found: String },

    #[error(transparent)]
    RepoId(#[from] BadRepoId),

    #[error("HF_HUB_OFFLINE is set, and {} does not hold {} of {repo} at {revision}",
        .cache.display(), .missing.join(", "))]
    Offline {
        repo: Repo,
        revision: String,
        missing: Vec<String>,
        cache: PathBuf,
    },

    #[error("{page}: the hub gives {repo} only to {} ({status}, {})",
        if *.gated { "those who have accepted its terms" } else { "those who may read it, if there is such a repository" },
        if *.with_token { "the token was not enough" } else { "no token was sent" })]
    Unauthorised {
        repo: Repo,
        page: String,
        status: u16,
        gated: bool,
        with_token: bool,
    },

    #[error("{endpoint} has no repository {repo}")]
    NoRepository { repo: Repo, endpoint: String },

    #[error("{repo} has no revision {revision:?}")]
    NoRevision { repo: Repo, revision: String },

    #[error("{repo} at {revision} has no file {file}")]
    NoFile {
        repo: Repo,
        revision: String,
        file: String,
    },

    #[error("{repo} at {revision} has its weights as {file} alone, which only PyTorch can read")]
    PickleOnly {
        repo: Repo,
        revision: String,
        file: String,
    },

    #[error("{url}: status {status}{}", .message.as_ref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Status {
        url: String,
        status: u16,
        message: Option<String>,
    },

    #[error("{url}: the hub wants no request for the next {wait_s} s")]
    Busy { url: String, wait_s: u64 },

    #[error("{url}: {message}")]
    Connection { url: String, message: String },

    #[error("{url}: the connection was cut after {received} of {size} bytes")]
    Cut {
        url: String,
        received: u64,
        size: u64,
    },

    #[error("{source}, {attempts} times in a row")]
    GaveUp { attempts: u32, source: Box<Self> },

    #[error("{url}: not what a hub answers: {what}")]
    Answer { url: String, what: String },

    #[error("{url}: {found} bytes, but the hub says that {file} has {expected}")]
    Size {
        url: String,
        file: String,
        expected: u64,
        found: u64,
    },

    #[error("{url}: the {kind} of {file} is {found}, but the hub says {expected}")]
    Checksum {
        url: String,
        file: String,
        kind: &'static str,
        expected: String,
        found: String,
    },

    #[error("{}: the disk is full", .path.display())]
    DiskFull { path: PathBuf },

    #[error("{}: cannot write: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },

    #[error("{}: cannot read: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
}

impl HubError {
    /// What a failed write to this place is.
    pub(crate) fn writing(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Write { path, source },
        }
    }

    /// What a failed read from this place is.
    pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NoHome => "set HF_HOME to the folder where downloads should lie",
            Self::Endpoint { .. } => "unset it for the hub itself, https://huggingface.co",
            Self::RepoId(_) => {
                "it is what stands after the hub's address: roberta-large, or OWNER/NAME"
            }
            Self::Offline { .. } => {
                "unset HF_HUB_OFFLINE, or name the cache that has it with HF_HOME or HF_HUB_CACHE"
            }
            Self::Unauthorised { gated: true, .. } => {
                "accept the terms on that page, then set HF_TOKEN to a token of the same account"
            }
            Self::Unauthorised { .. } => {
                "check the id; if it is private, set HF_TOKEN to a token that may read it (Settings, Access Tokens)"
            }
            Self::NoRepository { .. } => "check the id, and HF_ENDPOINT if it is set",
            Self::NoRevision { .. } => "a revision is a branch, a tag or a whole commit hash",
            Self::PickleOnly { .. } => {
                "name a revision that has model.safetensors, or save the model in Python with safe_serialization=True \
                 and name its folder with `path`"
            }
            Self::Status { .. }
            | Self::Connection { .. }
            | Self::Cut { .. }
            | Self::GaveUp { .. }
            | Self::Busy { .. } => {
                "the same command goes on where it stopped; HF_HUB_OFFLINE=1 uses what is in the cache"
            }
            Self::Size { .. } | Self::Checksum { .. } | Self::Answer { .. } => {
                "something between here and the hub changes what it sends: check HF_ENDPOINT and proxies"
            }
            Self::DiskFull { .. } | Self::Write { .. } => {
                "HF_HOME or HF_HUB_CACHE puts the cache into another folder"
            }
            Self::NoFile { .. } | Self::Read { .. } => return None,
        };
        Some(text.to_owned())
    }

    /// Whether what was asked for is wrong, and not the network or the machine.
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            Self::Endpoint { .. }
                | Self::RepoId(_)
                | Self::Offline { .. }
                | Self::Unauthorised { .. }
                | Self::NoRepository { .. }
                | Self::NoRevision { .. }
                | Self::NoFile { .. }
                | Self::PickleOnly { .. }
        )
    }
}
