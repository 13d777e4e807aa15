//! What a run takes: its steps, its passes through the model, and the tokens that go through in them.
//!
//! A forward pass is one batch through the model; each probe of an estimate is one of its own. An evaluation is as many
//! passes as there are batches in its rows. A backward pass counts as two more of the same tokens. What a run does
//! beside that (loading, updates, snapshots, measuring the scales of layers) is not counted.

use std::iter::Sum;
use std::ops::AddAssign;

use mezo_spec::{Estimates, EstimatesSchedule, Estimator, Method, MethodName};
use serde::Serialize;

use super::sizes::{Part, Sizes};

/// Examples of a pass where the run has no batch size of its own.
const BATCH: u64 = 64;

/// Tokens of a backward pass for each of its forward pass.
const BACKWARD: f64 = 2.0;

/// Tests of a run that goes by steps: at the last step and at the best one. Where they are the same, it is one less.
const TESTS: u64 = 2;

/// What a run, or a part of one, takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Parameter updates.
    pub steps: u64,
    /// Batches through the model.
    pub forward_passes: u64,
    /// Batches back through it.
    pub backward_passes: u64,
    /// Tokens of all passes; those of a backward pass count twice.
    pub tokens: u64,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        // A spec may ask for more steps than can be counted.
        let add = |sum: &mut u64, other: u64| *sum = sum.saturating_add(other);
        add(&mut self.steps, other.steps);
        add(&mut self.forward_passes, other.forward_passes);
        add(&mut self.backward_passes, other.backward_passes);
        add(&mut self.tokens, other.tokens);
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |mut sum, cost| {
            sum += cost;
            sum
        })
    }
}

/// What there is to do in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    method: MethodName,
    /// Passes of an estimate; 0 for backpropagation.
    probes: u64,
    estimates: Option<Estimates>,
    steps: u64,
    batch_size: u64,
    eval_every: u64,
    sizes: Sizes,
}

impl Work {
    /// The work of a run with this method and so much data.
    pub fn of(method: &Method, sizes: Sizes) -> Self {
        let (mezo, train) = (method.mezo(), method.training());
        let steps = train.map_or(0, |train| train.steps);
        Self {
            method: method.name(),
            probes: mezo.map_or(0, |mezo| match mezo.estimator {
                Estimator::TwoSided => 2,
                Estimator::OnePoint => 1,
            }),
            estimates: mezo.and_then(|mezo| mezo.estimates.clone()),
            steps,
            batch_size: train.map_or(BATCH, |train| train.batch_size as u64).max(1),
            eval_every: train.map_or(steps, |train| train.eval_every).max(1),
            sizes,
        }
    }

    /// All of it.
    pub fn total(&self) -> Cost {
        self.left(0)
    }

    /// What is left when so many steps are done.
    pub fn left(&self, done: u64) -> Cost {
        let mut cost = self.between(done, self.steps);
        cost += self.end();
        if done == 0 {
            cost += self.start();
        }
        cost
    }

    /// The steps after `from` up to `to`, with the evaluations that come with them.
    pub fn between(&self, from: u64, to: u64) -> Cost {
        let to = to.min(self.steps);
        let steps = to.saturating_sub(from);
        let rows = self.sizes.train.rows as u64;
        let batches = rows.div_ceil(self.batch_size).max(1);
        // Batches of an epoch differ by the short last one alone.
        let batch = rows as f64 / batches as f64 * self.sizes.train.mean_tokens;
        let mut cost = Cost {
            steps,
            ..Cost::default()
        };
        if self.probes > 0 {
            cost.forward_passes = self.probes.saturating_mul(self.estimates(from, to));
            cost.tokens = tokens(batch * cost.forward_passes as f64);
        } else {
            cost.forward_passes = steps;
            cost.backward_passes = steps;
            cost.tokens = tokens(batch * steps as f64 * (1.0 + BACKWARD));
        }
        cost += self.evaluation(self.sizes.dev, self.evaluations(from, to));
        cost
    }

    /// What comes before the first step: linear probing reads the train rows once.
    pub fn start(&self) -> Cost {
        match self.method {
            MethodName::Lp | MethodName::LpMezo => self.evaluation(self.sizes.train, 1),
            MethodName::Mezo | MethodName::Ft | MethodName::ZeroShot => Cost::default(),
        }
    }

    /// What comes after the last step.
    pub fn end(&self) -> Cost {
        match self.method {
            MethodName::ZeroShot => self.evaluation(self.sizes.test, 1),
            MethodName::Lp => [self.sizes.dev, self.sizes.test]
                .into_iter()
                .map(|part| self.evaluation(part, 1))
                .sum(),
            MethodName::Mezo | MethodName::LpMezo | MethodName::Ft => {
                self.evaluation(self.sizes.test, TESTS)
            }
        }
    }

    /// So many times over one part of the data.
    fn evaluation(&self, part: Part, times: u64) -> Cost {
        Cost {
            forward_passes: times.saturating_mul((part.rows as u64).div_ceil(self.batch_size)),
            tokens: tokens(times as f64 * part.rows as f64 * part.mean_tokens),
            ..Cost::default()
        }
    }

    /// Evaluations on dev after `from` up to `to`: every `eval_every` steps, and at the last.
    fn evaluations(&self, from: u64, to: u64) -> u64 {
        if to <= from {
            return 0;
        }
        let last = to == self.steps && !to.is_multiple_of(self.eval_every);
        to / self.eval_every - from / self.eval_every + u64::from(last)
    }

    /// How many estimates the steps after `from` up to `to` make.
    fn estimates(&self, from: u64, to: u64) -> u64 {
        let steps = to.saturating_sub(from);
        let Some(Estimates {
            count, schedule, ..
        }) = self.estimates
        else {
            return steps;
        };
        let count = u64::from(count);
        match schedule {
            EstimatesSchedule::Constant => steps.saturating_mul(count),
            // From 1 up to n in proportion to the steps done (trainer.py:387-398): after so many steps there is another one.
            EstimatesSchedule::Linear => {
                let begins =
                    |more: u64| (more as u128 * self.steps as u128).div_ceil(count as u128) as u64;
                let another = (2..count).map(begins).take_while(|&begins| begins < to);
                let more = |begins: u64| to - begins.max(from).min(to);
                another.map(more).fold(steps, u64::saturating_add)
            }
        }
    }
}

fn tokens(number: f64) -> u64 {
    number.round() as u64
}

#[cfg(test)]
mod tests;
