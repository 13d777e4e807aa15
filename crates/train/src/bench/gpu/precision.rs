//! What becomes of projected gradients where products read fewer bits.

use mezo_model::{Model, Precision};
use mezo_tasks::Example;
use serde::{Deserialize, Serialize};

use super::Bench;
use super::budget::Share;
use super::estimate::{estimate, slope};
use super::part::Sight;
use crate::bench::prompts::{WORDS, prompts};
use crate::bench::subject::Subject;
use crate::bench::{EPS, Shape, Tuned};
use crate::error::TrainError;

/// Projected gradients of one model before its first step, by precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreements {
    /// Batches, each with a seed of its own.
    pub batches: usize,
    /// Scale of the perturbation.
    pub eps: f64,
    /// The root of the mean square of f32's.
    pub rms: f64,
    /// Each other precision against f32.
    pub of: Vec<Agreement>,
}

/// Projected gradients against f32's at the same seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// What products read.
    pub precision: Precision,
    /// Pearson's.
    pub correlation: f64,
    /// The root of the mean square of the differences, over that of f32's projected gradients.
    pub rms_difference: f64,
    /// How often both have the same sign.
    pub same_sign: f64,
}

impl Bench {
    pub(super) fn gradients(&self, sight: Sight, share: Share) -> Result<Agreements, TrainError> {
        let [of_builtin, of_base] = self.scale.compared_batches;
        let (mut subject, count) = match sight {
            Sight::BuiltinLora => (self.builtin(&self.device)?.tuned(Tuned::Lora), of_builtin),
            Sight::BuiltinFull => (self.builtin(&self.device)?.tuned(Tuned::Full), of_builtin),
            Sight::BaseLora => (self.base_with(of_base), of_base),
        };
        let mut by_precision = [const { Vec::new() }; Precision::ALL.len()];
        for number in 0..count {
            for (all, precision) in by_precision.iter_mut().zip(Precision::ALL) {
                subject.model.set_precision(precision);
                all.push(slope(&estimate(&subject, number)));
            }
            // Of one batch nothing can be told.
            if share.is_up() && number > 0 {
                break;
            }
        }
        let (exact, coarser) = (&by_precision[0], &by_precision[1..]);
        let of = Precision::ALL[1..].iter().zip(coarser);
        Ok(Agreements {
            batches: exact.len(),
            eps: EPS,
            rms: rms(exact.iter().copied()),
            of: of
                .map(|(&precision, found)| Agreement::between(precision, exact, found))
                .collect(),
        })
    }

    /// A model of RoBERTa-base's sizes with LoRA's terms, and so many batches.
    fn base_with(&self, batches: usize) -> Subject {
        let config = self.scale.config(Shape::Base).clone();
        let model = Model::random(&config, 0, &self.device);
        let sentences = self.scale.sentences;
        let all = prompts(sentences * batches.div_ceil(2), config.vocab_size).concat();
        let batches = all.chunks(sentences).map(<[Example]>::to_vec).collect();
        Subject::new(model, config, batches, WORDS.to_vec(), Tuned::Lora)
    }
}

impl Agreement {
    fn between(precision: Precision, exact: &[f64], found: &[f64]) -> Self {
        let pairs = || exact.iter().zip(found);
        let same = pairs().filter(|(a, b)| a.signum() == b.signum()).count();
        Self {
            precision,
            correlation: correlation(exact, found),
            rms_difference: rms(pairs().map(|(a, b)| a - b)) / rms(exact.iter().copied()),
            same_sign: same as f64 / exact.len() as f64,
        }
    }
}

fn rms(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    (values.map(|value| value * value).sum::<f64>() / count).sqrt()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let centred = |values: &[f64]| {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| value - mean).collect::<Vec<_>>()
    };
    let (a, b) = (centred(a), centred(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_by_hand() {
        let exact = [1.0, -1.0, 2.0, -2.0];
        let same = Agreement::between(Precision::F32, &exact, &exact);
        assert!((same.correlation - 1.0).abs() < 1e-15);
        assert_eq!((same.rms_difference, same.same_sign), (0.0, 1.0));
        let found = [-1.0, -1.0, 2.0, -2.0];
        let other = Agreement::between(Precision::Bf16, &exact, &found);
        assert_eq!(other.same_sign, 0.75);
        // One difference of 2 in four, over the root of (1 + 1 + 4 + 4) / 4.
        assert!((other.rms_difference - 1.0 / 2.5f64.sqrt()).abs() < 1e-15);
        // Means 0 and -0.5: products 8 and squares 10 and 10 - 4 / 4.
        assert!((other.correlation - 8.0 / 90f64.sqrt()).abs() < 1e-15);
    }
}
