//! RoBERTa's weights under the names that they have in Hugging Face's files.

use super::classifier::Classifier;
use super::encoder::EncoderLayer;
use super::{Embeddings, Head, Roberta};
use crate::parameters::{Stored, named_weights, weights};
use crate::weight::Weight;
use mezo_weights::NamedTensor;

weights!(Embeddings {
    word: ".word_embeddings.weight" Same,
    position: ".position_embeddings.weight" Same,
    token_type: ".token_type_embeddings.weight" Same ;
    norm: ".LayerNorm" ;
});
weights!(EncoderLayer { ;
    query: ".attention.self.query",
    key: ".attention.self.key",
    value: ".attention.self.value",
    attention_output: ".attention.output.dense",
    attention_norm: ".attention.output.LayerNorm",
    up: ".intermediate.dense",
    down: ".output.dense",
    norm: ".output.LayerNorm" ;
});
weights!(Head { bias: ".bias" Flat ; dense: ".dense", norm: ".layer_norm" ; decoder: ".decoder.weight" });

weights!(Classifier { rows: ".out_proj.weight" Same, bias: ".out_proj.bias" Flat ; dense: ".dense" ; });

named_weights!(
    Roberta,
    |self, prefix, visit| {
        self.embeddings
            .each(&format!("{prefix}roberta.embeddings"), visit);
        for (number, layer) in self.layers.iter().enumerate() {
            layer.each(&format!("{prefix}roberta.encoder.layer.{number}"), visit);
            if let Some(front) = &layer.prefix {
                front.each(&format!("{prefix}layer.{number}"), visit);
            }
        }
        self.head.each(&format!("{prefix}lm_head"), visit);
        if let Some(classifier) = &self.classifier {
            classifier.each(&format!("{prefix}classifier"), visit);
        }
    },
    {
        self.embeddings
            .each_mut(&format!("{prefix}roberta.embeddings"), visit);
        for (number, layer) in self.layers.iter_mut().enumerate() {
            layer.each_mut(&format!("{prefix}roberta.encoder.layer.{number}"), visit);
            if let Some(front) = &mut layer.prefix {
                front.each_mut(&format!("{prefix}layer.{number}"), visit);
            }
        }
        self.head.each_mut(&format!("{prefix}lm_head"), visit);
        if let Some(classifier) = &mut self.classifier {
            classifier.each_mut(&format!("{prefix}classifier"), visit);
        }
    }
);

impl Roberta {
    /// The tensors that `wanted` picks, as files hold them.
    pub(crate) fn tensors(&self, wanted: impl Fn(&str, &Weight) -> bool) -> Vec<NamedTensor> {
        let mut tensors = Vec::new();
        self.each("", &mut |name, stored, weight| {
            if wanted(&name, weight) {
                tensors.push(weight.named(name, stored));
            }
        });
        tensors
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use mezo_spec::{HeadKind, Trained, TuningName as Tuning};
    use mezo_weights::RobertaConfig;

    use super::*;
    use crate::adapters::lora::LoraConfig;
    use crate::adapters::prefix::{PrefixConfig, PrefixInit};

    fn small() -> RobertaConfig {
        RobertaConfig {
            vocab_size: 11,
            hidden_size: 6,
            num_hidden_layers: 3,
            num_attention_heads: 2,
            intermediate_size: 10,
            max_position_embeddings: 9,
            type_vocab_size: 2,
            ..RobertaConfig::base()
        }
    }

    /// The files are checked without a model, by the names and shapes that a model has.
    #[test]
    fn the_walk_is_that_of_the_files() {
        for own_decoder in [false, true] {
            let model = Roberta::zeros(&small(), own_decoder, &Device::flex());
            let mut walk = Vec::new();
            model.each("", &mut |name, stored, weight| {
                walk.push((name, weight.file_shape(stored)));
            });
            assert_eq!(walk, small().tensors(own_decoder));
        }
    }

    #[test]
    fn counted_as_built() {
        let config = small();
        let heads = [
            HeadKind::Tied,
            HeadKind::Untied,
            HeadKind::Classifier { classes: 3 },
        ];
        let tunings = [
            Tuning::Full,
            Tuning::Lora,
            Tuning::Prefix,
            Tuning::Head,
            Tuning::Bias,
        ];
        for head in heads {
            let mut model = Roberta::zeros(&config, false, &Device::flex());
            model.attach_lora(
                LoraConfig {
                    rank: 8,
                    alpha: 16.0,
                },
                0,
            );
            let prefix = PrefixConfig {
                tokens: 5,
                init: PrefixInit::Activations,
            };
            model.attach_prefix(prefix, 0);
            match head {
                HeadKind::Tied => {}
                HeadKind::Untied => model.untie_decoder(),
                HeadKind::Classifier { classes } => model.attach_classifier(classes, 0),
            }
            for tuning in tunings {
                for with_head in [false, true] {
                    model.train_only(tuning, with_head);
                    let rules = Trained {
                        tuning,
                        with_head,
                        head,
                        lora_rank: 8,
                        prefix_tokens: 5,
                    };
                    assert_eq!(
                        model.trainable_scalars(),
                        config.trained_scalars(&rules),
                        "{rules:?}"
                    );
                }
            }
        }
    }
}
