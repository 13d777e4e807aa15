//! What a model family is.

use std::path::Path;

use burn::tensor::{Device, Tensor};

use crate::adapters::lora::LoraConfig;
use crate::adapters::prefix::PrefixConfig;
use crate::batch::Batches;
use crate::ops::Products;
use crate::ops::score::{Readout, Scores, scores};
use crate::parameters::Stored;
use crate::probe::Probes;
use crate::weight::Weight;
use mezo_spec::TuningName as Tuning;
use mezo_weights::ModelError;
use mezo_weights::ModelFiles;
use mezo_weights::NamedTensor;

/// A language model whose trainable parameters are seen in perturbed copies: it scores label words, or a continuation, for
/// each of them. Encoders and decoders differ in this; [`Model`](super::Model) has what is the same for all.
///
/// Hidden states are `[P, T, H]`: probes, packed tokens, width. As long as nothing that a probe moves has been passed, the
/// leading axis is 1 and the work is shared.
pub(crate) trait LanguageModel {
    /// Its `model_type` in a `config.json`.
    fn family(&self) -> &'static str;

    /// Visits every weight with its name in a file, in a fixed order: the trained ones are numbered in it.
    fn each<'a>(&'a self, visit: &mut dyn FnMut(String, Stored, &'a Weight));

    /// The same walk, for changing weights.
    fn each_mut(&mut self, visit: &mut dyn FnMut(String, Stored, &mut Weight));

    /// The device it lives on.
    fn device(&self) -> Device;

    /// How many words it knows.
    fn vocabulary(&self) -> usize;

    /// What matrix products of its passes read.
    fn products_mut(&mut self) -> &mut Products;

    /// What the scores of `words` at each sentence's asked token are made of; with a classifier attached, those of its classes.
    fn readout(&self, batches: Batches<'_>, words: &[usize], probes: &Probes<'_>) -> Readout;

    /// The scores of `words` at each sentence's asked token, for every probe; with a classifier attached, those of its
    /// classes, and `words` is not read. Of the decoder only the rows of `words` are read.
    ///
    /// # Shapes
    /// T tokens of B sentences, C words -> P x B x C scores
    fn scores(&self, batches: Batches<'_>, words: &[usize], probes: &Probes<'_>) -> Scores {
        scores(self.readout(batches, words, probes))
    }

    /// The log-likelihood of what follows each sentence's asked token, for every probe. Decoders have it.
    ///
    /// # Shapes
    /// T tokens of B sentences -> P x B x 1 scores
    ///
    /// # Errors
    /// If the family has none.
    fn continuation_scores(
        &self,
        batches: Batches<'_>,
        probes: &Probes<'_>,
    ) -> Result<Scores, Unsupported> {
        let _ = (batches, probes);
        Err(Unsupported {
            family: self.family(),
            what: "scores of a continuation",
        })
    }

    /// What linear probing reads at each sentence's asked token.
    ///
    /// # Shapes
    /// T tokens of B sentences -> `[P or 1, B, H]`
    fn features(&self, batches: Batches<'_>, probes: &Probes<'_>) -> Tensor<3>;

    /// What the head's last linear layer reads at each sentence's asked token.
    ///
    /// # Shapes
    /// T tokens of B sentences -> `[P or 1, B, H]`
    fn head_inputs(&self, batches: Batches<'_>, probes: &Probes<'_>) -> Tensor<3>;

    /// The embeddings, then the output of each layer.
    ///
    /// # Shapes
    /// layers + 1 tensors `[P or 1, T, H]`
    fn hidden_states(&self, batches: Batches<'_>, probes: &Probes<'_>) -> Vec<Tensor<3>>;

    /// Whether its decoder is another table than the words'.
    fn has_own_decoder(&self) -> bool;

    /// Gives it a decoder of its own, a copy of the word table, where it had none.
    fn untie_decoder(&mut self);

    /// Writes rows and biases into the head's last linear layer, of words or of a classifier's classes.
    fn set_head_rows(&mut self, words: &[usize], rows: &[Vec<f32>], bias: &[f32]);

    /// Puts a classifier in the place of the head for words.
    fn attach_classifier(&mut self, classes: usize, seed: u64);

    /// Puts a low-rank term beside the query and value of every layer.
    fn attach_lora(&mut self, config: LoraConfig, seed: u64);

    /// Puts a prefix in front of every layer's keys and values.
    fn attach_prefix(&mut self, config: PrefixConfig, seed: u64);

    /// Marks the weights that are trained, numbers them in the order of the walk, and freezes the others.
    fn train_only(&mut self, tuning: Tuning, with_head: bool);

    /// Takes the values of the trained tensors from a file's.
    fn set_trainable(&mut self, tensors: Vec<NamedTensor>, path: &Path) -> Result<(), ModelError>;

    /// The layer of a trained tensor of this name, for perturbations that are scaled by layer.
    fn group(&self, name: &str) -> String;

    /// Writes the whole model as a folder in Hugging Face's layout.
    fn save(&self, files: &ModelFiles, folder: &Path) -> Result<(), ModelError>;

    /// Writes LoRA's terms as an adapter folder in PEFT's layout.
    fn save_lora(&self, lora: LoraConfig, base: &str, folder: &Path) -> Result<(), ModelError>;

    /// Writes the prefixes as a folder.
    fn save_prefix(&self, base: &str, folder: &Path) -> Result<(), ModelError>;
}

/// A family is asked for what it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a model of the family `{family}` has no {what}")]
pub struct Unsupported {
    /// Its `model_type` in a `config.json`.
    pub family: &'static str,
    /// What it has not.
    pub what: &'static str,
}
