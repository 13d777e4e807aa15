//! The scheduler's loop: waiting runs go to free device slots, and what workers say is acted on.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mezo_run::Class;

use super::batching::batch_size;
use super::device::Fleet;
use super::event::{Event, Outcome, Watch};
use super::process::{Timeouts, WorkerCommand};
use super::reason::Reason;
use super::tracked::Ending;
use super::worker::{News, Worker};
use crate::state::{Run, State};

/// How often workers are listened to.
const POLL: Duration = Duration::from_millis(50);
/// How many polls pass between two ticks of the watch.
const POLLS_PER_TICK: u32 = 2;
/// How often it is asked whether runs that other processes hold are free. Measured by this process's own clock alone.
const HELD_AGAIN: Duration = Duration::from_secs(1);

/// What is to be run, and how.
#[derive(Debug, Clone, Copy)]
pub struct SchedulerConfig<'a> {
    /// The runs, in the order in which they are started.
    pub runs: &'a [Run],
    /// How a worker is started.
    pub command: &'a WorkerCommand,
    /// Where.
    pub fleet: &'a Fleet,
    /// How long a worker is waited for.
    pub timeouts: Timeouts,
}

/// Runs the runs, each in a worker of its own or batched with others that have its batch key, as many as its device has
/// together. A failure stops no other run but for a full disk, on which all would fail. A run that was killed, hung, ran out of
/// memory or lost its device runs alone from then on.
///
/// Finished runs are skipped, and so are those that failed before: those wait for a `retry`. Runs that another process holds
/// are waited for, and resumed if it lets go of them unfinished, so that several sweeps on the same folder share the work.
///
/// Once `stop` is true nothing new is started, every process is asked to stop, and the call returns when all have.
pub fn run(config: &SchedulerConfig<'_>, stop: &AtomicBool, watch: &mut dyn Watch) -> Outcome {
    let mut pool = Pool {
        config,
        waiting: config.runs.iter().collect(),
        again: Vec::new(),
        held: Vec::new(),
        met: BTreeSet::new(),
        asked_again: Instant::now(),
        running: Vec::new(),
        slots: vec![DeviceSlot::default(); config.fleet.devices.len()],
        ending: false,
        watch,
        outcome: Outcome::default(),
    };
    let mut stopping = false;
    for poll in 1_u32.. {
        if !stopping && stop.load(Ordering::Relaxed) {
            stopping = true;
            pool.ask_all_to_stop();
        }
        pool.fill();
        if pool.is_over() {
            break;
        }
        pool.listen();
        if poll.is_multiple_of(POLLS_PER_TICK) {
            pool.watch.event(Event::Tick);
        }
        // A freed place is filled at once.
        if !pool.reap() {
            thread::sleep(POLL);
        }
    }
    let ids = |runs: &mut dyn Iterator<Item = &Run>| runs.map(|run| run.id.clone()).collect();
    pool.outcome.waiting = ids(&mut pool.waiting.iter().copied());
    pool.outcome.held = ids(&mut pool.held.iter().copied());
    pool.outcome
}

struct Pool<'a> {
    config: &'a SchedulerConfig<'a>,
    waiting: VecDeque<&'a Run>,
    /// Runs whose attempt has just failed and that are the next to be started.
    again: Vec<&'a Run>,
    /// Runs that other processes hold.
    held: Vec<&'a Run>,
    /// Runs that were found held at some time.
    met: BTreeSet<&'a str>,
    /// When it was last asked whether they still are.
    asked_again: Instant,
    running: Vec<Worker<'a>>,
    /// How each device fares.
    slots: Vec<DeviceSlot<'a>>,
    /// Nothing new is started.
    ending: bool,
    watch: &'a mut dyn Watch,
    outcome: Outcome,
}

/// A device as the sweep has found it.
#[derive(Debug, Clone, Default)]
struct DeviceSlot<'a> {
    /// It gets no more runs.
    aside: bool,
    /// The runs that it failed under since one last made a step on it, those of a worker together.
    faults: BTreeSet<Vec<&'a str>>,
}

impl<'a> Pool<'a> {
    fn is_over(&self) -> bool {
        let nothing_to_do = self.waiting.is_empty() && self.held.is_empty();
        let no_device = self.slots.iter().all(|slot| slot.aside);
        self.running.is_empty() && (self.ending || no_device || nothing_to_do)
    }

    fn fill(&mut self) {
        if !self.held.is_empty() && self.asked_again.elapsed() >= HELD_AGAIN {
            self.asked_again = Instant::now();
            self.waiting.extend(self.held.drain(..));
        }
        while !self.ending {
            let Some(device) = self.free_device() else {
                return;
            };
            let Some(run) = self.waiting.pop_front() else {
                return;
            };
            if self.is_to_run(run) {
                let runs = self.with_batch(run, device);
                self.start(&runs, device);
            }
        }
    }

    /// The device with the fewest workers that may have another one.
    fn free_device(&self) -> Option<usize> {
        let busy = |device: usize| {
            let here = self.running.iter().filter(|worker| worker.device == device);
            here.count()
        };
        let devices = (0..self.slots.len()).filter(|&device| !self.slots[device].aside);
        devices
            .map(|device| (busy(device), device))
            .min()
            .filter(|(busy, _)| *busy < self.config.fleet.per_device.max(1))
            .map(|(_, device)| device)
    }

    /// How many workers may be started now or soon: a place where a run is only evaluated is about to be free.
    fn places(&self) -> usize {
        let devices = self.slots.iter().filter(|slot| !slot.aside).count();
        let in_use = |worker: &&Worker<'_>| worker.trains() && !self.slots[worker.device].aside;
        let taken = self.running.iter().filter(in_use).count();
        (devices * self.config.fleet.per_device.max(1)).saturating_sub(taken)
    }

    /// A run and those that are batched with it, in their order: as many of its batch key as are this device's share.
    fn with_batch(&mut self, first: &'a Run, device: usize) -> Vec<&'a Run> {
        let limit = self.config.fleet.devices[device].together;
        let key = first.batch_key.as_deref().filter(|_| limit > 1);
        let Some(key) = key.filter(|_| !first.goes_alone()) else {
            return vec![first];
        };
        let places = self.places();
        // More than all places can take need not be counted.
        let enough = limit.saturating_mul(places.max(1));
        let (mut to_train, mut mates) = (1, 1);
        let mut others: Vec<(&'a Run, bool)> = Vec::new();
        for run in std::mem::take(&mut self.waiting) {
            let same_key = mates < limit && run.batch_key.as_deref() == Some(key);
            let counts = to_train < enough;
            if (same_key || counts) && !self.is_to_run(run) {
                continue;
            }
            let mate = same_key && !run.goes_alone();
            to_train += usize::from(counts && run.steps > 0);
            mates += usize::from(mate);
            others.push((run, mate));
        }
        // One of this key may stand behind those that were counted.
        let size = batch_size(limit, mates, to_train.max(mates), places);
        let mut runs = vec![first];
        for (run, mate) in others {
            if mate && runs.len() < size {
                runs.push(run);
            } else {
                self.waiting.push_back(run);
            }
        }
        runs
    }

    /// Whether a run is to be started; what else is to be said of it is said.
    fn is_to_run(&mut self, run: &'a Run) -> bool {
        match run.state() {
            Ok(State::Finished) => {
                self.outcome.finished.push(run.id.clone());
                self.watch.event(Event::Skipped { run });
            }
            Ok(State::Held { .. }) => self.wait_for(run),
            Ok(State::Failed(failure)) => {
                self.watch.event(Event::Left {
                    run,
                    failure: &failure,
                });
                self.outcome.left.push((run.id.clone(), failure));
            }
            // Of files that cannot be read the worker says what is wrong, and writes it down.
            Ok(State::ToRun | State::ToResume { .. }) | Err(_) => return true,
        }
        false
    }

    /// Somebody else is at the run.
    fn wait_for(&mut self, run: &'a Run) {
        let first = self.met.insert(&run.id);
        self.watch.event(Event::Held { run, first });
        self.held.push(run);
    }

    fn start(&mut self, runs: &[&'a Run], device: usize) {
        let SchedulerConfig { command, fleet, .. } = self.config;
        let started = match Worker::start(command, runs, &fleet.devices[device], device) {
            Ok(started) => started,
            Err(reason) => return self.cannot_start(runs, reason),
        };
        for (run, ending) in started.ended {
            self.end(run, &[run.id.as_str()], device, ending);
        }
        self.take_again();
        let Some(worker) = started.worker else {
            return;
        };
        for tracked in &worker.runs {
            self.watch.event(Event::Started {
                run: tracked.run,
                step: tracked.first_step,
                device: &fleet.devices[device].name,
            });
        }
        self.running.push(worker);
    }

    /// No process can be started, for whatever run.
    fn cannot_start(&mut self, runs: &[&'a Run], reason: Reason) {
        self.ending = true;
        for &run in runs.iter().rev() {
            self.waiting.push_front(run);
        }
        self.watch.event(Event::CannotStart { reason: &reason });
        self.outcome.cannot_start = Some(reason);
    }

    fn ask_all_to_stop(&mut self) {
        self.ending = true;
        self.running.iter_mut().for_each(Worker::ask_to_stop);
        self.watch.event(Event::Stopping);
    }

    /// Acts on what the workers have said, and ends those that say nothing.
    fn listen(&mut self) {
        let timeouts = self.config.timeouts;
        for at in 0..self.running.len() {
            let worker = &mut self.running[at];
            let news = worker.news(timeouts);
            worker.enforce(timeouts);
            let (ids, device) = (worker.ids(), worker.device);
            self.act(news, &ids, device);
        }
    }

    /// Takes out the workers whose process has ended; whether there was one.
    fn reap(&mut self) -> bool {
        let before = self.running.len();
        let mut at = 0;
        while at < self.running.len() {
            match self.running[at].last_news(self.config.timeouts) {
                None => at += 1,
                Some(news) => {
                    let worker = self.running.remove(at);
                    self.act(news, &worker.ids(), worker.device);
                }
            }
        }
        self.running.len() < before
    }

    /// Acts on what a worker on a device has said; `batch` are the ids of all its runs.
    fn act(&mut self, news: Vec<News<'a>>, batch: &[&'a str], device: usize) {
        for news in news {
            match news {
                News::Step { run, step, loss } => {
                    self.slots[device].faults.clear();
                    let steps = run.steps;
                    self.watch.event(Event::Progress {
                        run,
                        step,
                        steps,
                        loss,
                    });
                }
                News::Ended(run, ending) => self.end(run, batch, device, ending),
            }
        }
        self.take_again();
    }

    /// The end of a run whose worker had the runs of `batch`.
    fn end(&mut self, run: &'a Run, batch: &[&'a str], device: usize, ending: Ending) {
        match ending {
            Ending::Finished => {
                self.outcome.finished.push(run.id.clone());
                self.watch.event(Event::Finished { run });
            }
            Ending::Stopped => {
                self.outcome.stopped.push(run.id.clone());
                self.watch.event(Event::Stopped { run });
            }
            Ending::Held => self.wait_for(run),
            Ending::Failed(reason) => self.fail(run, batch, device, reason),
        }
    }

    /// What failed and is tried again comes before what waits, in the same order.
    fn take_again(&mut self) {
        while let Some(run) = self.again.pop() {
            self.waiting.push_front(run);
        }
    }

    /// Sets a device that failed aside. A run that fails wherever it goes is at fault itself: the devices that failed under no
    /// worker without it are taken back.
    fn judge(&mut self, run: &'a Run, batch: &[&'a str], device: usize, failed: bool) {
        let slot = &mut self.slots[device];
        slot.faults.insert(batch.to_vec());
        if !slot.aside {
            slot.aside = true;
            self.watch.event(Event::SetAside {
                device: &self.config.fleet.devices[device].name,
            });
        }
        let id = run.id.as_str();
        let its_own = |slot: &&mut DeviceSlot<'a>| {
            slot.aside && slot.faults.iter().all(|batch| batch.contains(&id))
        };
        for slot in self.slots.iter_mut().filter(|_| failed).filter(its_own) {
            *slot = DeviceSlot::default();
        }
    }

    /// What a failure means for the run, its device and the sweep.
    fn fail(&mut self, run: &'a Run, batch: &[&'a str], device: usize, reason: Reason) {
        // What could not be written down would be tried for ever.
        let failed = !reason.kept || matches!(run.state(), Ok(State::Failed(_)) | Err(_));
        match reason.class {
            Class::DeviceFault => self.judge(run, batch, device, failed),
            Class::DiskFull if !self.ending => {
                self.ending = true;
                self.watch.event(Event::DiskFull);
            }
            _ => {}
        }
        if failed {
            self.watch.event(Event::Failed {
                run,
                reason: &reason,
            });
            self.outcome.failed.push((run.id.clone(), reason));
        } else {
            self.watch.event(Event::Again {
                run,
                reason: &reason,
            });
            self.again.push(run);
        }
    }
}
