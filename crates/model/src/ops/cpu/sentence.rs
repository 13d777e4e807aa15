//! Attention of one sentence, in registers.
//!
//! Sixteen queries go side by side, one in each lane: what is summed over columns, over keys or compared among keys is then
//! summed and compared without looking across lanes, in the order of the columns and of the keys, whatever is beside it.

use crate::ops::math::exp_nonpositive;
use crate::ops::simd::{LANES, widest};

/// Keys whose products are summed side by side.
const KEYS: usize = 8;

type Lanes = [f32; LANES];

/// The memory a sentence is worked on in; of any length before.
#[derive(Default)]
pub(crate) struct Room {
    /// Sixteen queries by column.
    queries: Vec<Lanes>,
    /// For each key, its weight for each of the queries.
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
        let scale = 1.0 / (size as f32).sqrt();
        room.queries.resize(size, [0.0; LANES]);
        room.weights.resize(keys.len() / width, [0.0; LANES]);
        let blocks = q.chunks(LANES * width).zip(out.chunks_mut(LANES * width));
        for (q, out) in blocks {
            for head in 0..heads {
                let first = head * size;
                by_column(&q[first..], width, &mut room.queries);
                scores(&room.queries, &keys[first..], width, &mut room.weights);
                softmax(&mut room.weights, scale);
                mix(&room.weights, &values[first..], width, size, &mut out[first..]);
            }
        }
    }
}

/// How many rows there are from a column on.
#[inline(always)]
fn rows_in(rows: &[f32], width: usize) -> usize {
    rows.len().div_ceil(width)
}

/// The head's columns of up to sixteen queries side by side; where there are no more queries, zeros.
#[inline(always)]
fn by_column(q: &[f32], width: usize, out: &mut [Lanes]) {
    let count = rows_in(q, width);
    let size = out.len();
    let (tiles, rest) = out.as_chunks_mut::<LANES>();
    for (tile, out) in tiles.iter_mut().enumerate() {
        let mut rows = [[0.0f32; LANES]; LANES];
        for (i, row) in rows[..count].iter_mut().enumerate() {
            row.copy_from_slice(&q[i * width + tile * LANES..][..LANES]);
        }
        *out = transposed(rows);
    }
    let done = size - rest.len();
    for (column, out) in rest.iter_mut().enumerate() {
        *out = [0.0; LANES];
        for (i, out) in out[..count].iter_mut().enumerate() {
            *out = q[i * width + done + column];
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

/// The products of all keys with sixteen queries.
#[inline(always)]
fn scores(queries: &[Lanes], keys: &[f32], width: usize, weights: &mut [Lanes]) {
    let (eights, rest) = weights.as_chunks_mut::<KEYS>();
    for (i, out) in eights.iter_mut().enumerate() {
        *out = dots(queries, &keys[i * KEYS * width..], width);
    }
    let done = eights.len() * KEYS;
    for (i, out) in rest.iter_mut().enumerate() {
        [*out] = dots(queries, &keys[(done + i) * width..], width);
    }
}

/// The products of `K` keys with sixteen queries, summed from the head's first column to its last.
#[inline(always)]
fn dots<const K: usize>(queries: &[Lanes], keys: &[f32], width: usize) -> [Lanes; K] {
    let rows: [&[f32]; K] = std::array::from_fn(|i| &keys[i * width..][..queries.len()]);
    let mut sums = [[0.0f32; LANES]; K];
    for (column, queries) in queries.iter().enumerate() {
        for (sum, row) in sums.iter_mut().zip(&rows) {
            let key = row[column];
            for lane in 0..LANES {
                sum[lane] = key.mul_add(queries[lane], sum[lane]);
            }
        }
    }
    sums
}

/// Over the keys, in place. A NaN among a query's scores makes all its weights NaN.
#[inline(always)]
fn softmax(weights: &mut [Lanes], scale: f32) {
    let mut largest = [f32::NEG_INFINITY; LANES];
    for scores in &*weights {
        for lane in 0..LANES {
            largest[lane] = if scores[lane] > largest[lane] {
                scores[lane]
            } else {
                largest[lane]
            };
        }
    }
    let mut sums = [0.0f32; LANES];
    for weights in &mut *weights {
        for lane in 0..LANES {
            weights[lane] = exp_nonpositive((weights[lane] - largest[lane]) * scale);
            sums[lane] += weights[lane];
        }
    }
    let inverse = sums.map(|sum| 1.0 / sum);
    for weights in weights {
        for lane in 0..LANES {
            weights[lane] *= inverse[lane];
        }
    }
}

/// The weighted sums of the values, from the first key to the last.
#[inline(always)]
fn mix(weights: &[Lanes], values: &[f32], width: usize, size: usize, out: &mut [f32]) {
    let mut column = 0;
    while column < size {
        let (values, out) = (&values[column..], &mut out[column..]);
        // Sixteen sums at a time, as many as there are registers beside those of the values.
        column += match size - column {
            64.. => {
                mix_columns::<4, 4>(weights, values, width, out);
                64
            }
            32.. => {
                mix_columns::<8, 2>(weights, values, width, out);
                32
            }
            16.. => {
                mix_columns::<8, 1>(weights, values, width, out);
                16
            }
            left => {
                narrow(left, weights, values, width, out);
                left
            }
        };
    }
}

/// `V` vectors of columns, `Q` queries at a time.
#[inline(always)]
fn mix_columns<const Q: usize, const V: usize>(
    weights: &[Lanes],
    values: &[f32],
    width: usize,
    out: &mut [f32],
) {
    let queries = rows_in(out, width);
    let mut query = 0;
    while query < queries {
        let out = &mut out[query * width..];
        if query + Q <= queries {
            weighted::<Q, V>(weights, query, values, width, out);
            query += Q;
        } else {
            weighted::<1, V>(weights, query, values, width, out);
            query += 1;
        }
    }
}

/// Some queries from `first` on.
#[inline(always)]
fn weighted<const Q: usize, const V: usize>(
    weights: &[Lanes],
    first: usize,
    values: &[f32],
    width: usize,
    out: &mut [f32],
) {
    let mut sums = [[[0.0f32; LANES]; V]; Q];
    for (key, weights) in weights.iter().enumerate() {
        let (value, _) = values[key * width..][..V * LANES].as_chunks::<LANES>();
        let weights = &weights[first..][..Q];
        for (sums, weight) in sums.iter_mut().zip(weights) {
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
fn narrow(columns: usize, weights: &[Lanes], values: &[f32], width: usize, out: &mut [f32]) {
    for query in 0..rows_in(out, width) {
        for column in 0..columns {
            let mut sum = 0.0f32;
            for (key, weights) in weights.iter().enumerate() {
                sum = weights[query].mul_add(values[key * width + column], sum);
            }
            out[query * width + column] = sum;
        }
    }
}
