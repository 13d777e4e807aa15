//! The forward pass in burn's own operations, for any device and for autodiff.

use burn::tensor::{Tensor, TensorData, activation};

use super::host::row_numbers;
use super::{Activation, Attend, Close, Dense, Embed, Front, Kernels, Layout, Norm};
use crate::clock::Watch;

/// Works on any tensor.
pub(crate) struct Plain;

impl Kernels for Plain {
    fn embed(&self, embed: Embed<'_>) -> Tensor<3> {
        let device = embed.word.device().inner();
        let words = embed.word.select(1, row_numbers(embed.word_of, &device));
        let positions = row_numbers(embed.position_of, &device);
        words + embed.kind + embed.position.select(1, positions)
    }

    fn normalise(&self, x: Tensor<3>, norm: Norm) -> Tensor<3> {
        let (variance, mean) = x.clone().var_mean_bias(2);
        (x - mean) / (variance + norm.epsilon).sqrt() * norm.gain + norm.shift
    }

    fn linear(&self, x: Tensor<3>, dense: Dense, then: Activation, _: Watch<'_>) -> Tensor<3> {
        let mut y = product(x.clone(), dense.weight) + dense.bias;
        if let Some(low_rank) = dense.low_rank {
            y = y + x.matmul(low_rank.a).matmul(low_rank.b) * low_rank.scale;
        }
        match then {
            Activation::None => y,
            Activation::Gelu => activation::gelu(y),
            Activation::Tanh => y.tanh(),
        }
    }

    fn attend(&self, attend: Attend, layout: Layout<'_>, watch: Watch<'_>) -> Tensor<3> {
        let Attend {
            all,
            asking,
            query,
            key,
            value,
            front,
        } = attend;
        let q = self.linear(asking, query, Activation::None, watch);
        let k = self.linear(all.clone(), key, Activation::None, watch);
        let v = self.linear(all, value, Activation::None, watch);
        attention(q, k, v, front, layout)
    }

    fn close(&self, close: Close, watch: Watch<'_>) -> Tensor<3> {
        let [first, last] = close.dropout;
        let drop = |site: Option<crate::dropout::Site>, x: Tensor<3>| match site {
            None => x,
            Some(site) => site.drop(x),
        };
        let x = drop(
            first,
            self.linear(close.mixed, close.output, Activation::None, watch),
        );
        let x = self.normalise(x + close.residual, close.norm);
        let inner = self.linear(x.clone(), close.up, Activation::Gelu, watch);
        let y = drop(
            last,
            self.linear(inner, close.down, Activation::None, watch),
        );
        self.normalise(y + x, close.last_norm)
    }
}

/// The product of every probe's rows with its weight; one weight for all takes all rows at once.
///
/// # Shapes
/// x `[P or 1, T, in]`, weight `[P or 1, in, out]` -> `[P or 1, T, out]`
fn product(x: Tensor<3>, weight: Tensor<3>) -> Tensor<3> {
    let [planes, rows, input] = x.dims();
    let [weights, _, output] = weight.dims();
    if weights > 1 {
        return x.matmul(weight);
    }
    x.reshape([planes * rows, input])
        .matmul(weight.reshape([input, output]))
        .reshape([planes, rows, output])
}

/// `softmax(q k^T / sqrt(d)) v` within each sentence and head: the sentences side by side, the shorter ones filled up to the longest.
fn attention(
    q: Tensor<3>,
    k: Tensor<3>,
    v: Tensor<3>,
    front: Option<Front>,
    layout: Layout<'_>,
) -> Tensor<3> {
    let (device, width) = (q.device().inner(), q.dims()[2]);
    let (front_k, front_v) = front.map(|front| (front.keys, front.values)).unzip();
    let before = front_k.as_ref().map_or(0, |keys| keys.dims()[1]);
    let (k, v) = (behind(&front_k, k), behind(&front_v, v));
    let planes = [q.dims()[0], k.dims()[0], v.dims()[0]];
    let planes = planes.into_iter().max().unwrap_or(1);
    let padded = Padded::new(layout.starts);
    let (sentences, size) = (layout.sentences(), width / layout.heads);
    let by_head = |x: Tensor<3>, rows: usize| {
        let x = match x.dims()[0] < planes {
            true => x.repeat_dim(0, planes),
            false => x,
        };
        x.reshape([planes * sentences, rows, layout.heads, size])
            .swap_dims(1, 2)
    };
    let seen = row_numbers(&padded.rows_behind(before), &device);
    let length = before + padded.longest;
    let [k, v] = [k, v].map(|x| by_head(x.select(1, seen.clone()), length));
    let q = match layout.every_token {
        true => {
            let asking = row_numbers(&padded.rows_behind(0), &device);
            by_head(q.select(1, asking), padded.longest)
        }
        false => by_head(q, 1),
    };
    let scores = q.matmul(k.swap_dims(2, 3)) / (size as f32).sqrt();
    let hidden = Tensor::<4>::from_data(
        TensorData::new(padded.hidden(before), [sentences, 1, 1, length]),
        &device,
    );
    let weights = activation::softmax(scores + hidden.repeat_dim(0, planes), 3);
    let weights = match layout.dropout {
        None => weights,
        Some(site) => site.drop(weights),
    };
    let [_, _, asking, _] = weights.dims();
    let mixed = weights
        .matmul(v)
        .swap_dims(1, 2)
        .reshape([planes, sentences * asking, width]);
    match layout.every_token {
        true => mixed.select(1, row_numbers(&padded.places, &device)),
        false => mixed,
    }
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

    /// What is added to the scores of a place: nothing, or minus infinity where a sentence has ended.
    fn hidden(&self, before: usize) -> Vec<f32> {
        let added = |seen| if seen { 0.0 } else { f32::NEG_INFINITY };
        lengths(self.starts)
            .flat_map(|length| {
                (0..before + self.longest).map(move |at| added(at < before + length))
            })
            .collect()
    }
}

/// How many tokens each sentence has.
fn lengths(starts: &[usize]) -> impl Iterator<Item = usize> {
    starts.windows(2).map(|pair| pair[1] - pair[0])
}

/// The rows behind those of the front, where there is one, in as many planes as either has.
fn behind(front: &Option<Tensor<3>>, rows: Tensor<3>) -> Tensor<3> {
    let Some(front) = front else {
        return rows;
    };
    let planes = front.dims()[0].max(rows.dims()[0]);
    let spread = |x: Tensor<3>| {
        let [_, rows, width] = x.dims();
        x.expand([planes, rows, width])
    };
    Tensor::cat(vec![spread(front.clone()), spread(rows)], 1)
}
