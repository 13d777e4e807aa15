//! Linear probing: a logistic regression on the features that the head would read (linearhead_trainer.py:100-190).

use burn::tensor::Tensor;
use mezo_model::{Model, Probes};
use mezo_tasks::{Example, PackedBatch};

use crate::error::TrainError;
use crate::evaluate::{Measured, evaluate_by, passes};
use crate::forward::batch;
use crate::logistic::{self, LogisticFit, Settings};
use crate::refusal::value;
use mezo_run::ProbeFit;
use mezo_tasks::Examples;

/// A fitted probe.
pub(crate) struct Fit(LogisticFit);

/// Linear probing as it is reported: on the features of the train rows.
pub(crate) fn probe(
    model: &Model,
    examples: &Examples,
    alive: &dyn Fn(),
) -> Result<Fit, TrainError> {
    fit(model, examples, Settings::PROBE, |packed| {
        alive();
        features(model, packed)
    })
}

/// Linear probing that MeZO goes on from: on what the head's last layer reads, which takes up the solution.
pub(crate) fn start(
    model: &mut Model,
    examples: &Examples,
    alive: &dyn Fn(),
) -> Result<(), TrainError> {
    let Fit(fit) = fit(model, examples, Settings::START, |packed| {
        alive();
        values(model.head_inputs(batch(packed), &Probes::unperturbed()))
    })?;
    model.set_head_rows(&examples.words, &fit.rows, &fit.bias);
    Ok(())
}

/// Fits the train rows, the strength of the penalty chosen by cross-validation among them.
fn fit(
    model: &Model,
    examples: &Examples,
    settings: Settings,
    inputs: impl Fn(&PackedBatch) -> Vec<f32>,
) -> Result<Fit, TrainError> {
    let features: Vec<f32> = passes(model, &examples.train)
        .flat_map(|packed| inputs(&packed))
        .collect();
    let labels: Vec<usize> = examples.train.iter().map(|example| example.label).collect();
    logistic::fit(&features, &labels, examples.classes, settings)
        .map(Fit)
        .map_err(|error| value("task.k", format!("linear probing: {error}")))
}

/// What the head would read of each sentence: its input at the mask, or the first token without a prompt.
fn features(model: &Model, packed: &PackedBatch) -> Vec<f32> {
    values(model.features(batch(packed), &Probes::unperturbed()))
}

fn values(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

impl Fit {
    /// Evaluates the probe on the model's features.
    pub(crate) fn evaluate(
        &self,
        model: &Model,
        examples: &[Example],
        alive: &dyn Fn(),
    ) -> Measured {
        let width = self.0.rows.first().map_or(1, Vec::len);
        evaluate_by(model, examples, alive, |packed| {
            features(model, packed)
                .chunks_exact(width)
                .map(|row| self.scores(row))
                .collect()
        })
    }

    fn scores(&self, features: &[f32]) -> Vec<f64> {
        let classes = self.0.rows.iter().zip(&self.0.bias);
        classes
            .map(|(weights, &bias)| {
                let terms = weights.iter().zip(features);
                terms
                    .map(|(&w, &x)| f64::from(w) * f64::from(x))
                    .sum::<f64>()
                    + f64::from(bias)
            })
            .collect()
    }

    /// What a result says of it.
    pub(crate) fn told(&self) -> ProbeFit {
        let finite = |number: f64| number.is_finite().then_some(number);
        ProbeFit {
            c: finite(self.0.c),
            accuracy: finite(self.0.accuracy),
            converged: self.0.converged,
        }
    }
}
