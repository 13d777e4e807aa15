//! What can be wrong between the hub's data and a task's files, and the way out of each.

use std::io;
use std::path::{Path, PathBuf};

use mezo_hub::HubError;
use mezo_tasks::TaskError;

/// Why a task's data could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the message of each variant says what its fields are"
)]
pub enum DataError {
    #[error(transparent)]
    Hub(#[from] HubError),

    #[error(transparent)]
    Task(#[from] TaskError),

    #[error("the data of task {task:?} are not on the hub as they were published")]
    NotOnHub {
        task: &'static str,
        hint: &'static str,
    },

    #[error("{}: cannot read it as Parquet: {message}", .path.display())]
    Parquet { path: PathBuf, message: String },

    #[error("{}: row {row}: column {column:?} is {found}, expected {expected}", .path.display())]
    Cell {
        path: PathBuf,
        /// From 1.
        row: usize,
        column: &'static str,
        found: String,
        expected: String,
    },

    #[error("{} is there already, and not from here", .path.display())]
    Occupied { path: PathBuf },

    #[error("{}: cannot write: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl DataError {
    pub(crate) fn writing(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Hub(error) => error.hint(),
            Self::Task(error) => error.hint(),
            Self::NotOnHub { hint, .. } => Some((*hint).to_owned()),
            Self::Parquet { .. } | Self::Cell { .. } => Some(
                "the repository has changed; its older commits still have the files".to_owned(),
            ),
            Self::Occupied { .. } => {
                Some("name another folder with --out, or move that one away".to_owned())
            }
            Self::Write { .. } => Some("--out DIR names another folder".to_owned()),
        }
    }

    /// Whether what was asked for is wrong, and not the network or the machine.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Hub(error) => error.is_bad_input(),
            Self::Write { .. } => false,
            _ => true,
        }
    }
}
