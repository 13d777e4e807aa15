//! Accuracy and cross-entropy over a set of examples.

use mezo_model::{Model, Probes, cross_entropy, device, prediction};
use mezo_tasks::{Example, PackedBatch};

use crate::forward::batch;

/// Tokens of one forward pass on the CPU: enough to be worth it, few enough to stay near the processor.
const ON_CPU: usize = 2048;
/// On a GPU, which is asked for each pass and waited for after it; more would only take memory.
const ON_DEVICE: usize = 8192;

/// What an evaluation found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    /// Share of examples whose class has the highest score.
    pub(crate) accuracy: f64,
    /// Mean cross-entropy over the classes.
    pub(crate) cross_entropy: f64,
    /// Over how many examples.
    pub(crate) n: usize,
}

/// Evaluates the parameters as they are.
///
/// How the examples are cut into passes changes no bit on the CPU: a row's numbers depend on nothing beside it. `alive` is called
/// after each.
pub(crate) fn evaluate(
    model: &Model,
    examples: &[Example],
    words: &[usize],
    alive: &dyn Fn(),
) -> Measured {
    evaluate_by(model, examples, alive, |packed| {
        let scores = model.scores(batch(packed), words, &Probes::unperturbed());
        (0..scores.rows)
            .map(|row| scores.row(0, row).to_vec())
            .collect()
    })
}

/// Evaluates by the scores that each packed batch's sentences get from the model.
pub(crate) fn evaluate_by(
    model: &Model,
    examples: &[Example],
    alive: &dyn Fn(),
    scores: impl Fn(&PackedBatch) -> Vec<Vec<f64>>,
) -> Measured {
    let (mut right, mut loss) = (0usize, 0.0f64);
    for packed in passes(model, examples) {
        for (row, &label) in scores(&packed).iter().zip(&packed.labels) {
            right += usize::from(prediction(row) == Some(label));
            loss += cross_entropy(row, label);
        }
        alive();
    }
    let n = examples.len();
    // Where a score is no number there is no prediction either, and nothing to call right or wrong.
    let accuracy = match loss.is_finite() {
        true => right as f64 / n as f64,
        false => f64::NAN,
    };
    Measured {
        accuracy,
        cross_entropy: loss / n as f64,
        n,
    }
}

/// The examples in packed batches for a model, in their order.
pub(crate) fn passes(model: &Model, examples: &[Example]) -> impl Iterator<Item = PackedBatch> {
    let most = match device::is_cpu(&model.device()) {
        true => ON_CPU,
        false => ON_DEVICE,
    };
    let mut rest = examples;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (now, later) = rest.split_at(pass_length(rest, most));
        rest = later;
        Some(PackedBatch::pack(now.iter()))
    })
}

/// How many of the examples go through together: as many as fit into so many tokens, at least one.
fn pass_length(examples: &[Example], most: usize) -> usize {
    let mut tokens = 0;
    let fits = examples.iter().take_while(|example| {
        tokens += example.ids.len();
        tokens <= most
    });
    fits.count().max(1)
}
