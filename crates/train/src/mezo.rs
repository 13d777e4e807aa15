//! One step of MeZO (Malladi et al., 2023, algorithm 1): two forward passes, one update.

use mezo_model::{
    Decay, DecayOn, Estimates, Noise, Optimizer, Philox, Probes, Roberta, Rule, Term, philox_words,
};
use mezo_tasks::PackedBatch;

use crate::journal::{Estimate, Step};
use crate::materials::batch;
use crate::training::Training;

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

/// The losses on both sides of the parameters along `z(seed)`.
pub fn estimate(
    model: &Roberta,
    noise: &dyn Noise,
    packed: &PackedBatch,
    words: &[usize],
    seed: u64,
    eps: f64,
) -> Estimate {
    let probes = Probes::two_sided(noise, seed, eps as f32);
    let losses = model
        .scores(batch(packed), words, &probes)
        .losses(&packed.labels);
    // With nothing between the probes that they move, both sides are the one plane that came out.
    let minus = losses.get(1).unwrap_or(&losses[0]);
    Estimate::new(seed, losses[0], *minus, eps)
}

/// Measures a step: the line of the journal, which says all that the update needs.
pub(crate) fn measure(
    model: &Roberta,
    train: &Training,
    step: u64,
    packed: &PackedBatch,
    words: &[usize],
) -> Step {
    let seed = step_seed(train.seed, step, 0);
    Step::new(
        step,
        train.lr(step),
        vec![estimate(model, &Philox, packed, words, seed, train.eps)],
    )
}

/// Applies a line of the journal: `theta <- theta - lr (g z + wd theta)` on every trained tensor (trainer.py:717-724).
pub fn apply(model: &mut Roberta, noise: &dyn Noise, step: &Step, weight_decay: f64) {
    let count = step.estimates.len() as f64;
    let terms = step
        .estimates
        .iter()
        .filter_map(|estimate| {
            Some(Term {
                seed: estimate.seed,
                coefficient: estimate.projected_grad? / count,
            })
        })
        .collect();
    let gradient = Estimates {
        noise,
        terms,
        factors: None,
    };
    let decay = Decay {
        rate: weight_decay,
        on: DecayOn::All,
    };
    Optimizer::new(Rule::Sgd { momentum: 0.0 }, decay).update(model, &gradient, step.lr);
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
