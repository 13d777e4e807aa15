//! Where a run that was interrupted goes on from, with what was lost named.
//!
//! A crash of the process tears at most the last line. A crash of the machine, or a disk, may take more: lines that were
//! written, bytes of a snapshot. What is lost is made again from the newest snapshot before it; as everything is a function
//! of the spec, it comes out the same.

use std::collections::HashSet;
use std::path::Path;

use mezo_run::{EVALS, Snapshots, journal_path};

use crate::error::TrainError;
use crate::training::Training;
use mezo_run::{Eval, EvalSplit, METRICS, Metric};

/// Where to go on.
#[derive(Debug, PartialEq)]
pub(crate) struct Found {
    /// The step of the snapshot to go on from; 0 for the start.
    pub(crate) step: u64,
    /// What a crash of this program alone does not explain.
    pub(crate) flaws: Vec<String>,
}

/// Looks at a run's snapshots beside its journal of so many steps and its evaluations.
pub(crate) fn find(
    dir: &Path,
    steps: u64,
    evals: &[Eval],
    training: &Training,
    has_dev: bool,
) -> Result<Found, TrainError> {
    let mut flaws = Vec::new();
    let (mut whole, mut damaged) = (Vec::new(), Vec::new());
    for step in Snapshots(dir).steps()? {
        let list = match Snapshots(dir).is_whole(step)? {
            true => &mut whole,
            false => &mut damaged,
        };
        list.push(step);
    }
    let newest = whole.iter().chain(&damaged).copied().max().unwrap_or(0);
    for &step in &damaged {
        let path = Snapshots(dir).path(step);
        flaws.push(format!(
            "{}: is damaged (its checksum is not that of its bytes)",
            path.display()
        ));
    }
    if newest > steps {
        let path = journal_path(dir);
        flaws.push(format!(
            "{}: has lost lines: it ends with step {steps}, and there is a snapshot of step {newest}",
            path.display()
        ));
    }
    let missing = has_dev
        .then(|| first_missing(steps, evals, training))
        .flatten();
    // The newest snapshot may have been written just before its evaluation.
    if let Some(step) = missing.filter(|&step| step < newest.min(steps)) {
        let path = dir.join(EVALS);
        flaws.push(format!(
            "{}: has lost lines: it lacks step {step}, and there is a snapshot of step {newest}",
            path.display()
        ));
    }
    let before_damage = damaged.iter().min().map(|step| step.saturating_sub(1));
    let limit = [Some(steps), missing, before_damage].into_iter().flatten();
    let limit = limit.min().unwrap_or(0);
    let step = whole.iter().rfind(|&&step| step <= limit).copied();
    let step = step.unwrap_or(0);
    if !flaws.is_empty() {
        flaws.push(match step {
            0 => format!("going on from the start, by the {steps} steps that the journal has"),
            _ => format!("going on from the snapshot of step {step}"),
        });
    }
    Ok(Found { step, flaws })
}

/// The first step up to `steps` that should have been evaluated on dev and was not, or not wholly.
fn first_missing(steps: u64, evals: &[Eval], training: &Training) -> Option<u64> {
    let dev = evals.iter().filter(|eval| eval.split == EvalSplit::Dev);
    let found: HashSet<(u64, Metric)> = dev.map(|eval| (eval.step, eval.metric)).collect();
    let lacks = |step: u64| {
        let lacks = |metric| !found.contains(&(step, metric));
        METRICS.into_iter().any(lacks)
    };
    (1..=steps).find(|&step| training.evaluates_after(step) && lacks(step))
}
