//! A process that carries out runs: how it is started, asked to stop, and ended.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::device::Device;
use crate::exit;
use crate::reason::Cause;

/// How a worker is started: `program args... <the device's args>... <run directory>...`.
///
/// Its stdin is a pipe that the sweep holds and never writes to. When it closes, because the
/// sweep asks for a stop or because the sweep has died, the worker stops at a step boundary and
/// exits with [`exit::STOPPED`].
///
/// Of several directories it carries out each as if it were alone: what becomes of one changes nothing of another, each run's
/// failure stands in that run's own attempts, and the exit code is the worst of theirs: failed, then [`exit::HELD`], then
/// [`exit::STOPPED`], then [`exit::DONE`].
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
    /// Without a line or another sign of life of any of its runs; then it is asked to stop.
    pub silence: Duration,
    /// After it was asked to stop; then it is killed.
    pub grace: Duration,
}

/// A process. Dropping it closes its stdin, which asks it to stop.
pub(crate) struct Worker {
    child: Child,
    started: Instant,
    asked: Option<Asked>,
    /// Processes that the system had ended for want of memory before.
    out_of_memory: u64,
}

/// That a process was asked to stop.
#[derive(Clone, Copy)]
struct Asked {
    at: Instant,
    /// Because it was silent.
    silent: bool,
}

/// How a process ended.
pub(crate) struct Ended {
    status: io::Result<ExitStatus>,
    /// It was asked to stop before.
    asked: bool,
    /// It was ended because it was silent for so long.
    silent: Option<Duration>,
    /// How long it ran.
    pub(crate) wall_s: f64,
    /// The system has ended processes for want of memory meanwhile.
    pub(crate) memory_ran_out: bool,
}

impl Worker {
    /// Starts one on these run directories; what it says goes to `log`.
    pub(crate) fn start<'p>(
        command: &WorkerCommand,
        device: &Device,
        dirs: impl Iterator<Item = &'p Path>,
        log: File,
    ) -> Result<Self, Cause> {
        let out_of_memory = out_of_memory();
        let child = Command::new(&command.program)
            .args(&command.args)
            .args(&device.args)
            .args(dirs)
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
        Ok(Self {
            child,
            started: Instant::now(),
            asked: None,
            out_of_memory,
        })
    }

    /// The process's number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Closes the worker's stdin.
    pub(crate) fn ask_to_stop(&mut self) {
        drop(self.child.stdin.take());
        self.asked.get_or_insert(Asked {
            at: Instant::now(),
            silent: false,
        });
    }

    /// Ends a process that has given no sign of life since `life`, or does not stop when asked to.
    pub(crate) fn lose_patience(&mut self, life: Instant, patience: Patience) {
        let now = Instant::now();
        match &self.asked {
            Some(asked) if now - asked.at > patience.grace => self.signal(Signal::KILL),
            Some(_) => {}
            None if now - life > patience.silence => {
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
    pub(crate) fn ended(&mut self, patience: Patience) -> Option<Ended> {
        let status = self.child.try_wait().transpose()?;
        let silent = self.asked.is_some_and(|asked| asked.silent);
        Some(Ended {
            status,
            asked: self.asked.is_some(),
            silent: silent.then_some(patience.silence),
            wall_s: self.started.elapsed().as_secs_f64(),
            memory_ran_out: out_of_memory() > self.out_of_memory,
        })
    }
}

impl Ended {
    /// Its exit code; none where a signal ended it or nobody knows.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.as_ref().ok()?.code()
    }

    /// Whether it was ended because it gave no sign of life.
    pub(crate) fn was_silent(&self) -> bool {
        self.silent.is_some()
    }

    /// Whether it stopped because it was asked to, by itself or, because it did not, by a signal.
    pub(crate) fn has_stopped(&self) -> bool {
        let by_signal = || matches!(&self.status, Ok(status) if status.signal().is_some());
        !self.was_silent() && (self.code() == Some(exit::STOPPED) || (self.asked && by_signal()))
    }

    /// What its end is for a run that has no result and has not said itself why.
    pub(crate) fn cause(&self) -> Cause {
        let status = match &self.status {
            Ok(status) => status,
            // An error of the system's cannot be copied, and each of its runs is to have it.
            Err(error) => return Cause::Lost(io::Error::new(error.kind(), error.to_string())),
        };
        match (self.silent, status.code(), status.signal()) {
            (Some(silence), ..) => Cause::Silent(silence.as_secs_f64()),
            (None, Some(exit::DONE), _) => Cause::NoResult,
            (None, Some(exit::BAD_INPUT), _) => Cause::BadInput,
            (None, None, Some(signal)) => Cause::Signal(signal),
            (None, code, _) => Cause::ExitCode(code.unwrap_or_default()),
        }
    }
}

/// How many processes the system has ended for want of memory; 0 where it does not tell.
fn out_of_memory() -> u64 {
    let counts = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let count = counts
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok());
    count.unwrap_or(0)
}
