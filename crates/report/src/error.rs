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

/// Why one file of one run could not be used, or not to its end.
///
/// A fault never stops a report: it becomes a remark beside the run it belongs to. File names are
/// relative to the run's directory, so that reports made from two copies of it are the same.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// The file should be there and is not.
    #[error("{file}: expected this file, found none")]
    Missing {
        /// The file's name.
        file: &'static str,
    },
    /// The file is there and cannot be read.
    #[error("{file}: expected a readable file: {source}")]
    Unreadable {
        /// The file's name.
        file: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The file, or a line of it, is not the JSON it should be.
    #[error("{file}:{line}:{column}: expected {expected}: {}", bare(source))]
    Malformed {
        /// The file's name.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What should stand there.
        expected: &'static str,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The last line has no end: its writer was stopped in the middle of it.
    #[error("{file}:{line}:1: expected a whole last line, found a torn one")]
    Torn {
        /// The file's name.
        file: &'static str,
        /// The line, from 1.
        line: usize,
    },
    /// The journal's steps do not follow one another.
    #[error("{file}:{line}:1: expected step {expected}, found step {found}")]
    OutOfOrder {
        /// The file's name.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// The step that should follow.
        expected: u64,
        /// The step found.
        found: u64,
    },
    /// A file belongs to another run than the directory it lies in.
    #[error("{file}: expected the id of its directory, {expected}, found {found}")]
    WrongId {
        /// The file's name.
        file: &'static str,
        /// The directory's name.
        expected: String,
        /// The id in the file.
        found: String,
    },
}

impl FileFault {
    /// Passes over a torn last line.
    pub(crate) fn unless_torn(self) -> Result<(), Self> {
        match self {
            Self::Torn { .. } => Ok(()),
            other => Err(other),
        }
    }

    /// A parser's error in `file`, whose text began after `lines_before` other lines.
    pub(crate) fn malformed(
        file: &'static str,
        lines_before: usize,
        expected: &'static str,
        source: serde_json::Error,
    ) -> Self {
        Self::Malformed {
            file,
            line: lines_before + source.line().max(1),
            column: source.column().max(1),
            expected,
            source,
        }
    }
}

/// The parser's message without the position it appends: the position stands in front already.
fn bare(source: &serde_json::Error) -> String {
    let text = source.to_string();
    match text.rsplit_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}
