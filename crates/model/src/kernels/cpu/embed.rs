//! The sum of word, position and token-type embeddings, and layer norm on its own.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::close::NormView;
use super::jobs::{cut, pieces, rows_of_a_piece};
use super::planes::Planes;
use super::rows;
use crate::kernels::Embed;
use crate::kernels::host::{Host, for_rows};

/// # Shapes
/// word `[P or 1, U, H]`, position `[P or 1, L, H]`, kind `[P or 1, 1, H]`, T row numbers each -> `[P or 1, T, H]`
pub(crate) fn embed(tables: [Planes<'_>; 3], of: &Embed<'_>) -> Tensor<3> {
    // Word, position, kind.
    let (rows, width) = (of.word_of.len(), tables[0].width);
    let planes = tables.iter().map(|table| table.count).max().unwrap_or(1);
    let mut out = vec![0.0f32; planes * rows * width];
    for_rows(&mut out, width, |i, out| {
        let (plane, token) = (i / rows, i % rows);
        let row = |table: usize, row: usize| tables[table].some(plane, row..row + 1);
        let words = row(0, of.word_of[token]);
        let positions = row(1, of.position_of[token]);
        let kinds = row(2, 0);
        for (i, out) in out.iter_mut().enumerate() {
            // The reference adds the token type to the word first, the position last.
            *out = words[i] + kinds[i] + positions[i];
        }
    });
    Host::tensor(out, [planes, rows, width])
}

/// # Shapes
/// x `[P or 1, T, H]` -> `[P or 1, T, H]`
pub(crate) fn normalise(x: Planes<'_>, norm: NormView<'_>) -> Tensor<3> {
    let (rows, width) = (x.rows, x.width);
    // Gain and shift need not be trained both.
    let planes = x.count.max(norm.gain.count).max(norm.shift.count);
    let mut out = vec![0.0f32; planes * rows * width];
    let groups = pieces(rows, rows_of_a_piece(planes * rows));
    let lengths = groups.iter().map(|group| group.len() * width);
    let slices = cut(&mut out, lengths.cycle().take(planes * groups.len()));
    slices.into_par_iter().enumerate().for_each(|(i, out)| {
        let (plane, group) = (i / groups.len(), &groups[i % groups.len()]);
        out.copy_from_slice(x.some(plane, group.clone()));
        let [gain, shift] = [norm.gain, norm.shift].map(|it| it.plane(plane));
        rows::normalise(out, gain, shift, norm.epsilon);
    });
    Host::tensor(out, [planes, rows, width])
}
