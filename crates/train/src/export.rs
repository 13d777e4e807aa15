//! A run's best parameters, for other libraries.

use std::io::ErrorKind;
use std::path::Path;

use mezo_model::LoraConfig;

use crate::error::TrainError;
use crate::files::read_json;
use crate::manifest::{Manifest, ModelConfig};
use crate::materials;
use crate::result::RunResult;
use crate::snapshot;

/// Writes the parameters of a finished run's best step: the whole model in Hugging Face's layout, LoRA's terms as an
/// adapter in PEFT's. The step is returned.
///
/// # Errors
/// If the run has no result or no best step, its files or the model's cannot be read, or the folder not be written.
pub fn export(dir: &Path, out: &Path) -> Result<u64, TrainError> {
    let manifest = Manifest::read(dir)?;
    let result_path = dir.join("result.json");
    let result: RunResult = read_json(&result_path)?;
    let Some(best) = result.best.filter(|_| manifest.config.train.is_some()) else {
        return Err(TrainError::Record {
            path: result_path,
            line: 1,
            message: "expected a run with a best step: this one trained nothing that could be kept"
                .into(),
        });
    };
    refuse_full(out)?;
    let config = &manifest.config;
    let files = materials::model_files(&config.model, dir)?;
    let device = mezo_model::device::open("cpu")?;
    let (mut model, weights) = materials::model(config, &files, &device)?;
    if weights != manifest.weights_sha256 {
        let path = dir.join(Manifest::FILE);
        return Err(TrainError::Changed {
            path,
            what: "weights",
        });
    }
    snapshot::restore(dir, best.step, &mut model)?;
    match config.method.lora {
        None => model.save(&files, out)?,
        Some(lora) => {
            let base = match &config.model {
                ModelConfig::Builtin(name) => name.clone(),
                ModelConfig::Path(path) => {
                    let path = dir.join(path);
                    let absolute = path
                        .canonicalize()
                        .map_err(TrainError::file(&path, "read"))?;
                    absolute.display().to_string()
                }
            };
            model.save_adapter(
                LoraConfig {
                    rank: lora.r,
                    alpha: lora.alpha,
                },
                &base,
                out,
            )?;
        }
    }
    Ok(best.step)
}

/// A folder that holds something is left alone: it might be the model itself.
fn refuse_full(out: &Path) -> Result<(), TrainError> {
    let holds_something = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    match holds_something {
        true => Err(TrainError::file(out, "write")(
            ErrorKind::DirectoryNotEmpty.into(),
        )),
        false => Ok(()),
    }
}
