//! Runs on their directories: resumed where their files say, run to their results, alone or batched.

use std::path::Path;
use std::rc::Rc;

use mezo_run::{Lease, OpenAttempt, RunError, RunPlan, RunResult};

use crate::batch::{self, NotTogether};
use crate::begin::{Begun, begin};
use crate::control::{Control, Ending};
use crate::error::TrainError;
use crate::materials::Source;
use crate::open_run::{Ends, Open};
use crate::panics::{let_go, listen_anew, tried};
use crate::together::{self, UnderWay};
use crate::work::Held;

/// A run among those that are to be trained batched.
#[derive(Clone, Copy)]
pub struct BatchedRun<'a> {
    /// Its directory.
    pub dir: &'a Path,
    /// Who is told of it and may stop it.
    pub control: &'a dyn Control,
}

/// Runs a run to its end, or to the next step boundary after [`Control::stop`].
///
/// # Errors
/// If the run is held by another process, its files or what they name cannot be used, or cannot be written. What was
/// done before stays.
pub fn run(dir: &Path, device_name: &str, control: &dyn Control) -> Result<Ending, TrainError> {
    let plan = RunPlan::read(dir);
    run_all(vec![(BatchedRun { dir, control }, plan)], device_name).swap_remove(0)
}

/// Runs several side by side: their probes go through one model in the same passes. Each has its own end, in the order of
/// `runs`, as [`run`] would have it, and on the CPU the same numbers to the last bit; a run that cannot begin, fails,
/// ends or is stopped leaves the others as they are.
///
/// # Errors
/// If they differ in what a pass has only once ([`mezo_run::batch_key`]); then nothing was begun.
pub fn run_together(
    runs: &[BatchedRun<'_>],
    device_name: &str,
) -> Result<Vec<Result<Ending, TrainError>>, NotTogether> {
    let runs: Vec<_> = runs
        .iter()
        .map(|&run| (run, RunPlan::read(run.dir)))
        .collect();
    let known = runs
        .iter()
        .filter_map(|(run, plan)| Some((run.dir, plan.as_ref().ok()?)));
    batch::check(known)?;
    Ok(run_all(runs, device_name))
}

/// Runs the runs of one batch; their ends in their order.
fn run_all(
    runs: Vec<(BatchedRun<'_>, Result<RunPlan, RunError>)>,
    device_name: &str,
) -> Vec<Result<Ending, TrainError>> {
    listen_anew();
    let mut ends = Ends::default();
    let mut taken = Vec::new();
    for (place, (run, plan)) in runs.into_iter().enumerate() {
        let BatchedRun { dir, control } = run;
        match plan
            .map_err(TrainError::from)
            .and_then(|plan| take(dir, plan))
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
        control.started(lease.attempt());
        let held = Held::new(dir.into(), plan, Rc::clone(&lease), control);
        let open = Open {
            place,
            dir,
            control,
            attempt,
            lease,
        };
        opened.push((open, held));
    }
    let mut source = Source::of_batch(opened.len());
    let mut under_way = Vec::new();
    for (open, held) in opened {
        open.control.alive();
        match tried(|| begin(held, device_name, &mut source)) {
            Ok(Begun::Steps(run)) => under_way.push(UnderWay::new(open, run)),
            Ok(Begun::Done(done)) => open.end(Ok(done), &mut ends),
            Err(error) => open.end(Err(error), &mut ends),
        }
    }
    let_go(source);
    together::train(under_way, &mut ends);
    ends.in_order()
}

/// Takes the lease on a run; none where its result is there.
fn take(dir: &Path, plan: RunPlan) -> Result<Option<(RunPlan, Rc<Lease>)>, TrainError> {
    if RunResult::is_in(dir) {
        return Ok(None);
    }
    let lease = Rc::new(Lease::take(dir)?);
    // Who held the run just before may have finished it.
    let finished = RunResult::is_in(dir);
    Ok((!finished).then_some((plan, lease)))
}
