//! Models that have learnt nothing: for measurements and tests, which need the sizes and not the words.

use burn::tensor::Device;

use super::Roberta;
use crate::config::RobertaConfig;
use crate::noise::{Draw, fill_initial_normals};
use crate::ops::update::in_place;

/// `initializer_range` of RoBERTa's published configurations.
const DEVIATION: f32 = 0.02;

impl Roberta {
    /// A model of these sizes as Hugging Face's library starts one: matrices and tables from `N(0, 0.02^2)`, the gains of
    /// the norms one, biases zero. Nothing of it is marked as trained.
    pub(crate) fn random(config: &RobertaConfig, seed: u64, device: &Device) -> Self {
        // As of a model that is loaded.
        device.memory_persistent_allocations((), |()| Self::drawn(config, seed, device))
    }

    fn drawn(config: &RobertaConfig, seed: u64, device: &Device) -> Self {
        let mut model = Self::zeros(config, device);
        let mut number = 0;
        model.each_mut("", &mut |name, _, weight| {
            let norm = name.ends_with("LayerNorm.weight") || name.ends_with("layer_norm.weight");
            if norm {
                weight.replace(|zeros| zeros + 1.0);
            } else if !name.ends_with(".bias") {
                // In place: beside the model there is never another table.
                weight.replace(|zeros| {
                    in_place(zeros, |values| {
                        fill_initial_normals(seed, Draw::Weights, number, DEVIATION, values);
                    })
                });
            }
            number += 1;
        });
        model
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
