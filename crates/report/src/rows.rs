//! The rows of a search: its cells, and what is reported of it.

use mezo_run::Reported;
use mezo_spec::TaskSpec;
use std::collections::BTreeMap;

use crate::cell::{Cell, configuration_words};
use crate::grid;
use crate::paper::{self, Published};
use crate::run_record::{Estimated, RunRecord};
use crate::searches::Search;
use crate::selection::{best, fixed, last, selected};
use crate::statistics::{Gain, Spread};
use crate::sweep_runs::SweepRuns;
use crate::table::{Choice, Measured, Row, RowKind};

/// Zero-shot's scores by what they were measured on. A random head, which each seed draws anew, is no common ground.
pub(crate) struct Baselines(BTreeMap<String, Reported>);

impl Baselines {
    pub(crate) fn of(runs: &SweepRuns) -> Self {
        // The last one to be collected stays: of several it shall be the one whose row is shown.
        let zero_shot = runs
            .runs
            .iter()
            .rev()
            .filter(|run| run.cell().is_some_and(Cell::is_zero_shot) && run.seed().is_none());
        let scores = zero_shot.filter_map(|run| Some((run.cell()?.baseline.clone(), best(run)?)));
        Self(scores.collect())
    }

    fn of_search(&self, search: &Search<'_>) -> Option<&Reported> {
        let (cell, _) = search.cells.first()?;
        self.0.get(&cell.baseline)
    }
}

/// A row a cell.
pub(crate) fn cell_rows(search: &Search<'_>, baselines: &Baselines) -> Vec<Row> {
    let kind = if search.is_zero_shot() {
        RowKind::ZeroShot
    } else {
        RowKind::Cell
    };
    let of_cell = |(cell, members): &(&Cell, Vec<&RunRecord>)| {
        let mut row = row(kind, members, search, baselines);
        row.settings.clone_from(&cell.settings);
        row
    };
    search.cells.iter().map(of_cell).collect()
}

/// What is reported of a search: the row selected as published, the same at the last step where there are
/// steps, and the best fixed configuration where there is more than one. None for zero-shot.
pub(crate) fn choice_rows(search: &Search<'_>, baselines: &Baselines) -> Vec<Row> {
    if search.is_zero_shot() {
        return Vec::new();
    }
    let chosen = selected(search);
    let mut rows = vec![selected_row(RowKind::Selected, &chosen, search, baselines)];
    if search.has_steps() {
        rows.push(selected_row(RowKind::LastStep, &chosen, search, baselines));
    }
    if search.cells.len() > 1
        && let Some((cell, members)) = fixed(search)
    {
        let mut row = row(RowKind::Fixed, members, search, baselines);
        row.settings.clone_from(&cell.settings);
        rows.push(row);
    }
    rows
}

fn selected_row(
    kind: RowKind,
    chosen: &[&RunRecord],
    search: &Search<'_>,
    baselines: &Baselines,
) -> Row {
    let mut row = row(kind, chosen, search, baselines);
    row.settings = search.shared_settings();
    let choice = |run: &&RunRecord| {
        let cell = run.cell()?;
        Some(Choice {
            seed: run.seed()?,
            cell: configuration_words(&cell.settings, &cell.method, &row.searched),
        })
    };
    row.chosen = chosen.iter().filter_map(choice).collect();
    row
}

/// The numbers of a row over some runs of a search, one a seed.
fn row(kind: RowKind, runs: &[&RunRecord], search: &Search<'_>, baselines: &Baselines) -> Row {
    let at_last = kind == RowKind::LastStep;
    let reported = if at_last { last } else { best };
    let scores = |of: fn(&RunRecord) -> Option<Reported>| -> Vec<Reported> {
        runs.iter().filter_map(|run| of(run)).collect()
    };
    let reports = scores(reported);
    let baseline = baselines
        .of_search(search)
        .filter(|_| kind != RowKind::ZeroShot);
    let gain = |value: fn(&Reported) -> Option<f64>| {
        let before = value(baseline?)?;
        let after = reports.iter().filter_map(value);
        Gain::of(&after.map(|after| after - before).collect::<Vec<_>>())
    };
    let measured = runs.iter().filter(|run| reported(run).is_some());
    Row {
        kind,
        method: search.method().to_owned(),
        settings: Vec::new(),
        searched: search.varied_settings(),
        seeds: measured.filter_map(|run| run.seed()).collect(),
        dev_accuracy: spread(&reports, dev_accuracy),
        accuracy_gain: gain(accuracy),
        cross_entropy_gain: gain(cross_entropy),
        best: if at_last {
            Measured::default()
        } else {
            Measured::of(&reports)
        },
        last: Measured::of(&scores(last)),
        dev_only: runs.iter().any(|run| is_dev_only(run)),
        zero_estimates: Estimated::sum(runs.iter().copied())
            .zero_share()
            .filter(|share| *share > 0.0),
        paper: published(search),
        partial_grid: grid::differences(&search.runs()),
        chosen: Vec::new(),
    }
}

impl Measured {
    fn of(scores: &[Reported]) -> Self {
        Self {
            accuracy: spread(scores, accuracy),
            cross_entropy: spread(scores, cross_entropy),
        }
    }
}

fn spread(scores: &[Reported], value: fn(&Reported) -> Option<f64>) -> Option<Spread> {
    Spread::of(&scores.iter().filter_map(value).collect::<Vec<_>>())
}

fn accuracy(scores: &Reported) -> Option<f64> {
    scores.test_accuracy.map(|accuracy| 100.0 * accuracy)
}

fn dev_accuracy(scores: &Reported) -> Option<f64> {
    scores.dev_accuracy.map(|accuracy| 100.0 * accuracy)
}

fn cross_entropy(scores: &Reported) -> Option<f64> {
    scores.test_cross_entropy
}

/// Public data may come without test rows: then dev chooses, and there is nothing to report.
fn is_dev_only(run: &RunRecord) -> bool {
    run.manifest()
        .is_some_and(|manifest| manifest.test_examples == Some(0))
}

fn published(search: &Search<'_>) -> Option<Published> {
    let manifest = search.manifest()?;
    let task = manifest.config.text(&TaskSpec::NAME)?;
    let k = manifest.config.whole(&TaskSpec::K)?;
    paper::published(task, k, search.method())
}
