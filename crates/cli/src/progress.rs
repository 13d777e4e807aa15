//! How a sweep's progress is shown: bars on a terminal, a plain line now and then elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mezo_sweep::{Event, Fleet, Pace, Run, Watch, human_time, sweep_time_left};

/// How often a plain line is written.
const EVERY: Duration = Duration::from_secs(10);
/// Seconds over which the pace is taken.
const WINDOW_S: f64 = 20.0;

/// The display for this terminal, or for none.
pub fn watch(runs: &[Run], fleet: &Fleet) -> Box<dyn Watch> {
    let tally = Tally::new(runs, at_once(runs, fleet));
    if std::io::stderr().is_terminal() {
        Box::new(Bars::new(tally))
    } else {
        Box::new(Lines { tally, last: None })
    }
}

/// How many runs are under way at once, at most.
fn at_once(runs: &[Run], fleet: &Fleet) -> usize {
    let places = fleet.devices.len() * fleet.per_device;
    let outstanding = runs.iter().filter(|run| !run.is_finished()).count();
    (places * fleet.largest_batch(runs)).min(outstanding).max(1)
}

/// What is known of a sweep under way.
struct Tally {
    since: Instant,
    /// Runs at once.
    jobs: usize,
    total: usize,
    done: usize,
    failed: usize,
    /// Runs that other processes are at.
    held: BTreeSet<String>,
    /// Steps of the runs that have not started, by id.
    waiting: BTreeMap<String, u64>,
    running: BTreeMap<String, Running>,
}

/// A run under way.
struct Running {
    device: String,
    step: u64,
    steps: u64,
    loss: Option<f64>,
    pace: Pace,
}

impl Tally {
    fn new(runs: &[Run], jobs: usize) -> Self {
        let waiting = runs.iter().map(|run| (run.id.clone(), run.steps)).collect();
        let since = Instant::now();
        Self {
            since,
            jobs,
            total: runs.len(),
            done: 0,
            failed: 0,
            held: BTreeSet::new(),
            waiting,
            running: BTreeMap::new(),
        }
    }

    fn now(&self) -> f64 {
        self.since.elapsed().as_secs_f64()
    }

    fn note(&mut self, event: &Event<'_>) {
        let now = self.now();
        match event {
            Event::Started { run, step, device } => {
                self.waiting.remove(&run.id);
                self.held.remove(&run.id);
                let mut pace = Pace::new(WINDOW_S);
                pace.record(now, *step);
                let running = Running {
                    device: (*device).to_owned(),
                    step: *step,
                    steps: run.steps,
                    loss: None,
                    pace,
                };
                self.running.insert(run.id.clone(), running);
            }
            Event::Progress {
                run, step, loss, ..
            } => {
                if let Some(running) = self.running.get_mut(&run.id) {
                    running.step = *step;
                    running.loss = *loss;
                    running.pace.record(now, *step);
                }
            }
            Event::Skipped { run } | Event::Finished { run } => {
                self.forget(run);
                self.done += 1;
            }
            Event::Failed { run, .. } | Event::Left { run, .. } => {
                self.forget(run);
                self.failed += 1;
            }
            Event::Stopped { run } => self.forget(run),
            Event::Held { run, .. } => {
                self.forget(run);
                self.held.insert(run.id.clone());
            }
            Event::Again { run, .. } => {
                self.running.remove(&run.id);
                self.waiting.insert(run.id.clone(), run.steps);
            }
            Event::SetAside { .. }
            | Event::CannotStart { .. }
            | Event::DiskFull
            | Event::Stopping
            | Event::Tick => {}
        }
    }

    fn forget(&mut self, run: &Run) {
        self.waiting.remove(&run.id);
        self.running.remove(&run.id);
        self.held.remove(&run.id);
    }

    /// None where others hold runs: how far those are is not known here.
    fn time_left(&self) -> Option<f64> {
        if !self.held.is_empty() {
            return None;
        }
        let now = self.now();
        let running: Vec<(u64, Option<f64>)> = self
            .running
            .values()
            .map(|run| {
                (
                    run.steps.saturating_sub(run.step),
                    run.pace.steps_per_second(now),
                )
            })
            .collect();
        let waiting: Vec<u64> = self.waiting.values().copied().collect();
        sweep_time_left(&running, &waiting, self.jobs)
    }

    /// `3 of 9 runs done, 1 failed, 2 running, 3 waiting, 2m 05s left`
    fn summary(&self) -> String {
        let mut text = format!("{} of {} runs done", self.done, self.total);
        let counts = [
            (self.failed, "failed"),
            (self.running.len(), "running"),
            (self.waiting.len(), "waiting"),
            (self.held.len(), "held by others"),
        ];
        for (count, word) in counts.into_iter().filter(|(count, _)| *count > 0) {
            text.push_str(&format!(", {count} {word}"));
        }
        if let Some(left) = self.time_left() {
            text.push_str(&format!(", {} left", human_time(left)));
        }
        text
    }
}

impl Running {
    /// `step 299/800`; a run without steps only evaluates.
    fn place(&self) -> String {
        match self.steps {
            0 => "evaluating".into(),
            steps => format!("step {}/{steps}", self.step),
        }
    }

    /// `loss 0.6931, 52.1 steps/s, 10s left`
    fn summary(&self, now: f64) -> String {
        if self.steps == 0 {
            return String::new();
        }
        let mut parts = Vec::new();
        parts.extend(self.loss.map(|loss| format!("loss {loss:.4}")));
        parts.extend(
            self.pace
                .steps_per_second(now)
                .map(|pace| format!("{pace:.1} steps/s")),
        );
        parts.extend(
            self.pace
                .time_left(now, self.steps)
                .map(|left| format!("{} left", human_time(left))),
        );
        parts.join(", ")
    }
}

/// What a finished, failed or otherwise ended run leaves on the screen.
fn ended(event: &Event<'_>) -> Option<String> {
    Some(match event {
        Event::Finished { run } if run.is_diverged() => {
            format!("finished, diverged: {} ({})", run.label, run.id)
        }
        Event::Finished { run } => format!("finished {} ({})", run.label, run.id),
        Event::Failed { run, reason } => {
            let class = reason.class;
            format!(
                "failed {} ({}): {class}: {}",
                run.label,
                run.id,
                reason.summary()
            )
        }
        Event::Again { run, reason } => format!(
            "{}, going on with {} ({}): {}",
            reason.class,
            run.label,
            run.id,
            reason.summary()
        ),
        Event::Left { run, failure } => format!(
            "failed before: {} ({}): {}: {}",
            run.label, run.id, failure.class, failure.reason
        ),
        Event::Stopped { run } => format!("stopped {} ({})", run.label, run.id),
        Event::Held { run, first: true } => {
            format!("held by another process: {} ({})", run.label, run.id)
        }
        Event::CannotStart { reason } => {
            format!(
                "no run can be started, nothing new is tried: {}",
                reason.summary()
            )
        }
        Event::SetAside { device } => format!("{device} failed and gets no more runs"),
        Event::DiskFull => {
            "the disk is full: nothing new is started; make room and start again".into()
        }
        Event::Stopping => {
            "stopping at the next step of each run; the same command goes on from there".into()
        }
        _ => return None,
    })
}

/// One bar a running job and one for the sweep.
struct Bars {
    tally: Tally,
    bars: MultiProgress,
    sweep: ProgressBar,
    runs: BTreeMap<String, ProgressBar>,
}

impl Bars {
    fn new(tally: Tally) -> Self {
        let bars = MultiProgress::new();
        let sweep = bars.add(ProgressBar::new(tally.total as u64));
        sweep.set_style(style("{bar:30} {msg}"));
        Self {
            tally,
            bars,
            sweep,
            runs: BTreeMap::new(),
        }
    }
}

/// The templates are this file's own; a wrong one falls back to the plain bar.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Watch for Bars {
    fn event(&mut self, event: Event<'_>) {
        self.tally.note(&event);
        if let Some(line) = ended(&event) {
            // A terminal that went away is no reason to stop.
            let _ = self.bars.println(line);
        }
        match event {
            Event::Started { run, device, .. } => {
                let bar = self
                    .bars
                    .insert_before(&self.sweep, ProgressBar::new(run.steps));
                bar.set_style(style("{bar:30} {prefix}  {msg}"));
                bar.set_prefix(format!("{device}  {}", run.label));
                self.runs.insert(run.id.clone(), bar);
            }
            Event::Finished { run }
            | Event::Failed { run, .. }
            | Event::Again { run, .. }
            | Event::Stopped { run }
            | Event::Held { run, .. } => {
                if let Some(bar) = self.runs.remove(&run.id) {
                    bar.finish_and_clear();
                }
            }
            Event::Tick => {
                let now = self.tally.now();
                for (id, running) in &self.tally.running {
                    if let Some(bar) = self.runs.get(id) {
                        bar.set_position(running.step);
                        bar.set_message(format!("{} {}", running.place(), running.summary(now)));
                    }
                }
                self.sweep.set_position(self.tally.done as u64);
                self.sweep.set_message(self.tally.summary());
            }
            _ => {}
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.sweep.finish_and_clear();
    }
}

/// Plain lines for a pipe or a log.
struct Lines {
    tally: Tally,
    last: Option<Instant>,
}

impl Watch for Lines {
    fn event(&mut self, event: Event<'_>) {
        self.tally.note(&event);
        if let Some(line) = ended(&event) {
            say!("{line}");
        }
        let due = self.last.is_none_or(|last| last.elapsed() >= EVERY);
        if matches!(event, Event::Tick) && due {
            self.last = Some(Instant::now());
            let now = self.tally.now();
            say!("{}", self.tally.summary());
            for (id, running) in &self.tally.running {
                let (device, place) = (&running.device, running.place());
                say!("  {device} {id} {place} {}", running.summary(now));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mezo_sweep::Device;

    #[test]
    fn no_more_runs_are_at_once_than_there_are() {
        let run = |number: usize| Run {
            id: number.to_string(),
            dir: "/nowhere".into(),
            label: String::new(),
            steps: 4,
            batch_key: Some("a".into()),
        };
        let runs: Vec<Run> = (0..8).map(run).collect();
        let at_once = |count: usize, per_device, together| {
            let device = Device {
                name: "cuda:0".into(),
                args: Vec::new(),
                env: Vec::new(),
                together,
            };
            let devices = vec![device];
            let fleet = Fleet {
                devices,
                per_device,
            };
            at_once(&runs[..count], &fleet)
        };
        assert_eq!(at_once(8, 1, 16), 8);
        assert_eq!(at_once(8, 2, 3), 6);
        assert_eq!(at_once(8, 3, 16), 8);
        assert_eq!(at_once(8, 20, 1), 8);
        assert_eq!(at_once(0, 2, 16), 1);
    }
}
