//! `evals.jsonl`: what was measured, and after which steps.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::EVALS;
use crate::error::RunError;
use crate::fault::{FileFault, each_line};
use crate::lines::Lines;

/// A line of `evals.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eval {
    /// After which step.
    pub step: u64,
    /// On what.
    pub split: EvalSplit,
    /// What was measured.
    pub metric: Metric,
    /// The value; none where it is not finite.
    pub value: Option<f64>,
    /// Over how many examples.
    pub n: usize,
}

/// What an evaluation is made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvalSplit {
    /// To choose the best step by.
    Dev,
    /// To report.
    Test,
}

/// What an evaluation measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Share of examples whose label word has the highest score.
    Accuracy,
    /// Mean cross-entropy over the label words.
    CrossEntropy,
}

/// Every metric, in the order in which it is written.
pub const METRICS: [Metric; 2] = [Metric::Accuracy, Metric::CrossEntropy];

/// The value of one metric at a step, as far as it has been written.
pub fn find(evals: &[Eval], step: u64, split: EvalSplit, metric: Metric) -> Option<&Eval> {
    evals
        .iter()
        .find(|eval| (eval.step, eval.split, eval.metric) == (step, split, metric))
}

/// The step up to `last` with the best dev accuracy; a later one must be strictly better (trainer.py:805-815).
pub fn best_step(evals: &[Eval], last: u64) -> Option<u64> {
    let mut best: Option<(u64, f64)> = None;
    for eval in evals {
        let candidate =
            eval.step <= last && eval.split == EvalSplit::Dev && eval.metric == Metric::Accuracy;
        let Some(value) = eval.value.filter(|_| candidate) else {
            continue;
        };
        if best.is_none_or(|(_, highest)| value > highest) {
            best = Some((eval.step, value));
        }
    }
    best.map(|(step, _)| step)
}

/// The evaluations of a run that this process holds, and their file for adding ([`Lines::take_over`]).
///
/// # Errors
/// If the file cannot be used.
pub fn take_evaluations(dir: &Path) -> Result<(Lines, Vec<Eval>), RunError> {
    Lines::take_over(&dir.join(EVALS))
}

/// Hands the evaluations of a run directory to `each` in order, up to the first fault.
///
/// # Errors
/// With that fault. A missing file has none.
pub fn each_evaluation(dir: &Path, mut each: impl FnMut(Eval)) -> Result<(), FileFault> {
    each_line(dir, EVALS, "an evaluation's line", |_, eval| {
        each(eval);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dev(step: u64, value: Option<f64>) -> Eval {
        Eval {
            step,
            split: EvalSplit::Dev,
            metric: Metric::Accuracy,
            value,
            n: 4,
        }
    }

    #[test]
    fn the_earliest_of_equals_is_best() {
        let evals = [
            dev(10, Some(0.5)),
            dev(20, Some(0.75)),
            dev(30, Some(0.75)),
            dev(40, None),
        ];
        assert_eq!(best_step(&evals, 40), Some(20));
        assert_eq!(best_step(&evals, 10), Some(10));
        assert_eq!(best_step(&evals[3..], 40), None);
    }
}
