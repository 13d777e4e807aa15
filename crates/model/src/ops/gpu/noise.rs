//! Perturbed weights, with the noise made where it is used.

use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::math::{radius_squared, sin_cos_turns};
use super::{Words, cubes, element, lanes, upload};
use crate::noise::Probe;

/// `theta + scale * z(seed)` for each probe, written into the copies of `out` from `first_copy` on.
///
/// An element of `z` is numbered by its place in the whole of `theta`, with `rows` as well.
///
/// # Shapes
/// theta `[rows, columns]` f32 -> copies of out `[N, n, columns]`, n the rows asked for or all
///
/// # Panics
/// If the sizes do not go together.
pub(crate) fn perturb(
    theta: CubeTensor,
    rows: Option<&[usize]>,
    parameter: u32,
    probes: &[Probe],
    out: &CubeTensor,
    first_copy: usize,
) {
    let theta = into_contiguous(theta);
    let &[stored, columns] = &theta.meta.shape()[..] else {
        panic!("expected [rows, columns], got {:?}", theta.meta);
    };
    let taken = rows.map_or(stored, <[usize]>::len);
    let copy = taken * columns;
    let copies = out.meta.shape()[0];
    assert_eq!(
        out.meta.shape()[1..],
        [taken, columns],
        "out of other sizes"
    );
    assert!(out.is_contiguous(), "out is written in order");
    assert!(
        first_copy + probes.len() <= copies,
        "more probes than copies"
    );
    assert!(rows.is_none_or(|rows| rows.iter().all(|&row| row < stored)));
    if copy == 0 {
        return;
    }
    let client = theta.client.clone();
    // Groups of four must not cross from one row asked for to the next.
    let lanes = lanes(if rows.is_some() { columns } else { copy });
    let units = copy / lanes;
    let numbers = rows.map(|rows| {
        let numbers: Vec<u32> = rows.iter().map(|&row| row as u32).collect();
        upload(&client, &numbers)
    });
    let mut first = first_copy;
    for pair in pairs(probes) {
        let (count, dim) = cubes(&client, units);
        // SAFETY: a unit writes element `at < units` of copies that were just seen to be there, and reads the same one of
        // theta or one of a row below `stored`.
        unsafe {
            perturb_kernel::launch_unchecked(
                &client,
                count,
                dim,
                lanes,
                theta.clone().into_buffer_arg(),
                numbers.as_ref().map(Words::arg).into(),
                out.clone().into_buffer_arg(),
                pair[0].seed as u32,
                (pair[0].seed >> 32) as u32,
                parameter,
                pair[0].scale,
                pair[pair.len() - 1].scale,
                units,
                columns / lanes,
                first * units,
                pair.len() == 2,
                element(out.dtype),
            );
        }
        first += pair.len();
    }
}

/// Neighbours of one seed together, all others alone.
pub(super) fn pairs(probes: &[Probe]) -> Vec<&[Probe]> {
    let mut rest = probes;
    let mut parts = Vec::new();
    while let [first, ..] = rest {
        let same = rest.get(1).is_some_and(|second| second.seed == first.seed);
        let (part, later) = rest.split_at(if same { 2 } else { 1 });
        parts.push(part);
        rest = later;
    }
    parts
}

#[cube(launch_unchecked)]
fn perturb_kernel<O: Float, N: Size>(
    theta: &[Vector<f32, N>],
    rows: ComptimeOption<&[u32]>,
    out: &mut [Vector<O, N>],
    key_low: u32,
    key_high: u32,
    parameter: u32,
    scale: f32,
    other_scale: f32,
    units: usize,
    row_units: usize,
    first: usize,
    #[comptime] two: bool,
    #[define(O)] _dtype: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= units {
        terminate!();
    }
    #[comptime]
    let stored = match rows {
        ComptimeOption::Some(numbers) => {
            numbers[at / row_units] as usize * row_units + at % row_units
        }
        ComptimeOption::None => at,
    };
    let z = normal::<N>(key_low, key_high, parameter, stored);
    let weight = theta[stored];
    out[first + at] = Vector::cast_from(fma(Vector::new(scale), z, weight));
    if two {
        out[first + units + at] = Vector::cast_from(fma(Vector::new(other_scale), z, weight));
    }
}

/// The normals of a group of N: all four of a Philox call, or one of them.
#[cube]
pub(crate) fn normal<N: Size>(
    key_low: u32,
    key_high: u32,
    parameter: u32,
    at: usize,
) -> Vector<f32, N> {
    let mut z = Vector::<f32, N>::empty();
    let lanes = N::value();
    if comptime!(lanes == 4) {
        let (a, b, c, d) = words(at as u32, 0u32, parameter, 0u32, key_low, key_high);
        let (first, second) = pair(a, b);
        let (third, fourth) = pair(c, d);
        z.insert(0usize, first);
        z.insert(1usize, second);
        z.insert(2usize, third);
        z.insert(3usize, fourth);
    } else {
        let (a, b, c, d) = words((at / 4) as u32, 0u32, parameter, 0u32, key_low, key_high);
        let later = at % 4 >= 2;
        let (first, second) = pair(select(later, c, a), select(later, d, b));
        z.insert(0usize, select(at % 2 == 0, first, second));
    }
    z
}

/// Two normals of two words, by Box and Muller.
#[cube]
fn pair(radius: u32, angle: u32) -> (f32, f32) {
    let radius = radius_squared(radius).sqrt();
    let (sin, cos) = sin_cos_turns(angle);
    (radius * cos, radius * sin)
}

/// Four words of Philox4x32-10.
#[cube]
fn words(c0: u32, c1: u32, c2: u32, c3: u32, key_low: u32, key_high: u32) -> (u32, u32, u32, u32) {
    let mut a = c0;
    let mut b = c1;
    let mut c = c2;
    let mut d = c3;
    let mut low = key_low;
    let mut high = key_high;
    #[unroll]
    for _ in 0..10 {
        let first_high = a.mul_hi(0xD251_1F53u32);
        let first_low = a * 0xD251_1F53u32;
        let second_high = c.mul_hi(0xCD9E_8D57u32);
        let second_low = c * 0xCD9E_8D57u32;
        a = second_high ^ b ^ low;
        b = second_low;
        c = first_high ^ d ^ high;
        d = first_low;
        low += 0x9E37_79B9u32;
        high += 0xBB67_AE85u32;
    }
    (a, b, c, d)
}

#[cfg(all(test, feature = "vulkan"))]
mod tests;
