//! The parts of a run's `manifest.json` that a report needs.
//!
//! Keys not named here are let through: a manifest of a later version still makes a row. Nothing is
//! lost by that, for runs are told apart by the whole configuration but its paths ([`crate::Cell`]).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::digits::number_text;
use crate::method;

/// What a run was asked to do and from what, as its `manifest.json` says.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// The run's id, also the name of its directory.
    pub id: String,
    /// The sweep it belongs to.
    pub sweep: String,
    /// Every hyperparameter, resolved.
    pub config: Config,
    /// The values the spec's `[sweep]` gave, with the literal text they had there.
    #[serde(default)]
    pub swept: Vec<Swept>,
    /// Hash of the starting weights.
    pub weights_sha256: Option<String>,
    /// Hash of the tokenizer.
    pub tokenizer_sha256: Option<String>,
    /// Hash of the examples used.
    pub data_sha256: Option<String>,
    /// Hash of the test rows alone, the same for zero-shot and trained runs; older manifests have none.
    pub test_sha256: Option<String>,
    /// How many parameters were trained.
    pub trainable_parameters: Option<i64>,
    /// Training examples.
    pub train_examples: Option<i64>,
    /// Dev examples.
    pub dev_examples: Option<i64>,
    /// Test examples.
    pub test_examples: Option<i64>,
    /// Whether the data were made by this project's grammar and not found in the world.
    #[serde(default)]
    pub made_data: bool,
    /// The rules the run followed.
    #[serde(default)]
    pub protocol: String,
    /// The number format of the weights.
    #[serde(default)]
    pub precision: String,
    /// The programs that made it.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
}

/// A run's resolved configuration.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The starting model.
    pub model: ModelConfig,
    /// The task and its data.
    pub task: TaskConfig,
    /// How it is trained.
    pub method: MethodConfig,
    /// The training's numbers; none for zero-shot.
    pub train: Option<TrainConfig>,
}

/// The starting model: one of the fields is set.
#[derive(Debug, Clone, Deserialize)]
pub struct ModelConfig {
    /// A model inside the binary.
    pub builtin: Option<String>,
    /// A Hugging Face folder.
    pub path: Option<String>,
    /// A repository on the Hugging Face hub and its commit, `roberta-large@<commit>`.
    pub hub: Option<String>,
}

impl ModelConfig {
    /// The short name: the builtin's, or the last part of the path or hub name.
    pub fn name(&self) -> &str {
        if let Some(builtin) = &self.builtin {
            return builtin;
        }
        let repo = self
            .hub
            .as_deref()
            .map(|hub| hub.rsplit_once('@').map_or(hub, |(repo, _)| repo));
        let place = self.path.as_deref().or(repo).unwrap_or("");
        place
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(place)
    }
}

/// The task and how its sentences become prompts.
#[derive(Debug, Clone, Deserialize)]
pub struct TaskConfig {
    /// The task's name.
    pub name: String,
    /// Examples per class.
    pub k: u64,
    /// At most so many test examples.
    pub test_cap: Option<u64>,
    /// The most tokens of a prompt.
    pub max_length: Option<u64>,
    /// What is cut of a prompt that is too long; none is its tail, as published.
    pub cut: Option<String>,
    /// Whether sentences become prompts; a new classification head reads the first token otherwise.
    #[serde(default = "yes")]
    pub prompt: bool,
    /// The prompt template; empty without a prompt.
    #[serde(default)]
    pub template: String,
    /// The word that stands for each label.
    #[serde(default)]
    pub label_words: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

/// The method and which parameters it trains.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct MethodConfig {
    /// `mezo`, `ft`, `lp`, `lp-mezo`, `zero-shot`.
    pub name: String,
    /// `full`, `lora`, `prefix`, `head`, `bias`; none where nothing is chosen, as for zero-shot.
    pub tuning: Option<String>,
    /// What MeZO's estimates are of: `cross-entropy`, `accuracy`, `f1`.
    pub objective: Option<String>,
    /// LoRA's rank and scale.
    pub lora: Option<LoraConfig>,
    /// The prefix.
    pub prefix: Option<PrefixConfig>,
    /// How MeZO estimates: `two-sided`, or `one-point`.
    pub estimator: Option<String>,
    /// The estimates of a step.
    pub estimates: Option<EstimatesConfig>,
    /// By what each layer's perturbation is scaled.
    pub scale: Option<ScaleConfig>,
}

/// LoRA's rank and scale.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct LoraConfig {
    /// Rank.
    pub r: u64,
    /// Scale times rank.
    pub alpha: f64,
}

/// The prefix.
#[derive(Debug, Clone, Deserialize)]
pub struct PrefixConfig {
    /// Its length.
    pub tokens: Option<u64>,
    /// `activations` of real tokens, or `random`.
    pub init: Option<String>,
}

/// The estimates of a step.
#[derive(Debug, Clone, Deserialize)]
pub struct EstimatesConfig {
    /// How many.
    pub count: Option<u64>,
    /// `constant`, or `linear`: rising to that count over the run.
    pub schedule: Option<String>,
    /// Whether the learning rate is multiplied by the number of estimates.
    pub scale_lr: Option<bool>,
}

/// By what each layer's perturbation is scaled.
#[derive(Debug, Clone, Deserialize)]
pub struct ScaleConfig {
    /// `parameter-norm`, `gradient-norm`, `backpropagated-norm`.
    pub by: Option<String>,
    /// `variance`, or `expectation`: then the update does not undo the scale.
    pub modifies: Option<String>,
    /// `once`, or `each-epoch`.
    pub measured: Option<String>,
}

/// The training's numbers. A method has those that mean something to it: linear probing only the seed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct TrainConfig {
    /// Picks the k-shot split and the noise.
    pub seed: u64,
    /// Steps asked for.
    pub steps: Option<u64>,
    /// Examples a step.
    pub batch_size: Option<u64>,
    /// Steps between two evaluations on dev.
    pub eval_every: Option<u64>,
    /// Learning rate.
    pub lr: Option<f64>,
    /// Perturbation scale.
    pub eps: Option<f64>,
    /// Weight decay; none is 0.
    pub weight_decay: Option<f64>,
    /// What is decayed: `all`, `no-bias-norm`, `reference-optimizer`; none where nothing is.
    pub decay_on: Option<String>,
    /// `sgd` or `adam`; none is the method's usual one.
    pub optimizer: Option<String>,
    /// Momentum; none is 0.
    pub momentum: Option<f64>,
    /// `constant` or `linear`; none is constant.
    pub schedule: Option<String>,
    /// Steps in which the learning rate rises from 0; none is 0.
    pub warmup: Option<u64>,
    /// Dropout, of fine-tuning.
    pub dropout: Option<f64>,
    /// The largest norm of a gradient, of fine-tuning.
    pub clip: Option<f64>,
}

/// One swept value.
#[derive(Debug, Clone, Deserialize)]
pub struct Swept {
    /// Its path in the spec, `train.lr`.
    pub key: String,
    /// Its text in the spec, `1e-4`.
    pub text: String,
}

impl Manifest {
    /// The text a swept key had in the spec.
    pub fn swept_text(&self, key: &str) -> Option<&str> {
        self.swept
            .iter()
            .find(|swept| swept.key == key)
            .map(|swept| swept.text.as_str())
    }

    /// The learning rate as the spec wrote it, or else as a short number.
    pub fn lr_text(&self) -> Option<String> {
        let lr = self.config.train.as_ref()?.lr?;
        Some(self.text("train.lr", lr))
    }

    /// The perturbation scale as the spec wrote it, or else as a short number.
    pub fn eps_text(&self) -> Option<String> {
        let eps = self.config.train.as_ref()?.eps?;
        Some(self.text("train.eps", eps))
    }

    fn text(&self, key: &str, value: f64) -> String {
        self.swept_text(key)
            .map_or_else(|| number_text(value), str::to_owned)
    }

    /// The method as the paper's Table 18 calls it, with what differs from that in words: `MeZO (LoRA)`,
    /// `FT`, `MeZO, 4 estimates`.
    pub fn method_label(&self) -> String {
        method::label(&self.config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_by_its_last_folder() {
        let named = |path: &str| ModelConfig {
            builtin: None,
            path: Some(path.to_owned()),
            hub: None,
        };
        assert_eq!(named("models/roberta-large/").name(), "roberta-large");
        assert_eq!(named("roberta-base").name(), "roberta-base");
        let hub = ModelConfig {
            builtin: None,
            path: None,
            hub: Some(
                "FacebookAI/roberta-large@722cf37b1afa9454edce342e7895e588b6ff1d59".to_owned(),
            ),
        };
        assert_eq!(hub.name(), "roberta-large");
    }
}
