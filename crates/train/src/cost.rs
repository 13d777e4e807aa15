//! What a run takes: its steps, its passes through the model, and the tokens that go through in them.
//!
//! A forward pass is one batch through the model; each probe of an estimate is one of its own. An evaluation is as many
//! passes as there are batches in its rows. A backward pass counts as two more of the same tokens. What a run does
//! beside that (loading, updates, snapshots, measuring the scales of layers) is not counted.

use std::iter::Sum;
use std::ops::AddAssign;

use serde::Serialize;

use crate::defaults;
use crate::manifest::{Manifest, MethodConfig};
use crate::sizes::{Part, Sizes};
use crate::spec::{EstimatesSchedule, EstimatesSpec, Estimator, MethodName, RunSpec, TrainSpec};

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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Work {
    method: MethodName,
    /// Passes of an estimate; 0 for backpropagation.
    probes: u64,
    estimates: Option<EstimatesSpec>,
    steps: u64,
    batch_size: u64,
    eval_every: u64,
    sizes: Sizes,
}

impl Work {
    /// The work of a planned run.
    pub fn of(manifest: &Manifest, sizes: Sizes) -> Self {
        let config = &manifest.config;
        Self::new(&config.method, config.train.as_ref(), sizes)
    }

    /// The work of a run that cannot be planned yet.
    pub fn of_spec(spec: &RunSpec, sizes: Sizes) -> Self {
        Self::new(
            &defaults::method(spec),
            defaults::train(spec).as_ref(),
            sizes,
        )
    }

    /// The work of a zero-shot run.
    pub fn of_zero_shot(sizes: Sizes) -> Self {
        Self::new(&MethodConfig::ZERO_SHOT, None, sizes)
    }

    fn new(method: &MethodConfig, train: Option<&TrainSpec>, sizes: Sizes) -> Self {
        let number = |value: fn(&TrainSpec) -> Option<u64>| train.and_then(value);
        let batch_size = number(|train| train.batch_size.map(|size| size as u64));
        let steps = number(|train| train.steps).unwrap_or(0);
        Self {
            method: method.name,
            probes: match method.estimator {
                _ if !method.name.is_mezo() => 0,
                Estimator::TwoSided => 2,
                Estimator::OnePoint => 1,
            },
            estimates: method.estimates,
            steps,
            batch_size: batch_size.unwrap_or(BATCH).max(1),
            eval_every: number(|train| train.eval_every).unwrap_or(steps).max(1),
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
        let Some(EstimatesSpec {
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// 100 rows of 10 tokens to train on, 50 to choose by, 30 of 20 tokens to report on.
    const SIZES: Sizes = Sizes {
        train: part(100, 10.0),
        dev: part(50, 10.0),
        test: part(30, 20.0),
    };

    const fn part(rows: usize, mean_tokens: f64) -> Part {
        Part { rows, mean_tokens }
    }

    fn work(method: MethodConfig, batch_size: usize, sizes: Sizes) -> Work {
        let train = TrainSpec {
            seed: Some(1),
            steps: Some(10),
            batch_size: Some(batch_size),
            eval_every: Some(4),
            ..TrainSpec::default()
        };
        Work::new(&method, Some(&train), sizes)
    }

    fn named(name: MethodName) -> MethodConfig {
        MethodConfig {
            name,
            ..MethodConfig::ZERO_SHOT
        }
    }

    fn cost(steps: u64, forward_passes: u64, backward_passes: u64, tokens: u64) -> Cost {
        Cost {
            steps,
            forward_passes,
            backward_passes,
            tokens,
        }
    }

    #[test]
    fn a_step_of_mezo_is_two_passes_and_one_of_fine_tuning_goes_back_too() {
        // Dev at steps 4, 8 and 10 in 2 batches of 25, test at the last and the best in 2 batches.
        let evaluations = 3 * 2 + 2 * 2;
        let evaluated = 3 * 50 * 10 + 2 * 30 * 20;
        assert_eq!(
            work(named(MethodName::Mezo), 25, SIZES).total(),
            cost(10, 20 + evaluations, 0, 20 * 250 + evaluated)
        );
        assert_eq!(
            work(named(MethodName::Ft), 25, SIZES).total(),
            cost(10, 10 + evaluations, 10, 10 * 250 * 3 + evaluated)
        );
        let one_point = MethodConfig {
            estimator: Estimator::OnePoint,
            ..named(MethodName::Mezo)
        };
        assert_eq!(
            work(one_point, 25, SIZES).total(),
            cost(10, 10 + evaluations, 0, 10 * 250 + evaluated)
        );
    }

    #[test]
    fn batches_are_no_larger_than_the_data_and_the_last_may_be_short() {
        let tokens = |batch_size| {
            let sizes = Sizes {
                train: SIZES.train,
                ..Sizes::default()
            };
            work(named(MethodName::Mezo), batch_size, sizes)
                .total()
                .tokens
        };
        assert_eq!(tokens(1000), 20 * 1000);
        // 64 and 36 in turn.
        assert_eq!(tokens(64), 20 * 500);
    }

    #[test]
    fn estimates_multiply_passes_by_their_schedule() {
        let passes = |schedule| {
            let method = MethodConfig {
                estimates: Some(EstimatesSpec {
                    count: 4,
                    schedule,
                    scale_lr: false,
                }),
                ..named(MethodName::Mezo)
            };
            let work = work(method, 100, Sizes::default());
            (work.total().forward_passes, work.left(7).forward_passes)
        };
        assert_eq!(passes(EstimatesSchedule::Constant), (80, 24));
        // 1 1 1 1 1 2 2 2 3 3
        assert_eq!(passes(EstimatesSchedule::Linear), (34, 16));
        let step_by_step = |count: u64, steps: u64| -> u64 {
            (0..steps).map(|done| (done * count / steps).max(1)).sum()
        };
        for (count, steps) in [(1, 7), (2, 7), (3, 9), (16, 1000), (30, 8)] {
            let method = MethodConfig {
                estimates: Some(EstimatesSpec {
                    count: count as u32,
                    schedule: EstimatesSchedule::Linear,
                    scale_lr: false,
                }),
                ..named(MethodName::Mezo)
            };
            let mut work = work(method, 100, SIZES);
            work.steps = steps;
            let half = work.estimates(0, steps / 2) + work.estimates(steps / 2, steps);
            assert_eq!(
                work.estimates(0, steps),
                step_by_step(count, steps),
                "{count} {steps}"
            );
            assert_eq!(half, step_by_step(count, steps), "{count} {steps}");
        }
    }

    #[test]
    fn methods_without_steps_read_their_rows_once() {
        let without = |name| Work::new(&named(name), None, SIZES).total();
        assert_eq!(without(MethodName::ZeroShot), cost(0, 1, 0, 600));
        // 100 rows in two batches of at most 64, then dev and test.
        assert_eq!(without(MethodName::Lp), cost(0, 4, 0, 1000 + 500 + 600));
        let mezo = work(named(MethodName::Mezo), 50, SIZES).total();
        let mut after_probing = cost(0, 2, 0, 1000);
        after_probing += mezo;
        assert_eq!(
            work(named(MethodName::LpMezo), 50, SIZES).total(),
            after_probing
        );
    }

    #[test]
    fn what_is_done_and_what_is_left_are_all_of_it() {
        for name in [MethodName::Mezo, MethodName::Ft, MethodName::LpMezo] {
            let work = work(named(name), 25, SIZES);
            for done in 1..=10 {
                let mut sum = work.start();
                sum += work.between(0, done);
                sum += work.left(done);
                assert_eq!(sum, work.total(), "{name:?} {done}");
            }
        }
    }

    #[test]
    fn more_than_can_be_counted_is_as_much_as_can_be() {
        let train = TrainSpec {
            steps: Some(u64::MAX),
            batch_size: Some(1),
            eval_every: Some(1),
            ..TrainSpec::default()
        };
        let sizes = Sizes::stated("cr", usize::MAX, usize::MAX).unwrap();
        let all = Work::new(&named(MethodName::Ft), Some(&train), sizes).total();
        assert_eq!(all, cost(u64::MAX, u64::MAX, u64::MAX, u64::MAX));
    }

    #[test]
    fn nothing_is_left_of_a_run_that_went_on_for_too_long() {
        let method = MethodConfig {
            estimates: Some(EstimatesSpec {
                count: 4,
                schedule: EstimatesSchedule::Linear,
                scale_lr: false,
            }),
            ..named(MethodName::Mezo)
        };
        let work = work(method, 25, SIZES);
        assert_eq!(work.left(20), work.end());
    }

    #[test]
    fn what_sources_state_is_of_the_papers_size() {
        let sizes = Sizes::stated("glue-sst2", 512, 1000).unwrap();
        let rows = [sizes.train.rows, sizes.dev.rows, sizes.test.rows];
        assert_eq!(rows, [1024, 1024, 872]);
        assert!(Sizes::stated("sst2", 16, 1000).is_err());
    }
}
