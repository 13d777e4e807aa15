//! What closes an encoder layer: the linear layer after attention, residual, norm, both linear layers of the feed-forward
//! part, residual, norm. Every row is on its own, so a few hundred at a time go through all of it in one thread.

use burn::tensor::Tensor;

use super::dense::DenseView;
use super::jobs::{Piece, by_piece, with_scratch};
use super::planes::Planes;
use super::rows::{add_gelu, close};
use crate::clock::{Phase, Watch};
use crate::kernels::Plane;

/// A layer norm as the probes see it.
#[derive(Clone, Copy)]
pub(crate) struct NormView<'a> {
    /// `[P or 1, 1, H]`
    pub(crate) gain: Planes<'a>,
    /// `[P or 1, 1, H]`
    pub(crate) shift: Planes<'a>,
    pub(crate) epsilon: f32,
}

/// What a layer is closed with; none of its linear layers has LoRA's term.
pub(crate) struct CloseView<'a> {
    /// What attention gave, `[P or 1, Q, H]`.
    pub(crate) mixed: Planes<'a>,
    /// What the layer was given, `[P or 1, Q, H]`.
    pub(crate) residual: Planes<'a>,
    pub(crate) output: DenseView<'a>,
    pub(crate) norm: NormView<'a>,
    pub(crate) up: DenseView<'a>,
    pub(crate) down: DenseView<'a>,
    pub(crate) last_norm: NormView<'a>,
    pub(crate) watch: Watch<'a>,
}

impl CloseView<'_> {
    /// # Shapes
    /// -> `[P or 1, Q, H]`
    pub(crate) fn run(&self) -> Tensor<3> {
        let Planes { rows, width, .. } = self.mixed;
        by_piece([self.probes(), rows, width], |piece| self.piece(piece))
    }

    /// How many planes come out.
    fn probes(&self) -> usize {
        let dense = [&self.output, &self.up, &self.down].map(DenseView::planes);
        let norms = [self.norm, self.last_norm].map(|it| it.gain.count.max(it.shift.count));
        let states = [self.mixed.count, self.residual.count];
        dense
            .into_iter()
            .chain(norms)
            .chain(states)
            .max()
            .unwrap_or(1)
    }

    fn piece(&self, Piece { probe, rows, out }: Piece<'_>) {
        let mixed = self.mixed.some(probe, rows.clone());
        let residual = self.residual.some(probe, rows.clone());
        let (width, inner_width) = (self.mixed.width, self.up.weight.width);
        let rows = rows.len();
        with_scratch([rows * width, rows * inner_width], |[middle, inner]| {
            let time = |work: &mut dyn FnMut()| self.watch.piece(Phase::Linear, work);
            time(&mut || self.output.product(probe, mixed, middle));
            close_rows(&self.output, &self.norm, probe, middle, residual);
            time(&mut || self.up.product(probe, middle, inner));
            add_gelu(inner, self.up.bias.plane(probe));
            time(&mut || self.down.product(probe, inner, out));
            close_rows(&self.down, &self.last_norm, probe, out, middle);
        });
    }
}

/// `layer_norm(x + bias + residual)`, each row in place.
fn close_rows(
    dense: &DenseView<'_>,
    norm: &NormView<'_>,
    probe: Plane,
    x: &mut [f32],
    residual: &[f32],
) {
    let [bias, gain, shift] = [dense.bias, norm.gain, norm.shift].map(|it| it.plane(probe));
    close(x, bias, residual, gain, shift, norm.epsilon);
}
