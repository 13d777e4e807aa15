//! What differs between a search and the paper's: a partial grid is never called a reproduction.

use std::collections::BTreeSet;

use mezo_run::Manifest;
use mezo_spec::{
    FineTune, Key, Lora, Mezo, Prefix, Role, TUNING, TaskSpec, Training, Value, Values,
};

use crate::digits::{number_text, thousands};
use crate::method;
use crate::paper;
use crate::paper_grid::{self, Grid};
use crate::run_record::RunRecord;
use crate::settings::{model_name, role};

/// Whether a setting that is not the paper's is among the differences of a search of this method.
pub(crate) fn tells(method: &str, k: u64, setting: &str) -> bool {
    role(setting) == Role::Course && paper_grid::grid(method, k).is_some()
}

/// Everything in which the runs of one search are not the paper's. Empty: the paper's grid.
pub(crate) fn differences(runs: &[&RunRecord]) -> Vec<String> {
    let Some(manifest) = runs.first().and_then(|run| run.manifest()) else {
        return Vec::new();
    };
    let mut differences = setting_differences(manifest);
    if is_trained(manifest) {
        differences.extend(search_differences(manifest, runs));
    }
    differences
}

/// Model, task and prompt.
fn setting_differences(manifest: &Manifest) -> Vec<String> {
    let config = &manifest.config;
    let mut differences = Vec::new();
    let model = model_name(manifest);
    if model != paper::MODEL {
        differences.push(format!("model {model} (paper: {})", paper::MODEL));
    }
    let task = config.text(&TaskSpec::NAME).unwrap_or_default();
    let Some((template, words)) = paper::prompt(task) else {
        differences.push(format!("task {task} (not in the paper's Table 18)"));
        return differences;
    };
    if task == "sst-2" {
        differences.push("the 6,920 sentences of SST-2 (paper: GLUE's phrases)".to_owned());
    }
    let k = config.whole(&TaskSpec::K).unwrap_or_default();
    if is_trained(manifest) && !matches!(k, 16 | 512) {
        differences.push(format!("k {k} (paper: 16, 512)"));
    }
    if let Some(cut) = config.text(&TaskSpec::CUT).filter(|cut| *cut != "tail") {
        differences.push(format!("long prompts lose {cut} (paper: their tail)"));
    }
    let ours = config.text(&TaskSpec::TEMPLATE).unwrap_or_default();
    if !ours.is_empty() && ours != template {
        differences.push(format!("template {ours} (paper: {template})"));
    }
    let ours = label_words(config);
    if !ours.is_empty() && ours != words {
        differences.push(format!(
            "label words {} (paper: {})",
            ours.join(", "),
            words.join(", ")
        ));
    }
    let cap = config.whole(&TaskSpec::TEST_CAP);
    if cap != Some(paper::TEST_CAP) {
        let cap = cap.map_or("none".to_owned(), thousands);
        differences.push(format!(
            "test cap {cap} (paper: {})",
            thousands(paper::TEST_CAP)
        ));
    }
    differences
}

/// The values searched, the seeds, and whether all of it was done.
fn search_differences(manifest: &Manifest, runs: &[&RunRecord]) -> Vec<String> {
    let label = method::label(manifest);
    let k = manifest.config.whole(&TaskSpec::K).unwrap_or_default();
    let mut differences = Vec::new();
    match paper_grid::grid(&label, k) {
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
        let ours = numbers_or(runs, &Training::WEIGHT_DECAY, 0.0);
        difference("weight decay", ours, texts(&[papers]))
    };
    let eps: Vec<f64> = grid.eps.into_iter().collect();
    let steps: Vec<u64> = grid.steps.into_iter().collect();
    let differences = [
        difference("lr", numbers(runs, &Training::LR), texts(grid.lr)),
        difference("eps", numbers(runs, &Mezo::EPS), texts(&eps)),
        grid.weight_decay.and_then(decay),
        difference(
            "batch",
            counts(runs, &Training::BATCH_SIZE),
            whole(grid.batch_size),
        ),
        difference("steps", counts(runs, &Training::STEPS), whole(&steps)),
    ];
    differences.into_iter().flatten().collect()
}

/// The course of a run: learning rate, evaluations, and what else acts on every step.
fn course_differences(grid: &Grid, runs: &[&RunRecord]) -> Vec<String> {
    if grid.steps.is_none() {
        return Vec::new();
    }
    let schedules: BTreeSet<&str> = trains(runs)
        .map(|config| config.text(&Training::SCHEDULE).unwrap_or("constant"))
        .collect();
    let schedules = schedules.into_iter().map(str::to_owned).collect();
    let course = [
        difference("schedule", schedules, vec![grid.schedule().to_owned()]),
        difference("warm-up", warmups(runs), vec!["0".to_owned()]),
        evaluations(runs),
    ];
    let mut differences: Vec<String> = course.into_iter().flatten().collect();
    // Backpropagation's own, as the public code has them (`medium_models/finetune.sh`).
    for (name, value, papers) in [
        ("dropout", numbers(runs, &FineTune::DROPOUT), "0.1"),
        ("clip", numbers(runs, &FineTune::CLIP), "1"),
    ] {
        if !value.is_empty() {
            differences.extend(difference(name, value, vec![papers.to_owned()]));
        }
    }
    differences
}

/// Whoever evaluates more often has more to choose from.
fn evaluations(runs: &[&RunRecord]) -> Option<String> {
    let published = |config: &Values| {
        let steps = config.whole(&Training::STEPS);
        let (Some(steps), Some(every)) = (steps, config.whole(&Training::EVAL_EVERY)) else {
            return true;
        };
        every.saturating_mul(10) == steps
    };
    let every = counts(runs, &Training::EVAL_EVERY).join(", ");
    (!trains(runs).all(published))
        .then(|| format!("evaluation every {every} steps (paper: every tenth of the steps)"))
}

/// The shape of what is trained beside the model, which a search does not vary.
fn shape_differences(grid: &Grid, manifest: &Manifest) -> Vec<String> {
    let config = &manifest.config;
    let mut differences = Vec::new();
    let ours = config.whole(&Lora::R).zip(config.number(&Lora::ALPHA));
    if let (Some((r, alpha)), true) = (ours, ours != grid.lora) {
        differences.push(format!("LoRA r {r}, alpha {alpha} (paper: 8, 16)"));
    }
    if let (Some("prefix"), Some(papers)) = (config.text(&TUNING), grid.prefix) {
        let tokens = config.whole(&Prefix::TOKENS).unwrap_or(papers);
        if tokens != papers {
            differences.push(format!("prefix of {tokens} tokens (paper: {papers})"));
        }
        let init = config.text(&Prefix::INIT);
        if let Some(init) = init.filter(|init| *init != "activations") {
            differences.push(format!("{init} prefix (paper: activations)"));
        }
    }
    differences
}

/// Whether every value of one hyperparameter was tried with every value of the others.
fn combinations(runs: &[&RunRecord]) -> Option<String> {
    let bits = |value: Option<f64>| value.unwrap_or(0.0).to_bits();
    let tried: BTreeSet<[u64; 4]> = trains(runs)
        .map(|config| {
            [
                bits(config.number(&Training::LR)),
                bits(config.number(&Mezo::EPS)),
                bits(config.number(&Training::WEIGHT_DECAY)),
                config.whole(&Training::BATCH_SIZE).unwrap_or(0),
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

/// Whether the run trains anything; zero-shot runs do not.
fn is_trained(manifest: &Manifest) -> bool {
    manifest.config.get(&Training::SEED).is_some()
}

/// The label words in the order of the classes.
pub(crate) fn label_words(config: &Values) -> Vec<String> {
    let words = config.get(&TaskSpec::LABEL_WORDS);
    let words = words.and_then(std::collections::BTreeMap::<String, String>::from_literal);
    words.unwrap_or_default().into_values().collect()
}

fn trains<'a>(runs: &'a [&RunRecord]) -> impl Iterator<Item = &'a Values> {
    let manifests = runs.iter().filter_map(|run| run.manifest());
    manifests
        .filter(|manifest| is_trained(manifest))
        .map(|manifest| &manifest.config)
}

/// The distinct values of a number, rising.
fn numbers(runs: &[&RunRecord], key: &Key) -> Vec<String> {
    number_texts(trains(runs).filter_map(|config| config.number(key)))
}

/// The same where a run that has none has a usual one.
fn numbers_or(runs: &[&RunRecord], key: &Key, usual: f64) -> Vec<String> {
    number_texts(trains(runs).map(|config| config.number(key).unwrap_or(usual)))
}

fn number_texts(numbers: impl Iterator<Item = f64>) -> Vec<String> {
    // Hyperparameters are not negative: their bits stand in their order.
    let values: BTreeSet<u64> = numbers.map(f64::to_bits).collect();
    values
        .into_iter()
        .map(|bits| number_text(f64::from_bits(bits)))
        .collect()
}

fn counts(runs: &[&RunRecord], key: &Key) -> Vec<String> {
    let values: BTreeSet<u64> = trains(runs)
        .filter_map(|config| config.whole(key))
        .collect();
    values.into_iter().map(thousands).collect()
}

fn warmups(runs: &[&RunRecord]) -> Vec<String> {
    let warmup = |config: &Values| config.whole(&Training::WARMUP).unwrap_or(0);
    let values: BTreeSet<u64> = trains(runs).map(warmup).collect();
    values.into_iter().map(thousands).collect()
}
