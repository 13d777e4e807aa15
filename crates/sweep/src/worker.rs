//! One run as one process: how it is started, asked to stop, ended, and what its end means.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

use mezo_run::{
    Attempt, Class, EVALS, End, EndReason, LOCK, LOG, Lease, RunError, STEPS, add_end, attempts,
};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::device::Device;
use crate::exit;
use crate::plan::Run;
use crate::reason::{Cause, Reason, log_end};
use crate::tail::{Progress, Tail, last_step};

/// How a worker is started: `program args... <the device's args>... <run directory>`.
///
/// Its stdin is a pipe that the sweep holds and never writes to. When it closes, because the
/// sweep asks for a stop or because the sweep has died, the worker stops at a step boundary and
/// exits with [`exit::STOPPED`].
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments before the device's.
    pub args: Vec<OsString>,
}

/// How long a process is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Without a line or another sign of life; then it is asked to stop.
    pub silence: Duration,
    /// After it was asked to stop; then it is killed.
    pub grace: Duration,
}

/// How a run's process ended.
pub(crate) enum Ending {
    /// There was none: this program or this machine cannot start one, for whatever run.
    NotStarted(Reason),
    Finished,
    Stopped,
    Held,
    Failed(Reason),
}

/// The process of one run. Dropping it closes its stdin, which asks it to stop.
pub(crate) struct Worker<'r> {
    pub(crate) run: &'r Run,
    /// The place of its device in the fleet.
    pub(crate) device: usize,
    /// The step in the journal from which it goes on; 0 for a new run.
    pub(crate) first_step: u64,
    child: Child,
    started: Instant,
    tail: Tail,
    life: Life,
    asked: Option<Asked>,
    before: Before,
}

/// That a process was asked to stop.
struct Asked {
    at: Instant,
    /// Because it was silent.
    silent: bool,
}

/// The last sign of life.
struct Life {
    at: Instant,
    signs: Signs,
}

/// What changes while a process works: the lengths of the journal and the evaluations, and when the lock was last touched.
type Signs = ([u64; 2], Option<SystemTime>);

/// What there was before the process.
struct Before {
    /// Bytes of the log.
    log: u64,
    /// Lines of the attempts.
    attempts: usize,
    /// Processes that the system had ended for want of memory.
    out_of_memory: u64,
}

impl<'r> Worker<'r> {
    pub(crate) fn start(
        command: &WorkerCommand,
        run: &'r Run,
        device: &Device,
        place: usize,
    ) -> Result<Self, Ending> {
        start(command, run, device, place).map_err(|cause| {
            let mut reason = Reason::new(cause, String::new(), false);
            match reason.cause {
                Cause::NotStarted { .. } => Ending::NotStarted(reason),
                _ => match record(run, &mut reason, 0, 0.0) {
                    Recorded::Held => Ending::Held,
                    Recorded::Tried => Ending::Failed(reason),
                },
            }
        })
    }

    /// Closes the worker's stdin.
    pub(crate) fn ask_to_stop(&mut self) {
        drop(self.child.stdin.take());
        self.asked.get_or_insert(Asked {
            at: Instant::now(),
            silent: false,
        });
    }

    /// Ends a process that gives no sign of life, or does not stop when asked to.
    pub(crate) fn lose_patience(&mut self, patience: Patience) {
        let now = Instant::now();
        match &self.asked {
            Some(asked) if now - asked.at > patience.grace => self.signal(Signal::KILL),
            Some(_) => {}
            None if now - self.life.last(self.run, now) > patience.silence => {
                self.asked = Some(Asked {
                    at: now,
                    silent: true,
                });
                self.signal(Signal::TERM);
            }
            None => {}
        }
    }

    /// To the process and to those that it has started.
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // A group that is gone needs no signal.
        let _ = pid.map(|pid| kill_process_group(pid, signal));
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self, patience: Patience) -> Option<Ending> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(self.ending(status, patience)),
            Err(error) => Some(self.failed(Cause::Lost(error))),
        }
    }

    pub(crate) fn news(&mut self) -> Option<Progress> {
        self.tail.news()
    }

    fn ending(&self, status: ExitStatus, patience: Patience) -> Ending {
        // The run's directory is the truth: with a result in it the run is finished, even if the
        // process broke down on its way out or found the run in other hands.
        if self.run.is_finished() {
            return Ending::Finished;
        }
        match (&self.asked, status.code(), status.signal()) {
            (_, Some(exit::HELD), _) => Ending::Held,
            (Some(Asked { silent: true, .. }), ..) => {
                self.failed(Cause::Silent(patience.silence.as_secs_f64()))
            }
            (_, Some(exit::STOPPED), _) => Ending::Stopped,
            // It did not stop when it was asked to, and was ended.
            (Some(_), None, Some(_)) => Ending::Stopped,
            (_, Some(exit::DONE), _) => self.failed(Cause::NoResult),
            (_, Some(exit::BAD_INPUT), _) => self.failed(Cause::BadInput),
            (_, None, Some(signal)) => self.failed(Cause::Signal(signal)),
            (_, code, _) => self.failed(Cause::ExitCode(code.unwrap_or_default())),
        }
    }

    /// The reason of a failure, written down unless the worker has done so itself.
    fn failed(&self, cause: Cause) -> Ending {
        let log = log_end(&self.run.dir.join(LOG), self.before.log);
        let ran_out = out_of_memory() > self.before.out_of_memory;
        let mut reason = Reason::new(cause, log, ran_out);
        // Attempts that cannot be read have told nothing.
        let lines = attempts(&self.run.dir).unwrap_or_default();
        let own = lines.get(self.before.attempts..).unwrap_or_default();
        let (mut number, mut told) = (0, false);
        for line in own {
            match line {
                Attempt::Start(start) => number = start.attempt,
                Attempt::End(End {
                    reason: EndReason::Failed,
                    class: Some(class),
                    error,
                    ..
                }) => {
                    reason.class = *class;
                    reason.kept = true;
                    error.iter().for_each(|error| tell(&mut reason, error));
                    return Ending::Failed(reason);
                }
                Attempt::End(_) => told = true,
                Attempt::Retry { .. } => {}
            }
        }
        // One that stopped when it was asked to has written down its time itself.
        let wall_s = match told {
            true => 0.0,
            false => self.started.elapsed().as_secs_f64(),
        };
        match record(self.run, &mut reason, number, wall_s) {
            Recorded::Tried => Ending::Failed(reason),
            Recorded::Held => Ending::Held,
        }
    }
}

/// Writes a failure down that its process could not. Where that fails too, the log and the screen have it.
fn record(run: &Run, reason: &mut Reason, attempt: u64, wall_s: f64) -> Recorded {
    // Held meanwhile: nobody else adds to the attempts, and a run that somebody else has taken up is left to him.
    let _lease = match Lease::take(&run.dir) {
        Err(RunError::Held { .. }) => return Recorded::Held,
        lease => lease,
    };
    let steps = last_step(&run.dir.join(STEPS)).ok().flatten();
    let end = End {
        attempt,
        time: String::new(),
        wall_s,
        reason: EndReason::Failed,
        class: Some(reason.class),
        steps: steps.map_or(0, |progress| progress.step),
        error: Some(reason.summary()),
    };
    match add_end(&run.dir, end) {
        Ok(()) => reason.kept = true,
        // What there is no room to write down most likely came of that.
        Err(error) if reason.class == Class::Error && error.class() == Class::DiskFull => {
            reason.class = Class::DiskFull;
            tell(reason, &error);
        }
        Err(_) => {}
    }
    Recorded::Tried
}

/// What became of writing a failure down.
enum Recorded {
    /// It was tried.
    Tried,
    /// Somebody else holds the run.
    Held,
}

/// Lets a reason say what a log could not: on a full disk it stays empty.
fn tell(reason: &mut Reason, error: &dyn Display) {
    if reason.log.is_empty() {
        reason.log = format!("error: {error}");
    }
}

impl Life {
    fn new(run: &Run) -> Self {
        Self {
            at: Instant::now(),
            signs: signs(run),
        }
    }

    /// When something of it was last seen to have changed.
    fn last(&mut self, run: &Run, now: Instant) -> Instant {
        let signs = signs(run);
        if signs != self.signs {
            self.at = now;
            self.signs = signs;
        }
        self.at
    }
}

fn signs(run: &Run) -> Signs {
    let lengths = [STEPS, EVALS].map(|name| length(&run.dir.join(name)));
    let lock = run.dir.join(LOCK).metadata();
    (lengths, lock.and_then(|lock| lock.modified()).ok())
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |data| data.len())
}

/// How many processes the system has ended for want of memory; 0 where it does not tell.
fn out_of_memory() -> u64 {
    let counts = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let count = counts
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok());
    count.unwrap_or(0)
}

fn start<'r>(
    command: &WorkerCommand,
    run: &'r Run,
    device: &Device,
    place: usize,
) -> Result<Worker<'r>, Cause> {
    let no_folder = |path: &Path, error| Cause::NoFolder {
        path: path.to_owned(),
        error,
    };
    std::fs::create_dir_all(&run.dir).map_err(|error| no_folder(&run.dir, error))?;
    let path = run.dir.join(LOG);
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|error| no_folder(&path, error))?;
    let before = Before {
        log: length(&path),
        attempts: attempts(&run.dir).map_or(0, |lines| lines.len()),
        out_of_memory: out_of_memory(),
    };
    let mut tail = Tail::new(run.dir.join(STEPS));
    let first_step = tail.news().map_or(0, |progress| progress.step);
    let child = Command::new(&command.program)
        .args(&command.args)
        .args(&device.args)
        .arg(&run.dir)
        .envs(device.env.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        // Ctrl-C in a terminal goes to the sweep's group alone; the workers hear of it through
        // their stdin and stop between two steps.
        .process_group(0)
        .spawn()
        .map_err(|error| Cause::NotStarted {
            program: command.program.clone(),
            error,
        })?;
    Ok(Worker {
        run,
        device: place,
        first_step,
        child,
        started: Instant::now(),
        tail,
        life: Life::new(run),
        asked: None,
        before,
    })
}
