//! One run as a spec describes it: the tables `[model]`, `[task]`, `[method]` and `[train]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mezo_model::Precision;
use mezo_tasks::{Cut, Task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One point of a spec, before anything it names has been looked at.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// The rules that decide what is trained.
    #[serde(default)]
    pub protocol: ProtocolName,
    /// Which model.
    pub model: ModelSpec,
    /// Which data, and how they are put to the model.
    pub task: TaskSpec,
    /// What is done.
    pub method: MethodSpec,
    /// How it is trained; not read for zero-shot.
    #[serde(default)]
    pub train: TrainSpec,
}

/// The rules that decide what is trained (docs/protocols.md).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProtocolName {
    /// What the paper says.
    #[default]
    Paper,
    /// What its public code does.
    ReferenceCode,
}

/// `[model]`: one of the three that name a model, and how it computes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// A model in the binary.
    #[schemars(extend("enum" = mezo_model::Builtin::names().collect::<Vec<_>>()))]
    pub builtin: Option<String>,
    /// A folder in Hugging Face's layout, relative to the spec's own folder.
    pub path: Option<PathBuf>,
    /// A repository on the Hugging Face hub, such as `roberta-large`.
    pub hub: Option<String>,
    /// Its branch, tag or commit; `main` by default.
    pub revision: Option<String>,
    /// The format of the numbers that matrix products read, where the device has products of it; `f16` by default.
    #[schemars(with = "Option<String>", extend("enum" = Precision::ALL.map(Precision::name)))]
    pub precision: Option<Precision>,
}

/// The branch that a repository is read from where the spec names none.
const MAIN: &str = "main";

impl ModelSpec {
    /// The repository on the hub and its revision, where the model is from there.
    pub fn on_hub(&self) -> Option<(&str, &str)> {
        let repo = self.hub.as_deref()?;
        Some((repo, self.revision.as_deref().unwrap_or(MAIN)))
    }
}

/// `[task]`
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskSpec {
    /// The task's name.
    #[schemars(extend("enum" = Task::names()))]
    pub name: String,
    /// The folder that holds the task's folder, relative to the spec's own.
    pub data: Option<PathBuf>,
    /// Examples per class to train on, and as many again to choose by.
    pub k: usize,
    /// The most test examples; a larger test set is cut by the published rule.
    #[serde(default = "test_cap")]
    pub test_cap: usize,
    /// Whether the model is asked by a prompt; a randomly initialised classification head on the first token reads the
    /// bare sentences where it is not.
    #[serde(default = "yes")]
    pub prompt: bool,
    /// The prompt; the published one by default.
    pub template: Option<String>,
    /// Label to label word; the published ones where none is given.
    pub label_words: Option<BTreeMap<String, String>>,
    /// The most tokens of a prompt.
    pub max_length: Option<usize>,
    /// What is cut where a prompt is longer.
    #[serde(default)]
    pub cut: Cut,
}

fn yes() -> bool {
    true
}

fn test_cap() -> usize {
    1000
}

/// `[method]`
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MethodSpec {
    /// What is done.
    pub name: MethodName,
    /// Which parameters are trained.
    #[serde(default)]
    pub tuning: TuningName,
    /// Rank and weight of LoRA; 8 and 16, the paper's, by default.
    pub lora: Option<LoraSpec>,
    /// Length and first values of the prefix; 5 and activations, the paper's, by default.
    pub prefix: Option<PrefixSpec>,
    /// What MeZO makes small.
    #[serde(default)]
    pub objective: Objective,
    /// How MeZO estimates a step's gradient.
    #[serde(default)]
    pub estimator: Estimator,
    /// How many estimates a step of MeZO makes; one by default.
    pub estimates: Option<EstimatesSpec>,
    /// A scale of the perturbation for each layer; none by default.
    pub scale: Option<ScaleSpec>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MethodName {
    /// Memory-efficient zeroth-order optimisation.
    Mezo,
    /// Fine-tuning by backpropagation.
    Ft,
    /// Linear probing: logistic regression on frozen features.
    Lp,
    /// MeZO from where linear probing ends.
    LpMezo,
    /// No training at all.
    ZeroShot,
}

impl MethodName {
    /// Whether steps are estimated from losses alone.
    pub fn is_mezo(self) -> bool {
        matches!(self, Self::Mezo | Self::LpMezo)
    }

    /// Whether it goes by steps at all.
    pub fn has_steps(self) -> bool {
        self.is_mezo() || self == Self::Ft
    }
}

/// Which parameters are trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TuningName {
    /// All of them.
    #[default]
    Full,
    /// Low-rank terms beside query and value.
    Lora,
    /// Keys and values before every layer's own.
    Prefix,
    /// The head alone.
    Head,
    /// The biases alone.
    Bias,
}

/// `method.lora`
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoraSpec {
    /// The rank.
    pub r: usize,
    /// The terms are scaled by `alpha / r`.
    pub alpha: f64,
}

/// `method.prefix`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrefixSpec {
    /// How many keys and values are put before a layer's own.
    #[serde(default = "prefix_tokens")]
    pub tokens: usize,
    /// Where their first values come from.
    #[serde(default)]
    pub init: PrefixInitName,
}

fn prefix_tokens() -> usize {
    5
}

impl Default for PrefixSpec {
    /// The paper's (Table 15).
    fn default() -> Self {
        Self {
            tokens: prefix_tokens(),
            init: PrefixInitName::default(),
        }
    }
}

/// Where a prefix's first values come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PrefixInitName {
    /// The model's own keys and values of random words.
    #[default]
    Activations,
    /// A normal distribution.
    Random,
}

/// What MeZO makes small.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Mean cross-entropy over the label words.
    #[default]
    CrossEntropy,
    /// One minus the accuracy on the batch (paper, section 3.3).
    Accuracy,
    /// One minus the macro-averaged F1 on the batch.
    F1,
}

/// How a gradient is estimated from losses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// From the losses on both sides of the parameters (paper, definition 1).
    #[default]
    TwoSided,
    /// From this step's loss and the last one's (paper, definition 8).
    OnePoint,
}

/// `method.estimates`: n-SPSA (paper, algorithm 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EstimatesSpec {
    /// n, the estimates of a step.
    pub count: u32,
    /// How many of them each step makes.
    #[serde(default)]
    pub schedule: EstimatesSchedule,
    /// Whether the learning rate is multiplied by the number of the step's estimates (Table 6).
    #[serde(default)]
    pub scale_lr: bool,
}

/// How many estimates each step makes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EstimatesSchedule {
    /// n at every step.
    #[default]
    Constant,
    /// From 1 up to n in proportion to the steps done.
    Linear,
}

/// `method.scale`: another perturbation scale for each layer (paper, appendices B.3 and B.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleSpec {
    /// What a layer's scale is.
    pub by: ScaleBy,
    /// Whether the update undoes the scale.
    #[serde(default)]
    pub modifies: Modifies,
    /// When the scales are measured.
    #[serde(default)]
    pub measured: ScaleMeasured,
}

/// What a layer's scale is: its perturbation is `eps z / scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScaleBy {
    /// The norm of its parameters.
    ParameterNorm,
    /// The norm of its gradient, estimated by two forward passes that move this layer alone (paper, proposition 1).
    GradientNorm,
    /// The norm of its gradient by backpropagation; for cross-entropy alone.
    BackpropagatedNorm,
}

/// What the scale changes of the estimate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Modifies {
    /// Its variance: the update is multiplied by the scale again, so that the mean is the gradient (definition 6).
    #[default]
    Variance,
    /// Its expectation: the update is `g z` as without scales (definition 7).
    Expectation,
}

/// When scales are measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScaleMeasured {
    /// Before the first step.
    #[default]
    Once,
    /// Before the first step of every epoch.
    EachEpoch,
}

/// `[train]`. What a method does not need is left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// Picks the k-shot split, the order of the batches and the noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Parameter updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Examples a step; more than there are is all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// Steps between evaluations on dev.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eval_every: Option<u64>,
    /// Learning rate, at its highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// Scale of MeZO's perturbation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eps: Option<f64>,
    /// Weight decay; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// What is decayed; the protocol says where the spec does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay_on: Option<DecayName>,
    /// SGD by default for MeZO, Adam for fine-tuning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<OptimizerName>,
    /// Momentum of SGD; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// Constant by default for MeZO, linear for fine-tuning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Steps in which the learning rate rises from 0; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup: Option<u64>,
    /// Dropout of fine-tuning; 0.1, RoBERTa's own, by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// The largest norm of fine-tuning's gradient; 1 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
}

/// How the gradient moves the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerName {
    /// Stochastic gradient descent.
    Sgd,
    /// Adam with decoupled weight decay.
    Adam,
}

/// How the learning rate goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// As it is.
    Constant,
    /// Down to 0 after the last step.
    Linear,
}

/// What is decayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DecayName {
    /// Everything trained.
    All,
    /// All but biases and layer norms.
    NoBiasNorm,
    /// All but tensors with `bias` or `LayerNorm.weight` in their names, as the public code's optimisers have it
    /// (trainer.py:188-208): the norm of the head for words decays.
    ReferenceOptimizer,
}
