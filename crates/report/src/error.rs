//! What can go wrong: [`ReportError`] stops a report, [`FileFault`] only spoils one run.

use std::io;
use std::path::PathBuf;

/// Why no report could be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder of a sweep's runs cannot be listed.
    #[error("{}: expected a readable folder of runs, found none: {source}", path.display())]
    RunsFolder {
        /// The folder asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder of a sweep's runs holds no run.
    #[error("{}: expected at least one run directory (16 hex digits with a manifest.json), found none", path.display())]
    NoRuns {
        /// The folder asked for.
        path: PathBuf,
    },
    /// A file of the report cannot be written.
    #[error("{}: expected to write this file, but could not: {source}", path.display())]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A Parquet file cannot be made.
    #[error("{}: expected to write this Parquet file, but could not: {source}", path.display())]
    Parquet {
        /// The file that was to be written.
        path: PathBuf,
        /// What polars said.
        source: polars::error::PolarsError,
    },
    /// The figure cannot be drawn.
    #[error("{}: expected to draw this figure, but could not: {source}", path.display())]
    Figure {
        /// The file that was to be drawn.
        path: PathBuf,
        /// What the drawing library said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A word that names no table format.
    #[error("expected a table format, one of {expected}, found `{found}`")]
    UnknownFormat {
        /// The word given.
        found: String,
        /// The words that are formats.
        expected: &'static str,
    },
}

impl ReportError {
    /// The way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::RunsFolder { .. } | Self::NoRuns { .. } => Some(
                "start the sweep with `mezo sweep run <spec>`, or name the folder that holds it with `--runs-dir`"
                    .to_owned(),
            ),
            Self::Write { .. } | Self::Parquet { .. } | Self::Figure { .. } => Some(
                "see that the folder can be written and the disk is not full; `--results-dir`, or `--out` of a comparison, names another one"
                    .to_owned(),
            ),
            Self::UnknownFormat { expected, .. } => Some(format!("write one of {expected}")),
        }
    }
}
