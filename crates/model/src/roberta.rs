//! RoBERTa for masked words, with a probe axis.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::batch::{Batch, Batches};
use crate::classifier::Classifier;
use crate::config::RobertaConfig;
use crate::device;
use crate::kernels::score::{Scores, scores};
use crate::kernels::{self, Activation, Embed, Products};
use crate::layer::{EncoderLayer, LayerNorm, Linear};
use crate::precision::Precision;
use crate::probe::Probes;
use crate::weight::Weight;

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

/// What the scores are made of: `hidden . rows[c] + bias[c]`.
pub(crate) struct Readout {
    /// `[P or 1, B, H]`
    pub(crate) hidden: Tensor<3>,
    /// `[P or 1, C, H]`
    pub(crate) rows: Tensor<3>,
    /// `[P or 1, C, 1]`
    pub(crate) bias: Tensor<3>,
}

/// Word, position and token-type tables and the norm after them.
#[derive(Module, Debug)]
pub struct Embeddings {
    /// `[vocabulary, H]`; the decoder too, unless the head has its own.
    pub(crate) word: Weight,
    /// `[positions, H]`
    pub(crate) position: Weight,
    /// `[types, H]`
    pub(crate) kind: Weight,
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
        let kind = probes.rows(&self.kind, &[0]);
        let embed = Embed {
            word,
            word_of: &word_of,
            position,
            position_of: &position_of,
            kind,
            batches: batches.count(),
        };
        let sum = kernels::of(embed.tensors(), probes.products()).embed(embed);
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
    /// The scores of `words` at each sentence's asked token, for every probe; with a classifier attached, those of its
    /// classes, and `words` is not read.
    ///
    /// Through the last layer only the asked row is carried, and of the decoder only the rows of `words` are read.
    /// Both leave the numbers as they are.
    ///
    /// # Shapes
    /// T tokens of B sentences, C words -> P x B x C scores
    pub fn scores(&self, batch: Batch<'_>, words: &[usize], probes: &Probes<'_>) -> Scores {
        self.scores_of(Batches::new(&[batch]), words, probes)
    }

    /// The scores at each sentence's asked token of every batch: for runs that go together, whose probes these are.
    pub(crate) fn scores_of(
        &self,
        batches: Batches<'_>,
        words: &[usize],
        probes: &Probes<'_>,
    ) -> Scores {
        let Readout { hidden, rows, bias } = self.readout(batches, words, probes);
        scores(hidden, rows, bias)
    }

    /// What linear probing reads at each sentence's asked token: for words the input of the decoder (after dense, GELU and
    /// norm), with a classifier attached the hidden state itself.
    ///
    /// # Shapes
    /// T tokens of B sentences -> `[P or 1, B, H]`
    pub fn features(&self, batch: Batch<'_>, probes: &Probes<'_>) -> Tensor<3> {
        self.features_of(Batches::new(&[batch]), probes)
    }

    fn features_of(&self, batches: Batches<'_>, probes: &Probes<'_>) -> Tensor<3> {
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

    /// What the head's last linear layer reads at each sentence's asked token: for words the features, with a classifier
    /// attached what its first layer makes of them.
    ///
    /// # Shapes
    /// T tokens of B sentences -> `[P or 1, B, H]`
    pub fn head_inputs(&self, batch: Batch<'_>, probes: &Probes<'_>) -> Tensor<3> {
        let probes = &probes.with(self.products);
        let features = self.features(batch, probes);
        match &self.classifier {
            Some(classifier) => classifier.readout(features, probes).hidden,
            None => features,
        }
    }

    /// What was put beside the layers: LoRA's terms and prefixes.
    fn attached(&self) -> Vec<&Weight> {
        self.layers
            .iter()
            .flat_map(EncoderLayer::attached)
            .collect()
    }

    /// What [`Self::scores`] multiplies.
    pub(crate) fn readout(
        &self,
        batches: Batches<'_>,
        words: &[usize],
        probes: &Probes<'_>,
    ) -> Readout {
        let probes = &probes.with(self.products);
        let features = self.features_of(batches, probes);
        match &self.classifier {
            Some(classifier) => classifier.readout(features, probes),
            None => Readout {
                hidden: features,
                rows: probes.rows(self.decoder(), words),
                bias: probes.rows(&self.head.bias, words),
            },
        }
    }

    /// The last hidden state of each sentence's asked token.
    fn asked_states(&self, batches: Batches<'_>, probes: &Probes<'_>) -> Tensor<3> {
        let mut x = self.embeddings.forward(batches, probes);
        let asked = |x| kernels::select(x, &batches.asked(), batches.count());
        let Some((last, before)) = self.layers.split_last() else {
            return asked(x);
        };
        let starts = batches.starts();
        for layer in before {
            x = layer.forward(x, &starts, probes);
        }
        let rows = asked(x.clone());
        last.forward_asked(x, rows, &starts, probes)
    }

    /// Every hidden state: the embeddings, then the output of each layer.
    ///
    /// # Shapes
    /// layers + 1 tensors `[P or 1, T, H]`
    pub fn hidden_states(&self, batch: Batch<'_>, probes: &Probes<'_>) -> Vec<Tensor<3>> {
        let probes = &probes.with(self.products);
        let all = [batch];
        let batches = Batches::new(&all);
        let starts = batches.starts();
        let mut states = vec![self.embeddings.forward(batches, probes)];
        for (number, layer) in self.layers.iter().enumerate() {
            let next = layer.forward(states[number].clone(), &starts, probes);
            states.push(next);
        }
        states
    }

    /// Sets what matrix products of forward passes read from now on, where the device has such products; f32 until then.
    /// Backpropagation reads what burn's own products read: f32 on the CPU, TF32 on CUDA.
    pub fn set_precision(&mut self, precision: Precision) {
        self.products = Products {
            precision,
            rounded: false,
        };
    }

    /// The same on any device: the CPU rounds what products read. It is slow, and there to see what a precision does.
    pub fn round_to(&mut self, precision: Precision) {
        self.products = Products {
            precision,
            rounded: true,
        };
    }

    /// The device the model lives on.
    pub fn device(&self) -> Device {
        self.embeddings.word.value.val().device()
    }

    /// Whether its decoder is another table than the words'.
    pub fn has_own_decoder(&self) -> bool {
        self.head.decoder.is_some()
    }

    /// How many words it knows.
    pub fn vocabulary(&self) -> usize {
        self.embeddings.word.dims()[0]
    }

    fn decoder(&self) -> &Weight {
        self.head.decoder.as_ref().unwrap_or(&self.embeddings.word)
    }

    /// Gives the head a decoder of its own, a copy of the word table, where it had none: the reference trains the two
    /// apart (medium_models/src/models.py:188).
    pub fn untie_decoder(&mut self) {
        let words = &self.embeddings.word;
        let copy = || Weight::new(words.value.val());
        self.head.decoder.get_or_insert_with(copy);
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

    /// A model of these sizes with every weight zero, to be filled from a file.
    pub(crate) fn zeros(config: &RobertaConfig, device: &Device) -> Self {
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
                kind: matrix(config.type_vocab_size, h),
                norm: norm(),
                first_position: config.first_position(),
            },
            layers: (0..config.num_hidden_layers).map(|_| layer()).collect(),
            head: Head {
                dense: linear(h, h),
                norm: norm(),
                bias: matrix(config.vocab_size, 1),
                decoder: None,
            },
            classifier: None,
            new_head: false,
            products: Products::F32,
        }
    }
}
