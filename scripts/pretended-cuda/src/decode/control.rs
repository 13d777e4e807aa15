//! Where to go on, and what to wait for.

use super::call::Call;
use super::collective::collective;
use super::scope::{Decoded, Scope};
use crate::machine::Operation;
use crate::machine::collective::Action;
use crate::machine::program::Switch;
use crate::machine::registers::Class;
use crate::ptx::Operand;

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    match call.name {
        "bra" => branch(call),
        "brx" => switch(call),
        "ret" | "exit" => {
            call.ignore(|modifier| modifier == "uni");
            call.count(0)?;
            Ok(Operation::Exit)
        }
        "trap" => Ok(Operation::Trap),
        // A warp runs in order, and other warps see at once what it wrote.
        "membar" | "fence" => {
            call.ignore(|_| true);
            Ok(Operation::Nothing)
        }
        _ => barrier(call),
    }
}

fn branch(call: &mut Call<'_>) -> Decoded<Operation> {
    call.ignore(|modifier| modifier == "uni");
    call.count(1)?;
    let Operand::Name(label) = call.operand(0)? else {
        return Err("a branch to what is no label".to_owned());
    };
    Ok(Operation::Branch(place(call.scope, label)?))
}

/// Each lane to a label of its own in a table.
fn switch(call: &mut Call<'_>) -> Decoded<Operation> {
    call.ignore(|modifier| modifier == "uni");
    call.expect("idx")?;
    call.count(2)?;
    let number = call.from(0, Class::Word)?;
    let Operand::Name(name) = call.operand(1)? else {
        return Err("a branch to what is no table of labels".to_owned());
    };
    let table = call.scope.tables.get(name);
    let table = table.ok_or_else(|| format!("`{name}` is no table of labels"))?;
    let places = table.iter().map(|label| place(call.scope, label));
    let places = places.collect::<Decoded<_>>()?;
    Ok(Operation::Switch(Switch { number, places }))
}

fn place(scope: &Scope, label: &str) -> Decoded<usize> {
    let at = scope.labels.get(label).copied();
    at.ok_or_else(|| format!("`{label}` is no label"))
}

fn barrier(call: &mut Call<'_>) -> Decoded<Operation> {
    if call.name == "bar" && call.has("warp") {
        call.expect("sync")?;
        call.count(1)?;
        let members = call.from(0, Class::Word)?;
        return Ok(collective(Some(members), Action::Meet));
    }
    call.ignore(|modifier| matches!(modifier, "cta" | "aligned"));
    call.expect("sync")?;
    // One of some of the threads has a number of them too.
    call.count(1)?;
    let which = call.literal(0)?;
    if !(0..16).contains(&which) {
        return Err(format!("there is no barrier {which}"));
    }
    Ok(Operation::Barrier(which as u32))
}
