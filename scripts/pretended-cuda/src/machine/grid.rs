//! A launch: blocks spread over the machine's cores.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::block::{Met, Worker};
use super::global::Global;
use super::launch::Launch;
use super::race::Race;
use super::registers::LANES;
use crate::code::Code;

/// Instructions after which it is worth to wake other cores.
const WORTH: u64 = 20_000;

/// Workers that wait for a launch; each has memory that is slow to get.
static IDLE: Mutex<Vec<Worker>> = Mutex::new(Vec::new());

fn idle() -> MutexGuard<'static, Vec<Worker>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a launch ended before its end.
#[derive(Debug, Clone)]
pub struct Fault {
    pub code: Code,
    pub text: String,
}

/// What came of a launch.
#[derive(Debug, Default)]
pub struct Found {
    pub fault: Option<Fault>,
    /// Accesses that raced, and the first of them.
    pub races: u64,
    pub race: Option<Race>,
    /// What is not defined but did no harm: the line and what it was.
    pub oddity: Option<(u32, String)>,
    /// Instructions of warps.
    pub instructions: u64,
}

/// What all cores that run a launch share.
struct Progress<'a> {
    launch: &'a Launch<'a>,
    next: AtomicU64,
    over: AtomicBool,
    found: Mutex<Found>,
}

/// Computes all of a launch.
pub fn launch(launch: &Launch<'_>) -> Found {
    let progress = Progress {
        launch,
        next: AtomicU64::new(0),
        over: AtomicBool::new(false),
        found: Mutex::default(),
    };
    let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
    let others = cores.min(launch.blocks()) - 1;
    thread::scope(|scope| {
        let help = || {
            for _ in 0..others {
                scope.spawn(|| progress.work(u64::MAX, || {}));
            }
        };
        progress.work(WORTH, help);
    });
    progress
        .found
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
}

impl Progress<'_> {
    /// Runs blocks while there are any; calls for help when it has executed so many instructions.
    fn work(&self, worth: u64, help: impl FnOnce()) {
        let mut worker = idle().pop().unwrap_or_default();
        worker.prepare(self.launch);
        let mut help = Some(help);
        while !self.over.load(Relaxed) {
            let index = self.next.fetch_add(1, Relaxed);
            if index >= self.launch.blocks() {
                break;
            }
            let block = self.launch.block_at(index);
            let global = Global::new(&self.launch.ranges);
            if let Err(met) = worker.run(self.launch, block, global) {
                self.end(block, &met);
            }
            if worker.instructions() > worth
                && let Some(help) = help.take()
            {
                help();
            }
        }
        self.note(&mut worker);
        idle().push(worker);
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the launch, with the first fault of all.
    fn end(&self, block: [u32; 3], met: &Met) {
        self.over.store(true, Relaxed);
        let thread = (met.warp * LANES + met.trouble.lane) as u32;
        let [x, y, _] = self.launch.block;
        let thread = [thread % x, thread / x % y, thread / x / y];
        let text = format!(
            "{}, line {}, block {block:?}, thread {thread:?}: {}",
            self.launch.program.name, met.line, met.trouble.what
        );
        let code = met.trouble.code;
        self.found().fault.get_or_insert(Fault { code, text });
    }

    /// Adds what a worker found.
    fn note(&self, worker: &mut Worker) {
        let mut found = self.found();
        found.instructions += worker.instructions();
        found.oddity = found.oddity.take().or(worker.oddity.take());
        if let Some(races) = &mut worker.shared.races {
            found.races += races.found;
            found.race = found.race.take().or(races.first.take());
        }
    }
}
