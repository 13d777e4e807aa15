//! What a run works with: the model, the examples in tokens, the label words.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use burn::tensor::Device;
use mezo_hub::{Hub, Repo};
use mezo_model::{Batch, Model, ModelFiles, RobertaConfig, load};
use mezo_run::{Manifest, RunPlan};
use mezo_spec::{HubModel, ModelSource, RunConfig};
use mezo_tasks::{Example, PackedBatch, Task, Tokenizer, k_shot, rows_sha256, zero_shot};
use serde_json::Value;

use crate::error::TrainError;
use crate::initial;

/// The examples of a run, in tokens.
#[derive(Debug)]
pub(crate) struct Examples {
    pub(crate) train: Vec<Example>,
    pub(crate) dev: Vec<Example>,
    pub(crate) test: Vec<Example>,
    /// Vocabulary ids of the label words, in the order of the classes; none without a prompt.
    pub(crate) words: Vec<usize>,
    /// Why there are no test rows, where there are none.
    pub(crate) test_missing: Option<String>,
    /// How many classes the task has.
    pub(crate) classes: usize,
    /// Hash of the sentences and labels.
    pub(crate) sha256: String,
    /// Hash of those of the test rows alone.
    pub(crate) test_sha256: String,
    /// Hash of the rows that the splits of all seeds are drawn from.
    pub(crate) source_sha256: String,
}

/// The files of a configured model; relative paths start at `base`.
pub(crate) fn model_files(model: &ModelSource, base: &Path) -> Result<ModelFiles, TrainError> {
    match model {
        ModelSource::Path(path) => Ok(ModelFiles::Folder(base.join(path))),
        ModelSource::Hub(HubModel { repo, commit }) => {
            let hub = Hub::from_env()?;
            hub.snapshot(&Repo::model(repo)?, commit)
                .map(ModelFiles::Folder)
                .ok_or_else(|| not_fetched(&hub, repo, commit))
        }
        ModelSource::Builtin(name) => ModelFiles::builtin(name).ok_or_else(|| TrainError::Value {
            key: "model.builtin",
            message: format!("there is no built-in model `{name}`"),
            hint: Some(format!(
                "the built-in models: {}",
                mezo_model::Builtin::names().collect::<Vec<_>>().join(", ")
            )),
        }),
    }
}

/// What is said of a model that the hub's cache has not.
pub(crate) fn not_fetched(hub: &Hub, repo: &str, revision: &str) -> TrainError {
    TrainError::NotFetched {
        repo: repo.into(),
        revision: revision.into(),
        cache: hub.settings().cache.clone(),
    }
}

/// The tokenizer beside the model.
pub(crate) fn tokenizer(files: &ModelFiles) -> Result<Tokenizer, TrainError> {
    Ok(match files {
        ModelFiles::Folder(folder) => Tokenizer::from_folder(folder)?,
        ModelFiles::Builtin(builtin) => {
            let name: PathBuf = ["builtin", builtin.name, "tokenizer.json"].iter().collect();
            Tokenizer::from_json(builtin.tokenizer_json(), &name)?
        }
    })
}

/// The task as it is put to the model.
pub(crate) fn task(config: &RunConfig) -> Result<Task, TrainError> {
    let configured = &config.task;
    let task = Task::by_name(&configured.name)?
        .with_max_length(configured.max_length)
        .with_cut(configured.cut);
    if !configured.prompt {
        return Ok(task.without_prompt());
    }
    Ok(task
        .with_template(&configured.template)?
        .with_label_words(&configured.label_words)?)
}

/// Draws the split, and puts every row into tokens.
pub(crate) fn examples(
    config: &RunConfig,
    tokenizer: &Tokenizer,
    base: &Path,
) -> Result<Examples, TrainError> {
    let task = task(config)?;
    let data = config.task.data.as_ref().map(|data| base.join(data));
    let split = match config.method.seed() {
        Some(seed) => k_shot(
            &task,
            data.as_deref(),
            config.task.k,
            seed,
            Some(config.task.test_cap),
        )?,
        None => zero_shot(
            &task,
            data.as_deref(),
            config.task.k,
            Some(config.task.test_cap),
        )?,
    };
    let words = task.label_word_ids(tokenizer)?;
    Ok(Examples {
        train: task.encode(tokenizer, &split.train)?,
        dev: task.encode(tokenizer, &split.dev)?,
        test: task.encode(tokenizer, &split.test)?,
        classes: task.labels().len(),
        words: words.into_iter().map(|word| word as usize).collect(),
        sha256: split.sha256(),
        test_sha256: rows_sha256(&split.test),
        source_sha256: split.source_sha256.clone(),
        test_missing: split.test_missing.clone(),
    })
}

/// A model as its files hold it.
#[derive(Clone)]
pub(crate) struct Weights {
    model: Model,
    /// Hash of its weights.
    sha256: String,
    /// What is read of its `config.json`.
    config: Value,
}

/// The values of a model's config that decide its numbers; what else its file says is no part of them.
pub(crate) fn config_values(config: &RobertaConfig) -> Value {
    // Numbers and strings in a plain struct always serialise.
    serde_json::to_value(config).unwrap_or_default()
}

/// What runs start from, before each has put its own beside it: a batch reads it once.
#[derive(Default)]
pub(crate) struct Source {
    /// Whether others come after the one that reads it. A lone run's model must have its memory to itself: what is kept
    /// here beside it would be copied by the first update.
    kept: bool,
    tokenizer: Option<Rc<Tokenizer>>,
    model: Option<Weights>,
}

impl Source {
    /// For batched runs.
    pub(crate) fn of_batch(runs: usize) -> Self {
        Self {
            kept: runs > 1,
            ..Self::default()
        }
    }

    fn tokenizer(&mut self, files: &ModelFiles) -> Result<Rc<Tokenizer>, TrainError> {
        if let Some(read) = &self.tokenizer {
            return Ok(Rc::clone(read));
        }
        let read = Rc::new(tokenizer(files)?);
        self.tokenizer = self.kept.then(|| Rc::clone(&read));
        Ok(read)
    }

    /// Clones of it share the memory of every weight that none of them changes.
    fn model(&mut self, files: &ModelFiles, device: &Device) -> Result<Weights, TrainError> {
        if let Some(read) = &self.model {
            return Ok(read.clone());
        }
        let loaded = load(files, device)?;
        let read = Weights {
            model: loaded.model,
            sha256: loaded.sha256,
            config: config_values(&loaded.config),
        };
        self.model = self.kept.then(|| read.clone());
        Ok(read)
    }
}

/// Everything a run directory's manifest names, checked against its hashes.
pub(crate) struct Materials {
    pub(crate) model: Model,
    pub(crate) examples: Examples,
}

impl Materials {
    /// Loads them; what `source` has already is taken from there.
    pub(crate) fn load(
        plan: &RunPlan,
        dir: &Path,
        device: &Device,
        source: &mut Source,
    ) -> Result<Self, TrainError> {
        let RunPlan { manifest, config } = plan;
        let files = model_files(&config.model, dir)?;
        let tokenizer = source.tokenizer(&files)?;
        let examples = examples(config, &tokenizer, dir)?;
        let Weights {
            model,
            sha256: weights,
            config: model_config,
        } = source.model(&files, device)?;
        // Layout 1 says nothing of it.
        if !manifest.is_earlier() && model_config != manifest.model_config {
            return Err(TrainError::Changed {
                path: dir.join(Manifest::FILE),
                what: "model's config",
            });
        }
        let hashes = [
            ("weights", weights.as_str(), &manifest.weights_sha256),
            ("tokenizer", tokenizer.sha256(), &manifest.tokenizer_sha256),
            ("data", examples.sha256.as_str(), &manifest.data_sha256),
        ];
        for (what, now, planned) in hashes {
            if now != planned {
                return Err(TrainError::Changed {
                    path: dir.join(Manifest::FILE),
                    what,
                });
            }
        }
        let model = initial::model(model, config, &examples)?;
        Ok(Self { model, examples })
    }
}

/// A packed batch as the model takes it.
pub(crate) fn batch(packed: &PackedBatch) -> Batch<'_> {
    Batch {
        ids: &packed.ids,
        starts: &packed.starts,
        asked: &packed.asked,
    }
}
