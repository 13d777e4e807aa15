//! What stands under the results table.

use mezo_run::Manifest;
use mezo_spec::TaskSpec;
use std::collections::{BTreeMap, BTreeSet};

use crate::protocol;
use crate::rows::{Row, RowKind};
use crate::run_record::{RunRecord, Status};
use crate::search_notes;
use crate::slope_rows::{SlopeRow, cell_sentence, slope_names, verdicts};
use crate::sources;
use crate::sweep_runs::SweepRuns;
use crate::varied::{Named, setting_words, varied};

/// What made data are.
pub(crate) const MADE_DATA: &str =
    "made, not found: the task's sentences come from this project's own grammar";

/// Sentences about single cells are told for so many, and counted where there are more.
const MOST_CELLS: usize = 8;

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
    notes.extend(search_notes::grids(rows));
    notes.extend(search_notes::choices(rows));
    notes.extend(dev_only(rows.iter()));
    notes.extend(unconverged(runs));
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

/// Where linear probing stopped before it had converged: its numbers are of wherever it was.
pub(crate) fn unconverged(runs: &SweepRuns) -> Option<String> {
    let probe = |run: &RunRecord| run.result.as_ref()?.probe;
    let probed = runs.runs.iter().filter(|run| probe(run).is_some());
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut count = 0;
    for run in &runs.runs {
        let (Some(manifest), Some(cell)) = (run.manifest(), run.cell()) else {
            continue;
        };
        if probe(run).is_none_or(|probe| probe.converged) {
            continue;
        }
        count += 1;
        let task = manifest.config.text(&TaskSpec::NAME).unwrap_or_default();
        let k = manifest.config.whole(&TaskSpec::K).unwrap_or_default();
        let who = format!("{} on {task} (k {k})", cell.method);
        let seed = run.seed().map(|seed| format!("seed {seed}"));
        match found.last_mut().filter(|(known, _)| *known == who) {
            Some((_, seeds)) => seeds.extend(seed),
            None => found.push((who, seed.into_iter().collect())),
        }
    }
    let found: Vec<String> = found
        .into_iter()
        .map(|(who, seeds)| format!("{who}, {}", seeds.join(", ")))
        .collect();
    (count > 0).then(|| {
        format!(
            "the fit of linear probing did not converge in {count} of {} runs: {}",
            probed.count(),
            found.join("; ")
        )
    })
}

/// A step whose every estimate is exactly zero moves nothing: how often a cell had one.
fn zero_estimates(rows: &[Row]) -> Vec<String> {
    let cells: Vec<&Row> = rows
        .iter()
        .filter(|row| row.kind == RowKind::Cell)
        .collect();
    let shares: Vec<(&Row, f64)> = cells
        .iter()
        .filter_map(|row| Some((*row, 100.0 * row.zero_estimates?)))
        .collect();
    if shares.len() > MOST_CELLS {
        let order = |share: &(&Row, f64)| share.1;
        let least = shares.iter().map(order).fold(f64::INFINITY, f64::min);
        let most = shares.iter().map(order).fold(0.0, f64::max);
        return vec![format!(
            "every estimate exactly 0 in {} to {} % of the steps in {} of {} cells; each in the table's CSV",
            percent(least),
            percent(most),
            shares.len(),
            cells.len()
        )];
    }
    let named: Vec<Named<'_>> = cells
        .iter()
        .map(|row| (row.method.as_str(), row.settings.as_slice()))
        .collect();
    let varied = varied(&named);
    let sentence = |(row, share): &(&Row, f64)| {
        let settings = varied
            .iter()
            .filter_map(|name| Some(setting_words(name, row.setting(name)?)));
        let mut words = vec![row.method.clone()];
        words.extend(settings);
        format!(
            "{}: every estimate exactly 0 in {} % of the steps",
            words.join(", "),
            percent(*share)
        )
    };
    shares.iter().map(sentence).collect()
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
    let distinct = |value: fn(&Manifest) -> String| {
        let values: BTreeSet<String> = runs
            .manifests()
            .map(value)
            .filter(|text| !text.is_empty())
            .collect();
        values.into_iter().collect::<Vec<_>>().join(", ")
    };
    let precision = distinct(|manifest| manifest.precision.clone());
    let version = distinct(|manifest| manifest.versions.get("mezo").cloned().unwrap_or_default());
    let earlier = runs
        .manifests()
        .filter(|manifest| manifest.is_earlier())
        .count();
    let all = runs.manifests().count();
    let marked = match earlier {
        1.. if earlier < all => format!(", {earlier} of {all} runs by an earlier version"),
        _ => String::new(),
    };
    format!("precision {precision}, mezo {version}{marked}")
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

/// A sentence a cell, by the settings in which cells differ and by learning rate and epsilon; one for all where
/// there are many.
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
    if order.len() > MOST_CELLS {
        return vec![format!(
            "training loss of {} cells: {}; each run in the report's slopes.md",
            order.len(),
            verdicts(slopes)
        )];
    }
    order
        .iter()
        .filter_map(|name| cell_sentence(name, cells.get(name)?))
        .map(|sentence| format!("training loss, {sentence}"))
        .collect()
}
