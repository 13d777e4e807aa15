//! Fragments: matrices spread over the registers of a warp.

use crate::machine::registers::{Cell, LANES, Registers};
use crate::number::{bf16_wide, f16_wide, tf32_seen};

/// The most elements of a fragment.
pub const MOST: usize = 512;

/// The numbers that a fragment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    F16,
    Bf16,
    Tf32,
    F32,
}

impl Number {
    pub fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::Tf32 | Self::F32 => 4,
        }
    }

    /// Elements of a register.
    pub fn packed(self) -> usize {
        4 / self.bytes()
    }
}

/// What a tensor core reads in a register's words, one after another; the second half is of use only where a word has two.
#[inline(always)]
fn unpack(words: &[u32; LANES], number: Number) -> [f32; 2 * LANES] {
    let mut elements = [0.0; 2 * LANES];
    match number {
        Number::F16 => unpack_pairs(words, &mut elements, f16_wide),
        Number::Bf16 => unpack_pairs(words, &mut elements, bf16_wide),
        Number::Tf32 => {
            for (element, &word) in elements.iter_mut().zip(words) {
                *element = tf32_seen(word);
            }
        }
        Number::F32 => {
            for (element, &word) in elements.iter_mut().zip(words) {
                *element = f32::from_bits(word);
            }
        }
    }
    elements
}

#[inline(always)]
fn unpack_pairs(words: &[u32; LANES], elements: &mut [f32; 2 * LANES], wide: impl Fn(u16) -> f32) {
    for (lane, &word) in words.iter().enumerate() {
        elements[2 * lane] = wide(word as u16);
        elements[2 * lane + 1] = wide((word >> 16) as u16);
    }
}

/// Rows of a product, its columns, and what is summed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

/// Which matrix of `d = a b + c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    A,
    B,
    C,
}

impl Shape {
    /// Rows and columns of a matrix.
    pub fn of(self, part: Part) -> (usize, usize) {
        match part {
            Part::A => (self.m, self.k),
            Part::B => (self.k, self.n),
            Part::C => (self.m, self.n),
        }
    }

    /// The registers that a matrix takes.
    pub fn registers(self, part: Part, number: Number) -> usize {
        let (rows, columns) = self.of(part);
        rows * columns / number.packed() / LANES
    }
}

/// A matrix, row after row.
pub type Elements = [f32; MOST];

/// Room for the matrices of a product, which is slow to clear each time.
pub struct Scratch {
    pub a: Elements,
    pub b: Elements,
    pub sums: Elements,
}

impl Default for Scratch {
    fn default() -> Self {
        let empty = [0.0; MOST];
        Self {
            a: empty,
            b: empty,
            sums: empty,
        }
    }
}

/// A fragment as `wmma` has it. Which lane holds what is the device's own affair; here words follow one another, row after row.
pub fn read_plain(registers: &Registers, rows: &[usize], number: Number, into: &mut Elements) {
    match number.packed() {
        1 => read_words::<LANES>(registers, rows, number, into),
        _ => read_words::<{ 2 * LANES }>(registers, rows, number, into),
    }
}

fn read_words<const COUNT: usize>(
    registers: &Registers,
    rows: &[usize],
    number: Number,
    into: &mut Elements,
) {
    for (&row, part) in rows.iter().zip(into.as_chunks_mut::<COUNT>().0) {
        let elements = unpack(u32::row(registers, row), number);
        part.copy_from_slice(&elements[..COUNT]);
    }
}

pub fn write_plain(registers: &mut Registers, rows: &[usize], elements: &Elements) {
    for (&row, part) in rows.iter().zip(elements.as_chunks::<LANES>().0) {
        let words = u32::row_mut(registers, row);
        for (word, element) in words.iter_mut().zip(part) {
            *word = element.to_bits();
        }
    }
}

/// Fragments A and B as `mma` documents them. Four lanes have what lies side by side in a row of A, or below each other in a
/// column of B: so many elements that a register of all lanes has eight such stretches.
pub fn read_placed(
    registers: &Registers,
    rows: &[usize],
    (part, number): (Part, Number),
    shape: Shape,
    into: &mut Elements,
) {
    let columns = shape.of(part).1;
    match (part, number.packed()) {
        (Part::A, 1) => read_rows::<4>(registers, rows, number, columns, into),
        (Part::A, _) => read_rows::<8>(registers, rows, number, columns, into),
        (_, 1) => read_columns::<4>(registers, rows, number, into),
        _ => read_columns::<8>(registers, rows, number, into),
    }
}

fn read_rows<const WIDTH: usize>(
    registers: &Registers,
    rows: &[usize],
    number: Number,
    columns: usize,
    into: &mut Elements,
) {
    for (register, &row) in rows.iter().enumerate() {
        let elements = unpack(u32::row(registers, row), number);
        let start = 8 * (register & 1) * columns + WIDTH * (register >> 1);
        for (group, stretch) in elements.as_chunks::<WIDTH>().0.iter().take(8).enumerate() {
            into[start + group * columns..][..WIDTH].copy_from_slice(stretch);
        }
    }
}

fn read_columns<const WIDTH: usize>(
    registers: &Registers,
    rows: &[usize],
    number: Number,
    into: &mut Elements,
) {
    for (&row, into) in rows.iter().zip(into.chunks_exact_mut(8 * WIDTH)) {
        let elements = unpack(u32::row(registers, row), number);
        for below in 0..WIDTH {
            for group in 0..8 {
                into[8 * below + group] = elements[WIDTH * group + below];
            }
        }
    }
}

/// The sums as `mma` documents them, which have rows of eight: two registers share what two of a word would.
pub fn read_sums(registers: &Registers, rows: &[usize], into: &mut Elements) {
    for (pair, into) in rows
        .as_chunks::<2>()
        .0
        .iter()
        .zip(into.as_chunks_mut::<64>().0)
    {
        let [first, second] = pair.map(|row| u32::row(registers, row));
        for lane in 0..LANES {
            into[2 * lane] = f32::from_bits(first[lane]);
            into[2 * lane + 1] = f32::from_bits(second[lane]);
        }
    }
}

pub fn write_sums(registers: &mut Registers, rows: &[usize], elements: &Elements) {
    for (pair, from) in rows
        .as_chunks::<2>()
        .0
        .iter()
        .zip(elements.as_chunks::<64>().0)
    {
        for (which, &row) in pair.iter().enumerate() {
            let words = u32::row_mut(registers, row);
            for lane in 0..LANES {
                words[lane] = from[2 * lane + which].to_bits();
            }
        }
    }
}
