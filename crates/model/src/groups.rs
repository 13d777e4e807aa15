//! The trained tensors by layer, for perturbations scaled by it.

use crate::families::Model;
use crate::ops::norm::norm;

/// The trained tensors in groups: for RoBERTa the reference's, `embed`, `layer.<i>.` and `lm_head`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The groups that have a trained tensor, in the order of the walk.
    pub names: Vec<String>,
    /// For each trained tensor, by its number, its group's place among the names.
    pub of: Vec<usize>,
}

impl Model {
    /// The groups of the trained tensors.
    pub fn groups(&self) -> Groups {
        let mut groups = Groups {
            names: Vec::new(),
            of: Vec::new(),
        };
        for name in self.trainable_names() {
            let group = self.family().group(&name);
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
        self.each(&mut |_, _, weight| {
            if weight.parameter.is_some() {
                norms.push(norm(weight.value.val()));
            }
        });
        norms
    }
}
