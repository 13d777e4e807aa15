//! Forward passes at perturbed copies of the parameters.

use mezo_model::{Batch, Model, Noise, Probe, Probes, Scores, philox_words};
use mezo_run::Estimate;
use mezo_spec::Objective;
use mezo_tasks::PackedBatch;

use crate::objective;

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

/// The copies of the parameters that one forward pass scores: for each sign `s` the copy `theta + s eps z`.
pub(crate) type Signs = &'static [f64];

/// Both sides of the parameters.
pub(crate) const BOTH: Signs = &[1.0, -1.0];
/// One side of them.
pub(crate) const PLUS: Signs = &[1.0];

/// A forward pass that a step asks for: a batch, and the copies that it is scored with.
#[derive(Debug)]
pub(crate) struct ForwardRequest {
    pub(crate) packed: PackedBatch,
    /// The seed of `z`.
    pub(crate) seed: u64,
    pub(crate) signs: Signs,
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

impl<'a> Measure<'a> {
    /// From the losses on both sides of the parameters along `z(seed)` (definition 1).
    pub fn two_sided(
        &self,
        model: &Model,
        packed: &PackedBatch,
        words: &[usize],
        seed: u64,
    ) -> Estimate {
        let scores = model.scores(batch(packed), words, &self.probes(seed, BOTH));
        let [plus, minus] = both(&self.losses(&scores, packed));
        Estimate::two_sided(seed, plus, minus, self.eps)
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
        let scores = model.scores(batch(packed), words, &self.probes(seed, PLUS));
        self.losses(&scores, packed)[0]
    }

    /// The probes of a pass.
    pub(crate) fn probes(&self, seed: u64, signs: Signs) -> Probes<'a> {
        let probe = |sign: &f64| Probe {
            seed,
            scale: (sign * self.eps) as f32,
        };
        let probes = Probes::new(self.noise, signs.iter().map(probe).collect());
        match self.factors {
            Some(factors) => probes.with_parameter_scales(factors),
            None => probes,
        }
    }

    /// What a pass found: a loss for each of its copies.
    pub(crate) fn losses(&self, scores: &Scores, packed: &PackedBatch) -> Vec<f64> {
        objective::losses(self.objective, scores, &packed.labels)
    }
}

/// The losses of a pass on both sides. Where the probes move nothing of the model, the one copy that came out is both.
pub(crate) fn both(losses: &[f64]) -> [f64; 2] {
    [losses[0], *losses.get(1).unwrap_or(&losses[0])]
}

/// A packed batch as the model takes it.
pub(crate) fn batch(packed: &PackedBatch) -> Batch<'_> {
    Batch {
        ids: &packed.ids,
        starts: &packed.starts,
        asked: &packed.asked,
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
}
