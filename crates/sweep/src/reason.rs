//! Why a run failed: what its process did, and what its log says of it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use mezo_run::Class;
use signal_hook::consts::{SIGABRT, SIGKILL};

use crate::estimate::human_time;
use crate::exit;
use crate::tail;

/// Why a run failed, and the last lines of its log.
#[derive(Debug)]
pub struct Reason {
    /// What happened to its process.
    pub cause: Cause,
    /// What kind of failure that is.
    pub class: Class,
    /// Whether it stands in the run's attempts.
    pub(crate) kept: bool,
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
    /// It wrote its failure down itself, and its process went on with the runs beside it.
    #[error("failed beside others")]
    BesideOthers,
    /// It reported success and left no result.
    #[error("exit code 0, but there is no result.json")]
    NoResult,
    /// It wrote no line for so long and was ended.
    #[error("no line for {}, so it was ended", human_time(*.0))]
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
            Self::BesideOthers | Self::NoResult | Self::Lost(_) => Class::Error,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.cause)?;
        self.log
            .lines()
            .try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl Reason {
    /// The reason for a cause, where the worker itself has not said what kind it is.
    pub(crate) fn new(cause: Cause, log: String, memory_ran_out: bool) -> Self {
        Self {
            class: cause.class(&log, memory_ran_out),
            cause,
            kept: false,
            log,
        }
    }

    /// Lets the reason say what the worker wrote down of this run, where the log does not: on a full disk it stays empty, and
    /// of several runs it may end with another's words.
    pub(crate) fn tell(&mut self, error: &dyn fmt::Display) {
        let error = error.to_string();
        let said = self.log.lines().rev().find(|line| line.starts_with(ERROR));
        // Of one run alone the log knows best.
        let of_others = matches!(self.cause, Cause::BesideOthers)
            && !said.is_some_and(|said| said.contains(error.as_str()));
        if self.log.is_empty() {
            self.log = format!("{ERROR} {error}");
        } else if of_others {
            self.log.push_str(&format!("\n{ERROR} {error}"));
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

/// The last lines of a log from `start` on; where a backtrace would push out what went wrong, from there. Where `run` shares
/// its log with others of a crew, each of their lines begins with its run's id or the beginning of it: the others' words are
/// left out, and where it is said what went wrong with `run` that alone is told. What begins with no run's id is everybody's.
pub(crate) fn log_end(path: &Path, start: u64, run: &str, crew: &[&str]) -> String {
    const LINES: usize = 12;
    const BYTES: u64 = 64 * 1024;
    // The log only explains the failure; without it the cause still stands.
    let text = tail::text_from(path, start, BYTES).unwrap_or_default();
    let of_another = |line: &str| {
        let mut others = crew.iter().filter(|other| **other != run);
        words_of(run, line).is_none() && others.any(|other| words_of(other, line).is_some())
    };
    let said = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !of_another(line));
    let own: Vec<&str> = said
        .clone()
        .filter_map(|line| words_of(run, line))
        .collect();
    let lines: Vec<&str> = match own.iter().any(|line| line.starts_with(ERROR)) {
        true => own,
        false => said.collect(),
    };
    let last = lines.len().saturating_sub(LINES);
    let first = telling_line(&lines).map_or(last, |at| at.min(last));
    lines[first..lines.len().min(first + LINES)].join("\n")
}

/// What a line says, if it begins with the run it is about and that is this one.
fn words_of<'l>(run: &str, line: &'l str) -> Option<&'l str> {
    const SHORT: usize = 8;
    let (of, words) = line.split_once(": ")?;
    (run.starts_with(of) && of.len() >= run.len().min(SHORT)).then_some(words)
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
    fn a_reason_has_its_own_run_s_words_last() {
        let told = |cause: Cause, log: &str| {
            let mut reason = Reason::new(cause, log.to_owned(), false);
            reason.tell(&"no room");
            reason.log
        };
        assert_eq!(told(Cause::ExitCode(1), ""), "error: no room");
        assert_eq!(told(Cause::ExitCode(1), "error: else"), "error: else");
        let beside = |log: &str| told(Cause::BesideOthers, log);
        assert_eq!(beside(""), "error: no room");
        assert_eq!(
            beside("error: a: no room\nstep 3"),
            "error: a: no room\nstep 3"
        );
        assert_eq!(
            beside("error: a: no room\nerror: b: bad"),
            "error: a: no room\nerror: b: bad\nerror: no room"
        );
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
        let kept = log_end(file.path(), 0, "5ca1ab1e", &["5ca1ab1e"]);
        assert_eq!(kept.lines().count(), 12);
        assert_eq!(
            summary(&kept),
            "exit code 1: thread 'main' panicked at a.rs:7:5: no"
        );
        let steps: String = (0..40).map(|step| format!("step {step}\n")).collect();
        fs::write(file.path(), steps).unwrap();
        assert_eq!(
            summary(&log_end(file.path(), 0, "5ca1ab1e", &["5ca1ab1e"])),
            "exit code 1: step 39"
        );
    }

    #[test]
    fn a_log_of_several_runs_tells_of_the_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let crew = ["0123456789", "89abcdef01", "abcdef0123", "fedcba9876"];
        let told = |log: &str, run: &str| {
            fs::write(file.path(), log).unwrap();
            log_end(file.path(), 0, run, &crew)
        };
        let log = "0123456789: warning: torn\n01234567: error: no room\n01234567: hint: make room\n\
                   89abcdef: error: bad row\nabcdef01: finished\n";
        let first = "warning: torn\nerror: no room\nhint: make room";
        assert_eq!(told(log, "0123456789"), first);
        assert_eq!(told(log, "89abcdef01"), "error: bad row");
        // Of these no error was said, and the others' errors are none of theirs.
        assert_eq!(told(log, "abcdef0123"), "abcdef01: finished");
        assert_eq!(told(log, "fedcba9876"), "");
        let all = format!("{log}panicked: CUDA_ERROR_UNKNOWN\nnote: a: b\n");
        let everybodys = "panicked: CUDA_ERROR_UNKNOWN\nnote: a: b";
        assert_eq!(told(&all, "fedcba9876"), everybodys);
        // What another run could not allocate is not what this one lacks.
        let memory = "01234567: error: out of memory\n";
        let class = |run: &str| {
            let log = told(memory, run);
            Reason::new(Cause::ExitCode(1), log, false).class
        };
        assert_eq!(class("0123456789"), Class::OutOfMemory);
        assert_eq!(class("fedcba9876"), Class::Error);
        assert_eq!(told("0: error: no\n01: error: yes", "01"), "error: yes");
        assert_eq!(told("error: all", "e"), "error: all");
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
