//! The examples of a run: its split drawn, and every row in tokens.

use std::path::Path;
use std::rc::Rc;

use mezo_spec::TaskConfig;

use crate::error::TaskError;
use crate::hash::rows_sha256;
use crate::prompt::Example;
use crate::shared::Shared;
use crate::split::{Settings, k_shot_of, zero_shot};
use crate::task::Task;
use crate::tokenizer::Tokenizer;

/// The examples of a run, in tokens.
#[derive(Debug)]
pub struct Examples {
    /// To train on.
    pub train: Vec<Example>,
    /// To choose by.
    pub dev: Vec<Example>,
    /// To report on.
    pub test: Rc<Vec<Example>>,
    /// Vocabulary ids of the label words, in the order of the classes; none without a prompt.
    pub words: Vec<usize>,
    /// Why there are no test rows, where there are none.
    pub test_missing: Option<String>,
    /// How many classes the task has.
    pub classes: usize,
    /// Hash of the sentences and labels.
    pub sha256: String,
    /// Hash of those of the test rows alone.
    pub test_sha256: String,
    /// Hash of the rows that the splits of all seeds are drawn from.
    pub source_sha256: String,
}

impl Examples {
    /// Draws the split of a seed, or without one the rows that a zero-shot run evaluates, and puts every row into tokens.
    /// Relative paths start at `base`. What `shared` has of other seeds is not read again.
    ///
    /// # Errors
    /// If the data cannot be read, or a row or a label word cannot be put into tokens.
    pub fn read(
        config: &TaskConfig,
        seed: Option<u64>,
        tokenizer: &Tokenizer,
        base: &Path,
        shared: &mut Shared,
    ) -> Result<Self, TaskError> {
        let task = Task::configured(config)?;
        let data = config.data.as_ref().map(|data| base.join(data));
        let (data, test_cap) = (data.as_deref(), Some(config.test_cap));
        let split = match seed {
            Some(seed) => {
                let settings = Settings::checked(config.k, seed, test_cap)?;
                k_shot_of(&task, data, settings, shared)?
            }
            None => zero_shot(&task, data, config.k, test_cap)?,
        };
        let words = task.label_word_ids(tokenizer)?;
        let test_sha256 = rows_sha256(&split.test);
        let prompt = (&config.template, config.max_length, config.cut);
        let key = format!(
            "{} {test_sha256} {} {} {prompt:?}",
            config.name,
            tokenizer.sha256(),
            config.prompt
        );
        Ok(Self {
            train: task.encode(tokenizer, &split.train)?,
            dev: task.encode(tokenizer, &split.dev)?,
            test: shared.test(key, || task.encode(tokenizer, &split.test))?,
            classes: task.labels().len(),
            words: words.into_iter().map(|word| word as usize).collect(),
            sha256: split.sha256(),
            test_sha256,
            source_sha256: split.source_sha256,
            test_missing: split.test_missing,
        })
    }

    /// How many train examples each class has.
    pub fn train_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for example in &self.train {
            counts[example.label] += 1;
        }
        counts
    }
}

impl Task {
    /// The task as a run puts it to the model.
    ///
    /// # Errors
    /// If there is no such task, or the template or the label words are none of it.
    pub fn configured(config: &TaskConfig) -> Result<Self, TaskError> {
        let task = Self::by_name(&config.name)?
            .with_max_length(config.max_length)
            .with_cut(config.cut);
        if !config.prompt {
            return Ok(task.without_prompt());
        }
        task.with_template(&config.template)?
            .with_label_words(&config.label_words)
    }
}
