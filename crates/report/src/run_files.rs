//! Reading the files of one run, each by itself and to its first fault.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::FileFault;

/// One line of `steps.jsonl`.
#[derive(Debug, Clone, Deserialize)]
pub struct StepLine {
    /// The step, from 1.
    pub step: u64,
    /// The learning rate it used.
    pub lr: f64,
    /// Its estimates; empty where the loss was taken backwards, and in the first step of one-point estimates.
    #[serde(default)]
    pub estimates: Vec<EstimateLine>,
    /// Its loss, where estimates do not tell it.
    pub loss: Option<f64>,
}

impl StepLine {
    /// The step's training loss: the one written down, or else the mean over its estimates of the two
    /// losses' mean. None when a loss was not finite.
    pub fn loss(&self) -> Option<f64> {
        if self.loss.is_some() || self.estimates.is_empty() {
            return self.loss.filter(|loss| loss.is_finite());
        }
        let mut sum = 0.0;
        for estimate in &self.estimates {
            sum += (estimate.loss_plus? + estimate.loss_minus?) / 2.0;
        }
        let loss = sum / self.estimates.len() as f64;
        loss.is_finite().then_some(loss)
    }

    /// Whether every estimate of the step is exactly zero, so that it has no direction: both losses were
    /// the same number, as happens where the objective counts right answers.
    pub fn is_zero(&self) -> bool {
        let zero = |estimate: &EstimateLine| estimate.projected_grad == Some(0.0);
        !self.estimates.is_empty() && self.estimates.iter().all(zero)
    }
}

/// One two-sided estimate of a step; a null is a number that was not finite.
#[derive(Debug, Clone, Deserialize)]
pub struct EstimateLine {
    /// The seed of its noise.
    pub seed: u64,
    /// Loss at `+eps`.
    pub loss_plus: Option<f64>,
    /// Loss at `-eps`.
    pub loss_minus: Option<f64>,
    /// Projected gradient.
    pub projected_grad: Option<f64>,
}

/// One line of `evals.jsonl`.
#[derive(Debug, Clone, Deserialize)]
pub struct EvalLine {
    /// The step after which it was taken.
    pub step: u64,
    /// `dev` or `test`.
    pub split: String,
    /// `accuracy` or `cross_entropy`.
    pub metric: String,
    /// Its value; null when it was not finite.
    pub value: Option<f64>,
}

/// One line of `attempts.jsonl`: a start or an end.
#[derive(Debug, Clone, Deserialize)]
pub struct AttemptLine {
    /// `start` or `end`.
    pub event: String,
    /// The machine.
    pub host: Option<String>,
    /// The device.
    pub device: Option<String>,
    /// Seconds from start to end.
    pub wall_s: Option<f64>,
    /// Why it ended.
    pub reason: Option<String>,
}

/// `result.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct RunResult {
    /// The run it belongs to.
    pub id: String,
    /// How it ended.
    pub status: ResultStatus,
    /// Steps done.
    pub steps: u64,
    /// At the step with the best dev accuracy.
    pub best: Option<Scores>,
    /// At the last step.
    pub last: Option<Scores>,
    /// The fit of linear probing.
    pub probe: Option<ProbeFit>,
}

/// How linear probing was fitted.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ProbeFit {
    /// The inverse strength of the penalty that was chosen.
    pub c: Option<f64>,
    /// The accuracy in cross-validation that it was chosen by.
    pub accuracy: Option<f64>,
    /// Whether the fit converged.
    pub converged: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultStatus {
    /// All its steps are done.
    Finished,
    /// A loss was not finite.
    Diverged,
}

/// What was measured at one step.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Scores {
    /// The step.
    pub step: u64,
    /// Dev accuracy; none for zero-shot.
    pub dev_accuracy: Option<f64>,
    /// Dev cross-entropy.
    pub dev_cross_entropy: Option<f64>,
    /// Test accuracy.
    pub test_accuracy: Option<f64>,
    /// Test cross-entropy.
    pub test_cross_entropy: Option<f64>,
}

/// A whole JSON file: `None` when there is none.
pub(crate) fn read_json<T: DeserializeOwned>(
    dir: &Path,
    file: &'static str,
    expected: &'static str,
) -> Result<Option<T>, FileFault> {
    let bytes = match std::fs::read(dir.join(file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FileFault::Unreadable { file, source }),
    };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(source) => Err(FileFault::malformed(file, 0, expected, source)),
    }
}

/// Hands every good line of a JSON-lines file to `each`, with its number from 1, up to the first
/// fault, which it returns. A missing file has no lines.
pub(crate) fn read_lines<T: DeserializeOwned>(
    dir: &Path,
    file: &'static str,
    expected: &'static str,
    mut each: impl FnMut(usize, T) -> Result<(), FileFault>,
) -> Result<(), FileFault> {
    let mut reader = match File::open(dir.join(file)) {
        Ok(opened) => BufReader::new(opened),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(FileFault::Unreadable { file, source }),
    };
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = reader
            .read_until(b'\n', &mut bytes)
            .map_err(|source| FileFault::Unreadable { file, source })?;
        if read == 0 {
            break;
        }
        // Even a torn line that happens to parse is not trusted: a number may have lost digits.
        if bytes.last() != Some(&b'\n') {
            return Err(FileFault::Torn { file, line });
        }
        bytes.pop();
        let value = serde_json::from_slice(&bytes)
            .map_err(|source| FileFault::malformed(file, line - 1, expected, source))?;
        each(line, value)?;
    }
    Ok(())
}

/// The name of the journal.
pub(crate) const STEPS: &str = "steps.jsonl";

/// Hands the journal's steps to `each` in order, up to the first fault.
pub(crate) fn read_steps(dir: &Path, mut each: impl FnMut(StepLine)) -> Result<(), FileFault> {
    let mut expected = 1;
    read_lines(dir, STEPS, "a step's line", |line, step: StepLine| {
        if step.step != expected {
            return Err(FileFault::OutOfOrder {
                file: STEPS,
                line,
                expected,
                found: step.step,
            });
        }
        expected += 1;
        each(step);
        Ok(())
    })
}
