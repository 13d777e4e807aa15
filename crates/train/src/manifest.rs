//! A run's manifest: everything that decides its numbers, and the id made of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mezo_model::Precision;
use mezo_run::{RunError, read_json, sync_all_of, write_soon};
use mezo_tasks::Cut;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::TrainError;
use crate::spec::{
    EstimatesSpec, Estimator, LoraSpec, MethodName, Objective, PrefixSpec, ProtocolName, ScaleSpec,
    TrainSpec, TuningName,
};

/// Raised whenever the same manifest would give other numbers.
pub const ALGORITHM: u32 = 2;

/// `manifest.json`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file's layout.
    pub schema: u32,
    /// Hash of everything below that changes the numbers.
    pub id: String,
    /// The sweep's name.
    pub sweep: String,
    /// The run's configuration, nothing left to a default.
    pub config: Config,
    /// The values that the sweep varies, as the spec writes them.
    pub swept: Vec<SweptText>,
    /// Hash of the weights in use.
    pub weights_sha256: String,
    /// Hash of the tokenizer's files.
    pub tokenizer_sha256: String,
    /// Hash of the sentences and labels of train, dev and test.
    pub data_sha256: String,
    /// Hash of the test rows alone: trained and zero-shot runs that share it are measured on the same.
    pub test_sha256: String,
    /// How many scalars are trained.
    pub trainable_parameters: usize,
    /// Rows to train on.
    pub train_examples: usize,
    /// Rows to choose by.
    pub dev_examples: usize,
    /// Rows to report on.
    pub test_examples: usize,
    /// True for data that were made, not found.
    pub made_data: bool,
    /// The rules that decide what is trained and reported.
    pub protocol: ProtocolName,
    /// The format of the numbers that matrix products read, where the device has products of it.
    pub precision: Precision,
    /// Version of the algorithm.
    pub algorithm: u32,
    /// Versions of this program and of burn.
    pub versions: BTreeMap<String, String>,
}

/// A swept value's key and text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweptText {
    /// `train.lr`
    pub key: String,
    /// `1e-4`
    pub text: String,
}

/// The resolved configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Where the model is.
    pub model: ModelConfig,
    /// The task as it is put to the model.
    pub task: TaskConfig,
    /// What is done.
    pub method: MethodConfig,
    /// How it is trained; none without training.
    pub train: Option<TrainSpec>,
}

/// Where the model is. Its place is no part of the id, its weights are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelConfig {
    /// In the binary.
    Builtin(String),
    /// In a folder, relative to the run's own unless absolute.
    Path(PathBuf),
    /// In the hub's cache.
    Hub(HubModel),
}

/// A commit of a repository on the hub, written `roberta-large@<commit>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HubModel {
    /// The repository.
    pub repo: String,
    /// The commit.
    pub commit: String,
}

impl From<HubModel> for String {
    fn from(model: HubModel) -> Self {
        format!("{}@{}", model.repo, model.commit)
    }
}

impl TryFrom<String> for HubModel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (repo, commit) = text
            .split_once('@')
            .ok_or_else(|| format!("expected `<repository>@<commit>`, found `{text}`"))?;
        Ok(Self {
            repo: repo.into(),
            commit: commit.into(),
        })
    }
}

/// The task as it is put to the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskConfig {
    /// The task's name.
    pub name: String,
    /// The data folder, relative to the run's own unless absolute. Its place is no part of the id.
    pub data: Option<PathBuf>,
    /// Examples per class.
    pub k: usize,
    /// The most test examples.
    pub test_cap: usize,
    /// Whether there is a prompt.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub prompt: bool,
    /// The prompt; empty without one.
    pub template: String,
    /// Label to label word; empty without a prompt.
    pub label_words: BTreeMap<String, String>,
    /// The most tokens of a prompt.
    pub max_length: usize,
    /// What is cut of a longer one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cut: Cut,
}

fn yes() -> bool {
    true
}

fn is_true(value: &bool) -> bool {
    *value
}

/// Keys at their default are left out, so that a key of a later version moves no earlier id.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MethodConfig {
    /// What is done.
    pub name: MethodName,
    /// Which parameters are trained; none where the model's own stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<TuningName>,
    /// LoRA's rank and weight, for LoRA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lora: Option<LoraSpec>,
    /// The prefix's length and first values, for a prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<PrefixSpec>,
    /// What MeZO makes small.
    #[serde(default, skip_serializing_if = "is_default")]
    pub objective: Objective,
    /// How MeZO estimates a gradient.
    #[serde(default, skip_serializing_if = "is_default")]
    pub estimator: Estimator,
    /// How many estimates a step of MeZO makes; one where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimates: Option<EstimatesSpec>,
    /// The scales of the layers' perturbations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleSpec>,
}

impl MethodConfig {
    /// No training at all.
    pub(crate) const ZERO_SHOT: Self = Self {
        name: MethodName::ZeroShot,
        tuning: None,
        lora: None,
        prefix: None,
        objective: Objective::CrossEntropy,
        estimator: Estimator::TwoSided,
        estimates: None,
        scale: None,
    };
}

/// What the id is a hash of: no paths, no names, nothing a user may change without changing a number.
#[derive(Serialize)]
struct Identity<'a> {
    algorithm: u32,
    precision: Precision,
    protocol: ProtocolName,
    weights: &'a str,
    tokenizer: &'a str,
    data: &'a str,
    task: &'a str,
    template: &'a str,
    label_words: &'a BTreeMap<String, String>,
    max_length: usize,
    k: usize,
    test_cap: usize,
    #[serde(skip_serializing_if = "is_true")]
    prompt: bool,
    #[serde(skip_serializing_if = "is_default")]
    cut: Cut,
    method: &'a MethodConfig,
    train: &'a Option<TrainSpec>,
}

impl Manifest {
    /// The name of a run's manifest in its directory.
    pub const FILE: &str = "manifest.json";

    /// Reads the manifest of a run directory.
    ///
    /// # Errors
    /// If it is missing, not a manifest, not what its id was made from, or of another version of the algorithm.
    pub fn read(dir: &Path) -> Result<Self, TrainError> {
        let path = dir.join(Self::FILE);
        let manifest: Self = read_json(&path)?;
        let wrong = if manifest.algorithm != ALGORITHM {
            format!(
                "is of algorithm {}, this program has {ALGORITHM}",
                manifest.algorithm
            )
        } else if manifest.id != manifest.identity() {
            "was changed: it makes another id than it has".into()
        } else {
            return Ok(manifest);
        };
        Err(RunError::Record {
            path,
            line: 1,
            message: wrong,
        }
        .into())
    }

    /// Writes the manifest into a run directory, unless the very same is there already. A broken one, or one that knows
    /// the model or the data by another place, is replaced: the directory's name is the id.
    ///
    /// # Errors
    /// If the directory cannot be made or written.
    pub fn write(&self, dir: &Path) -> Result<(), TrainError> {
        Self::write_all([(self, dir)])
    }

    /// Whether the very same manifest is in a run directory.
    pub fn is_written(&self, dir: &Path) -> bool {
        Self::read(dir).is_ok_and(|there| there == *self)
    }

    /// The same for many runs, which become durable together. One process at a time may do so.
    ///
    /// # Errors
    /// If a directory cannot be made or written.
    pub fn write_all<'m>(
        manifests: impl IntoIterator<Item = (&'m Self, &'m Path)>,
    ) -> Result<(), TrainError> {
        let mut last = None;
        for (manifest, dir) in manifests {
            if manifest.is_written(dir) {
                continue;
            }
            std::fs::create_dir_all(dir).map_err(RunError::file(dir, "make"))?;
            let path = dir.join(Self::FILE);
            let mut text = serde_json::to_vec_pretty(manifest)
                .map_err(|error| RunError::file(&path, "write")(error.into()))?;
            text.push(b'\n');
            write_soon(&path, &text)?;
            last = Some(dir);
        }
        Ok(last.map_or(Ok(()), sync_all_of)?)
    }

    /// The number of steps; none without training.
    pub fn steps(&self) -> u64 {
        self.config.train.and_then(|train| train.steps).unwrap_or(0)
    }

    /// The id that the rest of the manifest makes: 16 hexadecimal digits of a SHA-256.
    pub(crate) fn identity(&self) -> String {
        let task = &self.config.task;
        let identity = Identity {
            algorithm: self.algorithm,
            precision: self.precision,
            protocol: self.protocol,
            weights: &self.weights_sha256,
            tokenizer: &self.tokenizer_sha256,
            data: &self.data_sha256,
            task: &task.name,
            template: &task.template,
            label_words: &task.label_words,
            max_length: task.max_length,
            k: task.k,
            test_cap: task.test_cap,
            prompt: task.prompt,
            cut: task.cut,
            method: &self.config.method,
            train: &self.config.train,
        };
        // Two runs must never share an id for want of a text.
        let text = serde_json::to_vec(&identity)
            .expect("strings, numbers and maps with string keys serialise");
        Sha256::digest(&text)
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
