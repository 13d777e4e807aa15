//! What stands under the results table.

use std::collections::{BTreeMap, BTreeSet};

use crate::slope_rows::{SlopeRow, cell_sentence};
use crate::sources;
use crate::sweep_runs::{RunRecord, Status, SweepRuns};
use crate::table::{Row, RowKind};

/// The notes in the order in which they are read.
pub(crate) fn notes(runs: &SweepRuns, rows: &[Row], slopes: &[SlopeRow]) -> Vec<String> {
    let mut notes = Vec::new();
    if runs.made_data() {
        notes.push(
            "made, not found: the task's sentences come from this project's own grammar".to_owned(),
        );
    }
    notes.push(reading(rows));
    notes.extend(alike(rows));
    notes.extend(seeds(rows));
    notes.extend(repeated(runs));
    notes.extend(grids(rows));
    notes.extend(choices(rows));
    notes.push(rules(runs));
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
            "; gain: at best dev minus zero-shot, with (the mean's standard error, ddof 1; the mean in \
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
    for row in rows.iter().filter(|row| row.kind != RowKind::Cell) {
        let differences = row.partial_grid.join("; ");
        let note = match (row.kind, row.partial_grid.is_empty()) {
            // Without a number of the paper's beside it there is nothing to tell it apart from.
            (RowKind::ZeroShot, same) if same || row.paper.is_none() => continue,
            (RowKind::ZeroShot, _) => format!("zero-shot, not the paper's: {differences}"),
            (_, true) => format!("{}: the paper's grid and seeds", search_name(row)),
            (_, false) => format!("{}, partial grid: {differences}", search_name(row)),
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

fn search_name(row: &Row) -> String {
    let method = row.setting("method").unwrap_or("");
    match row.setting("tuning") {
        Some(tuning) => format!("{method} ({tuning})"),
        None => method.to_owned(),
    }
}

/// Which configuration each seed selected.
fn choices(rows: &[Row]) -> Vec<String> {
    let selected = rows.iter().filter(|row| !row.chosen.is_empty());
    let words = |row: &Row| {
        let seeds: Vec<String> = row
            .chosen
            .iter()
            .map(|choice| format!("seed {}: {}", choice.seed, choice.cell))
            .collect();
        format!(
            "{}, selected as published (per seed the configuration with the best dev accuracy): {}",
            search_name(row),
            seeds.join("; ")
        )
    };
    selected.map(words).collect()
}

fn rules(runs: &SweepRuns) -> String {
    let distinct = |value: fn(&crate::Manifest) -> String| {
        let values: BTreeSet<String> = runs
            .manifests()
            .map(value)
            .filter(|text| !text.is_empty())
            .collect();
        values.into_iter().collect::<Vec<_>>().join(", ")
    };
    let protocol = distinct(|manifest| manifest.protocol.clone());
    let precision = distinct(|manifest| manifest.precision.clone());
    let version = distinct(|manifest| manifest.versions.get("mezo").cloned().unwrap_or_default());
    format!("protocol {protocol}, precision {precision}, mezo {version}")
}

/// How many runs have no result, and how many diverged.
fn states(runs: &SweepRuns) -> Vec<String> {
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
fn faults(runs: &SweepRuns) -> Vec<String> {
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

/// A sentence a cell. Cells that share learning rate and epsilon but differ otherwise stand together
/// under the settings in which they differ.
fn loss_slopes(slopes: &[SlopeRow]) -> Vec<String> {
    let varied = varied_settings(slopes);
    let mut order: Vec<String> = Vec::new();
    let mut cells: BTreeMap<String, Vec<&SlopeRow>> = BTreeMap::new();
    for row in slopes {
        let others = row
            .settings
            .iter()
            .filter(|(name, _)| varied.contains(name.as_str()));
        let mut words: Vec<String> = others
            .map(|(name, text)| format!("{name} {text}"))
            .collect();
        words.push(row.cell.clone());
        let name = words.join(", ");
        let members = cells.entry(name.clone()).or_default();
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

/// The settings, beside learning rate and epsilon, that are not the same for all runs.
fn varied_settings(slopes: &[SlopeRow]) -> BTreeSet<&str> {
    let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, text) in slopes.iter().flat_map(|row| &row.settings) {
        values.entry(name).or_default().insert(text);
    }
    values
        .into_iter()
        .filter(|(name, texts)| texts.len() > 1 && !matches!(*name, "lr" | "eps"))
        .map(|(name, _)| name)
        .collect()
}
