//! What is the same for models of every family.

use std::path::Path;

use burn::tensor::{Device, Tensor};

use crate::adapters::lora::LoraConfig;
use crate::adapters::prefix::PrefixConfig;
use crate::batch::{Batch, Batches};
use crate::families::roberta::Roberta;
use crate::families::{Model, Unsupported};
use crate::ops::Products;
use crate::ops::score::Scores;
use crate::parameters::Stored;
use crate::precision::Precision;
use crate::probe::Probes;
use crate::weight::Weight;
use mezo_spec::TuningName as Tuning;
use mezo_weights::ModelError;
use mezo_weights::ModelFiles;
use mezo_weights::NamedTensor;
use mezo_weights::RobertaConfig;

/// Passes.
impl Model {
    /// The scores of `words` at each sentence's asked token, for every probe; with a classifier attached, those of its
    /// classes, and `words` is not read.
    ///
    /// Through the last layer only the asked row is carried, and of the decoder only the rows of `words` are read.
    /// Both leave the numbers as they are.
    ///
    /// # Shapes
    /// T tokens of B sentences, C words -> P x B x C scores
    pub fn scores(&self, batch: Batch<'_>, words: &[usize], probes: &Probes<'_>) -> Scores {
        self.family().scores(Batches::new(&[batch]), words, probes)
    }

    /// The log-likelihood of what follows each sentence's asked token, for every probe.
    ///
    /// # Shapes
    /// T tokens of B sentences -> P x B x 1 scores
    ///
    /// # Errors
    /// If the family has none: an encoder sees what follows.
    pub fn continuation_scores(
        &self,
        batch: Batch<'_>,
        probes: &Probes<'_>,
    ) -> Result<Scores, Unsupported> {
        let all = [batch];
        self.family()
            .continuation_scores(Batches::new(&all), probes)
    }

    /// What linear probing reads at each sentence's asked token: for words the input of the decoder, with a classifier
    /// attached the hidden state itself.
    ///
    /// # Shapes
    /// T tokens of B sentences -> `[P or 1, B, H]`
    pub fn features(&self, batch: Batch<'_>, probes: &Probes<'_>) -> Tensor<3> {
        self.family().features(Batches::new(&[batch]), probes)
    }

    /// What the head's last linear layer reads at each sentence's asked token: for words the features, with a classifier
    /// attached what its first layer makes of them.
    ///
    /// # Shapes
    /// T tokens of B sentences -> `[P or 1, B, H]`
    pub fn head_inputs(&self, batch: Batch<'_>, probes: &Probes<'_>) -> Tensor<3> {
        self.family().head_inputs(Batches::new(&[batch]), probes)
    }

    /// Every hidden state: the embeddings, then the output of each layer.
    ///
    /// # Shapes
    /// layers + 1 tensors `[P or 1, T, H]`
    pub fn hidden_states(&self, batch: Batch<'_>, probes: &Probes<'_>) -> Vec<Tensor<3>> {
        self.family().hidden_states(Batches::new(&[batch]), probes)
    }

    /// Sets what matrix products of forward passes read from now on, where the device has such products; f32 until then.
    /// Backpropagation reads what burn's own products read: f32 on the CPU, TF32 on CUDA.
    pub fn set_precision(&mut self, precision: Precision) {
        *self.family_mut().products_mut() = Products {
            precision,
            rounded: false,
        };
    }

    /// The same on any device: the CPU rounds what products read. It is slow, and there to see what a precision does.
    pub fn round_to(&mut self, precision: Precision) {
        *self.family_mut().products_mut() = Products {
            precision,
            rounded: true,
        };
    }

    /// The device the model lives on.
    pub fn device(&self) -> Device {
        self.family().device()
    }

    /// How many words it knows.
    pub fn vocabulary(&self) -> usize {
        self.family().vocabulary()
    }
}

/// The head, and what is put beside the layers.
impl Model {
    /// Whether its decoder is another table than the words'.
    pub fn has_own_decoder(&self) -> bool {
        self.family().has_own_decoder()
    }

    /// Gives the head a decoder of its own, a copy of the word table, where it had none.
    pub fn untie_decoder(&mut self) {
        self.family_mut().untie_decoder();
    }

    /// Writes rows and biases into the head's last linear layer; linear probing puts its solution there. Of a head for
    /// words they are those of `words`, and the decoder is the head's own from then on; a classifier has one row for each
    /// class, and `words` is not read.
    ///
    /// # Shapes
    /// C words -> C rows of H, C biases
    ///
    /// # Panics
    /// If there is not one row of the model's width and one bias for each word or class.
    pub fn set_head_rows(&mut self, words: &[usize], rows: &[Vec<f32>], bias: &[f32]) {
        self.family_mut().set_head_rows(words, rows, bias);
    }

    /// Puts a classifier in the place of the head for words, its first values drawn by the seed.
    ///
    /// From then on there is one score for each class, and the head for words is out of use: it is neither trained nor
    /// saved.
    pub fn attach_classifier(&mut self, classes: usize, seed: u64) {
        self.family_mut().attach_classifier(classes, seed);
    }

    /// Puts a low-rank term beside the query and value of every layer, as the paper's LoRA runs do; its first values are
    /// drawn by the seed.
    pub fn attach_lora(&mut self, config: LoraConfig, seed: u64) {
        self.family_mut().attach_lora(config, seed);
    }

    /// Puts a prefix in front of every layer's keys and values, its first values drawn by the seed. The trained tensors are
    /// the keys and values themselves.
    ///
    /// # Panics
    /// If there are to be no tokens, or, where it starts from activations, more than a sentence can have.
    pub fn attach_prefix(&mut self, config: PrefixConfig, seed: u64) {
        self.family_mut().attach_prefix(config, seed);
    }
}

/// What is trained.
impl Model {
    /// Visits every weight with its name in a file, in a fixed order.
    pub(crate) fn each<'a>(&'a self, visit: &mut dyn FnMut(String, Stored, &'a Weight)) {
        self.family().each(visit);
    }

    /// The same walk, for changing weights.
    pub(crate) fn each_mut(&mut self, visit: &mut dyn FnMut(String, Stored, &mut Weight)) {
        self.family_mut().each_mut(visit);
    }

    /// Marks the weights that are trained and numbers them in the order of the walk; all others are frozen.
    ///
    /// `with_head` trains the head along with LoRA, the prefixes or the biases, as the reference does beside LoRA
    /// (run.py:939-942). A head for words that a classifier has replaced is never trained: nothing reads it.
    pub fn train_only(&mut self, tuning: Tuning, with_head: bool) {
        self.family_mut().train_only(tuning, with_head);
    }

    /// How many scalars are trained.
    pub fn trainable_scalars(&self) -> usize {
        let mut count = 0;
        self.each(&mut |_, _, weight| {
            count += weight.parameter.map_or(0, |_| weight.len());
        });
        count
    }

    /// Names of the trained tensors, in the order of their numbers.
    pub fn trainable_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.each(&mut |name, _, weight| {
            if weight.parameter.is_some() {
                names.push(name);
            }
        });
        names
    }

    /// The trained tensors as files hold them.
    pub fn trainable_tensors(&self) -> Vec<NamedTensor> {
        let mut tensors = Vec::new();
        self.each(&mut |name, stored, weight| {
            if weight.parameter.is_some() {
                tensors.push(weight.named(name, stored));
            }
        });
        tensors
    }

    /// Takes the values of the trained tensors from a file's.
    ///
    /// # Errors
    /// If one is missing, misshapen, or not among the trained ones; `path` is named in the error.
    pub fn set_trainable(
        &mut self,
        tensors: Vec<NamedTensor>,
        path: &Path,
    ) -> Result<(), ModelError> {
        self.family_mut().set_trainable(tensors, path)
    }
}

/// Into files.
impl Model {
    /// Writes the whole model as a folder in Hugging Face's layout: `config.json`, `model.safetensors` in f32, and the
    /// tokenizer's files as they are. LoRA's terms and prefixes are not part of it; [`Self::save_adapter`] and
    /// [`Self::save_prefix`] write those.
    ///
    /// # Errors
    /// If the files the model came from cannot be read, or the folder not be written.
    pub fn save(&self, files: &ModelFiles, folder: &Path) -> Result<(), ModelError> {
        self.family().save(files, folder)
    }

    /// Writes LoRA's terms as an adapter folder in PEFT's layout, and the head beside them (`modules_to_save`) where it
    /// is not the base model's: trained too, or frozen as it was attached.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn save_adapter(
        &self,
        lora: LoraConfig,
        base: &str,
        folder: &Path,
    ) -> Result<(), ModelError> {
        self.family().save_lora(lora, base, folder)
    }

    /// Writes the prefixes as a folder of this program's own, with the head where it is not the base model's.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn save_prefix(&self, base: &str, folder: &Path) -> Result<(), ModelError> {
        self.family().save_prefix(base, folder)
    }
}

/// Without files.
impl Model {
    /// A RoBERTa of these sizes as Hugging Face's library starts one: matrices and tables from `N(0, 0.02^2)`, the gains of
    /// the norms one, biases zero. Nothing of it is marked as trained.
    pub fn random(config: &RobertaConfig, seed: u64, device: &Device) -> Self {
        Self::Roberta(Roberta::random(config, seed, device))
    }
}
