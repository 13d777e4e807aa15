//! `wmma.load` and `wmma.store`: fragments from memory and to it.

use super::fragment::{MOST, Number};
use crate::code::MISALIGNED_ADDRESS;
use crate::machine::access::Element;
use crate::machine::address::Base;
use crate::machine::kind::Kind;
use crate::machine::memory::Space;
use crate::machine::registers::{Cell, LANES, Mask, Registers, lanes};
use crate::machine::{Memory, Trouble};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Load,
    Store,
}

pub struct Transfer {
    pub direction: Direction,
    pub number: Number,
    /// Rows and columns.
    pub size: (usize, usize),
    /// Whether columns, not rows, lie side by side in memory.
    pub by_columns: bool,
    pub space: Space,
    pub base: Base,
    pub offset: i64,
    /// The register with the elements from a row to the next, or the column; none where they follow each other.
    pub stride: Option<usize>,
    pub registers: Vec<usize>,
}

impl Transfer {
    pub fn run(
        &self,
        registers: &mut Registers,
        mask: Mask,
        memory: &mut Memory<'_>,
    ) -> Result<(), Trouble> {
        let addresses = self.base.addresses(registers, self.offset, mask);
        let start = same("address", &addresses, mask)?;
        let (lines, length) = self.lines();
        let stride = match self.stride {
            Some(row) => same("stride", u32::row(registers, row), mask)?,
            None => length as u32,
        };
        let bytes = self.number.bytes();
        let step = u64::from(stride) * bytes as u64;
        let mut reached = [0; LANES];
        for (line, reached) in reached[..lines].iter_mut().enumerate() {
            let address = start + line as u64 * step;
            self.check_aligned(address)?;
            let kind = match self.direction {
                Direction::Load => Kind::Read,
                Direction::Store => Kind::Write,
            };
            *reached = memory.stretch(self.space, address, (length * bytes) as u64, kind)?;
        }
        match self.direction {
            Direction::Load => self.load(registers, mask, &reached),
            Direction::Store => self.store(registers, mask, &reached),
        }
        Ok(())
    }

    /// Stretches of memory and the elements of each.
    fn lines(&self) -> (usize, usize) {
        let (rows, columns) = self.size;
        if self.by_columns {
            (columns, rows)
        } else {
            (rows, columns)
        }
    }

    /// Where an element, counted row after row, lies in memory.
    fn address(&self, element: usize, lines: &[u64; LANES]) -> u64 {
        let (row, column) = (element / self.size.1, element % self.size.1);
        let (line, at) = if self.by_columns {
            (column, row)
        } else {
            (row, column)
        };
        lines[line] + (at * self.number.bytes()) as u64
    }

    /// A line must begin at a multiple of what a lane has of the fragment, or of 16 bytes where that is more.
    fn check_aligned(&self, address: u64) -> Result<(), Trouble> {
        let align = (self.registers.len() as u64 * 4).min(16);
        if address.is_multiple_of(align) {
            return Ok(());
        }
        let what = format!("a matrix has a line at {address:#x}, which is no multiple of {align}");
        Err(Trouble::new(MISALIGNED_ADDRESS, 0, what))
    }

    fn load(&self, registers: &mut Registers, mask: Mask, lines: &[u64; LANES]) {
        let mut words = [0_u32; MOST];
        if self.by_columns {
            self.gather(&mut words, lines);
        } else {
            self.copy(&mut words, lines);
        }
        for (&row, words) in self.registers.iter().zip(words.as_chunks::<LANES>().0) {
            registers.write::<u32>(row, mask, words);
        }
    }

    /// Rows are in registers as they are in memory.
    fn copy(&self, words: &mut [u32; MOST], lines: &[u64; LANES]) {
        let length = self.size.1 * self.number.bytes() / 8;
        let (longs, _) = words.as_chunks_mut::<2>();
        for (line, longs) in lines
            .iter()
            .zip(longs.chunks_exact_mut(length))
            .take(self.size.0)
        {
            for (at, long) in longs.iter_mut().enumerate() {
                // SAFETY: each line was held against its memory, and it begins at a multiple of eight.
                let bits = unsafe { u64::read(line + at as u64 * 8) };
                *long = [bits as u32, (bits >> 32) as u32];
            }
        }
    }

    fn gather(&self, words: &mut [u32; MOST], lines: &[u64; LANES]) {
        for element in 0..self.size.0 * self.size.1 {
            let at = self.address(element, lines);
            // SAFETY: each line was held against its memory, and it begins at a multiple of the element's size.
            match self.number.bytes() {
                2 => words[element / 2] |= unsafe { u16::read(at) as u32 } << (16 * (element % 2)),
                _ => words[element] = unsafe { u32::read(at) as u32 },
            }
        }
    }

    fn store(&self, registers: &Registers, mask: Mask, lines: &[u64; LANES]) {
        for (index, &row) in self.registers.iter().enumerate() {
            let words = u32::row(registers, row);
            for lane in lanes(mask) {
                // SAFETY: each line was held against its memory, and it begins at a multiple of the element's size.
                unsafe {
                    u32::write(
                        self.address(index * LANES + lane, lines),
                        u64::from(words[lane]),
                    )
                };
            }
        }
    }
}

/// What all lanes must have the same of.
fn same<T: Copy + PartialEq>(what: &str, of: &[T; LANES], mask: Mask) -> Result<T, Trouble> {
    let first = of[mask.trailing_zeros() as usize % LANES];
    if lanes(mask).any(|lane| of[lane] != first) {
        return Err(Trouble::of_warp(
            mask,
            format!("lanes differ in the {what} of a matrix"),
        ));
    }
    Ok(first)
}
