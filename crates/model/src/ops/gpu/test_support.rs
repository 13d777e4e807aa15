//! Shared by these kernels' tests.

use std::sync::OnceLock;

use burn::tensor::{Device, DeviceKind, Tensor, TensorData};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use crate::noise::{Noise, Philox};

/// The Vulkan device all tests share; without one they fail.
pub(crate) fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| Device::vulkan(DeviceKind::DefaultDevice))
}

/// Puts the elements on the device.
pub(crate) fn upload<const D: usize>(values: &[f32], dims: [usize; D]) -> CubeTensor {
    let tensor = Tensor::<D>::from_data(TensorData::new(values.to_vec(), dims), device());
    let primitive = tensor.try_into_primitive::<CubeBackend>();
    primitive.unwrap_or_else(|_| panic!("a tensor of Vulkan is a cube's"))
}

/// Reads them back, row-major.
pub(crate) fn download(tensor: CubeTensor) -> Vec<f32> {
    let data = burn_cubecl::ops::into_data_sync(tensor);
    data.iter::<f32>().collect()
}

/// Standard normal numbers.
pub(crate) fn normals(count: usize, seed: u64) -> Vec<f32> {
    let mut values = vec![0.0; count];
    Philox.fill(seed, 0, 0, &mut values);
    values
}

/// Numbers of `[copies, rows, width]`, here and on the device.
pub(crate) struct Argument {
    pub(crate) values: Vec<f32>,
    pub(crate) dims: [usize; 3],
}

impl Argument {
    pub(crate) fn random(dims: [usize; 3], seed: u64) -> Self {
        let values = normals(dims.iter().product(), seed);
        Self { values, dims }
    }

    pub(crate) fn scaled(mut self, factor: f32) -> Self {
        self.values.iter_mut().for_each(|x| *x *= factor);
        self
    }

    /// As numbers of half precision, to the nearest.
    pub(crate) fn halved(mut self) -> Self {
        let halved = |x: f32| half::f16::from_f32(x).to_f32();
        self.values.iter_mut().for_each(|x| *x = halved(*x));
        self
    }

    pub(crate) fn on_device(&self) -> CubeTensor {
        upload(&self.values, self.dims)
    }

    /// A row as copy `copy` of `most` sees it.
    pub(crate) fn row(&self, copy: usize, most: usize, row: usize) -> &[f32] {
        let [copies, rows, width] = self.dims;
        let first = (copy * copies / most * rows + row) * width;
        &self.values[first..first + width]
    }
}

/// Every element within `absolute` plus `relative` of what it should be.
#[track_caller]
pub(crate) fn assert_close(ours: &[f32], exact: &[f64], relative: f64, absolute: f64) {
    assert_eq!(ours.len(), exact.len());
    for (i, (&ours, exact)) in ours.iter().zip(exact).enumerate() {
        let bound = absolute + relative * exact.abs();
        assert!(
            (f64::from(ours) - exact).abs() <= bound,
            "element {i}: {ours} and {exact}"
        );
    }
}
