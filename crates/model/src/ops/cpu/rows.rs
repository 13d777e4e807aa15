//! What is done to each row alone, many rows a call: asking the processor what it can is then not felt.

use crate::ops::simd::{sum_by, widest};
use crate::ops::{Activation, math};

/// `activation(x + bias)`
pub(crate) fn add_activation(x: &mut [f32], bias: &[f32], activation: Activation) {
    match activation {
        Activation::Gelu => add_gelu(x, bias),
        _ => {
            add_bias(x, bias);
            activate(x, activation);
        }
    }
}

/// `activation(x)`
pub(crate) fn activate(x: &mut [f32], activation: Activation) {
    match activation {
        Activation::None => {}
        Activation::Gelu => gelu(x),
        Activation::Tanh => tanh(x),
        Activation::Relu => relu(x),
    }
}

widest! {
    fn add_bias(x: &mut [f32], bias: &[f32]) {
        for row in x.chunks_exact_mut(bias.len()) {
            for (x, bias) in row.iter_mut().zip(bias) {
                *x += bias;
            }
        }
    }
}

widest! {
    /// `gelu(x + bias)`, the exact GELU.
    fn add_gelu(x: &mut [f32], bias: &[f32]) {
        for row in x.chunks_exact_mut(bias.len()) {
            for (x, bias) in row.iter_mut().zip(bias) {
                *x = math::gelu(*x + bias);
            }
        }
    }
}

widest! {
    /// `gelu(x)`
    fn gelu(x: &mut [f32]) {
        for x in x {
            *x = math::gelu(*x);
        }
    }
}

widest! {
    /// `tanh(x)`
    fn tanh(x: &mut [f32]) {
        for x in x {
            *x = math::tanh(*x);
        }
    }
}

widest! {
    /// `max(x, 0)`; NaN stays NaN.
    fn relu(x: &mut [f32]) {
        for x in x {
            *x = if *x < 0.0 { 0.0 } else { *x };
        }
    }
}

widest! {
    /// `x + bias + residual`
    pub(crate) fn add_residual(x: &mut [f32], bias: &[f32], residual: &[f32]) {
        let width = bias.len();
        for (x, residual) in x.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
            for ((x, bias), residual) in x.iter_mut().zip(bias).zip(residual) {
                *x = *x + bias + residual;
            }
        }
    }
}

widest! {
    /// `layer_norm(x + bias + residual)`
    pub(crate) fn add_normalise(
        x: &mut [f32],
        bias: &[f32],
        residual: &[f32],
        gain: &[f32],
        shift: &[f32],
        epsilon: f32,
    ) {
        let width = bias.len();
        for (x, residual) in x.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
            for ((x, bias), residual) in x.iter_mut().zip(bias).zip(residual) {
                *x = *x + bias + residual;
            }
            normalised(x, gain, shift, epsilon);
        }
    }
}

widest! {
    /// `layer_norm(x)`
    pub(crate) fn normalise(x: &mut [f32], gain: &[f32], shift: &[f32], epsilon: f32) {
        for x in x.chunks_exact_mut(gain.len()) {
            normalised(x, gain, shift, epsilon);
        }
    }
}

#[inline(always)]
fn normalised(x: &mut [f32], gain: &[f32], shift: &[f32], epsilon: f32) {
    let count = x.len() as f32;
    let mean = sum_by(x, |x| x) / count;
    let variance = sum_by(x, |x| (x - mean) * (x - mean)) / count;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for ((x, gain), shift) in x.iter_mut().zip(gain).zip(shift) {
        *x = ((*x - mean) * scale).mul_add(*gain, *shift);
    }
}
