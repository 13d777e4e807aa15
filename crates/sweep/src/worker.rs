//! One run as one process: how it is started, asked to stop, and what its end means.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::plan::Run;
use crate::tail::{self, Progress, Tail};

/// The exit codes of a worker that mean something to a sweep.
pub mod exit {
    /// The run is finished.
    pub const DONE: i32 = 0;
    /// The spec, the model or the data is wrong.
    pub const BAD_INPUT: i32 = 3;
    /// Another process is at this run.
    pub const HELD: i32 = 75;
    /// Stopped at a step boundary; the run goes on from there when it is started again.
    pub const STOPPED: i32 = 85;
}

/// How a worker is started: `program args... <run directory>`.
///
/// Its stdin is a pipe that the sweep holds and never writes to. When it closes, because the
/// sweep asks for a stop or because the sweep has died, the worker stops at a step boundary and
/// exits with [`exit::STOPPED`].
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments before the run's directory.
    pub args: Vec<OsString>,
}

/// Why a run failed, and the last lines of its log.
#[derive(Debug)]
pub struct Reason {
    /// What happened to its process.
    pub cause: Cause,
    /// The lines of this attempt's log that tell most: the last ones, or those from its error on; empty where
    /// it wrote none.
    pub log: String,
}

/// What happened to the process of a failed run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// It could not be started.
    #[error("cannot start {}: {error}", .program.display())]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Its directory or log could not be made.
    #[error("{}: cannot be written: {error}", .path.display())]
    NoFolder {
        /// The directory or file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The spec, the model or the data is wrong.
    #[error("bad input (exit code {})", exit::BAD_INPUT)]
    BadInput,
    /// It ended by itself with another code.
    #[error("exit code {0}")]
    ExitCode(i32),
    /// A signal ended it.
    #[error("killed by {}", signal_name(*.0))]
    Signal(i32),
    /// It reported success and left no result.
    #[error("exit code 0, but there is no result.json")]
    NoResult,
    /// The system would not say how it ended.
    #[error("lost track of the process: {0}")]
    Lost(#[source] io::Error),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        self.log
            .lines()
            .try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl Reason {
    /// The cause and what the log says of it, on one line.
    pub fn summary(&self) -> String {
        let lines: Vec<&str> = self.log.lines().collect();
        match essence(&lines) {
            Some(text) => format!("{}: {text}", self.cause),
            None => self.cause.to_string(),
        }
    }
}

const ERROR: &str = "error:";

/// Where a log says what went wrong: after it come hints and backtraces.
fn telling_line(lines: &[&str]) -> Option<usize> {
    let error = lines.iter().rposition(|line| line.starts_with(ERROR));
    // Of several panics the first is the cause of the others.
    error.or_else(|| lines.iter().position(|line| line.contains("panicked at")))
}

/// What a log says in one line.
fn essence(lines: &[&str]) -> Option<String> {
    let Some(at) = telling_line(lines) else {
        let last = lines.iter().rev().find(|line| !line.trim().is_empty())?;
        return Some(last.trim().to_owned());
    };
    if let Some(error) = lines[at].strip_prefix(ERROR) {
        return Some(error.trim().to_owned());
    }
    // The message of a panic stands under its place.
    let said = lines[at..].iter().take(2).map(|line| line.trim());
    Some(said.collect::<Vec<_>>().join(" "))
}

fn signal_name(signal: i32) -> String {
    signal_hook::low_level::signal_name(signal)
        .map_or_else(|| format!("signal {signal}"), str::to_owned)
}

/// How a run's process ended.
pub(crate) enum Ending {
    Finished,
    Stopped,
    Held,
    Failed(Reason),
}

/// The process of one run. Dropping it closes its stdin, which asks it to stop.
pub(crate) struct Worker<'r> {
    pub(crate) run: &'r Run,
    /// The step in the journal from which it goes on; 0 for a new run.
    pub(crate) first_step: u64,
    child: Child,
    tail: Tail,
    /// Where this attempt's part of the log begins.
    log_start: u64,
}

impl<'r> Worker<'r> {
    pub(crate) fn start(command: &WorkerCommand, run: &'r Run) -> Result<Self, Reason> {
        start(command, run).map_err(|cause| Reason {
            cause,
            log: String::new(),
        })
    }

    /// Closes the worker's stdin.
    pub(crate) fn ask_to_stop(&mut self) {
        drop(self.child.stdin.take());
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<Ending> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(self.ending(status)),
            Err(error) => Some(self.failed(Cause::Lost(error))),
        }
    }

    pub(crate) fn news(&mut self) -> Option<Progress> {
        self.tail.news()
    }

    fn ending(&self, status: ExitStatus) -> Ending {
        // The run's directory is the truth: with a result in it the run is finished, even if the
        // process broke down on its way out or found the run in other hands.
        if self.run.is_finished() {
            return Ending::Finished;
        }
        match (status.code(), status.signal()) {
            (Some(exit::STOPPED), _) => Ending::Stopped,
            (Some(exit::HELD), _) => Ending::Held,
            (Some(exit::DONE), _) => self.failed(Cause::NoResult),
            (Some(exit::BAD_INPUT), _) => self.failed(Cause::BadInput),
            (None, Some(signal)) => self.failed(Cause::Signal(signal)),
            (code, _) => self.failed(Cause::ExitCode(code.unwrap_or_default())),
        }
    }

    fn failed(&self, cause: Cause) -> Ending {
        let log = log_end(&log_path(self.run), self.log_start);
        Ending::Failed(Reason { cause, log })
    }
}

fn start<'r>(command: &WorkerCommand, run: &'r Run) -> Result<Worker<'r>, Cause> {
    let no_folder = |path: &Path, error| Cause::NoFolder {
        path: path.to_owned(),
        error,
    };
    fs::create_dir_all(&run.dir).map_err(|error| no_folder(&run.dir, error))?;
    let path = log_path(run);
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|error| no_folder(&path, error))?;
    let log_start = log
        .metadata()
        .map_err(|error| no_folder(&path, error))?
        .len();
    let mut tail = Tail::new(run.dir.join("steps.jsonl"));
    let first_step = tail.news().map_or(0, |progress| progress.step);
    let child = Command::new(&command.program)
        .args(&command.args)
        .arg(&run.dir)
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
        first_step,
        child,
        tail,
        log_start,
    })
}

fn log_path(run: &Run) -> PathBuf {
    run.dir.join("log.txt")
}

/// The last lines of a log from `start` on; where a backtrace would push out what went wrong, from there.
fn log_end(path: &Path, start: u64) -> String {
    const LINES: usize = 12;
    const BYTES: u64 = 64 * 1024;
    // The log only explains the failure; without it the cause still stands.
    let text = tail::text_from(path, start, BYTES).unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines.len().saturating_sub(LINES);
    let first = telling_line(&lines).map_or(last, |at| at.min(last));
    lines[first..lines.len().min(first + LINES)].join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_reason_is_told_at_length_and_in_one_line() {
        let reason = Reason {
            cause: Cause::Signal(9),
            log: "step 3\nout of memory".into(),
        };
        assert_eq!(
            reason.to_string(),
            "killed by SIGKILL\n  step 3\n  out of memory"
        );
        assert_eq!(reason.summary(), "killed by SIGKILL: out of memory");
        let silent = Reason {
            cause: Cause::Signal(64),
            log: String::new(),
        };
        assert_eq!(silent.to_string(), "killed by signal 64");
        assert_eq!(silent.summary(), "killed by signal 64");
    }

    fn summary(log: &str) -> String {
        let log = log.to_owned();
        let cause = Cause::ExitCode(1);
        Reason { cause, log }.summary()
    }

    #[test]
    fn a_summary_is_the_error_and_not_its_hint() {
        assert_eq!(
            summary("error: first\nstep 3\nerror: a.toml:3:1: expected 1\nhint: write 1"),
            "exit code 1: a.toml:3:1: expected 1"
        );
        assert_eq!(summary("step 3\n  \n"), "exit code 1: step 3");
    }

    #[test]
    fn a_summary_of_a_panic_has_its_place_and_message() {
        let log = "step 3\nthread 'main' panicked at src/a.rs:7:5:\nindex out of bounds\n\
                   note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace";
        assert_eq!(
            summary(log),
            "exit code 1: thread 'main' panicked at src/a.rs:7:5: index out of bounds"
        );
        assert_eq!(
            summary("thread 'main' panicked at src/a.rs:7:5:"),
            "exit code 1: thread 'main' panicked at src/a.rs:7:5:"
        );
        assert_eq!(
            summary(&format!("{log}\nerror: out of range")),
            "exit code 1: out of range"
        );
    }

    #[test]
    fn a_backtrace_does_not_push_out_the_panic() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let frames: String = (0..40).map(|frame| format!("  {frame}: a::b\n")).collect();
        let log =
            format!("step 3\nthread 'main' panicked at a.rs:7:5:\nno\nstack backtrace:\n{frames}");
        fs::write(file.path(), log).unwrap();
        let kept = log_end(file.path(), 0);
        assert_eq!(kept.lines().count(), 12);
        assert_eq!(
            summary(&kept),
            "exit code 1: thread 'main' panicked at a.rs:7:5: no"
        );
        let steps: String = (0..40).map(|step| format!("step {step}\n")).collect();
        fs::write(file.path(), steps).unwrap();
        assert_eq!(summary(&log_end(file.path(), 0)), "exit code 1: step 39");
    }
}
