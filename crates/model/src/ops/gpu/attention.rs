//! Attention within packed sentences.

use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::layer_norm::over_lanes;
use super::layout::Layout;
use super::math::exp_nonpositive;
use super::{Copies, cubes_of, element, empty, most, seen};

/// Units of a cube: few, as each keeps a query and its sums in registers.
const UNITS: u32 = 64;

/// Queries, keys, values, and the keys and values in front of every sentence's own.
pub(crate) struct Attention {
    /// `[a, Q, H]`
    pub(crate) q: CubeTensor,
    /// `[b, T, H]`, stored as q is.
    pub(crate) k: CubeTensor,
    /// `[c, T, H]`, stored as q is.
    pub(crate) v: CubeTensor,
    /// `[d, m, H]` and `[e, m, H]`, both stored alike.
    pub(crate) front: Option<[CubeTensor; 2]>,
}

/// `softmax(q k^T / sqrt(d)) v` in each head, over the front and the tokens that the layout lets a row see; rows of no sentence are
/// zeros.
///
/// # Shapes
/// `[N, Q, H]`, Q the layout's tokens where every one asks, its sentences otherwise
///
/// # Panics
/// If the sizes do not go together.
pub(crate) fn attention(
    of: Attention,
    layout: &Layout,
    every_token: bool,
    heads: usize,
    dtype: DType,
) -> CubeTensor {
    let [q, k, v] = [of.q, of.k, of.v].map(Copies::of);
    let front = of.front.map(|front| front.map(Copies::of));
    let (client, device) = (q.tensor.client.clone(), q.tensor.device.clone());
    let spans = layout.spans(every_token);
    let (tokens, width) = (layout.tokens.rows, q.width);
    assert_eq!([q.rows, k.rows, v.rows], [spans.rows, tokens, tokens]);
    assert_eq!([k.width, v.width, width % heads], [width, width, 0]);
    assert_eq!([k.tensor.dtype, v.tensor.dtype], [q.tensor.dtype; 2]);
    let front_rows = front.as_ref().map_or(0, |[keys, _]| keys.rows);
    if let Some([keys, values]) = &front {
        assert_eq!(
            [keys.width, values.width, values.rows],
            [width, width, front_rows]
        );
        assert_eq!(keys.tensor.dtype, values.tensor.dtype);
    }
    let front_copies = |i: usize| front.as_ref().map_or(1, |front| front[i].copies);
    let counts = [
        q.copies,
        k.copies,
        v.copies,
        front_copies(0),
        front_copies(1),
    ];
    let copies = most(counts.into_iter().chain([layout.batches]));
    let out = empty(&client, &device, &[copies, q.rows, width], dtype);
    let units = copies * heads * q.rows;
    if units == 0 || width == 0 {
        return out;
    }
    let size = width / heads;
    let lanes = super::lanes(size);
    let (cubes, dim) = cubes_of(&client, units, UNITS);
    let front_element = front
        .as_ref()
        .map_or(q.element(), |[keys, _]| keys.element());
    let elements = [q.element(), front_element, element(dtype)];
    let (keys, values) = front.map(|[keys, values]| (keys, values)).unzip();
    // SAFETY: a unit writes one head of one row; the spans end within the tokens, as the layout was made for as many.
    unsafe {
        attention_kernel::launch_unchecked(
            &client,
            cubes,
            dim,
            lanes,
            spans.arg(&client),
            q.rows,
            tokens,
            front_rows,
            q.into_arg(),
            k.into_arg(),
            v.into_arg(),
            keys.map(Copies::into_arg).into(),
            values.map(Copies::into_arg).into(),
            out.clone().into_buffer_arg(),
            units,
            copies,
            layout.batches,
            counts[0],
            counts[1],
            counts[2],
            counts[3],
            counts[4],
            heads,
            1.0 / (size as f32).sqrt(),
            size / lanes,
            elements,
        );
    }
    out
}

#[cube(launch_unchecked)]
fn attention_kernel<I: Float, F: Float, O: Float, N: Size>(
    spans: &[u32],
    rows: usize,
    tokens: usize,
    front_rows: usize,
    q: &[Vector<I, N>],
    k: &[Vector<I, N>],
    v: &[Vector<I, N>],
    front_keys: ComptimeOption<&[Vector<F, N>]>,
    front_values: ComptimeOption<&[Vector<F, N>]>,
    out: &mut [Vector<O, N>],
    units: usize,
    copies: usize,
    batches: usize,
    q_copies: usize,
    k_copies: usize,
    v_copies: usize,
    key_copies: usize,
    value_copies: usize,
    heads: usize,
    scale: f32,
    #[comptime] size: usize,
    #[define(I, F, O)] _dtypes: [ElemType; 3],
) {
    let at = ABSOLUTE_POS;
    if at >= units {
        terminate!();
    }
    // Rows side by side: neighbours mostly read the keys of one sentence and head.
    let row = at % rows;
    let head = at / rows % heads;
    let copy = at / rows / heads;
    let width = heads * size;
    let column = head * size;
    let span = 2 * (seen(copy, batches, copies) * rows + row);
    let start = spans[span] as usize;
    let end = spans[span + 1] as usize;

    let mut state = State::<N>::new(size);
    let of_q = (seen(copy, q_copies, copies) * rows + row) * width + column;
    #[unroll]
    for i in 0..size {
        state.query[i] = Vector::<f32, N>::cast_from(q[of_q + i]) * Vector::new(scale);
    }
    if start < end {
        #[comptime]
        if let ComptimeOption::Some(keys) = front_keys {
            #[comptime]
            if let ComptimeOption::Some(values) = front_values {
                let of_key = seen(copy, key_copies, copies) * front_rows * width + column;
                let of_value = seen(copy, value_copies, copies) * front_rows * width + column;
                for i in 0..front_rows {
                    state.take::<F>(keys, of_key + i * width, values, of_value + i * width, size);
                }
            }
        }
        let of_key = seen(copy, k_copies, copies) * tokens * width + column;
        let of_value = seen(copy, v_copies, copies) * tokens * width + column;
        for i in start..end {
            state.take::<I>(k, of_key + i * width, v, of_value + i * width, size);
        }
    }
    let first = (copy * rows + row) * width + column;
    // With no key at all the sums are zeros, and so is the row.
    let inverse = select(start < end, 1.0f32 / state.total, 0.0f32);
    #[unroll]
    for i in 0..size {
        out[first + i] = Vector::cast_from(state.mixed[i] * Vector::new(inverse));
    }
}

/// A softmax under way: the sums so far, relative to the largest score so far.
#[derive(CubeType)]
struct State<N: Size> {
    query: Array<Vector<f32, N>>,
    mixed: Array<Vector<f32, N>>,
    largest: f32,
    total: f32,
}

#[cube]
impl<N: Size> State<N> {
    fn new(#[comptime] size: usize) -> Self {
        let query = Array::<Vector<f32, N>>::new(size);
        let mut mixed = Array::<Vector<f32, N>>::new(size);
        #[unroll]
        for i in 0..size {
            mixed[i] = Vector::<f32, N>::new(0.0f32);
        }
        // Below every score, and finite: nothing minus infinity is ever taken from itself.
        State::<N> {
            query,
            mixed,
            largest: -3.0e38f32,
            total: 0.0f32,
        }
    }

    /// One more key and its value. A NaN among the scores makes the sums NaN.
    fn take<E: Float>(
        &mut self,
        keys: &[Vector<E, N>],
        key: usize,
        values: &[Vector<E, N>],
        value: usize,
        #[comptime] size: usize,
    ) {
        let mut products = Vector::<f32, N>::new(0.0f32);
        #[unroll]
        for i in 0..size {
            products = fma(Vector::cast_from(keys[key + i]), self.query[i], products);
        }
        let score = over_lanes::<N>(products);
        let largest = select(score > self.largest, score, self.largest);
        let kept = exp_nonpositive(self.largest - largest);
        let weight = exp_nonpositive(score - largest);
        #[unroll]
        for i in 0..size {
            let added = Vector::<f32, N>::cast_from(values[value + i]) * Vector::new(weight);
            self.mixed[i] = fma(self.mixed[i], Vector::new(kept), added);
        }
        self.total = fma(self.total, kept, weight);
        self.largest = largest;
    }
}

#[cfg(all(test, feature = "vulkan"))]
mod tests;
