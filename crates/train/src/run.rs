//! Runs on their directories: taken up where their files say, carried on to their results, alone or together.

use std::path::Path;
use std::rc::Rc;

use mezo_run::{EndReason, Lease, OpenAttempt, RESULT, RunError, RunPlan, STEPS};

use crate::company::{self, NotTogether};
use crate::error::TrainError;
use crate::materials::Source;
use crate::panics::{let_go, listen_anew, tried};
use crate::pulse::Pulse;
use crate::together::{self, UnderWay};
use crate::work::{Begun, Held, begin};
use mezo_run::Step;

/// How a call of [`run`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The result is written.
    Finished,
    /// The result is written: the loss was no longer finite.
    Diverged,
    /// Asked to stop; the journal holds everything up to this step.
    Stopped {
        /// Steps done.
        step: u64,
    },
}

/// What a caller sees and says while a run is under way.
pub trait Control {
    /// Whether to stop at the next step boundary.
    fn stop(&self) -> bool;
    /// A step is done.
    fn step(&mut self, step: &Step, of: u64);
    /// Files of the run are damaged, and this is what is done about it.
    fn warn(&mut self, what: &str);
    /// The run has come to its end, or could not begin; runs beside it may go on.
    fn ended(&mut self, _how: Result<Ending, &TrainError>) {}
}

/// A run among those that are to be trained together.
pub struct Member<'a> {
    /// Its directory.
    pub dir: &'a Path,
    /// Who sees it and may stop it.
    pub control: &'a mut dyn Control,
}

/// Carries a run on to its end, or to the next step boundary after [`Control::stop`].
///
/// # Errors
/// If the run is held by another process, its files or what they name cannot be used, or cannot be written. What was
/// done before stays.
pub fn run(dir: &Path, device_name: &str, control: &mut dyn Control) -> Result<Ending, TrainError> {
    let plan = RunPlan::read(dir);
    carry_on(vec![(Member { dir, control }, plan)], device_name).swap_remove(0)
}

/// Carries runs on side by side: their probes go through one model in the same passes. Each has its own end, in the order of
/// the members, as [`run`] would have it, and on the CPU the same numbers to the last bit; a run that cannot begin, fails,
/// ends or is stopped leaves the others as they are.
///
/// # Errors
/// If they differ in what a pass has only once ([`company::company_key`]); then nothing was begun.
pub fn run_together(
    members: Vec<Member<'_>>,
    device_name: &str,
) -> Result<Vec<Result<Ending, TrainError>>, NotTogether> {
    let members: Vec<_> = members
        .into_iter()
        .map(|member| {
            let plan = RunPlan::read(member.dir);
            (member, plan)
        })
        .collect();
    let known = members
        .iter()
        .filter_map(|(member, plan)| Some((member.dir, plan.as_ref().ok()?)));
    company::check(known)?;
    Ok(carry_on(members, device_name))
}

/// Takes runs of one company up and carries them on; their ends in the order of the members.
fn carry_on(
    members: Vec<(Member<'_>, Result<RunPlan, RunError>)>,
    device_name: &str,
) -> Vec<Result<Ending, TrainError>> {
    listen_anew();
    let pulse = Pulse::default();
    let mut ends = Ends::default();
    let mut taken = Vec::new();
    for (place, (member, plan)) in members.into_iter().enumerate() {
        let Member { dir, control } = member;
        match plan
            .map_err(TrainError::from)
            .and_then(|plan| take_up(dir, plan))
        {
            Ok(Some((plan, lease))) => taken.push((place, dir, control, plan, lease)),
            Ok(None) => ends.add(place, control, Ok(Ending::Finished)),
            Err(error) => ends.add(place, control, Err(error)),
        }
    }
    let counts = [rayon::current_num_threads(), taken.len()];
    let mut opened = Vec::new();
    for (place, dir, control, plan, lease) in taken {
        let attempt = match OpenAttempt::start(dir, lease.attempt(), device_name, counts) {
            Ok(attempt) => attempt,
            Err(error) => {
                ends.add(place, control, Err(error.into()));
                continue;
            }
        };
        pulse.add(&lease);
        let held = Held::new(dir.into(), plan, Rc::clone(&lease), pulse.clone());
        let open = Open {
            place,
            dir,
            control,
            attempt,
            lease,
        };
        opened.push((open, held));
    }
    let mut source = Source::of_company(opened.len());
    let mut under_way = Vec::new();
    for (open, held) in opened {
        // Others wait while this one is read.
        pulse.beat();
        match tried(|| begin(held, device_name, &mut source, &mut *open.control)) {
            Ok(Begun::Steps(run)) => under_way.push(UnderWay::new(open, run)),
            Ok(Begun::Done(done)) => open.end(Ok(done), &mut ends),
            Err(error) => open.end(Err(error), &mut ends),
        }
    }
    let_go(source);
    together::carry_on(under_way, &pulse, &mut ends);
    ends.in_order()
}

/// Takes the lease on a run; none where its result is there.
fn take_up(dir: &Path, plan: RunPlan) -> Result<Option<(RunPlan, Rc<Lease>)>, TrainError> {
    if dir.join(RESULT).exists() {
        return Ok(None);
    }
    let lease = Rc::new(Lease::take(dir)?);
    // Who held the run just before may have finished it.
    let finished = dir.join(RESULT).exists();
    Ok((!finished).then_some((plan, lease)))
}

/// What a run's end is told by.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) ending: Ending,
    /// Lines of its journal.
    pub(crate) steps: u64,
}

/// A member whose attempt has begun.
pub(crate) struct Open<'a> {
    /// Among the members.
    place: usize,
    dir: &'a Path,
    pub(crate) control: &'a mut dyn Control,
    attempt: OpenAttempt,
    /// Held until the attempt's end is written.
    lease: Rc<Lease>,
}

impl Open<'_> {
    /// Writes the end of the attempt, and lets go of the run.
    pub(crate) fn end(self, ended: Result<Done, TrainError>, ends: &mut Ends) {
        let Self {
            place,
            dir,
            control,
            attempt,
            lease,
        } = self;
        let ended = close(attempt, dir, ended);
        drop(lease);
        ends.add(place, control, ended);
    }
}

/// Writes the end of an attempt.
fn close(
    attempt: OpenAttempt,
    dir: &Path,
    ended: Result<Done, TrainError>,
) -> Result<Ending, TrainError> {
    match &ended {
        Ok(done) => {
            let reason = match done.ending {
                Ending::Finished => EndReason::Finished,
                Ending::Diverged => EndReason::Diverged,
                Ending::Stopped { .. } => EndReason::Stopped,
            };
            attempt.end(reason, done.steps, None)?;
        }
        // The run is another's now, and so are its files.
        Err(error) if error.is_held() => {}
        Err(error) => {
            let failure = Some((error.class(), error.to_string()));
            // What went wrong first is what the caller hears of, even where this line cannot be written either.
            let _ = attempt.end(EndReason::Failed, journal_length(dir), failure);
        }
    }
    ended.map(|done| done.ending)
}

/// Whole lines of the journal, none where it cannot be read.
fn journal_length(dir: &Path) -> u64 {
    let bytes = std::fs::read(dir.join(STEPS)).unwrap_or_default();
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// How members ended, each with its place among them.
#[derive(Debug, Default)]
pub(crate) struct Ends(Vec<(usize, Result<Ending, TrainError>)>);

impl Ends {
    fn add(&mut self, place: usize, control: &mut dyn Control, ended: Result<Ending, TrainError>) {
        control.ended(ended.as_ref().copied());
        self.0.push((place, ended));
    }

    fn in_order(mut self) -> Vec<Result<Ending, TrainError>> {
        self.0.sort_by_key(|(place, _)| *place);
        self.0.into_iter().map(|(_, ended)| ended).collect()
    }
}
