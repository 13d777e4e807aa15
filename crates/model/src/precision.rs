//! The format of the numbers that matrix products read.

use std::fmt;
use std::str::FromStr;

use burn::tensor::FloatDType;
use serde::{Deserialize, Serialize};

/// The format of the numbers that matrix products read.
///
/// It is about products alone: their sums, weights, updates, norms and probabilities stay f32, losses f64. And it is the
/// least that is asked for: a device without products of such numbers, as the CPU is, multiplies in f32 whatever is asked.
/// The same is meant by torch's `set_float32_matmul_precision` with `highest`, `high` and `medium`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// As they are: 24 bits of a number count.
    F32,
    /// The 11 bits of a number that TensorFloat-32 keeps, with the range of f32.
    Tf32,
    /// The 11 bits of a number that half precision keeps, and fewer of one below 6.1e-5; from 65,520 on there are none.
    F16,
    /// The 8 bits of a number that bfloat16 keeps, with the range of f32.
    Bf16,
}

impl Precision {
    /// All of them, the finest first.
    pub const ALL: [Self; 4] = [Self::F32, Self::Tf32, Self::F16, Self::Bf16];

    /// Its name in a spec and in a manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Tf32 => "tf32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    /// The numbers of two bytes that products read, where they read such.
    pub(crate) const fn narrow(self) -> Option<FloatDType> {
        match self {
            Self::F32 | Self::Tf32 => None,
            Self::F16 => Some(FloatDType::F16),
            Self::Bf16 => Some(FloatDType::BF16),
        }
    }

    /// What products read.
    pub(crate) fn stored(self) -> FloatDType {
        self.narrow().unwrap_or(FloatDType::F32)
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A word that names no precision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected f32, tf32, f16 or bf16, found `{0}`")]
pub struct UnknownPrecision(String);

impl FromStr for Precision {
    type Err = UnknownPrecision;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|precision| precision.name() == text)
            .ok_or_else(|| UnknownPrecision(text.to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_has_one_name_everywhere() {
        for precision in Precision::ALL {
            let name = precision.name();
            assert_eq!(name.parse(), Ok(precision));
            assert_eq!(precision.to_string(), name);
            let json = serde_json::to_string(&precision).unwrap();
            assert_eq!(json, format!("\"{name}\""));
            assert_eq!(serde_json::from_str::<Precision>(&json).unwrap(), precision);
        }
    }

    #[test]
    fn other_words_are_refused() {
        for word in ["", "F32", "fp32", "half", "tf32 "] {
            assert_eq!(
                word.parse::<Precision>(),
                Err(UnknownPrecision(word.to_owned()))
            );
        }
        assert_eq!(
            UnknownPrecision("half".into()).to_string(),
            "expected f32, tf32, f16 or bf16, found `half`"
        );
    }
}
