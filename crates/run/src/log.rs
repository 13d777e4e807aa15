//! `log.txt`: what the processes of a run printed. It explains a failure and decides nothing.

use std::fs::{File, OpenOptions};
use std::path::Path;

use crate::LOG;
use crate::error::RunError;
use crate::tail::text_from;

/// The most of a log that is read back.
const BYTES: u64 = 64 * 1024;

/// Opens a run's log for adding, and tells its length in bytes.
///
/// # Errors
/// If it cannot be opened.
pub fn open_log(dir: &Path) -> Result<(File, u64), RunError> {
    let path = dir.join(LOG);
    let failed = || RunError::file(&path, "open");
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).open(&path);
    let file = file.map_err(failed())?;
    let length = file.metadata().map_err(failed())?.len();
    Ok((file, length))
}

/// What a run's log says from the offset `from` on, at most its last 64 KiB; nothing where it cannot be read.
pub fn log_since(dir: &Path, from: u64) -> String {
    text_from(&dir.join(LOG), from, BYTES).unwrap_or_default()
}
