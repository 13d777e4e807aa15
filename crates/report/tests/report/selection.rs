//! What is reported of a search.

use std::path::Path;

use mezo_report::{Format, Row, RowKind, SweepRuns, Table, table};

use crate::fixture::{Run, Score, falling, write_zero_shot};

fn read(runs_dir: &Path) -> Table {
    table(&SweepRuns::read(runs_dir).unwrap())
}

/// A run of 40 steps that was best at step 20, with dev and test accuracy there, and test accuracy at the end.
fn run(seed: u64, lr: &'static str, dev: f64, test: f64, last: f64) -> Run {
    let score = |step, test| Score {
        step,
        dev,
        test,
        cross_entropy: 1.0 - test,
    };
    let run = Run::new(seed, lr, "1e-3", falling(seed, 40, 0.5, 100.0));
    run.scored(score(20, test), score(40, last))
}

fn row(table: &Table, kind: RowKind) -> &Row {
    table.rows.iter().find(|row| row.kind == kind).unwrap()
}

fn accuracy(table: &Table, kind: RowKind) -> f64 {
    row(table, kind).accuracy().unwrap().mean
}

#[test]
fn selected_fixed_and_last_step_stand_in_rows_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    for run in [
        run(13, "1e-4", 0.80, 0.70, 0.60),
        run(21, "1e-4", 0.60, 0.50, 0.40),
        run(13, "3e-4", 0.70, 0.65, 0.55),
        run(21, "3e-4", 0.75, 0.90, 0.80),
    ] {
        run.write(dir.path());
        write_zero_shot(dir.path(), &run, 0.5, 0.5);
    }
    let table = read(dir.path());
    // Seed 13 takes 1e-4 and seed 21 takes 3e-4; for all seeds 3e-4 has the better mean on dev.
    assert!((accuracy(&table, RowKind::Selected) - 80.0).abs() < 1e-9);
    assert!((accuracy(&table, RowKind::LastStep) - 70.0).abs() < 1e-9);
    assert!((accuracy(&table, RowKind::Fixed) - 77.5).abs() < 1e-9);
    let fixed = row(&table, RowKind::Fixed);
    assert_eq!(fixed.setting("lr"), Some("3e-4"));
    let selected = row(&table, RowKind::Selected);
    assert_eq!(selected.searched, ["lr"]);
    let gains = [RowKind::Selected, RowKind::LastStep, RowKind::Fixed]
        .map(|kind| row(&table, kind).accuracy_gain.unwrap().mean.round());
    assert_eq!(gains, [30.0, 20.0, 28.0]);
    let text = table.render(Format::Markdown);
    for words in [
        "**MeZO (LoRA), selected as published**",
        "| MeZO (LoRA), selected, last step |",
        "| MeZO (LoRA), best fixed configuration |",
    ] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn equally_good_fixed_configurations_go_by_the_order_of_their_text() {
    let dir = tempfile::tempdir().unwrap();
    for lr in ["1e-5", "5e-5", "1e-4"] {
        run(13, lr, 0.7, 0.6, 0.6).write(dir.path());
    }
    assert_eq!(
        row(&read(dir.path()), RowKind::Fixed).setting("lr"),
        Some("1e-4")
    );
}

#[test]
fn a_configuration_that_lacks_a_seed_is_not_the_best_of_all() {
    let dir = tempfile::tempdir().unwrap();
    for run in [
        run(13, "1e-4", 0.6, 0.6, 0.6),
        run(21, "1e-4", 0.6, 0.6, 0.6),
        run(13, "3e-4", 0.9, 0.9, 0.9),
    ] {
        run.write(dir.path());
    }
    let table = read(dir.path());
    assert_eq!(row(&table, RowKind::Fixed).setting("lr"), Some("1e-4"));
    assert_eq!(row(&table, RowKind::Fixed).seeds, [13, 21]);
}

#[test]
fn one_configuration_has_no_best_fixed_one() {
    let dir = tempfile::tempdir().unwrap();
    run(13, "1e-4", 0.6, 0.6, 0.6).write(dir.path());
    let table = read(dir.path());
    let kinds: Vec<RowKind> = table.rows.iter().map(|row| row.kind).collect();
    assert_eq!(kinds, [RowKind::Cell, RowKind::Selected, RowKind::LastStep]);
}

#[test]
fn without_test_rows_dev_chooses_and_nothing_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    for lr in ["1e-4", "3e-4"] {
        let mut run = run(13, lr, 0.7, 0.6, 0.6);
        (run.task, run.k, run.test_examples) = ("mnli", 16, 0);
        run.write(dir.path());
    }
    let table = read(dir.path());
    let selected = row(&table, RowKind::Selected);
    assert!(selected.dev_only && selected.accuracy().is_none());
    assert_eq!(selected.chosen.len(), 1);
    assert!((selected.dev_accuracy.unwrap().mean - 70.0).abs() < 1e-9);
    let note =
        "no test rows in the data of mnli (k 16): dev chose, and there is no test score to report";
    assert!(
        table.notes.iter().any(|known| known == note),
        "{:?}",
        table.notes
    );
    assert!(
        table
            .render(Format::Markdown)
            .contains("| 1 | - | - | - | - |")
    );
}

#[test]
fn two_protocols_are_never_in_one_row_search_or_baseline() {
    let dir = tempfile::tempdir().unwrap();
    for (protocol, zero_shot) in [("paper", 0.5), ("reference-code", 0.4)] {
        for (lr, dev) in [("1e-4", 0.6), ("3e-4", 0.7)] {
            let mut run = run(13, lr, dev, dev, dev);
            run.protocol = protocol;
            run.write(dir.path());
            if lr == "1e-4" {
                write_zero_shot(dir.path(), &run, zero_shot, 0.5);
            }
        }
    }
    let table = read(dir.path());
    let of =
        |kind: RowKind| -> Vec<&Row> { table.rows.iter().filter(|row| row.kind == kind).collect() };
    assert_eq!(of(RowKind::Cell).len(), 4);
    let gains: Vec<(&str, f64)> = of(RowKind::Selected)
        .iter()
        .map(|row| {
            (
                row.setting("protocol").unwrap(),
                row.accuracy_gain.unwrap().mean.round(),
            )
        })
        .collect();
    assert_eq!(gains, [("paper", 20.0), ("reference-code", 30.0)]);
    let text = table.render(Format::Markdown);
    assert!(text.contains("| protocol |"), "{text}");
    for sentence in [
        "- protocol paper: the method as the paper describes it (docs/protocols.md)",
        "- protocol reference-code: what the paper's public code does, also where the paper says otherwise \
         (docs/protocols.md)",
    ] {
        assert!(text.contains(sentence), "{text}");
    }
}
