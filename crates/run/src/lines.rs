//! Files of one JSON value a line, which grow by whole lines.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::RunError;
use crate::whole::write_whole;

/// A file of one JSON value a line, opened for adding.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    file: File,
}

impl Lines {
    /// Opens the file, reads its lines and cuts off a last one that a crash has torn.
    ///
    /// # Errors
    /// If it cannot be opened, or a whole line is not what it should be.
    pub fn open<T: DeserializeOwned>(path: &Path) -> Result<(Self, Vec<T>), RunError> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        let file = options.open(path).map_err(RunError::file(path, "open"))?;
        let bytes = std::fs::read(path).map_err(RunError::file(path, "read"))?;
        let (values, whole) = parse(path, &bytes)?;
        if whole < bytes.len() {
            file.set_len(whole as u64)
                .map_err(RunError::file(path, "cut a torn line off"))?;
        }
        let path = path.into();
        Ok((Self { path, file }, values))
    }

    /// The same for a file that only the run's holder may write: its lines move to a file of their own, put in the old one's
    /// place. A holder that has lost the run without knowing it then adds to a file that nobody reads.
    ///
    /// # Errors
    /// As [`Lines::open`], and if it cannot be written.
    pub fn take_over<T: DeserializeOwned>(path: &Path) -> Result<(Self, Vec<T>), RunError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(RunError::file(path, "read")(error)),
        };
        let (values, whole) = parse(path, &bytes)?;
        let lines = Self::replace(path, &bytes[..whole])?;
        Ok((lines, values))
    }

    fn replace(path: &Path, bytes: &[u8]) -> Result<Self, RunError> {
        write_whole(path, bytes)?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(RunError::file(path, "open"))?;
        let path = path.into();
        Ok(Self { path, file })
    }

    /// Adds a line in one write.
    ///
    /// # Errors
    /// If it cannot be written; what of it may have been is a torn line, which the next to open the file cuts off.
    pub fn add(&mut self, value: &impl Serialize) -> Result<(), RunError> {
        let line = line_of(&self.path, value)?;
        self.file
            .write_all(&line)
            .map_err(RunError::file(&self.path, "write"))
    }

    /// Makes every line so far durable.
    ///
    /// # Errors
    /// If the system cannot.
    pub fn sync(&self) -> Result<(), RunError> {
        self.file
            .sync_data()
            .map_err(RunError::file(&self.path, "sync"))
    }
}

/// The whole lines of a file that others may be writing; one that is not there has none. Nothing is written.
///
/// # Errors
/// If it cannot be read, or a line is not what it should be.
pub fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, RunError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(parse(path, &bytes)?.0),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(RunError::file(path, "read")(error)),
    }
}

fn line_of(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, RunError> {
    let mut line =
        serde_json::to_vec(value).map_err(|error| RunError::file(path, "write")(error.into()))?;
    line.push(b'\n');
    Ok(line)
}

/// The values of the whole lines, and how many bytes these are.
fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<(Vec<T>, usize), RunError> {
    let end = bytes.iter().rposition(|&byte| byte == b'\n');
    let whole = end.map_or(0, |end| end + 1);
    let lines = bytes[..whole].split_inclusive(|&byte| byte == b'\n');
    let value = |(number, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|error| RunError::Record {
            path: path.into(),
            line: number + 1,
            message: error.to_string(),
        })
    };
    let values = lines.enumerate().map(value).collect::<Result<_, _>>()?;
    Ok((values, whole))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines.jsonl");
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn a_torn_line_is_cut_off_and_the_rest_stays() {
        for open in [Lines::open::<u32>, Lines::take_over::<u32>] {
            let (_dir, path) = file("1\n2\n3");
            assert_eq!(read_lines::<u32>(&path).unwrap(), [1, 2]);
            let (mut lines, values) = open(&path).unwrap();
            assert_eq!(values, [1, 2]);
            lines.add(&4).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n4\n");
        }
    }

    #[test]
    fn a_whole_line_that_is_wrong_is_named() {
        for open in [Lines::open::<u32>, Lines::take_over::<u32>] {
            let (_dir, path) = file("1\nx\n3\n");
            let error = open(&path).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{}:2: ", path.display())),
                "{error}"
            );
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\nx\n3\n");
        }
    }

    #[test]
    fn who_lost_a_file_writes_where_nobody_reads() {
        let (_dir, path) = file("1\n");
        let (mut old, _) = Lines::take_over::<u32>(&path).unwrap();
        let (mut new, values) = Lines::take_over::<u32>(&path).unwrap();
        assert_eq!(values, [1]);
        old.add(&8).unwrap();
        new.add(&2).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n");
    }
}
