//! The product with a narrow matrix: LoRA's `x a`, the label words.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::{Copies, ROWS, cubes_of_rows, empty, lanes, most, seen};

/// `x a` in f32. A row is summed by a plane of units, which read it side by side, in an order that depends on nothing beside it.
///
/// # Shapes
/// x `[n, T, in]`, a `[m, in, r]` -> `[N, T, r]`
///
/// # Panics
/// If the sizes do not go together.
pub(crate) fn narrow(x: CubeTensor, a: CubeTensor) -> CubeTensor {
    let [x, a] = [x, a].map(Copies::of);
    let (client, device) = (x.tensor.client.clone(), x.tensor.device.clone());
    assert_eq!(a.rows, x.width);
    let copies = most([x.copies, a.copies]);
    let (rows, rank, lanes) = (x.rows, a.width, lanes(x.width));
    let out = empty(&client, &device, &[copies, rows, rank], DType::F32);
    if copies * rows * rank == 0 {
        return out;
    }
    let (cubes, dim, together) = cubes_of_rows(&client, copies * rows);
    let elements = [x.element(), a.element()];
    // SAFETY: a plane of units with a row's number writes that row, and reads one row of x and all of a in the copies that its
    // own sees.
    unsafe {
        narrow_kernel::launch_unchecked(
            &client,
            cubes,
            dim,
            lanes,
            x.copies,
            a.copies,
            x.width / lanes,
            x.into_arg(),
            a.into_arg(),
            out.clone().into_buffer_arg(),
            copies,
            rows,
            rank,
            together,
            elements,
        );
    }
    out
}

#[cube(launch_unchecked)]
fn narrow_kernel<X: Float, A: Float, N: Size>(
    x_copies: usize,
    a_copies: usize,
    width: usize,
    x: &[Vector<X, N>],
    a: &[A],
    out: &mut [f32],
    copies: usize,
    rows: usize,
    #[comptime] rank: usize,
    #[comptime] units: usize,
    #[define(X, A)] _dtypes: [ElemType; 2],
) {
    let place = CUBE_POS * comptime!(ROWS as usize) + UNIT_POS_Y as usize;
    // A whole plane of units leaves or none of it.
    if place >= copies * rows {
        terminate!();
    }
    let copy = place / rows;
    let row = place % rows;
    let unit = UNIT_POS_X as usize;
    let lanes = N::value();
    let of_x = (seen(copy, x_copies, copies) * rows + row) * width;
    let of_a = seen(copy, a_copies, copies) * width * lanes * rank;
    let mut sums = Array::<f32>::new(rank);
    #[unroll]
    for column in 0..rank {
        sums[column] = 0.0f32;
    }
    // All units go the same way: behind the row's end they add nothing.
    let steps = (width + comptime!(units - 1)) / comptime!(units);
    for step in 0..steps {
        let at = unit + step * comptime!(units);
        let there = at < width;
        let safe = select(there, at, 0usize);
        let value = Vector::<f32, N>::cast_from(x[of_x + safe]);
        #[unroll]
        for lane in 0..lanes {
            let factor = select(there, value.extract(lane), 0.0f32);
            let first = of_a + (safe * lanes + lane) * rank;
            #[unroll]
            for column in 0..rank {
                sums[column] = fma(factor, f32::cast_from(a[first + column]), sums[column]);
            }
        }
    }
    #[unroll]
    for column in 0..rank {
        let sum = plane_sum(sums[column]);
        if unit == 0 {
            out[place * rank + column] = sum;
        }
    }
}

#[cfg(all(test, feature = "vulkan"))]
mod tests {
    use super::super::test_support::{Argument, assert_close, download};
    use super::*;

    #[test]
    fn against_f64() {
        for copies in [[1, 1], [4, 2], [1, 3], [2, 6]] {
            for [rows, input, rank] in [
                [1, 1, 1],
                [1, 768, 8],
                [5, 30, 2],
                [65, 64, 64],
                [3, 130, 17],
            ] {
                let x = Argument::random([copies[0], rows, input], 1);
                let a = Argument::random([copies[1], input, rank], 2);
                let most = most(copies);
                let ours = narrow(x.on_device(), a.on_device());
                assert_eq!(ours.meta.shape()[..], [most, rows, rank]);
                let mut exact = Vec::new();
                for copy in 0..most {
                    for row in 0..rows {
                        for column in 0..rank {
                            let term = |i: usize| {
                                f64::from(x.row(copy, most, row)[i])
                                    * f64::from(a.row(copy, most, i)[column])
                            };
                            exact.push((0..input).map(term).sum());
                        }
                    }
                }
                assert_close(&download(ours), &exact, 1e-6, 3e-5);
            }
        }
    }

    /// A row's bits do not depend on the rows and copies beside it.
    #[test]
    fn a_row_alone_has_the_same_bits() {
        let x = Argument::random([1, 37, 768], 1);
        let a = Argument::random([1, 768, 8], 2);
        let all = download(narrow(x.on_device(), a.on_device()));
        for row in [0, 17, 36] {
            let values = x.row(0, 1, row).to_vec();
            let one = Argument {
                values,
                dims: [1, 1, 768],
            };
            let one = download(narrow(one.on_device(), a.on_device()));
            assert_eq!(one, all[row * 8..][..8]);
        }
    }
}
