//! A worker's process: how it is started, asked to stop, and ended.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::device::Device;
use super::exit;
use super::protocol::{WorkerEvent, listen};
use super::reason::Cause;

/// A pause between two looks at a process that means that this program itself was stopped for a while.
const STOPPED: Duration = Duration::from_secs(2);

/// How long the last events of a process that has ended are waited for, should something that it started hold its pipe open.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// How a worker is started: `program args... <the device's args>... <run directory>...`.
///
/// Its stdout is a pipe on which it says what happens, a [`WorkerEvent`] a line. Its stdin is a pipe that the scheduler holds and
/// never writes to. When that closes, because the scheduler asks for a stop or has died, the worker stops its runs at their next
/// step and exits with [`exit::STOPPED`].
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments before the device's.
    pub args: Vec<OsString>,
}

/// How long a worker is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Without an event; then it is asked to stop.
    pub silence: Duration,
    /// After it was asked to stop; then it is killed.
    pub grace: Duration,
}

/// A process. Dropping it closes its stdin, which asks it to stop.
pub(super) struct Process {
    child: Child,
    events: Receiver<WorkerEvent>,
    started: Instant,
    /// When it last sent an event, or was started.
    heard: Instant,
    /// When its events were last looked at.
    looked: Instant,
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
pub(super) struct Exited {
    status: io::Result<ExitStatus>,
    /// It was asked to stop before.
    asked: bool,
    /// It was ended because it was silent for so long.
    silent: Option<Duration>,
    /// How long it ran.
    pub(super) wall_s: f64,
    /// The system has ended processes for want of memory meanwhile.
    pub(super) memory_ran_out: bool,
}

impl Process {
    /// Starts one on these run directories; what it says goes to `log`.
    pub(super) fn start<'p>(
        command: &WorkerCommand,
        device: &Device,
        dirs: impl Iterator<Item = &'p Path>,
        log: File,
    ) -> Result<Self, Cause> {
        let out_of_memory = out_of_memory();
        let mut child = Command::new(&command.program)
            .args(&command.args)
            .args(&device.args)
            .args(dirs)
            .envs(device.env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C in a terminal goes to the sweep's group alone; the workers hear of it through
            // their stdin and stop between two steps.
            .process_group(0)
            .spawn()
            .map_err(|error| Cause::NotStarted {
                program: command.program.clone(),
                error,
            })?;
        let stdout = child.stdout.take().ok_or_else(|| Cause::NotStarted {
            program: command.program.clone(),
            error: io::Error::other("it has no standard output"),
        })?;
        let events = listen(stdout).map_err(|error| Cause::NotStarted {
            program: command.program.clone(),
            error,
        })?;
        let now = Instant::now();
        Ok(Self {
            child,
            events,
            started: now,
            heard: now,
            looked: now,
            asked: None,
            out_of_memory,
        })
    }

    /// The events that have come since the last call.
    pub(super) fn events(&mut self) -> Vec<WorkerEvent> {
        self.leave_out_own_pause();
        let events: Vec<WorkerEvent> = self.events.try_iter().collect();
        if !events.is_empty() {
            self.heard = Instant::now();
        }
        events
    }

    /// Time in which nobody could have heard it, because this program was stopped, is not held against it.
    fn leave_out_own_pause(&mut self) {
        let pause = self.looked.elapsed();
        self.looked += pause;
        if pause > STOPPED {
            self.heard += pause;
            if let Some(asked) = &mut self.asked {
                asked.at += pause;
            }
        }
    }

    /// The last events of a process that has ended.
    pub(super) fn last_events(&mut self) -> Vec<WorkerEvent> {
        let end = Instant::now() + LAST_EVENTS;
        let next = || self.events.recv_timeout(end - Instant::now()).ok();
        std::iter::from_fn(next).collect()
    }

    /// Whether it was asked to stop because it was silent.
    pub(super) fn was_silent(&self) -> bool {
        self.asked.is_some_and(|asked| asked.silent)
    }

    /// How long it has run, in seconds.
    pub(super) fn wall_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Closes the worker's stdin.
    pub(super) fn ask_to_stop(&mut self) {
        drop(self.child.stdin.take());
        self.asked.get_or_insert(Asked {
            at: Instant::now(),
            silent: false,
        });
    }

    /// Ends a process that is silent, or does not stop when asked to.
    pub(super) fn enforce(&mut self, timeouts: Timeouts) {
        let now = Instant::now();
        match &self.asked {
            Some(asked) if now - asked.at > timeouts.grace => self.signal(Signal::KILL),
            Some(_) => {}
            None if now - self.heard > timeouts.silence => {
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
    pub(super) fn ended(&mut self, timeouts: Timeouts) -> Option<Exited> {
        let status = self.child.try_wait().transpose()?;
        Some(Exited {
            status,
            asked: self.asked.is_some(),
            silent: self.was_silent().then_some(timeouts.silence),
            wall_s: self.wall_s(),
            memory_ran_out: out_of_memory() > self.out_of_memory,
        })
    }
}

impl Exited {
    /// Its exit code; none where a signal ended it or nobody knows.
    pub(super) fn code(&self) -> Option<i32> {
        self.status.as_ref().ok()?.code()
    }

    /// Whether it stopped because it was asked to, by itself or, because it did not, by a signal.
    pub(super) fn has_stopped(&self) -> bool {
        let by_signal = || matches!(&self.status, Ok(status) if status.signal().is_some());
        self.silent.is_none() && (self.code() == Some(exit::STOPPED) || (self.asked && by_signal()))
    }

    /// What its end is for a run that has no result and has not said itself why.
    pub(super) fn cause(&self) -> Cause {
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
