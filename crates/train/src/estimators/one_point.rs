//! The one-point estimator with the residual of the step before: `(L_t(theta_t + eps z_t) - L_{t-1}(theta_{t-1} + eps z_{t-1})) /
//! eps z_t` (definition 8). A step scores one copy.

use mezo_run::{Estimate, Step};

use super::{Estimator, StepOf};
use crate::forward::{PLUS, Signs};

pub(super) struct OnePoint {
    pub(super) eps: f64,
}

impl Estimator for OnePoint {
    fn requests(&self, _: u32) -> u32 {
        1
    }

    fn signs(&self) -> Signs {
        PLUS
    }

    fn line(&self, step: &StepOf<'_>, losses: &[Vec<f64>]) -> Step {
        let loss = losses[0][0];
        // The first step has nothing to compare with.
        let before = step.before.and_then(|line| line.loss);
        let estimate =
            before.map(|before| Estimate::one_point(step.seed(0), loss, before, self.eps));
        Step::with_loss(step.number, step.lr, estimate.into_iter().collect(), loss)
    }
}
