//! The estimate of a subject's step.

use mezo_model::Philox;
use mezo_tasks::PackedBatch;

use crate::bench::EPS;
use crate::bench::subject::Subject;
use crate::forward::{Measure, step_seed};
use mezo_run::Estimate;
use mezo_spec::Objective;

/// Packs the batch whose turn it is and measures both probes' losses along a seed of its own.
pub(super) fn estimate(subject: &Subject, number: usize) -> Estimate {
    let measure = Measure {
        noise: &Philox,
        eps: EPS,
        objective: Objective::CrossEntropy,
        factors: None,
    };
    let examples = &subject.batches[number % subject.batches.len()];
    let packed = PackedBatch::pack(examples.iter());
    let seed = step_seed(0, number as u64, 0);
    measure.two_sided(&subject.model, &packed, &subject.words, seed)
}

/// The projected gradient; no number where a loss is none.
pub(super) fn slope(found: &Estimate) -> f64 {
    found.projected_grad.unwrap_or(f64::NAN)
}
