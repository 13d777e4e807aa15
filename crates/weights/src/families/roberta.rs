//! RoBERTa: its sizes as Hugging Face's `config.json` states them, and the tensors of its files.

use std::path::Path;

use mezo_spec::{HeadKind, Trained, TuningName};
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::names::{is_word_head, trains};

/// Its `model_type` in a `config.json`.
pub const MODEL_TYPE: &str = "roberta";
/// Tensors that files of this architecture carry and a masked-word model has no use for.
const UNUSED: [&str; 3] = [
    "roberta.embeddings.position_ids",
    "roberta.pooler.",
    "classifier.",
];
/// The decoder's own matrix; absent where it is the word table.
pub const DECODER: &str = "lm_head.decoder.weight";
/// How many tensors a layer is in a file.
pub(crate) const TENSORS_OF_A_LAYER: usize = 16;
/// A second name of [`HEAD_BIAS`] in some files.
pub const DECODER_BIAS: &str = "lm_head.decoder.bias";
/// The bias of the decoder.
pub const HEAD_BIAS: &str = "lm_head.bias";
/// The word table.
pub const WORDS: &str = "roberta.embeddings.word_embeddings.weight";

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
    pub fn first_position(&self) -> usize {
        self.pad_token_id + 1
    }

    /// Why this is no model of ours, if so.
    fn problem(&self) -> Option<String> {
        if self.model_type != MODEL_TYPE {
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

impl RobertaConfig {
    /// The sizes of `roberta-base`.
    pub fn base() -> Self {
        Self {
            model_type: "roberta".into(),
            vocab_size: 50_265,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            max_position_embeddings: 514,
            type_vocab_size: 1,
            layer_norm_eps: 1e-5,
            pad_token_id: 1,
            hidden_act: "gelu".into(),
        }
    }

    /// The sizes of `roberta-large`.
    pub fn large() -> Self {
        Self {
            hidden_size: 1024,
            num_hidden_layers: 24,
            num_attention_heads: 16,
            intermediate_size: 4096,
            ..Self::base()
        }
    }
}

/// Whether files carry the tensor of this name and the model has no use for it.
pub(crate) fn is_unused(name: &str) -> bool {
    UNUSED.iter().any(|prefix| name.starts_with(prefix))
}

/// A tensor's name, and its shape in a file.
type Shaped = (String, Vec<usize>);

fn norm(name: &str, width: usize) -> [Shaped; 2] {
    ["weight", "bias"].map(|part| (format!("{name}.{part}"), vec![width]))
}

/// # Shapes
/// The weight is `[out, in]`, the bias `[out]`.
fn linear(name: &str, [input, output]: [usize; 2]) -> [Shaped; 2] {
    [
        (format!("{name}.weight"), vec![output, input]),
        (format!("{name}.bias"), vec![output]),
    ]
}

/// The tensors of its files.
impl RobertaConfig {
    /// All of them, in the order in which a model walks its weights.
    pub fn tensors(&self, own_decoder: bool) -> Vec<(String, Vec<usize>)> {
        let head = if own_decoder {
            HeadKind::Untied
        } else {
            HeadKind::Tied
        };
        self.with_head(head)
    }

    fn with_head(&self, head: HeadKind) -> Vec<Shaped> {
        let width = self.hidden_size;
        let mut all = Vec::new();
        let embeddings = "roberta.embeddings";
        for (table, rows) in [
            ("word", self.vocab_size),
            ("position", self.max_position_embeddings),
            ("token_type", self.type_vocab_size),
        ] {
            let name = format!("{embeddings}.{table}_embeddings.weight");
            all.push((name, vec![rows, width]));
        }
        all.extend(norm(&format!("{embeddings}.LayerNorm"), width));
        for number in 0..self.num_hidden_layers {
            all.extend(self.layer(&format!("roberta.encoder.layer.{number}")));
        }
        all.push((HEAD_BIAS.into(), vec![self.vocab_size]));
        all.extend(linear("lm_head.dense", [width, width]));
        all.extend(norm("lm_head.layer_norm", width));
        match head {
            HeadKind::Tied => {}
            HeadKind::Untied => all.push((DECODER.into(), vec![self.vocab_size, width])),
            HeadKind::Classifier { classes } => {
                all.push(("classifier.out_proj.weight".into(), vec![classes, width]));
                all.push(("classifier.out_proj.bias".into(), vec![classes]));
                all.extend(linear("classifier.dense", [width, width]));
            }
        }
        all
    }

    fn layer(&self, name: &str) -> Vec<Shaped> {
        let (width, inner) = (self.hidden_size, self.intermediate_size);
        let mut all = Vec::with_capacity(TENSORS_OF_A_LAYER);
        for part in ["self.query", "self.key", "self.value", "output.dense"] {
            all.extend(linear(&format!("{name}.attention.{part}"), [width, width]));
        }
        all.extend(norm(&format!("{name}.attention.output.LayerNorm"), width));
        all.extend(linear(
            &format!("{name}.intermediate.dense"),
            [width, inner],
        ));
        all.extend(linear(&format!("{name}.output.dense"), [inner, width]));
        all.extend(norm(&format!("{name}.output.LayerNorm"), width));
        all
    }
}

/// How many scalars a run trains.
impl RobertaConfig {
    /// Those that its forward pass reads. Nothing reads a head for words that a classifier has replaced.
    pub fn trained_scalars(&self, trained: &Trained) -> usize {
        let replaced = matches!(trained.head, HeadKind::Classifier { .. });
        let of_model: usize = self
            .with_head(trained.head)
            .iter()
            .filter(|(name, _)| !(replaced && is_word_head(name)))
            .filter(|(name, _)| trains(trained.tuning, name, trained.with_head))
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum();
        let of_adapter = match trained.tuning {
            TuningName::Lora => self.lora_scalars(trained.lora_rank),
            // Keys and values before each layer's own.
            TuningName::Prefix => {
                self.num_hidden_layers * 2 * trained.prefix_tokens * self.hidden_size
            }
            TuningName::Full | TuningName::Head | TuningName::Bias => 0,
        };
        of_model + of_adapter
    }

    /// How many scalars the reference perturbs and decays beside the ones that its forward pass reads: a pooler under
    /// full tuning, and a classifier under full tuning and beside LoRA's head (medium_models/src/models.py, run.py:939-942).
    pub fn unread_scalars(&self, tuning: TuningName, classes: usize) -> usize {
        let width = self.hidden_size;
        let pooler = width * width + width;
        let classifier = width * classes + classes;
        match tuning {
            TuningName::Full => pooler + classifier,
            TuningName::Lora => classifier,
            TuningName::Prefix | TuningName::Head | TuningName::Bias => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_reference_perturbs_of_roberta_large() {
        let large = RobertaConfig::large();
        let count = |tuning, with_head| {
            let trained = Trained {
                tuning,
                with_head,
                head: HeadKind::Untied,
                lora_rank: 8,
                prefix_tokens: 5,
            };
            large.trained_scalars(&trained) + large.unread_scalars(tuning, 2)
        };
        assert_eq!(count(TuningName::Full, false), 407_935_067);
        assert_eq!(count(TuningName::Lora, true), 786_432 + 52_573_273 + 2_050);
        assert_eq!(count(TuningName::Prefix, false), 245_760);
    }
}
