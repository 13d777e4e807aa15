//! Arithmetic of whole numbers.

use super::call::Call;
use super::kind::Kind;
use super::scope::Decoded;
use crate::machine::Operation;

/// Builds an operation for each type of whole number that registers have; bits are without a sign.
macro_rules! whole {
    ($call:expr, $kind:expr, $build:ident, |$($name:ident),+| $body:expr) => {
        match $kind {
            Kind::U16 | Kind::B16 => $call.$build(|$($name: u16),+| $body),
            Kind::U32 | Kind::B32 => $call.$build(|$($name: u32),+| $body),
            Kind::U64 | Kind::B64 => $call.$build(|$($name: u64),+| $body),
            Kind::S16 => $call.$build(|$($name: i16),+| $body),
            Kind::S32 => $call.$build(|$($name: i32),+| $body),
            Kind::S64 => $call.$build(|$($name: i64),+| $body),
            _ => Err("not known of this type".to_owned()),
        }
    };
}

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    let kind = call.kind()?;
    let saturated = call.has("sat");
    match call.name {
        "add" if saturated && kind == Kind::S32 => call.two(i32::saturating_add),
        "sub" if saturated && kind == Kind::S32 => call.two(i32::saturating_sub),
        _ if saturated => Err("`.sat` is not known here".to_owned()),
        "add" => whole!(call, kind, two, |a, b| a.wrapping_add(b)),
        "sub" => whole!(call, kind, two, |a, b| a.wrapping_sub(b)),
        "mul" => multiply(call, kind),
        "mad" => multiply_add(call, kind),
        "div" => divide(call, kind),
        "rem" => remainder(call, kind),
        "min" => whole!(call, kind, two, |a, b| a.min(b)),
        "max" => whole!(call, kind, two, |a, b| a.max(b)),
        "abs" => match kind {
            Kind::S16 => call.one(i16::wrapping_abs),
            Kind::S32 => call.one(i32::wrapping_abs),
            Kind::S64 => call.one(i64::wrapping_abs),
            _ => Err("not known of this type".to_owned()),
        },
        "neg" => whole!(call, kind, one, |a| a.wrapping_neg()),
        "popc" if kind == Kind::B32 => call.one(u32::count_ones),
        "popc" if kind == Kind::B64 => call.one(u64::count_ones),
        "clz" if kind == Kind::B32 => call.one(u32::leading_zeros),
        "clz" if kind == Kind::B64 => call.one(u64::leading_zeros),
        _ => Err("not known of this type".to_owned()),
    }
}

fn multiply(call: &mut Call<'_>, kind: Kind) -> Decoded<Operation> {
    match (call.next()?, kind) {
        ("lo", _) => whole!(call, kind, two, |a, b| a.wrapping_mul(b)),
        ("hi", Kind::U16) => {
            call.two(|a: u16, b: u16| ((u32::from(a) * u32::from(b)) >> 16) as u16)
        }
        ("hi", Kind::S16) => {
            call.two(|a: i16, b: i16| ((i32::from(a) * i32::from(b)) >> 16) as i16)
        }
        ("hi", Kind::U32) => call.two(high_u32),
        ("hi", Kind::S32) => call.two(high_i32),
        ("hi", Kind::U64) => call.two(high_u64),
        ("hi", Kind::S64) => call.two(high_i64),
        ("wide", Kind::U16) => call.two(|a: u16, b: u16| u32::from(a) * u32::from(b)),
        ("wide", Kind::S16) => call.two(|a: i16, b: i16| i32::from(a) * i32::from(b)),
        ("wide", Kind::U32) => call.two(|a: u32, b: u32| u64::from(a) * u64::from(b)),
        ("wide", Kind::S32) => call.two(|a: i32, b: i32| i64::from(a) * i64::from(b)),
        (which, _) => Err(format!("`.{which}` is not known of this type")),
    }
}

fn multiply_add(call: &mut Call<'_>, kind: Kind) -> Decoded<Operation> {
    match (call.next()?, kind) {
        ("lo", _) => whole!(call, kind, three, |a, b, c| a
            .wrapping_mul(b)
            .wrapping_add(c)),
        ("hi", Kind::U32) => call.three(|a: u32, b: u32, c: u32| high_u32(a, b).wrapping_add(c)),
        ("hi", Kind::S32) => call.three(|a: i32, b: i32, c: i32| high_i32(a, b).wrapping_add(c)),
        ("hi", Kind::U64) => call.three(|a: u64, b: u64, c: u64| high_u64(a, b).wrapping_add(c)),
        ("hi", Kind::S64) => call.three(|a: i64, b: i64, c: i64| high_i64(a, b).wrapping_add(c)),
        ("wide", Kind::U16) => {
            call.three(|a: u16, b: u16, c: u32| (u32::from(a) * u32::from(b)).wrapping_add(c))
        }
        ("wide", Kind::S16) => {
            call.three(|a: i16, b: i16, c: i32| (i32::from(a) * i32::from(b)).wrapping_add(c))
        }
        ("wide", Kind::U32) => {
            call.three(|a: u32, b: u32, c: u64| (u64::from(a) * u64::from(b)).wrapping_add(c))
        }
        ("wide", Kind::S32) => {
            call.three(|a: i32, b: i32, c: i64| (i64::from(a) * i64::from(b)).wrapping_add(c))
        }
        (which, _) => Err(format!("`.{which}` is not known of this type")),
    }
}

fn high_u32(a: u32, b: u32) -> u32 {
    ((u64::from(a) * u64::from(b)) >> 32) as u32
}

fn high_i32(a: i32, b: i32) -> i32 {
    ((i64::from(a) * i64::from(b)) >> 32) as i32
}

fn high_u64(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}

fn high_i64(a: i64, b: i64) -> i64 {
    ((i128::from(a) * i128::from(b)) >> 64) as i64
}

/// A quotient of 32-bit numbers, which an f64 tells from the next: it has more bits than both. Of nothing by nothing, and of
/// all else by nothing, the device gives all ones.
fn quotient(a: u32, b: u32) -> u32 {
    if b == 0 {
        u32::MAX
    } else {
        (f64::from(a) / f64::from(b)) as u32
    }
}

fn divide(call: &mut Call<'_>, kind: Kind) -> Decoded<Operation> {
    match kind {
        Kind::U16 => call.two(|a: u16, b: u16| a.checked_div(b).unwrap_or(u16::MAX)),
        Kind::U32 => call.two(quotient),
        Kind::U64 => call.two(|a: u64, b: u64| a.checked_div(b).unwrap_or(u64::MAX)),
        Kind::S16 => call.two(|a: i16, b: i16| if b == 0 { -1 } else { a.wrapping_div(b) }),
        Kind::S32 => call.two(|a: i32, b: i32| if b == 0 { -1 } else { a.wrapping_div(b) }),
        Kind::S64 => call.two(|a: i64, b: i64| if b == 0 { -1 } else { a.wrapping_div(b) }),
        _ => Err("not known of this type".to_owned()),
    }
}

fn remainder(call: &mut Call<'_>, kind: Kind) -> Decoded<Operation> {
    match kind {
        Kind::U16 => call.two(|a: u16, b: u16| a.checked_rem(b).unwrap_or(a)),
        Kind::U32 => call.two(|a: u32, b: u32| a.wrapping_sub(quotient(a, b).wrapping_mul(b))),
        Kind::U64 => call.two(|a: u64, b: u64| a.checked_rem(b).unwrap_or(a)),
        Kind::S16 => call.two(|a: i16, b: i16| if b == 0 { a } else { a.wrapping_rem(b) }),
        Kind::S32 => call.two(|a: i32, b: i32| if b == 0 { a } else { a.wrapping_rem(b) }),
        Kind::S64 => call.two(|a: i64, b: i64| if b == 0 { a } else { a.wrapping_rem(b) }),
        _ => Err("not known of this type".to_owned()),
    }
}
