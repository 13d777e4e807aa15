//! The update of a trained tensor, with the noise made where it is used.

use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::noise::normal;
use super::{cubes, lanes, upload};

/// `theta - (shrink * theta + sum of coefficient * z(seed))`, the terms summed in their order.
///
/// In place where nobody else holds the tensor, in a copy otherwise.
///
/// # Shapes
/// theta `[rows, columns]` f32 -> the same
pub(crate) fn descend(
    theta: CubeTensor,
    parameter: u32,
    terms: &[(u64, f32)],
    shrink: f32,
) -> CubeTensor {
    let theta = into_contiguous(theta);
    let theta = if theta.can_mut() { theta } else { theta.copy() };
    let count = theta.meta.num_elements();
    let lanes = lanes(count);
    let units = count / lanes;
    if units == 0 {
        return theta;
    }
    let client = theta.client.clone();
    let (cubes, dim) = cubes(&client, units);
    // No term at all is one that adds nothing.
    let &(seed, coefficient) = terms.first().unwrap_or(&(0, 0.0));
    let others = terms.get(1..).filter(|others| !others.is_empty());
    let words: Option<Vec<u32>> = others.map(|others| {
        let words = |&(seed, coefficient): &(u64, f32)| {
            [seed as u32, (seed >> 32) as u32, coefficient.to_bits()]
        };
        others.iter().flat_map(words).collect()
    });
    // SAFETY: a unit reads and writes element `at < units` alone, and the three words of each of the terms uploaded.
    unsafe {
        descend_kernel::launch_unchecked(
            &client,
            cubes,
            dim,
            lanes,
            theta.clone().into_buffer_arg(),
            words.map(|words| upload(&client, &words).arg()).into(),
            others.map_or(0, <[_]>::len),
            seed as u32,
            (seed >> 32) as u32,
            parameter,
            coefficient,
            shrink,
            units,
        );
    }
    theta
}

#[cube(launch_unchecked)]
fn descend_kernel<N: Size>(
    theta: &mut [Vector<f32, N>],
    others: ComptimeOption<&[u32]>,
    count: usize,
    key_low: u32,
    key_high: u32,
    parameter: u32,
    coefficient: f32,
    shrink: f32,
    units: usize,
) {
    let at = ABSOLUTE_POS;
    if at >= units {
        terminate!();
    }
    let mut step = normal::<N>(key_low, key_high, parameter, at) * Vector::new(coefficient);
    #[comptime]
    if let ComptimeOption::Some(words) = others {
        for i in 0..count {
            let z = normal::<N>(words[3 * i], words[3 * i + 1], parameter, at);
            let coefficient = f32::reinterpret(words[3 * i + 2]);
            step = fma(Vector::new(coefficient), z, step);
        }
    }
    let weight = theta[at];
    theta[at] = weight - fma(Vector::new(shrink), weight, step);
}

#[cfg(all(test, feature = "vulkan"))]
mod tests {
    use super::super::test_support::{assert_close, download, normals, upload};
    use super::*;
    use crate::noise::{Noise, Philox};

    #[test]
    fn against_a_plain_sum() {
        let all = [
            (0x1234_5678_9abc_def0, 0.5),
            (2, -1.25),
            (3, 0.125),
            (u64::MAX, 2.0),
            (5, 1e-3),
        ];
        for dims in [[1, 1], [1, 7], [3, 5], [2, 64], [31, 768]] {
            for count in 0..=all.len() {
                for shrink in [0.0, 0.01] {
                    let terms = &all[..count];
                    let before = normals(dims[0] * dims[1], 4);
                    let ours = descend(upload(&before, dims), 9, terms, shrink);
                    assert_eq!(ours.meta.shape()[..], dims);
                    let mut exact: Vec<f64> = before
                        .iter()
                        .map(|&x| f64::from(x) * (1.0 - f64::from(shrink)))
                        .collect();
                    for &(seed, coefficient) in terms {
                        let mut z = vec![0.0; before.len()];
                        Philox.fill(seed, 9, 0, &mut z);
                        for (exact, z) in exact.iter_mut().zip(z) {
                            *exact -= f64::from(coefficient) * f64::from(z);
                        }
                    }
                    assert_close(&download(ours), &exact, 1e-6, 1e-5);
                }
            }
        }
    }

    #[test]
    fn in_place_where_nobody_else_holds_it() {
        let before = normals(48, 4);
        let theta = upload(&before, [3, 16]);
        let kept = theta.clone();
        let place = |tensor: &CubeTensor| {
            let memory = std::ptr::from_ref(tensor.handle.memory.descriptor());
            memory as usize
        };
        let moved = descend(theta, 0, &[(1, 1.0)], 0.0);
        assert_eq!(download(kept), before);
        let before = place(&moved);
        let again = descend(moved, 0, &[(1, 1.0)], 0.0);
        assert_eq!(place(&again), before);
    }
}
