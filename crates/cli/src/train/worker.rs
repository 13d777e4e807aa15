//! A sweep's worker: what happens to its runs is said on stdout, an event a line; stderr is the log of the first run.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mezo_run::{EvalSplit, Step};
use mezo_sweep::{EventWriter, RunEnd, WorkerEvent};
use mezo_train::{BatchedRun, Control, Ending, TrainError};

use super::together::{label, say_error, worst};
use super::{DIVERGED, stopped};
use crate::exit::Exit;
use crate::failure::Failure;

/// Between two events that say no more than that the worker is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(1);

/// Runs one run, or several batched; the exit code is that of the one that ended worst.
pub fn train(runs: &[PathBuf], device: &str, stop: &Arc<AtomicBool>) -> Result<Exit, Failure> {
    let process = Process {
        stop,
        events: EventWriter::new(std::io::stdout()),
        alive: Cell::new(None),
    };
    let reporters: Vec<Reporter<'_>> = (0..)
        .zip(runs)
        .map(|(place, run)| Reporter {
            process: &process,
            run: place,
            prefix: match runs.len() {
                1 => String::new(),
                _ => format!("{}: ", label(run)),
            },
        })
        .collect();
    let batch: Vec<BatchedRun<'_>> = runs
        .iter()
        .zip(&reporters)
        .map(|(dir, control)| BatchedRun { dir, control })
        .collect();
    Ok(worst(mezo_train::run_together(&batch, device)?))
}

/// What the runs of a worker share.
struct Process<'a> {
    stop: &'a AtomicBool,
    events: EventWriter,
    /// When it last said that it is alive.
    alive: Cell<Option<Instant>>,
}

/// Reports one run to the scheduler, and to its log what a person wants to know.
struct Reporter<'a> {
    process: &'a Process<'a>,
    /// Its place among the runs.
    run: usize,
    /// What its lines in a shared log begin with.
    prefix: String,
}

impl Reporter<'_> {
    fn send(&self, event: WorkerEvent) {
        self.process.events.send(event);
    }
}

impl Control for Reporter<'_> {
    fn stop(&self) -> bool {
        self.process.stop.load(Ordering::Relaxed)
    }

    fn started(&self, attempt: u64) {
        let run = self.run;
        self.send(WorkerEvent::Started { run, attempt });
    }

    fn step(&self, step: &Step, _: u64) {
        let (run, loss) = (self.run, step.loss());
        let step = step.step;
        self.send(WorkerEvent::Step { run, step, loss });
    }

    fn evaluated(&self, step: u64, split: EvalSplit, accuracy: Option<f64>) {
        let run = self.run;
        self.send(WorkerEvent::Evaluated {
            run,
            step,
            split,
            accuracy,
        });
    }

    fn alive(&self) {
        let last = self.process.alive.get();
        if last.is_none_or(|last| last.elapsed() >= ALIVE_EVERY) {
            self.process.alive.set(Some(Instant::now()));
            self.send(WorkerEvent::Alive);
        }
    }

    fn warn(&self, what: &str) {
        say!("{}warning: {what}", self.prefix);
    }

    fn ended(&self, how: Result<Ending, &TrainError>) {
        let prefix = &self.prefix;
        match how {
            Ok(Ending::Finished) => {}
            Ok(Ending::Diverged) => say!("{prefix}{DIVERGED}"),
            Ok(Ending::Stopped { step }) => say!("{prefix}{}", stopped(step)),
            Err(error) => say_error(prefix, error),
        }
        let how = match how {
            Ok(Ending::Finished | Ending::Diverged) => RunEnd::Finished,
            Ok(Ending::Stopped { .. }) => RunEnd::Stopped,
            Err(error) if error.is_held() => RunEnd::Held,
            Err(error) => RunEnd::Failed {
                class: error.class(),
                error: error.to_string(),
                hint: error.hint(),
            },
        };
        let run = self.run;
        self.send(WorkerEvent::Ended { run, how });
    }
}
