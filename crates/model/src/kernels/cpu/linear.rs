//! A linear layer on its own.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::dense::DenseView;
use super::jobs::{cut, pieces, rows_of_a_piece, with_scratch};
use super::planes::Planes;
use super::rows::{gelu, tanh};
use crate::kernels::Activation;
use crate::kernels::host::Host;

/// # Shapes
/// x `[P or 1, T, in]` -> `[P or 1, T, out]`
pub(crate) fn linear(x: Planes<'_>, dense: DenseView<'_>, then: Activation) -> Tensor<3> {
    let width = dense.weight.width;
    let probes = x.count.max(dense.planes());
    let mut out = vec![0.0f32; probes * x.rows * width];
    let groups = pieces(x.rows, rows_of_a_piece(probes * x.rows));
    let lengths = groups.iter().map(|group| group.len() * width);
    let slices = cut(&mut out, lengths.cycle().take(probes * groups.len()));
    slices.into_par_iter().enumerate().for_each(|(i, out)| {
        let (probe, group) = (i / groups.len(), &groups[i % groups.len()]);
        let rank = dense.rank();
        let x = x.some(probe, group.clone());
        with_scratch([out.len(), group.len() * rank], |[product, inner]| {
            dense.product(probe, x, product);
            dense.inner(probe, x, inner);
            dense.finish(probe, product, inner, out);
            match then {
                Activation::None => {}
                Activation::Gelu => gelu(out),
                Activation::Tanh => tanh(out),
            }
        });
    });
    Host::tensor(out, [probes, x.rows, width])
}
