//! What follows attention in a layer: its output's linear layer, the MLP, both residuals and the norms. Every row is on its own,
//! so a few hundred at a time go through all of it in one thread.

use burn::tensor::Tensor;

use super::copies::Copies;
use super::dense::DenseView;
use super::jobs::{Piece, by_piece, with_scratch};
use super::layer_norm::NormView;
use super::rows::{add_activation, add_normalise, add_residual};
use crate::clock::{Phase, Watch};
use crate::ops::Activation;
use crate::ops::copies::CopyIndex;

/// What follows attention; none of its linear layers has LoRA's term.
pub(crate) struct AttentionOutputMlpView<'a> {
    /// What attention gave, `[P or 1, Q, H]`.
    pub(crate) mixed: Copies<'a>,
    /// What the layer was given, `[P or 1, Q, H]`.
    pub(crate) residual: Copies<'a>,
    pub(crate) output: DenseView<'a>,
    pub(crate) up: DenseView<'a>,
    pub(crate) activation: Activation,
    pub(crate) down: DenseView<'a>,
    /// After the first residual. Without it the other norm stands before the MLP.
    pub(crate) attention_norm: Option<NormView<'a>>,
    pub(crate) mlp_norm: NormView<'a>,
    pub(crate) watch: Watch<'a>,
}

impl AttentionOutputMlpView<'_> {
    /// # Shapes
    /// -> `[P or 1, Q, H]`
    pub(crate) fn run(&self) -> Tensor<3> {
        let Copies { rows, width, .. } = self.mixed;
        by_piece([self.probes(), rows, width], |piece| {
            match &self.attention_norm {
                Some(norm) => self.norms_after(piece, norm),
                None => self.norm_before(piece),
            }
        })
    }

    /// How many copies come out.
    fn probes(&self) -> usize {
        let dense = [&self.output, &self.up, &self.down].map(DenseView::copies);
        let norms = self.attention_norm.iter().chain([&self.mlp_norm]);
        let norms = norms.map(NormView::copies);
        let states = [self.mixed.count, self.residual.count];
        dense
            .into_iter()
            .chain(norms)
            .chain(states)
            .max()
            .unwrap_or(1)
    }

    fn norms_after(&self, piece: Piece<'_>, norm: &NormView<'_>) {
        let Piece { probe, rows, out } = piece;
        let mixed = self.mixed.some(probe, rows.clone());
        let residual = self.residual.some(probe, rows.clone());
        let (width, inner_width) = (self.mixed.width, self.up.weight.width);
        let rows = rows.len();
        with_scratch([rows * width, rows * inner_width], |[middle, inner]| {
            self.multiply(&self.output, probe, mixed, middle);
            normalise(&self.output, norm, probe, middle, residual);
            self.mlp(probe, middle, inner, out);
            normalise(&self.down, &self.mlp_norm, probe, out, middle);
        });
    }

    fn norm_before(&self, piece: Piece<'_>) {
        let Piece { probe, rows, out } = piece;
        let mixed = self.mixed.some(probe, rows.clone());
        let residual = self.residual.some(probe, rows.clone());
        let (width, inner_width) = (self.mixed.width, self.up.weight.width);
        let rows = rows.len();
        with_scratch(
            [rows * width, rows * width, rows * inner_width],
            |[sum, normed, inner]| {
                self.multiply(&self.output, probe, mixed, sum);
                add_residual(sum, self.output.bias.copy(probe), residual);
                normed.copy_from_slice(sum);
                self.mlp_norm.normalise(probe, normed);
                self.mlp(probe, normed, inner, out);
                add_residual(out, self.down.bias.copy(probe), sum);
            },
        );
    }

    /// The MLP without the last bias.
    fn mlp(&self, probe: CopyIndex, x: &[f32], inner: &mut [f32], out: &mut [f32]) {
        self.multiply(&self.up, probe, x, inner);
        add_activation(inner, self.up.bias.copy(probe), self.activation);
        self.multiply(&self.down, probe, inner, out);
    }

    fn multiply(&self, dense: &DenseView<'_>, probe: CopyIndex, x: &[f32], out: &mut [f32]) {
        self.watch
            .piece(Phase::Linear, || dense.product(probe, x, out));
    }
}

/// `layer_norm(x + bias + residual)`, each row in place.
fn normalise(
    dense: &DenseView<'_>,
    norm: &NormView<'_>,
    probe: CopyIndex,
    x: &mut [f32],
    residual: &[f32],
) {
    let [bias, gain, shift] = [dense.bias, norm.gain, norm.shift].map(|it| it.copy(probe));
    add_normalise(x, bias, residual, gain, shift, norm.epsilon);
}
