//! LoRA (Hu et al., 2021): a trained low-rank term beside a frozen linear layer.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::noise::{Draw, philox_words};
use crate::weight::Weight;

/// Rank and weight of the low-rank terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoraConfig {
    /// r
    pub rank: usize,
    /// The term is scaled by `alpha / r`.
    pub alpha: f64,
}

/// `(alpha / r) (x a) b`.
#[derive(Module, Debug)]
pub struct Lora {
    /// `[in, r]`
    pub(crate) a: Weight,
    /// `[r, out]`
    pub(crate) b: Weight,
    /// alpha
    pub(crate) alpha: f64,
}

impl Lora {
    pub(crate) fn scale(&self) -> f32 {
        let [rank, _] = self.b.dims();
        (self.alpha / rank as f64) as f32
    }

    /// The term of a linear layer that takes `input` numbers to `output`.
    ///
    /// A is drawn by Kaiming's uniform rule with `a = sqrt(5)`, which is `U(-1/sqrt(in), 1/sqrt(in))`; B is zero, so the
    /// layer starts as it was. `number` sets the draws of one layer apart from another's.
    pub(crate) fn initial(
        [input, output]: [usize; 2],
        config: LoraConfig,
        seed: u64,
        number: usize,
        device: &Device,
    ) -> Self {
        let bound = 1.0 / (input as f32).sqrt();
        let values: Vec<f32> = (0..(input * config.rank) as u32)
            .map(|element| {
                let counter = [element, 0, number as u32, Draw::Lora as u32];
                let [word, ..] = philox_words(counter, seed);
                let uniform = ((word >> 9) as f32 + 0.5) / 8_388_608.0;
                (2.0 * uniform - 1.0) * bound
            })
            .collect();
        let a = Tensor::from_data(TensorData::new(values, [input, config.rank]), device);
        let b = Tensor::zeros([config.rank, output], device);
        Self {
            a: Weight::new(a),
            b: Weight::new(b),
            alpha: config.alpha,
        }
    }
}
