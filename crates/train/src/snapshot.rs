//! Snapshots of the trained tensors and the optimiser's: they shorten a replay of the journal, and hold the best and the
//! last.

use std::path::Path;

use mezo_model::{Model, NamedTensor, Optimizer, tensors_of};
use mezo_run::{CHECKSUM, NO_CHECKSUM, Snapshots};
use mezo_weights::to_safetensors_with;

use crate::error::TrainError;
use crate::train_state::{SCALES, TrainState};

/// Writes the trained tensors and what else the next step needs, unless the step's snapshot is there already.
pub(crate) fn write(dir: &Path, step: u64, state: &TrainState) -> Result<(), TrainError> {
    if Snapshots(dir).is_whole(step)? {
        return Ok(());
    }
    let mut tensors = state.model.trainable_tensors();
    tensors.extend(state.state());
    write_tensors(dir, step, &tensors)
}

/// Writes the trained tensors alone, as a finished run keeps them.
pub(crate) fn write_weights(dir: &Path, step: u64, model: &Model) -> Result<(), TrainError> {
    write_tensors(dir, step, &model.trainable_tensors())
}

fn write_tensors(dir: &Path, step: u64, tensors: &[NamedTensor]) -> Result<(), TrainError> {
    let bytes = to_safetensors_with(tensors, CHECKSUM, NO_CHECKSUM);
    Ok(Snapshots(dir).write(step, bytes)?)
}

/// Puts a snapshot's tensors into the model and its optimiser, after the last step those of the model alone. False, and
/// nothing is done, where only these are left of it and a step to come needs more.
pub(crate) fn restore(
    dir: &Path,
    step: u64,
    state: &mut TrainState,
    is_last: bool,
) -> Result<bool, TrainError> {
    let (beside, weights) = read(dir, step)?;
    if !is_last && beside.is_empty() && state.has_state() {
        return Ok(false);
    }
    let path = Snapshots(dir).path(step);
    set_weights(&mut state.model, weights, &path)?;
    if !is_last {
        state.set_state(beside, step, &path)?;
    }
    Ok(true)
}

/// Puts a snapshot's weights into a model.
pub(crate) fn restore_weights(dir: &Path, step: u64, model: &mut Model) -> Result<(), TrainError> {
    let (_, weights) = read(dir, step)?;
    set_weights(model, weights, &Snapshots(dir).path(step))
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

/// What lies beside the weights, and the weights.
fn read(dir: &Path, step: u64) -> Result<(Vec<NamedTensor>, Vec<NamedTensor>), TrainError> {
    let bytes = Snapshots(dir).read(step)?;
    let tensors = tensors_of(&Snapshots(dir).path(step), &bytes)
        .map_err(|error| TrainError::Snapshot { error })?;
    let is_state = |name: &str| name == SCALES || name.starts_with(Optimizer::PREFIX);
    Ok(tensors
        .into_iter()
        .partition(|tensor| is_state(&tensor.name)))
}

/// Leaves of a run's snapshots the weights alone, once no step goes on from them.
pub(crate) fn keep_weights(dir: &Path) -> Result<(), TrainError> {
    for step in Snapshots(dir).steps()? {
        let (beside, weights) = read(dir, step)?;
        if !beside.is_empty() {
            write_tensors(dir, step, &weights)?;
        }
    }
    Ok(())
}
