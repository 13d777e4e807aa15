//! Reaching a CPU tensor's own memory.
//!
//! Ops of this crate work on slices where the tensor lives on burn's `flex` backend; elsewhere (a GPU) the callers
//! take burn's own operations. The downcast says which case it is.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// A contiguous CPU tensor whose elements can be read and written.
pub(crate) struct Host<const D: usize> {
    inner: FlexTensor,
    dims: [usize; D],
}

impl<const D: usize> Host<D> {
    /// The memory of tensors that are on the CPU; the tensors again where one of them is not.
    pub(crate) fn of<const N: usize>(tensors: [Tensor<D>; N]) -> Result<[Self; N], [Tensor<D>; N]> {
        if !tensors.iter().all(is_host) {
            return Err(tensors);
        }
        Ok(tensors.map(|tensor| {
            let dims = tensor.dims();
            let Ok(inner) = tensor.try_into_primitive::<Flex>() else {
                unreachable!("asked just above")
            };
            let whole = inner.is_contiguous() && inner.layout().start_offset() == 0;
            let inner = if whole { inner } else { inner.to_contiguous() };
            Self { inner, dims }
        }))
    }

    /// The sizes, as the tensor had them.
    pub(crate) fn dims(&self) -> [usize; D] {
        self.dims
    }

    /// The elements, row-major.
    pub(crate) fn values(&self) -> &[f32] {
        &self.inner.storage::<f32>()[..self.dims.iter().product()]
    }

    /// The elements for writing; a copy is made only while somebody else holds the tensor.
    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        let n = self.dims.iter().product();
        &mut self.inner.storage_mut::<f32>()[..n]
    }

    /// The tensor again.
    pub(crate) fn into_tensor(self) -> Tensor<D> {
        Tensor::from_primitive::<Flex>(self.inner)
    }

    /// A new CPU tensor of these elements.
    pub(crate) fn tensor(values: Vec<f32>, dims: [usize; D]) -> Tensor<D> {
        Tensor::from_primitive::<Flex>(FlexTensor::from_data(TensorData::new(values, dims)))
    }
}

/// Whether the tensor lives on the CPU backend, and autodiff does not follow it.
pub(crate) fn is_host<const D: usize>(tensor: &Tensor<D>) -> bool {
    let device = tensor.device();
    !device.is_autodiff() && device == Device::flex()
}

/// Row numbers as burn's `select` takes them.
pub(crate) fn row_numbers(rows: &[usize], device: &Device) -> Tensor<1, Int> {
    let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
    let count = rows.len();
    Tensor::from_data(TensorData::new(rows, [count]), device)
}
