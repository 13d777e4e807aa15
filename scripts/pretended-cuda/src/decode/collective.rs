//! What lanes do together.

use super::call::Call;
use super::kind::Kind;
use super::scope::Decoded;
use crate::machine::Operation;
use crate::machine::collective::{Action, Collective, Mode, Shuffle};
use crate::machine::lane::Work;
use crate::machine::registers::{Cell, Class, LANES, Mask, lanes};
use crate::ptx::Operand;

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    if call.name == "activemask" {
        call.expect("b32")?;
        call.count(1)?;
        let to = call.to(0, Class::Word)?;
        let work: Work = Box::new(move |registers, mask| registers.write(to, mask, &[mask; LANES]));
        return Ok(collective(None, Action::Work(work)));
    }
    call.expect("sync")?;
    match call.name {
        "shfl" => shuffle(call),
        "vote" => vote(call),
        _ => reduce(call),
    }
}

pub fn collective(members: Option<usize>, action: Action) -> Operation {
    Operation::Collective(Box::new(Collective { members, action }))
}

fn shuffle(call: &mut Call<'_>) -> Decoded<Operation> {
    let mode = match call.next()? {
        "up" => Mode::Up,
        "down" => Mode::Down,
        "bfly" => Mode::Butterfly,
        "idx" => Mode::Index,
        other => return Err(format!("`.{other}` is not known here")),
    };
    call.expect("b32")?;
    call.count(5)?;
    let (to, within) = match call.operand(0)? {
        Operand::Pair(first, second) => {
            let (first, second) = (Operand::Name(first.clone()), Operand::Name(second.clone()));
            let to = call.target(&first, Class::Word)?;
            (to, Some(call.target(&second, Class::Predicate)?))
        }
        _ => (call.to(0, Class::Word)?, None),
    };
    let from = call.from(1, Class::Word)?;
    let (which, segment) = (call.from(2, Class::Word)?, call.from(3, Class::Word)?);
    let members = call.from(4, Class::Word)?;
    let shuffle = Shuffle {
        mode,
        to,
        within,
        from,
        which,
        segment,
    };
    Ok(collective(Some(members), Action::Shuffle(shuffle)))
}

fn vote(call: &mut Call<'_>) -> Decoded<Operation> {
    let which = call.next()?;
    call.expect(if which == "ballot" { "b32" } else { "pred" })?;
    call.count(3)?;
    let (from, negated) = call.predicate(1)?;
    let members = call.from(2, Class::Word)?;
    let holds: fn(Mask, Mask) -> bool = match which {
        "all" => |bits, mask| bits == mask,
        "any" => |bits, _| bits != 0,
        "uni" => |bits, mask| bits == mask || bits == 0,
        "ballot" => {
            let to = call.to(0, Class::Word)?;
            let work: Work = Box::new(move |registers, mask| {
                let bits = registers.predicate(from) ^ if negated { Mask::MAX } else { 0 };
                registers.write(to, mask, &[bits & mask; LANES]);
            });
            return Ok(collective(Some(members), Action::Work(work)));
        }
        other => return Err(format!("`.{other}` is not known here")),
    };
    let to = call.to(0, Class::Predicate)?;
    let work: Work = Box::new(move |registers, mask| {
        let bits = registers.predicate(from) ^ if negated { Mask::MAX } else { 0 };
        let found = if holds(bits & mask, mask) {
            Mask::MAX
        } else {
            0
        };
        registers.write_predicate(to, mask, found);
    });
    Ok(collective(Some(members), Action::Work(work)))
}

/// `redux`: what all lanes' words come to.
fn reduce(call: &mut Call<'_>) -> Decoded<Operation> {
    let which = call.next()?;
    let kind = call.kind()?;
    let join: fn(u32, u32) -> u32 = match (which, kind) {
        ("add", Kind::U32 | Kind::S32) => u32::wrapping_add,
        ("min", Kind::U32) => u32::min,
        ("max", Kind::U32) => u32::max,
        ("min", Kind::S32) => |a, b| (a as i32).min(b as i32) as u32,
        ("max", Kind::S32) => |a, b| (a as i32).max(b as i32) as u32,
        ("and", Kind::B32) => |a, b| a & b,
        ("or", Kind::B32) => |a, b| a | b,
        ("xor", Kind::B32) => |a, b| a ^ b,
        _ => return Err("not known of this type".to_owned()),
    };
    call.count(3)?;
    let (to, from) = (call.to(0, Class::Word)?, call.from(1, Class::Word)?);
    let members = call.from(2, Class::Word)?;
    let work: Work = Box::new(move |registers, mask| {
        let row = u32::row(registers, from);
        let all = lanes(mask).map(|lane| row[lane]).reduce(join).unwrap_or(0);
        registers.write(to, mask, &[all; LANES]);
    });
    Ok(collective(Some(members), Action::Work(work)))
}
