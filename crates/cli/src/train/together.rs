//! Several runs in one process: every line says which run it is about, and one line tells of the progress of all.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use mezo_run::Manifest;
use mezo_run::Step;
use mezo_sweep::Pace;
use mezo_train::{BatchedRun, Control, Ending, NotTogether, TrainError};

use super::{DIVERGED, EVERY, pace_and_left, show, stopped};
use crate::exit::Exit;
use crate::failure::Failure;

/// As much of a run's id as tells it from its neighbours.
const LABEL: usize = 8;

/// Runs several batched; the exit code is that of the one that ended worst.
pub fn train(runs: &[PathBuf], device: &str, stop: &Arc<AtomicBool>) -> Result<Exit, Failure> {
    let progress = Rc::new(RefCell::new(Progress::new()));
    let narrators: Vec<Narrator> = runs
        .iter()
        .enumerate()
        .map(|(place, run)| Narrator {
            stop: Arc::clone(stop),
            place,
            label: label(run),
            progress: Rc::clone(&progress),
        })
        .collect();
    let batch: Vec<BatchedRun<'_>> = runs
        .iter()
        .zip(&narrators)
        .map(|(dir, control)| BatchedRun { dir, control })
        .collect();
    Ok(worst(mezo_train::run_together(&batch, device)?))
}

/// The exit code of the run that ended worst.
pub(super) fn worst(ends: Vec<Result<Ending, TrainError>>) -> Exit {
    let exits = ends.into_iter().map(exit);
    exits.max_by_key(|&exit| weight(exit)).unwrap_or(Exit::Done)
}

impl From<NotTogether> for Failure {
    fn from(error: NotTogether) -> Self {
        Self {
            message: error.to_string(),
            hint: Some(error.hint().into()),
            exit: Exit::BadInput,
        }
    }
}

/// The exit code of a run if it were alone.
fn exit(ended: Result<Ending, TrainError>) -> Exit {
    match ended {
        Ok(Ending::Finished | Ending::Diverged) => Exit::Done,
        Ok(Ending::Stopped { .. }) => Exit::Stopped,
        Err(error) => Failure::from(error).exit,
    }
}

/// Of two exit codes the heavier one is told.
fn weight(exit: Exit) -> u8 {
    match exit {
        Exit::Done => 0,
        Exit::Stopped => 1,
        Exit::Held => 2,
        Exit::BadInput => 3,
        Exit::Failed | Exit::Outstanding | Exit::RunsFailed => 4,
    }
}

/// What a run is called in lines about it: the beginning of its id, or of its directory's name where it has none.
pub(super) fn label(run: &Path) -> String {
    let name = || run.file_name().unwrap_or(run.as_os_str()).to_string_lossy();
    let id = Manifest::read(run).map_or_else(|_| name().into_owned(), |manifest| manifest.id);
    id.chars().take(LABEL).collect()
}

/// Tells a person of one run among several.
struct Narrator {
    stop: Arc<AtomicBool>,
    place: usize,
    label: String,
    progress: Rc<RefCell<Progress>>,
}

impl Control for Narrator {
    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn warn(&self, what: &str) {
        say!("{}: warning: {what}", self.label);
    }

    fn step(&self, step: &Step, of: u64) {
        let mut progress = self.progress.borrow_mut();
        if progress.is_first(self.place) && progress.ends_round() {
            show(&progress.told());
        }
        progress.note(self.place, step, of);
    }

    fn ended(&self, how: Result<Ending, &TrainError>) {
        self.progress.borrow_mut().leave(self.place);
        let label = &self.label;
        match how {
            Ok(Ending::Finished) => say!("{label}: finished"),
            Ok(Ending::Diverged) => say!("{label}: {DIVERGED}"),
            Ok(Ending::Stopped { step }) => say!("{label}: {}", stopped(step)),
            Err(error) => say_error(&format!("{label}: "), error),
        }
    }
}

/// Says an error and its hint, each line after a prefix.
pub(super) fn say_error(prefix: &str, error: &TrainError) {
    say!("{prefix}error: {error}");
    if let Some(hint) = error.hint() {
        say!("{prefix}hint: {hint}");
    }
}

/// How far the runs under way are. They go round by round, a step of each at a time.
struct Progress {
    since: Instant,
    last: Option<Instant>,
    /// Counts rounds.
    pace: Pace,
    rounds: u64,
    passes: u64,
    /// Of the round that is being made.
    passes_now: u64,
    /// Step and steps of each run under way, by its place.
    runs: BTreeMap<usize, (u64, u64)>,
}

impl Progress {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            last: None,
            pace: Pace::new(30.0),
            rounds: 0,
            passes: 0,
            passes_now: 0,
            runs: BTreeMap::new(),
        }
    }

    fn now(&self) -> f64 {
        self.since.elapsed().as_secs_f64()
    }

    /// Whether a run's step is the first of a round, so that all have made the one before.
    fn is_first(&self, place: usize) -> bool {
        self.runs
            .first_key_value()
            .is_some_and(|(&first, _)| first == place)
    }

    /// Counts the round that is over; whether it is time to tell of it.
    fn ends_round(&mut self) -> bool {
        self.rounds += 1;
        self.passes += std::mem::take(&mut self.passes_now);
        self.pace.record(self.now(), self.rounds);
        let due = self.last.is_none_or(|last| last.elapsed() >= EVERY);
        if due {
            self.last = Some(Instant::now());
        }
        due
    }

    /// A run has made a step. The passes of a round are those of the run that asks for most.
    fn note(&mut self, place: usize, step: &Step, of: u64) {
        let own = step.estimates.len().max(1) as u64;
        self.passes_now = self.passes_now.max(own);
        self.runs.insert(place, (step.step, of));
    }

    /// A run goes on no more.
    fn leave(&mut self, place: usize) {
        self.runs.remove(&place);
    }

    /// The line about all of them.
    fn told(&self) -> String {
        let (mut low, mut high, mut most, mut left) = (u64::MAX, 0, 0, 0);
        for &(step, of) in self.runs.values() {
            low = low.min(step);
            high = high.max(step);
            most = most.max(of);
            left = left.max(of - step);
        }
        let steps = match low == high {
            true => format!("step {high}"),
            false => format!("steps {low} to {high}"),
        };
        let count = self.runs.len();
        let runs = if count == 1 { "run" } else { "runs" };
        let pace = pace_and_left(&self.pace, self.now(), self.rounds + left);
        let passes = match self.passes {
            1 => "1 pass".to_owned(),
            passes => format!("{passes} passes"),
        };
        format!("{count} {runs} at {steps} of {most}, {passes}{pace}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u64) -> Step {
        Step::new(number, 0.1, Vec::new())
    }

    #[test]
    fn the_worst_end_is_told() {
        let worst = |exits: &[Exit]| exits.iter().copied().max_by_key(|&exit| weight(exit));
        let all = [Exit::Done, Exit::Stopped, Exit::Held, Exit::BadInput];
        for (number, &exit) in all.iter().enumerate() {
            assert_eq!(worst(&all[..=number]), Some(exit));
        }
        assert_eq!(worst(&[Exit::Failed, Exit::BadInput]), Some(Exit::Failed));
    }

    #[test]
    fn progress_is_that_of_whole_rounds() {
        let mut progress = Progress::new();
        for (place, number) in [(0, 6), (2, 1)] {
            assert!(!progress.is_first(place));
            progress.note(place, &step(number), 20);
        }
        assert!(progress.is_first(0) && progress.ends_round());
        assert_eq!(progress.told(), "2 runs at steps 1 to 6 of 20, 1 pass");
        progress.leave(0);
        assert!(progress.is_first(2) && !progress.ends_round());
        assert!(progress.told().starts_with("1 run at step 1 of 20"));
    }
}
