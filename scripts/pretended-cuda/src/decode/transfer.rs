//! Moves between registers, and addresses of one memory among those of another.

use super::call::Call;
use super::kind::Kind;
use super::scope::{Constant, Decoded};
use crate::machine::lane::{self, Work};
use crate::machine::registers::Class;
use crate::machine::{Operation, SHARED_WINDOW};
use crate::ptx::Operand;

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    if call.name == "cvta" {
        return address(call);
    }
    let kind = call.kind()?;
    call.count(2)?;
    match (call.operand(0)?, call.operand(1)?) {
        (Operand::List(parts), _) => split(call, kind, parts),
        (_, Operand::List(parts)) => join(call, kind, parts),
        _ if kind == Kind::Pred => predicate(call),
        _ if kind.class() == Class::Long => call.one(|a: u64| a),
        _ => call.one(|a: u32| a),
    }
}

fn predicate(call: &mut Call<'_>) -> Decoded<Operation> {
    let to = call.to(0, Class::Predicate)?;
    if let Operand::Whole(value) = call.operand(1)? {
        let bits = if *value == 0 { 0 } else { u32::MAX };
        let work: Work = Box::new(move |registers, mask| registers.write_predicate(to, mask, bits));
        return Ok(Operation::Lanes(work));
    }
    let (from, negated) = call.predicate(1)?;
    Ok(Operation::Lanes(Box::new(move |registers, mask| {
        let bits = registers.predicate(from);
        registers.write_predicate(to, mask, if negated { !bits } else { bits });
    })))
}

/// A register's parts, each to a register of its own. None of these is the one that is read, which is larger.
fn split(call: &mut Call<'_>, kind: Kind, parts: &[Operand]) -> Decoded<Operation> {
    let from = call.from(1, kind.class())?;
    let bits = kind.bits() / parts.len() as u32;
    if !matches!((kind.bits(), parts.len()), (32, 2) | (64, 2 | 4)) {
        return Err("not known of so many parts".to_owned());
    }
    let mut works: Vec<Work> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if *part == Operand::Name("_".to_owned()) {
            continue;
        }
        let to = call.target(part, Class::Word)?;
        let by = bits * index as u32;
        works.push(match (kind.class(), bits) {
            (Class::Word, _) => lane::one(to, from, move |a: u32| (a >> by) as u16),
            (_, 16) => lane::one(to, from, move |a: u64| (a >> by) as u16),
            _ => lane::one(to, from, move |a: u64| (a >> by) as u32),
        });
    }
    Ok(Operation::Lanes(Box::new(move |registers, mask| {
        works.iter().for_each(|work| work(registers, mask));
    })))
}

fn join(call: &mut Call<'_>, kind: Kind, parts: &[Operand]) -> Decoded<Operation> {
    let to = call.to(0, kind.class())?;
    let mut from = Vec::new();
    for part in parts {
        from.push(call.scope.source(part, Class::Word, Constant::Bits)?);
    }
    Ok(Operation::Lanes(match (kind.bits(), from.as_slice()) {
        (32, &[a, b]) => lane::two(to, (a, b), |low: u16, high: u16| {
            u32::from(high) << 16 | u32::from(low)
        }),
        (64, &[a, b]) => lane::two(to, (a, b), |low: u32, high: u32| {
            u64::from(high) << 32 | u64::from(low)
        }),
        (64, &[a, b, c, d]) => lane::four(to, [a, b, c, d], |a: u16, b: u16, c: u16, d: u16| {
            [d, c, b, a]
                .into_iter()
                .fold(0_u64, |all, part| all << 16 | u64::from(part))
        }),
        _ => return Err("not known of so many parts".to_owned()),
    }))
}

/// `cvta`: shared memory has a window among generic addresses; global memory is all else.
fn address(call: &mut Call<'_>) -> Decoded<Operation> {
    let to_space = call.has("to");
    let shared = call.has("shared") || call.has("shared::cta");
    if !shared {
        call.expect("global")?;
    }
    call.expect("u64")?;
    match (shared, to_space) {
        (false, _) => call.one(|a: u64| a),
        (true, false) => call.one(|a: u64| a.wrapping_add(SHARED_WINDOW)),
        (true, true) => call.one(|a: u64| a.wrapping_sub(SHARED_WINDOW)),
    }
}
