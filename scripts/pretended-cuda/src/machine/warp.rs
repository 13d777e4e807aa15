//! A warp: lanes with places of their own in the code.
//!
//! Lanes at the same place are a group. The group that is furthest behind runs, until it meets another or parts at a branch; so
//! lanes that parted are together again where their ways meet, as code is laid out with what comes later behind. A group that
//! comes to what more lanes must do together waits there.

use super::memory::Memory;
use super::program::{Operation, Program};
use super::registers::{Cell, Mask, Registers, lanes as each};
use super::trouble::Trouble;
use crate::code::LAUNCH_FAILED;

#[derive(Debug, Clone, Copy)]
struct Group {
    at: usize,
    lanes: Mask,
    waits: bool,
}

/// Why a warp stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    Barrier(u32),
    Ended,
}

#[derive(Default)]
pub struct Warp {
    pub registers: Registers,
    groups: Vec<Group>,
    /// Lanes that did not exit.
    alive: Mask,
    /// What it executed.
    pub instructions: u64,
}

impl Warp {
    /// Puts lanes at the beginning.
    pub fn begin(&mut self, lanes: Mask) {
        self.alive = lanes;
        self.groups.clear();
        self.put(0, lanes);
    }

    /// Runs until all lanes are at a barrier or have exited.
    pub fn run(&mut self, program: &Program, memory: &mut Memory<'_>) -> Result<Stop, Trouble> {
        while !self.groups.is_empty() {
            let group = self.take(program, memory)?;
            if let Some(stop) = self.run_group(group, program, memory)? {
                return Ok(stop);
            }
        }
        Ok(Stop::Ended)
    }

    /// The group that is furthest behind of those that do not wait.
    fn take(&mut self, program: &Program, memory: &mut Memory<'_>) -> Result<Group, Trouble> {
        let ready = self
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| !group.waits);
        if let Some((index, _)) = ready.min_by_key(|(_, group)| group.at) {
            return Ok(self.groups.swap_remove(index));
        }
        let stuck = self.groups[0];
        memory.by.line = program.code[stuck.at].line;
        let places: Vec<String> = self
            .groups
            .iter()
            .map(|group| {
                format!(
                    "lanes {:#x} at line {}",
                    group.lanes, program.code[group.at].line
                )
            })
            .collect();
        let what = format!(
            "lanes wait for each other at different places: {}",
            places.join(", ")
        );
        Err(Trouble::of_warp(stuck.lanes, what))
    }

    /// Puts lanes at a place, where others may be already.
    fn put(&mut self, at: usize, lanes: Mask) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.at == at) {
            group.lanes |= lanes;
            group.waits = false;
        } else if lanes != 0 {
            let waits = false;
            self.groups.push(Group { at, lanes, waits });
        }
    }

    /// Where the next group stands that this one may run into.
    fn limit(&self, at: usize) -> usize {
        let ahead = self
            .groups
            .iter()
            .map(|group| group.at)
            .filter(|&other| other >= at);
        ahead.min().unwrap_or(usize::MAX)
    }

    fn run_group(
        &mut self,
        group: Group,
        program: &Program,
        memory: &mut Memory<'_>,
    ) -> Result<Option<Stop>, Trouble> {
        let Group { mut at, lanes, .. } = group;
        let limit = self.limit(at);
        let mut count = 0;
        let stop = loop {
            if at == limit {
                self.put(at, lanes);
                break Ok(None);
            }
            let instruction = &program.code[at];
            let guard = instruction.guard;
            let mask = lanes & guard.map_or(Mask::MAX, |guard| guard.lanes(&self.registers));
            count += 1;
            match &instruction.operation {
                Operation::Branch(target) if mask == lanes => {
                    at = *target;
                    if self.groups.is_empty() {
                        continue;
                    }
                    self.put(at, lanes);
                    break Ok(None);
                }
                // None of the lanes do it.
                _ if mask == 0 => {}
                Operation::Lanes(work) => work(&mut self.registers, mask),
                Operation::Access(access) => {
                    memory.by.line = instruction.line;
                    if let Err(trouble) = access.run(&mut self.registers, mask, memory) {
                        break Err(trouble);
                    }
                }
                Operation::Nothing => {}
                _ => match self.part(at, (lanes, mask), program, memory) {
                    Ok(Next::Follows) => {}
                    Ok(Next::Group) => break Ok(None),
                    Ok(Next::Stops(stop)) => break Ok(Some(stop)),
                    Err(trouble) => break Err(trouble),
                },
            }
            at += 1;
        };
        self.instructions += count;
        stop
    }

    /// What may need other lanes or part these.
    fn part(
        &mut self,
        at: usize,
        (lanes, mask): (Mask, Mask),
        program: &Program,
        memory: &mut Memory<'_>,
    ) -> Result<Next, Trouble> {
        let instruction = &program.code[at];
        memory.by.line = instruction.line;
        match &instruction.operation {
            Operation::Branch(target) => {
                self.put(*target, mask);
                self.put(at + 1, lanes & !mask);
                Ok(Next::Group)
            }
            Operation::Switch(switch) => {
                let numbers = *u32::row(&self.registers, switch.number);
                for lane in each(mask) {
                    let Some(&place) = switch.places.get(numbers[lane] as usize) else {
                        let what = format!(
                            "a branch to place {} of {}",
                            numbers[lane],
                            switch.places.len()
                        );
                        return Err(Trouble::new(LAUNCH_FAILED, lane, what));
                    };
                    self.put(place, 1 << lane);
                }
                self.put(at + 1, lanes & !mask);
                Ok(Next::Group)
            }
            Operation::Exit => {
                self.alive &= !mask;
                // Those that wait need not wait for these any more.
                self.groups.iter_mut().for_each(|group| group.waits = false);
                self.put(at + 1, lanes & !mask);
                Ok(Next::Group)
            }
            Operation::Barrier(which) => {
                if lanes != self.alive || mask != lanes {
                    return Ok(self.wait(at, lanes));
                }
                self.put(at + 1, lanes);
                Ok(Next::Stops(Stop::Barrier(*which)))
            }
            Operation::Collective(collective) => {
                let needed = collective.members(&self.registers, mask) & self.alive;
                if needed & !mask != 0 {
                    return Ok(self.wait(at, lanes));
                }
                collective.run(&mut self.registers, mask)?;
                Ok(Next::Follows)
            }
            Operation::Matrix(matrix) => {
                if mask == lanes && mask != self.alive {
                    return Ok(self.wait(at, lanes));
                }
                if mask != Mask::MAX {
                    let what = format!("only lanes {mask:#x} execute what all of a warp must");
                    if !matrix.takes_some() {
                        return Err(Trouble::of_warp(mask, what));
                    }
                    memory.oddity.get_or_insert((instruction.line, what));
                }
                matrix.run(&mut self.registers, mask, memory)?;
                Ok(Next::Follows)
            }
            Operation::Trap => Err(Trouble::of_warp(mask, "a trap")),
            _ => Ok(Next::Follows),
        }
    }

    fn wait(&mut self, at: usize, lanes: Mask) -> Next {
        let waits = true;
        self.groups.push(Group { at, lanes, waits });
        Next::Group
    }
}

/// How a group goes on.
enum Next {
    Follows,
    /// It was put among the groups, of which any may be next.
    Group,
    Stops(Stop),
}
