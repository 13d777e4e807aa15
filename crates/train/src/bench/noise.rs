//! How fast noise is made, put to use in a forward pass, and put to use in an update.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

use burn::tensor::Device;
use mezo_model::{Clock, Model, Noise, Phase, Philox, Probe, Probes, RobertaConfig, Tuning};
use mezo_tasks::{Example, PackedBatch};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::prompts::{WORDS, prompts};
use super::step::median;
use super::{EPS, Shape, descend, estimates};
use crate::forward::batch;

/// Times that each measurement is made, after once that does not count.
const ROUNDS: usize = 9;
/// Normals that a thread makes between two looks for other work.
const SHARE: usize = 1 << 16;
/// Normals made at a time, as many as the update makes: they stay in a thread's nearest cache.
const BUFFER: usize = 256;

/// They lie as the update's do, on a cache line's bound.
#[repr(align(64))]
struct Buffer([f32; BUFFER]);

/// What noise takes, by medians of several rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NoiseTimes {
    /// Threads.
    pub threads: usize,
    /// Trained weights of the model.
    pub scalars: usize,
    /// Making as many normals without writing them to memory.
    pub generate_s: f64,
    /// Moving every weight along its normal, in place.
    pub update_s: f64,
    /// The update over the making alone.
    pub update_over_generate: f64,
    /// Weights that a forward pass makes a perturbed copy of.
    pub perturbed_scalars: usize,
    /// Making them: `theta + c z`, written to memory of its own.
    pub perturb_s: f64,
}

impl NoiseTimes {
    /// Normals made a second without writing them.
    pub fn generated_per_second(&self) -> f64 {
        self.scalars as f64 / self.generate_s
    }

    /// Normals made and added to weights a second, by the update.
    pub fn updated_per_second(&self) -> f64 {
        self.scalars as f64 / self.update_s
    }

    /// Normals made and added to copies of weights a second, by the forward pass.
    pub fn perturbed_per_second(&self) -> f64 {
        self.perturbed_scalars as f64 / self.perturb_s
    }
}

/// Times the noise of RoBERTa-base's weights, all of them trained.
pub fn time_noise() -> NoiseTimes {
    time_noise_of(&Shape::Base.config(), ROUNDS)
}

fn time_noise_of(config: &RobertaConfig, rounds: usize) -> NoiseTimes {
    let mut model = Model::random(config, 0, &Device::flex());
    model.train_only(Tuning::Full, false);
    let scalars = model.trainable_scalars();
    // One sentence: its products are nothing beside the noise of the weights.
    let examples = &prompts(1, config.vocab_size)[0];
    let mut seconds = [const { Vec::new() }; 3];
    for round in 0..=rounds {
        let times = [
            generate(scalars, round as u64),
            update(&mut model, round as u64),
            perturb(&model, examples, round as u64),
        ];
        if round > 0 {
            for (all, time) in seconds.iter_mut().zip(times) {
                all.push(time);
            }
        }
    }
    let [generate_s, update_s, perturb_s] = seconds.map(|all| median(all.into_iter()));
    NoiseTimes {
        threads: rayon::current_num_threads(),
        scalars,
        generate_s,
        update_s,
        update_over_generate: update_s / generate_s,
        perturbed_scalars: perturbed(config, scalars, examples),
        perturb_s,
    }
}

/// Seconds of making normals that nobody keeps.
fn generate(scalars: usize, seed: u64) -> f64 {
    let start = Instant::now();
    (0..scalars.div_ceil(SHARE))
        .into_par_iter()
        .for_each(|share| {
            let mut room = Buffer([0.0; BUFFER]);
            let end = scalars.min((share + 1) * SHARE);
            for first in (share * SHARE..end).step_by(BUFFER) {
                let z = &mut room.0[..BUFFER.min(end - first)];
                Philox.fill(seed, 0, first, z);
                black_box(&z);
            }
        });
    start.elapsed().as_secs_f64()
}

fn update(model: &mut Model, seed: u64) -> f64 {
    let start = Instant::now();
    descend(model, &estimates(seed, 1.0));
    start.elapsed().as_secs_f64()
}

/// Seconds that a forward pass with one probe spends on perturbed weights.
fn perturb(model: &Model, examples: &[Example], seed: u64) -> f64 {
    let packed = PackedBatch::pack(examples.iter());
    let clock = Clock::default();
    let probe = Probe {
        seed,
        scale: EPS as f32,
    };
    let probes = Probes::new(&Philox, vec![probe]).timed(&clock);
    black_box(model.scores(batch(&packed), &WORDS, &probes));
    clock.spent(Phase::Noise).as_secs_f64()
}

/// Weights that a pass over the examples perturbs: all but the rows of tables that it does not read.
fn perturbed(config: &RobertaConfig, scalars: usize, examples: &[Example]) -> usize {
    let words: BTreeSet<u32> = examples.iter().flat_map(|it| it.ids.clone()).collect();
    let longest = examples.iter().map(|it| it.ids.len()).max().unwrap_or(0);
    let kinds = config.type_vocab_size;
    let unread = config.vocab_size + config.max_position_embeddings + kinds;
    // The label words' rows are read once more as the decoder's, and their biases for all the words'.
    let read = words.len() + longest + 1 + WORDS.len();
    scalars + read * config.hidden_size + WORDS.len()
        - unread * config.hidden_size
        - config.vocab_size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::tests::small;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn noise_of_a_small_model() {
        let config = small();
        let times = time_noise_of(&config, 2);
        let seconds = [times.generate_s, times.update_s, times.perturb_s];
        assert!(seconds.into_iter().all(|seconds| seconds > 0.0));
        // A pass leaves most rows of the word table as they are.
        assert!(times.perturbed_scalars < times.scalars);
    }

    /// Counts the normals that are asked for.
    struct Counter(AtomicUsize);

    impl Noise for Counter {
        fn fill(&self, seed: u64, parameter: usize, first: usize, out: &mut [f32]) {
            self.0.fetch_add(out.len(), Ordering::Relaxed);
            Philox.fill(seed, parameter, first, out);
        }
    }

    #[test]
    fn perturbed_weights_are_counted_as_a_pass_makes_them() {
        let config = small();
        let mut model = Model::random(&config, 0, &Device::flex());
        model.train_only(Tuning::Full, false);
        let examples = &prompts(3, config.vocab_size)[0];
        let counter = Counter(AtomicUsize::new(0));
        let probe = Probe {
            seed: 0,
            scale: 1.0,
        };
        let packed = PackedBatch::pack(examples.iter());
        model.scores(batch(&packed), &WORDS, &Probes::new(&counter, vec![probe]));
        let counted = perturbed(&config, model.trainable_scalars(), examples);
        assert_eq!(counted, counter.0.into_inner());
    }
}
