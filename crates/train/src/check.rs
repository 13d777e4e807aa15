//! What a spec may say: the rules that a point's values can be held against by themselves.

use crate::defaults;
use crate::error::TrainError;
use crate::refusal::{needed, not_negative, positive, positive_count, refuse, rule, value};
use crate::spec::{
    EstimatesSchedule, Estimator, MethodName, Objective, OptimizerName, ProtocolName, RunSpec,
    ScaleBy, ScaleSpec, TrainSpec, TuningName,
};

impl RunSpec {
    /// Checks the values that can be checked by themselves.
    ///
    /// # Errors
    /// With the key of the first value that cannot be.
    pub fn check(&self) -> Result<(), TrainError> {
        self.check_model()?;
        self.check_task()?;
        self.check_tuning()?;
        self.check_estimates()?;
        self.check_train()?;
        self.check_protocol()
    }

    fn check_model(&self) -> Result<(), TrainError> {
        let model = &self.model;
        let named = [
            model.builtin.is_some(),
            model.path.is_some(),
            model.hub.is_some(),
        ];
        let found = match named.into_iter().filter(|&named| named).count() {
            0 => "none",
            1 => {
                if model.revision.is_some() && model.hub.is_none() {
                    let message = "`revision` is set, but [model] has no `hub`".into();
                    return Err(value("model.revision", message));
                }
                return Ok(());
            }
            _ => "more",
        };
        Err(value(
            "model",
            format!("expected one of `builtin`, `path` and `hub` in [model], found {found}"),
        ))
    }

    fn check_task(&self) -> Result<(), TrainError> {
        let task = &self.task;
        positive_count("task.k", task.k as u64)?;
        positive_count("task.test_cap", task.test_cap as u64)?;
        if let Some(length) = task.max_length {
            positive_count("task.max_length", length as u64)?;
        }
        if task.prompt {
            return Ok(());
        }
        let set = [
            ("task.template", task.template.is_some()),
            ("task.label_words", task.label_words.is_some()),
        ];
        for (key, set) in set {
            refuse(
                set,
                key,
                "belongs to a prompt",
                "`task.prompt` is false",
                "remove it, or `prompt = false`",
            )?;
        }
        Ok(())
    }

    fn check_tuning(&self) -> Result<(), TrainError> {
        let method = &self.method;
        let tuning = method.tuning;
        refuse(
            method.lora.is_some() && tuning != TuningName::Lora,
            "method.lora",
            "is set",
            "`method.tuning` is not \"lora\"",
            "set `tuning = \"lora\"` in [method], or remove `lora`",
        )?;
        refuse(
            method.prefix.is_some() && tuning != TuningName::Prefix,
            "method.prefix",
            "is set",
            "`method.tuning` is not \"prefix\"",
            "set `tuning = \"prefix\"` in [method], or remove `prefix`",
        )?;
        refuse(
            !method.name.has_steps() && tuning != TuningName::Full,
            "method.tuning",
            "is set",
            "`lp` and `zero-shot` train nothing of the model",
            "remove `tuning`",
        )?;
        if let Some(lora) = method.lora {
            positive_count("method.lora.r", lora.r as u64)?;
            positive("method.lora.alpha", lora.alpha)?;
        }
        match method.prefix {
            Some(prefix) => positive_count("method.prefix.tokens", prefix.tokens as u64),
            None => Ok(()),
        }
    }

    fn check_estimates(&self) -> Result<(), TrainError> {
        let method = &self.method;
        let mezo = method.name.is_mezo();
        let own = [
            ("method.estimates", method.estimates.is_some()),
            ("method.scale", method.scale.is_some()),
            (
                "method.objective",
                method.objective != Objective::CrossEntropy,
            ),
            ("method.estimator", method.estimator != Estimator::TwoSided),
        ];
        for (key, set) in own {
            refuse(
                set && !mezo,
                key,
                "is about estimates from losses",
                "`method.name` is neither \"mezo\" nor \"lp-mezo\"",
                "remove it, or set `name = \"mezo\"` in [method]",
            )?;
        }
        let backpropagated = |scale: ScaleSpec| scale.by == ScaleBy::BackpropagatedNorm;
        refuse(
            method.scale.is_some_and(backpropagated) && method.objective != Objective::CrossEntropy,
            "method.scale.by",
            "is \"backpropagated-norm\"",
            "a count of right answers has no gradient to backpropagate",
            "set `by = \"gradient-norm\"`, or `objective = \"cross-entropy\"`",
        )?;
        let Some(estimates) = method.estimates else {
            return Ok(());
        };
        if estimates.count == 0 {
            let schedule = match estimates.schedule {
                EstimatesSchedule::Constant => "constant",
                EstimatesSchedule::Linear => "linear",
            };
            return Err(rule(
                "method.estimates.count",
                format!(
                    "a {schedule} schedule up to 0 gives 0 estimates: every step needs at least one to move by"
                ),
                "set `count` to 1 or more",
            ));
        }
        // int(step / steps * n) is below n at every step (trainer.py:387-398).
        refuse(
            estimates.count <= 2 && estimates.schedule == EstimatesSchedule::Linear,
            "method.estimates.count",
            "is too low",
            "a linear schedule reaches one less than it, which is one estimate at every step",
            "set `count` to 3 or more, or `schedule = \"constant\"`",
        )?;
        refuse(
            estimates.count > 1 && method.estimator == Estimator::OnePoint,
            "method.estimates.count",
            "is above 1",
            "a one-point estimate is one a step: it is the difference to the last step's",
            "set `count = 1`, or remove `estimator = \"one-point\"`",
        )
    }

    fn check_train(&self) -> Result<(), TrainError> {
        let (train, name) = (&self.train, self.method.name);
        if name == MethodName::ZeroShot && self.task.prompt {
            return unread(train, "zero-shot");
        }
        let seed = needed("train.seed", train.seed)?;
        // The published procedure seeds a generator of 32 bits.
        if u32::try_from(seed).is_err() {
            let message = format!("expected 0 to 4294967295 for `train.seed`, found {seed}");
            return Err(value("train.seed", message));
        }
        if !name.has_steps() {
            let others = TrainSpec {
                seed: None,
                ..*train
            };
            let method = match name {
                MethodName::ZeroShot => "zero-shot",
                _ => "lp",
            };
            return unread(&others, method);
        }
        positive_count("train.steps", needed("train.steps", train.steps)?)?;
        let batch_size = needed("train.batch_size", train.batch_size)?;
        positive_count("train.batch_size", batch_size as u64)?;
        positive_count(
            "train.eval_every",
            needed("train.eval_every", train.eval_every)?,
        )?;
        positive("train.lr", needed("train.lr", train.lr)?)?;
        not_negative("train.weight_decay", train.weight_decay)?;
        check_schedule(train)?;
        check_optimizer(train, name)?;
        if name.is_mezo() {
            check_eps(train)
        } else {
            check_backprop(train)
        }
    }

    /// What the public code has no way to do, or does in a way that fails (docs/protocols.md).
    fn check_protocol(&self) -> Result<(), TrainError> {
        if self.protocol == ProtocolName::Paper {
            return Ok(());
        }
        let (method, train) = (&self.method, &self.train);
        let absent = [
            (
                "method.tuning",
                method.tuning == TuningName::Bias,
                "trains no subset of biases",
            ),
            (
                "train.momentum",
                train.momentum.is_some_and(|momentum| momentum > 0.0),
                "has no momentum",
            ),
            (
                "method.objective",
                method.objective == Objective::F1,
                "optimises accuracy, but not F1",
            ),
            (
                "method.estimator",
                method.estimator == Estimator::OnePoint,
                "has no one-point estimate",
            ),
            (
                "method.scale",
                method.scale.is_some() && method.tuning == TuningName::Prefix,
                "makes its scales for the groups `embed`, `lm_head` and `layer.i.` of trained weights, which a prefix alone leaves empty",
            ),
        ];
        for (key, set, what) in absent {
            if set {
                return Err(rule(
                    key,
                    format!(
                        "protocol \"reference-code\" does what the public code does, which {what}"
                    ),
                    "set `protocol = \"paper\"`, or choose what the public code has",
                ));
            }
        }
        Ok(())
    }
}

fn check_schedule(train: &TrainSpec) -> Result<(), TrainError> {
    let (Some(warmup), Some(steps)) = (train.warmup, train.steps) else {
        return Ok(());
    };
    if warmup < steps {
        return Ok(());
    }
    Err(rule(
        "train.warmup",
        format!("a warm-up of {warmup} steps does not end within {steps} steps"),
        "the warm-up must be shorter than the run",
    ))
}

/// Refuses the first key of [train] that a method does not read.
fn unread(train: &TrainSpec, method: &str) -> Result<(), TrainError> {
    let keys = [
        ("train.seed", train.seed.is_some()),
        ("train.steps", train.steps.is_some()),
        ("train.batch_size", train.batch_size.is_some()),
        ("train.eval_every", train.eval_every.is_some()),
        ("train.lr", train.lr.is_some()),
        ("train.eps", train.eps.is_some()),
        ("train.weight_decay", train.weight_decay.is_some()),
        ("train.decay_on", train.decay_on.is_some()),
        ("train.optimizer", train.optimizer.is_some()),
        ("train.momentum", train.momentum.is_some()),
        ("train.schedule", train.schedule.is_some()),
        ("train.warmup", train.warmup.is_some()),
        ("train.dropout", train.dropout.is_some()),
        ("train.clip", train.clip.is_some()),
    ];
    for (key, set) in keys {
        let but = format!("`method.name` is \"{method}\", which does not read it");
        refuse(set, key, "is set", &but, "remove it")?;
    }
    Ok(())
}

fn check_optimizer(train: &TrainSpec, method: MethodName) -> Result<(), TrainError> {
    refuse(
        train.decay_on.is_some() && train.weight_decay.unwrap_or(0.0) == 0.0,
        "train.decay_on",
        "is set",
        "nothing decays without a `train.weight_decay`",
        "set `weight_decay` in [train], or remove `decay_on`",
    )?;
    let Some(momentum) = train.momentum else {
        return Ok(());
    };
    if !(0.0..1.0).contains(&momentum) {
        let message =
            format!("expected 0 or more and less than 1 for `train.momentum`, found {momentum:?}");
        return Err(value("train.momentum", message));
    }
    refuse(
        train.optimizer.unwrap_or(defaults::optimizer(method)) == OptimizerName::Adam,
        "train.momentum",
        "is set",
        "Adam, the optimiser here, has its own",
        "remove `momentum`, or set `optimizer = \"sgd\"`",
    )
}

fn check_eps(train: &TrainSpec) -> Result<(), TrainError> {
    let eps = needed("train.eps", train.eps)?;
    positive("train.eps", eps)?;
    // The forward pass perturbs in f32.
    if !(eps as f32).is_normal() {
        let message = format!("expected 1.2e-38 to 3.4e38 for `train.eps`, found {eps:?}");
        return Err(value("train.eps", message));
    }
    for (key, set) in [
        ("train.dropout", train.dropout.is_some()),
        ("train.clip", train.clip.is_some()),
    ] {
        refuse(
            set,
            key,
            "belongs to backpropagation",
            "`method.name` is not \"ft\"",
            "remove it",
        )?;
    }
    Ok(())
}

fn check_backprop(train: &TrainSpec) -> Result<(), TrainError> {
    refuse(
        train.eps.is_some(),
        "train.eps",
        "is the scale of a perturbation",
        "`method.name` is \"ft\", which has none",
        "remove it",
    )?;
    if let Some(dropout) = train
        .dropout
        .filter(|dropout| !(0.0..1.0).contains(dropout))
    {
        let message =
            format!("expected 0 or more and less than 1 for `train.dropout`, found {dropout:?}");
        return Err(value("train.dropout", message));
    }
    match train.clip {
        Some(clip) => positive("train.clip", clip),
        None => Ok(()),
    }
}
