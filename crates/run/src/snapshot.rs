//! `snapshot-<step>.safetensors`: the trained tensors after a step, with a checksum over all other bytes of the file.
//!
//! What tensors a file holds is not this crate's concern: it takes and gives the file's bytes.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::RunError;
use crate::whole::write_whole;

/// The entry of a file's metadata that holds its checksum.
pub const CHECKSUM: &str = "sha256";
/// Stands in the checksum's place until [`Snapshots::write`] puts it there.
pub const NO_CHECKSUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The longest header that is looked for a checksum; a snapshot's has a few hundred tensors.
const HEADER: usize = 1 << 20;

/// The snapshots in a run directory.
#[derive(Debug, Clone, Copy)]
pub struct Snapshots<'d>(pub &'d Path);

impl Snapshots<'_> {
    /// The file of a step's snapshot.
    pub fn path(&self, step: u64) -> PathBuf {
        self.0.join(format!("snapshot-{step}.safetensors"))
    }

    /// The steps of all snapshots, ascending.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn steps(&self) -> Result<Vec<u64>, RunError> {
        let entries = std::fs::read_dir(self.0).map_err(RunError::file(self.0, "read"))?;
        let mut steps = Vec::new();
        for entry in entries {
            let name = entry.map_err(RunError::file(self.0, "read"))?.file_name();
            let step: Option<u64> = name
                .to_str()
                .and_then(|name| name.strip_prefix("snapshot-")?.strip_suffix(".safetensors"))
                .and_then(|step| step.parse().ok());
            steps.extend(step);
        }
        steps.sort_unstable();
        Ok(steps)
    }

    /// Whether the step's snapshot is there with every byte that was written.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn is_whole(&self, step: u64) -> Result<bool, RunError> {
        let path = self.path(step);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(is_whole(&bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(RunError::file(&path, "read")(error)),
        }
    }

    /// The bytes of the step's snapshot.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, step: u64) -> Result<Vec<u8>, RunError> {
        let path = self.path(step);
        std::fs::read(&path).map_err(RunError::file(&path, "read"))
    }

    /// Writes the step's snapshot whole; `bytes` are a safetensors file whose metadata has [`CHECKSUM`] as [`NO_CHECKSUM`].
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, step: u64, mut bytes: Vec<u8>) -> Result<(), RunError> {
        seal(&mut bytes);
        write_whole(&self.path(step), &bytes)
    }

    /// Removes every snapshot up to `last` but the newest two and the best.
    ///
    /// # Errors
    /// If one cannot be removed.
    pub fn prune(&self, last: u64, best: Option<u64>) -> Result<(), RunError> {
        let mut all = self.steps()?;
        all.retain(|&step| step <= last);
        let old = all.len().saturating_sub(2);
        for &step in all[..old].iter().filter(|&&step| Some(step) != best) {
            let path = self.path(step);
            std::fs::remove_file(&path).map_err(RunError::file(&path, "remove"))?;
        }
        Ok(())
    }
}

/// Puts the checksum in its place; without such a place a file is never whole.
fn seal(bytes: &mut [u8]) {
    let Some(at) = place(bytes) else { return };
    let digest = digest(bytes, at);
    bytes[at..at + digest.len()].copy_from_slice(digest.as_bytes());
}

/// Whether the bytes are those of a sealed file, every one of them.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(at) = place(bytes) else {
        return false;
    };
    digest(bytes, at).as_bytes() == &bytes[at..at + NO_CHECKSUM.len()]
}

/// Where the digest stands.
fn place(bytes: &[u8]) -> Option<usize> {
    let mark = format!("\"{CHECKSUM}\":\"");
    let header = &bytes[..bytes.len().min(HEADER)];
    let mut windows = header.windows(mark.len());
    let at = windows.position(|window| window == mark.as_bytes())? + mark.len();
    (at + NO_CHECKSUM.len() <= bytes.len()).then_some(at)
}

/// The digest of all bytes but its own at `at`.
fn digest(bytes: &[u8], at: usize) -> String {
    let rest = &bytes[at + NO_CHECKSUM.len()..];
    let mut hash = Sha256::new();
    for part in [&bytes[..at], NO_CHECKSUM.as_bytes(), rest] {
        hash.update(part);
    }
    let digest = hash.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A header as a file has it, and the values of a tensor.
    fn file() -> Vec<u8> {
        let header = format!(
            r#"{{"__metadata__":{{"{CHECKSUM}":"{NO_CHECKSUM}"}},"sha256":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#
        );
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(0.5f32.to_le_bytes());
        bytes
    }

    #[test]
    fn every_other_byte_breaks_the_checksum() {
        let mut bytes = file();
        assert!(!is_whole(&bytes));
        seal(&mut bytes);
        assert!(is_whole(&bytes));
        for at in 0..bytes.len() {
            for flip in [1, 0x20, 0xff] {
                let mut other = bytes.clone();
                other[at] ^= flip;
                assert!(!is_whole(&other), "byte {at} with {flip:#x}");
            }
            assert!(!is_whole(&bytes[..at]), "cut at {at}");
        }
        assert!(!is_whole(b""));
    }

    #[test]
    fn the_newest_two_and_the_best_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let snapshots = Snapshots(dir.path());
        for step in [20, 5, 10, 15, 25] {
            snapshots.write(step, file()).unwrap();
            assert!(snapshots.is_whole(step).unwrap());
        }
        std::fs::write(dir.path().join("snapshot-x.safetensors"), "").unwrap();
        snapshots.prune(20, Some(5)).unwrap();
        assert_eq!(snapshots.steps().unwrap(), [5, 15, 20, 25]);
        assert!(!snapshots.is_whole(10).unwrap());
        std::fs::write(snapshots.path(15), b"cut").unwrap();
        assert!(!snapshots.is_whole(15).unwrap());
    }
}
