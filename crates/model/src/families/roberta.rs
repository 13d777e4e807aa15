//! RoBERTa for masked words, with a probe axis.

mod adapters;
mod classifier;
mod encoder;
mod names;
mod random;
mod save;

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use self::classifier::Classifier;
use self::encoder::EncoderLayer;
use super::language_model::LanguageModel;
use crate::adapters::lora::LoraConfig;
use crate::adapters::prefix::PrefixConfig;
use crate::batch::Batches;
use crate::device;
use crate::layers::{LayerNorm, Linear};
use crate::ops::score::Readout;
use crate::ops::sentences::Mask;
use crate::ops::{self, Activation, Embedding, Products};
use crate::parameters::Stored;
use crate::probe::Probes;
use crate::weight::Weight;
use mezo_spec::TuningName as Tuning;
use mezo_weights::ModelError;
use mezo_weights::ModelFiles;
use mezo_weights::RobertaConfig;
use mezo_weights::{NamedTensor, is_head};

/// What a pass's tokens are filled up to a multiple of on a GPU: 1 to 2 % more rows of a usual batch.
const BUCKET: usize = 64;

/// RoBERTa with its masked-word head.
///
/// Hidden states are `[P, T, H]`: probes, packed tokens, width. As long as nothing that a probe moves has been passed,
/// the leading axis is 1 and the work is shared.
#[derive(Module, Debug)]
pub struct Roberta {
    pub(crate) embeddings: Embeddings,
    pub(crate) layers: Vec<EncoderLayer>,
    pub(crate) head: Head,
    /// In the head's place where it is there.
    pub(crate) classifier: Option<Classifier>,
    /// Whether the head has values that the files it was loaded from lack: trained or not, it must be saved.
    pub(crate) new_head: bool,
    /// What matrix products read.
    #[module(skip)]
    pub(crate) products: Products,
}

/// Word, position and token-type tables and the norm after them.
#[derive(Module, Debug)]
pub struct Embeddings {
    /// `[vocabulary, H]`; the decoder too, unless the head has its own.
    pub(crate) word: Weight,
    /// `[positions, H]`
    pub(crate) position: Weight,
    /// `[types, H]`
    pub(crate) token_type: Weight,
    pub(crate) norm: LayerNorm,
    /// Position of a sentence's first token.
    pub(crate) first_position: usize,
}

/// The head that turns a hidden state into scores of words.
#[derive(Module, Debug)]
pub struct Head {
    pub(crate) dense: Linear,
    pub(crate) norm: LayerNorm,
    /// `[vocabulary, 1]`
    pub(crate) bias: Weight,
    /// `[vocabulary, H]` where the decoder is not the word table.
    pub(crate) decoder: Option<Weight>,
}

impl Embeddings {
    /// # Shapes
    /// T ids -> `[P or 1, T, H]`
    pub(crate) fn forward(&self, batches: Batches<'_>, probes: &Probes<'_>) -> Tensor<3> {
        let (word, word_of) = probes.table(&self.word, batches.ids());
        let places = batches.positions().into_iter();
        let places = places.map(|place| self.first_position + place).collect();
        let (position, position_of) = probes.table(&self.position, places);
        let token_type = probes.rows(&self.token_type, &[0]);
        let of = Embedding {
            word,
            word_of: &word_of,
            position,
            position_of: &position_of,
            token_type: Some(token_type),
            batches: batches.count(),
        };
        let ops = ops::of(of.tensors(), probes.products());
        let sum = ops.embedding(of);
        probes.drop_hidden(self.norm.forward(sum, probes))
    }
}

impl Head {
    /// The hidden state the decoder reads.
    ///
    /// # Shapes
    /// `[P or 1, B, H]` -> the same
    fn forward(&self, x: Tensor<3>, probes: &Probes<'_>) -> Tensor<3> {
        let inner = self.dense.then(Activation::Gelu, x, probes);
        self.norm.forward(inner, probes)
    }
}

impl Roberta {
    pub(crate) fn device(&self) -> Device {
        self.embeddings.word.value.val().device()
    }

    /// What was put beside the layers: LoRA's terms and prefixes.
    fn attached(&self) -> Vec<&Weight> {
        self.layers
            .iter()
            .flat_map(EncoderLayer::attached)
            .collect()
    }

    /// The last hidden state of each sentence's asked token. Through the last layer that row alone is carried.
    fn asked_states(&self, batches: Batches<'_>, probes: &Probes<'_>) -> Tensor<3> {
        let mut x = self.embeddings.forward(batches, probes);
        let asked = |x| ops::select(x, &batches.asked(), batches.count());
        let Some((last, before)) = self.layers.split_last() else {
            return asked(x);
        };
        let sentences = batches.sentences(Mask::Sentence);
        for layer in before {
            x = layer.forward(x, &sentences, probes);
        }
        let rows = asked(x.clone());
        last.forward_asked(x, rows, &sentences, probes)
    }

    fn decoder(&self) -> &Weight {
        self.head.decoder.as_ref().unwrap_or(&self.embeddings.word)
    }

    /// Gives the head a decoder of its own, a copy of the word table, where it had none: the reference trains the two
    /// apart (medium_models/src/models.py:188).
    pub(crate) fn untie_decoder(&mut self) {
        let words = &self.embeddings.word;
        let copy = || Weight::new(words.value.val());
        self.head.decoder.get_or_insert_with(copy);
    }

    /// A model of these sizes with every weight zero, to be filled from a file; with `own_decoder` the decoder is not the word
    /// table.
    pub(crate) fn zeros(config: &RobertaConfig, own_decoder: bool, device: &Device) -> Self {
        let h = config.hidden_size;
        let epsilon = config.layer_norm_eps;
        let matrix = |rows, columns| Weight::new(Tensor::zeros([rows, columns], device));
        let linear = |input, output| Linear {
            weight: matrix(input, output),
            bias: matrix(1, output),
            lora: None,
        };
        let norm = || LayerNorm {
            weight: matrix(1, h),
            bias: matrix(1, h),
            epsilon,
        };
        let layer = || EncoderLayer {
            query: linear(h, h),
            key: linear(h, h),
            value: linear(h, h),
            attention_output: linear(h, h),
            attention_norm: norm(),
            up: linear(h, config.intermediate_size),
            down: linear(config.intermediate_size, h),
            norm: norm(),
            heads: config.num_attention_heads,
            prefix: None,
        };
        Self {
            embeddings: Embeddings {
                word: matrix(config.vocab_size, h),
                position: matrix(config.max_position_embeddings, h),
                token_type: matrix(config.type_vocab_size, h),
                norm: norm(),
                first_position: config.first_position(),
            },
            layers: (0..config.num_hidden_layers).map(|_| layer()).collect(),
            head: Head {
                dense: linear(h, h),
                norm: norm(),
                bias: matrix(config.vocab_size, 1),
                decoder: own_decoder.then(|| matrix(config.vocab_size, h)),
            },
            classifier: None,
            new_head: false,
            products: Products::F32,
        }
    }
}

impl LanguageModel for Roberta {
    fn family(&self) -> &'static str {
        "roberta"
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(String, Stored, &'a Weight)) {
        Self::each(self, "", visit);
    }

    fn each_mut(&mut self, visit: &mut dyn FnMut(String, Stored, &mut Weight)) {
        Self::each_mut(self, "", visit);
    }

    fn device(&self) -> Device {
        Self::device(self)
    }

    fn vocabulary(&self) -> usize {
        self.embeddings.word.dims()[0]
    }

    fn products_mut(&mut self) -> &mut Products {
        &mut self.products
    }

    fn readout(&self, batches: Batches<'_>, words: &[usize], probes: &Probes<'_>) -> Readout {
        let probes = &probes.with(self.products);
        let features = self.features(batches, probes);
        match &self.classifier {
            Some(classifier) => classifier.readout(features, probes),
            None => Readout {
                hidden: features,
                rows: probes.rows(self.decoder(), words),
                bias: probes.rows(&self.head.bias, words),
            },
        }
    }

    /// For words the input of the decoder (after dense, GELU and norm), with a classifier attached the hidden state itself.
    fn features(&self, batches: Batches<'_>, probes: &Probes<'_>) -> Tensor<3> {
        let probes = &probes.with(self.products).ahead(&self.attached());
        let batches = match device::is_cpu(&self.device()) {
            true => batches,
            false => batches.in_multiples_of(BUCKET),
        };
        let asked = self.asked_states(batches, probes);
        match &self.classifier {
            Some(_) => asked,
            None => self.head.forward(asked, probes),
        }
    }

    /// For words the features, with a classifier attached what its first layer makes of them.
    fn head_inputs(&self, batches: Batches<'_>, probes: &Probes<'_>) -> Tensor<3> {
        let probes = &probes.with(self.products);
        let features = self.features(batches, probes);
        match &self.classifier {
            Some(classifier) => classifier.readout(features, probes).hidden,
            None => features,
        }
    }

    fn hidden_states(&self, batches: Batches<'_>, probes: &Probes<'_>) -> Vec<Tensor<3>> {
        let probes = &probes.with(self.products);
        let sentences = batches.sentences(Mask::Sentence);
        let mut states = vec![self.embeddings.forward(batches, probes)];
        for (number, layer) in self.layers.iter().enumerate() {
            let next = layer.forward(states[number].clone(), &sentences, probes);
            states.push(next);
        }
        states
    }

    fn has_own_decoder(&self) -> bool {
        self.head.decoder.is_some()
    }

    fn untie_decoder(&mut self) {
        Self::untie_decoder(self);
    }

    fn set_head_rows(&mut self, words: &[usize], rows: &[Vec<f32>], bias: &[f32]) {
        if let Some(classifier) = &mut self.classifier {
            let classes: Vec<usize> = (0..classifier.rows.dims()[0]).collect();
            assert_eq!((rows.len(), bias.len()), (classes.len(), classes.len()));
            let values = rows.iter().map(Vec::as_slice);
            classifier.rows.set_rows(&classes, values);
            classifier.bias.set_rows(&classes, bias.chunks_exact(1));
            return;
        }
        assert_eq!((rows.len(), bias.len()), (words.len(), words.len()));
        self.untie_decoder();
        if let Some(decoder) = &mut self.head.decoder {
            decoder.set_rows(words, rows.iter().map(Vec::as_slice));
        }
        self.head.bias.set_rows(words, bias.chunks_exact(1));
        self.new_head = true;
    }

    fn attach_classifier(&mut self, classes: usize, seed: u64) {
        Self::attach_classifier(self, classes, seed);
    }

    fn attach_lora(&mut self, config: LoraConfig, seed: u64) {
        Self::attach_lora(self, config, seed);
    }

    fn attach_prefix(&mut self, config: PrefixConfig, seed: u64) {
        Self::attach_prefix(self, config, seed);
    }

    fn train_only(&mut self, tuning: Tuning, with_head: bool) {
        Self::train_only(self, tuning, with_head);
    }

    fn set_trainable(&mut self, tensors: Vec<NamedTensor>, path: &Path) -> Result<(), ModelError> {
        Self::set_trainable(self, tensors, path)
    }

    /// The reference's groups (medium_models/src/trainer.py:298-385). A classifier stands with the head for words.
    fn group(&self, name: &str) -> String {
        group(name)
    }

    fn save(&self, files: &ModelFiles, folder: &Path) -> Result<(), ModelError> {
        self.save_whole(files, folder)
    }

    fn save_lora(&self, lora: LoraConfig, base: &str, folder: &Path) -> Result<(), ModelError> {
        self.save_adapter(lora, base, folder)
    }

    fn save_prefix(&self, base: &str, folder: &Path) -> Result<(), ModelError> {
        self.save_prefixes(base, folder)
    }
}

fn group(name: &str) -> String {
    if is_head(name) {
        return "lm_head".into();
    }
    let layer = name
        .strip_prefix("roberta.encoder.")
        .unwrap_or(name)
        .strip_prefix("layer.")
        .and_then(|rest| rest.split_once('.'));
    match layer {
        Some((number, _)) => format!("layer.{number}."),
        None => "embed".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_by_name() {
        for (name, expected) in [
            ("roberta.embeddings.LayerNorm.bias", "embed"),
            ("roberta.encoder.layer.1.output.dense.weight", "layer.1."),
            ("roberta.encoder.layer.11.output.dense.weight", "layer.11."),
            ("layer.23.prefix_key", "layer.23."),
            ("lm_head.layer_norm.weight", "lm_head"),
            ("classifier.dense.weight", "lm_head"),
        ] {
            assert_eq!(group(name), expected);
        }
    }
}
