//! A matrix of the model.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use burn::module::{Module, Param};
use burn::tensor::{Device, FloatDType, Tensor};

/// A matrix of the model and, where it is trained, its number.
///
/// Vectors are matrices of one row (biases, norms) or of one column (the decoder's bias, whose rows belong to words).
#[derive(Module, Debug)]
pub struct Weight {
    /// The values, `[rows, columns]`; `[in, out]` for a linear layer.
    pub(crate) value: Param<Tensor<2>>,
    /// Position among the trainable parameters: the `parameter` of the noise. None where it is frozen.
    #[module(skip)]
    pub(crate) parameter: Option<usize>,
    #[module(skip)]
    narrow: Narrow,
}

/// A weight's values in the numbers of two bytes that products last asked for. Clones of a weight share them, as they share its
/// values.
#[derive(Clone, Default)]
struct Narrow(Arc<Mutex<Option<Tensor<2>>>>);

impl fmt::Debug for Narrow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Narrow")
    }
}

impl Weight {
    /// A frozen weight.
    pub fn new(value: Tensor<2>) -> Self {
        Self {
            value: Param::from_tensor(value),
            parameter: None,
            narrow: Narrow::default(),
        }
    }

    /// Rows and columns.
    pub fn dims(&self) -> [usize; 2] {
        self.value.dims()
    }

    /// How many scalars it holds.
    pub fn len(&self) -> usize {
        self.dims().iter().product()
    }

    /// True when it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts `change(value)` in the value's place; the closure gets the only handle, so it may work in place.
    pub(crate) fn replace(&mut self, change: impl FnOnce(Tensor<2>) -> Tensor<2>) {
        let value = self.take();
        self.put(change(value));
    }

    /// The only handle to the values. Until others are [put](Self::put) there, the weight is none.
    pub(crate) fn take(&mut self) -> Tensor<2> {
        // On the CPU, where it costs nothing.
        let empty = Param::from_tensor(Tensor::empty([1, 1], &Device::flex()));
        std::mem::replace(&mut self.value, empty).into_value()
    }

    /// Sets the values.
    pub(crate) fn put(&mut self, value: Tensor<2>) {
        self.value = Param::from_tensor(value);
        self.narrow = Narrow::default();
    }

    /// The values in these numbers. They are kept: for weights that stay as they are.
    pub(crate) fn narrow(&self, dtype: FloatDType) -> Tensor<2> {
        // Whoever panicked while he held it left it as it was.
        let mut kept = self.narrow.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = kept.as_ref().filter(|made| made.dtype() == dtype.into()) {
            return made.clone();
        }
        let value = self.value.val();
        let device = value.device();
        let made = device.memory_persistent_allocations(value, |value| value.cast(dtype));
        kept.insert(made).clone()
    }
}
