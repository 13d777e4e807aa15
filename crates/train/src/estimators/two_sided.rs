//! MeZO's estimator: `(L(theta + eps z) - L(theta - eps z)) / (2 eps) z` (definition 1, algorithms 1 and 2).

use mezo_run::{Estimate, Step};

use super::{Estimator, StepOf};
use crate::forward::{BOTH, Signs, both};

pub(super) struct TwoSided {
    pub(super) eps: f64,
}

impl Estimator for TwoSided {
    fn requests(&self, estimates: u32) -> u32 {
        estimates
    }

    fn signs(&self) -> Signs {
        BOTH
    }

    fn line(&self, step: &StepOf<'_>, losses: &[Vec<f64>]) -> Step {
        let estimates = (0..).zip(losses).map(|(number, losses)| {
            let [plus, minus] = both(losses);
            Estimate::two_sided(step.seed(number), plus, minus, self.eps)
        });
        Step::new(step.number, step.lr, estimates.collect())
    }
}
