//! `attempts.jsonl`: what became of each attempt at a run.

use std::path::Path;
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::ATTEMPTS;
use crate::class::Class;
use crate::error::RunError;
use crate::fault::{FileFault, each_line};
use crate::lines::{Lines, read_lines};

/// A line of `attempts.jsonl`. What only explains an attempt may be missing when it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Attempt {
    /// A process took the run up.
    Start(Start),
    /// It let go of it, or died.
    End(End),
    /// A user wants a failed run to be tried again.
    Retry {
        /// RFC 3339, UTC.
        time: String,
    },
}

/// A process took the run up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// From 1.
    pub attempt: u64,
    /// RFC 3339, UTC.
    #[serde(default)]
    pub time: String,
    /// The machine.
    pub host: String,
    /// The device.
    pub device: String,
    /// Threads it may use.
    #[serde(default)]
    pub threads: usize,
    /// Runs that the process took up together, this one among them.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub together: usize,
    /// The process's arguments.
    #[serde(default)]
    pub argv: Vec<String>,
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

/// It let go of it, or died.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The number of its start; 0 where it failed before it had one.
    pub attempt: u64,
    /// RFC 3339, UTC.
    #[serde(default)]
    pub time: String,
    /// Seconds since the start.
    pub wall_s: f64,
    /// Why it ended.
    pub reason: EndReason,
    /// What kind of failure it was, if one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Steps in the journal.
    #[serde(default)]
    pub steps: u64,
    /// What went wrong, if something did.
    pub error: Option<String>,
}

/// Why an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The result is written.
    Finished,
    /// The result is written: the loss was no longer finite.
    Diverged,
    /// It was asked to.
    Stopped,
    /// An error.
    Failed,
}

impl EndReason {
    /// Its word in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Diverged => "diverged",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// An attempt that is under way.
#[derive(Debug)]
pub struct OpenAttempt {
    lines: Lines,
    number: u64,
    since: Instant,
}

/// The name of this machine.
pub(crate) fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

impl OpenAttempt {
    /// Writes the start of an attempt; `number` is its lease's.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn start(
        dir: &Path,
        number: u64,
        device: &str,
        [threads, together]: [usize; 2],
    ) -> Result<Self, RunError> {
        let (mut lines, _) = Lines::open::<Attempt>(&dir.join(ATTEMPTS))?;
        lines.add(&Attempt::Start(Start {
            attempt: number,
            time: now(),
            host: host(),
            device: device.into(),
            threads,
            together,
            argv: std::env::args().collect(),
        }))?;
        Ok(Self {
            lines,
            number,
            since: Instant::now(),
        })
    }

    /// Writes its end, with the steps in the journal and, of a failure, its class and what went wrong.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn end(
        mut self,
        reason: EndReason,
        steps: u64,
        failure: Option<(Class, String)>,
    ) -> Result<(), RunError> {
        let (class, error) = failure.unzip();
        self.lines.add(&Attempt::End(End {
            attempt: self.number,
            time: now(),
            wall_s: milliseconds(self.since.elapsed().as_secs_f64()),
            reason,
            class,
            steps,
            error,
        }))?;
        self.lines.sync()
    }
}

/// Every whole line; none where there are none.
///
/// # Errors
/// If the file cannot be read or a line is none of an attempt.
pub fn attempts(dir: &Path) -> Result<Vec<Attempt>, RunError> {
    read_lines(&dir.join(ATTEMPTS))
}

/// Hands the lines of a run directory's attempts to `each` in order, up to the first fault.
///
/// # Errors
/// With that fault. A missing file has none.
pub fn each_attempt(dir: &Path, mut each: impl FnMut(Attempt)) -> Result<(), FileFault> {
    each_line(dir, ATTEMPTS, "an attempt's line", |_, attempt| {
        each(attempt);
        Ok(())
    })
}

/// Writes the end of an attempt whose process could not do so itself any more.
///
/// # Errors
/// If it cannot be written.
pub fn add_end(dir: &Path, mut end: End) -> Result<(), RunError> {
    end.time = now();
    end.wall_s = milliseconds(end.wall_s);
    add(dir, &Attempt::End(end))
}

/// Writes that a failed run is to be tried again.
///
/// # Errors
/// If it cannot be written.
pub fn add_retry(dir: &Path) -> Result<(), RunError> {
    add(dir, &Attempt::Retry { time: now() })
}

fn add(dir: &Path, line: &Attempt) -> Result<(), RunError> {
    let (mut lines, _) = Lines::open::<Attempt>(&dir.join(ATTEMPTS))?;
    lines.add(line)?;
    lines.sync()
}

/// The highest number of a start.
pub(crate) fn last_number(dir: &Path) -> Result<u64, RunError> {
    let number = |attempt: &Attempt| match attempt {
        Attempt::Start(start) => Some(start.attempt),
        _ => None,
    };
    let numbers = attempts(dir)?;
    Ok(numbers.iter().filter_map(number).max().unwrap_or(0))
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_attempt_has_a_start_and_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let attempt = OpenAttempt::start(dir.path(), 1, "cpu", [2, 1]).unwrap();
        let failure = Some((Class::DiskFull, "steps.jsonl: cannot write".to_owned()));
        attempt.end(EndReason::Failed, 7, failure).unwrap();
        add_retry(dir.path()).unwrap();
        let lines = attempts(dir.path()).unwrap();
        assert!(matches!(&lines[0], Attempt::Start(start) if start.attempt == 1));
        let Attempt::End(end) = &lines[1] else {
            panic!("{lines:?}");
        };
        assert_eq!(
            (end.attempt, end.steps, end.class),
            (1, 7, Some(Class::DiskFull))
        );
        assert!(matches!(&lines[2], Attempt::Retry { .. }));
        let text = std::fs::read_to_string(dir.path().join(ATTEMPTS)).unwrap();
        assert!(text.contains(r#""class":"disk-full","steps":7"#), "{text}");
    }

    #[test]
    fn lines_of_earlier_versions_are_read() {
        let line = r#"{"event":"end","attempt":1,"time":"t","wall_s":1.0,"reason":"failed","steps":2,"error":"no"}"#;
        let end: Attempt = serde_json::from_str(line).unwrap();
        assert!(matches!(end, Attempt::End(end) if end.class.is_none()));
    }
}
