//! One run as a spec describes it: the tables `[model]`, `[task]`, `[method]` and `[train]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// One point of a spec, before anything it names has been looked at.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// Which model.
    pub model: ModelSpec,
    /// Which data, and how they are put to the model.
    pub task: TaskSpec,
    /// What is done.
    pub method: MethodSpec,
    /// How it is trained.
    pub train: TrainSpec,
}

/// `[model]`: one of the two.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// A model in the binary.
    pub builtin: Option<String>,
    /// A folder in Hugging Face's layout, relative to the spec's own folder.
    pub path: Option<PathBuf>,
}

/// `[task]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// The task's name.
    pub name: String,
    /// The folder that holds the task's folder, relative to the spec's own.
    pub data: Option<PathBuf>,
    /// Examples per class to train on, and as many again to choose by.
    pub k: usize,
    /// The most test examples; a larger test set is cut by the published rule.
    #[serde(default = "test_cap")]
    pub test_cap: usize,
    /// The prompt; the published one by default.
    pub template: Option<String>,
    /// Label to label word; the published ones by default.
    pub label_words: Option<BTreeMap<String, String>>,
    /// The most tokens of a prompt.
    pub max_length: Option<usize>,
}

fn test_cap() -> usize {
    1000
}

/// `[method]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodSpec {
    /// `mezo`, or `zero-shot` for no training at all.
    pub name: MethodName,
    /// Which parameters are trained.
    #[serde(default)]
    pub tuning: TuningName,
    /// Rank and weight of LoRA; 8 and 16, the paper's, by default.
    pub lora: Option<LoraSpec>,
}

/// How the parameters are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MethodName {
    /// Memory-efficient zeroth-order SGD.
    Mezo,
    /// Not at all.
    ZeroShot,
}

/// Which parameters are trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TuningName {
    /// All of them.
    #[default]
    Full,
    /// Low-rank terms beside query and value.
    Lora,
}

/// `method.lora`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraSpec {
    /// The rank.
    pub r: usize,
    /// The terms are scaled by `alpha / r`.
    pub alpha: f64,
}

/// `[train]`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// Picks the k-shot split, the order of the batches and the noise.
    pub seed: u64,
    /// Parameter updates.
    pub steps: u64,
    /// Examples a step; more than there are is all of them.
    pub batch_size: usize,
    /// Steps between evaluations on dev.
    pub eval_every: u64,
    /// Learning rate, constant.
    pub lr: f64,
    /// Scale of the perturbation.
    pub eps: f64,
    /// Weight decay, on every trained tensor.
    #[serde(default)]
    pub weight_decay: f64,
}

impl RunSpec {
    /// Checks the values that can be checked by themselves.
    ///
    /// # Errors
    /// With the key of the first value that cannot be.
    pub fn check(&self) -> Result<(), TrainError> {
        self.check_model()?;
        positive_count("task.k", self.task.k as u64)?;
        positive_count("task.test_cap", self.task.test_cap as u64)?;
        if let Some(length) = self.task.max_length {
            positive_count("task.max_length", length as u64)?;
        }
        self.check_lora()?;
        let train = &self.train;
        positive_count("train.steps", train.steps)?;
        positive_count("train.batch_size", train.batch_size as u64)?;
        positive_count("train.eval_every", train.eval_every)?;
        positive("train.lr", train.lr)?;
        positive("train.eps", train.eps)?;
        // The forward pass perturbs in f32.
        if !(train.eps as f32).is_normal() {
            let message = format!(
                "expected 1.2e-38 to 3.4e38 for `train.eps`, found {:?}",
                train.eps
            );
            return Err(value("train.eps", message));
        }
        if !(train.weight_decay.is_finite() && train.weight_decay >= 0.0) {
            let message = format!(
                "expected a finite number, 0 or more, for `train.weight_decay`, found {:?}",
                train.weight_decay
            );
            return Err(value("train.weight_decay", message));
        }
        // The published procedure seeds a generator of 32 bits.
        if u32::try_from(train.seed).is_err() {
            let message = format!(
                "expected 0 to 4294967295 for `train.seed`, found {}",
                train.seed
            );
            return Err(value("train.seed", message));
        }
        Ok(())
    }

    fn check_model(&self) -> Result<(), TrainError> {
        match (&self.model.builtin, &self.model.path) {
            (Some(_), None) | (None, Some(_)) => Ok(()),
            (None, None) => Err(value(
                "model",
                "expected `builtin` or `path` in [model], found neither".into(),
            )),
            (Some(_), Some(_)) => Err(value(
                "model",
                "expected `builtin` or `path` in [model], found both".into(),
            )),
        }
    }

    fn check_lora(&self) -> Result<(), TrainError> {
        let Some(lora) = self.method.lora else {
            return Ok(());
        };
        if self.method.tuning != TuningName::Lora {
            return Err(TrainError::Value {
                key: "method.lora",
                message: "`method.lora` is set, but `method.tuning` is not \"lora\"".into(),
                hint: Some("set `tuning = \"lora\"` in [method], or remove `lora`".into()),
            });
        }
        positive_count("method.lora.r", lora.r as u64)?;
        positive("method.lora.alpha", lora.alpha)
    }
}

/// An error about a key's value; the message names the key.
pub(crate) fn value(key: &'static str, message: String) -> TrainError {
    TrainError::Value {
        key,
        message,
        hint: None,
    }
}

fn positive_count(key: &'static str, count: u64) -> Result<(), TrainError> {
    match count {
        0 => Err(value(
            key,
            format!("expected 1 or more for `{key}`, found 0"),
        )),
        _ => Ok(()),
    }
}

fn positive(key: &'static str, number: f64) -> Result<(), TrainError> {
    if number.is_finite() && number > 0.0 {
        return Ok(());
    }
    // `{number:?}` keeps a tiny number short where `{number}` would write its zeros out.
    Err(value(
        key,
        format!("expected a finite number above 0 for `{key}`, found {number:?}"),
    ))
}
