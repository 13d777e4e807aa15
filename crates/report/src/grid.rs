//! What differs between a search and the paper's: a partial grid is never called a reproduction.

use std::collections::BTreeSet;

use crate::digits::{number_text, thousands};
use crate::manifest::{Manifest, TrainConfig};
use crate::paper;
use crate::sweep_runs::RunRecord;

/// Everything in which the runs of one search (one model, task, method and tuning) are not the
/// paper's. Empty: the paper's grid.
pub(crate) fn differences(runs: &[&RunRecord]) -> Vec<String> {
    let Some(manifest) = runs.first().and_then(|run| run.manifest()) else {
        return Vec::new();
    };
    let mut differences = setting_differences(manifest);
    if manifest.config.train.is_some() {
        differences.extend(search_differences(manifest, runs));
    }
    differences
}

/// Model, task and prompt.
fn setting_differences(manifest: &Manifest) -> Vec<String> {
    let config = &manifest.config;
    let task = &config.task;
    let mut differences = Vec::new();
    if config.model.name() != paper::MODEL {
        differences.push(format!(
            "model {} (paper: {})",
            config.model.name(),
            paper::MODEL
        ));
    }
    let Some((template, words)) = paper::prompt(&task.name) else {
        differences.push(format!("task {} (not in the paper's Table 18)", task.name));
        return differences;
    };
    if task.name == "sst-2" {
        differences.push("the 6,920 sentences of SST-2 (paper: GLUE's phrases)".to_owned());
    }
    if config.train.is_some() && !matches!(task.k, 16 | 512) {
        differences.push(format!("k {} (paper: 16, 512)", task.k));
    }
    if !task.template.is_empty() && task.template != template {
        differences.push(format!("template {} (paper: {template})", task.template));
    }
    let ours: Vec<&str> = task.label_words.values().map(String::as_str).collect();
    if !ours.is_empty() && ours != words {
        differences.push(format!(
            "label words {} (paper: {})",
            ours.join(", "),
            words.join(", ")
        ));
    }
    if task.test_cap != Some(paper::TEST_CAP) {
        let cap = task.test_cap.map_or("none".to_owned(), thousands);
        differences.push(format!(
            "test cap {cap} (paper: {})",
            thousands(paper::TEST_CAP)
        ));
    }
    differences
}

/// The values searched, the seeds, and whether all of it was done.
fn search_differences(manifest: &Manifest, runs: &[&RunRecord]) -> Vec<String> {
    let method = &manifest.config.method;
    let mut differences = Vec::new();
    if let Some(grid) = paper::grid(&method.name, method.tuning.as_deref()) {
        let mut compare = |name: &str, ours: Vec<String>, papers: Vec<String>| {
            if ours != papers {
                differences.push(format!(
                    "{name} {} (paper: {})",
                    ours.join(", "),
                    papers.join(", ")
                ));
            }
        };
        let texts = |numbers: &[f64]| numbers.iter().copied().map(number_text).collect();
        compare("lr", numbers(runs, |train| Some(train.lr)), texts(&grid.lr));
        compare("eps", numbers(runs, |train| train.eps), texts(&[grid.eps]));
        compare(
            "weight decay",
            numbers(runs, |train| Some(train.weight_decay)),
            texts(&[grid.weight_decay]),
        );
        compare(
            "batch",
            counts(runs, |train| train.batch_size),
            vec![thousands(grid.batch_size)],
        );
        compare(
            "steps",
            counts(runs, |train| train.steps),
            vec![thousands(grid.steps)],
        );
        let ours = method.lora.map(|lora| (lora.r, lora.alpha));
        if let (Some((r, alpha)), true) = (ours, ours != grid.lora) {
            differences.push(format!("LoRA r {r}, alpha {alpha} (paper: 8, 16)"));
        }
    } else {
        differences.push(format!("the grid of {} is not known here", method.name));
    }
    let seeds: BTreeSet<u64> = runs.iter().filter_map(|run| run.seed()).collect();
    if !seeds.iter().eq(&paper::SEEDS) {
        let text = |seeds: &mut dyn Iterator<Item = &u64>| {
            seeds.map(u64::to_string).collect::<Vec<_>>().join(", ")
        };
        let ours = text(&mut seeds.iter());
        differences.push(format!(
            "seeds {ours} (paper: {})",
            text(&mut paper::SEEDS.iter())
        ));
    }
    differences.extend(unfinished(runs, seeds.len()));
    differences
}

fn unfinished(runs: &[&RunRecord], seeds: usize) -> Option<String> {
    let cells: BTreeSet<_> = runs.iter().filter_map(|run| run.cell()).collect();
    let expected = cells.len() * seeds;
    let ended: BTreeSet<_> = runs
        .iter()
        .filter(|run| run.ended())
        .map(|run| (run.cell(), run.seed()))
        .collect();
    let ended = ended.len();
    (ended < expected).then(|| format!("{} of {expected} runs not finished", expected - ended))
}

fn trains<'a>(runs: &'a [&RunRecord]) -> impl Iterator<Item = &'a TrainConfig> {
    runs.iter()
        .filter_map(|run| run.manifest()?.config.train.as_ref())
}

/// The distinct values of a number, rising.
fn numbers(runs: &[&RunRecord], value: impl Fn(&TrainConfig) -> Option<f64>) -> Vec<String> {
    // Hyperparameters are not negative: their bits stand in their order.
    let values: BTreeSet<u64> = trains(runs)
        .filter_map(|train| value(train).map(f64::to_bits))
        .collect();
    values
        .into_iter()
        .map(|bits| number_text(f64::from_bits(bits)))
        .collect()
}

fn counts(runs: &[&RunRecord], value: impl Fn(&TrainConfig) -> u64) -> Vec<String> {
    let values: BTreeSet<u64> = trains(runs).map(value).collect();
    values.into_iter().map(thousands).collect()
}
