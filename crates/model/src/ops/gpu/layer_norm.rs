//! Layer norm, with what is added before it.
//!
//! A row is worked on by the units that the hardware runs in step (CubeCL's plane, CUDA's warp), as many as those are, and
//! summed by what they pass each other: faster than shared memory, and the lavapipe of Debian 12 dies of the latter.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::{Copies, ROWS, cubes_of_rows, element, empty, lanes, most, seen};

/// What is added to the rows before they are normalised, and the norm.
pub(crate) struct AddNormalise {
    /// `[b, 1, H]` f32
    pub(crate) bias: Option<CubeTensor>,
    /// `[r, T, H]`
    pub(crate) residual: Option<CubeTensor>,
    /// `[g, 1, H]` f32
    pub(crate) gain: CubeTensor,
    /// `[s, 1, H]` f32
    pub(crate) shift: CubeTensor,
    /// Added to the variance.
    pub(crate) epsilon: f32,
}

/// `layer_norm(x + bias + residual)` in f32, and the same in `also` for the products that read it next.
///
/// # Shapes
/// x `[n, T, H]` -> `[N, T, H]`
///
/// # Panics
/// If the sizes do not go together.
pub(crate) fn add_normalise(
    x: CubeTensor,
    of: AddNormalise,
    also: Option<DType>,
) -> (CubeTensor, Option<CubeTensor>) {
    let x = Copies::of(x);
    let (client, device) = (x.tensor.client.clone(), x.tensor.device.clone());
    let [bias, residual] = [of.bias, of.residual].map(|it| it.map(Copies::of));
    let [gain, shift] = [of.gain, of.shift].map(Copies::of);
    let (rows, width) = (x.rows, x.width);
    for of_all in [&gain, &shift].into_iter().chain(&bias) {
        assert_eq!([of_all.rows, of_all.width], [1, width]);
        assert_eq!(of_all.tensor.dtype, DType::F32);
    }
    if let Some(of_each) = &residual {
        assert_eq!([of_each.rows, of_each.width], [rows, width]);
    }
    let count = |it: &Option<Copies>| it.as_ref().map_or(1, |it| it.copies);
    let counts = [
        x.copies,
        count(&bias),
        count(&residual),
        gain.copies,
        shift.copies,
    ];
    let copies = most(counts);
    let made = |dtype| empty(&client, &device, &[copies, rows, width], dtype);
    let (out, second) = (made(DType::F32), also.map(made));
    if copies * rows * width == 0 {
        return (out, second);
    }
    let elements = [
        x.element(),
        residual
            .as_ref()
            .map_or(element(DType::F32), Copies::element),
        element(also.unwrap_or(DType::F32)),
    ];
    let lanes = lanes(width);
    let (cubes, dim, together) = cubes_of_rows(&client, copies * rows);
    // SAFETY: a plane of units with a row's number reads and writes within that row, and within the rows of the others
    // that the row's copy sees.
    unsafe {
        add_normalise_kernel::launch_unchecked(
            &client,
            cubes,
            dim,
            lanes,
            x.into_arg(),
            bias.map(Copies::into_arg).into(),
            residual.map(Copies::into_arg).into(),
            gain.into_arg(),
            shift.into_arg(),
            out.clone().into_buffer_arg(),
            second.clone().map(CubeTensor::into_buffer_arg).into(),
            counts[0],
            counts[1],
            counts[2],
            counts[3],
            counts[4],
            copies,
            rows,
            of.epsilon,
            width / lanes,
            together,
            elements,
        );
    }
    (out, second)
}

#[cube(launch_unchecked)]
fn add_normalise_kernel<X: Float, R: Float, S: Float, N: Size>(
    x: &[Vector<X, N>],
    bias: ComptimeOption<&[Vector<f32, N>]>,
    residual: ComptimeOption<&[Vector<R, N>]>,
    gain: &[Vector<f32, N>],
    shift: &[Vector<f32, N>],
    out: &mut [Vector<f32, N>],
    mut second: ComptimeOption<&mut [Vector<S, N>]>,
    x_copies: usize,
    bias_copies: usize,
    residual_copies: usize,
    gain_copies: usize,
    shift_copies: usize,
    copies: usize,
    rows: usize,
    epsilon: f32,
    #[comptime] width: usize,
    #[comptime] units: usize,
    #[define(X, R, S)] _dtypes: [ElemType; 3],
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
    let count = f32::cast_from(comptime!((width * lanes) as u32));
    let x_first = (seen(copy, x_copies, copies) * rows + row) * width;
    let bias_first = seen(copy, bias_copies, copies) * width;
    let residual_first = (seen(copy, residual_copies, copies) * rows + row) * width;
    let gain_first = seen(copy, gain_copies, copies) * width;
    let shift_first = seen(copy, shift_copies, copies) * width;

    // A unit keeps its share of the row in registers.
    let steps = comptime!(width.div_ceil(units));
    let mut kept = Array::<Vector<f32, N>>::new(steps);
    let mut sum = Vector::<f32, N>::new(0.0f32);
    #[unroll]
    for step in 0..steps {
        let at = unit + comptime!(step * units);
        if at < width {
            let mut value = Vector::<f32, N>::cast_from(x[x_first + at]);
            #[comptime]
            if let ComptimeOption::Some(added) = &bias {
                value += added[bias_first + at];
            }
            #[comptime]
            if let ComptimeOption::Some(added) = &residual {
                value += Vector::cast_from(added[residual_first + at]);
            }
            kept[step] = value;
            sum += value;
        }
    }
    let mean = plane_sum(over_lanes::<N>(sum)) / count;
    let mut squares = Vector::<f32, N>::new(0.0f32);
    #[unroll]
    for step in 0..steps {
        if unit + comptime!(step * units) < width {
            let off = kept[step] - Vector::new(mean);
            squares = fma(off, off, squares);
        }
    }
    let variance = plane_sum(over_lanes::<N>(squares)) / count;
    let scale = 1.0f32 / (variance + epsilon).sqrt();
    let first = place * width;
    #[unroll]
    for step in 0..steps {
        let at = unit + comptime!(step * units);
        if at < width {
            let off = (kept[step] - Vector::new(mean)) * Vector::new(scale);
            let value = fma(off, gain[gain_first + at], shift[shift_first + at]);
            out[first + at] = value;
            #[comptime]
            if let ComptimeOption::Some(second) = &mut second {
                second[first + at] = Vector::cast_from(value);
            }
        }
    }
}

/// The lanes' sum, from the first to the last.
#[cube]
pub(crate) fn over_lanes<N: Size>(values: Vector<f32, N>) -> f32 {
    let mut sum = values.extract(0usize);
    #[unroll]
    for lane in 1..N::value() {
        sum += values.extract(lane);
    }
    sum
}

#[cfg(all(test, feature = "vulkan"))]
mod tests;
