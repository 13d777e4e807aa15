//! Gradients estimated from losses (Malladi et al., 2023): forward passes at perturbed parameters, and what they say of
//! the step.

use mezo_model::{Model, Noise, Probe, Probes, Scores, Term, philox_words};
use mezo_spec::{Estimates, EstimatesSchedule, Objective};
use mezo_tasks::PackedBatch;

use crate::materials::batch;
use crate::objective;
use mezo_run::{Estimate, Step};

/// The counter word that marks the seeds of steps.
const STEP_SEED: u32 = 2;

/// The seed of the noise of a step's estimate: 53 bits, so that every reader of JSON holds it exactly.
pub fn step_seed(run_seed: u64, step: u64, estimate: u32) -> u64 {
    let [low, high, ..] = philox_words(
        [step as u32, (step >> 32) as u32, estimate, STEP_SEED],
        run_seed,
    );
    (u64::from(high) << 32 | u64::from(low)) >> 11
}

/// How losses at perturbed parameters are measured.
#[derive(Clone, Copy)]
pub struct Measure<'a> {
    /// Where `z` comes from.
    pub noise: &'a dyn Noise,
    /// Scale of the perturbation.
    pub eps: f64,
    /// What is measured.
    pub objective: Objective,
    /// A factor on the perturbation of each trained tensor.
    pub factors: Option<&'a [f32]>,
}

/// From which sides of the parameters a batch is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sides {
    /// From `theta + eps z` and `theta - eps z`.
    Both,
    /// From `theta + eps z` alone.
    Plus,
}

/// A forward pass that a step asks for: a batch, and from where it is looked at.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) packed: PackedBatch,
    /// The seed of the noise.
    pub(crate) seed: u64,
    pub(crate) sides: Sides,
}

impl<'a> Measure<'a> {
    /// From the losses on both sides of the parameters along `z(seed)` (definition 1).
    pub fn two_sided(
        &self,
        model: &Model,
        packed: &PackedBatch,
        words: &[usize],
        seed: u64,
    ) -> Estimate {
        let scores = model.scores(batch(packed), words, &self.probes(seed, Sides::Both));
        self.between(seed, &self.losses(&scores, packed))
    }

    /// The loss on one side, at `theta + eps z(seed)`; with the one of the step before it makes an estimate
    /// (definition 8).
    pub fn one_sided(
        &self,
        model: &Model,
        packed: &PackedBatch,
        words: &[usize],
        seed: u64,
    ) -> f64 {
        let scores = model.scores(batch(packed), words, &self.probes(seed, Sides::Plus));
        self.losses(&scores, packed)[0]
    }

    /// The probes of a pass.
    pub(crate) fn probes(&self, seed: u64, sides: Sides) -> Probes<'a> {
        let probe = |scale: f64| Probe {
            seed,
            scale: scale as f32,
        };
        let probes = match sides {
            Sides::Both => vec![probe(self.eps), probe(-self.eps)],
            Sides::Plus => vec![probe(self.eps)],
        };
        let probes = Probes::new(self.noise, probes);
        match self.factors {
            Some(factors) => probes.with_parameter_scales(factors),
            None => probes,
        }
    }

    /// What a pass found: a loss for each of its probes.
    pub(crate) fn losses(&self, scores: &Scores, packed: &PackedBatch) -> Vec<f64> {
        objective::losses(self.objective, scores, &packed.labels)
    }

    /// The estimate of the losses on both sides.
    pub(crate) fn between(&self, seed: u64, losses: &[f64]) -> Estimate {
        // With nothing between the probes that they move, both sides are the one plane that came out.
        let minus = losses.get(1).unwrap_or(&losses[0]);
        Estimate::two_sided(seed, losses[0], *minus, self.eps)
    }
}

/// The directions of a step's update, whose sum is the mean of its estimates.
pub fn terms(line: &Step) -> Vec<Term> {
    let count = line.estimates.len() as f64;
    let term = |estimate: &Estimate| {
        Some(Term {
            seed: estimate.seed,
            coefficient: estimate.projected_grad? / count,
        })
    };
    line.estimates.iter().filter_map(term).collect()
}

/// How many estimates each step makes, and which batches they see.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    spec: Estimates,
    steps: u64,
    /// How many estimates were made before each step, where every estimate sees a batch of its own and their number
    /// changes.
    before: Vec<u64>,
    own_batches: bool,
}

impl Counts {
    /// For a run of `steps`. With `own_batches` each estimate sees a new batch (algorithm 2), else all of a step see one
    /// (trainer.py:595-660).
    pub(crate) fn new(estimates: Option<&Estimates>, steps: u64, own_batches: bool) -> Self {
        let one = Estimates {
            count: 1,
            schedule: EstimatesSchedule::Constant,
            scale_lr: false,
        };
        let mut counts = Self {
            spec: estimates.cloned().unwrap_or(one),
            steps,
            before: Vec::new(),
            own_batches,
        };
        if own_batches && counts.spec.schedule == EstimatesSchedule::Linear {
            let mut sum = 0;
            for step in 1..=steps {
                counts.before.push(sum);
                sum += u64::from(counts.at(step));
            }
        }
        counts
    }

    /// The estimates of a step, counted from 1; linear as in trainer.py:387-398.
    pub(crate) fn at(&self, step: u64) -> u32 {
        let count = self.spec.count;
        match self.spec.schedule {
            EstimatesSchedule::Constant => count,
            EstimatesSchedule::Linear => {
                let share = u128::from(step - 1) * u128::from(count) / u128::from(self.steps);
                // Less than `count`, which is a u32.
                (share as u32).max(1)
            }
        }
    }

    /// The number of the batch that an estimate of a step sees, counted from 0.
    pub(crate) fn batch(&self, step: u64, estimate: u32) -> u64 {
        if !self.own_batches {
            return step - 1;
        }
        let before = match self.before.get(step as usize - 1) {
            Some(&before) => before,
            None => (step - 1) * u64::from(self.spec.count),
        };
        before + u64::from(estimate)
    }

    /// What the learning rate of a step is multiplied by: the number of its estimates, where the spec says so (Table 6).
    pub(crate) fn lr_factor(&self, step: u64) -> f64 {
        match self.spec.scale_lr {
            true => f64::from(self.at(step)),
            false => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn seeds_of_steps_differ_and_fit_a_double() {
        let mut seen = BTreeSet::new();
        for run in [0, 13, 21, u64::from(u32::MAX)] {
            for step in (0..500).chain([u64::from(u32::MAX) + 1]) {
                for estimate in 0..2 {
                    let seed = step_seed(run, step, estimate);
                    assert!(seed < 1 << 53);
                    assert!(
                        seen.insert(seed),
                        "run {run} step {step} estimate {estimate}"
                    );
                }
            }
        }
    }

    fn counts(schedule: EstimatesSchedule, own_batches: bool) -> Counts {
        let estimates = Estimates {
            count: 4,
            schedule,
            scale_lr: false,
        };
        Counts::new(Some(&estimates), 8, own_batches)
    }

    #[test]
    fn estimates_grow_as_the_reference_has_it() {
        let linear = counts(EstimatesSchedule::Linear, true);
        let at: Vec<u32> = (1..=8).map(|step| linear.at(step)).collect();
        assert_eq!(at, [1, 1, 1, 1, 2, 2, 3, 3]);
        let constant = counts(EstimatesSchedule::Constant, true);
        assert!((1..=8).all(|step| constant.at(step) == 4));
    }

    #[test]
    fn no_batch_is_left_out_or_seen_twice() {
        for schedule in [EstimatesSchedule::Linear, EstimatesSchedule::Constant] {
            let own = counts(schedule, true);
            let seen: Vec<u64> = (1..=8)
                .flat_map(|step| (0..own.at(step)).map(move |estimate| (step, estimate)))
                .map(|(step, estimate)| own.batch(step, estimate))
                .collect();
            assert!(seen.iter().copied().eq(0..seen.len() as u64), "{seen:?}");
            let shared = counts(schedule, false);
            assert_eq!([shared.batch(5, 0), shared.batch(5, 1)], [4, 4]);
        }
    }
}
