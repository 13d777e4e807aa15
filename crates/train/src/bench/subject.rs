//! What steps are timed on: a model with its weights marked, and the batches it sees.

use burn::tensor::Device;
use mezo_model::{LoraConfig, ModelFiles, Roberta, RobertaConfig, Tuning, load};
use mezo_tasks::{Example, Order, Task, Tokenizer, k_shot};

use super::prompts::{WORDS, prompts};
use super::{Shape, Tuned};
use crate::error::TrainError;
use crate::materials::tokenizer;

/// Rank and weight of LoRA's terms where a spec says nothing of them.
pub(super) const LORA: LoraConfig = LoraConfig {
    rank: 8,
    alpha: 16.0,
};
/// The built-in model and what the quickstart puts to it.
const BUILTIN: &str = "roberta-imdb-tiny";
const TASK: &str = "made-sentiment";
const TEMPLATE: &str = "*cls**sent_0*_this_movie_is*mask*.*sep+*";
const K: usize = 512;
const SEED: u64 = 13;

/// A model and its batches.
pub struct Subject {
    pub(super) model: Roberta,
    pub(super) config: RobertaConfig,
    pub(super) batches: Vec<Vec<Example>>,
    pub(super) words: Vec<usize>,
    pub(super) tuned: Tuned,
}

impl Subject {
    /// A model of published sizes with random weights, and four batches of prompts.
    pub fn random(shape: Shape, tuned: Tuned, sentences: usize) -> Self {
        let config = shape.config();
        let model = Roberta::random(&config, 0, &Device::flex());
        let batches = prompts(sentences, config.vocab_size);
        Self::new(model, config, batches, WORDS.to_vec(), tuned)
    }

    /// The built-in model, and every batch of an epoch of the quickstart's task.
    ///
    /// # Errors
    /// If the binary's own files are not what they should be.
    pub fn builtin(tuned: Tuned, sentences: usize) -> Result<Self, TrainError> {
        let files = ModelFiles::builtin(BUILTIN).ok_or(TrainError::Value {
            key: "model.builtin",
            message: format!("there is no built-in model `{BUILTIN}`"),
            hint: None,
        })?;
        let loaded = load(&files, &Device::flex())?;
        let tokenizer = tokenizer(&files)?;
        let task = Task::by_name(TASK)?.with_template(TEMPLATE)?;
        let batches = epoch(&task, &tokenizer, sentences)?;
        let words = task.label_word_ids(&tokenizer)?;
        let words = words.into_iter().map(|word| word as usize).collect();
        Ok(Self::new(
            loaded.model,
            loaded.config,
            batches,
            words,
            tuned,
        ))
    }

    pub(super) fn new(
        mut model: Roberta,
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

/// The batches of a run's first epoch.
fn epoch(
    task: &Task,
    tokenizer: &Tokenizer,
    sentences: usize,
) -> Result<Vec<Vec<Example>>, TrainError> {
    let split = k_shot(task, None, K, SEED, None)?;
    let train = task.encode(tokenizer, &split.train)?;
    let order = Order::new(train.len(), sentences, SEED);
    let batch = |step| order.batch(step).into_iter().map(|row| train[row].clone());
    Ok((0..order.batches_per_epoch() as u64)
        .map(|step| batch(step).collect())
        .collect())
}
