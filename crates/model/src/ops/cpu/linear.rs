//! A linear layer on its own.

use burn::tensor::Tensor;

use super::copies::Copies;
use super::dense::DenseView;
use super::jobs::{Piece, by_piece, with_scratch};
use super::rows::activate;
use crate::clock::{Phase, Watch};
use crate::ops::Activation;

/// # Shapes
/// x `[P or 1, T, in]` -> `[P or 1, T, out]`
pub(crate) fn linear(
    x: Copies<'_>,
    dense: DenseView<'_>,
    then: Activation,
    watch: Watch<'_>,
) -> Tensor<3> {
    let width = dense.weight.width;
    let probes = x.count.max(dense.copies());
    by_piece([probes, x.rows, width], |Piece { probe, rows, out }| {
        let rank = dense.rank();
        let count = rows.len();
        let x = x.some(probe, rows);
        with_scratch([out.len(), count * rank], |[product, inner]| {
            watch.piece(Phase::Linear, || {
                dense.product(probe, x, product);
                dense.inner(probe, x, inner);
                dense.finish(probe, product, inner, out);
            });
            activate(out, then);
        });
    })
}
