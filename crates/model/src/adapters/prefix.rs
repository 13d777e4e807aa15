//! Prefix tuning (Li and Liang, 2021): trained keys and values in front of those of every sentence.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::noise::{Draw, initial_normals, philox_words};
use crate::ops::Front;
use crate::probe::Probes;
use crate::weight::Weight;

/// How long the prefixes are and what they start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefixConfig {
    /// m, the keys and values of each layer.
    pub tokens: usize,
    /// Their first values.
    pub init: PrefixInit,
}

/// What the prefixes start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrefixInit {
    /// The keys and values that m tokens have in the model, drawn uniformly from the vocabulary and read as one sentence
    /// from the first position on (medium_models/src/prefix.py, `--prefix_init_by_real_act`).
    Activations,
    /// `N(0, 1)`, as the reference's `torch.randn` draws them without that option.
    Random,
}

/// Keys and values of one layer that stand in front of every sentence's own, seen by all its tokens.
#[derive(Module, Debug)]
pub struct Prefix {
    /// `[m, H]`
    pub(crate) keys: Weight,
    /// `[m, H]`
    pub(crate) values: Weight,
}

impl Prefix {
    /// As the probes see it.
    pub(crate) fn front(&self, probes: &Probes<'_>) -> Front {
        Front {
            keys: probes.view(&self.keys),
            values: probes.view(&self.values),
        }
    }

    /// First values `N(0, 1)` for the layer of this number, `[m, H]` each.
    pub(crate) fn random(dims: [usize; 2], seed: u64, layer: u32, device: &Device) -> Self {
        let side = |side| {
            let number = 2 * layer + side;
            let count = dims.iter().product();
            let values = initial_normals(seed, Draw::Prefix, number, 1.0, count);
            Tensor::from_data(TensorData::new(values, dims), device)
        };
        Self::of([side(0), side(1)])
    }

    /// With these keys and values.
    pub(crate) fn of([keys, values]: [Tensor<2>; 2]) -> Self {
        Self {
            keys: Weight::new(keys),
            values: Weight::new(values),
        }
    }
}

/// Tokens drawn uniformly from a vocabulary, whose keys and values a prefix starts from.
pub(crate) fn drawn_tokens(count: usize, vocabulary: usize, seed: u64) -> Vec<u32> {
    let words = vocabulary as u64;
    (0..count as u32)
        .map(|token| {
            let [word, ..] = philox_words([token, 0, 0, Draw::PrefixTokens as u32], seed);
            ((u64::from(word) * words) >> 32) as u32
        })
        .collect()
}
