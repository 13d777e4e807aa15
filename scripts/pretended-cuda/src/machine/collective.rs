//! What lanes of a warp do together.

use super::lane::Work;
use super::registers::{Cell, LANES, Mask, Registers, lanes};
use super::trouble::Trouble;

pub struct Collective {
    /// The register that names who takes part; none where whoever is there does.
    pub members: Option<usize>,
    pub action: Action,
}

pub enum Action {
    /// To be there is all.
    Meet,
    Shuffle(Shuffle),
    /// What is found by looking at a predicate or a register of all.
    Work(Work),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Up,
    Down,
    Butterfly,
    Index,
}

pub struct Shuffle {
    pub mode: Mode,
    pub to: usize,
    /// Whether the lane that was asked for is one of the segment.
    pub within: Option<usize>,
    pub from: usize,
    pub which: usize,
    pub segment: usize,
}

/// What a lane gets that asks one that does not take part: a number that is none.
const FROM_NOBODY: u32 = u32::MAX;

impl Collective {
    /// The lanes that must be there.
    pub fn members(&self, registers: &Registers, mask: Mask) -> Mask {
        let one = mask.trailing_zeros() as usize % LANES;
        self.members
            .map_or(mask, |row| u32::row(registers, row)[one])
    }

    pub fn run(&self, registers: &mut Registers, mask: Mask) -> Result<(), Trouble> {
        let members = self.members(registers, mask);
        if mask & !members != 0 {
            let what = format!("lanes {mask:#x} execute what only {members:#x} take part in");
            return Err(Trouble::of_warp(mask & !members, what));
        }
        match &self.action {
            Action::Meet => {}
            Action::Shuffle(shuffle) => shuffle.run(registers, mask),
            Action::Work(work) => work(registers, mask),
        }
        Ok(())
    }
}

impl Shuffle {
    fn run(&self, registers: &mut Registers, mask: Mask) {
        let from = *u32::row(registers, self.from);
        let mut inside = 0;
        for lane in lanes(mask) {
            let which = u32::row(registers, self.which)[lane];
            let segment = u32::row(registers, self.segment)[lane];
            let (source, within) = self.source(lane as u32, which, segment);
            inside |= Mask::from(within) << lane;
            u32::row_mut(registers, self.to)[lane] = if mask >> source & 1 != 0 {
                from[source as usize]
            } else {
                FROM_NOBODY
            };
        }
        if let Some(within) = self.within {
            registers.write_predicate(within, mask, inside);
        }
    }

    /// The lane that a lane reads, and whether it is the one that was asked for.
    fn source(&self, lane: u32, which: u32, segment: u32) -> (u32, bool) {
        let (which, clamp, segment) = (which & 31, segment & 31, segment >> 8 & 31);
        let last = lane & segment | clamp & !segment;
        let first = lane & segment;
        let (source, within) = match self.mode {
            Mode::Up => {
                let source = lane.wrapping_sub(which);
                (source, source as i32 >= last as i32)
            }
            Mode::Down => (lane + which, lane + which <= last),
            Mode::Butterfly => (lane ^ which, lane ^ which <= last),
            Mode::Index => {
                let source = first | which & !segment;
                (source, source <= last)
            }
        };
        (if within { source & 31 } else { lane }, within)
    }
}
