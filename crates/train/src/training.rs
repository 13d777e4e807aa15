//! The numbers of a training by steps, every default filled in.

use mezo_spec::{DecayOn, Method, Optimizer, Schedule};

use crate::error::TrainError;
use crate::refusal::value;

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
    pub(crate) decay_on: DecayOn,
    pub(crate) optimizer: Optimizer,
    pub(crate) momentum: f64,
    /// Scale of the perturbation; 0 without one.
    pub(crate) eps: f64,
    pub(crate) dropout: f64,
    pub(crate) clip: f64,
}

impl Training {
    /// What a method has of them.
    ///
    /// # Errors
    /// If it does not go by steps.
    pub(crate) fn of(method: &Method) -> Result<Self, TrainError> {
        let Some(train) = method.training() else {
            let name = method.name();
            return Err(value("method.name", format!("{name} goes by no steps")));
        };
        let (dropout, clip) = match method {
            Method::FineTune(fine_tune) => (fine_tune.dropout, fine_tune.clip),
            _ => (0.0, f64::INFINITY),
        };
        Ok(Self {
            seed: train.seed,
            steps: train.steps,
            batch_size: train.batch_size,
            eval_every: train.eval_every,
            lr: train.lr,
            schedule: train.schedule,
            warmup: train.warmup,
            weight_decay: train.weight_decay,
            decay_on: train.decay_on.unwrap_or(DecayOn::All),
            optimizer: train.optimizer,
            momentum: train.momentum,
            eps: method.mezo().map_or(0.0, |mezo| mezo.eps),
            dropout,
            clip,
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
    use super::*;

    fn rates(schedule: Schedule, warmup: u64) -> Vec<f64> {
        let training = Training {
            seed: 1,
            steps: 5,
            batch_size: 1,
            eval_every: 1,
            lr: 8.0,
            schedule,
            warmup,
            weight_decay: 0.0,
            decay_on: DecayOn::All,
            optimizer: Optimizer::Sgd,
            momentum: 0.0,
            eps: 0.0,
            dropout: 0.0,
            clip: 1.0,
        };
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
