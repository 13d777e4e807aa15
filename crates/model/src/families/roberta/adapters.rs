//! What is put beside RoBERTa's layers.

use super::Roberta;
use crate::adapters::prefix::{Prefix, PrefixConfig, PrefixInit, drawn_tokens};
use crate::batch::{Batch, Batches};
use crate::families::LanguageModel;
use crate::probe::Probes;

impl Roberta {
    /// Puts a prefix in front of every layer's keys and values, its first values drawn by the seed.
    ///
    /// The positions of a sentence's tokens stay as they were, and the trained tensors are the keys and values
    /// themselves, as in the paper's runs (medium_models/src/prefix.py, `--no_reparam`).
    ///
    /// # Panics
    /// If there are to be no tokens, or, with [`PrefixInit::Activations`], more than a sentence can have.
    pub(crate) fn attach_prefix(&mut self, config: PrefixConfig, seed: u64) {
        assert!(config.tokens > 0, "a prefix has tokens");
        for layer in &mut self.layers {
            layer.prefix = None;
        }
        let prefixes: Vec<Prefix> = match config.init {
            PrefixInit::Activations => self.keys_and_values(config.tokens, seed),
            PrefixInit::Random => self.random_prefixes(config.tokens, seed),
        };
        for (layer, prefix) in self.layers.iter_mut().zip(prefixes) {
            layer.prefix = Some(prefix);
        }
    }

    /// Every layer's keys and values of one sentence of tokens drawn from the vocabulary.
    fn keys_and_values(&self, tokens: usize, seed: u64) -> Vec<Prefix> {
        let ids = drawn_tokens(tokens, self.vocabulary(), seed);
        let starts = [0, tokens];
        let batch = [Batch {
            ids: &ids,
            starts: &starts,
            asked: &[0],
        }];
        let still = Probes::unperturbed();
        let states = self.hidden_states(Batches::new(&batch), &still);
        self.layers
            .iter()
            .zip(states)
            .map(|(layer, x)| {
                let made = [&layer.key, &layer.value]
                    .map(|linear| linear.forward(x.clone(), &still).squeeze_dim::<2>(0));
                Prefix::of(made)
            })
            .collect()
    }

    fn random_prefixes(&self, tokens: usize, seed: u64) -> Vec<Prefix> {
        let device = self.device();
        let width = self.embeddings.word.dims()[1];
        (0..self.layers.len() as u32)
            .map(|layer| Prefix::random([tokens, width], seed, layer, &device))
            .collect()
    }
}
