//! What can go wrong with a run's directory.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::class::Class;
use crate::holder::Holder;
use crate::{EVALS, STEPS};

/// A run's directory that cannot be used. Its text starts with the file it is about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file cannot be read or written.
    #[error("{}: cannot {doing}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried: "read", "write", ...
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}:{line}: {message}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What was expected.
        message: String,
    },
    /// Another process works on the run.
    #[error("{}: held by another process{}", path.display(), by(holder.as_ref()))]
    Held {
        /// The run's lock.
        path: PathBuf,
        /// Who holds it, as far as its lock says.
        holder: Option<Holder>,
    },
    /// Another process has taken the run up although this one never let go of it.
    #[error("{}: attempt {attempt} has lost the run{}", path.display(), to(now.as_ref()))]
    Superseded {
        /// The run's lock.
        path: PathBuf,
        /// The attempt that lost it.
        attempt: u64,
        /// Who holds it now, as far as its lock says.
        now: Option<Holder>,
    },
}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| format!(" ({holder})"))
}

fn to(now: Option<&Holder>) -> String {
    now.map_or_else(
        || ": its lock is gone".to_owned(),
        |now| format!(" to another process ({now})"),
    )
}

impl RunError {
    /// Turns a failed file operation into an error that names the file.
    pub fn file(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            path,
            doing,
            source,
        }
    }

    /// The way out, where there is one to tell.
    pub fn hint(&self) -> Option<String> {
        let told = match self {
            Self::File { source, .. } => match source.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                    "make room; the run goes on from what it has written"
                }
                ErrorKind::PermissionDenied => {
                    "check who owns the runs folder, or choose another one"
                }
                _ => return None,
            },
            Self::Held { .. } => "wait for it, or stop it",
            Self::Superseded { .. } => {
                "locks in this folder did not hold: `mezo doctor` says whether they should"
            }
            Self::Record { path, .. } if path.ends_with(STEPS) || path.ends_with(EVALS) => {
                "remove this line and all after it: they are made again, and come out the same"
            }
            Self::Record { .. } => return None,
        };
        Some(told.to_owned())
    }

    /// What kind of failure it is.
    pub fn class(&self) -> Class {
        match self {
            Self::File { source, .. } => Class::of_io(source),
            _ => Class::Error,
        }
    }
}
