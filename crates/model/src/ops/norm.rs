//! The length of a tensor, summed in f64.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::host::Host;

/// Elements summed in one go; the sums of the parts are added in order, whichever thread made them.
const PART: usize = 1 << 16;

/// `sqrt(sum of x^2)` over all elements.
pub(crate) fn norm(x: Tensor<2>) -> f64 {
    let sum = match Host::of([x]) {
        Ok([host]) => squares(host.values()),
        Err([x]) => squares(&x.into_data().iter::<f32>().collect::<Vec<f32>>()),
    };
    sum.sqrt()
}

fn squares(values: &[f32]) -> f64 {
    let square = |&value: &f32| f64::from(value) * f64::from(value);
    let parts: Vec<f64> = values
        .par_chunks(PART)
        .map(|part| part.iter().map(square).sum())
        .collect();
    parts.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{random, values};

    #[test]
    fn against_a_plain_sum() {
        for n in [1, 15, 16, 17, 1025, PART - 1, PART, PART + 1] {
            let x = random::<2>([1, n], 5);
            let squares: f64 = values(x.clone())
                .iter()
                .map(|&x| f64::from(x).powi(2))
                .sum();
            assert!((norm(x) - squares.sqrt()).abs() <= 1e-12 * squares.sqrt());
        }
    }

    #[test]
    fn of_nothing_and_of_what_is_not_finite() {
        let of = |values: Vec<f32>| {
            let n = values.len();
            norm(Tensor::from_data(
                burn::tensor::TensorData::new(values, [1, n]),
                &burn::tensor::Device::flex(),
            ))
        };
        assert_eq!(of(vec![]), 0.0);
        assert!(of(vec![1.0, f32::NAN]).is_nan());
        assert_eq!(of(vec![1.0, f32::NEG_INFINITY]), f64::INFINITY);
    }
}
