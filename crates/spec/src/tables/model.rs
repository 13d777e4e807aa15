//! `[model]`: which model, and how it computes.

use std::path::PathBuf;

use crate::key::{Default, Role, keys};
use crate::reader::Reader;
use crate::value::words;

words! {
    /// The format of the numbers that matrix products read.
    ///
    /// It is about products alone: their sums, weights, updates, norms and probabilities stay f32, losses f64.
    /// `f32`, `tf32` and `bf16` are what torch's `set_float32_matmul_precision` calls `highest`, `high` and `medium`.
    pub enum Precision {
        /// As they are: 24 significant bits.
        F32 = "f32",
        /// The 11 significant bits of TensorFloat-32, with the range of f32.
        Tf32 = "tf32",
        /// The 11 significant bits of half precision, fewer below 6.1e-5; numbers from 65,520 on overflow.
        F16 = "f16",
        /// The 8 significant bits of bfloat16, with the range of f32.
        Bf16 = "bf16",
    }
}

keys! {
    /// `[model]`: one of the three keys that name a model, and how it computes.
    pub struct ModelSpec {
        /// A model in the binary.
        BUILTIN = "model.builtin" => builtin: Option<String> {
            default: Default::Open, role: Role::Subject, values: Some("a built-in model's name"),
        };
        /// A folder in Hugging Face's layout; a relative path starts at the spec's folder.
        PATH = "model.path" => path: Option<PathBuf> {
            default: Default::Open, role: Role::Place, values: Some("a folder"),
        };
        /// A repository on the Hugging Face hub; `mezo sweep run` fetches it.
        HUB = "model.hub" => hub: Option<String> {
            default: Default::Open, role: Role::Subject, values: Some("such as `\"roberta-large\"`"),
        };
        /// The branch, tag or commit of `hub`; only with `hub`.
        REVISION = "model.revision" => revision: Option<String> {
            default: Default::Open, role: Role::Subject, values: Some("branch, tag or commit"),
            default_words: Some("`\"main\"`"),
        };
        /// The format of the numbers that matrix products read.
        PRECISION = "model.precision" => precision: Option<Precision> {
            default: Default::Open,
            default_words: Some("`\"f16\"` on a GPU; the processor multiplies in f32 whatever is asked"),
        };
    }
}

/// What kind of device a run is planned for: its numbers depend on the precision that the device has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceKind {
    /// The processor, which multiplies in f32 whatever is asked for.
    Cpu,
    /// A GPU.
    Gpu,
}

impl Precision {
    /// What a GPU's products read where a spec does not say: the fastest that leaves projected gradients what they are
    /// (docs/spec.md). RoBERTa was itself trained in half precision (Liu et al., 2019, section 3.1), so that its range is known
    /// to do.
    pub const DEFAULT: Self = Self::F16;

    /// The precision in effect on a kind of device, where this or nothing is asked for.
    pub fn in_effect(asked: Option<Self>, device: DeviceKind) -> Self {
        match device {
            DeviceKind::Cpu => Self::F32,
            DeviceKind::Gpu => asked.unwrap_or(Self::DEFAULT),
        }
    }
}

/// The branch that a repository is read from where the spec names none.
const MAIN: &str = "main";

impl ModelSpec {
    /// The repository on the hub and its revision, where the model is from there.
    pub fn on_hub(&self) -> Option<(&str, &str)> {
        let repo = self.hub.as_deref()?;
        Some((repo, self.revision.as_deref().unwrap_or(MAIN)))
    }

    /// Exactly one key names the model.
    pub(crate) fn check(&self, reader: &mut Reader<'_>) {
        let named = [
            self.builtin.is_some(),
            self.path.is_some(),
            self.hub.is_some(),
        ];
        let expected = "expected one of `builtin`, `path` and `hub` in [model]";
        let hint = "name the model by one of them";
        match named.into_iter().filter(|&named| named).count() {
            0 => reader.lacks("model", format!("{expected}, found none"), hint),
            1 => reader.refuse(
                self.revision.is_some() && self.hub.is_none(),
                Self::REVISION.path,
                "is set",
                "[model] has no `hub`",
                "remove it, or name the model by `hub`",
            ),
            _ => reader.rule("model", format!("{expected}, found more"), hint),
        }
    }
}
