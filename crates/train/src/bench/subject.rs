//! What steps are timed on: a model with its weights marked, and the batches it sees.

use std::path::Path;

use burn::tensor::Device;
use mezo_model::{Config, LoraConfig, Model, ModelFiles, RobertaConfig, Tuning, load};
use mezo_spec::{Cut, ModelSource, TaskConfig};
use mezo_tasks::{Example, Examples, Order, Shared, Task, Tokenizer};

use super::prompts::{WORDS, prompts};
use super::{Shape, Tuned};
use crate::error::TrainError;

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

    /// The built-in model, and every batch of the first epoch of a run on the built-in task.
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
        let model = ModelSource::Builtin("roberta-imdb-tiny".into());
        let files = ModelFiles::of(&model, Path::new(""))?;
        let loaded = load(&files, device)?;
        let Config::Roberta(config) = loaded.config;
        let tokenizer = Tokenizer::of(&files)?;
        let examples = Examples::read(
            &builtin_task()?,
            Some(SEED),
            &tokenizer,
            Path::new(""),
            &mut Shared::default(),
        )?;
        let order = Order::new(examples.train.len(), sentences, SEED);
        let batch = |step| {
            let rows = order.batch(step).into_iter();
            rows.map(|row| examples.train[row].clone()).collect()
        };
        let batches = (0..order.batches_per_epoch() as u64).map(batch).collect();
        Ok(Self {
            model: loaded.model,
            config,
            batches,
            words: examples.words,
        })
    }

    pub(super) fn tuned(self, tuned: Tuned) -> Subject {
        Subject::new(self.model, self.config, self.batches, self.words, tuned)
    }
}

/// The built-in task, with next to no test rows.
fn builtin_task() -> Result<TaskConfig, TrainError> {
    let task = Task::by_name("made-sentiment")?;
    Ok(TaskConfig {
        name: task.name().into(),
        data: None,
        k: 512,
        test_cap: 1,
        prompt: true,
        template: "*cls**sent_0*_this_movie_is*mask*.*sep+*".into(),
        label_words: task.label_words(),
        max_length: task.max_length(),
        cut: Cut::Tail,
    })
}
