//! Model families: a file or a folder here for each, under the name that `config.json` calls it (`model_type`).
//!
//! A new family is a file with its [`LanguageModel`], and in this one a variant of [`Model`]. What its config and its files are
//! is `mezo-weights`' part.

mod language_model;
pub(crate) mod roberta;

use burn::tensor::Device;
use mezo_weights::{Checkpoint, Config, ModelError, ModelFiles};

use self::roberta::Roberta;

pub(crate) use language_model::LanguageModel;
pub use language_model::Unsupported;

/// A model of one of the families.
#[derive(Debug, Clone)]
pub enum Model {
    /// RoBERTa, an encoder for masked words.
    Roberta(Roberta),
}

impl Model {
    /// As what its family is.
    pub(crate) fn family(&self) -> &dyn LanguageModel {
        match self {
            Self::Roberta(roberta) => roberta,
        }
    }

    /// The same, for changes.
    pub(crate) fn family_mut(&mut self) -> &mut dyn LanguageModel {
        match self {
            Self::Roberta(roberta) => roberta,
        }
    }

    /// A model with the checkpoint's tensors, each of them zero.
    fn zeros(checkpoint: &Checkpoint, device: &Device) -> Self {
        match &checkpoint.config {
            Config::Roberta(config) => {
                let own_decoder = checkpoint.has_own_decoder();
                Self::Roberta(Roberta::zeros(config, own_decoder, device))
            }
        }
    }
}

/// A model as it was loaded, and what identifies it.
#[derive(Debug)]
pub struct Loaded {
    /// The model, nothing of it marked as trained.
    pub model: Model,
    /// Its sizes.
    pub config: Config,
    /// SHA-256 of the weights in use, as [`Checkpoint::check`] gives it.
    pub sha256: String,
}

/// Loads a model onto a device, of the family that its `config.json` names.
///
/// An absent `lm_head.decoder.weight` is the word table, and so is one with the same values; another one is kept apart.
///
/// # Errors
/// As [`Checkpoint::open`] and [`Checkpoint::check`].
pub fn load(files: &ModelFiles, device: &Device) -> Result<Loaded, ModelError> {
    let checkpoint = Checkpoint::open(files)?;
    // Memory of just its size: what a device lends for a moment comes in pieces as large as the largest weight.
    device.memory_persistent_allocations((), |()| fill(&checkpoint, device))
}

fn fill(checkpoint: &Checkpoint, device: &Device) -> Result<Loaded, ModelError> {
    let mut model = Model::zeros(checkpoint, device);
    let mut values = checkpoint.values();
    let mut filled = Ok(());
    model.family_mut().each_mut(&mut |name, stored, weight| {
        if filled.is_ok() {
            let found = values.next(&name);
            filled = found.map(|values| weight.set_from_file(stored, values));
        }
    });
    filled?;
    let sha256 = values.sha256();
    Ok(Loaded {
        model,
        config: checkpoint.config.clone(),
        sha256,
    })
}
