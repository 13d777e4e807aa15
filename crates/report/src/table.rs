//! The results table: a row a cell, and a row a search as the paper selects.

use std::collections::BTreeMap;

use crate::cell::Cell;
use crate::grid;
use crate::notes;
use crate::paper::{self, Published};
use crate::run_files::Scores;
use crate::searches::{Search, heading, searches};
use crate::slope_rows::{SlopeRow, slope_rows};
use crate::statistics::{Gain, Spread};
use crate::sweep_runs::{RunRecord, Status, SweepRuns};

/// The results of one sweep. Accuracies are in percent throughout.
#[derive(Debug)]
pub struct Table {
    /// The sweep's name.
    pub sweep: String,
    /// What all its rows have in common, in words.
    pub heading: String,
    /// Whether any number comes from made data.
    pub made_data: bool,
    /// Zero-shot rows, and for every search its cells and the selected row.
    pub rows: Vec<Row>,
    /// The slope of every trained run.
    pub slopes: Vec<SlopeRow>,
    /// What a reader must know beside the numbers.
    pub notes: Vec<String>,
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// The model without training.
    ZeroShot,
    /// One configuration over its seeds.
    Cell,
    /// For each seed the configuration with the best dev accuracy.
    Selected,
}

impl RowKind {
    /// The word for it in CSV and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::ZeroShot => "zero-shot",
            Self::Cell => "cell",
            Self::Selected => "selected as published",
        }
    }
}

/// One row.
#[derive(Debug)]
pub struct Row {
    /// What it stands for.
    pub kind: RowKind,
    /// The configuration's values by short name, as the spec wrote them. A selected row has those that
    /// all its cells share.
    pub settings: Vec<(String, String)>,
    /// The seeds that have numbers.
    pub seeds: Vec<u64>,
    /// Test scores at the best step on dev.
    pub best: Measured,
    /// Test scores at the last step.
    pub last: Measured,
    /// Test accuracy at the best step minus zero-shot's, in points.
    pub accuracy_gain: Option<Gain>,
    /// Test cross-entropy at the best step minus zero-shot's; below zero is better.
    pub cross_entropy_gain: Option<Gain>,
    /// The paper's accuracy.
    pub paper: Option<Published>,
    /// In what the row's search is not the paper's; empty for the paper's own.
    pub partial_grid: Vec<String>,
    /// Which configuration each seed selected; for a selected row only.
    pub chosen: Vec<Choice>,
}

/// The configuration one seed selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The seed.
    pub seed: u64,
    /// The configuration in words: `lr 1e-4, eps 1e-3`.
    pub cell: String,
}

/// Test scores over seeds.
#[derive(Debug, Default)]
pub struct Measured {
    /// Accuracy in percent.
    pub accuracy: Option<Spread>,
    /// Cross-entropy over the label words.
    pub cross_entropy: Option<Spread>,
}

impl Row {
    /// The text of one setting, by its short name.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
    }

    /// Whether the row's search is the paper's, in the words of CSV and JSON.
    pub fn grid_word(&self) -> &'static str {
        match (self.kind, self.partial_grid.is_empty()) {
            (RowKind::ZeroShot, _) => "",
            (_, true) => "the paper's grid",
            (_, false) => "partial grid",
        }
    }

    /// Accuracy at the best step minus the paper's, in points.
    pub fn difference(&self) -> Option<f64> {
        Some(self.best.accuracy?.mean - self.paper?.mean)
    }
}

/// The results table of a sweep.
pub fn table(runs: &SweepRuns) -> Table {
    let searches = searches(runs);
    let baselines = baselines(runs);
    let mut rows = Vec::new();
    for search in &searches {
        let differences = grid::differences(&search.runs());
        for (cell, members) in &search.cells {
            let kind = if cell.is_zero_shot() {
                RowKind::ZeroShot
            } else {
                RowKind::Cell
            };
            let mut row = row(kind, members, baselines.get(&cell.baseline));
            row.settings = cell.settings.clone();
            row.partial_grid = differences.clone();
            rows.push(row);
        }
        if !search.is_zero_shot() {
            let mut row = selected_row(search, &baselines);
            row.partial_grid = differences;
            rows.push(row);
        }
    }
    let slopes = slope_rows(runs);
    Table {
        sweep: runs.sweep.clone(),
        heading: heading(&searches, runs.made_data()),
        made_data: runs.made_data(),
        notes: notes::notes(runs, &rows, &slopes),
        rows,
        slopes,
    }
}

/// Zero-shot's scores by what they were measured on.
fn baselines(runs: &SweepRuns) -> BTreeMap<String, Scores> {
    // The last one to be collected stays: of several it shall be the one whose row is shown.
    let zero_shot = runs
        .runs
        .iter()
        .rev()
        .filter(|run| run.cell().is_some_and(Cell::is_zero_shot));
    zero_shot
        .filter_map(|run| Some((run.cell()?.baseline.clone(), best(run)?)))
        .collect()
}

/// A run's scores at its best step. A broken run has none, even where its result can be read.
fn best(run: &RunRecord) -> Option<Scores> {
    run.result
        .as_ref()
        .filter(|_| run.status != Status::Broken)?
        .best
}

fn last(run: &RunRecord) -> Option<Scores> {
    run.result
        .as_ref()
        .filter(|_| run.status != Status::Broken)?
        .last
}

/// The numbers of a row over some runs, one a seed.
fn row(kind: RowKind, runs: &[&RunRecord], baseline: Option<&Scores>) -> Row {
    let measured: Vec<&RunRecord> = runs
        .iter()
        .copied()
        .filter(|run| best(run).is_some())
        .collect();
    let best: Vec<Scores> = measured.iter().filter_map(|run| best(run)).collect();
    let last: Vec<Scores> = runs.iter().filter_map(|run| last(run)).collect();
    let baseline = baseline.filter(|_| kind != RowKind::ZeroShot);
    let gain = |value: fn(&Scores) -> Option<f64>| {
        let before = value(baseline?)?;
        let differences: Vec<f64> = best
            .iter()
            .filter_map(value)
            .map(|after| after - before)
            .collect();
        Gain::of(&differences)
    };
    Row {
        kind,
        settings: Vec::new(),
        seeds: measured.iter().filter_map(|run| run.seed()).collect(),
        accuracy_gain: gain(accuracy),
        cross_entropy_gain: gain(cross_entropy),
        paper: runs.first().and_then(|run| published(run)),
        best: Measured::of(&best),
        last: Measured::of(&last),
        partial_grid: Vec::new(),
        chosen: Vec::new(),
    }
}

impl Measured {
    fn of(scores: &[Scores]) -> Self {
        let spread = |value: fn(&Scores) -> Option<f64>| {
            Spread::of(&scores.iter().filter_map(value).collect::<Vec<_>>())
        };
        Self {
            accuracy: spread(accuracy),
            cross_entropy: spread(cross_entropy),
        }
    }
}

fn accuracy(scores: &Scores) -> Option<f64> {
    scores.test_accuracy.map(|accuracy| 100.0 * accuracy)
}

fn cross_entropy(scores: &Scores) -> Option<f64> {
    scores.test_cross_entropy
}

fn published(run: &RunRecord) -> Option<Published> {
    let config = &run.manifest()?.config;
    let method = &config.method;
    paper::published(
        &config.task.name,
        config.task.k,
        &method.name,
        method.tuning.as_deref(),
    )
}

/// The row as the paper reports it: for each seed the configuration with the best dev accuracy, of
/// equally good ones the first by the string order of its label, and that configuration's test score
/// (`medium_models/tools/gather_result.py`).
fn selected_row(search: &Search<'_>, baselines: &BTreeMap<String, Scores>) -> Row {
    let mut chosen: BTreeMap<u64, &RunRecord> = BTreeMap::new();
    for run in search.runs() {
        let (Some(seed), Some(_)) = (run.seed(), rank(run)) else {
            continue;
        };
        let winner = chosen.entry(seed).or_insert(run);
        if better(run, winner) {
            *winner = run;
        }
    }
    let runs: Vec<&RunRecord> = chosen.values().copied().collect();
    let baseline = search
        .cells
        .first()
        .and_then(|(cell, _)| baselines.get(&cell.baseline));
    let mut row = row(RowKind::Selected, &runs, baseline);
    row.settings = search.shared_settings();
    row.paper = search.runs().first().and_then(|run| published(run));
    row.chosen = chosen
        .iter()
        .filter_map(|(seed, run)| {
            Some(Choice {
                seed: *seed,
                cell: run.cell()?.short_name(),
            })
        })
        .collect();
    row
}

fn rank(run: &RunRecord) -> Option<(f64, &str)> {
    Some((best(run)?.dev_accuracy?, &run.cell()?.label))
}

fn better(run: &RunRecord, than: &RunRecord) -> bool {
    match (rank(run), rank(than)) {
        (Some((ours, label)), Some((theirs, other))) => {
            ours > theirs || (ours == theirs && label < other)
        }
        (ours, _) => ours.is_some(),
    }
}
