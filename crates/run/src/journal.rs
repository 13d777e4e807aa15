//! `steps.jsonl`, the journal: one line a step, from which the parameters can be rebuilt.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::STEPS;
use crate::error::RunError;
use crate::fault::{FileFault, each_line};
use crate::lines::{Lines, read_lines};
use crate::tail::last_line;

/// A line of `steps.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The step, from 1.
    pub step: u64,
    /// Its learning rate.
    pub lr: f64,
    /// Its estimates; none where the gradient was backpropagated, and in the first step of one-point estimates.
    #[serde(default)]
    pub estimates: Vec<Estimate>,
    /// The step's own loss, where its estimates do not tell it: backpropagated, or on the one side of a one-point estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<f64>,
    /// Set on the last line of a run whose loss is no longer finite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StepStatus>,
}

/// Why a line is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// A loss was not finite.
    Diverged,
}

/// An estimate from two losses. A number that is not finite is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The seed of its noise.
    pub seed: u64,
    /// Loss at `theta + eps z`.
    pub loss_plus: Option<f64>,
    /// Loss at `theta - eps z`; of a one-point estimate, the loss of the step before.
    pub loss_minus: Option<f64>,
    /// `(loss_plus - loss_minus) / (2 eps)`; of a one-point estimate, without the 2.
    pub projected_grad: Option<f64>,
}

impl Estimate {
    /// From the losses on both sides (paper, definition 1).
    pub fn two_sided(seed: u64, plus: f64, minus: f64, eps: f64) -> Self {
        Self::over(seed, plus, minus, 2.0 * eps)
    }

    /// From this step's loss and the last one's (paper, definition 8).
    pub fn one_point(seed: u64, now: f64, before: f64, eps: f64) -> Self {
        Self::over(seed, now, before, eps)
    }

    fn over(seed: u64, plus: f64, minus: f64, width: f64) -> Self {
        let finite = |number: f64| number.is_finite().then_some(number);
        Self {
            seed,
            loss_plus: finite(plus),
            loss_minus: finite(minus),
            projected_grad: finite((plus - minus) / width),
        }
    }

    /// Whether both losses and their difference are numbers.
    fn is_finite(&self) -> bool {
        self.loss_plus.is_some() && self.loss_minus.is_some() && self.projected_grad.is_some()
    }
}

impl Step {
    /// A line, marked as the last where an estimate is not finite.
    pub fn new(step: u64, lr: f64, estimates: Vec<Estimate>) -> Self {
        let finite = estimates.iter().all(Estimate::is_finite);
        let status = (!finite).then_some(StepStatus::Diverged);
        Self {
            step,
            lr,
            estimates,
            loss: None,
            status,
        }
    }

    /// A line with a loss of its own, marked as the last where that or an estimate is not finite.
    pub fn with_loss(step: u64, lr: f64, estimates: Vec<Estimate>, loss: f64) -> Self {
        let line = Self::new(step, lr, estimates);
        let loss = Some(loss).filter(|loss| loss.is_finite());
        Self {
            loss,
            status: line
                .status
                .or(loss.is_none().then_some(StepStatus::Diverged)),
            ..line
        }
    }

    /// Whether the run ends here because a loss is not finite.
    pub fn diverged(&self) -> bool {
        self.status == Some(StepStatus::Diverged)
    }

    /// The step's own loss, or the mean over its probes; none where it is not finite.
    pub fn loss(&self) -> Option<f64> {
        if self.loss.is_some() || self.estimates.is_empty() {
            return self.loss.filter(|loss| loss.is_finite());
        }
        let mut sum = 0.0;
        for estimate in &self.estimates {
            sum += (estimate.loss_plus? + estimate.loss_minus?) / 2.0;
        }
        Some(sum / self.estimates.len() as f64).filter(|loss: &f64| loss.is_finite())
    }

    /// Whether every estimate of the step is exactly zero, so that it has no direction: both losses were the same number, as
    /// happens where the objective counts right answers.
    pub fn is_zero(&self) -> bool {
        let zero = |estimate: &Estimate| estimate.projected_grad == Some(0.0);
        !self.estimates.is_empty() && self.estimates.iter().all(zero)
    }
}

/// The file of a run directory's journal.
pub fn journal_path(dir: &Path) -> PathBuf {
    dir.join(STEPS)
}

/// The journal of a run that this process holds, and its file for adding ([`Lines::take_over`]).
///
/// # Errors
/// If the file cannot be used, or its lines are not the steps 1, 2, 3 ...
pub fn take_journal(dir: &Path) -> Result<(Lines, Vec<Step>), RunError> {
    let (file, journal) = Lines::take_over(&journal_path(dir))?;
    check_steps(&journal, dir)?;
    Ok((file, journal))
}

/// The whole lines of a journal that others may be writing; [`check_steps`] holds their numbers.
///
/// # Errors
/// If it cannot be read, or a line is no step.
pub fn journal(dir: &Path) -> Result<Vec<Step>, RunError> {
    read_lines(&journal_path(dir))
}

/// Whole lines of a journal, none where it cannot be read.
pub fn journal_length(dir: &Path) -> u64 {
    let bytes = std::fs::read(journal_path(dir)).unwrap_or_default();
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Holds that the lines of a run directory's journal are the steps 1, 2, 3 ...
///
/// # Errors
/// With the first that is not.
pub fn check_steps(journal: &[Step], dir: &Path) -> Result<(), RunError> {
    for (index, line) in journal.iter().enumerate() {
        if line.step != index as u64 + 1 {
            return Err(RunError::Record {
                path: journal_path(dir),
                line: index + 1,
                message: format!("expected step {}, found step {}", index + 1, line.step),
            });
        }
    }
    Ok(())
}

/// Hands the steps of a run directory's journal to `each` in order, up to the first fault.
///
/// # Errors
/// With that fault. A missing journal has no steps.
pub fn each_step(dir: &Path, mut each: impl FnMut(Step)) -> Result<(), FileFault> {
    let mut expected = 1;
    each_line(dir, STEPS, "a step's line", |line, step: Step| {
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

/// The last whole line of a run directory's journal; none where there is none, or it is no step.
///
/// # Errors
/// If the journal cannot be read.
pub fn last_step(dir: &Path) -> Result<Option<Step>, RunError> {
    let path = journal_path(dir);
    let line = last_line(&path).map_err(RunError::file(&path, "read"))?;
    Ok(line.and_then(|line| serde_json::from_slice(&line).ok()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_not_finite_is_the_last() {
        let step = Step::new(3, 0.1, vec![Estimate::two_sided(1, f64::NAN, 0.5, 1e-3)]);
        assert!(step.diverged());
        assert_eq!(
            serde_json::to_string(&step).unwrap(),
            r#"{"step":3,"lr":0.1,"estimates":[{"seed":1,"loss_plus":null,"loss_minus":0.5,"projected_grad":null}],"status":"diverged"}"#
        );
        let back: Step = serde_json::from_str(&serde_json::to_string(&step).unwrap()).unwrap();
        assert_eq!(back, step);
    }

    #[test]
    fn the_last_step_is_that_of_the_last_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        let last = |text: &str| {
            std::fs::write(dir.path().join(STEPS), text).unwrap();
            last_step(dir.path()).unwrap().map(|step| step.step)
        };
        assert_eq!(last_step(&dir.path().join("nowhere")).unwrap(), None);
        let lines = "{\"step\":1,\"lr\":0.1}\n{\"step\":2,\"lr\":0.1}\n";
        assert_eq!(last(lines), Some(2));
        assert_eq!(last(&format!("{lines}{{\"st")), Some(2));
        assert_eq!(last("no step\n"), None);
    }

    #[test]
    fn the_loss_is_the_mean_over_all_probes() {
        let estimates =
            [(0.5, 0.7), (0.1, 0.3)].map(|(plus, minus)| Estimate::two_sided(1, plus, minus, 1e-3));
        let step = Step::new(7, 0.1, estimates.to_vec());
        assert_eq!(step.loss(), Some(0.4));
        let diverged = Step::new(8, 0.1, vec![Estimate::two_sided(1, 0.5, f64::NAN, 1e-3)]);
        assert_eq!(diverged.loss(), None);
    }
}
