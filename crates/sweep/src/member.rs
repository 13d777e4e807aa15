//! A run in its process: what there was of it before, its signs of life, and what the end of the process means for it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::SystemTime;

use mezo_run::{
    Attempt, Class, EVALS, End, EndReason, LOCK, LOG, Lease, RunError, STEPS, add_end, attempts,
};

use crate::exit;
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
    /// It was told as finished, while its process may still be at others.
    pub(crate) finished: bool,
    tail: Tail,
    signs: Signs,
    /// Bytes of its log before the process.
    log_before: u64,
    /// Lines of its attempts before the process.
    attempts_before: usize,
}

/// What changes while a process works: the lengths of the journal and the evaluations, and when the lock was last touched.
type Signs = ([u64; 2], Option<SystemTime>);

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
}

/// What the runs of a process have in common when it has ended.
pub(crate) struct Common<'c> {
    pub(crate) ended: &'c Ended,
    /// The run whose log has what the process said.
    pub(crate) first: &'c Member<'c>,
    /// It had several runs.
    pub(crate) in_company: bool,
    /// The exit code is that of a run whose failure stands in its attempts.
    pub(crate) explained: bool,
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

    /// Whether something of it has changed since the last call.
    pub(crate) fn gives_sign(&mut self) -> bool {
        let signs = signs(self.run);
        let changed = signs != self.signs;
        self.signs = signs;
        changed
    }

    /// What the process said of a run, where its words went to the log of this one.
    fn said_of(&self, run: &Run) -> String {
        log_end(&self.run.dir.join(LOG), self.log_before, &run.id)
    }

    /// What the process has written down of its attempt.
    pub(crate) fn own(&self) -> Own {
        // Attempts that cannot be read have told nothing.
        let lines = attempts(&self.run.dir).unwrap_or_default();
        let mut own = Own::default();
        for line in lines.get(self.attempts_before..).unwrap_or_default() {
            match line {
                Attempt::Start(start) => own.number = Some(start.attempt),
                Attempt::End(End {
                    reason: EndReason::Failed,
                    class: Some(class),
                    error,
                    ..
                }) => {
                    own.failed.get_or_insert((*class, error.clone()));
                }
                Attempt::End(_) => own.stopped = true,
                Attempt::Retry { .. } => {}
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
        match code {
            Some(exit::HELD) if !own.stopped => Ending::Held,
            // It failed because of another run. This one was in other hands, or has come into them.
            Some(_) if common.explained && !ended.was_silent() => Ending::Held,
            _ => self.failed(own, common),
        }
    }

    /// The reason of a failure, written down unless the worker has done so itself.
    fn failed(&self, own: Own, common: &Common<'_>) -> Ending {
        let (ended, log) = (common.ended, common.first.said_of(self.run));
        if let Some((class, error)) = own.failed {
            let cause = match common.in_company {
                true => Cause::BesideOthers,
                false => ended.cause(),
            };
            let mut reason = Reason::new(cause, log, ended.memory_ran_out);
            reason.class = class;
            reason.kept = true;
            error.iter().for_each(|error| reason.tell(error));
            return Ending::Failed(reason);
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
        finished: false,
        tail,
        signs: signs(run),
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
    let lengths = [STEPS, EVALS].map(|name| length(&run.dir.join(name)));
    let lock = run.dir.join(LOCK).metadata();
    (lengths, lock.and_then(|lock| lock.modified()).ok())
}

fn length(path: &Path) -> u64 {
    path.metadata().map_or(0, |data| data.len())
}
