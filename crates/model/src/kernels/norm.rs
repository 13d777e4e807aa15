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
