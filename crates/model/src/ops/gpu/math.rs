//! [`crate::ops::math`] on the device.
//!
//! The same polynomials, not the device's own functions: those of Vulkan are coarse, and a seed is to mean the same noise
//! wherever it is drawn.

use cubecl::prelude::*;

/// `e^(x + rest)` for `-87 <= x <= 0` and a `rest` below the last place of `x`.
#[cube]
fn exp_in_range(x: f32, rest: f32) -> f32 {
    // Not by adding a large number and taking it away, as the CPU does: Mesa's compiler does away with both.
    let n = fma(x, std::f32::consts::LOG2_E, 0.5f32).floor();
    let r = fma(n, 2.121_944_4e-4f32, fma(n, -0.693_359_4f32, x)) + rest;
    let mut p = fma(1.394_187_3e-3f32, r, 8.368_685e-3f32);
    p = fma(p, r, 4.166_639e-2f32);
    p = fma(p, r, 1.666_652_1e-1f32);
    p = fma(p, r, 0.5f32);
    p = fma(p, r, 1.0f32);
    p = fma(p, r, 1.0f32);
    p * f32::reinterpret(u32::cast_from(n + 127.0f32) << 23u32)
}

/// `e^x` for `x <= 0`; below -87 it stays at `e^-87`. NaN stays NaN.
#[cube]
pub(crate) fn exp_nonpositive(x: f32) -> f32 {
    exp_in_range(select(x < -87.0f32, -87.0f32, x), 0.0f32)
}

/// `-2 ln(u)` of `u = (k + 1/2) / 2^23`, where `k` is the word's upper 23 bits.
#[cube]
pub(crate) fn radius_squared(word: u32) -> f32 {
    let u =
        f32::reinterpret((word >> 9u32) | 0x3f80_0000u32) - comptime!(1.0f32 - 0.5 / 8_388_608.0);
    // The CPU's takes the bits of sqrt(1/2) away and shifts with the sign; 32 more in the exponent spare the sign.
    let shifted = u32::reinterpret(u) + 0xd0ca_fb0du32;
    let exponent = shifted >> 23u32;
    let e = f32::cast_from(exponent) - 32.0f32;
    let m = f32::reinterpret(u32::reinterpret(u) + 0x1000_0000u32 - (exponent << 23u32)) - 1.0f32;
    let mut p = fma(-1.747_766_4e-1f32, m, 2.861_548_4e-1f32);
    p = fma(p, m, -2.983_270_6e-1f32);
    p = fma(p, m, 3.314_062_4e-1f32);
    p = fma(p, m, -3.992_448e-1f32);
    p = fma(p, m, 5.000_355e-1f32);
    p = fma(p, m, -6.666_789e-1f32);
    p = fma(p, m, 9.999_998e-1f32);
    p = fma(p, m, -2.0f32);
    fma(e, comptime!(-2.0 * std::f32::consts::LN_2), p * m)
}

/// `(sin, cos)` of `2 pi v` with `v = (k + 1/2) / 2^23`, where `k` is the word's upper 23 bits.
#[cube]
pub(crate) fn sin_cos_turns(word: u32) -> (f32, f32) {
    let v = (word & 0xffff_fe00u32) | 0x100u32;
    let nearest = v + 0x2000_0000u32;
    let r = f32::cast_from(i32::reinterpret(v << 2u32)) * comptime!(1.0f32 / 4_294_967_296.0);
    let z = r * r;
    let mut s = fma(-4.602_177e-3f32, z, 7.968_023e-2f32);
    s = fma(s, z, -6.459_635e-1f32);
    s = fma(s, z, 1.570_796_4f32);
    let s = s * r;
    let mut c = fma(-2.042_625_1e-2f32, z, 2.536_063_5e-1f32);
    c = fma(c, z, -1.233_698f32);
    c = fma(c, z, 1.0f32);
    let swap = (nearest & 0x4000_0000u32) != 0u32;
    let sin = select(swap, c, s);
    let cos = select(swap, s, c);
    let sign = 0x8000_0000u32;
    let sin = f32::reinterpret(u32::reinterpret(sin) ^ (nearest & sign));
    let cos = f32::reinterpret(u32::reinterpret(cos) ^ ((nearest + 0x4000_0000u32) & sign));
    (sin, cos)
}

/// The exact (erf) GELU, by the tail of the normal distribution; NaN stays NaN.
#[cube]
pub(crate) fn gelu(x: f32) -> f32 {
    let end = 13.19f32;
    let magnitude = select(x < 0.0f32, -x, x);
    let beyond = magnitude > end;
    let a = select(beyond, end, magnitude);
    let r = 1.0f32 / (a + 3.75f32);
    let t = (a - 1.0f32) * r;
    let mut p = fma(1.789_271e-2f32, t, -3.909_98e-2f32);
    p = fma(p, t, -3.151_205_6e-2f32);
    p = fma(p, t, 1.418_908_5e-1f32);
    p = fma(p, t, 8.122_761e-2f32);
    p = fma(p, t, -8.571_713e-1f32);
    p = fma(p, t, 1.700_093_6f32);
    p = fma(p, t, -1.856_778f32);
    p = fma(p, t, 1.242_496_8f32);
    let half = -0.5f32 * a;
    let square = half * a;
    let lost = fma(half, a, -square);
    let tail = select(beyond, 0.0f32, a * r * p * exp_in_range(square, lost));
    select(x < 0.0f32, 0.0f32, x) - tail
}

/// The hyperbolic tangent; NaN stays NaN.
#[cube]
pub(crate) fn tanh(x: f32) -> f32 {
    let end = 7.905_311f32;
    let x = select(x > end, end, x);
    let x = select(x < -end, -end, x);
    let z = x * x;
    let mut p = fma(-2.760_768_5e-16f32, z, 2.000_188e-13f32);
    p = fma(p, z, -8.604_672e-11f32);
    p = fma(p, z, 5.122_297e-8f32);
    p = fma(p, z, 1.485_722_4e-5f32);
    p = fma(p, z, 6.372_619e-4f32);
    p = fma(p, z, 4.893_524_6e-3f32);
    let mut q = fma(1.198_258_4e-6f32, z, 1.185_347_1e-4f32);
    q = fma(q, z, 2.268_434_6e-3f32);
    q = fma(q, z, 4.893_525e-3f32);
    x * (p / q)
}
