//! RoBERTa's weights under the names that they have in Hugging Face's files.

use super::classifier::Classifier;
use super::encoder::EncoderLayer;
use super::{Embeddings, Head, Roberta};
use crate::parameters::{NamedTensor, Stored, named_weights, weights};
use crate::weight::Weight;

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
