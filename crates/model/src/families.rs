//! Model families: a file or a folder here for each, under the name that `config.json` calls it (`model_type`).
//!
//! A new family is a file with its [`LanguageModel`], and in this one a variant of [`Model`] and a line of [`FAMILIES`].

mod language_model;
pub(crate) mod roberta;

use burn::tensor::Device;
use serde::Deserialize;

use self::roberta::Roberta;
use crate::config::RobertaConfig;
use crate::error::ModelError;
use crate::folder::ModelFiles;

pub(crate) use language_model::LanguageModel;
pub use language_model::Unsupported;

/// A model of one of the families.
#[derive(Debug, Clone)]
pub enum Model {
    /// RoBERTa, an encoder for masked words.
    Roberta(Roberta),
}

/// Loads a family's model onto a device.
type Load = fn(&ModelFiles, &Device) -> Result<Loaded, ModelError>;

/// Every family by its `model_type`.
const FAMILIES: &[(&str, Load)] = &[("roberta", load_roberta)];

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
}

/// A model as it was loaded, and what identifies it.
#[derive(Debug)]
pub struct Loaded {
    /// The model, nothing of it marked as trained.
    pub model: Model,
    /// Its sizes.
    pub config: RobertaConfig,
    /// SHA-256 over names, shapes and f32 values of the weights in use: the same for the same numbers, however they were
    /// split over files or what else lay beside them.
    pub sha256: String,
}

/// Loads a model onto a device, of the family that its `config.json` names.
///
/// An absent `lm_head.decoder.weight` is the word table, and so is one with the same values; another one is kept apart.
///
/// # Errors
/// If the family is unknown, a file is missing, broken or a Git LFS pointer, or a tensor is missing, unknown, misshapen, of
/// another dtype or not finite. The error names the file and the tensor.
pub fn load(files: &ModelFiles, device: &Device) -> Result<Loaded, ModelError> {
    let (path, text) = files.config()?;
    let named: Named =
        serde_json::from_str(&text).map_err(|error| ModelError::json(path.clone(), &error))?;
    let family = FAMILIES.iter().find(|(name, _)| *name == named.model_type);
    let Some((_, load)) = family else {
        let known = FAMILIES.iter().map(|(name, _)| format!("`{name}`"));
        return Err(ModelError::Config {
            path,
            message: format!(
                "model_type is `{}`, expected {}",
                named.model_type,
                known.collect::<Vec<_>>().join(" or ")
            ),
        });
    };
    load(files, device)
}

/// What of a `config.json` says which family's it is.
#[derive(Deserialize)]
struct Named {
    model_type: String,
}

fn load_roberta(files: &ModelFiles, device: &Device) -> Result<Loaded, ModelError> {
    let loaded = crate::load::load(files, device)?;
    Ok(Loaded {
        model: Model::Roberta(loaded.model),
        config: loaded.config,
        sha256: loaded.sha256,
    })
}
