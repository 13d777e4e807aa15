//! The update of a trained tensor, in place and over all threads.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::host::Host;
use super::simd::{Buffer, widest};
use super::trained::Descent;
use super::{PIECE, TASK};

/// Puts `change(elements)` to work on the tensor's own memory where it lives on the CPU and nobody else holds it; from
/// another device the elements come here and go back.
pub(crate) fn in_place(theta: Tensor<2>, change: impl FnOnce(&mut [f32])) -> Tensor<2> {
    let dims = theta.dims();
    match Host::of([theta]) {
        Ok([mut host]) => {
            change(host.values_mut());
            host.into_tensor()
        }
        Err([theta]) => {
            let device = theta.device();
            let mut values: Vec<f32> = theta.into_data().iter::<f32>().collect();
            change(&mut values);
            Tensor::from_data(TensorData::new(values, dims), &device)
        }
    }
}

/// Makes them all, each with its number; those of one sum share a launch.
pub(crate) fn descend_there(descents: Vec<Descent>) -> Vec<(usize, Tensor<2>)> {
    #[cfg(feature = "cube")]
    return super::gpu::descended(descents);
    #[cfg(not(feature = "cube"))]
    {
        let theta = |descent: Descent| (descent.parameter, descent.theta);
        descents.into_iter().map(theta).collect()
    }
}

/// What makes a piece of the gradient: the number of its first element, and where it goes.
type Fill<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// `theta <- theta - (step + decay * theta)`.
pub(crate) fn descend(theta: &mut [f32], step: Fill<'_>, decay: f32) {
    theta
        .par_chunks_mut(TASK)
        .enumerate()
        .for_each(|(task, theta)| {
            let mut room = Buffer::<PIECE>::new();
            for (piece, theta) in theta.chunks_mut(PIECE).enumerate() {
                let step = piece_of(step, task, piece, &mut room.0[..theta.len()]);
                descend_piece(theta, step, decay);
            }
        });
}

widest! {
    fn descend_piece(theta: &mut [f32], step: &[f32], decay: f32) {
        for (theta, step) in theta.iter_mut().zip(step) {
            *theta -= decay.mul_add(*theta, *step);
        }
    }
}

/// SGD's running sum of gradients and how it moves the weights.
pub(crate) struct Momentum {
    /// What is kept of the sum at each step.
    pub(crate) momentum: f32,
    /// Learning rate.
    pub(crate) lr: f32,
    /// Weight decay's rate, part of the gradient.
    pub(crate) decay: f32,
}

impl Momentum {
    /// As torch's SGD: `sum <- momentum * sum + gradient + decay * theta`, `theta <- theta - lr * sum`.
    ///
    /// A sum of zeros is a first step.
    pub(crate) fn descend(&self, theta: &mut [f32], sum: &mut [f32], gradient: Fill<'_>) {
        theta
            .par_chunks_mut(TASK)
            .zip(sum.par_chunks_mut(TASK))
            .enumerate()
            .for_each(|(task, (theta, sum))| {
                let mut room = Buffer::<PIECE>::new();
                let pieces = theta.chunks_mut(PIECE).zip(sum.chunks_mut(PIECE));
                for (piece, (theta, sum)) in pieces.enumerate() {
                    let gradient = piece_of(gradient, task, piece, &mut room.0[..theta.len()]);
                    momentum_piece(self, theta, sum, gradient);
                }
            });
    }
}

widest! {
    fn momentum_piece(rule: &Momentum, theta: &mut [f32], sum: &mut [f32], gradient: &[f32]) {
        for ((theta, sum), gradient) in theta.iter_mut().zip(sum).zip(gradient) {
            *sum = rule.momentum.mul_add(*sum, rule.decay.mul_add(*theta, *gradient));
            *theta = (-rule.lr).mul_add(*sum, *theta);
        }
    }
}

/// Adam's constants of one step.
pub(crate) struct Adam {
    /// What is kept of the first moment at each step.
    pub(crate) beta1: f32,
    /// What is kept of the second.
    pub(crate) beta2: f32,
    /// `1 - beta1` and `1 - beta2`, from f64.
    pub(crate) new: [f32; 2],
    /// Added to the root of the second moment.
    pub(crate) epsilon: f32,
    /// Learning rate with the correction of both moments for their start at zero.
    pub(crate) step: f32,
    /// Learning rate times weight decay's rate.
    pub(crate) decay: f32,
}

impl Adam {
    /// As AdamW in transformers 4.28 (`optimization.py`): moments, step, then the decay of what came out.
    pub(crate) fn descend(
        &self,
        theta: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
        gradient: Fill<'_>,
    ) {
        theta
            .par_chunks_mut(TASK)
            .zip(first.par_chunks_mut(TASK))
            .zip(second.par_chunks_mut(TASK))
            .enumerate()
            .for_each(|(task, ((theta, first), second))| {
                let mut room = Buffer::<PIECE>::new();
                let moments = first.chunks_mut(PIECE).zip(second.chunks_mut(PIECE));
                for (piece, (theta, (first, second))) in
                    theta.chunks_mut(PIECE).zip(moments).enumerate()
                {
                    let gradient = piece_of(gradient, task, piece, &mut room.0[..theta.len()]);
                    adam_piece(self, theta, first, second, gradient);
                }
            });
    }
}

widest! {
    fn adam_piece(
        rule: &Adam,
        theta: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
        gradient: &[f32],
    ) {
        let moments = first.iter_mut().zip(second);
        for ((theta, (first, second)), &g) in theta.iter_mut().zip(moments).zip(gradient) {
            *first = rule.beta1.mul_add(*first, rule.new[0] * g);
            *second = rule.beta2.mul_add(*second, rule.new[1] * (g * g));
            let moved = (-rule.step).mul_add(*first / (second.sqrt() + rule.epsilon), *theta);
            *theta = (-rule.decay).mul_add(moved, moved);
        }
    }
}

/// Fills `out` with the gradient of a task's piece.
fn piece_of<'a>(fill: Fill<'_>, task: usize, piece: usize, out: &'a mut [f32]) -> &'a [f32] {
    fill(task * TASK + piece * PIECE, out);
    out
}

#[cfg(test)]
mod tests;
