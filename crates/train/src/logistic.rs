//! Linear probing's classifier: logistic regression with its regularisation chosen by cross-validation, as the reference
//! calls scikit-learn's `LogisticRegressionCV` (MEZO.md, section 2).
//!
//! One fit minimises, over a row `w_k` and a bias `b_k` for each class,
//!
//! ```text
//! sum_i -log softmax(W x_i + b)[y_i]  +  1/(2 C) sum_k |w_k|^2
//! ```
//!
//! with the bias free. `C` is the one of ten from 1e-4 to 1e4 with the highest mean accuracy over five stratified folds,
//! the smallest of equals; then all examples are fitted with it.
//!
//! Two classes are fitted with two rows too: the reference asks for `multinomial`, which in the scikit-learn of its day
//! penalises both. The optimum is `-v` and `v` where binary logistic regression at `2 C` has `2 v`.

mod lbfgs;
mod objective;

use mezo_tasks::{Folds, FoldsError};
use rayon::prelude::*;

use lbfgs::minimise;
use objective::{Objective, Precondition};

/// The values of `C` that are tried: `numpy.logspace(-4, 4, 10)`.
const CS: [f64; 10] = [
    0.0001,
    0.000774263682681127,
    0.005994842503189409,
    0.046415888336127774,
    0.3593813663804626,
    2.782559402207126,
    21.54434690031882,
    166.81005372000558,
    1291.5496650148827,
    10000.0,
];

/// When a fit is good enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// The largest entry of the gradient, of the sum of losses, that counts as none.
    pub(crate) tolerance: f64,
    /// How many steps a fit may take.
    pub(crate) max_iterations: usize,
}

impl Settings {
    /// Linear probing.
    pub(crate) const PROBE: Self = Self {
        tolerance: 1e-4,
        max_iterations: 5_000,
    };
    /// Linear probing as the start of MeZO.
    pub(crate) const START: Self = Self {
        tolerance: 0.01,
        max_iterations: 1_000,
    };
}

/// The classifier that was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogisticFit {
    /// A row of weights for each class.
    ///
    /// Of two classes these are `-v/2` and `v/2`, as the reference writes them into the decoder: half the optimum, which
    /// leaves every prediction as it is and makes the probabilities flatter.
    pub(crate) rows: Vec<Vec<f32>>,
    /// A bias for each class.
    pub(crate) bias: Vec<f32>,
    /// The chosen `C`.
    pub(crate) c: f64,
    /// Its mean accuracy over the folds.
    pub(crate) accuracy: f64,
    /// Whether the last fit, on all examples, reached the tolerance.
    pub(crate) converged: bool,
}

/// Why there is no classifier.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum LogisticError {
    /// There are too few examples.
    #[error(transparent)]
    Folds(#[from] FoldsError),
    /// A feature is infinite or no number.
    #[error("the features of train example {example} (from 0) are not all finite numbers")]
    NotFinite {
        /// The example.
        example: usize,
    },
}

/// Fits a classifier to features.
///
/// # Shapes
///
/// `features` is `[n, H]` in row-major order, `labels` `[n]` with classes below `classes`, which are at least two. The
/// order of the examples decides the folds. The result is the same for any number of threads.
///
/// # Errors
///
/// For a class with fewer than two examples, for classes that all have fewer than there are folds, and for features that
/// are no numbers. A class with fewer examples than folds is missing from some folds' test parts, as in scikit-learn.
pub(crate) fn fit(
    features: &[f32],
    labels: &[usize],
    classes: usize,
    settings: Settings,
) -> Result<LogisticFit, LogisticError> {
    check(features, labels, classes)?;
    let data = Data {
        features,
        width: features.len() / labels.len(),
        labels,
        classes,
    };
    let folds = Folds::of(labels, classes);
    // Collected in the order of the folds, so that the sums below do not depend on who was first.
    let scores: Vec<[f64; CS.len()]> = (0..Folds::COUNT)
        .into_par_iter()
        .map(|fold| data.scores(&folds, fold, settings))
        .collect();
    let mut best = (0, f64::NEG_INFINITY);
    for at in 0..CS.len() {
        let total: f64 = scores.iter().map(|fold| fold[at]).sum();
        if total > best.1 {
            best = (at, total);
        }
    }
    let c = CS[best.0];
    let all: Vec<usize> = (0..labels.len()).collect();
    let found = data.solve(&all, c, None, settings);
    let (rows, bias) = data.decoder(&found.weights);
    Ok(LogisticFit {
        rows,
        bias,
        c,
        accuracy: best.1 / Folds::COUNT as f64,
        converged: found.converged,
    })
}

fn check(features: &[f32], labels: &[usize], classes: usize) -> Result<(), LogisticError> {
    let mut counts = vec![0; classes];
    for &label in labels {
        counts[label] += 1;
    }
    Folds::check(&counts)?;
    if let Some(at) = features.iter().position(|value| !value.is_finite()) {
        let example = at / (features.len() / labels.len());
        return Err(LogisticError::NotFinite { example });
    }
    Ok(())
}

/// All examples.
struct Data<'a> {
    features: &'a [f32],
    width: usize,
    labels: &'a [usize],
    classes: usize,
}

/// Weights and bias of each class, one class after the other, and whether they are good enough.
struct Found {
    weights: Vec<f64>,
    converged: bool,
}

impl Data<'_> {
    /// The accuracy of each `C` on one fold, fitted on the others; each fit starts where the one before it ended.
    fn scores(&self, folds: &Folds, fold: usize, settings: Settings) -> [f64; CS.len()] {
        let (train, test) = folds.split(fold);
        let mut start: Option<Vec<f64>> = None;
        CS.map(|c| {
            let found = self.solve(&train, c, start.as_deref(), settings);
            let objective = self.objective(&test, c);
            let right = test
                .iter()
                .filter(|row| objective.prediction(&found.weights, **row) == self.labels[**row]);
            let accuracy = right.count() as f64 / test.len() as f64;
            start = Some(found.weights);
            accuracy
        })
    }

    /// The optimum over some rows.
    fn solve(&self, rows: &[usize], c: f64, start: Option<&[f64]>, settings: Settings) -> Found {
        let objective = self.objective(rows, c);
        let precondition = Precondition::of(&objective);
        let zero = vec![0.0; objective.len()];
        let mut weights = vec![0.0; objective.len()];
        let mut gradient = vec![0.0; objective.len()];
        let mut point = precondition.inverse(start.unwrap_or(&zero));
        let converged = minimise(&mut point, settings.max_iterations, |point, slope| {
            precondition.weights(point, &mut weights);
            let value = objective.evaluate(&weights, &mut gradient);
            precondition.slope(&gradient, slope);
            let steepest = gradient
                .iter()
                .fold(0.0f64, |most, own| most.max(own.abs()));
            (value, steepest <= settings.tolerance)
        });
        precondition.weights(&point, &mut weights);
        Found { weights, converged }
    }

    fn objective<'a>(&'a self, rows: &'a [usize], c: f64) -> Objective<'a> {
        Objective {
            features: self.features,
            width: self.width,
            labels: self.labels,
            classes: self.classes,
            rows,
            c,
        }
    }

    /// What goes into the decoder.
    fn decoder(&self, weights: &[f64]) -> (Vec<Vec<f32>>, Vec<f32>) {
        let classes = weights.chunks_exact(self.width + 1);
        let mut classes: Vec<Vec<f64>> = classes.map(<[f64]>::to_vec).collect();
        if let [_, second] = &classes[..] {
            classes = [-0.5, 0.5]
                .map(|factor| second.iter().map(|own| factor * own).collect())
                .to_vec();
        }
        let single = |own: &[f64]| own.iter().map(|&own| own as f32).collect();
        classes
            .iter()
            .map(|own| (single(&own[..self.width]), own[self.width] as f32))
            .unzip()
    }
}

#[cfg(test)]
mod tests;
