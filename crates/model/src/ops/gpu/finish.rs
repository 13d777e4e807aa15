//! What follows a wide product: bias, LoRA's term and the activation.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::math::{gelu, tanh};
use super::{Copies, cubes, element, empty, lanes, most, seen};
use crate::ops::Activation;

/// What LoRA adds: `scale * inner b`.
pub(crate) struct LowRank {
    /// `x a`, `[m, T, r]` f32.
    pub(crate) inner: CubeTensor,
    /// `[k, r, out]`
    pub(crate) b: CubeTensor,
    pub(crate) scale: f32,
}

/// `then(product + bias + scale * inner b)`
///
/// # Shapes
/// product `[n, T, out]`, bias `[b, 1, out]` f32 -> `[N, T, out]`
///
/// # Panics
/// If the sizes do not go together.
pub(crate) fn finish(
    product: CubeTensor,
    bias: CubeTensor,
    low_rank: Option<LowRank>,
    then: Activation,
    dtype: DType,
) -> CubeTensor {
    let [product, bias] = [product, bias].map(Copies::of);
    let (client, device) = (product.tensor.client.clone(), product.tensor.device.clone());
    let (rows, width) = (product.rows, product.width);
    assert_eq!([bias.rows, bias.width], [1, width]);
    assert_eq!(bias.tensor.dtype, DType::F32);
    let scale = low_rank.as_ref().map_or(0.0, |it| it.scale);
    let (inner, b) = low_rank
        .map(|it| (Copies::of(it.inner), Copies::of(it.b)))
        .unzip();
    if let (Some(inner), Some(b)) = (&inner, &b) {
        assert_eq!([inner.rows, b.rows, b.width], [rows, inner.width, width]);
        assert_eq!(inner.tensor.dtype, DType::F32);
    }
    let count = |it: &Option<Copies>| it.as_ref().map_or(1, |it| it.copies);
    let (inner_copies, b_copies) = (count(&inner), count(&b));
    let copies = most([product.copies, bias.copies, inner_copies, b_copies]);
    let rank = inner.as_ref().map_or(0, |it| it.width);
    let out = empty(&client, &device, &[copies, rows, width], dtype);
    let lanes = lanes(width);
    let units = copies * rows * width / lanes;
    if units == 0 {
        return out;
    }
    let (cubes, dim) = cubes(&client, units);
    let elements = [
        product.element(),
        b.as_ref().map_or(element(DType::F32), Copies::element),
        element(dtype),
    ];
    // SAFETY: a unit writes element `at < units` and reads the same row of the others, in the copies its own sees.
    unsafe {
        finish_kernel::launch_unchecked(
            &client,
            cubes,
            dim,
            lanes,
            product.copies,
            bias.copies,
            inner_copies,
            b_copies,
            product.into_arg(),
            bias.into_arg(),
            inner.map(Copies::into_arg).into(),
            b.map(Copies::into_arg).into(),
            out.clone().into_buffer_arg(),
            units,
            copies,
            rows,
            width / lanes,
            rank,
            scale,
            then,
            elements,
        );
    }
    out
}

#[cube(launch_unchecked)]
fn finish_kernel<P: Float, B: Float, O: Float, N: Size>(
    product_copies: usize,
    bias_copies: usize,
    inner_copies: usize,
    b_copies: usize,
    product: &[Vector<P, N>],
    bias: &[Vector<f32, N>],
    inner: ComptimeOption<&[f32]>,
    b: ComptimeOption<&[Vector<B, N>]>,
    out: &mut [Vector<O, N>],
    units: usize,
    copies: usize,
    rows: usize,
    width: usize,
    rank: usize,
    scale: f32,
    #[comptime] then: Activation,
    #[define(P, B, O)] _dtypes: [ElemType; 3],
) {
    let at = ABSOLUTE_POS;
    if at >= units {
        terminate!();
    }
    let column = at % width;
    let row = at / width % rows;
    let copy = at / width / rows;
    let of_product = (seen(copy, product_copies, copies) * rows + row) * width + column;
    let of_bias = seen(copy, bias_copies, copies) * width + column;
    let mut value = Vector::<f32, N>::cast_from(product[of_product]) + bias[of_bias];
    #[comptime]
    if let ComptimeOption::Some(inner) = inner {
        #[comptime]
        if let ComptimeOption::Some(b) = b {
            let of_inner = (seen(copy, inner_copies, copies) * rows + row) * rank;
            let of_b = seen(copy, b_copies, copies) * rank * width + column;
            let mut sum = Vector::<f32, N>::new(0.0f32);
            for i in 0..rank {
                let by = Vector::<f32, N>::cast_from(b[of_b + i * width]);
                sum = fma(Vector::new(inner[of_inner + i]), by, sum);
            }
            value = fma(Vector::new(scale), sum, value);
        }
    }
    if comptime!(then != Activation::None) {
        #[unroll]
        for lane in 0..N::value() {
            let x = value.extract(lane);
            if comptime!(then == Activation::Gelu) {
                value.insert(lane, gelu(x));
            } else if comptime!(matches!(then, Activation::Relu)) {
                value.insert(lane, select(x < 0.0f32, 0.0f32, x));
            } else {
                value.insert(lane, tanh(x));
            }
        }
    }
    out[at] = Vector::cast_from(value);
}

#[cfg(all(test, feature = "vulkan"))]
mod tests;
