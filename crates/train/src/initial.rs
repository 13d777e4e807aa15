//! A run's model before its first step: loaded, with all that the method puts beside it, and marked with what is trained.

use mezo_model::{LoraConfig, Model, PrefixConfig, PrefixInit};
use mezo_spec::{HeadKind, MethodName, PrefixInit as Init, RunConfig, Trained, Tuning};
use mezo_tasks::Examples;

use crate::error::TrainError;
use crate::linear_probe;

/// The model of a run from the one that its files hold. Everything random in it is drawn by the run's seed.
/// `alive` is called while linear probing reads the train rows.
pub(crate) fn model(
    mut model: Model,
    config: &RunConfig,
    examples: &Examples,
    alive: &dyn Fn(),
) -> Result<Model, TrainError> {
    model.set_precision(config.precision);
    let seed = config.method.seed().unwrap_or(0);
    let Some(trained) = Trained::of(config, examples.classes, false) else {
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
        linear_probe::start(&mut model, examples, alive)?;
    }
    let tuning = config.method.tuning();
    if let Some(lora) = tuning.and_then(Tuning::lora) {
        let config = LoraConfig {
            rank: lora.r,
            alpha: lora.alpha,
        };
        model.attach_lora(config, seed);
    }
    if let Some(prefix) = tuning.and_then(Tuning::prefix) {
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
