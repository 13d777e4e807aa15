//! Launches.

use std::ffi::{c_uint, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::Handle;
use super::modules::Function;
use crate::allocations;
use crate::code::{Code, INVALID_VALUE, OK};
use crate::machine::{Found, Launch, Program, launch};
use crate::stats;

#[unsafe(no_mangle)]
unsafe extern "C" fn cuLaunchKernel(
    function: Handle,
    grid_x: c_uint,
    grid_y: c_uint,
    grid_z: c_uint,
    block_x: c_uint,
    block_y: c_uint,
    block_z: c_uint,
    shared: c_uint,
    _stream: Handle,
    arguments: *const *const c_void,
    _extra: *const *const c_void,
) -> Code {
    stats::LAUNCHES.add(1);
    // SAFETY: the caller's: `cuModuleGetFunction` made it.
    let function = unsafe { &*function.cast::<Function>() };
    let (grid, block) = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
    if let Err(why) = fits(function, grid, block, shared) {
        let name = &function.name;
        eprintln!(
            "pretended: {name} cannot be launched: grid {grid:?}, block {block:?}, {shared} shared bytes: {why}"
        );
        stats::FAULTS.add(1);
        return INVALID_VALUE;
    }
    let Some(program) = &function.program else {
        return OK;
    };
    let asked = Launch {
        program,
        grid,
        block,
        shared: shared as usize,
        // SAFETY: the caller's.
        parameters: unsafe { parameters(program, arguments) },
        ranges: allocations::live(),
    };
    let start = Instant::now();
    let found = launch(&asked);
    stats::launched(&program.name, found.instructions, start.elapsed());
    tell(program, &found);
    found.fault.map_or(OK, |fault| fault.code)
}

/// Tells what a launch found, the first of its kind for each kernel, and counts it.
fn tell(program: &Program, found: &Found) {
    let name = &program.name;
    stats::RACES.add(found.races);
    if let Some(race) = &found.race
        && !program.told.race.swap(true, Relaxed)
    {
        eprintln!("pretended: race: {name}: {race}");
    }
    if let Some((line, oddity)) = &found.oddity {
        stats::ODDITIES.add(1);
        if !program.told.oddity.swap(true, Relaxed) {
            eprintln!("pretended: not defined: {name}, line {line}: {oddity}");
        }
    }
    if let Some(fault) = &found.fault {
        stats::FAULTS.add(1);
        if !program.told.fault.swap(true, Relaxed) {
            eprintln!("pretended: failed: {}", fault.text);
        }
    }
}

/// Whether a device of this kind could launch it, and the kernel be launched so.
fn fits(
    function: &Function,
    grid: [u32; 3],
    block: [u32; 3],
    shared: u32,
) -> Result<(), &'static str> {
    let threads: u64 = block.iter().map(|&size| u64::from(size)).product();
    if grid.contains(&0) || grid[0] > i32::MAX as u32 || grid[1..].iter().any(|&size| size > 65535)
    {
        return Err("there is no such grid");
    }
    if !(1..=1024).contains(&threads) || block[2] > 64 {
        return Err("there is no such block");
    }
    let own = function
        .program
        .as_ref()
        .map_or(0, |program| program.shared as u32);
    if u64::from(shared) + u64::from(own) > u64::from(function.allowed.load(Relaxed)) {
        return Err("it was not allowed so much shared memory");
    }
    let wants = function.program.as_ref().and_then(|program| program.block);
    if wants.is_some_and(|wants| wants != block) {
        return Err("the kernel is made for another block");
    }
    Ok(())
}

/// Gathers what each argument points at.
///
/// # Safety
///
/// There must be as many arguments as the kernel has parameters, each of its size.
unsafe fn parameters(program: &Program, arguments: *const *const c_void) -> Arc<[u8]> {
    let mut bytes = vec![0; program.parameter_bytes];
    for (index, &(at, length)) in program.parameters.iter().enumerate() {
        // SAFETY: the caller's.
        let value = unsafe { std::slice::from_raw_parts((*arguments.add(index)).cast(), length) };
        bytes[at..at + length].copy_from_slice(value);
    }
    bytes.into()
}
