//! Files that appear whole or not at all, and journals that grow by lines.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::TrainError;

/// Writes a file beside its place, makes it durable, and puts it in its place in one move.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let beside = path.with_extension("part");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        sync_folder(path)
    };
    write().map_err(TrainError::file(path, "write"))
}

/// Makes the folder's entry of a file durable.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Pretty JSON with a newline at its end.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| TrainError::file(path, "write")(error.into()))?;
    text.push(b'\n');
    write_whole(path, &text)
}

/// Reads a JSON file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, TrainError> {
    let text = std::fs::read(path).map_err(TrainError::file(path, "read"))?;
    serde_json::from_slice(&text).map_err(|error| TrainError::Record {
        path: path.into(),
        line: error.line(),
        message: error.to_string(),
    })
}

/// A file of one JSON value a line, opened for adding.
#[derive(Debug)]
pub(crate) struct Lines {
    path: std::path::PathBuf,
    file: File,
}

impl Lines {
    /// Opens the file, reads its lines and cuts off a last one that a crash has torn.
    pub(crate) fn open<T: DeserializeOwned>(path: &Path) -> Result<(Self, Vec<T>), TrainError> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        let file = options.open(path).map_err(TrainError::file(path, "open"))?;
        let bytes = std::fs::read(path).map_err(TrainError::file(path, "read"))?;
        let whole = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |end| end + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64)
                .map_err(TrainError::file(path, "cut a torn line off"))?;
        }
        let mut values = Vec::new();
        for (number, line) in bytes[..whole]
            .split_inclusive(|&byte| byte == b'\n')
            .enumerate()
        {
            let value = serde_json::from_slice(line).map_err(|error| TrainError::Record {
                path: path.into(),
                line: number + 1,
                message: error.to_string(),
            })?;
            values.push(value);
        }
        Ok((
            Self {
                path: path.into(),
                file,
            },
            values,
        ))
    }

    /// Adds a line in one write.
    pub(crate) fn add(&mut self, value: &impl Serialize) -> Result<(), TrainError> {
        let mut line = serde_json::to_vec(value)
            .map_err(|error| TrainError::file(&self.path, "write")(error.into()))?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(TrainError::file(&self.path, "write"))
    }

    /// Makes every line so far durable.
    pub(crate) fn sync(&self) -> Result<(), TrainError> {
        self.file
            .sync_data()
            .map_err(TrainError::file(&self.path, "sync"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_cut_off_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines.jsonl");
        std::fs::write(&path, "1\n2\n3").unwrap();
        let (mut lines, values) = Lines::open::<u32>(&path).unwrap();
        assert_eq!(values, [1, 2]);
        lines.add(&4).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n4\n");
    }

    #[test]
    fn a_whole_line_that_is_wrong_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lines.jsonl");
        std::fs::write(&path, "1\nx\n3\n").unwrap();
        let error = Lines::open::<u32>(&path).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{}:2: ", path.display())),
            "{error}"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\nx\n3\n");
    }

    #[test]
    fn a_file_that_cannot_be_replaced_stays_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file.json");
        write_whole(&path, b"old").unwrap();
        // A folder where the new file would be written first.
        std::fs::create_dir(path.with_extension("part")).unwrap();
        assert!(write_whole(&path, b"new").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
    }
}
