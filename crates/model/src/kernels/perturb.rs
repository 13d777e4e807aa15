//! Perturbed weights, with the noise made where it is used.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::host::{Host, row_numbers};
use crate::noise::{Noise, Probe};

/// Elements a thread perturbs at a time; the normals of as many stay in its cache.
const CHUNK: usize = 1024;

/// `theta + scale * z(seed)` for each probe.
///
/// # Shapes
/// `[rows, columns]` -> `[P, rows, columns]`
pub(crate) fn whole(
    theta: Tensor<2>,
    parameter: usize,
    noise: &dyn Noise,
    probes: &[Probe],
) -> Tensor<3> {
    let [rows, columns] = theta.dims();
    let [host] = match Host::of([theta]) {
        Ok(host) => host,
        Err([theta]) => {
            let all: Vec<usize> = (0..rows).collect();
            return on_device(theta.unsqueeze(), &all, parameter, noise, probes);
        }
    };
    let values = host.values();
    let mut out = vec![0.0f32; probes.len() * values.len()];
    if !values.is_empty() {
        by_chunk(&mut out, values.len())
            .into_par_iter()
            .enumerate()
            .for_each(|(chunk, mut planes)| {
                let first = chunk * CHUNK;
                let last = (first + CHUNK).min(values.len());
                perturb(
                    &values[first..last],
                    first,
                    parameter,
                    noise,
                    probes,
                    &mut planes,
                );
            });
    }
    Host::tensor(out, [probes.len(), rows, columns])
}

/// Some rows of `theta`, as [`whole`] gives them; with no probes, as they are.
///
/// # Shapes
/// `[rows, columns]`, n row numbers -> `[P or 1, n, columns]`
pub(crate) fn rows(
    theta: Tensor<2>,
    numbers: &[usize],
    parameter: usize,
    noise: &dyn Noise,
    probes: &[Probe],
) -> Tensor<3> {
    let [_, columns] = theta.dims();
    let planes = probes.len().max(1);
    let [host] = match Host::of([theta]) {
        Ok(host) => host,
        Err([theta]) => {
            let picked = theta
                .clone()
                .select(0, row_numbers(numbers, &theta.device()));
            return match probes {
                [] => picked.unsqueeze(),
                _ => on_device(picked.unsqueeze(), numbers, parameter, noise, probes),
            };
        }
    };
    let values = host.values();
    let mut out = vec![0.0f32; planes * numbers.len() * columns];
    if out.is_empty() {
        return Host::tensor(out, [planes, numbers.len(), columns]);
    }
    let plane = numbers.len() * columns;
    let mut by_row: Vec<Vec<&mut [f32]>> = numbers.iter().map(|_| Vec::new()).collect();
    for part in out.chunks_exact_mut(plane) {
        for (row, slice) in by_row.iter_mut().zip(part.chunks_exact_mut(columns)) {
            row.push(slice);
        }
    }
    by_row
        .into_par_iter()
        .zip(numbers)
        .for_each(|(mut planes, &number)| {
            let first = number * columns;
            let row = &values[first..first + columns];
            match probes {
                [] => planes[0].copy_from_slice(row),
                _ => perturb(row, first, parameter, noise, probes, &mut planes),
            }
        });
    Host::tensor(out, [planes, numbers.len(), columns])
}

/// Writes each probe's copy of `theta[first ..]` to its plane. Probes that share a seed share the normals.
fn perturb(
    theta: &[f32],
    first: usize,
    parameter: usize,
    noise: &dyn Noise,
    probes: &[Probe],
    planes: &mut [&mut [f32]],
) {
    let mut z = [0.0f32; CHUNK];
    for start in (0..theta.len()).step_by(CHUNK) {
        let end = (start + CHUNK).min(theta.len());
        let z = &mut z[..end - start];
        let mut made = None;
        for (probe, plane) in probes.iter().zip(planes.iter_mut()) {
            if made != Some(probe.seed) {
                noise.fill(probe.seed, parameter, first + start, z);
                made = Some(probe.seed);
            }
            let values = theta[start..end].iter().zip(&*z);
            for (out, (&theta, &z)) in plane[start..end].iter_mut().zip(values) {
                *out = theta + probe.scale * z;
            }
        }
    }
}

/// The planes of `[P, n]`, cut into chunks: for each chunk its part of every plane.
fn by_chunk(out: &mut [f32], plane: usize) -> Vec<Vec<&mut [f32]>> {
    let mut chunks: Vec<Vec<&mut [f32]>> = (0..plane.div_ceil(CHUNK)).map(|_| Vec::new()).collect();
    for values in out.chunks_exact_mut(plane) {
        for (chunk, part) in chunks.iter_mut().zip(values.chunks_mut(CHUNK)) {
            chunk.push(part);
        }
    }
    chunks
}

/// The same on another device: the normals are made here and sent there.
fn on_device(
    theta: Tensor<3>,
    rows: &[usize],
    parameter: usize,
    noise: &dyn Noise,
    probes: &[Probe],
) -> Tensor<3> {
    let [_, n, columns] = theta.dims();
    let device = theta.device();
    let planes = probes.iter().map(|probe| {
        let mut z = vec![0.0f32; n * columns];
        for (row, part) in rows.iter().zip(z.chunks_exact_mut(columns)) {
            noise.fill(probe.seed, parameter, row * columns, part);
        }
        let z = Tensor::<3>::from_data(TensorData::new(z, [1, n, columns]), &device);
        theta.clone() + z * probe.scale
    });
    Tensor::cat(planes.collect(), 0)
}
