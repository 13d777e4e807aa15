//! Snapshots of the trained tensors and the optimiser's: they shorten a replay of the journal, and hold the best and the
//! last.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use mezo_model::{Model, NamedTensor, Optimizer, tensors_of};
use mezo_run::{RunError, write_whole};

use crate::error::TrainError;
use crate::learner::{Learner, SCALES};
use crate::seal::{is_whole, sealed};

/// The snapshot's file in a run directory.
pub(crate) fn path(dir: &Path, step: u64) -> PathBuf {
    dir.join(format!("snapshot-{step}.safetensors"))
}

/// Whether the step's snapshot is there with every byte that was written.
///
/// # Errors
/// If it is there and cannot be read.
pub(crate) fn is_there(dir: &Path, step: u64) -> Result<bool, TrainError> {
    let path = path(dir, step);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(is_whole(&bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(RunError::file(&path, "read")(error).into()),
    }
}

/// Writes the trained tensors and what else the next step needs, unless the step's snapshot is there already.
pub(crate) fn write(dir: &Path, step: u64, learner: &Learner) -> Result<(), TrainError> {
    if is_there(dir, step)? {
        return Ok(());
    }
    let mut tensors = learner.model.trainable_tensors();
    tensors.extend(learner.state());
    Ok(write_whole(&path(dir, step), &sealed(&tensors))?)
}

/// Writes the trained tensors alone, as a finished run keeps them.
pub(crate) fn write_weights(dir: &Path, step: u64, model: &Model) -> Result<(), TrainError> {
    let tensors = model.trainable_tensors();
    Ok(write_whole(&path(dir, step), &sealed(&tensors))?)
}

/// Puts a snapshot's tensors into the model and its optimiser, after the last step those of the model alone. False, and
/// nothing is done, where only these are left of it and a step to come needs more.
pub(crate) fn restore(
    dir: &Path,
    step: u64,
    learner: &mut Learner,
    is_last: bool,
) -> Result<bool, TrainError> {
    let path = path(dir, step);
    let (state, weights) = read(&path)?;
    if !is_last && state.is_empty() && learner.has_state() {
        return Ok(false);
    }
    set_weights(&mut learner.model, weights, &path)?;
    if !is_last {
        learner.set_state(state, step, &path)?;
    }
    Ok(true)
}

/// Puts a snapshot's weights into a model.
pub(crate) fn restore_weights(dir: &Path, step: u64, model: &mut Model) -> Result<(), TrainError> {
    let path = path(dir, step);
    let (_, weights) = read(&path)?;
    set_weights(model, weights, &path)
}

fn set_weights(
    model: &mut Model,
    weights: Vec<NamedTensor>,
    path: &Path,
) -> Result<(), TrainError> {
    model
        .set_trainable(weights, path)
        .map_err(|error| TrainError::Snapshot { error })
}

/// The state of the optimiser, and the weights.
fn read(path: &Path) -> Result<(Vec<NamedTensor>, Vec<NamedTensor>), TrainError> {
    let bytes = std::fs::read(path).map_err(RunError::file(path, "read"))?;
    let tensors = tensors_of(path, &bytes).map_err(|error| TrainError::Snapshot { error })?;
    let is_state = |name: &str| name == SCALES || name.starts_with(Optimizer::PREFIX);
    Ok(tensors
        .into_iter()
        .partition(|tensor| is_state(&tensor.name)))
}

/// The steps of all snapshots in a run directory, ascending.
pub(crate) fn steps(dir: &Path) -> Result<Vec<u64>, TrainError> {
    let entries = std::fs::read_dir(dir).map_err(RunError::file(dir, "read"))?;
    let mut steps = Vec::new();
    for entry in entries {
        let name = entry.map_err(RunError::file(dir, "read"))?.file_name();
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
        std::fs::remove_file(&path).map_err(RunError::file(&path, "remove"))?;
    }
    Ok(())
}

/// Leaves of a run's snapshots the weights alone, once no step goes on from them.
pub(crate) fn keep_weights(dir: &Path) -> Result<(), TrainError> {
    for step in steps(dir)? {
        let path = path(dir, step);
        let (state, weights) = read(&path)?;
        if !state.is_empty() {
            write_whole(&path, &sealed(&weights))?;
        }
    }
    Ok(())
}
