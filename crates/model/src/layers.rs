//! The layers that families are made of: linear and layer norm.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::adapters::lora::Lora;
use crate::ops::{self, Activation, Dense, LowRank, Norm};
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
        let ops = ops::of(dense.tensors().chain([&x]), probes.products());
        ops.linear(x, dense.clone(), then, probes.watch())
    }

    /// As the probes see it.
    pub(crate) fn dense(&self, probes: &Probes<'_>) -> Dense {
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
        let ops = ops::of(norm.tensors().chain([&x]), probes.products());
        ops.layer_norm(x, norm.clone())
    }

    pub(crate) fn norm(&self, probes: &Probes<'_>) -> Norm {
        Norm {
            gain: probes.view(&self.weight),
            shift: probes.view(&self.bias),
            epsilon: self.epsilon as f32,
        }
    }
}
