//! Models that have learnt nothing: for measurements and tests, which need the sizes and not the words.

use burn::tensor::Device;

use super::Roberta;
use crate::noise::{Draw, fill_initial_normals};
use crate::ops::update::in_place;
use mezo_weights::RobertaConfig;

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
        let mut model = Self::zeros(config, false, device);
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
