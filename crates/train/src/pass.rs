//! Forward passes that several runs make together.

use mezo_model::{Model, Part, scores_batched};

use crate::materials::batch;
use crate::mezo::{Look, Measure};

/// What one run looks at in a pass, and what it sees there.
pub(crate) struct View<'a> {
    pub(crate) model: &'a Model,
    pub(crate) measure: Measure<'a>,
    pub(crate) words: &'a [usize],
    pub(crate) look: &'a Look,
}

impl<'a> View<'a> {
    fn part(&self) -> Part<'a> {
        let look = self.look;
        Part {
            model: self.model,
            batch: batch(&look.packed),
            probes: self.measure.probes(look.seed, look.sides),
        }
    }
}

/// The losses that each view finds at its probes, from one pass.
///
/// The views are of one batch: their models are clones of one, their words are the same, and so is their estimator and with
/// it the number of their probes.
pub(crate) fn losses(views: &[View<'_>]) -> Vec<Vec<f64>> {
    let words = views.first().map(|view| view.words).unwrap_or_default();
    debug_assert!(views.iter().all(|view| view.words == words));
    let parts: Vec<Part<'_>> = views.iter().map(View::part).collect();
    let scores = scores_batched(&parts, words);
    views
        .iter()
        .zip(&scores)
        .map(|(view, scores)| view.measure.losses(scores, &view.look.packed))
        .collect()
}
