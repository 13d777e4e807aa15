//! Prefix tuning (Li and Liang, 2021): trained keys and values in front of those of every sentence.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};

use crate::batch::Batch;
use crate::kernels::Front;
use crate::noise::{Draw, initial_normals, philox_words};
use crate::probe::Probes;
use crate::roberta::Roberta;
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
}

impl Roberta {
    /// Puts a prefix in front of every layer's keys and values, its first values drawn by the seed.
    ///
    /// The positions of a sentence's tokens stay as they were, and the trained tensors are the keys and values
    /// themselves, as in the paper's runs (medium_models/src/prefix.py, `--no_reparam`).
    ///
    /// # Panics
    /// If there are to be no tokens, or, with [`PrefixInit::Activations`], more than a sentence can have.
    pub fn attach_prefix(&mut self, config: PrefixConfig, seed: u64) {
        assert!(config.tokens > 0, "a prefix has tokens");
        for layer in &mut self.layers {
            layer.prefix = None;
        }
        let starts = match config.init {
            PrefixInit::Activations => self.keys_and_values(config.tokens, seed),
            PrefixInit::Random => self.random_prefixes(config.tokens, seed),
        };
        for (layer, [keys, values]) in self.layers.iter_mut().zip(starts) {
            layer.prefix = Some(Prefix {
                keys: Weight::new(keys),
                values: Weight::new(values),
            });
        }
    }

    /// Every layer's keys and values of one sentence of tokens drawn from the vocabulary, `[m, H]` each.
    fn keys_and_values(&self, tokens: usize, seed: u64) -> Vec<[Tensor<2>; 2]> {
        let words = self.vocabulary() as u64;
        let ids: Vec<u32> = (0..tokens as u32)
            .map(|token| {
                let [word, ..] = philox_words([token, 0, 0, Draw::PrefixTokens as u32], seed);
                ((u64::from(word) * words) >> 32) as u32
            })
            .collect();
        let starts = [0, tokens];
        let batch = Batch {
            ids: &ids,
            starts: &starts,
            asked: &[0],
        };
        let still = Probes::unperturbed();
        let states = self.hidden_states(batch, &still);
        self.layers
            .iter()
            .zip(states)
            .map(|(layer, x)| {
                [&layer.key, &layer.value]
                    .map(|linear| linear.forward(x.clone(), &still).squeeze_dim::<2>(0))
            })
            .collect()
    }

    fn random_prefixes(&self, tokens: usize, seed: u64) -> Vec<[Tensor<2>; 2]> {
        let device = self.device();
        let width = self.embeddings.word.dims()[1];
        (0..self.layers.len() as u32)
            .map(|layer| {
                [0, 1].map(|side| {
                    let number = 2 * layer + side;
                    let values = initial_normals(seed, Draw::Prefix, number, 1.0, tokens * width);
                    Tensor::from_data(TensorData::new(values, [tokens, width]), &device)
                })
            })
            .collect()
    }
}
