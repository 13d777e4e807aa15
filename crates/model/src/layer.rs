//! The layers of RoBERTa: linear, layer norm, and the encoder layer made of them.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::batch::Starts;
use crate::kernels::{self, Activation, Attend, Close, Dense, Layout, LowRank, Norm};
use crate::lora::Lora;
use crate::prefix::Prefix;
use crate::probe::Probes;
use crate::weight::Weight;

/// `x W + b`, plus LoRA's term where one is attached.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[in, out]`
    pub(crate) weight: Weight,
    /// `[1, out]`
    pub(crate) bias: Weight,
    /// The low-rank term.
    pub(crate) lora: Option<Lora>,
}

impl Linear {
    /// # Shapes
    /// `[P or 1, T, in]` -> `[P or 1, T, out]`
    pub fn forward(&self, x: Tensor<3>, probes: &Probes<'_>) -> Tensor<3> {
        self.then(Activation::None, x, probes)
    }

    /// The same with something done to each number that comes out.
    pub(crate) fn then(&self, then: Activation, x: Tensor<3>, probes: &Probes<'_>) -> Tensor<3> {
        let dense = self.dense(probes);
        let kernels = kernels::of(dense.tensors().chain([&x]), probes.products());
        kernels.linear(x, dense.clone(), then, probes.watch())
    }

    /// As the probes see it.
    fn dense(&self, probes: &Probes<'_>) -> Dense {
        let low_rank = |lora: &Lora| LowRank {
            a: probes.view(&lora.a),
            b: probes.view(&lora.b),
            scale: lora.scale(),
        };
        Dense {
            weight: probes.operand(&self.weight),
            bias: probes.view(&self.bias),
            low_rank: self.lora.as_ref().map(low_rank),
        }
    }
}

/// Layer norm over the last axis.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// `[1, H]`
    pub(crate) weight: Weight,
    /// `[1, H]`
    pub(crate) bias: Weight,
    /// Added to the variance.
    pub(crate) epsilon: f64,
}

impl LayerNorm {
    /// # Shapes
    /// `[P or 1, T, H]` -> the same
    pub fn forward(&self, x: Tensor<3>, probes: &Probes<'_>) -> Tensor<3> {
        let norm = self.norm(probes);
        let kernels = kernels::of(norm.tensors().chain([&x]), probes.products());
        kernels.normalise(x, norm.clone())
    }

    fn norm(&self, probes: &Probes<'_>) -> Norm {
        Norm {
            gain: probes.view(&self.weight),
            shift: probes.view(&self.bias),
            epsilon: self.epsilon as f32,
        }
    }
}

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
    /// `[P or 1, T, H]`, B + 1 starts of each batch -> `[P or 1, T, H]`
    pub(crate) fn forward(
        &self,
        x: Tensor<3>,
        starts: &Starts<'_>,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        self.pass(x.clone(), x, starts, true, probes)
    }

    /// Every token in, only the asked token of each sentence out: exact, for the layer after which nothing else is read.
    ///
    /// # Shapes
    /// x `[P or 1, T, H]`, asked `[P or 1, B, H]` (those rows of x), B + 1 starts of each batch -> `[P or 1, B, H]`
    pub(crate) fn forward_asked(
        &self,
        x: Tensor<3>,
        asked: Tensor<3>,
        starts: &Starts<'_>,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        self.pass(asked, x, starts, false, probes)
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
        starts: &Starts<'_>,
        every_token: bool,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        let layout = Layout {
            starts,
            every_token,
            heads: self.heads,
            dropout: probes.drop_attention(),
        };
        let mixed = self.attend(asking.clone(), all, layout, probes);
        self.close(mixed, asking, probes)
    }

    fn attend(
        &self,
        asking: Tensor<3>,
        all: Tensor<3>,
        layout: Layout<'_>,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        let attend = Attend {
            all,
            asking,
            query: self.query.dense(probes),
            key: self.key.dense(probes),
            value: self.value.dense(probes),
            front: self.prefix.as_ref().map(|prefix| prefix.front(probes)),
        };
        let kernels = kernels::of(attend.tensors(), probes.products());
        kernels.attend(attend, layout, probes.watch())
    }

    fn close(&self, mixed: Tensor<3>, residual: Tensor<3>, probes: &Probes<'_>) -> Tensor<3> {
        let close = Close {
            mixed,
            residual,
            output: self.attention_output.dense(probes),
            norm: self.attention_norm.norm(probes),
            up: self.up.dense(probes),
            down: self.down.dense(probes),
            last_norm: self.norm.norm(probes),
            dropout: [probes.drop_hidden_site(), probes.drop_hidden_site()],
        };
        let kernels = kernels::of(close.tensors(), probes.products());
        kernels.close(close, probes.watch())
    }
}
