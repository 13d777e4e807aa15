//! Arithmetic of numbers with a point.

use super::call::Call;
use super::kind::Kind;
use super::scope::Decoded;
use crate::machine::Operation;
use crate::number::{flush, saturate};

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    if call.name == "testp" {
        return test(call);
    }
    let kind = call.kind()?;
    // What is approximate on the device is as near as it can be here; of rounding only the nearest is known.
    let _rounding = call.has("rn") || call.has("approx") || call.has("full");
    match kind {
        Kind::F32 => single(call),
        Kind::F64 => double(call),
        _ => Err("not known of this type".to_owned()),
    }
}

/// What happens to numbers on their way in and out.
#[derive(Clone, Copy)]
struct Ways {
    flushed: bool,
    saturated: bool,
}

impl Ways {
    fn into(self, value: f32) -> f32 {
        if self.flushed { flush(value) } else { value }
    }

    fn out(self, value: f32) -> f32 {
        let value = self.into(value);
        if self.saturated {
            saturate(value)
        } else {
            value
        }
    }

    fn plain(self) -> bool {
        !self.flushed && !self.saturated
    }
}

fn single(call: &mut Call<'_>) -> Decoded<Operation> {
    let flushed = call.has("ftz");
    let saturated = call.has("sat");
    let ways = Ways { flushed, saturated };
    let shows = call.has("NaN");
    match call.name {
        "add" => two(call, ways, |a, b| a + b),
        "sub" => two(call, ways, |a, b| a - b),
        "mul" => two(call, ways, |a, b| a * b),
        "div" => two(call, ways, |a, b| a / b),
        "fma" | "mad" => three(call, ways, |a, b, c| a.mul_add(b, c)),
        "min" => two(call, ways, move |a, b| least(a, b, shows)),
        "max" => two(call, ways, move |a, b| -least(-a, -b, shows)),
        _ if shows => Err("`.NaN` is not known here".to_owned()),
        "copysign" => two(call, ways, |a, b| b.copysign(a)),
        "abs" => one(call, ways, f32::abs),
        "neg" => one(call, ways, |a| -a),
        "rcp" => one(call, ways, |a| 1.0 / a),
        "sqrt" => one(call, ways, f32::sqrt),
        "rsqrt" => one(call, ways, |a| (1.0 / f64::from(a).sqrt()) as f32),
        "sin" => one(call, ways, f32::sin),
        "cos" => one(call, ways, f32::cos),
        "ex2" => one(call, ways, f32::exp2),
        "lg2" => one(call, ways, f32::log2),
        "tanh" => one(call, ways, f32::tanh),
        _ => Err("not known of this type".to_owned()),
    }
}

/// The lesser, or what is a number where one is none, unless that is to show. A negative zero is less than the other.
fn least(a: f32, b: f32, shows: bool) -> f32 {
    if a.is_nan() || b.is_nan() {
        let both = a.is_nan() && b.is_nan();
        return match (shows || both, a.is_nan()) {
            (true, _) => f32::from_bits(0x7FFF_FFFF),
            (false, true) => b,
            (false, false) => a,
        };
    }
    if a < b || (a == b && a.is_sign_negative()) {
        a
    } else {
        b
    }
}

fn one(
    call: &mut Call<'_>,
    ways: Ways,
    f: impl Fn(f32) -> f32 + Send + Sync + 'static,
) -> Decoded<Operation> {
    if ways.plain() {
        return call.one(f);
    }
    call.one(move |a| ways.out(f(ways.into(a))))
}

fn two(
    call: &mut Call<'_>,
    ways: Ways,
    f: impl Fn(f32, f32) -> f32 + Send + Sync + 'static,
) -> Decoded<Operation> {
    if ways.plain() {
        return call.two(f);
    }
    call.two(move |a, b| ways.out(f(ways.into(a), ways.into(b))))
}

fn three(
    call: &mut Call<'_>,
    ways: Ways,
    f: impl Fn(f32, f32, f32) -> f32 + Send + Sync + 'static,
) -> Decoded<Operation> {
    if ways.plain() {
        return call.three(f);
    }
    call.three(move |a, b, c| ways.out(f(ways.into(a), ways.into(b), ways.into(c))))
}

fn double(call: &mut Call<'_>) -> Decoded<Operation> {
    match call.name {
        "add" => call.two(|a: f64, b: f64| a + b),
        "sub" => call.two(|a: f64, b: f64| a - b),
        "mul" => call.two(|a: f64, b: f64| a * b),
        "div" => call.two(|a: f64, b: f64| a / b),
        "fma" | "mad" => call.three(|a: f64, b: f64, c: f64| a.mul_add(b, c)),
        "min" => call.two(f64::min),
        "max" => call.two(f64::max),
        "abs" => call.one(f64::abs),
        "neg" => call.one(|a: f64| -a),
        "rcp" => call.one(|a: f64| 1.0 / a),
        "sqrt" => call.one(f64::sqrt),
        "copysign" => call.two(|a: f64, b: f64| b.copysign(a)),
        _ => Err("not known of this type".to_owned()),
    }
}

/// `testp`: what sort of number it is.
fn test(call: &mut Call<'_>) -> Decoded<Operation> {
    let which: fn(f32) -> bool = match call.next()? {
        "finite" => f32::is_finite,
        "infinite" => f32::is_infinite,
        "number" => |value| !value.is_nan(),
        "notanumber" => f32::is_nan,
        "normal" => f32::is_normal,
        "subnormal" => f32::is_subnormal,
        other => return Err(format!("`.{other}` is not known here")),
    };
    call.expect("f32")?;
    super::compare::test(call, which)
}
