//! Work on bits.

use super::call::Call;
use super::kind::Kind;
use super::scope::Decoded;
use crate::machine::Operation;
use crate::machine::registers::{Class, Mask};
use crate::ptx::Operand;

/// Builds an operation for each size of register.
macro_rules! sized {
    ($call:expr, $kind:expr, $build:ident, |$($name:ident),+| $body:expr) => {
        match $kind {
            Kind::B16 => $call.$build(|$($name: u16),+| $body),
            Kind::B32 => $call.$build(|$($name: u32),+| $body),
            Kind::B64 => $call.$build(|$($name: u64),+| $body),
            _ => Err("not known of this type".to_owned()),
        }
    };
}

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    if call.name == "shf" {
        return funnel(call);
    }
    let kind = call.kind()?;
    match call.name {
        "and" if kind == Kind::Pred => predicates(call, |a, b| a & b),
        "or" if kind == Kind::Pred => predicates(call, |a, b| a | b),
        "xor" if kind == Kind::Pred => predicates(call, |a, b| a ^ b),
        "not" if kind == Kind::Pred => {
            call.count(2)?;
            let (to, a) = (
                call.to(0, Class::Predicate)?,
                call.from(1, Class::Predicate)?,
            );
            Ok(Operation::Lanes(Box::new(move |registers, mask| {
                registers.write_predicate(to, mask, !registers.predicate(a));
            })))
        }
        "and" => sized!(call, kind, two, |a, b| a & b),
        "or" => sized!(call, kind, two, |a, b| a | b),
        "xor" => sized!(call, kind, two, |a, b| a ^ b),
        "not" => sized!(call, kind, one, |a| !a),
        "cnot" => match kind {
            Kind::B16 => call.one(|a: u16| u16::from(a == 0)),
            Kind::B32 => call.one(|a: u32| u32::from(a == 0)),
            _ => Err("not known of this type".to_owned()),
        },
        "shl" => shift_left(call, kind),
        "shr" => shift_right(call, kind),
        "brev" if kind == Kind::B32 => call.one(u32::reverse_bits),
        "brev" if kind == Kind::B64 => call.one(u64::reverse_bits),
        "prmt" if kind == Kind::B32 => call.three(permute),
        "lop3" if kind == Kind::B32 => by_table(call),
        "bfind" => find(call, kind),
        "bfe" => extract(call, kind),
        "bfi" if kind == Kind::B32 => call.four(|a: u32, b: u32, at: u32, length: u32| {
            insert(u64::from(a), u64::from(b), at, length) as u32
        }),
        "bfi" if kind == Kind::B64 => call.four(insert),
        _ => Err("not known of this type".to_owned()),
    }
}

fn predicates(call: &mut Call<'_>, f: fn(Mask, Mask) -> Mask) -> Decoded<Operation> {
    call.count(3)?;
    let to = call.to(0, Class::Predicate)?;
    let (a, b) = (
        call.from(1, Class::Predicate)?,
        call.from(2, Class::Predicate)?,
    );
    Ok(Operation::Lanes(Box::new(move |registers, mask| {
        let bits = f(registers.predicate(a), registers.predicate(b));
        registers.write_predicate(to, mask, bits);
    })))
}

/// A shift by more than there are bits leaves none.
fn shift_left(call: &mut Call<'_>, kind: Kind) -> Decoded<Operation> {
    match kind {
        Kind::B16 => call.two(|a: u16, by: u32| a.checked_shl(by).unwrap_or(0)),
        Kind::B32 => call.two(|a: u32, by: u32| a.checked_shl(by).unwrap_or(0)),
        Kind::B64 => call.two(|a: u64, by: u32| a.checked_shl(by).unwrap_or(0)),
        _ => Err("not known of this type".to_owned()),
    }
}

/// A shift by more than there are bits leaves none but the sign's.
fn shift_right(call: &mut Call<'_>, kind: Kind) -> Decoded<Operation> {
    match kind {
        Kind::B16 | Kind::U16 => call.two(|a: u16, by: u32| a.checked_shr(by).unwrap_or(0)),
        Kind::B32 | Kind::U32 => call.two(|a: u32, by: u32| a.checked_shr(by).unwrap_or(0)),
        Kind::B64 | Kind::U64 => call.two(|a: u64, by: u32| a.checked_shr(by).unwrap_or(0)),
        Kind::S16 => call.two(|a: i16, by: u32| a >> by.min(15)),
        Kind::S32 => call.two(|a: i32, by: u32| a >> by.min(31)),
        Kind::S64 => call.two(|a: i64, by: u32| a >> by.min(63)),
        _ => Err("not known of this type".to_owned()),
    }
}

/// `shf`: a shift of two words as one.
fn funnel(call: &mut Call<'_>) -> Decoded<Operation> {
    let (left, wraps) = match (call.next()?, call.next()?) {
        ("l", "wrap") => (true, true),
        ("l", "clamp") => (true, false),
        ("r", "wrap") => (false, true),
        ("r", "clamp") => (false, false),
        _ => return Err("not known in this way".to_owned()),
    };
    call.expect("b32")?;
    call.three(move |low: u32, high: u32, by: u32| {
        let by = if wraps { by & 31 } else { by.min(32) };
        let both = u64::from(high) << 32 | u64::from(low);
        if left {
            (both << by >> 32) as u32
        } else {
            (both >> by) as u32
        }
    })
}

/// `prmt`: any four bytes of eight, or their signs.
fn permute(a: u32, b: u32, which: u32) -> u32 {
    let bytes = (u64::from(b) << 32 | u64::from(a)).to_le_bytes();
    let chosen: [u8; 4] = std::array::from_fn(|at| {
        let which = which >> (4 * at) & 15;
        let byte = bytes[which as usize & 7];
        if which & 8 == 0 {
            byte
        } else {
            (byte as i8 >> 7) as u8
        }
    });
    u32::from_le_bytes(chosen)
}

/// `lop3`: any function of three bits, as a table of its eight values.
fn by_table(call: &mut Call<'_>) -> Decoded<Operation> {
    call.count(5)?;
    let table = call.literal(4)? as u32;
    call.operands = &call.operands[..4];
    call.three(move |a: u32, b: u32, c: u32| {
        (0..8)
            .filter(|value| table >> value & 1 != 0)
            .fold(0, |found, value| {
                let of = |bit: u32, word: u32| if value >> bit & 1 != 0 { word } else { !word };
                found | of(2, a) & of(1, b) & of(0, c)
            })
    })
}

/// `bfind`: where the highest bit is that is not the sign's.
fn find(call: &mut Call<'_>, kind: Kind) -> Decoded<Operation> {
    let by = call.has("shiftamt");
    let at = move |bits: u32, zeros: u32| match (zeros == bits, by) {
        (true, _) => u32::MAX,
        (false, true) => zeros,
        (false, false) => bits - 1 - zeros,
    };
    match kind {
        Kind::U32 => call.one(move |a: u32| at(32, a.leading_zeros())),
        Kind::U64 => call.one(move |a: u64| at(64, a.leading_zeros())),
        Kind::S32 => call.one(move |a: i32| at(32, (a ^ a >> 31).leading_zeros())),
        Kind::S64 => call.one(move |a: i64| at(64, (a ^ a >> 63).leading_zeros())),
        _ => Err("not known of this type".to_owned()),
    }
}

fn extract(call: &mut Call<'_>, kind: Kind) -> Decoded<Operation> {
    match kind {
        Kind::U32 => {
            call.three(|a: u32, at: u32, length: u32| field(u64::from(a), at, length) as u32)
        }
        Kind::U64 => call.three(field),
        Kind::S32 => call.three(|a: i32, at: u32, length: u32| {
            signed_field(i64::from(a), 32, at, length) as i32
        }),
        Kind::S64 => call.three(|a: i64, at: u32, length: u32| signed_field(a, 64, at, length)),
        _ => Err("not known of this type".to_owned()),
    }
}

fn ones(length: u32) -> u64 {
    1_u64.checked_shl(length).unwrap_or(0).wrapping_sub(1)
}

fn field(a: u64, at: u32, length: u32) -> u64 {
    a.checked_shr(at & 0xFF).unwrap_or(0) & ones(length & 0xFF)
}

/// What is beyond the number has its sign; the field's own sign is its highest bit, or the number's where it reaches beyond.
fn signed_field(a: i64, bits: u32, at: u32, length: u32) -> i64 {
    let (at, length) = (at & 0xFF, length & 0xFF);
    if length == 0 {
        return 0;
    }
    let last = (at + length - 1).min(bits - 1);
    if at >= bits {
        return a >> 63;
    }
    a << (63 - last) >> (63 - last + at)
}

fn insert(a: u64, b: u64, at: u32, length: u32) -> u64 {
    let (at, length) = (at & 0xFF, length & 0xFF);
    let mask = ones(length).checked_shl(at).unwrap_or(0);
    b & !mask | a.checked_shl(at).unwrap_or(0) & mask
}

impl Call<'_> {
    /// The name of a predicate that may be turned with `!`.
    pub fn predicate(&mut self, index: usize) -> Decoded<(usize, bool)> {
        let (name, negated) = match self.operand(index)? {
            Operand::Name(name) => (name, false),
            Operand::Not(name) => (name, true),
            other => return Err(format!("{other:?} is no predicate")),
        };
        let slot = self
            .scope
            .declared(name)
            .ok_or_else(|| format!("`{name}` is not known"))?;
        Ok((self.scope.of_class(slot, Class::Predicate, name)?, negated))
    }
}
