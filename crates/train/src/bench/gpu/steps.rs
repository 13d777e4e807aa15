//! Steps of one run, as training makes them.

use mezo_model::Model;
use mezo_tasks::PackedBatch;
use serde::{Deserialize, Serialize};

use super::Bench;
use super::budget::Share;
use super::ceiling::Ceiling;
use super::estimate::{estimate, slope};
use super::memory::Memory;
use super::part::Case;
use crate::bench::count::{Count, Sizes};
use crate::bench::prompts::{WORDS, prompts};
use crate::bench::subject::{LORA, Subject};
use crate::bench::{descend, estimates};
use crate::evaluate::evaluate;

/// Steps of the run whose time is told.
pub const STEPS: u64 = 100_000;
/// Its evaluations.
pub const EVALUATIONS: u64 = 10;

/// What steps of a run alone take. What there was no time for is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alone {
    /// Tokens of a batch, the mean.
    pub tokens: f64,
    /// Scalars that are trained.
    pub trained_scalars: usize,
    /// Seconds of the very first step, in which kernels are compiled and chosen.
    pub first_step_s: f64,
    /// Steps timed, in one row.
    pub steps: usize,
    /// Seconds of a step: the median.
    pub step_s: f64,
    /// The same as a mean, with the waiting for the last update.
    pub mean_step_s: f64,
    /// Examples of an evaluation.
    pub evaluated: usize,
    /// Seconds of an evaluation.
    pub evaluation_s: Option<f64>,
    /// Seconds of a run of [`STEPS`] steps and [`EVALUATIONS`] evaluations, by the means.
    pub run_s: Option<f64>,
    /// Of the device; none where it does not tell.
    pub memory: Option<Memory>,
    /// The step's floor.
    pub ceiling: Option<Ceiling>,
}

impl Bench {
    pub(super) fn alone(&self, case: Case, share: Share) -> Alone {
        let mut subject = self.subject(case);
        self.give_back();
        let inference_bytes = self.inference_bytes(&subject);
        let first_step_s = self.once(|| step(&mut subject, 0));
        // A batch of another length may have kernels of its own. What choosing them took is given back before memory is read.
        step(&mut subject, 1);
        self.give_back();
        step(&mut subject, 2);
        step(&mut subject, 3);
        let series = self.series(share, |number| step(&mut subject, 4 + number));
        let step_bytes = self.reserved_bytes();
        let evaluation_s = (!share.is_up()).then(|| self.evaluation(&subject));
        let count = Counted::of(&subject);
        let ceiling = (!share.is_up())
            .then(|| self.ceiling(case.precision, &count.first, count.multiply_adds));
        let steps_s = STEPS as f64 * series.mean_s;
        Alone {
            tokens: count.tokens,
            trained_scalars: subject.model.trainable_scalars(),
            first_step_s,
            steps: series.steps,
            step_s: series.median_s,
            mean_step_s: series.mean_s,
            evaluated: self.scale.evaluated,
            evaluation_s,
            run_s: evaluation_s.map(|seconds| steps_s + EVALUATIONS as f64 * seconds),
            memory: inference_bytes
                .zip(step_bytes)
                .map(|(inference_bytes, step_bytes)| Memory {
                    inference_bytes,
                    step_bytes,
                }),
            ceiling,
        }
    }

    /// A new model with random weights and its two batches. Nobody else holds its weights: an update would copy them.
    pub(super) fn subject(&self, case: Case) -> Subject {
        let config = self.scale.config(case.shape).clone();
        let mut model = Model::random(&config, 0, &self.device);
        model.set_precision(case.precision);
        let batches = prompts(self.scale.sentences, config.vocab_size);
        Subject::new(model, config, batches, WORDS.to_vec(), case.tuned)
    }

    /// Seconds of an evaluation, after one that is not timed.
    fn evaluation(&self, subject: &Subject) -> f64 {
        let (half, vocabulary) = (self.scale.evaluated.div_ceil(2), subject.config.vocab_size);
        let examples = prompts(half, vocabulary).concat();
        let evaluated = || {
            evaluate(&subject.model, &examples, &subject.words, &|| {});
        };
        evaluated();
        self.once(evaluated)
    }
}

/// The multiply-adds of a subject's steps.
pub(super) struct Counted {
    /// Of the first batch.
    pub(super) first: Count,
    /// The mean over the batches.
    pub(super) multiply_adds: f64,
    /// The same.
    pub(super) tokens: f64,
}

impl Counted {
    pub(super) fn of(subject: &Subject) -> Self {
        let sizes = Sizes::new(&subject.config, subject.tuned, LORA.rank);
        let packed: Vec<PackedBatch> = subject
            .batches
            .iter()
            .map(|examples| PackedBatch::pack(examples.iter()))
            .collect();
        let mean = |of: &dyn Fn(&PackedBatch) -> f64| {
            packed.iter().map(of).sum::<f64>() / packed.len() as f64
        };
        Self {
            first: sizes.needed(&packed[0]),
            multiply_adds: mean(&|packed| sizes.needed(packed).multiply_adds() as f64),
            tokens: mean(&|packed| packed.ids.len() as f64),
        }
    }
}

/// A step as training makes it: pack, both probes' losses, update.
fn step(subject: &mut Subject, number: usize) {
    let found = estimate(subject, number);
    descend(&mut subject.model, &estimates(found.seed, slope(&found)));
}
