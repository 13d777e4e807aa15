//! A kernel as it is run.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use super::access::Access;
use super::collective::Collective;
use super::lane::Work;
use super::registers::{Mask, Registers};
use crate::matrix::Matrix;

/// A kernel's instructions and what they need.
pub struct Program {
    pub name: String,
    pub code: Vec<Instruction>,
    /// Bytes of all parameters, and where each is and how long.
    pub parameter_bytes: usize,
    pub parameters: Vec<(usize, usize)>,
    /// The block that it must be launched with.
    pub block: Option<[u32; 3]>,
    /// Shared memory besides what a launch asks for.
    pub shared: usize,
    pub registers: Needed,
    /// What was told of it already; once is enough of each kernel.
    pub told: Told,
}

/// Whether a kind of finding was told of.
#[derive(Default)]
pub struct Told {
    pub fault: AtomicBool,
    pub race: AtomicBool,
    pub oddity: AtomicBool,
}

/// The registers of a warp and what is in some from the start.
#[derive(Default)]
pub struct Needed {
    pub words: usize,
    pub longs: usize,
    pub predicates: usize,
    pub word_constants: HashMap<u32, usize>,
    pub long_constants: HashMap<u64, usize>,
    pub specials: Vec<(Special, usize)>,
}

/// A register that tells a lane where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// Of the thread in its block, by axis.
    Thread(usize),
    /// Threads of a block.
    Threads(usize),
    /// Of the block in its grid.
    Block(usize),
    /// Blocks of the grid.
    Blocks(usize),
    Lane,
    Warp,
    Warps,
    Equal,
    Below,
    NotAbove,
    Above,
    NotBelow,
}

pub struct Instruction {
    pub guard: Option<Guard>,
    pub operation: Operation,
    pub line: u32,
}

/// Lanes of which a predicate is not so are left out.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    pub predicate: usize,
    pub negated: bool,
}

impl Guard {
    #[inline]
    pub fn lanes(self, registers: &Registers) -> Mask {
        let bits = registers.predicate(self.predicate);
        if self.negated { !bits } else { bits }
    }
}

/// A branch of each lane to a place of its own.
pub struct Switch {
    /// The register that has the number of its place.
    pub number: usize,
    pub places: Vec<usize>,
}

pub enum Operation {
    Lanes(Work),
    Access(Box<Access>),
    Collective(Box<Collective>),
    /// What all 32 lanes do as one.
    Matrix(Box<Matrix>),
    Branch(usize),
    Switch(Switch),
    Barrier(u32),
    Exit,
    /// What orders things that are ordered here anyway.
    Nothing,
    Trap,
}
