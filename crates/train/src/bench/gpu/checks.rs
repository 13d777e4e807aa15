//! The device's numbers against the CPU's, and those of runs together against those of each alone.

use burn::tensor::Device;
use mezo_model::{
    Model, Noise, Philox, Precision, PrefixConfig, PrefixInit, Probes, Tuning, device,
};
use mezo_tasks::PackedBatch;
use serde::{Deserialize, Serialize};

use super::Bench;
use super::DEFAULT_PRECISION;
use super::part::Trained;
use super::together::BatchedRun;
use crate::bench::subject::{LORA, Untuned};
use crate::bench::{descend_by, estimates};
use crate::error::TrainError;
use crate::forward::batch;
use crate::forward::{Measure, step_seed};
use mezo_spec::Objective;

/// The seed of the compared normals and the number of their tensor.
const NORMALS: (u64, usize) = (87, 3);
/// Steps whose losses must agree. Later ones may drift apart: each step multiplies what the ones before it left.
const FIRST: usize = 10;
/// Of scores and of losses, where products read fewer bits: several times what their rounding does.
const COARSE_SCORES: f64 = 1e-1;
const COARSE_LOSSES: f64 = 1e-2;
/// As many keys and values as the paper's prefixes have.
const PREFIX: PrefixConfig = PrefixConfig {
    tokens: 5,
    init: PrefixInit::Activations,
};

/// Numbers that were compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Which.
    pub what: String,
    /// The largest difference between two of them; not a number where one of them is none.
    pub difference: f64,
    /// The most that it may be, where something depends on it.
    pub tolerance: Option<f64>,
    /// Whether it is no more.
    pub passed: Option<bool>,
}

impl Check {
    pub(super) fn new(what: String, difference: f64, tolerance: Option<f64>) -> Self {
        Self {
            what,
            difference,
            tolerance,
            passed: tolerance.map(|tolerance| difference <= tolerance),
        }
    }
}

impl Trained {
    fn words(self) -> &'static str {
        match self {
            Self::Lora => "LoRA",
            Self::Full => "all weights",
            Self::Prefix => "prefix",
        }
    }

    /// Marks what is trained, drawn by the seed where it is new.
    fn mark(self, model: &mut Model, seed: u64) {
        let tuning = match self {
            Self::Full => Tuning::Full,
            Self::Lora => {
                model.attach_lora(LORA, seed);
                Tuning::Lora
            }
            Self::Prefix => {
                model.attach_prefix(PREFIX, seed);
                Tuning::Prefix
            }
        };
        model.train_only(tuning, false);
    }

    /// Learning rate and scale of the perturbation with which the built-in model learns.
    fn rates(self) -> (f64, f64) {
        match self {
            Self::Lora => (1e-3, 1e-3),
            Self::Full => (1e-4, 1e-3),
            Self::Prefix => (1e-2, 1e-1),
        }
    }
}

impl Bench {
    pub(super) fn normals(&self) -> Vec<Check> {
        let (seed, parameter) = NORMALS;
        let mut expected = vec![0.0; self.scale.normals];
        Philox.fill(seed, parameter, 0, &mut expected);
        let made = device::perturbed_on(&self.device, seed, parameter, expected.len());
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
        let difference = largest_difference(&wide(&made), &wide(&expected));
        let what = format!("{} normals", expected.len());
        let tolerance = Some(self.tolerances.normals);
        vec![Check::new(what, difference, tolerance)]
    }

    pub(super) fn scores(&self) -> Result<Vec<Check>, TrainError> {
        let here = self.builtin(&Device::flex())?;
        let mut there = self.builtin(&self.device)?;
        let expected = scores(&here);
        let mut check = |precision: Precision| {
            there.model.set_precision(precision);
            let difference = largest_difference(&scores(&there), &expected);
            let what = format!(
                "scores of {} prompts, built-in model, {precision}",
                self.scale.sentences
            );
            let tolerance = match precision {
                Precision::F32 => self.tolerances.scores,
                _ => COARSE_SCORES,
            };
            Check::new(what, difference, Some(tolerance))
        };
        Ok(Precision::ALL.map(&mut check).into())
    }

    pub(super) fn losses(&self, trained: Trained) -> Result<Vec<Check>, TrainError> {
        let steps = self.scale.compared_steps;
        let run = |device: &Device| -> Result<Vec<f64>, TrainError> {
            let start = self.builtin(device)?;
            Ok(losses(&start, start.model.clone(), trained, 0, steps))
        };
        let (here, there) = (run(&Device::flex())?, run(&self.device)?);
        let check = |steps: usize, tolerance| {
            // Two of each step.
            let first = |losses: &[f64]| losses[..losses.len().min(2 * steps)].to_vec();
            let difference = largest_difference(&first(&there), &first(&here));
            let what = format!(
                "losses of {steps} steps, built-in model, {}",
                trained.words()
            );
            Check::new(what, difference, tolerance)
        };
        Ok(vec![
            check(FIRST.min(steps), Some(self.tolerances.losses)),
            check(steps, None),
        ])
    }

    pub(super) fn batched(&self) -> Result<Vec<Check>, TrainError> {
        let mut start = self.builtin(&self.device)?;
        let mut check = |precision, tolerance| {
            start.model.set_precision(precision);
            let runs = self.scale.compared_runs;
            let alone = |run| losses(&start, start.model.clone(), Trained::Lora, run, FIRST);
            let alone: Vec<f64> = (0..runs).flat_map(alone).collect();
            let together = losses_together(&start, runs, FIRST);
            let what = format!(
                "losses of {FIRST} steps, {runs} LoRA runs together and each alone, {precision}"
            );
            Check::new(what, largest_difference(&together, &alone), Some(tolerance))
        };
        Ok(vec![
            check(Precision::F32, self.tolerances.losses),
            // Sums in another order, and with them numbers that are rounded to the other side.
            check(DEFAULT_PRECISION, COARSE_LOSSES),
        ])
    }

    pub(super) fn builtin(&self, device: &Device) -> Result<Untuned, TrainError> {
        Untuned::builtin(self.scale.sentences, device)
    }
}

/// The scores of the first batch at the parameters as they are.
fn scores(of: &Untuned) -> Vec<f64> {
    let packed = PackedBatch::pack(of.batches[0].iter());
    let still = Probes::unperturbed();
    let scores = of.model.scores(batch(&packed), &of.words, &still);
    (0..scores.rows)
        .flat_map(|row| scores.row(0, row).to_vec())
        .collect()
}

/// The batch of a run's step: each run begins with another.
fn batch_of(start: &Untuned, run: usize, step: usize) -> usize {
    (run + step) % start.batches.len()
}

/// The losses of a run's first steps: each step's on both sides.
fn losses(
    start: &Untuned,
    mut model: Model,
    trained: Trained,
    run: usize,
    steps: usize,
) -> Vec<f64> {
    trained.mark(&mut model, run as u64);
    let (lr, eps) = trained.rates();
    let measure = Measure {
        noise: &Philox,
        eps,
        objective: Objective::CrossEntropy,
        factors: None,
    };
    let mut losses = Vec::new();
    for step in 0..steps {
        let examples = &start.batches[batch_of(start, run, step)];
        let packed = PackedBatch::pack(examples.iter());
        let seed = step_seed(run as u64, step as u64, 0);
        let found = measure.two_sided(&model, &packed, &start.words, seed);
        losses.extend([found.loss_plus, found.loss_minus].map(|loss| loss.unwrap_or(f64::NAN)));
        let slope = found.projected_grad.unwrap_or(f64::NAN);
        descend_by(&mut model, &estimates(seed, slope), lr);
    }
    losses
}

/// The same of LoRA runs that are trained together, one run after another.
fn losses_together(start: &Untuned, runs: usize, steps: usize) -> Vec<f64> {
    let mut batched: Vec<BatchedRun> = (0..runs)
        .map(|run| {
            let mut model = start.model.clone();
            Trained::Lora.mark(&mut model, run as u64);
            BatchedRun { model, run }
        })
        .collect();
    let mut together = vec![Vec::new(); runs];
    for step in 0..steps {
        let examples = (0..runs).map(|run| &start.batches[batch_of(start, run, step)]);
        let packed: Vec<PackedBatch> = examples
            .map(|examples| PackedBatch::pack(examples.iter()))
            .collect();
        let found = BatchedRun::step(
            &mut batched,
            &packed,
            &start.words,
            step,
            Trained::Lora.rates(),
        );
        for (all, losses) in together.iter_mut().zip(found) {
            all.extend(losses);
        }
    }
    together.concat()
}

/// The largest difference between two numbers at the same place; not a number where there is one that is none, or where one
/// has more of them.
pub(super) fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::NAN;
    }
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    // `f64::max` would pass over what is no number.
    differences.fold(0.0, |largest, difference| {
        if largest.is_nan() || difference <= largest {
            largest
        } else {
            difference
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_never_passes() {
        assert_eq!(largest_difference(&[1.0, 2.0], &[1.5, 1.0]), 1.0);
        assert_eq!(largest_difference(&[], &[]), 0.0);
        for (a, b) in [([f64::NAN, 1.0], [1.0, 1.0]), ([1.0, f64::NAN], [1.0, 1.0])] {
            let difference = largest_difference(&a, &b);
            assert!(difference.is_nan());
            let check = Check::new("numbers".into(), difference, Some(1.0));
            assert_eq!(check.passed, Some(false));
        }
        assert!(largest_difference(&[1.0], &[]).is_nan());
        assert_eq!(Check::new("numbers".into(), 9.0, None).passed, None);
    }
}
