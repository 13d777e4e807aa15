//! `attempts.jsonl`: the only file of a run that knows time, host, device and arguments.

use std::path::Path;
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::files::Lines;

/// A line of `attempts.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Attempt {
    /// A process took the run up.
    Start {
        /// From 1.
        attempt: usize,
        /// RFC 3339, UTC.
        time: String,
        /// The machine.
        host: String,
        /// The device.
        device: String,
        /// Threads it may use.
        threads: usize,
        /// The process's arguments.
        argv: Vec<String>,
    },
    /// It let go of it.
    End {
        /// The number of its start.
        attempt: usize,
        /// RFC 3339, UTC.
        time: String,
        /// Seconds since the start.
        wall_s: f64,
        /// Why it ended.
        reason: EndReason,
        /// Steps in the journal.
        steps: u64,
        /// What went wrong, if something did.
        error: Option<String>,
    },
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

/// An attempt that is under way.
pub(crate) struct OpenAttempt {
    lines: Lines,
    number: usize,
    since: Instant,
}

impl OpenAttempt {
    pub(crate) fn start(dir: &Path, device: &str) -> Result<Self, TrainError> {
        let (mut lines, before) = Lines::open::<Attempt>(&dir.join("attempts.jsonl"))?;
        let starts = before
            .iter()
            .filter(|line| matches!(line, Attempt::Start { .. }));
        let number = starts.count() + 1;
        lines.add(&Attempt::Start {
            attempt: number,
            time: now(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            device: device.into(),
            threads: rayon::current_num_threads(),
            argv: std::env::args().collect(),
        })?;
        Ok(Self {
            lines,
            number,
            since: Instant::now(),
        })
    }

    pub(crate) fn end(
        mut self,
        reason: EndReason,
        steps: u64,
        error: Option<String>,
    ) -> Result<(), TrainError> {
        let wall_s = (self.since.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
        self.lines.add(&Attempt::End {
            attempt: self.number,
            time: now(),
            wall_s,
            reason,
            steps,
            error,
        })?;
        self.lines.sync()
    }
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}
