//! `mezo train` and `mezo export`.

mod together;
mod worker;

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mezo_run::Step;
use mezo_sweep::{Pace, human_time};
use mezo_train::{Control, Ending};

use crate::args::{ExportArgs, TrainArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stop;

/// How often a person sees a line.
const EVERY: Duration = Duration::from_secs(5);

/// Runs runs.
pub fn train(args: &TrainArgs) -> Result<Exit, Failure> {
    let stop = stop::on_signals();
    if args.worker {
        stop::with_stdin(Arc::clone(&stop));
    }
    stop::at_last(Arc::clone(&stop));
    set_threads(args.threads)?;
    match args.run.as_slice() {
        runs if args.worker => worker::train(runs, &args.device, &stop),
        [run] => alone(run, &args.device, &Narrator::new(stop)),
        runs => together::train(runs, &args.device, &stop),
    }
}

/// Runs one run.
fn alone(run: &Path, device: &str, control: &Narrator) -> Result<Exit, Failure> {
    Ok(match mezo_train::run(run, device, control)? {
        Ending::Finished => Exit::Done,
        Ending::Diverged => {
            say!("{DIVERGED}");
            Exit::Done
        }
        Ending::Stopped { step } => {
            say!("{}", stopped(step));
            Exit::Stopped
        }
    })
}

/// What is said of a run that diverged.
const DIVERGED: &str = "diverged: a loss was not finite; result.json says so";

/// What is said of a run that was stopped.
fn stopped(step: u64) -> String {
    format!("stopped after step {step}; the same command goes on from there")
}

/// Progress and its line's end; a terminal shows the next one in its place.
fn show(progress: &str) {
    let end = if std::io::stderr().is_terminal() {
        "\x1b[K\r"
    } else {
        "\n"
    };
    let _ = write!(std::io::stderr(), "{progress}{end}");
}

/// A pace and the time left until so many steps, as far as they are known.
fn pace_and_left(pace: &Pace, now: f64, of: u64) -> String {
    let steps = match pace.steps_per_second(now) {
        Some(pace) => format!(", {pace:.1} steps/s"),
        None => String::new(),
    };
    match pace.time_left(now, of) {
        Some(left) => format!("{steps}, {} left", human_time(left)),
        None => steps,
    }
}

/// Sets how many threads the whole process computes with, by default one for each core. The calling thread is one of them:
/// work handed to a pool of others would have it fall asleep and be woken at each kernel, which a small model feels.
pub fn set_threads(threads: Option<NonZeroUsize>) -> Result<(), Failure> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.map_or(0, NonZeroUsize::get))
        .use_current_thread()
        .build_global();
    pool.map_err(|error| Failure {
        message: format!("cannot start the threads to compute with: {error}"),
        hint: None,
        exit: Exit::Failed,
    })
}

/// Tells a person how the run goes.
struct Narrator {
    stop: Arc<AtomicBool>,
    since: Instant,
    shown: RefCell<Shown>,
}

/// What was shown last, and the pace until now.
struct Shown {
    at: Option<Instant>,
    pace: Pace,
}

impl Narrator {
    fn new(stop: Arc<AtomicBool>) -> Self {
        let pace = Pace::new(30.0);
        Self {
            stop,
            since: Instant::now(),
            shown: RefCell::new(Shown { at: None, pace }),
        }
    }
}

impl Control for Narrator {
    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn warn(&self, what: &str) {
        say!("warning: {what}");
    }

    fn step(&self, step: &Step, of: u64) {
        let mut shown = self.shown.borrow_mut();
        let now = self.since.elapsed().as_secs_f64();
        shown.pace.record(now, step.step);
        let quiet = shown.at.is_some_and(|at| at.elapsed() < EVERY);
        if quiet && step.step != of {
            return;
        }
        shown.at = Some(Instant::now());
        let loss = step
            .loss()
            .map_or("not finite".into(), |loss| format!("{loss:.4}"));
        let pace = pace_and_left(&shown.pace, now, of);
        show(&format!("step {} of {of}, loss {loss}{pace}", step.step));
    }
}

/// Writes a run's best parameters for other libraries.
pub fn export(args: &ExportArgs) -> Result<Exit, Failure> {
    let step = mezo_train::export(&args.run, &args.out)?;
    say!(
        "wrote the parameters of step {step} to {}",
        args.out.display()
    );
    Ok(Exit::Done)
}
