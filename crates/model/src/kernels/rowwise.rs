//! What is done to each row alone: bias, bias and GELU, bias and residual and layer norm.

use burn::tensor::{Tensor, activation};

use super::host::{Host, for_rows};
use super::math;
use super::simd::{sum_by, widest};

/// `x + bias`.
///
/// # Shapes
/// x `[P or 1, T, n]`, bias `[P or 1, 1, n]` -> `[P or 1, T, n]`
pub(crate) fn add_bias(x: Tensor<3>, bias: Tensor<3>) -> Tensor<3> {
    with_bias(x, bias, add_row, |x| x)
}

/// `gelu(x + bias)`, the exact GELU.
///
/// # Shapes
/// x `[P or 1, T, n]`, bias `[P or 1, 1, n]` -> `[P or 1, T, n]`
pub(crate) fn add_bias_gelu(x: Tensor<3>, bias: Tensor<3>) -> Tensor<3> {
    with_bias(x, bias, add_gelu_row, activation::gelu)
}

/// `tanh(x + bias)`.
///
/// # Shapes
/// x `[P or 1, T, n]`, bias `[P or 1, 1, n]` -> `[P or 1, T, n]`
pub(crate) fn add_bias_tanh(x: Tensor<3>, bias: Tensor<3>) -> Tensor<3> {
    with_bias(x, bias, add_tanh_row, Tensor::tanh)
}

/// `row(x, bias)` on the CPU, `plain(x + bias)` elsewhere.
fn with_bias(
    x: Tensor<3>,
    bias: Tensor<3>,
    row: fn(&mut [f32], &[f32]),
    plain: fn(Tensor<3>) -> Tensor<3>,
) -> Tensor<3> {
    let (planes, biases) = (x.dims()[0], bias.dims()[0]);
    // One x for several biases becomes several.
    let x = if biases > planes {
        x.repeat_dim(0, biases)
    } else {
        x
    };
    let [mut x, bias] = match Host::of([x, bias]) {
        Ok(hosts) => hosts,
        Err([x, bias]) => return plain(x + bias),
    };
    let [_, rows, width] = x.dims();
    for_rows(x.values_mut(), width, |i, x| {
        let plane = if biases == 1 { 0 } else { i / rows };
        row(x, &bias.values()[plane * width..(plane + 1) * width]);
    });
    x.into_tensor()
}

widest! {
    fn add_row(x: &mut [f32], bias: &[f32]) {
        for (x, bias) in x.iter_mut().zip(bias) {
            *x += bias;
        }
    }
}

widest! {
    fn add_gelu_row(x: &mut [f32], bias: &[f32]) {
        for (x, bias) in x.iter_mut().zip(bias) {
            *x = math::gelu(*x + bias);
        }
    }
}

widest! {
    fn add_tanh_row(x: &mut [f32], bias: &[f32]) {
        for (x, bias) in x.iter_mut().zip(bias) {
            *x = math::tanh(*x + bias);
        }
    }
}

/// Gain and shift of a layer norm as each probe sees them, and its epsilon.
pub(crate) struct Norm {
    /// `[P or 1, 1, n]`
    pub(crate) gain: Tensor<3>,
    /// `[P or 1, 1, n]`
    pub(crate) shift: Tensor<3>,
    /// Added to the variance.
    pub(crate) epsilon: f32,
}

/// `layer_norm(x)`.
///
/// # Shapes
/// x `[P or 1, T, n]` -> `[P or 1, T, n]`
pub(crate) fn normalise(x: Tensor<3>, norm: Norm) -> Tensor<3> {
    // Gain and shift need not be trained both.
    let planes = norm.gain.dims()[0].max(norm.shift.dims()[0]);
    let x = if planes > x.dims()[0] {
        x.repeat_dim(0, planes)
    } else {
        x
    };
    let epsilon = norm.epsilon;
    let [mut x, gain, shift] = match Host::of([x, norm.gain, norm.shift]) {
        Ok(hosts) => hosts,
        Err([x, gain, shift]) => {
            return normalise_plain(
                x,
                Norm {
                    gain,
                    shift,
                    epsilon,
                },
            );
        }
    };
    let [_, rows, width] = x.dims();
    for_rows(x.values_mut(), width, |i, x| {
        let of = |host: &Host<3>| {
            let plane = if host.dims()[0] == 1 { 0 } else { i / rows };
            plane * width..(plane + 1) * width
        };
        normalise_row(
            x,
            &gain.values()[of(&gain)],
            &shift.values()[of(&shift)],
            epsilon,
        );
    });
    x.into_tensor()
}

/// `layer_norm(x + residual)`, as it closes both halves of an encoder layer.
///
/// # Shapes
/// x, residual `[P or 1, T, n]` -> `[P or 1, T, n]`
pub(crate) fn add_residual_normalise(x: Tensor<3>, residual: Tensor<3>, norm: Norm) -> Tensor<3> {
    let residuals = residual.dims()[0];
    let x = if residuals > x.dims()[0] {
        x.repeat_dim(0, residuals)
    } else {
        x
    };
    let [mut x, residual] = match Host::of([x, residual]) {
        Ok(hosts) => hosts,
        Err([x, residual]) => return normalise(x + residual, norm),
    };
    let [_, rows, width] = x.dims();
    let shared = residual.dims()[0] == 1;
    for_rows(x.values_mut(), width, |i, x| {
        let first = if shared { i % rows } else { i } * width;
        add_row(x, &residual.values()[first..first + width]);
    });
    normalise(x.into_tensor(), norm)
}

/// The same in burn's own operations.
fn normalise_plain(x: Tensor<3>, norm: Norm) -> Tensor<3> {
    let (variance, mean) = x.clone().var_mean_bias(2);
    (x - mean) / (variance + norm.epsilon).sqrt() * norm.gain + norm.shift
}

widest! {
    fn normalise_row(x: &mut [f32], gain: &[f32], shift: &[f32], epsilon: f32) {
        let count = x.len() as f32;
        let mean = sum_by(x, |x| x) / count;
        let variance = sum_by(x, |x| (x - mean) * (x - mean)) / count;
        let scale = 1.0 / (variance + epsilon).sqrt();
        for ((x, gain), shift) in x.iter_mut().zip(gain).zip(shift) {
            *x = (*x - mean) * scale * gain + shift;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{assert_close, random, values};

    #[test]
    fn equal_to_the_plain_paths() {
        for (planes, biases, rows, width) in [
            (1, 1, 1, 1),
            (2, 1, 3, 15),
            (2, 2, 5, 16),
            (1, 2, 4, 33),
            (3, 3, 2, 130),
        ] {
            let x = random([planes, rows, width], 1);
            let bias = random([biases, 1, width], 2);
            let plain = x.clone() + bias.clone();
            assert_close(add_bias(x.clone(), bias.clone()), plain.clone(), 1e-6);
            assert_close(
                add_bias_gelu(x.clone(), bias.clone()),
                activation::gelu(plain.clone()),
                2e-6,
            );
            assert_close(add_bias_tanh(x, bias), plain.tanh(), 2e-6);
        }
    }

    #[test]
    fn norm_equals_the_plain_path() {
        for (planes, gains, shifts, rows, width) in [
            (1, 1, 1, 1, 4),
            (2, 1, 1, 3, 16),
            (2, 2, 2, 5, 33),
            (1, 2, 2, 4, 128),
            (1, 1, 2, 3, 16),
            (2, 1, 2, 3, 16),
            (1, 3, 1, 3, 16),
        ] {
            let x = random([planes, rows, width], 3);
            let norm = |seed| Norm {
                gain: random([gains, 1, width], seed),
                shift: random([shifts, 1, width], seed + 1),
                epsilon: 1e-5,
            };
            assert_close(
                normalise(x.clone(), norm(4)),
                normalise_plain(x.clone(), norm(4)),
                1e-5,
            );
            let bias = random([gains, 1, width], 6);
            let residual = random([1, rows, width], 7);
            let plain = normalise_plain(x.clone() + bias.clone() + residual.clone(), norm(8));
            assert_close(
                add_residual_normalise(add_bias(x, bias), residual, norm(8)),
                plain,
                1e-5,
            );
        }
    }

    #[test]
    fn what_is_not_finite_stays_so() {
        let x = Tensor::<3>::from_data(
            [[[f32::NAN, 1.0, f32::INFINITY, -1.0]]],
            &burn::tensor::Device::flex(),
        );
        let bias = Tensor::<3>::zeros([1, 1, 4], &burn::tensor::Device::flex());
        let y = values(add_bias_gelu(x, bias));
        assert!(y[0].is_nan() && y[2] == f32::INFINITY && y[1].is_finite());
    }
}
