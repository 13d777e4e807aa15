//! Shared by the unit tests.

use burn::tensor::{Device, Tensor, TensorData};

use crate::noise::{Noise, Philox};

/// A tensor of standard normal numbers.
pub(crate) fn random<const D: usize>(dims: [usize; D], seed: u64) -> Tensor<D> {
    let mut values = vec![0.0f32; dims.iter().product()];
    Philox.fill(seed, 0, 0, &mut values);
    Tensor::from_data(TensorData::new(values, dims), &Device::flex())
}

/// The elements, row-major.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Every element within `tolerance`.
#[track_caller]
pub(crate) fn assert_close<const D: usize>(ours: Tensor<D>, theirs: Tensor<D>, tolerance: f32) {
    assert_eq!(ours.dims(), theirs.dims());
    for (i, (a, b)) in values(ours).iter().zip(&values(theirs)).enumerate() {
        assert!((a - b).abs() <= tolerance, "element {i}: {a} and {b}");
    }
}
