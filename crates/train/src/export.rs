//! A run's best parameters, for other libraries.

use std::io::ErrorKind;
use std::path::Path;

use mezo_model::LoraConfig;
use mezo_run::{RESULT, RunError, read_json};

use crate::error::TrainError;
use crate::manifest::{Manifest, ModelConfig};
use crate::materials;
use crate::replay::parameters;
use crate::result::RunResult;

/// Writes the parameters of a finished run's best step: the whole model in Hugging Face's layout, LoRA's terms as an
/// adapter in PEFT's. The step is returned.
///
/// # Errors
/// If the run has no result or no best step, its files or the model's cannot be read, or the folder not be written.
pub fn export(dir: &Path, out: &Path) -> Result<u64, TrainError> {
    let manifest = Manifest::read(dir)?;
    let result_path = dir.join(RESULT);
    let result: RunResult = read_json(&result_path)?;
    let Some(best) = result
        .best
        .filter(|_| manifest.config.method.name.has_steps())
    else {
        return Err(RunError::Record {
            path: result_path,
            line: 1,
            message: "expected a run with a best step: this one trained nothing that could be kept"
                .into(),
        }
        .into());
    };
    refuse_full(out)?;
    let config = &manifest.config;
    let files = materials::model_files(&config.model, dir)?;
    let device = mezo_model::device::open("cpu")?;
    let model = parameters(dir, &manifest, &device, best.step)?;
    match (config.method.lora, config.method.prefix) {
        (Some(lora), _) => {
            let terms = LoraConfig {
                rank: lora.r,
                alpha: lora.alpha,
            };
            model.save_adapter(terms, &base_name(&config.model, dir)?, out)?;
        }
        (None, Some(_)) => model.save_prefix(&base_name(&config.model, dir)?, out)?,
        (None, None) => model.save(&files, out)?,
    }
    Ok(best.step)
}

/// What the adapter's file calls the model it belongs to.
fn base_name(model: &ModelConfig, dir: &Path) -> Result<String, TrainError> {
    match model {
        ModelConfig::Builtin(name) => Ok(name.clone()),
        ModelConfig::Hub(hub) => Ok(hub.repo.clone()),
        ModelConfig::Path(path) => {
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
