use proptest::prelude::{prop, proptest};
use rayon::prelude::*;

use super::*;
use crate::ops::simd::{same_at_every_level, widest};

widest! {
    /// Every function of each number.
    fn all_of(x: &[f32], out: &mut [[f32; 6]]) {
        for (x, out) in x.iter().zip(out) {
            let (sin, cos) = sin_cos_turns(x.to_bits());
            *out = [exp_nonpositive(*x), gelu(*x), tanh(*x), radius_squared(x.to_bits()), sin, cos];
        }
    }
}

proptest! {
    #[test]
    fn levels_agree_on_anything(x in prop::collection::vec(prop::num::f32::ANY, 0..70)) {
        same_at_every_level(|| {
            let mut out = vec![[0.0; 6]; x.len()];
            all_of(&x, &mut out);
            out.concat()
        });
    }

    #[test]
    fn levels_agree_where_the_functions_bend(x in prop::collection::vec(-20.0f32..20.0, 0..70)) {
        same_at_every_level(|| {
            let mut out = vec![[0.0; 6]; x.len()];
            all_of(&x, &mut out);
            out.concat()
        });
    }
}

/// The distance in units of the last place that `want` has as an f32; subnormal numbers are measured as the smallest
/// normal one.
fn ulps(ours: f32, want: f64) -> f64 {
    let size = want.abs().max(f64::from(f32::MIN_POSITIVE));
    // The exponent's bits of an f64 name its power of two.
    let power = f64::from_bits(size.to_bits() & (0x7ff << 52));
    (f64::from(ours) - want).abs() / power * f64::from(1 << 23)
}

/// The largest distance over every `stride`-th float from `start` away from zero to `end`, and where it is.
fn worst(
    start: f32,
    end: f32,
    stride: usize,
    ours: impl Fn(f32) -> f32 + Sync,
    exact: impl Fn(f64) -> f64 + Sync,
) -> (f64, f32) {
    let larger = |a: (f64, f32), b: (f64, f32)| if a.0 >= b.0 { a } else { b };
    let (start, end) = (start.to_bits() as usize, end.to_bits() as usize);
    (0..=(end - start) / stride)
        .into_par_iter()
        .map(|i| {
            let x = f32::from_bits((start + i * stride) as u32);
            (ulps(ours(x), exact(f64::from(x))), x)
        })
        .reduce(|| (0.0, 0.0), larger)
}

/// `erfc(x)` for `x >= 0` in f64: by erf's Taylor series near zero, by a continued fraction beyond.
fn erfc_f64(x: f64) -> f64 {
    let root_pi = std::f64::consts::PI.sqrt();
    if x < 2.0 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term.abs() > 1e-18 {
            n += 1.0;
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        1.0 - sum * 2.0 / root_pi
    } else {
        let mut fraction = 0.0;
        for k in (1..80).rev() {
            fraction = f64::from(k) / 2.0 / (x + fraction);
        }
        (-x * x).exp() / (x + fraction) / root_pi
    }
}

fn gelu_f64(x: f64) -> f64 {
    if x > 9.0 {
        return x; // The tail is below the last place of an f64.
    }
    let tail = 0.5 * erfc_f64(x.abs() / std::f64::consts::SQRT_2);
    x * if x < 0.0 { tail } else { 1.0 - tail }
}

fn check_exp(stride: usize) {
    let (worst, x) = worst(-0.0, -87.0, stride, exp_nonpositive, f64::exp);
    assert!(worst <= 1.0, "{worst} ulp at {x:e}");
}

fn check_gelu(stride: usize) {
    // The result leaves the normal numbers before -13.18.
    for (start, end) in [(0.0, f32::MAX), (-0.0, -13.18)] {
        let (worst, x) = worst(start, end, stride, gelu, gelu_f64);
        assert!(worst <= 6.0, "{worst} ulp at {x:e}");
    }
}

fn check_tanh(stride: usize) {
    for (start, end) in [(0.0, f32::MAX), (-0.0, f32::MIN)] {
        let (worst, x) = worst(start, end, stride, tanh, f64::tanh);
        assert!(worst <= 5.0, "{worst} ulp at {x:e}");
    }
}

/// A prime, so that every exponent is met with ever different mantissas.
const SOME: usize = 997;

#[test]
fn exp_is_close() {
    check_exp(SOME);
    assert_eq!(exp_nonpositive(f32::NEG_INFINITY), exp_nonpositive(-87.0));
    assert_eq!(exp_nonpositive(0.0), 1.0);
}

#[test]
fn gelu_is_close() {
    check_gelu(SOME);
    assert_eq!(gelu(f32::INFINITY), f32::INFINITY);
    for x in [-13.2, -20.0, f32::MIN, f32::NEG_INFINITY] {
        assert_eq!(gelu(x), 0.0);
    }
    assert_eq!(gelu(0.0), 0.0);
}

#[test]
fn tanh_is_close() {
    check_tanh(SOME);
    assert!((tanh(f32::INFINITY) - 1.0).abs() < 5e-7);
    assert!((tanh(f32::NEG_INFINITY) + 1.0).abs() < 5e-7);
    assert_eq!(tanh(0.0), 0.0);
}

/// Whatever a NaN's sign and payload.
#[test]
fn nan_stays_nan() {
    for bits in [0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0xff80_0001, u32::MAX] {
        let nan = f32::from_bits(bits);
        assert!(exp_nonpositive(nan).is_nan());
        assert!(gelu(nan).is_nan());
        assert!(tanh(nan).is_nan());
    }
}

#[test]
#[ignore = "every float: minutes"]
fn exp_over_every_float() {
    check_exp(1);
}

#[test]
#[ignore = "every float: minutes"]
fn gelu_over_every_float() {
    check_gelu(1);
}

#[test]
#[ignore = "every float: minutes"]
fn tanh_over_every_float() {
    check_tanh(1);
}

/// All 2^23 uniforms that there are.
#[test]
fn radius_is_close() {
    for k in 0..1u32 << 23 {
        let u = (f64::from(k) + 0.5) / f64::from(1 << 23);
        let off = ulps(radius_squared(k << 9), -2.0 * u.ln());
        assert!(off <= 2.0, "{off} ulp at {k}");
    }
}

#[test]
fn sin_and_cos_are_close() {
    for k in 0..1u32 << 23 {
        let angle = (f64::from(k) + 0.5) / f64::from(1 << 23) * std::f64::consts::TAU;
        // The lower bits are another number's.
        let (sin, cos) = sin_cos_turns((k << 9) | (k & 0x1ff));
        assert!((f64::from(sin) - angle.sin()).abs() < 1e-7, "{k}");
        assert!((f64::from(cos) - angle.cos()).abs() < 1e-7, "{k}");
    }
}
