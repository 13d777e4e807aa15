//! The registers of a warp: a row of lanes each.

use std::sync::Arc;

pub const LANES: usize = 32;

/// A bit of each lane.
pub type Mask = u32;

pub const ALL: Mask = Mask::MAX;

/// What a register is in each lane.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct Row<T>(pub [T; LANES]);

/// Registers are in files by their size. One of 16 bits is a word of which the upper half is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    Predicate,
    Word,
    Long,
}

#[derive(Debug, Default)]
pub struct Registers {
    words: Vec<Row<u32>>,
    longs: Vec<Row<u64>>,
    predicates: Vec<Mask>,
    /// What the launch gave the kernel.
    pub parameters: Arc<[u8]>,
}

/// What a register of a file holds.
pub trait Cell: Copy + Default + Send + Sync + 'static {
    const CLASS: Class;
    fn row(registers: &Registers, at: usize) -> &[Self; LANES];
    fn row_mut(registers: &mut Registers, at: usize) -> &mut [Self; LANES];
    fn of_bits(bits: u64) -> Self;
    fn bits(self) -> u64;
    /// The first where the lane's bit is set, else the second; by arithmetic, of which loops make wide instructions.
    fn choose(bits: Mask, lane: usize, a: Self, b: Self) -> Self;
}

impl Cell for u32 {
    const CLASS: Class = Class::Word;
    fn row(registers: &Registers, at: usize) -> &[Self; LANES] {
        &registers.words[at].0
    }
    fn row_mut(registers: &mut Registers, at: usize) -> &mut [Self; LANES] {
        &mut registers.words[at].0
    }
    fn of_bits(bits: u64) -> Self {
        bits as Self
    }
    fn bits(self) -> u64 {
        u64::from(self)
    }
    #[inline(always)]
    fn choose(bits: Mask, lane: usize, a: Self, b: Self) -> Self {
        let all = (0 as Self).wrapping_sub(bits >> lane & 1);
        (a & all) | (b & !all)
    }
}

impl Cell for u64 {
    const CLASS: Class = Class::Long;
    fn row(registers: &Registers, at: usize) -> &[Self; LANES] {
        &registers.longs[at].0
    }
    fn row_mut(registers: &mut Registers, at: usize) -> &mut [Self; LANES] {
        &mut registers.longs[at].0
    }
    fn of_bits(bits: u64) -> Self {
        bits
    }
    fn bits(self) -> u64 {
        self
    }
    #[inline(always)]
    fn choose(bits: Mask, lane: usize, a: Self, b: Self) -> Self {
        let all = (0 as Self).wrapping_sub(Self::from(bits >> lane & 1));
        (a & all) | (b & !all)
    }
}

impl Registers {
    /// Makes them as many as a program needs, all zero.
    pub fn reset(&mut self, words: usize, longs: usize, predicates: usize) {
        self.words.clear();
        self.words.resize(words, Row([0; LANES]));
        self.longs.clear();
        self.longs.resize(longs, Row([0; LANES]));
        self.predicates.clear();
        self.predicates.resize(predicates, 0);
    }

    /// Puts values into the lanes of a mask. It is not to be inlined: loops that make values would be taken apart into lanes
    /// then, and not be a few wide instructions.
    #[inline(never)]
    pub fn write<C: Cell>(&mut self, to: usize, mask: Mask, values: &[C; LANES]) {
        let row = C::row_mut(self, to);
        if mask == ALL {
            *row = *values;
            return;
        }
        for lane in 0..LANES {
            row[lane] = C::choose(mask, lane, values[lane], row[lane]);
        }
    }

    #[inline]
    pub fn predicate(&self, at: usize) -> Mask {
        self.predicates[at]
    }

    /// Puts bits into the lanes of a mask.
    #[inline]
    pub fn write_predicate(&mut self, to: usize, mask: Mask, bits: Mask) {
        let row = &mut self.predicates[to];
        *row = *row & !mask | bits & mask;
    }
}

/// The lanes of a mask, lowest first.
pub fn lanes(mut mask: Mask) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (lane < LANES).then_some(lane)
    })
}
