//! The numbers that products read, by the format that a spec asks for.

use burn::tensor::FloatDType;
pub use mezo_spec::Precision;

/// The numbers that products of a precision read.
pub(crate) trait Stored {
    /// The numbers of two bytes that products read, where they read such.
    fn narrow(self) -> Option<FloatDType>;

    /// What products read.
    fn stored(self) -> FloatDType;
}

impl Stored for Precision {
    fn narrow(self) -> Option<FloatDType> {
        match self {
            Self::F32 | Self::Tf32 => None,
            Self::F16 => Some(FloatDType::F16),
            Self::Bf16 => Some(FloatDType::BF16),
        }
    }

    fn stored(self) -> FloatDType {
        self.narrow().unwrap_or(FloatDType::F32)
    }
}
