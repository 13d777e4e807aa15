//! The update of a trained tensor, in place and over all threads.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::host::Host;

/// Elements a thread updates at a time; their gradient stays in its cache.
const CHUNK: usize = 1024;

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

/// What makes a piece of the gradient: the number of its first element, and where it goes.
type Fill<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// `theta <- theta - (step + decay * theta)`.
pub(crate) fn descend(theta: &mut [f32], step: Fill<'_>, decay: f32) {
    theta
        .par_chunks_mut(CHUNK)
        .enumerate()
        .for_each(|(chunk, theta)| {
            with_gradient(chunk, theta.len(), step, |step| {
                for (theta, step) in theta.iter_mut().zip(step) {
                    *theta -= *step + decay * *theta;
                }
            });
        });
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
            .par_chunks_mut(CHUNK)
            .zip(sum.par_chunks_mut(CHUNK))
            .enumerate()
            .for_each(|(chunk, (theta, sum))| {
                with_gradient(chunk, theta.len(), gradient, |gradient| {
                    for ((theta, sum), gradient) in theta.iter_mut().zip(sum).zip(gradient) {
                        *sum = self.momentum * *sum + (*gradient + self.decay * *theta);
                        *theta -= self.lr * *sum;
                    }
                });
            });
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
            .par_chunks_mut(CHUNK)
            .zip(first.par_chunks_mut(CHUNK))
            .zip(second.par_chunks_mut(CHUNK))
            .enumerate()
            .for_each(|(chunk, ((theta, first), second))| {
                with_gradient(chunk, theta.len(), gradient, |gradient| {
                    let moments = first.iter_mut().zip(second);
                    for ((theta, (first, second)), &g) in
                        theta.iter_mut().zip(moments).zip(gradient)
                    {
                        *first = self.beta1 * *first + self.new[0] * g;
                        *second = self.beta2 * *second + self.new[1] * (g * g);
                        *theta -= self.step * (*first / (second.sqrt() + self.epsilon));
                        *theta -= self.decay * *theta;
                    }
                });
            });
    }
}

/// Makes the gradient of a chunk and hands it on.
fn with_gradient(chunk: usize, length: usize, fill: Fill<'_>, then: impl FnOnce(&[f32])) {
    let mut gradient = [0.0f32; CHUNK];
    let gradient = &mut gradient[..length];
    fill(chunk * CHUNK, gradient);
    then(gradient);
}
