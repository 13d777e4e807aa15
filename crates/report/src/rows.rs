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

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// The model without training.
    ZeroShot,
    /// One configuration over its seeds.
    Cell,
    /// For each seed the configuration with the best dev accuracy, at its best step.
    Selected,
    /// The selected configurations at their last step.
    LastStep,
    /// For all seeds the one configuration with the best mean dev accuracy.
    Fixed,
}

impl RowKind {
    /// The word for it in CSV and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::ZeroShot => "zero-shot",
            Self::Cell => "cell",
            Self::Selected => "selected as published",
            Self::LastStep => "selected, last step",
            Self::Fixed => "best fixed configuration",
        }
    }

    /// Whether it is made of a search's cells by a rule.
    pub fn is_choice(self) -> bool {
        matches!(self, Self::Selected | Self::LastStep | Self::Fixed)
    }
}

/// One row.
#[derive(Debug)]
pub struct Row {
    /// What it stands for.
    pub kind: RowKind,
    /// The method as the paper's Table 18 calls it, and what is not as usual: `MeZO (LoRA), no prompt`.
    pub method: String,
    /// The configuration's values by short name, as the spec wrote them. A row of selected ones has those
    /// that all its cells share.
    pub settings: Vec<(String, String)>,
    /// The names of the settings that its search varies. In a row of selected ones each seed has its own.
    pub searched: Vec<String>,
    /// The seeds that have numbers.
    pub seeds: Vec<u64>,
    /// Dev accuracy at the best step, in percent: what was chosen by.
    pub dev_accuracy: Option<Spread>,
    /// Test scores at the best step on dev; none in a row of last steps.
    pub best: Measured,
    /// Test scores at the last step.
    pub last: Measured,
    /// Test accuracy minus zero-shot's, in points: at the best step, in a row of last steps at that.
    pub accuracy_gain: Option<Gain>,
    /// Test cross-entropy minus zero-shot's, likewise; below zero is better.
    pub cross_entropy_gain: Option<Gain>,
    /// Whether there were no test rows to measure on.
    pub dev_only: bool,
    /// The share of steps whose every estimate is exactly zero; none where there is no such step.
    pub zero_estimates: Option<f64>,
    /// The paper's accuracy.
    pub paper: Option<Published>,
    /// In what the row's search is not the paper's; empty for the paper's own.
    pub partial_grid: Vec<String>,
    /// Which configuration each seed selected; for a row of selected ones only.
    pub chosen: Vec<Choice>,
}

/// The configuration one seed selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The seed.
    pub seed: u64,
    /// The configuration in words, with all that the search varies: `lr 1e-4, eps 1e-3, batch 16`.
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
    /// Whether its numbers depend on no seed: untrained, and no random head.
    pub(crate) fn is_seedless(&self) -> bool {
        self.kind == RowKind::ZeroShot && self.seeds.is_empty()
    }

    /// The text of one setting, by its short name.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
    }

    /// The text of one setting, or what stands for it: each seed has its own, or there is `nothing`.
    pub(crate) fn setting_or<'a>(&'a self, name: &str, nothing: &'a str) -> &'a str {
        let selected = matches!(self.kind, RowKind::Selected | RowKind::LastStep);
        let per_seed = selected && self.searched.iter().any(|known| known == name);
        let missing = if per_seed { "per seed" } else { nothing };
        self.setting(name).unwrap_or(missing)
    }

    /// Whether the row's search is the paper's, in the words of CSV and JSON.
    pub fn grid_word(&self) -> &'static str {
        match (self.kind, self.partial_grid.is_empty()) {
            (RowKind::ZeroShot, _) => "",
            (_, true) => "the paper's grid",
            (_, false) => "partial grid",
        }
    }

    /// The accuracy that the row is about, in percent: at the best step, in a row of last steps at that.
    pub fn accuracy(&self) -> Option<Spread> {
        match self.kind {
            RowKind::LastStep => self.last.accuracy,
            _ => self.best.accuracy,
        }
    }

    /// That accuracy minus the paper's, in points.
    pub fn difference(&self) -> Option<f64> {
        Some(self.accuracy()?.mean - self.paper?.mean)
    }
}

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
