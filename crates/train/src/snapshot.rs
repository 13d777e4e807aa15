//! Snapshots of the trained tensors: they shorten a replay of the journal, and hold the best and the last.

use std::path::{Path, PathBuf};

use mezo_model::{Roberta, read_tensors, to_safetensors};

use crate::error::TrainError;
use crate::files::write_whole;

/// The snapshot's file in a run directory.
pub(crate) fn path(dir: &Path, step: u64) -> PathBuf {
    dir.join(format!("snapshot-{step}.safetensors"))
}

/// Writes the trained tensors, unless the step's snapshot is there already.
pub(crate) fn write(dir: &Path, step: u64, model: &Roberta) -> Result<(), TrainError> {
    let path = path(dir, step);
    if path.exists() {
        return Ok(());
    }
    write_whole(&path, &to_safetensors(&model.trainable_tensors()))
}

/// Puts a snapshot's tensors into the model.
pub(crate) fn restore(dir: &Path, step: u64, model: &mut Roberta) -> Result<(), TrainError> {
    let path = path(dir, step);
    read_tensors(&path)
        .and_then(|tensors| model.set_trainable(tensors, &path))
        .map_err(|error| TrainError::Snapshot { error })
}

/// The steps of all snapshots in a run directory, ascending.
pub(crate) fn steps(dir: &Path) -> Result<Vec<u64>, TrainError> {
    let entries = std::fs::read_dir(dir).map_err(TrainError::file(dir, "read"))?;
    let mut steps = Vec::new();
    for entry in entries {
        let name = entry.map_err(TrainError::file(dir, "read"))?.file_name();
        let step: Option<u64> = name
            .to_str()
            .and_then(|name| name.strip_prefix("snapshot-")?.strip_suffix(".safetensors"))
            .and_then(|step| step.parse().ok());
        steps.extend(step);
    }
    steps.sort_unstable();
    Ok(steps)
}

/// Removes every snapshot up to `last` but the newest two and the best.
pub(crate) fn prune(dir: &Path, last: u64, best: Option<u64>) -> Result<(), TrainError> {
    let all: Vec<u64> = steps(dir)?
        .into_iter()
        .filter(|&step| step <= last)
        .collect();
    let old = all.len().saturating_sub(2);
    for &step in all[..old].iter().filter(|&&step| Some(step) != best) {
        let path = path(dir, step);
        std::fs::remove_file(&path).map_err(TrainError::file(&path, "remove"))?;
    }
    Ok(())
}
