use proptest::prelude::*;

use super::*;
use crate::ops::simd::same_at_every_level;

/// Lengths at and around those of registers and pieces; all are one task, which stays on the test's own thread.
const LENGTHS: [usize; 16] = [
    0, 1, 15, 16, 17, 31, 33, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025,
];

/// Numbers of either sign that differ from element to element.
fn numbers(length: usize, seed: u64) -> Vec<f32> {
    use crate::noise::{Noise, Philox};
    let mut values = vec![0.0; length];
    Philox.fill(seed, 0, 0, &mut values);
    values
}

/// A gradient that is known as a whole.
fn given(gradient: &[f32]) -> impl Fn(usize, &mut [f32]) + Sync {
    |first, out| out.copy_from_slice(&gradient[first..first + out.len()])
}

fn close(ours: f32, exact: f64) -> bool {
    (f64::from(ours) - exact).abs() <= 1e-6 * (1.0 + exact.abs())
}

const MOMENTUM: Momentum = Momentum {
    momentum: 0.9,
    lr: 0.25,
    decay: 0.125,
};

const ADAM: Adam = Adam {
    beta1: 0.75,
    beta2: 0.875,
    new: [0.25, 0.125],
    epsilon: 1e-4,
    step: 0.5,
    decay: 0.0625,
};

#[test]
fn descent_against_f64() {
    for n in LENGTHS {
        let (before, step) = (numbers(n, 1), numbers(n, 2));
        let after = same_at_every_level(|| {
            let mut theta = before.clone();
            descend(&mut theta, &given(&step), 0.125);
            theta
        });
        for ((after, before), step) in after.iter().zip(&before).zip(&step) {
            let (before, step) = (f64::from(*before), f64::from(*step));
            assert!(close(*after, before - (step + 0.125 * before)));
        }
    }
}

#[test]
fn momentum_against_f64() {
    for n in LENGTHS {
        let before: [Vec<f32>; 3] = [1, 2, 3].map(|seed| numbers(n, seed));
        let [theta, sum, gradient] = &before;
        let after = same_at_every_level(|| {
            let (mut theta, mut sum) = (theta.clone(), sum.clone());
            MOMENTUM.descend(&mut theta, &mut sum, &given(gradient));
            [theta, sum].concat()
        });
        for i in 0..n {
            let [theta, sum, gradient] = [theta, sum, gradient].map(|it| f64::from(it[i]));
            let sum = f64::from(0.9f32) * sum + (gradient + 0.125 * theta);
            assert!(close(after[n + i], sum));
            assert!(close(after[i], theta - 0.25 * sum));
        }
    }
}

#[test]
fn adam_against_f64() {
    for n in LENGTHS {
        let [theta, first, mut second, gradient] = [1, 2, 3, 4].map(|seed| numbers(n, seed));
        for second in &mut second {
            *second *= *second;
        }
        let after = same_at_every_level(|| {
            let (mut theta, mut first, mut second) = (theta.clone(), first.clone(), second.clone());
            ADAM.descend(&mut theta, &mut first, &mut second, &given(&gradient));
            [theta, first, second].concat()
        });
        for i in 0..n {
            let [theta, first, second, g] =
                [&theta, &first, &second, &gradient].map(|it| f64::from(it[i]));
            let first = 0.75 * first + 0.25 * g;
            let second = 0.875 * second + 0.125 * g * g;
            let moved = theta - 0.5 * first / (second.sqrt() + f64::from(1e-4f32));
            assert!(close(after[n + i], first));
            assert!(close(after[2 * n + i], second));
            assert!(
                (f64::from(after[i]) - (moved - 0.0625 * moved)).abs() < 1e-5 * (1.0 + moved.abs())
            );
        }
    }
}

/// A part of a tensor that several threads share is updated as it is alone.
#[test]
fn tasks_meet_without_a_seam() {
    let n = 3 * TASK + 77;
    let (before, step) = (numbers(n, 1), numbers(n, 2));
    let mut theta = before.clone();
    descend(&mut theta, &given(&step), 0.5);
    for ((after, before), step) in theta.iter().zip(&before).zip(&step) {
        assert_eq!(*after, before - 0.5f32.mul_add(*before, *step));
    }
}

#[test]
fn what_is_not_finite_stays_so() {
    for bad in [f32::NAN, f32::INFINITY] {
        for at in [0, 15, 16, 20] {
            let mut step = vec![0.0; 21];
            step[at] = bad;
            let after = same_at_every_level(|| {
                let mut theta = vec![1.0; 21];
                descend(&mut theta, &given(&step), 0.0);
                theta
            });
            for (i, after) in after.iter().enumerate() {
                assert_eq!(after.is_finite(), i != at);
                assert!(i != at || after.is_nan() == bad.is_nan());
            }
        }
    }
}

proptest! {
    #[test]
    fn levels_agree_on_anything(
        all in prop::collection::vec([prop::num::f32::ANY; 4], 0..70),
        decay in prop::num::f32::ANY,
    ) {
        let of = |i: usize| -> Vec<f32> { all.iter().map(|four| four[i]).collect() };
        same_at_every_level(|| {
            let mut theta = of(0);
            descend(&mut theta, &given(&of(1)), decay);
            theta
        });
        same_at_every_level(|| {
            let (mut theta, mut sum) = (of(0), of(1));
            MOMENTUM.descend(&mut theta, &mut sum, &given(&of(2)));
            [theta, sum].concat()
        });
        same_at_every_level(|| {
            let (mut theta, mut first, mut second) = (of(0), of(1), of(2));
            ADAM.descend(&mut theta, &mut first, &mut second, &given(&of(3)));
            [theta, first, second].concat()
        });
    }
}
