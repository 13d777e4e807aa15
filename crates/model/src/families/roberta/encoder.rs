//! RoBERTa's encoder layer.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::adapters::prefix::Prefix;
use crate::layers::{LayerNorm, Linear};
use crate::ops::sentences::{Layout, Sentences};
use crate::ops::{self, Activation, Attention, AttentionOutputMlp, Norms};
use crate::probe::Probes;
use crate::weight::Weight;

/// One layer of the encoder, normalised after each half.
#[derive(Module, Debug)]
pub struct EncoderLayer {
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) attention_output: Linear,
    pub(crate) attention_norm: LayerNorm,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
    pub(crate) norm: LayerNorm,
    pub(crate) heads: usize,
    /// Keys and values in front of every sentence's own.
    pub(crate) prefix: Option<Prefix>,
}

impl EncoderLayer {
    /// Every token in, every token out.
    ///
    /// # Shapes
    /// `[P or 1, T, H]` -> the same
    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        sentences: &Sentences<'_>,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        self.pass(x.clone(), x, sentences, true, probes)
    }

    /// Every token in, only the asked token of each sentence out: exact, for the layer after which nothing else is read.
    ///
    /// # Shapes
    /// x `[P or 1, T, H]`, asked `[P or 1, B, H]` (those rows of x) -> `[P or 1, B, H]`
    pub(crate) fn forward_asked(
        &self,
        x: Tensor<3>,
        asked: Tensor<3>,
        sentences: &Sentences<'_>,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        self.pass(asked, x, sentences, false, probes)
    }

    /// LoRA's terms and the prefix.
    pub(crate) fn attached(&self) -> impl Iterator<Item = &Weight> {
        let linear = [&self.query, &self.key, &self.value, &self.attention_output];
        let linear = linear.into_iter().chain([&self.up, &self.down]);
        let terms = linear.flat_map(|it| &it.lora).flat_map(|it| [&it.a, &it.b]);
        let front = self.prefix.iter().flat_map(|it| [&it.keys, &it.values]);
        terms.chain(front)
    }

    fn pass(
        &self,
        asking: Tensor<3>,
        all: Tensor<3>,
        sentences: &Sentences<'_>,
        every_token: bool,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        let layout = Layout {
            sentences,
            every_token,
            heads: self.heads,
            dropout: probes.drop_attention(),
        };
        let mixed = self.attention(asking.clone(), all, layout, probes);
        self.attention_output_mlp(mixed, asking, probes)
    }

    fn attention(
        &self,
        asking: Tensor<3>,
        all: Tensor<3>,
        layout: Layout<'_>,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        let of = Attention {
            all,
            asking,
            query: self.query.dense(probes),
            key: self.key.dense(probes),
            value: self.value.dense(probes),
            front: self.prefix.as_ref().map(|prefix| prefix.front(probes)),
        };
        let ops = ops::of(of.tensors(), probes.products());
        ops.attention(of, layout, probes.watch())
    }

    fn attention_output_mlp(
        &self,
        mixed: Tensor<3>,
        residual: Tensor<3>,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        let output = self.attention_output.dense(probes);
        let attention = self.attention_norm.norm(probes);
        let of = AttentionOutputMlp {
            mixed,
            residual,
            output,
            up: self.up.dense(probes),
            activation: Activation::Gelu,
            down: self.down.dense(probes),
            norms: Norms::after(attention, self.norm.norm(probes)),
            dropout: [probes.drop_hidden_site(), probes.drop_hidden_site()],
        };
        let ops = ops::of(of.tensors(), probes.products());
        ops.attention_output_mlp(of, probes.watch())
    }
}
