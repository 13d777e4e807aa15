//! Attention of one sentence, in registers.
//!
//! Scores are made for sixteen keys at a time from keys laid out by column; every sum runs in the order of the columns, of
//! the keys, of the head's size, whatever is computed beside it.

use crate::kernels::math::exp_nonpositive;
use crate::kernels::simd::{LANES, widest};

/// Queries whose scores are summed side by side.
const QUERIES: usize = 8;
type Lanes = [f32; LANES];

/// The memory a sentence is worked on in; of any length before.
#[derive(Default)]
pub(crate) struct Room {
    /// A head's keys by column: for each sixteen keys, the head's columns.
    keys: Vec<Lanes>,
    /// For each query, the weights of the keys, filled up to sixteens.
    weights: Vec<Lanes>,
}

widest! {
    /// `softmax(q k^T / sqrt(d)) v` for each head.
    ///
    /// # Shapes
    /// q `[Q, H]`, keys and values `[L, H]` -> out `[Q, H]`
    pub(crate) fn sentence(
        q: &[f32],
        keys: &[f32],
        values: &[f32],
        heads: usize,
        width: usize,
        room: &mut Room,
        out: &mut [f32],
    ) {
        let size = width / heads;
        let (queries, length) = (q.len() / width, keys.len() / width);
        let blocks = length.div_ceil(LANES);
        room.keys.resize(blocks * size, [0.0; LANES]);
        room.weights.resize(queries * blocks, [0.0; LANES]);
        for head in 0..heads {
            let first = head * size;
            by_column(&keys[first..], width, size, length, &mut room.keys);
            for (block, keys) in room.keys.chunks_exact(size).enumerate() {
                scores(&q[first..], width, keys, block, blocks, &mut room.weights);
            }
            for weights in room.weights.chunks_exact_mut(blocks) {
                softmax(weights.as_flattened_mut(), length, 1.0 / (size as f32).sqrt());
            }
            mix(&room.weights, blocks, &values[first..], width, size, length, &mut out[first..]);
        }
    }
}

/// The head's columns of all keys, sixteen keys side by side; where there are no more keys, zeros.
#[inline(always)]
fn by_column(keys: &[f32], width: usize, size: usize, length: usize, out: &mut [Lanes]) {
    for (block, out) in out.chunks_exact_mut(size).enumerate() {
        let first = block * LANES;
        let count = LANES.min(length - first);
        let (tiles, rest) = out.as_chunks_mut::<LANES>();
        for (tile, out) in tiles.iter_mut().enumerate() {
            let mut rows = [[0.0f32; LANES]; LANES];
            for (i, row) in rows[..count].iter_mut().enumerate() {
                row.copy_from_slice(&keys[(first + i) * width + tile * LANES..][..LANES]);
            }
            *out = transposed(rows);
        }
        let done = size - rest.len();
        for (column, out) in rest.iter_mut().enumerate() {
            *out = [0.0; LANES];
            for (i, out) in out[..count].iter_mut().enumerate() {
                *out = keys[(first + i) * width + done + column];
            }
        }
    }
}

/// Rows for columns, by exchanging ever smaller quarters.
#[inline(always)]
fn transposed(rows: [Lanes; LANES]) -> [Lanes; LANES] {
    exchanged::<1>(exchanged::<2>(exchanged::<4>(exchanged::<8>(rows))))
}

/// In every square of `2 S` rows and columns, the quarter at the upper right against the one at the lower left.
#[inline(always)]
fn exchanged<const S: usize>(rows: [Lanes; LANES]) -> [Lanes; LANES] {
    let mut out = rows;
    for upper in (0..LANES).filter(|row| row & S == 0) {
        let (a, b) = (rows[upper], rows[upper | S]);
        for lane in 0..LANES {
            let right = lane & S != 0;
            out[upper][lane] = if right { b[lane ^ S] } else { a[lane] };
            out[upper | S][lane] = if right { b[lane] } else { a[lane ^ S] };
        }
    }
    out
}

/// The products of all queries with sixteen keys.
#[inline(always)]
fn scores(
    q: &[f32],
    width: usize,
    keys: &[Lanes],
    block: usize,
    blocks: usize,
    weights: &mut [Lanes],
) {
    let queries = weights.len() / blocks;
    let mut query = 0;
    while query + QUERIES <= queries {
        let sums = dots::<QUERIES>(&q[query * width..], width, keys);
        for (i, sum) in sums.into_iter().enumerate() {
            weights[(query + i) * blocks + block] = sum;
        }
        query += QUERIES;
    }
    while query < queries {
        let [sum] = dots::<1>(&q[query * width..], width, keys);
        weights[query * blocks + block] = sum;
        query += 1;
    }
}

/// The products of `Q` queries with sixteen keys, summed from the head's first column to its last.
#[inline(always)]
fn dots<const Q: usize>(q: &[f32], width: usize, keys: &[Lanes]) -> [Lanes; Q] {
    let size = keys.len();
    let rows: [&[f32]; Q] = std::array::from_fn(|i| &q[i * width..][..size]);
    let mut sums = [[0.0f32; LANES]; Q];
    for (column, keys) in keys.iter().enumerate() {
        for (sum, row) in sums.iter_mut().zip(&rows) {
            let query = row[column];
            for lane in 0..LANES {
                sum[lane] = query.mul_add(keys[lane], sum[lane]);
            }
        }
    }
    sums
}

/// Of the first `length` scores, in place; the others become zero. A NaN among the scores makes every weight NaN.
#[inline(always)]
fn softmax(weights: &mut [f32], length: usize, scale: f32) {
    weights[length..].fill(f32::NEG_INFINITY);
    let (blocks, _) = weights.as_chunks_mut::<LANES>();
    let mut largest = [f32::NEG_INFINITY; LANES];
    for block in &*blocks {
        for lane in 0..LANES {
            largest[lane] = if block[lane] > largest[lane] {
                block[lane]
            } else {
                largest[lane]
            };
        }
    }
    let largest = largest.iter().fold(
        f32::NEG_INFINITY,
        |largest, &x| if x > largest { x } else { largest },
    );
    for block in &mut *blocks {
        for weight in block {
            *weight = exp_nonpositive((*weight - largest) * scale);
        }
    }
    weights[length..].fill(0.0);
    let (blocks, _) = weights.as_chunks_mut::<LANES>();
    let mut sums = [0.0f32; LANES];
    for block in &*blocks {
        for lane in 0..LANES {
            sums[lane] += block[lane];
        }
    }
    let inverse = 1.0 / sums.iter().sum::<f32>();
    for block in blocks {
        for weight in block {
            *weight *= inverse;
        }
    }
}

/// The weighted sums of the values, from the first key to the last.
#[inline(always)]
fn mix(
    weights: &[Lanes],
    blocks: usize,
    values: &[f32],
    width: usize,
    size: usize,
    length: usize,
    out: &mut [f32],
) {
    let weights = weights.as_flattened();
    let stride = blocks * LANES;
    let mut column = 0;
    while column < size {
        let (values, out) = (&values[column..], &mut out[column..]);
        // Sixteen sums at a time, as many as there are registers beside those of the values.
        column += match size - column {
            64.. => {
                mix_columns::<4, 4>(weights, stride, values, width, length, out);
                64
            }
            32.. => {
                mix_columns::<8, 2>(weights, stride, values, width, length, out);
                32
            }
            16.. => {
                mix_columns::<8, 1>(weights, stride, values, width, length, out);
                16
            }
            left => {
                narrow(left, weights, stride, values, width, length, out);
                left
            }
        };
    }
}

/// `V` vectors of columns, `Q` queries at a time.
#[inline(always)]
fn mix_columns<const Q: usize, const V: usize>(
    weights: &[f32],
    stride: usize,
    values: &[f32],
    width: usize,
    length: usize,
    out: &mut [f32],
) {
    let queries = weights.len() / stride;
    let mut query = 0;
    while query < queries {
        let (weights, out) = (&weights[query * stride..], &mut out[query * width..]);
        if query + Q <= queries {
            weighted::<Q, V>(weights, stride, values, width, length, out);
            query += Q;
        } else {
            weighted::<1, V>(weights, stride, values, width, length, out);
            query += 1;
        }
    }
}

/// `Q` queries, `V` vectors of columns.
#[inline(always)]
fn weighted<const Q: usize, const V: usize>(
    weights: &[f32],
    stride: usize,
    values: &[f32],
    width: usize,
    length: usize,
    out: &mut [f32],
) {
    let rows: [&[f32]; Q] = std::array::from_fn(|i| &weights[i * stride..][..length]);
    let mut sums = [[[0.0f32; LANES]; V]; Q];
    for key in 0..length {
        let value = &values[key * width..][..V * LANES];
        let (value, _) = value.as_chunks::<LANES>();
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let weight = row[key];
            for (sum, value) in sums.iter_mut().zip(value) {
                for lane in 0..LANES {
                    sum[lane] = weight.mul_add(value[lane], sum[lane]);
                }
            }
        }
    }
    for (i, sums) in sums.iter().enumerate() {
        out[i * width..][..V * LANES].copy_from_slice(sums.as_flattened());
    }
}

/// What is left of columns when the vectors are full.
#[inline(always)]
fn narrow(
    columns: usize,
    weights: &[f32],
    stride: usize,
    values: &[f32],
    width: usize,
    length: usize,
    out: &mut [f32],
) {
    for row in 0..weights.len() / stride {
        for column in 0..columns {
            let mut sum = 0.0f32;
            for key in 0..length {
                sum = weights[row * stride + key].mul_add(values[key * width + column], sum);
            }
            out[row * width + column] = sum;
        }
    }
}
