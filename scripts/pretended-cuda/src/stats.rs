//! What was asked of the driver and what came of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use crate::settings::SETTINGS;

/// A number that all threads add to.
pub struct Count(AtomicU64);

impl Count {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub fn add(&self, more: u64) -> u64 {
        self.0.fetch_add(more, Relaxed)
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

pub static MODULES: Count = Count::new();
pub static LAUNCHES: Count = Count::new();
pub static UP: Count = Count::new();
pub static UP_BYTES: Count = Count::new();
pub static DOWN: Count = Count::new();
pub static DOWN_BYTES: Count = Count::new();
pub static ACROSS: Count = Count::new();
pub static WAITS: Count = Count::new();
/// Instructions of warps, whatever their number of active lanes.
pub static INSTRUCTIONS: Count = Count::new();
/// Time within launches, of each host thread that launches.
pub static NANOSECONDS: Count = Count::new();
/// Accesses to shared memory that another warp's met without a barrier between.
pub static RACES: Count = Count::new();
/// Launches that did what is not defined, but does no harm.
pub static ODDITIES: Count = Count::new();
/// Launches that ended with an error.
pub static FAULTS: Count = Count::new();
/// Modules that were refused.
pub static REFUSED: Count = Count::new();

/// What a kernel's launches took together.
#[derive(Default)]
struct Taken {
    launches: u64,
    instructions: u64,
    nanoseconds: u64,
}

static KERNELS: LazyLock<Mutex<HashMap<String, Taken>>> = LazyLock::new(Mutex::default);

/// Notes a launch.
pub fn launched(kernel: &str, instructions: u64, time: Duration) {
    let nanoseconds = time.as_nanos() as u64;
    INSTRUCTIONS.add(instructions);
    NANOSECONDS.add(nanoseconds);
    if SETTINGS.kernels == 0 {
        return;
    }
    let mut kernels = KERNELS.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = kernels.entry(kernel.to_owned()).or_default();
    taken.launches += 1;
    taken.instructions += instructions;
    taken.nanoseconds += nanoseconds;
}

fn tell_kernels() {
    let kernels = KERNELS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut kernels: Vec<_> = kernels.iter().collect();
    kernels.sort_by_key(|(_, taken)| std::cmp::Reverse(taken.nanoseconds));
    for (name, taken) in kernels.iter().take(SETTINGS.kernels) {
        let Taken {
            launches,
            instructions,
            nanoseconds,
        } = taken;
        let seconds = *nanoseconds as f64 * 1e-9;
        let each = *nanoseconds as f64 / (*instructions).max(1) as f64;
        eprintln!(
            "pretended: {seconds:7.2} s, {launches:7} launches, {instructions:11} instructions of {each:5.1} ns: {name}"
        );
    }
}

unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> i32;
}

/// Has it told when the program ends.
pub fn tell_at_exit() {
    if SETTINGS.stats {
        // SAFETY: the function takes nothing and lives as long as the library, which is not unloaded.
        unsafe { atexit(tell) };
    }
}

extern "C" fn tell() {
    tell_kernels();
    eprintln!(
        "pretended: {} modules, {} launches, {} copies up ({} bytes), {} down ({} bytes), {} across, {} waits",
        MODULES.get(),
        LAUNCHES.get(),
        UP.get(),
        UP_BYTES.get(),
        DOWN.get(),
        DOWN_BYTES.get(),
        ACROSS.get(),
        WAITS.get(),
    );
    if SETTINGS.compute {
        eprintln!(
            "pretended: {:.3e} warp instructions in {:.1} s of launches, {} racing accesses, {} launches with what is not defined, {} failed, {} modules refused",
            INSTRUCTIONS.get() as f64,
            NANOSECONDS.get() as f64 * 1e-9,
            RACES.get(),
            ODDITIES.get(),
            FAULTS.get(),
            REFUSED.get(),
        );
    }
}
