//! A run that a worker has: what the worker has said of it, and what its end means.

use std::fs::File;
use std::io;

use mezo_run::{
    Attempt, Class, End, EndReason, Lease, RunError, add_end, attempts, last_step, open_log,
};

use super::process::Exited;
use super::protocol::RunEnd;
use super::reason::{Cause, Reason};
use crate::state::Run;

/// What became of a run.
pub(super) enum Ending {
    Finished,
    Stopped,
    /// Another process holds its lease.
    Held,
    Failed(Reason),
}

/// A run that a worker has, alone or batched with others.
pub(super) struct TrackedRun<'r> {
    pub(super) run: &'r Run,
    /// The step in the journal from which it goes on; 0 for a new run.
    pub(super) first_step: u64,
    /// The scheduler knows its end, while the worker may still be at others.
    pub(super) has_ended: bool,
    /// The number of the worker's attempt, once it has begun one.
    pub(super) attempt: Option<u64>,
    /// Bytes of its log before the worker.
    pub(super) log_before: u64,
    /// Lines of its attempts before the worker.
    attempts_before: usize,
}

impl<'r> TrackedRun<'r> {
    /// The run as it is before its worker, with its log open; a failure of its own where there can be none.
    pub(super) fn new(run: &'r Run) -> Result<(Self, File), Ending> {
        let failed = |path: &std::path::Path, error| Cause::NoFolder {
            path: path.to_owned(),
            error,
        };
        let opened = std::fs::create_dir_all(&run.dir)
            .map_err(|error| failed(&run.dir, error))
            .and_then(|()| {
                open_log(&run.dir).map_err(|error| match error {
                    RunError::File { path, source, .. } => failed(&path, source),
                    error => failed(&run.dir, io::Error::other(error)),
                })
            });
        let first_step = || last_step(&run.dir).ok().flatten();
        let mut tracked = Self {
            run,
            first_step: first_step().map_or(0, |step| step.step),
            has_ended: false,
            attempt: None,
            log_before: 0,
            attempts_before: attempts(&run.dir).map_or(0, |lines| lines.len()),
        };
        match opened {
            Ok((log, length)) => {
                tracked.log_before = length;
                Ok((tracked, log))
            }
            Err(cause) => Err(tracked.failed(Reason::new(cause, String::new(), false), 0.0)),
        }
    }

    /// What the worker's own word on its end means. `silent_s` says that it was asked to stop because it had been silent for so
    /// many seconds.
    pub(super) fn told(&mut self, how: RunEnd, silent_s: Option<f64>, wall_s: f64) -> Ending {
        self.has_ended = true;
        // With a result in its directory the run is finished, even if the worker failed on its way out.
        if self.run.is_finished() {
            return Ending::Finished;
        }
        match how {
            RunEnd::Finished => {
                self.failed(Reason::new(Cause::NoResult, String::new(), false), wall_s)
            }
            RunEnd::Held => Ending::Held,
            RunEnd::Failed { class, error, hint } => {
                self.failed(Reason::told(class, error, hint), wall_s)
            }
            RunEnd::Stopped => match silent_s {
                None => Ending::Stopped,
                // It has written its time down itself.
                Some(silent_s) => {
                    let cause = Cause::Silent(silent_s);
                    self.failed(Reason::new(cause, String::new(), false), 0.0)
                }
            },
        }
    }

    /// What the end of the worker means for a run on whose end it did not say a word; `log` is what it printed.
    pub(super) fn left(&mut self, exited: &Exited, log: String) -> Ending {
        self.has_ended = true;
        if self.run.is_finished() {
            return Ending::Finished;
        }
        if exited.has_stopped() {
            return Ending::Stopped;
        }
        // It may have died between what it wrote and what it would have said of it.
        self.attempt = self.attempt.or_else(|| self.begun());
        let reason = Reason::new(exited.cause(), log, exited.memory_ran_out);
        self.failed(reason, exited.wall_s)
    }

    /// A failure, written down unless the worker has done so itself.
    fn failed(&self, mut reason: Reason, wall_s: f64) -> Ending {
        if self.take_written(&mut reason) {
            return Ending::Failed(reason);
        }
        // Held meanwhile: nobody else adds to the attempts, and a run that somebody else has begun is left to him.
        let _lease = match Lease::take(&self.run.dir) {
            Err(RunError::Held { .. }) => return Ending::Held,
            lease => lease,
        };
        let end = End {
            attempt: self.attempt.unwrap_or(0),
            time: String::new(),
            wall_s,
            reason: EndReason::Failed,
            class: Some(reason.class),
            steps: last_step(&self.run.dir)
                .ok()
                .flatten()
                .map_or(0, |step| step.step),
            error: Some(reason.summary()),
        };
        match add_end(&self.run.dir, end) {
            Ok(()) => reason.kept = true,
            // What there is no room to write down most likely came of that.
            Err(error) if reason.class == Class::Error && error.class() == Class::DiskFull => {
                let both = format!("{}; {error}", reason.summary());
                reason = Reason::told(Class::DiskFull, both, error.hint());
            }
            Err(_) => {}
        }
        Ending::Failed(reason)
    }

    /// Whether the worker has written the failure of its attempt; then that is the reason, even where it died before it said so.
    fn take_written(&self, reason: &mut Reason) -> bool {
        let lines = self.new_attempts();
        let written = lines.iter().find_map(|line| match line {
            Attempt::End(end)
                if Some(end.attempt) == self.attempt && end.reason == EndReason::Failed =>
            {
                Some(end)
            }
            _ => None,
        });
        let Some(end) = written else {
            return false;
        };
        if !matches!(reason.cause, Cause::Told(_)) {
            let class = end.class.unwrap_or(Class::Error);
            let error = end.error.clone().unwrap_or_default();
            *reason = Reason::told(class, error, None);
        }
        reason.kept = true;
        true
    }

    /// The number of the last attempt that was begun since the worker was started.
    fn begun(&self) -> Option<u64> {
        let attempts = self.new_attempts();
        attempts.iter().rev().find_map(|attempt| match attempt {
            Attempt::Start(start) => Some(start.attempt),
            Attempt::End(_) | Attempt::Retry { .. } => None,
        })
    }

    fn new_attempts(&self) -> Vec<Attempt> {
        // Attempts that cannot be read have told nothing.
        let mut lines = attempts(&self.run.dir).unwrap_or_default();
        lines.drain(..self.attempts_before.min(lines.len()));
        lines
    }
}
