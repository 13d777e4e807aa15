//! The numbers of a training by steps, every default filled in.

use crate::error::TrainError;
use crate::refusal::needed;
use crate::spec::{DecayName, OptimizerName, Schedule, TrainSpec};

/// `[train]` as the loop needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Training {
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    pub(crate) batch_size: usize,
    pub(crate) eval_every: u64,
    lr: f64,
    schedule: Schedule,
    warmup: u64,
    pub(crate) weight_decay: f64,
    pub(crate) decay_on: DecayName,
    pub(crate) optimizer: OptimizerName,
    pub(crate) momentum: f64,
    /// Scale of the perturbation; 0 without one.
    pub(crate) eps: f64,
    pub(crate) dropout: f64,
    pub(crate) clip: f64,
}

impl Training {
    /// Reads them from a manifest's configuration.
    ///
    /// # Errors
    /// If a number that every training needs is not there.
    pub(crate) fn of(train: &TrainSpec) -> Result<Self, TrainError> {
        Ok(Self {
            seed: needed("train.seed", train.seed)?,
            steps: needed("train.steps", train.steps)?,
            batch_size: needed("train.batch_size", train.batch_size)?,
            eval_every: needed("train.eval_every", train.eval_every)?,
            lr: needed("train.lr", train.lr)?,
            schedule: train.schedule.unwrap_or(Schedule::Constant),
            warmup: train.warmup.unwrap_or(0),
            weight_decay: train.weight_decay.unwrap_or(0.0),
            decay_on: train.decay_on.unwrap_or(DecayName::All),
            optimizer: train.optimizer.unwrap_or(OptimizerName::Sgd),
            momentum: train.momentum.unwrap_or(0.0),
            eps: train.eps.unwrap_or(0.0),
            dropout: train.dropout.unwrap_or(0.0),
            clip: train.clip.unwrap_or(f64::INFINITY),
        })
    }

    /// Whether the model is evaluated on dev after a step: every so many, and at the end.
    pub(crate) fn evaluates_after(&self, step: u64) -> bool {
        step.is_multiple_of(self.eval_every) || step == self.steps
    }

    /// The learning rate of a step, counted from 1: transformers' schedules, which are asked with the number of steps
    /// done. The first step of a warm-up therefore has rate 0.
    pub(crate) fn lr(&self, step: u64) -> f64 {
        let done = step - 1;
        if done < self.warmup {
            return self.lr * (done as f64 / self.warmup as f64);
        }
        match self.schedule {
            Schedule::Constant => self.lr,
            Schedule::Linear => {
                let left = (self.steps - done) as f64;
                self.lr * (left / (self.steps - self.warmup) as f64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn rates(schedule: Schedule, warmup: u64) -> Vec<f64> {
        let training = Training::of(&TrainSpec {
            seed: Some(1),
            steps: Some(5),
            batch_size: Some(1),
            eval_every: Some(1),
            lr: Some(8.0),
            schedule: Some(schedule),
            warmup: Some(warmup),
            ..TrainSpec::default()
        });
        let training = training.unwrap();
        (1..=5).map(|step| training.lr(step)).collect()
    }

    #[test]
    fn rates_go_as_transformers_has_them() {
        assert_eq!(rates(Schedule::Constant, 0), [8.0; 5]);
        assert_eq!(rates(Schedule::Constant, 2), [0.0, 4.0, 8.0, 8.0, 8.0]);
        assert_eq!(rates(Schedule::Linear, 0), [8.0, 6.4, 8.0 * 0.6, 3.2, 1.6]);
        assert_eq!(rates(Schedule::Linear, 1), [0.0, 8.0, 6.0, 4.0, 2.0]);
    }
}
