//! What there is to measure, and in which order.

use mezo_model::Precision;
use serde::{Deserialize, Serialize};

use super::DEFAULT_PRECISION;
use super::budget::Need;
use crate::bench::{Shape, Tuned};

/// A part of the measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Normals against the CPU's.
    Normals,
    /// The built-in model's scores against the CPU's.
    Scores,
    /// Scores and losses against those that reference implementations gave.
    Goldens,
    /// The losses of a run's first steps against the CPU's.
    Losses(Trained),
    /// The losses of runs together against those of each alone.
    Batched,
    /// Steps of one run.
    Alone(Case),
    /// Projected gradients by precision.
    Gradients(Sight),
    /// Steps of several runs in one pass.
    Together(Group),
    /// PyTorch's step, LoRA on RoBERTa-base.
    Peer(Precision),
    /// What a step is made of.
    Phases(Case),
}

/// What the compared runs train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trained {
    /// LoRA's terms.
    Lora,
    /// All weights.
    Full,
    /// A prefix.
    Prefix,
}

/// A kind of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The model's sizes.
    pub shape: Shape,
    /// What is trained.
    pub tuned: Tuned,
    /// What products read.
    pub precision: Precision,
}

/// LoRA runs whose steps are made in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The model's sizes.
    pub shape: Shape,
    /// What products read.
    pub precision: Precision,
    /// How many they are.
    pub runs: usize,
}

/// Where projected gradients are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// The built-in model on its task, LoRA.
    BuiltinLora,
    /// The same, all weights.
    BuiltinFull,
    /// RoBERTa-base's sizes with random weights, LoRA.
    BaseLora,
}

impl Part {
    /// The seconds it asks for. Most of them go into what is done once: making a model, compiling and choosing kernels.
    pub(super) fn need(self) -> Need {
        let of_shape = |shape, base, large| match shape {
            Shape::Base => base,
            Shape::Large => large,
        };
        match self {
            Self::Normals => Need::seconds(1, 20),
            Self::Scores | Self::Goldens | Self::Losses(_) | Self::Batched => Need::seconds(2, 40),
            Self::Alone(case) => of_shape(case.shape, Need::seconds(5, 40), Need::seconds(10, 45)),
            Self::Gradients(_) => Need::seconds(3, 20),
            Self::Together(group) => {
                of_shape(group.shape, Need::seconds(5, 30), Need::seconds(12, 45))
            }
            Self::Peer(_) => Need::seconds(20, 75),
            Self::Phases(case) => of_shape(case.shape, Need::seconds(4, 15), Need::seconds(8, 20)),
        }
    }
}

/// What a run is made in first, then what it may be held against. bfloat16's products are as fast as half precision's, and
/// come last of all.
const PRECISIONS: [Precision; 3] = [DEFAULT_PRECISION, Precision::Tf32, Precision::F32];

/// All parts, the most important first.
pub fn parts() -> Vec<Part> {
    let mut parts = vec![
        Part::Normals,
        Part::Scores,
        Part::Goldens,
        Part::Losses(Trained::Lora),
        Part::Losses(Trained::Full),
        Part::Losses(Trained::Prefix),
        Part::Batched,
    ];
    let case = |shape, tuned, precision| {
        Part::Alone(Case {
            shape,
            tuned,
            precision,
        })
    };
    let alone = |shape, tuned| PRECISIONS.map(|precision| case(shape, tuned, precision));
    let together = |shape, precision, runs| {
        Part::Together(Group {
            shape,
            precision,
            runs,
        })
    };
    let phases = |shape, tuned| {
        Part::Phases(Case {
            shape,
            tuned,
            precision: DEFAULT_PRECISION,
        })
    };
    parts.extend(alone(Shape::Base, Tuned::Lora));
    let sights = [Sight::BuiltinLora, Sight::BuiltinFull, Sight::BaseLora];
    parts.extend(sights.map(Part::Gradients));
    parts.push(together(Shape::Base, DEFAULT_PRECISION, 8));
    parts.extend(alone(Shape::Large, Tuned::Lora));
    parts.extend(alone(Shape::Base, Tuned::Full));
    parts.extend(alone(Shape::Large, Tuned::Full));
    parts.extend([1, 2, 4, 16].map(|runs| together(Shape::Base, DEFAULT_PRECISION, runs)));
    parts.push(together(Shape::Base, Precision::Tf32, 8));
    parts.push(together(Shape::Large, DEFAULT_PRECISION, 8));
    parts.extend([DEFAULT_PRECISION, Precision::F32].map(Part::Peer));
    parts.extend([
        phases(Shape::Base, Tuned::Lora),
        phases(Shape::Base, Tuned::Full),
        phases(Shape::Large, Tuned::Lora),
    ]);
    parts.push(together(Shape::Base, Precision::Bf16, 8));
    for shape in [Shape::Base, Shape::Large] {
        for tuned in [Tuned::Lora, Tuned::Full] {
            parts.push(case(shape, tuned, Precision::Bf16));
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_important_come_first_and_none_twice() {
        let parts = parts();
        let place = |wanted: Part| parts.iter().position(|part| *part == wanted);
        assert_eq!(parts[0], Part::Normals);
        let base = Case {
            shape: Shape::Base,
            tuned: Tuned::Lora,
            precision: DEFAULT_PRECISION,
        };
        let large = Case {
            shape: Shape::Large,
            ..base
        };
        assert!(place(Part::Batched) < place(Part::Alone(base)));
        assert!(place(Part::Alone(base)) < place(Part::Alone(large)));
        assert!(place(Part::Alone(large)) < place(Part::Peer(Precision::F32)));
        for (number, part) in parts.iter().enumerate() {
            assert_eq!(place(*part), Some(number));
        }
    }

    #[test]
    fn a_part_has_one_name_for_programs() {
        for part in parts() {
            let json = serde_json::to_string(&part).expect("only names");
            assert_eq!(serde_json::from_str::<Part>(&json).expect("a part"), part);
        }
        let peer = serde_json::to_string(&Part::Peer(Precision::F32)).expect("only names");
        assert_eq!(peer, r#"{"peer":"f32"}"#);
    }
}
