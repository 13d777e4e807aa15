//! How much data a run has.

use mezo_run::Manifest;
use mezo_tasks::{Example, Task};

use super::error::ResolveError;

/// One part of the data: how many rows, and how long their prompts are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Part {
    /// Rows.
    pub rows: usize,
    /// Tokens of a prompt, their mean.
    pub mean_tokens: f64,
}

/// The parts of a run's data.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sizes {
    /// To train on.
    pub train: Part,
    /// To choose by.
    pub dev: Part,
    /// To report on.
    pub test: Part,
}

impl Part {
    /// How many examples there are, and how long they are.
    pub(super) fn of(examples: &[Example]) -> Self {
        let tokens: usize = examples.iter().map(|example| example.ids.len()).sum();
        Self {
            rows: examples.len(),
            mean_tokens: tokens as f64 / examples.len().max(1) as f64,
        }
    }
}

impl Sizes {
    /// The sizes of a task's data as its sources state them, for data that are not there.
    ///
    /// # Errors
    /// If there is no such task.
    pub fn stated(task: &str, k: usize, test_cap: usize) -> Result<Self, ResolveError> {
        let task = Task::by_name(task)?;
        let part = |rows| Part {
            rows,
            mean_tokens: task.mean_tokens(),
        };
        Ok(Self {
            train: part(task.train_rows(k)),
            dev: part(task.dev_rows(k)),
            test: part(task.test_size(Some(test_cap))),
        })
    }

    /// The rows of a planned run, with these lengths.
    pub fn with_rows_of(mut self, manifest: &Manifest) -> Self {
        let rows = |rows: Option<u64>| rows.unwrap_or_default() as usize;
        self.train.rows = rows(manifest.train_examples);
        self.dev.rows = rows(manifest.dev_examples);
        self.test.rows = rows(manifest.test_examples);
        self
    }
}
