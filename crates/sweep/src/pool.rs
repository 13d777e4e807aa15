//! Carries out runs, so many processes at once on each device.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mezo_run::Class;

use crate::crew::Crew;
use crate::device::Fleet;
use crate::event::{Event, Outcome, Watch};
use crate::member::Ending;
use crate::plan::{Run, State};
use crate::reason::Reason;
use crate::together::crew_size;
use crate::worker::{Patience, WorkerCommand};

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

/// Carries out the runs, each by a process of its own or by one that it shares with others of its company, as many as its
/// device has together. A failure stops no other run but for a full disk, on which all would fail. A run that was killed, hung,
/// ran out of memory or lost its device is taken up alone from then on.
///
/// Finished runs are skipped, and so are those that failed before: those wait for a `retry`. Runs that another process holds
/// are waited for, and taken up if it lets go of them unfinished, so that several sweeps on the same folder share the work.
///
/// Once `stop` is true nothing new is started, every process is asked to stop, and the call returns when all have.
pub fn run(orders: &Orders<'_>, stop: &AtomicBool, watch: &mut dyn Watch) -> Outcome {
    let mut pool = Pool {
        orders,
        waiting: orders.runs.iter().collect(),
        again: Vec::new(),
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
    /// Runs whose process has just failed and that are the next to be taken up.
    again: Vec<&'a Run>,
    /// Runs that other processes hold.
    held: Vec<&'a Run>,
    /// Runs that were found held at some time.
    met: BTreeSet<&'a str>,
    /// When it was last asked whether they still do.
    asked_again: Instant,
    running: Vec<Crew<'a>>,
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
    /// The runs that it failed under since one last made a step on it, those of a process together.
    faults: BTreeSet<Vec<&'a str>>,
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
            if self.is_to_run(run) {
                let runs = self.with_company(run, device);
                self.start(&runs, device);
            }
        }
    }

    /// The device with the fewest processes that may have another one.
    fn free_device(&self) -> Option<usize> {
        let busy = |device: usize| {
            let here = self.running.iter().filter(|crew| crew.device == device);
            here.count()
        };
        let devices = (0..self.bays.len()).filter(|&device| !self.bays[device].aside);
        devices
            .map(|device| (busy(device), device))
            .min()
            .filter(|(busy, _)| *busy < self.orders.fleet.per_device.max(1))
            .map(|(_, device)| device)
    }

    /// How many processes may be started now or soon: a place where a run is only evaluated is about to be free.
    fn places(&self) -> usize {
        let devices = self.bays.iter().filter(|bay| !bay.aside).count();
        let in_use = |crew: &&Crew<'_>| crew.trains() && !self.bays[crew.device].aside;
        let taken = self.running.iter().filter(in_use).count();
        (devices * self.orders.fleet.per_device.max(1)).saturating_sub(taken)
    }

    /// A run and those that go with it, in their order: as many of its company as are this device's share.
    fn with_company(&mut self, first: &'a Run, device: usize) -> Vec<&'a Run> {
        let limit = self.orders.fleet.devices[device].together;
        let company = first.company.as_deref().filter(|_| limit > 1);
        let Some(company) = company.filter(|_| !first.goes_alone()) else {
            return vec![first];
        };
        let places = self.places();
        // More than all places can take need not be counted.
        let enough = limit.saturating_mul(places.max(1));
        let (mut to_train, mut mates) = (1, 1);
        let mut others: Vec<(&'a Run, bool)> = Vec::new();
        for run in std::mem::take(&mut self.waiting) {
            let of_company = mates < limit && run.company.as_deref() == Some(company);
            let counts = to_train < enough;
            if (of_company || counts) && !self.is_to_run(run) {
                continue;
            }
            let mate = of_company && !run.goes_alone();
            to_train += usize::from(counts && run.steps > 0);
            mates += usize::from(mate);
            others.push((run, mate));
        }
        // One of the company may stand behind those that were counted.
        let size = crew_size(limit, mates, to_train.max(mates), places);
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

    /// Whether a run is to be carried out; what else is to be said of it is said.
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
        let Orders { command, fleet, .. } = self.orders;
        let started = match Crew::start(command, runs, &fleet.devices[device], device) {
            Ok(started) => started,
            Err(reason) => return self.cannot_start(runs, reason),
        };
        for (run, ending) in started.ended {
            self.end(run, &[run.id.as_str()], device, ending);
        }
        self.take_again();
        let Some(crew) = started.crew else {
            return;
        };
        for member in &crew.members {
            self.watch.event(Event::Started {
                run: member.run,
                step: member.first_step,
                device: &fleet.devices[device].name,
            });
        }
        self.running.push(crew);
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
        self.running.iter_mut().for_each(Crew::ask_to_stop);
        self.watch.event(Event::Stopping);
    }

    fn tick(&mut self) {
        let mut failed = Vec::new();
        for crew in &mut self.running {
            crew.look();
            if tell_news(crew, self.watch, &mut self.outcome) {
                self.bays[crew.device].faults.clear();
            }
            let failures = crew.failures();
            if !failures.is_empty() {
                failed.push((crew.ids(), crew.device, failures));
            }
            crew.lose_patience(self.orders.patience);
        }
        for (ids, device, failures) in failed {
            for (run, ending) in failures {
                self.end(run, &ids, device, ending);
            }
        }
        self.take_again();
        self.watch.event(Event::Tick);
    }

    /// Takes out the processes that have ended; whether there was one.
    fn reap(&mut self) -> bool {
        let before = self.running.len();
        let mut index = 0;
        while index < self.running.len() {
            match self.running[index].ended(self.orders.patience) {
                None => index += 1,
                Some(ended) => {
                    let mut crew = self.running.remove(index);
                    tell_news(&mut crew, self.watch, &mut self.outcome);
                    let ids = crew.ids();
                    for (run, ending) in crew.endings(&ended) {
                        self.end(run, &ids, crew.device, ending);
                    }
                    self.take_again();
                }
            }
        }
        self.running.len() < before
    }

    /// The end of a run whose process had the runs of `crew`.
    fn end(&mut self, run: &'a Run, crew: &[&'a str], device: usize, ending: Ending) {
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
            Ending::Failed(reason) => self.fail(run, crew, device, reason),
        }
    }

    /// What failed and goes on comes before what waits, in the order in which it was.
    fn take_again(&mut self) {
        while let Some(run) = self.again.pop() {
            self.waiting.push_front(run);
        }
    }

    /// Sets a device that failed aside. A run that fails wherever it goes is at fault itself: the devices that failed under no
    /// process without it are taken back.
    fn judge(&mut self, run: &'a Run, crew: &[&'a str], device: usize, failed: bool) {
        let bay = &mut self.bays[device];
        bay.faults.insert(crew.to_vec());
        if !bay.aside {
            bay.aside = true;
            self.watch.event(Event::SetAside {
                device: &self.orders.fleet.devices[device].name,
            });
        }
        let id = run.id.as_str();
        let its_own =
            |bay: &&mut Bay<'a>| bay.aside && bay.faults.iter().all(|crew| crew.contains(&id));
        for bay in self.bays.iter_mut().filter(|_| failed).filter(its_own) {
            *bay = Bay::default();
        }
    }

    /// What a failure means for the run, its device and the sweep.
    fn fail(&mut self, run: &'a Run, crew: &[&'a str], device: usize, reason: Reason) {
        // What could not be written down would be tried for ever.
        let failed = !reason.kept || matches!(run.state(), Ok(State::Failed(_)) | Err(_));
        match reason.class {
            Class::DeviceFault => self.judge(run, crew, device, failed),
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

/// Tells what the runs of a process have done, and which of them are finished while it goes on with others; whether one has
/// made a step.
fn tell_news(crew: &mut Crew<'_>, watch: &mut dyn Watch, outcome: &mut Outcome) -> bool {
    let mut any = false;
    for member in crew.members.iter_mut().filter(|member| !member.told) {
        let run = member.run;
        // Asked for before the journal is read, so that its last line is told first.
        member.told = run.is_finished();
        if let Some(progress) = member.news() {
            any = true;
            watch.event(Event::Progress {
                run,
                step: progress.step,
                steps: run.steps,
                loss: progress.loss,
            });
        }
        if member.told {
            outcome.finished.push(run.id.clone());
            watch.event(Event::Finished { run });
        }
    }
    any
}
