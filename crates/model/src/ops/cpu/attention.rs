//! Queries, keys and values of a group of sentences and their attention, one piece of work after the other in one thread:
//! what is made of a few hundred tokens is still in its cache when it is next read.

use std::ops::Range;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::copies::Copies;
use super::dense::DenseView;
use super::jobs::{cut, rows_of_a_piece, with_scratch};
use super::sentence::{Room, sentence};
use crate::clock::{Phase, Watch};
use crate::ops::copies::CopyIndex;
use crate::ops::host::Host;
use crate::ops::sentences::{Layout, Mask};

/// What attention is made from.
pub(crate) struct AttentionView<'a> {
    /// `[P or 1, T, H]`
    pub(crate) all: Copies<'a>,
    /// `[P or 1, Q, H]`
    pub(crate) asking: Copies<'a>,
    pub(crate) query: DenseView<'a>,
    pub(crate) key: DenseView<'a>,
    pub(crate) value: DenseView<'a>,
    /// Keys and values, `[P or 1, m, H]` each.
    pub(crate) front: Option<[Copies<'a>; 2]>,
    pub(crate) layout: Layout<'a>,
    pub(crate) watch: Watch<'a>,
}

/// Some sentences as the probes see them that share their tokens' states.
struct Piece<'a> {
    /// The copy of the states.
    copy: CopyIndex,
    sentences: Range<usize>,
    /// The probes that see this copy, and the rows of each one's result.
    out: Vec<(CopyIndex, &'a mut [f32])>,
}

impl Piece<'_> {
    fn new(copy: CopyIndex, sentences: Range<usize>) -> Self {
        Self {
            copy,
            sentences,
            out: Vec::new(),
        }
    }
}

impl AttentionView<'_> {
    /// # Shapes
    /// -> `[P or 1, Q, H]`
    pub(crate) fn run(&self) -> Tensor<3> {
        let Copies { rows, width, .. } = self.asking;
        let probes = self.probes();
        let mut out = vec![0.0f32; probes * rows * width];
        self.pieces(&mut out, probes)
            .into_par_iter()
            .for_each(|piece| self.piece(piece));
        Host::tensor(out, [probes, rows, width])
    }

    /// How many copies come out.
    fn probes(&self) -> usize {
        let dense = [&self.query, &self.key, &self.value].map(DenseView::copies);
        let front = self.front.iter().flatten().map(|front| front.count);
        let copies = dense.into_iter().chain(front);
        copies.max().unwrap_or(1).max(self.states())
    }

    /// Rows that belong to no sentence are in no piece and stay as they are.
    fn pieces<'o>(&self, out: &'o mut [f32], probes: usize) -> Vec<Piece<'o>> {
        let states = self.states();
        let most = rows_of_a_piece(states * self.all.rows);
        let mut by_state: Vec<Vec<Piece<'o>>> = CopyIndex::all(states)
            .map(|copy| {
                let groups = groups(self.layout.sentences.seen_by(copy), most).into_iter();
                groups.map(|group| Piece::new(copy, group)).collect()
            })
            .collect();
        let whole = (out.len() / probes).max(1);
        for (probe, out) in CopyIndex::all(probes).zip(out.chunks_mut(whole)) {
            let pieces = &mut by_state[probe.among(states)];
            let starts = self.layout.sentences.seen_by(probe);
            let lengths = pieces.iter().map(|piece| {
                let rows = self.layout.queries(starts, piece.sentences.clone());
                rows.len() * self.asking.width
            });
            let slices = cut(out, lengths);
            for (piece, slice) in pieces.iter_mut().zip(slices) {
                piece.out.push((probe, slice));
            }
        }
        by_state.into_iter().flatten().collect()
    }

    /// How many copies of tokens' states there are.
    fn states(&self) -> usize {
        let batches = self.layout.sentences.starts().len();
        self.all.count.max(self.asking.count).max(batches)
    }

    fn piece(&self, piece: Piece<'_>) {
        let starts = self.layout.sentences.seen_by(piece.copy);
        let tokens = starts[piece.sentences.start]..starts[piece.sentences.end];
        let asking = self.layout.queries(starts, piece.sentences.clone());
        let all = self.all.some(piece.copy, tokens.clone());
        let asking = self.asking.some(piece.copy, asking);
        let width = self.all.width;
        let ranks = [&self.query, &self.key, &self.value].map(DenseView::rank);
        let (rows, asked) = (tokens.len(), asking.len() / width);
        let sizes = [asked * width, rows * width, rows * width];
        let inner = [asked * ranks[0], rows * ranks[1], rows * ranks[2]];
        let longest = self.longest(starts, piece.sentences.clone());
        with_scratch(
            [
                sizes[0],
                sizes[1],
                sizes[2],
                inner[0],
                inner[1],
                inner[2],
                3 * longest * width,
            ],
            |[q, k, v, inner_q, inner_k, inner_v, whole]| {
                let mut room = Room::default();
                let mut made = [
                    Made {
                        dense: &self.query,
                        x: asking,
                        product: q,
                        inner: inner_q,
                    },
                    Made {
                        dense: &self.key,
                        x: all,
                        product: k,
                        inner: inner_k,
                    },
                    Made {
                        dense: &self.value,
                        x: all,
                        product: v,
                        inner: inner_v,
                    },
                ];
                let mut before = None;
                for (probe, out) in piece.out {
                    self.watch.piece(Phase::Linear, || {
                        for made in &mut made {
                            made.make(probe, before);
                        }
                    });
                    before = Some(probe);
                    self.mix(probe, piece.sentences.clone(), &made, whole, &mut room, out);
                }
            },
        );
    }

    /// Keys of the longest of some sentences.
    fn longest(&self, starts: &[usize], sentences: Range<usize>) -> usize {
        let starts = &starts[sentences.start..=sentences.end];
        let longest = starts.windows(2).map(|pair| pair[1] - pair[0]).max();
        self.before() + longest.unwrap_or(0)
    }

    /// m, the keys of the front.
    fn before(&self) -> usize {
        self.front.map_or(0, |[keys, _]| keys.rows)
    }

    /// Attention of each sentence.
    fn mix(
        &self,
        probe: CopyIndex,
        sentences: Range<usize>,
        [q, k, v]: &[Made<'_>; 3],
        whole: &mut [f32],
        room: &mut Room,
        out: &mut [f32],
    ) {
        let width = self.all.width;
        let starts = self.layout.sentences.seen_by(probe);
        let (first, first_query) = (
            starts[sentences.start],
            self.layout.queries(starts, sentences.clone()).start,
        );
        let before = self.before();
        let (whole_q, rest) = whole.split_at_mut(whole.len() / 3);
        let (whole_k, whole_v) = rest.split_at_mut(rest.len() / 2);
        for sentence_number in sentences {
            let tokens = starts[sentence_number] - first..starts[sentence_number + 1] - first;
            let asked = self
                .layout
                .queries(starts, sentence_number..sentence_number + 1);
            let asked = asked.start - first_query..asked.end - first_query;
            if let Some([keys, values]) = self.front {
                whole_k[..before * width].copy_from_slice(keys.copy(probe));
                whole_v[..before * width].copy_from_slice(values.copy(probe));
            }
            self.watch.piece(Phase::Linear, || {
                q.finish(probe, asked.clone(), width, whole_q);
                k.finish(probe, tokens.clone(), width, &mut whole_k[before * width..]);
                v.finish(probe, tokens, width, &mut whole_v[before * width..]);
            });
            self.watch.piece(Phase::Attention, || {
                for queries in self.alike(asked.len()) {
                    let seen = self.layout.sees(probe, sentence_number, queries.start);
                    let seen = (before + seen) * width;
                    let rows = asked.start + queries.start..asked.start + queries.end;
                    sentence(
                        &whole_q[queries.start * width..queries.end * width],
                        &whole_k[..seen],
                        &whole_v[..seen],
                        self.layout.heads,
                        width,
                        room,
                        &mut out[rows.start * width..rows.end * width],
                    );
                }
            });
        }
    }

    /// A sentence's queries in parts that see the same keys: all of them, or each alone.
    fn alike(&self, queries: usize) -> impl Iterator<Item = Range<usize>> {
        let most = match self.layout.sentences.mask() {
            Mask::Sentence => queries.max(1),
            Mask::Causal => 1,
        };
        (0..queries)
            .step_by(most)
            .map(move |first| first..first + most)
    }
}

/// A linear layer's product for some rows, as far as it is made for all of them at once.
struct Made<'a> {
    dense: &'a DenseView<'a>,
    x: &'a [f32],
    product: &'a mut [f32],
    inner: &'a mut [f32],
}

impl Made<'_> {
    /// Makes what the probe does not share with the one before it.
    fn make(&mut self, probe: CopyIndex, before: Option<CopyIndex>) {
        let is_new =
            |copies: usize| before.is_none_or(|before| before.among(copies) != probe.among(copies));
        if is_new(self.dense.weight.count) {
            self.dense.product(probe, self.x, self.product);
        }
        let low_rank = self.dense.low_rank;
        if low_rank.is_some_and(|low_rank| is_new(low_rank.a.count)) {
            self.dense.inner(probe, self.x, self.inner);
        }
    }

    /// Some rows with all that belongs to them.
    fn finish(&self, probe: CopyIndex, rows: Range<usize>, width: usize, out: &mut [f32]) {
        let rank = self.dense.rank();
        let product = &self.product[rows.start * width..rows.end * width];
        let inner = &self.inner[rows.start * rank..rows.end * rank];
        let out = &mut out[..product.len()];
        self.dense.finish(probe, product, inner, out);
    }
}

/// Consecutive sentences of about `most` tokens together.
fn groups(starts: &[usize], most: usize) -> Vec<Range<usize>> {
    let total = starts.last().copied().unwrap_or(0);
    let count = total.div_ceil(most.max(1)).max(1);
    let mut groups = Vec::with_capacity(count);
    let mut first = 0;
    for group in 1..=count {
        // The sentence that reaches this share of the tokens is the group's last.
        let share = total * group / count;
        let end = match group == count {
            true => starts.len() - 1,
            false => {
                first
                    + starts[first..]
                        .partition_point(|&start| start < share)
                        .min(starts.len() - 1 - first)
            }
        };
        if end > first {
            groups.push(first..end);
            first = end;
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_all_sentences() {
        for starts in [
            &[0][..],
            &[0, 5],
            &[0, 1, 2, 3],
            &[0, 3, 4, 21, 40],
            &[0, 100, 101],
        ] {
            for most in [0, 1, 4, 10, 39, 1000] {
                let groups = groups(starts, most);
                assert!(
                    groups.iter().cloned().flatten().eq(0..starts.len() - 1),
                    "{starts:?} {most}"
                );
            }
        }
        assert_eq!(groups(&[0, 10, 20, 30, 40], 20), [0..2, 2..4]);
    }
}
