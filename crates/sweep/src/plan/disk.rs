//! The room that a run's files take once it is finished.

use mezo_run::{METRICS, RunPlan};

/// A manifest, a result and what an attempt writes.
const FIXED: u64 = 3500;
/// A line of the journal without its estimates.
const STEP: u64 = 45;
/// An estimate in it, or a step's own loss.
const ESTIMATE: u64 = 125;
/// A line of the evaluations.
const EVAL: u64 = 95;
/// The newest two snapshots and the best one.
const SNAPSHOTS: u64 = 3;
/// A snapshot's header, for each of its tensors a line; most of it is the numbers.
const HEADER: u64 = 1000;

/// Roughly how many bytes a run's files take once it is finished. While it trains, a snapshot holds the optimiser's averages
/// as well, where there are any.
pub fn disk_bytes(plan: &RunPlan) -> u64 {
    let method = &plan.config.method;
    let Some(train) = method.training() else {
        return FIXED + 2 * METRICS.len() as u64 * EVAL;
    };
    let steps = train.steps;
    let estimates = method.mezo().and_then(|mezo| mezo.estimates.as_ref());
    let estimates = estimates.map_or(1, |estimates| u64::from(estimates.count));
    let evaluations = steps.div_ceil(train.eval_every.max(1));
    let trained = plan.manifest.trainable_parameters.unwrap_or_default();
    let snapshot = HEADER.saturating_add(trained.saturating_mul(4));
    let parts = [
        FIXED,
        steps.saturating_mul(STEP + ESTIMATE.saturating_mul(estimates)),
        (evaluations + 2).saturating_mul(METRICS.len() as u64 * EVAL),
        snapshot.saturating_mul(evaluations.min(SNAPSHOTS)),
    ];
    parts.into_iter().fold(0, u64::saturating_add)
}
