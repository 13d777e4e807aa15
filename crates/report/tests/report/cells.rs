//! Which runs are seeds of one configuration.

use std::path::Path;

use mezo_report::{Format, Row, RowKind, SweepRuns, Table, table};

use crate::fixture::{Run, Score, falling, write_zero_shot};

const FIRST: &str = "1111111122222222333333334444444455555555666666667777777788888888";
const OTHER: &str = "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff0000000099999999";

fn read(runs_dir: &Path) -> Table {
    table(&SweepRuns::read(runs_dir).unwrap())
}

fn run(seed: u64, test: f64) -> Run {
    let score = Score {
        step: 20,
        dev: test,
        test,
        cross_entropy: 1.0 - test,
    };
    let run = Run::new(seed, "1e-4", "1e-3", falling(seed, 40, 0.5, 100.0));
    run.scored(score, Score { step: 40, ..score })
}

fn cells(table: &Table) -> Vec<&Row> {
    let cells = table.rows.iter().filter(|row| row.kind == RowKind::Cell);
    cells.collect()
}

/// Runs that are the same but for `change`, each beside a zero-shot run of its own.
fn told_apart(runs_dir: &Path, change: impl Fn(&mut Run, &'static str)) -> Table {
    for (hash, before, after) in [(FIRST, 0.5, 0.6), (OTHER, 0.7, 0.9)] {
        let mut run = run(13, after);
        run.model = "roberta-base";
        change(&mut run, hash);
        run.write(runs_dir);
        write_zero_shot(runs_dir, &run, before, 1.0 - before);
    }
    read(runs_dir)
}

fn assert_told_apart(table: &Table, name: &str) {
    let cells = cells(table);
    assert_eq!(cells.len(), 2);
    for (cell, (hash, gain)) in cells.iter().zip([("11111111", 10.0), ("aaaaaaaa", 20.0)]) {
        assert_eq!(cell.seeds, [13]);
        assert_eq!(cell.setting(name), Some(hash));
        assert!((cell.accuracy_gain.unwrap().mean - gain).abs() < 1e-9);
        assert!(
            cell.partial_grid
                .iter()
                .all(|what| !what.contains("not finished"))
        );
    }
    let selected = table
        .rows
        .iter()
        .filter(|row| row.kind == RowKind::Selected);
    assert_eq!(selected.count(), 2);
    let words = name.replace('_', " ");
    let note = format!(
        "some rows have the same configuration and differ only in what was read, by the first digits of \
         its SHA-256: {words} 11111111, aaaaaaaa"
    );
    assert!(table.notes.contains(&note), "{:?}", table.notes);
    let markdown = table.render(Format::Markdown);
    assert!(markdown.contains(&format!("| {words} |")), "{markdown}");
    let csv = table.render(Format::Csv);
    assert!(csv.contains("11111111") && csv.contains("aaaaaaaa"));
}

#[test]
fn other_weights_in_the_same_folder_are_another_cell() {
    let dir = tempfile::tempdir().unwrap();
    let table = told_apart(dir.path(), |run, hash| run.weights = hash);
    assert_told_apart(&table, "weights");
}

#[test]
fn other_test_rows_are_another_cell() {
    let dir = tempfile::tempdir().unwrap();
    let table = told_apart(dir.path(), |run, hash| run.test_data = hash);
    assert_told_apart(&table, "test_data");
}

#[test]
fn the_same_data_in_another_place_is_the_same_cell() {
    let dir = tempfile::tempdir().unwrap();
    for (seed, data) in [(13, "../here"), (21, "../there")] {
        let mut run = run(seed, 0.6);
        run.data = Some(data);
        run.write(dir.path());
        if seed == 13 {
            write_zero_shot(dir.path(), &run, 0.5, 0.5);
        }
    }
    let table = read(dir.path());
    let cells = cells(&table);
    assert_eq!(cells.len(), 1);
    assert_eq!(cells[0].seeds, [13, 21]);
    assert_eq!(cells[0].accuracy_gain.unwrap().n, 2);
    let text = table.render(Format::Json);
    assert!(
        !text.contains("../here") && !text.contains("../there"),
        "{text}"
    );
}

#[test]
fn a_random_head_has_a_row_over_its_seeds_and_is_no_baseline() {
    let dir = tempfile::tempdir().unwrap();
    for (seed, accuracy) in [(13, 0.5), (21, 0.54)] {
        let run = run(seed, 0.6);
        run.write(dir.path());
        let path = write_zero_shot(dir.path(), &run, accuracy, 0.7).join("manifest.json");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
        manifest["config"]["task"]["prompt"] = serde_json::json!(false);
        manifest["config"]["train"] = serde_json::json!({ "seed": seed });
        std::fs::write(&path, manifest.to_string()).unwrap();
    }
    let table = read(dir.path());
    let untrained = &table.rows[0];
    assert_eq!(untrained.kind, RowKind::ZeroShot);
    assert_eq!(untrained.seeds, [13, 21]);
    let text = table.render(Format::Markdown);
    assert!(text.contains("52.0 (2.0)"), "{text}");
    assert!(table.rows.iter().all(|row| row.accuracy_gain.is_none()));
}

#[test]
fn a_seed_done_twice_is_one_seed() {
    let dir = tempfile::tempdir().unwrap();
    for seed in [13, 21] {
        for data in ["../here", "../there"] {
            let mut run = run(seed, 0.6);
            run.data = Some(data);
            let written = run.write(dir.path());
            if (seed, data) == (21, "../there") {
                std::fs::remove_file(written.join("result.json")).unwrap();
            }
        }
    }
    let table = read(dir.path());
    let cells = cells(&table);
    assert_eq!(cells.len(), 1);
    assert_eq!(cells[0].seeds, [13, 21]);
    assert_eq!(cells[0].best.accuracy.unwrap().n, 2);
    for seed in [13, 21] {
        let begin = format!("lr 1e-4, eps 1e-3, seed {seed}: 2 runs of the same cell (");
        assert!(table.notes.iter().any(|note| note.starts_with(&begin)));
    }
    let unfinished = |what: &String| what.contains("not finished");
    assert!(!cells[0].partial_grid.iter().any(unfinished));
}

#[test]
fn without_hashes_paths_tell_runs_apart() {
    let dir = tempfile::tempdir().unwrap();
    for data in ["../here", "../there"] {
        let mut run = run(13, 0.6);
        (run.data, run.test_data) = (Some(data), "");
        run.write(dir.path());
    }
    assert_eq!(cells(&read(dir.path())).len(), 2);
}

/// The rows of runs whose splits were written by hand: their seeds, and by what data they are told apart. Of each run its
/// seed, the first digit of its split's hash, its learning rate, and whether it ended.
fn rows_of_splits(runs: &[(u64, u8, &'static str, bool)]) -> Vec<(Vec<u64>, Option<String>)> {
    let dir = tempfile::tempdir().unwrap();
    for &(seed, digit, lr, ended) in runs {
        let mut run = run(seed, 0.6);
        (run.lr, run.split) = (lr, HASHES[usize::from(digit)]);
        let dir = run.write(dir.path());
        if !ended {
            std::fs::remove_file(dir.join("result.json")).unwrap();
        }
    }
    let table = read(dir.path());
    cells(&table)
        .iter()
        .map(|cell| {
            let data = cell.setting("train_data").map(str::to_owned);
            (cell.seeds.clone(), data)
        })
        .collect()
}

const HASHES: [&str; 4] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "1111111111111111111111111111111111111111111111111111111111111111",
    "2222222222222222222222222222222222222222222222222222222222222222",
    "3333333333333333333333333333333333333333333333333333333333333333",
];

fn told(hash: &str) -> Option<String> {
    Some(hash.to_owned())
}

#[test]
fn two_versions_of_a_written_split_share_no_row() {
    let runs = [
        (13, 1, "1e-4", true),
        (13, 2, "1e-4", true),
        (21, 3, "1e-4", true),
        (42, 0, "1e-4", true),
    ];
    let expected = [
        (vec![13], told("11111111")),
        (vec![13], told("22222222")),
        (vec![21, 42], told("unknown")),
    ];
    assert_eq!(rows_of_splits(&runs), expected);
}

#[test]
fn a_run_that_did_not_end_takes_no_other_out_of_its_row() {
    let runs = [
        (13, 1, "1e-4", false),
        (13, 2, "1e-4", true),
        (21, 3, "1e-4", true),
    ];
    assert_eq!(rows_of_splits(&runs), [(vec![13, 21], None)]);
}

/// Another learning rate has only the new version: it must not be chosen because the others were taken out.
#[test]
fn two_versions_of_a_split_are_in_no_one_search() {
    let runs = [
        (13, 1, "1e-4", true),
        (13, 2, "1e-4", true),
        (13, 2, "1e-3", true),
        (21, 3, "1e-4", true),
        (21, 3, "1e-3", true),
    ];
    let rows = rows_of_splits(&runs);
    let of_13: Vec<&Option<String>> = rows
        .iter()
        .filter(|(seeds, _)| seeds == &[13])
        .map(|(_, data)| data)
        .collect();
    assert_eq!(of_13.len(), 3, "{rows:?}");
    assert!(rows.iter().all(|(seeds, _)| seeds.len() == 1), "{rows:?}");
}
