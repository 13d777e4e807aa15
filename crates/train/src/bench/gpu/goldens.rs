//! The device's numbers against those that reference implementations gave.

use std::path::{Path, PathBuf};

use mezo_model::{
    LoraConfig, Model, ModelFiles, PrefixConfig, PrefixInit, Probes, Tuning, load, read_tensors,
};
use mezo_run::{RunError, read_json};
use mezo_tasks::{Example, PackedBatch};
use serde::Deserialize;

use super::Bench;
use super::checks::{Check, largest_difference};
use crate::error::TrainError;
use crate::forward::batch;

/// The file beside a model that has what the reference makes of some sentences with it.
const CASES: &str = "cases.json";

/// What the reference made of a model's sentences, in f64.
#[derive(Deserialize)]
struct Cases {
    input_ids: Vec<Vec<u32>>,
    mask_pos: Vec<usize>,
    label_words: Vec<usize>,
    labels: Vec<usize>,
    loss: f64,
    label_logits: Vec<Vec<f64>>,
    lora_loss: Option<f64>,
    spsa_lora: Option<Terms>,
    prefix_loss: Option<f64>,
    spsa_prefix: Option<Front>,
}

/// LoRA's, whose values are in a file beside.
#[derive(Deserialize)]
struct Terms {
    r: usize,
    alpha: f64,
}

/// A prefix's, the same.
#[derive(Deserialize)]
struct Front {
    num_prefix: usize,
}

impl Bench {
    /// Scores and losses of every model in a folder that has recorded cases.
    pub(super) fn goldens(&self, folder: &Path) -> Result<Vec<Check>, TrainError> {
        let entries = std::fs::read_dir(folder).map_err(RunError::file(folder, "read"))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut models: Vec<PathBuf> = paths.filter(|it| it.join(CASES).exists()).collect();
        models.sort();
        let mut checks = Vec::new();
        for model in models {
            checks.extend(self.golden(&model)?);
        }
        Ok(checks)
    }

    fn golden(&self, folder: &Path) -> Result<Vec<Check>, TrainError> {
        let cases: Cases = read_json(&folder.join(CASES))?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let model = load(&ModelFiles::Folder(folder.into()), &self.device)?.model;
        let check = |what: &str, ours: &[f64], recorded: &[f64], tolerance| {
            let difference = largest_difference(ours, recorded);
            let what = format!("{what} of {name}, against the reference's");
            Check::new(what, difference, Some(tolerance))
        };
        let losses = self.tolerances.losses;
        let (loss, scores) = cases.losses_of(&model);
        let mut checks = vec![
            check(
                "scores",
                &scores,
                &cases.label_logits.concat(),
                self.tolerances.scores,
            ),
            check("loss", &[loss], &[cases.loss], losses),
        ];
        for (what, beside, recorded) in [
            ("LoRA", cases.with_lora(&model, folder)?, cases.lora_loss),
            (
                "a prefix",
                cases.with_prefix(&model, folder)?,
                cases.prefix_loss,
            ),
        ] {
            if let (Some(model), Some(recorded)) = (beside, recorded) {
                let what = format!("loss with {what}");
                let (loss, _) = cases.losses_of(&model);
                checks.push(check(&what, &[loss], &[recorded], losses));
            }
        }
        Ok(checks)
    }
}

impl Cases {
    /// The mean loss, and the scores of the label words.
    fn losses_of(&self, model: &Model) -> (f64, Vec<f64>) {
        let sentences = self.input_ids.iter().zip(&self.mask_pos).zip(&self.labels);
        let examples: Vec<Example> = sentences
            .map(|((ids, &asked), &label)| Example {
                ids: ids.clone(),
                asked,
                label,
            })
            .collect();
        let packed = PackedBatch::pack(examples.iter());
        let scores = model.scores(batch(&packed), &self.label_words, &Probes::unperturbed());
        let loss = scores.losses(&self.labels)[0];
        let rows = (0..scores.rows).flat_map(|row| scores.row(0, row).to_vec());
        (loss, rows.collect())
    }

    fn with_lora(&self, model: &Model, folder: &Path) -> Result<Option<Model>, TrainError> {
        let Some(&Terms { r: rank, alpha }) = self.spsa_lora.as_ref() else {
            return Ok(None);
        };
        let mut model = model.clone();
        model.attach_lora(LoraConfig { rank, alpha }, 0);
        model.train_only(Tuning::Lora, false);
        set_values(&mut model, &folder.join("spsa_lora_theta0.safetensors"))?;
        Ok(Some(model))
    }

    fn with_prefix(&self, model: &Model, folder: &Path) -> Result<Option<Model>, TrainError> {
        let Some(&Front { num_prefix: tokens }) = self.spsa_prefix.as_ref() else {
            return Ok(None);
        };
        let mut model = model.clone();
        let init = PrefixInit::Random;
        model.attach_prefix(PrefixConfig { tokens, init }, 0);
        model.train_only(Tuning::Prefix, false);
        set_values(&mut model, &folder.join("spsa_prefix_theta0.safetensors"))?;
        Ok(Some(model))
    }
}

/// The values of a file for what the model trains.
fn set_values(model: &mut Model, path: &Path) -> Result<(), TrainError> {
    Ok(model.set_trainable(read_tensors(path)?, path)?)
}
