//! A run in its process: what there was of it before, its signs of life, and what the end of the process means for it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use mezo_run::{
    Attempt, Class, EVALS, End, EndReason, LOCK, LOG, Lease, RunError, STEPS, add_end, attempts,
};

use crate::exit;
use crate::hands::{Hands, Marks, Now};
use crate::plan::Run;
use crate::reason::{Cause, Reason, log_end};
use crate::tail::{Progress, Tail, last_step};
use crate::worker::Ended;

/// How a run's process ended for it.
pub(crate) enum Ending {
    Finished,
    Stopped,
    Held,
    Failed(Reason),
}

/// A run that a process carries out, alone or with others.
pub(crate) struct Member<'r> {
    pub(crate) run: &'r Run,
    /// The step in the journal from which it goes on; 0 for a new run.
    pub(crate) first_step: u64,
    /// Its end was told, while its process may still be at others.
    pub(crate) told: bool,
    /// It was told as failed.
    pub(crate) has_failed: bool,
    tail: Tail,
    signs: Signs,
    hands: Hands,
    /// Its process may have let go of it since it was last asked.
    let_go: bool,
    /// Bytes of its log before the process.
    log_before: u64,
    /// Lines of its attempts before the process.
    attempts_before: usize,
}

/// What changes while a process works.
#[derive(PartialEq)]
struct Signs {
    /// The lengths of the journal and the evaluations.
    written: [u64; 2],
    /// The length of the lock, and when it was last touched.
    lock: (u64, Option<SystemTime>),
}

/// What a process has written down of its attempt at a run.
#[derive(Default)]
pub(crate) struct Own {
    /// The attempt's number; none where it has not begun one.
    number: Option<u64>,
    /// That it stopped.
    stopped: bool,
    /// That it failed, and why.
    failed: Option<(Class, Option<String>)>,
}

impl Own {
    /// Whether it says that the run failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Whether the process has begun the run.
    pub(crate) fn has_begun(&self) -> bool {
        self.number.is_some()
    }

    /// Why the run failed beside others, if it says that it did.
    pub(crate) fn failure(self, run: &Run, said: &Said<'_>) -> Option<Reason> {
        let failed = self.failed?;
        Some(written(Cause::BesideOthers, said.of(run), failed))
    }
}

/// What the process of several runs has said.
pub(crate) struct Said<'c> {
    /// The run whose log has it.
    pub(crate) first: &'c Member<'c>,
    /// The ids of all its runs.
    pub(crate) ids: &'c [&'c str],
}

impl Said<'_> {
    /// What of it may be about a run.
    fn of(&self, run: &Run) -> String {
        let log = self.first.run.dir.join(LOG);
        log_end(&log, self.first.log_before, &run.id, self.ids)
    }
}

/// What the runs of a process have in common when it has ended.
pub(crate) struct Common<'c> {
    pub(crate) ended: &'c Ended,
    pub(crate) said: Said<'c>,
    /// It had several runs.
    pub(crate) in_company: bool,
    /// The exit code is that of a run whose failure stands in its attempts.
    pub(crate) explained: bool,
    /// One of the runs was begun, as then all were but those in other hands.
    pub(crate) begun: bool,
}

impl<'r> Member<'r> {
    /// The run as it is before its process, with its log open; a failure of its own where there can be none.
    pub(crate) fn new(run: &'r Run) -> Result<(Self, File), Ending> {
        prepare(run).map_err(|cause| {
            let mut reason = Reason::new(cause, String::new(), false);
            match record(run, &mut reason, 0, 0.0) {
                Recorded::Held => Ending::Held,
                Recorded::Tried => Ending::Failed(reason),
            }
        })
    }

    pub(crate) fn news(&mut self) -> Option<Progress> {
        self.tail.news()
    }

    /// Looks at its files: whether its process has given a sign of life by it since the last call. What another process does
    /// is none.
    pub(crate) fn look(&mut self, marks: &Marks) -> bool {
        if self.told {
            return false;
        }
        let signs = signs(self.run);
        let changed = signs != self.signs;
        if signs.lock != self.signs.lock {
            let now = self.hands.look(&self.run.dir.join(LOCK), marks);
            self.let_go |= now != Now::TheProcess;
        }
        self.signs = signs;
        changed && self.hands.now() != Now::Another
    }

    /// Whether its process may have let go of it since the last call.
    pub(crate) fn was_let_go(&mut self) -> bool {
        std::mem::take(&mut self.let_go) && !self.told
    }

    /// Its failure was told.
    pub(crate) fn told_as_failed(&mut self) {
        (self.told, self.has_failed) = (true, true);
    }

    /// What the process has written down of its attempt. What another has, that holds the run meanwhile, is left out.
    pub(crate) fn own(&self, marks: &Marks) -> Own {
        // Attempts that cannot be read have told nothing.
        let lines = attempts(&self.run.dir).unwrap_or_default();
        let since = lines.get(self.attempts_before..).unwrap_or_default();
        let mut own = Own {
            number: self.hands.own_start(since, marks),
            ..Own::default()
        };
        for line in since {
            match line {
                Attempt::End(end) if Some(end.attempt) != own.number => {}
                Attempt::End(End {
                    reason: EndReason::Failed,
                    class,
                    error,
                    ..
                }) => {
                    let class = class.unwrap_or(Class::Error);
                    own.failed.get_or_insert((class, error.clone()));
                }
                Attempt::End(_) => own.stopped = true,
                Attempt::Start(_) | Attempt::Retry { .. } => {}
            }
        }
        own
    }

    /// What the end of the process means for the run.
    pub(crate) fn ending(&self, own: Own, common: &Common<'_>) -> Ending {
        let ended = common.ended;
        // The run's directory is the truth: with a result in it the run is finished, even if the
        // process broke down on its way out or found the run in other hands.
        if self.run.is_finished() {
            return Ending::Finished;
        }
        let code = ended.code();
        // Of one run alone the code says it, whatever the holder has written into the attempts meanwhile.
        if !common.in_company && code == Some(exit::HELD) {
            return Ending::Held;
        }
        if own.has_failed() {
            return self.failed(own, common);
        }
        // The code is that of all its runs: what this one has told of its own end goes before it.
        let by_itself = common.in_company && own.stopped && !ended.was_silent();
        if by_itself || ended.has_stopped() {
            return Ending::Stopped;
        }
        // It was ended with others under way that were begun with this one, had it not been in other hands.
        let cut_off = code.is_none() || ended.was_silent();
        if cut_off && common.begun && !own.has_begun() {
            return Ending::Held;
        }
        match code {
            Some(exit::HELD) if !own.stopped => Ending::Held,
            // It failed because of another run. This one was in other hands, or has come into them.
            Some(_) if common.explained && !ended.was_silent() => Ending::Held,
            _ => self.failed(own, common),
        }
    }

    /// The reason of a failure, written down unless the worker has done so itself.
    fn failed(&self, own: Own, common: &Common<'_>) -> Ending {
        let (ended, log) = (common.ended, common.said.of(self.run));
        if let Some(failed) = own.failed {
            let cause = match common.in_company {
                true => Cause::BesideOthers,
                false => ended.cause(),
            };
            return Ending::Failed(written(cause, log, failed));
        }
        let mut reason = Reason::new(ended.cause(), log, ended.memory_ran_out);
        // One that stopped when it was asked to has written down its time itself.
        let wall_s = match own.stopped {
            true => 0.0,
            false => ended.wall_s,
        };
        match record(self.run, &mut reason, own.number.unwrap_or(0), wall_s) {
            Recorded::Tried => Ending::Failed(reason),
            Recorded::Held => Ending::Held,
        }
    }
}

/// The reason of a failure that its process has written down itself.
fn written(cause: Cause, log: String, (class, error): (Class, Option<String>)) -> Reason {
    let mut reason = Reason::new(cause, log, false);
    reason.class = class;
    reason.kept = true;
    error.iter().for_each(|error| reason.tell(error));
    reason
}

fn prepare(run: &Run) -> Result<(Member<'_>, File), Cause> {
    let no_folder = |path: &Path, error: io::Error| Cause::NoFolder {
        path: path.to_owned(),
        error,
    };
    std::fs::create_dir_all(&run.dir).map_err(|error| no_folder(&run.dir, error))?;
    let path = run.dir.join(LOG);
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|error| no_folder(&path, error))?;
    let mut tail = Tail::new(run.dir.join(STEPS));
    let first_step = tail.news().map_or(0, |progress| progress.step);
    let member = Member {
        run,
        first_step,
        told: false,
        has_failed: false,
        tail,
        signs: signs(run),
        hands: Hands::default(),
        let_go: false,
        log_before: length(&path),
        attempts_before: attempts(&run.dir).map_or(0, |lines| lines.len()),
    };
    Ok((member, log))
}

/// Writes a failure down that its process could not. Where that fails too, the log and the screen have it.
fn record(run: &Run, reason: &mut Reason, attempt: u64, wall_s: f64) -> Recorded {
    // Held meanwhile: nobody else adds to the attempts, and a run that somebody else has taken up is left to him.
    let _lease = match Lease::take(&run.dir) {
        Err(RunError::Held { .. }) => return Recorded::Held,
        lease => lease,
    };
    let steps = last_step(&run.dir.join(STEPS)).ok().flatten();
    let end = End {
        attempt,
        time: String::new(),
        wall_s,
        reason: EndReason::Failed,
        class: Some(reason.class),
        steps: steps.map_or(0, |progress| progress.step),
        error: Some(reason.summary()),
    };
    match add_end(&run.dir, end) {
        Ok(()) => reason.kept = true,
        // What there is no room to write down most likely came of that.
        Err(error) if reason.class == Class::Error && error.class() == Class::DiskFull => {
            reason.class = Class::DiskFull;
            reason.tell(&error);
        }
        Err(_) => {}
    }
    Recorded::Tried
}

/// What became of writing a failure down.
enum Recorded {
    /// It was tried.
    Tried,
    /// Somebody else holds the run.
    Held,
}

fn signs(run: &Run) -> Signs {
    let lock = run.dir.join(LOCK).metadata();
    Signs {
        written: [STEPS, EVALS].map(|name| length(&run.dir.join(name))),
        lock: lock.map_or((0, None), |lock| (lock.len(), lock.modified().ok())),
    }
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |data| data.len())
}
