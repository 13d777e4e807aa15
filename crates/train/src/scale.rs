//! A scale of the perturbation for each layer (paper, appendices B.3 and B.4): parameter `theta` of layer `l` is moved by
//! `eps z / d_l`.

use mezo_model::{Model, Noise};
use mezo_spec::{Modifies, Objective, Scale, ScaleBy};
use mezo_tasks::PackedBatch;

use crate::forward::batch;
use crate::forward::{Measure, step_seed};

/// The estimates of layer norms take seeds from here on; those of a step count from 0.
const FIRST_ESTIMATE: u32 = 1 << 31;

/// The scale `d` of each trained tensor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scales {
    scales: Vec<f32>,
    /// `1 / d`: what the perturbation is multiplied by.
    factors: Vec<f32>,
}

impl Scales {
    /// Of scales as a snapshot holds them.
    pub(crate) fn of(scales: Vec<f32>) -> Self {
        let factors = scales.iter().map(|scale| 1.0 / scale).collect();
        Self { scales, factors }
    }

    /// `d`
    pub(crate) fn values(&self) -> &[f32] {
        &self.scales
    }

    /// What the perturbation of each tensor is multiplied by.
    pub(crate) fn probe_factors(&self) -> &[f32] {
        &self.factors
    }

    /// What the update of each tensor is multiplied by: `d` keeps the estimate's mean (definition 6), nothing changes it
    /// (definition 7).
    pub(crate) fn update_factors(&self, modifies: Modifies) -> Option<&[f32]> {
        match modifies {
            Modifies::Variance => Some(&self.scales),
            Modifies::Expectation => None,
        }
    }
}

/// What a measurement of scales looks at.
pub(crate) struct Sight<'a> {
    pub(crate) model: &'a Model,
    pub(crate) packed: &'a PackedBatch,
    pub(crate) words: &'a [usize],
    pub(crate) noise: &'a dyn Noise,
    pub(crate) eps: f64,
    pub(crate) objective: Objective,
    /// Called before each group's passes.
    pub(crate) alive: &'a dyn Fn(),
}

/// The norm of each layer, for each of its tensors; 1 for a layer whose norm is 0, which nothing can be divided by.
pub(crate) fn measure(spec: &Scale, sight: &Sight<'_>, run_seed: u64, step: u64) -> Scales {
    let groups = sight.model.groups();
    let (groups, count) = (groups.of, groups.names.len());
    let norms = match spec.by {
        ScaleBy::ParameterNorm => of_groups(&groups, count, &sight.model.parameter_norms()),
        ScaleBy::BackpropagatedNorm => {
            let labels = &sight.packed.labels;
            let (_, gradients) =
                sight
                    .model
                    .gradients(batch(sight.packed), sight.words, labels, None);
            of_groups(&groups, count, &gradients.norms())
        }
        ScaleBy::GradientNorm => (0..count)
            .map(|group| {
                let seed = step_seed(run_seed, step, FIRST_ESTIMATE + group as u32);
                estimated(sight, &groups, group, seed)
            })
            .collect(),
    };
    let usable = |norm: f64| match norm as f32 {
        norm if norm.is_normal() => norm,
        _ => 1.0,
    };
    Scales::of(groups.iter().map(|&group| usable(norms[group])).collect())
}

/// The norm of each group from those of its tensors.
fn of_groups(groups: &[usize], count: usize, norms: &[f64]) -> Vec<f64> {
    let mut squares = vec![0.0; count];
    for (&group, norm) in groups.iter().zip(norms) {
        squares[group] += norm * norm;
    }
    squares.into_iter().map(f64::sqrt).collect()
}

/// `|L(theta + eps z_l) - L(theta - eps z_l)| / (2 eps)`, with `z_l` zero outside the group (proposition 1).
fn estimated(sight: &Sight<'_>, groups: &[usize], moved: usize, seed: u64) -> f64 {
    (sight.alive)();
    let alone: Vec<f32> = groups
        .iter()
        .map(|&group| if group == moved { 1.0 } else { 0.0 })
        .collect();
    let measure = Measure {
        noise: sight.noise,
        eps: sight.eps,
        objective: sight.objective,
        factors: Some(&alone),
    };
    let estimate = measure.two_sided(sight.model, sight.packed, sight.words, seed);
    estimate.projected_grad.map_or(0.0, f64::abs)
}
