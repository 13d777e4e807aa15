//! What the products of a step take on the device, one after another and nothing else.

use mezo_model::{Precision, device};
use serde::{Deserialize, Serialize};

use super::Bench;
use crate::bench::count::Count;
use crate::bench::floor::Rates;

/// Rows, inner and columns of a product that is next to nothing: what it takes is launching it, and its part of the waiting.
const NOTHING: [usize; 3] = [16, 16, 16];
/// The least part of a product's time that may be its own, where it is as short as launching and waiting.
const LEAST: f64 = 0.1;

/// The floor of a step: its multiply-adds at the rate that the device makes products of their sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// Multiply-adds that the losses cannot do without.
    pub multiply_adds: f64,
    /// Each kind of product with a weight.
    pub products: Vec<ProductTime>,
    /// A product that is next to nothing: what launching and waiting take.
    pub wait_s: f64,
    /// The rate of the step's products together, 1e12 floating-point operations a second.
    pub tflops: f64,
    /// The floor at that rate.
    pub floor_s: f64,
    /// The same as if no product had to be launched and waited for.
    pub bare_tflops: f64,
    /// The floor at that rate.
    pub bare_floor_s: f64,
}

/// A product with a weight, `[rows, input] x [input, output]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ProductTime {
    /// Tokens of the probes that share it.
    pub rows: usize,
    /// Of the weight.
    pub input: usize,
    /// Of the weight.
    pub output: usize,
    /// How many of them a step needs.
    pub times: u64,
    /// Seconds of one, of a few in a row that are waited for.
    pub seconds: f64,
}

impl Bench {
    /// Measures the products of a count. The floors are those of as many multiply-adds as the mean batch has.
    pub(super) fn ceiling(
        &self,
        precision: Precision,
        count: &Count,
        multiply_adds: f64,
    ) -> Ceiling {
        let seconds = |sizes| device::product_seconds_on(&self.device, precision, sizes);
        let wait_s = seconds(NOTHING);
        let waited = Rates::by(count, |product| {
            seconds([product.rows, product.input, product.output])
        });
        let bare = waited.with(|seconds| own(seconds, wait_s));
        let share = multiply_adds / count.multiply_adds() as f64;
        let products = waited.seconds().zip(count.products.values());
        Ceiling {
            multiply_adds,
            products: products
                .map(|((product, seconds), &times)| ProductTime {
                    rows: product.rows,
                    input: product.input,
                    output: product.output,
                    times,
                    seconds,
                })
                .collect(),
            wait_s,
            tflops: 2.0 * waited.mean(count) / 1e12,
            floor_s: share * waited.floor(count),
            bare_tflops: 2.0 * bare.mean(count) / 1e12,
            bare_floor_s: share * bare.floor(count),
        }
    }
}

/// What of a product's time is its own.
fn own(seconds: f64, wait: f64) -> f64 {
    (seconds - wait).max(LEAST * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_s_own_time_is_never_nothing() {
        assert_eq!(own(3.0, 1.0), 2.0);
        assert_eq!(own(1.0, 1.0), 0.1);
        assert_eq!(own(0.5, 1.0), 0.05);
    }
}
