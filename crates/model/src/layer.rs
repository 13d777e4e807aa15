//! The layers of RoBERTa: linear, layer norm, and the encoder layer made of them.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::clock::Phase;
use crate::kernels::attention::{Layout, attention};
use crate::kernels::linear::{add_low_rank, matmul};
use crate::kernels::rowwise::{self, Norm};
use crate::lora::Lora;
use crate::prefix::Prefix;
use crate::probe::{Probes, Weight};

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
        let base = self.product(x.clone(), probes);
        let base = rowwise::add_bias(base, probes.view(&self.bias));
        match &self.lora {
            None => base,
            Some(lora) => {
                let (a, b) = (probes.view(&lora.a), probes.view(&lora.b));
                probes.time(Phase::Linear, || add_low_rank(base, x, a, b, lora.scale()))
            }
        }
    }

    /// `x W` alone, for those who add the bias together with something else.
    pub(crate) fn product(&self, x: Tensor<3>, probes: &Probes<'_>) -> Tensor<3> {
        let weight = probes.view(&self.weight);
        probes.time(Phase::Linear, || matmul(x, weight))
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
        rowwise::normalise(x, self.norm(probes))
    }

    /// `layer_norm(x W + b + residual)`, with dropout before the residual.
    fn close(
        &self,
        dense: &Linear,
        x: Tensor<3>,
        residual: Tensor<3>,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        let product = dense.product(x, probes);
        let x = rowwise::add_bias(product, probes.view(&dense.bias));
        rowwise::add_residual_normalise(probes.drop_hidden(x), residual, self.norm(probes))
    }

    fn norm(&self, probes: &Probes<'_>) -> Norm {
        Norm {
            gain: probes.view(&self.weight),
            shift: probes.view(&self.bias),
            epsilon: self.epsilon as f32,
        }
    }
}

/// `gelu(x W + b)`.
///
/// # Shapes
/// `[P or 1, T, in]` -> `[P or 1, T, out]`
pub(crate) fn linear_gelu(dense: &Linear, x: Tensor<3>, probes: &Probes<'_>) -> Tensor<3> {
    rowwise::add_bias_gelu(dense.product(x, probes), probes.view(&dense.bias))
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
    /// `[P or 1, T, H]`, B + 1 starts -> `[P or 1, T, H]`
    pub fn forward(&self, x: Tensor<3>, starts: &[usize], probes: &Probes<'_>) -> Tensor<3> {
        let layout = Layout {
            starts,
            every_token: true,
            heads: self.heads,
            dropout: probes.drop_attention(),
        };
        self.close(x.clone(), x, layout, probes)
    }

    /// Every token in, only the asked token of each sentence out: exact, for the layer after which nothing else is read.
    ///
    /// # Shapes
    /// x `[P or 1, T, H]`, asked `[P or 1, B, H]` (those rows of x), B + 1 starts -> `[P or 1, B, H]`
    pub fn forward_asked(
        &self,
        x: Tensor<3>,
        asked: Tensor<3>,
        starts: &[usize],
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        let layout = Layout {
            starts,
            every_token: false,
            heads: self.heads,
            dropout: probes.drop_attention(),
        };
        self.close(asked, x, layout, probes)
    }

    fn close(
        &self,
        asking: Tensor<3>,
        all: Tensor<3>,
        layout: Layout<'_>,
        probes: &Probes<'_>,
    ) -> Tensor<3> {
        let q = self.query.forward(asking.clone(), probes);
        let k = self.key.forward(all.clone(), probes);
        let v = self.value.forward(all, probes);
        let front = self.prefix.as_ref().map(|prefix| prefix.front(probes));
        let mixed = probes.time(Phase::Attention, || attention(q, k, v, front, layout));
        let x = self
            .attention_norm
            .close(&self.attention_output, mixed, asking, probes);
        let inner = linear_gelu(&self.up, x.clone(), probes);
        self.norm.close(&self.down, inner, x, probes)
    }
}
