//! Conversions between types.

use super::call::Call;
use super::kind::Kind;
use super::scope::Decoded;
use crate::machine::Operation;
use crate::machine::registers::Class;
use crate::number::{
    bf16_nearest, bf16_towards_zero, bf16_wide, f16_nearest, f16_wide, flush, saturate,
    tf32_nearest, tf32_nearest_away,
};

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    if call.has("tf32") {
        let away = call.has("rna");
        if !away {
            call.expect("rn")?;
        }
        call.expect("f32")?;
        return if away {
            call.one(tf32_nearest_away)
        } else {
            call.one(tf32_nearest)
        };
    }
    if call.has("bf16x2") {
        call.expect("rn")?;
        call.expect("f32")?;
        return call.two(|high: f32, low: f32| packed(bf16_nearest(high), bf16_nearest(low)));
    }
    if call.has("f16x2") {
        call.expect("rn")?;
        call.expect("f32")?;
        return call.two(|high: f32, low: f32| packed(f16_nearest(high), f16_nearest(low)));
    }
    plain(call)
}

fn packed(high: u16, low: u16) -> u32 {
    u32::from(high) << 16 | u32::from(low)
}

/// How a number is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rounding {
    /// To the nearest of the type, and towards zero.
    Nearest,
    TowardsZero,
    /// To whole numbers: the nearest, towards zero, down, up.
    Whole,
    Cut,
    Floor,
    Ceiling,
}

fn plain(call: &mut Call<'_>) -> Decoded<Operation> {
    let names = [
        ("rn", Rounding::Nearest),
        ("rz", Rounding::TowardsZero),
        ("rni", Rounding::Whole),
        ("rzi", Rounding::Cut),
        ("rmi", Rounding::Floor),
        ("rpi", Rounding::Ceiling),
    ];
    let rounding = names
        .into_iter()
        .find(|(name, _)| call.has(name))
        .map(|(_, rounding)| rounding);
    let (flushed, saturated) = (call.has("ftz"), call.has("sat"));
    let (to, from) = (call.kind()?, call.kind()?);
    let change = Change {
        to,
        from,
        rounding,
        flushed,
        saturated,
    };
    if !flushed
        && !saturated
        && let Some(operation) = usual(call, change)
    {
        return operation;
    }
    change.check()?;
    match (to.class(), from.class()) {
        (Class::Word, Class::Word) => call.one(move |cell: u32| change.of(u64::from(cell)) as u32),
        (Class::Word, Class::Long) => call.one(move |cell: u64| change.of(cell) as u32),
        (Class::Long, Class::Word) => call.one(move |cell: u32| change.of(u64::from(cell))),
        (Class::Long, Class::Long) => call.one(move |cell: u64| change.of(cell)),
        _ => Err("not known of predicates".to_owned()),
    }
}

/// Those that kernels are full of, as loops of their own.
fn usual(call: &mut Call<'_>, change: Change) -> Option<Decoded<Operation>> {
    use Kind::{Bf16, F32, S32, S64, U16, U32, U64};
    Some(match (change.rounding, change.to, change.from) {
        (None, U64 | S64, U32) => call.one(|a: u32| u64::from(a)),
        (None, U64 | S64, S32) => call.one(|a: i32| i64::from(a)),
        (None, U32 | S32, U64 | S64) => call.one(|a: u64| a as u32),
        (None, U32 | S32, U16) => call.one(|a: u16| u32::from(a)),
        (Some(Rounding::Nearest), F32, S32) => call.one(|a: i32| a as f32),
        (Some(Rounding::Nearest), F32, U32) => call.one(|a: u32| a as f32),
        (Some(Rounding::Cut), U32, F32) => call.one(|a: f32| a as u32),
        (Some(Rounding::Cut), S32, F32) => call.one(|a: f32| a as i32),
        (Some(Rounding::Floor), F32, F32) => call.one(f32::floor),
        (None, F32, Bf16) => call.one(bf16_wide),
        (Some(Rounding::Nearest), Bf16, F32) => call.one(bf16_nearest),
        _ => return None,
    })
}

/// Any conversion, by the value.
#[derive(Debug, Clone, Copy)]
struct Change {
    to: Kind,
    from: Kind,
    rounding: Option<Rounding>,
    flushed: bool,
    saturated: bool,
}

/// What is between the types.
enum Value {
    Whole(i128),
    Real(f64),
}

impl Change {
    /// Whether the rounding is one that is needed, and known.
    fn check(self) -> Decoded<()> {
        use Rounding::{Ceiling, Cut, Floor, Nearest, TowardsZero, Whole};
        let whole = matches!(self.rounding, Some(Whole | Cut | Floor | Ceiling));
        let known = match (self.from.is_float(), self.to.is_float()) {
            (false, false) => self.rounding.is_none(),
            (true, false) => whole,
            // Only these types hold what is rounded once.
            (false, true) => self.rounding == Some(Nearest) && self.to.bits() >= 32,
            (true, true) if self.from == self.to => self.rounding.is_none() || whole,
            (true, true) if self.to.bits() > self.from.bits() => self.rounding.is_none(),
            (true, true) => matches!(
                (self.from, self.to, self.rounding),
                (Kind::F64, Kind::F32, Some(Nearest))
                    | (Kind::F32, Kind::F16 | Kind::Bf16, Some(Nearest))
                    | (Kind::F32, Kind::Bf16, Some(TowardsZero))
            ),
        };
        let predicate = self.to == Kind::Pred || self.from == Kind::Pred;
        if known && !predicate {
            Ok(())
        } else {
            Err("not known of these types".to_owned())
        }
    }

    fn of(self, cell: u64) -> u64 {
        let value = match self.read(cell) {
            Value::Real(value) => Value::Real(self.rounded(value)),
            whole => whole,
        };
        if self.to.is_float() {
            self.write_real(value)
        } else {
            self.write_whole(value)
        }
    }

    fn read(self, cell: u64) -> Value {
        Value::Whole(match self.from {
            Kind::S8 => i128::from(cell as i8),
            Kind::S16 => i128::from(cell as i16),
            Kind::S32 => i128::from(cell as i32),
            Kind::S64 => i128::from(cell as i64),
            Kind::F16 => return Value::Real(f64::from(f16_wide(cell as u16))),
            Kind::Bf16 => return Value::Real(f64::from(bf16_wide(cell as u16))),
            Kind::F32 => return Value::Real(f64::from(self.flush(f32::from_bits(cell as u32)))),
            Kind::F64 => return Value::Real(f64::from_bits(cell)),
            kind => i128::from(cell & (u64::MAX >> (64 - kind.bits()))),
        })
    }

    fn flush(self, value: f32) -> f32 {
        if self.flushed { flush(value) } else { value }
    }

    fn rounded(self, value: f64) -> f64 {
        match self.rounding {
            Some(Rounding::Whole) => value.round_ties_even(),
            Some(Rounding::Cut) => value.trunc(),
            Some(Rounding::Floor) => value.floor(),
            Some(Rounding::Ceiling) => value.ceil(),
            _ => value,
        }
    }

    fn write_whole(self, value: Value) -> u64 {
        let bits = self.to.bits();
        let (least, most) = if self.to.signed() {
            (-1 << (bits - 1), (1_i128 << (bits - 1)) - 1)
        } else {
            (0, (1_i128 << bits) - 1)
        };
        let whole = match value {
            Value::Whole(value) if self.saturated => value.clamp(least, most),
            Value::Whole(value) => value,
            Value::Real(value) if value.is_nan() => {
                // As the device has it: zero, but where either has 64 bits.
                return if self.from == Kind::F64 || bits == 64 {
                    1 << (bits - 1)
                } else {
                    0
                };
            }
            Value::Real(value) => (value as i128).clamp(least, most),
        };
        match self.to {
            Kind::S8 => whole as i8 as u64,
            Kind::S16 => whole as i16 as u64,
            Kind::S32 => whole as i32 as u64,
            _ => whole as u64 & (u64::MAX >> (64 - bits)),
        }
    }

    fn write_real(self, value: Value) -> u64 {
        let (wide, single) = match value {
            Value::Whole(value) => (value as f64, value as f32),
            Value::Real(value) => (value, value as f32),
        };
        let single = self.flush(if self.saturated {
            saturate(single)
        } else {
            single
        });
        match self.to {
            Kind::F64 => wide.to_bits(),
            Kind::F32 => u64::from(single.to_bits()),
            Kind::F16 => u64::from(f16_nearest(single)),
            _ if self.rounding == Some(Rounding::TowardsZero) => {
                u64::from(bf16_towards_zero(single))
            }
            _ => u64::from(bf16_nearest(single)),
        }
    }
}
