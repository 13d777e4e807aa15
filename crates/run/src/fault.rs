//! Reading the files of one run for a report, each by itself and to its first fault.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::Path;

use serde::de::DeserializeOwned;

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
    ///
    /// # Errors
    /// With every other fault.
    pub fn unless_torn(self) -> Result<(), Self> {
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

/// A whole JSON file of a run directory: `None` when there is none.
///
/// # Errors
/// If it cannot be read, or is not what it should be.
pub(crate) fn whole_json<T: DeserializeOwned>(
    dir: &Path,
    file: &'static str,
    expected: &'static str,
) -> Result<Option<T>, FileFault> {
    let bytes = match std::fs::read(dir.join(file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FileFault::Unreadable { file, source }),
    };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(source) => Err(FileFault::malformed(file, 0, expected, source)),
    }
}

/// Hands every good line of a JSON-lines file to `each`, with its number from 1, up to the first
/// fault. A missing file has no lines.
///
/// # Errors
/// With that fault.
pub(crate) fn each_line<T: DeserializeOwned>(
    dir: &Path,
    file: &'static str,
    expected: &'static str,
    mut each: impl FnMut(usize, T) -> Result<(), FileFault>,
) -> Result<(), FileFault> {
    let mut reader = match File::open(dir.join(file)) {
        Ok(opened) => BufReader::new(opened),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(FileFault::Unreadable { file, source }),
    };
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = reader
            .read_until(b'\n', &mut bytes)
            .map_err(|source| FileFault::Unreadable { file, source })?;
        if read == 0 {
            break;
        }
        // Even a torn line that happens to parse is not trusted: a number may have lost digits.
        if bytes.last() != Some(&b'\n') {
            return Err(FileFault::Torn { file, line });
        }
        bytes.pop();
        let value = serde_json::from_slice(&bytes)
            .map_err(|source| FileFault::malformed(file, line - 1, expected, source))?;
        each(line, value)?;
    }
    Ok(())
}
