//! Batched runs: their passes as one, with the same frozen weights, each run with its own trained ones, probes and batch.

use burn::tensor::Tensor;

use crate::batch::{Batch, Batches};
use crate::families::Model;
use crate::ops::score::Scores;
use crate::probe::Probes;

/// One run's share of a pass of batched runs.
#[derive(Clone)]
pub struct Part<'a> {
    /// The run's model. Its frozen weights are those of the other parts' models: all are clones of one, which share them.
    pub model: &'a Model,
    /// What the run's probes see.
    pub batch: Batch<'a>,
    /// The run's probes.
    pub probes: Probes<'a>,
}

/// The scores of each part as [`Model::scores`] gives them alone, made in one pass over the probes of all: the frozen
/// weights are read once. On the CPU they are equal bit for bit.
///
/// # Shapes
/// of each part T tokens of B sentences, P probes; C words -> of each part P x B x C scores
///
/// # Panics
/// If the parts do not train tensors of the same shapes, or differ in their number of probes.
pub fn scores_batched(parts: &[Part<'_>], words: &[usize]) -> Vec<Scores> {
    let [first, others @ ..] = parts else {
        return Vec::new();
    };
    if others.is_empty() {
        return vec![first.model.scores(first.batch, words, &first.probes)];
    }
    let values: Vec<Vec<Tensor<2>>> = parts
        .iter()
        .map(|part| part.model.trained_values())
        .collect();
    let shapes = |values: &[Tensor<2>]| values.iter().map(Tensor::dims).collect::<Vec<_>>();
    for (part, own) in parts.iter().zip(&values) {
        assert_eq!(
            part.probes.count(),
            first.probes.count(),
            "as many probes in each part"
        );
        assert_eq!(
            shapes(own),
            shapes(&values[0]),
            "the same tensors in each part"
        );
    }
    let runs = values
        .into_iter()
        .zip(parts.iter().map(|part| &part.probes));
    let Some(probes) = Probes::batched(runs) else {
        return Vec::new();
    };
    let batches: Vec<Batch<'_>> = parts.iter().map(|part| part.batch).collect();
    let all = first.model.family();
    let all = all.scores(Batches::new(&batches), words, &probes);
    let share =
        |(number, batch): (usize, &Batch<'_>)| all.part(number, parts.len(), batch.sentences());
    batches.iter().enumerate().map(share).collect()
}
