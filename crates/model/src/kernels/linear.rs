//! Matrix products: wide ones through burn, LoRA's narrow ones in a fixed order of our own.

use burn::tensor::Tensor;

use super::host::{Host, for_rows};
use super::simd::widest;

/// With fewer rows the matrix library takes another path, whose long sums are made in other parts: one for a single
/// row, and one where neither side of the product is wider than 64.
fn fewest_rows(input: usize, output: usize) -> usize {
    if input > 512 && output <= 64 { 65 } else { 3 }
}

/// The product of every probe's rows with its weight, or with the one weight all share.
///
/// # Shapes
/// x `[P or 1, T, in]`, weight `[P or 1, in, out]` -> `[P or 1, T, out]`
pub(crate) fn matmul(x: Tensor<3>, weight: Tensor<3>) -> Tensor<3> {
    let [planes, rows, input] = x.dims();
    let [weights, _, output] = weight.dims();
    if weights == 1 {
        let flat = with_enough_rows(x.reshape([1, planes * rows, input]), output);
        let padded = flat.dims()[1];
        let product = flat
            .reshape([padded, input])
            .matmul(weight.reshape([input, output]));
        return product
            .narrow(0, 0, planes * rows)
            .reshape([planes, rows, output]);
    }
    with_enough_rows(x, output)
        .matmul(weight)
        .narrow(1, 0, rows)
}

/// Rows of zeros below, where there are fewer than [`fewest_rows`].
fn with_enough_rows(x: Tensor<3>, output: usize) -> Tensor<3> {
    let [planes, rows, input] = x.dims();
    let fewest = fewest_rows(input, output);
    if rows >= fewest {
        return x;
    }
    let zeros = Tensor::zeros([planes, fewest - rows, input], &x.device());
    Tensor::cat(vec![x, zeros], 1)
}

/// `base + scale * (x a) b`: what LoRA adds to a frozen linear layer.
///
/// # Shapes
/// base `[P or 1, T, out]`, x `[P or 1, T, in]`, a `[P or 1, in, r]`, b `[P or 1, r, out]` -> `[P, T, out]`
pub(crate) fn add_low_rank(
    base: Tensor<3>,
    x: Tensor<3>,
    a: Tensor<3>,
    b: Tensor<3>,
    scale: f32,
) -> Tensor<3> {
    // Rows of `a` transposed lie together, so that each of the r sums runs over contiguous memory.
    let [base, x, a, b] = match Host::of([base, x, a.swap_dims(1, 2), b]) {
        Ok(hosts) => hosts,
        Err([base, x, a, b]) => return add_low_rank_plain(base, x, a.swap_dims(1, 2), b, scale),
    };
    let [_, rows, output] = base.dims();
    let [_, rank, input] = a.dims();
    let planes = [base.dims()[0], x.dims()[0], a.dims()[0], b.dims()[0]];
    let probes = planes.into_iter().max().unwrap_or(1);
    let row_of = |count: usize, probe: usize, row: usize| {
        if count == 1 { row } else { probe * rows + row }
    };
    let plane_of = |count: usize, probe: usize| if count == 1 { 0 } else { probe };
    let mut out = vec![0.0f32; probes * rows * output];
    for_rows(&mut out, output, |i, out| {
        let (probe, row) = (i / rows, i % rows);
        let base_row = row_of(planes[0], probe, row) * output;
        let x_row = row_of(planes[1], probe, row) * input;
        let a_plane = plane_of(planes[2], probe) * rank * input;
        let b_plane = plane_of(planes[3], probe) * rank * output;
        out.copy_from_slice(&base.values()[base_row..base_row + output]);
        low_rank_row(
            &x.values()[x_row..x_row + input],
            &a.values()[a_plane..a_plane + rank * input],
            &b.values()[b_plane..b_plane + rank * output],
            scale,
            out,
        );
    });
    Host::tensor(out, [probes, rows, output])
}

/// The same in burn's own operations.
fn add_low_rank_plain(
    base: Tensor<3>,
    x: Tensor<3>,
    a: Tensor<3>,
    b: Tensor<3>,
    scale: f32,
) -> Tensor<3> {
    base + x.matmul(a).matmul(b) * scale
}

widest! {
    /// One row: `out += scale * (x a^T) b` with a `[r, in]`, b `[r, out]`.
    fn low_rank_row(x: &[f32], a: &[f32], b: &[f32], scale: f32, out: &mut [f32]) {
        let output = out.len();
        // Four ranks at a time: their sums do not wait for each other.
        for (fours, weights) in a.chunks(4 * x.len()).enumerate() {
            let mut inner = [0.0f32; 4];
            for (sum, weights) in inner.iter_mut().zip(weights.chunks_exact(x.len())) {
                *sum = super::simd::dot(x, weights);
            }
            let ranks = weights.len() / x.len();
            for (rank, &sum) in inner[..ranks].iter().enumerate() {
                let first = (fours * 4 + rank) * output;
                let factor = scale * sum;
                let weights = &b[first..first + output];
                for (out, &weight) in out.iter_mut().zip(weights) {
                    *out += factor * weight;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{assert_close, random, values};

    #[test]
    fn low_rank_equals_the_plain_path() {
        for (probes, rows, input, rank, output) in
            [(1, 1, 4, 1, 4), (2, 5, 33, 8, 17), (3, 7, 64, 5, 128)]
        {
            for shared in [1, probes] {
                let base = random([shared, rows, output], 1);
                let x = random([shared, rows, input], 2);
                let a = random([probes, input, rank], 3);
                let b = random([probes, rank, output], 4);
                let ours = add_low_rank(base.clone(), x.clone(), a.clone(), b.clone(), 2.0);
                assert_close(ours, add_low_rank_plain(base, x, a, b, 2.0), 1e-4);
            }
        }
    }

    #[test]
    fn a_row_does_not_feel_its_company() {
        // A long sum is made in parts, and where they end must not depend on the number of rows.
        for (input, output) in [(128, 384), (3072, 96), (768, 64), (768, 2)] {
            for planes in [1, 2] {
                let weight = random([planes, input, output], 5);
                let x = random([1, 80, input], 6);
                let whole = matmul(x.clone(), weight.clone());
                for (first, rows) in [(0, 1), (3, 2), (7, 3), (11, 29), (4, 66)] {
                    let part = matmul(x.clone().narrow(1, first, rows), weight.clone());
                    let same = whole.clone().narrow(1, first, rows);
                    let equal = values(part) == values(same);
                    assert!(
                        equal,
                        "{rows} of 80 rows, {input} to {output}, {planes} planes"
                    );
                }
            }
        }
    }
}
