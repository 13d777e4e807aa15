//! An instruction that is being decoded.

use super::kind::Kind;
use super::scope::{Constant, Decoded, Scope, Slot};
use crate::machine::Operation;
use crate::machine::address::Base;
use crate::machine::lane::{self, Lane};
use crate::machine::memory::Space;
use crate::machine::registers::{Cell, Class};
use crate::ptx::Operand;

pub struct Call<'a> {
    pub scope: &'a mut Scope,
    /// The first word of the opcode.
    pub name: &'a str,
    /// The others that were not understood yet.
    pub modifiers: Vec<&'a str>,
    pub operands: &'a [Operand],
}

impl<'a> Call<'a> {
    pub fn new(scope: &'a mut Scope, opcode: &'a str, operands: &'a [Operand]) -> Self {
        let mut words = opcode.split('.');
        let name = words.next().unwrap_or_default();
        Self {
            scope,
            name,
            modifiers: words.collect(),
            operands,
        }
    }

    /// Whether a modifier is there; it is understood then.
    pub fn has(&mut self, modifier: &str) -> bool {
        let found = self.modifiers.iter().position(|word| *word == modifier);
        found.map(|at| self.modifiers.remove(at)).is_some()
    }

    /// Drops modifiers that change nothing here.
    pub fn ignore(&mut self, which: impl Fn(&str) -> bool) {
        self.modifiers.retain(|word| !which(word));
    }

    /// The first modifier of those that are left.
    pub fn next(&mut self) -> Decoded<&'a str> {
        if self.modifiers.is_empty() {
            return Err("a modifier is missing".to_owned());
        }
        Ok(self.modifiers.remove(0))
    }

    /// The next modifier, which must be this one.
    pub fn expect(&mut self, modifier: &str) -> Decoded<()> {
        match self.next()? {
            found if found == modifier => Ok(()),
            found => Err(format!("`.{found}` is not known here")),
        }
    }

    /// The next modifier that is a type.
    pub fn kind(&mut self) -> Decoded<Kind> {
        let found = self
            .modifiers
            .iter()
            .position(|word| Kind::of(word).is_some());
        let at = found.ok_or("there is no type that is known")?;
        Kind::of(self.modifiers.remove(at)).ok_or_else(String::new)
    }

    /// All modifiers must have been understood.
    pub fn finish(&self) -> Decoded<()> {
        match self.modifiers.first() {
            Some(word) => Err(format!("`.{word}` is not known here")),
            None => Ok(()),
        }
    }

    pub fn operand(&self, index: usize) -> Decoded<&'a Operand> {
        self.operands
            .get(index)
            .ok_or_else(|| format!("operand {} is missing", index + 1))
    }

    pub fn count(&self, count: usize) -> Decoded<()> {
        if self.operands.len() == count {
            return Ok(());
        }
        Err(format!(
            "{} operands where {count} are known",
            self.operands.len()
        ))
    }

    /// The register that something is written to.
    pub fn slot(&mut self, operand: &Operand) -> Decoded<Slot> {
        match operand {
            Operand::Name(name) => self
                .scope
                .declared(name)
                .ok_or_else(|| format!("`{name}` is not known")),
            _ => Err(format!("{operand:?} cannot be written to")),
        }
    }

    /// The row of what is written, where `_` is one that nobody reads.
    pub fn target(&mut self, operand: &Operand, class: Class) -> Decoded<usize> {
        if *operand == Operand::Name("_".to_owned()) {
            return Ok(self.scope.fresh(class).row);
        }
        let slot = self.slot(operand)?;
        self.scope.of_class(slot, class, &format!("{operand:?}"))
    }

    pub fn to(&mut self, index: usize, class: Class) -> Decoded<usize> {
        let operand = self.operand(index)?;
        self.target(operand, class)
    }

    pub fn from(&mut self, index: usize, class: Class) -> Decoded<usize> {
        let operand = self.operand(index)?;
        self.scope.source(operand, class, Constant::Bits)
    }

    fn lane<L: Lane>(&mut self, index: usize) -> Decoded<usize> {
        let operand = self.operand(index)?;
        self.scope.source(operand, L::Cell::CLASS, wanted::<L>())
    }

    /// A register list's rows, or the one register's.
    pub fn rows(&mut self, index: usize, class: Class, written: bool) -> Decoded<Vec<usize>> {
        let operand = self.operand(index)?;
        let all = match operand {
            Operand::List(operands) => operands.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut rows = Vec::new();
        for operand in all {
            rows.push(if written {
                self.target(operand, class)?
            } else {
                self.scope.source(operand, class, Constant::Bits)?
            });
        }
        Ok(rows)
    }

    /// A number that is written out.
    pub fn literal(&self, index: usize) -> Decoded<i128> {
        match self.operand(index)? {
            Operand::Whole(value) => Ok(*value),
            other => Err(format!("{other:?} where only a number is known")),
        }
    }

    /// The memory that modifiers name.
    pub fn space(&mut self) -> Space {
        if self.has("global") {
            Space::Global
        } else if self.has("shared") || self.has("shared::cta") {
            Space::Shared
        } else {
            Space::Generic
        }
    }

    /// An operand that is an address: what holds it and what is added.
    pub fn address(&mut self, index: usize) -> Decoded<(Base, i64)> {
        let Operand::Address(base, offset) = self.operand(index)? else {
            return Err("an operand that should be an address is none".to_owned());
        };
        let base = match base.as_ref() {
            Operand::Whole(value) => Base::Fixed(*value as u64),
            Operand::Name(name) => {
                match (self.scope.declared(name), self.scope.shared_address(name)) {
                    (
                        Some(Slot {
                            class: Class::Word,
                            row,
                        }),
                        _,
                    ) => Base::Word(row),
                    (
                        Some(Slot {
                            class: Class::Long,
                            row,
                        }),
                        _,
                    ) => Base::Long(row),
                    (None, Some(address)) => Base::Fixed(address),
                    _ => return Err(format!("`{name}` is no address that is known")),
                }
            }
            other => return Err(format!("{other:?} is no address that is known")),
        };
        Ok((base, *offset))
    }

    pub fn one<A: Lane, R: Lane>(
        &mut self,
        f: impl Fn(A) -> R + Send + Sync + 'static,
    ) -> Decoded<Operation> {
        self.count(2)?;
        let to = self.to(0, R::Cell::CLASS)?;
        let a = self.lane::<A>(1)?;
        Ok(Operation::Lanes(lane::one(to, a, f)))
    }

    pub fn two<A: Lane, B: Lane, R: Lane>(
        &mut self,
        f: impl Fn(A, B) -> R + Send + Sync + 'static,
    ) -> Decoded<Operation> {
        self.count(3)?;
        let to = self.to(0, R::Cell::CLASS)?;
        let from = (self.lane::<A>(1)?, self.lane::<B>(2)?);
        Ok(Operation::Lanes(lane::two(to, from, f)))
    }

    pub fn three<A: Lane, B: Lane, C: Lane, R: Lane>(
        &mut self,
        f: impl Fn(A, B, C) -> R + Send + Sync + 'static,
    ) -> Decoded<Operation> {
        self.count(4)?;
        let to = self.to(0, R::Cell::CLASS)?;
        let from = (self.lane::<A>(1)?, self.lane::<B>(2)?, self.lane::<C>(3)?);
        Ok(Operation::Lanes(lane::three(to, from, f)))
    }

    pub fn four<A: Lane, B: Lane, C: Lane, D: Lane, R: Lane>(
        &mut self,
        f: impl Fn(A, B, C, D) -> R + Send + Sync + 'static,
    ) -> Decoded<Operation> {
        self.count(5)?;
        let to = self.to(0, R::Cell::CLASS)?;
        let (a, b) = (self.lane::<A>(1)?, self.lane::<B>(2)?);
        let (c, d) = (self.lane::<C>(3)?, self.lane::<D>(4)?);
        Ok(Operation::Lanes(lane::four(to, [a, b, c, d], f)))
    }

    /// The rows of what a comparison holds against each other.
    pub fn compared<A: Lane>(&mut self, first: usize) -> Decoded<(usize, usize)> {
        Ok((self.lane::<A>(first)?, self.lane::<A>(first + 1)?))
    }
}

/// How numbers of a type are written.
fn wanted<L: Lane>() -> Constant {
    let of = std::any::TypeId::of::<L>();
    if of == std::any::TypeId::of::<f32>() {
        Constant::Single
    } else if of == std::any::TypeId::of::<f64>() {
        Constant::Double
    } else {
        Constant::Bits
    }
}
