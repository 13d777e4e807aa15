//! Trained tensors, and what is to be done with them.

use std::borrow::Cow;

use burn::tensor::Tensor;

use crate::noise::Probe;

/// A trained tensor, and the probes that move it.
#[derive(Clone)]
pub(crate) struct Moved<'a> {
    /// `[rows, columns]`
    pub(crate) theta: Tensor<2>,
    pub(crate) probes: Cow<'a, [Probe]>,
}

impl Moved<'_> {
    /// Whether a probe does.
    pub(crate) fn is_moved(&self) -> bool {
        self.probes.iter().any(|probe| probe.scale != 0.0)
    }
}

/// What a run trains of several tensors, and its probes.
#[cfg_attr(
    not(feature = "cube"),
    expect(dead_code, reason = "a device alone reads them")
)]
pub(crate) struct Run<'a> {
    /// `[rows, columns]` each
    pub(crate) thetas: Vec<Tensor<2>>,
    pub(crate) probes: &'a [Probe],
}

/// `theta <- theta - (sum of coefficient * z(seed) + shrink * theta)`, to be made by a device that makes the noise itself
/// ([`super::is_on_device`]).
#[cfg_attr(
    not(feature = "cube"),
    expect(dead_code, reason = "a device alone reads them")
)]
pub(crate) struct Descent {
    /// The tensor's position among the trained ones.
    pub(crate) parameter: usize,
    /// The only handle to it, so that it is changed in place.
    pub(crate) theta: Tensor<2>,
    /// Seeds and coefficients.
    pub(crate) terms: Vec<(u64, f32)>,
    pub(crate) shrink: f32,
}
