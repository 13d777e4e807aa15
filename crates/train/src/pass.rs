//! Forward passes that several runs make together.

use mezo_model::{Model, Part, scores_batched};

use crate::forward::batch;
use crate::forward::{ForwardRequest, Measure};

/// What one run asks of a pass, with all that it is scored with.
pub(crate) struct Share<'a> {
    pub(crate) model: &'a Model,
    pub(crate) measure: Measure<'a>,
    pub(crate) words: &'a [usize],
    pub(crate) request: &'a ForwardRequest,
}

impl<'a> Share<'a> {
    fn part(&self) -> Part<'a> {
        let request = self.request;
        Part {
            model: self.model,
            batch: batch(&request.packed),
            probes: self.measure.probes(request.seed, request.signs),
        }
    }
}

/// The losses of each share's copies, from one pass.
///
/// The shares are of one batch of runs: their models are clones of one, their words are the same, and so is their estimator and with
/// it the number of their probes.
pub(crate) fn losses(shares: &[Share<'_>]) -> Vec<Vec<f64>> {
    let words = shares.first().map(|share| share.words).unwrap_or_default();
    debug_assert!(shares.iter().all(|share| share.words == words));
    let parts: Vec<Part<'_>> = shares.iter().map(Share::part).collect();
    let scores = scores_batched(&parts, words);
    shares
        .iter()
        .zip(&scores)
        .map(|(share, scores)| share.measure.losses(scores, &share.request.packed))
        .collect()
}
