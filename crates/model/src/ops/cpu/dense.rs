//! A linear layer's rows: the wide product, then bias and LoRA's term put to each row where it is next read.

use super::copies::Copies;
use super::product::{Sizes, product};
use crate::ops::copies::CopyIndex;
use crate::ops::simd::{LANES, widest};

/// A linear layer as the probes see it.
#[derive(Clone, Copy)]
pub(crate) struct DenseView<'a> {
    /// `[P or 1, in, out]`
    pub(crate) weight: Copies<'a>,
    /// `[P or 1, 1, out]`
    pub(crate) bias: Copies<'a>,
    pub(crate) low_rank: Option<LowRankView<'a>>,
}

/// `scale (x a) b`
#[derive(Clone, Copy)]
pub(crate) struct LowRankView<'a> {
    /// `[P or 1, in, r]`
    pub(crate) a: Copies<'a>,
    /// `[P or 1, r, out]`
    pub(crate) b: Copies<'a>,
    pub(crate) scale: f32,
}

impl DenseView<'_> {
    /// How many copies there are of what moves with the probes.
    pub(crate) fn copies(&self) -> usize {
        let low_rank = self.low_rank.map_or(1, |it| it.a.count.max(it.b.count));
        self.weight.count.max(self.bias.count).max(low_rank)
    }

    /// r, or 0 without LoRA.
    pub(crate) fn rank(&self) -> usize {
        self.low_rank.map_or(0, |low_rank| low_rank.a.width)
    }

    /// `x W` of some rows.
    pub(crate) fn product(&self, probe: CopyIndex, x: &[f32], out: &mut [f32]) {
        let (input, output) = (self.weight.rows, self.weight.width);
        let rows = x.len() / input;
        let sizes = Sizes {
            rows,
            input,
            output,
        };
        product(x, self.weight.copy(probe), sizes, out);
    }

    /// `x a` of some rows; without LoRA nothing.
    pub(crate) fn inner(&self, probe: CopyIndex, x: &[f32], out: &mut [f32]) {
        if let Some(LowRankView { a, .. }) = self.low_rank {
            narrow_product(x, a.copy(probe), a.rows, a.width, out);
        }
    }

    /// What is missing of some rows of the product: bias and LoRA's term.
    pub(crate) fn finish(&self, probe: CopyIndex, product: &[f32], inner: &[f32], out: &mut [f32]) {
        let bias = self.bias.copy(probe);
        match self.low_rank {
            None => with_bias(product, bias, out),
            Some(LowRankView { b, scale, .. }) => {
                with_low_rank(product, bias, inner, b.copy(probe), scale, out);
            }
        }
    }
}

widest! {
    fn with_bias(product: &[f32], bias: &[f32], out: &mut [f32]) {
        let width = bias.len();
        for (product, out) in product.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            for ((out, product), bias) in out.iter_mut().zip(product).zip(bias) {
                *out = product + bias;
            }
        }
    }
}

widest! {
    /// `product + bias + scale * inner b`, b `[r, out]`.
    fn with_low_rank(product: &[f32], bias: &[f32], inner: &[f32], b: &[f32], scale: f32, out: &mut [f32]) {
        let width = bias.len();
        let rank = b.len() / width;
        let rows = product.chunks_exact(width).zip(inner.chunks_exact(rank));
        for ((product, inner), out) in rows.zip(out.chunks_exact_mut(width)) {
            let mut first = 0;
            while first + STRIP <= width {
                low_rank_strip::<STRIP>(product, bias, inner, b, scale, first, out);
                first += STRIP;
            }
            while first < width {
                low_rank_strip::<1>(product, bias, inner, b, scale, first, out);
                first += 1;
            }
        }
    }
}

/// Columns whose sums are made side by side.
const STRIP: usize = 4 * LANES;

/// `N` columns of a row.
#[inline(always)]
fn low_rank_strip<const N: usize>(
    product: &[f32],
    bias: &[f32],
    inner: &[f32],
    b: &[f32],
    scale: f32,
    first: usize,
    out: &mut [f32],
) {
    let width = out.len();
    let (product, bias) = (&product[first..][..N], &bias[first..][..N]);
    let mut sums = [0.0f32; N];
    for i in 0..N {
        sums[i] = product[i] + bias[i];
    }
    for (rank, &inner) in inner.iter().enumerate() {
        let factor = scale * inner;
        let b = &b[rank * width + first..][..N];
        for i in 0..N {
            sums[i] = factor.mul_add(b[i], sums[i]);
        }
    }
    out[first..][..N].copy_from_slice(&sums);
}

/// Rows whose sums are made side by side.
const ROWS: usize = 8;

widest! {
    /// `x a` for a narrow a `[input, rank]`, every sum from the first row of a to the last.
    pub(crate) fn narrow_product(x: &[f32], a: &[f32], input: usize, rank: usize, out: &mut [f32]) {
        let rows = x.len() / input.max(1);
        let mut columns = vec![[0.0f32; LANES]; input];
        for first in (0..rank).step_by(LANES) {
            let width = LANES.min(rank - first);
            for (lanes, a) in columns.iter_mut().zip(a.chunks_exact(rank)) {
                lanes[..width].copy_from_slice(&a[first..first + width]);
            }
            let mut row = 0;
            while row < rows {
                let (x, out) = (&x[row * input..], &mut out[row * rank + first..]);
                if row + ROWS <= rows {
                    put(narrow_sums::<ROWS>(x, &columns), width, rank, out);
                    row += ROWS;
                } else {
                    put(narrow_sums::<1>(x, &columns), width, rank, out);
                    row += 1;
                }
            }
        }
    }
}

#[inline(always)]
fn narrow_sums<const R: usize>(x: &[f32], columns: &[[f32; LANES]]) -> [[f32; LANES]; R] {
    let input = columns.len();
    let rows: [&[f32]; R] = std::array::from_fn(|i| &x[i * input..][..input]);
    let mut sums = [[0.0f32; LANES]; R];
    for (i, column) in columns.iter().enumerate() {
        for (sum, row) in sums.iter_mut().zip(&rows) {
            let x = row[i];
            for lane in 0..LANES {
                sum[lane] = x.mul_add(column[lane], sum[lane]);
            }
        }
    }
    sums
}

/// The first `width` lanes of each sum, into rows of `rank`.
#[inline(always)]
fn put<const R: usize>(sums: [[f32; LANES]; R], width: usize, rank: usize, out: &mut [f32]) {
    for (i, sum) in sums.iter().enumerate() {
        out[i * rank..][..width].copy_from_slice(&sum[..width]);
    }
}
