//! A worker: one process with one run, or with several that it trains batched.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use mezo_run::LOG;

use super::device::Device;
use super::process::{Process, Timeouts, WorkerCommand};
use super::protocol::WorkerEvent;
use super::reason::{Reason, log_end};
use super::tracked::{Ending, TrackedRun};
use crate::state::Run;

/// A process and its runs. Dropping it closes the process's stdin, which asks it to stop.
pub(super) struct Worker<'r> {
    /// The runs, in the order of the process's arguments; at least one.
    pub(super) runs: Vec<TrackedRun<'r>>,
    /// The place of its device in the fleet.
    pub(super) device: usize,
    process: Process,
}

/// What came of starting a worker.
pub(super) struct Started<'r> {
    /// The worker; none where no run was left for it.
    pub(super) worker: Option<Worker<'r>>,
    /// The runs that ended before they had one.
    pub(super) ended: Vec<(&'r Run, Ending)>,
}

/// What a worker has said of a run.
pub(super) enum News<'r> {
    /// It made a step.
    Step {
        run: &'r Run,
        step: u64,
        loss: Option<f64>,
    },
    /// It has come to its end.
    Ended(&'r Run, Ending),
}

impl<'r> Worker<'r> {
    /// Starts a worker for these runs.
    ///
    /// # Errors
    /// Where there can be none: this program or this machine cannot start one, for whatever run.
    pub(super) fn start(
        command: &WorkerCommand,
        runs: &[&'r Run],
        device: &Device,
        place: usize,
    ) -> Result<Started<'r>, Reason> {
        let (mut tracked, mut logs, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for &run in runs {
            match TrackedRun::new(run) {
                Ok((run, log)) => {
                    tracked.push(run);
                    logs.push(log);
                }
                Err(ending) => ended.push((run, ending)),
            }
        }
        let mut logs = logs.into_iter();
        let Some(log) = logs.next() else {
            let worker = None;
            return Ok(Started { worker, ended });
        };
        let dirs = tracked.iter().map(|tracked| tracked.run.dir.as_path());
        let process = Process::start(command, device, dirs, log)
            .map_err(|cause| Reason::new(cause, String::new(), false))?;
        let first = tracked[0].run;
        for (tracked, log) in tracked.iter().skip(1).zip(logs) {
            say_where(log, &tracked.run.dir, &first.dir);
        }
        let worker = Some(Self {
            runs: tracked,
            device: place,
            process,
        });
        Ok(Started { worker, ended })
    }

    /// Whether one of its runs trains; one that only evaluates is done soon.
    pub(super) fn trains(&self) -> bool {
        self.runs.iter().any(|tracked| tracked.run.steps > 0)
    }

    /// The ids of its runs.
    pub(super) fn ids(&self) -> Vec<&'r str> {
        let runs = self.runs.iter().map(|tracked| tracked.run);
        runs.map(|run| run.id.as_str()).collect()
    }

    /// Closes the process's stdin.
    pub(super) fn ask_to_stop(&mut self) {
        self.process.ask_to_stop();
    }

    /// Ends a process that is silent, or that does not stop when asked to.
    pub(super) fn enforce(&mut self, timeouts: Timeouts) {
        self.process.enforce(timeouts);
    }

    /// What the process has said since the last call.
    pub(super) fn news(&mut self, timeouts: Timeouts) -> Vec<News<'r>> {
        let events = self.process.events();
        self.hear(events, timeouts)
    }

    /// What the process said last and what its end means for the runs of which it did not tell one; none while it goes on.
    pub(super) fn last_news(&mut self, timeouts: Timeouts) -> Option<Vec<News<'r>>> {
        let exited = self.process.ended(timeouts)?;
        let events = self.process.last_events();
        let mut news = self.hear(events, timeouts);
        let log = self.log();
        for tracked in self.runs.iter_mut().filter(|tracked| !tracked.has_ended) {
            news.push(News::Ended(tracked.run, tracked.left(&exited, log.clone())));
        }
        Some(news)
    }

    /// What the process printed, but for lines about runs that have ended: those explain nothing of the others.
    fn log(&self) -> String {
        let ended = self.runs.iter().filter(|tracked| tracked.has_ended);
        let ended: Vec<&str> = ended.map(|tracked| tracked.run.id.as_str()).collect();
        let first = &self.runs[0];
        log_end(&first.run.dir, first.log_before, &ended)
    }

    fn hear(&mut self, events: Vec<WorkerEvent>, timeouts: Timeouts) -> Vec<News<'r>> {
        let silence = timeouts.silence.as_secs_f64();
        let silent_s = self.process.was_silent().then_some(silence);
        let wall_s = self.process.wall_s();
        let heard = events.into_iter();
        heard
            .filter_map(|event| self.hear_one(event, silent_s, wall_s))
            .collect()
    }

    fn hear_one(
        &mut self,
        event: WorkerEvent,
        silent_s: Option<f64>,
        wall_s: f64,
    ) -> Option<News<'r>> {
        match event {
            WorkerEvent::Started { run, attempt } => {
                self.open(run)?.attempt = Some(attempt);
                None
            }
            WorkerEvent::Step { run, step, loss } => {
                let run = self.open(run)?.run;
                Some(News::Step { run, step, loss })
            }
            WorkerEvent::Ended { run, how } => {
                let tracked = self.open(run)?;
                let ending = tracked.told(how, silent_s, wall_s);
                Some(News::Ended(tracked.run, ending))
            }
            WorkerEvent::Evaluated { .. } | WorkerEvent::Alive => None,
        }
    }

    /// The run at a place, if there is one whose end is not known yet.
    fn open(&mut self, place: usize) -> Option<&mut TrackedRun<'r>> {
        self.runs.get_mut(place).filter(|run| !run.has_ended)
    }
}

/// Says in a run's log whose log has what their process prints.
fn say_where(mut log: File, own: &Path, first: &Path) {
    let path = match (first.file_name(), first.parent() == own.parent()) {
        (Some(name), true) => Path::new("..").join(name).join(LOG),
        _ => first.join(LOG),
    };
    // A log only explains; where there is no room for it the run finds out itself.
    let _ = writeln!(log, "batched: its worker prints to {}", path.display());
}
