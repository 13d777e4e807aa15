//! `result.json`: the last file of a run, whose presence means that it is finished.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::RESULT;
use crate::error::RunError;
use crate::evaluations::{Eval, EvalSplit, Metric, find};
use crate::fault::{FileFault, whole_json};
use crate::whole::{read_json, write_json};

/// `result.json`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The run.
    pub id: String,
    /// How it ended.
    pub status: Status,
    /// Lines of the journal.
    pub steps: u64,
    /// At the step with the best dev accuracy; none where there was no evaluation before it diverged.
    pub best: Option<Reported>,
    /// At the last step; none where it diverged.
    pub last: Option<Reported>,
    /// What linear probing found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeFit>,
}

impl RunResult {
    /// Whether a run directory has a result, which alone means that the run is finished.
    pub fn is_in(dir: &Path) -> bool {
        dir.join(RESULT).is_file()
    }

    /// The result in a run directory.
    ///
    /// # Errors
    /// If it is missing or no result.
    pub fn read(dir: &Path) -> Result<Self, RunError> {
        read_json(&dir.join(RESULT))
    }

    /// The same for a report; none where there is none.
    ///
    /// # Errors
    /// If it is no result.
    pub fn recorded(dir: &Path) -> Result<Option<Self>, FileFault> {
        whole_json(dir, RESULT, "a run's result")
    }

    /// Writes it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), RunError> {
        write_json(&dir.join(RESULT), self)
    }
}

/// What linear probing found beside its scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProbeFit {
    /// The strength of the penalty that cross-validation chose: the penalty is `|w|^2 / 2C`; none where it is not finite.
    pub c: Option<f64>,
    /// Its mean accuracy over the folds of the train rows.
    pub accuracy: Option<f64>,
    /// Whether the fit to all train rows reached its tolerance.
    pub converged: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All steps are done.
    Finished,
    /// A loss was not finite.
    Diverged,
}

/// What is reported of one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reported {
    /// The step.
    pub step: u64,
    /// Dev accuracy; none without training.
    pub dev_accuracy: Option<f64>,
    /// Dev cross-entropy; none without training.
    pub dev_cross_entropy: Option<f64>,
    /// Test accuracy.
    pub test_accuracy: Option<f64>,
    /// Test cross-entropy.
    pub test_cross_entropy: Option<f64>,
}

impl Reported {
    /// What the evaluations say of a step.
    pub fn at(step: u64, evals: &[Eval]) -> Self {
        let value = |split, metric| find(evals, step, split, metric)?.value;
        Self {
            step,
            dev_accuracy: value(EvalSplit::Dev, Metric::Accuracy),
            dev_cross_entropy: value(EvalSplit::Dev, Metric::CrossEntropy),
            test_accuracy: value(EvalSplit::Test, Metric::Accuracy),
            test_cross_entropy: value(EvalSplit::Test, Metric::CrossEntropy),
        }
    }
}
