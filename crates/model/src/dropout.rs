//! Dropout, in the passes that backpropagation records: masks as a function of where they are used.

use std::cell::Cell;

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use crate::noise::dropout_uniforms;

/// Which share of the numbers is dropped, and the seed that says which ones.
///
/// The sites are those of transformers' RoBERTa: after the norm of the embeddings, on the attention's weights, after the
/// linear layer that closes each half of an encoder layer, and before both linear layers of a classifier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Another one for each step.
    pub seed: u64,
    /// Of hidden states: `hidden_dropout_prob`.
    pub hidden: f64,
    /// Of attention weights: `attention_probs_dropout_prob`.
    pub attention: f64,
}

/// The masks of one pass. A site is known by its place in the order in which the pass comes to them.
#[derive(Debug, Clone)]
pub(crate) struct Masks {
    dropout: Dropout,
    sites: Cell<u32>,
}

impl Masks {
    pub(crate) fn new(dropout: Dropout) -> Self {
        Self {
            dropout,
            sites: Cell::new(0),
        }
    }

    /// The next site on hidden states.
    pub(crate) fn hidden(&self) -> Option<Site> {
        self.next(self.dropout.hidden)
    }

    /// The next site on attention weights.
    pub(crate) fn attention(&self) -> Option<Site> {
        self.next(self.dropout.attention)
    }

    /// None where nothing is dropped.
    fn next(&self, rate: f64) -> Option<Site> {
        let number = self.sites.get();
        self.sites.set(number + 1);
        (rate > 0.0).then_some(Site {
            seed: self.dropout.seed,
            number,
            rate,
        })
    }
}

/// A place in the pass where numbers are dropped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    seed: u64,
    number: u32,
    rate: f64,
}

/// Elements a thread decides on at a time, whole groups of the generator's.
const CHUNK: usize = 4096;

impl Site {
    /// `x` with some elements zero and the others multiplied by `1 / (1 - rate)`.
    pub(crate) fn drop<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mask = self.mask(0, x.dims(), &x.device().inner());
        x * mask
    }

    /// What the elements from `first` on are multiplied by.
    pub(crate) fn mask<const D: usize>(
        &self,
        first: usize,
        dims: [usize; D],
        device: &Device,
    ) -> Tensor<D> {
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        let mut values = vec![0.0f32; dims.iter().product()];
        values
            .par_chunks_mut(CHUNK)
            .enumerate()
            .for_each(|(chunk, part)| {
                dropout_uniforms(self.seed, self.number, first + chunk * CHUNK, part);
                for value in part {
                    *value = if f64::from(*value) < self.rate {
                        0.0
                    } else {
                        kept
                    };
                }
            });
        Tensor::from_data(TensorData::new(values, dims), device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::values;

    fn site(number: u32, rate: f64) -> Site {
        Site {
            seed: 11,
            number,
            rate,
        }
    }

    #[test]
    fn the_mean_stays_and_the_share_is_right() {
        let device = Device::flex();
        let n = 200_000;
        for rate in [0.1, 0.5] {
            let mask = values(site(2, rate).mask(0, [n], &device));
            let dropped = mask.iter().filter(|&&value| value == 0.0).count() as f64 / n as f64;
            // Five standard errors.
            assert!((dropped - rate).abs() < 5.0 * (rate * (1.0 - rate) / n as f64).sqrt());
            let kept = (1.0 / (1.0 - rate)) as f32;
            assert!(mask.iter().all(|&value| value == 0.0 || value == kept));
        }
    }

    #[test]
    fn a_part_of_a_mask_is_the_same_alone() {
        let device = Device::flex();
        let whole = values(site(2, 0.3).mask(0, [9000], &device));
        for (first, count) in [(0, 5), (61, 70), (4095, 3), (4097, 4100)] {
            let part = values(site(2, 0.3).mask(first, [count], &device));
            assert_eq!(part, whole[first..first + count]);
        }
        assert_ne!(values(site(3, 0.3).mask(0, [9000], &device)), whole);
    }

    #[test]
    fn sites_without_a_rate_keep_their_number() {
        let masks = Masks::new(Dropout {
            seed: 1,
            hidden: 0.0,
            attention: 0.1,
        });
        assert!(masks.hidden().is_none());
        assert_eq!(masks.attention().map(|site| site.number), Some(1));
    }
}
