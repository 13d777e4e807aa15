//! From burn's tensors to the kernels and back.

use burn::tensor::{DType, Device, FloatDType, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::ahead::{Trained, perturb_all};
use super::empty;
use super::matmul::product;
use super::noise::perturb;
use super::update::descend;
use crate::noise::Noise;
use crate::ops::trained::{Descent, Moved, Run};
use crate::precision::Precision;

/// Whether the tensor lies where these kernels work, and autodiff does not follow it. There are no devices but these and the CPU.
pub(crate) fn is_gpu<const D: usize>(tensor: &Tensor<D>) -> bool {
    let device = tensor.device();
    !device.is_autodiff() && device != Device::flex()
}

/// `theta + scale * z(seed)` for each probe of each run, of all rows or some; none where a tensor lies elsewhere or the noise is
/// not the device's.
///
/// # Shapes
/// `[rows, columns]` each -> `[P, n, columns]`
pub(crate) fn perturbed(
    moved: &[Moved<'_>],
    rows: Option<&[usize]>,
    parameter: usize,
    noise: &dyn Noise,
    dtype: FloatDType,
) -> Option<Tensor<3>> {
    if !noise.is_philox() {
        return None;
    }
    let thetas: Option<Vec<CubeTensor>> = moved
        .iter()
        .map(|moved| there(moved.theta.clone()).ok())
        .collect();
    let thetas = thetas?;
    let first = thetas.first()?;
    let [stored, columns] = moved[0].theta.dims();
    let taken = rows.map_or(stored, <[usize]>::len);
    let copies = moved.iter().map(|moved| moved.probes.len()).sum();
    let dims = [copies, taken, columns];
    let out = empty(&first.client, &first.device, &dims, dtype.into());
    let mut copy = 0;
    for (moved, theta) in moved.iter().zip(thetas) {
        perturb(theta, rows, parameter as u32, &moved.probes, &out, copy);
        copy += moved.probes.len();
    }
    Some(tensor(out))
}

/// What [`perturbed`] makes of each tensor that these runs train by those numbers, all of it with a few launches; none where one
/// lies elsewhere or cannot be followed by another, or the noise is not the device's.
///
/// # Shapes
/// `[rows, columns]` each -> `[P, rows, columns]` each
pub(crate) fn all_perturbed(
    runs: &[Run<'_>],
    parameters: &[usize],
    noise: &dyn Noise,
) -> Option<Vec<Tensor<3>>> {
    if !noise.is_philox() {
        return None;
    }
    let runs = runs.iter().map(|run| trained(run, parameters));
    let made = perturb_all(&runs.collect::<Option<Vec<_>>>()?)?;
    Some(made.into_iter().map(tensor).collect())
}

/// What a run trains, with each tensor's number; none where one lies elsewhere.
fn trained<'r>(run: &Run<'r>, parameters: &[usize]) -> Option<Trained<'r>> {
    let thetas = parameters.iter().zip(&run.thetas);
    let numbered = thetas.map(|(&number, theta)| Some((number as u32, there(theta.clone()).ok()?)));
    Some(Trained {
        thetas: numbered.collect::<Option<_>>()?,
        probes: run.probes,
    })
}

/// `theta - (shrink * theta + sum of coefficient * z(seed))` of each with its number, those with the same sum at once; the only
/// handle that comes along makes it in place.
pub(crate) fn descended(descents: Vec<Descent>) -> Vec<(usize, Tensor<2>)> {
    let mut by_sum: Vec<Vec<Descent>> = Vec::new();
    for descent in descents {
        let same = |group: &&mut Vec<Descent>| {
            let first = &group[0];
            first.shrink == descent.shrink && first.terms == descent.terms
        };
        match by_sum.iter_mut().find(same) {
            Some(group) => group.push(descent),
            None => by_sum.push(vec![descent]),
        }
    }
    let of_group = |group: Vec<Descent>| {
        let (terms, shrink) = (group[0].terms.clone(), group[0].shrink);
        let numbers: Vec<usize> = group.iter().map(|descent| descent.parameter).collect();
        let thetas = group.into_iter();
        let thetas = thetas.map(|descent| (descent.parameter as u32, held(descent.theta)));
        let made = descend(thetas.collect(), &terms, shrink);
        numbers.into_iter().zip(made.into_iter().map(tensor))
    };
    by_sum.into_iter().flat_map(of_group).collect()
}

/// A product of two tensors of the device, to be made again and again.
pub(crate) fn repeated_product(operands: [Tensor<3>; 2], precision: Precision) -> impl Fn() {
    let [x, weight] = operands.map(held);
    move || drop(product(x.clone(), weight.clone(), precision, DType::F32))
}

/// A tensor that is known to lie there.
pub(super) fn held<const D: usize>(tensor: Tensor<D>) -> CubeTensor {
    match there(tensor) {
        Ok(tensor) => tensor,
        Err(()) => unreachable!("asked before this version was chosen"),
    }
}

/// A tensor for burn again.
pub(super) fn tensor<const D: usize>(made: CubeTensor) -> Tensor<D> {
    Tensor::from_primitive::<CubeBackend>(made)
}

fn there<const D: usize>(tensor: Tensor<D>) -> Result<CubeTensor, ()> {
    tensor.try_into_primitive::<CubeBackend>().map_err(|_| ())
}
