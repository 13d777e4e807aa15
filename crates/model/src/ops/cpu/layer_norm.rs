//! Layer norm.

use burn::tensor::Tensor;

use super::copies::Copies;
use super::jobs::{Piece, by_piece};
use super::rows;
use crate::ops::copies::CopyIndex;

/// A layer norm as the probes see it.
#[derive(Clone, Copy)]
pub(crate) struct NormView<'a> {
    /// `[P or 1, 1, H]`
    pub(crate) gain: Copies<'a>,
    /// `[P or 1, 1, H]`
    pub(crate) shift: Copies<'a>,
    pub(crate) epsilon: f32,
}

impl NormView<'_> {
    /// How many copies there are; gain and shift need not be trained both.
    pub(crate) fn copies(&self) -> usize {
        self.gain.count.max(self.shift.count)
    }

    /// Each row in place.
    pub(crate) fn normalise(&self, probe: CopyIndex, x: &mut [f32]) {
        let [gain, shift] = [self.gain, self.shift].map(|it| it.copy(probe));
        rows::normalise(x, gain, shift, self.epsilon);
    }
}

/// # Shapes
/// x `[P or 1, T, H]` -> `[P or 1, T, H]`
pub(crate) fn layer_norm(x: Copies<'_>, norm: NormView<'_>) -> Tensor<3> {
    let (rows, width) = (x.rows, x.width);
    let copies = x.count.max(norm.copies());
    by_piece([copies, rows, width], |Piece { probe, rows, out }| {
        out.copy_from_slice(x.some(probe, rows));
        norm.normalise(probe, out);
    })
}
