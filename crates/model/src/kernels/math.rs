//! Elementary functions without branches, so that loops over them vectorise.
//!
//! The polynomials are those of the Cephes library (S. L. Moshier: `expf`, `logf`, `sinf`, `cosf`) and of Eigen's
//! rational `erf` and `tanh`; the tests hold each against f64.

/// `2^n` for `-126 <= n <= 127`, from the bits of the exponent.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) as u32) << 23)
}

/// `e^x` for `x <= 0`, as a softmax needs it; below -87 it stays at `e^-87`. Relative error below 2e-7; NaN stays NaN.
#[inline(always)]
pub(crate) fn exp_nonpositive(x: f32) -> f32 {
    // `max` would swallow a NaN, a comparison does not.
    let x = if x < -87.0 { -87.0 } else { x };
    // Adding and taking away 1.5 * 2^23 rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    let n = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let y = p * (r * r) + r + 1.0;
    y * power_of_two(n as i32)
}

/// Natural logarithm of a positive, finite, normal `x`. Relative error below 2e-7.
#[inline(always)]
pub(crate) fn ln_positive(x: f32) -> f32 {
    let bits = x.to_bits();
    // Mantissa in [sqrt(1/2), sqrt(2)), exponent to match.
    let shifted = bits.wrapping_add(0x3f80_0000 - 0x3f35_04f3);
    let exponent = (shifted >> 23) as i32 - 127;
    let m = f32::from_bits((shifted & 0x007f_ffff) + 0x3f35_04f3) - 1.0;
    let e = exponent as f32;
    let z = m * m;
    let mut p = 7.037_683_6e-2;
    p = p * m - 1.151_461e-1;
    p = p * m + 1.167_699_9e-1;
    p = p * m - 1.242_014_1e-1;
    p = p * m + 1.424_932_3e-1;
    p = p * m - 1.666_805_7e-1;
    p = p * m + 2.000_071_5e-1;
    p = p * m - 2.499_999_4e-1;
    p = p * m + 3.333_333e-1;
    let mut y = p * m * z;
    y += e * -2.121_944_4e-4;
    y -= 0.5 * z;
    (m + y) + e * 0.693_359_4
}

/// `(sin, cos)` of `2 pi u` for `0 <= u < 1`. Absolute error below 2e-7.
#[inline(always)]
pub(crate) fn sin_cos_turns(u: f32) -> (f32, f32) {
    let quarters = u * 4.0;
    let nearest = (quarters + 0.5) as i32;
    let r = (quarters - nearest as f32) * std::f32::consts::FRAC_PI_2;
    let z = r * r;
    let sin = ((-1.951_529_6e-4 * z + 8.332_161e-3) * z - 1.666_666_5e-1) * z * r + r;
    let cos = ((2.443_315_7e-5 * z - 1.388_731_6e-3) * z + 4.166_664_6e-2) * z * z - 0.5 * z + 1.0;
    // Each quarter turn swaps the two and changes one sign.
    let (a, b) = if nearest & 1 == 0 {
        (sin, cos)
    } else {
        (cos, sin)
    };
    let sin = if nearest & 2 == 0 { a } else { -a };
    let cos = if (nearest + 1) & 2 == 0 { b } else { -b };
    (sin, cos)
}

/// The error function. Absolute error below 5e-7; NaN stays NaN, infinities give plus or minus one.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    // Beyond 4 the function is one to the last bit of f32; comparisons keep a NaN.
    let x = if x > 4.0 { 4.0 } else { x };
    let x = if x < -4.0 { -4.0 } else { x };
    let z = x * x;
    let mut p = -2.726_142_3e-10;
    p = p * z + 2.770_681_4e-8;
    p = p * z - 2.101_024e-6;
    p = p * z - 5.692_506_4e-5;
    p = p * z - 7.349_906e-4;
    p = p * z - 2.954_6e-3;
    p = p * z - 1.609_603_3e-2;
    let mut q = -1.456_607_2e-5;
    q = q * z - 2.133_740_6e-4;
    q = q * z - 1.682_827e-3;
    q = q * z - 7.373_329_3e-3;
    q = q * z - 1.426_473_9e-2;
    x * p / q
}

/// The hyperbolic tangent. Absolute error below 5e-7; NaN stays NaN, infinities give plus or minus one.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    // Beyond 7.9 the function is one to the last bits of f32; comparisons keep a NaN.
    const END: f32 = 7.905_311;
    let x = if x > END { END } else { x };
    let x = if x < -END { -END } else { x };
    let z = x * x;
    let mut p = -2.760_768_5e-16;
    p = p * z + 2.000_188e-13;
    p = p * z - 8.604_672e-11;
    p = p * z + 5.122_297e-8;
    p = p * z + 1.485_722_4e-5;
    p = p * z + 6.372_619e-4;
    p = p * z + 4.893_524_6e-3;
    let mut q = 1.198_258_4e-6;
    q = q * z + 1.185_347_1e-4;
    q = q * z + 2.268_434_6e-3;
    q = q * z + 4.893_525e-3;
    x * p / q
}

/// The exact (erf) GELU.
#[inline(always)]
pub(crate) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of `[low, high]`, ends included.
    fn grid(low: f64, high: f64) -> impl Iterator<Item = f32> {
        const POINTS: usize = 400_001;
        (0..POINTS).map(move |i| (low + (high - low) * i as f64 / (POINTS - 1) as f64) as f32)
    }

    /// erf by its Taylor series for small arguments and by a continued fraction for large ones, in f64.
    fn erf_f64(x: f64) -> f64 {
        if x.abs() < 3.0 {
            let (mut term, mut sum, mut n) = (x, x, 0.0);
            while term.abs() > 1e-18 {
                n += 1.0;
                term *= -x * x / n;
                sum += term / (2.0 * n + 1.0);
            }
            sum * 2.0 / std::f64::consts::PI.sqrt()
        } else {
            let mut fraction = 0.0;
            for k in (1..60).rev() {
                fraction = f64::from(k) / 2.0 / (x.abs() + fraction);
            }
            let tail = (-x * x).exp() / (x.abs() + fraction) / std::f64::consts::PI.sqrt();
            x.signum() * (1.0 - tail)
        }
    }

    #[test]
    fn exp_is_close() {
        for x in grid(-86.9, 0.0) {
            let want = f64::from(x).exp();
            assert!(
                ((f64::from(exp_nonpositive(x)) - want) / want).abs() < 2e-7,
                "{x}"
            );
        }
        assert!(exp_nonpositive(f32::NAN).is_nan());
        assert_eq!(exp_nonpositive(f32::NEG_INFINITY), exp_nonpositive(-87.0));
        assert_eq!(exp_nonpositive(0.0), 1.0);
    }

    #[test]
    fn ln_is_close() {
        for x in grid(1e-7, 1.0).chain(grid(1.0, 1e6)) {
            let want = f64::from(x).ln();
            assert!(
                (f64::from(ln_positive(x)) - want).abs() <= 2e-7 * want.abs().max(0.3),
                "{x}"
            );
        }
    }

    #[test]
    fn sin_and_cos_are_close() {
        for u in grid(0.0, 0.999_999_9) {
            let angle = f64::from(u) * std::f64::consts::TAU;
            let (sin, cos) = sin_cos_turns(u);
            assert!((f64::from(sin) - angle.sin()).abs() < 2e-7, "{u}");
            assert!((f64::from(cos) - angle.cos()).abs() < 2e-7, "{u}");
        }
    }

    #[test]
    fn erf_is_close() {
        for x in grid(-6.0, 6.0) {
            assert!(
                (f64::from(erf(x)) - erf_f64(f64::from(x))).abs() < 5e-7,
                "{x}"
            );
        }
        assert!(erf(f32::NAN).is_nan());
        assert!((erf(f32::INFINITY) - 1.0).abs() < 5e-7);
        assert!(gelu(f32::NAN).is_nan());
        assert_eq!(gelu(f32::INFINITY), f32::INFINITY);
    }

    #[test]
    fn tanh_is_close() {
        for x in grid(-10.0, 10.0) {
            assert!(
                (f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 5e-7,
                "{x}"
            );
        }
        assert!(tanh(f32::NAN).is_nan());
        assert!((tanh(f32::INFINITY) - 1.0).abs() < 5e-7);
        assert_eq!(tanh(0.0), 0.0);
    }
}
