//! `[method.estimates]` and `[method.scale]`: how many estimates a step of MeZO makes, and scales for its layers.

use crate::key::{Default, Key, Range, Role, keys};
use crate::reader::{Part, Reader};
use crate::value::words;
use crate::values::Values;

words! {
    /// How many estimates each step makes.
    pub enum EstimatesSchedule {
        /// `count` at every step.
        Constant = "constant",
        /// From 1 up to one less than `count`, in proportion to the steps done.
        Linear = "linear",
    }

    /// What a layer's scale is: its perturbation is `eps z / scale`.
    pub enum ScaleBy {
        /// The norm of its parameters.
        ParameterNorm = "parameter-norm",
        /// The norm of its gradient, estimated by two forward passes that move this layer alone (paper, proposition 1).
        GradientNorm = "gradient-norm",
        /// The norm of its gradient by backpropagation; for cross-entropy alone.
        BackpropagatedNorm = "backpropagated-norm",
    }

    /// Whether the update undoes the scale.
    pub enum Modifies {
        /// It does: the scale changes the estimate's variance alone (paper, definition 6).
        Variance = "variance",
        /// It does not: the update is `g z` as without scales (paper, definition 7).
        Expectation = "expectation",
    }

    /// When scales are measured.
    pub enum ScaleMeasured {
        /// Before the first step.
        Once = "once",
        /// Before the first step of every epoch.
        EachEpoch = "each-epoch",
    }
}

keys! {
    /// `[method.estimates]`: n-SPSA (paper, algorithm 2); one estimate a step without the table.
    pub struct Estimates {
        /// Estimates a step.
        COUNT = "method.estimates.count" => count: u32 {
            range: Range::Bits32, role: Role::InMethodName,
            values: Some("1 or more; 1 with `one-point`; 3 or more with `linear`"),
            default_words: Some("needed; 1 without the table"),
        };
        /// How many of them each step makes.
        SCHEDULE = "method.estimates.schedule" => schedule: EstimatesSchedule {
            default: Default::Word("constant"), role: Role::InMethodName,
        };
        /// Whether the learning rate is multiplied by the number of the step's estimates (Table 6).
        SCALE_LR = "method.estimates.scale_lr" => scale_lr: bool { default: Default::Flag(false) };
    }
}

impl Estimates {
    const TABLE: &'static str = "method.estimates";

    fn check(&self, reader: &mut Reader<'_>) {
        let (count, linear) = (self.count, self.schedule == EstimatesSchedule::Linear);
        if count == 0 {
            return reader.rule(
                Self::COUNT.path,
                format!(
                    "a {} schedule up to 0 gives 0 estimates: every step needs at least one to move by",
                    self.schedule
                ),
                "set `count` to 1 or more",
            );
        }
        // int(step / steps * n) is below n at every step (trainer.py:387-398).
        reader.refuse(
            count <= 2 && linear,
            Self::COUNT.path,
            "is too low",
            "a linear schedule reaches one less than it, which is one estimate at every step",
            "set `count` to 3 or more, or `schedule = \"constant\"`",
        );
    }
}

impl Part for Option<Estimates> {
    fn keys(keys: &mut Vec<&'static Key>) {
        Estimates::keys(keys);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if !reader.has_table(Estimates::TABLE) {
            return Some(None);
        }
        let estimates = Estimates::read(reader)?;
        estimates.check(reader);
        // One estimate is the same by whatever schedule.
        Some(Some(estimates).filter(|estimates| estimates.count > 1))
    }

    fn write(&self, values: &mut Values) {
        if let Some(estimates) = self {
            estimates.write(values);
        }
    }
}

keys! {
    /// `[method.scale]`: another perturbation scale for each layer (paper, appendices B.3 and B.4); none without the table.
    pub struct Scale {
        /// What a layer's scale is; the perturbation is divided by it.
        BY = "method.scale.by" => by: ScaleBy { role: Role::InMethodName };
        /// Whether the update undoes the scale.
        MODIFIES = "method.scale.modifies" => modifies: Modifies {
            default: Default::Word("variance"), role: Role::InMethodName,
        };
        /// When the scales are measured.
        MEASURED = "method.scale.measured" => measured: ScaleMeasured { default: Default::Word("once") };
    }
}

impl Scale {
    pub(crate) const TABLE: &'static str = "method.scale";
}

impl Part for Option<Scale> {
    fn keys(keys: &mut Vec<&'static Key>) {
        Scale::keys(keys);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match reader.has_table(Scale::TABLE) {
            true => Scale::read(reader).map(Some),
            false => Some(None),
        }
    }

    fn write(&self, values: &mut Values) {
        if let Some(scale) = self {
            scale.write(values);
        }
    }
}
