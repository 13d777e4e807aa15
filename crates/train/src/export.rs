//! A run's best parameters, for other libraries.

use std::io::ErrorKind;
use std::path::Path;

use mezo_model::LoraConfig;
use mezo_run::{Manifest, RESULT, RunError, RunPlan, RunResult};
use mezo_spec::{ModelSource, Tuning};

use crate::error::TrainError;
use crate::replay::parameters;

/// Writes the parameters of a finished run's best step: the whole model in Hugging Face's layout, LoRA's terms as an
/// adapter in PEFT's. The step is returned.
///
/// # Errors
/// If the run has no result or no best step, its files or the model's cannot be read, or the folder not be written.
pub fn export(dir: &Path, out: &Path) -> Result<u64, TrainError> {
    let plan = readable(dir)?;
    let Some(best) = RunResult::read(dir)?
        .best
        .filter(|_| plan.config.method.training().is_some())
    else {
        return Err(RunError::Record {
            path: dir.join(RESULT),
            line: 1,
            message: "expected a run with a best step: this one trained nothing that could be kept"
                .into(),
        }
        .into());
    };
    refuse_full(out)?;
    let config = &plan.config;
    let files = mezo_model::ModelFiles::of(&config.model, dir)?;
    let device = mezo_model::device::open("cpu")?;
    let model = parameters(dir, &plan, &device, best.step)?;
    match config.method.tuning() {
        Some(Tuning::Lora(lora)) => {
            let terms = LoraConfig {
                rank: lora.r,
                alpha: lora.alpha,
            };
            model.save_adapter(terms, &base_name(&config.model, dir)?, out)?;
        }
        Some(Tuning::Prefix(_)) => model.save_prefix(&base_name(&config.model, dir)?, out)?,
        _ => model.save(&files, out)?,
    }
    Ok(best.step)
}

/// A run of this version, or of an earlier one that kept its best parameters.
fn readable(dir: &Path) -> Result<RunPlan, TrainError> {
    let manifest = Manifest::read(dir)?;
    if !manifest.is_earlier() {
        return Ok(RunPlan::read(dir)?);
    }
    let config = manifest.run_config().map_err(|error| RunError::Record {
        path: dir.join(Manifest::FILE),
        line: 1,
        message: error.to_string(),
    })?;
    Ok(RunPlan { manifest, config })
}

/// What the adapter's file calls the model it belongs to.
fn base_name(model: &ModelSource, dir: &Path) -> Result<String, TrainError> {
    match model {
        ModelSource::Builtin(name) => Ok(name.clone()),
        ModelSource::Hub(hub) => Ok(hub.repo.clone()),
        ModelSource::Path(path) => {
            let path = dir.join(path);
            let absolute = path.canonicalize().map_err(RunError::file(&path, "read"))?;
            Ok(absolute.display().to_string())
        }
    }
}

/// A folder that holds something is left alone: it might be the model itself.
fn refuse_full(out: &Path) -> Result<(), TrainError> {
    let holds_something = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    match holds_something {
        true => Err(RunError::file(out, "write")(ErrorKind::DirectoryNotEmpty.into()).into()),
        false => Ok(()),
    }
}
