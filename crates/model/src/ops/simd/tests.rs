use std::cell::RefCell;

use proptest::prelude::*;

use super::*;

widest! {
    fn sum_of_squares(x: &[f32]) -> f32 {
        sum_by(x, |x| x * x)
    }
}

widest! {
    fn fused(x: &[f32], y: &mut [f32]) {
        for (x, y) in x.iter().zip(y) {
            *y = x.mul_add(*x, *y) / (x.abs() + 0.1) - y.sqrt();
        }
    }
}

#[test]
fn every_level_runs_up_to_the_processors_own() {
    let seen = RefCell::new(vec![]);
    same_at_every_level(|| {
        seen.borrow_mut().push(level());
        vec![]
    });
    let own = level();
    let expected = [Level::Baseline, Level::Avx2, Level::Avx512].map(|level| level.min(own));
    assert_eq!(seen.into_inner(), expected);
}

/// Pairs of numbers, not all finite, as many as leave every remainder of a register's width.
fn any_pairs() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    prop::collection::vec((prop::num::f32::ANY, prop::num::f32::ANY), 0..70)
        .prop_map(|pairs| pairs.into_iter().unzip())
}

proptest! {
    #[test]
    fn levels_agree_on_anything((a, b) in any_pairs()) {
        same_at_every_level(|| vec![sum_of_squares(&a)]);
        same_at_every_level(|| {
            let mut b = b.clone();
            fused(&a, &mut b);
            b
        });
    }

    #[test]
    fn sums_against_f64(x in prop::collection::vec(-4.0f32..4.0, 0..1100)) {
        let sum = same_at_every_level(|| vec![sum_of_squares(&x)])[0];
        let squares: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        prop_assert!((f64::from(sum) - squares).abs() <= 1e-6 * squares);
    }
}

#[test]
fn lengths_at_the_ends_of_registers() {
    for n in [0usize, 1, 15, 16, 17, 31, 33, 63, 64, 65, 1023, 1024, 1025] {
        // Small integers: every order of summing gives the same.
        let x: Vec<f32> = (0..n).map(|i| (i % 7) as f32 - 3.0).collect();
        let squares: f32 = x.iter().map(|x| x * x).sum();
        let got = same_at_every_level(|| vec![sum_of_squares(&x)]);
        assert_eq!(got, [squares], "{n}");
    }
}

#[test]
fn what_is_not_finite_stays_so() {
    for bad in [f32::NAN, f32::INFINITY] {
        for at in [0, 15, 16, 20] {
            let mut x = [1.0f32; 21];
            x[at] = bad;
            let sums = same_at_every_level(|| vec![sum_of_squares(&x)]);
            assert!(
                sums.iter()
                    .all(|sum| sum.is_nan() == bad.is_nan() && !sum.is_finite())
            );
        }
    }
}
