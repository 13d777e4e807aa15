//! Products of rows with a weight: the wide ones through `gemm`, on the calling thread; the work is shared out by rows.

use std::time::Instant;

use rayon::prelude::*;

use super::jobs::{cut, pieces, rows_of_a_piece};

/// Rows, and what they are turned from and into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Rows of x and of the result.
    pub(crate) rows: usize,
    /// Columns of x, rows of the weight.
    pub(crate) input: usize,
    /// Columns of the weight and of the result.
    pub(crate) output: usize,
}

impl Sizes {
    /// With fewer rows the library takes another path, whose long sums are made in other parts: one for a single row, and
    /// one where neither side of the product is wider than 64.
    fn fewest_rows(self) -> usize {
        if self.input > 512 && self.output <= 64 {
            65
        } else {
            3
        }
    }
}

/// `x w`, every row in an order of summation that depends on nothing beside it.
///
/// # Shapes
/// x `[rows, input]`, w `[input, output]` -> out `[rows, output]`, whatever it held
pub(crate) fn product(x: &[f32], w: &[f32], sizes: Sizes, out: &mut [f32]) {
    let fewest = sizes.fewest_rows();
    if sizes.rows >= fewest {
        return multiply(x, w, sizes, out, gemm::Parallelism::None);
    }
    // Rows of zeros below.
    let mut padded = vec![0.0f32; fewest * sizes.input];
    padded[..x.len()].copy_from_slice(x);
    let mut product = vec![0.0f32; fewest * sizes.output];
    let enough = Sizes {
        rows: fewest,
        ..sizes
    };
    multiply(&padded, w, enough, &mut product, gemm::Parallelism::None);
    out.copy_from_slice(&product[..out.len()]);
}

/// `x w` over contiguous rows.
pub(crate) fn multiply(
    x: &[f32],
    w: &[f32],
    sizes: Sizes,
    out: &mut [f32],
    threads: gemm::Parallelism,
) {
    let Sizes {
        rows,
        input,
        output,
    } = sizes;
    assert_eq!(x.len(), rows * input, "x is rows x input");
    assert_eq!(w.len(), input * output, "w is input x output");
    assert_eq!(out.len(), rows * output, "out is rows x output");
    let (one, input_stride, output_stride) = (1, input as isize, output as isize);
    // SAFETY: `gemm` reads `rows x input` numbers of x, `input x output` of w and writes `rows x output` of out, each at
    // `row * row stride + column * 1`. The lengths were just asserted to be those products, so every place lies within
    // its slice; out is borrowed mutably, so it overlaps neither. `read_dst` is false: what out held is not read.
    unsafe {
        gemm::gemm(
            rows,
            output,
            input,
            out.as_mut_ptr(),
            one,
            output_stride,
            false,
            x.as_ptr(),
            one,
            input_stride,
            w.as_ptr(),
            one,
            output_stride,
            0.0f32,
            1.0f32,
            false,
            false,
            false,
            threads,
        );
    }
}

/// The median time of one product of these sizes with all threads, in seconds, in the fastest of two ways: the library's own
/// sharing out, and this crate's by rows. What a step can at best be held against.
pub fn product_seconds(rows: usize, input: usize, output: usize, times: usize) -> f64 {
    let (x, w) = (vec![0.5f32; rows * input], vec![0.25f32; input * output]);
    let mut out = vec![0.0f32; rows * output];
    let whole = Sizes {
        rows,
        input,
        output,
    };
    let by_library = median(times, || {
        multiply(&x, &w, whole, &mut out, gemm::Parallelism::Rayon(0));
    });
    let groups = pieces(rows, rows_of_a_piece(rows));
    let by_rows = median(times, || {
        let slices = cut(&mut out, groups.iter().map(|group| group.len() * output));
        slices
            .into_par_iter()
            .zip(&groups)
            .for_each(|(out, group)| {
                let sizes = Sizes {
                    rows: group.len(),
                    ..whole
                };
                product(&x[group.start * input..group.end * input], &w, sizes, out);
            });
    });
    by_library.min(by_rows)
}

/// The median of several times, in seconds, after one that does not count.
fn median(times: usize, mut work: impl FnMut()) -> f64 {
    work();
    let mut seconds: Vec<f64> = (0..times.max(1))
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::{Noise, Philox};

    fn normals(count: usize, seed: u64) -> Vec<f32> {
        let mut values = vec![0.0f32; count];
        Philox.fill(seed, 0, 0, &mut values);
        values
    }

    #[test]
    fn a_row_depends_on_no_row_beside_it() {
        // A long sum is made in parts, and where they end must not depend on the number of rows.
        const ROWS: usize = 600;
        for (input, output) in [
            (128, 128),
            (128, 512),
            (512, 128),
            (768, 768),
            (3072, 96),
            (768, 3072),
            (3072, 768),
            (1024, 1024),
            (1024, 4096),
            (4096, 1024),
            (768, 64),
            (768, 2),
        ] {
            let w = normals(input * output, 5);
            let x = normals(ROWS * input, 6);
            let of = |first: usize, rows: usize| {
                let mut out = vec![f32::NAN; rows * output];
                let sizes = Sizes {
                    rows,
                    input,
                    output,
                };
                product(
                    &x[first * input..(first + rows) * input],
                    &w,
                    sizes,
                    &mut out,
                );
                out
            };
            let whole = of(0, ROWS);
            for (first, rows) in [
                (0, 1),
                (3, 2),
                (7, 3),
                (11, 29),
                (4, 66),
                (100, 439),
                (1, 520),
            ] {
                let same = &whole[first * output..(first + rows) * output];
                assert!(
                    of(first, rows) == same,
                    "{rows} of {ROWS} rows, {input} to {output}"
                );
            }
        }
    }

    #[test]
    fn against_f64() {
        for (rows, input, output) in [(0, 5, 3), (1, 1, 1), (1, 17, 33), (4, 0, 3), (70, 31, 15)] {
            let (x, w) = (normals(rows * input, 1), normals(input * output, 2));
            let mut out = vec![f32::NAN; rows * output];
            let sizes = Sizes {
                rows,
                input,
                output,
            };
            product(&x, &w, sizes, &mut out);
            for row in 0..rows {
                for column in 0..output {
                    let terms = (0..input)
                        .map(|i| f64::from(x[row * input + i]) * f64::from(w[i * output + column]));
                    let off = (f64::from(out[row * output + column]) - terms.sum::<f64>()).abs();
                    assert!(off < 1e-5, "{row}, {column} of {sizes:?}: off by {off}");
                }
            }
        }
    }
}
