//! Carries out runs, so many processes at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::plan::Run;
use crate::worker::{Ending, Reason, Worker, WorkerCommand};

/// How often the processes are looked at.
const POLL: Duration = Duration::from_millis(50);
/// How many polls pass between two looks at the journals.
const POLLS_PER_TICK: u32 = 2;

/// What happens in a sweep while it is carried out.
#[derive(Debug)]
pub enum Event<'a> {
    /// The run was finished before.
    Skipped {
        /// The run.
        run: &'a Run,
    },
    /// The run's process has started.
    Started {
        /// The run.
        run: &'a Run,
        /// The step in its journal from which it goes on; 0 for a new one.
        step: u64,
    },
    /// The run's journal has grown.
    Progress {
        /// The run.
        run: &'a Run,
        /// The last step in its journal.
        step: u64,
        /// How many steps it takes.
        steps: u64,
        /// The mean of that step's losses; none where one of them is not a number.
        loss: Option<f64>,
    },
    /// The run has its result.
    Finished {
        /// The run.
        run: &'a Run,
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
    /// Another process is at this run.
    Held {
        /// The run.
        run: &'a Run,
    },
    /// The stop was heard: nothing new starts, the running ones are asked to stop.
    Stopping,
    /// About ten times a second, after the progress of that moment.
    Tick {
        /// How many processes run.
        running: usize,
        /// How many runs have not been started.
        waiting: usize,
    },
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
    /// Runs that stopped at a step boundary.
    pub stopped: Vec<String>,
    /// Runs that another process is at.
    pub held: Vec<String>,
    /// Runs that were not started because of the stop.
    pub waiting: Vec<String>,
}

/// Carries out `runs` in their order, at most `jobs` (but at least one) at once, each as one
/// process of `command`. Finished runs are skipped; a failure stops no other run. Once `stop` is
/// true nothing new is started, every process is asked to stop, and the call returns when all
/// have ended.
pub fn run(
    runs: &[Run],
    command: &WorkerCommand,
    jobs: usize,
    stop: &AtomicBool,
    watch: &mut dyn Watch,
) -> Outcome {
    let mut pool = Pool {
        waiting: runs,
        running: Vec::new(),
        command,
        watch,
        outcome: Outcome::default(),
    };
    let mut stopping = false;
    for poll in 1_u32.. {
        if !stopping && stop.load(Ordering::Relaxed) {
            stopping = true;
            pool.ask_all_to_stop();
        }
        if !stopping {
            pool.fill(jobs.max(1));
        }
        if pool.running.is_empty() && (stopping || pool.waiting.is_empty()) {
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
    pool.outcome.waiting = pool.waiting.iter().map(|run| run.id.clone()).collect();
    pool.outcome
}

struct Pool<'a> {
    waiting: &'a [Run],
    running: Vec<Worker<'a>>,
    command: &'a WorkerCommand,
    watch: &'a mut dyn Watch,
    outcome: Outcome,
}

impl<'a> Pool<'a> {
    fn fill(&mut self, jobs: usize) {
        while self.running.len() < jobs {
            let Some((run, rest)) = self.waiting.split_first() else {
                return;
            };
            self.waiting = rest;
            self.start(run);
        }
    }

    fn start(&mut self, run: &'a Run) {
        if run.is_finished() {
            self.outcome.finished.push(run.id.clone());
            self.watch.event(Event::Skipped { run });
            return;
        }
        match Worker::start(self.command, run) {
            Ok(worker) => {
                let step = worker.first_step;
                self.watch.event(Event::Started { run, step });
                self.running.push(worker);
            }
            Err(reason) => self.end(run, Ending::Failed(reason)),
        }
    }

    fn ask_all_to_stop(&mut self) {
        self.running.iter_mut().for_each(Worker::ask_to_stop);
        self.watch.event(Event::Stopping);
    }

    fn tick(&mut self) {
        for worker in &mut self.running {
            tell_news(worker, self.watch);
        }
        self.watch.event(Event::Tick {
            running: self.running.len(),
            waiting: self.waiting.len(),
        });
    }

    /// Takes out the processes that have ended; whether there was one.
    fn reap(&mut self) -> bool {
        let before = self.running.len();
        let mut index = 0;
        while index < self.running.len() {
            match self.running[index].ended() {
                None => index += 1,
                Some(ending) => {
                    let mut worker = self.running.remove(index);
                    tell_news(&mut worker, self.watch);
                    self.end(worker.run, ending);
                }
            }
        }
        self.running.len() < before
    }

    fn end(&mut self, run: &Run, ending: Ending) {
        let id = run.id.clone();
        match ending {
            Ending::Finished => {
                self.outcome.finished.push(id);
                self.watch.event(Event::Finished { run });
            }
            Ending::Stopped => {
                self.outcome.stopped.push(id);
                self.watch.event(Event::Stopped { run });
            }
            Ending::Held => {
                self.outcome.held.push(id);
                self.watch.event(Event::Held { run });
            }
            Ending::Failed(reason) => {
                self.watch.event(Event::Failed {
                    run,
                    reason: &reason,
                });
                self.outcome.failed.push((id, reason));
            }
        }
    }
}

fn tell_news(worker: &mut Worker<'_>, watch: &mut dyn Watch) {
    if let Some(progress) = worker.news() {
        let run = worker.run;
        watch.event(Event::Progress {
            run,
            step: progress.step,
            steps: run.steps,
            loss: progress.loss,
        });
    }
}
