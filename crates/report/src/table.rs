//! The results table: a row a cell, and for every search what is reported of it.

use crate::notes;
use crate::paper::Published;
use crate::rows::{Baselines, cell_rows, choice_rows};
use crate::searches::{heading, searches};
use crate::slope_rows::{SlopeRow, slope_rows};
use crate::statistics::{Gain, Spread};
use crate::sweep_runs::SweepRuns;

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

/// The results table of a sweep.
pub fn table(runs: &SweepRuns) -> Table {
    let searches = searches(runs);
    let baselines = Baselines::of(runs);
    let mut rows = Vec::new();
    for search in &searches {
        rows.extend(cell_rows(search, &baselines));
        rows.extend(choice_rows(search, &baselines));
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
