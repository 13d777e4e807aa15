//! Methods beside MeZO: their names, grids and journals.

use std::path::Path;

use mezo_report::{Format, ReportOptions, RowKind, SweepRuns, Table, build, slopes_csv, table};
use polars::prelude::{ParquetReader, SerReader};
use serde_json::json;

use crate::fixture::{Run, Score, falling};

const SEEDS: [u64; 5] = [13, 21, 42, 87, 100];

fn read(runs_dir: &Path) -> Table {
    table(&SweepRuns::read(runs_dir).unwrap())
}

fn scored(run: Run) -> Run {
    let score = Score {
        step: 20,
        dev: 0.9,
        test: 0.9,
        cross_entropy: 0.3,
    };
    run.scored(score, Score { step: 40, ..score })
}

/// A run of the paper's: its model, task and weight decay.
fn of_the_paper(seed: u64, lr: &'static str, eps: &'static str) -> Run {
    let mut run = scored(Run::new(seed, lr, eps, falling(seed, 40, 0.5, 100.0)));
    (run.model, run.task, run.made_data, run.tuning) =
        ("roberta-large", "glue-sst2", false, "full");
    (run.steps, run.eval_every) = (100_000, 10_000);
    run
}

fn fine_tuned(seed: u64, lr: &'static str, batch_size: u64) -> Run {
    let mut run = of_the_paper(seed, lr, "");
    (run.method, run.k, run.batch_size) = ("ft", 16, batch_size);
    (run.steps, run.eval_every) = (1000, 100);
    run.more =
        json!({"train": {"optimizer": "adam", "schedule": "linear", "dropout": 0.1, "clip": 1.0}});
    run
}

/// What the one search among the rows is called, and in what it is not the paper's.
fn search(table: &Table) -> (String, String) {
    let mut selected = table
        .rows
        .iter()
        .filter(|row| row.kind == RowKind::Selected);
    let row = selected.next().unwrap();
    assert!(selected.next().is_none());
    (row.method.clone(), row.partial_grid.join("; "))
}

#[test]
fn fine_tuning_has_nine_configurations() {
    let dir = tempfile::tempdir().unwrap();
    for seed in SEEDS {
        for lr in ["1e-5", "3e-5", "5e-5"] {
            for batch_size in [2, 4, 8] {
                fine_tuned(seed, lr, batch_size).write(dir.path());
            }
        }
    }
    let table = read(dir.path());
    assert_eq!(search(&table), ("FT".to_owned(), String::new()));
    let selected = table
        .rows
        .iter()
        .find(|row| row.kind == RowKind::Selected)
        .unwrap();
    assert_eq!(selected.paper.unwrap().mean, 91.9);
    assert_eq!(selected.chosen[0].cell, "lr 1e-5, batch 2");
    assert!(
        table
            .notes
            .contains(&"FT: the paper's grid and seeds".to_owned())
    );
}

#[test]
fn what_a_grid_lacks_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for (lr, batch_size) in [("1e-5", 2), ("3e-5", 4), ("5e-5", 8)] {
        let mut run = fine_tuned(13, lr, batch_size);
        run.more["train"]["schedule"] = json!("constant");
        run.more["train"]["dropout"] = json!(0.0);
        run.write(dir.path());
    }
    let expected = "schedule constant (paper: linear); dropout 0 (paper: 0.1); 3 of 9 combinations of these; \
                    seeds 13 (paper: 13, 21, 42, 87, 100)";
    assert_eq!(
        search(&read(dir.path())),
        ("FT".to_owned(), expected.to_owned())
    );
}

#[test]
fn adam_and_prefix_have_grids_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    for seed in SEEDS {
        for lr in ["1e-6", "1e-5", "1e-4", "5e-4", "1e-3"] {
            let mut run = of_the_paper(seed, lr, "1e-3");
            run.more = json!({"train": {"optimizer": "adam"}});
            run.write(dir.path());
        }
    }
    assert_eq!(
        search(&read(dir.path())),
        ("MeZO-Adam".to_owned(), String::new())
    );

    let dir = tempfile::tempdir().unwrap();
    for seed in SEEDS {
        for lr in ["1e-3", "5e-3", "1e-2"] {
            let mut run = of_the_paper(seed, lr, "1e-1");
            run.tuning = "prefix";
            run.more = json!({"method": {"prefix": {"tokens": 3, "init": "random"}}});
            run.write(dir.path());
        }
    }
    let differs = "prefix of 3 tokens (paper: 5); random prefix (paper: activations)";
    let prefix = ("MeZO (prefix)".to_owned(), differs.to_owned());
    assert_eq!(search(&read(dir.path())), prefix);
}

#[test]
fn a_variant_has_no_number_of_the_papers() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = of_the_paper(13, "1e-6", "1e-3");
    run.more = json!({"method": {"estimates": {"count": 4}}, "train": {"momentum": 0.9}});
    run.write(dir.path());
    let mut plain = run.clone();
    plain.more = json!({});
    plain.write(dir.path());
    let table = read(dir.path());
    let rows: Vec<(&str, bool)> = table
        .rows
        .iter()
        .filter(|row| row.kind == RowKind::Selected)
        .map(|row| (row.method.as_str(), row.paper.is_some()))
        .collect();
    assert_eq!(
        rows,
        [("MeZO", true), ("MeZO, momentum 0.9, 4 estimates", false)]
    );
    let text = table.render(Format::Markdown);
    assert!(
        text.contains("MeZO, momentum 0.9, 4 estimates (not in the paper's Table 15)"),
        "{text}"
    );
}

#[test]
fn linear_probing_has_a_seed_and_no_steps() {
    let dir = tempfile::tempdir().unwrap();
    for seed in SEEDS {
        let mut run = of_the_paper(seed, "0", "");
        (run.method, run.losses) = ("lp", Vec::new());
        run.more = json!({"method": {"tuning": null}, "train": {"steps": null, "batch_size": null,
            "eval_every": null, "lr": null, "weight_decay": null}});
        run.write(dir.path());
    }
    let table = read(dir.path());
    assert_eq!(search(&table), ("LP".to_owned(), String::new()));
    let kinds: Vec<RowKind> = table.rows.iter().map(|row| row.kind).collect();
    assert_eq!(kinds, [RowKind::Cell, RowKind::Selected]);
    assert!(table.slopes.is_empty());
    let text = table.render(Format::Markdown);
    assert!(text.contains("| **LP, selected as published** |"), "{text}");
    assert!(text.contains("seed 13: LP;"), "{text}");
    let out = tempfile::tempdir().unwrap();
    build(dir.path(), out.path(), &ReportOptions::default()).unwrap();
}

#[test]
fn a_journal_without_estimates_makes_slopes_and_steps() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = fine_tuned(13, "1e-5", 8);
    run.losses = falling(13, 400, 0.3, 100.0);
    run.write(dir.path());
    let runs = SweepRuns::read(dir.path()).unwrap();
    assert_eq!(runs.runs[0].losses.len(), 400);
    assert_eq!(runs.runs[0].estimated.steps, 0);
    let table = table(&runs);
    assert_eq!(table.slopes[0].verdict(), "falls");
    assert!(slopes_csv(&table.slopes).ends_with("falls,,\n"));

    let out = tempfile::tempdir().unwrap();
    build(dir.path(), out.path(), &ReportOptions::default()).unwrap();
    let file = std::fs::File::open(out.path().join("steps.parquet")).unwrap();
    let steps = ParquetReader::new(file).finish().unwrap();
    assert_eq!(steps.height(), 400);
    let loss = steps.column("loss").unwrap().f64().unwrap();
    assert_eq!(loss.get(399), Some(run.losses[399]));
    for name in [
        "estimate",
        "noise_seed",
        "loss_plus",
        "loss_minus",
        "projected_grad",
        "eps",
    ] {
        assert_eq!(steps.column(name).unwrap().null_count(), 400, "{name}");
    }
}

#[test]
fn estimates_of_exactly_zero_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = of_the_paper(13, "1e-6", "1e-3");
    run.more = json!({"method": {"objective": "accuracy"}});
    let written = run.write(dir.path());
    let line = |step: u64, gradient: f64| {
        let estimate =
            json!({"seed": step, "loss_plus": 0.5, "loss_minus": 0.5, "projected_grad": gradient});
        json!({"step": step, "lr": 1e-6, "estimates": [estimate]})
    };
    let lines: Vec<String> = (1..=8)
        .map(|step| line(step, if step % 4 == 0 { 0.25 } else { 0.0 }).to_string())
        .collect();
    std::fs::write(written.join("steps.jsonl"), lines.join("\n") + "\n").unwrap();
    let table = read(dir.path());
    assert_eq!(table.slopes[0].zero_estimates, Some(0.75));
    let note = "MeZO, accuracy objective: every estimate exactly 0 in 75.0 % of the steps";
    assert!(
        table.notes.iter().any(|known| known == note),
        "{:?}",
        table.notes
    );
    let json: serde_json::Value = serde_json::from_str(&table.render(Format::Json)).unwrap();
    assert_eq!(json["rows"][0]["zero_estimates"], json!(0.75));
    assert_eq!(json["slopes"][0]["zero_estimates"], json!(0.75));
}

#[test]
fn a_line_with_a_loss_and_estimates_has_both() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = of_the_paper(13, "1e-6", "1e-3");
    run.more = json!({"method": {"estimator": "one-point"}});
    let written = run.write(dir.path());
    // One-point estimates: a step's own loss against the one before it, of which the first step has none.
    let estimate = |step: u64, plus: f64, minus: f64| json!([{"seed": step, "loss_plus": plus, "loss_minus": minus, "projected_grad": 1.0}]);
    let lines = [
        json!({"step": 1, "lr": 1e-6, "estimates": [], "loss": 0.7}),
        json!({"step": 2, "lr": 1e-6, "estimates": estimate(2, 0.5, 0.7), "loss": 0.5}),
        json!({"step": 3, "lr": 1e-6, "estimates": estimate(3, 0.4, 0.5), "loss": 0.4}),
    ];
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    std::fs::write(written.join("steps.jsonl"), lines.join("\n") + "\n").unwrap();
    let runs = SweepRuns::read(dir.path()).unwrap();
    assert_eq!(runs.runs[0].losses, [0.7, 0.5, 0.4]);
    assert_eq!(runs.runs[0].estimated.steps, 2);

    let out = tempfile::tempdir().unwrap();
    build(dir.path(), out.path(), &ReportOptions::default()).unwrap();
    let file = std::fs::File::open(out.path().join("steps.parquet")).unwrap();
    let steps = ParquetReader::new(file).finish().unwrap();
    let values = |name: &str| -> Vec<Option<f64>> {
        let column = steps.column(name).unwrap().f64().unwrap();
        (0..column.len()).map(|row| column.get(row)).collect()
    };
    assert_eq!(values("loss"), [Some(0.7), Some(0.5), Some(0.4)]);
    assert_eq!(values("loss_plus"), [None, Some(0.5), Some(0.4)]);
    assert_eq!(values("loss_minus"), [None, Some(0.7), Some(0.5)]);
}
