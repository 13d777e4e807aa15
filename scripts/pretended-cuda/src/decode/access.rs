//! Loads and stores.

use super::call::Call;
use super::kind::Kind;
use super::scope::{Constant, Decoded};
use crate::machine::Operation;
use crate::machine::access::{Access, Action, Load, Store, load, store};
use crate::machine::lane::Work;
use crate::machine::registers::{Cell, Class, LANES};
use crate::ptx::Operand;

/// How much others see of an access and how it is cached: all is seen at once here.
pub fn changes_nothing(modifier: &str) -> bool {
    let plain = [
        "weak", "volatile", "relaxed", "acquire", "release", "acq_rel", "cta", "cluster", "gpu",
        "sys", "nc", "ca", "cg", "cs", "lu", "cv", "wb", "wt",
    ];
    let cached = modifier.starts_with("L1::") || modifier.starts_with("L2::");
    plain.contains(&modifier) || (cached && modifier != "L2::cache_hint")
}

pub fn decode(call: &mut Call<'_>) -> Decoded<Operation> {
    call.ignore(changes_nothing);
    let stores = call.name == "st";
    let parameter = call.has("param") || call.has("param::entry");
    let space = call.space();
    let count = if call.has("v2") {
        2
    } else if call.has("v4") {
        4
    } else {
        1
    };
    let kind = call.kind()?;
    call.count(2)?;
    let (values, at) = if stores { (1, 0) } else { (0, 1) };
    let class = class(call, values, kind)?;
    let rows = call.rows(values, class, !stores)?;
    if rows.len() != count {
        return Err(format!("{} registers where {count} are moved", rows.len()));
    }
    if parameter {
        return if stores {
            Err("parameters are not written".to_owned())
        } else {
            parameters(call, kind, (class, rows))
        };
    }
    let (base, offset) = call.address(at)?;
    let bytes = u64::from(kind.bits() / 8) * count as u64;
    let action = if stores {
        Action::Store(rows, storing(kind, class))
    } else {
        Action::Load(rows, loading(kind, class))
    };
    Ok(Operation::Access(Box::new(Access {
        space,
        base,
        offset,
        bytes,
        action,
    })))
}

/// The registers' file, which may be of larger ones than the type asks for.
fn class(call: &mut Call<'_>, index: usize, kind: Kind) -> Decoded<Class> {
    if kind == Kind::Pred {
        return Err("not known of predicates".to_owned());
    }
    let first = match call.operand(index)? {
        Operand::List(operands) => operands
            .iter()
            .find(|one| **one != Operand::Name("_".to_owned())),
        one => Some(one),
    };
    let Some(Operand::Name(name)) = first else {
        return Ok(kind.class());
    };
    match call.scope.declared(name) {
        Some(slot) if slot.class == Class::Predicate => Err("not known of predicates".to_owned()),
        Some(slot) if slot.class == Class::Word && kind.bits() == 64 => {
            Err("a register is too small".to_owned())
        }
        Some(slot) => Ok(slot.class),
        None => Ok(kind.class()),
    }
}

fn loading(kind: Kind, class: Class) -> Load {
    fn into<C: Cell>(kind: Kind) -> Load {
        match (kind.bits(), kind.signed()) {
            (8, false) => load::<u8, C>,
            (8, true) => load::<i8, C>,
            (16, false) => load::<u16, C>,
            (16, true) => load::<i16, C>,
            (32, false) => load::<u32, C>,
            (32, true) => load::<i32, C>,
            _ => load::<u64, C>,
        }
    }
    if class == Class::Long {
        into::<u64>(kind)
    } else {
        into::<u32>(kind)
    }
}

fn storing(kind: Kind, class: Class) -> Store {
    fn from<C: Cell>(kind: Kind) -> Store {
        match kind.bits() {
            8 => store::<u8, C>,
            16 => store::<u16, C>,
            32 => store::<u32, C>,
            _ => store::<u64, C>,
        }
    }
    if class == Class::Long {
        from::<u64>(kind)
    } else {
        from::<u32>(kind)
    }
}

/// Parameters are the same for all lanes.
fn parameters(
    call: &mut Call<'_>,
    kind: Kind,
    (class, rows): (Class, Vec<usize>),
) -> Decoded<Operation> {
    let Operand::Address(base, offset) = call.operand(1)? else {
        return Err("an operand that should be an address is none".to_owned());
    };
    let Operand::Name(name) = base.as_ref() else {
        return Err("a parameter that has no name".to_owned());
    };
    let parameter = call.scope.parameters.get(name);
    let start =
        *parameter.ok_or_else(|| format!("`{name}` is no parameter, and others are not known"))?;
    let bytes = kind.bits() as usize / 8;
    let at = start.checked_add_signed(*offset as isize);
    let within = |at: &usize| at + bytes * rows.len() <= call.scope.parameter_bytes;
    let at = at.filter(within).ok_or("what is beyond the parameters")?;
    let work: Work = Box::new(move |registers, mask| {
        for (index, &row) in rows.iter().enumerate() {
            let mut wide = [0; 8];
            wide[..bytes].copy_from_slice(&registers.parameters[at + index * bytes..][..bytes]);
            let spare = 64 - 8 * bytes as u32;
            let bits = u64::from_le_bytes(wide) << spare;
            let bits = if kind.signed() {
                (bits as i64 >> spare) as u64
            } else {
                bits >> spare
            };
            match class {
                Class::Long => registers.write(row, mask, &[bits; LANES]),
                _ => registers.write(row, mask, &[bits as u32; LANES]),
            }
        }
    });
    Ok(Operation::Lanes(work))
}

impl Call<'_> {
    /// The row of a word or a long that is read, of a register or a number.
    pub fn value(&mut self, index: usize, kind: Kind) -> Decoded<usize> {
        let operand = self.operand(index)?;
        self.scope.source(operand, kind.class(), Constant::Bits)
    }
}
