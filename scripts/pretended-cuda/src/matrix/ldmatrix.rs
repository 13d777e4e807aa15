//! `ldmatrix`: 8 by 8 matrices of 16-bit elements from shared memory, the rows of which lanes name.

use crate::machine::access::Element;
use crate::machine::address::Base;
use crate::machine::kind::Kind;
use crate::machine::memory::Space;
use crate::machine::registers::{ALL, LANES, Mask, Registers};
use crate::machine::{Memory, Trouble};

/// Bytes of a row.
const ROW: u64 = 16;

pub struct Rows {
    /// A register for each matrix: one, two or four.
    pub to: Vec<usize>,
    pub transposed: bool,
    pub space: Space,
    pub base: Base,
    pub offset: i64,
}

impl Rows {
    pub fn run(&self, registers: &mut Registers, memory: &mut Memory<'_>) -> Result<(), Trouble> {
        let named = 8 * self.to.len();
        let mask = if named == LANES {
            ALL
        } else {
            (1 << named) - 1 as Mask
        };
        let mut rows = self.base.addresses(registers, self.offset, mask);
        memory.reach(self.space, &mut rows, mask, ROW, Kind::Read)?;
        for (&to, rows) in self.to.iter().zip(rows.as_chunks::<8>().0) {
            let words = std::array::from_fn(|lane| {
                let (group, pair) = (lane / 4, lane % 4 * 2);
                let [low, high] = [pair, pair + 1].map(|second| {
                    let (row, column) = if self.transposed {
                        (second, group)
                    } else {
                        (group, second)
                    };
                    // SAFETY: the row was held against its memory, and it begins at a multiple of its size.
                    unsafe { u16::read(rows[row] + column as u64 * 2) as u32 }
                });
                low | high << 16
            });
            registers.write::<u32>(to, ALL, &words);
        }
        Ok(())
    }
}
