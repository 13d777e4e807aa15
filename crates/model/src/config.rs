//! A model's sizes, as Hugging Face's `config.json` states them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::ModelError;

/// The sizes of a RoBERTa.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RobertaConfig {
    /// `roberta`.
    pub model_type: String,
    /// Words of the vocabulary.
    pub vocab_size: usize,
    /// H, the width of the hidden states.
    pub hidden_size: usize,
    /// Encoder layers.
    pub num_hidden_layers: usize,
    /// Attention heads; they share the hidden size equally.
    pub num_attention_heads: usize,
    /// Width of the feed-forward layers.
    pub intermediate_size: usize,
    /// Rows of the position table; the first `pad_token_id + 1` are never used.
    pub max_position_embeddings: usize,
    /// Rows of the token-type table.
    pub type_vocab_size: usize,
    /// Epsilon of the layer norms.
    pub layer_norm_eps: f64,
    /// Id of the padding token: real tokens take the positions after it.
    pub pad_token_id: usize,
    /// `gelu`.
    #[serde(default = "gelu")]
    pub hidden_act: String,
}

fn gelu() -> String {
    "gelu".into()
}

impl RobertaConfig {
    /// Reads a `config.json`; keys this crate has no use for are left alone.
    ///
    /// # Errors
    /// If the text is not such a file, or describes a model this crate does not have.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ModelError> {
        let config: Self =
            serde_json::from_str(text).map_err(|error| ModelError::json(path.into(), &error))?;
        match config.problem() {
            None => Ok(config),
            Some(message) => Err(ModelError::Config {
                path: path.into(),
                message,
            }),
        }
    }

    /// The most tokens a sentence can have.
    pub fn max_tokens(&self) -> usize {
        self.max_position_embeddings - self.first_position()
    }

    /// How many scalars the tables and layers have, small vectors left out.
    pub(crate) fn scalars(&self) -> u128 {
        let product = |a: usize, b: usize| a as u128 * b as u128;
        let tables = [
            self.vocab_size,
            self.max_position_embeddings,
            self.type_vocab_size,
        ]
        .into_iter()
        .map(|rows| product(rows, self.hidden_size))
        .fold(0u128, u128::saturating_add);
        let attention = product(self.hidden_size, self.hidden_size).saturating_mul(4);
        let inner = product(self.hidden_size, self.intermediate_size).saturating_mul(2);
        attention
            .saturating_add(inner)
            .saturating_mul(self.num_hidden_layers as u128)
            .saturating_add(tables)
    }

    /// How many scalars LoRA's terms of this rank have: A and B beside the query and the value of every layer.
    pub fn lora_scalars(&self, rank: usize) -> usize {
        self.num_hidden_layers * 2 * 2 * self.hidden_size * rank
    }

    /// The position of a sentence's first token.
    pub(crate) fn first_position(&self) -> usize {
        self.pad_token_id + 1
    }

    /// Why this is no model of ours, if so.
    fn problem(&self) -> Option<String> {
        if self.model_type != "roberta" {
            return Some(format!(
                "model_type is `{}`, expected `roberta`",
                self.model_type
            ));
        }
        if self.hidden_act != "gelu" {
            return Some(format!(
                "hidden_act is `{}`, expected `gelu`",
                self.hidden_act
            ));
        }
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("type_vocab_size", self.type_vocab_size),
        ];
        if let Some((name, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Some(format!("{name} is 0"));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Some(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                self.hidden_size, self.num_attention_heads
            ));
        }
        if self.pad_token_id >= self.max_position_embeddings
            || self.max_position_embeddings <= self.first_position()
        {
            return Some("max_position_embeddings leaves no position for a token".into());
        }
        None
    }
}
