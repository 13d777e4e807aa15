//! How a kernel's work is shared out to threads, and the memory that a piece of it works in.

use std::cell::Cell;
use std::ops::Range;

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::ops::copies::CopyIndex;
use crate::ops::host::Host;

/// Rows that go through a piece of work together: few enough for what is made of them to stay in the processor's
/// cache, enough for reading a weight to be worth it.
const ROWS: usize = 512;

/// With fewer rows reading a weight costs more than its products.
const FEWEST: usize = 32;

/// Pieces a thread gets at the least, so that one that is held up does not hold up all.
const PIECES: usize = 2;

/// How many rows a piece gets when there are `rows` in all.
pub(crate) fn rows_of_a_piece(rows: usize) -> usize {
    let pieces = rayon::current_num_threads() * PIECES;
    rows.div_ceil(pieces).clamp(FEWEST, ROWS)
}

/// Cuts `count` rows into pieces of about `most`.
pub(crate) fn pieces(count: usize, most: usize) -> Vec<Range<usize>> {
    let pieces = count.div_ceil(most.max(1)).max(1);
    (0..pieces)
        .map(|piece| piece * count / pieces..(piece + 1) * count / pieces)
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// Cuts a slice into parts of these lengths.
pub(crate) fn cut(mut out: &mut [f32], lengths: impl Iterator<Item = usize>) -> Vec<&mut [f32]> {
    lengths
        .map(|length| {
            let (part, rest) = std::mem::take(&mut out).split_at_mut(length);
            out = rest;
            part
        })
        .collect()
}

/// Some rows of a probe's copy, and where what is made of them goes.
pub(crate) struct Piece<'a> {
    pub(crate) probe: CopyIndex,
    pub(crate) rows: Range<usize>,
    pub(crate) out: &'a mut [f32],
}

/// `[P, rows, width]`, made a piece at a time by all threads. Each number is written by one piece: the number of threads
/// cannot change a result.
pub(crate) fn by_piece(
    [probes, rows, width]: [usize; 3],
    make: impl Fn(Piece<'_>) + Sync,
) -> Tensor<3> {
    let mut out = vec![0.0f32; probes * rows * width];
    let groups = pieces(rows, rows_of_a_piece(probes * rows));
    let lengths = groups.iter().map(|group| group.len() * width);
    let slices = cut(&mut out, lengths.cycle().take(probes * groups.len()));
    slices.into_par_iter().enumerate().for_each(|(i, out)| {
        let (number, group) = (i / groups.len(), &groups[i % groups.len()]);
        let probe = CopyIndex { number, of: probes };
        let rows = group.clone();
        make(Piece { probe, rows, out });
    });
    Host::tensor(out, [probes, rows, width])
}

thread_local! {
    /// What the last piece of work of this thread worked in.
    static KEPT: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Hands out memory of these sizes, with whatever it held before. It is kept for the thread's next piece of work: taking it
/// from the system and giving it back each time costs more than some of the work done in it. [`ROWS`] bounds it: about 15 MB for
/// RoBERTa-large.
pub(crate) fn with_scratch<const N: usize, T>(
    sizes: [usize; N],
    work: impl FnOnce([&mut [f32]; N]) -> T,
) -> T {
    // Taken, not borrowed: a thread that waits within `work` may begin another piece.
    let mut kept = KEPT.take();
    let wanted = sizes.iter().sum();
    if kept.len() < wanted {
        // Not both at once.
        drop(kept);
        kept = vec![0.0; wanted];
    }
    let mut parts = cut(&mut kept[..wanted], sizes.into_iter()).into_iter();
    let made = work(std::array::from_fn(|_| parts.next().unwrap_or_default()));
    KEPT.set(kept);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_all_of_it() {
        for (count, most) in [(0, 5), (1, 5), (5, 5), (6, 5), (1000, 7), (10, 0)] {
            let pieces = pieces(count, most);
            assert!(pieces.iter().cloned().flatten().eq(0..count), "{pieces:?}");
            assert!(pieces.iter().all(|piece| piece.len() <= most.max(1)));
        }
    }

    #[test]
    fn scratch_within_scratch_is_other_memory() {
        with_scratch([3, 2], |[a, b]| {
            a.fill(1.0);
            b.fill(2.0);
            with_scratch([3], |[inner]| inner.fill(9.0));
            assert_eq!((&*a, &*b), (&[1.0; 3][..], &[2.0; 2][..]));
        });
    }
}
