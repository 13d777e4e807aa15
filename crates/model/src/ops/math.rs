//! Elementary functions without branches, so that loops over them vectorise.
//!
//! The polynomials are minimax fits of our own; `tanh` is the rational function of the Eigen library. The tests hold each
//! against f64; those over every f32 that are too long for every day are ignored by default.

/// Adding and taking away 1.5 * 2^23 rounds to the nearest integer, whose low bits stand at the end of the sum.
const ROUND: f32 = 12_582_912.0;

/// `e^(x + rest)` for `-87 <= x <= 0` and a `rest` below the last place of `x`.
#[inline(always)]
fn exp_in_range(x: f32, rest: f32) -> f32 {
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    // ln 2 in two parts; the first has so few bits that its product with n is exact.
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_4, x)) + rest;
    let mut p = 1.394_187_3e-3f32;
    p = p.mul_add(r, 8.368_685e-3);
    p = p.mul_add(r, 4.166_639e-2);
    p = p.mul_add(r, 1.666_652_1e-1);
    p = p.mul_add(r, 0.5);
    p = p.mul_add(r, 1.0);
    p = p.mul_add(r, 1.0);
    p * f32::from_bits((rounded.to_bits() << 23).wrapping_add(0x3f80_0000))
}

/// `e^x` for `x <= 0`, as a softmax needs it, within 1 ulp; below -87 it stays at `e^-87`. NaN stays NaN.
#[inline(always)]
pub(crate) fn exp_nonpositive(x: f32) -> f32 {
    // `max` would swallow a NaN, a comparison does not.
    exp_in_range(if x < -87.0 { -87.0 } else { x }, 0.0)
}

/// `-2 ln(u)` of `u = (k + 1/2) / 2^23`, where `k` is the word's upper 23 bits: the square of a Box-Muller radius,
/// within 2 ulp.
#[inline(always)]
pub(crate) fn radius_squared(word: u32) -> f32 {
    // 1 + k / 2^23 lies in [1, 2) and has k for its mantissa; what is left of the 1 is the half.
    let u = f32::from_bits((word >> 9) | 0x3f80_0000) - (1.0 - 0.5 / 8_388_608.0);
    // u = (1 + m) 2^e with 1 + m in [sqrt(1/2), sqrt(2)).
    let shifted = u.to_bits().wrapping_sub(0x3f35_04f3) as i32;
    let e = (shifted >> 23) as f32;
    let m = f32::from_bits(u.to_bits().wrapping_sub(shifted as u32 & 0xff80_0000)) - 1.0;
    let mut p = -1.747_766_4e-1f32;
    p = p.mul_add(m, 2.861_548_4e-1);
    p = p.mul_add(m, -2.983_270_6e-1);
    p = p.mul_add(m, 3.314_062_4e-1);
    p = p.mul_add(m, -3.992_448e-1);
    p = p.mul_add(m, 5.000_355e-1);
    p = p.mul_add(m, -6.666_789e-1);
    p = p.mul_add(m, 9.999_998e-1);
    p = p.mul_add(m, -2.0);
    e.mul_add(-2.0 * std::f32::consts::LN_2, p * m)
}

/// `(sin, cos)` of `2 pi v` with `v = (k + 1/2) / 2^23`, where `k` is the word's upper 23 bits. Absolute error below
/// 1e-7.
#[inline(always)]
pub(crate) fn sin_cos_turns(word: u32) -> (f32, f32) {
    // v in units of 2^-32: the upper two bits count quarter turns, the rest is the way to the nearest one.
    let v = (word & !0x1ff) | 0x100;
    let nearest = v.wrapping_add(1 << 29);
    let r = (v << 2) as i32 as f32 * (1.0 / 4_294_967_296.0);
    let z = r * r;
    let mut s = -4.602_177e-3f32;
    s = s.mul_add(z, 7.968_023e-2);
    s = s.mul_add(z, -6.459_635e-1);
    s = s.mul_add(z, 1.570_796_4);
    let s = s * r;
    let mut c = -2.042_625_1e-2f32;
    c = c.mul_add(z, 2.536_063_5e-1);
    c = c.mul_add(z, -1.233_698);
    let c = c.mul_add(z, 1.0);
    // Each quarter turn swaps the two and changes one sign.
    const SIGN: u32 = 1 << 31;
    let (sin, cos) = if nearest & (1 << 30) == 0 {
        (s, c)
    } else {
        (c, s)
    };
    let sin = f32::from_bits(sin.to_bits() ^ (nearest & SIGN));
    let cos = f32::from_bits(cos.to_bits() ^ (nearest.wrapping_add(1 << 30) & SIGN));
    (sin, cos)
}

/// The exact (erf) GELU `x Phi(x)`, within 6 ulp wherever the result is a normal number; NaN stays NaN.
///
/// `1 + erf(x / sqrt 2)` would cancel for negative `x`, so it goes through the tail of the normal distribution:
/// `gelu(x) = max(x, 0) - a Q(a)` with `a = |x|` and `Q(a) = erfc(a / sqrt 2) / 2 = e^(-a^2 / 2) r p((a - 1) r)`,
/// where `r = 1 / (a + 3.75)` and `p` is a polynomial.
#[inline(always)]
pub(crate) fn gelu(x: f32) -> f32 {
    // Beyond it the tail is no normal number. Comparisons keep a NaN.
    const END: f32 = 13.19;
    let a = x.abs();
    let a = if a > END { END } else { a };
    let r = 1.0 / (a + 3.75);
    let t = (a - 1.0) * r;
    let mut p = 1.789_271e-2f32;
    p = p.mul_add(t, -3.909_98e-2);
    p = p.mul_add(t, -3.151_205_6e-2);
    p = p.mul_add(t, 1.418_908_5e-1);
    p = p.mul_add(t, 8.122_761e-2);
    p = p.mul_add(t, -8.571_713e-1);
    p = p.mul_add(t, 1.700_093_6);
    p = p.mul_add(t, -1.856_778);
    p = p.mul_add(t, 1.242_496_8);
    // -a^2 / 2 and what its rounding took away.
    let half = -0.5 * a;
    let square = half * a;
    let lost = half.mul_add(a, -square);
    let tail = a * r * p * exp_in_range(square, lost);
    let tail = if a == END { 0.0 } else { tail };
    let positive = if x < 0.0 { 0.0 } else { x };
    positive - tail
}

/// The hyperbolic tangent, within 5 ulp; NaN stays NaN.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    // Beyond 7.9 the function is one to the last bits of f32; comparisons keep a NaN.
    const END: f32 = 7.905_311;
    let x = if x > END { END } else { x };
    let x = if x < -END { -END } else { x };
    let z = x * x;
    let mut p = -2.760_768_5e-16f32;
    p = p.mul_add(z, 2.000_188e-13);
    p = p.mul_add(z, -8.604_672e-11);
    p = p.mul_add(z, 5.122_297e-8);
    p = p.mul_add(z, 1.485_722_4e-5);
    p = p.mul_add(z, 6.372_619e-4);
    p = p.mul_add(z, 4.893_524_6e-3);
    let mut q = 1.198_258_4e-6f32;
    q = q.mul_add(z, 1.185_347_1e-4);
    q = q.mul_add(z, 2.268_434_6e-3);
    q = q.mul_add(z, 4.893_525e-3);
    x * (p / q)
}

#[cfg(test)]
mod tests;
