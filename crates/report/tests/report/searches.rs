//! Which runs are one search.

use std::fs;
use std::path::Path;

use mezo_report::{ReportOptions, Row, RowKind, SweepRuns, Table, build, table};
use polars::prelude::{ParquetReader, SerReader};
use serde_json::{Value, json};

use crate::fixture::{Run, Score, falling};

const SEEDS: [u64; 5] = [13, 21, 42, 87, 100];

fn read(runs_dir: &Path) -> Table {
    table(&SweepRuns::read(runs_dir).unwrap())
}

/// A run of the paper's, with a prefix or with LoRA.
fn of_the_paper(seed: u64, tuning: &'static str, lr: &'static str, dev: f64) -> Run {
    let score = Score {
        step: 20,
        dev,
        test: dev,
        cross_entropy: 0.3,
    };
    let eps = if tuning == "prefix" { "1e-1" } else { "1e-3" };
    let mut run = Run::new(seed, lr, eps, falling(seed, 40, 0.5, 100.0));
    (run.model, run.task, run.made_data) = ("roberta-large", "glue-sst2", false);
    (run.tuning, run.steps, run.eval_every) = (tuning, 100_000, 10_000);
    run.scored(score, Score { step: 40, ..score })
}

fn of_kind(table: &Table, kind: RowKind) -> Vec<&Row> {
    table.rows.iter().filter(|row| row.kind == kind).collect()
}

fn notes_of<'a>(table: &'a Table, words: &str) -> Vec<&'a str> {
    let notes = table.notes.iter().map(String::as_str);
    notes.filter(|note| note.contains(words)).collect()
}

#[test]
fn another_prefix_is_another_search() {
    let dir = tempfile::tempdir().unwrap();
    for seed in SEEDS {
        for lr in ["1e-3", "5e-3", "1e-2"] {
            for (init, dev) in [("activations", 0.8), ("random", 0.9)] {
                let mut run = of_the_paper(seed, "prefix", lr, dev);
                run.more = json!({"method": {"prefix": {"tokens": 5, "init": init}}});
                run.write(dir.path());
            }
        }
    }
    let table = read(dir.path());
    let accuracies = of_kind(&table, RowKind::Selected).into_iter();
    let accuracies: Vec<f64> = accuracies
        .map(|row| row.accuracy().unwrap().mean.round())
        .collect();
    assert_eq!(accuracies, [80.0, 90.0]);
    assert_eq!(
        notes_of(&table, "grid"),
        [
            "MeZO (prefix), prefix init activations: the paper's grid and seeds",
            "MeZO (prefix), prefix init random, partial grid: random prefix (paper: activations)",
            notes_of(&table, "paper: RoBERTa-large")[0],
        ]
    );
}

#[test]
fn another_rank_or_weight_of_lora_is_another_search() {
    let dir = tempfile::tempdir().unwrap();
    for seed in SEEDS {
        for lr in ["1e-5", "5e-5", "1e-4"] {
            for (r, alpha) in [(8, 16.0), (8, 32.0), (4, 16.0)] {
                let mut run = of_the_paper(seed, "lora", lr, 0.9);
                run.weight_decay = 0.1;
                run.more = json!({"method": {"lora": {"r": r, "alpha": alpha}}});
                run.write(dir.path());
            }
        }
    }
    let table = read(dir.path());
    let differences = of_kind(&table, RowKind::Selected).into_iter();
    let mut differences: Vec<String> = differences.map(|row| row.partial_grid.join("; ")).collect();
    differences.sort();
    assert_eq!(
        differences,
        [
            "",
            "LoRA r 4, alpha 16 (paper: 8, 16)",
            "LoRA r 8, alpha 32 (paper: 8, 16)",
        ]
    );
    assert_eq!(
        notes_of(&table, "paper's grid and seeds"),
        ["MeZO (LoRA), lora r 8, lora alpha 16: the paper's grid and seeds"]
    );
}

#[test]
fn a_search_varies_what_the_papers_grids_do_and_nothing_else() {
    let searches = |name: &str, values: [Value; 2]| {
        let dir = tempfile::tempdir().unwrap();
        for value in values {
            let mut run = of_the_paper(13, "full", "1e-6", 0.9);
            run.more = json!({"train": {name: value}});
            if name == "decay_on" {
                run.weight_decay = 0.1;
            }
            run.write(dir.path());
        }
        of_kind(&read(dir.path()), RowKind::Selected).len()
    };
    for (name, values) in [
        ("lr", [json!(1e-6), json!(1e-5)]),
        ("eps", [json!(1e-3), json!(1e-5)]),
        ("batch_size", [json!(16), json!(64)]),
        ("weight_decay", [json!(0.0), json!(0.1)]),
    ] {
        assert_eq!(searches(name, values), 1, "{name}");
    }
    for (name, values) in [
        ("steps", [json!(5000), json!(100_000)]),
        ("eval_every", [json!(500), json!(1000)]),
        ("schedule", [json!(null), json!("linear")]),
        ("warmup", [json!(null), json!(100)]),
        ("decay_on", [json!("all"), json!("no-bias-norm")]),
        ("unheard_of", [json!(1), json!(2)]),
    ] {
        assert_eq!(searches(name, values), 2, "{name}");
    }
}

/// Runs with and without decay, for each way to decay.
fn decayed(runs_dir: &Path, ways: &[&str]) -> Table {
    let mut run = of_the_paper(13, "full", "1e-6", 0.8);
    run.write(runs_dir);
    run.weight_decay = 0.1;
    for way in ways {
        run.more = json!({"train": {"decay_on": way}});
        run.write(runs_dir);
    }
    read(runs_dir)
}

#[test]
fn no_decay_is_searched_beside_decay() {
    for way in ["all", "no-bias-norm"] {
        let dir = tempfile::tempdir().unwrap();
        let table = decayed(dir.path(), &[way]);
        let [selected] = of_kind(&table, RowKind::Selected)[..] else {
            panic!("{:?}", table.rows);
        };
        assert_eq!(selected.searched, ["weight_decay"]);
        assert_eq!(selected.setting("decay_on"), Some(way));
    }
    // Of several ways, it is beside one.
    let dir = tempfile::tempdir().unwrap();
    let table = decayed(dir.path(), &["all", "no-bias-norm"]);
    let mut searches: Vec<(&str, bool)> = of_kind(&table, RowKind::Selected)
        .into_iter()
        .map(|row| (row.setting("decay_on").unwrap(), row.searched.is_empty()))
        .collect();
    searches.sort();
    assert_eq!(searches, [("all", true), ("no-bias-norm", false)]);
    let choices = notes_of(&table, "selected as published");
    let begin = "MeZO, decay on no-bias-norm, selected as published";
    assert!(
        choices.iter().any(|note| note.starts_with(begin)),
        "{choices:?}"
    );
}

#[test]
fn a_choice_names_all_that_its_search_varies() {
    let dir = tempfile::tempdir().unwrap();
    for (batch_size, weight_decay, seed) in [(16, 0.0, 13), (64, 0.1, 21)] {
        let mut best = of_the_paper(seed, "full", "1e-6", 0.9);
        (best.batch_size, best.weight_decay) = (batch_size, weight_decay);
        best.write(dir.path());
        of_the_paper(seed, "full", "1e-7", 0.7).write(dir.path());
    }
    let table = read(dir.path());
    let chosen: Vec<&str> = of_kind(&table, RowKind::Selected)[0]
        .chosen
        .iter()
        .map(|choice| choice.cell.as_str())
        .collect();
    assert_eq!(
        chosen,
        [
            "lr 1e-6, eps 1e-3, batch 16, weight decay 0",
            "lr 1e-6, eps 1e-3, batch 64, weight decay 0.1",
        ]
    );
}

#[test]
fn runs_parquet_tells_every_run_apart() {
    let dir = tempfile::tempdir().unwrap();
    let changes = [
        ("estimator", json!({"method": {"estimator": "one-point"}})),
        (
            "estimates_count",
            json!({"method": {"estimates": {"count": 4}}}),
        ),
        (
            "estimates_schedule",
            json!({"method": {"estimates": {"count": 4, "schedule": "linear"}}}),
        ),
        (
            "estimates_scale_lr",
            json!({"method": {"estimates": {"count": 4, "scale_lr": true}}}),
        ),
        (
            "scale_by",
            json!({"method": {"scale": {"by": "gradient-norm"}}}),
        ),
        (
            "scale_modifies",
            json!({"method": {"scale": {"by": "gradient-norm", "modifies": "expectation"}}}),
        ),
        (
            "scale_measured",
            json!({"method": {"scale": {"by": "gradient-norm", "measured": "each-epoch"}}}),
        ),
        ("objective", json!({"method": {"objective": "f1"}})),
        (
            "prefix_tokens",
            json!({"method": {"prefix": {"tokens": 3}}}),
        ),
        (
            "prefix_init",
            json!({"method": {"prefix": {"init": "random"}}}),
        ),
        ("optimizer", json!({"train": {"optimizer": "adam"}})),
        ("momentum", json!({"train": {"momentum": 0.9}})),
        ("schedule", json!({"train": {"schedule": "linear"}})),
        ("warmup", json!({"train": {"warmup": 10}})),
        (
            "decay_on",
            json!({"train": {"decay_on": "all", "weight_decay": 0.1}}),
        ),
        ("dropout", json!({"train": {"dropout": 0.2}})),
        ("clip", json!({"train": {"clip": 2.0}})),
    ];
    for (_, more) in &changes {
        let mut run = of_the_paper(13, "full", "1e-6", 0.9);
        run.more = more.clone();
        run.write(dir.path());
    }
    let out = tempfile::tempdir().unwrap();
    build(dir.path(), out.path(), &ReportOptions::default()).unwrap();
    let file = fs::File::open(out.path().join("runs.parquet")).unwrap();
    let runs = ParquetReader::new(file).finish().unwrap();
    assert_eq!(runs.height(), changes.len());
    for (name, _) in &changes {
        let values = runs.column(name).unwrap().n_unique().unwrap();
        assert!(values > 1, "{name} is the same for all");
    }
    for name in [
        "protocol",
        "prompt",
        "template",
        "label_words",
        "max_length",
    ] {
        assert_eq!(runs.column(name).unwrap().null_count(), 0, "{name}");
    }
    assert_eq!(runs.column("cut").unwrap().null_count(), 0);
}

#[test]
fn a_probe_that_did_not_converge_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for (seed, converged) in [(13, true), (21, false), (42, false)] {
        let mut run = of_the_paper(seed, "full", "0", 0.8);
        (run.method, run.eps, run.losses) = ("lp", "", Vec::new());
        run.more = json!({"method": {"tuning": null}, "train": {"steps": null, "batch_size": null,
            "eval_every": null, "lr": null, "weight_decay": null}});
        let path = run.write(dir.path()).join("result.json");
        let mut result: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        result["probe"] = json!({"c": 0.5, "accuracy": 0.75, "converged": converged});
        fs::write(&path, result.to_string()).unwrap();
    }
    let table = read(dir.path());
    let note = "the fit of linear probing did not converge in 2 of 3 runs: LP on glue-sst2 (k 512), seed 21, seed 42";
    assert_eq!(notes_of(&table, "converge"), [note]);
    let comparison = mezo_report::compare(&SweepRuns::read_several(&[dir.path()]).unwrap());
    assert!(comparison.notes.iter().any(|known| known == note));

    let out = tempfile::tempdir().unwrap();
    build(dir.path(), out.path(), &ReportOptions::default()).unwrap();
    let file = fs::File::open(out.path().join("runs.parquet")).unwrap();
    let runs = ParquetReader::new(file).finish().unwrap();
    let c = runs.column("probe_c").unwrap().f64().unwrap();
    assert_eq!((c.get(0), c.null_count()), (Some(0.5), 0));
    let converged = runs.column("probe_converged").unwrap().bool().unwrap();
    assert_eq!(converged.sum(), Some(1));
}
