//! Perturbed weights, with the noise made where it is used.

use std::mem::MaybeUninit;

use burn::tensor::{FloatDType, Tensor, TensorData};
use rayon::prelude::*;

#[cfg(feature = "cube")]
use super::gpu;
use super::host::{Host, row_numbers};
use super::joined;
use super::simd::{Buffer, widest};
use super::trained::{Moved, Run};
use super::{PIECE, TASK};
use crate::noise::{Noise, Probe};

/// What [`whole`] makes of each of these tensors in f32, at once, where a device can.
///
/// # Shapes
/// `[rows, columns]` each -> `[P, rows, columns]` each
pub(crate) fn at_once(
    runs: &[Run<'_>],
    parameters: &[usize],
    noise: &dyn Noise,
) -> Option<Vec<Tensor<3>>> {
    #[cfg(feature = "cube")]
    return gpu::all_perturbed(runs, parameters, noise);
    #[cfg(not(feature = "cube"))]
    {
        let _ = (runs, parameters, noise);
        None
    }
}

/// `theta + scale * z(seed)` for each probe of each run; on a device in numbers of this format, on the CPU in f32.
///
/// # Shapes
/// `[rows, columns]` each -> `[P, rows, columns]`
pub(crate) fn whole(
    moved: Vec<Moved<'_>>,
    parameter: usize,
    noise: &dyn Noise,
    dtype: FloatDType,
) -> Tensor<3> {
    #[cfg(feature = "cube")]
    if let Some(made) = gpu::perturbed(&moved, None, parameter, noise, dtype) {
        return made;
    }
    let _ = dtype;
    let one = |Moved { theta, probes }| whole_of_one(theta, parameter, noise, &probes);
    joined(moved.into_iter().map(one))
}

/// Some rows of each `theta`, as [`whole`] gives them.
///
/// # Shapes
/// `[rows, columns]` each, n row numbers -> `[P, n, columns]`
pub(crate) fn rows(
    moved: Vec<Moved<'_>>,
    numbers: &[usize],
    parameter: usize,
    noise: &dyn Noise,
) -> Tensor<3> {
    #[cfg(feature = "cube")]
    if let Some(made) = gpu::perturbed(&moved, Some(numbers), parameter, noise, FloatDType::F32) {
        return made;
    }
    let one = |Moved { theta, probes }| rows_of_one(theta, numbers, parameter, noise, &probes);
    joined(moved.into_iter().map(one))
}

/// Some rows as they are.
///
/// # Shapes
/// `[rows, columns]`, n row numbers -> `[1, n, columns]`
pub(crate) fn picked(theta: Tensor<2>, numbers: &[usize]) -> Tensor<3> {
    let [rows, columns] = theta.dims();
    if numbers.iter().copied().eq(0..rows) {
        return theta.unsqueeze();
    }
    match Host::of([theta]) {
        Ok([host]) => {
            let values = host.values();
            let row = |&number: &usize| &values[number * columns..(number + 1) * columns];
            let out: Vec<f32> = numbers.iter().flat_map(row).copied().collect();
            Host::tensor(out, [1, numbers.len(), columns])
        }
        Err([theta]) => {
            let numbers = row_numbers(numbers, &theta.device());
            theta.select(0, numbers).unsqueeze()
        }
    }
}

fn whole_of_one(
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
    let stretches = Stretches {
        theta: host.values(),
        length: TASK,
        first: |stretch| stretch * TASK,
        parameter,
        noise,
    };
    let out = stretches.perturbed(host.values().len(), probes);
    Host::tensor(out, [probes.len(), rows, columns])
}

fn rows_of_one(
    theta: Tensor<2>,
    numbers: &[usize],
    parameter: usize,
    noise: &dyn Noise,
    probes: &[Probe],
) -> Tensor<3> {
    let [_, columns] = theta.dims();
    let [host] = match Host::of([theta]) {
        Ok(host) => host,
        Err([theta]) => {
            let picked = picked(theta, numbers);
            return on_device(picked, numbers, parameter, noise, probes);
        }
    };
    let stretches = Stretches {
        theta: host.values(),
        length: columns,
        first: |row: usize| numbers[row] * columns,
        parameter,
        noise,
    };
    let out = stretches.perturbed(numbers.len() * columns, probes);
    Host::tensor(out, [probes.len(), numbers.len(), columns])
}

/// What is perturbed: stretches of a tensor, of one length.
struct Stretches<'a, F> {
    /// The tensor's elements.
    theta: &'a [f32],
    /// Elements of a stretch; the last one may be shorter.
    length: usize,
    /// The number of a stretch's first element.
    first: F,
    /// Position of the tensor among the trained ones.
    parameter: usize,
    /// Where `z` comes from.
    noise: &'a dyn Noise,
}

impl<F: Fn(usize) -> usize + Sync> Stretches<'_, F> {
    /// The `copy` elements of all stretches as each probe sees them, copy after copy.
    fn perturbed(&self, copy: usize, probes: &[Probe]) -> Vec<f32> {
        let count = probes.len() * copy;
        let mut out: Vec<f32> = Vec::with_capacity(count);
        if count == 0 {
            return out;
        }
        let pairs = out.spare_capacity_mut()[..count].chunks_mut(2 * copy);
        for (copies, probes) in pairs.zip(probes.chunks(2)) {
            match *probes {
                [a, b] => self.write_two(copies.split_at_mut(copy), [a, b]),
                [a] => self.write_one(copies, a),
                _ => unreachable!("chunks of two hold one or two"),
            }
        }
        // SAFETY: the capacity is at least `count`, and each of the first `count` elements has been written: chunks of
        // `2 * copy` cover them, as many as there are chunks of probes; `write_one` and `write_two` cut all of their
        // copies into stretches, and `write` writes all of a stretch or panics.
        unsafe { out.set_len(count) };
        out
    }

    /// Stretches that a thread takes at a time.
    fn at_once(&self) -> usize {
        TASK.div_ceil(self.length)
    }

    fn write_one(&self, copy: &mut [MaybeUninit<f32>], probe: Probe) {
        copy.par_chunks_mut(self.length)
            .with_min_len(self.at_once())
            .enumerate()
            .for_each(|(stretch, out)| self.write((self.first)(stretch), [probe], [out]));
    }

    fn write_two(
        &self,
        copies: (&mut [MaybeUninit<f32>], &mut [MaybeUninit<f32>]),
        probes: [Probe; 2],
    ) {
        copies
            .0
            .par_chunks_mut(self.length)
            .zip(copies.1.par_chunks_mut(self.length))
            .with_min_len(self.at_once())
            .enumerate()
            .for_each(|(stretch, (a, b))| {
                self.write((self.first)(stretch), probes, [a, b]);
            });
    }

    /// Writes each probe's copy of the elements from `first` on: all of the copies, which are of one length. Probes that
    /// share a seed share the normals.
    fn write<const N: usize>(
        &self,
        first: usize,
        probes: [Probe; N],
        mut copies: [&mut [MaybeUninit<f32>]; N],
    ) {
        let length = copies[0].len();
        let mut z = Buffer::<PIECE>::new();
        for start in (0..length).step_by(PIECE) {
            let end = (start + PIECE).min(length);
            let theta = &self.theta[first + start..first + end];
            let z = &mut z.0[..end - start];
            let mut made = None;
            for (probe, copy) in probes.iter().zip(&mut copies) {
                if made != Some(probe.seed) {
                    self.noise
                        .fill(probe.seed, self.parameter, first + start, z);
                    made = Some(probe.seed);
                }
                step_away(theta, probe.scale, z, &mut copy[start..end]);
            }
        }
    }
}

widest! {
    /// `out <- theta + scale * z`, all of it.
    fn step_away(theta: &[f32], scale: f32, z: &[f32], out: &mut [MaybeUninit<f32>]) {
        // A shorter one would leave elements unwritten.
        assert!(theta.len() == out.len() && z.len() == out.len());
        for ((out, theta), z) in out.iter_mut().zip(theta).zip(z) {
            out.write(scale.mul_add(*z, *theta));
        }
    }
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
    let copies = probes.iter().map(|probe| {
        let mut z = vec![0.0f32; n * columns];
        for (row, part) in rows.iter().zip(z.chunks_exact_mut(columns)) {
            noise.fill(probe.seed, parameter, row * columns, part);
        }
        let z = Tensor::<3>::from_data(TensorData::new(z, [1, n, columns]), &device);
        theta.clone() + z * probe.scale
    });
    Tensor::cat(copies.collect(), 0)
}

#[cfg(test)]
mod tests;
