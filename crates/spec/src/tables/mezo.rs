//! `name = "mezo"` and `name = "lp-mezo"`: what training from losses alone reads.

use crate::key::{Default, Key, Range, Role, keys};
use crate::reader::{Part, Reader};
use crate::tables::{
    Estimates, METHOD_NAME, MethodName, Optimizer, Protocol, Scale, ScaleBy, Training, Tuning,
};
use crate::value::words;
use crate::values::Values;

words! {
    /// What MeZO makes small.
    pub enum Objective {
        /// The mean cross-entropy over the label words.
        CrossEntropy = "cross-entropy",
        /// One minus the accuracy on the batch (paper, section 3.3).
        Accuracy = "accuracy",
        /// One minus the macro-averaged F1 on the batch.
        F1 = "f1",
    }

    /// How a gradient is estimated from losses.
    pub enum Estimator {
        /// From the losses on both sides of the parameters (paper, definition 1).
        TwoSided = "two-sided",
        /// From this step's loss and the last one's (paper, definition 8).
        OnePoint = "one-point",
    }
}

/// Where MeZO starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the model as it is: `mezo`.
    Model,
    /// At the head that linear probing finds: `lp-mezo`.
    LinearProbe,
}

impl Part for Start {
    fn keys(_: &mut Vec<&'static Key>) {}

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(match reader.method? {
            MethodName::LpMezo => Self::LinearProbe,
            _ => Self::Model,
        })
    }

    fn write(&self, values: &mut Values) {
        let name = match self {
            Self::Model => MethodName::Mezo,
            Self::LinearProbe => MethodName::LpMezo,
        };
        values.put(&METHOD_NAME, &name);
    }
}

keys! {
    /// Memory-efficient zeroth-order optimisation: the gradient is estimated from losses alone.
    pub struct Mezo {
        /// What MeZO makes small; `f1` needs two classes among the train rows.
        OBJECTIVE = "method.objective" => objective: Objective {
            default: Default::Word("cross-entropy"), role: Role::InMethodName,
        };
        /// How MeZO estimates a gradient.
        ESTIMATOR = "method.estimator" => estimator: Estimator {
            default: Default::Word("two-sided"), role: Role::InMethodName,
        };
        /// The scale of the perturbation.
        EPS = "train.eps" => eps: f64 {
            range: Range::PositiveF32, short: Some("eps"), label: Some((2, "eps")), role: Role::Searched,
            others: &["epsilon", "zero_order_eps", "zo_eps"],
        };
    }
    parts {
        /// Where it starts.
        start: Start,
        /// Which parameters are trained.
        tuning: Tuning,
        /// How many estimates a step makes; one where none is given.
        estimates: Option<Estimates>,
        /// The scales of the layers' perturbations.
        scale: Option<Scale>,
        /// What every training by steps reads.
        train: Training,
    }
}

impl Mezo {
    /// Holds the parts against each other.
    pub(crate) fn check(&mut self, reader: &mut Reader<'_>, protocol: Protocol) {
        let backpropagated = |scale: &Scale| scale.by == ScaleBy::BackpropagatedNorm;
        reader.refuse(
            self.scale.as_ref().is_some_and(backpropagated)
                && self.objective != Objective::CrossEntropy,
            Scale::BY.path,
            "is \"backpropagated-norm\"",
            "a count of right answers has no gradient to backpropagate",
            "set `by = \"gradient-norm\"`, or `objective = \"cross-entropy\"`",
        );
        reader.refuse(
            self.estimates.is_some() && self.estimator == Estimator::OnePoint,
            Estimates::COUNT.path,
            "is above 1",
            "a one-point estimate is one a step: it is the difference to the last step's",
            "set `count = 1`, or remove `estimator = \"one-point\"`",
        );
        let by_optimizer = self.train.optimizer == Optimizer::Adam
            || self.estimates.is_some()
            || self.scale.is_some();
        self.train.settle(reader, protocol, by_optimizer);
        if protocol == Protocol::ReferenceCode {
            self.check_reference(reader);
        }
    }

    /// What the public code has no way to do, or does in a way that fails (docs/protocols.md).
    fn check_reference(&self, reader: &mut Reader<'_>) {
        let absent = [
            (
                Self::OBJECTIVE.path,
                self.objective == Objective::F1,
                "optimises accuracy, but not F1",
            ),
            (
                Self::ESTIMATOR.path,
                self.estimator == Estimator::OnePoint,
                "has no one-point estimate",
            ),
            (
                Scale::TABLE,
                self.scale.is_some() && matches!(self.tuning, Tuning::Prefix(_)),
                "makes its scales for the groups `embed`, `lm_head` and `layer.i.` of trained weights, which a prefix alone leaves empty",
            ),
        ];
        for (key, set, what) in absent {
            super::method::refuse_in_reference(reader, key, set, what);
        }
    }
}
