//! What stands under the results table.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol;
use crate::run_record::{RunRecord, Status};
use crate::slope_rows::{SlopeRow, cell_sentence, slope_names};
use crate::sources;
use crate::sweep_runs::SweepRuns;
use crate::table::{Row, RowKind};
use crate::varied::{Named, varied};

/// What made data are.
pub(crate) const MADE_DATA: &str =
    "made, not found: the task's sentences come from this project's own grammar";

/// The notes in the order in which they are read.
pub(crate) fn notes(runs: &SweepRuns, rows: &[Row], slopes: &[SlopeRow]) -> Vec<String> {
    let mut notes = Vec::new();
    if runs.made_data() {
        notes.push(MADE_DATA.to_owned());
    }
    notes.push(reading(rows));
    notes.extend(alike(rows));
    notes.extend(seeds(rows));
    notes.extend(repeated(runs));
    notes.extend(grids(rows));
    notes.extend(choices(rows));
    notes.extend(dev_only(rows.iter()));
    notes.extend(zero_estimates(rows));
    notes.extend(protocol::sentences(runs));
    notes.push(versions(runs));
    notes.extend(states(runs));
    notes.extend(faults(runs));
    notes.extend(loss_slopes(slopes));
    notes
}

fn reading(rows: &[Row]) -> String {
    let mut text =
        "accuracy in percent and cross-entropy on the test set, mean (standard deviation over \
                    seeds, ddof 0), at the step with the best dev accuracy and at the last step"
            .to_owned();
    if rows.iter().any(|row| row.accuracy_gain.is_some()) {
        text.push_str(
            "; gain: at best dev (in a row of last steps, there) minus zero-shot, with (the mean's standard error, ddof 1; the mean in \
             standard errors); a cross-entropy gain below zero is better",
        );
    }
    text
}

/// By what rows differ whose configurations are the same.
fn alike(rows: &[Row]) -> Option<String> {
    let told = |name: &str| {
        let texts: BTreeSet<&str> = rows.iter().filter_map(|row| row.setting(name)).collect();
        let texts: Vec<&str> = texts.into_iter().collect();
        (!texts.is_empty()).then(|| format!("{} {}", name.replace('_', " "), texts.join(", ")))
    };
    let told: Vec<String> = sources::NAMES.into_iter().filter_map(told).collect();
    (!told.is_empty()).then(|| {
        format!(
            "some rows have the same configuration and differ only in what was read, by the first digits \
             of its SHA-256: {}",
            told.join("; ")
        )
    })
}

/// Seeds with more than one run in a cell.
fn repeated(runs: &SweepRuns) -> Vec<String> {
    let mut notes = Vec::new();
    for (cell, members) in runs.cells() {
        for same in members.chunk_by(|a, b| a.seed() == b.seed()) {
            let [first, _, ..] = same else {
                continue;
            };
            let seed = first.seed().map(|seed| format!(", seed {seed}"));
            let ids: Vec<&str> = same.iter().map(|run| run.id.as_str()).collect();
            notes.push(format!(
                "{}{}: {} runs of the same cell ({}); the first that ended counts",
                cell.short_name(),
                seed.unwrap_or_default(),
                same.len(),
                ids.join(", ")
            ));
        }
    }
    notes
}

/// The seeds, once where all rows have the same.
fn seeds(rows: &[Row]) -> Option<String> {
    let lists: BTreeSet<&Vec<u64>> = rows
        .iter()
        .filter(|row| row.kind != RowKind::ZeroShot)
        .map(|row| &row.seeds)
        .collect();
    let all: BTreeSet<u64> = lists
        .iter()
        .flat_map(|seeds| seeds.iter().copied())
        .collect();
    let text = all
        .iter()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let what = if all.len() == 1 { "seed" } else { "seeds" };
    match (all.len(), lists.len()) {
        (0, _) => None,
        (count, 1) => Some(format!("{count} {what}: {text}")),
        (count, _) => Some(format!(
            "{count} {what}: {text}; not every row has all of them"
        )),
    }
}

/// What each search has that the paper's has not, or the other way round.
fn grids(rows: &[Row]) -> Vec<String> {
    let mut notes = Vec::new();
    let searches = [RowKind::ZeroShot, RowKind::Selected];
    for row in rows.iter().filter(|row| searches.contains(&row.kind)) {
        let differences = row.partial_grid.join("; ");
        let note = match (row.kind, row.partial_grid.is_empty()) {
            // Without a number of the paper's beside it there is nothing to tell it apart from.
            (RowKind::ZeroShot, same) if same || row.paper.is_none() => continue,
            (RowKind::ZeroShot, _) => format!("zero-shot, not the paper's: {differences}"),
            (_, true) => format!("{}: the paper's grid and seeds", row.method),
            (_, false) => format!("{}, partial grid: {differences}", row.method),
        };
        // Zero-shot rows of several k differ in nothing that this note says.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    if rows.iter().any(|row| row.paper.is_some()) {
        notes.push(
            "paper: RoBERTa-large, arXiv 2305.17333v3, Table 18; it is selected per seed over the whole \
             grid, so that only the row selected as published stands beside it like for like"
                .to_owned(),
        );
    }
    notes
}

/// Which configuration each seed selected, and what the rows beside that are.
fn choices(rows: &[Row]) -> Vec<String> {
    let selected = rows
        .iter()
        .filter(|row| row.kind == RowKind::Selected && !row.chosen.is_empty());
    let words = |row: &Row| {
        let seeds: Vec<String> = row
            .chosen
            .iter()
            .map(|choice| format!("seed {}: {}", choice.seed, choice.cell))
            .collect();
        format!(
            "{}, selected as published (per seed the configuration with the best dev accuracy): {}",
            row.method,
            seeds.join("; ")
        )
    };
    let mut notes: Vec<String> = selected.map(words).collect();
    let any = |kind: RowKind| rows.iter().any(|row| row.kind == kind);
    if any(RowKind::LastStep) {
        notes.push(
            "selected, last step: the same runs where their training ended, no step chosen"
                .to_owned(),
        );
    }
    if any(RowKind::Fixed) {
        notes.push(
            "best fixed configuration: the one with the best mean dev accuracy, for all seeds"
                .to_owned(),
        );
    }
    notes
}

/// Where there is nothing to measure on.
pub(crate) fn dev_only<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<String> {
    let without: BTreeSet<String> = rows
        .filter(|row| row.dev_only)
        .filter_map(|row| {
            Some(format!(
                "{} (k {})",
                row.setting("task")?,
                row.setting("k")?
            ))
        })
        .collect();
    (!without.is_empty()).then(|| {
        let tasks: Vec<String> = without.into_iter().collect();
        format!(
            "no test rows in the data of {}: dev chose, and there is no test score to report",
            tasks.join(", ")
        )
    })
}

/// An estimate of exactly zero moves nothing: how often a cell had one.
fn zero_estimates(rows: &[Row]) -> Vec<String> {
    let cells: Vec<&Row> = rows
        .iter()
        .filter(|row| row.kind == RowKind::Cell)
        .collect();
    let named: Vec<Named<'_>> = cells
        .iter()
        .map(|row| (row.method.as_str(), row.settings.as_slice()))
        .collect();
    let varied = varied(&named);
    let sentence = |row: &&Row| {
        let share = 100.0 * row.zero_estimates?;
        let settings = varied
            .iter()
            .filter_map(|name| Some(format!("{} {}", name.replace('_', " "), row.setting(name)?)));
        let mut words = vec![row.method.clone()];
        words.extend(settings);
        Some(format!(
            "{}: an estimate of exactly 0 in {} % of the steps",
            words.join(", "),
            percent(share)
        ))
    };
    cells.iter().filter_map(sentence).collect()
}

/// A share that is above zero is never written as zero.
fn percent(share: f64) -> String {
    match share {
        share if share < 0.01 => "less than 0.01".to_owned(),
        share if share < 1.0 => format!("{share:.2}"),
        share => format!("{share:.1}"),
    }
}

fn versions(runs: &SweepRuns) -> String {
    let distinct = |value: fn(&crate::Manifest) -> String| {
        let values: BTreeSet<String> = runs
            .manifests()
            .map(value)
            .filter(|text| !text.is_empty())
            .collect();
        values.into_iter().collect::<Vec<_>>().join(", ")
    };
    let precision = distinct(|manifest| manifest.precision.clone());
    let version = distinct(|manifest| manifest.versions.get("mezo").cloned().unwrap_or_default());
    format!("precision {precision}, mezo {version}")
}

/// How many runs have no result, and how many diverged.
pub(crate) fn states(runs: &SweepRuns) -> Vec<String> {
    let count = runs.count();
    let of = |status: Status| count.get(&status).copied().unwrap_or(0);
    let all = runs.runs.len();
    let mut notes = Vec::new();
    let waiting = [Status::Started, Status::Planned, Status::Broken];
    let outstanding: usize = waiting.into_iter().map(of).sum();
    if outstanding > 0 {
        let parts: Vec<String> = waiting
            .into_iter()
            .filter(|status| of(*status) > 0)
            .map(|status| format!("{} {}", of(status), status.word()))
            .collect();
        notes.push(format!(
            "{outstanding} of {all} runs not finished: {}",
            parts.join(", ")
        ));
    }
    let diverged = of(Status::Diverged);
    if diverged > 0 {
        notes.push(format!(
            "{diverged} of {all} runs diverged (a loss was not finite); their best step before that counts, \
             a last step they have none"
        ));
    }
    notes
}

/// The files that could not be used.
pub(crate) fn faults(runs: &SweepRuns) -> Vec<String> {
    let words = |run: &RunRecord| {
        let faults: Vec<String> = run.faults.iter().map(ToString::to_string).collect();
        format!("run {}: {}", run.id, faults.join("; "))
    };
    runs.runs
        .iter()
        .filter(|run| !run.faults.is_empty())
        .map(words)
        .collect()
}

/// A sentence a cell, by the settings in which cells differ and by learning rate and epsilon.
fn loss_slopes(slopes: &[SlopeRow]) -> Vec<String> {
    let names = slope_names(slopes);
    let mut order: Vec<&String> = Vec::new();
    let mut cells: BTreeMap<&String, Vec<&SlopeRow>> = BTreeMap::new();
    for (row, name) in slopes.iter().zip(&names) {
        let members = cells.entry(name).or_default();
        if members.is_empty() {
            order.push(name);
        }
        members.push(row);
    }
    order
        .iter()
        .filter_map(|name| cell_sentence(name, cells.get(name)?))
        .map(|sentence| format!("training loss, {sentence}"))
        .collect()
}
