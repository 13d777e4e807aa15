//! Files that appear whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::RunError;

/// Writes a file beside its place, makes it durable, and puts it in its place in one move.
///
/// # Errors
/// If that fails; what was there before is then still there.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let beside = path.with_extension("part");
    let write = || -> io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        sync_folder(path)
    };
    write().map_err(|error| {
        // What was half written takes room that may be what is wanting.
        let _ = std::fs::remove_file(&beside);
        RunError::file(path, "write")(error)
    })
}

/// Writes a file beside its place and puts it there in one move, without making it durable: for many files that
/// [`sync_all_of`] then makes durable at once.
///
/// # Errors
/// If that fails.
pub(crate) fn write_soon(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let beside = path.with_extension("part");
    let write = || {
        std::fs::write(&beside, bytes)?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        RunError::file(path, "write")(error)
    })
}

/// Makes all that was written to the file system of a folder durable.
///
/// # Errors
/// If the system cannot.
pub(crate) fn sync_all_of(folder: &Path) -> Result<(), RunError> {
    let sync = || -> io::Result<()> { Ok(rustix::fs::syncfs(File::open(folder)?)?) };
    sync().map_err(RunError::file(folder, "sync"))
}

/// Makes the folder's entry of a file durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

/// Writes pretty JSON with a newline at its end, as [`write_whole`].
///
/// # Errors
/// As [`write_whole`].
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RunError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| RunError::file(path, "write")(error.into()))?;
    text.push(b'\n');
    write_whole(path, &text)
}

/// Reads a JSON file.
///
/// # Errors
/// If it is not there or is none.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let text = std::fs::read(path).map_err(RunError::file(path, "read"))?;
    serde_json::from_slice(&text).map_err(|error| RunError::Record {
        path: path.into(),
        line: error.line(),
        message: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
