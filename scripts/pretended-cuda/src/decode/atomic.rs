//! Atomic updates.

use super::access::changes_nothing;
use super::call::Call;
use super::kind::Kind;
use super::scope::Decoded;
use crate::machine::Operation;
use crate::machine::access::{Access, Action, Update};

/// What is there next, from what was there and two operands.
type Next = fn(u64, u64, u64) -> u64;

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    call.ignore(changes_nothing);
    let space = call.space();
    let which = call.next()?;
    let kind = call.kind()?;
    let next = next(which, kind).ok_or("not known of this type")?;
    let returns = call.name == "atom";
    let at = usize::from(returns);
    let pair = which == "cas";
    call.count(at + 2 + usize::from(pair))?;
    let to = if returns {
        Some(call.to(0, kind.class())?)
    } else {
        None
    };
    let (base, offset) = call.address(at)?;
    let a = call.value(at + 1, kind)?;
    let b = if pair { call.value(at + 2, kind)? } else { a };
    let bytes = u64::from(kind.bits() / 8);
    let action = Action::Update(Update {
        wide: bytes == 8,
        to,
        a,
        b,
        next,
    });
    Ok(Operation::Access(Box::new(Access {
        space,
        base,
        offset,
        bytes,
        action,
    })))
}

fn single(f: impl Fn(f32, f32) -> f32, a: u64, b: u64) -> u64 {
    u64::from(f(f32::from_bits(a as u32), f32::from_bits(b as u32)).to_bits())
}

fn next(which: &str, kind: Kind) -> Option<Next> {
    use Kind::{B32, B64, F32, F64, S32, S64, U32, U64};
    Some(match (which, kind) {
        ("add", U32 | S32) => |old, a, _| u64::from((old as u32).wrapping_add(a as u32)),
        ("add", U64 | S64) => |old, a, _| old.wrapping_add(a),
        ("add", F32) => |old, a, _| single(|a, b| a + b, old, a),
        ("add", F64) => |old, a, _| (f64::from_bits(old) + f64::from_bits(a)).to_bits(),
        ("min", U32 | U64) => |old, a, _| old.min(a),
        ("max", U32 | U64) => |old, a, _| old.max(a),
        ("min", S32) => |old, a, _| (old as i32).min(a as i32) as u32 as u64,
        ("max", S32) => |old, a, _| (old as i32).max(a as i32) as u32 as u64,
        ("min", S64) => |old, a, _| (old as i64).min(a as i64) as u64,
        ("max", S64) => |old, a, _| (old as i64).max(a as i64) as u64,
        ("and", B32 | B64) => |old, a, _| old & a,
        ("or", B32 | B64) => |old, a, _| old | a,
        ("xor", B32 | B64) => |old, a, _| old ^ a,
        ("exch", B32 | B64 | U32 | U64 | F32) => |_, a, _| a,
        ("cas", B32 | B64 | U32 | U64) => |old, a, b| if old == a { b } else { old },
        ("inc", U32) => |old, a, _| if old >= a { 0 } else { old + 1 },
        ("dec", U32) => |old, a, _| if old == 0 || old > a { a } else { old - 1 },
        _ => return None,
    })
}
