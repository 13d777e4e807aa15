//! What happens in a sweep while its runs are under way, and what came of it.

use super::policy::Failure;
use super::reason::Reason;
use crate::state::Run;

/// What happens in a sweep while its runs are under way.
#[derive(Debug)]
pub enum Event<'a> {
    /// The run was finished before, or by somebody else.
    Skipped {
        /// The run.
        run: &'a Run,
    },
    /// The run failed before, and nobody has said that it is to be tried again.
    Left {
        /// The run.
        run: &'a Run,
        /// Why it failed.
        failure: &'a Failure,
    },
    /// The run's process has started.
    Started {
        /// The run.
        run: &'a Run,
        /// The step in its journal from which it goes on; 0 for a new one.
        step: u64,
        /// Where it runs.
        device: &'a str,
    },
    /// The run has made a step.
    Progress {
        /// The run.
        run: &'a Run,
        /// The step.
        step: u64,
        /// How many steps it takes.
        steps: u64,
        /// Its mean loss; none where it is not finite.
        loss: Option<f64>,
    },
    /// The run has its result.
    Finished {
        /// The run.
        run: &'a Run,
    },
    /// The run's attempt failed, and another one follows.
    Again {
        /// The run.
        run: &'a Run,
        /// Why.
        reason: &'a Reason,
    },
    /// The run failed; the others go on.
    Failed {
        /// The run.
        run: &'a Run,
        /// Why.
        reason: &'a Reason,
    },
    /// The run stopped at a step boundary.
    Stopped {
        /// The run.
        run: &'a Run,
    },
    /// Another process is at this run; it is waited for.
    Held {
        /// The run.
        run: &'a Run,
        /// Whether that was not so before.
        first: bool,
    },
    /// A device failed and gets no more runs.
    SetAside {
        /// The device.
        device: &'a str,
    },
    /// No process can be started: nothing new starts.
    CannotStart {
        /// Why not.
        reason: &'a Reason,
    },
    /// There is no room left to write: nothing new starts.
    DiskFull,
    /// The stop was heard: nothing new starts, the running ones are asked to stop.
    Stopping,
    /// About ten times a second, after the progress of that moment.
    Tick,
}

/// Somebody who watches a sweep.
pub trait Watch {
    /// Told of everything that happens, in its order.
    fn event(&mut self, event: Event<'_>);
}

/// What became of the runs, by their ids.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Runs that have a result, now or from before.
    pub finished: Vec<String>,
    /// Runs that failed, and why.
    pub failed: Vec<(String, Reason)>,
    /// Runs that failed before and were left alone.
    pub left: Vec<(String, Failure)>,
    /// Runs that stopped at a step boundary.
    pub stopped: Vec<String>,
    /// Runs that another process is at.
    pub held: Vec<String>,
    /// Runs that were not started because of a stop, a full disk or for want of a device or a process.
    pub waiting: Vec<String>,
    /// Why no process could be started, if that was so.
    pub cannot_start: Option<Reason>,
}
