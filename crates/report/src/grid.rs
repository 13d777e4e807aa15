//! What differs between a search and the paper's: a partial grid is never called a reproduction.

use std::collections::BTreeSet;

use crate::digits::{number_text, thousands};
use crate::manifest::{Manifest, TrainConfig};
use crate::paper;
use crate::paper_grid::{self, Grid};
use crate::run_record::RunRecord;

/// The settings that every run of a search has alike, and that are among its [`differences`] where the paper
/// has a grid for its method.
const TOLD: [&str; 10] = [
    "steps",
    "eval_every",
    "schedule",
    "warmup",
    "dropout",
    "clip",
    "lora_r",
    "lora_alpha",
    "prefix_tokens",
    "prefix_init",
];

/// Whether a setting that is not the paper's is among the differences of a search of this method.
pub(crate) fn tells(method: &str, k: u64, setting: &str) -> bool {
    TOLD.contains(&setting) && paper_grid::grid(method, k).is_some()
}

/// Everything in which the runs of one search are not the paper's. Empty: the paper's grid.
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
    if let Some(cut) = task.cut.as_deref().filter(|cut| *cut != "tail") {
        differences.push(format!("long prompts lose {cut} (paper: their tail)"));
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
    let label = manifest.method_label();
    let mut differences = Vec::new();
    match paper_grid::grid(&label, manifest.config.task.k) {
        Some(grid) => {
            differences.extend(value_differences(&grid, runs));
            differences.extend(course_differences(&grid, runs));
            differences.extend(shape_differences(&grid, manifest));
            differences.extend(combinations(runs));
        }
        None => differences.push(format!("{label} (not in the paper's Table 15)")),
    }
    let seeds: BTreeSet<u64> = runs.iter().filter_map(|run| run.seed()).collect();
    let texts = |seeds: &mut dyn Iterator<Item = &u64>| seeds.map(u64::to_string).collect();
    differences.extend(difference(
        "seeds",
        texts(&mut seeds.iter()),
        texts(&mut paper::SEEDS.iter()),
    ));
    differences.extend(unfinished(runs, seeds.len()));
    differences
}

fn difference(name: &str, ours: Vec<String>, papers: Vec<String>) -> Option<String> {
    let list = |texts: &[String]| match texts {
        [] => "none".to_owned(),
        texts => texts.join(", "),
    };
    (ours != papers).then(|| format!("{name} {} (paper: {})", list(&ours), list(&papers)))
}

/// The values that were searched.
fn value_differences(grid: &Grid, runs: &[&RunRecord]) -> Vec<String> {
    let texts = |values: &[f64]| values.iter().copied().map(number_text).collect();
    let whole = |values: &[u64]| values.iter().copied().map(thousands).collect();
    let decay = |papers: f64| {
        let ours = numbers(runs, |train| Some(train.weight_decay.unwrap_or(0.0)));
        difference("weight decay", ours, texts(&[papers]))
    };
    let eps: Vec<f64> = grid.eps.into_iter().collect();
    let steps: Vec<u64> = grid.steps.into_iter().collect();
    let differences = [
        difference("lr", numbers(runs, |train| train.lr), texts(grid.lr)),
        difference("eps", numbers(runs, |train| train.eps), texts(&eps)),
        grid.weight_decay.and_then(decay),
        difference(
            "batch",
            counts(runs, |train| train.batch_size),
            whole(grid.batch_size),
        ),
        difference("steps", counts(runs, |train| train.steps), whole(&steps)),
    ];
    differences.into_iter().flatten().collect()
}

/// The course of a run: learning rate, evaluations, and what else acts on every step.
fn course_differences(grid: &Grid, runs: &[&RunRecord]) -> Vec<String> {
    if grid.steps.is_none() {
        return Vec::new();
    }
    let schedules: BTreeSet<&str> = trains(runs)
        .map(|train| train.schedule.as_deref().unwrap_or("constant"))
        .collect();
    let schedules = schedules.into_iter().map(str::to_owned).collect();
    let course = [
        difference("schedule", schedules, vec![grid.schedule().to_owned()]),
        difference(
            "warm-up",
            counts(runs, |train| Some(train.warmup.unwrap_or(0))),
            vec!["0".to_owned()],
        ),
        evaluations(runs),
    ];
    let mut differences: Vec<String> = course.into_iter().flatten().collect();
    // Backpropagation's own, as the public code has them (`medium_models/finetune.sh`).
    for (name, value, papers) in [
        ("dropout", numbers(runs, |train| train.dropout), "0.1"),
        ("clip", numbers(runs, |train| train.clip), "1"),
    ] {
        if !value.is_empty() {
            differences.extend(difference(name, value, vec![papers.to_owned()]));
        }
    }
    differences
}

/// Whoever evaluates more often has more to choose from.
fn evaluations(runs: &[&RunRecord]) -> Option<String> {
    let published = |train: &TrainConfig| {
        let (Some(steps), Some(every)) = (train.steps, train.eval_every) else {
            return true;
        };
        every.saturating_mul(10) == steps
    };
    let every = counts(runs, |train| train.eval_every).join(", ");
    (!trains(runs).all(published))
        .then(|| format!("evaluation every {every} steps (paper: every tenth of the steps)"))
}

/// The shape of what is trained beside the model, which a search does not vary.
fn shape_differences(grid: &Grid, manifest: &Manifest) -> Vec<String> {
    let method = &manifest.config.method;
    let mut differences = Vec::new();
    let ours = method.lora.map(|lora| (lora.r, lora.alpha));
    if let (Some((r, alpha)), true) = (ours, ours != grid.lora) {
        differences.push(format!("LoRA r {r}, alpha {alpha} (paper: 8, 16)"));
    }
    if let (Some(prefix), Some(papers)) = (&method.prefix, grid.prefix) {
        let tokens = prefix.tokens.unwrap_or(papers);
        if tokens != papers {
            differences.push(format!("prefix of {tokens} tokens (paper: {papers})"));
        }
        if let Some(init) = prefix.init.as_deref().filter(|init| *init != "activations") {
            differences.push(format!("{init} prefix (paper: activations)"));
        }
    }
    differences
}

/// Whether every value of one hyperparameter was tried with every value of the others.
fn combinations(runs: &[&RunRecord]) -> Option<String> {
    let bits = |value: Option<f64>| value.unwrap_or(0.0).to_bits();
    let tried: BTreeSet<[u64; 4]> = trains(runs)
        .map(|train| {
            [
                bits(train.lr),
                bits(train.eps),
                bits(train.weight_decay),
                train.batch_size.unwrap_or(0),
            ]
        })
        .collect();
    let distinct = |place: usize| {
        let values: BTreeSet<u64> = tried.iter().map(|values| values[place]).collect();
        values.len()
    };
    let all: usize = (0..4).map(distinct).product();
    (tried.len() < all).then(|| format!("{} of {all} combinations of these", tried.len()))
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

fn counts(runs: &[&RunRecord], value: impl Fn(&TrainConfig) -> Option<u64>) -> Vec<String> {
    let values: BTreeSet<u64> = trains(runs).filter_map(value).collect();
    values.into_iter().map(thousands).collect()
}
