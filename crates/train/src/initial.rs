//! A run's model before its first step: loaded, with all that the method puts beside it, and marked with what is trained.

use mezo_model::{HeadKind, LoraConfig, Model, PrefixConfig, PrefixInit, Trained, Tuning};
use mezo_spec::{MethodName, PrefixInit as Init, Protocol, RunConfig, Tuning as Tuned, TuningName};

use crate::error::TrainError;
use crate::linear_probe;
use crate::materials::Examples;

/// The model of a run from the one that its files hold. Everything random in it is drawn by the run's seed.
pub(crate) fn model(
    mut model: Model,
    config: &RunConfig,
    examples: &Examples,
) -> Result<Model, TrainError> {
    model.set_precision(config.precision);
    let seed = config.method.seed().unwrap_or(0);
    let Some(trained) = trained(config, examples.classes, false) else {
        if !config.task.prompt {
            // Linear probing reads what this head would.
            model.attach_classifier(examples.classes, seed);
        }
        return Ok(model);
    };
    match trained.head {
        HeadKind::Tied => {}
        HeadKind::Untied => model.untie_decoder(),
        HeadKind::Classifier { classes } => model.attach_classifier(classes, seed),
    }
    if config.method.name() == MethodName::LpMezo {
        linear_probe::start(&mut model, examples)?;
    }
    let tuning = config.method.tuning();
    if let Some(lora) = tuning.and_then(Tuned::lora) {
        let config = LoraConfig {
            rank: lora.r,
            alpha: lora.alpha,
        };
        model.attach_lora(config, seed);
    }
    if let Some(prefix) = tuning.and_then(Tuned::prefix) {
        let init = match prefix.init {
            Init::Activations => PrefixInit::Activations,
            Init::Random => PrefixInit::Random,
        };
        let config = PrefixConfig {
            tokens: prefix.tokens,
            init,
        };
        model.attach_prefix(config, seed);
    }
    model.train_only(trained.tuning, trained.with_head);
    Ok(model)
}

/// What the method trains under the protocol (docs/protocols.md); nothing where it goes by no steps. `own_decoder` says
/// that the weights bring a decoder that is not the word table.
pub(crate) fn trained(config: &RunConfig, classes: usize, own_decoder: bool) -> Option<Trained> {
    let method = &config.method;
    let own = method.tuning()?;
    let tuning = match own.name() {
        TuningName::Full => Tuning::Full,
        TuningName::Lora => Tuning::Lora,
        TuningName::Prefix => Tuning::Prefix,
        TuningName::Head => Tuning::Head,
        TuningName::Bias => Tuning::Bias,
    };
    let reference = config.protocol == Protocol::ReferenceCode;
    let prompt = config.task.prompt;
    let untied = own_decoder || reference || method.name() == MethodName::LpMezo;
    let head = match (prompt, untied) {
        (false, _) => HeadKind::Classifier { classes },
        (true, true) => HeadKind::Untied,
        (true, false) => HeadKind::Tied,
    };
    let with_head = match (reference, tuning) {
        // run.py:939-942 freezes what is RoBERTa's own, and the head is not.
        (true, Tuning::Lora) => true,
        // prefix.py:115-117 freezes all else, a random head included.
        (true, _) => false,
        // A random head that stays as it is would have nothing to say.
        (false, _) => !prompt,
    };
    Some(Trained {
        tuning,
        with_head,
        head,
        lora_rank: own.lora().map_or(0, |lora| lora.r),
        prefix_tokens: own.prefix().map_or(0, |prefix| prefix.tokens),
    })
}
