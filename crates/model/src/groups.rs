//! The trained tensors by layer, for perturbations scaled by it.

use crate::kernels::norm::norm;
use crate::parameters::is_head;
use crate::roberta::Roberta;

/// The trained tensors in the reference's groups: `embed`, `layer.<i>.` and `lm_head`
/// (medium_models/src/trainer.py:298-385). A classifier stands with the head for words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The groups that have a trained tensor, in the order of the walk.
    pub names: Vec<String>,
    /// For each trained tensor, by its number, its group's place among the names.
    pub of: Vec<usize>,
}

impl Roberta {
    /// The groups of the trained tensors.
    pub fn groups(&self) -> Groups {
        let mut groups = Groups {
            names: Vec::new(),
            of: Vec::new(),
        };
        for name in self.trainable_names() {
            let group = group(&name);
            let known = groups.names.iter().position(|known| *known == group);
            groups.of.push(known.unwrap_or(groups.names.len()));
            if known.is_none() {
                groups.names.push(group);
            }
        }
        groups
    }

    /// The Euclidean length of each trained tensor, by its number.
    pub fn parameter_norms(&self) -> Vec<f64> {
        let mut norms = Vec::new();
        self.each("", &mut |_, _, weight| {
            if weight.parameter.is_some() {
                norms.push(norm(weight.value.val()));
            }
        });
        norms
    }
}

fn group(name: &str) -> String {
    if is_head(name) {
        return "lm_head".into();
    }
    let layer = name
        .strip_prefix("roberta.encoder.")
        .unwrap_or(name)
        .strip_prefix("layer.")
        .and_then(|rest| rest.split_once('.'));
    match layer {
        Some((number, _)) => format!("layer.{number}."),
        None => "embed".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_by_name() {
        for (name, expected) in [
            ("roberta.embeddings.LayerNorm.bias", "embed"),
            ("roberta.encoder.layer.1.output.dense.weight", "layer.1."),
            ("roberta.encoder.layer.11.output.dense.weight", "layer.11."),
            ("layer.23.prefix_key", "layer.23."),
            ("lm_head.layer_norm.weight", "lm_head"),
            ("classifier.dense.weight", "lm_head"),
        ] {
            assert_eq!(group(name), expected);
        }
    }
}
