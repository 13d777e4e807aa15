//! Estimators of a gradient from losses: a file for each.
//!
//! A step of MeZO (Malladi et al., 2023, algorithm 1) is: draw a batch and a seed; score the batch at copies of the parameters
//! that are perturbed along `z(seed)`; write what the losses say into the journal; move the parameters along `z(seed)` by that.
//! An estimator says which copies, and what the losses say. [`TrainState`](crate::train_state::TrainState) does the rest.
//!
//! A new estimator is a file here, a line of [`of`], its word in `mezo-spec`, and its passes in `mezo-sweep`'s `cost.rs`.

mod one_point;
mod two_sided;

use mezo_model::Term;
use mezo_run::{Estimate, Step};
use mezo_spec::{Estimator as Name, Mezo};

use self::one_point::OnePoint;
use self::two_sided::TwoSided;
use crate::forward::{Signs, step_seed};

/// How a gradient is estimated from the losses at perturbed copies of the parameters.
pub(crate) trait Estimator {
    /// How many forward passes a step asks for that makes so many estimates. They all see the parameters before the step.
    fn requests(&self, estimates: u32) -> u32;

    /// The copies that each of them scores.
    fn signs(&self) -> Signs;

    /// The step's line of the journal, from the losses of each pass, one for each copy. With the parameters it says all that the
    /// update needs.
    fn line(&self, step: &StepOf<'_>, losses: &[Vec<f64>]) -> Step;

    /// The directions of the line's update, whose sum is the estimated gradient.
    fn terms(&self, line: &Step) -> Vec<Term> {
        terms(line)
    }
}

/// A step whose losses are known.
pub(crate) struct StepOf<'a> {
    /// From 1.
    pub(crate) number: u64,
    /// Its learning rate.
    pub(crate) lr: f64,
    /// The line before it.
    pub(crate) before: Option<&'a Step>,
    pub(crate) run_seed: u64,
}

impl StepOf<'_> {
    /// The seed of the noise of one of its passes.
    pub(crate) fn seed(&self, number: u32) -> u64 {
        step_seed(self.run_seed, self.number, number)
    }
}

/// The estimator that a method names.
pub(crate) fn of(mezo: &Mezo) -> Box<dyn Estimator> {
    match mezo.estimator {
        Name::TwoSided => Box::new(TwoSided { eps: mezo.eps }),
        Name::OnePoint => Box::new(OnePoint { eps: mezo.eps }),
    }
}

/// The directions of a step's update, whose sum is the mean of its estimates.
pub fn terms(line: &Step) -> Vec<Term> {
    let count = line.estimates.len() as f64;
    let term = |estimate: &Estimate| {
        Some(Term {
            seed: estimate.seed,
            coefficient: estimate.projected_grad? / count,
        })
    };
    line.estimates.iter().filter_map(term).collect()
}
