//! L-BFGS (Nocedal and Wright, algorithms 7.4 and 7.5) for a convex function.
//!
//! Written here and not taken from a library: `argmin`'s, the best kept, asks for value and gradient apart (three passes
//! over the data for each step where one does), stops by the norm of its own variables' gradient and not by the largest
//! entry of the weights', and returns nothing when its line search fails at the limit of rounding.

use std::collections::VecDeque;

/// How many steps are remembered; scipy's number.
const MEMORY: usize = 10;
/// How much of the decrease that the slope promises a step must bring.
const SUFFICIENT: f64 = 1e-4;
/// How often a step is halved before rounding is to blame.
const HALVINGS: usize = 40;

/// A step and the change of the gradient along it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// The product of the two, which a convex function makes positive.
    product: f64,
}

/// Walks `point` downhill until `evaluate` says that it is good enough, which is what is returned, or no step helps, or
/// `max_iterations` are done.
///
/// `evaluate` writes the gradient and returns the value and whether the point is good enough.
pub(super) fn minimise(
    point: &mut Vec<f64>,
    max_iterations: usize,
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> (f64, bool),
) -> bool {
    let mut gradient = vec![0.0; point.len()];
    let (mut value, mut done) = evaluate(point, &mut gradient);
    let mut memory: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    for _ in 0..max_iterations {
        if done {
            break;
        }
        let direction = direction(&gradient, &memory);
        let slope = dot(&direction, &gradient);
        let rounding = 4.0 * f64::EPSILON * value.abs();
        let mut next_gradient = vec![0.0; point.len()];
        let mut length = 1.0;
        let taken = (0..HALVINGS).find_map(|_| {
            let step: Vec<f64> = direction.iter().map(|own| length * own).collect();
            let next: Vec<f64> = point
                .iter()
                .zip(&step)
                .map(|(own, step)| own + step)
                .collect();
            let (next_value, good) = evaluate(&next, &mut next_gradient);
            let enough = value + SUFFICIENT * length * slope + rounding;
            length *= 0.5;
            (next_value <= enough).then_some((step, next, next_value, good))
        });
        let Some((step, next, next_value, good)) = taken else {
            if memory.is_empty() {
                return false;
            }
            // What was remembered led astray: once more, straight down.
            memory.clear();
            continue;
        };
        let change: Vec<f64> = next_gradient
            .iter()
            .zip(&gradient)
            .map(|(new, old)| new - old)
            .collect();
        let product = dot(&step, &change);
        if product > f64::EPSILON * dot(&change, &change) {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back(Pair {
                step,
                change,
                product,
            });
        }
        (*point, gradient, value, done) = (next, next_gradient, next_value, good);
    }
    done
}

/// Downhill, bent by what the last steps told of the curvature.
fn direction(gradient: &[f64], memory: &VecDeque<Pair>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|own| -own).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let share = dot(&pair.step, &direction) / pair.product;
        add(&mut direction, -share, &pair.change);
        shares.push(share);
    }
    if let Some(last) = memory.back() {
        let scale = last.product / dot(&last.change, &last.change);
        for own in &mut direction {
            *own *= scale;
        }
    }
    for (pair, share) in memory.iter().zip(shares.iter().rev()) {
        let back = dot(&pair.change, &direction) / pair.product;
        add(&mut direction, share - back, &pair.step);
    }
    direction
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += factor * what;
    }
}
