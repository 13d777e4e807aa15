//! `mezo train` and `mezo export`.

use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mezo_sweep::{Pace, human_time};
use mezo_train::{Control, Ending, Step};

use crate::args::{ExportArgs, TrainArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stop;

/// How often a person sees a line.
const EVERY: Duration = Duration::from_secs(5);

/// Carries one run on.
pub fn train(args: &TrainArgs) -> Result<Exit, Failure> {
    let stop = stop::on_signals();
    if args.stop_with_stdin {
        stop::with_stdin(Arc::clone(&stop));
    }
    stop::at_last(Arc::clone(&stop));
    set_threads(args.threads)?;
    let mut control = Narrator::new(stop, !args.stop_with_stdin);
    Ok(
        match mezo_train::run(&args.run, &args.device, &mut control)? {
            Ending::Finished => Exit::Done,
            Ending::Diverged => {
                say!("diverged: a loss was not finite; result.json says so");
                Exit::Done
            }
            Ending::Stopped { step } => {
                say!("stopped after step {step}; the same command goes on from there");
                Exit::Stopped
            }
        },
    )
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

/// Tells a person how the run goes; a sweep reads the journal instead.
struct Narrator {
    stop: Arc<AtomicBool>,
    talks: bool,
    since: Instant,
    last: Option<Instant>,
    pace: Pace,
}

impl Narrator {
    fn new(stop: Arc<AtomicBool>, talks: bool) -> Self {
        Self {
            stop,
            talks,
            since: Instant::now(),
            last: None,
            pace: Pace::new(30.0),
        }
    }
}

impl Control for Narrator {
    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn warn(&mut self, what: &str) {
        say!("warning: {what}");
    }

    fn step(&mut self, step: &Step, of: u64) {
        if !self.talks {
            return;
        }
        let now = self.since.elapsed().as_secs_f64();
        self.pace.record(now, step.step);
        let quiet = self.last.is_some_and(|last| last.elapsed() < EVERY);
        if quiet && step.step != of {
            return;
        }
        self.last = Some(Instant::now());
        let loss = step
            .loss()
            .map_or("not finite".into(), |loss| format!("{loss:.4}"));
        let pace = match self.pace.steps_per_second(now) {
            Some(pace) => format!(", {pace:.1} steps/s"),
            None => String::new(),
        };
        let left = match self.pace.time_left(now, of) {
            Some(left) => format!(", {} left", human_time(left)),
            None => String::new(),
        };
        let end = if std::io::stderr().is_terminal() {
            "\x1b[K\r"
        } else {
            "\n"
        };
        let _ = write!(
            std::io::stderr(),
            "step {} of {of}, loss {loss}{pace}{left}{end}",
            step.step
        );
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
