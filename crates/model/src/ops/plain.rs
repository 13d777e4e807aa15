//! The forward pass in burn's own operations, for any device and for autodiff.

use burn::tensor::{FloatDType, Tensor, TensorData, activation};

use super::copies::CopyIndex;
use super::host::row_numbers;
use super::sentences::{Layout, Mask};
use super::{Activation, Attention, AttentionOutputMlp, Dense, Embedding, Front, Norm, Ops};
use crate::clock::Watch;
use crate::precision::{Precision, Stored};

/// Works on any tensor.
///
/// What products with weights read is rounded to numbers of this format first, and kept in f32: so that the effect of a GPU's
/// products can be measured without one.
pub(crate) struct Plain(pub(crate) Precision);

/// With products of f32.
pub(crate) const PLAIN: Plain = Plain(Precision::F32);

impl Ops for Plain {
    fn embedding(&self, of: Embedding<'_>) -> Tensor<3> {
        let device = of.word.device().inner();
        let tokens = of.word_of.len() / of.batches;
        let of_batch = |batch: CopyIndex| {
            let own = batch.number * tokens..(batch.number + 1) * tokens;
            let picked = |table: &Tensor<3>, rows: &[usize]| {
                let rows = row_numbers(&rows[own.clone()], &device);
                seen_by(batch, table.clone()).select(1, rows)
            };
            let words = picked(&of.word, of.word_of);
            let sum = match &of.token_type {
                Some(types) => added(words, seen_by(batch, types.clone())),
                None => words,
            };
            added(sum, picked(&of.position, of.position_of))
        };
        joined(CopyIndex::all(of.batches).map(of_batch))
    }

    fn layer_norm(&self, x: Tensor<3>, norm: Norm) -> Tensor<3> {
        let (variance, mean) = x.clone().var_mean_bias(2);
        let x = (x - mean) / (variance + norm.epsilon).sqrt();
        let [x, gain] = alike([x, norm.gain]);
        added(x * gain, norm.shift)
    }

    fn linear(&self, x: Tensor<3>, dense: Dense, then: Activation, _: Watch<'_>) -> Tensor<3> {
        let [read, weight] = [x.clone(), dense.weight].map(|it| rounded(it, self.0));
        let mut y = added(product(read, weight), dense.bias);
        if let Some(low_rank) = dense.low_rank {
            let inner = product(x, low_rank.a);
            y = added(y, product(inner, low_rank.b) * low_rank.scale);
        }
        match then {
            Activation::None => y,
            Activation::Gelu => activation::gelu(y),
            Activation::Tanh => y.tanh(),
            Activation::Relu => activation::relu(y),
        }
    }

    fn attention(&self, of: Attention, layout: Layout<'_>, watch: Watch<'_>) -> Tensor<3> {
        let Attention {
            all,
            asking,
            query,
            key,
            value,
            front,
        } = of;
        let q = self.linear(asking, query, Activation::None, watch);
        let k = self.linear(all.clone(), key, Activation::None, watch);
        let v = self.linear(all, value, Activation::None, watch);
        let of_batch = |batch: CopyIndex| {
            let own = |x: &Tensor<3>| seen_by(batch, x.clone());
            let front = front.as_ref().map(|front| Front {
                keys: own(&front.keys),
                values: own(&front.values),
            });
            attention([&q, &k, &v].map(own), front, batch, layout)
        };
        joined(CopyIndex::all(layout.sentences.starts().len()).map(of_batch))
    }

    fn attention_output_mlp(&self, of: AttentionOutputMlp, watch: Watch<'_>) -> Tensor<3> {
        let [first, last] = of.dropout;
        let drop = |site: Option<crate::dropout::Site>, x: Tensor<3>| match site {
            None => x,
            Some(site) => site.drop(x),
        };
        let x = self.linear(of.mixed, of.output, Activation::None, watch);
        let sum = added(drop(first, x), of.residual);
        let mlp = |x: Tensor<3>| {
            let inner = self.linear(x, of.up, of.activation, watch);
            let y = self.linear(inner, of.down, Activation::None, watch);
            drop(last, y)
        };
        match of.norms.attention {
            Some(norm) => {
                let x = self.layer_norm(sum, norm);
                self.layer_norm(added(mlp(x.clone()), x), of.norms.mlp)
            }
            None => added(mlp(self.layer_norm(sum.clone(), of.norms.mlp)), sum),
        }
    }
}

/// Each number as one of this format, to the nearest.
fn rounded(x: Tensor<3>, precision: Precision) -> Tensor<3> {
    match precision {
        Precision::F32 => x,
        Precision::Tf32 => {
            // Dekker's splitting: 2^13 + 1 leaves the upper 11 of 24 bits.
            let far = x.clone() * 8193.0;
            far.clone() - (far - x)
        }
        Precision::F16 | Precision::Bf16 => x.cast(precision.stored()).cast(FloatDType::F32),
    }
}

/// The product of every probe's rows with its weight; one weight for all takes all rows at once.
///
/// # Shapes
/// x `[P or 1, T, in]`, weight `[P or 1, in, out]` -> `[P or 1, T, out]`
fn product(x: Tensor<3>, weight: Tensor<3>) -> Tensor<3> {
    let [copies, rows, input] = x.dims();
    let [weights, _, output] = weight.dims();
    if weights > 1 {
        let [x, weight] = alike([x, weight]);
        return x.matmul(weight);
    }
    x.reshape([copies * rows, input])
        .matmul(weight.reshape([input, output]))
        .reshape([copies, rows, output])
}

/// `softmax(q k^T / sqrt(d)) v` within each sentence and head of one batch: the sentences side by side, the shorter ones filled
/// up to the longest; then zeros, as many rows as there are queries.
fn attention(
    [q, k, v]: [Tensor<3>; 3],
    front: Option<Front>,
    batch: CopyIndex,
    layout: Layout<'_>,
) -> Tensor<3> {
    let device = q.device().inner();
    let starts = layout.sentences.seen_by(batch);
    let [_, queries, width] = q.dims();
    let (front_k, front_v) = front.map(|front| (front.keys, front.values)).unzip();
    let before = front_k.as_ref().map_or(0, |keys| keys.dims()[1]);
    let (k, v) = (behind(&front_k, k), behind(&front_v, v));
    let [q, k, v] = alike([q, k, v]);
    let copies = q.dims()[0];
    let padded = Padded::new(starts);
    let (sentences, size) = (starts.len() - 1, width / layout.heads);
    let by_head = |x: Tensor<3>, rows: usize| {
        x.reshape([copies * sentences, rows, layout.heads, size])
            .swap_dims(1, 2)
    };
    let seen = row_numbers(&padded.rows_behind(before), &device);
    let length = before + padded.longest;
    let [k, v] = [k, v].map(|x| by_head(x.select(1, seen.clone()), length));
    let (q, q_rows) = match layout.every_token {
        true => {
            let asking = row_numbers(&padded.rows_behind(0), &device);
            let rows = padded.longest;
            (by_head(q.select(1, asking), rows), rows)
        }
        false => (by_head(q.narrow(1, 0, sentences), 1), 1),
    };
    let scores = q.matmul(k.swap_dims(2, 3)) / (size as f32).sqrt();
    // Rows of the mask: one where all queries of a sentence see the same.
    let asking = match layout.sentences.mask() {
        Mask::Sentence => 1,
        Mask::Causal => q_rows,
    };
    let hidden = padded.hidden(before, asking, |sentence, query| {
        layout.sees(batch, sentence, query)
    });
    let hidden = Tensor::<4>::from_data(
        TensorData::new(hidden, [sentences, 1, asking, length]),
        &device,
    );
    let weights = activation::softmax(scores + hidden.repeat_dim(0, copies), 3);
    let weights = match layout.dropout {
        None => weights,
        Some(site) => site.drop(weights),
    };
    let [_, _, asking, _] = weights.dims();
    let mixed = weights
        .matmul(v)
        .swap_dims(1, 2)
        .reshape([copies, sentences * asking, width]);
    let mixed = match layout.every_token {
        true => mixed.select(1, row_numbers(&padded.places, &device)),
        false => mixed,
    };
    let missing = queries - mixed.dims()[1];
    if missing == 0 {
        return mixed;
    }
    let zeros = Tensor::zeros([copies, missing, width], &device);
    Tensor::cat(vec![mixed, zeros], 1)
}

/// Sentences side by side, each as long as the longest.
struct Padded<'a> {
    starts: &'a [usize],
    longest: usize,
    /// The place of every token.
    places: Vec<usize>,
}

impl<'a> Padded<'a> {
    fn new(starts: &'a [usize]) -> Self {
        let longest = lengths(starts).max().unwrap_or(0);
        let places = lengths(starts)
            .enumerate()
            .flat_map(|(sentence, length)| sentence * longest..sentence * longest + length);
        Self {
            starts,
            longest,
            places: places.collect(),
        }
    }

    /// The row at every place, the rows `0..before` of a front first in each sentence; where a sentence has ended, its
    /// first token again.
    fn rows_behind(&self, before: usize) -> Vec<usize> {
        let sentences = self.starts.iter().zip(lengths(self.starts));
        sentences
            .flat_map(|(&start, length)| {
                let own = move |at| before + start + if at < length { at } else { 0 };
                (0..before).chain((0..self.longest).map(own))
            })
            .collect()
    }

    /// What is added to the scores of a place, for so many queries a sentence: nothing, or minus infinity where a query does
    /// not see it. `sees` says how many of its own tokens a query of a sentence sees.
    fn hidden(
        &self,
        before: usize,
        queries: usize,
        sees: impl Fn(usize, usize) -> usize,
    ) -> Vec<f32> {
        let added = |seen| if seen { 0.0 } else { f32::NEG_INFINITY };
        let length = before + self.longest;
        let row = |seen: usize| (0..length).map(move |at| added(at < before + seen));
        let sentences = lengths(self.starts).enumerate();
        sentences
            .flat_map(|(sentence, length)| {
                let sees = &sees;
                // Behind a sentence's end there are only rows that fill it up.
                (0..queries).map(move |query| sees(sentence, query).min(length))
            })
            .flat_map(row)
            .collect()
    }
}

/// How many tokens each sentence has.
fn lengths(starts: &[usize]) -> impl Iterator<Item = usize> {
    starts.windows(2).map(|pair| pair[1] - pair[0])
}

/// The rows behind those of the front, where there is one, in as many copies as either has.
fn behind(front: &Option<Tensor<3>>, rows: Tensor<3>) -> Tensor<3> {
    let Some(front) = front else {
        return rows;
    };
    Tensor::cat(alike([front.clone(), rows]).into(), 1)
}

/// Copies behind copies.
pub(crate) fn joined(parts: impl Iterator<Item = Tensor<3>>) -> Tensor<3> {
    let mut parts: Vec<Tensor<3>> = parts.collect();
    match parts.len() {
        // Nothing to copy.
        1 => parts.remove(0),
        _ => Tensor::cat(parts, 0),
    }
}

/// The copies of an argument that the copies of a batch see.
pub(super) fn seen_by(batch: CopyIndex, x: Tensor<3>) -> Tensor<3> {
    let count = x.dims()[0];
    match batch.of {
        1 => x,
        of => x.narrow(0, batch.among(count), (count / of).max(1)),
    }
}

/// The arguments with as many copies as the one that has most, each copy as often as it is seen.
fn alike<const N: usize>(all: [Tensor<3>; N]) -> [Tensor<3>; N] {
    let copies = all.iter().map(|x| x.dims()[0]).max().unwrap_or(1);
    all.map(|x| {
        let [count, rows, width] = x.dims();
        if count == copies {
            return x;
        }
        x.reshape([count, 1, rows, width])
            .expand([count, copies / count, rows, width])
            .reshape([copies, rows, width])
    })
}

/// `x + y`, where y may have one row for all of x's.
pub(super) fn added(x: Tensor<3>, y: Tensor<3>) -> Tensor<3> {
    let [x, y] = alike([x, y]);
    x + y
}
