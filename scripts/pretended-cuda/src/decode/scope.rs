//! What names mean in a kernel, and the registers that it needs.

use std::collections::HashMap;

use super::allot::allot;
use super::class::class_of;
use crate::machine::Special;
use crate::machine::program::Needed;
use crate::machine::registers::Class;
use crate::ptx::{Declared, Entry, Operand, Parameter, Variable};

/// A register by its file and its row there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub class: Class,
    pub row: usize,
}

/// Why something is refused.
pub type Decoded<T> = Result<T, String>;

#[derive(Default)]
pub struct Scope {
    pub needed: Needed,
    pub labels: HashMap<String, usize>,
    /// Tables of labels.
    pub tables: HashMap<String, Vec<String>>,
    /// Rows that registers share.
    shared_out: Option<HashMap<String, usize>>,
    /// The innermost last.
    names: Vec<HashMap<String, Slot>>,
    /// Where parameters are, and all their bytes.
    pub parameters: HashMap<String, usize>,
    pub parameter_bytes: usize,
    pub parameter_extents: Vec<(usize, usize)>,
    /// Where variables of shared memory are, and all their bytes. Those as large as a launch asks begin after all others.
    shared: HashMap<String, u64>,
    open_ended: Vec<(String, u64)>,
    pub shared_bytes: u64,
}

impl Scope {
    pub fn new(entry: &Entry) -> Self {
        let mut scope = Self::default();
        scope.open();
        if let Some(allotted) = allot(&entry.body) {
            scope.needed.words = allotted.words;
            scope.needed.longs = allotted.longs;
            scope.needed.predicates = allotted.predicates;
            scope.shared_out = Some(allotted.rows);
        }
        for Parameter { name, bytes, align } in &entry.parameters {
            let at = scope.parameter_bytes.next_multiple_of(*align);
            scope.parameters.insert(name.clone(), at);
            scope.parameter_extents.push((at, *bytes));
            scope.parameter_bytes = at + bytes;
        }
        scope
    }

    pub fn open(&mut self) {
        self.names.push(HashMap::new());
    }

    pub fn close(&mut self) {
        self.names.pop();
    }

    /// Names registers. Those of which the rows were shared out are given these, and no row if nobody has use for them.
    pub fn declare(&mut self, kind: &str, names: &[Declared]) -> Decoded<()> {
        let class =
            class_of(kind).ok_or_else(|| format!("registers of type `.{kind}` are not known"))?;
        for Declared { name, count } in names {
            match count {
                None => self.name(name.clone(), class),
                Some(count) => {
                    (0..*count).for_each(|index| self.name(format!("{name}{index}"), class))
                }
            }
        }
        Ok(())
    }

    fn name(&mut self, name: String, class: Class) {
        let slot = match &self.shared_out {
            None => self.fresh(class),
            Some(rows) => match rows.get(&name) {
                Some(&row) => Slot { class, row },
                None => return,
            },
        };
        if let Some(names) = self.names.last_mut() {
            names.insert(name, slot);
        }
    }

    /// A register that none has yet.
    pub fn fresh(&mut self, class: Class) -> Slot {
        let next = match class {
            Class::Predicate => &mut self.needed.predicates,
            Class::Word => &mut self.needed.words,
            Class::Long => &mut self.needed.longs,
        };
        let row = *next;
        *next += 1;
        Slot { class, row }
    }

    /// A variable in shared memory.
    pub fn variable(&mut self, variable: &Variable) {
        let Variable { name, align, bytes } = variable;
        let Some(bytes) = bytes else {
            self.open_ended.push((name.clone(), *align));
            return;
        };
        let at = self.shared_bytes.next_multiple_of(*align);
        self.shared.insert(name.clone(), at);
        self.shared_bytes = at + bytes;
    }

    /// Places what is as large as a launch asks; all of these begin at the same place.
    pub fn place_open_ended(&mut self) {
        let align = self
            .open_ended
            .iter()
            .map(|(_, align)| *align)
            .max()
            .unwrap_or(1);
        // Where there is nothing before, they begin at 0, which is a multiple of everything.
        self.shared_bytes = self.shared_bytes.next_multiple_of(align);
        for (name, _) in std::mem::take(&mut self.open_ended) {
            self.shared.insert(name, self.shared_bytes);
        }
    }

    pub fn shared_address(&self, name: &str) -> Option<u64> {
        self.shared.get(name).copied()
    }

    pub fn declared(&self, name: &str) -> Option<Slot> {
        self.names
            .iter()
            .rev()
            .find_map(|names| names.get(name))
            .copied()
    }

    /// A register of what is read: a named one, a special one, or one with a constant or an address in it.
    pub fn source(&mut self, operand: &Operand, class: Class, wants: Constant) -> Decoded<usize> {
        if let Operand::Name(name) = operand {
            if let Some(slot) = self.declared(name) {
                return self.of_class(slot, class, name);
            }
            if let Some(special) = special(name) {
                let row = self.special(special);
                return self.of_class(
                    Slot {
                        class: Class::Word,
                        row,
                    },
                    class,
                    name,
                );
            }
            let Some(address) = self.shared_address(name) else {
                return Err(format!("`{name}` is not known"));
            };
            return self.constant(class, address);
        }
        let bits = wants
            .bits(operand)
            .ok_or_else(|| format!("{operand:?} is no operand here"))?;
        self.constant(class, bits)
    }

    pub fn of_class(&self, slot: Slot, class: Class, name: &str) -> Decoded<usize> {
        if slot.class == class {
            return Ok(slot.row);
        }
        Err(format!(
            "`{name}` is of another size than the instruction's type"
        ))
    }

    /// A register with a constant in all lanes.
    pub fn constant(&mut self, class: Class, bits: u64) -> Decoded<usize> {
        let known = match class {
            Class::Predicate => return Err("a constant for a predicate".to_owned()),
            Class::Word => self.needed.word_constants.get(&(bits as u32)),
            Class::Long => self.needed.long_constants.get(&bits),
        };
        if let Some(&row) = known {
            return Ok(row);
        }
        let row = self.fresh(class).row;
        match class {
            Class::Long => self.needed.long_constants.insert(bits, row),
            _ => self.needed.word_constants.insert(bits as u32, row),
        };
        Ok(row)
    }

    fn special(&mut self, special: Special) -> usize {
        let known = self
            .needed
            .specials
            .iter()
            .find(|(other, _)| *other == special);
        if let Some(&(_, row)) = known {
            return row;
        }
        let row = self.fresh(Class::Word).row;
        self.needed.specials.push((special, row));
        row
    }
}

/// How a number that is written is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constant {
    Bits,
    Single,
    Double,
}

impl Constant {
    fn bits(self, operand: &Operand) -> Option<u64> {
        Some(match (self, operand) {
            (Self::Bits, Operand::Whole(value)) => *value as u64,
            (Self::Bits | Self::Single, Operand::Single(bits)) => u64::from(*bits),
            (Self::Bits | Self::Double, Operand::Double(bits)) => *bits,
            (Self::Single, Operand::Double(bits)) => {
                u64::from((f64::from_bits(*bits) as f32).to_bits())
            }
            (Self::Double, Operand::Single(bits)) => f64::from(f32::from_bits(*bits)).to_bits(),
            _ => return None,
        })
    }
}

fn special(name: &str) -> Option<Special> {
    let (name, axis) = match name.rsplit_once('.') {
        Some((name, "x")) => (name, 0),
        Some((name, "y")) => (name, 1),
        Some((name, "z")) => (name, 2),
        Some(_) => return None,
        None => (name, 3),
    };
    Some(match (name, axis) {
        ("%tid", 0..=2) => Special::Thread(axis),
        ("%ntid", 0..=2) => Special::Threads(axis),
        ("%ctaid", 0..=2) => Special::Block(axis),
        ("%nctaid", 0..=2) => Special::Blocks(axis),
        ("%laneid", 3) => Special::Lane,
        ("%warpid", 3) => Special::Warp,
        ("%nwarpid", 3) => Special::Warps,
        ("%lanemask_eq", 3) => Special::Equal,
        ("%lanemask_lt", 3) => Special::Below,
        ("%lanemask_le", 3) => Special::NotAbove,
        ("%lanemask_gt", 3) => Special::Above,
        ("%lanemask_ge", 3) => Special::NotBelow,
        _ => return None,
    })
}
