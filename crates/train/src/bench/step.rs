//! What a step takes of time, by phases, beside the least it could take.

use std::time::Instant;

use mezo_model::{Clock, Phase, Philox, Probes};
use mezo_tasks::PackedBatch;
use serde::{Deserialize, Serialize};

use super::count::Sizes;
use super::floor::Rates;
use super::memory::peak_resident;
use super::subject::{LORA, Subject};
use super::{EPS, descend, estimates};
use crate::forward::batch;
use crate::forward::step_seed;
use crate::objective;
use mezo_spec::Objective;

/// Seconds of one step by what they went to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Phases {
    /// Making perturbed weights.
    pub noise_s: f64,
    /// Products with weights.
    pub linear_s: f64,
    /// Attention.
    pub attention_s: f64,
    /// What else the forward passes do: their time less the three above. Below zero it would show that these count too much.
    pub rest_s: f64,
    /// Moving the weights.
    pub update_s: f64,
}

/// A step's times: of each batch the median over its steps, and the mean of these over the batches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepTimes {
    /// Steps timed.
    pub steps: usize,
    /// Threads.
    pub threads: usize,
    /// Tokens of a batch.
    pub tokens: f64,
    /// Weights that are trained.
    pub trained_scalars: usize,
    /// The most bytes this process had resident after a step on every batch; none where the system does not tell.
    pub peak_bytes: Option<u64>,
    /// A step, by a clock of its own.
    pub step_s: f64,
    /// What it went to. The sum is the step but for next to nothing.
    pub phases: Phases,
    /// The floor: the multiply-adds that the losses cannot do without, at this machine's rate of products of the same sizes.
    pub floor_s: f64,
    /// The step over it.
    pub step_over_floor: f64,
    /// The floor of the formula that counts every layer on every token for both probes.
    pub naive_floor_s: f64,
    /// The step over it.
    pub step_over_naive_floor: f64,
    /// Multiply-adds that the losses cannot do without.
    pub multiply_adds: f64,
    /// Multiply-adds of the formula.
    pub naive_multiply_adds: f64,
    /// Multiply-adds a second of the step's products alone, times two: 1e9 floating-point operations a second.
    pub product_gflops: f64,
}

/// What was measured of one step.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    step_s: f64,
    phases: Phases,
    floor_s: f64,
    naive_floor_s: f64,
}

impl Phases {
    /// The seconds and what they are called.
    pub fn named(&self) -> [(&'static str, f64); 5] {
        [
            ("noise", self.noise_s),
            ("linear layers", self.linear_s),
            ("attention", self.attention_s),
            ("rest of the forward passes", self.rest_s),
            ("update", self.update_s),
        ]
    }

    /// All together.
    pub fn sum(&self) -> f64 {
        self.named().iter().map(|(_, seconds)| seconds).sum()
    }

    pub(super) fn combined(self, other: Self, with: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            noise_s: with(self.noise_s, other.noise_s),
            linear_s: with(self.linear_s, other.linear_s),
            attention_s: with(self.attention_s, other.attention_s),
            rest_s: with(self.rest_s, other.rest_s),
            update_s: with(self.update_s, other.update_s),
        }
    }
}

/// Times steps of MeZO: two probes, their losses, the update. They go through the batches in turn, after a step on each that
/// is not timed. After each step its floor is measured too, so that both meet the machine in the same mood.
pub fn time_steps(subject: &mut Subject, steps: usize) -> StepTimes {
    let sizes = Sizes::new(&subject.config, subject.tuned, LORA.rank);
    let packed: Vec<PackedBatch> = subject
        .batches
        .iter()
        .map(|examples| PackedBatch::pack(examples.iter()))
        .collect();
    let counts: Vec<_> = packed.iter().map(|packed| sizes.needed(packed)).collect();
    let naive: Vec<u64> = packed.iter().map(|packed| sizes.naive(packed)).collect();
    warm_up(subject);
    // Before the floor's products take memory of their own.
    let peak_bytes = peak_resident().ok();
    let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); packed.len()];
    for number in 0..steps {
        let at = number % packed.len();
        let (step_s, phases) = timed(subject, packed.len() + number);
        let rates = Rates::measure(&counts[at]);
        samples[at].push(Sample {
            step_s,
            phases,
            floor_s: rates.floor(&counts[at]),
            naive_floor_s: naive[at] as f64 / rates.mean(&counts[at]),
        });
    }
    let seen = steps.min(packed.len());
    let mean = |of: &dyn Fn(usize) -> f64| (0..seen).map(of).sum::<f64>() / seen as f64;
    let sample = mean_of_medians(&samples[..seen]);
    let step_s = sample.step_s;
    let multiply_adds = mean(&|at| counts[at].multiply_adds() as f64);
    StepTimes {
        steps,
        threads: rayon::current_num_threads(),
        tokens: mean(&|at| packed[at].ids.len() as f64),
        trained_scalars: subject.model.trainable_scalars(),
        peak_bytes,
        step_s,
        phases: sample.phases,
        floor_s: sample.floor_s,
        step_over_floor: step_s / sample.floor_s,
        naive_floor_s: sample.naive_floor_s,
        step_over_naive_floor: step_s / sample.naive_floor_s,
        multiply_adds,
        naive_multiply_adds: mean(&|at| naive[at] as f64),
        product_gflops: 2.0 * multiply_adds / sample.floor_s / 1e9,
    }
}

/// Seconds of a step where nothing but steps is going on: of each batch the median over its steps, and the mean of these over
/// the batches, after a step on each that is not timed.
pub fn time_bare_steps(subject: &mut Subject, steps: usize) -> f64 {
    let batches = subject.batches();
    warm_up(subject);
    let mut seconds = vec![Vec::new(); batches];
    for number in 0..steps {
        let (step_s, _) = timed(subject, batches + number);
        seconds[number % batches].push(step_s);
    }
    let seen = steps.min(batches);
    let medians = seconds
        .into_iter()
        .take(seen)
        .map(|all| median(all.into_iter()));
    medians.sum::<f64>() / seen as f64
}

/// A step on every batch.
fn warm_up(subject: &mut Subject) {
    for number in 0..subject.batches() {
        step(subject, number);
    }
}

/// A step's seconds, and what they went to.
fn timed(subject: &mut Subject, number: usize) -> (f64, Phases) {
    let start = Instant::now();
    let phases = step(subject, number);
    (start.elapsed().as_secs_f64(), phases)
}

/// One step, as training makes it, but that its update is waited for.
pub(super) fn step(subject: &mut Subject, number: usize) -> Phases {
    let examples = &subject.batches[number % subject.batches.len()];
    let seed = step_seed(0, number as u64, 0);
    let clock = Clock::default();
    let start = Instant::now();
    let packed = PackedBatch::pack(examples.iter());
    let probes = Probes::two_sided(&Philox, seed, EPS as f32).timed(&clock);
    let scores = subject
        .model
        .scores(batch(&packed), &subject.words, &probes);
    let losses = objective::losses(Objective::CrossEntropy, &scores, &packed.labels);
    let forward_s = start.elapsed().as_secs_f64();
    let slope = (losses[0] - losses[losses.len() - 1]) / (2.0 * EPS);
    let start = Instant::now();
    descend(&mut subject.model, &estimates(seed, slope));
    // On a GPU it is only asked for until here. What goes wrong there shows where its numbers are read.
    let _ = subject.model.device().sync();
    let update_s = start.elapsed().as_secs_f64();
    let [noise_s, linear_s, attention_s] = [Phase::Noise, Phase::Linear, Phase::Attention]
        .map(|phase| clock.spent(phase).as_secs_f64());
    Phases {
        noise_s,
        linear_s,
        attention_s,
        rest_s: forward_s - noise_s - linear_s - attention_s,
        update_s,
    }
}

/// Of each batch the step in the middle by time (the mean of two where there are two) and its middle floors, then the mean
/// over the batches.
fn mean_of_medians(by_batch: &[Vec<Sample>]) -> Sample {
    let mut sum = Sample::default();
    for samples in by_batch {
        let mut sorted = samples.clone();
        sorted.sort_by(|a, b| a.step_s.total_cmp(&b.step_s));
        let [low, high] = middle(&sorted);
        let middle_phases = (low.phases).combined(high.phases, |low, high| (low + high) / 2.0);
        sum.step_s += (low.step_s + high.step_s) / 2.0;
        sum.phases = sum.phases.combined(middle_phases, |a, b| a + b);
        sum.floor_s += median(samples.iter().map(|sample| sample.floor_s));
        sum.naive_floor_s += median(samples.iter().map(|sample| sample.naive_floor_s));
    }
    let batches = by_batch.len() as f64;
    Sample {
        step_s: sum.step_s / batches,
        phases: sum.phases.combined(sum.phases, |a, _| a / batches),
        floor_s: sum.floor_s / batches,
        naive_floor_s: sum.naive_floor_s / batches,
    }
}

pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let [low, high] = middle(&values);
    (low + high) / 2.0
}

/// The two in the middle of what is sorted; where their number is odd it is one twice.
fn middle<T: Copy>(sorted: &[T]) -> [T; 2] {
    let count = sorted.len();
    [sorted[(count - 1) / 2], sorted[count / 2]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Tuned;
    use crate::bench::prompts::{WORDS, prompts};
    use crate::bench::tests::small;
    use burn::tensor::Device;
    use mezo_model::Model;

    #[test]
    fn medians_of_batches_and_their_mean() {
        let sample = |noise_s, rest_s, floor_s| Sample {
            step_s: noise_s + rest_s + 0.5,
            phases: Phases {
                noise_s,
                rest_s,
                ..Phases::default()
            },
            floor_s,
            naive_floor_s: 2.0 * floor_s,
        };
        let first = vec![
            sample(1.0, 9.0, 1.0),
            sample(2.0, 1.0, 5.0),
            sample(1.0, 3.0, 3.0),
        ];
        let second = vec![sample(1.0, 1.0, 1.0), sample(3.0, 1.0, 2.0)];
        let mean = mean_of_medians(&[first, second]);
        assert_eq!(mean.step_s, (4.5 + (2.5 + 4.5) / 2.0) / 2.0);
        assert_eq!(mean.phases.noise_s, (1.0 + 2.0) / 2.0);
        assert_eq!(mean.phases.rest_s, (3.0 + 1.0) / 2.0);
        assert_eq!(mean.floor_s, (3.0 + 1.5) / 2.0);
        assert_eq!(mean.naive_floor_s, 4.5);
    }

    #[test]
    fn a_small_model_s_steps() {
        for tuned in [Tuned::Lora, Tuned::Full] {
            let config = small();
            let model = Model::random(&config, 0, &Device::flex());
            let batches = prompts(5, config.vocab_size);
            let mut subject = Subject::new(model, config, batches, WORDS.to_vec(), tuned);
            let before = subject.model.trainable_tensors();
            let times = time_steps(&mut subject, 5);
            assert_ne!(before, subject.model.trainable_tensors());
            assert!(times.phases.sum() <= times.step_s);
            assert!(times.floor_s > 0.0 && times.naive_floor_s >= times.floor_s);
            assert!(times.naive_multiply_adds > times.multiply_adds);
            assert!(
                times
                    .phases
                    .named()
                    .iter()
                    .all(|(_, seconds)| *seconds >= 0.0)
            );
            assert!(time_bare_steps(&mut subject, 3) > 0.0);
        }
    }
}
