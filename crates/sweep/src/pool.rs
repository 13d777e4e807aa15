//! Carries out runs, so many processes at once on each device.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mezo_run::Class;

use crate::device::Fleet;
use crate::event::{Event, Outcome, Watch};
use crate::plan::{Run, State};
use crate::reason::Reason;
use crate::worker::{Ending, Patience, Worker, WorkerCommand};

/// How often the processes are looked at.
const POLL: Duration = Duration::from_millis(50);
/// How many polls pass between two looks at the journals.
const POLLS_PER_TICK: u32 = 2;
/// How often it is asked whether runs that others hold are free. Measured by this process's own clock alone.
const HELD_AGAIN: Duration = Duration::from_secs(1);

/// What is to be carried out, and how.
#[derive(Debug, Clone, Copy)]
pub struct Orders<'a> {
    /// The runs, in the order in which they are taken up.
    pub runs: &'a [Run],
    /// How a worker is started.
    pub command: &'a WorkerCommand,
    /// Where.
    pub fleet: &'a Fleet,
    /// How long a worker is waited for.
    pub patience: Patience,
}

/// Carries out the runs, each as one process. A failure stops no other run but for a full disk, on which all would fail.
///
/// Finished runs are skipped, and so are those that failed before: those wait for a `retry`. Runs that another process holds
/// are waited for, and taken up if it lets go of them unfinished, so that several sweeps on the same folder share the work.
///
/// Once `stop` is true nothing new is started, every process is asked to stop, and the call returns when all have.
pub fn run(orders: &Orders<'_>, stop: &AtomicBool, watch: &mut dyn Watch) -> Outcome {
    let mut pool = Pool {
        orders,
        waiting: orders.runs.iter().collect(),
        held: Vec::new(),
        met: BTreeSet::new(),
        asked_again: Instant::now(),
        running: Vec::new(),
        bays: vec![Bay::default(); orders.fleet.devices.len()],
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
        if poll.is_multiple_of(POLLS_PER_TICK) {
            pool.tick();
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
    orders: &'a Orders<'a>,
    waiting: VecDeque<&'a Run>,
    /// Runs that other processes hold.
    held: Vec<&'a Run>,
    /// Runs that were found held at some time.
    met: BTreeSet<&'a str>,
    /// When it was last asked whether they still do.
    asked_again: Instant,
    running: Vec<Worker<'a>>,
    /// How each device fares.
    bays: Vec<Bay<'a>>,
    /// Nothing new is started.
    ending: bool,
    watch: &'a mut dyn Watch,
    outcome: Outcome,
}

/// A device as the sweep has found it.
#[derive(Debug, Clone, Default)]
struct Bay<'a> {
    /// It gets no more runs.
    aside: bool,
    /// The runs that it failed under since one last made a step on it.
    faults: BTreeSet<&'a str>,
}

impl<'a> Pool<'a> {
    fn is_over(&self) -> bool {
        let nothing_to_do = self.waiting.is_empty() && self.held.is_empty();
        let no_device = self.bays.iter().all(|bay| bay.aside);
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
            self.take_up(run, device);
        }
    }

    /// The device with the fewest runs that may have another one.
    fn free_device(&self) -> Option<usize> {
        let busy = |device: usize| {
            let here = self.running.iter().filter(|worker| worker.device == device);
            here.count()
        };
        let devices = (0..self.bays.len()).filter(|&device| !self.bays[device].aside);
        devices
            .map(|device| (busy(device), device))
            .min()
            .filter(|(busy, _)| *busy < self.orders.fleet.per_device.max(1))
            .map(|(_, device)| device)
    }

    fn take_up(&mut self, run: &'a Run, device: usize) {
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
            Ok(State::ToRun | State::ToResume { .. }) | Err(_) => self.start(run, device),
        }
    }

    /// Somebody else is at the run.
    fn wait_for(&mut self, run: &'a Run) {
        let first = self.met.insert(&run.id);
        self.watch.event(Event::Held { run, first });
        self.held.push(run);
    }

    fn start(&mut self, run: &'a Run, device: usize) {
        let Orders { command, fleet, .. } = self.orders;
        match Worker::start(command, run, &fleet.devices[device], device) {
            Ok(worker) => {
                let step = worker.first_step;
                self.watch.event(Event::Started {
                    run,
                    step,
                    device: &fleet.devices[device].name,
                });
                self.running.push(worker);
            }
            Err(ending) => self.end(run, device, ending),
        }
    }

    fn ask_all_to_stop(&mut self) {
        self.ending = true;
        self.running.iter_mut().for_each(Worker::ask_to_stop);
        self.watch.event(Event::Stopping);
    }

    fn tick(&mut self) {
        for worker in &mut self.running {
            if tell_news(worker, self.watch) {
                self.bays[worker.device].faults.clear();
            }
            worker.lose_patience(self.orders.patience);
        }
        self.watch.event(Event::Tick);
    }

    /// Takes out the processes that have ended; whether there was one.
    fn reap(&mut self) -> bool {
        let before = self.running.len();
        let mut index = 0;
        while index < self.running.len() {
            match self.running[index].ended(self.orders.patience) {
                None => index += 1,
                Some(ending) => {
                    let mut worker = self.running.remove(index);
                    tell_news(&mut worker, self.watch);
                    self.end(worker.run, worker.device, ending);
                }
            }
        }
        self.running.len() < before
    }

    fn end(&mut self, run: &'a Run, device: usize, ending: Ending) {
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
            Ending::NotStarted(reason) => {
                self.ending = true;
                self.waiting.push_front(run);
                self.watch.event(Event::CannotStart { reason: &reason });
                self.outcome.cannot_start = Some(reason);
            }
            Ending::Failed(reason) => self.fail(run, device, reason),
        }
    }

    /// Sets a device that failed aside. A run that fails wherever it goes is at fault itself: the devices that failed under no
    /// other run are taken back.
    fn judge(&mut self, run: &'a Run, device: usize, failed: bool) {
        let bay = &mut self.bays[device];
        bay.faults.insert(&run.id);
        if !bay.aside {
            bay.aside = true;
            self.watch.event(Event::SetAside {
                device: &self.orders.fleet.devices[device].name,
            });
        }
        let its_own = |bay: &&mut Bay<'_>| bay.aside && bay.faults.iter().all(|id| *id == run.id);
        for bay in self.bays.iter_mut().filter(|_| failed).filter(its_own) {
            *bay = Bay::default();
        }
    }

    /// What a failure means for the run, its device and the sweep.
    fn fail(&mut self, run: &'a Run, device: usize, reason: Reason) {
        // What could not be written down would be tried for ever.
        let failed = !reason.kept || matches!(run.state(), Ok(State::Failed(_)) | Err(_));
        match reason.class {
            Class::DeviceFault => self.judge(run, device, failed),
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
            self.waiting.push_front(run);
        }
    }
}

/// Whether there were any.
fn tell_news(worker: &mut Worker<'_>, watch: &mut dyn Watch) -> bool {
    let Some(progress) = worker.news() else {
        return false;
    };
    let run = worker.run;
    watch.event(Event::Progress {
        run,
        step: progress.step,
        steps: run.steps,
        loss: progress.loss,
    });
    true
}
