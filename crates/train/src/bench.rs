//! What steps take on this machine: time by phases, beside the least it could be, and memory.

mod count;
mod floor;
pub mod gpu;
mod memory;
mod noise;
mod prompts;
mod step;
mod subject;

use std::path::PathBuf;

use mezo_model::{
    Decay, DecayOn, Estimates, Gradient, Model, Optimizer, Philox, RobertaConfig, Rule, Term,
};

use serde::{Deserialize, Serialize};

pub use memory::{Pass, peak_of};
pub use noise::{NoiseTimes, time_noise};
pub use prompts::{WORDS, prompts};
pub use step::{Phases, StepTimes, time_bare_steps, time_steps};
pub use subject::Subject;

/// Scale of the perturbations.
const EPS: f64 = 1e-3;
/// Learning rate: so small that the weights stay about what they are.
const LR: f64 = 1e-6;

/// The sizes of a published model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// `roberta-base`
    Base,
    /// `roberta-large`
    Large,
}

impl Shape {
    /// In numbers.
    pub fn config(self) -> RobertaConfig {
        match self {
            Self::Base => RobertaConfig::base(),
            Self::Large => RobertaConfig::large(),
        }
    }
}

/// What of a model a step trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tuned {
    /// All of its weights.
    Full,
    /// LoRA's terms beside query and value, of rank 8.
    Lora,
}

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The kernel does not say.
    #[error("{path}: {source}")]
    Status {
        /// Where it would say it.
        path: PathBuf,
        /// Why it could not be read.
        source: std::io::Error,
    },
    /// The file says something else.
    #[error("{path}: there is no line `VmHWM: <number> kB`")]
    NoPeak {
        /// The file.
        path: PathBuf,
    },
}

impl BenchError {
    /// A way out.
    pub fn hint(&self) -> String {
        "the peak resident set comes from Linux's /proc: run it on Linux, with /proc mounted".into()
    }
}

/// The estimate of a step.
fn estimates(seed: u64, coefficient: f64) -> Estimates<'static> {
    Estimates {
        noise: &Philox,
        terms: vec![Term { seed, coefficient }],
        factors: None,
    }
}

/// The update of a step: SGD without decay.
fn descend(model: &mut Model, gradient: &dyn Gradient) {
    descend_by(model, gradient, LR);
}

/// The same at a learning rate.
fn descend_by(model: &mut Model, gradient: &dyn Gradient, lr: f64) {
    let no_decay = Decay {
        rate: 0.0,
        on: DecayOn::All,
    };
    Optimizer::new(Rule::Sgd { momentum: 0.0 }, no_decay).update(model, gradient, lr);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes for a moment's work.
    pub(super) fn small() -> RobertaConfig {
        RobertaConfig {
            vocab_size: 10_000,
            hidden_size: 32,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            intermediate_size: 64,
            ..RobertaConfig::base()
        }
    }
}
