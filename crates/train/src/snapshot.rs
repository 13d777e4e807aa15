//! Snapshots of the trained tensors and the optimiser's: they shorten a replay of the journal, and hold the best and the
//! last.

use std::path::{Path, PathBuf};

use mezo_model::{NamedTensor, Optimizer, Roberta, read_tensors, to_safetensors};

use crate::error::TrainError;
use crate::files::write_whole;
use crate::learner::{Learner, SCALES};

/// The snapshot's file in a run directory.
pub(crate) fn path(dir: &Path, step: u64) -> PathBuf {
    dir.join(format!("snapshot-{step}.safetensors"))
}

/// Writes the trained tensors and what else the next step needs, unless the step's snapshot is there already.
pub(crate) fn write(dir: &Path, step: u64, learner: &Learner) -> Result<(), TrainError> {
    let path = path(dir, step);
    if path.exists() {
        return Ok(());
    }
    let mut tensors = learner.model.trainable_tensors();
    tensors.extend(learner.state());
    write_whole(&path, &to_safetensors(&tensors))
}

/// Puts a snapshot's tensors into the model and its optimiser.
pub(crate) fn restore(dir: &Path, step: u64, learner: &mut Learner) -> Result<(), TrainError> {
    let path = path(dir, step);
    let state = restore_weights(dir, step, &mut learner.model)?;
    learner.set_state(state, step, &path)
}

/// Puts a snapshot's weights into a model; the state of the optimiser is returned.
pub(crate) fn restore_weights(
    dir: &Path,
    step: u64,
    model: &mut Roberta,
) -> Result<Vec<NamedTensor>, TrainError> {
    let path = path(dir, step);
    let (state, weights) = read(&path)?;
    model
        .set_trainable(weights, &path)
        .map_err(|error| TrainError::Snapshot { error })?;
    Ok(state)
}

/// The state of the optimiser, and the weights.
fn read(path: &Path) -> Result<(Vec<NamedTensor>, Vec<NamedTensor>), TrainError> {
    let tensors = read_tensors(path).map_err(|error| TrainError::Snapshot { error })?;
    let is_state = |name: &str| name == SCALES || name.starts_with(Optimizer::PREFIX);
    Ok(tensors
        .into_iter()
        .partition(|tensor| is_state(&tensor.name)))
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

/// Leaves of a finished run's snapshots the weights alone: no step goes on from them.
pub(crate) fn keep_weights(dir: &Path) -> Result<(), TrainError> {
    for step in steps(dir)? {
        let path = path(dir, step);
        let (state, weights) = read(&path)?;
        if !state.is_empty() {
            write_whole(&path, &to_safetensors(&weights))?;
        }
    }
    Ok(())
}
