//! Self-attention over packed sentences: no padding, each token sees its own sentence.

use burn::tensor::{Tensor, activation};

use super::host::Host;
use super::math::exp_nonpositive;
use super::simd::{dot, sum_by, widest};
use rayon::prelude::*;

/// Where the sentences lie and which of their tokens ask.
#[derive(Clone, Copy)]
pub(crate) struct Layout<'a> {
    /// First token of each sentence, and the number of tokens at the end.
    pub(crate) starts: &'a [usize],
    /// True when every token asks, false when one row a sentence does (the last layer's mask positions).
    pub(crate) every_token: bool,
    /// Attention heads.
    pub(crate) heads: usize,
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

/// `softmax(q k^T / sqrt(d)) v` within each sentence and head.
///
/// # Shapes
/// q `[P or 1, Q, H]`, k and v `[P or 1, T, H]` -> `[P or 1, Q, H]`, Q the tokens or the sentences
pub(crate) fn attention(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, layout: Layout<'_>) -> Tensor<3> {
    let [q, k, v] = match Host::of([q, k, v]) {
        Ok(hosts) => hosts,
        Err([q, k, v]) => return attention_plain(q, k, v, layout),
    };
    let [_, rows, width] = q.dims();
    let [_, tokens, _] = k.dims();
    let planes = [q.dims()[0], k.dims()[0], v.dims()[0]];
    let probes = planes.into_iter().max().unwrap_or(1);
    let mut out = vec![0.0f32; probes * rows * width];
    let plane = |values: &Host<3>, probe: usize, size: usize| {
        if values.dims()[0] == 1 {
            0
        } else {
            probe * size
        }
    };
    jobs(&mut out, probes, rows, width, layout)
        .into_par_iter()
        .for_each(|job| {
            let own = layout.starts[job.sentence]..layout.starts[job.sentence + 1];
            let asked = layout.queries(job.sentence);
            let q_first = plane(&q, job.probe, rows * width);
            let k_first = plane(&k, job.probe, tokens * width);
            let v_first = plane(&v, job.probe, tokens * width);
            sentence(
                &q.values()[q_first + asked.start * width..q_first + asked.end * width],
                &k.values()[k_first + own.start * width..k_first + own.end * width],
                &v.values()[v_first + own.start * width..v_first + own.end * width],
                layout.heads,
                width,
                job.out,
            );
        });
    Host::tensor(out, [probes, rows, width])
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
    /// Attention of one sentence: q `[Q, H]`, k and v `[L, H]`, out `[Q, H]`.
    fn sentence(q: &[f32], k: &[f32], v: &[f32], heads: usize, width: usize, out: &mut [f32]) {
        let size = width / heads;
        let scale = 1.0 / (size as f32).sqrt();
        let length = k.len() / width;
        let mut weights = vec![0.0f32; length];
        for (q, out) in q.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            for head in 0..heads {
                let part = head * size..(head + 1) * size;
                let q = &q[part.clone()];
                for (weight, k) in weights.iter_mut().zip(k.chunks_exact(width)) {
                    *weight = dot(q, &k[part.clone()]) * scale;
                }
                softmax(&mut weights);
                let out = &mut out[part.clone()];
                for (&weight, v) in weights.iter().zip(v.chunks_exact(width)) {
                    for (out, v) in out.iter_mut().zip(&v[part.clone()]) {
                        *out += weight * v;
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

/// The same in burn's own operations, a sentence at a time.
fn attention_plain(q: Tensor<3>, k: Tensor<3>, v: Tensor<3>, layout: Layout<'_>) -> Tensor<3> {
    let width = q.dims()[2];
    let size = width / layout.heads;
    let by_head = |x: Tensor<3>, rows: std::ops::Range<usize>| {
        let planes = x.dims()[0];
        x.narrow(1, rows.start, rows.len())
            .reshape([planes, rows.len(), layout.heads, size])
            .swap_dims(1, 2)
    };
    let sentences = (0..layout.sentences()).map(|sentence| {
        let own = layout.starts[sentence]..layout.starts[sentence + 1];
        let asked = layout.queries(sentence);
        let scores = by_head(q.clone(), asked.clone())
            .matmul(by_head(k.clone(), own.clone()).swap_dims(2, 3))
            / (size as f32).sqrt();
        let mixed = activation::softmax(scores, 3).matmul(by_head(v.clone(), own));
        let planes = mixed.dims()[0];
        mixed.swap_dims(1, 2).reshape([planes, asked.len(), width])
    });
    Tensor::cat(sentences.collect(), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{assert_close, random};

    #[test]
    fn equal_to_the_plain_path() {
        let starts = [0, 3, 4, 21, 40];
        for (heads, width) in [(1, 8), (4, 64), (2, 66)] {
            for [pq, pk, pv] in [[1, 1, 1], [2, 1, 2], [2, 2, 2], [3, 1, 1]] {
                for every_token in [true, false] {
                    let rows = if every_token { 40 } else { 4 };
                    let layout = Layout {
                        starts: &starts,
                        every_token,
                        heads,
                    };
                    let q = random([pq, rows, width], 1);
                    let k = random([pk, 40, width], 2);
                    let v = random([pv, 40, width], 3);
                    let ours = attention(q.clone(), k.clone(), v.clone(), layout);
                    assert_close(ours, attention_plain(q, k, v, layout), 2e-5);
                }
            }
        }
    }
}
