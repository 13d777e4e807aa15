//! What steps are timed on: a model with its weights marked, and the batches it sees.

use std::path::Path;

use burn::tensor::Device;
use mezo_model::{LoraConfig, Model, RobertaConfig, Tuning, load};
use mezo_run::RunPlan;
use mezo_spec::{
    Cut, DeviceKind, Estimator, Lora, Method, Mezo, ModelSpec, Objective, Optimizer, Protocol,
    RunSpec, Schedule, Start, TaskSpec, Training,
};
use mezo_tasks::{Example, Order};

use super::prompts::{WORDS, prompts};
use super::{EPS, Shape, Tuned};
use crate::error::TrainError;
use crate::materials::{examples, model_files, tokenizer};
use crate::resolve::Resolver;

/// Rank and weight of LoRA's terms where a spec says nothing of them.
pub(super) const LORA: LoraConfig = LoraConfig {
    rank: 8,
    alpha: 16.0,
};
/// The seed whose batches of the built-in task are seen.
const SEED: u64 = 13;

/// A model and its batches.
pub struct Subject {
    pub(super) model: Model,
    pub(super) config: RobertaConfig,
    pub(super) batches: Vec<Vec<Example>>,
    pub(super) words: Vec<usize>,
    pub(super) tuned: Tuned,
}

impl Subject {
    /// A model of published sizes with random weights, and two batches of prompts.
    pub fn random(shape: Shape, tuned: Tuned, sentences: usize) -> Self {
        let config = shape.config();
        let model = Model::random(&config, 0, &Device::flex());
        let batches = prompts(sentences, config.vocab_size);
        Self::new(model, config, batches, WORDS.to_vec(), tuned)
    }

    /// The built-in model, and every batch of the first epoch of [`builtin_run`].
    ///
    /// # Errors
    /// If the binary's own files are not what they should be.
    pub fn builtin(tuned: Tuned, sentences: usize) -> Result<Self, TrainError> {
        Ok(Untuned::builtin(sentences, &Device::flex())?.tuned(tuned))
    }

    pub(super) fn new(
        mut model: Model,
        config: RobertaConfig,
        batches: Vec<Vec<Example>>,
        words: Vec<usize>,
        tuned: Tuned,
    ) -> Self {
        let tuning = match tuned {
            Tuned::Full => Tuning::Full,
            Tuned::Lora => {
                model.attach_lora(LORA, 0);
                Tuning::Lora
            }
        };
        model.train_only(tuning, false);
        Self {
            model,
            config,
            batches,
            words,
            tuned,
        }
    }

    /// How many batches there are.
    pub fn batches(&self) -> usize {
        self.batches.len()
    }
}

/// A model of which nothing is marked as trained yet, and its batches.
pub(super) struct Untuned {
    pub(super) model: Model,
    pub(super) config: RobertaConfig,
    pub(super) batches: Vec<Vec<Example>>,
    pub(super) words: Vec<usize>,
}

impl Untuned {
    /// As [`Subject::builtin`] has it, on a device.
    pub(super) fn builtin(sentences: usize, device: &Device) -> Result<Self, TrainError> {
        // Model, task and split are one for whatever is trained.
        let config = builtin_run(Tuned::Full, sentences, 1, SEED)?.config;
        let files = model_files(&config.model, Path::new(""))?;
        let loaded = load(&files, device)?;
        let examples = examples(&config, &tokenizer(&files)?, Path::new(""))?;
        let order = Order::new(examples.train.len(), sentences, SEED);
        let batch = |step| {
            let rows = order.batch(step).into_iter();
            rows.map(|row| examples.train[row].clone()).collect()
        };
        let batches = (0..order.batches_per_epoch() as u64).map(batch).collect();
        Ok(Self {
            model: loaded.model,
            config: loaded.config,
            batches,
            words: examples.words,
        })
    }

    pub(super) fn tuned(self, tuned: Tuned) -> Subject {
        Subject::new(self.model, self.config, self.batches, self.words, tuned)
    }
}

/// A run of the quickstart's model and task, with one evaluation after its last step and next to no test rows.
///
/// # Errors
/// If the binary's own files are not what they should be.
pub fn builtin_run(
    tuned: Tuned,
    sentences: usize,
    steps: u64,
    seed: u64,
) -> Result<RunPlan, TrainError> {
    let tuning = match tuned {
        Tuned::Full => mezo_spec::Tuning::Full,
        Tuned::Lora => mezo_spec::Tuning::Lora(Lora {
            r: LORA.rank,
            alpha: LORA.alpha,
        }),
    };
    let run = RunSpec {
        protocol: Protocol::Paper,
        model: ModelSpec {
            builtin: Some("roberta-imdb-tiny".into()),
            path: None,
            hub: None,
            revision: None,
            precision: None,
        },
        task: TaskSpec {
            name: "made-sentiment".into(),
            data: None,
            k: 512,
            test_cap: 1,
            prompt: true,
            template: Some("*cls**sent_0*_this_movie_is*mask*.*sep+*".into()),
            label_words: None,
            max_length: None,
            cut: Cut::Tail,
        },
        method: Method::Mezo(Mezo {
            objective: Objective::CrossEntropy,
            estimator: Estimator::TwoSided,
            eps: EPS,
            start: Start::Model,
            tuning,
            estimates: None,
            scale: None,
            train: Training {
                seed,
                steps,
                batch_size: sentences,
                eval_every: steps,
                lr: 1e-5,
                weight_decay: 0.0,
                decay_on: None,
                optimizer: Optimizer::Sgd,
                momentum: 0.0,
                schedule: Schedule::Constant,
                warmup: 0,
            },
        }),
    };
    Resolver::new("bench", Path::new(""), DeviceKind::Cpu).resolve(&run, Vec::new())
}
