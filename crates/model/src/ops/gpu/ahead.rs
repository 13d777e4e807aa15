//! Perturbed copies of all that runs train, made before a pass with a few launches.

use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::{into_contiguous, slice};
use burn_cubecl::ops::reshape;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::many::{MOST, Numbered, Place, buffers, found, places};
use super::noise::{normal, pairs};
use super::{cubes, empty};
use crate::noise::Probe;

/// Elements that a unit makes.
const LANES: usize = 4;

/// What a run trains, and its probes.
pub(crate) struct Trained<'a> {
    /// `[rows, columns]` f32 each
    pub(crate) thetas: Vec<Numbered>,
    pub(crate) probes: &'a [Probe],
}

/// `theta + scale * z(seed)` of each tensor for each probe of each run. None where the copies of one tensor cannot follow another's
/// in memory.
///
/// # Shapes
/// `[rows, columns]` each, as many and the same in every run -> `[P, rows, columns]` each
pub(crate) fn perturb_all(runs: &[Trained<'_>]) -> Option<Vec<CubeTensor>> {
    let of_first = &runs.first()?.thetas;
    let alignment = of_first.first()?.1.client.properties().memory.alignment as usize;
    let fits = |(_, theta): &Numbered| {
        let elements = theta.meta.num_elements();
        let ends = (size_of::<f32>() * elements).is_multiple_of(alignment);
        elements > 0 && elements.is_multiple_of(LANES) && ends
    };
    if !of_first.iter().all(fits) {
        return None;
    }
    let copies = runs.iter().map(|run| run.probes.len()).sum();
    let mut made = Vec::with_capacity(of_first.len());
    for (part, shapes) in of_first.chunks(MOST).enumerate() {
        let first = part * MOST;
        let all = room(shapes, copies);
        let mut copy = 0;
        for run in runs {
            let thetas = &run.thetas[first..first + shapes.len()];
            write(thetas, run.probes, &all, [copy, copies]);
            copy += run.probes.len();
        }
        made.extend(apart(&all, shapes, copies));
    }
    Some(made)
}

/// Room for so many copies of each tensor, one tensor after another.
fn room(shapes: &[Numbered], copies: usize) -> CubeTensor {
    let elements = shapes.iter().map(|(_, theta)| theta.meta.num_elements());
    let sample = &shapes[0].1;
    let dims = [copies * elements.sum::<usize>()];
    empty(&sample.client, &sample.device, &dims, DType::F32)
}

/// The copies of each tensor; they share the memory.
fn apart(all: &CubeTensor, shapes: &[Numbered], copies: usize) -> Vec<CubeTensor> {
    let mut first = 0;
    let one = |(_, theta): &Numbered| {
        let end = first + copies * theta.meta.num_elements();
        let own = slice(all.clone(), std::slice::from_ref(&(first..end)));
        first = end;
        let dims = [&[copies], &theta.meta.shape()[..]].concat();
        reshape(own, Shape::from(dims))
    };
    shapes.iter().map(one).collect()
}

/// Writes the copies of one run's tensors from its first copy on: a launch for each pair of probes.
fn write(
    thetas: &[Numbered],
    probes: &[Probe],
    all: &CubeTensor,
    [first_copy, copies]: [usize; 2],
) {
    let thetas = thetas.iter().cloned();
    let thetas: Vec<Numbered> = thetas
        .map(|(it, theta)| (it, into_contiguous(theta)))
        .collect();
    let (places, units) = places(&thetas, LANES);
    assert_eq!(all.meta.num_elements(), copies * units * LANES);
    assert!(first_copy + probes.len() <= copies);
    let client = &all.client;
    let mut first = first_copy;
    for pair in pairs(probes) {
        let (count, dim) = cubes(client, units);
        // SAFETY: a unit reads an element of one tensor, below that tensor's units, and writes the same one of copies of it that
        // were just seen to be there.
        unsafe {
            perturb_all_kernel::launch_unchecked(
                client,
                count,
                dim,
                LANES,
                buffers(&thetas),
                all.clone().into_buffer_arg(),
                pair[0].seed as u32,
                (pair[0].seed >> 32) as u32,
                pair[0].scale,
                pair[pair.len() - 1].scale,
                units,
                first,
                copies,
                places.clone(),
                pair.len() == 2,
            );
        }
        first += pair.len();
    }
}

#[cube(launch_unchecked)]
fn perturb_all_kernel<N: Size>(
    thetas: &Sequence<Box<[Vector<f32, N>]>>,
    out: &mut [Vector<f32, N>],
    key_low: u32,
    key_high: u32,
    scale: f32,
    other_scale: f32,
    units: usize,
    first_copy: usize,
    copies: usize,
    #[comptime] places: Vec<Place>,
    #[comptime] two: bool,
) {
    let at = ABSOLUTE_POS;
    if at >= units {
        terminate!();
    }
    let (first, parameter) = found(at, places.clone());
    let within = at - first;
    let z = normal::<N>(key_low, key_high, parameter, within);
    let tensors = comptime!(places.len());
    #[unroll]
    for i in 0..tensors {
        if first == comptime!(places[i].first) {
            let copy = comptime!(places[i].units);
            let weight = thetas[i][within];
            let to = first * copies + first_copy * copy + within;
            out[to] = fma(Vector::new(scale), z, weight);
            if two {
                out[to + copy] = fma(Vector::new(other_scale), z, weight);
            }
        }
    }
}

#[cfg(all(test, feature = "vulkan"))]
mod tests {
    use super::super::empty;
    use super::super::noise::perturb;
    use super::super::test_support::{download, normals, upload};
    use super::*;

    /// Those of three runs, in more tensors than go into a launch.
    #[test]
    fn each_is_what_it_is_alone() {
        let dims = |i: usize| [1 + i % 3, 64 * (1 + i % 2)];
        let theta = |run: u64, i: usize| {
            let [rows, columns] = dims(i);
            let values = normals(rows * columns, run + i as u64);
            (3 * i as u32, upload(&values, [rows, columns]))
        };
        let count = MOST + 7;
        let probe = |seed, scale| Probe { seed, scale };
        let of_runs = [
            vec![probe(5, 0.1), probe(5, -0.1)],
            vec![probe(6, 0.2), probe(7, 0.3)],
            vec![probe(8, 1.0)],
        ];
        let run = |(number, probes): (usize, &'static [Probe])| Trained {
            thetas: (0..count).map(|i| theta(1000 * number as u64, i)).collect(),
            probes,
        };
        let of_runs: Vec<&'static [Probe]> = of_runs.map(|probes| &*probes.leak()).into();
        let runs: Vec<Trained<'_>> = of_runs.into_iter().enumerate().map(run).collect();
        let made = perturb_all(&runs).expect("sizes that follow each other");
        assert_eq!(made.len(), count);
        for (i, made) in made.into_iter().enumerate() {
            let [rows, columns] = dims(i);
            assert_eq!(made.meta.shape()[..], [5, rows, columns]);
            let alone = empty(&made.client, &made.device, &[5, rows, columns], DType::F32);
            let mut copy = 0;
            for run in &runs {
                let (parameter, theta) = run.thetas[i].clone();
                perturb(theta, None, parameter, run.probes, &alone, copy);
                copy += run.probes.len();
            }
            assert_eq!(download(made), download(alone), "{i}");
        }
    }

    #[test]
    fn what_does_not_end_where_another_may_begin_is_left() {
        let theta = |columns: usize| (0, upload(&normals(columns, 1), [1, columns]));
        let probes = [Probe {
            seed: 1,
            scale: 1.0,
        }];
        let run = Trained {
            thetas: vec![theta(64), theta(7)],
            probes: &probes,
        };
        assert!(perturb_all(&[run]).is_none());
    }
}
