//! What a run works with: its model and its examples, held against its manifest.

use std::path::Path;
use std::rc::Rc;

use burn::tensor::Device;
use mezo_model::{Model, ModelFiles, load};
use mezo_run::{Manifest, RunPlan};
use mezo_spec::TaskConfig;
use mezo_tasks::{Examples, Shared, Tokenizer};
use serde_json::Value;

use crate::error::TrainError;
use crate::initial;

/// A model as its files hold it.
#[derive(Clone)]
pub(crate) struct Weights {
    model: Model,
    /// Hash of its weights.
    sha256: String,
    /// What is read of its `config.json`.
    config: Value,
}

/// What runs start from, before each has put its own beside it: a batch reads it once.
#[derive(Default)]
pub(crate) struct Source {
    /// Whether others come after the one that reads it. A lone run's model must have its memory to itself: what is kept
    /// here beside it would be copied by the first update.
    kept: bool,
    tokenizer: Option<Rc<Tokenizer>>,
    shared: Shared,
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
        let read = Rc::new(Tokenizer::of(files)?);
        self.tokenizer = self.kept.then(|| Rc::clone(&read));
        Ok(read)
    }

    /// What the splits of several seeds share is kept for those that come after.
    fn examples(
        &mut self,
        task: &TaskConfig,
        seed: Option<u64>,
        tokenizer: &Tokenizer,
        dir: &Path,
    ) -> Result<Examples, TrainError> {
        let mut own = Shared::default();
        let shared = match self.kept {
            true => &mut self.shared,
            false => &mut own,
        };
        Ok(Examples::read(task, seed, tokenizer, dir, shared)?)
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
            config: loaded.config.values(),
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
        alive: &dyn Fn(),
    ) -> Result<Self, TrainError> {
        let RunPlan { manifest, config } = plan;
        let files = ModelFiles::of(&config.model, dir)?;
        let tokenizer = source.tokenizer(&files)?;
        let seed = config.method.seed();
        let examples = source.examples(&config.task, seed, &tokenizer, dir)?;
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
        let model = initial::model(model, config, &examples, alive)?;
        Ok(Self { model, examples })
    }
}
