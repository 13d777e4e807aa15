//! The sum of word, position and token-type embeddings.

use burn::tensor::Tensor;

use super::host::{Host, for_rows, row_numbers};

/// `word[word_of[t]] + position[position_of[t]] + kind`.
///
/// # Shapes
/// word `[P or 1, U, H]` (the rows the batch uses), position `[P or 1, L, H]`, kind `[P or 1, 1, H]`, T row numbers each
/// -> `[P or 1, T, H]`
pub(crate) fn embed(
    word: Tensor<3>,
    word_of: &[usize],
    position: Tensor<3>,
    position_of: &[usize],
    kind: Tensor<3>,
) -> Tensor<3> {
    let [word, position, kind] = match Host::of([word, position, kind]) {
        Ok(hosts) => hosts,
        Err([word, position, kind]) => {
            return embed_plain(word, word_of, position, position_of, kind);
        }
    };
    let [_, _, width] = word.dims();
    let rows = word_of.len();
    let planes = word.dims()[0].max(position.dims()[0]).max(kind.dims()[0]);
    let row = |table: &Host<3>, plane: usize, row: usize| {
        let [tables, length, _] = table.dims();
        let plane = if tables == 1 { 0 } else { plane };
        (plane * length + row) * width
    };
    let mut out = vec![0.0f32; planes * rows * width];
    for_rows(&mut out, width, |i, out| {
        let (plane, token) = (i / rows, i % rows);
        let words = &word.values()[row(&word, plane, word_of[token])..];
        let positions = &position.values()[row(&position, plane, position_of[token])..];
        let kinds = &kind.values()[row(&kind, plane, 0)..];
        for (i, out) in out.iter_mut().enumerate() {
            // The reference adds the token type to the word first, the position last.
            *out = words[i] + kinds[i] + positions[i];
        }
    });
    Host::tensor(out, [planes, rows, width])
}

/// The same in burn's own operations.
fn embed_plain(
    word: Tensor<3>,
    word_of: &[usize],
    position: Tensor<3>,
    position_of: &[usize],
    kind: Tensor<3>,
) -> Tensor<3> {
    let device = word.device();
    let words = word.select(1, row_numbers(word_of, &device));
    words + kind + position.select(1, row_numbers(position_of, &device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{assert_close, random};

    #[test]
    fn equal_to_the_plain_path() {
        for planes in [1, 2] {
            let word = random([planes, 5, 20], 1);
            let position = random([planes, 9, 20], 2);
            let kind = random([1, 1, 20], 3);
            let (words, positions) = ([0, 4, 4, 2], [2, 3, 8, 2]);
            let ours = embed(
                word.clone(),
                &words,
                position.clone(),
                &positions,
                kind.clone(),
            );
            assert_close(
                ours,
                embed_plain(word, &words, position, &positions, kind),
                1e-6,
            );
        }
    }
}
