//! Every kernel with arguments and results of 16 bits, against the same in f32.

use burn_cubecl::kernel::cast;

use super::attention::{Attention, attention};
use super::embedding::embedding;
use super::finish::{LowRank, finish};
use super::layer_norm::{AddNormalise, add_normalise};
use super::layout::Layout;
use super::matmul::product;
use super::narrow::narrow;
use super::noise::perturb;
use super::test_support::{Argument, assert_close, download, upload};
use super::*;
use crate::noise::Probe;
use crate::ops::Activation;
use crate::precision::Precision;

/// Copies, rows and width that do and do not go by fours.
const DIMS: [[usize; 3]; 2] = [[2, 5, 64], [2, 3, 33]];

/// Numbers that 16 bits hold, in f32 and in those.
fn both(dims: [usize; 3], seed: u64) -> [CubeTensor; 2] {
    let mut numbers = Argument::random(dims, seed);
    for x in &mut numbers.values {
        *x = half::f16::from_f32(*x).to_f32();
    }
    let wide = numbers.on_device();
    [wide.clone(), cast(wide, DType::F16)]
}

/// Holds what a kernel makes of f32 against what it makes of 16 bits, given and made.
#[track_caller]
fn hold(wide: CubeTensor, narrow: CubeTensor, dtype: DType) {
    assert_eq!([wide.dtype, narrow.dtype], [DType::F32, dtype]);
    let exact: Vec<f64> = download(wide).into_iter().map(f64::from).collect();
    let tolerance = if dtype == DType::F32 { 1e-6 } else { 1e-3 };
    assert_close(&download(narrow), &exact, tolerance, 1e-4);
}

#[test]
fn perturbed() {
    for [_, rows, columns] in DIMS {
        let probes = [1.0, -1.0].map(|scale| Probe { seed: 5, scale });
        let theta = Argument::random([1, rows, columns], 1);
        let of = |out: CubeTensor| {
            let theta = upload(&theta.values, [rows, columns]);
            perturb(theta, None, 1, &probes, &out, 0);
            out
        };
        let [wide, narrow] = both([2, rows, columns], 2);
        hold(of(wide), of(narrow), DType::F16);
    }
}

#[test]
fn embedded() {
    for [copies, rows, width] in DIMS {
        let tables = [
            both([copies, rows, width], 1),
            both([1, rows, width], 2),
            both([1, 1, width], 3),
        ];
        let of = |i: usize, dtype| {
            let tables = tables.each_ref().map(|both| both[i].clone());
            embedding(tables, [&[1, 0, 2], &[2, 2, 0]], 1, dtype)
        };
        hold(of(0, DType::F32), of(1, DType::F16), DType::F16);
    }
}

#[test]
fn added_and_normalised() {
    for [copies, rows, width] in DIMS {
        let (x, residual) = (both([copies, rows, width], 1), both([1, rows, width], 2));
        let of = |i: usize, also| {
            let [bias, gain, shift] = [3, 4, 5].map(|i| Argument::random([1, 1, width], i));
            let of = AddNormalise {
                bias: Some(bias.on_device()),
                residual: Some(residual[i].clone()),
                gain: gain.on_device(),
                shift: shift.on_device(),
                epsilon: 1e-5,
            };
            add_normalise(x[i].clone(), of, also)
        };
        let (wide, none) = of(0, None);
        assert!(none.is_none());
        let (same, narrow) = of(1, Some(DType::F16));
        hold(wide.clone(), same, DType::F32);
        hold(wide, narrow.expect("asked for"), DType::F16);
    }
}

#[test]
fn finished() {
    for [copies, rows, width] in DIMS {
        let (x, b) = (both([copies, rows, width], 1), both([1, 4, width], 2));
        let of = |i: usize, dtype| {
            let low_rank = LowRank {
                inner: Argument::random([1, rows, 4], 3).on_device(),
                b: b[i].clone(),
                scale: 0.5,
            };
            let bias = Argument::random([1, 1, width], 4).on_device();
            finish(x[i].clone(), bias, Some(low_rank), Activation::Gelu, dtype)
        };
        hold(of(0, DType::F32), of(1, DType::F16), DType::F16);
    }
}

#[test]
fn narrowed() {
    for [copies, rows, width] in DIMS {
        let (x, a) = (both([copies, rows, width], 1), both([1, width, 3], 2));
        let of = |i: usize| narrow(x[i].clone(), a[i].clone());
        hold(of(0), of(1), DType::F32);
    }
}

#[test]
fn attended() {
    for [copies, _, width] in DIMS {
        let layout = Layout::new(&[&[0, 4, 7]], None, [7, 2]);
        let [q, k, v] = [1, 2, 3].map(|seed| both([copies, 7, width], seed));
        let front = [4, 5].map(|seed| both([1, 3, width], seed));
        let of = |i: usize, dtype| {
            let of = Attention {
                q: q[i].clone(),
                k: k[i].clone(),
                v: v[i].clone(),
                front: Some(front.each_ref().map(|both| both[i].clone())),
            };
            attention(of, &layout, true, 1, dtype)
        };
        hold(of(0, DType::F32), of(1, DType::F16), DType::F16);
    }
}

/// Operands that are stored otherwise are brought to what the precision asks for.
#[test]
fn multiplied() {
    for [copies, rows, width] in DIMS {
        let (x, weight) = (both([copies, rows, width], 1), both([1, width, 6], 2));
        let of = |i: usize, dtype| product(x[i].clone(), weight[i].clone(), Precision::F32, dtype);
        hold(of(0, DType::F32), of(1, DType::F16), DType::F16);
    }
}
