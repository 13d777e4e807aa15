//! How a gradient changes the weights: SGD, momentum and Adam, the same for MeZO and for backpropagation.
//!
//! Weights change in place; beside them lie only the running averages that the rule asks for.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::Tensor;

use crate::families::Model;
use crate::gradient::Gradient;
use crate::ops::is_on_device;
use crate::ops::trained::Descent;
use crate::ops::update::{self, in_place};
use crate::weight::Weight;
use mezo_weights::NamedTensor;
use mezo_weights::{ModelError, TensorProblem};
use mezo_weights::{check_shape, problem};

/// What becomes of a gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// `theta <- theta - lr * sum`, `sum <- momentum * sum + gradient + decay * theta`, as torch's SGD without dampening.
    Sgd {
        /// What is kept of the running sum at each step; 0 for none.
        momentum: f32,
    },
    /// AdamW as in transformers 4.28, which the paper's code trains with.
    Adam {
        /// What is kept of the first moment at each step.
        beta1: f64,
        /// What is kept of the second.
        beta2: f64,
        /// Added to the root of the second moment, before the correction for its start at zero.
        epsilon: f64,
    },
}

impl Rule {
    /// Adam with its usual constants: 0.9, 0.999, 1e-8.
    pub const ADAM: Self = Self::Adam {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
    };

    /// The names of the running averages.
    fn averages(self) -> &'static [&'static str] {
        match self {
            Self::Sgd { momentum: 0.0 } => &[],
            Self::Sgd { .. } => &["momentum"],
            Self::Adam { .. } => &["first", "second"],
        }
    }
}

/// Weight decay: every step also draws the weights towards zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decay {
    /// The rate; at a learning rate `lr` a step takes `lr * rate` of a weight. 0 for none.
    pub rate: f64,
    /// Which of the trained tensors decay.
    pub on: DecayOn,
}

/// Which of the trained tensors decay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecayOn {
    /// All of them.
    All,
    /// All but biases and layer norms.
    NoBiasNorm,
    /// All but tensors with `bias` or `LayerNorm.weight` in their names (trainer.py:188-208).
    ReferenceOptimizer,
}

impl Decay {
    /// The rate for a tensor of this name.
    fn rate(self, name: &str) -> f64 {
        let norm = name.contains("LayerNorm") || name.contains("layer_norm");
        match self.on {
            DecayOn::NoBiasNorm if norm || name.ends_with("bias") => 0.0,
            DecayOn::ReferenceOptimizer
                if name.contains("bias") || name.contains("LayerNorm.weight") =>
            {
                0.0
            }
            _ => self.rate,
        }
    }
}

/// A rule and its running averages.
#[derive(Debug, Clone)]
pub struct Optimizer {
    rule: Rule,
    decay: Decay,
    /// Updates made, which Adam's correction counts.
    steps: u64,
    /// For each trained tensor its averages, by element as the weight; none before the first update.
    averages: Vec<[Vec<f32>; 2]>,
}

impl Optimizer {
    /// What the names of [`Self::state`] begin with.
    pub const PREFIX: &'static str = "optimizer.";

    /// An optimiser before its first update.
    pub fn new(rule: Rule, decay: Decay) -> Self {
        Self {
            rule,
            decay,
            steps: 0,
            averages: vec![],
        }
    }

    /// Moves every trained tensor of the model along the gradient, in place.
    ///
    /// Without momentum this is `theta <- theta - lr (gradient + decay * theta)`, for MeZO's estimate its update
    /// (trainer.py:717-724).
    pub fn update(&mut self, model: &mut Model, gradient: &dyn Gradient, lr: f64) {
        self.prepare(model);
        self.steps += 1;
        let rules = (self.rule, self.decay, self.steps);
        let averages = &mut self.averages;
        let mut there = Vec::new();
        model.each_mut(&mut |name, _, weight| {
            let Some(parameter) = weight.parameter else {
                return;
            };
            let rates = Rates {
                lr,
                decay: rules.1.rate(&name),
                steps: rules.2,
            };
            if let Some(terms) = rates.terms_there(rules.0, weight, gradient, parameter) {
                there.push(Descent {
                    parameter,
                    theta: weight.take(),
                    terms,
                    shrink: rates.shrink(),
                });
                return;
            }
            let averages = &mut averages[parameter];
            let fill = |first: usize, factor: f64, out: &mut [f32]| {
                gradient.fill(parameter, first, factor, out);
            };
            let change = |theta: &mut [f32]| rates.apply(rules.0, theta, averages, &fill);
            weight.replace(|theta| in_place(theta, change));
        });
        if !there.is_empty() {
            let moved = update::descend_there(there).into_iter();
            let mut moved: BTreeMap<usize, Tensor<2>> = moved.collect();
            model.each_mut(&mut |_, _, weight| {
                if let Some(theta) = weight.parameter.and_then(|it| moved.remove(&it)) {
                    weight.put(theta);
                }
            });
        }
    }

    /// The running averages as tensors: `optimizer.momentum.<name>`, or `optimizer.first.<name>` and
    /// `optimizer.second.<name>`, shaped as the tensor `<name>` is in a file. Without an update yet there are none.
    pub fn state(&self, model: &Model) -> Vec<NamedTensor> {
        let mut tensors = Vec::new();
        model.each(&mut |name, stored, weight| {
            let Some(averages) = weight.parameter.and_then(|it| self.averages.get(it)) else {
                return;
            };
            for (kind, values) in self.rule.averages().iter().zip(averages) {
                tensors.push(NamedTensor {
                    name: average_name(kind, &name),
                    shape: weight.file_shape(stored),
                    values: stored.to_file(weight.dims(), values.clone()),
                });
            }
        });
        tensors
    }

    /// Takes up the averages that [`Self::state`] gave after `steps` updates.
    ///
    /// # Errors
    /// If one is missing, misshapen, or not among the averages of a trained tensor; `path` is named in the error.
    pub fn restore(
        &mut self,
        model: &Model,
        tensors: Vec<NamedTensor>,
        steps: u64,
        path: &Path,
    ) -> Result<(), ModelError> {
        let mut by_name: BTreeMap<String, NamedTensor> = tensors
            .into_iter()
            .map(|tensor| (tensor.name.clone(), tensor))
            .collect();
        let mut all = Vec::new();
        let mut failed = None;
        model.each(&mut |name, stored, weight| {
            if weight.parameter.is_none() || failed.is_some() {
                return;
            }
            let mut averages = [vec![], vec![]];
            for (kind, average) in self.rule.averages().iter().zip(&mut averages) {
                let name = average_name(kind, &name);
                let found = match by_name.remove(&name) {
                    None => Err(problem(path, &name, TensorProblem::Missing)),
                    Some(tensor) => check_shape(
                        path,
                        &tensor.name,
                        &tensor.shape,
                        &weight.file_shape(stored),
                    )
                    .map(|()| tensor),
                };
                match found {
                    Ok(tensor) => *average = stored.to_memory(weight.dims(), tensor.values),
                    Err(error) => failed = Some(error),
                }
            }
            all.push(averages);
        });
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(name) = by_name.into_keys().next() {
            return Err(problem(path, &name, TensorProblem::Unknown));
        }
        self.averages = all;
        self.steps = steps;
        Ok(())
    }

    /// Makes room for the averages of a model that has not been updated yet.
    fn prepare(&mut self, model: &Model) {
        if !self.averages.is_empty() {
            return;
        }
        let kinds = self.rule.averages().len();
        let room = |weight: &Weight, kind| vec![0.0; if kind < kinds { weight.len() } else { 0 }];
        model.each(&mut |_, _, weight| {
            if weight.parameter.is_some() {
                self.averages.push([room(weight, 0), room(weight, 1)]);
            }
        });
    }
}

fn average_name(kind: &str, name: &str) -> String {
    format!("{}{kind}.{name}", Optimizer::PREFIX)
}

/// The numbers of one update of one tensor.
struct Rates {
    lr: f64,
    decay: f64,
    steps: u64,
}

impl Rates {
    /// What the tensor's own device descends along, where it can: SGD without momentum, and noise that it makes itself.
    fn terms_there(
        &self,
        rule: Rule,
        weight: &Weight,
        gradient: &dyn Gradient,
        parameter: usize,
    ) -> Option<Vec<(u64, f32)>> {
        let can = rule == (Rule::Sgd { momentum: 0.0 }) && is_on_device(&weight.value.val());
        can.then(|| gradient.terms(parameter, self.lr)).flatten()
    }

    /// What weight decay takes of a weight.
    fn shrink(&self) -> f32 {
        (self.lr * self.decay) as f32
    }

    fn apply(
        &self,
        rule: Rule,
        theta: &mut [f32],
        [first, second]: &mut [Vec<f32>; 2],
        fill: &(dyn Fn(usize, f64, &mut [f32]) + Sync),
    ) {
        let shrink = self.shrink();
        let gradient = |at: usize, out: &mut [f32]| fill(at, 1.0, out);
        match rule {
            Rule::Sgd { momentum: 0.0 } => {
                update::descend(theta, &|at, out| fill(at, self.lr, out), shrink);
            }
            Rule::Sgd { momentum } => update::Momentum {
                momentum,
                lr: self.lr as f32,
                decay: self.decay as f32,
            }
            .descend(theta, first, &gradient),
            Rule::Adam {
                beta1,
                beta2,
                epsilon,
            } => update::Adam {
                beta1: beta1 as f32,
                beta2: beta2 as f32,
                new: [(1.0 - beta1) as f32, (1.0 - beta2) as f32],
                epsilon: epsilon as f32,
                step: (self.lr * self.correction(beta1, beta2)) as f32,
                decay: shrink,
            }
            .descend(theta, first, second, &gradient),
        }
    }

    /// `sqrt(1 - beta2^t) / (1 - beta1^t)`, for moments that began at zero.
    fn correction(&self, beta1: f64, beta2: f64) -> f64 {
        let steps = self.steps as f64;
        (1.0 - beta2.powf(steps)).sqrt() / (1.0 - beta1.powf(steps))
    }
}

#[cfg(test)]
mod tests;
