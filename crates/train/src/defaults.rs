//! A spec's point with every default filled in: what the protocol, the paper and the method say where the spec does not.

use mezo_model::Precision;

use crate::error::TrainError;
use crate::manifest::MethodConfig;
use crate::refusal::rule;
use crate::spec::{
    DecayName, LoraSpec, MethodName, OptimizerName, ProtocolName, RunSpec, Schedule, TrainSpec,
    TuningName,
};

/// What matrix products read where `model.precision` is not set: the fastest that leaves projected gradients what they are
/// (tests/precision.rs; bfloat16, as fast, does not where LoRA's probes are close together). RoBERTa was itself trained in half
/// precision (Liu et al., 2019, section 3.1), so that its range is known to do. A manifest names it either way, so another default here
/// makes other ids for new runs without the key, and leaves those with it and all manifests on disk as they are. docs/spec.md
/// and the key's own line in spec.rs say it too.
pub const DEFAULT_PRECISION: Precision = Precision::F16;
/// The paper's LoRA (section E.3).
const LORA: LoraSpec = LoraSpec { r: 8, alpha: 16.0 };
/// RoBERTa's own dropout.
const DROPOUT: f64 = 0.1;
/// The public code's bound on the norm of a gradient (transformers' `max_grad_norm`).
const CLIP: f64 = 1.0;

/// The method with its defaults.
pub(crate) fn method(spec: &RunSpec) -> MethodConfig {
    let method = &spec.method;
    if !method.name.has_steps() {
        return MethodConfig {
            name: method.name,
            ..MethodConfig::ZERO_SHOT
        };
    }
    let tuning = method.tuning;
    MethodConfig {
        name: method.name,
        tuning: Some(tuning),
        lora: (tuning == TuningName::Lora).then(|| method.lora.unwrap_or(LORA)),
        prefix: (tuning == TuningName::Prefix).then(|| method.prefix.unwrap_or_default()),
        objective: method.objective,
        estimator: method.estimator,
        // One estimate is the same by whatever schedule.
        estimates: method.estimates.filter(|estimates| estimates.count > 1),
        scale: method.scale,
    }
}

/// `[train]` with its defaults: only what the method reads, so that nothing else makes a run another one.
pub(crate) fn train(spec: &RunSpec) -> Option<TrainSpec> {
    let train = spec.train;
    let seed = train.seed;
    match spec.method.name {
        MethodName::ZeroShot if spec.task.prompt => None,
        // Without a prompt the seed draws the head.
        MethodName::ZeroShot | MethodName::Lp => Some(TrainSpec {
            seed,
            ..TrainSpec::default()
        }),
        MethodName::Mezo | MethodName::LpMezo => Some(TrainSpec {
            optimizer: train.optimizer.filter(|&name| name == OptimizerName::Adam),
            schedule: train
                .schedule
                .filter(|&schedule| schedule != Schedule::Constant),
            ..common(spec)
        }),
        MethodName::Ft => Some(TrainSpec {
            optimizer: Some(train.optimizer.unwrap_or(optimizer(spec.method.name))),
            schedule: Some(train.schedule.unwrap_or(Schedule::Linear)),
            dropout: Some(train.dropout.unwrap_or(DROPOUT)),
            clip: Some(train.clip.unwrap_or(CLIP)),
            ..common(spec)
        }),
    }
}

/// What every training by steps has.
fn common(spec: &RunSpec) -> TrainSpec {
    let weight_decay = spec.train.weight_decay.unwrap_or(0.0);
    let decay_on = spec.train.decay_on.unwrap_or(match spec.protocol {
        ProtocolName::Paper => DecayName::NoBiasNorm,
        ProtocolName::ReferenceCode if by_optimizer(spec) => DecayName::ReferenceOptimizer,
        ProtocolName::ReferenceCode => DecayName::All,
    });
    TrainSpec {
        weight_decay: Some(weight_decay),
        decay_on: (weight_decay > 0.0).then_some(decay_on),
        momentum: spec.train.momentum.filter(|&momentum| momentum > 0.0),
        warmup: spec.train.warmup.filter(|&warmup| warmup > 0),
        ..spec.train
    }
}

/// Whether the public code makes the update by an optimiser of its own and not in place: for backpropagation, Adam, more
/// than one estimate, and scales for layers (MEZO.md, section 1.2).
fn by_optimizer(spec: &RunSpec) -> bool {
    spec.method.name == MethodName::Ft
        || spec.train.optimizer == Some(OptimizerName::Adam)
        || method(spec).estimates.is_some()
        || spec.method.scale.is_some()
}

/// The optimiser of a method where the spec names none.
pub(crate) fn optimizer(method: MethodName) -> OptimizerName {
    match method {
        MethodName::Ft => OptimizerName::Adam,
        _ => OptimizerName::Sgd,
    }
}

/// Holds the method against the sizes of the model.
///
/// # Errors
/// If LoRA's rank or the prefix does not fit.
pub(crate) fn check_sizes(
    method: &MethodConfig,
    hidden: usize,
    positions: usize,
) -> Result<(), TrainError> {
    if let Some(lora) = method.lora.filter(|lora| lora.r > hidden) {
        let message = format!(
            "expected at most {hidden} for `method.lora.r` (the model's hidden size), found {}",
            lora.r
        );
        return Err(crate::refusal::value("method.lora.r", message));
    }
    match method.prefix.filter(|prefix| prefix.tokens > positions) {
        None => Ok(()),
        Some(prefix) => Err(rule(
            "method.prefix.tokens",
            format!(
                "a prefix of {} tokens is longer than the {positions} positions that the model has left for one sentence, \
                 and its first values are those of a sentence",
                prefix.tokens
            ),
            "set `tokens` in [method.prefix] to less; the paper has 5",
        )),
    }
}
