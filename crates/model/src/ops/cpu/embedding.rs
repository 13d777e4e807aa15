//! The sum of word, position and token-type embeddings.

use burn::tensor::Tensor;

use super::copies::Copies;
use super::jobs::{Piece, by_piece};
use crate::ops::Embedding;

/// # Shapes
/// word `[P or 1, U, H]`, position `[P or 1, L, H]`, token type `[P or 1, 1, H]`, T row numbers each for every batch
/// -> `[P or 1, T, H]`
pub(crate) fn embedding(
    [word, position]: [Copies<'_>; 2],
    token_type: Option<Copies<'_>>,
    of: &Embedding<'_>,
) -> Tensor<3> {
    let (tokens, width) = (of.word_of.len() / of.batches, word.width);
    let tables = [word, position].into_iter().chain(token_type);
    let copies = tables.map(|table| table.count).max().unwrap_or(1);
    let copies = copies.max(of.batches);
    by_piece([copies, tokens, width], |Piece { probe, rows, out }| {
        let first = probe.among(of.batches) * tokens;
        let own = first + rows.start..first + rows.end;
        let token_type = token_type.as_ref().map(|table| table.copy(probe));
        for (token, out) in own.zip(out.chunks_exact_mut(width)) {
            let [words, positions] = [(&word, of.word_of), (&position, of.position_of)]
                .map(|(table, rows)| table.some(probe, rows[token]..rows[token] + 1));
            match token_type {
                // The reference adds the token type to the word first, the position last.
                Some(types) => {
                    for (i, out) in out.iter_mut().enumerate() {
                        *out = words[i] + types[i] + positions[i];
                    }
                }
                None => {
                    for (i, out) in out.iter_mut().enumerate() {
                        *out = words[i] + positions[i];
                    }
                }
            }
        }
    })
}
