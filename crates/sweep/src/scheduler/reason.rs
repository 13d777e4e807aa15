//! Why a run failed: what its process did, and what its log says of it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use mezo_run::{Class, log_since};
use signal_hook::consts::{SIGABRT, SIGKILL};

use super::estimate::human_time;
use super::exit;

/// Why a run failed, and the last lines of its log.
#[derive(Debug)]
pub struct Reason {
    /// What happened to its process.
    pub cause: Cause,
    /// What kind of failure that is.
    pub class: Class,
    /// Whether it stands in the run's attempts.
    pub(super) kept: bool,
    /// The lines of the worker's log that tell most: the last ones, or those from its error on. Empty where it printed none, or
    /// said itself what went wrong.
    pub log: String,
    /// The way out, where the worker told one.
    pub hint: Option<String>,
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
    /// Its worker said itself what went wrong.
    #[error("{0}")]
    Told(String),
    /// It reported success and left no result.
    #[error("exit code 0, but there is no result.json")]
    NoResult,
    /// It sent no event for so many seconds and was ended.
    #[error("no event for {}, so it was ended", human_time(*.0))]
    Silent(f64),
    /// The system would not say how it ended.
    #[error("lost track of the process: {0}")]
    Lost(#[source] io::Error),
}

impl Cause {
    /// What kind of failure it is, where the worker itself has not said so; `log` is what it wrote, `memory_ran_out` whether
    /// the system has ended processes for want of memory meanwhile.
    fn class(&self, log: &str, memory_ran_out: bool) -> Class {
        match self {
            Self::NotStarted { error, .. } | Self::NoFolder { error, .. } => Class::of_io(error),
            Self::BadInput => Class::BadData,
            Self::ExitCode(_) => Class::of_words(log),
            Self::Signal(signal) if *signal == SIGKILL && memory_ran_out => Class::OutOfMemory,
            // Rust's allocator ends the process when it gets no memory.
            Self::Signal(signal)
                if *signal == SIGABRT && Class::of_words(log) == Class::OutOfMemory =>
            {
                Class::OutOfMemory
            }
            Self::Signal(_) => Class::Killed,
            Self::Silent(_) => Class::Hang,
            Self::Told(_) | Self::NoResult | Self::Lost(_) => Class::Error,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.cause)?;
        let hint = self.hint.iter().map(|hint| format!("hint: {hint}"));
        let lines = self.log.lines().map(str::to_owned).chain(hint);
        lines
            .into_iter()
            .try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl Reason {
    /// The reason for a cause, where the worker itself has not said what kind it is.
    pub(super) fn new(cause: Cause, log: String, memory_ran_out: bool) -> Self {
        Self {
            class: cause.class(&log, memory_ran_out),
            cause,
            kept: false,
            log,
            hint: None,
        }
    }

    /// What a worker said itself.
    pub(super) fn told(class: Class, error: String, hint: Option<String>) -> Self {
        Self {
            cause: Cause::Told(error),
            class,
            kept: false,
            log: String::new(),
            hint,
        }
    }

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

/// The last lines of a run's log from the offset `start` on; where a backtrace would push out what went wrong, from there. Lines
/// that begin with the id of one of the `ended` runs, or the beginning of it, are left out.
pub(super) fn log_end(dir: &Path, start: u64, ended: &[&str]) -> String {
    const LINES: usize = 12;
    let text = log_since(dir, start);
    let of_ended = |line: &str| ended.iter().any(|run| is_of(run, line));
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !of_ended(line))
        .collect();
    let last = lines.len().saturating_sub(LINES);
    let first = telling_line(&lines).map_or(last, |at| at.min(last));
    lines[first..lines.len().min(first + LINES)].join("\n")
}

/// Whether a line begins with the run that it is about and that is this one.
fn is_of(run: &str, line: &str) -> bool {
    const SHORT: usize = 8;
    let of = line.split_once(": ").map_or("", |(of, _)| of);
    run.starts_with(of) && of.len() >= run.len().min(SHORT)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::fs;

    #[test]
    fn a_reason_is_told_at_length_and_in_one_line() {
        let reason = Reason::new(Cause::Signal(9), "step 3\nlast words".into(), false);
        assert_eq!(
            reason.to_string(),
            "killed: killed by SIGKILL\n  step 3\n  last words"
        );
        assert_eq!(reason.summary(), "killed by SIGKILL: last words");
        let silent = Reason::new(Cause::Signal(64), String::new(), false);
        assert_eq!(silent.to_string(), "killed: killed by signal 64");
        assert_eq!(silent.summary(), "killed by signal 64");
    }

    fn summary(log: &str) -> String {
        Reason::new(Cause::ExitCode(1), log.to_owned(), false).summary()
    }

    #[test]
    fn what_a_worker_told_is_said_as_it_is() {
        let hint = Some("make room".to_owned());
        let told = Reason::told(Class::DiskFull, "steps.jsonl: no room".into(), hint);
        assert_eq!(told.summary(), "steps.jsonl: no room");
        let expected = "disk-full: steps.jsonl: no room\n  hint: make room";
        assert_eq!(told.to_string(), expected);
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

    /// The end of a log with this text, whose first run has ended.
    fn end_of(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("log.txt"), text).unwrap();
        log_end(dir.path(), 0, &["0123456789"])
    }

    #[test]
    fn a_backtrace_does_not_push_out_the_panic() {
        let frames: String = (0..40).map(|frame| format!("  {frame}: a::b\n")).collect();
        let kept = end_of(&format!(
            "step 3\nthread 'main' panicked at a.rs:7:5:\nno\nstack backtrace:\n{frames}"
        ));
        assert_eq!(kept.lines().count(), 12);
        assert_eq!(
            summary(&kept),
            "exit code 1: thread 'main' panicked at a.rs:7:5: no"
        );
        let steps: String = (0..40).map(|step| format!("step {step}\n")).collect();
        assert_eq!(summary(&end_of(&steps)), "exit code 1: step 39");
    }

    #[test]
    fn lines_about_runs_that_have_ended_are_left_out() {
        let ended = "0123456789: warning: torn\n01234567: error: out of memory\n";
        let others = "89abcdef: warning: torn\nmemory allocation of 9 bytes failed";
        assert_eq!(end_of(&format!("{ended}{others}\n")), others);
        // What a run that has ended could not allocate is not what the others lack.
        let reason = Reason::new(Cause::ExitCode(1), end_of(ended), false);
        assert_eq!((reason.class, reason.log.as_str()), (Class::Error, ""));
    }

    #[test]
    fn a_cause_is_of_a_class() {
        let class =
            |cause: Cause, log: &str, ran_out| Reason::new(cause, log.into(), ran_out).class;
        assert_eq!(class(Cause::Signal(SIGKILL), "", true), Class::OutOfMemory);
        assert_eq!(class(Cause::Signal(SIGKILL), "", false), Class::Killed);
        assert_eq!(class(Cause::Signal(15), "", true), Class::Killed);
        let log = "memory allocation of 9 bytes failed";
        assert_eq!(
            class(Cause::Signal(SIGABRT), log, false),
            Class::OutOfMemory
        );
        assert_eq!(class(Cause::Signal(SIGABRT), "", false), Class::Killed);
        assert_eq!(class(Cause::BadInput, "", false), Class::BadData);
        assert_eq!(class(Cause::Silent(60.0), "", false), Class::Hang);
        let log = "panicked: CUDA_ERROR_UNKNOWN";
        assert_eq!(class(Cause::ExitCode(101), log, false), Class::DeviceFault);
    }
}
