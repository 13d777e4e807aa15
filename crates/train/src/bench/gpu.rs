//! What a GPU reaches: its numbers against the CPU's, and steps alone and together beside what their products alone take.
//!
//! It is measured part by part, the most important first, in a time that is given. A part that finds too little of it left
//! says so; one that fails, by a panic of a library below say, takes no other with it.

mod budget;
mod ceiling;
mod checks;
mod estimate;
mod goldens;
mod memory;
mod part;
mod phases;
mod precision;
mod scale;
mod series;
mod steps;
#[cfg(test)]
mod tests;
mod together;

use std::path::PathBuf;
use std::time::Duration;

use burn::tensor::Device;
pub use mezo_model::Precision;
use serde::{Deserialize, Serialize};

pub use budget::Budget;
pub use ceiling::{Ceiling, ProductTime};
pub use checks::Check;
pub use memory::Memory;
pub use part::{Case, Group, Part, Sight, Trained, parts};
pub use phases::Instrumented;
pub use precision::{Agreement, Agreements};
pub use scale::Scale;
pub use steps::{Alone, EVALUATIONS, STEPS};
pub use together::Together;

/// What a run reads where its spec does not say.
pub const DEFAULT_PRECISION: Precision = Precision::DEFAULT;
use crate::error::TrainError;
use crate::panics::{guarded, listen_anew};
use budget::Share;

/// Times PyTorch's LoRA step with RoBERTa-base's sizes in this format, in no more than this time; else says why it could not.
pub type Peer = Box<dyn Fn(Precision, Duration) -> Result<PeerStep, String>>;

/// What measurements are made on.
pub struct Bench {
    device: Device,
    tolerances: Tolerances,
    scale: Scale,
    beside: Beside,
}

/// What there is to hold the device against beside this program itself.
#[derive(Default)]
pub struct Beside {
    /// A folder of models with what a reference implementation makes of some sentences with them, in their `cases.json`.
    pub goldens: Option<PathBuf>,
    /// PyTorch.
    pub peer: Option<Peer>,
}

/// How far a device's numbers may lie from the CPU's.
#[derive(Debug, Clone, Copy)]
struct Tolerances {
    /// Of normals.
    normals: f64,
    /// Of scores, in f32.
    scores: f64,
    /// Of the losses of the first steps, in f32.
    losses: f64,
}

impl Tolerances {
    /// Logarithm, sine and cosine are right to the last bits or so; the rest are sums in another order. Scores are some ten
    /// times as large as losses.
    const CUDA: Self = Self {
        normals: 1e-5,
        scores: 1e-3,
        losses: 1e-4,
    };
    /// Vulkan promises no more than 11 bits of a sine.
    const OTHER: Self = Self {
        normals: 5e-4,
        scores: 1e-3,
        losses: 1e-3,
    };
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Numbers were compared.
    Checks(Vec<Check>),
    /// Steps of a run alone were timed.
    Alone(Alone),
    /// Projected gradients were compared.
    Gradients(Agreements),
    /// Steps of runs together were timed.
    Together(Together),
    /// PyTorch was timed.
    Peer(PeerStep),
    /// A step was taken to pieces.
    Phases(Instrumented),
    /// There was too little time left.
    OutOfTime,
    /// It was not asked for, or there is nothing to measure.
    Skipped(String),
    /// It broke down.
    Failed(String),
}

impl Outcome {
    /// Whether something is wrong: a check did not hold, or the part broke down.
    pub fn is_bad(&self) -> bool {
        match self {
            Self::Checks(checks) => checks.iter().any(|check| check.passed == Some(false)),
            Self::Failed(_) => true,
            _ => false,
        }
    }
}

/// A step of PyTorch's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerStep {
    /// Seconds of a step.
    pub step_s: f64,
    /// Steps timed.
    pub steps: usize,
    /// Tokens of a batch with their padding.
    pub tokens_padded: f64,
    /// The most bytes of the device's memory that its tensors took.
    pub peak_bytes: u64,
    /// PyTorch's version.
    pub torch: String,
    /// The other library's.
    pub transformers: String,
}

/// What a device of this name is, as far as its driver says: its name, and all its memory in bytes.
pub fn described(device: &str) -> (Option<String>, Option<u64>) {
    let index = device.strip_prefix("cuda:");
    let index: Option<usize> = index.and_then(|index| index.parse().ok());
    match index {
        None => (None, None),
        Some(index) => (
            mezo_model::device::cuda_name(index),
            mezo_model::device::cuda_memory(index),
        ),
    }
}

impl Bench {
    /// On a device of this name.
    ///
    /// All measurements are to be made by the thread that made this: a device may keep memory for each thread.
    ///
    /// # Errors
    /// If there is no such device.
    pub fn new(device: &str, scale: Scale, beside: Beside) -> Result<Self, TrainError> {
        listen_anew();
        let tolerances = match device.starts_with("cuda") {
            true => Tolerances::CUDA,
            false => Tolerances::OTHER,
        };
        Ok(Self {
            device: mezo_model::device::open(device)?,
            tolerances,
            scale,
            beside,
        })
    }

    /// Measures a part, unless too little time is left.
    pub fn measure(&self, part: Part, budget: Budget) -> Outcome {
        let Some(share) = budget.share(part.need()) else {
            return Outcome::OutOfTime;
        };
        match guarded(|| self.outcome(part, share)) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Outcome::Failed(error.to_string()),
            Err(words) => Outcome::Failed(words),
        }
    }

    fn outcome(&self, part: Part, share: Share) -> Result<Outcome, TrainError> {
        Ok(match part {
            Part::Normals => Outcome::Checks(self.normals()),
            Part::Scores => Outcome::Checks(self.scores()?),
            Part::Goldens => match &self.beside.goldens {
                None => Outcome::Skipped("no folder of recorded cases was named".into()),
                Some(folder) => match self.goldens(folder)? {
                    none if none.is_empty() => {
                        Outcome::Skipped(format!("{}: no recorded cases", folder.display()))
                    }
                    checks => Outcome::Checks(checks),
                },
            },
            Part::Losses(trained) => Outcome::Checks(self.losses(trained)?),
            Part::Batched => Outcome::Checks(self.batched()?),
            Part::Alone(case) => Outcome::Alone(self.alone(case, share)),
            Part::Gradients(sight) => Outcome::Gradients(self.gradients(sight, share)?),
            Part::Together(group) => Outcome::Together(self.together(group, share)),
            Part::Peer(precision) => match &self.beside.peer {
                None => Outcome::Skipped("no Python with PyTorch was named".into()),
                Some(peer) => match peer(precision, share.left()) {
                    Ok(step) => Outcome::Peer(step),
                    Err(why) => Outcome::Skipped(why),
                },
            },
            Part::Phases(case) => Outcome::Phases(self.phases(case, share)),
        })
    }

    /// Waits until the device has done all that it was given. What went wrong there ends the part.
    fn wait(&self) {
        if let Err(error) = self.device.sync() {
            panic!("the device did not end its work: {error:?}");
        }
    }
}
