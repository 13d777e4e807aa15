//! `method.tuning`, and what LoRA and prefixes read: which parameters are trained.

use crate::key::{Default, Key, Range, Role, keys};
use crate::reader::{Part, Reader};
use crate::value::{Value, words};
use crate::values::Values;

words! {
    /// Which parameters are trained.
    pub enum TuningName {
        /// All of them.
        Full = "full",
        /// Low-rank terms beside query and value.
        Lora = "lora",
        /// Keys and values before each layer's own.
        Prefix = "prefix",
        /// The head alone.
        Head = "head",
        /// The biases alone.
        Bias = "bias",
    }

    /// Where a prefix's first values come from.
    pub enum PrefixInit {
        /// The model's own keys and values of random words.
        Activations = "activations",
        /// A normal distribution.
        Random = "random",
    }
}

keys! {
    /// `[method.lora]`: low-rank terms beside query and value; only with `tuning = "lora"`.
    pub struct Lora {
        /// The rank.
        R = "method.lora.r" => r: usize {
            range: Range::Count, default: Default::Whole(8), role: Role::Course,
            values: Some("1 up to the model's width"),
        };
        /// The terms are scaled by `alpha / r`.
        ALPHA = "method.lora.alpha" => alpha: f64 {
            range: Range::Positive, default: Default::Number(16.0), role: Role::Course,
        };
    }
}

keys! {
    /// `[method.prefix]`: keys and values before each layer's own; only with `tuning = "prefix"`.
    pub struct Prefix {
        /// How many keys and values stand before a layer's own.
        TOKENS = "method.prefix.tokens" => tokens: usize {
            range: Range::Count, default: Default::Whole(5), role: Role::Course,
            values: Some("1 up to the model's positions"),
        };
        /// Where their first values come from.
        INIT = "method.prefix.init" => init: PrefixInit {
            default: Default::Word("activations"), role: Role::Course,
        };
    }
}

/// Which parameters are trained.
pub const TUNING: Key = Key {
    default: Default::Word("full"),
    role: Role::InMethodName,
    ..Key::new(
        "method.tuning",
        "Which parameters are trained.",
        TuningName::KIND,
    )
};

/// Which parameters are trained, with what each way reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Tuning {
    /// All of them.
    Full,
    /// Low-rank terms beside query and value.
    Lora(Lora),
    /// Keys and values before each layer's own.
    Prefix(Prefix),
    /// The head alone.
    Head,
    /// The biases alone.
    Bias,
}

impl Tuning {
    /// Its name.
    pub fn name(&self) -> TuningName {
        match self {
            Self::Full => TuningName::Full,
            Self::Lora(_) => TuningName::Lora,
            Self::Prefix(_) => TuningName::Prefix,
            Self::Head => TuningName::Head,
            Self::Bias => TuningName::Bias,
        }
    }

    /// What LoRA reads, for LoRA.
    pub fn lora(&self) -> Option<&Lora> {
        match self {
            Self::Lora(lora) => Some(lora),
            _ => None,
        }
    }

    /// What a prefix reads, for a prefix.
    pub fn prefix(&self) -> Option<&Prefix> {
        match self {
            Self::Prefix(prefix) => Some(prefix),
            _ => None,
        }
    }
}

impl Part for Tuning {
    fn keys(keys: &mut Vec<&'static Key>) {
        keys.push(&TUNING);
        Lora::keys(keys);
        Prefix::keys(keys);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(match reader.value(&TUNING)? {
            TuningName::Full => Self::Full,
            TuningName::Lora => Self::Lora(Lora::read(reader)?),
            TuningName::Prefix => Self::Prefix(Prefix::read(reader)?),
            TuningName::Head => Self::Head,
            TuningName::Bias => Self::Bias,
        })
    }

    fn write(&self, values: &mut Values) {
        values.put(&TUNING, &self.name());
        match self {
            Self::Lora(lora) => lora.write(values),
            Self::Prefix(prefix) => prefix.write(values),
            Self::Full | Self::Head | Self::Bias => {}
        }
    }
}
