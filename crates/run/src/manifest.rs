//! `manifest.json`: everything that decides a run's numbers, and the id made of it.

use std::collections::BTreeMap;
use std::path::Path;

use mezo_spec::{
    ConfigError, ModelSource, Precision, Protocol, RunConfig, Swept, Training, Values,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::error::RunError;
use crate::fault::{FileFault, whole_json};
use crate::relocate::relocated;
use crate::whole::{read_json, sync_all_of, write_soon};

/// Raised whenever the same manifest would give other numbers.
pub const ALGORITHM: u32 = 2;
/// The layout of the file. The ids of layout 1 cover neither the model's config nor the precision in
/// effect: its runs are read, and never resumed.
pub const LAYOUT: u32 = 2;

/// `manifest.json`
///
/// Reports read manifests of every version: a missing key is empty, and an unknown key is ignored. A worker reads a
/// [`RunPlan`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout of this file.
    #[serde(default, rename = "schema")]
    pub layout: u32,
    /// Hash of everything below that changes the numbers.
    pub id: String,
    /// The sweep's name.
    pub sweep: String,
    /// The run's configuration by its keys, nothing left to a default.
    pub config: Values,
    /// The values that the sweep varies, as the spec writes them.
    #[serde(default)]
    pub swept: Vec<Swept>,
    /// Hash of the starting weights.
    #[serde(default)]
    pub weights_sha256: String,
    /// What is read of the model's `config.json`; null for a manifest of layout 1.
    #[serde(default, skip_serializing_if = "Json::is_null")]
    pub model_config: Json,
    /// Hash of the tokenizer's files.
    #[serde(default)]
    pub tokenizer_sha256: String,
    /// Hash of the sentences and labels of train, dev and test.
    #[serde(default)]
    pub data_sha256: String,
    /// Hash of the rows that the splits of all seeds are drawn from; empty for a manifest of layout 1.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source_sha256: String,
    /// Hash of the test rows alone: trained and zero-shot runs that share it are measured on the same.
    #[serde(default)]
    pub test_sha256: String,
    /// How many scalars are trained.
    pub trainable_parameters: Option<u64>,
    /// Rows to train on.
    pub train_examples: Option<u64>,
    /// Rows to choose by.
    pub dev_examples: Option<u64>,
    /// Rows to report on.
    pub test_examples: Option<u64>,
    /// Whether the data are synthetic.
    #[serde(default)]
    pub made_data: bool,
    /// The rules that decide what is trained and reported.
    #[serde(default)]
    pub protocol: String,
    /// The format of the numbers that matrix products read.
    #[serde(default)]
    pub precision: String,
    /// Version of the algorithm.
    #[serde(default)]
    pub algorithm: u32,
    /// Versions of this program and of burn.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
}

/// Why this program cannot compute or resume the run of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// It has another layout.
    #[error(
        "was made by {}: its numbers can be reported and exported, but the run cannot be resumed",
        made_by(*.layout)
    )]
    Layout {
        /// Its layout.
        layout: u32,
    },
    /// Another version of the algorithm made its numbers.
    #[error(
        "was computed with version {found} of the algorithm, and this program has version {ALGORITHM}"
    )]
    Algorithm {
        /// The manifest's.
        found: u32,
    },
    /// Its id does not match its contents.
    #[error("was changed: its id does not match its contents")]
    Changed,
    /// This program does not know a value of it.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

fn made_by(layout: u32) -> &'static str {
    match layout < LAYOUT {
        true => "an earlier version of mezo",
        false => "a later version of mezo",
    }
}

impl Manifest {
    /// The name of a run's manifest in its directory.
    pub const FILE: &str = "manifest.json";

    /// Reads the manifest of a run directory, whatever version made it.
    ///
    /// # Errors
    /// If it is missing or no manifest.
    pub fn read(dir: &Path) -> Result<Self, RunError> {
        read_json(&dir.join(Self::FILE))
    }

    /// The same for a report, and all that its file holds.
    ///
    /// # Errors
    /// If it is missing or no manifest.
    pub fn recorded(dir: &Path) -> Result<(Self, Json), FileFault> {
        let all: Option<Json> = whole_json(dir, Self::FILE, "a run's manifest")?;
        let manifest = whole_json(dir, Self::FILE, "a run's manifest")?;
        let missing = FileFault::Missing { file: Self::FILE };
        manifest.zip(all).ok_or(missing)
    }

    /// Where the model is; none where the manifest does not say.
    pub fn model(&self) -> Option<ModelSource> {
        ModelSource::read(&self.config)
    }

    /// The steps asked for; none without training by steps.
    pub fn steps(&self) -> Option<u64> {
        self.config.typed(&Training::STEPS)
    }

    /// Whether it was made by an earlier version, whose runs are reported and never resumed.
    pub fn is_earlier(&self) -> bool {
        self.layout < LAYOUT
    }

    /// The text a swept key had in the spec.
    pub fn swept_text(&self, key: &str) -> Option<&str> {
        let mut swept = self.swept.iter();
        swept
            .find(|swept| swept.key == key)
            .map(|swept| swept.text.as_str())
    }

    /// The configuration, where this program knows every value.
    ///
    /// # Errors
    /// If it does not.
    pub fn run_config(&self) -> Result<RunConfig, ConfigError> {
        let unknown = |key: &str| ConfigError::Key(key.into());
        RunConfig::of_values(
            Protocol::by_name(&self.protocol).ok_or_else(|| unknown("protocol"))?,
            Precision::by_name(&self.precision).ok_or_else(|| unknown("precision"))?,
            self.model().ok_or_else(|| unknown("model"))?,
            &self.config,
        )
    }

    /// The id that the rest of the manifest and its configuration make: 16 hexadecimal digits of a SHA-256.
    fn identity(&self, config: &RunConfig) -> String {
        let text = json!([
            self.algorithm,
            config.identity(),
            self.weights_sha256,
            self.model_config,
            self.tokenizer_sha256,
            self.data_sha256,
        ])
        .to_string();
        let digest = Sha256::digest(text.as_bytes());
        digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// A run that this program can compute: its manifest, and the configuration that the manifest holds.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPlan {
    /// The manifest.
    pub manifest: Manifest,
    /// What the manifest configures.
    pub config: RunConfig,
}

/// What a run's numbers come from, by hashes and sizes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// Hash of the starting weights.
    pub weights_sha256: String,
    /// What is read of the model's `config.json`.
    pub model_config: Json,
    /// Hash of the tokenizer.
    pub tokenizer_sha256: String,
    /// Hash of train, dev and test rows.
    pub data_sha256: String,
    /// Hash of the rows that the splits of all seeds are drawn from.
    pub source_sha256: String,
    /// Hash of the test rows.
    pub test_sha256: String,
    /// How many scalars are trained.
    pub trainable_parameters: u64,
    /// Rows to train on.
    pub train_examples: u64,
    /// Rows to choose by.
    pub dev_examples: u64,
    /// Rows to report on.
    pub test_examples: u64,
    /// Whether the data are synthetic.
    pub synthetic: bool,
}

impl RunPlan {
    /// The plan of a run with its id; `versions` are those of the programs that plan it.
    pub fn new(
        sweep: &str,
        config: RunConfig,
        swept: Vec<Swept>,
        inputs: Inputs,
        versions: BTreeMap<String, String>,
    ) -> Self {
        let mut manifest = Manifest {
            layout: LAYOUT,
            id: String::new(),
            sweep: sweep.into(),
            config: Values::default(),
            swept,
            weights_sha256: inputs.weights_sha256,
            model_config: inputs.model_config,
            tokenizer_sha256: inputs.tokenizer_sha256,
            data_sha256: inputs.data_sha256,
            source_sha256: inputs.source_sha256,
            test_sha256: inputs.test_sha256,
            trainable_parameters: Some(inputs.trainable_parameters),
            train_examples: Some(inputs.train_examples),
            dev_examples: Some(inputs.dev_examples),
            test_examples: Some(inputs.test_examples),
            made_data: inputs.synthetic,
            protocol: config.protocol.name().into(),
            precision: config.precision.name().into(),
            algorithm: ALGORITHM,
            versions,
        };
        manifest.id = manifest.identity(&config);
        let mut plan = Self { manifest, config };
        plan.write_config();
        plan
    }

    fn write_config(&mut self) {
        let mut values = self.config.values();
        self.config.model.write(&mut values);
        self.manifest.config = values;
    }

    /// Reads the manifest of a run directory as one to compute.
    ///
    /// # Errors
    /// If it is missing, no manifest, not what its id was made from, or of another version.
    pub fn read(dir: &Path) -> Result<Self, RunError> {
        let manifest = Manifest::read(dir)?;
        Self::of(manifest).map_err(|error| RunError::Record {
            path: dir.join(Manifest::FILE),
            line: 1,
            message: error.to_string(),
        })
    }

    /// The plan that a manifest holds.
    ///
    /// # Errors
    /// If it is of another version, or not what its id was made from.
    pub fn of(manifest: Manifest) -> Result<Self, NotOurs> {
        let layout = manifest.layout;
        if layout != LAYOUT {
            return Err(NotOurs::Layout { layout });
        }
        if manifest.algorithm != ALGORITHM {
            let found = manifest.algorithm;
            return Err(NotOurs::Algorithm { found });
        }
        let config = manifest.run_config()?;
        match manifest.id == manifest.identity(&config) {
            true => Ok(Self { manifest, config }),
            false => Err(NotOurs::Changed),
        }
    }

    /// The run's id.
    pub fn id(&self) -> &str {
        &self.manifest.id
    }

    /// The number of steps; 0 without training by steps.
    pub fn steps(&self) -> u64 {
        self.config.method.training().map_or(0, |train| train.steps)
    }

    /// Whether the very same manifest is in a run directory.
    pub fn is_written(&self, dir: &Path) -> bool {
        Self::read(dir).is_ok_and(|there| there == *self)
    }

    /// Writes the manifest into a run directory, unless the very same is there already. A broken one, or one that knows
    /// the model or the data by another place, is replaced: the directory's name is the id.
    ///
    /// # Errors
    /// If the directory cannot be made or written.
    pub fn write(&self, dir: &Path) -> Result<(), RunError> {
        Self::write_all([(self, dir)])
    }

    /// The same for many runs, which become durable together. One process at a time may do so.
    ///
    /// # Errors
    /// If a directory cannot be made or written.
    pub fn write_all<'p>(
        plans: impl IntoIterator<Item = (&'p Self, &'p Path)>,
    ) -> Result<(), RunError> {
        let mut last = None;
        for (plan, dir) in plans {
            if plan.is_written(dir) {
                continue;
            }
            std::fs::create_dir_all(dir).map_err(RunError::file(dir, "make"))?;
            let path = dir.join(Manifest::FILE);
            let mut text = serde_json::to_vec_pretty(&plan.manifest)
                .map_err(|error| RunError::file(&path, "write")(error.into()))?;
            text.push(b'\n');
            write_soon(&path, &text)?;
            last = Some(dir);
        }
        last.map_or(Ok(()), sync_all_of)
    }

    /// The same plan with its relative paths, which start at `from`, made to start at the run directory `to`.
    pub fn with_paths_from(mut self, from: &Path, to: &Path) -> Self {
        if let ModelSource::Path(path) = &mut self.config.model {
            *path = relocated(path, from, to);
        }
        if let Some(data) = &mut self.config.task.data {
            *data = relocated(data, from, to);
        }
        self.write_config();
        self
    }
}
