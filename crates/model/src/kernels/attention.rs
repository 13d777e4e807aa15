//! Self-attention over packed sentences: no padding, each token sees its own sentence.

use burn::tensor::{Tensor, TensorData, activation};

use super::host::{Host, row_numbers};
use super::math::exp_nonpositive;
use super::simd::{dot, sum_by, widest};
use rayon::prelude::*;

use crate::dropout::Site;

/// Where the sentences lie and which of their tokens ask.
#[derive(Clone, Copy)]
pub(crate) struct Layout<'a> {
    /// First token of each sentence, and the number of tokens at the end.
    pub(crate) starts: &'a [usize],
    /// True when every token asks, false when one row a sentence does (the last layer's mask positions).
    pub(crate) every_token: bool,
    /// Attention heads.
    pub(crate) heads: usize,
    /// Where some of the weights are dropped.
    pub(crate) dropout: Option<Site>,
}

impl Layout<'_> {
    /// The rows of the queries that belong to a sentence.
    fn queries(&self, sentence: usize) -> std::ops::Range<usize> {
        if self.every_token {
            self.starts[sentence]..self.starts[sentence + 1]
        } else {
            sentence..sentence + 1
        }
    }

    fn sentences(&self) -> usize {
        self.starts.len() - 1
    }
}

/// Keys and values that every sentence sees in front of its own.
#[derive(Clone)]
pub(crate) struct Front {
    /// `[P or 1, m, H]`
    pub(crate) keys: Tensor<3>,
    /// `[P or 1, m, H]`
    pub(crate) values: Tensor<3>,
}

/// `softmax(q k^T / sqrt(d)) v` within each sentence and head, the front's keys and values before the sentence's own.
///
/// # Shapes
/// q `[P or 1, Q, H]`, k and v `[P or 1, T, H]` -> `[P or 1, Q, H]`, Q the tokens or the sentences
pub(crate) fn attention(
    q: Tensor<3>,
    k: Tensor<3>,
    v: Tensor<3>,
    front: Option<Front>,
    layout: Layout<'_>,
) -> Tensor<3> {
    match front {
        _ if layout.dropout.is_some() => attention_plain(q, k, v, front, layout),
        None => match Host::of([q, k, v]) {
            Ok([q, k, v]) => attention_host(q, [k, v], None, layout),
            Err([q, k, v]) => attention_plain(q, k, v, None, layout),
        },
        Some(Front { keys, values }) => match Host::of([q, k, v, keys, values]) {
            Ok([q, k, v, keys, values]) => attention_host(q, [k, v], Some([keys, values]), layout),
            Err([q, k, v, keys, values]) => {
                attention_plain(q, k, v, Some(Front { keys, values }), layout)
            }
        },
    }
}

/// On the CPU, a job for each probe and sentence.
fn attention_host(
    q: Host<3>,
    own: [Host<3>; 2],
    front: Option<[Host<3>; 2]>,
    layout: Layout<'_>,
) -> Tensor<3> {
    let [_, rows, width] = q.dims();
    let probes = [&q]
        .into_iter()
        .chain(&own)
        .chain(front.iter().flatten())
        .map(|host| host.dims()[0])
        .max()
        .unwrap_or(1);
    let mut out = vec![0.0f32; probes * rows * width];
    jobs(&mut out, probes, rows, width, layout)
        .into_par_iter()
        .for_each(|job| {
            let tokens = layout.starts[job.sentence]..layout.starts[job.sentence + 1];
            let asked = layout.queries(job.sentence);
            let all_of = |side: usize| {
                let front = front.as_ref().map(|hosts| plane(&hosts[side], job.probe));
                let own = plane(&own[side], job.probe);
                [front.unwrap_or(&[]), rows_of(own, tokens.clone(), width)]
            };
            sentence(
                rows_of(plane(&q, job.probe), asked, width),
                all_of(0),
                all_of(1),
                layout.heads,
                width,
                job.out,
            );
        });
    Host::tensor(out, [probes, rows, width])
}

/// A probe's plane, or the one plane all share.
fn plane(host: &Host<3>, probe: usize) -> &[f32] {
    let [planes, rows, width] = host.dims();
    let plane = if planes == 1 { 0 } else { probe };
    &host.values()[plane * rows * width..(plane + 1) * rows * width]
}

fn rows_of(plane: &[f32], rows: std::ops::Range<usize>, width: usize) -> &[f32] {
    &plane[rows.start * width..rows.end * width]
}

/// One sentence of one probe, and where its result goes.
struct Job<'a> {
    probe: usize,
    sentence: usize,
    out: &'a mut [f32],
}

/// Cuts the output into one piece a probe and sentence.
fn jobs<'a>(
    mut out: &'a mut [f32],
    probes: usize,
    rows: usize,
    width: usize,
    layout: Layout<'_>,
) -> Vec<Job<'a>> {
    debug_assert_eq!(out.len(), probes * rows * width);
    let mut jobs = Vec::with_capacity(probes * layout.sentences());
    for probe in 0..probes {
        for sentence in 0..layout.sentences() {
            let (piece, rest) = out.split_at_mut(layout.queries(sentence).len() * width);
            jobs.push(Job {
                probe,
                sentence,
                out: piece,
            });
            out = rest;
        }
    }
    jobs
}

widest! {
    /// Attention of one sentence: q `[Q, H]`, keys and values those of the front `[m, H]` and its own `[L, H]`, out
    /// `[Q, H]`.
    fn sentence(
        q: &[f32],
        keys: [&[f32]; 2],
        values: [&[f32]; 2],
        heads: usize,
        width: usize,
        out: &mut [f32],
    ) {
        let size = width / heads;
        let scale = 1.0 / (size as f32).sqrt();
        let before = keys[0].len() / width;
        let mut weights = vec![0.0f32; before + keys[1].len() / width];
        for (q, out) in q.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            for head in 0..heads {
                let part = head * size..(head + 1) * size;
                let q = &q[part.clone()];
                let (front, own) = weights.split_at_mut(before);
                for (weights, k) in [front, own].into_iter().zip(keys) {
                    for (weight, k) in weights.iter_mut().zip(k.chunks_exact(width)) {
                        *weight = dot(q, &k[part.clone()]) * scale;
                    }
                }
                softmax(&mut weights);
                let out = &mut out[part.clone()];
                let (front, own) = weights.split_at(before);
                for (weights, v) in [front, own].into_iter().zip(values) {
                    for (&weight, v) in weights.iter().zip(v.chunks_exact(width)) {
                        for (out, v) in out.iter_mut().zip(&v[part.clone()]) {
                            *out += weight * v;
                        }
                    }
                }
            }
        }
    }
}

/// In place, in a fixed order. A NaN among the scores makes every weight NaN.
#[inline(always)]
fn softmax(weights: &mut [f32]) {
    let mut largest = f32::NEG_INFINITY;
    for &weight in &*weights {
        largest = if weight > largest { weight } else { largest };
    }
    for weight in weights.iter_mut() {
        *weight = exp_nonpositive(*weight - largest);
    }
    let total = sum_by(weights, |weight| weight);
    let inverse = 1.0 / total;
    for weight in weights.iter_mut() {
        *weight *= inverse;
    }
}

/// The same in burn's own operations: the sentences side by side, the shorter ones filled up to the longest.
fn attention_plain(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{assert_close, random, values};

    #[test]
    fn equal_to_the_plain_path() {
        let starts = [0, 3, 4, 21, 40];
        for (heads, width) in [(1, 8), (4, 64), (2, 66)] {
            for [pq, pk, pv, pf, m] in [
                [1, 1, 1, 0, 0],
                [2, 1, 2, 0, 0],
                [2, 2, 2, 0, 0],
                [3, 1, 1, 0, 0],
                [1, 1, 1, 1, 1],
                [1, 1, 1, 2, 5],
                [2, 2, 2, 2, 3],
                [3, 1, 3, 1, 20],
            ] {
                for every_token in [true, false] {
                    let rows = if every_token { 40 } else { 4 };
                    let layout = Layout {
                        starts: &starts,
                        every_token,
                        heads,
                        dropout: None,
                    };
                    let q = random([pq, rows, width], 1);
                    let k = random([pk, 40, width], 2);
                    let v = random([pv, 40, width], 3);
                    let front = (m > 0).then(|| Front {
                        keys: random([pf, m, width], 4),
                        values: random([pf, m, width], 5),
                    });
                    let ours = attention(q.clone(), k.clone(), v.clone(), front.clone(), layout);
                    assert_close(ours, attention_plain(q, k, v, front, layout), 2e-5);
                }
            }
        }
    }

    #[test]
    fn a_front_is_a_sentence_s_first_tokens() {
        // The same keys and values as rows of the sentence itself, bit for bit.
        let (k, v) = (random([1, 12, 64], 2), random([1, 12, 64], 3));
        let q = random([1, 1, 64], 1);
        let layout = |starts| Layout {
            starts,
            every_token: false,
            heads: 4,
            dropout: None,
        };
        let whole = attention(q.clone(), k.clone(), v.clone(), None, layout(&[0, 12]));
        let front = Front {
            keys: k.clone().narrow(1, 0, 5),
            values: v.clone().narrow(1, 0, 5),
        };
        let (k, v) = (k.narrow(1, 5, 7), v.narrow(1, 5, 7));
        let split = attention(q, k, v, Some(front), layout(&[0, 7]));
        assert_eq!(values(whole), values(split));
    }
}
