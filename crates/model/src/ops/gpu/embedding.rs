//! The sum of word, position and token-type embeddings.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::{Copies, cubes, element, empty, lanes, most, seen, upload};

/// `word[word_of[t]] + token_type + position[position_of[t]]` for each token of each batch.
///
/// The numbers of the rows are those of one batch after another; copy `p` of N sees batch `p * batches / N`.
///
/// # Shapes
/// word `[w, U, H]`, position `[q, L, H]`, token_type `[k, 1, H]`, twice `batches * T` numbers of rows -> `[N, T, H]`
///
/// # Panics
/// If the sizes do not go together or there is no such row.
pub(crate) fn embedding(
    [word, position, token_type]: [CubeTensor; 3],
    [word_of, position_of]: [&[u32]; 2],
    batches: usize,
    dtype: DType,
) -> CubeTensor {
    let [word, position, token_type] = [word, position, token_type].map(Copies::of);
    let (client, device) = (word.tensor.client.clone(), word.tensor.device.clone());
    let copies = most([word.copies, position.copies, token_type.copies, batches]);
    let (tokens, width) = (word_of.len() / batches, word.width);
    assert_eq!(word_of.len(), tokens * batches, "batches of one length");
    assert_eq!(position_of.len(), word_of.len(), "a position for each word");
    assert_eq!(
        [position.width, token_type.width, token_type.rows],
        [width, width, 1]
    );
    assert!(word_of.iter().all(|&row| (row as usize) < word.rows));
    assert!(
        position_of
            .iter()
            .all(|&row| (row as usize) < position.rows)
    );
    let out = empty(&client, &device, &[copies, tokens, width], dtype);
    let lanes = lanes(width);
    let units = copies * tokens * width / lanes;
    if units == 0 {
        return out;
    }
    let (count, dim) = cubes(&client, units);
    let elements = [
        word.element(),
        position.element(),
        token_type.element(),
        element(dtype),
    ];
    // SAFETY: a unit writes element `at < units`, and the rows it reads were just seen to be there.
    unsafe {
        embedding_kernel::launch_unchecked(
            &client,
            count,
            dim,
            lanes,
            upload(&client, &[word_of, position_of].concat()).arg(),
            out.clone().into_buffer_arg(),
            units,
            width / lanes,
            tokens,
            copies,
            batches,
            word.copies,
            word.rows,
            position.copies,
            position.rows,
            token_type.copies,
            word.into_arg(),
            position.into_arg(),
            token_type.into_arg(),
            elements,
        );
    }
    out
}

#[cube(launch_unchecked)]
fn embedding_kernel<W: Float, P: Float, K: Float, O: Float, N: Size>(
    rows: &[u32],
    out: &mut [Vector<O, N>],
    units: usize,
    width: usize,
    tokens: usize,
    copies: usize,
    batches: usize,
    word_copies: usize,
    word_rows: usize,
    position_copies: usize,
    position_rows: usize,
    type_copies: usize,
    word: &[Vector<W, N>],
    position: &[Vector<P, N>],
    token_type: &[Vector<K, N>],
    #[define(W, P, K, O)] _dtypes: [ElemType; 4],
) {
    let at = ABSOLUTE_POS;
    if at >= units {
        terminate!();
    }
    let column = at % width;
    let token = at / width % tokens;
    let copy = at / width / tokens;
    let of = seen(copy, batches, copies) * tokens + token;
    let word_row = seen(copy, word_copies, copies) * word_rows + rows[of] as usize;
    let position_row =
        seen(copy, position_copies, copies) * position_rows + rows[batches * tokens + of] as usize;
    let type_row = seen(copy, type_copies, copies);
    let words = Vector::<f32, N>::cast_from(word[word_row * width + column]);
    let types = Vector::<f32, N>::cast_from(token_type[type_row * width + column]);
    let positions = Vector::<f32, N>::cast_from(position[position_row * width + column]);
    // The reference adds the token type to the word first, the position last.
    out[at] = Vector::cast_from(words + types + positions);
}

#[cfg(all(test, feature = "vulkan"))]
mod tests {
    use super::super::test_support::{Argument, download};
    use super::*;

    #[test]
    fn as_on_the_cpu() {
        for (copies, batches) in [
            ([1, 1, 1], 1),
            ([4, 1, 2], 1),
            ([1, 1, 1], 3),
            ([2, 6, 1], 3),
            ([1, 4, 4], 2),
        ] {
            for (tokens, width) in [(1, 1), (1, 768), (7, 30), (65, 64)] {
                let word = Argument::random([copies[0], 5, width], 1);
                let position = Argument::random([copies[1], 9, width], 2);
                let kind = Argument::random([copies[2], 1, width], 3);
                let numbers = |below: u32, step: u32| -> Vec<u32> {
                    (0..(batches * tokens) as u32)
                        .map(|i| i * step % below)
                        .collect()
                };
                let (word_of, position_of) = (numbers(5, 3), numbers(9, 7));
                let tables = [&word, &position, &kind].map(Argument::on_device);
                let ours = embedding(tables, [&word_of, &position_of], batches, DType::F32);
                let most = copies.into_iter().max().unwrap_or(1).max(batches);
                assert_eq!(ours.meta.shape()[..], [most, tokens, width]);
                let mut theirs = Vec::new();
                for copy in 0..most {
                    for token in 0..tokens {
                        let of = copy * batches / most * tokens + token;
                        let words = word.row(copy, most, word_of[of] as usize);
                        let positions = position.row(copy, most, position_of[of] as usize);
                        let kinds = kind.row(copy, most, 0);
                        theirs.extend((0..width).map(|i| words[i] + kinds[i] + positions[i]));
                    }
                }
                assert_eq!(download(ours), theirs);
            }
        }
    }
}
