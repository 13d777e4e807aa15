//! What a step goes down along: a gradient, estimated from losses or recorded by backpropagation.

use rayon::prelude::*;

use crate::noise::Noise;
use crate::ops::simd::widest;

/// Elements of noise made at a time, so that they stay in a thread's cache.
const PART: usize = 1024;

/// A gradient of the loss by the trained parameters, given out piece by piece.
pub trait Gradient: Sync {
    /// Fills `out` with `factor` times the gradient of the elements `first, first + 1, ...` of a trained tensor.
    ///
    /// `parameter` is the position of the tensor among the trained ones, `first` an element of it in the order in which
    /// this crate stores it (`[in, out]` for the weights of linear layers).
    fn fill(&self, parameter: usize, first: usize, factor: f64, out: &mut [f32]);

    /// Seeds and coefficients of a trained tensor, where `factor` times the gradient is a sum of [`crate::Philox`]'s noise and
    /// nothing else.
    fn terms(&self, parameter: usize, factor: f64) -> Option<Vec<(u64, f32)>> {
        let _ = (parameter, factor);
        None
    }
}

/// One direction of an estimated gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Term {
    /// The seed of `z`.
    pub seed: u64,
    /// What `z` is multiplied by: the projected gradient, divided by the number of estimates.
    pub coefficient: f64,
}

/// MeZO's gradient: the sum of `coefficient * z(seed)` over the terms (Malladi et al., 2023, algorithms 1 and 2).
///
/// Nothing of it is stored but the terms; `z` is made again where it is used.
pub struct Estimates<'a> {
    /// Where `z` comes from.
    pub noise: &'a dyn Noise,
    /// The directions.
    pub terms: Vec<Term>,
    /// A factor for each trained tensor, where they do not share one.
    pub factors: Option<&'a [f32]>,
}

impl Estimates<'_> {
    /// What each term's noise is multiplied by.
    fn coefficient(&self, parameter: usize, factor: f64) -> impl Fn(&Term) -> f32 {
        let factor = match self.factors {
            None => factor,
            Some(factors) => factor * f64::from(factors[parameter]),
        };
        move |term: &Term| (factor * term.coefficient) as f32
    }
}

impl Gradient for Estimates<'_> {
    fn terms(&self, parameter: usize, factor: f64) -> Option<Vec<(u64, f32)>> {
        let coefficient = self.coefficient(parameter, factor);
        let terms = self.terms.iter();
        let terms = terms.map(|term| (term.seed, coefficient(term)));
        self.noise.is_philox().then(|| terms.collect())
    }

    fn fill(&self, parameter: usize, first: usize, factor: f64, out: &mut [f32]) {
        let coefficient = self.coefficient(parameter, factor);
        let Some((term, others)) = self.terms.split_first() else {
            return out.fill(0.0);
        };
        self.noise.fill(term.seed, parameter, first, out);
        scale(out, coefficient(term));
        if others.is_empty() {
            return;
        }
        let mut z = [0.0f32; PART];
        for (part, slice) in out.chunks_mut(PART).enumerate() {
            let z = &mut z[..slice.len()];
            for term in others {
                self.noise
                    .fill(term.seed, parameter, first + part * PART, z);
                add_scaled(slice, coefficient(term), z);
            }
        }
    }
}

widest! {
    /// `values <- factor * values`.
    fn scale(values: &mut [f32], factor: f32) {
        for value in values {
            *value *= factor;
        }
    }
}

widest! {
    /// `sum <- sum + factor * values`.
    fn add_scaled(sum: &mut [f32], factor: f32, values: &[f32]) {
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum = factor.mul_add(*value, *sum);
        }
    }
}

/// A gradient as backpropagation leaves it: one number for each trained scalar.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// By position among the trained tensors, elements in the order in which this crate stores them.
    pub(crate) by_parameter: Vec<Vec<f32>>,
}

impl Gradients {
    /// One list of numbers for each trained tensor.
    pub fn new(by_parameter: Vec<Vec<f32>>) -> Self {
        Self { by_parameter }
    }

    /// The numbers of each trained tensor, in the order in which this crate stores them.
    pub fn by_parameter(&self) -> &[Vec<f32>] {
        &self.by_parameter
    }

    /// The Euclidean length over all trained tensors together, summed in f64.
    pub fn norm(&self) -> f64 {
        self.squares().into_iter().sum::<f64>().sqrt()
    }

    /// The Euclidean length of each trained tensor's part, by its number.
    pub fn norms(&self) -> Vec<f64> {
        self.squares().into_iter().map(f64::sqrt).collect()
    }

    /// The sum of squares of each tensor's part. A tensor is one thread's: the same bits with any number of threads.
    fn squares(&self) -> Vec<f64> {
        let square = |&value: &f32| f64::from(value) * f64::from(value);
        self.by_parameter
            .par_iter()
            .map(|values| values.iter().map(square).sum())
            .collect()
    }

    /// Shortens it to `largest` where it is longer, and gives the length it had.
    ///
    /// The factor is torch's: `largest / (norm + 1e-6)`, if that is below one (`clip_grad_norm_`).
    pub fn clip(&mut self, largest: f64) -> f64 {
        let norm = self.norm();
        let factor = largest / (norm + 1e-6);
        if factor < 1.0 {
            for value in self.by_parameter.iter_mut().flatten() {
                *value *= factor as f32;
            }
        }
        norm
    }
}

impl Gradient for Gradients {
    fn fill(&self, parameter: usize, first: usize, factor: f64, out: &mut [f32]) {
        out.copy_from_slice(&self.by_parameter[parameter][first..first + out.len()]);
        scale(out, factor as f32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Philox;
    use crate::ops::simd::same_at_every_level;

    #[test]
    fn estimates_are_the_weighted_sum_of_their_noise() {
        let term = |seed, coefficient| Term { seed, coefficient };
        let mut gradient = Estimates {
            noise: &Philox,
            terms: vec![term(3, 0.5), term(4, -2.0)],
            factors: None,
        };
        let drawn = |seed, first| {
            let mut z = vec![0.0; 1500];
            Philox.fill(seed, 1, first, &mut z);
            z
        };
        for first in [0, 100] {
            let mut out = vec![f32::NAN; 1500];
            gradient.fill(1, first, 0.25, &mut out);
            for ((out, a), b) in out.iter().zip(drawn(3, first)).zip(drawn(4, first)) {
                assert_eq!(*out, (-0.5f32).mul_add(b, 0.125 * a));
            }
        }
        gradient.factors = Some(&[7.0, 2.0]);
        let (mut scaled, mut twice) = ([0.0; 9], [0.0; 9]);
        gradient.fill(1, 0, 1.0, &mut scaled);
        gradient.factors = None;
        gradient.fill(1, 0, 2.0, &mut twice);
        assert_eq!(scaled, twice);
    }

    /// Against f64, at and around the widths of registers and parts, with any number of terms.
    #[test]
    fn estimates_against_f64() {
        for length in [0, 1, 15, 16, 17, 31, 33, 63, 64, 65, 1023, 1024, 1025] {
            for count in 0..4u64 {
                let term = |i| Term {
                    seed: i,
                    coefficient: i as f64 - 0.7,
                };
                let gradient = Estimates {
                    noise: &Philox,
                    terms: (0..count).map(term).collect(),
                    factors: None,
                };
                let ours = same_at_every_level(|| {
                    let mut out = vec![f32::NAN; length];
                    gradient.fill(1, 3, 0.3, &mut out);
                    out
                });
                let mut exact = vec![0.0f64; length];
                for term in &gradient.terms {
                    let mut z = vec![0.0; length];
                    Philox.fill(term.seed, 1, 3, &mut z);
                    for (exact, z) in exact.iter_mut().zip(z) {
                        *exact += 0.3 * term.coefficient * f64::from(z);
                    }
                }
                for (ours, exact) in ours.iter().zip(exact) {
                    assert!((f64::from(*ours) - exact).abs() < 2e-6);
                }
            }
        }
    }

    #[test]
    fn a_coefficient_that_is_not_finite_shows() {
        let mut gradient = Estimates {
            noise: &Philox,
            terms: vec![Term {
                seed: 1,
                coefficient: f64::NAN,
            }],
            factors: None,
        };
        let mut out = [0.0; 33];
        gradient.fill(0, 0, 1.0, &mut out);
        assert!(out.iter().all(|it| it.is_nan()));
        gradient.terms[0].coefficient = f64::INFINITY;
        gradient.fill(0, 0, 1.0, &mut out);
        assert!(out.iter().all(|it| it.is_infinite()));
    }

    /// Against torch 2's `clip_grad_norm_`.
    #[test]
    fn clipping_by_the_global_norm() {
        let mut gradients = Gradients::new(vec![vec![3.0, 4.0], vec![12.0]]);
        assert_eq!(gradients.clone().clip(14.0), 13.0);
        assert_eq!(gradients.clip(1.0), 13.0);
        let clipped: Vec<f32> = gradients.by_parameter.concat();
        for (ours, torch) in clipped.iter().zip([0.230_769_2, 0.307_692_3, 0.923_076_87]) {
            assert!((ours - torch).abs() < 1e-7, "{ours} and {torch}");
        }
    }
}
