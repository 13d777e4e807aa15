//! What is reported of a search: the choice by dev accuracy.

use mezo_run::Reported;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::cell::Cell;
use crate::run_record::{RunRecord, Status};
use crate::searches::Search;

/// As the paper reports: for each seed the run of the configuration with the best dev accuracy, of equally
/// good ones the first by the string order of its label (`medium_models/tools/gather_result.py`, lines
/// 154-157 and 251).
pub(crate) fn selected<'a>(search: &Search<'a>) -> Vec<&'a RunRecord> {
    let mut chosen: BTreeMap<u64, &RunRecord> = BTreeMap::new();
    for run in search.runs() {
        let (Some(seed), Some(ours)) = (run.seed(), rank(run)) else {
            continue;
        };
        let winner = chosen.entry(seed).or_insert(run);
        if rank(winner).is_none_or(|theirs| better(ours, theirs)) {
            *winner = run;
        }
    }
    chosen.into_values().collect()
}

/// The one configuration for all seeds: that with the best mean dev accuracy, of equally good ones the first
/// by its label. A configuration that lacks a seed stands behind those that have more.
pub(crate) fn fixed<'s, 'a>(search: &'s Search<'a>) -> Option<&'s (&'a Cell, Vec<&'a RunRecord>)> {
    let mut winner: Option<(MeanDev, _)> = None;
    for found in &search.cells {
        let (cell, members) = found;
        let Some(ours) = MeanDev::of(cell, members) else {
            continue;
        };
        if winner
            .as_ref()
            .is_none_or(|(theirs, _)| ours.better(theirs))
        {
            winner = Some((ours, found));
        }
    }
    winner.map(|(_, found)| found)
}

/// A configuration's mean dev accuracy.
struct MeanDev<'a> {
    seeds: usize,
    accuracy: f64,
    label: &'a str,
}

impl<'a> MeanDev<'a> {
    fn of(cell: &'a Cell, members: &[&RunRecord]) -> Option<Self> {
        let accuracies: Vec<f64> = members.iter().filter_map(|run| dev(run)).collect();
        let seeds = accuracies.len();
        (seeds > 0).then(|| Self {
            seeds,
            accuracy: accuracies.iter().sum::<f64>() / seeds as f64,
            label: &cell.label,
        })
    }

    fn better(&self, than: &Self) -> bool {
        if self.seeds != than.seeds {
            return self.seeds > than.seeds;
        }
        better((self.accuracy, self.label), (than.accuracy, than.label))
    }
}

/// A run's scores at its best step. A broken run has none, even where its result can be read.
pub(crate) fn best(run: &RunRecord) -> Option<Reported> {
    run.result
        .as_ref()
        .filter(|_| run.status != Status::Broken)?
        .best
}

/// A run's scores at its last step.
pub(crate) fn last(run: &RunRecord) -> Option<Reported> {
    run.result
        .as_ref()
        .filter(|_| run.status != Status::Broken)?
        .last
}

/// A run without dev accuracy can be chosen only where there is nothing to choose.
fn dev(run: &RunRecord) -> Option<f64> {
    Some(best(run)?.dev_accuracy.unwrap_or(f64::NEG_INFINITY))
}

fn rank(run: &RunRecord) -> Option<(f64, &str)> {
    Some((dev(run)?, &run.cell()?.label))
}

fn better((ours, label): (f64, &str), (theirs, other): (f64, &str)) -> bool {
    match ours.total_cmp(&theirs) {
        Ordering::Equal => label < other,
        order => order.is_gt(),
    }
}
