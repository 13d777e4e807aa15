//! The sum of word, position and token-type embeddings, and layer norm on its own.

use burn::tensor::Tensor;

use super::close::NormView;
use super::jobs::{Piece, by_piece};
use super::planes::Planes;
use super::rows;
use crate::kernels::Embed;

/// # Shapes
/// word `[P or 1, U, H]`, position `[P or 1, L, H]`, kind `[P or 1, 1, H]`, T row numbers each for every batch -> `[P or 1, T, H]`
pub(crate) fn embed(tables: [Planes<'_>; 3], of: &Embed<'_>) -> Tensor<3> {
    // Word, position, kind.
    let (tokens, width) = (of.word_of.len() / of.batches, tables[0].width);
    let planes = tables.iter().map(|table| table.count).max().unwrap_or(1);
    let planes = planes.max(of.batches);
    by_piece([planes, tokens, width], |Piece { probe, rows, out }| {
        let row = |table: usize, row: usize| tables[table].some(probe, row..row + 1);
        let first = probe.among(of.batches) * tokens;
        let own = first + rows.start..first + rows.end;
        for (token, out) in own.zip(out.chunks_exact_mut(width)) {
            let words = row(0, of.word_of[token]);
            let positions = row(1, of.position_of[token]);
            let kinds = row(2, 0);
            for (i, out) in out.iter_mut().enumerate() {
                // The reference adds the token type to the word first, the position last.
                *out = words[i] + kinds[i] + positions[i];
            }
        }
    })
}

/// # Shapes
/// x `[P or 1, T, H]` -> `[P or 1, T, H]`
pub(crate) fn normalise(x: Planes<'_>, norm: NormView<'_>) -> Tensor<3> {
    let (rows, width) = (x.rows, x.width);
    // Gain and shift need not be trained both.
    let planes = x.count.max(norm.gain.count).max(norm.shift.count);
    by_piece([planes, rows, width], |Piece { probe, rows, out }| {
        out.copy_from_slice(x.some(probe, rows));
        let [gain, shift] = [norm.gain, norm.shift].map(|it| it.plane(probe));
        rows::normalise(out, gain, shift, norm.epsilon);
    })
}
