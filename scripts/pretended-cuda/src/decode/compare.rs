//! Comparisons and choices.

use super::call::Call;
use super::kind::Kind;
use super::scope::Decoded;
use crate::machine::Operation;
use crate::machine::lane::{self, Join, Lane, With};
use crate::machine::registers::{Cell, Class};
use crate::number::flush;
use crate::ptx::Operand;

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    match call.name {
        "selp" => select(call),
        _ => set(call),
    }
}

fn select(call: &mut Call<'_>) -> Decoded<Operation> {
    let class = call.kind()?.class();
    call.count(4)?;
    let to = call.to(0, class)?;
    let from = (call.from(1, class)?, call.from(2, class)?);
    let predicate = call.from(3, Class::Predicate)?;
    Ok(Operation::Lanes(match class {
        Class::Long => lane::select::<u64>(to, from, predicate),
        _ => lane::select::<u32>(to, from, predicate),
    }))
}

fn set(call: &mut Call<'_>) -> Decoded<Operation> {
    let how = call.next()?;
    let with = [("and", With::And), ("or", With::Or), ("xor", With::Xor)];
    let with = with
        .into_iter()
        .find(|(name, _)| call.has(name))
        .map(|(_, with)| with);
    let flushed = call.has("ftz");
    let kind = call.kind()?;
    call.count(if with.is_some() { 4 } else { 3 })?;
    let (to, other) = match call.operand(0)? {
        Operand::Pair(first, second) => {
            let (first, second) = (Operand::Name(first.clone()), Operand::Name(second.clone()));
            let to = call.target(&first, Class::Predicate)?;
            (to, Some(call.target(&second, Class::Predicate)?))
        }
        _ => (call.to(0, Class::Predicate)?, None),
    };
    let with = match with {
        Some(with) => Some((with, call.predicate(3)?)),
        None => None,
    };
    let join = Join { to, other, with };
    match kind {
        Kind::B16 | Kind::U16 => whole::<u16>(call, join, how),
        Kind::B32 | Kind::U32 => whole::<u32>(call, join, how),
        Kind::B64 | Kind::U64 => whole::<u64>(call, join, how),
        Kind::S16 => whole::<i16>(call, join, how),
        Kind::S32 => whole::<i32>(call, join, how),
        Kind::S64 => whole::<i64>(call, join, how),
        Kind::F32 if flushed => {
            let found = real::<f32>(how).ok_or("not a comparison that is known")?;
            let from = call.compared::<f32>(1)?;
            Ok(Operation::Lanes(lane::compare(join, from, move |a, b| {
                found(flush(a), flush(b))
            })))
        }
        Kind::F32 => floating::<f32>(call, join, how),
        Kind::F64 => floating::<f64>(call, join, how),
        _ => Err("not known of this type".to_owned()),
    }
}

fn whole<L: Lane + Ord>(call: &mut Call<'_>, join: Join, how: &str) -> Decoded<Operation> {
    let from = call.compared::<L>(1)?;
    Ok(Operation::Lanes(match how {
        "eq" => lane::compare(join, from, |a: L, b| a == b),
        "ne" => lane::compare(join, from, |a: L, b| a != b),
        "lt" | "lo" => lane::compare(join, from, |a: L, b| a < b),
        "le" | "ls" => lane::compare(join, from, |a: L, b| a <= b),
        "gt" | "hi" => lane::compare(join, from, |a: L, b| a > b),
        "ge" | "hs" => lane::compare(join, from, |a: L, b| a >= b),
        _ => return Err(format!("`.{how}` is not known here")),
    }))
}

/// The usual comparisons are loops of their own, as they are what conditions are made of.
fn floating<L: Lane + PartialOrd>(
    call: &mut Call<'_>,
    join: Join,
    how: &str,
) -> Decoded<Operation> {
    let from = call.compared::<L>(1)?;
    Ok(Operation::Lanes(match how {
        "lt" => lane::compare(join, from, |a: L, b| a < b),
        "gt" => lane::compare(join, from, |a: L, b| a > b),
        _ => {
            let found = real::<L>(how).ok_or_else(|| format!("`.{how}` is not known here"))?;
            lane::compare(join, from, found)
        }
    }))
}

/// Comparisons that hold, or with a `u` do not fail, where one is no number.
fn real<L: Lane + PartialOrd>(how: &str) -> Option<fn(L, L) -> bool> {
    Some(match how {
        "eq" => |a, b| a == b,
        "ne" => |a, b| matches!(a.partial_cmp(&b), Some(order) if order.is_ne()),
        "lt" => |a, b| a < b,
        "le" => |a, b| a <= b,
        "gt" => |a, b| a > b,
        "ge" => |a, b| a >= b,
        "equ" => |a, b| !matches!(a.partial_cmp(&b), Some(order) if order.is_ne()),
        "neu" => |a, b| a != b,
        "ltu" => |a, b| !matches!(a.partial_cmp(&b), Some(order) if order.is_ge()),
        "leu" => |a, b| !matches!(a.partial_cmp(&b), Some(order) if order.is_gt()),
        "gtu" => |a, b| !matches!(a.partial_cmp(&b), Some(order) if order.is_le()),
        "geu" => |a, b| !matches!(a.partial_cmp(&b), Some(order) if order.is_lt()),
        "num" => |a, b| a.partial_cmp(&b).is_some(),
        "nan" => |a, b| a.partial_cmp(&b).is_none(),
        _ => return None,
    })
}

/// `testp`: a predicate of one number.
pub fn test(call: &mut Call<'_>, which: fn(f32) -> bool) -> Decoded<Operation> {
    call.count(2)?;
    let (to, a) = (call.to(0, Class::Predicate)?, call.from(1, Class::Word)?);
    Ok(Operation::Lanes(Box::new(move |registers, mask| {
        let row = u32::row(registers, a);
        let found = lane::bits(|lane| which(f32::from_bits(row[lane])));
        registers.write_predicate(to, mask, found);
    })))
}
