//! What can go wrong before and during a run.

use std::io::ErrorKind;
use std::path::PathBuf;

use mezo_model::ModelError;
use mezo_model::device::DeviceError;
use mezo_run::{Class, Manifest, RunError};
use mezo_tasks::TaskError;

/// An error of this crate. Its text starts with the file it is about, where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A value of the spec that cannot be.
    #[error("{message}")]
    Value {
        /// The key's path in the spec, such as `train.lr`.
        key: &'static str,
        /// What is wrong with its value, the key named.
        message: String,
        /// A way out.
        hint: Option<String>,
    },
    /// The model's files.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The task's data, template or label words.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A file of the run cannot be used, or another process holds the run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A snapshot cannot be used.
    #[error("{error}")]
    Snapshot {
        /// What is wrong with its file.
        error: ModelError,
    },
    /// What lies on disk is not what the manifest was made from.
    #[error("{}: the {what} changed since this run was planned", path.display())]
    Changed {
        /// The run's manifest.
        path: PathBuf,
        /// Weights, tokenizer or data.
        what: &'static str,
    },
    /// The computation broke down: a library below says so by a panic alone.
    #[error("broke down: {message}")]
    Panicked {
        /// What it said.
        message: String,
    },
}

impl TrainError {
    /// A way out, where there is one to tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Value { hint, .. } => hint.clone(),
            Self::Model(error) => error.hint(),
            Self::Task(error) => error.hint(),
            Self::Device(error) => Some(error.hint()),
            Self::Changed { .. } => Some(
                "put the old files back, or plan the sweep again: changed files make new runs"
                    .into(),
            ),
            Self::Run(RunError::File { path, source, .. })
                if source.kind() == ErrorKind::NotFound && path.ends_with(Manifest::FILE) =>
            {
                Some(
                    "a run's directory is one that `mezo sweep run` made: runs/<sweep>/<id>".into(),
                )
            }
            Self::Snapshot { .. } => {
                Some("remove this snapshot: the journal makes it again".into())
            }
            Self::Run(error) => error.hint(),
            Self::Panicked { .. } => None,
        }
    }

    /// Whether the spec or the data is wrong, as opposed to the run's own files or the machine.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Model(error) => error.is_bad_input(),
            Self::Value { .. } | Self::Task(_) | Self::Device(_) | Self::Changed { .. } => true,
            Self::Run(_) | Self::Snapshot { .. } | Self::Panicked { .. } => false,
        }
    }

    /// What kind of failure it is.
    pub fn class(&self) -> Class {
        match self {
            // A device that was there when the sweep began.
            Self::Device(_) => Class::DeviceFault,
            Self::Model(ModelError::Read { source, .. })
                if source.kind() != ErrorKind::NotFound =>
            {
                Class::of_io(source)
            }
            error if error.is_bad_input() => Class::BadData,
            Self::Run(error) => error.class(),
            error => Class::of_words(&error.to_string()),
        }
    }

    /// Whether the run is another process's.
    pub fn is_held(&self) -> bool {
        matches!(
            self,
            Self::Run(RunError::Held { .. } | RunError::Superseded { .. })
        )
    }
}
