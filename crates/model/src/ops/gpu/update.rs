//! The update of trained tensors, with the noise made where it is used.

use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::client::Client;
use cubecl::prelude::*;

use super::many::{MOST, Numbered, Place, buffers, found, places};
use super::noise::normal;
use super::{cubes, lanes, upload};

/// `theta - (shrink * theta + sum of coefficient * z(seed))` of several tensors, each with its number among the trained ones, the
/// terms summed in their order.
///
/// In place where nobody else holds the tensor, in a copy otherwise.
///
/// # Shapes
/// thetas `[rows, columns]` f32 -> the same
pub(crate) fn descend(thetas: Vec<Numbered>, terms: &[(u64, f32)], shrink: f32) -> Vec<CubeTensor> {
    let own = |(number, theta)| {
        let theta = into_contiguous(theta);
        let theta = if theta.can_mut() { theta } else { theta.copy() };
        (number, theta)
    };
    let thetas: Vec<Numbered> = thetas.into_iter().map(own).collect();
    let sum = Sum { terms, shrink };
    for together in [4, 1] {
        let of_these = |(_, theta): &&Numbered| {
            let elements = theta.meta.num_elements();
            elements > 0 && lanes(elements) == together
        };
        let is_small = |(_, theta): &&Numbered| theta.meta.num_elements() <= SMALL;
        let these = thetas.iter().filter(of_these);
        let (small, large): (Vec<&Numbered>, Vec<&Numbered>) = these.partition(is_small);
        large
            .into_iter()
            .for_each(|theta| sum.descend_one(theta, together));
        let small: Vec<Numbered> = small.into_iter().cloned().collect();
        for these in small.chunks(MOST) {
            match these {
                [theta] => sum.descend_one(theta, together),
                _ => sum.descend_several(these, together),
            }
        }
    }
    thetas.into_iter().map(|(_, theta)| theta).collect()
}

/// Elements of a tensor that goes with others into a launch, at most. A unit looks for its tensor among all of the launch, which
/// for a large one costs more than a launch.
const SMALL: usize = 1 << 16;

/// What tensors go down along.
struct Sum<'a> {
    terms: &'a [(u64, f32)],
    shrink: f32,
}

impl Sum<'_> {
    /// The first term; no term at all is one that adds nothing.
    fn first(&self) -> (u64, f32) {
        *self.terms.first().unwrap_or(&(0, 0.0))
    }

    /// The other terms as words on the device, and how many they are.
    fn others(&self, client: &Client) -> (Option<BufferArg>, usize) {
        let others = self.terms.get(1..).filter(|others| !others.is_empty());
        let Some(others) = others else {
            return (None, 0);
        };
        let words = |&(seed, coefficient): &(u64, f32)| {
            [seed as u32, (seed >> 32) as u32, coefficient.to_bits()]
        };
        let words: Vec<u32> = others.iter().flat_map(words).collect();
        (Some(upload(client, &words).arg()), others.len())
    }

    /// In place, a unit making so many elements.
    fn descend_one(&self, (number, theta): &Numbered, lanes: usize) {
        let client = theta.client.clone();
        let units = theta.meta.num_elements() / lanes;
        let (cubes, dim) = cubes(&client, units);
        let (seed, coefficient) = self.first();
        let (others, count) = self.others(&client);
        // SAFETY: a unit reads and writes element `at < units` alone, and the three words of each of the terms uploaded.
        unsafe {
            descend_kernel::launch_unchecked(
                &client,
                cubes,
                dim,
                lanes,
                theta.clone().into_buffer_arg(),
                others.into(),
                count,
                seed as u32,
                (seed >> 32) as u32,
                *number,
                coefficient,
                self.shrink,
                units,
            );
        }
    }

    /// The same of several in one launch.
    fn descend_several(&self, thetas: &[Numbered], lanes: usize) {
        let (places, units) = places(thetas, lanes);
        let client = thetas[0].1.client.clone();
        let (cubes, dim) = cubes(&client, units);
        let (seed, coefficient) = self.first();
        let (others, count) = self.others(&client);
        // SAFETY: a unit reads and writes one element of one tensor, below that tensor's units, and the three words of each of
        // the terms uploaded.
        unsafe {
            descend_several_kernel::launch_unchecked(
                &client,
                cubes,
                dim,
                lanes,
                buffers(thetas),
                others.into(),
                count,
                seed as u32,
                (seed >> 32) as u32,
                coefficient,
                self.shrink,
                units,
                places,
            );
        }
    }
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
    let first = normal::<N>(key_low, key_high, parameter, at) * Vector::new(coefficient);
    let step = with_others::<N>(first, others, count, parameter, at);
    let weight = theta[at];
    theta[at] = weight - fma(Vector::new(shrink), weight, step);
}

#[cube(launch_unchecked)]
fn descend_several_kernel<N: Size>(
    thetas: &mut Sequence<Box<[Vector<f32, N>]>>,
    others: ComptimeOption<&[u32]>,
    count: usize,
    key_low: u32,
    key_high: u32,
    coefficient: f32,
    shrink: f32,
    units: usize,
    #[comptime] places: Vec<Place>,
) {
    let at = ABSOLUTE_POS;
    if at >= units {
        terminate!();
    }
    let (start, parameter) = found(at, places.clone());
    let within = at - start;
    let first = normal::<N>(key_low, key_high, parameter, within) * Vector::new(coefficient);
    let step = with_others::<N>(first, others, count, parameter, within);
    let tensors = comptime!(places.len());
    #[unroll]
    for i in 0..tensors {
        if start == comptime!(places[i].first) {
            let theta = &mut thetas[i];
            let weight = theta[within];
            theta[within] = weight - fma(Vector::new(shrink), weight, step);
        }
    }
}

/// The first term of the sum with the others added.
#[cube]
fn with_others<N: Size>(
    first: Vector<f32, N>,
    others: ComptimeOption<&[u32]>,
    count: usize,
    parameter: u32,
    at: usize,
) -> Vector<f32, N> {
    let mut step = first;
    #[comptime]
    if let ComptimeOption::Some(words) = others {
        for i in 0..count {
            let z = normal::<N>(words[3 * i], words[3 * i + 1], parameter, at);
            let coefficient = f32::reinterpret(words[3 * i + 2]);
            step = fma(Vector::new(coefficient), z, step);
        }
    }
    step
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
                    let thetas = vec![(9, upload(&before, dims))];
                    let ours = descend(thetas, terms, shrink).remove(0);
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
        let moved = descend(vec![(0, theta)], &[(1, 1.0)], 0.0).remove(0);
        assert_eq!(download(kept), before);
        let before = place(&moved);
        let again = descend(vec![(0, moved)], &[(1, 1.0)], 0.0).remove(0);
        assert_eq!(place(&again), before);
    }

    /// More than go into a launch, of sizes that do and do not go by fours.
    #[test]
    fn several_at_once_are_each_alone() {
        let dims = |i: usize| [1 + i % 3, [64, 7, 12, 5][i % 4]];
        let theta = |i: usize| {
            let [rows, columns] = dims(i);
            (
                2 * i as u32,
                upload(&normals(rows * columns, i as u64), [rows, columns]),
            )
        };
        let terms = [(3, 0.5), (4, -1.0)];
        let together = descend((0..250).map(theta).collect(), &terms, 0.01);
        assert_eq!(together.len(), 250);
        for (i, together) in together.into_iter().enumerate() {
            let alone = descend(vec![theta(i)], &terms, 0.01).remove(0);
            assert_eq!(together.meta.shape()[..], dims(i));
            assert_eq!(download(together), download(alone), "{i}");
        }
    }
}
