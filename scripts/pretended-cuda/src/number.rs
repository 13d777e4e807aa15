//! Numbers of the device that Rust has no types for.

/// The nearest of bf16's numbers, ties to even.
pub fn bf16_nearest(value: f32) -> u16 {
    if value.is_nan() {
        return 0x7FFF;
    }
    let bits = value.to_bits();
    // What is finite may become infinite, as it should: the carry runs into the exponent.
    ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) as u16
}

pub fn bf16_towards_zero(value: f32) -> u16 {
    if value.is_nan() {
        return 0x7FFF;
    }
    (value.to_bits() >> 16) as u16
}

pub fn bf16_wide(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The bits that tf32 does not have.
const TF32_REST: u32 = 0x1FFF;

/// The nearest of tf32's numbers, ties away from zero.
pub fn tf32_nearest_away(value: f32) -> f32 {
    let bits = value.to_bits();
    if bits & 0x7F80_0000 == 0x7F80_0000 {
        return if value.is_nan() {
            f32::from_bits(0x7FFF_E000)
        } else {
            value
        };
    }
    f32::from_bits((bits + 0x1000) & !TF32_REST)
}

/// The nearest of tf32's numbers, ties to even.
pub fn tf32_nearest(value: f32) -> f32 {
    let bits = value.to_bits();
    if bits & 0x7F80_0000 == 0x7F80_0000 {
        return tf32_nearest_away(value);
    }
    f32::from_bits((bits + 0xFFF + ((bits >> 13) & 1)) & !TF32_REST)
}

/// What a tensor core sees of a 32-bit number that was not rounded before.
pub fn tf32_seen(bits: u32) -> f32 {
    f32::from_bits(bits & !TF32_REST)
}

/// The nearest of f16's numbers, ties to even.
pub fn f16_nearest(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let size = f32::from_bits(bits & 0x7FFF_FFFF);
    if size.is_nan() {
        return 0x7FFF;
    }
    if size >= 65520.0 {
        return sign | 0x7C00;
    }
    if size < 6.103_515_6e-5 {
        // A subnormal counts 2^-24s, of which an f32 rounds any number of this size to a whole one.
        let count = (size * 16_777_216.0).round_ties_even();
        return sign | count as u16;
    }
    let size = size.to_bits();
    let rounded = size + 0xFFF + ((size >> 13) & 1);
    sign | ((rounded >> 13) - (112 << 10)) as u16
}

pub fn f16_wide(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(bits >> 10 & 31), u32::from(bits & 0x3FF));
    let size = match exponent {
        0 => (fraction as f32 / 16_777_216.0).to_bits(),
        31 => 0x7F80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | size)
}

/// A subnormal becomes a zero of its sign.
pub fn flush(value: f32) -> f32 {
    if value.is_subnormal() {
        0.0_f32.copysign(value)
    } else {
        value
    }
}

/// Within 0 and 1; what is no number becomes 0.
pub fn saturate(value: f32) -> f32 {
    if value > 0.0 { value.min(1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_of_bf16_go_to_even_and_those_of_tf32_away() {
        let halfway = f32::from_bits(0x3F80_8000);
        assert_eq!(bf16_nearest(halfway), 0x3F80);
        assert_eq!(bf16_nearest(f32::from_bits(0x3F81_8000)), 0x3F82);
        assert_eq!(bf16_nearest(f32::from_bits(0x3F80_8001)), 0x3F81);
        assert_eq!(bf16_nearest(f32::MAX), 0x7F80);
        assert_eq!(bf16_towards_zero(f32::MAX), 0x7F7F);
        assert_eq!(bf16_nearest(f32::NEG_INFINITY), 0xFF80);
        assert_eq!(bf16_nearest(f32::from_bits(0x7F80_0001)), 0x7FFF);
        let halfway = f32::from_bits(0x3F80_1000);
        assert_eq!(tf32_nearest_away(halfway).to_bits(), 0x3F80_2000);
        assert_eq!(tf32_nearest(halfway).to_bits(), 0x3F80_0000);
        assert_eq!(tf32_nearest_away(-halfway).to_bits(), 0xBF80_2000);
        assert_eq!(tf32_nearest_away(f32::INFINITY), f32::INFINITY);
    }

    #[test]
    fn every_f16_comes_back() {
        for bits in 0..=u16::MAX {
            let wide = f16_wide(bits);
            if !wide.is_nan() {
                assert_eq!(f16_nearest(wide), bits);
            }
        }
        assert_eq!(f16_nearest(65519.9), 0x7BFF);
        assert_eq!(f16_nearest(65520.0), 0x7C00);
        assert_eq!(f16_nearest(2.0_f32.powi(-25)), 0);
        assert_eq!(f16_nearest(1.5 * 2.0_f32.powi(-25)), 1);
    }

    #[test]
    fn what_is_saturated_is_a_number() {
        assert_eq!(saturate(f32::NAN), 0.0);
        assert_eq!(saturate(-1.0), 0.0);
        assert_eq!(saturate(7.0), 1.0);
        assert_eq!(flush(-1e-40).to_bits(), 0x8000_0000);
    }
}
