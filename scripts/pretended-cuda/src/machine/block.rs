//! A block: warps that run one after another to the next barrier.

use super::global::Global;
use super::launch::Launch;
use super::memory::Memory;
use super::program::Special;
use super::race::Accessor;
use super::registers::{Cell, LANES, Mask};
use super::shared::Shared;
use super::trouble::Trouble;
use super::warp::{Stop, Warp};
use crate::code::LAUNCH_FAILED;
use crate::matrix::Scratch;
use crate::settings::SETTINGS;

/// What runs blocks, one after another, and is used again by later launches.
#[derive(Default)]
pub struct Worker {
    warps: Vec<Warp>,
    pub shared: Shared,
    scratch: Box<Scratch>,
    /// What was not defined but did no harm.
    pub oddity: Option<(u32, String)>,
}

/// Trouble, and whose.
pub struct Met {
    pub trouble: Trouble,
    pub warp: usize,
    pub line: u32,
}

impl Worker {
    /// Makes it ready for the blocks of a launch.
    pub fn prepare(&mut self, launch: &Launch<'_>) {
        self.oddity = None;
        let needed = &launch.program.registers;
        let warps = launch.threads().div_ceil(LANES);
        self.warps.resize_with(warps, Warp::default);
        for (index, warp) in self.warps.iter_mut().enumerate() {
            warp.instructions = 0;
            let registers = &mut warp.registers;
            registers.reset(needed.words, needed.longs, needed.predicates);
            registers.parameters = launch.parameters.clone();
            for (&bits, &row) in &needed.word_constants {
                *u32::row_mut(registers, row) = [bits; LANES];
            }
            for (&bits, &row) in &needed.long_constants {
                *u64::row_mut(registers, row) = [bits; LANES];
            }
            for &(special, row) in &needed.specials {
                *u32::row_mut(registers, row) = values(special, launch, index);
            }
        }
        // A race needs two warps.
        let races = SETTINGS.races && warps > 1;
        self.shared
            .resize(launch.program.shared + launch.shared, races);
    }

    /// Runs one block. An error is told with the warp that met it and its line.
    pub fn run(
        &mut self,
        launch: &Launch<'_>,
        block: [u32; 3],
        global: Global<'_>,
    ) -> Result<(), Met> {
        self.shared.begin();
        let by = Accessor { warp: 0, line: 0 };
        let shared = &mut self.shared;
        let oddity = self.oddity.take();
        let mut memory = Memory {
            global,
            shared,
            scratch: &mut self.scratch,
            by,
            oddity,
        };
        let threads = launch.threads();
        for (index, warp) in self.warps.iter_mut().enumerate() {
            for &(special, row) in &launch.program.registers.specials {
                if let Special::Block(axis) = special {
                    *u32::row_mut(&mut warp.registers, row) = [block[axis]; LANES];
                }
            }
            let left = threads - index * LANES;
            warp.begin(if left >= LANES {
                Mask::MAX
            } else {
                (1 << left) - 1
            });
        }
        loop {
            let mut barrier = None;
            for (index, warp) in self.warps.iter_mut().enumerate() {
                memory.by.warp = index as u32;
                let stop = warp.run(launch.program, &mut memory);
                let line = memory.by.line;
                let met = |trouble| Met {
                    trouble,
                    warp: index,
                    line,
                };
                let Stop::Barrier(which) = stop.map_err(met)? else {
                    continue;
                };
                if barrier.is_some_and(|other| other != which) {
                    let what = "warps wait at different barriers";
                    return Err(met(Trouble::new(LAUNCH_FAILED, 0, what)));
                }
                barrier = Some(which);
            }
            if barrier.is_none() {
                self.oddity = memory.oddity;
                return Ok(());
            }
            memory.shared.barrier();
        }
    }

    pub fn instructions(&self) -> u64 {
        self.warps.iter().map(|warp| warp.instructions).sum()
    }
}

/// What a special register is in the lanes of a warp.
fn values(special: Special, launch: &Launch<'_>, warp: usize) -> [u32; LANES] {
    let [x, y, _] = launch.block;
    std::array::from_fn(|lane| {
        let thread = (warp * LANES + lane) as u32;
        let bit = 1_u32 << lane;
        match special {
            Special::Thread(0) => thread % x,
            Special::Thread(1) => thread / x % y,
            Special::Thread(_) => thread / x / y,
            Special::Threads(axis) => launch.block[axis],
            Special::Blocks(axis) => launch.grid[axis],
            // Set when a block begins.
            Special::Block(_) => 0,
            Special::Lane => lane as u32,
            Special::Warp => warp as u32,
            Special::Warps => launch.threads().div_ceil(LANES) as u32,
            Special::Equal => bit,
            Special::Below => bit - 1,
            Special::NotAbove => bit | (bit - 1),
            Special::Above => !(bit | (bit - 1)),
            Special::NotBelow => !(bit - 1),
        }
    })
}
