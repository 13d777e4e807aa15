//! What each model family's `config.json` says, and which tensors follow from it.
//!
//! A new family is a file beside `roberta.rs`, and a variant of [`Config`] in this one.

pub mod roberta;

use std::path::Path;

use mezo_spec::Trained;
use serde::Deserialize;
use serde_json::Value;

use self::roberta::RobertaConfig;
use crate::error::ModelError;

/// The config of a model, of one of the families.
#[derive(Debug, Clone, PartialEq)]
pub enum Config {
    /// RoBERTa.
    Roberta(RobertaConfig),
}

/// What of a `config.json` says which family's it is.
#[derive(Deserialize)]
struct Named {
    model_type: String,
}

impl Config {
    /// Reads a `config.json`; keys that its family has no use for are left alone.
    ///
    /// # Errors
    /// If the text is not such a file, or describes a model of no known family.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ModelError> {
        let named: Named =
            serde_json::from_str(text).map_err(|error| ModelError::json(path.into(), &error))?;
        match named.model_type.as_str() {
            roberta::MODEL_TYPE => RobertaConfig::parse(path, text).map(Self::Roberta),
            other => Err(ModelError::Config {
                path: path.into(),
                message: format!(
                    "model_type is `{other}`, expected `{}`",
                    roberta::MODEL_TYPE
                ),
            }),
        }
    }

    /// The values that are read of it, for a run's id: what else the file says is no part of them.
    pub fn values(&self) -> Value {
        // Numbers and strings in a plain struct always serialise.
        match self {
            Self::Roberta(config) => serde_json::to_value(config).unwrap_or_default(),
        }
    }

    /// Words of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        match self {
            Self::Roberta(config) => config.vocab_size,
        }
    }

    /// H, the width of the hidden states.
    pub fn hidden_size(&self) -> usize {
        match self {
            Self::Roberta(config) => config.hidden_size,
        }
    }

    /// The most tokens a sentence can have.
    pub fn max_tokens(&self) -> usize {
        match self {
            Self::Roberta(config) => config.max_tokens(),
        }
    }

    /// How many scalars such a run trains.
    pub fn trained_scalars(&self, trained: &Trained) -> usize {
        match self {
            Self::Roberta(config) => config.trained_scalars(trained),
        }
    }

    /// How many scalars the reference perturbs beside those that its forward pass reads.
    pub fn unread_scalars(&self, trained: &Trained, classes: usize) -> usize {
        match self {
            Self::Roberta(config) => config.unread_scalars(trained.tuning, classes),
        }
    }

    /// The tensors of its files with their shapes, in the order in which a model walks its weights.
    pub(crate) fn tensors(&self, own_decoder: bool) -> Vec<(String, Vec<usize>)> {
        match self {
            Self::Roberta(config) => config.tensors(own_decoder),
        }
    }

    /// Whether files carry the tensor of this name and the model has no use for it.
    pub(crate) fn is_unused(&self, name: &str) -> bool {
        match self {
            Self::Roberta(_) => roberta::is_unused(name),
        }
    }

    /// Second names in files, each with the first one.
    pub(crate) fn aliases(&self) -> &[(&'static str, &'static str)] {
        match self {
            Self::Roberta(_) => &[(roberta::DECODER_BIAS, roberta::HEAD_BIAS)],
        }
    }

    /// The names of the decoder's own matrix and of the word table.
    pub(crate) fn decoder_and_words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Roberta(_) => (roberta::DECODER, roberta::WORDS),
        }
    }

    /// How many scalars the tables and layers have, small vectors left out.
    pub(crate) fn scalars(&self) -> u128 {
        match self {
            Self::Roberta(config) => config.scalars(),
        }
    }

    /// How many layers there are.
    pub(crate) fn layers(&self) -> usize {
        match self {
            Self::Roberta(config) => config.num_hidden_layers,
        }
    }

    /// How many tensors a layer is in a file.
    pub(crate) fn tensors_of_a_layer(&self) -> usize {
        match self {
            Self::Roberta(_) => roberta::TENSORS_OF_A_LAYER,
        }
    }
}
