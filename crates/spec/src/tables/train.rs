//! `[train]`: what every training by steps reads.

use crate::key::{Default, Range, Role, keys};
use crate::reader::Reader;
use crate::tables::{MethodName, Protocol};
use crate::value::words;

words! {
    /// What moves the parameters.
    pub enum Optimizer {
        /// Stochastic gradient descent.
        Sgd = "sgd",
        /// Adam with decoupled weight decay.
        Adam = "adam",
    }

    /// How the learning rate goes.
    pub enum Schedule {
        /// It stays.
        Constant = "constant",
        /// Down to 0 after the last step.
        Linear = "linear",
    }

    /// What is decayed.
    pub enum DecayOn {
        /// Everything trained.
        All = "all",
        /// All but biases and layer norms.
        NoBiasNorm = "no-bias-norm",
        /// All but tensors with `bias` or `LayerNorm.weight` in their names, as the public code's optimisers have it
        /// (trainer.py:188-208): the norm of the head for words decays.
        ReferenceOptimizer = "reference-optimizer",
    }
}

keys! {
    /// What every training by steps reads of `[train]`.
    pub struct Training {
        /// Picks the k-shot split, the order of the batches and the noise.
        SEED = "train.seed" => seed: u64 { range: Range::Bits32, short: Some("seed"), role: Role::Seed };
        /// Updates of the parameters.
        STEPS = "train.steps" => steps: u64 {
            range: Range::Count, label: Some((4, "step")), role: Role::Course,
            others: &["max_steps", "num_steps", "iterations"],
        };
        /// Examples a step; more than there are is all of them.
        BATCH_SIZE = "train.batch_size" => batch_size: usize {
            range: Range::Count, label: Some((0, "bs")), word: Some("batch"), role: Role::Searched,
            others: &["batch", "bs", "per_device_train_batch_size", "train_batch_size"],
        };
        /// Steps between evaluations on dev.
        EVAL_EVERY = "train.eval_every" => eval_every: u64 {
            range: Range::Count, label: Some((5, "evalstep")), role: Role::Course,
            others: &["eval_steps", "eval_step"],
        };
        /// The learning rate, at its highest.
        LR = "train.lr" => lr: f64 {
            range: Range::Positive, short: Some("lr"), label: Some((1, "lr")), role: Role::Searched,
            others: &["learning_rate"],
        };
        /// The part of itself, times the learning rate, that a weight loses at each step.
        WEIGHT_DECAY = "train.weight_decay" => weight_decay: f64 {
            range: Range::NotNegative, default: Default::Number(0.0), label: Some((3, "wd")), role: Role::Searched,
        };
        /// What is decayed ([protocols.md](protocols.md)); refused without a `weight_decay`.
        DECAY_ON = "train.decay_on" => decay_on: Option<DecayOn> {
            default: Default::Open, role: Role::Beside,
            default_words: Some("`paper`: `\"no-bias-norm\"`; `reference-code`: the last for `ft`, `adam`, several estimates and scales, else `\"all\"`"),
        };
        /// What moves the parameters.
        OPTIMIZER = "train.optimizer" => optimizer: Optimizer {
            default: Default::ByMethod(optimizer_of), role: Role::InMethodName,
            others: &["optim", "optimiser", "trainer"],
        };
        /// Momentum of `sgd`; refused with `adam`.
        MOMENTUM = "train.momentum" => momentum: f64 {
            range: Range::Share, default: Default::Number(0.0), role: Role::InMethodName,
        };
        /// How the learning rate goes.
        SCHEDULE = "train.schedule" => schedule: Schedule {
            default: Default::ByMethod(schedule_of), role: Role::Course,
            others: &["lr_scheduler", "lr_scheduler_type"],
        };
        /// Steps in which the learning rate rises from 0.
        WARMUP = "train.warmup" => warmup: u64 {
            default: Default::Whole(0), role: Role::Course, values: Some("less than `steps`"),
            others: &["warmup_steps"],
        };
    }
}

fn optimizer_of(method: MethodName) -> &'static str {
    match method {
        MethodName::Ft => Optimizer::Adam.name(),
        _ => Optimizer::Sgd.name(),
    }
}

fn schedule_of(method: MethodName) -> &'static str {
    match method {
        MethodName::Ft => Schedule::Linear.name(),
        _ => Schedule::Constant.name(),
    }
}

impl Training {
    /// Fills in what is decayed, and holds the keys against each other. `by_optimizer` says whether the public code makes
    /// the update by an optimiser of its own and not in place (MEZO.md, section 1.2).
    pub(crate) fn settle(
        &mut self,
        reader: &mut Reader<'_>,
        protocol: Protocol,
        by_optimizer: bool,
    ) {
        reader.refuse(
            self.decay_on.is_some() && self.weight_decay == 0.0,
            Self::DECAY_ON.path,
            "is set",
            "nothing decays without a `train.weight_decay`",
            "set `weight_decay` in [train], or remove `decay_on`",
        );
        if self.warmup > 0 && self.warmup >= self.steps {
            let (warmup, steps) = (self.warmup, self.steps);
            reader.rule(
                Self::WARMUP.path,
                format!("a warm-up of {warmup} steps does not end within {steps} steps"),
                "the warm-up must be shorter than the run",
            );
        }
        reader.refuse(
            reader.is_set(&Self::MOMENTUM) && self.optimizer == Optimizer::Adam,
            Self::MOMENTUM.path,
            "is set",
            "Adam, the optimiser here, has its own",
            "remove `momentum`, or set `optimizer = \"sgd\"`",
        );
        let usual = match protocol {
            Protocol::Paper => DecayOn::NoBiasNorm,
            Protocol::ReferenceCode if by_optimizer => DecayOn::ReferenceOptimizer,
            Protocol::ReferenceCode => DecayOn::All,
        };
        self.decay_on = (self.weight_decay > 0.0).then(|| self.decay_on.unwrap_or(usual));
    }
}
