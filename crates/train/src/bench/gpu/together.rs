//! Steps of several LoRA runs in one pass.

use mezo_model::{Model, Part, Philox, Probes, Tuning, scores_batched};
use mezo_tasks::{Example, PackedBatch};
use serde::{Deserialize, Serialize};

use super::Bench;
use super::budget::Share;
use super::ceiling::Ceiling;
use super::part::{Case, Group};
use super::steps::Counted;
use crate::bench::prompts::{WORDS, prompts};
use crate::bench::subject::LORA;
use crate::bench::{EPS, LR, Tuned, descend_by, estimates};
use crate::forward::batch;
use crate::forward::step_seed;
use crate::objective;
use mezo_spec::Objective;

/// What a step of several runs takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Together {
    /// Tokens of all runs' batches, the mean.
    pub tokens: f64,
    /// Seconds of the very first step, in which kernels are compiled and chosen.
    pub first_step_s: f64,
    /// Steps timed, in one row.
    pub steps: usize,
    /// Seconds of a step of all: the median.
    pub step_s: f64,
    /// The same as a mean, with the waiting for the last update.
    pub mean_step_s: f64,
    /// Steps a second, those of all runs counted.
    pub run_steps_per_s: f64,
    /// What the device's memory pools hold after the steps, in bytes; none where it does not tell.
    pub reserved_bytes: Option<u64>,
    /// The floor of a step of all; none where there was no time for it.
    pub ceiling: Option<Ceiling>,
}

/// A run of several.
pub(super) struct BatchedRun {
    /// A clone of the one model that all share, with trained weights of its own.
    pub(super) model: Model,
    /// Its number, which its seeds are drawn by.
    pub(super) run: usize,
}

impl BatchedRun {
    /// A step of all: one pass, then each run's update. Gives each run's losses.
    pub(super) fn step(
        batched: &mut [Self],
        packed: &[PackedBatch],
        words: &[usize],
        step: usize,
        (lr, eps): (f64, f64),
    ) -> Vec<Vec<f64>> {
        let seeds: Vec<u64> = batched
            .iter()
            .map(|run| step_seed(run.run as u64, step as u64, 0))
            .collect();
        let parts: Vec<Part<'_>> = batched
            .iter()
            .zip(packed)
            .zip(&seeds)
            .map(|((run, packed), &seed)| Part {
                model: &run.model,
                batch: batch(packed),
                probes: Probes::two_sided(&Philox, seed, eps as f32),
            })
            .collect();
        let scores = scores_batched(&parts, words);
        drop(parts);
        let losses: Vec<Vec<f64>> = scores
            .iter()
            .zip(packed)
            .map(|(scores, packed)| {
                objective::losses(Objective::CrossEntropy, scores, &packed.labels)
            })
            .collect();
        for ((run, losses), seed) in batched.iter_mut().zip(&losses).zip(seeds) {
            let slope = (losses[0] - losses[losses.len() - 1]) / (2.0 * eps);
            descend_by(&mut run.model, &estimates(seed, slope), lr);
        }
        losses
    }
}

impl Bench {
    pub(super) fn together(&self, group: Group, share: Share) -> Together {
        let Group {
            shape,
            precision,
            runs,
        } = group;
        let case = Case {
            shape,
            tuned: Tuned::Lora,
            precision,
        };
        let subject = self.subject(case);
        self.give_back();
        let mut batched: Vec<BatchedRun> = (0..runs)
            .map(|run| {
                let mut model = subject.model.clone();
                model.attach_lora(LORA, run as u64);
                model.train_only(Tuning::Lora, false);
                BatchedRun { model, run }
            })
            .collect();
        let sentences = self.scale.sentences;
        // Two for each run, no sentence twice.
        let all = prompts(sentences * runs, subject.config.vocab_size).concat();
        let batches: Vec<&[Example]> = all.chunks(sentences).collect();
        let mut step = |number: usize| {
            let packed: Vec<PackedBatch> = (0..runs)
                .map(|run| batches[(run + number) % batches.len()])
                .map(|examples| PackedBatch::pack(examples.iter()))
                .collect();
            BatchedRun::step(&mut batched, &packed, &WORDS, number, (LR, EPS));
        };
        let first_step_s = self.once(|| step(0));
        step(1);
        self.give_back();
        step(2);
        step(3);
        let series = self.series(share, |number| step(4 + number));
        let reserved_bytes = self.reserved_bytes();
        let count = Counted::of(&subject);
        let ceiling = (!share.is_up()).then(|| {
            let multiply_adds = runs as f64 * count.multiply_adds;
            self.ceiling(precision, &count.first.together(runs), multiply_adds)
        });
        Together {
            tokens: runs as f64 * count.tokens,
            first_step_s,
            steps: series.steps,
            step_s: series.median_s,
            mean_step_s: series.mean_s,
            run_steps_per_s: runs as f64 / series.mean_s,
            reserved_bytes,
            ceiling,
        }
    }
}
